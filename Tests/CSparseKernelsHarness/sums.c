#include <float.h>
#include <math.h>
#include <string.h>

#include "harness.h"

const espalier_activation no_activation = {.function = ESPALIER_ACTIVATION_NONE};

const char *activation_name(espalier_activation activation) {
    switch (activation.function) {
        case ESPALIER_ACTIVATION_NONE: return "no activation";
        case ESPALIER_ACTIVATION_RELU: return "relu";
        case ESPALIER_ACTIVATION_CLIP: return "clip";
        case ESPALIER_ACTIVATION_HARD_SWISH: return "hard-swish";
        case ESPALIER_ACTIVATION_GELU: return "gelu";
    }
    return "?";
}

espalier_epilogue random_epilogue(size_t outputs, const float *residual, bool kept) {
    return (espalier_epilogue){
        .bias = random_chance(2) ? random_floats(outputs) : NULL,
        .residual = residual,
        .activation = {
            .function = (espalier_activation_function)random_index(0, kept ? 2 : 4), .lower = -0.25f, .upper = 0.5f},
    };
}

static double activate(double x, espalier_activation activation) {
    if (isnan(x)) return x;
    switch (activation.function) {
        case ESPALIER_ACTIVATION_NONE: return x;
        case ESPALIER_ACTIVATION_RELU: return fmax(x, 0);
        case ESPALIER_ACTIVATION_CLIP: return fmin(fmax(x, (double)activation.lower), (double)activation.upper);
        case ESPALIER_ACTIVATION_HARD_SWISH: return x * fmin(fmax(x / 6 + 0.5, 0), 1);
        case ESPALIER_ACTIVATION_GELU: return x / 2 * (1 + erf(x / sqrt(2)));
    }
    return x;
}

// How far the activation may be off where its argument is exact, and what becomes of an error of the argument.
static double activation_error(double x, espalier_activation activation) {
    const bool approximate = activation.function == ESPALIER_ACTIVATION_HARD_SWISH ||
                             activation.function == ESPALIER_ACTIVATION_GELU;
    return approximate ? 3e-7 * fmax(1, fabs(x)) : 0;
}

static double steepest_slope(espalier_activation activation) {
    switch (activation.function) {
        case ESPALIER_ACTIVATION_HARD_SWISH: return 1.5;
        case ESPALIER_ACTIVATION_GELU: return 1.13;
        default: return 1;
    }
}

void expect_sum(float found, const exact_sum *sum, espalier_activation activation, size_t place) {
    const double expected = activate(sum->value, activation);
    if (!isfinite(sum->value)) {
        if (isnan(expected) ? !isnan(found) : (double)found != expected) {
            fail_case("element %zu is %g, not %g", place, (double)found, expected);
        }
        return;
    }
    // Each product and each addition rounds by half a unit in the last place of no more than the sum of magnitudes; one
    // more for a scale, and some to spare for partial sums that exceed it by their own roundings.
    const double rounding = (double)(sum->terms + 3) * (FLT_EPSILON / 2) * 1.01;
    const double allowed = steepest_slope(activation) * rounding * sum->magnitude +
                           activation_error(sum->value, activation) + (double)FLT_MIN;
    const double error = fabs((double)found - expected);
    if (!(error <= allowed)) {
        fail_case(
            "element %zu is %.9g, not %.9g: error %.2g, allowed %.2g", place, (double)found, expected, error, allowed);
    }
}

void expect_same(float found, float expected, size_t place) {
    if (memcmp(&found, &expected, sizeof found) != 0) {
        fail_case("element %zu is %.9g, not %.9g", place, (double)found, (double)expected);
    }
}
