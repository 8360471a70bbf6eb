// The library itself: its engine, the threads' streams, version and settings.
#include "internal.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static dnnl_engine_t engine;
static dnnl_status_t engine_status;
static pthread_key_t stream_key;
static bool has_stream_key;

/// Runs when a thread ends.
static void destroy_stream(void *stream) { dnnl_stream_destroy(stream); }

static void start(void) {
    has_stream_key = pthread_key_create(&stream_key, destroy_stream) == 0;
    engine_status = dnnl_runtime_error;
    if (dnnl_version()->major == DNNL_VERSION_MAJOR) engine_status = dnnl_engine_create(&engine, dnnl_cpu, 0);
}

dnnl_engine_t espalier_engine(void) {
    pthread_once(&once, start);
    if (engine_status == dnnl_success) return engine;
    const dnnl_version_t *version = dnnl_version();
    if (version->major != DNNL_VERSION_MAJOR) {
        espalier_fail(ESPALIER_DNN_FAILED,
            "built for oneDNN %d, but the system loads version %d.%d: rebuild with the installed headers",
            DNNL_VERSION_MAJOR, version->major, version->minor);
    } else {
        espalier_fail(espalier_status_of(engine_status), "oneDNN has no CPU engine (%s)",
            espalier_status_name(engine_status));
    }
    return NULL;
}

dnnl_stream_t espalier_stream(void) {
    static _Thread_local dnnl_stream_t stream;
    if (stream) return stream;
    dnnl_engine_t cpu = espalier_engine();
    if (!cpu) return NULL;
    dnnl_status_t status = dnnl_stream_create(&stream, cpu, dnnl_stream_default_flags);
    if (status != dnnl_success) {
        stream = NULL;
        espalier_fail(espalier_status_of(status), "oneDNN gave no stream (%s)", espalier_status_name(status));
        return NULL;
    }
    if (has_stream_key) pthread_setspecific(stream_key, stream);
    return stream;
}

espalier_dnn_version espalier_dnn_library_version(void) {
    const dnnl_version_t *version = dnnl_version();
    return (espalier_dnn_version){version->major, version->minor, version->patch};
}

const char *espalier_dnn_instruction_set(void) {
    return espalier_instruction_set_name((int)dnnl_get_effective_cpu_isa());
}

bool espalier_dnn_has_native_bfloat16(void) {
    // Instruction sets are bits, of which wider ones have all that narrower ones have.
    const int native = dnnl_cpu_isa_avx512_core_bf16;
    return ((int)dnnl_get_effective_cpu_isa() & native) == native;
}

int espalier_dnn_primitive_cache_capacity(void) {
    int capacity = -1;
    if (dnnl_get_primitive_cache_capacity(&capacity) != dnnl_success) return -1;
    return capacity;
}

espalier_dnn_status espalier_dnn_set_primitive_cache_capacity(int capacity) {
    dnnl_status_t status = dnnl_set_primitive_cache_capacity(capacity);
    if (status == dnnl_success) return ESPALIER_DNN_SUCCESS;
    return espalier_fail(
        espalier_status_of(status), "oneDNN refused a primitive cache of %d entries", capacity);
}
