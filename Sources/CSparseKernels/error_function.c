#include "espalier_error_function.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "espalier_epilogue.h"

#define ESPALIER_TEMPLATE "error_function_template.h"
#include "each_isa.h"

void espalier_error_function(espalier_isa isa, const float *source, float *destination, size_t count) {
    ESPALIER_DISPATCH(isa, error_functions, source, destination, count);
}
