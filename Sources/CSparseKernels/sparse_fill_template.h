// Copying activations into tiles; see each_isa.h.

#include "sparse_vectors_template.h"
#include "sparse_moves_template.h"
#include "sparse_transposition_template.h"

// All columns of a slice lie side by side.
static void ESPALIER_NAME(sparse_fill_rows)(
    const espalier_sparse_source *source, const espalier_sparse_tap *taps, size_t slices, size_t columns,
    size_t slice_bytes, char *tile) {
    const size_t full = columns / LANES * LANES;
    const size_t padded = (columns + ESPALIER_LINE - 1) / ESPALIER_LINE * ESPALIER_LINE;
    for (size_t slice = 0; slice < slices; ++slice) {
        const float *from = sparse_origin(source, taps[slice]);
        float *to = (float *)(tile + slice * slice_bytes);
        for (size_t i = 0; i < full; i += LANES) {
            ESPALIER_NAME(store_aligned)(ESPALIER_NAME(load)(from + i), to + i);
        }
        size_t i = full;
        if (i < columns) {
            ESPALIER_NAME(store_aligned)(ESPALIER_NAME(load_some)(from + i, columns - i), to + i);
            i += LANES;
        }
        for (; i < padded; i += LANES) ESPALIER_NAME(store_aligned)((FLOATS){0}, to + i);
    }
}

static void ESPALIER_NAME(sparse_fill_moves)(
    const espalier_sparse_source *source, const espalier_sparse_tap *taps, size_t slices, size_t columns,
    size_t slice_bytes, char *tile) {
    const size_t last_line = columns / ESPALIER_LINE * ESPALIER_LINE;
    const espalier_sparse_move *moves = source->moves;
    const size_t count = source->move_count;
    for (size_t slice = 0; slice < slices; ++slice) {
        const float *origin = sparse_origin(source, taps[slice]);
        float *to = (float *)(tile + slice * slice_bytes);
        if (last_line < columns) {
            for (size_t i = 0; i < ESPALIER_LINE; i += LANES) {
                ESPALIER_NAME(store_aligned)((FLOATS){0}, to + last_line + i);
            }
        }
        for (size_t i = 0; i < count; ++i) {
            ESPALIER_NAME(sparse_move)(origin + moves[i].offset, to + moves[i].column);
        }
    }
}

// Four columns of four slices at a time where their channels follow each other.
static void ESPALIER_NAME(sparse_fill_transposed)(
    const espalier_sparse_source *source, const espalier_sparse_tap *taps, size_t slices, size_t columns,
    size_t slice_bytes, char *tile) {
    const size_t pitch = source->channel_pitch;
    const size_t padded = (columns + ESPALIER_LINE - 1) / ESPALIER_LINE * ESPALIER_LINE;
    const size_t step = slice_bytes / sizeof(float);
    for (size_t slice = 0; slice < slices;) {
        const size_t channel = taps[slice].channel;
        float *to = (float *)(tile + slice * slice_bytes);
        if (slice + 4 <= slices && taps[slice + 3].channel == channel + 3) {
            for (size_t column = 0; column < padded; column += 4) {
                FOUR rows[4] = {0};
                for (size_t i = 0; i < 4 && column + i < columns; ++i) {
                    rows[i] = ESPALIER_NAME(load_four)(source->base + (column + i) * pitch + channel);
                }
                ESPALIER_NAME(transpose_four)(rows);
                for (size_t i = 0; i < 4; ++i) ESPALIER_NAME(store_four)(rows[i], to + i * step + column);
            }
            slice += 4;
        } else {
            for (size_t column = 0; column < padded; ++column) {
                to[column] = column < columns ? source->base[column * pitch + channel] : 0;
            }
            slice += 1;
        }
    }
}

#undef EIGHT
#undef FOUR
#include "sparse_vectors_end.h"
