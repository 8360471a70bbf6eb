// Activations of registers of floats; see each_isa.h.

// exp(x) for x of -87 to 0, by the polynomial of the Cephes library (Moshier 1992).
ESPALIER_INLINE FLOATS ESPALIER_NAME(exponential)(FLOATS x) {
    // Adding 1.5 * 2^23 rounds to an integer, which then is in the lowest bits.
    const FLOATS magic = (FLOATS){0} + 12582912.0f;
    const FLOATS shifted = x * 1.44269504f + magic;
    const FLOATS exponent = shifted - magic;
    FLOATS rest = x - exponent * 0.693359375f;
    rest = rest + exponent * 2.12194440e-4f;
    FLOATS sum = rest * 1.9875691500e-4f + 1.3981999507e-3f;
    sum = sum * rest + 8.3334519073e-3f;
    sum = sum * rest + 4.1665795894e-2f;
    sum = sum * rest + 1.6666665459e-1f;
    sum = sum * rest + 5.0000001201e-1f;
    sum = sum * rest * rest + rest + 1.0f;
    // 2^exponent times it.
    return (FLOATS)((INTS)sum + ((INTS)shifted << 23));
}

// x/2 (1 + erf(x / sqrt 2)) by formula 7.1.26 of Abramowitz and Stegun (1964), whose error is below 1.5e-7.
ESPALIER_INLINE FLOATS ESPALIER_NAME(gelu)(FLOATS x) {
    const INTS sign = (INTS)x & (int32_t)0x80000000;
    const FLOATS z = (FLOATS)((INTS)x ^ sign) * 0.70710678f;
    const FLOATS t = 1.0f / (z * 0.3275911f + 1.0f);
    FLOATS sum = t * 1.061405429f - 1.453152027f;
    sum = sum * t + 1.421413741f;
    sum = sum * t - 0.284496736f;
    sum = sum * t + 0.254829592f;
    const FLOATS tail = ESPALIER_NAME(clip)(-z * z, (FLOATS){0} - 87.0f, (FLOATS){0});
    const FLOATS erf = 1.0f - sum * t * ESPALIER_NAME(exponential)(tail);
    return 0.5f * x * (1.0f + (FLOATS)((INTS)erf ^ sign));
}

ESPALIER_INLINE FLOATS ESPALIER_NAME(activate)(const espalier_sparse_epilogue *epilogue, FLOATS x) {
    switch (epilogue->activation) {
        case ESPALIER_ACTIVATION_CLIP:
            return ESPALIER_NAME(clip)(x, (FLOATS){0} + epilogue->low, (FLOATS){0} + epilogue->high);
        case ESPALIER_ACTIVATION_HARD_SWISH:
            return x * ESPALIER_NAME(clip)(x + 3.0f, (FLOATS){0}, (FLOATS){0} + 6.0f) * (1.0f / 6.0f);
        case ESPALIER_ACTIVATION_GELU:
            return ESPALIER_NAME(gelu)(x);
    }
    return x;
}
