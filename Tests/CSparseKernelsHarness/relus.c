// The rectified linear function of arrays and its gradient.

#include <math.h>
#include <string.h>

#include "harness.h"

static float *copy_of(const float *values, size_t count, bool in_place) {
    float *copy = allocate_floats(count);
    if (in_place) memcpy(copy, values, count * sizeof *values);
    return copy;
}

// Not-a-number need not keep its bits.
static void expect_number(float found, float expected, size_t place) {
    if (isnan(expected) && isnan(found)) return;
    expect_same(found, expected, place);
}

static void check(espalier_isa isa, const float *values, size_t count, bool in_place) {
    float *result = copy_of(values, count, in_place);
    espalier_relu(isa, in_place ? result : values, result, count);
    for (size_t i = 0; i < count; ++i) expect_number(result[i], values[i] < 0 ? 0 : values[i], i);

    float *gradient = random_floats(count);
    poison(gradient, count);
    float *passed = copy_of(gradient, count, in_place);
    espalier_relu_gradient(isa, values, in_place ? passed : gradient, passed, count);
    for (size_t i = 0; i < count; ++i) expect_number(passed[i], values[i] > 0 ? gradient[i] : 0, i);
    // The result may take the outputs' place as well.
    float *outputs = copy_of(values, count, true);
    espalier_relu_gradient(isa, outputs, gradient, outputs, count);
    for (size_t i = 0; i < count; ++i) expect_number(outputs[i], values[i] > 0 ? gradient[i] : 0, i);
}

void test_relus(espalier_isa isa) {
    for (size_t count = 0; count <= 130; ++count) {
        for (int in_place = 0; in_place < 2; ++in_place) {
            begin_case("%zu numbers, in place %d", count, in_place);
            float *values = random_floats(count);
            poison(values, count);
            check(isa, values, count, in_place);
        }
    }
    begin_case("special numbers");
    const float special[] = {0, -0.0f, 1e-45f, -1e-45f, INFINITY, -INFINITY, NAN, 1, -1};
    check(isa, special, sizeof special / sizeof special[0], false);
}
