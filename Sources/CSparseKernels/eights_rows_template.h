// Transposing eight rows of type ROW by the shuffles of eights_template.h, which this ends.

ESPALIER_INLINE void TRANSPOSE(ROW *rows) {
    ROW halves[8], pairs[8];
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
#undef ROW
#undef TRANSPOSE
