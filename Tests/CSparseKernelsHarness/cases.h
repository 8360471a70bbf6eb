// The bookkeeping of cases, for main.c.
#ifndef HARNESS_CASES_H
#define HARNESS_CASES_H

#include <stddef.h>
#include <stdint.h>

// Begins the cases of a topic; seeds the random numbers.
void begin_topic(const char *isa, const char *name, uint64_t seed);

// Ends the last case. Returns the number of cases.
size_t end_topic(void);

size_t total_cases(void);
size_t failed_cases(void);

// Names the case when a kernel touches what it must not, or a sanitizer stops it.
void catch_signals(void);

// Releases what the case allocated. Returns false if something was written around it.
_Bool release_memory(void);

#endif
