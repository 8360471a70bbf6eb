// Transposing four by four floats in registers that every instruction set has; see each_isa.h.

#define FOUR ESPALIER_NAME(sparse_four)

typedef float FOUR __attribute__((vector_size(16)));

ESPALIER_INLINE FOUR ESPALIER_NAME(load_four)(const float *from) {
    FOUR values;
    memcpy(&values, from, sizeof values);
    return values;
}

ESPALIER_INLINE void ESPALIER_NAME(store_four)(FOUR values, float *to) { memcpy(to, &values, sizeof values); }

ESPALIER_INLINE void ESPALIER_NAME(transpose_four)(FOUR *rows) {
    const FOUR a = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5);
    const FOUR b = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7);
    const FOUR c = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5);
    const FOUR d = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
    rows[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    rows[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    rows[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    rows[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}
