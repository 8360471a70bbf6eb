// The memory of a packed matrix; see espalier_sparse_strips.h.
#ifndef ESPALIER_INTERNAL_SPARSE_STRIPS_LAYOUT_H
#define ESPALIER_INTERNAL_SPARSE_STRIPS_LAYOUT_H

#include "espalier_sparse_strips.h"
#include "weight_storage.h"

typedef struct {
    // For each column the weights of its strip's outputs, 0 for those beyond the last.
    char *weights;
    // For each column its input.
    uint16_t *inputs;
    // For each strip its first column; the last one's end follows.
    uint32_t *starts;
    // For each output of whole strips what 8-bit weights are multiples of; else NULL.
    float *scales;
    // Of all of them.
    size_t bytes;
} espalier_sparse_strips_sections;

static inline espalier_sparse_strips_sections espalier_sparse_strips_sections_in(
    const espalier_sparse_strips *matrix, void *packed) {
    const size_t strips = espalier_sparse_strips_count(matrix);
    const size_t weights = matrix->columns * ESPALIER_STRIP_OUTPUTS;
    const bool scaled = matrix->storage == ESPALIER_WEIGHTS_INT8;
    uintptr_t memory = (uintptr_t)packed;
    espalier_sparse_strips_sections sections;
    sections.weights = espalier_carve(&memory, weights * espalier_weight_bytes(matrix->storage));
    sections.inputs = espalier_carve(&memory, matrix->columns * sizeof(uint16_t));
    sections.starts = espalier_carve(&memory, (strips + 1) * sizeof(uint32_t));
    sections.scales = scaled ? espalier_carve(&memory, strips * ESPALIER_STRIP_OUTPUTS * sizeof(float)) : NULL;
    sections.bytes = memory - (uintptr_t)packed;
    return sections;
}

#endif
