// Steps of optimisers, against the same formulas in double precision.

#include <math.h>
#include <string.h>

#include "harness.h"

// Lengths around every register's width.
static const size_t counts[] = {0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 67};

static uint8_t *random_mask(size_t count) {
    uint8_t *mask = allocate_bytes(count);
    for (size_t i = 0; i < count; ++i) mask[i] = random_chance(3) ? 0 : (uint8_t)random_index(1, 255);
    return mask;
}

static float *positive_floats(size_t count) {
    float *values = random_floats(count);
    for (size_t i = 0; i < count; ++i) values[i] = fabsf(values[i]);
    return values;
}

// A step has fewer than twelve roundings, none of a number above 2 in magnitude.
static void expect_near(float found, double expected, const char *name, size_t place) {
    const double error = fabs((double)found - expected);
    if (!(error <= 12 * 2 * 0x1p-24)) {
        fail_case("%s %zu is %.9g, not %.9g: error %.2g", name, place, (double)found, expected, error);
    }
}

// Where the mask is 0, the number is 0 with all its bits.
static bool expect_masked(const uint8_t *mask, float found, size_t place) {
    if (!mask || mask[place] != 0) return false;
    expect_same(found, 0, place);
    return true;
}

static void check_sgd(espalier_isa isa, size_t count, float momentum, bool nesterov, bool masked) {
    begin_case("sgd, %zu weights, momentum %g, nesterov %d, mask %d", count, (double)momentum, nesterov, masked);
    const espalier_sgd settings = {
        .gradient_scale = 0.5f, .learning_rate = 0.1f, .weight_decay = 0.01f, .momentum = momentum,
        .nesterov = nesterov};
    const float *before = random_floats(count), *velocities = random_floats(count);
    float *gradients = random_floats(count);
    const uint8_t *mask = masked ? random_mask(count) : NULL;
    for (size_t i = 0; mask && i < count; ++i) {
        if (mask[i] == 0 && random_chance(2)) gradients[i] = NAN;
    }
    float *weights = allocate_floats(count), *velocity = momentum == 0 ? NULL : allocate_floats(count);
    memcpy(weights, before, count * sizeof(float));
    if (velocity) memcpy(velocity, velocities, count * sizeof(float));
    espalier_sgd_step(isa, &settings, weights, gradients, velocity, mask, count);
    for (size_t i = 0; i < count; ++i) {
        if (expect_masked(mask, weights[i], i)) {
            if (velocity) expect_masked(mask, velocity[i], i);
            continue;
        }
        const double m = (double)momentum;
        const double direction =
            (double)settings.gradient_scale * (double)gradients[i] + (double)settings.weight_decay * (double)before[i];
        const double moved = velocity ? m * (double)velocities[i] + direction : direction;
        const double step = nesterov ? direction + m * moved : moved;
        expect_near(weights[i], (double)before[i] - (double)settings.learning_rate * step, "weight", i);
        if (velocity) expect_near(velocity[i], moved, "momentum", i);
    }
}

static void check_adam(espalier_isa isa, size_t count, bool masked) {
    begin_case("adam, %zu weights, mask %d", count, masked);
    const espalier_adam settings = {
        .gradient_scale = 0.5f,
        .corrected_rate = 0.02f,
        .root_correction = 1.5f,
        .beta1 = 0.9f,
        .beta2 = 0.99f,
        .beta1_complement = 0.1f,
        .beta2_complement = 0.01f,
        .epsilon = 1e-6f,
        .coupled_decay = 0.03f,
        .retention = 0.95f,
    };
    const float *before = random_floats(count), *means = random_floats(count), *squares = positive_floats(count);
    float *gradients = random_floats(count);
    const uint8_t *mask = masked ? random_mask(count) : NULL;
    for (size_t i = 0; mask && i < count; ++i) {
        if (mask[i] == 0 && random_chance(2)) gradients[i] = INFINITY;
    }
    float *weights = allocate_floats(count), *first = allocate_floats(count), *second = allocate_floats(count);
    memcpy(weights, before, count * sizeof(float));
    memcpy(first, means, count * sizeof(float));
    memcpy(second, squares, count * sizeof(float));
    espalier_adam_step(isa, &settings, weights, gradients, first, second, mask, count);
    for (size_t i = 0; i < count; ++i) {
        if (expect_masked(mask, weights[i], i)) {
            expect_masked(mask, first[i], i);
            expect_masked(mask, second[i], i);
            continue;
        }
        const double direction =
            (double)settings.gradient_scale * (double)gradients[i] + (double)settings.coupled_decay * (double)before[i];
        const double mean =
            (double)settings.beta1 * (double)means[i] + (double)settings.beta1_complement * direction;
        const double square =
            (double)settings.beta2 * (double)squares[i] + (double)settings.beta2_complement * direction * direction;
        const double root = sqrt(square) * (double)settings.root_correction + (double)settings.epsilon;
        expect_near(
            weights[i], (double)settings.retention * (double)before[i] - (double)settings.corrected_rate * mean / root,
            "weight", i);
        expect_near(first[i], mean, "first moment", i);
        expect_near(second[i], square, "second moment", i);
    }
}

static void check_sum_of_squares(espalier_isa isa, size_t count, bool masked) {
    begin_case("sum of squares of %zu numbers, mask %d", count, masked);
    const float *values = random_floats(count);
    const uint8_t *mask = masked ? random_mask(count) : NULL;
    double expected = 0;
    for (size_t i = 0; i < count; ++i) {
        if (!mask || mask[i] != 0) expected += (double)values[i] * (double)values[i];
    }
    const double found = espalier_sum_of_squares(isa, values, mask, count);
    if (!(fabs(found - expected) <= (double)count * 0x1p-53 * expected)) {
        fail_case("it is %.17g, not %.17g", found, expected);
    }
    const double portable = espalier_sum_of_squares(ESPALIER_ISA_PORTABLE, values, mask, count);
    if (found != portable) fail_case("it is %.17g, %.17g with the portable instructions", found, portable);
}

void test_optimizers(espalier_isa isa) {
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) {
        for (int masked = 0; masked < 2; ++masked) {
            check_sgd(isa, counts[i], 0, false, masked);
            check_sgd(isa, counts[i], 0.9f, false, masked);
            check_sgd(isa, counts[i], 0.9f, true, masked);
            check_adam(isa, counts[i], masked);
            check_sum_of_squares(isa, counts[i], masked);
        }
    }
}
