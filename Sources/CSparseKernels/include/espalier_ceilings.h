/// Loops that do one thing only, as fast as a core can: what its ceilings are measured by.
#ifndef ESPALIER_CEILINGS_H
#define ESPALIER_CEILINGS_H

#include <stddef.h>

#include "espalier_isa.h"

/// Multiply-accumulates in one turn of espalier_multiply_in_registers.
size_t espalier_multiplies_per_turn(espalier_isa isa);

/// So many turns of multiply-accumulates on numbers that never leave the registers, in more independent chains than the
/// units' latency asks for. Returns something that depends on all of them.
float espalier_multiply_in_registers(espalier_isa isa, size_t turns);

/// Reads a multiple of espalier_read_granularity() numbers once, and returns something that depends on all of them.
float espalier_read(espalier_isa isa, const float *data, size_t count);
size_t espalier_read_granularity(void);

#endif
