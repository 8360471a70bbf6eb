/// Products of matrices in double precision of which only one triangle is wanted: Gram matrices.
#ifndef ESPALIER_TRIANGLE_PRODUCT_H
#define ESPALIER_TRIANGLE_PRODUCT_H

#include <stddef.h>

#include "espalier_isa.h"

/// How many doubles of scratch memory espalier_add_triangle_product needs.
size_t espalier_triangle_product_scratch(size_t order);

/// Adds to the lower triangle of `result`, diagonal included, that of the transpose of `left` times `right`.
///
/// Both are depth x order, row-major; they may be the same. Element (row, column), row >= column, of the result is
/// result[column * leading + row]; nothing else is touched. Memory must not overlap that of the factors.
void espalier_add_triangle_product(
    espalier_isa isa, const double *left, const double *right, size_t depth, size_t order, double *result,
    size_t leading, double *scratch);

#endif
