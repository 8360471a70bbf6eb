// The largest elements of windows.

#include <float.h>

#include "harness.h"

// As ONNX Runtime and oneDNN do: what is not above the largest so far does not count.
static float largest(const espalier_max_pooling *p, const float *plane, size_t row, size_t column) {
    float best = -FLT_MAX;
    for (size_t y = row * p->stride_height; y < row * p->stride_height + p->kernel_height; ++y) {
        for (size_t x = column * p->stride_width; x < column * p->stride_width + p->kernel_width; ++x) {
            if (y < p->padding_top || y >= p->padding_top + p->height) continue;
            if (x < p->padding_left || x >= p->padding_left + p->width) continue;
            const float value = plane[(y - p->padding_top) * p->width + x - p->padding_left];
            if (value > best) best = value;
        }
    }
    return best;
}

// `planes` are pooled in two parts.
static void check(espalier_isa isa, espalier_max_pooling p, size_t planes, bool poisoned) {
    begin_case(
        "%zu planes %zux%zu, kernel %zux%zu, stride %zux%zu, padding %zu and %zu, to %zux%zu, poisoned %d", planes,
        p.height, p.width, p.kernel_height, p.kernel_width, p.stride_height, p.stride_width, p.padding_top,
        p.padding_left, p.output_height, p.output_width, poisoned);
    const size_t inputs = p.height * p.width, outputs = p.output_height * p.output_width;
    float *source = random_floats(planes * inputs);
    if (poisoned) poison(source, planes * inputs);
    float *destination = allocate_floats(planes * outputs);
    const size_t cut = random_index(0, planes);
    espalier_max_pool(isa, &p, source, destination, cut, planes);
    espalier_max_pool(isa, &p, source, destination, 0, cut);
    for (size_t place = 0; place < planes * outputs; ++place) {
        const size_t plane = place / outputs, row = place % outputs / p.output_width;
        expect_same(
            destination[place], largest(&p, source + plane * inputs, row, place % p.output_width), place);
    }
}

// The padding is the same on all sides.
static void check_padded(
    espalier_isa isa, size_t kernel_height, size_t kernel_width, size_t stride, size_t padding, size_t height,
    size_t width) {
    const size_t padded_height = height + 2 * padding, padded_width = width + 2 * padding;
    if (padded_height < kernel_height || padded_width < kernel_width) return;
    const espalier_max_pooling p = {
        .height = height,
        .width = width,
        .kernel_height = kernel_height,
        .kernel_width = kernel_width,
        .stride_height = stride,
        .stride_width = stride,
        .padding_top = padding,
        .padding_left = padding,
        .output_height = (padded_height - kernel_height) / stride + 1,
        .output_width = (padded_width - kernel_width) / stride + 1,
    };
    check(isa, p, random_index(0, 2), random_chance(3));
}

void test_max_pooling(espalier_isa isa) {
    // Every tail of the registers of windows, with and without padding.
    for (size_t width = 1; width <= 70; ++width) {
        const size_t height = random_index(1, 9);
        for (size_t kernel = 1; kernel <= 5; ++kernel) {
            for (size_t stride = 1; stride <= 3; ++stride) {
                check_padded(isa, kernel, kernel, stride, 0, height, width);
                check_padded(isa, kernel, kernel, stride, kernel / 2, height, width);
            }
        }
    }
    // Lines of more columns than are kept, and windows of more.
    check_padded(isa, 5, 5, 1, 2, 6, 2500);
    check_padded(isa, 5, 5, 2, 2, 6, 2500);
    check_padded(isa, 7, 7, 3, 3, 7, 2500);
    check_padded(isa, 1, 700, 1, 2, 1, 1300);
    check_padded(isa, 2, 700, 2, 2, 1, 1300);
    check_padded(isa, 2, 1100, 600, 2, 1, 2500);
    // Windows that leave the padding or see nothing but padding.
    for (int i = 0; i < 600; ++i) {
        const espalier_max_pooling p = {
            .height = random_index(1, 12),
            .width = random_index(1, 60),
            .kernel_height = random_index(1, 5),
            .kernel_width = random_index(1, 6),
            .stride_height = random_index(1, 4),
            .stride_width = random_index(1, 4),
            .padding_top = random_index(0, 6),
            .padding_left = random_index(0, 8),
            .output_height = random_index(0, 9),
            .output_width = random_index(0, 40),
        };
        check(isa, p, random_index(0, 3), random_chance(3));
    }
}
