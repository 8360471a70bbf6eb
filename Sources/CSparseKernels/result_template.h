// How the kernels of sparse matrices end: scale, bias, residual and activation on results that lie in a row.
//
// Part of templates: each_isa.h compiles it with them.

#define LANES (ESPALIER_VECTOR_BYTES / sizeof(float))
#define FLOATS ESPALIER_NAME(result_floats)
#define INTS ESPALIER_NAME(result_ints)

typedef float FLOATS __attribute__((vector_size(ESPALIER_VECTOR_BYTES)));
typedef int32_t INTS __attribute__((vector_size(ESPALIER_VECTOR_BYTES)));

// Where the condition, -1 or 0, is -1, `yes`; elsewhere `no`.
ESPALIER_INLINE FLOATS ESPALIER_NAME(select)(INTS condition, FLOATS yes, FLOATS no) {
    return (FLOATS)(((INTS)yes & condition) | ((INTS)no & ~condition));
}

// Not-a-number is neither below nor above, and stays.
ESPALIER_INLINE FLOATS ESPALIER_NAME(clip)(FLOATS x, FLOATS low, FLOATS high) {
    x = ESPALIER_NAME(select)(x < low, low, x);
    return ESPALIER_NAME(select)(x > high, high, x);
}

#include "activations_template.h"

// `width` numbers, of which there are as many as lanes nearly always.
ESPALIER_INLINE FLOATS ESPALIER_NAME(load_result)(const float *from, size_t width) {
    FLOATS values = {0};
    if (width == LANES) memcpy(&values, from, sizeof values);
    else memcpy(&values, from, width * sizeof(float));
    return values;
}

// Sums to results: `count` of them from `first` on, of a row of Y. `scales` is NULL or there for each sum. The sums are
// readable to the end of the last register.
ESPALIER_INLINE void ESPALIER_NAME(write_results)(
    const float *sums, const float *scales, size_t count, const float *bias, const float *residual,
    const espalier_activation *activation, float *results) {
    for (size_t i = 0; i < count; i += LANES) {
        const size_t width = count - i < LANES ? count - i : LANES;
        FLOATS x = ESPALIER_NAME(load_result)(sums + i, LANES);
        if (scales) x *= ESPALIER_NAME(load_result)(scales + i, LANES);
        if (bias) x += ESPALIER_NAME(load_result)(bias + i, width);
        if (residual) x += ESPALIER_NAME(load_result)(residual + i, width);
        x = ESPALIER_NAME(activate)(x, activation);
        if (width == LANES) memcpy(results + i, &x, sizeof x);
        else memcpy(results + i, &x, width * sizeof(float));
    }
}

#undef INTS
#undef FLOATS
#undef LANES
