#include "espalier_isa.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

bool espalier_isa_is_supported(espalier_isa isa) {
    switch (isa) {
        case ESPALIER_ISA_PORTABLE:
            return true;
#if defined(__aarch64__)
        case ESPALIER_ISA_NEON:
            return true;
#endif
#if defined(__x86_64__)
        // These also ask whether the operating system saves the registers.
        case ESPALIER_ISA_AVX2:
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        case ESPALIER_ISA_AVX512:
            return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("fma");
#endif
        default:
            return false;
    }
}

const char *espalier_isa_name(espalier_isa isa) {
    switch (isa) {
        case ESPALIER_ISA_PORTABLE: return "portable";
        case ESPALIER_ISA_NEON: return "neon";
        case ESPALIER_ISA_AVX2: return "avx2";
        case ESPALIER_ISA_AVX512: return "avx512";
    }
    return "unknown";
}

static espalier_isa choose(void) {
    const char *forced = getenv("ESPALIER_ISA");
    espalier_isa best = ESPALIER_ISA_PORTABLE;
    for (int candidate = 0; candidate < ESPALIER_ISA_COUNT; ++candidate) {
        espalier_isa isa = (espalier_isa)candidate;
        if (!espalier_isa_is_supported(isa)) continue;
        if (forced && strcmp(forced, espalier_isa_name(isa)) == 0) return isa;
        best = isa;
    }
    return best;
}

espalier_isa espalier_isa_active(void) {
    // Threads that race here all compute the same value.
    static _Atomic int chosen = -1;
    int known = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (known < 0) {
        known = (int)choose();
        atomic_store_explicit(&chosen, known, memory_order_relaxed);
    }
    return (espalier_isa)known;
}
