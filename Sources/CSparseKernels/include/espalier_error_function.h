/// The error function of arrays, as the activation Gelu takes it.
#ifndef ESPALIER_ERROR_FUNCTION_H
#define ESPALIER_ERROR_FUNCTION_H

#include <stddef.h>

#include "espalier_isa.h"

/// destination = erf(source), within 1.6e-7 and three units in the last place. The arrays need no alignment and may be
/// the same.
void espalier_error_function(espalier_isa isa, const float *source, float *destination, size_t count);

#endif
