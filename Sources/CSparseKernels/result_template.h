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
ESPALIER_INLINE FLOATS ESPALIER_NAME(clip)(FLOATS x, float lower, float upper) {
    const FLOATS low = (FLOATS){0} + lower, high = (FLOATS){0} + upper;
    x = ESPALIER_NAME(select)(x < low, low, x);
    return ESPALIER_NAME(select)(x > high, high, x);
}

// The error function within 4e-7: z times the quotient of two polynomials in z^2, fitted to least relative error up to
// 3.92, from where on float32 knows no number between it and 1.
ESPALIER_INLINE FLOATS ESPALIER_NAME(error_function)(FLOATS z) {
    z = ESPALIER_NAME(clip)(z, -3.92f, 3.92f);
    const FLOATS t = z * z;
    FLOATS above = (FLOATS){0} + 2.05011133e-06f;
    above = above * t + 2.84882582e-04f;
    above = above * t + 3.76556255e-03f;
    above = above * t + 5.27485535e-02f;
    above = above * t + 1.90405041e-01f;
    above = above * t + 1.12837911f;
    FLOATS below = (FLOATS){0} + 3.80919591e-05f;
    below = below * t + 1.16252445e-03f;
    below = below * t + 1.49691049e-02f;
    below = below * t + 1.14108540e-01f;
    below = below * t + 5.02074838e-01f;
    below = below * t + 1;
    return ESPALIER_NAME(clip)(z * above / below, -1, 1);
}

ESPALIER_INLINE FLOATS ESPALIER_NAME(activate)(FLOATS x, const espalier_activation *activation) {
    switch (activation->function) {
        case ESPALIER_ACTIVATION_NONE: return x;
        case ESPALIER_ACTIVATION_RELU: return (FLOATS)((INTS)x & ~(x < 0));
        case ESPALIER_ACTIVATION_CLIP: return ESPALIER_NAME(clip)(x, activation->lower, activation->upper);
        case ESPALIER_ACTIVATION_HARD_SWISH:
            return x * ESPALIER_NAME(clip)(x * (1.0f / 6) + 0.5f, 0, 1);
        case ESPALIER_ACTIVATION_GELU:
            return x * 0.5f * (1 + ESPALIER_NAME(error_function)(x * 0.70710678f));
    }
    return x;
}

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
