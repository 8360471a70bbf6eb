// Packed sparse matrices, for the tests of products and convolutions.
#ifndef HARNESS_PACKED_MATRIX_H
#define HARNESS_PACKED_MATRIX_H

#include "harness.h"

// Packs into memory of exactly the bytes that packing used.
const void *pack_matrix(const espalier_sparse_shape *shape, const float *weights);

enum { RANGES = 4 };

// Cuts the tiles and the row blocks at random places.
void cut_ranges(const void *packed, size_t tiles, espalier_sparse_range ranges[RANGES]);

#endif
