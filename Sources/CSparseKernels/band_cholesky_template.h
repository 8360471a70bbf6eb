// Right-looking blocked Cholesky factorisation of a band matrix; see each_isa.h.
//
// Seen with a leading dimension of one less than the stride, the band is an ordinary matrix stored by columns, of which
// the elements from the diagonal down to the end of the band may be touched.

#define DOUBLE_LANES (ESPALIER_VECTOR_BYTES / 8)
#define DOUBLES ESPALIER_NAME(doubles)
// The tile of the trailing matrix that is held in registers: two vectors of rows by so many columns.
#define TILE_ROWS (2 * DOUBLE_LANES)
#define TILE_COLUMNS (ESPALIER_VECTOR_BYTES == 64 ? 8 : 4)

typedef double DOUBLES __attribute__((vector_size(ESPALIER_VECTOR_BYTES), aligned(8)));

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

// Lays rows of a panel as tiles: TILE_ROWS rows of a column side by side, column after column. Rows are filled up with
// zeros.
static void ESPALIER_NAME(pack_panel)(
    const double *panel, size_t leading, size_t width, size_t rows, double *packed) {
    for (size_t row = 0; row < rows; row += TILE_ROWS) {
        const size_t count = rows - row < TILE_ROWS ? rows - row : TILE_ROWS;
        for (size_t j = 0; j < width; ++j, packed += TILE_ROWS) {
            const double *source = panel + j * leading + row;
            for (size_t i = 0; i < count; ++i) packed[i] = source[i];
            for (size_t i = count; i < TILE_ROWS; ++i) packed[i] = 0;
        }
    }
}

// Subtracts from a tile the product of packed rows and packed columns; only elements on or below the diagonal that are
// there if it is not `whole`.
ESPALIER_INLINE void ESPALIER_NAME(update_tile)(
    const double *restrict rows, const double *restrict columns, size_t width, double *restrict tile, size_t leading,
    _Bool whole, size_t row, size_t column, size_t end) {
    DOUBLES sums[TILE_COLUMNS][2] = {{{0}}};
    for (size_t k = 0; k < width; ++k, rows += TILE_ROWS, columns += TILE_ROWS) {
        const DOUBLES upper = *(const DOUBLES *)rows, lower = *(const DOUBLES *)(rows + DOUBLE_LANES);
#pragma clang loop unroll(full)
        for (size_t j = 0; j < TILE_COLUMNS; ++j) {
            const double factor = columns[j];
            sums[j][0] += upper * factor;
            sums[j][1] += lower * factor;
        }
    }
    if (whole) {
#pragma clang loop unroll(full)
        for (size_t j = 0; j < TILE_COLUMNS; ++j) {
            *(DOUBLES *)(tile + j * leading) -= sums[j][0];
            *(DOUBLES *)(tile + j * leading + DOUBLE_LANES) -= sums[j][1];
        }
        return;
    }
    double differences[TILE_COLUMNS][TILE_ROWS];
    memcpy(differences, sums, sizeof(differences));
    for (size_t j = 0; j < TILE_COLUMNS && column + j < end; ++j) {
        const size_t first = row < column + j ? column + j - row : 0;
        for (size_t i = first; i < TILE_ROWS && row + i < end; ++i) tile[j * leading + i] -= differences[j][i];
    }
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
        ESPALIER_NAME(pack_panel)(panel + width, leading, width, rows, packed);
        double *trailing = band + (k + width) * stride;
        for (size_t column = 0; column < rows; column += TILE_COLUMNS) {
            const size_t first = column / TILE_ROWS * TILE_ROWS;
            const double *columns = packed + first * width + (column - first);
            for (size_t row = first; row < rows; row += TILE_ROWS) {
                const _Bool whole = row >= column + TILE_COLUMNS && row + TILE_ROWS <= rows;
                ESPALIER_NAME(update_tile)(
                    packed + row * width, columns, width, trailing + column * leading + row, leading, whole, row,
                    column, rows);
            }
        }
    }
    return order;
}

#undef TILE_COLUMNS
#undef TILE_ROWS
#undef DOUBLES
#undef DOUBLE_LANES
