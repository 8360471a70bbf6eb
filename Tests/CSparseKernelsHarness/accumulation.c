// Sums and squares of arrays.

#include <math.h>
#include <string.h>

#include "harness.h"

static const size_t counts[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 100};

enum { SINGLE_KINDS = 3, DOUBLE_KINDS = 4 };

static void check_single(espalier_isa isa, size_t count, int kind) {
    static const char *const names[SINGLE_KINDS] = {"add", "add squares", "square"};
    begin_case("%s, %zu numbers", names[kind], count);
    const float *source = random_floats(count), *before = random_floats(count);
    float *target = allocate_floats(count);
    memcpy(target, before, count * sizeof(float));
    switch (kind) {
        case 0: espalier_add(isa, source, target, count); break;
        case 1: espalier_add_squares(isa, source, target, count); break;
        case 2: espalier_square(isa, source, target, count); break;
    }
    for (size_t i = 0; i < count; ++i) {
        exact_sum sum = {0};
        if (kind < 2) add_product(&sum, (double)before[i], 1);
        add_product(&sum, (double)source[i], kind == 0 ? 1 : (double)source[i]);
        expect_sum(target[i], &sum, no_activation, i);
    }
}

// Products of two floats are exact in double precision: there is one rounding, wherever it happens.
static void expect_exact(double found, double expected, size_t place) {
    if (found != expected) fail_case("element %zu is %.17g, not %.17g", place, found, expected);
}

static double *random_doubles(size_t count) {
    double *values = allocate_doubles(count);
    for (size_t i = 0; i < count; ++i) values[i] = (double)random_float();
    return values;
}

static void check_double(espalier_isa isa, size_t count, int kind) {
    static const char *const names[DOUBLE_KINDS] = {
        "add widened", "add widened squares", "add widened magnitudes", "add widened products"};
    begin_case("%s, %zu numbers", names[kind], count);
    const float *source = random_floats(count), *other = random_floats(count);
    const double *before = random_doubles(count);
    double *target = allocate_doubles(count);
    memcpy(target, before, count * sizeof(double));
    switch (kind) {
        case 0: espalier_add_widened(isa, source, target, count); break;
        case 1: espalier_add_widened_squares(isa, source, target, count); break;
        case 2: espalier_add_widened_magnitudes(isa, source, target, count); break;
        case 3: espalier_add_widened_products(isa, source, other, target, count); break;
    }
    for (size_t i = 0; i < count; ++i) {
        const double x = (double)source[i];
        const double added[DOUBLE_KINDS] = {x, x * x, fabs(x), x * (double)other[i]};
        expect_exact(target[i], before[i] + added[kind], i);
    }
}

static void check_outer_products(espalier_isa isa, size_t count, size_t size, size_t gap) {
    begin_case("outer products of %zu rows of %zu, gap %zu", count, size, gap);
    const size_t stride = size + gap;
    float *rows = random_floats(count == 0 ? 0 : (count - 1) * stride + size);
    for (size_t r = 0; r < count; ++r) {
        for (size_t i = 0; i < size; ++i) {
            if (random_chance(3)) rows[r * stride + i] = 0;
        }
    }
    const double *before = random_doubles(size * size);
    double *row = allocate_doubles(size), *target = allocate_doubles(size * size);
    memcpy(target, before, size * size * sizeof(double));
    espalier_add_outer_products(isa, rows, count, stride, size, row, target);
    for (size_t i = 0; i < size; ++i) {
        for (size_t j = 0; j < size; ++j) {
            double sum = before[i * size + j];
            for (size_t r = 0; r < count; ++r) sum += (double)rows[r * stride + i] * (double)rows[r * stride + j];
            expect_exact(target[i * size + j], sum, i * size + j);
        }
    }
}

void test_accumulation(espalier_isa isa) {
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) {
        for (int kind = 0; kind < SINGLE_KINDS; ++kind) check_single(isa, counts[i], kind);
        for (int kind = 0; kind < DOUBLE_KINDS; ++kind) check_double(isa, counts[i], kind);
        if (counts[i] <= 33) check_outer_products(isa, random_index(0, 9), counts[i], random_index(0, 2));
    }
}
