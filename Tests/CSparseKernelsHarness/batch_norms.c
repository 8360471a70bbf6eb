// Batch normalisation of rows and its gradient.

#include <math.h>

#include "harness.h"

// What rounding may do to a sum of so many terms in blocks, or to a result of a few operations.
static const double tolerance = 1e-5;

static void expect_near(double found, double expected, double magnitude, const char *what, size_t place) {
    if (fabs(found - expected) <= tolerance * (magnitude + 1e-30)) return;
    fail_case("%s %zu: %.9g instead of %.9g", what, place, found, expected);
}

// Of a channel: the sum of first factors, the sum of their products with the second ones, and what bounds their rounding.
typedef struct {
    double plain, plain_magnitude;
    double products, product_magnitude;
} channel_sums;

static void expect_sums(const double *found, const channel_sums *expected, size_t channels) {
    for (size_t c = 0; c < channels; ++c) {
        expect_near(found[c], expected[c].plain, expected[c].plain_magnitude, "sum", c);
        expect_near(found[channels + c], expected[c].products, expected[c].product_magnitude, "product", c);
    }
}

static void add(channel_sums *sums, double factor, double other) {
    sums->plain += factor;
    sums->plain_magnitude += fabs(factor);
    sums->products += factor * other;
    sums->product_magnitude += fabs(factor * other);
}

static void check(espalier_isa isa, size_t rows, size_t channels) {
    begin_case("%zu rows of %zu channels", rows, channels);
    const size_t count = rows * channels;
    const float *source = random_floats(count), *gradient = random_floats(count);
    const float *origin = random_floats(channels), *gradient_origin = random_floats(channels);
    const float *scale = random_floats(channels), *shift = random_floats(channels);
    double *sums = allocate_doubles(2 * channels);
    channel_sums *squares = allocate_bytes(channels * sizeof *squares);
    channel_sums *products = allocate_bytes(channels * sizeof *products);
    for (size_t c = 0; c < channels; ++c) squares[c] = products[c] = (channel_sums){0};
    for (size_t i = 0; i < count; ++i) {
        const size_t c = i % channels;
        const double centred = (double)source[i] - (double)origin[c];
        add(&squares[c], centred, centred);
        add(&products[c], (double)gradient[i], centred);
    }
    espalier_batch_norm_sums(isa, source, rows, channels, origin, sums);
    expect_sums(sums, squares, channels);
    espalier_batch_norm_gradient_sums(isa, source, gradient, rows, channels, origin, sums);
    expect_sums(sums, products, channels);

    float *result = allocate_floats(count);
    espalier_batch_norm_apply(isa, source, rows, channels, origin, scale, shift, result);
    for (size_t i = 0; i < count; ++i) {
        const size_t c = i % channels;
        const double product = ((double)source[i] - (double)origin[c]) * (double)scale[c];
        expect_near((double)result[i], product + (double)shift[c], 4, "result", i);
    }
    espalier_batch_norm_gradient(
        isa, source, gradient, rows, channels, origin, gradient_origin, scale, shift, result);
    for (size_t i = 0; i < count; ++i) {
        const size_t c = i % channels;
        const double first = ((double)gradient[i] - (double)gradient_origin[c]) * (double)scale[c];
        const double second = ((double)source[i] - (double)origin[c]) * (double)shift[c];
        expect_near((double)result[i], first + second, 4, "gradient", i);
    }
}

void test_batch_norms(espalier_isa isa) {
    // Every length of a line.
    for (size_t channels = 1; channels <= 140; ++channels) {
        check(isa, random_index(1, 40), channels);
        check(isa, random_index(500, 700), channels);
    }
    check(isa, 20000, 3);
    for (size_t channels = 510; channels <= 514; ++channels) check(isa, random_index(1, 40), channels);
    check(isa, 30, 1100);
}
