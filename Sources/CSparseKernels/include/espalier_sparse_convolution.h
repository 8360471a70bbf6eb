/// Convolutions with sparse weights, of activations and outputs whose channels are outermost (NCHW).
///
///     C[s, m, y, x] = activation(bias[m] + residual[s, m, y, x] + sum over c, i, j of
///         W[m, c, i, j] X[s, c, y stride - padding + i dilation, x stride - padding + j dilation])
///
/// They are computed as the products of espalier_sparse_product.h whose columns are the positions of the
/// output, without the matrix of shifted activations: its parts are made in the tiles, from a padded copy of
/// some rows of the input.
#ifndef ESPALIER_SPARSE_CONVOLUTION_H
#define ESPALIER_SPARSE_CONVOLUTION_H

#include "espalier_sparse_product.h"

/// The geometry. Activations beyond the input, on whichever side the output's extents reach for them, are 0.
/// Extents of the output may be 0, others not.
typedef struct {
    size_t samples;
    /// Of all groups.
    size_t channels;
    size_t height;
    size_t width;
    size_t kernel_height;
    size_t kernel_width;
    size_t stride_height;
    size_t stride_width;
    size_t dilation_height;
    size_t dilation_width;
    size_t padding_top;
    size_t padding_left;
    size_t output_height;
    size_t output_width;
} espalier_sparse_geometry;

/// How many tiles the output makes. Those of small outputs take positions of several samples.
size_t espalier_sparse_convolution_tiles(const void *packed, const espalier_sparse_geometry *geometry);

/// The bytes of scratch, aligned to 64 bytes, that a convolution needs, for any range. It need not be
/// initialised.
size_t espalier_sparse_convolution_scratch(const void *packed, const espalier_sparse_geometry *geometry);

/// Computes the elements of the output in `range`. The matrix was packed from weights (filters x channels of a
/// group x kernel height x kernel width). Input, output and residual are contiguous.
void espalier_sparse_convolution(
    espalier_isa isa, const void *packed, const espalier_sparse_geometry *geometry, const float *input,
    float *output, const espalier_epilogue *epilogue, espalier_sparse_range range, void *scratch);

#endif
