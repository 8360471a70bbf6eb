#include "espalier_narrow_convolution.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// A multiple of every register's floats.
size_t espalier_narrow_row(size_t filters) { return (filters + 15) / 16 * 16; }

#define ESPALIER_TEMPLATE "narrow_convolution_template.h"
#include "each_isa.h"

void espalier_narrow_pack(const float *weights, float *packed, size_t filters, size_t taps) {
    const size_t row = espalier_narrow_row(filters);
    for (size_t tap = 0; tap < taps; ++tap) {
        for (size_t filter = 0; filter < row; ++filter) {
            packed[tap * row + filter] = filter < filters ? weights[filter * taps + tap] : 0;
        }
    }
}

void espalier_narrow_unpack(const float *packed, float *weights, size_t filters, size_t taps) {
    const size_t row = espalier_narrow_row(filters);
    for (size_t filter = 0; filter < filters; ++filter) {
        for (size_t tap = 0; tap < taps; ++tap) weights[filter * taps + tap] = packed[tap * row + filter];
    }
}

void espalier_narrow_forward(
    espalier_isa isa, const espalier_narrow_convolution *convolution, const float *frame, const float *packed,
    const float *bias, bool relu, float *output) {
    ESPALIER_DISPATCH(isa, narrow_forward, convolution, frame, packed, bias, relu, output);
}

void espalier_narrow_weights_gradient(
    espalier_isa isa, const espalier_narrow_convolution *convolution, const float *frame,
    const float *gradient, float *sums) {
    ESPALIER_DISPATCH(isa, narrow_weights_gradient, convolution, frame, gradient, sums);
}
