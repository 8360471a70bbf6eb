#include "row_products.h"

#include <math.h>
#include <string.h>

// What the storage makes of the weights; of not-zeros perhaps zeros.
static float *stored_weights(const row_product *p) {
    float *stored = allocate_floats(p->outputs * p->inputs);
    for (size_t output = 0; output < p->outputs; ++output) {
        const float *weights = p->weights + output * p->inputs;
        float largest = 0;
        for (size_t i = 0; i < p->inputs; ++i) largest = fmaxf(largest, fabsf(weights[i]));
        const float scale = largest / 127;
        for (size_t i = 0; i < p->inputs; ++i) {
            float value = weights[i];
            uint32_t bits;
            switch (p->storage) {
                case ESPALIER_WEIGHTS_FLOAT32: break;
                case ESPALIER_WEIGHTS_BFLOAT16:
                    memcpy(&bits, &value, sizeof bits);
                    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
                    memcpy(&value, &bits, sizeof bits);
                    break;
                // Steps, which are multiplied by the scale in double precision.
                case ESPALIER_WEIGHTS_INT8: value = scale > 0 ? nearbyintf(value / scale) : 0; break;
            }
            stored[output * p->inputs + i] = value;
        }
    }
    return stored;
}

static double stored_unit(const row_product *p, size_t output) {
    if (p->storage != ESPALIER_WEIGHTS_INT8) return 1;
    float largest = 0;
    for (size_t i = 0; i < p->inputs; ++i) largest = fmaxf(largest, fabsf(p->weights[output * p->inputs + i]));
    return (double)(largest / 127);
}

static void check(
    espalier_isa isa, row_multiply *multiply, size_t outputs, size_t inputs, size_t rows, weight_pattern pattern,
    espalier_weight_storage storage) {
    static const char *const storages[] = {"float32", "bfloat16", "int8"};
    const bool poisoned = random_chance(4), in_place = random_chance(2);
    begin_case(
        "%zu x %zu %s, %zu rows, nonzero: %s, poisoned %d", outputs, inputs, storages[storage], rows,
        pattern_name(pattern), poisoned);
    float *input = random_floats(rows * inputs);
    if (poisoned) poison(input, rows * inputs);
    const row_product p = {
        .outputs = outputs,
        .inputs = inputs,
        .rows = rows,
        .storage = storage,
        .weights = random_weights(outputs, inputs, pattern),
        .input = input,
    };
    const float *residual = random_chance(2) ? random_floats(rows * outputs) : NULL;
    float *output = allocate_floats(rows * outputs);
    espalier_epilogue epilogue = random_epilogue(outputs, residual, poisoned);
    if (residual && in_place) {
        memcpy(output, residual, rows * outputs * sizeof(float));
        epilogue.residual = output;
    }
    multiply(isa, &p, &epilogue, output);

    const float *stored = stored_weights(&p);
    for (size_t o = 0; o < outputs; ++o) {
        const double unit = stored_unit(&p, o);
        for (size_t row = 0; row < rows; ++row) {
            exact_sum sum = {0};
            for (size_t i = 0; i < inputs; ++i) {
                if (p.weights[o * inputs + i] == 0) continue;
                add_product(&sum, unit * (double)stored[o * inputs + i], (double)input[row * inputs + i]);
            }
            if (epilogue.bias) add_product(&sum, (double)epilogue.bias[o], 1);
            if (residual) add_product(&sum, (double)residual[row * outputs + o], 1);
            expect_sum(output[row * outputs + o], &sum, epilogue.activation, row * outputs + o);
        }
    }
}

void test_row_products(espalier_isa isa, row_multiply *multiply, size_t most_rows) {
    const size_t outputs[] = {0, 1, 7, 31, 33, 64, 130}, inputs[] = {0, 1, 3, 16, 17, 63, 65, 130, 1030};
    for (size_t o = 0; o < sizeof outputs / sizeof outputs[0]; ++o) {
        for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; ++i) {
            for (int storage = 0; storage < 3; ++storage) {
                check(
                    isa, multiply, outputs[o], inputs[i], random_index(1, most_rows < 3 ? most_rows : 3),
                    (weight_pattern)random_index(0, PATTERN_COUNT - 1), (espalier_weight_storage)storage);
            }
        }
    }
    for (int pattern = 0; pattern < PATTERN_COUNT; ++pattern) {
        for (int storage = 0; storage < 3; ++storage) {
            check(isa, multiply, 75, 140, 2, (weight_pattern)pattern, (espalier_weight_storage)storage);
            check(isa, multiply, 64, 700, 1, (weight_pattern)pattern, (espalier_weight_storage)storage);
        }
    }
    for (size_t rows = 0; rows <= most_rows; ++rows) {
        check(isa, multiply, 70, 90, rows, PATTERN_TENTH, ESPALIER_WEIGHTS_FLOAT32);
    }
    for (int i = 0; i < 150; ++i) {
        check(
            isa, multiply, random_index(1, 200), random_index(1, 500), random_index(1, most_rows),
            (weight_pattern)random_index(0, PATTERN_COUNT - 1), (espalier_weight_storage)random_index(0, 2));
    }
}
