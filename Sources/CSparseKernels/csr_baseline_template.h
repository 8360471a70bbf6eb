// The loops of csr_baseline.c, which the compiler vectorises; see each_isa.h.

static void ESPALIER_NAME(csr_multiply)(
    const espalier_csr_matrix *matrix, const float *restrict input, float *restrict output, size_t samples) {
    for (size_t row = 0; row < matrix->rows; ++row) {
        if (samples == 1) {
            float sum = 0;
            for (uint32_t k = matrix->starts[row]; k < matrix->starts[row + 1]; ++k) {
                sum += matrix->values[k] * input[matrix->columns[k]];
            }
            output[row] = sum;
            continue;
        }
        float *restrict sums = output + row * samples;
        memset(sums, 0, samples * sizeof *sums);
        for (uint32_t k = matrix->starts[row]; k < matrix->starts[row + 1]; ++k) {
            const float value = matrix->values[k];
            const float *restrict inputs = input + matrix->columns[k] * samples;
            for (size_t sample = 0; sample < samples; ++sample) sums[sample] += value * inputs[sample];
        }
    }
}
