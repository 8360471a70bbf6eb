/// Convolutions of few input channels, such as a network's first one.
///
/// oneDNN keeps channels in registers, most of which stay empty when the input has one to three. These kernels keep a
/// tile of output positions and filters in registers instead, and go through the taps: the channels and kernel
/// positions of one filter. The output and its gradient have their channels last.
#ifndef ESPALIER_NARROW_CONVOLUTION_H
#define ESPALIER_NARROW_CONVOLUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "espalier_isa.h"

/// One sample's geometry. Its input is copied into a frame that contains the padding.
typedef struct {
    /// Where each tap of the first output position lies in the frame.
    const int32_t *offsets;
    size_t taps;
    size_t filters;
    size_t output_height;
    size_t output_width;
    /// The distances in the frame between neighbouring output positions.
    size_t row_step;
    size_t column_step;
} espalier_narrow_convolution;

/// The number of floats in a row of packed weights: `filters` rounded up to whole registers of every instruction set.
size_t espalier_narrow_row(size_t filters);

/// Row-major weights (filters x taps) to packed ones (taps x row), whose rest is 0.
void espalier_narrow_pack(const float *weights, float *packed, size_t filters, size_t taps);

/// Packed weights to row-major ones.
void espalier_narrow_unpack(const float *packed, float *weights, size_t filters, size_t taps);

/// The output of one sample.
///
/// `bias` is NULL or a row whose rest is readable. With `relu`, negative results become 0.
void espalier_narrow_forward(
    espalier_isa isa, const espalier_narrow_convolution *convolution, const float *frame, const float *packed,
    const float *bias, bool relu, float *output);

/// Adds the gradient of one sample's weights to `sums`, packed. A tap that finds 1 at every position sums the
/// output's gradient: the bias' own.
void espalier_narrow_weights_gradient(
    espalier_isa isa, const espalier_narrow_convolution *convolution, const float *frame,
    const float *gradient, float *sums);

#endif
