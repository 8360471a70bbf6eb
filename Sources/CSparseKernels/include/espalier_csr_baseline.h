/// A sparse matrix in compressed rows times a dense one, as textbooks have it: what sparsity costs where no care is taken.
/// Cost models are compared with it; networks never run by it.
#ifndef ESPALIER_CSR_BASELINE_H
#define ESPALIER_CSR_BASELINE_H

#include <stddef.h>
#include <stdint.h>

#include "espalier_isa.h"

/// Row r has the elements starts[r] ..< starts[r + 1], each a column and a value.
typedef struct {
    size_t rows;
    const uint32_t *starts;
    const uint32_t *columns;
    const float *values;
} espalier_csr_matrix;

/// output [rows, samples] = matrix [rows, columns] times input [columns, samples], both row-major.
void espalier_csr_multiply(
    espalier_isa isa, const espalier_csr_matrix *matrix, const float *input, float *output, size_t samples);

#endif
