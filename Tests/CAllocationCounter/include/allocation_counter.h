/// Counts what the calling thread allocates, by standing in for the C library's functions.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>

/// Whether allocations can be counted here: with glibc, and without a sanitizer that stands in for them itself.
bool allocation_counter_is_available(void);

/// The allocations of the calling thread since it began, without those of oneDNN when it executes a primitive: it makes a map of
/// the arguments each time.
long allocation_counter_value(void);

#endif
