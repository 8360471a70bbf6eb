#include "sparse_frame.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// The strides that are common, and copied faster.
enum { FRAME_PHASES = 2 };

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

// How many columns follow each other in the input if it is its own frame, at least but for the ends of tiles.
static size_t stretch_in_place(const espalier_sparse_geometry *g) {
    const bool rows_follow = g->stride_height * g->width == g->output_width;
    return rows_follow ? g->output_height * g->output_width : g->output_width;
}

// Without padding and strides in the width, and where moves stay inside the input: a stretch shorter than one
// is then either at the end of a row that others follow, or at the start of one which goes on.
static bool is_in_place(const espalier_sparse_geometry *g) {
    return g->padding_top == 0 && g->padding_left == 0 && g->stride_width == 1 &&
           g->output_width + reach_right(g) <= g->width &&
           (g->output_height - 1) * g->stride_height + reach_down(g) < g->height &&
           stretch_in_place(g) >= ESPALIER_SPARSE_MOVE;
}

espalier_sparse_frame espalier_sparse_make_frame(
    const espalier_sparse_geometry *g, size_t first, size_t end) {
    if (!is_in_place(g)) return espalier_sparse_make_copied_frame(g, first, end);
    return (espalier_sparse_frame){
        .geometry = g,
        .in_place = true,
        .first = first,
        .end = end,
        .row_pitch = g->width,
        .channel_pitch = g->height * g->width,
    };
}

espalier_sparse_frame espalier_sparse_make_copied_frame(
    const espalier_sparse_geometry *g, size_t first, size_t end) {
    espalier_sparse_frame frame = {.geometry = g, .first = first, .end = end};
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

// The phases of rows: those of the input's columns which the same multiple of the stride reaches.
static espalier_sparse_phase phase_of(const espalier_sparse_frame *frame, size_t number) {
    const espalier_sparse_geometry *g = frame->geometry;
    const size_t stride = g->stride_width;
    // Element i is the input's i * stride + number - padding.
    const size_t before = g->padding_left > number ? (g->padding_left - number + stride - 1) / stride : 0;
    const size_t width = g->width + g->padding_left;
    const size_t inside = width > number ? (width - number + stride - 1) / stride : 0;
    espalier_sparse_phase phase = {.extent = frame->phase_pitch, .stride = stride};
    phase.start = least(before, phase.extent);
    phase.end = least(inside, phase.extent);
    if (phase.end < phase.start) phase.end = phase.start;
    phase.source = (int64_t)(phase.start * stride + number) - (int64_t)g->padding_left;
    return phase;
}

// Rows to copy.
typedef struct {
    const float *from;
    size_t from_pitch;
    float *to;
    size_t to_pitch;
    size_t count;
} sparse_rows;

// One phase of some rows, for strides that are rare.
static void sparse_copy_elements(const espalier_sparse_phase *phase, const sparse_rows *rows) {
    for (size_t row = 0; row < rows->count; ++row) {
        const float *from = rows->from + row * rows->from_pitch;
        float *to = rows->to + row * rows->to_pitch;
        for (size_t i = 0; i < phase->extent; ++i) {
            const int64_t place = phase->source + (int64_t)((i - phase->start) * phase->stride);
            to[i] = i >= phase->start && i < phase->end ? from[place] : 0;
        }
    }
}

#define ESPALIER_TEMPLATE "sparse_frame_template.h"
#include "each_isa.h"

void espalier_sparse_copy_frame(
    espalier_isa isa, const espalier_sparse_frame *frame, const float *input, float *to) {
    ESPALIER_DISPATCH(isa, sparse_copy_frame, frame, input, to);
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

// Adds the moves of a stretch. The last one ends with it, unless the stretch is shorter. Those of a long
// stretch in a frame write aligned places after the first one, so that few of them meet two lines, and the last
// one goes on behind the stretch; in a short one that would take more moves.
static size_t add_moves(
    espalier_sparse_move *moves, size_t column, size_t offset, size_t length, bool in_place) {
    const size_t move = ESPALIER_SPARSE_MOVE;
    const bool aligned = length >= 3 * move && !in_place;
    size_t count = 0;
    for (size_t i = 0; i < length;) {
        const size_t place = aligned || length < move ? i : least(i, length - move);
        moves[count++] = (int64_t)((offset + place) << 16 | (column + place));
        i += aligned ? move - (column + i) % move : move;
    }
    return count;
}

size_t espalier_sparse_list_moves(
    const espalier_sparse_frame *frame, size_t first, size_t end, espalier_sparse_move *moves,
    size_t *move_count) {
    const espalier_sparse_geometry *g = frame->geometry;
    const size_t positions = g->output_height * g->output_width;
    size_t count = 0, origin = 0;
    // The stretch that is not in the list yet: columns that follow each other in the frame.
    size_t start = 0, offset = 0, length = 0;
    for (size_t column = first; column < end;) {
        const size_t sample = column / positions;
        const size_t y = column % positions / g->output_width;
        const size_t x = column % g->output_width;
        const size_t more = least(g->output_width - x, end - column);
        size_t place = x;
        if (frame->in_place) {
            place += sample * g->channels * frame->channel_pitch + y * g->stride_height * frame->row_pitch;
        } else {
            const sample_part part = part_of(frame, sample);
            const size_t down = (y - part.first_output_row) * g->stride_height;
            place += (part.first_row + down) * frame->row_pitch;
        }
        if (column == first) origin = place;
        place -= origin;
        if (place == offset + length) {
            length += more;
        } else {
            count += add_moves(moves + count, start, offset, length, frame->in_place);
            start = column - first;
            offset = place;
            length = more;
        }
        column += more;
    }
    if (start > 0) count += add_moves(moves + count, start, offset, length, frame->in_place);
    *move_count = count;
    return origin;
}
