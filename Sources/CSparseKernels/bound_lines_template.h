// Rows of linear bounds; see espalier_bound_lines.h and each_isa.h.

#include "vectors_template.h"

// Sums that are kept in floats until MOST_TERMS were added to each lane.
#define MOST_TERMS 16
#define BOUND_SUMS ESPALIER_NAME(bound_running_sums)

typedef struct {
    FLOATS constant;
    FLOATS magnitude;
    size_t terms;
    double constants;
    double magnitudes;
} BOUND_SUMS;

ESPALIER_INLINE double ESPALIER_NAME(sum_of_lanes)(FLOATS values) {
    double sum = 0;
    for (size_t lane = 0; lane < LANES; ++lane) sum += (double)values[lane];
    return sum;
}

ESPALIER_INLINE void ESPALIER_NAME(keep_sums)(BOUND_SUMS *sums) {
    sums->constants += ESPALIER_NAME(sum_of_lanes)(sums->constant);
    sums->magnitudes += ESPALIER_NAME(sum_of_lanes)(sums->magnitude);
    sums->constant = (FLOATS){0};
    sums->magnitude = (FLOATS){0};
    sums->terms = 0;
}

ESPALIER_INLINE FLOATS ESPALIER_NAME(choose)(INTS mask, FLOATS yes, FLOATS no) {
    return (FLOATS)(((INTS)yes & mask) | ((INTS)no & ~mask));
}

// Elements first..<first + count of a value, `source` theirs. The lines that are null are constants where this is inlined.
ESPALIER_INLINE void ESPALIER_NAME(bound_run)(
    const espalier_bound_lines *lines, const int has_slopes, const int has_offsets, const int has_offset,
    size_t first, size_t count, const float *source, float *target, BOUND_SUMS *sums) {
    for (size_t k = 0; k < count; k += LANES) {
        const size_t left = count - k;
        const size_t place = first + k;
        const FLOATS before = ESPALIER_NAME(load_up_to)(source + k, left);
        const INTS is_low = before < (FLOATS){0};
        FLOATS after = before;
        if (has_slopes) {
            after = before * ESPALIER_NAME(choose)(
                                 is_low, ESPALIER_NAME(load_up_to)(lines->upper_slope + place, left),
                                 ESPALIER_NAME(load_up_to)(lines->lower_slope + place, left));
        }
        if (has_offsets) {
            sums->constant += before * ESPALIER_NAME(choose)(
                                           is_low, ESPALIER_NAME(load_up_to)(lines->upper_offset + place, left),
                                           ESPALIER_NAME(load_up_to)(lines->lower_offset + place, left));
        }
        if (has_offset) sums->constant += after * ESPALIER_NAME(load_up_to)(lines->offset + place, left);
        const FLOATS size = (FLOATS)((INTS)after & INT32_MAX);
        sums->magnitude += size * ESPALIER_NAME(load_up_to)(lines->magnitude + place, left);
        if (target) ESPALIER_NAME(store_up_to)(after, target + k, left);
        if (++sums->terms == MOST_TERMS) ESPALIER_NAME(keep_sums)(sums);
    }
}

// Runs of elements that lie side by side in the window and in the value.
ESPALIER_INLINE espalier_bound_sums ESPALIER_NAME(bound_rows)(
    const espalier_bound_window *window, const espalier_bound_lines *lines, const int has_slopes,
    const int has_offsets, const int has_offset, const float *source, float *target) {
    BOUND_SUMS sums = {0};
    const size_t plane = window->height * window->width;
    const size_t area = window->window_height * window->window_width;
    if (area == plane && window->top == 0 && window->left == 0 && window->window_width == window->width) {
        ESPALIER_NAME(bound_run)
        (lines, has_slopes, has_offsets, has_offset, 0, window->channels * plane, source, target, &sums);
    } else {
        const ptrdiff_t end = window->left + (ptrdiff_t)window->window_width;
        const size_t before = window->left < 0 ? (size_t)-window->left : 0;
        const ptrdiff_t room = (ptrdiff_t)window->width - window->left;
        const size_t stop = room <= 0 ? 0 : end > (ptrdiff_t)window->width ? (size_t)room : window->window_width;
        for (size_t channel = 0; channel < window->channels; ++channel) {
            for (size_t line = 0; line < window->window_height; ++line) {
                const size_t from = channel * area + line * window->window_width;
                const ptrdiff_t y = window->top + (ptrdiff_t)line;
                const int is_inside = y >= 0 && y < (ptrdiff_t)window->height && before < stop;
                if (target) {
                    const size_t head = is_inside ? before : window->window_width;
                    for (size_t x = 0; x < head; ++x) target[from + x] = 0;
                    if (is_inside) {
                        for (size_t x = stop; x < window->window_width; ++x) target[from + x] = 0;
                    }
                }
                if (!is_inside) continue;
                const size_t first = channel * plane + (size_t)y * window->width +
                                     (size_t)(window->left + (ptrdiff_t)before);
                ESPALIER_NAME(bound_run)
                (lines, has_slopes, has_offsets, has_offset, first, stop - before, source + from + before,
                 target ? target + from + before : 0, &sums);
            }
        }
    }
    ESPALIER_NAME(keep_sums)(&sums);
    return (espalier_bound_sums){.constant = sums.constants, .magnitude = sums.magnitudes};
}

static espalier_bound_sums ESPALIER_NAME(bound_row)(
    const espalier_bound_window *window, const espalier_bound_lines *lines, const float *source, float *target) {
    const int has_offset = lines->offset != 0;
    if (lines->lower_slope && has_offset) {
        return ESPALIER_NAME(bound_rows)(window, lines, 1, 1, 1, source, target);
    }
    if (lines->lower_slope) return ESPALIER_NAME(bound_rows)(window, lines, 1, 1, 0, source, target);
    if (lines->lower_offset) return ESPALIER_NAME(bound_rows)(window, lines, 0, 1, 0, source, target);
    return ESPALIER_NAME(bound_rows)(window, lines, 0, 0, has_offset, source, target);
}

static double ESPALIER_NAME(bound_squares)(
    const espalier_bound_window *window, const float *weights, const float *source) {
    double sum = 0;
    const size_t area = window->window_height * window->window_width;
    for (size_t channel = 0; channel < window->channels; ++channel) {
        for (size_t line = 0; line < window->window_height; ++line) {
            const ptrdiff_t y = window->top + (ptrdiff_t)line;
            if (y < 0 || y >= (ptrdiff_t)window->height) continue;
            const float *row = source + channel * area + line * window->window_width;
            const float *weight = weights + (channel * window->height + (size_t)y) * window->width;
            for (size_t column = 0; column < window->window_width; ++column) {
                const ptrdiff_t x = window->left + (ptrdiff_t)column;
                if (x < 0 || x >= (ptrdiff_t)window->width) continue;
                sum += (double)row[column] * (double)row[column] * (double)weight[x];
            }
        }
    }
    return sum;
}

#undef MOST_TERMS
#undef BOUND_SUMS
#include "vectors_end.h"
