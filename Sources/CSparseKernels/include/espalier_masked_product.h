/// The products of training a layer Y = X W^T of which most weights are masked: those that are kept lie where they lie in the
/// dense matrix, so that the optimiser moves them there, and everything else is left out.
///
/// Samples lie in the lanes of registers: X and Y are transposed, [inputs, pitch] and [outputs, pitch], with as many lines of 16
/// samples as it takes and zeros behind the last sample. A weight then multiplies its input's line, and the gradient of a weight
/// is the product of two lines.
#ifndef ESPALIER_MASKED_PRODUCT_H
#define ESPALIER_MASKED_PRODUCT_H

#include <stddef.h>
#include <stdint.h>

#include "espalier_isa.h"

/// Which weights are kept: by output, and once more by input.
typedef struct {
    size_t outputs;
    size_t inputs;
    /// From one output's weight to the next one's, and likewise of inputs, in floats.
    size_t output_stride;
    size_t input_stride;
    /// Output o keeps the inputs output_inputs[output_starts[o] ..< output_starts[o + 1]].
    const uint32_t *output_starts;
    const uint32_t *output_inputs;
    /// Input i is kept by the outputs input_outputs[input_starts[i] ..< input_starts[i + 1]].
    const uint32_t *input_starts;
    const uint32_t *input_outputs;
} espalier_masked_weights;

/// The samples in a line; pitches are multiples of it.
enum { ESPALIER_MASKED_LINE = 16 };

/// Y^T for the outputs first..<end: W X^T, plus a bias for each output, if any.
void espalier_masked_forward(
    espalier_isa isa, const espalier_masked_weights *pattern, const float *weights, const float *bias,
    const float *inputs, size_t pitch, size_t first, size_t end, float *outputs);

/// The gradients of the kept weights of the outputs first..<end, dY^T X, where the weights lie; others are not written.
void espalier_masked_weight_gradient(
    espalier_isa isa, const espalier_masked_weights *pattern, const float *inputs, const float *output_gradients,
    size_t pitch, size_t first, size_t end, float *gradients);

/// dX^T for the inputs first..<end: W^T dY^T.
void espalier_masked_input_gradient(
    espalier_isa isa, const espalier_masked_weights *pattern, const float *weights, const float *output_gradients,
    size_t pitch, size_t first, size_t end, float *input_gradients);

#endif
