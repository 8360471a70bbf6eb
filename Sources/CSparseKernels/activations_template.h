// Activations of registers of floats: part of templates, which define FLOATS and clip before. See each_isa.h.

// The error function within 1.6e-7, three units in the last place. Up to 1, z plus z times a polynomial in z^2; from
// there on, 1 less the eighth power of a polynomial, since the eighth root of what is missing to 1 bends little. Both
// are fitted to least error of the result, up to 3.92, from where on float32 knows no number between it and 1.
ESPALIER_INLINE FLOATS ESPALIER_NAME(error_function)(FLOATS z) {
    const FLOATS t = z * z;
    FLOATS near = (FLOATS){0} - 5.63142763e-04f;
    near = near * t + 4.91755316e-03f;
    near = near * t - 2.67113131e-02f;
    near = near * t + 1.12801805e-01f;
    near = near * t - 3.76123250e-01f;
    near = near * t + 1.28379121e-01f;
    near = z * near + z;
    const INTS sign = (INTS)z & INT32_MIN;
    const FLOATS size = ESPALIER_NAME(clip)((FLOATS)((INTS)z ^ sign), (FLOATS){0}, (FLOATS){0} + 3.92f);
    FLOATS root = (FLOATS){0} + 1.49848274e-04f;
    root = root * size - 2.46972125e-03f;
    root = root * size + 1.29258251e-02f;
    root = root * size - 1.13734817e-02f;
    root = root * size - 6.14264309e-02f;
    root = root * size - 1.45060539e-01f;
    root = root * size + 1.00083470e+00f;
    root *= root;
    root *= root;
    const FLOATS far = 1 - root * root;
    const INTS is_near = size < 1;
    return (FLOATS)(((INTS)near & is_near) | (((INTS)far | sign) & ~is_near));
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
