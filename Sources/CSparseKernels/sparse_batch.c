#include "espalier_sparse_batch.h"

#include "sparse_batch_layout.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define ESPALIER_TEMPLATE "sparse_batch_template.h"
#include "each_isa.h"

size_t espalier_sparse_batch_prepared_bytes(const espalier_sparse_batch *matrix, size_t rows) {
    return espalier_sparse_batch_prepared_start(matrix, espalier_sparse_batch_blocks(matrix)) *
           espalier_sparse_batch_lanes(rows) * sizeof(float);
}

void espalier_sparse_batch_prepare(
    espalier_isa isa, const espalier_sparse_batch *matrix, const float *inputs, size_t rows, void *prepared) {
    ESPALIER_DISPATCH(isa, batch_prepare, matrix, inputs, rows, prepared);
}

void espalier_sparse_batch_multiply(
    espalier_isa isa, const espalier_sparse_batch *matrix, const void *packed, const void *prepared, size_t rows,
    size_t first, size_t end, const espalier_epilogue *epilogue, float *outputs) {
    // Nothing is written through these pointers.
    const espalier_sparse_batch_sections sections = espalier_sparse_batch_sections_in(matrix, (void *)packed);
    ESPALIER_DISPATCH(isa, batch_multiply, matrix, &sections, prepared, rows, first, end, epilogue, outputs);
}
