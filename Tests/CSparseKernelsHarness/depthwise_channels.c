// Depthwise convolutions, channels in blocks.

#include "convolution_sums.h"

// Whole blocks of what has its channels outermost, with zeros where there is no channel.
static float *block_channels(
    const float *planes, size_t samples, size_t channels, size_t positions, size_t block) {
    const size_t blocks = (channels + block - 1) / block;
    float *blocked = allocate_floats(samples * blocks * positions * block);
    for (size_t i = 0; i < samples * blocks * positions * block; ++i) {
        const size_t channel = i / block / positions % blocks * block + i % block;
        const size_t sample = i / block / positions / blocks, position = i / block % positions;
        blocked[i] = channel < channels ? planes[(sample * channels + channel) * positions + position] : 0;
    }
    return blocked;
}

static void check(espalier_isa isa, const convolution *c, size_t block) {
    const espalier_sparse_geometry *g = &c->geometry;
    const bool poisoned = random_chance(4);
    begin_case("%s, blocks of %zu, poisoned %d", convolution_name(c), block, poisoned);
    if (!espalier_depthwise_channels_supports(g)) {
        fail_case("there is no kernel");
        return;
    }
    const size_t blocks = g->samples * ((g->channels + block - 1) / block), cut = random_index(0, blocks);
    const size_t positions = g->output_height * g->output_width;
    const float *weights = random_floats(g->channels * g->kernel_height * g->kernel_width);
    float *input = random_floats(convolution_inputs(c));
    if (poisoned) poison(input, convolution_inputs(c));
    const espalier_epilogue epilogue = random_epilogue(g->channels, NULL, poisoned);
    float *packed = allocate_floats(espalier_depthwise_channels_packed_floats(g, block));
    espalier_depthwise_channels_pack(g, block, weights, epilogue.bias, packed);
    const float *blocked = block_channels(input, g->samples, g->channels, g->height * g->width, block);
    float *output = allocate_floats(blocks * positions * block);
    float *scratch = allocate_floats(espalier_depthwise_channels_scratch(g, block) / sizeof(float));
    espalier_depthwise_channels_convolution(
        isa, g, block, blocked, packed, output, epilogue.activation, cut, blocks, scratch);
    espalier_depthwise_channels_convolution(
        isa, g, block, blocked, packed, output, epilogue.activation, 0, cut, scratch);
    float *planes = allocate_floats(convolution_outputs(c));
    for (size_t i = 0; i < blocks * positions * block; ++i) {
        const size_t plane = i / block / positions, position = i / block % positions;
        const size_t channel = plane % (blocks / g->samples) * block + i % block;
        const size_t sample = plane / (blocks / g->samples);
        if (channel < g->channels) planes[(sample * g->channels + channel) * positions + position] = output[i];
        else expect_same(output[i], 0, i);
    }
    expect_convolution(c, input, weights, &epilogue, NULL, planes);
}

static void check_square(espalier_isa isa, size_t height, size_t width, size_t kernel, size_t stride, size_t padding) {
    convolution c = {
        .geometry = {
            .samples = random_index(1, 2),
            .channels = random_index(1, 40),
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
    check(isa, &c, random_chance(2) ? 8 : 16);
}

static void expect_refusal(espalier_sparse_geometry geometry) {
    begin_case("refused kernel %zux%zu", geometry.kernel_height, geometry.kernel_width);
    if (espalier_depthwise_channels_supports(&geometry)) fail_case("there is a kernel");
}

void test_depthwise_channels(espalier_isa isa) {
    for (size_t kernel = 3; kernel <= 5; kernel += 2) {
        for (size_t stride = 1; stride <= 2; ++stride) {
            // Every tail of tiles; inputs smaller than the kernel.
            for (size_t width = 1; width <= 15; ++width) {
                check_square(isa, (width * 5) % 14 + 1, width, kernel, stride, kernel / 2);
            }
            for (int i = 0; i < 60; ++i) {
                check_square(isa, random_index(1, 15), random_index(1, 20), kernel, stride, random_index(0, 6));
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
