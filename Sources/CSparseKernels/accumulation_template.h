// The loops of accumulation.c, which the compiler vectorises; see each_isa.h.

static void ESPALIER_NAME(add)(const float *restrict source, float *restrict target, size_t count) {
    for (size_t i = 0; i < count; ++i) target[i] += source[i];
}

static void ESPALIER_NAME(add_squares)(const float *restrict source, float *restrict target, size_t count) {
    for (size_t i = 0; i < count; ++i) target[i] += source[i] * source[i];
}

static void ESPALIER_NAME(square)(const float *restrict source, float *restrict target, size_t count) {
    for (size_t i = 0; i < count; ++i) target[i] = source[i] * source[i];
}
