#include <math.h>

#include "harness.h"

static uint64_t state;

void seed_random(uint64_t seed) { state = seed; }

// SplitMix64 (Steele, Lea and Flood 2014).
static uint64_t next(void) {
    uint64_t x = state += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

size_t random_index(size_t first, size_t last) { return first + (size_t)(next() % (last - first + 1)); }

bool random_chance(size_t most) { return random_index(1, most) == 1; }

float random_float(void) {
    const float magnitude = 0.01f + 0.99f * (float)(next() >> 40) / (1 << 24);
    return next() % 2 == 0 ? magnitude : -magnitude;
}

// MARK: Weights

const char *pattern_name(weight_pattern pattern) {
    static const char *const names[PATTERN_COUNT] = {
        "all", "half", "a tenth", "a hundredth", "none", "the last", "rows in turns", "blocks of 4 rows",
        "blocks of 16 rows", "broken blocks of 4 x 4", "blocks of 4 columns", "2 of 4",
    };
    return names[pattern];
}

// Sets blocks of so many rows and columns, a quarter of them.
static void set_blocks(float *weights, size_t rows, size_t columns, size_t high, size_t wide) {
    for (size_t row = 0; row < rows; row += high) {
        for (size_t column = 0; column < columns; column += wide) {
            if (!random_chance(4)) continue;
            for (size_t r = row; r < row + high && r < rows; ++r) {
                for (size_t c = column; c < column + wide && c < columns; ++c) {
                    weights[r * columns + c] = random_float();
                }
            }
        }
    }
}

static void set_share(float *weights, size_t count, size_t one_in) {
    for (size_t i = 0; i < count; ++i) {
        if (random_chance(one_in)) weights[i] = random_float();
    }
}

float *random_weights(size_t rows, size_t columns, weight_pattern pattern) {
    const size_t count = rows * columns;
    float *weights = allocate_floats(count);
    // Negative zeros are zeros.
    for (size_t i = 0; i < count; ++i) weights[i] = random_chance(8) ? -0.0f : 0;
    switch (pattern) {
        case PATTERN_ALL: set_share(weights, count, 1); break;
        case PATTERN_HALF: set_share(weights, count, 2); break;
        case PATTERN_TENTH: set_share(weights, count, 10); break;
        case PATTERN_HUNDREDTH: set_share(weights, count, 100); break;
        case PATTERN_NONE: break;
        case PATTERN_LAST:
            if (count > 0) weights[count - 1] = random_float();
            break;
        case PATTERN_ROWS:
            for (size_t row = 0; row < rows; ++row) {
                if (row % 3 > 0) set_share(weights + row * columns, columns, row % 3 == 1 ? 1 : 20);
            }
            break;
        case PATTERN_FOUR_ROWS: set_blocks(weights, rows, columns, 4, 1); break;
        case PATTERN_SIXTEEN_ROWS: set_blocks(weights, rows, columns, 16, 1); break;
        case PATTERN_BROKEN_BLOCKS:
            set_blocks(weights, rows, columns, 4, 4);
            for (size_t i = random_index(0, count); i < count; ++i) {
                if (weights[i] == 0) continue;
                weights[i] = 0;
                break;
            }
            break;
        case PATTERN_FOUR_COLUMNS: set_blocks(weights, rows, columns, 1, 4); break;
        case PATTERN_TWO_OF_FOUR:
            for (size_t row = 0; row < rows; ++row) {
                for (size_t column = 0; column < columns; column += 4) {
                    const size_t first = random_index(0, 3), second = (first + random_index(1, 3)) % 4;
                    if (column + first < columns) weights[row * columns + column + first] = random_float();
                    if (column + second < columns) weights[row * columns + column + second] = random_float();
                }
            }
            break;
        case PATTERN_COUNT: break;
    }
    return weights;
}

void poison(float *values, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        if (random_chance(16)) values[i] = (const float[]){NAN, INFINITY, -INFINITY}[random_index(0, 2)];
    }
}
