// Products of packed matrices in double precision, a tile of the lower triangle at a time; see each_isa.h.

#define DOUBLE_LANES (ESPALIER_VECTOR_BYTES / 8)
#define DOUBLES ESPALIER_NAME(doubles)
// The tile that is held in registers: two vectors of rows by so many columns.
#define TILE_ROWS (2 * DOUBLE_LANES)
#define TILE_COLUMNS (ESPALIER_VECTOR_BYTES == 64 ? 8 : 4)

typedef double DOUBLES __attribute__((vector_size(ESPALIER_VECTOR_BYTES), aligned(8)));

// Lays rows as tiles: TILE_ROWS rows side by side, step after step of the sum. `lines` are the steps, `pitch` apart. Rows
// are filled up with zeros.
static void ESPALIER_NAME(pack_tiles)(
    const double *lines, size_t pitch, size_t steps, size_t rows, double sign, double *packed) {
    for (size_t row = 0; row < rows; row += TILE_ROWS) {
        const size_t count = rows - row < TILE_ROWS ? rows - row : TILE_ROWS;
        for (size_t step = 0; step < steps; ++step, packed += TILE_ROWS) {
            const double *source = lines + step * pitch + row;
            for (size_t i = 0; i < count; ++i) packed[i] = sign * source[i];
            for (size_t i = count; i < TILE_ROWS; ++i) packed[i] = 0;
        }
    }
}

// Subtracts from a tile the product of packed rows and packed columns; only elements on or below the diagonal that are
// there if it is not `whole`.
ESPALIER_INLINE void ESPALIER_NAME(update_tile)(
    const double *restrict rows, const double *restrict columns, size_t steps, double *restrict tile, size_t leading,
    _Bool whole, size_t row, size_t column, size_t end) {
    DOUBLES sums[TILE_COLUMNS][2] = {{{0}}};
    for (size_t k = 0; k < steps; ++k, rows += TILE_ROWS, columns += TILE_ROWS) {
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

// Subtracts from the lower triangle of a matrix stored by columns, `leading` apart, the products of packed rows and
// packed columns.
ESPALIER_INLINE void ESPALIER_NAME(subtract_products)(
    const double *rows, const double *columns, size_t steps, size_t order, double *matrix, size_t leading) {
    for (size_t column = 0; column < order; column += TILE_COLUMNS) {
        const size_t first = column / TILE_ROWS * TILE_ROWS;
        const double *factors = columns + first * steps + (column - first);
        for (size_t row = first; row < order; row += TILE_ROWS) {
            const _Bool whole = row >= column + TILE_COLUMNS && row + TILE_ROWS <= order;
            ESPALIER_NAME(update_tile)(
                rows + row * steps, factors, steps, matrix + column * leading + row, leading, whole, row, column,
                order);
        }
    }
}

#undef TILE_COLUMNS
#undef TILE_ROWS
#undef DOUBLES
#undef DOUBLE_LANES
