#include "espalier_sparse_strips.h"

#include "sparse_strips_layout.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define ESPALIER_TEMPLATE "sparse_strips_template.h"
#include "each_isa.h"

size_t espalier_sparse_strips_prepared_bytes(const espalier_sparse_strips *matrix, size_t rows) {
    return rows * matrix->inputs * sizeof(float);
}

void espalier_sparse_strips_prepare(
    espalier_isa isa, const espalier_sparse_strips *matrix, const float *inputs, size_t rows, void *prepared) {
    ESPALIER_DISPATCH(isa, strips_prepare, matrix, inputs, rows, prepared);
}

void espalier_sparse_strips_multiply(
    espalier_isa isa, const espalier_sparse_strips *matrix, const void *packed, const void *prepared, size_t rows,
    size_t first, size_t end, const espalier_epilogue *epilogue, float *outputs) {
    // Nothing is written through these pointers.
    const espalier_sparse_strips_sections sections =
        espalier_sparse_strips_sections_in(matrix, (void *)packed);
    ESPALIER_DISPATCH(isa, strips_multiply, matrix, &sections, prepared, rows, first, end, epilogue, outputs);
}
