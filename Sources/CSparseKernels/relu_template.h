// The kernels of relu.c; see each_isa.h.

#include "vectors_template.h"

ESPALIER_INLINE FLOATS ESPALIER_NAME(rectified)(FLOATS values) {
    return (FLOATS)((INTS)values & ~(values < (FLOATS){0}));
}

ESPALIER_INLINE FLOATS ESPALIER_NAME(passed)(FLOATS output, FLOATS gradient) {
    return (FLOATS)((INTS)gradient & (output > (FLOATS){0}));
}

static void ESPALIER_NAME(relu)(const float *source, float *result, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        ESPALIER_NAME(store)(ESPALIER_NAME(rectified)(ESPALIER_NAME(load)(source + i)), result + i);
    }
    const size_t rest = count - i;
    const FLOATS last = ESPALIER_NAME(load_some)(source + i, rest);
    ESPALIER_NAME(store_some)(ESPALIER_NAME(rectified)(last), result + i, rest);
}

static void ESPALIER_NAME(relu_gradient)(
    const float *output, const float *gradient, float *result, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const FLOATS passed =
            ESPALIER_NAME(passed)(ESPALIER_NAME(load)(output + i), ESPALIER_NAME(load)(gradient + i));
        ESPALIER_NAME(store)(passed, result + i);
    }
    const size_t rest = count - i;
    const FLOATS last_output = ESPALIER_NAME(load_some)(output + i, rest);
    const FLOATS last_gradient = ESPALIER_NAME(load_some)(gradient + i, rest);
    ESPALIER_NAME(store_some)(ESPALIER_NAME(passed)(last_output, last_gradient), result + i, rest);
}

#include "vectors_end.h"
