// What the depthwise kernels share.
#ifndef ESPALIER_INTERNAL_DEPTHWISE_H
#define ESPALIER_INTERNAL_DEPTHWISE_H

#include <math.h>
#include <stdint.h>

#include "espalier_depthwise.h"

enum {
    // Rows of the output that are computed at once, at most.
    DEPTHWISE_ROWS = 7,
    DEPTHWISE_MOST_KERNEL = 5,
    // Of registers of a row for one tile, at most: with stride 2 there are two for each pair of taps.
    DEPTHWISE_LOADS = DEPTHWISE_MOST_KERNEL + 1,
    DEPTHWISE_MASKS = DEPTHWISE_LOADS + 1,
};

// A call of espalier_depthwise_convolution.
typedef struct {
    const espalier_sparse_geometry *geometry;
    size_t multiplier;
    size_t filters;
    const float *input;
    const float *weights;
    float *output;
    const espalier_epilogue *epilogue;
    void *scratch;
} espalier_depthwise;

// One plane of it.
typedef struct {
    // Its filter's number.
    size_t filter;
    const float *input;
    const float *weights;
    // NULL if there is none.
    const float *bias;
    const float *residual;
    float *output;
} espalier_depthwise_plane;

static inline espalier_depthwise_plane espalier_depthwise_plane_at(const espalier_depthwise *call, size_t plane) {
    const espalier_sparse_geometry *g = call->geometry;
    const size_t filter = plane % call->filters;
    const size_t start = plane * g->output_height * g->output_width;
    return (espalier_depthwise_plane){
        .filter = filter,
        .input = call->input + plane / call->multiplier * g->height * g->width,
        .weights = call->weights + filter * g->kernel_height * g->kernel_width,
        .bias = call->epilogue->bias ? call->epilogue->bias + filter : NULL,
        .residual = call->epilogue->residual ? call->epilogue->residual + start : NULL,
        .output = call->output + start,
    };
}

// The bounds of results; none where the activation is not a clip.
typedef struct {
    float low;
    float high;
    bool is_all;
} espalier_depthwise_bounds;

static inline espalier_depthwise_bounds espalier_depthwise_bounds_of(const espalier_activation *activation) {
    switch (activation->function) {
        case ESPALIER_ACTIVATION_RELU:
            return (espalier_depthwise_bounds){.low = 0, .high = INFINITY, .is_all = true};
        case ESPALIER_ACTIVATION_CLIP:
            return (espalier_depthwise_bounds){.low = activation->lower, .high = activation->upper, .is_all = true};
        default:
            return (espalier_depthwise_bounds){
                .low = -INFINITY, .high = INFINITY, .is_all = activation->function == ESPALIER_ACTIVATION_NONE};
    }
}

// 3 or 5 if the kernel is one that loops are made for: square, of stride 1 or 2 and dense. Otherwise 0.
static inline size_t espalier_depthwise_constant_kernel(const espalier_sparse_geometry *g) {
    const bool extent = g->kernel_height == 3 || g->kernel_height == 5;
    const bool stride = g->stride_height == 1 || g->stride_height == 2;
    const bool square = g->kernel_height == g->kernel_width && g->stride_height == g->stride_width;
    return extent && stride && square && g->dilation_height == 1 && g->dilation_width == 1 ? g->kernel_height : 0;
}

// Whether the input is read in place: where registers can be loaded in part, and few of the rows are beyond it.
static inline bool espalier_depthwise_is_direct(espalier_isa isa, const espalier_sparse_geometry *g) {
    const size_t kernel = espalier_depthwise_constant_kernel(g);
    if (isa != ESPALIER_ISA_AVX2 && isa != ESPALIER_ISA_AVX512) return false;
    if (kernel == 0 || g->padding_top > kernel / 2) return false;
    const size_t reach = (g->output_height - 1) * g->stride_height + kernel;
    return reach <= g->padding_top + g->height + kernel / 2;
}

#endif
