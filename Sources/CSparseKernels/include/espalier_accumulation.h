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

#endif
