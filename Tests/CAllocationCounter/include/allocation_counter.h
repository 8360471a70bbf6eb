/// Counts what all threads of the process allocate, by standing in for the C library's functions.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>

/// Whether allocations can be counted here: with glibc, and without a sanitizer that stands in for them itself.
bool allocation_counter_is_available(void);

/// The allocations since the process began, without those while oneDNN executes a primitive: it makes a map of the arguments each
/// time.
long allocation_counter_value(void);

/// The bytes of these.
long allocation_counter_bytes(void);

#endif
