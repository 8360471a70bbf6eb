// Eight floats, in however many registers they take, and transposing eight by eight of them; see each_isa.h. Half a
// line, since cores write unaligned lines in two parts anyway. To be ended by eights_end.h.

#define EIGHT ESPALIER_NAME(eight)

typedef float EIGHT __attribute__((vector_size(8 * sizeof(float))));

#define TRANSPOSE ESPALIER_NAME(transpose_eights)
#define ROW EIGHT
// Halves of both in turn: the first halves of each four, or the second.
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
// Likewise of pairs, and of fours.
#define LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define LOW_FOURS(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define HIGH_FOURS(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)
#include "eights_rows_template.h"

#if ESPALIER_VECTOR_BYTES == 64

// Two blocks of eight by eight, side by side in registers.
#define SIXTEEN ESPALIER_NAME(sixteen)

typedef float SIXTEEN __attribute__((vector_size(16 * sizeof(float))));

#define TRANSPOSE ESPALIER_NAME(transpose_two_eights)
#define ROW SIXTEEN
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define LOW_FOURS(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27)
#define HIGH_FOURS(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31)
#include "eights_rows_template.h"

#endif
