// The sums of a tile of a depthwise convolution with a square kernel of constant extent; see each_isa.h. What includes it
// defines
//     SUMS                             the function's name,
//     VECTOR                           its registers,
//     SOURCE                           where activations are,
//     WINDOWS(source, row, tap, pair)  which loads the activations that the row's taps `tap` and `tap` + 1 find.

// Adds to `rows` neighbouring rows of the output, which share the rows of the input that they load.
ESPALIER_INLINE void SUMS(
    const SOURCE *source, const VECTOR *weights, VECTOR *sums, const size_t kernel, const size_t stride,
    const size_t rows) {
    // So many weights stay in registers; more than those of 3 x 3 do not.
    const size_t step = kernel == 3 ? kernel : 2;
#pragma clang loop unroll(full)
    for (size_t first = 0; first < kernel; first += step) {
#pragma clang loop unroll(full)
        for (size_t row = 0; row < (rows - 1) * stride + kernel; ++row) {
#pragma clang loop unroll(full)
            for (size_t tap = first; tap < first + step && tap < kernel; tap += 2) {
                VECTOR pair[2];
                WINDOWS(source, row, tap, pair);
#pragma clang loop unroll(full)
                for (size_t right = tap; right < tap + 2 && right < kernel; ++right) {
#pragma clang loop unroll(full)
                    for (size_t down = 0; down < kernel; ++down) {
                        if (row < down || (row - down) % stride > 0 || (row - down) / stride >= rows) continue;
                        sums[(row - down) / stride] += weights[down * kernel + right] * pair[right - tap];
                    }
                }
            }
        }
    }
}

#undef WINDOWS
#undef SUMS
