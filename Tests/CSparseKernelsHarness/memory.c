#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "harness.h"

#if !__has_feature(address_sanitizer)
#include <sys/mman.h>
#include <unistd.h>
#endif

enum { BUFFERS = 32, ALIGNMENT = 64, AROUND = 0xa5, WITHIN = 0xff };

typedef struct {
    char *mapped;
    // Without the page that may not be touched.
    size_t mapped_bytes;
    char *start;
    size_t bytes;
} buffer;

static buffer buffers[BUFFERS];
static size_t count;

#if __has_feature(address_sanitizer)

static buffer make_buffer(size_t bytes, size_t alignment) {
    void *start = NULL;
    if (posix_memalign(&start, alignment < sizeof(void *) ? sizeof(void *) : alignment, bytes) != 0) abort();
    return (buffer){.start = start, .bytes = bytes};
}

static void unmake_buffer(const buffer *buffer) { free(buffer->start); }

#else

// Ends as near to the forbidden page as its alignment allows.
static buffer make_buffer(size_t bytes, size_t alignment) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t pages = (bytes + alignment + page - 1) / page;
    char *mapped = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (mapped == MAP_FAILED || mprotect(mapped + pages * page, page, PROT_NONE) != 0) abort();
    memset(mapped, AROUND, pages * page);
    return (buffer){
        .mapped = mapped,
        .mapped_bytes = pages * page,
        .start = mapped + (pages * page - bytes) / alignment * alignment,
        .bytes = bytes,
    };
}

static void unmake_buffer(const buffer *buffer) {
    munmap(buffer->mapped, buffer->mapped_bytes + (size_t)sysconf(_SC_PAGESIZE));
}

#endif

static bool is_untouched(const char *bytes, const char *end) {
    for (; bytes < end; ++bytes) {
        if ((unsigned char)*bytes != AROUND) return false;
    }
    return true;
}

static void *allocate(size_t bytes, size_t alignment) {
    if (count == BUFFERS) abort();
    buffer *made = &buffers[count++];
    *made = make_buffer(bytes, alignment);
    memset(made->start, WITHIN, bytes);
    return made->start;
}

bool release_memory(void) {
    bool untouched = true;
    for (; count > 0; --count) {
        const buffer *each = &buffers[count - 1];
        if (each->mapped) {
            untouched &= is_untouched(each->mapped, each->start) &&
                         is_untouched(each->start + each->bytes, each->mapped + each->mapped_bytes);
        }
        unmake_buffer(each);
    }
    return untouched;
}

void *allocate_bytes(size_t bytes) { return allocate(bytes, ALIGNMENT); }
float *allocate_floats(size_t floats) { return allocate(floats * sizeof(float), sizeof(float)); }
double *allocate_doubles(size_t doubles) { return allocate(doubles * sizeof(double), sizeof(double)); }

float *random_floats(size_t floats) {
    float *values = allocate_floats(floats);
    for (size_t i = 0; i < floats; ++i) values[i] = random_float();
    return values;
}

void *copy_bytes(const void *bytes, size_t size) {
    void *copy = allocate_bytes(size);
    memcpy(copy, bytes, size);
    return copy;
}
