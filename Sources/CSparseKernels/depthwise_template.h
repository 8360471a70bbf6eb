// Depthwise convolutions whose activations come from a padded copy of some rows; see each_isa.h. The frame lets every
// tap find its activations in consecutive floats, whatever the stride and the dilation.

#include "vectors_template.h"
#include "depthwise_finish_template.h"

// `- 0` since `+ 0` would not be nothing: it changes -0.
ESPALIER_INLINE FLOATS ESPALIER_NAME(fill)(float value) { return value - (FLOATS){0}; }

#define FRAMED ESPALIER_NAME(depthwise_framed)

// The activations of a tile: those of tap (i, j) for its row r begin at first + offsets[i, j] + r * row_step.
typedef struct {
    const float *first;
    const int64_t *offsets;
    // Of neighbouring rows of the frame, and of those that one tap finds for neighbouring rows of the output.
    size_t pitch;
    size_t row_step;
} FRAMED;

// Any kernel. Registers are loaded for each tap and row.
ESPALIER_INLINE void ESPALIER_NAME(depthwise_any_sums)(
    const FRAMED *source, const float *weights, size_t taps, FLOATS *sums, const size_t rows) {
    for (size_t tap = 0; tap < taps; ++tap) {
        const float *from = source->first + source->offsets[tap];
#pragma clang loop unroll(full)
        for (size_t row = 0; row < rows; ++row) {
            sums[row] += weights[tap] * ESPALIER_NAME(load)(from + row * source->row_step);
        }
    }
}

ESPALIER_INLINE void ESPALIER_NAME(depthwise_framed_windows)(
    const FRAMED *source, size_t row, const size_t first, const size_t step, FLOATS *group, const size_t kernel) {
#pragma clang loop unroll(full)
    for (size_t tap = first; tap < first + step && tap < kernel; ++tap) {
        group[tap - first] = ESPALIER_NAME(load)(source->first + row * source->pitch + source->offsets[tap]);
    }
}

#define SUMS ESPALIER_NAME(depthwise_framed_sums)
#define VECTOR FLOATS
#define SOURCE FRAMED
#define WINDOWS(source, row, first, step, group) \
    ESPALIER_NAME(depthwise_framed_windows)(source, row, first, step, group, kernel)
#include "depthwise_sums_template.h"
#undef SOURCE
#undef VECTOR

// `rows` rows of the output from row y on. The kernel's extent is 0 if it is any.
ESPALIER_INLINE void ESPALIER_NAME(depthwise_framed_rows)(
    const espalier_depthwise *call, const espalier_depthwise_plane *plane, FRAMED source, size_t y,
    const size_t kernel, const size_t stride, const size_t rows) {
    const espalier_sparse_geometry *g = call->geometry;
    const espalier_depthwise_bounds bounds = espalier_depthwise_bounds_of(&call->epilogue->activation);
    const FLOATS low = ESPALIER_NAME(fill)(bounds.low), high = ESPALIER_NAME(fill)(bounds.high);
    const FLOATS bias = ESPALIER_NAME(fill)(plane->bias ? *plane->bias : 0);
    FLOATS weights[9];
    for (size_t tap = 0; kernel == 3 && tap < 9; ++tap) weights[tap] = ESPALIER_NAME(fill)(plane->weights[tap]);
    for (size_t x = 0; x < g->output_width; x += LANES, source.first += LANES) {
        FLOATS sums[DEPTHWISE_ROWS];
        for (size_t row = 0; row < rows; ++row) sums[row] = bias;
        if (kernel > 0) {
            ESPALIER_NAME(depthwise_framed_sums)(&source, weights, plane->weights, sums, kernel, stride, rows);
        } else {
            ESPALIER_NAME(depthwise_any_sums)(
                &source, plane->weights, g->kernel_height * g->kernel_width, sums, rows);
        }
        ESPALIER_NAME(depthwise_finish)(
            plane, low, high, sums, g->output_width, y * g->output_width + x, g->output_width - x, rows);
    }
}

ESPALIER_INLINE void ESPALIER_NAME(depthwise_framed_plane)(
    const espalier_depthwise *call, const espalier_depthwise_plane *plane,
    const espalier_sparse_geometry *geometry, size_t block, float *copy, const int64_t *offsets,
    const size_t kernel, const size_t stride) {
    for (size_t start = 0; start < geometry->output_height; start += block) {
        const size_t left = geometry->output_height - start;
        const size_t end = start + (left < block ? left : block);
        const espalier_sparse_frame frame = frame_of(geometry, start, end - start);
        espalier_sparse_copy_frame(ESPALIER_ISA_LEVEL, &frame, plane->input, copy);
        FRAMED source = {
            .first = copy,
            .offsets = offsets,
            .pitch = frame.row_pitch,
            .row_step = geometry->stride_height * frame.row_pitch,
        };
        size_t y = start;
#define ROWS(rows)                                                                                  \
    for (; y + (rows) <= end; y += (rows), source.first += (rows) * source.row_step) {             \
        ESPALIER_NAME(depthwise_framed_rows)(call, plane, source, y, kernel, stride, rows);         \
    }
        ROWS(4)
        ROWS(2)
        ROWS(1)
#undef ROWS
    }
}

// The activations that are not clips, of consecutive planes.
ESPALIER_INLINE void ESPALIER_NAME(depthwise_end)(const espalier_depthwise *call, float *output, size_t planes) {
    const espalier_activation *activation = &call->epilogue->activation;
    if (espalier_depthwise_bounds_of(activation).is_all) return;
    const size_t count = call->geometry->output_height * call->geometry->output_width;
    ESPALIER_NAME(depthwise_activate)(activation, output, planes * count);
}

#if ESPALIER_VECTOR_BYTES >= 32
#include "depthwise_direct_template.h"
#endif

static void ESPALIER_NAME(depthwise_planes)(const espalier_depthwise *call, size_t first_plane, size_t planes) {
#if ESPALIER_VECTOR_BYTES >= 32
    if (espalier_depthwise_is_direct(ESPALIER_ISA_LEVEL, call->geometry)) {
        ESPALIER_NAME(depthwise_direct)(call, first_plane, planes);
        return;
    }
#endif
    const espalier_sparse_geometry geometry = plane_geometry(call->geometry);
    const size_t block = frame_rows(&geometry);
    int64_t *offsets = call->scratch;
    float *copy = (float *)((char *)call->scratch + offsets_bytes(&geometry));
    const espalier_sparse_frame frame = frame_of(&geometry, 0, block);
    espalier_sparse_tap_offsets(&frame, offsets);
    for (size_t p = first_plane; p < first_plane + planes; ++p) {
        const espalier_depthwise_plane plane = espalier_depthwise_plane_at(call, p);
#define PLANE(kernel, stride) \
    ESPALIER_NAME(depthwise_framed_plane)(call, &plane, &geometry, block, copy, offsets, kernel, stride)
#if ESPALIER_VECTOR_BYTES < 32
        const size_t kernel = espalier_depthwise_constant_kernel(&geometry);
        if (kernel == 3 && geometry.stride_height == 1) PLANE(3, 1);
        else if (kernel == 3) PLANE(3, 2);
        else if (kernel == 5 && geometry.stride_height == 1) PLANE(5, 1);
        else if (kernel == 5) PLANE(5, 2);
        else
#endif
            PLANE(0, 0);
#undef PLANE
        ESPALIER_NAME(depthwise_end)(call, plane.output, 1);
    }
}

#undef FRAMED
#include "vectors_end.h"
