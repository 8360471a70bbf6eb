#include "espalier_bound_lines.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define ESPALIER_TEMPLATE "bound_lines_template.h"
#include "each_isa.h"

espalier_bound_sums espalier_bound_row(
    espalier_isa isa, const espalier_bound_window *window, const espalier_bound_lines *lines, const float *source,
    float *target) {
    return ESPALIER_DISPATCH(isa, bound_row, window, lines, source, target);
}

double espalier_bound_squares(
    espalier_isa isa, const espalier_bound_window *window, const float *weights, const float *source) {
    return ESPALIER_DISPATCH(isa, bound_squares, window, weights, source);
}
