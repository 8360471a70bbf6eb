// Compiles the template that ESPALIER_TEMPLATE names once per instruction set of the architecture.
//
// A template defines its functions as `static ... ESPALIER_NAME(f)(...)` and may use
//   ESPALIER_VECTOR_BYTES   the width of a register,
//   ESPALIER_ISA_LEVEL      the espalier_isa it is compiled for.
// Functions get the target attribute by pragma, so system headers must be included before, by the .c file. Calls
// between functions of one template inline; ESPALIER_DISPATCH picks the instance at run time.
//
// No include guard: a .c file with several templates includes this several times.

#ifndef ESPALIER_DISPATCH

#define ESPALIER_JOIN_(a, b) a##_##b
#define ESPALIER_JOIN(a, b) ESPALIER_JOIN_(a, b)
#define ESPALIER_NAME(f) ESPALIER_JOIN(f, ESPALIER_SUFFIX)
#define ESPALIER_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define ESPALIER_DISPATCH(isa, f, ...)                                   \
    ((isa) == ESPALIER_ISA_AVX512 ? f##_avx512(__VA_ARGS__)              \
     : (isa) == ESPALIER_ISA_AVX2 ? f##_avx2(__VA_ARGS__)                \
                                  : f##_portable(__VA_ARGS__))
#else
// NEON is in every AArch64 CPU: the portable vectors are it.
#define ESPALIER_DISPATCH(isa, f, ...) ((void)(isa), f##_portable(__VA_ARGS__))
#endif

#endif

#define ESPALIER_SUFFIX portable
#define ESPALIER_VECTOR_BYTES 16
#if defined(__aarch64__)
#define ESPALIER_ISA_LEVEL ESPALIER_ISA_NEON
#else
#define ESPALIER_ISA_LEVEL ESPALIER_ISA_PORTABLE
#endif
#include ESPALIER_TEMPLATE
#undef ESPALIER_ISA_LEVEL
#undef ESPALIER_VECTOR_BYTES
#undef ESPALIER_SUFFIX

#if defined(__x86_64__)

#define ESPALIER_SUFFIX avx2
#define ESPALIER_VECTOR_BYTES 32
#define ESPALIER_ISA_LEVEL ESPALIER_ISA_AVX2
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include ESPALIER_TEMPLATE
#pragma clang attribute pop
#undef ESPALIER_ISA_LEVEL
#undef ESPALIER_VECTOR_BYTES
#undef ESPALIER_SUFFIX

#define ESPALIER_SUFFIX avx512
#define ESPALIER_VECTOR_BYTES 64
#define ESPALIER_ISA_LEVEL ESPALIER_ISA_AVX512
#pragma clang attribute push(                                                                \
    __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,fma"), min_vector_width(512))), \
    apply_to = function)
#include ESPALIER_TEMPLATE
#pragma clang attribute pop
#undef ESPALIER_ISA_LEVEL
#undef ESPALIER_VECTOR_BYTES
#undef ESPALIER_SUFFIX

#endif

#undef ESPALIER_TEMPLATE
