#include "espalier_accumulation.h"

#include <math.h>

#define ESPALIER_TEMPLATE "accumulation_template.h"
#include "each_isa.h"

void espalier_add(espalier_isa isa, const float *source, float *target, size_t count) {
    ESPALIER_DISPATCH(isa, add, source, target, count);
}

void espalier_add_squares(espalier_isa isa, const float *source, float *target, size_t count) {
    ESPALIER_DISPATCH(isa, add_squares, source, target, count);
}

void espalier_square(espalier_isa isa, const float *source, float *target, size_t count) {
    ESPALIER_DISPATCH(isa, square, source, target, count);
}

void espalier_add_widened(espalier_isa isa, const float *source, double *target, size_t count) {
    ESPALIER_DISPATCH(isa, add_widened, source, target, count);
}

void espalier_add_widened_squares(espalier_isa isa, const float *source, double *target, size_t count) {
    ESPALIER_DISPATCH(isa, add_widened_squares, source, target, count);
}

void espalier_add_widened_magnitudes(espalier_isa isa, const float *source, double *target, size_t count) {
    ESPALIER_DISPATCH(isa, add_widened_magnitudes, source, target, count);
}

void espalier_add_widened_products(
    espalier_isa isa, const float *left, const float *right, double *target, size_t count) {
    ESPALIER_DISPATCH(isa, add_widened_products, left, right, target, count);
}

void espalier_add_outer_products(
    espalier_isa isa, const float *rows, size_t count, size_t stride, size_t size, double *row, double *target) {
    ESPALIER_DISPATCH(isa, add_outer_products, rows, count, stride, size, row, target);
}
