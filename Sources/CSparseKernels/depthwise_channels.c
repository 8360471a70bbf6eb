#include "espalier_depthwise_channels.h"

#include <string.h>

#include "depthwise.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum {
    // Channels whose weights lie together: as many as the widest registers have.
    CHANNELS_BLOCK = 16,
    // Of a unit, at most: rows of the output, for which some of the input's are read once more, and channels, whose
    // neighbourhood in memory is worth little.
    CHANNELS_ROWS = 14,
    CHANNELS_GROUP = 64,
};

// A call of espalier_depthwise_channels_convolution.
typedef struct {
    const espalier_sparse_geometry *geometry;
    const float *input;
    const float *packed;
    float *output;
    const espalier_epilogue *epilogue;
} depthwise_channels;

// A unit of it.
typedef struct {
    size_t sample;
    size_t first_row;
    size_t end_row;
    size_t first_channel;
    size_t end_channel;
} depthwise_channels_unit;

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t quotient_above(size_t a, size_t b) { return (a + b - 1) / b; }

static size_t packed_block_floats(const espalier_sparse_geometry *g) {
    return g->kernel_height * g->kernel_width * CHANNELS_BLOCK;
}

static depthwise_channels_unit unit_at(const espalier_sparse_geometry *g, size_t index) {
    const size_t bands = quotient_above(g->output_height, CHANNELS_ROWS);
    const size_t groups = quotient_above(g->channels, CHANNELS_GROUP);
    const size_t band = index / groups % bands, first_channel = index % groups * CHANNELS_GROUP;
    return (depthwise_channels_unit){
        .sample = index / groups / bands,
        .first_row = band * g->output_height / bands,
        .end_row = (band + 1) * g->output_height / bands,
        .first_channel = first_channel,
        .end_channel = least(g->channels, first_channel + CHANNELS_GROUP),
    };
}

// Whether activations that are read and results that are written at about the same time share ways of the first-level
// cache, of which there are few: neighbouring positions are a multiple of 1 KB apart, and results as far from activations,
// within a line.
static bool shares_ways(const depthwise_channels *call) {
    const size_t apart = 1024, line = 64;
    const size_t distance = ((uintptr_t)call->output - (uintptr_t)call->input + line) % apart;
    return call->geometry->channels * sizeof(float) % apart == 0 && distance <= 2 * line;
}

#define ESPALIER_TEMPLATE "depthwise_channels_template.h"
#include "each_isa.h"

bool espalier_depthwise_channels_supports(const espalier_sparse_geometry *geometry) {
    return espalier_depthwise_constant_kernel(geometry) > 0;
}

size_t espalier_depthwise_channels_packed_floats(const espalier_sparse_geometry *geometry) {
    return quotient_above(geometry->channels, CHANNELS_BLOCK) * packed_block_floats(geometry);
}

void espalier_depthwise_channels_pack(const espalier_sparse_geometry *geometry, const float *weights, float *packed) {
    const size_t taps = geometry->kernel_height * geometry->kernel_width;
    memset(packed, 0, espalier_depthwise_channels_packed_floats(geometry) * sizeof(float));
    for (size_t channel = 0; channel < geometry->channels; ++channel) {
        float *target =
            packed + channel / CHANNELS_BLOCK * packed_block_floats(geometry) + channel % CHANNELS_BLOCK;
        for (size_t tap = 0; tap < taps; ++tap) target[tap * CHANNELS_BLOCK] = weights[channel * taps + tap];
    }
}

size_t espalier_depthwise_channels_units(const espalier_sparse_geometry *geometry) {
    if (geometry->output_width == 0) return 0;
    return geometry->samples * quotient_above(geometry->output_height, CHANNELS_ROWS) *
           quotient_above(geometry->channels, CHANNELS_GROUP);
}

void espalier_depthwise_channels_convolution(
    espalier_isa isa, const espalier_sparse_geometry *geometry, const float *input, const float *packed, float *output,
    const espalier_epilogue *epilogue, size_t first, size_t end) {
    const depthwise_channels call = {
        .geometry = geometry, .input = input, .packed = packed, .output = output, .epilogue = epilogue};
    for (size_t index = first; index < end; ++index) {
        const depthwise_channels_unit unit = unit_at(geometry, index);
        ESPALIER_DISPATCH(isa, depthwise_channels_unit, &call, &unit);
    }
}
