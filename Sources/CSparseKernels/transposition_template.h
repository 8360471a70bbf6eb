// Transposing matrices by blocks of eight by eight; see each_isa.h.

#include "eights_template.h"

// Up to eight by eight at the corner of the piece. What there is no row for becomes zeros, up to the width.
static void ESPALIER_NAME(transpose_edge)(const matrix_piece *piece) {
    const size_t rows = at_most(piece->rows, 8), columns = at_most(piece->columns, 8);
    const size_t width = at_most(piece->width, 8);
    if (columns < 8 || width < 8) {
        for (size_t column = 0; column < columns; ++column) {
            const float *from = piece->source + column;
            float *to = piece->destination + column * piece->destination_pitch;
            for (size_t row = 0; row < rows; ++row) to[row] = from[row * piece->source_pitch];
            for (size_t row = rows; row < width; ++row) to[row] = 0;
        }
        return;
    }
    EIGHT block[8] = {{0}};
    for (size_t row = 0; row < rows; ++row) {
        memcpy(block + row, piece->source + row * piece->source_pitch, sizeof *block);
    }
    ESPALIER_NAME(transpose_eights)(block);
    for (size_t i = 0; i < 8; ++i) memcpy(piece->destination + i * piece->destination_pitch, block + i, sizeof *block);
}

// All of a piece from a row or a column on.
static void ESPALIER_NAME(transpose_edges)(const matrix_piece *piece, size_t first_row, size_t first_column) {
    for (size_t column = first_column; column < piece->columns; column += 8) {
        for (size_t row = first_row; row < piece->width; row += 8) {
            const matrix_piece edge = {
                .source = piece->source + (row < piece->rows ? row * piece->source_pitch : 0) + column,
                .source_pitch = piece->source_pitch,
                .destination = piece->destination + column * piece->destination_pitch + row,
                .destination_pitch = piece->destination_pitch,
                .rows = piece->rows - at_most(row, piece->rows),
                .columns = piece->columns - column,
                .width = piece->width - row,
            };
            ESPALIER_NAME(transpose_edge)(&edge);
        }
    }
}

// Up to four or eight rows, and zeros up to sixteen. Four or eight floats are written to rows of the destination that
// are narrower: those after their end belong to rows that are written later. Hence the last eight columns are left
// over. Returns their first.
ESPALIER_INLINE size_t ESPALIER_NAME(transpose_few_rows)(const matrix_piece *piece, const size_t kept) {
    static const float zeros[8];
    const size_t destination_pitch = piece->destination_pitch;
    const bool is_padded = piece->width > 8;
    const float *from[8];
    size_t steps[8];
#pragma clang loop unroll(full)
    for (size_t row = 0; row < kept; ++row) {
        from[row] = row < piece->rows ? piece->source + row * piece->source_pitch : zeros;
        steps[row] = row < piece->rows ? 8 : 0;
    }
    const size_t end = piece->columns / 8 * 8 - 8;
    float *to = piece->destination;
    for (size_t column = 0; column < end; column += 8) {
        EIGHT block[8] = {{0}};
#pragma clang loop unroll(full)
        for (size_t row = 0; row < kept; ++row) {
            memcpy(block + row, from[row], sizeof *block);
            from[row] += steps[row];
        }
        ESPALIER_NAME(transpose_eights)(block);
#pragma clang loop unroll(full)
        for (size_t i = 0; i < 8; ++i) {
            memcpy(to, block + i, kept * sizeof *to);
            if (is_padded) memcpy(to + 8, zeros, sizeof zeros);
            to += destination_pitch;
        }
    }
    return end;
}

// Up to four columns: four floats of each row are read, some of them the next row's. Hence the last eight rows are left
// over. Returns their first.
static size_t ESPALIER_NAME(transpose_few_columns)(const matrix_piece *piece) {
    const size_t source_pitch = piece->source_pitch, destination_pitch = piece->destination_pitch;
    const size_t columns = piece->columns, end = piece->rows / 8 * 8 - 8;
    const float *from = piece->source;
    for (size_t row = 0; row < end; row += 8) {
        // Rows 0...3 beside rows 4...7.
        EIGHT block[8] = {{0}};
#pragma clang loop unroll(full)
        for (size_t i = 0; i < 4; ++i) {
            float both[8];
            memcpy(both, from + i * source_pitch, 4 * sizeof *both);
            memcpy(both + 4, from + (i + 4) * source_pitch, 4 * sizeof *both);
            memcpy(block + i, both, sizeof *block);
        }
        from += 8 * source_pitch;
        ESPALIER_NAME(transpose_eights)(block);
        float *to = piece->destination + row;
#pragma clang loop unroll(full)
        for (size_t i = 0; i < 4; ++i) {
            if (i >= columns) continue;
            memcpy(to + i * destination_pitch, block + i, 4 * sizeof *to);
            memcpy(to + i * destination_pitch + 4, block + 4 + i, 4 * sizeof *to);
        }
    }
    return end;
}

// Pieces of fewer than eight rows or columns, and those with rows missing.
static void ESPALIER_NAME(transpose_narrow)(const matrix_piece *piece) {
    if (piece->width == 0 || piece->columns == 0) return;
    size_t first_row = 0, first_column = 0;
    const bool is_dense = piece->width == piece->destination_pitch && piece->width <= 16;
    if (is_dense && piece->rows <= 8 && piece->columns >= 16) {
        first_column = piece->width <= 4 ? ESPALIER_NAME(transpose_few_rows)(piece, 4)
                                         : ESPALIER_NAME(transpose_few_rows)(piece, 8);
    } else if (piece->columns <= 4 && piece->rows >= 16 && piece->rows == piece->width) {
        first_row = ESPALIER_NAME(transpose_few_columns)(piece);
    }
    ESPALIER_NAME(transpose_edges)(piece, first_row, first_column);
}

ESPALIER_INLINE void ESPALIER_NAME(transpose_block)(const matrix_piece *piece, size_t row, size_t column) {
    const size_t source_pitch = piece->source_pitch, destination_pitch = piece->destination_pitch;
    const float *from = piece->source + row * source_pitch + column;
    float *to = piece->destination + column * destination_pitch + row;
    EIGHT block[8];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 8; ++i) memcpy(block + i, from + i * source_pitch, sizeof *block);
    ESPALIER_NAME(transpose_eights)(block);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 8; ++i) memcpy(to + i * destination_pitch, block + i, sizeof *block);
}

// Two blocks one above the other, whose lines of the destination are whole, and written at once.
ESPALIER_INLINE void ESPALIER_NAME(transpose_two_blocks)(const matrix_piece *piece, size_t row, size_t column) {
    const size_t source_pitch = piece->source_pitch, destination_pitch = piece->destination_pitch;
    const float *from = piece->source + row * source_pitch + column;
    const float *from_below = from + 8 * source_pitch;
    float *to = piece->destination + column * destination_pitch + row;
#if ESPALIER_VECTOR_BYTES == 64
    SIXTEEN block[8];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 8; ++i) {
        const __m512 above = _mm512_castps256_ps512(_mm256_loadu_ps(from + i * source_pitch));
        block[i] = (SIXTEEN)_mm512_insertf32x8(above, _mm256_loadu_ps(from_below + i * source_pitch), 1);
    }
    ESPALIER_NAME(transpose_two_eights)(block);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 8; ++i) memcpy(to + i * destination_pitch, block + i, sizeof *block);
#else
    EIGHT above[8], below[8];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 8; ++i) memcpy(above + i, from + i * source_pitch, sizeof *above);
    ESPALIER_NAME(transpose_eights)(above);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 8; ++i) memcpy(below + i, from_below + i * source_pitch, sizeof *below);
    ESPALIER_NAME(transpose_eights)(below);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 8; ++i) {
        memcpy(to + i * destination_pitch, above + i, sizeof *above);
        memcpy(to + i * destination_pitch + 8, below + i, sizeof *below);
    }
#endif
}

// Bands of two blocks, along rows of the source, so that lines of the destination are written at once: where its rows
// are a power of two apart, lines displace each other soon.
static void ESPALIER_NAME(transpose_along_rows)(const matrix_piece *piece) {
    for (size_t row = 0; row < piece->rows; row += 16) {
        const size_t first = block_start(row, piece->rows), second = block_start(row + 8, piece->rows);
        for (size_t column = 0; column < piece->columns; column += 8) {
            const size_t start = block_start(column, piece->columns);
            if (second == first + 8) {
                ESPALIER_NAME(transpose_two_blocks)(piece, first, start);
            } else {
                ESPALIER_NAME(transpose_block)(piece, first, start);
                if (second != first) ESPALIER_NAME(transpose_block)(piece, second, start);
            }
        }
    }
}

// Likewise along columns, so that lines of the source are used up at once.
static void ESPALIER_NAME(transpose_along_columns)(const matrix_piece *piece) {
    for (size_t column = 0; column < piece->columns; column += 16) {
        const size_t first = block_start(column, piece->columns);
        const size_t second = block_start(column + 8, piece->columns);
        for (size_t row = 0; row < piece->rows; row += 8) {
            const size_t start = block_start(row, piece->rows);
            ESPALIER_NAME(transpose_block)(piece, start, first);
            if (second != first) ESPALIER_NAME(transpose_block)(piece, start, second);
        }
    }
}

static void ESPALIER_NAME(transpose_piece)(const matrix_piece *piece, bool along_rows) {
    if (piece->rows < 8 || piece->columns < 8 || piece->rows < piece->width) {
        ESPALIER_NAME(transpose_narrow)(piece);
    } else if (along_rows) {
        ESPALIER_NAME(transpose_along_rows)(piece);
    } else {
        ESPALIER_NAME(transpose_along_columns)(piece);
    }
}

#include "eights_end.h"
