/// One pass over memory per optimiser step: gradient scale, weight decay, moments, update and mask together.
#ifndef ESPALIER_OPTIMIZERS_H
#define ESPALIER_OPTIMIZERS_H

#include <stddef.h>
#include <stdint.h>

#include "espalier_isa.h"

/// Stochastic gradient descent: d = scale g + decay w; m = momentum m + d; w -= rate (nesterov ? d + momentum m : m).
typedef struct {
    float gradient_scale;
    float learning_rate;
    float weight_decay;
    float momentum;
    bool nesterov;
} espalier_sgd;

/// Adam and AdamW: d = scale g + coupled_decay w; m and v are running means of d and d^2;
/// w = retention w - rate m / (sqrt(v) root_correction + epsilon).
typedef struct {
    float gradient_scale;
    /// The learning rate over 1 - beta1^t.
    float corrected_rate;
    /// 1 / sqrt(1 - beta2^t).
    float root_correction;
    float beta1;
    float beta2;
    /// 1 - beta1 and 1 - beta2, rounded once from exact values.
    float beta1_complement;
    float beta2_complement;
    float epsilon;
    /// Weight decay that goes through the moments (Adam's).
    float coupled_decay;
    /// 1 - rate * decay: weight decay apart from the gradient (AdamW's); 1 for none.
    float retention;
} espalier_adam;

/// Steps `count` weights. `momentum` may be NULL if its coefficient is 0.
///
/// `mask` is NULL or one byte per weight: where it is 0, weight and momentum become exactly 0, whatever the
/// gradient. The arrays need no alignment and must not overlap.
void espalier_sgd_step(
    espalier_isa isa, const espalier_sgd *settings, float *weights, const float *gradients, float *momentum,
    const uint8_t *mask, size_t count);

/// Steps `count` weights; `mask` as for espalier_sgd_step.
void espalier_adam_step(
    espalier_isa isa, const espalier_adam *settings, float *weights, const float *gradients,
    float *first_moment, float *second_moment, const uint8_t *mask, size_t count);

/// The sum of squares in double precision, over the values where `mask` (if not NULL) is not 0. The order of additions
/// is fixed, and a product of two floats is exact in double, so every instruction set gives the same bits.
double espalier_sum_of_squares(
    espalier_isa isa, const float *values, const uint8_t *mask, size_t count);

#endif
