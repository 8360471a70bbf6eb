// The calling thread's OpenMP team and floating-point state.
//
// The OpenMP runtime is the one that oneDNN brought into the process, found at run time: compiling with
// -fopenmp would bring a second one, whose threads compete with the first one's.
#define _GNU_SOURCE
#include "include/espalier_dnn.h"

#include <dlfcn.h>
#include <pthread.h>

static struct {
    void (*set_num_threads)(int);
    int (*get_max_threads)(void);
    int (*get_thread_num)(void);
    int (*get_num_threads)(void);
    int (*in_parallel)(void);
    void (*parallel)(void (*)(void *), void *, unsigned, unsigned);
} openmp;

static pthread_once_t once = PTHREAD_ONCE_INIT;

/// Object and function pointers differ in ISO C; POSIX wants this way around it.
static void find(void *function, const char *name) { *(void **)function = dlsym(RTLD_DEFAULT, name); }

static void find_all(void) {
    find(&openmp.set_num_threads, "omp_set_num_threads");
    find(&openmp.get_max_threads, "omp_get_max_threads");
    find(&openmp.get_thread_num, "omp_get_thread_num");
    find(&openmp.get_num_threads, "omp_get_num_threads");
    find(&openmp.in_parallel, "omp_in_parallel");
    find(&openmp.parallel, "GOMP_parallel");
}

bool espalier_dnn_has_openmp(void) {
    pthread_once(&once, find_all);
    return openmp.set_num_threads && openmp.get_max_threads;
}

int espalier_dnn_threads(void) { return espalier_dnn_has_openmp() ? openmp.get_max_threads() : 1; }

void espalier_dnn_set_threads(int count) {
    if (espalier_dnn_has_openmp() && count > 0) openmp.set_num_threads(count);
}

typedef struct {
    void (*body)(void *context, int thread, int threads);
    void *context;
} region;

static void enter(void *data) {
    const region *entered = data;
    entered->body(entered->context, openmp.get_thread_num(), openmp.get_num_threads());
}

void espalier_dnn_parallel(void (*body)(void *context, int thread, int threads), void *context) {
    const int threads = espalier_dnn_threads();
    if (threads == 1 || !openmp.parallel || !openmp.in_parallel || !openmp.get_thread_num ||
        !openmp.get_num_threads || openmp.in_parallel()) {
        body(context, 0, 1);
        return;
    }
    region entered = {body, context};
    openmp.parallel(enter, &entered, (unsigned)threads, 0);
}

// MARK: Denormals

#if defined(__x86_64__)

/// Flush results to zero, and read denormal operands as zero.
enum { MXCSR_FLUSH = 0x8000 | 0x0040 };

uint64_t espalier_dnn_flush_denormals(void) {
    const unsigned state = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(state | MXCSR_FLUSH);
    return state;
}

void espalier_dnn_restore_floating_point(uint64_t state) { __builtin_ia32_ldmxcsr((unsigned)state); }

#elif defined(__aarch64__)

/// FZ covers operands and results.
static const uint64_t FPCR_FLUSH = UINT64_C(1) << 24;

uint64_t espalier_dnn_flush_denormals(void) {
    uint64_t state;
    __asm__ volatile("mrs %0, fpcr" : "=r"(state));
    __asm__ volatile("msr fpcr, %0" : : "r"(state | FPCR_FLUSH));
    return state;
}

void espalier_dnn_restore_floating_point(uint64_t state) { __asm__ volatile("msr fpcr, %0" : : "r"(state)); }

#else

uint64_t espalier_dnn_flush_denormals(void) { return 0; }

void espalier_dnn_restore_floating_point(uint64_t state) { (void)state; }

#endif
