#include "espalier_max_pooling.h"

#include <float.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static inline size_t at_most(size_t value, size_t most) { return value < most ? value : most; }

// Close windows side by side, all in the plane.
typedef struct {
    // Where the first one begins; of each window the rows that are in the plane.
    const float *source;
    size_t pitch;
    size_t rows;
    size_t windows;
    size_t taps;
    float *destination;
} pooled_windows;

// What an axis' window sees of it.
typedef struct {
    size_t first;
    size_t end;
} seen_range;

static inline seen_range seen_along(size_t start, size_t kernel, size_t padding, size_t extent) {
    return (seen_range){
        .first = at_most(start > padding ? start - padding : 0, extent),
        .end = at_most(start + kernel > padding ? start + kernel - padding : 0, extent),
    };
}

// The windows of a row whose columns are all in the plane.
static seen_range windows_inside(const espalier_max_pooling *p) {
    const size_t end = p->padding_left + p->width, stride = p->stride_width;
    const size_t first = at_most((p->padding_left + stride - 1) / stride, p->output_width);
    const size_t count = end < p->kernel_width ? 0 : at_most((end - p->kernel_width) / stride + 1, p->output_width);
    return (seen_range){first, count > first ? count : first};
}

static inline float largest(const float *source, size_t pitch, size_t rows, size_t columns, float best) {
    for (size_t row = 0; row < rows; ++row) {
        for (size_t column = 0; column < columns; ++column) {
            const float value = source[row * pitch + column];
            if (value > best) best = value;
        }
    }
    return best;
}

// Whether windows are two columns apart and see two or three.
static inline bool is_close(const espalier_max_pooling *p) {
    return p->stride_width == 2 && (p->kernel_width == 2 || p->kernel_width == 3);
}

// The most columns of a line, the floats of all lines together, and what else may be written.
enum { POOLING_COLUMNS = 1024, POOLING_LINES = 4096, POOLING_MARGIN = 64 };

// Windows side by side of every row, or some columns of theirs.
typedef struct {
    size_t first_window;
    size_t windows;
    size_t taps;
    // Whether columns of theirs before are done.
    bool continues;
    // Their columns together: on the left of the plane and in it, from its first_column on.
    size_t columns;
    size_t before;
    size_t inside;
    size_t first_column;
    // Registers of windows read less than two registers past the last one's columns.
    size_t line_pitch;
} pooled_stretch;

static pooled_stretch stretch_of(
    const espalier_max_pooling *p, size_t first_window, size_t windows, size_t first_tap, size_t taps) {
    const size_t start = first_window * p->stride_width + first_tap;
    const size_t columns = (windows - 1) * p->stride_width + taps;
    const seen_range seen = seen_along(start, columns, p->padding_left, p->width);
    return (pooled_stretch){
        .first_window = first_window,
        .windows = windows,
        .taps = taps,
        .continues = first_tap > 0,
        .columns = columns,
        .before = start < p->padding_left ? at_most(p->padding_left - start, columns) : 0,
        .inside = seen.end - seen.first,
        .first_column = seen.first,
        .line_pitch = columns + 32,
    };
}

#define ESPALIER_TEMPLATE "max_pooling_template.h"
#include "each_isa.h"

void espalier_max_pool(
    espalier_isa isa, const espalier_max_pooling *pooling, const float *source, float *destination, size_t first,
    size_t end) {
    ESPALIER_DISPATCH(isa, max_pool, pooling, source, destination, first, end);
}
