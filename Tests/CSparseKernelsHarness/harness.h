// What the tests of the kernels in C share: cases, random numbers, memory and exact sums.
//
// They need nothing but a C compiler, so that they also run where the Swift tests do not: in an emulator.
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CSparseKernels.h"

// MARK: Cases

// Begins a case, which messages name so, and releases the memory of the one before.
__attribute__((format(printf, 1, 2))) void begin_case(const char *format, ...);

// Reports a failure of the case. Of many in one case, the first few are printed.
__attribute__((format(printf, 1, 2))) void fail_case(const char *format, ...);

// MARK: Random numbers

// All that is drawn follows from the seed.
void seed_random(uint64_t seed);

// A number of first...last.
size_t random_index(size_t first, size_t last);

// True with a probability of one in `most`.
bool random_chance(size_t most);

// A number in -1...1, whose magnitude is at least 0.01.
float random_float(void);

// MARK: Memory

// Memory of the case, all bytes 0xff: numbers read from there before they are written are not-a-number. A page that may
// not be touched follows it, or a sanitizer watches it; what else surrounds it must be as it was when it is released.
// That for bytes begins at a multiple of 64, that for floats anywhere.
void *allocate_bytes(size_t count);
float *allocate_floats(size_t count);
double *allocate_doubles(size_t count);

// The same with random numbers.
float *random_floats(size_t count);

// The same with a copy of `count` bytes.
void *copy_bytes(const void *bytes, size_t count);

// MARK: Sums

// A sum of products in double precision, with what bounds the rounding errors of single precision.
typedef struct {
    double value;
    double magnitude;
    size_t terms;
} exact_sum;

static inline void add_product(exact_sum *sum, double left, double right) {
    const double product = left * right;
    sum->value += product;
    sum->magnitude += product < 0 ? -product : product;
    ++sum->terms;
}

// Fails the case unless element `place` of a result is the activation of the sum, which may be infinite or no number.
void expect_sum(float found, const exact_sum *sum, espalier_activation activation, size_t place);

extern const espalier_activation no_activation;

// Fails the case unless the bits of `found` are those of `expected`.
void expect_same(float found, float expected, size_t place);

// An epilogue with or without a bias for so many outputs, and with any activation; `residual` if wanted.
// With `kept`, only activations that let not-a-number and infinities through by the definition.
espalier_epilogue random_epilogue(size_t outputs, const float *residual, bool kept);

const char *activation_name(espalier_activation activation);

// MARK: Weights

// Where weights are not zero.
typedef enum {
    PATTERN_ALL,
    PATTERN_HALF,
    PATTERN_TENTH,
    PATTERN_HUNDREDTH,
    PATTERN_NONE,
    // The last element only.
    PATTERN_LAST,
    // In turns, rows without weights, with all and with few.
    PATTERN_ROWS,
    // In blocks of four consecutive rows, or of sixteen, of one column.
    PATTERN_FOUR_ROWS,
    PATTERN_SIXTEEN_ROWS,
    // In blocks of four rows and four columns, one of which lacks a weight.
    PATTERN_BROKEN_BLOCKS,
    // In blocks of one row and four columns.
    PATTERN_FOUR_COLUMNS,
    // Two of every four of a row.
    PATTERN_TWO_OF_FOUR,
    PATTERN_COUNT,
} weight_pattern;

const char *pattern_name(weight_pattern pattern);

// Row-major random weights with zeros, some of them negative.
float *random_weights(size_t rows, size_t columns, weight_pattern pattern);

// Makes about one element in 16 not-a-number or infinite.
void poison(float *values, size_t count);

// MARK: Topics

void test_products(espalier_isa isa);
void test_convolutions(espalier_isa isa);
void test_depthwise(espalier_isa isa);
void test_depthwise_channels(espalier_isa isa);
void test_vectors(espalier_isa isa);
void test_batches(espalier_isa isa);
void test_narrow_convolutions(espalier_isa isa);
void test_optimizers(espalier_isa isa);
void test_relus(espalier_isa isa);
void test_accumulation(espalier_isa isa);
void test_band_cholesky(espalier_isa isa);
void test_batch_norms(espalier_isa isa);
void test_bound_lines(espalier_isa isa);
void test_baselines(espalier_isa isa);
void test_transpositions(espalier_isa isa);
void test_triangle_products(espalier_isa isa);
void test_error_function(espalier_isa isa);
void test_max_pooling(espalier_isa isa);
void test_masked_products(espalier_isa isa);

#endif
