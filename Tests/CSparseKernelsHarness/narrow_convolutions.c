// Convolutions of few input channels, channels last: the outputs and the gradients of the weights.

#include "harness.h"

typedef struct {
    size_t filters;
    size_t channels;
    size_t kernel;
    size_t height;
    size_t width;
    size_t stride;
} narrow;

static size_t outputs_along(const narrow *n, size_t extent) { return (extent - n->kernel) / n->stride + 1; }

// The offsets of all taps in a frame [channels, height, width], and the number of taps; with one tap more, if wanted,
// that finds ones behind the frame.
static espalier_narrow_convolution raw_convolution(const narrow *n, bool ones) {
    const size_t plane = n->height * n->width, taps = n->channels * n->kernel * n->kernel;
    int32_t *offsets = allocate_bytes((taps + ones) * sizeof(int32_t));
    for (size_t tap = 0; tap < taps; ++tap) {
        const size_t channel = tap / (n->kernel * n->kernel), row = tap / n->kernel % n->kernel;
        offsets[tap] = (int32_t)(channel * plane + row * n->width + tap % n->kernel);
    }
    if (ones) offsets[taps] = (int32_t)(n->channels * plane);
    return (espalier_narrow_convolution){
        .offsets = offsets,
        .taps = taps + ones,
        .filters = n->filters,
        .output_height = outputs_along(n, n->height),
        .output_width = outputs_along(n, n->width),
        .row_step = n->stride * n->width,
        .column_step = n->stride,
    };
}

static void check_forward(espalier_isa isa, const narrow *n, bool has_bias, bool relu, bool poisoned) {
    begin_case(
        "forward, %zu filters of %zu channels %zux%zu, stride %zu, on %zux%zu, bias %d, relu %d, poisoned %d",
        n->filters, n->channels, n->kernel, n->kernel, n->stride, n->height, n->width, has_bias, relu, poisoned);
    const espalier_narrow_convolution raw = raw_convolution(n, false);
    const size_t row = espalier_narrow_row(n->filters);
    const size_t frame_floats = n->channels * n->height * n->width;
    float *frame = random_floats(frame_floats);
    if (poisoned) poison(frame, frame_floats);
    const float *weights = random_floats(n->filters * raw.taps);
    const float *bias = has_bias ? random_floats(row) : NULL;
    float *packed = allocate_floats(raw.taps * row);
    espalier_narrow_pack(weights, packed, n->filters, raw.taps);
    float *output = allocate_floats(raw.output_height * raw.output_width * n->filters);
    espalier_narrow_forward(isa, &raw, frame, packed, bias, relu, output);
    const espalier_activation activation = {relu ? ESPALIER_ACTIVATION_RELU : ESPALIER_ACTIVATION_NONE, 0, 0};
    for (size_t place = 0; place < raw.output_height * raw.output_width * n->filters; ++place) {
        const size_t filter = place % n->filters, position = place / n->filters;
        const float *first =
            frame + position / raw.output_width * raw.row_step + position % raw.output_width * raw.column_step;
        exact_sum sum = {0};
        if (bias) add_product(&sum, (double)bias[filter], 1);
        for (size_t tap = 0; tap < raw.taps; ++tap) {
            add_product(&sum, (double)weights[filter * raw.taps + tap], (double)first[raw.offsets[tap]]);
        }
        expect_sum(output[place], &sum, activation, place);
    }
}

static void check_gradient(espalier_isa isa, const narrow *n) {
    begin_case(
        "gradient, %zu filters of %zu channels %zux%zu, stride %zu, on %zux%zu", n->filters, n->channels, n->kernel,
        n->kernel, n->stride, n->height, n->width);
    const espalier_narrow_convolution raw = raw_convolution(n, true);
    const size_t row = espalier_narrow_row(n->filters);
    const size_t plane = n->height * n->width;
    float *frame = random_floats((n->channels + 1) * plane);
    for (size_t i = 0; i < plane; ++i) frame[n->channels * plane + i] = 1;
    const size_t positions = raw.output_height * raw.output_width;
    const float *gradient = random_floats(positions * n->filters);
    // It adds to what is there.
    float *sums = allocate_floats(raw.taps * row), *weights = allocate_floats(n->filters * raw.taps);
    for (size_t i = 0; i < raw.taps * row; ++i) sums[i] = 0.5f;
    espalier_narrow_weights_gradient(isa, &raw, frame, gradient, sums);
    espalier_narrow_unpack(sums, weights, n->filters, raw.taps);
    for (size_t place = 0; place < n->filters * raw.taps; ++place) {
        const size_t filter = place / raw.taps, tap = place % raw.taps;
        exact_sum sum = {0};
        add_product(&sum, 0.5, 1);
        for (size_t position = 0; position < positions; ++position) {
            const float *first =
                frame + position / raw.output_width * raw.row_step + position % raw.output_width * raw.column_step;
            add_product(&sum, (double)gradient[position * n->filters + filter], (double)first[raw.offsets[tap]]);
        }
        expect_sum(weights[place], &sum, no_activation, place);
    }
}

static void check(espalier_isa isa, narrow n) {
    check_forward(isa, &n, random_chance(2), random_chance(2), random_chance(4));
    check_gradient(isa, &n);
}

void test_narrow_convolutions(espalier_isa isa) {
    // Every tail of the tiles of positions, of the registers of filters and of the tiles of taps.
    for (size_t width = 2; width <= 27; ++width) check(isa, (narrow){width % 7 + 1, 1, 2, 3, width, 1});
    const size_t filters[] = {1, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 50};
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; ++i) check(isa, (narrow){filters[i], 1, 3, 5, 6, 1});
    for (size_t kernel = 1; kernel <= 7; ++kernel) check(isa, (narrow){18, 1, kernel, 9, 10, 1});
    for (int i = 0; i < 250; ++i) {
        const size_t kernel = random_index(1, 5);
        check(
            isa, (narrow){
                     .filters = random_index(1, 40),
                     .channels = random_index(1, 3),
                     .kernel = kernel,
                     .height = kernel + random_index(0, 8),
                     .width = kernel + random_index(0, 20),
                     .stride = random_index(1, 3),
                 });
    }
}
