/// Depthwise convolutions of activations whose channels are innermost (NHWC), as those of dense convolutions are.
///
///     Y[s, y, x, c] = activation(bias[c] + residual[s, y, x, c] + sum over i, j of
///         W[c, i, j] X[s, y stride - padding + i, x stride - padding + j, c])
///
/// Registers hold channels. A strip of a few columns goes down the rows of the input: each activation is loaded once for all
/// of the kernel that it meets.
#ifndef ESPALIER_DEPTHWISE_CHANNELS_H
#define ESPALIER_DEPTHWISE_CHANNELS_H

#include <stdbool.h>

#include "espalier_epilogue.h"
#include "espalier_isa.h"
#include "espalier_sparse_convolution.h"

/// Whether there is a kernel: square ones of extent 3 or 5, equal strides of 1 or 2, dilation 1, any padding.
bool espalier_depthwise_channels_supports(const espalier_sparse_geometry *geometry);

/// The number of floats of packed weights.
size_t espalier_depthwise_channels_packed_floats(const espalier_sparse_geometry *geometry);

/// Packs weights [channels, kernel height, kernel width], for every instruction set.
void espalier_depthwise_channels_pack(const espalier_sparse_geometry *geometry, const float *weights, float *packed);

/// How many units the output has, of about equal size: some rows of a sample and some channels.
size_t espalier_depthwise_channels_units(const espalier_sparse_geometry *geometry);

/// Computes the units first..<end of the output. Input, output and residual are contiguous.
void espalier_depthwise_channels_convolution(
    espalier_isa isa, const espalier_sparse_geometry *geometry, const float *input, const float *packed, float *output,
    const espalier_epilogue *epilogue, size_t first, size_t end);

#endif
