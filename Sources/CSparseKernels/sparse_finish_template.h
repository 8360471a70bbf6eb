// What follows the sums of a tile that were not finished in registers; see each_isa.h.

#include "vectors_template.h"
#include "activations_template.h"
#include "eights_template.h"

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

// Adds residuals to some rows.
ESPALIER_INLINE void ESPALIER_NAME(sparse_add_residual)(
    const espalier_sparse_target *target, float *sums, size_t pitch, size_t first_row, size_t rows) {
    const float *residual = target->pieces->residual + first_row;
    for (size_t column = 0; column < target->columns; ++column, residual += target->pitch) {
        for (size_t row = 0; row < rows; ++row) sums[row * pitch + column] += residual[row];
    }
}

ESPALIER_INLINE void ESPALIER_NAME(sparse_activate_rows)(
    const espalier_sparse_target *target, float *sums, size_t pitch, size_t rows) {
    for (size_t row = 0; row < rows; ++row) {
        float *line = sums + row * pitch;
        for (size_t i = 0; i < target->columns; i += LANES) {
            const FLOATS x = ESPALIER_NAME(load_aligned)(line + i);
            ESPALIER_NAME(store_aligned)(ESPALIER_NAME(activate)(x, &target->epilogue->activation), line + i);
        }
    }
}

// Writes some rows as columns, eight of them at once: lines of more, a power of two apart, would displace each
// other.
ESPALIER_INLINE void ESPALIER_NAME(sparse_write_transposed)(
    const espalier_sparse_target *target, const float *sums, size_t pitch, size_t rows, float *output) {
    const size_t blocked = rows / 8 * 8;
    size_t column = 0;
    for (; column + 8 <= target->columns; column += 8) {
        float *to = output + column * target->pitch;
        for (size_t row = 0; row < blocked; row += 8) {
            EIGHT block[8];
#pragma clang loop unroll(full)
            for (size_t i = 0; i < 8; ++i) memcpy(block + i, sums + (row + i) * pitch + column, sizeof *block);
            ESPALIER_NAME(transpose_eights)(block);
#pragma clang loop unroll(full)
            for (size_t i = 0; i < 8; ++i) memcpy(to + i * target->pitch + row, block + i, sizeof *block);
        }
    }
    for (size_t rest = 0; rest < target->columns; ++rest) {
        for (size_t row = rest < column ? blocked : 0; row < rows; ++row) {
            output[rest * target->pitch + row] = sums[row * pitch + rest];
        }
    }
}

// Some rows at a time: few, so that they stay close; many, since the output is written in pieces as long, each
// far from the last one.
static void ESPALIER_NAME(sparse_finish_transposed)(
    const espalier_sparse_target *target, float *partial, size_t partial_pitch, size_t first_row, size_t rows) {
    enum { SOME = 128 };
    const bool active = target->epilogue->activation.function != ESPALIER_ACTIVATION_NONE;
    for (size_t start = 0; start < rows; start += SOME) {
        const size_t some = rows - start < SOME ? rows - start : SOME;
        const size_t row = first_row + start;
        float *sums = partial + start * partial_pitch;
        if (target->pieces->residual) {
            ESPALIER_NAME(sparse_add_residual)(target, sums, partial_pitch, row, some);
        }
        if (active) ESPALIER_NAME(sparse_activate_rows)(target, sums, partial_pitch, some);
        ESPALIER_NAME(sparse_write_transposed)(
            target, sums, partial_pitch, some, target->pieces->output + row);
    }
}

#include "eights_end.h"
#include "vectors_end.h"
