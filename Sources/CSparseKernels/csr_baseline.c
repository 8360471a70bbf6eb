#include "espalier_csr_baseline.h"

#include <string.h>

#define ESPALIER_TEMPLATE "csr_baseline_template.h"
#include "each_isa.h"

void espalier_csr_multiply(
    espalier_isa isa, const espalier_csr_matrix *matrix, const float *input, float *output, size_t samples) {
    ESPALIER_DISPATCH(isa, csr_multiply, matrix, input, output, samples);
}
