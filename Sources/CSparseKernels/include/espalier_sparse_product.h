/// Products of sparse matrices with many columns.
///
///     C[m, n] = activation(bias[m] + residual[m, n] + sum over k of W[m, k] X[k, n])
///
/// A weight that is zero contributes nothing, whatever it would meet. The work is divided by tiles of columns and by blocks of rows: any ranges of
/// both can be computed in any order, by several threads if each has a scratch of its own.
#ifndef ESPALIER_SPARSE_PRODUCT_H
#define ESPALIER_SPARSE_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>

#include "espalier_isa.h"
#include "espalier_sparse_matrix.h"

/// What follows the sum.
typedef enum {
    /// max(low, min(high, x)): with infinite bounds no activation, from 0 on the rectifier. Not-a-number stays.
    ESPALIER_ACTIVATION_CLIP = 0,
    /// x max(0, min(6, x + 3)) / 6.
    ESPALIER_ACTIVATION_HARD_SWISH = 1,
    /// x/2 (1 + erf(x / sqrt 2)), with an error below 1e-6 max(1, |x|).
    ESPALIER_ACTIVATION_GELU = 2,
} espalier_activation;

typedef struct {
    /// One number for each row of the matrix, or NULL.
    const float *bias;
    /// Numbers to add, laid out like the output, or NULL. May be the output itself.
    const float *residual;
    espalier_activation activation;
    /// For ESPALIER_ACTIVATION_CLIP.
    float low;
    float high;
} espalier_sparse_epilogue;

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
    const espalier_sparse_epilogue *epilogue, espalier_sparse_range range, void *scratch);

#endif
