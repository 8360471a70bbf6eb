// Panels of 64 outputs, in which the formats of sparse vectors and batches sort outputs by how many weights they have.
//
// A panel is what one thread computes at least. Its results lie together in memory, whatever their order inside.
#ifndef ESPALIER_INTERNAL_OUTPUT_PANELS_H
#define ESPALIER_INTERNAL_OUTPUT_PANELS_H

#include <stddef.h>
#include <stdint.h>

enum { PANEL_OUTPUTS = 64 };

static inline size_t espalier_panels(size_t outputs) { return (outputs + PANEL_OUTPUTS - 1) / PANEL_OUTPUTS; }

static inline size_t espalier_panel_extent(size_t outputs, size_t panel) {
    const size_t left = outputs - panel * PANEL_OUTPUTS;
    return left < PANEL_OUTPUTS ? left : PANEL_OUTPUTS;
}

// The numbers of a panel's outputs, those with most weights first. Equal ones keep their order, and packing the same
// weights gives the same bytes.
static inline void espalier_sort_by_count(const size_t counts[PANEL_OUTPUTS], uint8_t order[PANEL_OUTPUTS]) {
    for (int i = 0; i < PANEL_OUTPUTS; ++i) {
        int place = i;
        for (; place > 0 && counts[order[place - 1]] < counts[i]; --place) order[place] = order[place - 1];
        order[place] = (uint8_t)i;
    }
}

// Carves `bytes` from memory that is aligned to 64 bytes, and keeps what follows aligned.
static inline void *espalier_carve(uintptr_t *memory, size_t bytes) {
    void *section = (void *)*memory;
    *memory += (bytes + 63) / 64 * 64;
    return section;
}

#endif
