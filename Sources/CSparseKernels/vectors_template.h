// Registers of floats, as templates use them; see each_isa.h. To be ended by vectors_end.h. The .c file includes
// string.h and, on x86, immintrin.h.

#define LANES (ESPALIER_VECTOR_BYTES / sizeof(float))
#define FLOATS ESPALIER_NAME(floats)
#define INTS ESPALIER_NAME(ints)

typedef float FLOATS __attribute__((vector_size(ESPALIER_VECTOR_BYTES)));
typedef int32_t INTS __attribute__((vector_size(ESPALIER_VECTOR_BYTES)));

ESPALIER_INLINE FLOATS ESPALIER_NAME(load)(const float *from) {
    FLOATS values;
    memcpy(&values, from, sizeof values);
    return values;
}

ESPALIER_INLINE FLOATS ESPALIER_NAME(load_aligned)(const void *from) {
    FLOATS values;
    memcpy(&values, __builtin_assume_aligned(from, sizeof values), sizeof values);
    return values;
}

ESPALIER_INLINE void ESPALIER_NAME(store)(FLOATS values, float *to) { memcpy(to, &values, sizeof values); }

ESPALIER_INLINE void ESPALIER_NAME(store_aligned)(FLOATS values, void *to) {
    memcpy(__builtin_assume_aligned(to, sizeof values), &values, sizeof values);
}

// The first `count` lanes from memory, fewer than all, the others 0.
ESPALIER_INLINE FLOATS ESPALIER_NAME(load_some)(const float *from, size_t count) {
#if ESPALIER_VECTOR_BYTES == 64
    return (FLOATS)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
#else
    FLOATS values = {0};
    for (size_t lane = 0; lane < count; ++lane) values[lane] = from[lane];
    return values;
#endif
}

ESPALIER_INLINE void ESPALIER_NAME(store_some)(FLOATS values, float *to, size_t count) {
#if ESPALIER_VECTOR_BYTES == 64
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)values);
#else
    for (size_t lane = 0; lane < count; ++lane) to[lane] = values[lane];
#endif
}

// The first `count` lanes, or all if there are more.
ESPALIER_INLINE FLOATS ESPALIER_NAME(load_up_to)(const float *from, size_t count) {
    return count >= LANES ? ESPALIER_NAME(load)(from) : ESPALIER_NAME(load_some)(from, count);
}

ESPALIER_INLINE void ESPALIER_NAME(store_up_to)(FLOATS values, float *to, size_t count) {
    if (count >= LANES) ESPALIER_NAME(store)(values, to);
    else ESPALIER_NAME(store_some)(values, to, count);
}

// Not-a-number is neither above nor below and stays.
ESPALIER_INLINE FLOATS ESPALIER_NAME(clip)(FLOATS values, FLOATS low, FLOATS high) {
#if ESPALIER_VECTOR_BYTES == 64
    return (FLOATS)_mm512_max_ps((__m512)low, _mm512_min_ps((__m512)high, (__m512)values));
#else
    const INTS above = values > high;
    values = (FLOATS)(((INTS)high & above) | ((INTS)values & ~above));
    const INTS below = values < low;
    return (FLOATS)(((INTS)low & below) | ((INTS)values & ~below));
#endif
}
