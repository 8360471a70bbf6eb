// How a matrix is cut before it is packed.
#ifndef ESPALIER_SPARSE_PLAN_H
#define ESPALIER_SPARSE_PLAN_H

#include <stdbool.h>

#include "espalier_sparse_matrix.h"
#include "sparse_format.h"

typedef struct {
    size_t nonzeros;
    // Those in bands of rows of which every column is full or empty.
    size_t banded;
    size_t depth, group_rows, lines, slices, block_rows, blocks_per_group;
    // Of eight columns, how many nonzero ones make a chunk worth taking with its empty ones; more than eight:
    // none do.
    size_t crowded;
} espalier_sparse_plan;

espalier_sparse_plan espalier_sparse_make_plan(const espalier_sparse_shape *shape, const float *weights);

// Whether all of a column of ESPALIER_SPARSE_BAND rows, `pitch` floats apart, is zero or all of it is not.
static inline bool espalier_sparse_is_uniform(const float *column, size_t pitch) {
    for (size_t i = 1; i < ESPALIER_SPARSE_BAND; ++i) {
        if ((column[i * pitch] != 0) != (column[0] != 0)) return false;
    }
    return true;
}

#endif
