// How the kernels of sparse matrices end: scale, bias, residual and activation on results that lie in a row.
//
// Part of templates: each_isa.h compiles it with them.

#include "vectors_template.h"
#include "activations_template.h"

// Sums to results: `count` of them from `first` on, of a row of Y. `scales` is NULL or there for each sum. The sums are
// readable to the end of the last register.
ESPALIER_INLINE void ESPALIER_NAME(write_results)(
    const float *sums, const float *scales, size_t count, const float *bias, const float *residual,
    const espalier_activation *activation, float *results) {
    for (size_t i = 0; i < count; i += LANES) {
        FLOATS x = ESPALIER_NAME(load)(sums + i);
        if (scales) x *= ESPALIER_NAME(load)(scales + i);
        if (bias) x += ESPALIER_NAME(load_up_to)(bias + i, count - i);
        if (residual) x += ESPALIER_NAME(load_up_to)(residual + i, count - i);
        x = ESPALIER_NAME(activate)(x, activation);
        ESPALIER_NAME(store_up_to)(x, results + i, count - i);
    }
}

#include "vectors_end.h"
