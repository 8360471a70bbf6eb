// The loops of batch_norm.c, which the compiler vectorises; see each_isa.h.

static void ESPALIER_NAME(sums)(
    const float *restrict source, row_lines lines, const float *restrict origin, float *restrict plain,
    float *restrict squares) {
    memset(plain, 0, lines.length * sizeof *plain);
    memset(squares, 0, lines.length * sizeof *squares);
    for (size_t line = 0; line < lines.count; ++line) {
        const size_t length = length_of(&lines, line);
        const float *restrict x = source + line * lines.pitch;
        for (size_t i = 0; i < length; ++i) {
            const float centred = x[i] - origin[i];
            plain[i] += centred;
            squares[i] += centred * centred;
        }
    }
}

static void ESPALIER_NAME(apply)(
    const float *restrict source, row_lines lines, const float *restrict origin, const float *restrict scale,
    const float *restrict shift, float *restrict result) {
    for (size_t line = 0; line < lines.count; ++line) {
        const size_t length = length_of(&lines, line);
        const float *restrict x = source + line * lines.pitch;
        float *restrict y = result + line * lines.pitch;
        for (size_t i = 0; i < length; ++i) y[i] = (x[i] - origin[i]) * scale[i] + shift[i];
    }
}

static void ESPALIER_NAME(gradient_sums)(
    const float *restrict source, const float *restrict gradient, row_lines lines, const float *restrict origin,
    float *restrict plain, float *restrict products) {
    memset(plain, 0, lines.length * sizeof *plain);
    memset(products, 0, lines.length * sizeof *products);
    for (size_t line = 0; line < lines.count; ++line) {
        const size_t length = length_of(&lines, line);
        const float *restrict x = source + line * lines.pitch;
        const float *restrict g = gradient + line * lines.pitch;
        for (size_t i = 0; i < length; ++i) {
            plain[i] += g[i];
            products[i] += g[i] * (x[i] - origin[i]);
        }
    }
}

static void ESPALIER_NAME(gradient)(
    const float *restrict source, const float *restrict gradient, row_lines lines, const float *restrict origin,
    const float *restrict gradient_origin, const float *restrict scale, const float *restrict slope,
    float *restrict result) {
    for (size_t line = 0; line < lines.count; ++line) {
        const size_t length = length_of(&lines, line);
        const float *restrict x = source + line * lines.pitch;
        const float *restrict g = gradient + line * lines.pitch;
        float *restrict y = result + line * lines.pitch;
        for (size_t i = 0; i < length; ++i) {
            y[i] = (g[i] - gradient_origin[i]) * scale[i] + (x[i] - origin[i]) * slope[i];
        }
    }
}
