#include "espalier_caches.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

#if defined(__linux__)

/// The first word of a file about one cache; false if there is none.
static int read_word(int index, const char *file, char word[32]) {
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, file);
    FILE *stream = fopen(path, "r");
    if (!stream) return 0;
    const int found = fscanf(stream, "%31s", word) == 1;
    fclose(stream);
    return found;
}

// Not by sysconf, which asks the processor: a virtual machine may have less than its host's.
size_t espalier_cache_bytes(int level) {
    char word[32];
    for (int index = 0; index < 8; ++index) {
        int found = 0;
        if (!read_word(index, "level", word) || sscanf(word, "%d", &found) != 1 || found != level) continue;
        if (!read_word(index, "type", word) || strcmp(word, "Instruction") == 0) continue;
        unsigned long size = 0;
        char unit = 0;
        if (!read_word(index, "size", word) || sscanf(word, "%lu%c", &size, &unit) < 1) continue;
        return (size_t)size << (unit == 'K' ? 10 : unit == 'M' ? 20 : 0);
    }
    return 0;
}

#elif defined(__APPLE__)

size_t espalier_cache_bytes(int level) {
    const char *names[] = {"hw.l1dcachesize", "hw.l2cachesize", "hw.l3cachesize"};
    int64_t size = 0;
    size_t length = sizeof size;
    if (level < 1 || level > 3 || sysctlbyname(names[level - 1], &size, &length, NULL, 0) != 0) return 0;
    return size > 0 ? (size_t)size : 0;
}

#else

size_t espalier_cache_bytes(int level) {
    (void)level;
    return 0;
}

#endif
