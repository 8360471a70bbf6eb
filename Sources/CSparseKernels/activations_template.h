// Activations of registers of floats: part of templates, which define FLOATS and clip before. See each_isa.h.

// The error function within 4e-7: z times the quotient of two polynomials in z^2, fitted to least relative error up to
// 3.92, from where on float32 knows no number between it and 1.
ESPALIER_INLINE FLOATS ESPALIER_NAME(error_function)(FLOATS z) {
    z = ESPALIER_NAME(clip)(z, (FLOATS){0} - 3.92f, (FLOATS){0} + 3.92f);
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
    return ESPALIER_NAME(clip)(z * above / below, (FLOATS){0} - 1, (FLOATS){0} + 1);
}

ESPALIER_INLINE FLOATS ESPALIER_NAME(activate)(FLOATS x, const espalier_activation *activation) {
    switch (activation->function) {
        case ESPALIER_ACTIVATION_NONE: return x;
        case ESPALIER_ACTIVATION_RELU: return (FLOATS)((INTS)x & ~(x < 0));
        case ESPALIER_ACTIVATION_CLIP:
            return ESPALIER_NAME(clip)(x, (FLOATS){0} + activation->lower, (FLOATS){0} + activation->upper);
        case ESPALIER_ACTIVATION_HARD_SWISH:
            return x * ESPALIER_NAME(clip)(x * (1.0f / 6) + 0.5f, (FLOATS){0}, (FLOATS){0} + 1);
        case ESPALIER_ACTIVATION_GELU:
            return x * 0.5f * (1 + ESPALIER_NAME(error_function)(x * 0.70710678f));
    }
    return x;
}
