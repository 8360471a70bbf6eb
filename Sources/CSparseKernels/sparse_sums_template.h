// The inner loop of sparse products; see each_isa.h. The number of lines is a constant wherever the code is inlined, so that the sums
// stay in registers.

#include "sparse_vectors_template.h"

#define LINE_VECTORS (ESPALIER_LINE_BYTES / ESPALIER_VECTOR_BYTES)

// The lines whose sums and one weight fit the registers: 32 of AVX-512 and NEON, 16 of the others.
#if ESPALIER_VECTOR_BYTES == 64
#define REGISTER_LINES 8
#elif ESPALIER_VECTOR_BYTES == 32 || defined(__aarch64__)
#define REGISTER_LINES 6
#else
#define REGISTER_LINES 3
#endif

static size_t ESPALIER_NAME(sparse_register_lines)(void) { return REGISTER_LINES; }

// Four weights, in every quarter of a register, from which each is repeated: loads of their own would compete with those
// of the slices. The compiler must not see through this, for it would make loads of it.
ESPALIER_INLINE FLOATS ESPALIER_NAME(sparse_four_weights)(const float *weights) {
#if ESPALIER_VECTOR_BYTES == 64
    FLOATS four = (FLOATS)_mm512_broadcast_f32x4(_mm_loadu_ps(weights));
    __asm__("" : "+v"(four));
#elif ESPALIER_VECTOR_BYTES == 32
    FLOATS four = (FLOATS)_mm256_broadcast_ps((const __m128 *)weights);
    __asm__("" : "+x"(four));
#else
    FLOATS four = ESPALIER_NAME(load)(weights);
#endif
    return four;
}

#if ESPALIER_VECTOR_BYTES == 64
#define WEIGHT(four, which) ((FLOATS)_mm512_permute_ps((__m512)(four), (which) * 0x55))
#elif ESPALIER_VECTOR_BYTES == 32
#define WEIGHT(four, which) ((FLOATS)_mm256_permute_ps((__m256)(four), (which) * 0x55))
#else
#define WEIGHT(four, which) __builtin_shufflevector(four, four, which, which, which, which)
#endif

// Adds one nonzero's multiple of its slice.
ESPALIER_INLINE void ESPALIER_NAME(sparse_step)(
    FLOATS *sum, const char *slice, FLOATS weight, const size_t vectors) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; ++v) {
        sum[v] += ESPALIER_NAME(load_aligned)(slice + v * ESPALIER_VECTOR_BYTES) * weight;
    }
}

// Ends the sums of a row.
ESPALIER_INLINE void ESPALIER_NAME(sparse_write)(
    const espalier_sparse_sums *sums, const FLOATS *sum, size_t row, const size_t vectors) {
    float *output = sums->output + row * sums->pitch;
    const float *residual = sums->residual ? sums->residual + row * sums->pitch : NULL;
    const FLOATS low = (FLOATS){0} + sums->low;
    const FLOATS high = (FLOATS){0} + sums->high;
    const size_t full = sums->columns / LANES;
    const size_t rest = sums->columns % LANES;
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; ++v) {
        FLOATS result = sum[v];
        if (v < full) {
            if (residual) result += ESPALIER_NAME(load)(residual + v * LANES);
            ESPALIER_NAME(store)(ESPALIER_NAME(clip)(result, low, high), output + v * LANES);
        } else if (v == full && rest) {
            if (residual) result += ESPALIER_NAME(load_some)(residual + v * LANES, rest);
            ESPALIER_NAME(store_some)(ESPALIER_NAME(clip)(result, low, high), output + v * LANES, rest);
        }
    }
}

ESPALIER_INLINE void ESPALIER_NAME(sparse_add_lines)(const espalier_sparse_sums *sums, const size_t lines) {
    const size_t vectors = lines * LINE_VECTORS;
    const char *tile = sums->tile;
    const uint16_t *rows = sums->rows;
    const uint16_t *offsets = sums->offsets;
    const float *weights = sums->weights;
    for (size_t run = 0; run < sums->run_count; ++run) {
        const size_t nonzeros = sums->runs[run].nonzeros;
        const uint16_t *end = rows + sums->runs[run].rows;
        for (; rows < end; ++rows) {
            const size_t row = *rows;
            float *partial = sums->partial + row * sums->partial_pitch;
            FLOATS sum[REGISTER_LINES * LINE_VECTORS];
            if (sums->begin) {
                const FLOATS first = (FLOATS){0} + (sums->bias ? sums->bias[row] : 0);
#pragma clang loop unroll(full)
                for (size_t v = 0; v < vectors; ++v) sum[v] = first;
            } else {
#pragma clang loop unroll(full)
                for (size_t v = 0; v < vectors; ++v) {
                    sum[v] = ESPALIER_NAME(load_aligned)(partial + v * LANES);
                }
            }
            size_t left = nonzeros;
            for (; left >= 4; left -= 4, offsets += 4, weights += 4) {
                const FLOATS four = ESPALIER_NAME(sparse_four_weights)(weights);
                ESPALIER_NAME(sparse_step)(sum, tile + offsets[0], WEIGHT(four, 0), vectors);
                ESPALIER_NAME(sparse_step)(sum, tile + offsets[1], WEIGHT(four, 1), vectors);
                ESPALIER_NAME(sparse_step)(sum, tile + offsets[2], WEIGHT(four, 2), vectors);
                ESPALIER_NAME(sparse_step)(sum, tile + offsets[3], WEIGHT(four, 3), vectors);
            }
            if (left) {
                const FLOATS four = ESPALIER_NAME(sparse_four_weights)(weights);
                ESPALIER_NAME(sparse_step)(sum, tile + offsets[0], WEIGHT(four, 0), vectors);
                if (left > 1) ESPALIER_NAME(sparse_step)(sum, tile + offsets[1], WEIGHT(four, 1), vectors);
                if (left > 2) ESPALIER_NAME(sparse_step)(sum, tile + offsets[2], WEIGHT(four, 2), vectors);
                offsets += left;
                weights += left;
            }
            if (sums->output) {
                ESPALIER_NAME(sparse_write)(sums, sum, row, vectors);
            } else {
#pragma clang loop unroll(full)
                for (size_t v = 0; v < vectors; ++v) {
                    ESPALIER_NAME(store_aligned)(sum[v], partial + v * LANES);
                }
            }
        }
    }
}

#define LINES(lines)                                                                                      \
    static void ESPALIER_NAME(ESPALIER_JOIN(sparse_add, lines))(const espalier_sparse_sums *sums) {       \
        ESPALIER_NAME(sparse_add_lines)(sums, lines);                                                     \
    }
LINES(1)
LINES(2)
LINES(3)
#if REGISTER_LINES > 3
LINES(4)
LINES(5)
LINES(6)
#endif
#if REGISTER_LINES > 6
LINES(7)
LINES(8)
#endif
#undef LINES

static void ESPALIER_NAME(sparse_add)(const espalier_sparse_sums *sums) {
#define CASE(lines) \
    case lines: ESPALIER_NAME(ESPALIER_JOIN(sparse_add, lines))(sums); break;
    switch (sums->lines) {
        CASE(1) CASE(2) CASE(3)
#if REGISTER_LINES > 3
        CASE(4) CASE(5) CASE(6)
#endif
#if REGISTER_LINES > 6
        CASE(7) CASE(8)
#endif
    }
#undef CASE
}

#undef WEIGHT
#undef REGISTER_LINES
#undef LINE_VECTORS
#include "sparse_vectors_end.h"
