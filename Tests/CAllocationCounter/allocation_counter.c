#define _GNU_SOURCE

#include "allocation_counter.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED
#endif
#endif

#if defined(__GLIBC__) && !defined(IS_SANITIZED)

// Of all threads.
static atomic_long count, bytes;
// Primitives that oneDNN is executing. Other threads than the one that called it work on them too.
static atomic_int executing;

bool allocation_counter_is_available(void) { return true; }
long allocation_counter_value(void) { return atomic_load(&count); }
long allocation_counter_bytes(void) { return atomic_load(&bytes); }

static void note(size_t size) {
    if (atomic_load(&executing)) return;
    atomic_fetch_add(&count, 1);
    atomic_fetch_add(&bytes, (long)size);
}

// glibc keeps its own functions under these names for the sake of programs that replace malloc.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t number, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    note(size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    note(number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    note(size);
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note(size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    note(size);
    *memory = __libc_memalign(alignment, size);
    return *memory || size == 0 ? 0 : ENOMEM;
}

typedef int execution(const void *primitive, void *stream, int count, const void *arguments);

// Stands in for oneDNN's.
int dnnl_primitive_execute(const void *primitive, void *stream, int number, const void *arguments);

int dnnl_primitive_execute(const void *primitive, void *stream, int number, const void *arguments) {
    static execution *original;
    if (!original) original = (execution *)dlsym(RTLD_NEXT, "dnnl_primitive_execute");
    atomic_fetch_add(&executing, 1);
    const int status = original(primitive, stream, number, arguments);
    atomic_fetch_sub(&executing, 1);
    return status;
}

#else

bool allocation_counter_is_available(void) { return false; }
long allocation_counter_value(void) { return 0; }
long allocation_counter_bytes(void) { return 0; }

#endif
