// The loops of depthwise_channels.c; see each_isa.h. Extents of strips are constants wherever their code is inlined, so
// that sums stay in registers.

#include "vectors_template.h"
#include "activations_template.h"

// Columns of the output in a strip, at most. AVX-512 and NEON have 32 registers, the others 16: for the sums, the
// activations of a row and, if they are few, the weights.
#if ESPALIER_VECTOR_BYTES == 64 || defined(__aarch64__)
#define COLUMNS 4
#else
#define COLUMNS 3
#endif

#define STRIP ESPALIER_NAME(depthwise_channels_strip)
#define WAITING ESPALIER_NAME(depthwise_channels_waiting)

// Results of a strip that were not yet written: [rows, COLUMNS, LANES], to the output from `to` on. No columns if there are
// none.
typedef struct {
    const float *from;
    float *to;
    size_t columns;
    size_t lanes;
    // Floats between neighbouring rows and columns of the output.
    size_t row_pitch;
    size_t pitch;
} WAITING;

// Some columns and rows of a sample's output, and LANES channels or the last ones, which are fewer.
typedef struct {
    const depthwise_channels *call;
    // The first of the channels at the first position of the input, and of the strip. NULL if there is no residual or bias.
    const float *input;
    const float *residual;
    const float *packed;
    const float *bias;
    size_t lanes;
    size_t first_row;
    size_t end_row;
    // The first column of the output.
    size_t x;
    // Where the results go, and how many floats are between those of neighbouring rows and columns.
    float *results;
    size_t results_row;
    size_t results_column;
    // What the strip before left to be written beside this one.
    WAITING waiting;
} STRIP;

// AVX-512 reads and writes parts of registers at no cost, so it has no code for whole ones.
ESPALIER_INLINE FLOATS ESPALIER_NAME(load_lanes)(const float *from, size_t lanes, const bool partial) {
    return partial || ESPALIER_VECTOR_BYTES == 64 ? ESPALIER_NAME(load_some)(from, lanes) : ESPALIER_NAME(load)(from);
}

ESPALIER_INLINE void ESPALIER_NAME(store_lanes)(FLOATS values, float *to, size_t lanes, const bool partial) {
    if (partial || ESPALIER_VECTOR_BYTES == 64) ESPALIER_NAME(store_some)(values, to, lanes);
    else ESPALIER_NAME(store)(values, to);
}

// Writes a row of what waits.
ESPALIER_INLINE void ESPALIER_NAME(depthwise_channels_write)(const WAITING *waiting, size_t row) {
    const float *from = waiting->from + row * COLUMNS * LANES;
    float *to = waiting->to + row * waiting->row_pitch;
    const size_t columns = waiting->columns, lanes = waiting->lanes, pitch = waiting->pitch;
#pragma clang loop unroll(full)
    for (size_t x = 0; x < COLUMNS; ++x) {
        if (x >= columns) continue;
        const FLOATS values = ESPALIER_NAME(load_aligned)(from + x * LANES);
        ESPALIER_NAME(store_lanes)(values, to + x * pitch, lanes, lanes < LANES);
    }
}

// Functions other than rectifiers and clips. Rare, so not inlined into each strip.
static __attribute__((noinline, cold)) void ESPALIER_NAME(depthwise_channels_activate)(
    const espalier_activation *activation, FLOATS *values, size_t count) {
    for (size_t i = 0; i < count; ++i) values[i] = ESPALIER_NAME(activate)(values[i], activation);
}

// The sums of some columns of a row to results, which are `pitch` apart, as those of the residual are.
ESPALIER_INLINE void ESPALIER_NAME(depthwise_channels_finish)(
    const espalier_activation *activation, const float *residual, size_t residual_pitch, float *results, size_t pitch,
    size_t lanes, FLOATS *values, const size_t columns, const bool partial) {
    if (residual) {
#pragma clang loop unroll(full)
        for (size_t x = 0; x < columns; ++x) {
            values[x] += ESPALIER_NAME(load_lanes)(residual + x * residual_pitch, lanes, partial);
        }
    }
    if (activation->function == ESPALIER_ACTIVATION_RELU || activation->function == ESPALIER_ACTIVATION_CLIP) {
#pragma clang loop unroll(full)
        for (size_t x = 0; x < columns; ++x) values[x] = ESPALIER_NAME(activate)(values[x], activation);
    } else if (activation->function != ESPALIER_ACTIVATION_NONE) {
        FLOATS copies[COLUMNS];
        memcpy(copies, values, columns * sizeof(FLOATS));
        ESPALIER_NAME(depthwise_channels_activate)(activation, copies, columns);
        memcpy(values, copies, columns * sizeof(FLOATS));
    }
#pragma clang loop unroll(full)
    for (size_t x = 0; x < columns; ++x) {
        ESPALIER_NAME(store_lanes)(values[x], results + x * pitch, lanes, partial);
    }
}

// Of a strip `inside`, the kernel finds only columns that the input has.
ESPALIER_INLINE void ESPALIER_NAME(depthwise_channels_rows)(
    const STRIP *strip, const size_t kernel, const size_t stride, const size_t columns, const bool inside,
    const bool partial) {
    const espalier_sparse_geometry *g = strip->call->geometry;
    const size_t pitch = g->channels, row_pitch = g->width * pitch, height = g->height, lanes = strip->lanes;
    // A row of the input belongs to some rows of the output at once: their sums, the newest first.
    const size_t depth = (kernel + stride - 1) / stride;
    FLOATS weights[3][3], sums[3 + 2][COLUMNS];
    if (kernel == 3) {
#pragma clang loop unroll(full)
        for (size_t tap = 0; tap < 9; ++tap) {
            weights[tap / 3][tap % 3] = ESPALIER_NAME(load)(strip->packed + tap * CHANNELS_BLOCK);
        }
    }
    const FLOATS bias = strip->bias ? ESPALIER_NAME(load_lanes)(strip->bias, lanes, partial) : (FLOATS){0};
#pragma clang loop unroll(full)
    for (size_t newer = 0; newer < depth; ++newer) {
#pragma clang loop unroll(full)
        for (size_t x = 0; x < columns; ++x) sums[newer][x] = bias;
    }
    // The columns of the input that the strip sees and that are there, as bits.
    const ptrdiff_t left = (ptrdiff_t)(strip->x * stride) - (ptrdiff_t)g->padding_left;
    uint32_t present = 0;
#pragma clang loop unroll(full)
    for (size_t column = 0; column < (columns - 1) * stride + kernel; ++column) {
        present |= (uint32_t)((size_t)left + column < g->width) << column;
    }
    const float *input = strip->input + left * (ptrdiff_t)pitch;
    const size_t rows = strip->end_row - strip->first_row;
    const espalier_activation *activation = &strip->call->epilogue->activation;
    const float *residual = strip->residual;
    float *results = strip->results;
    const size_t results_pitch = stride == 1 ? strip->results_column : pitch;
    const size_t residual_row = g->output_width * pitch;
    const bool is_waiting = strip->waiting.columns > 0;
    // Above the input, the number wraps around.
    size_t row = strip->first_row * stride - g->padding_top;
#pragma clang loop unroll(disable)
    for (size_t step = 0; step < rows + depth - 1; ++step) {
        // The newest row of the output that is wanted.
        const size_t newest = step < rows ? 0 : step - rows + 1;
#pragma clang loop unroll(full)
        for (size_t phase = 0; phase < stride; ++phase, ++row) {
            if (row >= height || newest * stride + phase >= kernel) continue;
            const float *from = input + row * row_pitch;
            FLOATS inputs[(COLUMNS - 1) * 2 + 5];
#pragma clang loop unroll(full)
            for (size_t column = 0; column < (columns - 1) * stride + kernel; ++column) {
                if (column > 0 && column % 3 == 0) {
                    // An addition for three columns, whose distances x86 has in its addresses. Left to itself the
                    // compiler multiplies for each.
                    from += 3 * pitch;
                    __asm__("" : "+r"(from));
                }
                // Masks of no lanes, or another place to read from, take longer than the branch.
                inputs[column] = (FLOATS){0};
                if (!inside && !(present & 1u << column)) continue;
                inputs[column] = ESPALIER_NAME(load_lanes)(from + column % 3 * pitch, lanes, partial);
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
                activation, residual, pitch, results, results_pitch, lanes, sums[depth - 1], columns, partial);
            if (stride == 1 && is_waiting) ESPALIER_NAME(depthwise_channels_write)(&strip->waiting, step + 1 - depth);
            results += strip->results_row;
            if (residual) residual += residual_row;
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
    // What is rare has code for strips of any place only.
    switch (columns) {
#if COLUMNS == 4
        case 4:
            if (inside && !partial) ROWS(4, true);
            else ROWS(4, false);
            break;
#endif
        case 3:
            if (inside && !partial) ROWS(3, true);
            else ROWS(3, false);
            break;
        case 2: ROWS(2, false); break;
        default: ROWS(1, false); break;
    }
#undef ROWS
}

ESPALIER_INLINE void ESPALIER_NAME(depthwise_channels_strips)(
    const depthwise_channels *call, const depthwise_channels_unit *unit, const size_t kernel, const size_t stride) {
    const espalier_sparse_geometry *g = call->geometry;
    const float *input = call->input + unit->sample * g->height * g->width * g->channels;
    const size_t outputs = unit->sample * g->output_height * g->output_width * g->channels;
    const size_t rows = unit->end_row - unit->first_row;
    // Where ways are shared, results wait until the next channels are read, which use others. In two places in turns.
    const bool wait = stride == 1 && shares_ways(call);
    float places[2][CHANNELS_ROWS * COLUMNS * LANES] __attribute__((aligned(64)));
    size_t turn = 0;
    STRIP strip = {
        .call = call,
        .first_row = unit->first_row,
        .end_row = unit->end_row,
        .results_row = wait ? COLUMNS * LANES : g->output_width * g->channels,
        .results_column = wait ? LANES : g->channels,
        .waiting = {.row_pitch = g->output_width * g->channels, .pitch = g->channels},
    };
    // Strips of about the same extent: a narrow one would wait for its own additions.
    for (size_t strips = quotient_above(g->output_width, COLUMNS); strips > 0; --strips) {
        const size_t columns = quotient_above(g->output_width - strip.x, strips);
        for (size_t channel = unit->first_channel; channel < unit->end_channel; channel += LANES) {
            const size_t place =
                outputs + (unit->first_row * g->output_width + strip.x) * g->channels + channel;
            float *output = call->output + place;
            strip.input = input + channel;
            strip.residual = call->epilogue->residual ? call->epilogue->residual + place : NULL;
            strip.packed =
                call->packed + channel / CHANNELS_BLOCK * packed_block_floats(g) + channel % CHANNELS_BLOCK;
            strip.bias = call->epilogue->bias ? call->epilogue->bias + channel : NULL;
            strip.lanes = least(LANES, unit->end_channel - channel);
            strip.results = wait ? places[turn] : output;
            if (ESPALIER_VECTOR_BYTES < 64 && strip.lanes < LANES) {
                ESPALIER_NAME(depthwise_channels_lanes)(&strip, columns, kernel, stride, true);
            } else {
                ESPALIER_NAME(depthwise_channels_lanes)(&strip, columns, kernel, stride, false);
            }
            if (!wait) continue;
            strip.waiting.from = places[turn];
            strip.waiting.to = output;
            strip.waiting.columns = columns;
            strip.waiting.lanes = strip.lanes;
            turn = 1 - turn;
        }
        strip.x += columns;
    }
    for (size_t row = 0; wait && row < rows; ++row) ESPALIER_NAME(depthwise_channels_write)(&strip.waiting, row);
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

#undef WAITING
#undef STRIP
#undef COLUMNS
#include "vectors_end.h"
