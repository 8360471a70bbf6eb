// Convolutions in double precision, for the tests of the sparse and of the depthwise ones.
#ifndef HARNESS_CONVOLUTION_SUMS_H
#define HARNESS_CONVOLUTION_SUMS_H

#include "harness.h"

typedef struct {
    espalier_sparse_geometry geometry;
    size_t filters;
    size_t groups;
    // Activations that a zero weight would meet are not there.
    bool sparse;
} convolution;

// The extent of an output, with `tail` of padding behind the input.
size_t output_extent(size_t input, size_t kernel, size_t stride, size_t dilation, size_t padding, size_t tail);

// Random strides, dilations and paddings, up to `most` of each, for the kernel and the input that are there.
void draw_geometry(espalier_sparse_geometry *geometry, size_t most_stride, size_t most_dilation, size_t most_padding);

// For messages.
const char *convolution_name(const convolution *convolution);

size_t convolution_inputs(const convolution *convolution);
size_t convolution_outputs(const convolution *convolution);

// Compares an output [samples, filters, height, width] with the epilogue's bias and `residual` and sums over the taps
// of weights [filters, channels of a group, kernel height, kernel width].
void expect_convolution(
    const convolution *convolution, const float *input, const float *weights, const espalier_epilogue *epilogue,
    const float *residual, const float *output);

#endif
