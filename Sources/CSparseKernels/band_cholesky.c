#include "espalier_band_cholesky.h"

#include <math.h>
#include <string.h>

#include "double_tiles.h"

enum { BLOCK = ESPALIER_BAND_CHOLESKY_BLOCK };

#define ESPALIER_TEMPLATE "band_cholesky_template.h"
#include "each_isa.h"

size_t espalier_band_cholesky_scratch(size_t bandwidth) {
    return (bandwidth + MOST_TILE_ROWS) * BLOCK;
}

size_t espalier_band_cholesky(
    espalier_isa isa, double *band, size_t order, size_t bandwidth, size_t stride, double *scratch) {
    return ESPALIER_DISPATCH(isa, band_cholesky, band, order, bandwidth, stride, scratch);
}
