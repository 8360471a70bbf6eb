// Products of a sparse matrix with one row, or a few.

#include "row_products.h"

static void multiply(espalier_isa isa, const row_product *p, const espalier_epilogue *epilogue, float *output) {
    const espalier_sparse_vector matrix =
        espalier_sparse_vector_measure(isa, p->weights, p->outputs, p->inputs, p->storage);
    void *packed = allocate_bytes(espalier_sparse_vector_bytes(&matrix));
    void *prepared = allocate_bytes(espalier_sparse_vector_prepared_bytes(&matrix, p->rows));
    espalier_sparse_vector_pack(&matrix, p->weights, packed);
    espalier_sparse_vector_prepare(isa, &matrix, p->input, p->rows, prepared);
    const size_t panels = espalier_sparse_vector_panels(&matrix), cut = panels / 2;
    espalier_sparse_vector_multiply(isa, &matrix, packed, prepared, p->rows, cut, panels, epilogue, output);
    espalier_sparse_vector_multiply(isa, &matrix, packed, prepared, p->rows, 0, cut, epilogue, output);
}

void test_vectors(espalier_isa isa) { test_row_products(isa, multiply, 5); }
