// Products of matrices of which half is wanted; see each_isa.h.

#include "double_tiles_template.h"

static void ESPALIER_NAME(triangle_product)(
    const double *left, const double *right, size_t depth, size_t order, double *result, size_t leading,
    double *rows) {
    double *columns = rows + (order + MOST_TILE_ROWS) * BLOCK;
    for (size_t k = 0; k < depth; k += BLOCK) {
        const size_t steps = depth - k < BLOCK ? depth - k : BLOCK;
        ESPALIER_NAME(pack_tiles)(left + k * order, order, steps, order, 1, rows);
        // Products are subtracted: these are added.
        ESPALIER_NAME(pack_tiles)(right + k * order, order, steps, order, -1, columns);
        ESPALIER_NAME(subtract_products)(rows, columns, steps, order, result, leading);
    }
}
