// Triangles of products in double precision.

#include <math.h>
#include <string.h>

#include "harness.h"

static double *random_matrix(size_t count) {
    double *values = allocate_doubles(count);
    for (size_t i = 0; i < count; ++i) values[i] = (double)random_float();
    return values;
}

static void check(espalier_isa isa, size_t depth, size_t order, size_t gap, bool same) {
    begin_case("%zu x %zu, columns %zu apart%s", depth, order, order + gap, same ? ", with itself" : "");
    const size_t leading = order + gap, count = order * leading;
    const double *left = random_matrix(depth * order);
    const double *right = same ? left : random_matrix(depth * order);
    double *result = random_matrix(count);
    double *before = allocate_doubles(count);
    memcpy(before, result, count * sizeof(double));
    espalier_add_triangle_product(
        isa, left, right, depth, order, result, leading,
        allocate_doubles(espalier_triangle_product_scratch(order)));
    for (size_t column = 0; column < order; ++column) {
        for (size_t row = 0; row < leading; ++row) {
            const size_t place = column * leading + row;
            double expected = before[place], magnitude = fabs(expected);
            if (row >= column && row < order) {
                for (size_t k = 0; k < depth; ++k) {
                    const double product = left[k * order + row] * right[k * order + column];
                    expected += product;
                    magnitude += fabs(product);
                }
            } else {
                magnitude = 0;
            }
            if (!(fabs(result[place] - expected) <= (double)(depth + 2) * 0x1p-52 * magnitude)) {
                fail_case("element %zu, %zu is %.17g, not %.17g", row, column, result[place], expected);
            }
        }
    }
}

void test_triangle_products(espalier_isa isa) {
    static const size_t depths[] = {0, 1, 2, 5, 127, 128, 129, 260};
    static const size_t orders[] = {0, 1, 2, 3, 7, 8, 15, 16, 17, 33, 70};
    for (size_t d = 0; d < sizeof(depths) / sizeof(*depths); ++d) {
        for (size_t o = 0; o < sizeof(orders) / sizeof(*orders); ++o) {
            check(isa, depths[d], orders[o], random_index(0, 3), random_chance(2));
        }
    }
}
