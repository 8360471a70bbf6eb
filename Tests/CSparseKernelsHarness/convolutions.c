// Convolutions with sparse weights, channels outermost.

#include <string.h>

#include "convolution_sums.h"
#include "packed_matrix.h"

static void check(espalier_isa isa, const convolution *c, weight_pattern pattern, size_t row_parts) {
    const espalier_sparse_geometry *g = &c->geometry;
    const bool poisoned = random_chance(4), in_place = random_chance(2);
    begin_case(
        "%s, nonzero: %s, parts %zu, poisoned %d", convolution_name(c), pattern_name(pattern), row_parts, poisoned);
    const size_t depth = g->channels / c->groups, taps = g->kernel_height * g->kernel_width;
    const espalier_sparse_shape shape = {
        .rows = c->filters,
        .groups = c->groups,
        .channels = depth,
        .taps = taps,
        // A guess, which may be wrong.
        .columns = random_chance(4) ? 1 : g->output_height * g->output_width,
        .row_parts = row_parts,
    };
    const float *weights = random_weights(c->filters, depth * taps, pattern);
    const void *packed = pack_matrix(&shape, weights);
    float *input = random_floats(convolution_inputs(c));
    if (random_chance(2)) input = copy_bytes(input, convolution_inputs(c) * sizeof(float));
    if (poisoned) poison(input, convolution_inputs(c));
    const size_t outputs = convolution_outputs(c);
    const float *residual = random_chance(2) ? random_floats(outputs) : NULL;
    float *output = allocate_floats(outputs);
    espalier_epilogue epilogue = random_epilogue(c->filters, residual, poisoned);
    if (residual && in_place) {
        memcpy(output, residual, outputs * sizeof(float));
        epilogue.residual = output;
    }
    espalier_sparse_range ranges[RANGES];
    cut_ranges(packed, espalier_sparse_convolution_tiles(packed, g), ranges);
    void *scratch = allocate_bytes(espalier_sparse_convolution_scratch(packed, g));
    for (int i = 0; i < RANGES; ++i) {
        espalier_sparse_convolution(isa, packed, g, input, output, &epilogue, ranges[i], scratch);
    }
    expect_convolution(c, input, weights, &epilogue, residual, output);
}

static espalier_sparse_geometry geometry(
    size_t samples, size_t channels, size_t height, size_t width, size_t kernel, size_t stride, size_t padding) {
    return (espalier_sparse_geometry){
        .samples = samples,
        .channels = channels,
        .height = height,
        .width = width,
        .kernel_height = kernel,
        .kernel_width = kernel,
        .stride_height = stride,
        .stride_width = stride,
        .dilation_height = 1,
        .dilation_width = 1,
        .padding_top = padding,
        .padding_left = padding,
        .output_height = output_extent(height, kernel, stride, 1, padding, padding),
        .output_width = output_extent(width, kernel, stride, 1, padding, padding),
    };
}

void test_convolutions(espalier_isa isa) {
    const convolution usual[] = {
        // Of one tap: every remainder of lines, samples side by side, strides.
        {geometry(1, 12, 7, 7, 1, 1, 0), 9, 1, true},
        {geometry(5, 12, 7, 7, 1, 1, 0), 9, 1, true},
        {geometry(40, 3, 1, 1, 1, 1, 0), 5, 1, true},
        {geometry(2, 40, 14, 14, 1, 1, 0), 16, 1, true},
        {geometry(1, 5, 13, 11, 1, 2, 0), 4, 1, true},
        // Of three by three: the widths of usual networks and less.
        {geometry(1, 5, 28, 28, 3, 1, 1), 6, 1, true},
        {geometry(2, 6, 14, 14, 3, 1, 1), 16, 1, true},
        {geometry(7, 5, 2, 2, 3, 1, 1), 6, 1, true},
        {geometry(1, 5, 14, 15, 3, 2, 1), 6, 1, true},
        {geometry(1, 5, 12, 19, 3, 1, 0), 6, 1, true},
        // Patches; depthwise; groups; a padding that is all there is; no output at all.
        {geometry(1, 3, 20, 40, 5, 5, 0), 5, 1, true},
        {geometry(1, 8, 9, 9, 3, 1, 1), 8, 8, true},
        {geometry(2, 12, 9, 9, 3, 1, 1), 24, 3, true},
        {geometry(1, 2, 2, 2, 3, 1, 4), 3, 1, true},
        {geometry(1, 2, 2, 2, 3, 1, 0), 3, 1, true},
        {geometry(0, 2, 5, 5, 3, 1, 1), 3, 1, true},
        // Several blocks of depth; several blocks of rows.
        {geometry(1, 150, 7, 9, 3, 1, 1), 8, 1, true},
        {geometry(1, 2, 6, 6, 3, 1, 1), 1100, 1, true},
    };
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; ++i) {
        for (size_t variant = 0; variant < 4; ++variant) {
            check(isa, &usual[i], (weight_pattern)random_index(0, PATTERN_COUNT - 1), random_index(0, 3));
        }
    }
    for (int pattern = 0; pattern < PATTERN_COUNT; ++pattern) {
        check(isa, &(convolution){geometry(1, 9, 10, 17, 3, 1, 1), 32, 1, true}, (weight_pattern)pattern, 1);
        check(isa, &(convolution){geometry(2, 30, 6, 6, 1, 1, 0), 32, 2, true}, (weight_pattern)pattern, 1);
    }
    for (int i = 0; i < 500; ++i) {
        const size_t groups = random_index(1, 3);
        convolution c = {.groups = groups, .filters = groups * random_index(1, 9), .sparse = true};
        c.geometry = geometry(
            random_index(1, 3), groups * random_index(1, 6), random_index(1, 20), random_index(1, 20), 1, 1, 0);
        if (!random_chance(4)) {
            c.geometry.kernel_height = random_index(1, 4);
            c.geometry.kernel_width = random_index(1, 4);
        }
        draw_geometry(&c.geometry, random_chance(2) ? 1 : 3, 2, 3);
        check(isa, &c, (weight_pattern)random_index(0, PATTERN_COUNT - 1), random_index(0, 3));
    }
}
