// The memory of a packed matrix; see espalier_sparse_vector.h.
#ifndef ESPALIER_INTERNAL_SPARSE_VECTOR_LAYOUT_H
#define ESPALIER_INTERNAL_SPARSE_VECTOR_LAYOUT_H

#include <stdbool.h>

#include "espalier_sparse_vector.h"
#include "output_panels.h"
#include "weight_storage.h"

enum {
    GROUP_OUTPUTS = 32,
    PANEL_GROUPS = PANEL_OUTPUTS / GROUP_OUTPUTS,
    PAIR_WEIGHTS = 2 * GROUP_OUTPUTS,
    // Windows begin at multiples of a fraction of their inputs, so that few lie across lines of the cache.
    WINDOW_GRAINS = 4,
    // Set in the index of an output that takes a weight. Its other bits are the input's place in the window.
    TAKES_PART = 0x80,
};

// The inputs of a window. AVX2 chooses from 16 at a time: larger windows would take fewer steps, but longer ones.
#define ESPALIER_WINDOW(isa) ((isa) == ESPALIER_ISA_AVX2 ? 32 : 64)

// Lanes are numbered in two ways: by index, as indices lie in memory, and by place, as sums and weights do. Quads of
// lanes keep together. This is what unpacking 16-bit lanes does to the order of quads in 512-bit registers.
static const uint8_t espalier_index_of_quad[8] = {0, 2, 4, 6, 1, 3, 5, 7};

static inline size_t espalier_index_of_place(size_t place) {
    return 4u * espalier_index_of_quad[place / 4] + place % 4;
}

typedef struct {
    // For each pair of steps:
    // - float32: 32 places of the first step, then 32 of the second.
    // - bfloat16: 32 words of 32 bits, the first step's weight in the lower half, the second's in the upper half.
    // - int8: 16 words of 32 bits; from the lowest byte on: place p of the first and of the second step, place p + 16
    //   of the first and of the second step.
    char *weights;
    // For each pair of steps, 32 indices of the first step, then of the second.
    uint8_t *indices;
    // For each pair of steps, its window's first input in grains.
    uint16_t *windows;
    // For each group, its first pair of steps; and the end.
    uint32_t *starts;
    // For each output, its place among the sums of its panel.
    uint8_t *places;
    // For each output of whole panels what 8-bit weights are multiples of; else NULL.
    float *scales;
    // Of all of them.
    size_t bytes;
} espalier_sparse_vector_sections;

static inline size_t espalier_sparse_vector_groups(const espalier_sparse_vector *matrix) {
    return espalier_panels(matrix->outputs) * PANEL_GROUPS;
}

static inline espalier_sparse_vector_sections espalier_sparse_vector_sections_in(
    const espalier_sparse_vector *matrix, void *packed) {
    const size_t whole = espalier_panels(matrix->outputs) * PANEL_OUTPUTS;
    const size_t weights = matrix->step_pairs * PAIR_WEIGHTS;
    uintptr_t memory = (uintptr_t)packed;
    espalier_sparse_vector_sections sections;
    sections.weights = espalier_carve(&memory, weights * espalier_weight_bytes(matrix->storage));
    sections.indices = espalier_carve(&memory, weights);
    sections.windows = espalier_carve(&memory, matrix->step_pairs * sizeof(uint16_t));
    sections.starts =
        espalier_carve(&memory, (espalier_sparse_vector_groups(matrix) + 1) * sizeof(uint32_t));
    sections.places = espalier_carve(&memory, whole);
    const bool scaled = matrix->storage == ESPALIER_WEIGHTS_INT8;
    sections.scales = scaled ? espalier_carve(&memory, whole * sizeof(float)) : NULL;
    sections.bytes = memory - (uintptr_t)packed;
    return sections;
}

// Inputs in one plane of a prepared row: those of every window that begins at an input.
static inline size_t espalier_sparse_vector_plane(const espalier_sparse_vector *matrix) {
    return (matrix->inputs + matrix->window + 63) / 64 * 64;
}

#endif
