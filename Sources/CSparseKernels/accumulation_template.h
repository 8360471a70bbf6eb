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

static void ESPALIER_NAME(add_widened)(const float *restrict source, double *restrict target, size_t count) {
    for (size_t i = 0; i < count; ++i) target[i] += (double)source[i];
}

static void ESPALIER_NAME(add_widened_squares)(const float *restrict source, double *restrict target, size_t count) {
    for (size_t i = 0; i < count; ++i) target[i] += (double)source[i] * (double)source[i];
}

static void ESPALIER_NAME(add_widened_magnitudes)(
    const float *restrict source, double *restrict target, size_t count) {
    for (size_t i = 0; i < count; ++i) target[i] += fabs((double)source[i]);
}

static void ESPALIER_NAME(add_widened_products)(
    const float *restrict left, const float *restrict right, double *restrict target, size_t count) {
    for (size_t i = 0; i < count; ++i) target[i] += (double)left[i] * (double)right[i];
}

static void ESPALIER_NAME(add_outer_products)(
    const float *restrict rows, size_t count, size_t stride, size_t size, double *restrict row,
    double *restrict target) {
    for (size_t r = 0; r < count; ++r) {
        const float *restrict source = rows + r * stride;
        for (size_t i = 0; i < size; ++i) row[i] = (double)source[i];
        for (size_t i = 0; i < size; ++i) {
            // Gradients of one sample are zero for whole neurons that did not fire.
            if (row[i] == 0) continue;
            const double factor = row[i];
            double *restrict line = target + i * size;
            for (size_t j = 0; j < size; ++j) line[j] += factor * row[j];
        }
    }
}
