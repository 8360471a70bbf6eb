// The loops of narrow_convolution.c; see each_isa.h. A tile's extents are constants wherever its code is inlined, so
// that it stays in registers.

#include "vectors_template.h"

// Registers of filters, and the positions of the output or the taps for which sums lie in registers at once. AVX-512 and
// NEON have 32 registers, the others 16.
#define FORWARD_WIDE 2
#if ESPALIER_VECTOR_BYTES == 64 || defined(__aarch64__)
#define FORWARD_TILE 12
#define WIDE 2
#define TILE 12
#else
#define FORWARD_TILE 6
#define WIDE 1
#define TILE 8
#endif

// MARK: Forward

// `positions` neighbours times `wide` registers of filters, of which `filters` exist.
ESPALIER_INLINE void ESPALIER_NAME(narrow_tile)(
    const espalier_narrow_convolution *convolution, const float *frame, const float *packed, size_t row,
    const float *bias, bool relu, float *output, size_t filters, size_t column_step, const size_t positions,
    const size_t wide) {
    FLOATS sums[FORWARD_TILE][FORWARD_WIDE];
#pragma clang loop unroll(full)
    for (size_t p = 0; p < positions; ++p) {
#pragma clang loop unroll(full)
        for (size_t w = 0; w < wide; ++w) {
            sums[p][w] = bias ? ESPALIER_NAME(load)(bias + w * LANES) : (FLOATS){0};
        }
    }
    for (size_t tap = 0; tap < convolution->taps; ++tap) {
        const float *input = frame + convolution->offsets[tap];
        FLOATS weights[FORWARD_WIDE];
#pragma clang loop unroll(full)
        for (size_t w = 0; w < wide; ++w) {
            weights[w] = ESPALIER_NAME(load)(packed + tap * row + w * LANES);
        }
#pragma clang loop unroll(full)
        for (size_t p = 0; p < positions; ++p) {
#pragma clang loop unroll(full)
            for (size_t w = 0; w < wide; ++w) sums[p][w] += weights[w] * input[p * column_step];
        }
    }
#pragma clang loop unroll(full)
    for (size_t p = 0; p < positions; ++p) {
#pragma clang loop unroll(full)
        for (size_t w = 0; w < wide; ++w) {
            FLOATS result = sums[p][w];
            // Not-a-number is not below 0 and stays.
            if (relu) result = (FLOATS)((INTS)result & ~(result < 0));
            if (filters > w * LANES) {
                ESPALIER_NAME(store_up_to)(
                    result, output + p * convolution->filters + w * LANES, filters - w * LANES);
            }
        }
    }
}

ESPALIER_INLINE void ESPALIER_NAME(narrow_positions)(
    const espalier_narrow_convolution *convolution, const float *frame, const float *packed,
    const float *bias, bool relu, float *output, size_t column_step, const size_t positions) {
    const size_t row = espalier_narrow_row(convolution->filters);
    size_t filter = 0;
    while (filter < convolution->filters) {
        const size_t left = convolution->filters - filter;
        const float *block_bias = bias ? bias + filter : NULL;
        if (left > LANES) {
            ESPALIER_NAME(narrow_tile)(
                convolution, frame, packed + filter, row, block_bias, relu, output + filter, left,
                column_step, positions, FORWARD_WIDE);
            filter += FORWARD_WIDE * LANES;
        } else {
            ESPALIER_NAME(narrow_tile)(
                convolution, frame, packed + filter, row, block_bias, relu, output + filter, left,
                column_step, positions, 1);
            filter += LANES;
        }
    }
}

ESPALIER_INLINE void ESPALIER_NAME(narrow_rows)(
    const espalier_narrow_convolution *convolution, const float *frame, const float *packed,
    const float *bias, bool relu, float *output, size_t column_step) {
    for (size_t y = 0; y < convolution->output_height; ++y) {
        const float *line = frame + y * convolution->row_step;
        float *target = output + y * convolution->output_width * convolution->filters;
        size_t x = 0;
#define TILES(positions)                                                                           \
    for (; x + (positions) <= convolution->output_width; x += (positions)) {                      \
        ESPALIER_NAME(narrow_positions)(                                                           \
            convolution, line + x * column_step, packed, bias, relu, target + x * convolution->filters, \
            column_step, positions);                                                               \
    }
        TILES(FORWARD_TILE)
        TILES(4)
        TILES(1)
#undef TILES
    }
}

static void ESPALIER_NAME(narrow_forward)(
    const espalier_narrow_convolution *convolution, const float *frame, const float *packed,
    const float *bias, bool relu, float *output) {
    // Steps that the compiler knows are parts of addresses; others take twice the time.
    switch (convolution->column_step) {
        case 1: ESPALIER_NAME(narrow_rows)(convolution, frame, packed, bias, relu, output, 1); break;
        case 2: ESPALIER_NAME(narrow_rows)(convolution, frame, packed, bias, relu, output, 2); break;
        default:
            ESPALIER_NAME(narrow_rows)(
                convolution, frame, packed, bias, relu, output, convolution->column_step);
    }
}

// MARK: Gradient of the weights

// `taps` of them from `offsets` on, times `wide` registers of filters, over all positions.
ESPALIER_INLINE void ESPALIER_NAME(narrow_gradient_tile)(
    const espalier_narrow_convolution *convolution, const float *frame, const int32_t *offsets,
    const float *gradient, float *sums, size_t row, size_t filters, size_t column_step, const size_t taps,
    const size_t wide) {
    const size_t stride = convolution->filters;
    // Where the last register of filters is not full; the others are.
    const size_t tail = filters - (wide - 1) * LANES;
    FLOATS total[TILE][WIDE];
#pragma clang loop unroll(full)
    for (size_t t = 0; t < taps; ++t) {
#pragma clang loop unroll(full)
        for (size_t w = 0; w < wide; ++w) {
            total[t][w] = ESPALIER_NAME(load)(sums + t * row + w * LANES);
        }
    }
    for (size_t y = 0; y < convolution->output_height; ++y) {
        const float *line = frame + y * convolution->row_step;
        const float *slopes = gradient + y * convolution->output_width * stride;
        size_t x = 0;
#define POSITIONS(count)                                                                               \
    for (; x + (count) <= convolution->output_width; x += (count)) {                                  \
        FLOATS slope[count][WIDE];                                                                     \
        _Pragma("clang loop unroll(full)") for (size_t p = 0; p < (count); ++p) {                     \
            _Pragma("clang loop unroll(full)") for (size_t w = 0; w < wide; ++w) {                    \
                slope[p][w] = ESPALIER_NAME(load_up_to)(                                               \
                    slopes + (x + p) * stride + w * LANES, w + 1 < wide ? LANES : tail);               \
            }                                                                                          \
        }                                                                                              \
        _Pragma("clang loop unroll(full)") for (size_t t = 0; t < taps; ++t) {                        \
            const float *input = line + x * column_step + offsets[t];                                  \
            _Pragma("clang loop unroll(full)") for (size_t p = 0; p < (count); ++p) {                 \
                _Pragma("clang loop unroll(full)") for (size_t w = 0; w < wide; ++w) {                \
                    total[t][w] += slope[p][w] * input[p * column_step];                               \
                }                                                                                      \
            }                                                                                          \
        }                                                                                              \
    }
        // Several positions share the loads of the taps' offsets.
        POSITIONS(2)
        POSITIONS(1)
#undef POSITIONS
    }
#pragma clang loop unroll(full)
    for (size_t t = 0; t < taps; ++t) {
#pragma clang loop unroll(full)
        for (size_t w = 0; w < wide; ++w) {
            ESPALIER_NAME(store)(total[t][w], sums + t * row + w * LANES);
        }
    }
}

ESPALIER_INLINE void ESPALIER_NAME(narrow_gradient_filters)(
    const espalier_narrow_convolution *convolution, const float *frame, const int32_t *offsets,
    const float *gradient, float *sums, size_t row, size_t column_step, const size_t taps) {
    size_t filter = 0;
    while (filter < convolution->filters) {
        const size_t left = convolution->filters - filter;
        if (WIDE > 1 && left > LANES) {
            ESPALIER_NAME(narrow_gradient_tile)(
                convolution, frame, offsets, gradient + filter, sums + filter, row, left, column_step, taps,
                WIDE);
            filter += WIDE * LANES;
        } else {
            ESPALIER_NAME(narrow_gradient_tile)(
                convolution, frame, offsets, gradient + filter, sums + filter, row, left, column_step, taps,
                1);
            filter += LANES;
        }
    }
}

ESPALIER_INLINE void ESPALIER_NAME(narrow_gradient_taps)(
    const espalier_narrow_convolution *convolution, const float *frame, const float *gradient, float *sums,
    size_t column_step) {
    const size_t row = espalier_narrow_row(convolution->filters);
    // Tiles of even extent: a last one of one tap would wait for its own additions.
    const size_t tiles = (convolution->taps + TILE - 1) / TILE;
    size_t tap = 0;
    for (size_t tile = 0; tile < tiles; ++tile) {
        const size_t count = (convolution->taps - tap + tiles - tile - 1) / (tiles - tile);
        const int32_t *offsets = convolution->offsets + tap;
        float *target = sums + tap * row;
#define CASE(taps)                                                                              \
    case taps:                                                                                  \
        ESPALIER_NAME(narrow_gradient_filters)(                                                 \
            convolution, frame, offsets, gradient, target, row, column_step, taps);             \
        break;
        switch (count) {
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
#if TILE > 8
            CASE(9) CASE(10) CASE(11) CASE(12)
#endif
        }
#undef CASE
        tap += count;
    }
}

static void ESPALIER_NAME(narrow_weights_gradient)(
    const espalier_narrow_convolution *convolution, const float *frame, const float *gradient, float *sums) {
    if (convolution->column_step == 1) {
        ESPALIER_NAME(narrow_gradient_taps)(convolution, frame, gradient, sums, 1);
    } else {
        ESPALIER_NAME(narrow_gradient_taps)(convolution, frame, gradient, sums, convolution->column_step);
    }
}

#undef TILE
#undef WIDE
#undef FORWARD_TILE
#undef FORWARD_WIDE
#include "vectors_end.h"
