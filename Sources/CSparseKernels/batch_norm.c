#include "espalier_batch_norm.h"

#include <string.h>

// The loops run over lines. A line is so many whole rows that it fills registers, whatever the number of channels; or, where rows
// are long, a part of a row.
typedef struct {
    size_t first_channel;
    size_t channels;
    // Floats of a line, a multiple of its channels, and of the last one; from one line to the next.
    size_t length;
    size_t last_length;
    size_t pitch;
    size_t count;
} row_lines;

enum {
    // With fewer floats in a line, its sums would wait for one another.
    LEAST_LENGTH = 128,
    // Of 16 rows of 127 channels, which is the longest line: wider rows are lines themselves, or several.
    MOST_LENGTH = 2032,
    MOST_CHANNELS = 512,
    // What is summed in single precision, about.
    BLOCK_LENGTH = 8192,
    REGISTER = 16,
};

static inline size_t at_most(size_t value, size_t most) { return value < most ? value : most; }

static inline size_t length_of(const row_lines *lines, size_t line) {
    return line + 1 < lines->count ? lines->length : lines->last_length;
}

static row_lines lines_from(size_t rows, size_t channels, size_t first_channel) {
    if (channels >= LEAST_LENGTH) {
        const size_t width = at_most(channels - first_channel, MOST_CHANNELS);
        return (row_lines){first_channel, width, width, width, channels, rows};
    }
    size_t filling = channels;
    while (filling % REGISTER != 0) filling += channels;
    size_t length = filling;
    while (length < LEAST_LENGTH) length += filling;
    const size_t count = (rows * channels + length - 1) / length;
    return (row_lines){0, channels, length, rows * channels - (count - 1) * length, length, count};
}

// The lines from `line` on, at most so many that they are a block.
static row_lines block_from(const row_lines *lines, size_t line) {
    row_lines block = *lines;
    const size_t most = BLOCK_LENGTH / lines->length;
    block.count = at_most(lines->count - line, most > 0 ? most : 1);
    if (line + block.count < lines->count) block.last_length = lines->length;
    return block;
}

// Each channel's number at each place of a line.
static const float *repeated(const row_lines *lines, const float *values, float *memory) {
    values += lines->first_channel;
    if (lines->length == lines->channels) return values;
    for (size_t i = 0; i < lines->length; i += lines->channels) {
        memcpy(memory + i, values, lines->channels * sizeof *values);
    }
    return memory;
}

static void add_to_channels(const row_lines *lines, const float *line, double *sums) {
    sums += lines->first_channel;
    for (size_t i = 0; i < lines->length; i += lines->channels) {
        for (size_t c = 0; c < lines->channels; ++c) sums[c] += (double)line[i + c];
    }
}

#define ESPALIER_TEMPLATE "batch_norm_template.h"
#include "each_isa.h"

void espalier_batch_norm_sums(
    espalier_isa isa, const float *source, size_t rows, size_t channels, const float *origin, double *sums) {
    float origins[MOST_LENGTH], plain[MOST_LENGTH], squares[MOST_LENGTH];
    memset(sums, 0, 2 * channels * sizeof *sums);
    row_lines lines;
    for (size_t first = 0; first < channels; first += lines.channels) {
        lines = lines_from(rows, channels, first);
        const float *from = repeated(&lines, origin, origins);
        row_lines block;
        for (size_t line = 0; line < lines.count; line += block.count) {
            block = block_from(&lines, line);
            const float *start = source + first + line * lines.pitch;
            ESPALIER_DISPATCH(isa, sums, start, block, from, plain, squares);
            add_to_channels(&lines, plain, sums);
            add_to_channels(&lines, squares, sums + channels);
        }
    }
}

void espalier_batch_norm_apply(
    espalier_isa isa, const float *source, size_t rows, size_t channels, const float *origin, const float *scale,
    const float *shift, float *result) {
    float origins[MOST_LENGTH], scales[MOST_LENGTH], shifts[MOST_LENGTH];
    row_lines lines;
    for (size_t first = 0; first < channels; first += lines.channels) {
        lines = lines_from(rows, channels, first);
        ESPALIER_DISPATCH(
            isa, apply, source + first, lines, repeated(&lines, origin, origins), repeated(&lines, scale, scales),
            repeated(&lines, shift, shifts), result + first);
    }
}

void espalier_batch_norm_gradient_sums(
    espalier_isa isa, const float *source, const float *gradient, size_t rows, size_t channels, const float *origin,
    double *sums) {
    float origins[MOST_LENGTH], plain[MOST_LENGTH], products[MOST_LENGTH];
    memset(sums, 0, 2 * channels * sizeof *sums);
    row_lines lines;
    for (size_t first = 0; first < channels; first += lines.channels) {
        lines = lines_from(rows, channels, first);
        const float *from = repeated(&lines, origin, origins);
        row_lines block;
        for (size_t line = 0; line < lines.count; line += block.count) {
            block = block_from(&lines, line);
            const size_t start = first + line * lines.pitch;
            ESPALIER_DISPATCH(
                isa, gradient_sums, source + start, gradient + start, block, from, plain, products);
            add_to_channels(&lines, plain, sums);
            add_to_channels(&lines, products, sums + channels);
        }
    }
}

void espalier_batch_norm_gradient(
    espalier_isa isa, const float *source, const float *gradient, size_t rows, size_t channels, const float *origin,
    const float *gradient_origin, const float *scale, const float *slope, float *result) {
    float origins[MOST_LENGTH], gradient_origins[MOST_LENGTH], scales[MOST_LENGTH], slopes[MOST_LENGTH];
    row_lines lines;
    for (size_t first = 0; first < channels; first += lines.channels) {
        lines = lines_from(rows, channels, first);
        ESPALIER_DISPATCH(
            isa, gradient, source + first, gradient + first, lines, repeated(&lines, origin, origins),
            repeated(&lines, gradient_origin, gradient_origins), repeated(&lines, scale, scales),
            repeated(&lines, slope, slopes), result + first);
    }
}
