// How a matrix is cut before it is packed.
#ifndef ESPALIER_SPARSE_PLAN_H
#define ESPALIER_SPARSE_PLAN_H

#include <stdbool.h>

#include "espalier_sparse_matrix.h"
#include "sparse_format.h"

// Four rows that may be a band.
typedef struct {
    size_t nonzeros;
    // Columns in which some row has a nonzero.
    size_t columns;
    // How many different subsets of the rows have nonzeros in a column.
    size_t subsets;
} espalier_sparse_four;

typedef struct {
    size_t nonzeros;
    // The columns and nonzeros of bands.
    espalier_sparse_four bands;
    size_t depth, group_rows, lines, slices, block_rows, blocks_per_group;
    // Of eight columns, how many nonzero ones make a chunk worth taking with its empty ones; more than eight:
    // none do.
    size_t crowded;
} espalier_sparse_plan;

espalier_sparse_plan espalier_sparse_make_plan(const espalier_sparse_shape *shape, const float *weights);

// Which of ESPALIER_SPARSE_BAND numbers, `pitch` floats apart, are not zero: a bit each.
static inline unsigned espalier_sparse_subset(const float *column, size_t pitch) {
    unsigned subset = 0;
    for (size_t i = 0; i < ESPALIER_SPARSE_BAND; ++i) subset |= (unsigned)(column[i * pitch] != 0) << i;
    return subset;
}

// What the columns in which subsets of four rows have nonzeros make of them: `columns` of subset 0..<16.
espalier_sparse_four espalier_sparse_count_four(const size_t columns[ESPALIER_SPARSE_SUBSETS]);

// Whether they are faster as a band than alone, with the active instruction set.
bool espalier_sparse_is_band(const espalier_sparse_four *four);

#endif
