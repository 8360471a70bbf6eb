/// Linear bounds of a network's values, taken backwards through what lies between lines.
#ifndef ESPALIER_BOUND_LINES_H
#define ESPALIER_BOUND_LINES_H

#include <stddef.h>

#include "espalier_isa.h"

/// Where the coefficients of a row lie: a window of planes, [channels, window_height, window_width], whose first element
/// belongs to (top, left) of the value's [channels, height, width]. What reaches beyond the value has no meaning.
typedef struct {
    size_t channels;
    size_t height;
    size_t width;
    size_t window_height;
    size_t window_width;
    ptrdiff_t top;
    ptrdiff_t left;
} espalier_bound_window;

/// For each element of a value, [channels, height, width]; both of a pair, or neither, are null.
typedef struct {
    /// What coefficients are multiplied by that are at least 0, and that are below. Null: by 1.
    const float *lower_slope;
    const float *upper_slope;
    /// What such coefficients, before that, are multiplied by and summed. Null: nothing.
    const float *lower_offset;
    const float *upper_offset;
    /// What coefficients after that are multiplied by and summed. May be null.
    const float *offset;
    /// What the magnitudes of the new coefficients are multiplied by and summed by themselves.
    const float *magnitude;
} espalier_bound_lines;

/// Sums of one row. Each sum of floats that is rounded has at most ESPALIER_BOUND_TERMS products; what is more is added in
/// double precision.
typedef struct {
    double constant;
    double magnitude;
} espalier_bound_sums;

#define ESPALIER_BOUND_TERMS 40

/// Writes the new coefficients to `target`, laid out as `source`, zeros where there is no value; the two may be the same or
/// `target` null.
espalier_bound_sums espalier_bound_row(
    espalier_isa isa, const espalier_bound_window *window, const espalier_bound_lines *lines, const float *source,
    float *target);

/// The sum of squares of a row's coefficients, each times a weight, [channels, height, width]; rounded as above.
double espalier_bound_squares(
    espalier_isa isa, const espalier_bound_window *window, const float *weights, const float *source);

#endif
