/// The instruction sets kernels are compiled for, and which of them this machine runs.
#ifndef ESPALIER_ISA_H
#define ESPALIER_ISA_H

#include <stdbool.h>

/// In ascending order of preference. Every kernel takes one as its first argument, so that tests and
/// benchmarks can run each that the machine supports; everybody else passes espalier_isa_active().
typedef enum {
    /// What every CPU of the architecture has: SSE2 or NEON, through the compiler's vector types.
    ESPALIER_ISA_PORTABLE = 0,
    ESPALIER_ISA_NEON = 1,
    /// AVX2 with FMA.
    ESPALIER_ISA_AVX2 = 2,
    /// AVX-512 F, VL, DQ and BW.
    ESPALIER_ISA_AVX512 = 3,
} espalier_isa;

enum { ESPALIER_ISA_COUNT = 4 };

/// Whether kernels for `isa` were compiled in and this CPU and operating system run them.
bool espalier_isa_is_supported(espalier_isa isa);

/// The best supported instruction set, or the one that the environment variable ESPALIER_ISA names (avx512,
/// avx2, neon, portable) if it is supported. Read once per process.
espalier_isa espalier_isa_active(void);

/// The name by which ESPALIER_ISA selects it.
const char *espalier_isa_name(espalier_isa isa);

#endif
