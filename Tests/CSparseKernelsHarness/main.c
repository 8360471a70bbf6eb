// Runs the tests of every kernel on every instruction set that this machine, or the emulator, has.
//
//     kernel-tests [seed [topic]]
//
// Exits with status 1 if a kernel is wrong. A seed gives the same cases everywhere.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cases.h"
#include "harness.h"

static const struct {
    const char *name;
    void (*test)(espalier_isa isa);
} topics[] = {
    {"products", test_products},
    {"convolutions", test_convolutions},
    {"depthwise", test_depthwise},
    {"depthwise-channels", test_depthwise_channels},
    {"vectors", test_vectors},
    {"batches", test_batches},
    {"narrow-convolutions", test_narrow_convolutions},
    {"optimizers", test_optimizers},
    {"relus", test_relus},
    {"accumulation", test_accumulation},
    {"band-cholesky", test_band_cholesky},
    {"batch-norms", test_batch_norms},
    {"bound-lines", test_bound_lines},
    {"baselines", test_baselines},
    {"transpositions", test_transpositions},
    {"triangle-products", test_triangle_products},
    {"error-function", test_error_function},
    {"max-pooling", test_max_pooling},
    {"masked-products", test_masked_products},
};

enum { TOPICS = sizeof topics / sizeof topics[0] };

int main(int count, char **arguments) {
    const uint64_t seed = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
    const char *only = count > 2 ? arguments[2] : NULL;
    catch_signals();
    for (int isa = 0; isa < ESPALIER_ISA_COUNT; ++isa) {
        if (!espalier_isa_is_supported((espalier_isa)isa)) continue;
        for (size_t topic = 0; topic < TOPICS; ++topic) {
            if (only && strcmp(only, topics[topic].name) != 0) continue;
            const clock_t start = clock();
            begin_topic(espalier_isa_name((espalier_isa)isa), topics[topic].name, seed);
            topics[topic].test((espalier_isa)isa);
            const size_t cases = end_topic();
            printf(
                "%s %s: %zu cases, seed %llu, %.1f s\n", espalier_isa_name((espalier_isa)isa), topics[topic].name,
                cases, (unsigned long long)seed, (double)(clock() - start) / CLOCKS_PER_SEC);
            fflush(stdout);
        }
    }
    if (total_cases() == 0) {
        fprintf(stderr, "no topic is called %s\n", only ? only : "so");
        return 1;
    }
    if (failed_cases() > 0) {
        fprintf(stderr, "%zu of %zu cases failed\n", failed_cases(), total_cases());
        return 1;
    }
    printf("all %zu cases passed\n", total_cases());
    return 0;
}
