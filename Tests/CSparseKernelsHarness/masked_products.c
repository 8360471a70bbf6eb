// The products of training with masked weights.

#include <string.h>

#include "harness.h"

// Weights at random places of a matrix in either order, as their pattern tells them.
static espalier_masked_weights random_pattern(
    size_t outputs, size_t inputs, weight_pattern kind, bool transposed, float **weights) {
    const float *by_output = random_weights(outputs, inputs, kind);
    uint32_t *output_starts = allocate_bytes((outputs + 1) * sizeof *output_starts);
    uint32_t *input_starts = allocate_bytes((inputs + 1) * sizeof *input_starts);
    uint32_t *output_inputs = allocate_bytes((outputs * inputs + 1) * sizeof *output_inputs);
    uint32_t *input_outputs = allocate_bytes((outputs * inputs + 1) * sizeof *input_outputs);
    const size_t output_stride = transposed ? 1 : inputs, input_stride = transposed ? outputs : 1;
    *weights = allocate_floats(outputs * inputs);
    uint32_t count = 0;
    for (size_t o = 0; o < outputs; ++o) {
        output_starts[o] = count;
        for (size_t i = 0; i < inputs; ++i) {
            if (by_output[o * inputs + i] == 0) continue;
            output_inputs[count++] = (uint32_t)i;
            (*weights)[o * output_stride + i * input_stride] = by_output[o * inputs + i];
        }
    }
    output_starts[outputs] = count;
    count = 0;
    for (size_t i = 0; i < inputs; ++i) {
        input_starts[i] = count;
        for (size_t o = 0; o < outputs; ++o) {
            if (by_output[o * inputs + i] != 0) input_outputs[count++] = (uint32_t)o;
        }
    }
    input_starts[inputs] = count;
    return (espalier_masked_weights){
        .outputs = outputs,
        .inputs = inputs,
        .output_stride = output_stride,
        .input_stride = input_stride,
        .output_starts = output_starts,
        .output_inputs = output_inputs,
        .input_starts = input_starts,
        .input_outputs = input_outputs,
    };
}

static void check_masked(
    espalier_isa isa, size_t outputs, size_t inputs, size_t pitch, weight_pattern kind, bool transposed) {
    begin_case(
        "%zu outputs of %zu inputs, %zu samples, %s, %s", outputs, inputs, pitch, pattern_name(kind),
        transposed ? "inputs outermost" : "outputs outermost");
    float *weights;
    const espalier_masked_weights pattern = random_pattern(outputs, inputs, kind, transposed, &weights);
    const float *x = random_floats(inputs * pitch), *dy = random_floats(outputs * pitch);
    const float *bias = random_chance(2) ? random_floats(outputs) : NULL;
    float *y = allocate_floats(outputs * pitch), *dx = allocate_floats(inputs * pitch);
    float *dw = random_floats(outputs * inputs);
    const float *before = copy_bytes(dw, outputs * inputs * sizeof *dw);
    // In two parts, the second first: threads may take them in any order.
    const size_t output_cut = random_index(0, outputs), input_cut = random_index(0, inputs);
    espalier_masked_forward(isa, &pattern, weights, bias, x, pitch, output_cut, outputs, y);
    espalier_masked_forward(isa, &pattern, weights, bias, x, pitch, 0, output_cut, y);
    espalier_masked_weight_gradient(isa, &pattern, x, dy, pitch, output_cut, outputs, dw);
    espalier_masked_weight_gradient(isa, &pattern, x, dy, pitch, 0, output_cut, dw);
    espalier_masked_input_gradient(isa, &pattern, weights, dy, pitch, input_cut, inputs, dx);
    espalier_masked_input_gradient(isa, &pattern, weights, dy, pitch, 0, input_cut, dx);
    bool *kept = allocate_bytes(outputs * inputs);
    memset(kept, 0, outputs * inputs);
    for (size_t o = 0; o < outputs; ++o) {
        for (size_t k = pattern.output_starts[o]; k < pattern.output_starts[o + 1]; ++k) {
            kept[o * inputs + pattern.output_inputs[k]] = true;
        }
    }
    for (size_t o = 0; o < outputs; ++o) {
        for (size_t s = 0; s < pitch; ++s) {
            exact_sum sum = {0};
            if (bias) add_product(&sum, bias[o], 1);
            for (size_t i = 0; i < inputs; ++i) {
                if (!kept[o * inputs + i]) continue;
                add_product(&sum, weights[o * pattern.output_stride + i * pattern.input_stride], x[i * pitch + s]);
            }
            expect_sum(y[o * pitch + s], &sum, no_activation, o * pitch + s);
        }
    }
    for (size_t i = 0; i < inputs; ++i) {
        for (size_t s = 0; s < pitch; ++s) {
            exact_sum sum = {0};
            for (size_t o = 0; o < outputs; ++o) {
                if (!kept[o * inputs + i]) continue;
                add_product(&sum, weights[o * pattern.output_stride + i * pattern.input_stride], dy[o * pitch + s]);
            }
            expect_sum(dx[i * pitch + s], &sum, no_activation, i * pitch + s);
        }
        for (size_t o = 0; o < outputs; ++o) {
            const size_t place = o * pattern.output_stride + i * pattern.input_stride;
            if (!kept[o * inputs + i]) {
                expect_same(dw[place], before[place], place);
                continue;
            }
            exact_sum sum = {0};
            for (size_t s = 0; s < pitch; ++s) add_product(&sum, dy[o * pitch + s], x[i * pitch + s]);
            expect_sum(dw[place], &sum, no_activation, place);
        }
    }
}

void test_masked_products(espalier_isa isa) {
    for (size_t lines = 1; lines <= 19; ++lines) {
        for (int kind = 0; kind < PATTERN_COUNT; ++kind) {
            check_masked(
                isa, random_index(1, 40), random_index(1, 60), ESPALIER_MASKED_LINE * lines, (weight_pattern)kind,
                random_chance(2));
        }
    }
    check_masked(isa, 300, 784, 64, PATTERN_TENTH, false);
    check_masked(isa, 100, 300, 64, PATTERN_HALF, true);
}
