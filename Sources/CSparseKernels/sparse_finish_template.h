// What follows the sums of a tile that were not finished in registers; see each_isa.h.

#include "sparse_vectors_template.h"
#include "activations_template.h"
#include "sparse_transposition_template.h"

ESPALIER_INLINE void ESPALIER_NAME(sparse_finish_piece)(
    const espalier_activation *activation, const float *partial, const float *residual, float *output,
    size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        FLOATS x = ESPALIER_NAME(load)(partial + i);
        if (residual) x += ESPALIER_NAME(load)(residual + i);
        ESPALIER_NAME(store)(ESPALIER_NAME(activate)(x, activation), output + i);
    }
    if (i == count) return;
    FLOATS x = ESPALIER_NAME(load_some)(partial + i, count - i);
    if (residual) x += ESPALIER_NAME(load_some)(residual + i, count - i);
    ESPALIER_NAME(store_some)(ESPALIER_NAME(activate)(x, activation), output + i, count - i);
}

static void ESPALIER_NAME(sparse_finish_rows)(
    const espalier_sparse_target *target, const float *partial, size_t partial_pitch, size_t first_row,
    size_t rows) {
    for (size_t row = 0; row < rows; ++row) {
        const size_t offset = (first_row + row) * target->pitch;
        for (size_t p = 0; p < target->piece_count; ++p) {
            const espalier_sparse_piece *piece = target->pieces + p;
            ESPALIER_NAME(sparse_finish_piece)(
                &target->epilogue->activation, partial + row * partial_pitch + piece->column,
                piece->residual ? piece->residual + offset : NULL, piece->output + offset, piece->count);
        }
    }
}

// Adds the residuals of four rows, of one column each.
ESPALIER_INLINE void ESPALIER_NAME(sparse_add_residual)(
    const espalier_sparse_target *target, float *partial, size_t partial_pitch, size_t row, size_t rows) {
    const float *residual = target->pieces->residual;
    for (size_t column = 0; column < target->columns; ++column) {
        for (size_t r = 0; r < rows; ++r) {
            partial[r * partial_pitch + column] += residual[column * target->pitch + row + r];
        }
    }
}

// Of `rows` rows, a few so that they stay close: residual, activation, and then the transposition.
static void ESPALIER_NAME(sparse_finish_transposed)(
    const espalier_sparse_target *target, float *partial, size_t partial_pitch, size_t first_row, size_t rows) {
    enum { FEW = 16 };
    for (size_t start = 0; start < rows; start += FEW) {
        const size_t few = rows - start < FEW ? rows - start : FEW;
        float *sums = partial + start * partial_pitch;
        float *output = target->pieces->output + first_row + start;
        if (target->pieces->residual) {
            ESPALIER_NAME(sparse_add_residual)(target, sums, partial_pitch, first_row + start, few);
        }
        for (size_t row = 0; row < few; ++row) {
            float *line = sums + row * partial_pitch;
            for (size_t i = 0; i < target->columns; i += LANES) {
                const FLOATS x = ESPALIER_NAME(load_aligned)(line + i);
                ESPALIER_NAME(store_aligned)(ESPALIER_NAME(activate)(x, &target->epilogue->activation), line + i);
            }
        }
        for (size_t column = 0; column < target->columns; column += 4) {
            const size_t columns = target->columns - column < 4 ? target->columns - column : 4;
            size_t row = 0;
            for (; row + 4 <= few; row += 4) {
                FOUR block[4];
                for (size_t i = 0; i < 4; ++i) {
                    block[i] = ESPALIER_NAME(load_four)(sums + (row + i) * partial_pitch + column);
                }
                ESPALIER_NAME(transpose_four)(block);
                for (size_t i = 0; i < columns; ++i) {
                    ESPALIER_NAME(store_four)(block[i], output + (column + i) * target->pitch + row);
                }
            }
            for (; row < few; ++row) {
                for (size_t i = 0; i < columns; ++i) {
                    output[(column + i) * target->pitch + row] = sums[row * partial_pitch + column + i];
                }
            }
        }
    }
}

#undef FOUR
#include "sparse_vectors_end.h"
