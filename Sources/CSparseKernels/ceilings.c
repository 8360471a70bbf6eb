#include "espalier_ceilings.h"

#include <string.h>

#define ESPALIER_TEMPLATE "ceilings_template.h"
#include "each_isa.h"

size_t espalier_multiplies_per_turn(espalier_isa isa) { return ESPALIER_DISPATCH(isa, multiplies_per_turn); }

float espalier_multiply_in_registers(espalier_isa isa, size_t turns) {
    return ESPALIER_DISPATCH(isa, multiply_in_registers, turns);
}

// Eight registers of the widest kind.
size_t espalier_read_granularity(void) { return 128; }

float espalier_read(espalier_isa isa, const float *data, size_t count) {
    return ESPALIER_DISPATCH(isa, read, data, count);
}
