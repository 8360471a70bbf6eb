// The memory of a packed matrix and of prepared inputs; see espalier_sparse_batch.h.
#ifndef ESPALIER_INTERNAL_SPARSE_BATCH_LAYOUT_H
#define ESPALIER_INTERNAL_SPARSE_BATCH_LAYOUT_H

#include <stdbool.h>

#include "espalier_sparse_batch.h"
#include "output_panels.h"
#include "weight_storage.h"

enum {
    // Outputs that take a weight in each step.
    STEP_OUTPUTS = 8,
    PANEL_OCTETS = PANEL_OUTPUTS / STEP_OUTPUTS,
    // The inputs of a block: 16 lanes of so many take the 32 KB of a first-level cache.
    MOST_BLOCK_INPUTS = 512,
    // Inputs are numbered in multiples of this, so that the address of their lanes takes no shift: an addressing mode
    // multiplies by 1, 2, 4 or 8.
    INPUT_UNIT = 8,
};

// At least one, if only of no inputs.
static inline size_t espalier_sparse_batch_blocks(const espalier_sparse_batch *matrix) {
    return matrix->inputs == 0 ? 1 : (matrix->inputs + MOST_BLOCK_INPUTS - 1) / MOST_BLOCK_INPUTS;
}

// Where a block begins; the last one's end follows. Blocks are about as long as each other.
static inline size_t espalier_sparse_batch_block_start(const espalier_sparse_batch *matrix, size_t block) {
    return matrix->inputs * block / espalier_sparse_batch_blocks(matrix);
}

// The lanes of prepared inputs, those of missing rows 0.
static inline size_t espalier_sparse_batch_lanes(size_t rows) { return rows <= 8 ? 8 : 16; }

// Prepared blocks end with an input that is 0, which outputs take that have fewer weights than those beside them.
static inline size_t espalier_sparse_batch_prepared_start(const espalier_sparse_batch *matrix, size_t block) {
    return espalier_sparse_batch_block_start(matrix, block) + block;
}

typedef struct {
    // For each step:
    // - float32, int8: the weights of its eight outputs.
    // - bfloat16: four words of 32 bits, the lower halves the first four outputs' weights, the upper the last four's.
    char *weights;
    // For each step, the outputs' inputs: their place in the block times INPUT_UNIT.
    uint16_t *inputs;
    // For each panel, block and octet of outputs its steps, and which outputs of the panel they are.
    uint16_t *counts;
    uint8_t *outputs;
    // For each panel its first step.
    uint32_t *starts;
    // For each output of whole panels what 8-bit weights are multiples of; else NULL.
    float *scales;
    // Of all of them.
    size_t bytes;
} espalier_sparse_batch_sections;

static inline espalier_sparse_batch_sections espalier_sparse_batch_sections_in(
    const espalier_sparse_batch *matrix, void *packed) {
    const size_t panels = espalier_panels(matrix->outputs), blocks = espalier_sparse_batch_blocks(matrix);
    const size_t weights = matrix->steps * STEP_OUTPUTS;
    const bool scaled = matrix->storage == ESPALIER_WEIGHTS_INT8;
    uintptr_t memory = (uintptr_t)packed;
    espalier_sparse_batch_sections sections;
    sections.weights = espalier_carve(&memory, weights * espalier_weight_bytes(matrix->storage));
    sections.inputs = espalier_carve(&memory, weights * sizeof(uint16_t));
    sections.counts = espalier_carve(&memory, panels * blocks * PANEL_OCTETS * sizeof(uint16_t));
    sections.outputs = espalier_carve(&memory, panels * blocks * PANEL_OUTPUTS);
    sections.starts = espalier_carve(&memory, panels * sizeof(uint32_t));
    sections.scales = scaled ? espalier_carve(&memory, panels * PANEL_OUTPUTS * sizeof(float)) : NULL;
    sections.bytes = memory - (uintptr_t)packed;
    return sections;
}

#endif
