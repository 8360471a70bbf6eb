// The error function of arrays; see each_isa.h.

#include "vectors_template.h"
#include "activations_template.h"

static void ESPALIER_NAME(error_functions)(const float *source, float *destination, size_t count) {
    for (size_t i = 0; i < count; i += LANES) {
        const FLOATS z = ESPALIER_NAME(load_up_to)(source + i, count - i);
        ESPALIER_NAME(store_up_to)(ESPALIER_NAME(error_function)(z), destination + i, count - i);
    }
}

#include "vectors_end.h"
