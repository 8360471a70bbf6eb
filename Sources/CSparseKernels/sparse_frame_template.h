// Copying rows of the input into a frame; see each_isa.h.

#include "vectors_template.h"
#include "eights_template.h"
#include "sparse_moves_template.h"

#if ESPALIER_VECTOR_BYTES == 64

// A line of a phase in all rows, from element `i` on. Masked loads find zeros where padding is, and touch
// nothing there.
ESPALIER_INLINE void ESPALIER_NAME(sparse_copy_line)(
    const espalier_sparse_phase *phase, const sparse_rows *rows, size_t i, const size_t stride) {
    const size_t first = phase->start > i ? least(phase->start - i, LANES) : 0;
    const size_t end = phase->end > i ? least(phase->end - i, LANES) : 0;
    // The last element reaches no further than itself.
    const size_t last = end > 0 ? end * stride - (stride - 1) : 0;
    const uint64_t inside = (((uint64_t)1 << last) - 1) & ~(((uint64_t)1 << first * stride) - 1);
    const __mmask16 low = (__mmask16)inside;
    const __mmask16 high = (__mmask16)(inside >> LANES);
    const __mmask16 elements = (__mmask16)(((uint32_t)1 << least(phase->extent - i, LANES)) - 1);
    const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    // In integers, since it may begin before the input.
    const int64_t offset = phase->source + ((int64_t)i - (int64_t)phase->start) * (int64_t)stride;
    intptr_t from = (intptr_t)rows->from + offset * (int64_t)sizeof(float);
    float *to = rows->to + i;
    for (size_t row = 0; row < rows->count; ++row) {
        __m512 values = _mm512_maskz_loadu_ps(low, (const void *)from);
        if (stride == 2) {
            const __m512 more =
                _mm512_maskz_loadu_ps(high, (const void *)(from + ESPALIER_LINE_BYTES));
            values = _mm512_permutex2var_ps(values, even, more);
        }
        _mm512_mask_storeu_ps(to, elements, values);
        from += (intptr_t)(rows->from_pitch * sizeof(float));
        to += rows->to_pitch;
    }
}

static void ESPALIER_NAME(sparse_copy_phase)(
    const espalier_sparse_phase *phase, const sparse_rows *rows) {
    for (size_t i = 0; i < phase->extent; i += LANES) {
        if (phase->stride == 1) ESPALIER_NAME(sparse_copy_line)(phase, rows, i, 1);
        if (phase->stride == 2) ESPALIER_NAME(sparse_copy_line)(phase, rows, i, 2);
    }
}

#else

// Floats in moves, the last of which ends with them, or one by one.
ESPALIER_INLINE void ESPALIER_NAME(sparse_copy_stretch)(
    const float *from, float *to, size_t count, const size_t stride) {
    if (count < ESPALIER_SPARSE_MOVE) {
        for (size_t i = 0; i < count; ++i) to[i] = from[i * stride];
        return;
    }
    const size_t last = count - ESPALIER_SPARSE_MOVE;
    for (size_t i = 0;; i = i + ESPALIER_SPARSE_MOVE < last ? i + ESPALIER_SPARSE_MOVE : last) {
        if (stride == 1) ESPALIER_NAME(sparse_move)(from + i, to + i);
        if (stride == 2) ESPALIER_NAME(sparse_move_even)(from + 2 * i, to + i);
        if (i == last) break;
    }
}

static void ESPALIER_NAME(sparse_copy_phase)(const espalier_sparse_phase *phase, const sparse_rows *rows) {
    const size_t count = phase->end - phase->start;
    for (size_t row = 0; row < rows->count; ++row) {
        float *to = rows->to + row * rows->to_pitch;
        const float *from = rows->from + row * rows->from_pitch;
        for (size_t i = 0; i < phase->start; ++i) to[i] = 0;
        for (size_t i = phase->end; i < phase->extent; ++i) to[i] = 0;
        if (count == 0) continue;
        if (phase->stride == 1) {
            ESPALIER_NAME(sparse_copy_stretch)(from + phase->source, to + phase->start, count, 1);
        } else {
            ESPALIER_NAME(sparse_copy_stretch)(from + phase->source, to + phase->start, count, 2);
        }
    }
}

#endif

// One sample's rows of one channel, the channel beginning at `from`.
ESPALIER_INLINE void ESPALIER_NAME(sparse_copy_part)(
    const espalier_sparse_frame *frame, const sample_part *part, const espalier_sparse_phase *phases,
    const float *from, float *to) {
    const espalier_sparse_geometry *g = frame->geometry;
    const size_t padded = part->first_output_row * g->stride_height;
    const size_t bottom = g->padding_top + g->height;
    // Rows of padding above, and what is not below.
    const size_t above = g->padding_top > padded ? least(g->padding_top - padded, part->rows) : 0;
    const size_t inside = bottom > padded ? least(bottom - padded, part->rows) : 0;
    const size_t below = inside > above ? inside : above;
    if (above > 0) memset(to, 0, above * frame->row_pitch * sizeof(float));
    if (below < part->rows) {
        memset(to + below * frame->row_pitch, 0, (part->rows - below) * frame->row_pitch * sizeof(float));
    }
    if (inside <= above) return;
    // One tap reaches no rows between those of a stride.
    const size_t step = g->kernel_height == 1 ? g->stride_height : 1;
    const size_t first = (above + step - 1) / step * step;
    if (first >= inside) return;
    sparse_rows rows = {
        .from = from + (padded + first - g->padding_top) * g->width,
        .from_pitch = step * g->width,
        .to_pitch = step * frame->row_pitch,
        .count = (inside - first + step - 1) / step,
    };
    for (size_t p = 0; p * frame->phase_pitch < frame->row_pitch; ++p) {
        rows.to = to + first * frame->row_pitch + p * frame->phase_pitch;
        if (p < FRAME_PHASES && g->stride_width <= FRAME_PHASES) {
            ESPALIER_NAME(sparse_copy_phase)(phases + p, &rows);
        } else {
            const espalier_sparse_phase phase = phase_of(frame, p);
            sparse_copy_elements(&phase, &rows);
        }
    }
}

static void ESPALIER_NAME(sparse_copy_frame)(
    const espalier_sparse_frame *frame, const float *input, float *to) {
    const espalier_sparse_geometry *g = frame->geometry;
    const size_t positions = g->output_height * g->output_width;
    const size_t plane = g->height * g->width;
    const size_t first_sample = frame->first / positions;
    const size_t last_sample = (frame->end - 1) / positions;
    espalier_sparse_phase phases[FRAME_PHASES];
    for (size_t p = 0; p < FRAME_PHASES; ++p) phases[p] = phase_of(frame, p);
    for (size_t sample = first_sample; sample <= last_sample; ++sample) {
        const sample_part part = part_of(frame, sample);
        for (size_t channel = 0; channel < g->channels; ++channel) {
            ESPALIER_NAME(sparse_copy_part)(
                frame, &part, phases, input + (sample * g->channels + channel) * plane,
                to + channel * frame->channel_pitch + part.first_row * frame->row_pitch);
        }
    }
}

#include "eights_end.h"
#include "vectors_end.h"
