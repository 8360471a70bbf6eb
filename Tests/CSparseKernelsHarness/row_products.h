// Products of a sparse matrix with few rows, for the tests of the formats of espalier_sparse_vector.h and
// espalier_sparse_batch.h.
#ifndef HARNESS_ROW_PRODUCTS_H
#define HARNESS_ROW_PRODUCTS_H

#include "harness.h"

typedef struct {
    size_t outputs;
    size_t inputs;
    size_t rows;
    espalier_weight_storage storage;
    // Row-major [outputs, inputs] and [rows, inputs].
    const float *weights;
    const float *input;
} row_product;

// Computes the panels of the second half, then those of the first.
typedef void row_multiply(
    espalier_isa isa, const row_product *product, const espalier_epilogue *epilogue, float *output);

// Compares a format with sums over shapes, patterns, storages and rows up to `most_rows`.
void test_row_products(espalier_isa isa, row_multiply *multiply, size_t most_rows);

#endif
