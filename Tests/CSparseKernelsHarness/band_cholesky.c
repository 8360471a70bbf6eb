// Cholesky factors of band matrices.

#include <math.h>
#include <string.h>

#include "harness.h"

// Whether the product of the factor with its transpose is the matrix, up to the bound that the certificates use.
static void expect_factor(
    const double *matrix, const double *factor, size_t order, size_t bandwidth, size_t stride, double diagonal) {
    const double bound = 2 * (double)(bandwidth + 3) * 0x1p-53 * diagonal;
    for (size_t column = 0; column < order; ++column) {
        for (size_t offset = 0; offset <= bandwidth && column + offset < order; ++offset) {
            const size_t row = column + offset;
            double sum = 0;
            for (size_t k = row > bandwidth ? row - bandwidth : 0; k <= column; ++k) {
                sum += factor[k * stride + row - k] * factor[k * stride + column - k];
            }
            const double expected = matrix[column * stride + offset];
            if (!(fabs(sum - expected) <= bound)) {
                fail_case("element %zu, %zu of L L^T is %.17g, not %.17g", row, column, sum, expected);
            }
        }
    }
}

// A matrix with or without a pivot that is not positive.
static void check(espalier_isa isa, size_t order, size_t bandwidth, bool definite) {
    begin_case("%zu x %zu, bandwidth %zu%s", order, order, bandwidth, definite ? "" : ", indefinite");
    const size_t stride = bandwidth + ESPALIER_BAND_CHOLESKY_BLOCK + random_index(0, 3);
    const double diagonal = 2 * (double)bandwidth + 1;
    // Nothing lies behind the places of the last rows.
    const size_t count = order == 0 ? 0 : order * stride;
    double *matrix = allocate_doubles(count), *factor = allocate_doubles(count);
    double *scratch = allocate_doubles(espalier_band_cholesky_scratch(bandwidth));
    const size_t wrong = definite || order == 0 ? order : random_index(0, order - 1);
    for (size_t column = 0; column < order; ++column) {
        for (size_t offset = 0; offset < stride; ++offset) {
            double *element = matrix + column * stride + offset;
            if (column + offset >= order) continue;
            *element = offset == 0 ? diagonal : offset > bandwidth ? 0 : (double)random_float();
        }
        if (column == wrong) matrix[column * stride] = random_chance(2) ? -1 : NAN;
    }
    memcpy(factor, matrix, count * sizeof(double));
    const size_t done = espalier_band_cholesky(isa, factor, order, bandwidth, stride, scratch);
    if (done != wrong) fail_case("stopped at %zu instead of %zu", done, wrong);
    if (done == order) expect_factor(matrix, factor, order, bandwidth, stride, diagonal);
    // Places of rows that are not there keep the bytes of fresh memory.
    for (size_t column = 0; column < order; ++column) {
        for (size_t offset = order - column; offset < stride; ++offset) {
            const unsigned char *byte = (const unsigned char *)(factor + column * stride + offset);
            if (*byte != 0xff) {
                fail_case("wrote to row %zu of column %zu, which is not there", column + offset, column);
                return;
            }
        }
    }
}

void test_band_cholesky(espalier_isa isa) {
    static const size_t orders[] = {0, 1, 2, 3, 17, 63, 64, 65, 130, 200};
    for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); ++i) {
        const size_t order = orders[i];
        const size_t widest = order == 0 ? 0 : order - 1;
        const size_t bandwidths[] = {0, widest < 1 ? widest : 1, widest / 3, widest};
        for (size_t b = 0; b < sizeof(bandwidths) / sizeof(*bandwidths); ++b) {
            check(isa, order, bandwidths[b], true);
            check(isa, order, bandwidths[b], false);
        }
        check(isa, order, random_index(0, widest), true);
    }
}
