#include "espalier_triangle_product.h"

#include <string.h>

#include "double_tiles.h"

// Steps of the sums that are packed together.
enum { BLOCK = 128 };

#define ESPALIER_TEMPLATE "triangle_product_template.h"
#include "each_isa.h"

size_t espalier_triangle_product_scratch(size_t order) { return 2 * (order + MOST_TILE_ROWS) * BLOCK; }

void espalier_add_triangle_product(
    espalier_isa isa, const double *left, const double *right, size_t depth, size_t order, double *result,
    size_t leading, double *scratch) {
    ESPALIER_DISPATCH(isa, triangle_product, left, right, depth, order, result, leading, scratch);
}
