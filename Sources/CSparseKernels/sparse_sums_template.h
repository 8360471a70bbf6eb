// The inner loop of sparse products; see each_isa.h. The number of lines is a constant wherever the code is
// inlined, so that the sums stay in registers. Of the last line the upper half may be left out.

#include "vectors_template.h"

// The lines whose sums and one weight fit the registers: 32 of AVX-512 and NEON, 16 of the others. And those whose
// sums for a band's rows do, with the band's weights.
#if ESPALIER_VECTOR_BYTES == 64
#define REGISTER_LINES 8
#define BAND_LINES 6
#elif ESPALIER_VECTOR_BYTES == 32 || defined(__aarch64__)
#define REGISTER_LINES 6
#define BAND_LINES 1
#else
#define REGISTER_LINES 3
#define BAND_LINES 1
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

static size_t ESPALIER_NAME(sparse_register_lines)(bool band) {
    return band ? BAND_LINES : REGISTER_LINES;
}

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

// Adds the multiples of some slices to the sums of those rows of a band that `subset` has, from which the weights are.
ESPALIER_INLINE void ESPALIER_NAME(sparse_add_subset)(
    SUMS sums[ESPALIER_SPARSE_BAND], const char *tile, size_t slice_bytes, const uint16_t **slices, size_t count,
    const float **weights, const unsigned subset, const size_t lines, const bool half) {
    const uint16_t *end = *slices + count;
    for (; *slices < end; ++*slices) {
        const char *slice = tile + **slices * slice_bytes;
        float weight[ESPALIER_SPARSE_BAND];
#pragma clang loop unroll(full)
        for (size_t row = 0; row < ESPALIER_SPARSE_BAND; ++row) {
            if (subset >> row & 1) weight[row] = *(*weights)++;
        }
#pragma clang loop unroll(full)
        for (size_t v = 0; v < VECTORS(lines, half); ++v) {
            const FLOATS values = ESPALIER_NAME(load_aligned)(slice + v * ESPALIER_VECTOR_BYTES);
#pragma clang loop unroll(full)
            for (size_t row = 0; row < ESPALIER_SPARSE_BAND; ++row) {
                if (subset >> row & 1) sums[row].full[v] += values * weight[row];
            }
        }
#if ESPALIER_VECTOR_BYTES == 64
        if (half) {
            HALF values;
            ESPALIER_NAME(load_half)(slice + VECTORS(lines, half) * ESPALIER_VECTOR_BYTES, &values);
#pragma clang loop unroll(full)
            for (size_t row = 0; row < ESPALIER_SPARSE_BAND; ++row) {
                if (subset >> row & 1) sums[row].half += values * weight[row];
            }
        }
#endif
    }
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

// The sums of a row as they were left, or its bias.
ESPALIER_INLINE void ESPALIER_NAME(sparse_enter)(
    const espalier_sparse_sums *sums, SUMS *sum, size_t row, const float *partial, const size_t lines,
    const bool half) {
    if (sums->begin) {
        ESPALIER_NAME(sparse_begin)(sum, sums->bias ? sums->bias[row] : 0, lines, half);
    } else {
        ESPALIER_NAME(sparse_resume)(sum, partial, lines, half);
    }
}

ESPALIER_INLINE void ESPALIER_NAME(sparse_leave)(
    const espalier_sparse_sums *sums, const SUMS *sum, size_t row, float *partial, const size_t lines,
    const bool half) {
    if (sums->output) {
        ESPALIER_NAME(sparse_write)(sums, sum, row, lines, half);
    } else {
        ESPALIER_NAME(sparse_suspend)(sum, partial, lines, half);
    }
}

// MARK: All rows

ESPALIER_INLINE void ESPALIER_NAME(sparse_add_bands)(
    const espalier_sparse_sums *sums, const size_t lines, const bool half) {
    const char *tile = (const char *)sums->tile;
    const size_t slice_bytes = sums->slice_pitch * sizeof(float);
    const uint16_t *slices = sums->slices;
    const float *weights = sums->weights;
    for (size_t unit = 0; unit < sums->band_count; ++unit) {
        const size_t row = sums->rows[unit];
        float *partial = sums->partial + row * sums->partial_pitch;
        SUMS band[ESPALIER_SPARSE_BAND];
#pragma clang loop unroll(full)
        for (size_t i = 0; i < ESPALIER_SPARSE_BAND; ++i) {
            ESPALIER_NAME(sparse_enter)(sums, band + i, row + i, partial + i * sums->partial_pitch, lines, half);
        }
        const uint16_t *met = sums->subsets[unit].slices;
#define SUBSET(s) \
    ESPALIER_NAME(sparse_add_subset)(band, tile, slice_bytes, &slices, met[s], &weights, s, lines, half);
        SUBSET(15) SUBSET(14) SUBSET(13) SUBSET(12) SUBSET(11) SUBSET(10) SUBSET(9) SUBSET(8)
        SUBSET(7) SUBSET(6) SUBSET(5) SUBSET(4) SUBSET(3) SUBSET(2) SUBSET(1)
#undef SUBSET
#pragma clang loop unroll(full)
        for (size_t i = 0; i < ESPALIER_SPARSE_BAND; ++i) {
            ESPALIER_NAME(sparse_leave)(sums, band + i, row + i, partial + i * sums->partial_pitch, lines, half);
        }
    }
}

ESPALIER_INLINE void ESPALIER_NAME(sparse_add_rows)(
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
            ESPALIER_NAME(sparse_enter)(sums, &sum, row, partial, lines, half);
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
            ESPALIER_NAME(sparse_leave)(sums, &sum, row, partial, lines, half);
        }
    }
#undef STEP
}

// An instance of either kind of unit, for each number of lines.
#define INSTANCE(name, add, lines, half)                                                   \
    static void ESPALIER_NAME(ESPALIER_JOIN(name, lines))(const espalier_sparse_sums *sums) { \
        ESPALIER_NAME(add)(sums, lines, half);                                             \
    }
#define LINES(lines)                                            \
    INSTANCE(sparse_rows, sparse_add_rows, lines, false)        \
    INSTANCE(sparse_rows_half, sparse_add_rows, lines, true)
#define BANDS(lines)                                            \
    INSTANCE(sparse_bands, sparse_add_bands, lines, false)      \
    INSTANCE(sparse_bands_half, sparse_add_bands, lines, true)
LINES(1)
LINES(2)
LINES(3)
BANDS(1)
#if REGISTER_LINES > 3
LINES(4)
LINES(5)
LINES(6)
#endif
#if REGISTER_LINES > 6
LINES(7)
LINES(8)
#endif
#if BAND_LINES > 1
BANDS(2)
BANDS(3)
BANDS(4)
BANDS(5)
BANDS(6)
#endif
#undef BANDS
#undef LINES
#undef INSTANCE

#define CASE(units, lines)                                                     \
    case lines:                                                                \
        if (half) {                                                            \
            ESPALIER_NAME(ESPALIER_JOIN(sparse_##units##_half, lines))(sums);  \
        } else {                                                               \
            ESPALIER_NAME(ESPALIER_JOIN(sparse_##units, lines))(sums);         \
        }                                                                      \
        break;

static void ESPALIER_NAME(sparse_add)(const espalier_sparse_sums *sums) {
    const bool half = sums->columns + ESPALIER_LINE / 2 <= sums->lines * ESPALIER_LINE;
    if (sums->band_count > 0) {
        switch (sums->lines) {
            CASE(bands, 1)
#if BAND_LINES > 1
            CASE(bands, 2) CASE(bands, 3) CASE(bands, 4) CASE(bands, 5) CASE(bands, 6)
#endif
        }
        return;
    }
    switch (sums->lines) {
        CASE(rows, 1) CASE(rows, 2) CASE(rows, 3)
#if REGISTER_LINES > 3
        CASE(rows, 4) CASE(rows, 5) CASE(rows, 6)
#endif
#if REGISTER_LINES > 6
        CASE(rows, 7) CASE(rows, 8)
#endif
    }
}

#undef CASE
#undef WIDENED
#undef LOWER
#undef WEIGHT
#undef HALF
#undef SUMS
#undef HAS_HALF
#undef VECTORS
#undef HALF_BYTES
#undef BAND_LINES
#undef REGISTER_LINES
#include "vectors_end.h"
