#include "sparse_strips_layout.h"

// The outputs of a strip.
static size_t extent_of(size_t outputs, size_t strip) {
    const size_t left = outputs - strip * ESPALIER_STRIP_OUTPUTS;
    return left < ESPALIER_STRIP_OUTPUTS ? left : ESPALIER_STRIP_OUTPUTS;
}

static size_t strips_of(size_t outputs) {
    return (outputs + ESPALIER_STRIP_OUTPUTS - 1) / ESPALIER_STRIP_OUTPUTS;
}

bool espalier_sparse_strips_fit(const float *weights, size_t outputs, size_t inputs) {
    if (inputs > (size_t)UINT16_MAX + 1) return false;
    for (size_t strip = 0; strip < strips_of(outputs); ++strip) {
        const float *first = weights + strip * ESPALIER_STRIP_OUTPUTS * inputs;
        for (size_t output = 1; output < extent_of(outputs, strip); ++output) {
            const float *row = first + output * inputs;
            for (size_t input = 0; input < inputs; ++input) {
                if ((row[input] != 0) != (first[input] != 0)) return false;
            }
        }
    }
    return true;
}

espalier_sparse_strips espalier_sparse_strips_measure(
    const float *weights, size_t outputs, size_t inputs, espalier_weight_storage storage) {
    espalier_sparse_strips matrix = {outputs, inputs, storage, 0};
    for (size_t strip = 0; strip < strips_of(outputs); ++strip) {
        const float *first = weights + strip * ESPALIER_STRIP_OUTPUTS * inputs;
        for (size_t input = 0; input < inputs; ++input) matrix.columns += first[input] != 0;
    }
    return matrix;
}

size_t espalier_sparse_strips_count(const espalier_sparse_strips *matrix) { return strips_of(matrix->outputs); }

size_t espalier_sparse_strips_bytes(const espalier_sparse_strips *matrix) {
    return espalier_sparse_strips_sections_in(matrix, NULL).bytes;
}

static void store_weight(
    const espalier_sparse_strips_sections *sections, espalier_weight_storage storage, size_t place, float weight,
    float scale) {
    switch (storage) {
        case ESPALIER_WEIGHTS_FLOAT32:
            ((float *)sections->weights)[place] = weight;
            break;
        case ESPALIER_WEIGHTS_BFLOAT16:
            ((uint16_t *)sections->weights)[place] = espalier_to_bfloat16(weight);
            break;
        case ESPALIER_WEIGHTS_INT8:
            ((int8_t *)sections->weights)[place] = espalier_to_int8(weight, scale);
            break;
    }
}

void espalier_sparse_strips_pack(const espalier_sparse_strips *matrix, const float *weights, void *packed) {
    const espalier_sparse_strips_sections sections = espalier_sparse_strips_sections_in(matrix, packed);
    const size_t strips = strips_of(matrix->outputs);
    size_t column = 0;
    for (size_t strip = 0; strip < strips; ++strip) {
        const size_t extent = extent_of(matrix->outputs, strip);
        const float *rows = weights + strip * ESPALIER_STRIP_OUTPUTS * matrix->inputs;
        float scales[PANEL_OUTPUTS] = {0};
        if (sections.scales) {
            espalier_int8_scales(rows, extent, matrix->inputs, scales);
            memcpy(
                sections.scales + strip * ESPALIER_STRIP_OUTPUTS, scales,
                ESPALIER_STRIP_OUTPUTS * sizeof(float));
        }
        sections.starts[strip] = (uint32_t)column;
        for (size_t input = 0; input < matrix->inputs; ++input) {
            if (rows[input] == 0) continue;
            sections.inputs[column] = (uint16_t)input;
            for (size_t output = 0; output < ESPALIER_STRIP_OUTPUTS; ++output) {
                const float weight = output < extent ? rows[output * matrix->inputs + input] : 0;
                store_weight(
                    &sections, matrix->storage, column * ESPALIER_STRIP_OUTPUTS + output, weight, scales[output]);
            }
            ++column;
        }
    }
    sections.starts[strips] = (uint32_t)column;
}
