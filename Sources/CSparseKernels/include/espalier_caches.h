/// The caches of the machine.
#ifndef ESPALIER_CACHES_H
#define ESPALIER_CACHES_H

#include <stddef.h>

/// The size in bytes of the data cache of a level, from 1 to 3, that the first core uses; 0 if the system does not tell.
size_t espalier_cache_bytes(int level);

#endif
