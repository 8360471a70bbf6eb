/// Depthwise convolutions of activations and outputs whose channels are outermost (NCHW), as those are that the sparse
/// convolutions beside them read and write.
///
///     Y[s, f, y, x] = activation(bias[f] + residual[s, f, y, x] + sum over i, j of
///         W[f, i, j] X[s, f / multiplier, y stride - padding + i dilation, x stride - padding + j dilation])
///
/// Registers hold neighbouring positions of a row, of a few rows at once, which share the activations that they load.
#ifndef ESPALIER_DEPTHWISE_H
#define ESPALIER_DEPTHWISE_H

#include "espalier_epilogue.h"
#include "espalier_isa.h"
#include "espalier_sparse_convolution.h"

/// The bytes of scratch, aligned to 64 bytes, that a convolution needs, for any range. It need not be initialised.
size_t espalier_depthwise_scratch(espalier_isa isa, const espalier_sparse_geometry *geometry);

/// Computes `planes` planes of the output from `first_plane` on; there are samples * channels * multiplier. The weights
/// are those of channels * multiplier filters, of kernel height x kernel width each; the bias has one number for each filter.
/// Input, output and residual are contiguous.
void espalier_depthwise_convolution(
    espalier_isa isa, const espalier_sparse_geometry *geometry, size_t multiplier, const float *input,
    const float *weights, float *output, const espalier_epilogue *epilogue, size_t first_plane, size_t planes,
    void *scratch);

#endif
