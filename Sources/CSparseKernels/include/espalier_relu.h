/// The rectified linear function of arrays, and its gradient. Arrays need no alignment, and a result may be one of those that are
/// read: loops over two pointers, which the compiler cannot know to be one, would go element by element then.
#ifndef ESPALIER_RELU_H
#define ESPALIER_RELU_H

#include <stddef.h>

#include "espalier_isa.h"

/// result = 0 where source is less, and source elsewhere: not-a-number and -0 stay.
void espalier_relu(espalier_isa isa, const float *source, float *result, size_t count);

/// result = gradient where output, what espalier_relu gave, is greater than 0, and 0 elsewhere.
void espalier_relu_gradient(
    espalier_isa isa, const float *output, const float *gradient, float *result, size_t count);

#endif
