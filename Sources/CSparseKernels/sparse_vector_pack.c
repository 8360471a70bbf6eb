#include "sparse_vector_layout.h"

static size_t next_weight(const float *row, size_t from, size_t inputs) {
    while (from < inputs && row[from] == 0) ++from;
    return from;
}

// The order of a panel's outputs; those beyond the last have no weights, and come last.
static void order_panel(
    const espalier_sparse_vector *matrix, const float *weights, size_t panel, uint8_t order[PANEL_OUTPUTS]) {
    size_t counts[PANEL_OUTPUTS] = {0};
    for (size_t output = 0; output < espalier_panel_extent(matrix->outputs, panel); ++output) {
        const float *row = weights + (panel * PANEL_OUTPUTS + output) * matrix->inputs;
        for (size_t input = 0; input < matrix->inputs; ++input) counts[output] += row[input] != 0;
    }
    espalier_sort_by_count(counts, order);
}

static void store_weight(
    espalier_weight_storage storage, char *pair, size_t step, size_t place, float weight, float scale) {
    switch (storage) {
        case ESPALIER_WEIGHTS_FLOAT32:
            ((float *)pair)[step * GROUP_OUTPUTS + place] = weight;
            break;
        case ESPALIER_WEIGHTS_BFLOAT16:
            ((uint16_t *)pair)[2 * place + step] = espalier_to_bfloat16(weight);
            break;
        case ESPALIER_WEIGHTS_INT8:
            ((int8_t *)pair)[4 * (place % 16) + 2 * (place / 16) + step] = espalier_to_int8(weight, scale);
            break;
    }
}

// The pairs of steps that a group takes, which are written if there are sections to write to, from pair `first` on.
//
// Taking the first weight that fits at every step is best possible for the given outputs: a weight taken earlier never
// holds up another, and the window begins as late as it can.
static size_t pack_group(
    const espalier_sparse_vector *matrix, const float *weights, size_t group, const uint8_t *order,
    const espalier_sparse_vector_sections *sections, size_t first) {
    const size_t panel = group / PANEL_GROUPS, inputs = matrix->inputs;
    const size_t extent = espalier_panel_extent(matrix->outputs, panel);
    const size_t grain = matrix->window / WINDOW_GRAINS;
    const size_t bytes = PAIR_WEIGHTS * espalier_weight_bytes(matrix->storage);
    const float *rows[GROUP_OUTPUTS];
    float scales[GROUP_OUTPUTS];
    size_t next[GROUP_OUTPUTS];
    for (size_t index = 0; index < GROUP_OUTPUTS; ++index) {
        const size_t output = order[index];
        const bool exists = output < extent;
        rows[index] = exists ? weights + (panel * PANEL_OUTPUTS + output) * inputs : NULL;
        next[index] = exists ? next_weight(rows[index], 0, inputs) : inputs;
        scales[index] =
            sections && sections->scales ? sections->scales[panel * PANEL_OUTPUTS + output] : 1;
    }
    for (size_t pair = first;; ++pair) {
        size_t begin = inputs;
        for (size_t index = 0; index < GROUP_OUTPUTS; ++index) {
            if (next[index] < begin) begin = next[index];
        }
        if (begin == inputs) return pair - first;
        begin -= begin % grain;
        if (sections) sections->windows[pair] = (uint16_t)(begin / grain);
        for (size_t step = 0; step < 2; ++step) {
            for (size_t place = 0; place < GROUP_OUTPUTS; ++place) {
                const size_t index = espalier_index_of_place(place), input = next[index];
                const bool takes = input < inputs && input < begin + matrix->window;
                if (sections) {
                    sections->indices[pair * PAIR_WEIGHTS + step * GROUP_OUTPUTS + index] =
                        (uint8_t)(takes ? TAKES_PART | (input - begin) : 0);
                    store_weight(
                        matrix->storage, sections->weights + pair * bytes, step, place,
                        takes ? rows[index][input] : 0, scales[index]);
                }
                if (takes) next[index] = next_weight(rows[index], input + 1, inputs);
            }
        }
    }
}

espalier_sparse_vector espalier_sparse_vector_measure(
    espalier_isa isa, const float *weights, size_t outputs, size_t inputs, espalier_weight_storage storage) {
    espalier_sparse_vector matrix = {outputs, inputs, storage, ESPALIER_WINDOW(isa), 0};
    uint8_t order[PANEL_OUTPUTS];
    for (size_t group = 0; group < espalier_sparse_vector_groups(&matrix); ++group) {
        if (group % PANEL_GROUPS == 0) order_panel(&matrix, weights, group / PANEL_GROUPS, order);
        matrix.step_pairs += pack_group(
            &matrix, weights, group, order + group % PANEL_GROUPS * GROUP_OUTPUTS, NULL, 0);
    }
    return matrix;
}

size_t espalier_sparse_vector_bytes(const espalier_sparse_vector *matrix) {
    return espalier_sparse_vector_sections_in(matrix, NULL).bytes;
}

size_t espalier_sparse_vector_panels(const espalier_sparse_vector *matrix) {
    return espalier_panels(matrix->outputs);
}

void espalier_sparse_vector_pack(const espalier_sparse_vector *matrix, const float *weights, void *packed) {
    const espalier_sparse_vector_sections sections = espalier_sparse_vector_sections_in(matrix, packed);
    const size_t groups = espalier_sparse_vector_groups(matrix);
    uint8_t order[PANEL_OUTPUTS];
    size_t pair = 0;
    for (size_t group = 0; group < groups; ++group) {
        const size_t panel = group / PANEL_GROUPS;
        if (group % PANEL_GROUPS == 0) {
            order_panel(matrix, weights, panel, order);
            if (sections.scales) {
                espalier_int8_scales(
                    weights + panel * PANEL_OUTPUTS * matrix->inputs,
                    espalier_panel_extent(matrix->outputs, panel), matrix->inputs,
                    sections.scales + panel * PANEL_OUTPUTS);
            }
            for (size_t place = 0; place < PANEL_OUTPUTS; ++place) {
                const size_t index =
                    place / GROUP_OUTPUTS * GROUP_OUTPUTS + espalier_index_of_place(place % GROUP_OUTPUTS);
                sections.places[panel * PANEL_OUTPUTS + order[index]] = (uint8_t)place;
            }
        }
        sections.starts[group] = (uint32_t)pair;
        pair += pack_group(
            matrix, weights, group, order + group % PANEL_GROUPS * GROUP_OUTPUTS, &sections, pair);
    }
    sections.starts[groups] = (uint32_t)pair;
}
