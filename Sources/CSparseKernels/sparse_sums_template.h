// The inner loop of sparse products; see each_isa.h. The number of lines is a constant wherever the code is
// inlined, so that the sums stay in registers. Of the last line the upper half may be left out.

#include "vectors_template.h"

// The lines whose sums and one weight fit the registers: 32 of AVX-512 and NEON, 16 of the others.
#if ESPALIER_VECTOR_BYTES == 64
#define REGISTER_LINES 8
#elif ESPALIER_VECTOR_BYTES == 32 || defined(__aarch64__)
#define REGISTER_LINES 6
#else
#define REGISTER_LINES 3
#endif

// The registers of a tile's row: those which are full, and where a register is a whole line, one for half of
// it.
#define HALF_BYTES (ESPALIER_LINE_BYTES / 2)
#define VECTORS(lines, half) \
    (((lines) * ESPALIER_LINE_BYTES - ((half) ? HALF_BYTES : 0)) / ESPALIER_VECTOR_BYTES)
#define HAS_HALF(half) ((half) && ESPALIER_VECTOR_BYTES == ESPALIER_LINE_BYTES)
#define SUMS ESPALIER_NAME(sparse_row_sums)
#define HALF ESPALIER_NAME(sparse_half)

typedef float HALF __attribute__((vector_size(HALF_BYTES)));

typedef struct {
    FLOATS full[VECTORS(REGISTER_LINES, false)];
    HALF half;
} SUMS;

static size_t ESPALIER_NAME(sparse_register_lines)(void) { return REGISTER_LINES; }

ESPALIER_INLINE void ESPALIER_NAME(load_half)(const void *from, HALF *to) {
    memcpy(to, __builtin_assume_aligned(from, sizeof *to), sizeof *to);
}

// MARK: Weights

// Four weights, in every quarter of a register, from which each is repeated: loads of their own would compete
// with those of the slices. The compiler must not see through this, for it would make loads of it.
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
#define LOWER(vector) ((HALF)_mm512_castps512_ps256((__m512)(vector)))
#define WIDENED(half) ((FLOATS)_mm512_castps256_ps512((__m256)(half)))
#elif ESPALIER_VECTOR_BYTES == 32
#define WEIGHT(four, which) ((FLOATS)_mm256_permute_ps((__m256)(four), (which) * 0x55))
#else
#define WEIGHT(four, which) __builtin_shufflevector(four, four, which, which, which, which)
#endif

// Adds one nonzero's multiple of its slice.
ESPALIER_INLINE void ESPALIER_NAME(sparse_step)(
    SUMS *sum, const char *slice, FLOATS weight, const size_t lines, const bool half) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < VECTORS(lines, half); ++v) {
        sum->full[v] += ESPALIER_NAME(load_aligned)(slice + v * ESPALIER_VECTOR_BYTES) * weight;
    }
#if ESPALIER_VECTOR_BYTES == 64
    if (half) {
        HALF values;
        ESPALIER_NAME(load_half)(slice + VECTORS(lines, half) * ESPALIER_VECTOR_BYTES, &values);
        sum->half += values * LOWER(weight);
    }
#endif
}

// MARK: Beginning and ending sums

ESPALIER_INLINE void ESPALIER_NAME(sparse_begin)(SUMS *sum, float first, const size_t lines, const bool half) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < VECTORS(lines, half); ++v) sum->full[v] = (FLOATS){0} + first;
    if (HAS_HALF(half)) sum->half = (HALF){0} + first;
}

ESPALIER_INLINE void ESPALIER_NAME(sparse_resume)(
    SUMS *sum, const float *partial, const size_t lines, const bool half) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < VECTORS(lines, half); ++v) {
        sum->full[v] = ESPALIER_NAME(load_aligned)(partial + v * LANES);
    }
    if (HAS_HALF(half)) ESPALIER_NAME(load_half)(partial + VECTORS(lines, half) * LANES, &sum->half);
}

ESPALIER_INLINE void ESPALIER_NAME(sparse_suspend)(
    const SUMS *sum, float *partial, const size_t lines, const bool half) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < VECTORS(lines, half); ++v) {
        ESPALIER_NAME(store_aligned)(sum->full[v], partial + v * LANES);
    }
    if (HAS_HALF(half)) memcpy(partial + VECTORS(lines, half) * LANES, &sum->half, sizeof sum->half);
}

ESPALIER_INLINE void ESPALIER_NAME(sparse_write)(
    const espalier_sparse_sums *sums, const SUMS *sum, size_t row, const size_t lines, const bool half) {
    float *output = sums->output + row * sums->pitch;
    const float *residual = sums->residual ? sums->residual + row * sums->pitch : NULL;
    const FLOATS low = (FLOATS){0} + sums->low;
    const FLOATS high = (FLOATS){0} + sums->high;
    const size_t full = sums->columns / LANES;
    const size_t rest = sums->columns % LANES;
#pragma clang loop unroll(full)
    for (size_t v = 0; v < VECTORS(lines, half); ++v) {
        FLOATS result = sum->full[v];
        if (v < full) {
            if (residual) result += ESPALIER_NAME(load)(residual + v * LANES);
            ESPALIER_NAME(store)(ESPALIER_NAME(clip)(result, low, high), output + v * LANES);
        } else if (v == full && rest) {
            if (residual) result += ESPALIER_NAME(load_some)(residual + v * LANES, rest);
            ESPALIER_NAME(store_some)(ESPALIER_NAME(clip)(result, low, high), output + v * LANES, rest);
        }
    }
#if ESPALIER_VECTOR_BYTES == 64
    if (half) {
        FLOATS result = WIDENED(sum->half);
        if (residual) result += ESPALIER_NAME(load_some)(residual + full * LANES, rest);
        ESPALIER_NAME(store_some)(ESPALIER_NAME(clip)(result, low, high), output + full * LANES, rest);
    }
#endif
}

// MARK: All rows

ESPALIER_INLINE void ESPALIER_NAME(sparse_add_lines)(
    const espalier_sparse_sums *sums, const size_t lines, const bool half) {
    const char *tile = (const char *)sums->tile;
    const size_t slice_bytes = sums->slice_pitch * sizeof(float);
    const uint16_t *rows = sums->rows;
    const uint16_t *slices = sums->slices;
    const float *weights = sums->weights;
#define STEP(which)                                                                                    \
    ESPALIER_NAME(sparse_step)(&sum, tile + slices[which] * slice_bytes, WEIGHT(four, which), lines, half)
    for (size_t run = 0; run < sums->run_count; ++run) {
        const size_t nonzeros = sums->runs[run].nonzeros;
        const uint16_t *end = rows + sums->runs[run].rows;
        for (; rows < end; ++rows) {
            const size_t row = *rows;
            float *partial = sums->partial + row * sums->partial_pitch;
            SUMS sum;
            if (sums->begin) {
                ESPALIER_NAME(sparse_begin)(&sum, sums->bias ? sums->bias[row] : 0, lines, half);
            } else {
                ESPALIER_NAME(sparse_resume)(&sum, partial, lines, half);
            }
            size_t left = nonzeros;
            for (; left >= 4; left -= 4, slices += 4, weights += 4) {
                const FLOATS four = ESPALIER_NAME(sparse_four_weights)(weights);
                STEP(0);
                STEP(1);
                STEP(2);
                STEP(3);
            }
            if (left) {
                const FLOATS four = ESPALIER_NAME(sparse_four_weights)(weights);
                STEP(0);
                if (left > 1) STEP(1);
                if (left > 2) STEP(2);
                slices += left;
                weights += left;
            }
            if (sums->output) {
                ESPALIER_NAME(sparse_write)(sums, &sum, row, lines, half);
            } else {
                ESPALIER_NAME(sparse_suspend)(&sum, partial, lines, half);
            }
        }
    }
#undef STEP
}

#define LINES(lines)                                                                                   \
    static void ESPALIER_NAME(ESPALIER_JOIN(sparse_add, lines))(const espalier_sparse_sums *sums) {    \
        ESPALIER_NAME(sparse_add_lines)(sums, lines, false);                                           \
    }                                                                                                  \
    static void ESPALIER_NAME(ESPALIER_JOIN(sparse_add_half, lines))(const espalier_sparse_sums *sums) { \
        ESPALIER_NAME(sparse_add_lines)(sums, lines, true);                                            \
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
    const bool half = sums->columns + ESPALIER_LINE / 2 <= sums->lines * ESPALIER_LINE;
#define CASE(lines)                                                     \
    case lines:                                                         \
        if (half) {                                                     \
            ESPALIER_NAME(ESPALIER_JOIN(sparse_add_half, lines))(sums); \
        } else {                                                        \
            ESPALIER_NAME(ESPALIER_JOIN(sparse_add, lines))(sums);      \
        }                                                               \
        break;
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

#undef WIDENED
#undef LOWER
#undef WEIGHT
#undef HALF
#undef SUMS
#undef HAS_HALF
#undef VECTORS
#undef HALF_BYTES
#undef REGISTER_LINES
#include "vectors_end.h"
