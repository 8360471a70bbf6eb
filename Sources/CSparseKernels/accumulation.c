#include "espalier_accumulation.h"

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
