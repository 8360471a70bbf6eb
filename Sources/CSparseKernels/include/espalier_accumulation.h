/// Sums and squares of arrays, which gradients of parameters used for several samples or positions come down to.
///
/// The arrays need no alignment and must not overlap.
#ifndef ESPALIER_ACCUMULATION_H
#define ESPALIER_ACCUMULATION_H

#include <stddef.h>

#include "espalier_isa.h"

/// target += source.
void espalier_add(espalier_isa isa, const float *source, float *target, size_t count);

/// target += source^2.
void espalier_add_squares(espalier_isa isa, const float *source, float *target, size_t count);

/// target = source^2.
void espalier_square(espalier_isa isa, const float *source, float *target, size_t count);

/// target += source, in double precision.
void espalier_add_widened(espalier_isa isa, const float *source, double *target, size_t count);

/// target += source^2, squared and added in double precision.
void espalier_add_widened_squares(espalier_isa isa, const float *source, double *target, size_t count);

/// target += |source|, in double precision.
void espalier_add_widened_magnitudes(espalier_isa isa, const float *source, double *target, size_t count);

/// target += left * right, in double precision.
void espalier_add_widened_products(
    espalier_isa isa, const float *left, const float *right, double *target, size_t count);

/// target += sum over rows r of r r^T, in double precision, the matrix [size, size] row-major. Rows of `size` numbers
/// begin `stride` numbers apart. Uses the first `size` of `row`, which has room for them.
void espalier_add_outer_products(
    espalier_isa isa, const float *rows, size_t count, size_t stride, size_t size, double *row, double *target);

#endif
