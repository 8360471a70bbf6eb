// Right-looking blocked Cholesky factorisation of a band matrix; see each_isa.h.
//
// Seen with a leading dimension of one less than the stride, the band is an ordinary matrix stored by columns, of which
// the elements from the diagonal down to the end of the band may be touched.

#include "double_tiles_template.h"

// target -= sum over the `count` columns at `columns`, `leading` apart, each times its own factor in row 0 of `factors`.
ESPALIER_INLINE void ESPALIER_NAME(subtract_columns)(
    double *restrict target, const double *restrict columns, const double *restrict factors, size_t leading,
    size_t count, size_t rows) {
    size_t c = 0;
    for (; c + 4 <= count; c += 4) {
        const double *restrict first = columns + c * leading;
        const double f0 = factors[c * leading], f1 = factors[(c + 1) * leading];
        const double f2 = factors[(c + 2) * leading], f3 = factors[(c + 3) * leading];
        for (size_t i = 0; i < rows; ++i) {
            target[i] -= f0 * first[i] + f1 * first[leading + i] + f2 * first[2 * leading + i] +
                         f3 * first[3 * leading + i];
        }
    }
    for (; c < count; ++c) {
        const double factor = factors[c * leading];
        const double *restrict column = columns + c * leading;
        for (size_t i = 0; i < rows; ++i) target[i] -= factor * column[i];
    }
}

// Factorises `width` columns, of which `rows` rows from the diagonal of the first down are there. Returns how many it
// could.
static size_t ESPALIER_NAME(factorise_panel)(double *panel, size_t leading, size_t width, size_t rows) {
    for (size_t j = 0; j < width; ++j) {
        double *column = panel + j * leading + j;
        ESPALIER_NAME(subtract_columns)(column, panel + j, panel + j, leading, j, rows - j);
        if (!(column[0] > 0) || !isfinite(column[0])) return j;
        const double pivot = sqrt(column[0]);
        column[0] = pivot;
        for (size_t i = 1; i < rows - j; ++i) column[i] /= pivot;
    }
    return width;
}

static size_t ESPALIER_NAME(band_cholesky)(
    double *band, size_t order, size_t bandwidth, size_t stride, double *packed) {
    const size_t leading = stride - 1;
    for (size_t k = 0; k < order; k += BLOCK) {
        const size_t width = order - k < BLOCK ? order - k : BLOCK;
        const size_t reach = k + width + bandwidth;
        const size_t end = reach < order ? reach : order;
        double *panel = band + k * stride;
        const size_t done = ESPALIER_NAME(factorise_panel)(panel, leading, width, end - k);
        if (done < width) return k + done;
        const size_t rows = end - k - width;
        ESPALIER_NAME(pack_tiles)(panel + width, leading, width, rows, 1, packed);
        ESPALIER_NAME(subtract_products)(
            packed, packed, width, rows, band + (k + width) * stride, leading);
    }
    return order;
}
