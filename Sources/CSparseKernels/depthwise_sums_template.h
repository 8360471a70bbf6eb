// The sums of a tile of a depthwise convolution with a square kernel of constant extent; see each_isa.h. What includes it
// defines
//     SUMS    the function's name,
//     VECTOR  its registers,
//     SOURCE  where activations are,
//     WINDOWS(source, row, first, step, group)  which loads the activations that `step` taps of a row find, from the first on,
//                                               or fewer where the kernel ends.

// Adds to `rows` neighbouring rows of the output, which share the rows of the input that they load. The registers of
// weights are those of 3 x 3; of larger kernels, which would not stay there, each is loaded where it is used.
ESPALIER_INLINE void SUMS(
    const SOURCE *source, const VECTOR *weights, const float *filter, VECTOR *sums, const size_t kernel,
    const size_t stride, const size_t rows) {
    // Of 32 registers enough are left for three columns at a time.
    const size_t step = kernel == 3 && ESPALIER_VECTOR_BYTES == 64 ? kernel : stride;
#pragma clang loop unroll(full)
    for (size_t first = 0; first < kernel; first += step) {
#pragma clang loop unroll(full)
        for (size_t row = 0; row < (rows - 1) * stride + kernel; ++row) {
            VECTOR group[3];
            WINDOWS(source, row, first, step, group);
#pragma clang loop unroll(full)
            for (size_t right = first; right < first + step && right < kernel; ++right) {
#pragma clang loop unroll(full)
                for (size_t down = 0; down < kernel; ++down) {
                    if (row < down || (row - down) % stride > 0 || (row - down) / stride >= rows) continue;
                    const size_t tap = down * kernel + right;
                    const VECTOR weight = kernel == 3 ? weights[tap] : filter[tap] - (VECTOR){0};
                    sums[(row - down) / stride] += weight * group[right - first];
                }
            }
        }
    }
}

#undef WINDOWS
#undef SUMS
