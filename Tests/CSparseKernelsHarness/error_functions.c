// The error function of arrays.

#include <math.h>
#include <string.h>

#include "harness.h"

static void expect_error_function(float found, float z, size_t place) {
    const double exact = erf((double)z);
    // Numbers below the least normal one are not as exact.
    const double tolerance = fmin(1.6e-7, 1.9e-7 * fabs(exact)) + 1.5e-45;
    if (isnan(z) ? !isnan(found) : !(fabs((double)found - exact) <= tolerance)) {
        fail_case("erf(%.9g), element %zu, is %.9g, not %.9g", (double)z, place, (double)found, exact);
    }
    if (signbit(found) != signbit(z) && !isnan(z)) fail_case("erf(%.9g) has the wrong sign", (double)z);
}

static void check(espalier_isa isa, const float *values, size_t count, bool in_place) {
    float *source = allocate_floats(count), *destination = in_place ? source : allocate_floats(count);
    memcpy(source, values, count * sizeof(float));
    espalier_error_function(isa, source, destination, count);
    for (size_t i = 0; i < count; ++i) expect_error_function(destination[i], values[i], i);
}

void test_error_function(espalier_isa isa) {
    for (size_t count = 0; count <= 70; ++count) {
        begin_case("%zu numbers", count);
        float *values = random_floats(count);
        for (size_t i = 0; i < count; ++i) values[i] *= 5;
        poison(values, count);
        check(isa, values, count, count % 2 == 0);
    }
    begin_case("special numbers");
    const float special[] = {0,      -0.0f, 1e-45f, -1e-38f, 0.99999994f, 1,   -1,
                             -3.93f, 3.92f, 10,     -3e38f,  INFINITY,    NAN, -INFINITY};
    check(isa, special, sizeof special / sizeof special[0], false);
    begin_case("from 4 on it is 1");
    float ends[] = {4, -4, 5, INFINITY, -INFINITY};
    espalier_error_function(isa, ends, ends, 5);
    for (size_t i = 0; i < 5; ++i) expect_same(ends[i], i == 1 || i == 4 ? -1 : 1, i);
    // A share of all floats of 2^-24...8, about evenly spread over their logarithms.
    enum { SOME = 1024 };
    for (uint32_t start = 0x33800000; start < 0x41000000; start += SOME * 1009) {
        begin_case("numbers from the one with bits %x on", start);
        float values[SOME];
        for (uint32_t i = 0; i < SOME; ++i) {
            const uint32_t bits = start + i * 1009;
            memcpy(values + i, &bits, sizeof bits);
        }
        check(isa, values, SOME, false);
    }
}
