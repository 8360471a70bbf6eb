#include "espalier_relu.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define ESPALIER_TEMPLATE "relu_template.h"
#include "each_isa.h"

void espalier_relu(espalier_isa isa, const float *source, float *result, size_t count) {
    ESPALIER_DISPATCH(isa, relu, source, result, count);
}

void espalier_relu_gradient(
    espalier_isa isa, const float *output, const float *gradient, float *result, size_t count) {
    ESPALIER_DISPATCH(isa, relu_gradient, output, gradient, result, count);
}
