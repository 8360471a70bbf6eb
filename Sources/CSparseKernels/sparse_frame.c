#include "sparse_frame.h"

#include <string.h>

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// MARK: Extents

// How far the last tap is from the first one.
static size_t reach_down(const espalier_sparse_geometry *g) {
    return (g->kernel_height - 1) * g->dilation_height;
}

static size_t reach_right(const espalier_sparse_geometry *g) {
    return (g->kernel_width - 1) * g->dilation_width;
}

// Rows of the input that the output's rows from `first` to `last` reach.
static size_t rows_between(const espalier_sparse_geometry *g, size_t first, size_t last) {
    return (last - first) * g->stride_height + reach_down(g) + 1;
}

// One sample's part of a frame.
typedef struct {
    size_t first_output_row;
    // Where the part begins in the frame, and its extent.
    size_t first_row;
    size_t rows;
} sample_part;

static sample_part part_of(const espalier_sparse_frame *frame, size_t sample) {
    const espalier_sparse_geometry *g = frame->geometry;
    const size_t positions = g->output_height * g->output_width;
    const size_t first_sample = frame->first / positions;
    const size_t first_y = frame->first % positions / g->output_width;
    const size_t last = frame->end - 1;
    const size_t last_y =
        sample == last / positions ? last % positions / g->output_width : g->output_height - 1;
    if (sample == first_sample) {
        return (sample_part){.first_output_row = first_y, .rows = rows_between(g, first_y, last_y)};
    }
    const size_t whole = rows_between(g, 0, g->output_height - 1);
    return (sample_part){
        .first_row = rows_between(g, first_y, g->output_height - 1) + (sample - first_sample - 1) * whole,
        .rows = rows_between(g, 0, last_y),
    };
}

static bool is_in_place(const espalier_sparse_geometry *g) {
    return g->padding_top == 0 && g->padding_left == 0 && g->stride_width == 1 &&
           g->output_width + reach_right(g) <= g->width &&
           (g->output_height - 1) * g->stride_height + reach_down(g) < g->height;
}

espalier_sparse_frame espalier_sparse_make_frame(
    const espalier_sparse_geometry *g, size_t first, size_t end) {
    espalier_sparse_frame frame = {.geometry = g, .in_place = is_in_place(g), .first = first, .end = end};
    if (frame.in_place) {
        frame.row_pitch = g->width;
        frame.channel_pitch = g->height * g->width;
        return frame;
    }
    const size_t phases = least(g->stride_width, reach_right(g) + 1);
    frame.phase_pitch = g->output_width + reach_right(g) / g->stride_width;
    frame.row_pitch = phases * frame.phase_pitch;
    const sample_part last = part_of(&frame, (end - 1) / (g->output_height * g->output_width));
    frame.channel_pitch = (last.first_row + last.rows) * frame.row_pitch;
    return frame;
}

size_t espalier_sparse_frame_floats(const espalier_sparse_frame *frame) {
    if (frame->in_place) return 0;
    // Whole lines are read.
    return frame->geometry->channels * frame->channel_pitch + ESPALIER_LINE;
}

// MARK: Copying

// One row of one channel; `row` is NULL if it is padding.
static void copy_row(const espalier_sparse_frame *frame, const float *row, float *to) {
    const espalier_sparse_geometry *g = frame->geometry;
    if (!row) {
        memset(to, 0, frame->row_pitch * sizeof(float));
        return;
    }
    const size_t stride = g->stride_width;
    for (size_t phase = 0; phase * frame->phase_pitch < frame->row_pitch; ++phase) {
        float *target = to + phase * frame->phase_pitch;
        // Element i is the input's i * stride + phase - padding.
        const size_t before = g->padding_left > phase ? (g->padding_left - phase + stride - 1) / stride : 0;
        const size_t inside = g->width + g->padding_left > phase
                                  ? (g->width + g->padding_left - phase + stride - 1) / stride
                                  : 0;
        const size_t start = least(before, frame->phase_pitch);
        const size_t end = least(inside, frame->phase_pitch);
        memset(target, 0, start * sizeof(float));
        if (start < end) {
            const float *from = row + (start * stride + phase - g->padding_left);
            if (stride == 1) {
                memcpy(target + start, from, (end - start) * sizeof(float));
            } else if (stride == 2) {
                for (size_t i = 0; i < end - start; ++i) target[start + i] = from[2 * i];
            } else {
                for (size_t i = 0; i < end - start; ++i) target[start + i] = from[stride * i];
            }
        }
        const size_t filled = end > start ? end : start;
        memset(target + filled, 0, (frame->phase_pitch - filled) * sizeof(float));
    }
}

void espalier_sparse_copy_frame(const espalier_sparse_frame *frame, const float *input, float *to) {
    const espalier_sparse_geometry *g = frame->geometry;
    const size_t positions = g->output_height * g->output_width;
    const size_t plane = g->height * g->width;
    for (size_t sample = frame->first / positions; sample <= (frame->end - 1) / positions; ++sample) {
        const sample_part part = part_of(frame, sample);
        for (size_t channel = 0; channel < g->channels; ++channel) {
            const float *from = input + (sample * g->channels + channel) * plane;
            float *target = to + channel * frame->channel_pitch + part.first_row * frame->row_pitch;
            for (size_t row = 0; row < part.rows; ++row, target += frame->row_pitch) {
                // No tap reaches the rows between those of large strides.
                if (row % g->stride_height > reach_down(g)) continue;
                const size_t padded = part.first_output_row * g->stride_height + row;
                const bool inside = padded >= g->padding_top && padded - g->padding_top < g->height;
                copy_row(frame, inside ? from + (padded - g->padding_top) * g->width : NULL, target);
            }
        }
    }
    memset(to + g->channels * frame->channel_pitch, 0, ESPALIER_LINE * sizeof(float));
}

// MARK: Addresses

void espalier_sparse_tap_offsets(const espalier_sparse_frame *frame, int64_t *offsets) {
    const espalier_sparse_geometry *g = frame->geometry;
    for (size_t i = 0; i < g->kernel_height; ++i) {
        for (size_t j = 0; j < g->kernel_width; ++j) {
            const size_t right = j * g->dilation_width;
            *offsets++ = (int64_t)(i * g->dilation_height * frame->row_pitch +
                                   right % g->stride_width * frame->phase_pitch + right / g->stride_width);
        }
    }
}

size_t espalier_sparse_list_stretches(
    const espalier_sparse_frame *frame, size_t first, size_t end, espalier_sparse_stretch *stretches) {
    const espalier_sparse_geometry *g = frame->geometry;
    const size_t positions = g->output_height * g->output_width;
    size_t count = 0;
    for (size_t column = first; column < end;) {
        const size_t sample = column / positions;
        const size_t y = column % positions / g->output_width;
        const size_t x = column % g->output_width;
        const size_t length = least(g->output_width - x, end - column);
        size_t offset = x;
        if (frame->in_place) {
            offset += sample * g->channels * frame->channel_pitch + y * g->stride_height * frame->row_pitch;
        } else {
            const sample_part part = part_of(frame, sample);
            const size_t down = (y - part.first_output_row) * g->stride_height;
            offset += (part.first_row + down) * frame->row_pitch;
        }
        espalier_sparse_stretch *last = stretches + count - 1;
        if (count > 0 && last->offset + last->count == (int64_t)offset) {
            last->count += (uint32_t)length;
        } else {
            stretches[count++] = (espalier_sparse_stretch){
                .column = (uint32_t)(column - first), .count = (uint32_t)length, .offset = (int64_t)offset};
        }
        column += length;
    }
    return count;
}
