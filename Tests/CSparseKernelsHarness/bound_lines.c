// Rows of linear bounds.

#include <math.h>

#include "harness.h"

// Elements of a value that a window's element stands for; false beyond it.
static bool place_of(const espalier_bound_window *window, size_t channel, size_t line, size_t column, size_t *place) {
    const ptrdiff_t y = window->top + (ptrdiff_t)line, x = window->left + (ptrdiff_t)column;
    if (y < 0 || x < 0 || y >= (ptrdiff_t)window->height || x >= (ptrdiff_t)window->width) return false;
    *place = (channel * window->height + (size_t)y) * window->width + (size_t)x;
    return true;
}

// Sums may be off by as much as so many roundings allow.
static void expect_rounded(const char *name, double found, double expected, double magnitude) {
    const double error = ESPALIER_BOUND_TERMS * 0x1p-24 * 1.001 * magnitude;
    if (!(fabs(found - expected) <= error)) fail_case("%s is %.9g, not %.9g", name, found, expected);
}

static void check_row(espalier_isa isa, espalier_bound_window window, bool slopes, bool offsets, bool offset, int target_kind) {
    begin_case(
        "window %zux%zu at %td, %td of %zux%zux%zu%s%s%s, target %d", window.window_height, window.window_width, window.top,
        window.left, window.channels, window.height, window.width, slopes ? ", slopes" : "", offsets ? ", offsets" : "",
        offset ? ", offset" : "", target_kind);
    const size_t count = window.channels * window.height * window.width;
    const size_t size = window.channels * window.window_height * window.window_width;
    espalier_bound_lines lines = {0};
    if (slopes) {
        lines.lower_slope = random_floats(count);
        lines.upper_slope = random_floats(count);
    }
    if (offsets) {
        lines.lower_offset = random_floats(count);
        lines.upper_offset = random_floats(count);
    }
    if (offset) lines.offset = random_floats(count);
    lines.magnitude = random_floats(count);
    const float *source = random_floats(size);
    float *written = target_kind == 2 ? copy_bytes(source, size * sizeof(float)) : allocate_floats(size);
    float *target = target_kind == 0 ? 0 : written;
    const espalier_bound_sums sums =
        espalier_bound_row(isa, &window, &lines, target_kind == 2 ? written : source, target);
    double constant = 0, constant_size = 0, magnitude = 0, magnitude_size = 0;
    for (size_t i = 0; i < size; ++i) {
        const size_t column = i % window.window_width, line = i / window.window_width % window.window_height;
        const size_t channel = i / window.window_width / window.window_height;
        size_t place;
        if (!place_of(&window, channel, line, column, &place)) {
            if (target) expect_same(target[i], 0, i);
            continue;
        }
        const bool is_low = source[i] < 0;
        const float after =
            slopes ? source[i] * (is_low ? lines.upper_slope : lines.lower_slope)[place] : source[i];
        if (target) expect_same(target[i], after, i);
        if (offsets) {
            const double added = (double)source[i] * (double)(is_low ? lines.upper_offset : lines.lower_offset)[place];
            constant += added;
            constant_size += fabs(added);
        }
        if (offset) {
            const double added = (double)after * (double)lines.offset[place];
            constant += added;
            constant_size += fabs(added);
        }
        magnitude += fabs((double)after) * (double)lines.magnitude[place];
        magnitude_size += fabs((double)after * (double)lines.magnitude[place]);
    }
    expect_rounded("the constant", sums.constant, constant, constant_size);
    expect_rounded("the magnitude", sums.magnitude, magnitude, magnitude_size);
}

static void check_squares(espalier_isa isa, espalier_bound_window window) {
    begin_case("squares, window %zux%zu at %td, %td", window.window_height, window.window_width, window.top, window.left);
    const size_t size = window.channels * window.window_height * window.window_width;
    const float *weights = random_floats(window.channels * window.height * window.width);
    const float *source = random_floats(size);
    double sum = 0, sum_size = 0;
    for (size_t i = 0; i < size; ++i) {
        const size_t column = i % window.window_width, line = i / window.window_width % window.window_height;
        size_t place;
        if (!place_of(&window, i / window.window_width / window.window_height, line, column, &place)) continue;
        const double added = (double)source[i] * (double)source[i] * (double)weights[place];
        sum += added;
        sum_size += fabs(added);
    }
    expect_rounded("the sum", espalier_bound_squares(isa, &window, weights, source), sum, sum_size);
}

void test_bound_lines(espalier_isa isa) {
    for (int round = 0; round < 60; ++round) {
        espalier_bound_window window = {
            .channels = random_index(1, 3),
            .height = random_index(1, 7),
            .width = random_index(1, 40),
            .window_height = random_index(1, 9),
            .window_width = random_index(1, 44),
        };
        window.top = (ptrdiff_t)random_index(0, 20) - 10;
        window.left = (ptrdiff_t)random_index(0, 90) - 45;
        // All of the value.
        if (round % 4 == 0) {
            window.window_height = window.height;
            window.window_width = window.width;
            window.top = window.left = 0;
        }
        for (int target = 0; target < 3; ++target) {
            check_row(isa, window, true, true, true, target);
            check_row(isa, window, true, true, false, target);
            check_row(isa, window, false, true, false, target);
            check_row(isa, window, false, false, true, target);
            check_row(isa, window, false, false, false, target);
        }
        check_squares(isa, window);
    }
}
