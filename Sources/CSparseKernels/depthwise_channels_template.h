// The loops of depthwise_channels.c; see each_isa.h. Tiles' extents are constants wherever their code is inlined, so
// that sums stay in registers.

#include "vectors_template.h"
#include "activations_template.h"

// Positions of a row in a tile. AVX-512 and NEON have 32 registers, the others 16: for the sums, a column of the
// kernel's weights, and an activation.
#if ESPALIER_VECTOR_BYTES == 64 || defined(__aarch64__)
#define COLUMNS 4
#else
#define COLUMNS 2
#endif

// Wide registers take whole blocks: addresses with constants in them save 4 to 18 %.
#if ESPALIER_VECTOR_BYTES >= 32
#define BLOCK_FLOATS(call) LANES
#else
#define BLOCK_FLOATS(call) (call)->block
#endif

#define BAND ESPALIER_NAME(depthwise_channels_band)

// Some rows of the output and LANES channels.
typedef struct {
    const depthwise_channels *call;
    // Of the first row and the first channel.
    float *output;
    const float *packed;
    // The rows of the input that the rows of the output see in turn; zeros where there is none.
    const float *rows[CHANNELS_INPUT_ROWS];
} BAND;

// Activations that are not clips. Rare, so not inlined into each tile.
static __attribute__((noinline)) void ESPALIER_NAME(depthwise_channels_activate)(
    const espalier_activation *activation, FLOATS *values, size_t count) {
    for (size_t i = 0; i < count; ++i) values[i] = ESPALIER_NAME(activate)(values[i], activation);
}

// Adds what column `right` of the kernel finds, `column` being where position 0 of the tile finds it.
ESPALIER_INLINE void ESPALIER_NAME(depthwise_channels_add)(
    const BAND *band, size_t right, size_t column, FLOATS sums[CHANNELS_ROWS][COLUMNS], const size_t kernel,
    const size_t stride, const size_t rows, const size_t columns) {
    const size_t block = BLOCK_FLOATS(band->call);
    FLOATS weights[5];
#pragma clang loop unroll(full)
    for (size_t down = 0; down < kernel; ++down) {
        weights[down] = ESPALIER_NAME(load)(band->packed + (1 + down * kernel + right) * block);
    }
#pragma clang loop unroll(full)
    for (size_t row = 0; row < (rows - 1) * stride + kernel; ++row) {
        const float *from = band->rows[row] + column * block;
#pragma clang loop unroll(full)
        for (size_t x = 0; x < columns; ++x) {
            const FLOATS input = ESPALIER_NAME(load)(from + x * stride * block);
#pragma clang loop unroll(full)
            for (size_t down = 0; down < kernel; ++down) {
                if (row < down || (row - down) % stride > 0 || (row - down) / stride >= rows) continue;
                sums[(row - down) / stride][x] += weights[down] * input;
            }
        }
    }
}

// The positions from x on, for which the kernel's columns first..<end find activations.
ESPALIER_INLINE void ESPALIER_NAME(depthwise_channels_tile)(
    const BAND *band, size_t x, size_t first, size_t end, const size_t kernel, const size_t stride, const size_t rows,
    const size_t columns) {
    const espalier_sparse_geometry *g = band->call->geometry;
    const size_t block = BLOCK_FLOATS(band->call);
    const FLOATS bias = ESPALIER_NAME(load)(band->packed);
    FLOATS sums[CHANNELS_ROWS][COLUMNS];
#pragma clang loop unroll(full)
    for (size_t row = 0; row < rows; ++row) {
#pragma clang loop unroll(full)
        for (size_t c = 0; c < columns; ++c) sums[row][c] = bias;
    }
    const size_t left = x * stride - g->padding_left;
    if (kernel == 3 && columns > 1) {
        // All are there. Unrolled, 3 x 3 takes up to 9 % less time.
#pragma clang loop unroll(full)
        for (size_t right = 0; right < kernel; ++right) {
            ESPALIER_NAME(depthwise_channels_add)(band, right, left + right, sums, kernel, stride, rows, columns);
        }
    } else {
#pragma clang loop unroll(disable)
        for (size_t right = first; right < end; ++right) {
            ESPALIER_NAME(depthwise_channels_add)(band, right, left + right, sums, kernel, stride, rows, columns);
        }
    }
    float *output = band->output + x * block;
    const FLOATS low = (FLOATS){0} + band->call->bounds.low, high = (FLOATS){0} + band->call->bounds.high;
    if (band->call->bounds.is_all) {
#pragma clang loop unroll(full)
        for (size_t row = 0; row < rows; ++row) {
#pragma clang loop unroll(full)
            for (size_t c = 0; c < columns; ++c) {
                ESPALIER_NAME(store)(
                    ESPALIER_NAME(clip)(sums[row][c], low, high), output + (row * g->output_width + c) * block);
            }
        }
        return;
    }
#pragma clang loop unroll(full)
    for (size_t row = 0; row < rows; ++row) {
        FLOATS values[COLUMNS];
        memcpy(values, sums[row], columns * sizeof(FLOATS));
        ESPALIER_NAME(depthwise_channels_activate)(&band->call->activation, values, columns);
        for (size_t c = 0; c < columns; ++c) {
            ESPALIER_NAME(store)(values[c], output + (row * g->output_width + c) * block);
        }
    }
}

ESPALIER_INLINE void ESPALIER_NAME(depthwise_channels_columns)(
    const BAND *band, const size_t kernel, const size_t stride, const size_t rows) {
    const espalier_sparse_geometry *g = band->call->geometry;
    for (size_t x = 0; x < g->output_width;) {
        const int64_t left = (int64_t)(x * stride) - (int64_t)g->padding_left;
        const int64_t inside = (int64_t)g->width - left;
        if (left >= 0 && x + COLUMNS <= g->output_width && inside >= (int64_t)((COLUMNS - 1) * stride + kernel)) {
            ESPALIER_NAME(depthwise_channels_tile)(band, x, 0, kernel, kernel, stride, rows, COLUMNS);
            x += COLUMNS;
            continue;
        }
        // Where there is no column of the kernel, only the bias is left.
        const size_t first = left >= 0 ? 0 : (size_t)-left;
        const size_t end = inside <= 0 ? 0 : inside < (int64_t)kernel ? (size_t)inside : kernel;
        ESPALIER_NAME(depthwise_channels_tile)(band, x, first, end, kernel, stride, rows, 1);
        ++x;
    }
}

ESPALIER_INLINE void ESPALIER_NAME(depthwise_channels_rows)(
    const depthwise_channels *call, const float *input, const float *packed, float *output, const size_t kernel,
    const size_t stride) {
    const espalier_sparse_geometry *g = call->geometry;
    const size_t row_floats = g->width * BLOCK_FLOATS(call);
    BAND band = {.call = call, .output = output, .packed = packed};
    size_t y = 0;
#define ROWS(count)                                                                                     \
    for (; y + (count) <= g->output_height; y += (count)) {                                            \
        for (size_t row = 0; row < ((count) - 1) * stride + kernel; ++row) {                            \
            /* Above the input, the number wraps around. */                                             \
            const size_t place = y * stride + row - g->padding_top;                                     \
            band.rows[row] = place < g->height ? input + place * row_floats : call->zeros;              \
        }                                                                                               \
        band.output = output + y * g->output_width * BLOCK_FLOATS(call);                                       \
        ESPALIER_NAME(depthwise_channels_columns)(&band, kernel, stride, count);                        \
    }
    ROWS(4)
    ROWS(2)
    ROWS(1)
#undef ROWS
}

// All channels of a block.
static void ESPALIER_NAME(depthwise_channels_block)(
    const depthwise_channels *call, const float *input, const float *packed, float *output) {
    const bool five = call->geometry->kernel_height == 5, two = call->geometry->stride_height == 2;
    for (size_t lane = 0; lane < BLOCK_FLOATS(call); lane += LANES) {
#define BLOCK(kernel, stride) \
    ESPALIER_NAME(depthwise_channels_rows)(call, input + lane, packed + lane, output + lane, kernel, stride)
        if (five && two) BLOCK(5, 2);
        else if (five) BLOCK(5, 1);
        else if (two) BLOCK(3, 2);
        else BLOCK(3, 1);
#undef BLOCK
    }
}

#undef BAND
#undef BLOCK_FLOATS
#undef COLUMNS
#include "vectors_end.h"
