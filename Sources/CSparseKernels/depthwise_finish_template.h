// What follows the sums of a tile of a depthwise convolution; see each_isa.h.

#include "activations_template.h"

// The sums of `rows` rows of the output, of which `left` positions are left from `at` on. What is not a clip follows later.
ESPALIER_INLINE void ESPALIER_NAME(depthwise_finish)(
    const espalier_depthwise_plane *plane, FLOATS low, FLOATS high, const FLOATS *sums, size_t width, size_t at,
    size_t left, const size_t rows) {
    if (left >= LANES) {
#pragma clang loop unroll(full)
        for (size_t row = 0; row < rows; ++row, at += width) {
            FLOATS value = sums[row];
            if (plane->residual) value += ESPALIER_NAME(load)(plane->residual + at);
            ESPALIER_NAME(store)(ESPALIER_NAME(clip)(value, low, high), plane->output + at);
        }
        return;
    }
#pragma clang loop unroll(full)
    for (size_t row = 0; row < rows; ++row, at += width) {
        FLOATS value = sums[row];
        if (plane->residual) value += ESPALIER_NAME(load_some)(plane->residual + at, left);
        ESPALIER_NAME(store_some)(ESPALIER_NAME(clip)(value, low, high), plane->output + at, left);
    }
}

// Applies a function to a plane whose sums are in place of it.
static void ESPALIER_NAME(depthwise_activate)(const espalier_activation *activation, float *values, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const FLOATS x = ESPALIER_NAME(load)(values + i);
        ESPALIER_NAME(store)(ESPALIER_NAME(activate)(x, activation), values + i);
    }
    if (i == count) return;
    const FLOATS x = ESPALIER_NAME(load_some)(values + i, count - i);
    ESPALIER_NAME(store_some)(ESPALIER_NAME(activate)(x, activation), values + i, count - i);
}
