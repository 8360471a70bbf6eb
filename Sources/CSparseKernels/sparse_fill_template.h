// Copying activations into tiles; see each_isa.h.

#include "vectors_template.h"
#include "eights_template.h"
#include "sparse_moves_template.h"

// All columns of a slice lie side by side.
static void ESPALIER_NAME(sparse_fill_rows)(
    const espalier_sparse_source *source, const espalier_sparse_tap *taps, size_t slices, size_t columns,
    float *tile) {
    const size_t full = columns / LANES * LANES;
    const size_t padded = (columns + ESPALIER_LINE - 1) / ESPALIER_LINE * ESPALIER_LINE;
    for (size_t slice = 0; slice < slices; ++slice) {
        const float *from = sparse_origin(source, taps[slice]);
        float *to = tile + slice * padded;
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
    float *tile) {
    const size_t last_line = columns / ESPALIER_LINE * ESPALIER_LINE;
    const size_t padded = (columns + ESPALIER_LINE - 1) / ESPALIER_LINE * ESPALIER_LINE;
    const int64_t *moves = source->moves;
    const size_t count = source->move_count;
    for (size_t slice = 0; slice < slices; ++slice) {
        const float *origin = sparse_origin(source, taps[slice]);
        float *to = tile + slice * padded;
        if (last_line < columns) {
            for (size_t i = 0; i < ESPALIER_LINE; i += LANES) {
                ESPALIER_NAME(store_aligned)((FLOATS){0}, to + last_line + i);
            }
        }
#pragma clang loop unroll_count(4)
        for (size_t i = 0; i < count; ++i) {
            ESPALIER_NAME(sparse_move)(origin + (int64_t)(moves[i] >> 16), to + (moves[i] & 0xffff));
        }
    }
}

// Eight columns at a time, along their channels, so that each line of the input is used up at once: where its
// pitch is a power of two, the lines of many columns would displace each other.
static void ESPALIER_NAME(sparse_fill_transposed)(
    const espalier_sparse_source *source, const espalier_sparse_tap *taps, size_t slices, size_t columns,
    float *tile) {
    const size_t padded = (columns + ESPALIER_LINE - 1) / ESPALIER_LINE * ESPALIER_LINE;
    for (size_t column = 0; column < padded; column += 8) {
        // Past the last column it repeats.
        const float *lines[8];
        for (size_t i = 0; i < 8; ++i) {
            const size_t inside = column + i < columns ? column + i : columns - 1;
            lines[i] = source->base + inside * source->channel_pitch;
        }
        float *to = tile + column;
        for (size_t slice = 0; slice < slices;) {
            const size_t channel = taps[slice].channel;
            if (slice + 8 <= slices && taps[slice + 7].channel == channel + 7) {
                EIGHT block[8];
#pragma clang loop unroll(full)
                for (size_t i = 0; i < 8; ++i) memcpy(block + i, lines[i] + channel, sizeof *block);
                ESPALIER_NAME(transpose_eights)(block);
#pragma clang loop unroll(full)
                for (size_t i = 0; i < 8; ++i) memcpy(to + (slice + i) * padded, block + i, sizeof *block);
                slice += 8;
            } else {
                for (size_t i = 0; i < 8; ++i) to[slice * padded + i] = lines[i][channel];
                slice += 1;
            }
        }
    }
}

#include "eights_end.h"
#include "vectors_end.h"
