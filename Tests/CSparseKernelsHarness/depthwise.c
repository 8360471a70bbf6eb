// Depthwise convolutions, channels outermost.

#include <string.h>

#include "convolution_sums.h"

static void check(espalier_isa isa, const convolution *c) {
    const espalier_sparse_geometry *g = &c->geometry;
    const bool poisoned = random_chance(4), in_place = random_chance(2);
    begin_case("%s, poisoned %d", convolution_name(c), poisoned);
    const float *weights = random_floats(c->filters * g->kernel_height * g->kernel_width);
    float *input = random_floats(convolution_inputs(c));
    if (poisoned) poison(input, convolution_inputs(c));
    const size_t outputs = convolution_outputs(c);
    const float *residual = random_chance(2) ? random_floats(outputs) : NULL;
    float *output = allocate_floats(outputs);
    espalier_epilogue epilogue = random_epilogue(c->filters, residual, poisoned);
    if (residual && in_place) {
        memcpy(output, residual, outputs * sizeof(float));
        epilogue.residual = output;
    }
    void *scratch = allocate_bytes(espalier_depthwise_scratch(isa, g));
    const size_t planes = g->samples * c->filters, cut = random_index(0, planes);
    const size_t multiplier = c->filters / g->channels;
    espalier_depthwise_convolution(
        isa, g, multiplier, input, weights, output, &epilogue, cut, planes - cut, scratch);
    espalier_depthwise_convolution(isa, g, multiplier, input, weights, output, &epilogue, 0, cut, scratch);
    expect_convolution(c, input, weights, &epilogue, residual, output);
}

static convolution depthwise(size_t samples, size_t channels, size_t multiplier, size_t height, size_t width) {
    return (convolution){
        .geometry = {.samples = samples, .channels = channels, .height = height, .width = width},
        .filters = channels * multiplier,
        .groups = channels,
    };
}

// Square kernels padded to keep the extents, which have loops of their own.
static void check_square(espalier_isa isa, convolution c, size_t kernel, size_t stride) {
    espalier_sparse_geometry *g = &c.geometry;
    g->kernel_height = g->kernel_width = kernel;
    g->stride_height = g->stride_width = stride;
    g->dilation_height = g->dilation_width = 1;
    g->padding_top = g->padding_left = kernel / 2;
    g->output_height = output_extent(g->height, kernel, stride, 1, kernel / 2, kernel / 2);
    g->output_width = output_extent(g->width, kernel, stride, 1, kernel / 2, kernel / 2);
    check(isa, &c);
}

void test_depthwise(espalier_isa isa) {
    const size_t widths[] = {1, 2, 3, 6, 7, 8, 9, 14, 15, 16, 17, 23, 24, 25, 31, 33, 56};
    for (size_t kernel = 3; kernel <= 5; kernel += 2) {
        for (size_t stride = 1; stride <= 2; ++stride) {
            for (size_t i = 0; i < sizeof widths / sizeof widths[0]; ++i) {
                check_square(isa, depthwise(2, 3, random_index(1, 2), widths[i] % 15 + 1, widths[i]), kernel, stride);
            }
            // Planes in parts, as whole ones do not stay in the first cache; many small planes; no planes.
            check_square(isa, depthwise(1, 1, 1, 50, 120), kernel, stride);
            check_square(isa, depthwise(1, 90, 1, 7, 7), kernel, stride);
            check_square(isa, depthwise(0, 3, 1, 7, 7), kernel, stride);
        }
    }
    for (int i = 0; i < 600; ++i) {
        convolution c = depthwise(
            random_index(1, 2), random_index(1, 4), random_index(1, 2), random_index(1, 20), random_index(1, 50));
        const bool square = random_chance(2);
        c.geometry.kernel_height = square ? random_index(1, 2) * 2 + 1 : random_index(1, 7);
        c.geometry.kernel_width = square ? c.geometry.kernel_height : random_index(1, 7);
        draw_geometry(&c.geometry, square ? 2 : 3, square ? 1 : 3, random_chance(4) ? 9 : 2);
        check(isa, &c);
    }
}
