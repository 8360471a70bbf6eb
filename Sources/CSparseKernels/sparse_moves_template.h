// Copies of ESPALIER_SPARSE_MOVE floats; see each_isa.h. After eights_template.h.

_Static_assert(sizeof(EIGHT) == ESPALIER_SPARSE_MOVE * sizeof(float), "a move is eight floats");

ESPALIER_INLINE void ESPALIER_NAME(sparse_move)(const float *from, float *to) {
    EIGHT values;
    memcpy(&values, from, sizeof values);
    memcpy(to, &values, sizeof values);
}

// Every second float, eight of them, from fifteen.
ESPALIER_INLINE void ESPALIER_NAME(sparse_move_even)(const float *from, float *to) {
    EIGHT low, high;
    memcpy(&low, from, sizeof low);
    memcpy(&high, from + 7, sizeof high);
    const EIGHT values = __builtin_shufflevector(low, high, 0, 2, 4, 6, 9, 11, 13, 15);
    memcpy(to, &values, sizeof values);
}
