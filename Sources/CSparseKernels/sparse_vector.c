#include "espalier_sparse_vector.h"

#include "sparse_vector_layout.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define ESPALIER_TEMPLATE "sparse_vector_template.h"
#include "each_isa.h"

size_t espalier_sparse_vector_prepared_bytes(const espalier_sparse_vector *matrix, size_t rows) {
    return rows * espalier_sparse_vector_plane(matrix) * sizeof(float);
}

void espalier_sparse_vector_prepare(
    espalier_isa isa, const espalier_sparse_vector *matrix, const float *inputs, size_t rows, void *prepared) {
    ESPALIER_DISPATCH(isa, vector_prepare, matrix, inputs, rows, prepared);
}

void espalier_sparse_vector_multiply(
    espalier_isa isa, const espalier_sparse_vector *matrix, const void *packed, const void *prepared, size_t rows,
    size_t first, size_t end, const espalier_epilogue *epilogue, float *outputs) {
    // Nothing is written through these pointers.
    const espalier_sparse_vector_sections sections =
        espalier_sparse_vector_sections_in(matrix, (void *)packed);
    ESPALIER_DISPATCH(isa, vector_multiply, matrix, &sections, prepared, rows, first, end, epilogue, outputs);
}
