// The loops of depthwise_channels.c; see each_isa.h. Extents of strips are constants wherever their code is inlined, so
// that sums stay in registers.

#include "vectors_template.h"
#include "activations_template.h"

// Columns of the output in a strip, at most. AVX-512 and NEON have 32 registers, the others 16: for the sums, the
// activations of a row and, if they are few, the weights.
#if ESPALIER_VECTOR_BYTES == 64 || defined(__aarch64__)
#define COLUMNS 4
#else
#define COLUMNS 2
#endif

#define STRIP ESPALIER_NAME(depthwise_channels_strip)

// Some columns and rows of a sample's output and LANES channels, or the last ones, which are fewer.
typedef struct {
    const depthwise_channels *call;
    // The first of the channels at the first position of the input and of the output. NULL if there is no residual.
    const float *input;
    const float *residual;
    float *output;
    const float *packed;
    const float *bias;
    size_t lanes;
    size_t first_row;
    size_t end_row;
    // The first column of the output.
    size_t x;
} STRIP;

// AVX-512 reads and writes parts of registers at no cost, so it has no code for whole ones.
ESPALIER_INLINE FLOATS ESPALIER_NAME(load_lanes)(const float *from, size_t lanes, const bool partial) {
    return partial || ESPALIER_VECTOR_BYTES == 64 ? ESPALIER_NAME(load_some)(from, lanes) : ESPALIER_NAME(load)(from);
}

ESPALIER_INLINE void ESPALIER_NAME(store_lanes)(FLOATS values, float *to, size_t lanes, const bool partial) {
    if (partial || ESPALIER_VECTOR_BYTES == 64) ESPALIER_NAME(store_some)(values, to, lanes);
    else ESPALIER_NAME(store)(values, to);
}

// Functions other than rectifiers and clips. Rare, so not inlined into each strip.
static __attribute__((noinline, cold)) void ESPALIER_NAME(depthwise_channels_activate)(
    const espalier_activation *activation, FLOATS *values, size_t count) {
    for (size_t i = 0; i < count; ++i) values[i] = ESPALIER_NAME(activate)(values[i], activation);
}

// The sums of a row of the output to results.
ESPALIER_INLINE void ESPALIER_NAME(depthwise_channels_finish)(
    const STRIP *strip, size_t row, FLOATS *values, const size_t columns, const bool partial) {
    const espalier_sparse_geometry *g = strip->call->geometry;
    const espalier_activation *activation = &strip->call->epilogue->activation;
    const size_t place = (row * g->output_width + strip->x) * g->channels;
    if (strip->residual) {
#pragma clang loop unroll(full)
        for (size_t x = 0; x < columns; ++x) {
            values[x] +=
                ESPALIER_NAME(load_lanes)(strip->residual + place + x * g->channels, strip->lanes, partial);
        }
    }
    if (activation->function == ESPALIER_ACTIVATION_RELU || activation->function == ESPALIER_ACTIVATION_CLIP) {
        const espalier_depthwise_bounds bounds = espalier_depthwise_bounds_of(activation);
        const FLOATS low = (FLOATS){0} + bounds.low, high = (FLOATS){0} + bounds.high;
#pragma clang loop unroll(full)
        for (size_t x = 0; x < columns; ++x) values[x] = ESPALIER_NAME(clip)(values[x], low, high);
    } else if (activation->function != ESPALIER_ACTIVATION_NONE) {
        FLOATS copies[COLUMNS];
        memcpy(copies, values, columns * sizeof(FLOATS));
        ESPALIER_NAME(depthwise_channels_activate)(activation, copies, columns);
        memcpy(values, copies, columns * sizeof(FLOATS));
    }
#pragma clang loop unroll(full)
    for (size_t x = 0; x < columns; ++x) {
        ESPALIER_NAME(store_lanes)(values[x], strip->output + place + x * g->channels, strip->lanes, partial);
    }
}

// Of a strip `inside`, the kernel finds only columns that the input has.
ESPALIER_INLINE void ESPALIER_NAME(depthwise_channels_rows)(
    const STRIP *strip, const size_t kernel, const size_t stride, const size_t columns, const bool inside,
    const bool partial) {
    const espalier_sparse_geometry *g = strip->call->geometry;
    // A row of the input belongs to some rows of the output at once: their sums, the newest first.
    const size_t depth = (kernel + stride - 1) / stride;
    FLOATS weights[3][3], sums[3 + 2][COLUMNS];
    if (kernel == 3) {
#pragma clang loop unroll(full)
        for (size_t tap = 0; tap < 9; ++tap) {
            weights[tap / 3][tap % 3] = ESPALIER_NAME(load)(strip->packed + tap * CHANNELS_BLOCK);
        }
    }
    const FLOATS bias =
        strip->bias ? ESPALIER_NAME(load_lanes)(strip->bias, strip->lanes, partial) : (FLOATS){0};
#pragma clang loop unroll(full)
    for (size_t newer = 0; newer < depth; ++newer) {
#pragma clang loop unroll(full)
        for (size_t x = 0; x < columns; ++x) sums[newer][x] = bias;
    }
    const size_t rows = strip->end_row - strip->first_row;
    // Where the input begins, the numbers wrap around.
    const size_t left = strip->x * stride - g->padding_left;
    for (size_t step = 0; step < rows + depth - 1; ++step) {
#pragma clang loop unroll(full)
        for (size_t phase = 0; phase < stride; ++phase) {
            const size_t row = (strip->first_row + step) * stride + phase - g->padding_top;
            // The newest row of the output that sees it.
            const size_t newest = step < rows ? 0 : step - rows + 1;
            if (row >= g->height || newest * stride + phase >= kernel) continue;
            const float *from = strip->input + row * g->width * g->channels;
            FLOATS inputs[(COLUMNS - 1) * 2 + 5];
#pragma clang loop unroll(full)
            for (size_t column = 0; column < (columns - 1) * stride + kernel; ++column) {
                const float *place = inside || left + column < g->width ? from + (left + column) * g->channels : zeros;
                inputs[column] = ESPALIER_NAME(load_lanes)(place, strip->lanes, partial);
            }
#pragma clang loop unroll(full)
            for (size_t older = 0; older < depth; ++older) {
                const size_t down = older * stride + phase;
                if (down >= kernel || older < newest || older > step) continue;
#pragma clang loop unroll(full)
                for (size_t right = 0; right < kernel; ++right) {
                    const FLOATS weight =
                        kernel == 3 ? weights[down][right]
                                    : ESPALIER_NAME(load)(strip->packed + (down * kernel + right) * CHANNELS_BLOCK);
#pragma clang loop unroll(full)
                    for (size_t x = 0; x < columns; ++x) sums[older][x] += weight * inputs[x * stride + right];
                }
            }
        }
        if (step + 1 >= depth) {
            ESPALIER_NAME(depthwise_channels_finish)(
                strip, strip->first_row + step + 1 - depth, sums[depth - 1], columns, partial);
        }
#pragma clang loop unroll(full)
        for (size_t older = depth - 1; older > 0; --older) {
#pragma clang loop unroll(full)
            for (size_t x = 0; x < columns; ++x) sums[older][x] = sums[older - 1][x];
        }
#pragma clang loop unroll(full)
        for (size_t x = 0; x < columns; ++x) sums[0][x] = bias;
    }
}

ESPALIER_INLINE void ESPALIER_NAME(depthwise_channels_lanes)(
    const STRIP *strip, size_t columns, const size_t kernel, const size_t stride, const bool partial) {
    const espalier_sparse_geometry *g = strip->call->geometry;
    const bool inside = strip->x * stride >= g->padding_left &&
                        (strip->x + columns - 1) * stride + kernel <= g->width + g->padding_left;
#define ROWS(columns, inside) ESPALIER_NAME(depthwise_channels_rows)(strip, kernel, stride, columns, inside, partial)
    switch (columns) {
#if COLUMNS == 4
        case 4: if (inside) ROWS(4, true); else ROWS(4, false); break;
        case 3: if (inside) ROWS(3, true); else ROWS(3, false); break;
        case 2: ROWS(2, false); break;
#else
        case 2: if (inside) ROWS(2, true); else ROWS(2, false); break;
#endif
        default: ROWS(1, false); break;
    }
#undef ROWS
}

ESPALIER_INLINE void ESPALIER_NAME(depthwise_channels_strips)(
    const depthwise_channels *call, const depthwise_channels_unit *unit, const size_t kernel, const size_t stride) {
    const espalier_sparse_geometry *g = call->geometry;
    const float *input = call->input + unit->sample * g->height * g->width * g->channels;
    const size_t outputs = unit->sample * g->output_height * g->output_width * g->channels;
    STRIP strip = {.call = call, .first_row = unit->first_row, .end_row = unit->end_row};
    // Strips of about the same extent: a narrow one would wait for its own additions.
    for (size_t strips = quotient_above(g->output_width, COLUMNS); strips > 0; --strips) {
        const size_t columns = quotient_above(g->output_width - strip.x, strips);
        for (size_t channel = unit->first_channel; channel < unit->end_channel; channel += LANES) {
            strip.input = input + channel;
            strip.residual = call->epilogue->residual ? call->epilogue->residual + outputs + channel : NULL;
            strip.output = call->output + outputs + channel;
            strip.packed =
                call->packed + channel / CHANNELS_BLOCK * packed_block_floats(g) + channel % CHANNELS_BLOCK;
            strip.bias = call->epilogue->bias ? call->epilogue->bias + channel : NULL;
            strip.lanes = least(LANES, unit->end_channel - channel);
#if ESPALIER_VECTOR_BYTES < 64
            if (strip.lanes < LANES) {
                ESPALIER_NAME(depthwise_channels_lanes)(&strip, columns, kernel, stride, true);
                continue;
            }
#endif
            ESPALIER_NAME(depthwise_channels_lanes)(&strip, columns, kernel, stride, false);
        }
        strip.x += columns;
    }
}

static void ESPALIER_NAME(depthwise_channels_unit)(
    const depthwise_channels *call, const depthwise_channels_unit *unit) {
    const bool five = call->geometry->kernel_height == 5, two = call->geometry->stride_height == 2;
#define STRIPS(kernel, stride) ESPALIER_NAME(depthwise_channels_strips)(call, unit, kernel, stride)
    if (five && two) STRIPS(5, 2);
    else if (five) STRIPS(5, 1);
    else if (two) STRIPS(3, 2);
    else STRIPS(3, 1);
#undef STRIPS
}

#undef STRIP
#undef COLUMNS
#include "vectors_end.h"
