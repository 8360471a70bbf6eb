// Depthwise convolutions, channels innermost.

#include <string.h>

#include "convolution_sums.h"

// A copy of [samples, rows, columns] as [samples, columns, rows].
static float *transpose(const float *values, size_t samples, size_t rows, size_t columns) {
    float *copy = allocate_floats(samples * rows * columns);
    for (size_t i = 0; i < samples * rows * columns; ++i) {
        const size_t sample = i / (rows * columns), row = i / columns % rows, column = i % columns;
        copy[(sample * columns + column) * rows + row] = values[i];
    }
    return copy;
}

// Room for an output whose distance from the input is a multiple of 1 KB: the kernel has a way of its own to write it.
static float *allocate_congruent(size_t count, const float *input) {
    char *bytes = allocate_bytes(count * sizeof(float) + 1024);
    return (float *)(bytes + ((uintptr_t)input - (uintptr_t)bytes) % 1024);
}

static void check(espalier_isa isa, const convolution *c) {
    const espalier_sparse_geometry *g = &c->geometry;
    const bool poisoned = random_chance(4), in_place = random_chance(2);
    begin_case("%s, poisoned %d", convolution_name(c), poisoned);
    if (!espalier_depthwise_channels_supports(g)) {
        fail_case("there is no kernel");
        return;
    }
    const size_t positions = g->output_height * g->output_width, outputs = convolution_outputs(c);
    const float *weights = random_floats(g->channels * g->kernel_height * g->kernel_width);
    float *planes = random_floats(convolution_inputs(c));
    if (poisoned) poison(planes, convolution_inputs(c));
    const float *residual = random_chance(2) ? random_floats(outputs) : NULL;
    float *packed = allocate_floats(espalier_depthwise_channels_packed_floats(g));
    espalier_depthwise_channels_pack(g, weights, packed);
    const float *input = transpose(planes, g->samples, g->channels, g->height * g->width);
    float *output = g->channels % 256 == 0 ? allocate_congruent(outputs, input) : allocate_floats(outputs);
    espalier_epilogue epilogue = random_epilogue(g->channels, residual, poisoned);
    if (residual) epilogue.residual = transpose(residual, g->samples, g->channels, positions);
    if (residual && in_place) {
        memcpy(output, epilogue.residual, outputs * sizeof(float));
        epilogue.residual = output;
    }
    const size_t units = espalier_depthwise_channels_units(g), cut = random_index(0, units);
    espalier_depthwise_channels_convolution(isa, g, input, packed, output, &epilogue, cut, units);
    espalier_depthwise_channels_convolution(isa, g, input, packed, output, &epilogue, 0, cut);
    expect_convolution(
        c, planes, weights, &epilogue, residual, transpose(output, g->samples, positions, g->channels));
}

static void check_square(
    espalier_isa isa, size_t channels, size_t height, size_t width, size_t kernel, size_t stride, size_t padding) {
    convolution c = {
        .geometry = {
            .samples = random_index(0, 2),
            .channels = channels,
            .height = height,
            .width = width,
            .kernel_height = kernel,
            .kernel_width = kernel,
            .padding_top = padding,
            .padding_left = random_chance(4) ? random_index(0, 9) : padding,
        },
        .sparse = false,
    };
    espalier_sparse_geometry *g = &c.geometry;
    g->stride_height = g->stride_width = stride;
    g->dilation_height = g->dilation_width = 1;
    g->output_height = output_extent(height, kernel, stride, 1, padding, random_index(0, padding));
    g->output_width = output_extent(width, kernel, stride, 1, g->padding_left, random_index(0, padding));
    c.filters = c.groups = g->channels;
    check(isa, &c);
}

// Some units of channels or a few registers.
static size_t random_channels(void) { return random_chance(4) ? random_index(50, 150) : random_index(1, 40); }

static void expect_refusal(espalier_sparse_geometry geometry) {
    begin_case("refused kernel %zux%zu", geometry.kernel_height, geometry.kernel_width);
    if (espalier_depthwise_channels_supports(&geometry)) fail_case("there is a kernel");
}

void test_depthwise_channels(espalier_isa isa) {
    for (size_t kernel = 3; kernel <= 5; kernel += 2) {
        for (size_t stride = 1; stride <= 2; ++stride) {
            // Every tail of tiles; inputs smaller than the kernel.
            for (size_t width = 1; width <= 15; ++width) {
                check_square(isa, random_channels(), (width * 5) % 14 + 1, width, kernel, stride, kernel / 2);
            }
            for (size_t width = 1; width <= 9; ++width) check_square(isa, 256, 17, width, kernel, stride, kernel / 2);
            for (int i = 0; i < 60; ++i) {
                check_square(
                    isa, random_channels(), random_index(1, 15), random_index(1, 20), kernel, stride,
                    random_index(0, 6));
            }
        }
    }
    expect_refusal((espalier_sparse_geometry){
        .kernel_height = 3, .kernel_width = 5, .stride_height = 1, .stride_width = 1, .dilation_height = 1,
        .dilation_width = 1});
    expect_refusal((espalier_sparse_geometry){
        .kernel_height = 3, .kernel_width = 3, .stride_height = 1, .stride_width = 1, .dilation_height = 2,
        .dilation_width = 2});
}
