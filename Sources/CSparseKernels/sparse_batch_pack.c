#include "sparse_batch_layout.h"

// The inputs of a block of a panel, and its outputs' order there; those beyond the last have no weights.
typedef struct {
    size_t first;
    size_t end;
    size_t counts[PANEL_OUTPUTS];
    uint8_t order[PANEL_OUTPUTS];
} espalier_batch_block;

static espalier_batch_block order_block(
    const espalier_sparse_batch *matrix, const float *weights, size_t panel, size_t number) {
    espalier_batch_block block = {
        .first = espalier_sparse_batch_block_start(matrix, number),
        .end = espalier_sparse_batch_block_start(matrix, number + 1),
    };
    for (size_t output = 0; output < espalier_panel_extent(matrix->outputs, panel); ++output) {
        const float *row = weights + (panel * PANEL_OUTPUTS + output) * matrix->inputs;
        for (size_t input = block.first; input < block.end; ++input) block.counts[output] += row[input] != 0;
    }
    espalier_sort_by_count(block.counts, block.order);
    return block;
}

static void store_weight(
    espalier_weight_storage storage, char *step, size_t place, float weight, float scale) {
    switch (storage) {
        case ESPALIER_WEIGHTS_FLOAT32:
            ((float *)step)[place] = weight;
            break;
        case ESPALIER_WEIGHTS_BFLOAT16:
            ((uint16_t *)step)[2 * (place % 4) + place / 4] = espalier_to_bfloat16(weight);
            break;
        case ESPALIER_WEIGHTS_INT8:
            ((int8_t *)step)[place] = espalier_to_int8(weight, scale);
            break;
    }
}

// One output's weights in a block, filled up to `steps` with zeros.
static void pack_output(
    const espalier_sparse_batch *matrix, const espalier_sparse_batch_sections *sections,
    const espalier_batch_block *block, const float *row, float scale, size_t place, size_t step, size_t steps) {
    const size_t bytes = STEP_OUTPUTS * espalier_weight_bytes(matrix->storage), end = step + steps;
    for (size_t input = block->first; row && input < block->end; ++input) {
        if (row[input] == 0) continue;
        sections->inputs[step * STEP_OUTPUTS + place] = (uint16_t)((input - block->first) * INPUT_UNIT);
        store_weight(matrix->storage, sections->weights + step * bytes, place, row[input], scale);
        ++step;
    }
    for (; step < end; ++step) {
        sections->inputs[step * STEP_OUTPUTS + place] = (uint16_t)((block->end - block->first) * INPUT_UNIT);
        store_weight(matrix->storage, sections->weights + step * bytes, place, 0, scale);
    }
}

espalier_sparse_batch espalier_sparse_batch_measure(
    const float *weights, size_t outputs, size_t inputs, espalier_weight_storage storage) {
    espalier_sparse_batch matrix = {outputs, inputs, storage, 0};
    for (size_t panel = 0; panel < espalier_panels(outputs); ++panel) {
        for (size_t number = 0; number < espalier_sparse_batch_blocks(&matrix); ++number) {
            const espalier_batch_block block = order_block(&matrix, weights, panel, number);
            // The first of each octet has the most.
            for (size_t place = 0; place < PANEL_OUTPUTS; place += STEP_OUTPUTS) {
                matrix.steps += block.counts[block.order[place]];
            }
        }
    }
    return matrix;
}

size_t espalier_sparse_batch_bytes(const espalier_sparse_batch *matrix) {
    return espalier_sparse_batch_sections_in(matrix, NULL).bytes;
}

size_t espalier_sparse_batch_panels(const espalier_sparse_batch *matrix) {
    return espalier_panels(matrix->outputs);
}

void espalier_sparse_batch_pack(const espalier_sparse_batch *matrix, const float *weights, void *packed) {
    const espalier_sparse_batch_sections sections = espalier_sparse_batch_sections_in(matrix, packed);
    const size_t blocks = espalier_sparse_batch_blocks(matrix);
    size_t step = 0;
    for (size_t panel = 0; panel < espalier_panels(matrix->outputs); ++panel) {
        const size_t extent = espalier_panel_extent(matrix->outputs, panel);
        const float *rows = weights + panel * PANEL_OUTPUTS * matrix->inputs;
        float scales[PANEL_OUTPUTS] = {0};
        if (sections.scales) {
            espalier_int8_scales(rows, extent, matrix->inputs, scales);
            memcpy(sections.scales + panel * PANEL_OUTPUTS, scales, sizeof scales);
        }
        sections.starts[panel] = (uint32_t)step;
        for (size_t number = 0; number < blocks; ++number) {
            const espalier_batch_block block = order_block(matrix, weights, panel, number);
            const size_t at = panel * blocks + number;
            memcpy(sections.outputs + at * PANEL_OUTPUTS, block.order, PANEL_OUTPUTS);
            for (size_t place = 0; place < PANEL_OUTPUTS; ++place) {
                const size_t output = block.order[place];
                const size_t steps = block.counts[block.order[place - place % STEP_OUTPUTS]];
                pack_output(
                    matrix, &sections, &block, output < extent ? rows + output * matrix->inputs : NULL,
                    scales[output], place % STEP_OUTPUTS, step, steps);
                if (place % STEP_OUTPUTS < STEP_OUTPUTS - 1) continue;
                sections.counts[at * PANEL_OCTETS + place / STEP_OUTPUTS] = (uint16_t)steps;
                step += steps;
            }
        }
    }
}
