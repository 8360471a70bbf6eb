// Transposing eight by eight floats in registers; see each_isa.h. After sparse_moves_template.h.

// Halves of both in turn: the first halves of each four, or the second.
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
// Likewise of pairs, and of fours.
#define LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define LOW_FOURS(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define HIGH_FOURS(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

ESPALIER_INLINE void ESPALIER_NAME(sparse_transpose)(EIGHT *rows) {
    EIGHT halves[8], pairs[8];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 8; i += 2) {
        halves[i] = LOW(rows[i], rows[i + 1]);
        halves[i + 1] = HIGH(rows[i], rows[i + 1]);
    }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 8; i += 4) {
        pairs[i] = LOW_PAIRS(halves[i], halves[i + 2]);
        pairs[i + 1] = HIGH_PAIRS(halves[i], halves[i + 2]);
        pairs[i + 2] = LOW_PAIRS(halves[i + 1], halves[i + 3]);
        pairs[i + 3] = HIGH_PAIRS(halves[i + 1], halves[i + 3]);
    }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 4; ++i) {
        rows[i] = LOW_FOURS(pairs[i], pairs[i + 4]);
        rows[i + 4] = HIGH_FOURS(pairs[i], pairs[i + 4]);
    }
}

#undef HIGH_FOURS
#undef LOW_FOURS
#undef HIGH_PAIRS
#undef LOW_PAIRS
#undef HIGH
#undef LOW
