// Largest elements of windows; see each_isa.h.

#include "vectors_template.h"

// Of two registers in a row every second element, and all from the second on.
#if ESPALIER_VECTOR_BYTES == 64
#define EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define ODD(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
#define FROM_1(a, b) __builtin_shufflevector(a, b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
#elif ESPALIER_VECTOR_BYTES == 32
#define EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define ODD(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#define FROM_1(a, b) __builtin_shufflevector(a, b, 1, 2, 3, 4, 5, 6, 7, 8)
#else
#define EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6)
#define ODD(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7)
#define FROM_1(a, b) __builtin_shufflevector(a, b, 1, 2, 3, 4)
#endif

// The larger ones of both, `best` where `values` are not-a-number.
ESPALIER_INLINE FLOATS ESPALIER_NAME(larger)(FLOATS values, FLOATS best) {
#if ESPALIER_VECTOR_BYTES == 64
    return (FLOATS)_mm512_max_ps((__m512)values, (__m512)best);
#elif ESPALIER_VECTOR_BYTES == 32
    return (FLOATS)_mm256_max_ps((__m256)values, (__m256)best);
#elif defined(__x86_64__)
    return (FLOATS)_mm_max_ps((__m128)values, (__m128)best);
#else
    const INTS above = values > best;
    return (FLOATS)(((INTS)values & above) | ((INTS)best & ~above));
#endif
}

// The largest of each of some columns, as many as there are.
ESPALIER_INLINE FLOATS ESPALIER_NAME(pool_columns)(
    const float *source, size_t pitch, const size_t rows, size_t columns) {
    FLOATS best = (FLOATS){0} - FLT_MAX;
    if (columns >= LANES) {
        for (size_t row = 0; row < rows; ++row) {
            best = ESPALIER_NAME(larger)(ESPALIER_NAME(load)(source + row * pitch), best);
        }
#if ESPALIER_VECTOR_BYTES < 64
    } else if (columns == 1) {
        best[0] = largest(source, pitch, rows, 1, best[0]);
#endif
    } else if (columns > 0) {
        for (size_t row = 0; row < rows; ++row) {
            best = ESPALIER_NAME(larger)(ESPALIER_NAME(load_some)(source + row * pitch, columns), best);
        }
    }
    return best;
}

// MARK: Close windows

// The columns' largest elements stay in registers, each of which the next windows share.
ESPALIER_INLINE void ESPALIER_NAME(pool_windows_of)(
    const pooled_windows *w, const size_t rows, const size_t taps) {
    const float *source = w->source;
    float *destination = w->destination;
    const size_t windows = w->windows, pitch = w->pitch;
    const size_t columns = (windows - 1) * 2 + taps;
    FLOATS next = ESPALIER_NAME(pool_columns)(source, pitch, rows, columns);
    for (size_t place = 0; place < windows; place += LANES) {
#if ESPALIER_VECTOR_BYTES < 64
        // Without masks the last ones end with the row.
        if (windows >= LANES && place > windows - LANES) {
            place = windows - LANES;
            next = ESPALIER_NAME(pool_columns)(source + place * 2, pitch, rows, LANES);
        }
#endif
        const float *from = source + place * 2;
        const size_t left = columns - place * 2;
        const FLOATS low = next;
        FLOATS high = low;
        if (left > LANES) high = ESPALIER_NAME(pool_columns)(from + LANES, pitch, rows, left - LANES);
        if (left > 2 * LANES) next = ESPALIER_NAME(pool_columns)(from + 2 * LANES, pitch, rows, left - 2 * LANES);
        const FLOATS even = EVEN(low, high);
        FLOATS best = ESPALIER_NAME(larger)(ODD(low, high), even);
        if (taps == 3) best = ESPALIER_NAME(larger)(FROM_1(even, next), best);
        ESPALIER_NAME(store_up_to)(best, destination + place, windows - place);
    }
}

static void ESPALIER_NAME(pool_windows)(const pooled_windows *w) {
    if (w->taps == 2 && w->rows == 2) ESPALIER_NAME(pool_windows_of)(w, 2, 2);
    else if (w->taps == 2) ESPALIER_NAME(pool_windows_of)(w, w->rows, 2);
    else if (w->rows == 3) ESPALIER_NAME(pool_windows_of)(w, 3, 3);
    else ESPALIER_NAME(pool_windows_of)(w, w->rows, 3);
}

// A row of windows of which those in `inside` are in the plane. The others are few: one by one.
static void ESPALIER_NAME(pool_close_row)(
    const espalier_max_pooling *p, seen_range inside, const float *source, size_t rows, float *destination) {
    for (size_t window = 0; window < p->output_width; ++window) {
        if (window == inside.first) window = inside.end;
        if (window == p->output_width) break;
        const seen_range seen = seen_along(window * p->stride_width, p->kernel_width, p->padding_left, p->width);
        destination[window] = largest(source + seen.first, p->width, rows, seen.end - seen.first, -FLT_MAX);
    }
    if (inside.first == inside.end) return;
    const pooled_windows w = {
        .source = source + (inside.first * p->stride_width - p->padding_left),
        .pitch = p->width,
        .rows = rows,
        .windows = inside.end - inside.first,
        .taps = p->kernel_width,
        .destination = destination + inside.first,
    };
    ESPALIER_NAME(pool_windows)(&w);
}

static void ESPALIER_NAME(pool_close_plane)(const espalier_max_pooling *p, const float *plane, float *destination) {
    const seen_range inside = windows_inside(p);
    for (size_t row = 0; row < p->output_height; ++row) {
        const seen_range seen = seen_along(row * p->stride_height, p->kernel_height, p->padding_top, p->height);
        ESPALIER_NAME(pool_close_row)(
            p, inside, plane + seen.first * p->width, seen.end - seen.first, destination + row * p->output_width);
    }
}

// MARK: Any windows

// The largest that LANES windows see, in a line of the largest elements of columns.
ESPALIER_INLINE FLOATS ESPALIER_NAME(pool_taps)(const float *line, size_t taps, const size_t stride, FLOATS best) {
    for (size_t tap = 0; tap < taps; ++tap) {
        FLOATS values = ESPALIER_NAME(load)(line + tap);
        if (stride == 2) values = EVEN(values, ESPALIER_NAME(load)(line + tap + LANES));
        best = ESPALIER_NAME(larger)(values, best);
    }
    return best;
}

ESPALIER_INLINE void ESPALIER_NAME(pool_line)(
    const pooled_stretch *s, const float *line, const size_t stride, float *destination) {
    for (size_t place = 0; place < s->windows; place += LANES) {
        const size_t left = s->windows - place;
        FLOATS best = (FLOATS){0} - FLT_MAX;
        if (s->continues) best = ESPALIER_NAME(load_up_to)(destination + place, left);
        best = ESPALIER_NAME(pool_taps)(line + place * stride, s->taps, stride, best);
        ESPALIER_NAME(store_up_to)(best, destination + place, left);
    }
}

// Lines of the largest elements of columns, the lowest number outside the plane.
static void ESPALIER_NAME(pool_fill_line)(
    const pooled_stretch *s, const float *source, size_t pitch, size_t rows, float *line) {
    const FLOATS lowest = (FLOATS){0} - FLT_MAX;
    for (size_t i = 0; i < s->before; i += LANES) ESPALIER_NAME(store)(lowest, line + i);
    for (size_t i = 0; i < s->inside; i += LANES) {
        const FLOATS best = ESPALIER_NAME(pool_columns)(source + i, pitch, rows, s->inside - i);
        ESPALIER_NAME(store)(best, line + s->before + i);
    }
    for (size_t i = s->before + s->inside; i < s->columns + 2 * LANES; i += LANES) {
        ESPALIER_NAME(store)(lowest, line + i);
    }
}

// The windows of some rows of a plane, a stretch of each. All lines are filled first, since what was just written
// cannot be read at another alignment at once.
static void ESPALIER_NAME(pool_stretch)(
    const espalier_max_pooling *p, const pooled_stretch *s, const float *plane, size_t first_row, size_t rows,
    float *destination) {
    float lines[POOLING_LINES + POOLING_MARGIN];
    for (size_t row = 0; row < rows; ++row) {
        const seen_range seen =
            seen_along((first_row + row) * p->stride_height, p->kernel_height, p->padding_top, p->height);
        ESPALIER_NAME(pool_fill_line)(
            s, plane + seen.first * p->width + s->first_column, p->width, seen.end - seen.first,
            lines + row * s->line_pitch);
    }
    for (size_t row = 0; row < rows; ++row) {
        const float *line = lines + row * s->line_pitch;
        float *to = destination + (first_row + row) * p->output_width + s->first_window;
        if (p->stride_width == 1) {
            ESPALIER_NAME(pool_line)(s, line, 1, to);
        } else if (p->stride_width == 2) {
            ESPALIER_NAME(pool_line)(s, line, 2, to);
        } else {
            for (size_t i = 0; i < s->windows; ++i) {
                to[i] = largest(line + i * p->stride_width, 0, 1, s->taps, s->continues ? to[i] : -FLT_MAX);
            }
        }
    }
}

// As many windows at a time as there is room for, and wide ones in pieces.
static void ESPALIER_NAME(pool_any_plane)(const espalier_max_pooling *p, const float *plane, float *destination) {
    const size_t most_taps = at_most(p->kernel_width, POOLING_COLUMNS / 2);
    const size_t most_windows = (POOLING_COLUMNS - most_taps) / p->stride_width + 1;
    for (size_t window = 0; window < p->output_width; window += most_windows) {
        for (size_t tap = 0; tap < p->kernel_width; tap += most_taps) {
            const pooled_stretch s = stretch_of(
                p, window, at_most(p->output_width - window, most_windows), tap,
                at_most(p->kernel_width - tap, most_taps));
            const size_t most_rows = POOLING_LINES / s.line_pitch;
            for (size_t row = 0; row < p->output_height; row += most_rows) {
                ESPALIER_NAME(pool_stretch)(
                    p, &s, plane, row, at_most(p->output_height - row, most_rows), destination);
            }
        }
    }
}

static void ESPALIER_NAME(max_pool)(
    const espalier_max_pooling *p, const float *source, float *destination, size_t first, size_t end) {
    for (size_t plane = first; plane < end; ++plane) {
        const float *from = source + plane * p->height * p->width;
        float *to = destination + plane * p->output_height * p->output_width;
        if (is_close(p)) ESPALIER_NAME(pool_close_plane)(p, from, to);
        else ESPALIER_NAME(pool_any_plane)(p, from, to);
    }
}

#undef FROM_1
#undef ODD
#undef EVEN
#include "vectors_end.h"
