// Depthwise convolutions of the input in place, where registers can be loaded in part: what is left and right of it is 0 by
// masks, and what is above and below is left out. Part of depthwise_template.h; for AVX2 and AVX-512.

#define EIGHT ESPALIER_NAME(depthwise_eight)
#define DIRECT_ROWS ESPALIER_NAME(depthwise_rows)
#define DIRECT_FUNCTION ESPALIER_NAME(depthwise_function)

// How many lanes of a register hold no position: the last one where sums are shifted.
#define DIRECT_IDLE(kernel, stride) ((size_t)((kernel) == 3 && (stride) == 2))

typedef float EIGHT __attribute__((vector_size(32)));

typedef struct DIRECT_ROWS DIRECT_ROWS;
// Of consecutive planes of the output, whose inputs are consecutive too.
typedef void DIRECT_FUNCTION(const DIRECT_ROWS *, const espalier_depthwise_plane *first, size_t planes);

// Some rows of the output, or their last columns.
struct DIRECT_ROWS {
    DIRECT_FUNCTION *compute;
    // Of the input's rows, and of the output's.
    size_t pitch;
    size_t width;
    // Of their planes.
    size_t input_floats;
    size_t output_floats;
    espalier_depthwise_bounds bounds;
    // Where they and their first taps begin in their planes, the latter perhaps outside.
    ptrdiff_t input;
    size_t output;
    size_t tiles;
    // DEPTHWISE_MASKS for each tile: of its loads, in the order of the taps, and of what it stores.
    const uint16_t *masks;
    // All ones where the outermost rows that the taps find exist, or 0.
    uint32_t above[DEPTHWISE_MOST_KERNEL / 2];
    uint32_t below[DEPTHWISE_MOST_KERNEL / 2];
};

// MARK: Sixteen lanes

#if ESPALIER_VECTOR_BYTES == 64
ESPALIER_INLINE FLOATS ESPALIER_NAME(depthwise_sixteen_load_masked)(uint32_t mask, const float *from) {
    return (FLOATS)_mm512_maskz_loadu_ps((__mmask16)mask, from);
}

ESPALIER_INLINE void ESPALIER_NAME(depthwise_sixteen_store_masked)(FLOATS values, uint32_t mask, float *to) {
    _mm512_mask_storeu_ps(to, (__mmask16)mask, (__m512)values);
}

#define WIDTH 16
#define VECTOR FLOATS
#define REGISTER __m512
#define EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30)
#define ODD(a, b) __builtin_shufflevector(a, b, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31)
#define ORDERED(a) __builtin_shufflevector(a, a, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15)
#define FOLLOWING(a) __builtin_shufflevector(a, a, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, -1)
#define TILE(name) ESPALIER_NAME(depthwise_sixteen_##name)
#define INTRINSIC(name) _mm512_##name
#include "depthwise_direct_tile_template.h"
#endif

// MARK: Eight lanes

#if ESPALIER_VECTOR_BYTES == 64
ESPALIER_INLINE EIGHT ESPALIER_NAME(depthwise_eight_load_masked)(uint32_t mask, const float *from) {
    return (EIGHT)_mm256_maskz_loadu_ps((__mmask8)mask, from);
}

ESPALIER_INLINE void ESPALIER_NAME(depthwise_eight_store_masked)(EIGHT values, uint32_t mask, float *to) {
    _mm256_mask_storeu_ps(to, (__mmask8)mask, (__m256)values);
}
#else
ESPALIER_INLINE EIGHT ESPALIER_NAME(depthwise_eight_load_masked)(uint32_t mask, const float *from) {
    const INTS bits = {1, 2, 4, 8, 16, 32, 64, 128};
    return (EIGHT)_mm256_maskload_ps(from, (__m256i)(((int32_t)mask & bits) == bits));
}

// The first lanes, since that is what masks of stores are: in pieces, as stores by masks are slow on many machines.
ESPALIER_INLINE void ESPALIER_NAME(depthwise_eight_store_masked)(EIGHT values, uint32_t mask, float *to) {
    if (mask == 255) {
        ESPALIER_NAME(store)(values, to);
        return;
    }
    __m128 rest = _mm256_castps256_ps128((__m256)values);
    if (mask & 8) {
        _mm_storeu_ps(to, rest);
        rest = _mm256_extractf128_ps((__m256)values, 1);
        mask >>= 4;
        to += 4;
    }
    if (mask & 2) {
        _mm_storel_pi((__m64 *)to, rest);
        rest = _mm_movehl_ps(rest, rest);
        mask >>= 2;
        to += 2;
    }
    if (mask & 1) _mm_store_ss(to, rest);
}
#endif

#define WIDTH 8
#define VECTOR EIGHT
#define REGISTER __m256
#define EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14)
#define ODD(a, b) __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15)
#define ORDERED(a) __builtin_shufflevector(a, a, 0, 1, 4, 5, 2, 3, 6, 7)
#define FOLLOWING(a) __builtin_shufflevector(a, a, 1, 4, 5, 2, 3, 6, 7, -1)
#define TILE(name) ESPALIER_NAME(depthwise_eight_##name)
#define INTRINSIC(name) _mm256_##name
#include "depthwise_direct_tile_template.h"

// MARK: Masks

// Of `lanes` activations from `column` of a row of `width` on, those which exist.
static uint16_t ESPALIER_NAME(depthwise_mask)(int64_t column, int64_t width, int64_t lanes) {
    uint16_t mask = 0;
    for (int64_t lane = 0; lane < lanes; ++lane) {
        if (column + lane >= 0 && column + lane < width) mask |= (uint16_t)(1u << lane);
    }
    return mask;
}

// How many registers of all LANES the positions of a row take. What is left, if anything, eight lanes hold.
static size_t ESPALIER_NAME(depthwise_whole_tiles)(const espalier_sparse_geometry *g) {
    const size_t idle = DIRECT_IDLE(g->kernel_width, g->stride_width);
    const size_t whole = LANES - idle, rest = LANES == 16 ? 8 - idle : 0;
    return g->output_width > rest ? (g->output_width - rest + whole - 1) / whole : 0;
}

static void ESPALIER_NAME(depthwise_make_masks)(const espalier_sparse_geometry *g, uint16_t *masks) {
    const int64_t stride = (int64_t)g->stride_width, width = (int64_t)g->output_width;
    const int64_t idle = DIRECT_IDLE(g->kernel_width, g->stride_width);
    const size_t whole_tiles = ESPALIER_NAME(depthwise_whole_tiles)(g);
    int64_t x = 0;
    for (size_t tile = 0; x < width; ++tile, masks += DEPTHWISE_MASKS) {
        const int64_t lanes = tile < whole_tiles ? LANES : 8;
        for (int64_t load = 0; load < DEPTHWISE_LOADS; ++load) {
            const int64_t right = stride == 1 ? load : load / 2 * 2 + load % 2 * lanes;
            masks[load] = ESPALIER_NAME(depthwise_mask)(
                x * stride + right - (int64_t)g->padding_left, (int64_t)g->width, lanes);
        }
        masks[DEPTHWISE_LOADS] = ESPALIER_NAME(depthwise_mask)(x, width, lanes - idle);
        x += lanes - idle;
    }
}

// MARK: Planes

// Lists the parts of a plane. Returns how many they are.
static size_t ESPALIER_NAME(depthwise_list_rows)(
    const espalier_sparse_geometry *g, espalier_depthwise_bounds bounds, const uint16_t *masks, DIRECT_ROWS *parts) {
    const size_t stride = g->stride_height, kernel = g->kernel_height, height = g->output_height;
    const size_t whole_tiles = ESPALIER_NAME(depthwise_whole_tiles)(g);
    const size_t whole_width = whole_tiles * (LANES - DIRECT_IDLE(kernel, stride));
    DIRECT_FUNCTION *const *eight = ESPALIER_NAME(depthwise_eight_functions)[kernel == 5][stride == 2];
#if ESPALIER_VECTOR_BYTES == 64
    DIRECT_FUNCTION *const *whole = ESPALIER_NAME(depthwise_sixteen_functions)[kernel == 5][stride == 2];
#else
    DIRECT_FUNCTION *const *whole = eight;
#endif
    size_t count = 0;
    for (size_t y = 0; y < height;) {
        // Networks for images of 224 x 224 have multiples of seven throughout.
        const size_t left = height - y;
        const size_t choice = height % 7 == 0 ? 3 : left >= 4 ? 2 : left >= 2 ? 1 : 0;
        const size_t rows = (const size_t[]){1, 2, 4, 7}[choice];
        // The first and last rows that the taps find.
        const ptrdiff_t top = (ptrdiff_t)(y * stride) - (ptrdiff_t)g->padding_top;
        const ptrdiff_t bottom = top + (ptrdiff_t)((rows - 1) * stride + kernel - 1);
        DIRECT_ROWS part = {
            .compute = whole[choice],
            .pitch = g->width,
            .width = g->output_width,
            .input_floats = g->height * g->width,
            .output_floats = g->output_height * g->output_width,
            .bounds = bounds,
            .input = top * (ptrdiff_t)g->width - (ptrdiff_t)g->padding_left,
            .output = y * g->output_width,
            .tiles = whole_tiles,
            .masks = masks,
        };
        for (ptrdiff_t row = 0; row < DEPTHWISE_MOST_KERNEL / 2; ++row) {
            part.above[row] = top + row >= 0 ? UINT32_MAX : 0;
            part.below[row] = bottom - row < (ptrdiff_t)g->height ? UINT32_MAX : 0;
        }
        if (whole_tiles > 0) parts[count++] = part;
        if (whole_width < g->output_width) {
            part.compute = eight[choice];
            part.input += (ptrdiff_t)(whole_width * stride);
            part.output += whole_width;
            part.tiles = 1;
            part.masks += whole_tiles * DEPTHWISE_MASKS;
            parts[count++] = part;
        }
        y += rows;
    }
    return count;
}

static void ESPALIER_NAME(depthwise_direct)(const espalier_depthwise *call, size_t first_plane, size_t planes) {
    const espalier_sparse_geometry *g = call->geometry;
    uint16_t *masks = call->scratch;
    DIRECT_ROWS *parts = (DIRECT_ROWS *)((char *)call->scratch + masks_bytes(g));
    ESPALIER_NAME(depthwise_make_masks)(g, masks);
    const size_t count = ESPALIER_NAME(depthwise_list_rows)(
        g, espalier_depthwise_bounds_of(&call->epilogue->activation), masks, parts);
    // Of as many small planes one part, then the next, as stay in the first cache.
    const size_t floats = g->height * g->width + g->output_height * g->output_width;
    const size_t most = floats < CACHE_FLOATS && call->multiplier == 1 ? CACHE_FLOATS / floats : 1;
    espalier_depthwise_plane plane = espalier_depthwise_plane_at(call, first_plane);
    while (planes > 0) {
        size_t group = call->filters - plane.filter;
        if (group > most) group = most;
        if (group > planes) group = planes;
        for (size_t i = 0; i < count; ++i) parts[i].compute(parts + i, &plane, group);
        ESPALIER_NAME(depthwise_end)(call, plane.output, group);
        first_plane += group;
        planes -= group;
        plane = espalier_depthwise_plane_at(call, first_plane);
    }
}

#undef DIRECT_FUNCTION
#undef DIRECT_ROWS
#undef DIRECT_IDLE
#undef EIGHT
