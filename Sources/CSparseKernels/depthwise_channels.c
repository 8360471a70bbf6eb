#include "espalier_depthwise_channels.h"

#include <string.h>

#include "depthwise.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    // Rows of the output that a tile has, and of the input that they see at most.
    CHANNELS_ROWS = 4,
    CHANNELS_INPUT_ROWS = (CHANNELS_ROWS - 1) * 2 + 5,
};

// What a call computes, the same for all blocks.
typedef struct {
    const espalier_sparse_geometry *geometry;
    // Floats from a position to the next.
    size_t block;
    espalier_activation activation;
    espalier_depthwise_bounds bounds;
    // A row of zeros.
    const float *zeros;
} depthwise_channels;

#define ESPALIER_TEMPLATE "depthwise_channels_template.h"
#include "each_isa.h"

bool espalier_depthwise_channels_supports(const espalier_sparse_geometry *geometry) {
    return espalier_depthwise_constant_kernel(geometry) > 0;
}

static size_t blocks_of(const espalier_sparse_geometry *g, size_t block) { return (g->channels + block - 1) / block; }

// Of one block: the bias, then the taps.
static size_t packed_block_floats(const espalier_sparse_geometry *g, size_t block) {
    return (1 + g->kernel_height * g->kernel_width) * block;
}

size_t espalier_depthwise_channels_packed_floats(const espalier_sparse_geometry *geometry, size_t block) {
    return blocks_of(geometry, block) * packed_block_floats(geometry, block);
}

void espalier_depthwise_channels_pack(
    const espalier_sparse_geometry *geometry, size_t block, const float *weights, const float *bias, float *packed) {
    const size_t taps = geometry->kernel_height * geometry->kernel_width;
    memset(packed, 0, espalier_depthwise_channels_packed_floats(geometry, block) * sizeof(float));
    for (size_t channel = 0; channel < geometry->channels; ++channel) {
        float *target = packed + channel / block * packed_block_floats(geometry, block) + channel % block;
        if (bias) target[0] = bias[channel];
        for (size_t tap = 0; tap < taps; ++tap) target[(1 + tap) * block] = weights[channel * taps + tap];
    }
}

size_t espalier_depthwise_channels_scratch(const espalier_sparse_geometry *geometry, size_t block) {
    return geometry->width * block * sizeof(float);
}

void espalier_depthwise_channels_convolution(
    espalier_isa isa, const espalier_sparse_geometry *geometry, size_t block, const float *input, const float *packed,
    float *output, espalier_activation activation, size_t first, size_t end, float *scratch) {
    if (geometry->output_height == 0 || geometry->output_width == 0) return;
    memset(scratch, 0, espalier_depthwise_channels_scratch(geometry, block));
    const depthwise_channels call = {
        .geometry = geometry,
        .block = block,
        .activation = activation,
        .bounds = espalier_depthwise_bounds_of(&activation),
        .zeros = scratch,
    };
    // Blocks must fill wide registers.
    if (isa == ESPALIER_ISA_AVX512 && block != 16) isa = ESPALIER_ISA_AVX2;
    if (isa == ESPALIER_ISA_AVX2 && block != 8) isa = ESPALIER_ISA_PORTABLE;
    const size_t input_floats = geometry->height * geometry->width * block;
    const size_t output_floats = geometry->output_height * geometry->output_width * block;
    for (size_t i = first; i < end; ++i) {
        const float *weights = packed + i % blocks_of(geometry, block) * packed_block_floats(geometry, block);
        ESPALIER_DISPATCH(
            isa, depthwise_channels_block, &call, input + i * input_floats, weights, output + i * output_floats);
    }
}
