// Copying rows of the input into a frame; see each_isa.h.

#include "sparse_moves_template.h"

// Floats in moves, the last of which ends with them. If they are fewer than one takes, it writes what it finds behind its place.
ESPALIER_INLINE void ESPALIER_NAME(sparse_copy_stretch)(
    const float *from, const float *input_end, float *to, size_t count, const size_t stride) {
    const size_t reach = (ESPALIER_SPARSE_MOVE - 1) * stride + 1;
    if (count >= ESPALIER_SPARSE_MOVE) {
        const size_t last = count - ESPALIER_SPARSE_MOVE;
        for (size_t i = 0;; i = i + ESPALIER_SPARSE_MOVE < last ? i + ESPALIER_SPARSE_MOVE : last) {
            if (stride == 1) ESPALIER_NAME(sparse_move)(from + i, to + i);
            if (stride == 2) ESPALIER_NAME(sparse_move_even)(from + 2 * i, to + i);
            if (i == last) break;
        }
    } else if ((size_t)(input_end - from) >= reach) {
        if (stride == 1) ESPALIER_NAME(sparse_move)(from, to);
        if (stride == 2) ESPALIER_NAME(sparse_move_even)(from, to);
    } else {
        for (size_t i = 0; i < count; ++i) to[i] = from[i * stride];
    }
}

ESPALIER_INLINE void ESPALIER_NAME(sparse_copy_phase)(
    const espalier_sparse_phase *phase, const float *row, const float *input_end, float *to) {
    const size_t count = phase->end - phase->start;
    ESPALIER_NAME(sparse_zero)(to, phase->start);
    if (count > 0) {
        const float *from = row + phase->source;
        float *target = to + phase->start;
        if (phase->stride == 1) {
            ESPALIER_NAME(sparse_copy_stretch)(from, input_end, target, count, 1);
        } else if (phase->stride == 2) {
            ESPALIER_NAME(sparse_copy_stretch)(from, input_end, target, count, 2);
        } else {
            for (size_t i = 0; i < count; ++i) target[i] = from[i * phase->stride];
        }
    }
    ESPALIER_NAME(sparse_zero)(to + phase->end, phase->extent - phase->end);
}

// One sample's rows of one channel, the channel beginning at `from`.
ESPALIER_INLINE void ESPALIER_NAME(sparse_copy_part)(
    const espalier_sparse_frame *frame, const sample_part *part, const espalier_sparse_phase *phases,
    const float *from, const float *input_end, float *to) {
    const espalier_sparse_geometry *g = frame->geometry;
    const size_t padded = part->first_output_row * g->stride_height;
    const size_t above = g->padding_top > padded ? least(g->padding_top - padded, part->rows) : 0;
    const size_t bottom = g->padding_top + g->height;
    const size_t inside = bottom > padded ? least(bottom - padded, part->rows) : 0;
    // No tap reaches the rows between those of large strides.
    const bool skips = g->stride_height > reach_down(g) + 1;
    const size_t phase_count = frame->row_pitch / frame->phase_pitch;
    if (above > 0) memset(to, 0, above * frame->row_pitch * sizeof(float));
    for (size_t row = above; row < inside; ++row) {
        if (skips && row % g->stride_height > reach_down(g)) continue;
        const float *line = from + (padded + row - g->padding_top) * g->width;
        float *target = to + row * frame->row_pitch;
        for (size_t p = 0; p < phase_count; ++p) {
            const espalier_sparse_phase phase = p < FRAME_PHASES ? phases[p] : phase_of(frame, p);
            ESPALIER_NAME(sparse_copy_phase)(&phase, line, input_end, target + p * frame->phase_pitch);
        }
    }
    const size_t below = inside > above ? inside : above;
    if (below == part->rows) return;
    memset(to + below * frame->row_pitch, 0, (part->rows - below) * frame->row_pitch * sizeof(float));
}

// In the order of the frame, since moves write over what follows.
static void ESPALIER_NAME(sparse_copy_frame)(
    const espalier_sparse_frame *frame, const float *input, float *to) {
    const espalier_sparse_geometry *g = frame->geometry;
    const size_t positions = g->output_height * g->output_width;
    const size_t plane = g->height * g->width;
    const float *input_end = input + g->samples * g->channels * plane;
    const size_t first_sample = frame->first / positions;
    const size_t last_sample = (frame->end - 1) / positions;
    sample_part part = part_of(frame, first_sample);
    espalier_sparse_phase phases[FRAME_PHASES];
    for (size_t p = 0; p < FRAME_PHASES; ++p) phases[p] = phase_of(frame, p);
    for (size_t channel = 0; channel < g->channels; ++channel) {
        for (size_t sample = first_sample; sample <= last_sample; ++sample) {
            if (first_sample < last_sample) part = part_of(frame, sample);
            ESPALIER_NAME(sparse_copy_part)(
                frame, &part, phases, input + (sample * g->channels + channel) * plane, input_end,
                to + channel * frame->channel_pitch + part.first_row * frame->row_pitch);
        }
    }
}

#undef EIGHT
