// What measurements are compared with must do what it is counted for.

#include "harness.h"

static void check_compressed_rows(
    espalier_isa isa, size_t rows, size_t columns, size_t samples, weight_pattern pattern) {
    begin_case(
        "compressed rows, %zu x %zu times %zu columns, nonzero: %s", rows, columns, samples, pattern_name(pattern));
    const float *weights = random_weights(rows, columns, pattern), *input = random_floats(columns * samples);
    uint32_t *starts = allocate_bytes((rows + 1) * sizeof(uint32_t));
    uint32_t *places = allocate_bytes(rows * columns * sizeof(uint32_t));
    float *values = allocate_floats(rows * columns), *output = allocate_floats(rows * samples);
    uint32_t count = 0;
    for (size_t row = 0; row < rows; ++row) {
        starts[row] = count;
        for (size_t column = 0; column < columns; ++column) {
            if (weights[row * columns + column] == 0) continue;
            places[count] = (uint32_t)column;
            values[count++] = weights[row * columns + column];
        }
    }
    starts[rows] = count;
    const espalier_csr_matrix matrix = {.rows = rows, .starts = starts, .columns = places, .values = values};
    espalier_csr_multiply(isa, &matrix, input, output, samples);
    for (size_t place = 0; place < rows * samples; ++place) {
        const size_t row = place / samples;
        exact_sum sum = {0};
        for (size_t element = starts[row]; element < starts[row + 1]; ++element) {
            add_product(&sum, (double)values[element], (double)input[places[element] * samples + place % samples]);
        }
        expect_sum(output[place], &sum, no_activation, place);
    }
}

// Every chain goes to 1, and a turn has as many multiply-accumulates as there are numbers in all chains.
static void check_chains(espalier_isa isa) {
    begin_case("multiplications in registers");
    expect_same(espalier_multiply_in_registers(isa, 100), (float)espalier_multiplies_per_turn(isa), 0);
}

// Whole numbers, whose sum is exact in any order.
static void check_reading(espalier_isa isa, size_t blocks) {
    const size_t count = blocks * espalier_read_granularity();
    begin_case("reading %zu numbers", count);
    float *numbers = allocate_floats(count), sum = 0;
    for (size_t i = 0; i < count; ++i) sum += numbers[i] = (float)(i % 31);
    expect_same(espalier_read(isa, numbers, count), sum, 0);
}

void test_baselines(espalier_isa isa) {
    const size_t samples[] = {0, 1, 7, 33};
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; ++i) {
        for (int pattern = 0; pattern < PATTERN_COUNT; ++pattern) {
            check_compressed_rows(isa, 9, 21, samples[i], (weight_pattern)pattern);
        }
    }
    check_chains(isa);
    for (size_t blocks = 0; blocks < 4; ++blocks) check_reading(isa, blocks);
}
