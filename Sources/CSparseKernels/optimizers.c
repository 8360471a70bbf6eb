#include "espalier_optimizers.h"

#include <string.h>

#define ESPALIER_TEMPLATE "optimizers_template.h"
#include "each_isa.h"

void espalier_sgd_step(
    espalier_isa isa, const espalier_sgd *settings, float *weights, const float *gradients, float *momentum,
    const uint8_t *mask, size_t count) {
    ESPALIER_DISPATCH(isa, sgd, settings, weights, gradients, momentum, mask, count);
}

void espalier_adam_step(
    espalier_isa isa, const espalier_adam *settings, float *weights, const float *gradients,
    float *first_moment, float *second_moment, const uint8_t *mask, size_t count) {
    ESPALIER_DISPATCH(
        isa, adam, settings, weights, gradients, first_moment, second_moment, mask, count);
}

double espalier_sum_of_squares(
    espalier_isa isa, const float *values, const uint8_t *mask, size_t count) {
    return ESPALIER_DISPATCH(isa, sum_of_squares, values, mask, count);
}
