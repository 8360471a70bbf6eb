// The loops of ceilings.c; see each_isa.h.

#define LANES (ESPALIER_VECTOR_BYTES / sizeof(float))
#define FLOATS ESPALIER_NAME(ceiling_floats)

typedef float FLOATS __attribute__((vector_size(ESPALIER_VECTOR_BYTES)));

// Two units with a latency of four or five keep ten chains busy; AVX-512 and NEON have 32 registers, the others 16.
#if ESPALIER_VECTOR_BYTES == 64 || defined(__aarch64__)
#define CHAINS 24
#else
#define CHAINS 12
#endif
#define READERS 8

static size_t ESPALIER_NAME(multiplies_per_turn)(void) { return CHAINS * LANES; }

static float ESPALIER_NAME(multiply_in_registers)(size_t turns) {
    FLOATS sums[CHAINS];
    // A fixed point at 1: no overflow and nothing denormal, however long it goes on.
    const FLOATS half = (FLOATS){0} + 0.5f;
#pragma clang loop unroll(full)
    for (size_t chain = 0; chain < CHAINS; ++chain) sums[chain] = (FLOATS){0} + (float)chain;
    for (size_t turn = 0; turn < turns; ++turn) {
#pragma clang loop unroll(full)
        for (size_t chain = 0; chain < CHAINS; ++chain) sums[chain] = sums[chain] * half + half;
    }
    FLOATS total = sums[0];
#pragma clang loop unroll(full)
    for (size_t chain = 1; chain < CHAINS; ++chain) total += sums[chain];
    float result = 0;
    for (size_t lane = 0; lane < LANES; ++lane) result += total[lane];
    return result;
}

static float ESPALIER_NAME(read)(const float *data, size_t count) {
    FLOATS sums[READERS];
#pragma clang loop unroll(full)
    for (size_t reader = 0; reader < READERS; ++reader) sums[reader] = (FLOATS){0};
    for (size_t start = 0; start + READERS * LANES <= count; start += READERS * LANES) {
#pragma clang loop unroll(full)
        for (size_t reader = 0; reader < READERS; ++reader) {
            FLOATS values;
            memcpy(&values, data + start + reader * LANES, sizeof values);
            sums[reader] += values;
        }
    }
    FLOATS total = sums[0];
#pragma clang loop unroll(full)
    for (size_t reader = 1; reader < READERS; ++reader) total += sums[reader];
    float result = 0;
    for (size_t lane = 0; lane < LANES; ++lane) result += total[lane];
    return result;
}

#undef READERS
#undef CHAINS
#undef FLOATS
#undef LANES
