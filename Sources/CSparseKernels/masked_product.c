#include "espalier_masked_product.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define ESPALIER_TEMPLATE "masked_product_template.h"
#include "each_isa.h"

void espalier_masked_forward(
    espalier_isa isa, const espalier_masked_weights *pattern, const float *weights, const float *bias,
    const float *inputs, size_t pitch, size_t first, size_t end, float *outputs) {
    ESPALIER_DISPATCH(isa, masked_forward, pattern, weights, bias, inputs, pitch, first, end, outputs);
}

void espalier_masked_weight_gradient(
    espalier_isa isa, const espalier_masked_weights *pattern, const float *inputs, const float *output_gradients,
    size_t pitch, size_t first, size_t end, float *gradients) {
    ESPALIER_DISPATCH(
        isa, masked_weight_gradient, pattern, inputs, output_gradients, pitch, first, end, gradients);
}

void espalier_masked_input_gradient(
    espalier_isa isa, const espalier_masked_weights *pattern, const float *weights, const float *output_gradients,
    size_t pitch, size_t first, size_t end, float *input_gradients) {
    ESPALIER_DISPATCH(
        isa, masked_input_gradient, pattern, weights, output_gradients, pitch, first, end, input_gradients);
}
