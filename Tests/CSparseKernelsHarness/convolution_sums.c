#include "convolution_sums.h"

#include <stdio.h>

size_t output_extent(size_t input, size_t kernel, size_t stride, size_t dilation, size_t padding, size_t tail) {
    const size_t padded = input + padding + tail, reach = (kernel - 1) * dilation + 1;
    return padded < reach ? 0 : (padded - reach) / stride + 1;
}

void draw_geometry(espalier_sparse_geometry *g, size_t most_stride, size_t most_dilation, size_t most_padding) {
    g->stride_height = random_index(1, most_stride);
    g->stride_width = random_index(1, most_stride);
    g->dilation_height = random_index(1, most_dilation);
    g->dilation_width = random_index(1, most_dilation);
    g->padding_top = random_index(0, most_padding);
    g->padding_left = random_index(0, most_padding);
    g->output_height = output_extent(
        g->height, g->kernel_height, g->stride_height, g->dilation_height, g->padding_top,
        random_index(0, most_padding));
    g->output_width = output_extent(
        g->width, g->kernel_width, g->stride_width, g->dilation_width, g->padding_left, random_index(0, most_padding));
}

const char *convolution_name(const convolution *c) {
    static char name[240];
    const espalier_sparse_geometry *g = &c->geometry;
    snprintf(
        name, sizeof name,
        "%zu samples, %zu channels of %zux%zu to %zu filters of %zux%zu in %zu groups, kernel %zux%zu, stride %zux%zu, "
        "dilation %zux%zu, padding %zux%zu",
        g->samples, g->channels, g->height, g->width, c->filters, g->output_height, g->output_width, c->groups,
        g->kernel_height, g->kernel_width, g->stride_height, g->stride_width, g->dilation_height, g->dilation_width,
        g->padding_top, g->padding_left);
    return name;
}

size_t convolution_inputs(const convolution *c) {
    return c->geometry.samples * c->geometry.channels * c->geometry.height * c->geometry.width;
}

size_t convolution_outputs(const convolution *c) {
    return c->geometry.samples * c->filters * c->geometry.output_height * c->geometry.output_width;
}

// Adds what a filter finds at position (y, x) of a plane of the input.
static void add_plane(
    exact_sum *sum, const convolution *c, const float *plane, const float *weights, size_t y, size_t x) {
    const espalier_sparse_geometry *g = &c->geometry;
    for (size_t i = 0; i < g->kernel_height; ++i) {
        // Before the input, rows and columns wrap around and are beyond it, too.
        const size_t row = y * g->stride_height + i * g->dilation_height - g->padding_top;
        if (row >= g->height) continue;
        for (size_t j = 0; j < g->kernel_width; ++j) {
            const size_t column = x * g->stride_width + j * g->dilation_width - g->padding_left;
            const float weight = weights[i * g->kernel_width + j];
            if (column >= g->width || (c->sparse && weight == 0)) continue;
            add_product(sum, (double)weight, (double)plane[row * g->width + column]);
        }
    }
}

void expect_convolution(
    const convolution *c, const float *input, const float *weights, const espalier_epilogue *epilogue,
    const float *residual, const float *output) {
    const espalier_sparse_geometry *g = &c->geometry;
    const size_t depth = g->channels / c->groups, taps = g->kernel_height * g->kernel_width;
    const size_t positions = g->output_height * g->output_width;
    for (size_t place = 0; place < convolution_outputs(c); ++place) {
        const size_t position = place % positions, filter = place / positions % c->filters;
        const size_t sample = place / positions / c->filters;
        const size_t first = filter / (c->filters / c->groups) * depth;
        exact_sum sum = {0};
        if (epilogue->bias) add_product(&sum, (double)epilogue->bias[filter], 1);
        if (residual) add_product(&sum, (double)residual[place], 1);
        for (size_t channel = 0; channel < depth; ++channel) {
            add_plane(
                &sum, c, input + (sample * g->channels + first + channel) * g->height * g->width,
                weights + (filter * depth + channel) * taps, position / g->output_width, position % g->output_width);
        }
        expect_sum(output[place], &sum, epilogue->activation, place);
    }
}
