/// Products of sparse matrices with many columns.
///
///     C[m, n] = activation(bias[m] + residual[m, n] + sum over k of W[m, k] X[k, n])
///
/// A weight that is zero contributes nothing, whatever it would meet. The work is divided by tiles of columns
/// and by blocks of rows: any ranges of both can be computed in any order, by several threads if each has a
/// scratch of its own.
#ifndef ESPALIER_SPARSE_PRODUCT_H
#define ESPALIER_SPARSE_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>

#include "espalier_epilogue.h"
#include "espalier_isa.h"
#include "espalier_sparse_matrix.h"

/// Where a product finds its operands.
typedef struct {
    size_t columns;
    /// Row k of X begins at input + k * input_pitch. If transposed, column n does, as in tokens by features.
    const float *input;
    size_t input_pitch;
    bool input_transposed;
    /// Likewise row m of C, or column n.
    float *output;
    size_t output_pitch;
    bool output_transposed;
} espalier_sparse_operands;

/// A range of tiles, 0..<espalier_sparse_tiles(packed, columns), and one of blocks of rows,
/// 0..<espalier_sparse_row_blocks(packed).
typedef struct {
    size_t first_tile;
    size_t tiles;
    size_t first_row_block;
    size_t row_blocks;
} espalier_sparse_range;

/// How many tiles so many columns make.
size_t espalier_sparse_tiles(const void *packed, size_t columns);

/// The bytes of scratch, aligned to 64 bytes, that a product needs. It need not be initialised.
size_t espalier_sparse_product_scratch(const void *packed);

/// Computes the elements of C in `range`. The packed matrix must be of one group and one tap.
void espalier_sparse_product(
    espalier_isa isa, const void *packed, const espalier_sparse_operands *operands,
    const espalier_epilogue *epilogue, espalier_sparse_range range, void *scratch);

#endif
