#include "depthwise.h"

#include <string.h>

#include "sparse_frame.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    // So many floats are worked on before the next ones, so that they stay in the first cache.
    CACHE_FLOATS = 4096,
    // Frames are made for multiples of so many rows of the output.
    FRAME_ROWS = 4,
};

// The geometry of one plane.
static espalier_sparse_geometry plane_geometry(const espalier_sparse_geometry *geometry) {
    espalier_sparse_geometry plane = *geometry;
    plane.samples = plane.channels = 1;
    return plane;
}

// A frame for `rows` rows of the output from `first` on.
static espalier_sparse_frame frame_of(const espalier_sparse_geometry *plane, size_t first, size_t rows) {
    return espalier_sparse_make_copied_frame(
        plane, first * plane->output_width, (first + rows) * plane->output_width);
}

// For how many rows of the output a frame is made: all, or a multiple of those that are computed at once.
static size_t frame_rows(const espalier_sparse_geometry *plane) {
    size_t rows = FRAME_ROWS;
    for (; rows < plane->output_height; rows += FRAME_ROWS) {
        const size_t more = rows + FRAME_ROWS;
        const espalier_sparse_frame frame =
            frame_of(plane, 0, more < plane->output_height ? more : plane->output_height);
        if (espalier_sparse_frame_floats(&frame) > CACHE_FLOATS) break;
    }
    return rows < plane->output_height ? rows : plane->output_height;
}

static size_t offsets_bytes(const espalier_sparse_geometry *g) {
    return (g->kernel_height * g->kernel_width * sizeof(int64_t) + 63) / 64 * 64;
}

// MARK: Without frames

#if defined(__x86_64__)
// Registers of a row of the output, at most: they hold 7 positions or more, and the last one may be shorter.
static size_t row_registers(const espalier_sparse_geometry *g) { return g->output_width / 7 + 2; }

static size_t masks_bytes(const espalier_sparse_geometry *g) {
    return (row_registers(g) * DEPTHWISE_MASKS * sizeof(uint16_t) + 63) / 64 * 64;
}
#endif

#define ESPALIER_TEMPLATE "depthwise_template.h"
#include "each_isa.h"

#if defined(__x86_64__)
// The masks, then the parts of a plane: two for a row at most.
static size_t direct_bytes(const espalier_sparse_geometry *g) {
    return masks_bytes(g) + 2 * g->output_height * sizeof(depthwise_rows_avx512);
}
#endif

static bool is_empty(const espalier_sparse_geometry *g) { return g->output_height == 0 || g->output_width == 0; }

size_t espalier_depthwise_scratch(espalier_isa isa, const espalier_sparse_geometry *geometry) {
    if (is_empty(geometry)) return 0;
#if defined(__x86_64__)
    if (espalier_depthwise_is_direct(isa, geometry)) return direct_bytes(geometry);
#else
    (void)isa;
#endif
    const espalier_sparse_geometry plane = plane_geometry(geometry);
    const espalier_sparse_frame frame = frame_of(&plane, 0, frame_rows(&plane));
    return offsets_bytes(geometry) + espalier_sparse_frame_floats(&frame) * sizeof(float);
}

void espalier_depthwise_convolution(
    espalier_isa isa, const espalier_sparse_geometry *geometry, size_t multiplier, const float *input,
    const float *weights, float *output, const espalier_epilogue *epilogue, size_t first_plane, size_t planes,
    void *scratch) {
    if (is_empty(geometry)) return;
    const espalier_depthwise call = {
        .geometry = geometry,
        .multiplier = multiplier,
        .filters = multiplier * geometry->channels,
        .input = input,
        .weights = weights,
        .output = output,
        .epilogue = epilogue,
        .scratch = scratch,
    };
    ESPALIER_DISPATCH(isa, depthwise_planes, &call, first_plane, planes);
}
