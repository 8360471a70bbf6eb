/// Depthwise convolutions of activations whose channels lie in blocks, as oneDNN's dense convolutions keep them
/// (nChw16c, nChw8c): [samples, channels / block, height, width, block].
///
///     Y[s, c, y, x] = activation(bias[c] + sum over i, j of
///         W[c, i, j] X[s, c, y stride - padding + i, x stride - padding + j])
///
/// Registers hold channels; a tile of neighbouring positions shares activations and weights that it loads.
#ifndef ESPALIER_DEPTHWISE_CHANNELS_H
#define ESPALIER_DEPTHWISE_CHANNELS_H

#include <stdbool.h>

#include "espalier_epilogue.h"
#include "espalier_isa.h"
#include "espalier_sparse_convolution.h"

/// Whether there is a kernel: square ones of extent 3 or 5, equal strides of 1 or 2, dilation 1, any padding.
bool espalier_depthwise_channels_supports(const espalier_sparse_geometry *geometry);

/// The number of floats of packed weights, for blocks of 8 or 16 channels. The last block may be filled in part.
size_t espalier_depthwise_channels_packed_floats(const espalier_sparse_geometry *geometry, size_t block);

/// Packs weights [channels, kernel height, kernel width] and the bias, one number for each channel or NULL. Channels
/// that fill the last block get zeros: so do their outputs if the activation of 0 is 0.
void espalier_depthwise_channels_pack(
    const espalier_sparse_geometry *geometry, size_t block, const float *weights, const float *bias, float *packed);

/// The bytes of scratch that a convolution needs. It need not be initialised.
size_t espalier_depthwise_channels_scratch(const espalier_sparse_geometry *geometry, size_t block);

/// Computes the blocks first..<end of all samples' blocks. Input and output have whole blocks. Fast are blocks of 16
/// with AVX-512, of 8 with AVX2, and both with NEON.
void espalier_depthwise_channels_convolution(
    espalier_isa isa, const espalier_sparse_geometry *geometry, size_t block, const float *input, const float *packed,
    float *output, espalier_activation activation, size_t first, size_t end, float *scratch);

#endif
