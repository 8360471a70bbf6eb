// Products of a sparse matrix with up to 16 rows.

#include "row_products.h"

static void multiply(espalier_isa isa, const row_product *p, const espalier_epilogue *epilogue, float *output) {
    const espalier_sparse_batch matrix =
        espalier_sparse_batch_measure(p->weights, p->outputs, p->inputs, p->storage);
    void *packed = allocate_bytes(espalier_sparse_batch_bytes(&matrix));
    void *prepared = allocate_bytes(espalier_sparse_batch_prepared_bytes(&matrix, p->rows));
    espalier_sparse_batch_pack(&matrix, p->weights, packed);
    espalier_sparse_batch_prepare(isa, &matrix, p->input, p->rows, prepared);
    const size_t panels = espalier_sparse_batch_panels(&matrix), cut = panels / 2;
    espalier_sparse_batch_multiply(isa, &matrix, packed, prepared, p->rows, cut, panels, epilogue, output);
    espalier_sparse_batch_multiply(isa, &matrix, packed, prepared, p->rows, 0, cut, epilogue, output);
}

void test_batches(espalier_isa isa) { test_row_products(isa, multiply, ESPALIER_SPARSE_BATCH_ROWS); }
