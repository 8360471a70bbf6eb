// Training products with masked weights, samples in lanes; see each_isa.h.

#include "vectors_template.h"

// Lines that are taken together: their sums and one weight are in registers.
#define MOST_LINES (ESPALIER_VECTOR_BYTES == 64 ? 8 : ESPALIER_VECTOR_BYTES == 32 ? 6 : 3)
#define LINE_VECTORS (ESPALIER_MASKED_LINE / LANES)

// MARK: Sums over weights

// sums += the lines of those rows of `activations` that `places` names, each times a weight. The weight of place p is at
// weights[p * stride]. `lines` is a constant wherever this is inlined.
ESPALIER_INLINE void ESPALIER_NAME(masked_sum)(
    const float *weights, size_t stride, const uint32_t *places, size_t count, const float *activations,
    size_t pitch, float start, float *output, const size_t lines) {
    FLOATS sums[8 * LINE_VECTORS];
    for (size_t v = 0; v < lines * LINE_VECTORS; ++v) sums[v] = (FLOATS){0} + start;
    for (size_t k = 0; k < count; ++k) {
        const size_t place = places[k];
        const float weight = weights[place * stride];
        const float *row = activations + place * pitch;
        for (size_t v = 0; v < lines * LINE_VECTORS; ++v) {
            sums[v] += weight * ESPALIER_NAME(load)(row + v * LANES);
        }
    }
    for (size_t v = 0; v < lines * LINE_VECTORS; ++v) ESPALIER_NAME(store)(sums[v], output + v * LANES);
}

// The same for all lines of the pitch.
ESPALIER_INLINE void ESPALIER_NAME(masked_sums)(
    const float *weights, size_t stride, const uint32_t *places, size_t count, const float *activations,
    size_t pitch, float start, float *output) {
    size_t line = 0;
    const size_t all = pitch / ESPALIER_MASKED_LINE;
    while (line < all) {
        const size_t left = all - line < MOST_LINES ? all - line : MOST_LINES;
        const size_t offset = line * ESPALIER_MASKED_LINE;
        switch (left) {
#define TAKE(lines)                                                                                              \
    case lines:                                                                                                  \
        ESPALIER_NAME(masked_sum)                                                                                \
        (weights, stride, places, count, activations + offset, pitch, start, output + offset, lines);            \
        break;
            TAKE(1)
            TAKE(2)
            TAKE(3)
#if ESPALIER_VECTOR_BYTES >= 32
            TAKE(4)
            TAKE(5)
            TAKE(6)
#endif
#if ESPALIER_VECTOR_BYTES == 64
            TAKE(7)
            TAKE(8)
#endif
#undef TAKE
        }
        line += left;
    }
}

static void ESPALIER_NAME(masked_forward)(
    const espalier_masked_weights *pattern, const float *weights, const float *bias, const float *inputs,
    size_t pitch, size_t first, size_t end, float *outputs) {
    for (size_t output = first; output < end; ++output) {
        const size_t start = pattern->output_starts[output];
        ESPALIER_NAME(masked_sums)
        (weights + output * pattern->output_stride, pattern->input_stride, pattern->output_inputs + start,
         pattern->output_starts[output + 1] - start, inputs, pitch, bias ? bias[output] : 0,
         outputs + output * pitch);
    }
}

static void ESPALIER_NAME(masked_input_gradient)(
    const espalier_masked_weights *pattern, const float *weights, const float *output_gradients, size_t pitch,
    size_t first, size_t end, float *input_gradients) {
    for (size_t input = first; input < end; ++input) {
        const size_t start = pattern->input_starts[input];
        ESPALIER_NAME(masked_sums)
        (weights + input * pattern->input_stride, pattern->output_stride, pattern->input_outputs + start,
         pattern->input_starts[input + 1] - start, output_gradients, pitch, 0, input_gradients + input * pitch);
    }
}

// MARK: Products of lines

// The sum of each of LANES registers, in one.
ESPALIER_INLINE FLOATS ESPALIER_NAME(masked_lane_sums)(FLOATS *rows) {
#if ESPALIER_VECTOR_BYTES == 64
    // Pairs, then fours within quarters of a register; then quarters.
    __m512 fours[4];
    for (size_t q = 0; q < 4; ++q) {
        const __m512 a = (__m512)rows[4 * q], b = (__m512)rows[4 * q + 1];
        const __m512 c = (__m512)rows[4 * q + 2], d = (__m512)rows[4 * q + 3];
        const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
        const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
        fours[q] = _mm512_add_ps(
            (__m512)_mm512_unpacklo_pd((__m512d)ab, (__m512d)cd), (__m512)_mm512_unpackhi_pd((__m512d)ab, (__m512d)cd));
    }
    const __m512 left = _mm512_add_ps(
        _mm512_shuffle_f32x4(fours[0], fours[1], 0x88), _mm512_shuffle_f32x4(fours[0], fours[1], 0xdd));
    const __m512 right = _mm512_add_ps(
        _mm512_shuffle_f32x4(fours[2], fours[3], 0x88), _mm512_shuffle_f32x4(fours[2], fours[3], 0xdd));
    return (FLOATS)_mm512_add_ps(_mm512_shuffle_f32x4(left, right, 0x88), _mm512_shuffle_f32x4(left, right, 0xdd));
#elif ESPALIER_VECTOR_BYTES == 32
    __m256 fours[2];
    for (size_t q = 0; q < 2; ++q) {
        const __m256 ab = _mm256_hadd_ps((__m256)rows[4 * q], (__m256)rows[4 * q + 1]);
        const __m256 cd = _mm256_hadd_ps((__m256)rows[4 * q + 2], (__m256)rows[4 * q + 3]);
        fours[q] = _mm256_hadd_ps(ab, cd);
    }
    return (FLOATS)_mm256_add_ps(
        _mm256_permute2f128_ps(fours[0], fours[1], 0x20), _mm256_permute2f128_ps(fours[0], fours[1], 0x31));
#else
    FLOATS sums;
    for (size_t lane = 0; lane < LANES; ++lane) {
        sums[lane] = rows[lane][0] + rows[lane][1] + rows[lane][2] + rows[lane][3];
    }
    return sums;
#endif
}

// The products of one line with those of LANES places. `vectors` is a constant wherever this is inlined.
ESPALIER_INLINE FLOATS ESPALIER_NAME(masked_products)(
    const FLOATS *line, const uint32_t *places, const float *inputs, size_t pitch, const size_t vectors) {
    FLOATS rows[LANES];
    for (size_t k = 0; k < LANES; ++k) {
        const float *row = inputs + (size_t)places[k] * pitch;
        rows[k] = line[0] * ESPALIER_NAME(load)(row);
        for (size_t v = 1; v < vectors; ++v) rows[k] += line[v] * ESPALIER_NAME(load)(row + v * LANES);
    }
    return ESPALIER_NAME(masked_lane_sums)(rows);
}

ESPALIER_INLINE void ESPALIER_NAME(masked_row_gradient)(
    const float *gradient, const uint32_t *places, size_t count, const float *inputs, size_t pitch,
    float *gradients, size_t stride, const size_t vectors, const int adds) {
    FLOATS line[8 * LINE_VECTORS];
    for (size_t v = 0; v < vectors; ++v) line[v] = ESPALIER_NAME(load)(gradient + v * LANES);
    for (size_t k = 0; k < count; k += LANES) {
        const size_t left = count - k < LANES ? count - k : LANES;
        uint32_t some[LANES] = {0};
        if (left < LANES) memcpy(some, places + k, left * sizeof *some);
        const FLOATS sums = ESPALIER_NAME(masked_products)(
            line, left < LANES ? some : places + k, inputs, pitch, vectors);
        float values[LANES];
        ESPALIER_NAME(store)(sums, values);
        for (size_t lane = 0; lane < left; ++lane) {
            float *to = gradients + places[k + lane] * stride;
            *to = adds ? *to + values[lane] : values[lane];
        }
    }
}

static void ESPALIER_NAME(masked_weight_gradient)(
    const espalier_masked_weights *pattern, const float *inputs, const float *output_gradients, size_t pitch,
    size_t first, size_t end, float *gradients) {
    for (size_t output = first; output < end; ++output) {
        const size_t start = pattern->output_starts[output];
        const size_t count = pattern->output_starts[output + 1] - start;
        const uint32_t *places = pattern->output_inputs + start;
        float *row = gradients + output * pattern->output_stride;
        // Of more samples a panel after the other, each adding its part.
        for (size_t from = 0; from < pitch; from += 4 * ESPALIER_MASKED_LINE) {
            const float *gradient = output_gradients + output * pitch + from;
            const size_t lines = (pitch - from) / ESPALIER_MASKED_LINE;
            switch (lines < 4 ? lines : 4) {
#define TAKE(lines)                                                                                        \
    case lines:                                                                                            \
        ESPALIER_NAME(masked_row_gradient)                                                                 \
        (gradient, places, count, inputs + from, pitch, row, pattern->input_stride, lines * LINE_VECTORS,  \
         from > 0);                                                                                        \
        break;
                TAKE(1)
                TAKE(2)
                TAKE(3)
                TAKE(4)
#undef TAKE
            }
        }
    }
}

#undef LINE_VECTORS
#undef MOST_LINES
#include "vectors_end.h"
