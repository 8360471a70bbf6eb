// Copies of ESPALIER_SPARSE_MOVE floats; see each_isa.h. Half a line, since cores write unaligned lines in two
// parts anyway.

#define EIGHT ESPALIER_NAME(sparse_eight)

typedef float EIGHT __attribute__((vector_size(ESPALIER_SPARSE_MOVE * sizeof(float))));

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
