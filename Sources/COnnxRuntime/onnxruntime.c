// The few functions of ONNX Runtime's C interface that a measurement needs.
//
// The interface is one table of functions, to which versions only append: a function's place in it is fixed for good.
// So places are all that is declared here; objects are pointers to nothing known.
#define _GNU_SOURCE
#include "include/espalier_onnxruntime.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *status;
typedef void (*slot)(void);

// Places in the table.
enum {
    GET_ERROR_MESSAGE = 2,
    CREATE_ENV = 3,
    CREATE_SESSION = 7,
    RUN = 9,
    CREATE_SESSION_OPTIONS = 10,
    SET_GRAPH_OPTIMIZATION_LEVEL = 23,
    SET_INTRA_OP_THREADS = 24,
    SET_INTER_OP_THREADS = 25,
    SESSION_INPUT_COUNT = 30,
    SESSION_OUTPUT_COUNT = 31,
    SESSION_INPUT_NAME = 36,
    SESSION_OUTPUT_NAME = 37,
    CREATE_TENSOR_WITH_DATA = 49,
    IS_TENSOR = 50,
    TENSOR_DATA = 51,
    TENSOR_ELEMENT_TYPE = 60,
    DIMENSION_COUNT = 61,
    DIMENSIONS = 62,
    TENSOR_TYPE_AND_SHAPE = 65,
    CREATE_CPU_MEMORY_INFO = 69,
    ALLOCATOR_FREE = 76,
    DEFAULT_ALLOCATOR = 78,
    RELEASE_ENV = 92,
    RELEASE_STATUS = 93,
    RELEASE_MEMORY_INFO = 94,
    RELEASE_SESSION = 95,
    RELEASE_VALUE = 96,
    RELEASE_TENSOR_TYPE_AND_SHAPE = 99,
    RELEASE_SESSION_OPTIONS = 100,
    // Since version 5 of the interface.
    ADD_SESSION_CONFIG_ENTRY = 130,
};

enum {
    // Of the interface that is asked for: library 1.8 (2021) and later.
    INTERFACE_VERSION = 8,
    LOG_FATAL_ONLY = 4,
    OPTIMIZE_ALL = 99,
    DEVICE_ALLOCATOR = 0,
    DEFAULT_MEMORY = 0,
};

typedef struct {
    const slot *(*get_api)(uint32_t version);
    const char *(*version)(void);
} api_base;

struct espalier_ort {
    const slot *api;
    const char *version;
    void *environment;
};

struct espalier_ort_session {
    const slot *api;
    void *session;
    void *memory_info;
    size_t input_count, output_count;
    char **input_names, **output_names;
    void **inputs, **outputs;
};

/// Calls the function at `place` of a table as one that returns a status.
#define CALL(api, place, types, ...) (((status(*) types)(api)[place])(__VA_ARGS__))

static void release(const slot *api, int place, void *object) {
    if (object) ((void (*)(void *))api[place])(object);
}

static void tell(const char *text, char *message, size_t capacity) { snprintf(message, capacity, "%s", text); }

/// Whether a call succeeded; writes its message if not.
static bool succeeded(const slot *api, status result, char *message, size_t capacity) {
    if (!result) return true;
    tell(((const char *(*)(const void *))api[GET_ERROR_MESSAGE])(result), message, capacity);
    release(api, RELEASE_STATUS, result);
    return false;
}

// MARK: Library

espalier_ort *espalier_ort_open(const char *path, char *message, size_t capacity) {
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *reason = dlerror();
        tell(reason ? reason : "it cannot be loaded", message, capacity);
        return NULL;
    }
    const api_base *(*get_base)(void);
    // Object and function pointers differ in ISO C; POSIX wants this way around it.
    *(void **)&get_base = dlsym(handle, "OrtGetApiBase");
    if (!get_base) {
        tell("it is no ONNX Runtime: it has no OrtGetApiBase", message, capacity);
        dlclose(handle);
        return NULL;
    }
    const api_base *base = get_base();
    const slot *api = base ? base->get_api(INTERFACE_VERSION) : NULL;
    if (!api) {
        snprintf(
            message, capacity, "version %s does not have version %d of the interface; 1.8 or newer is needed",
            base ? base->version() : "?", INTERFACE_VERSION);
        return NULL;
    }
    espalier_ort *library = calloc(1, sizeof *library);
    if (!library) {
        tell("out of memory", message, capacity);
        return NULL;
    }
    library->api = api;
    library->version = base->version();
    status result = CALL(
        api, CREATE_ENV, (int, const char *, void **), LOG_FATAL_ONLY, "espalier", &library->environment);
    if (!succeeded(api, result, message, capacity)) {
        free(library);
        return NULL;
    }
    return library;
}

void espalier_ort_close(espalier_ort *library) {
    if (!library) return;
    // The library itself stays: unloading it under threads that it started is not safe.
    release(library->api, RELEASE_ENV, library->environment);
    free(library);
}

const char *espalier_ort_version(const espalier_ort *library) { return library->version; }

// MARK: Session

/// Null-terminated copies of the names of all inputs or outputs.
static bool read_names(
    const espalier_ort_session *session, int place, size_t count, char **names, char *message, size_t capacity) {
    void *allocator = NULL;
    status result = CALL(session->api, DEFAULT_ALLOCATOR, (void **), &allocator);
    if (!succeeded(session->api, result, message, capacity)) return false;
    for (size_t index = 0; index < count; ++index) {
        char *name = NULL;
        result = CALL(
            session->api, place, (const void *, size_t, void *, char **), session->session, index, allocator,
            &name);
        if (!succeeded(session->api, result, message, capacity)) return false;
        names[index] = strdup(name);
        result = CALL(session->api, ALLOCATOR_FREE, (void *, void *), allocator, name);
        if (!succeeded(session->api, result, message, capacity)) return false;
        if (!names[index]) {
            tell("out of memory", message, capacity);
            return false;
        }
    }
    return true;
}

static bool read_interface(espalier_ort_session *session, char *message, size_t capacity) {
    const slot *api = session->api;
    status result =
        CALL(api, SESSION_INPUT_COUNT, (const void *, size_t *), session->session, &session->input_count);
    if (!succeeded(api, result, message, capacity)) return false;
    result = CALL(api, SESSION_OUTPUT_COUNT, (const void *, size_t *), session->session, &session->output_count);
    if (!succeeded(api, result, message, capacity)) return false;
    // One more, since there may be none.
    session->input_names = calloc(session->input_count + 1, sizeof(char *));
    session->output_names = calloc(session->output_count + 1, sizeof(char *));
    session->inputs = calloc(session->input_count + 1, sizeof(void *));
    session->outputs = calloc(session->output_count + 1, sizeof(void *));
    if (!session->input_names || !session->output_names || !session->inputs || !session->outputs) {
        tell("out of memory", message, capacity);
        return false;
    }
    return read_names(
               session, SESSION_INPUT_NAME, session->input_count, session->input_names, message, capacity) &&
           read_names(
               session, SESSION_OUTPUT_NAME, session->output_count, session->output_names, message, capacity);
}

static bool set_options(const slot *api, void *options, int threads, char *message, size_t capacity) {
    status result = CALL(api, SET_GRAPH_OPTIMIZATION_LEVEL, (void *, int), options, OPTIMIZE_ALL);
    if (!succeeded(api, result, message, capacity)) return false;
    result = CALL(api, SET_INTRA_OP_THREADS, (void *, int), options, threads);
    if (!succeeded(api, result, message, capacity)) return false;
    result = CALL(api, SET_INTER_OP_THREADS, (void *, int), options, 1);
    if (!succeeded(api, result, message, capacity)) return false;
    // As our own lanes have it.
    result = CALL(
        api, ADD_SESSION_CONFIG_ENTRY, (void *, const char *, const char *), options,
        "session.set_denormal_as_zero", "1");
    return succeeded(api, result, message, capacity);
}

espalier_ort_session *espalier_ort_session_create(
    const espalier_ort *library, const char *model, int threads, char *message, size_t capacity) {
    const slot *api = library->api;
    espalier_ort_session *session = calloc(1, sizeof *session);
    if (!session) {
        tell("out of memory", message, capacity);
        return NULL;
    }
    session->api = api;
    void *options = NULL;
    status result = CALL(api, CREATE_SESSION_OPTIONS, (void **), &options);
    bool made = succeeded(api, result, message, capacity) &&
                set_options(api, options, threads, message, capacity);
    if (made) {
        result = CALL(
            api, CREATE_SESSION, (const void *, const char *, const void *, void **), library->environment,
            model, options, &session->session);
        made = succeeded(api, result, message, capacity);
    }
    release(api, RELEASE_SESSION_OPTIONS, options);
    if (made) {
        result = CALL(
            api, CREATE_CPU_MEMORY_INFO, (int, int, void **), DEVICE_ALLOCATOR, DEFAULT_MEMORY,
            &session->memory_info);
        made = succeeded(api, result, message, capacity) && read_interface(session, message, capacity);
    }
    if (made) return session;
    espalier_ort_session_destroy(session);
    return NULL;
}

void espalier_ort_session_destroy(espalier_ort_session *session) {
    if (!session) return;
    for (size_t index = 0; index < session->input_count; ++index) {
        if (session->input_names) free(session->input_names[index]);
        if (session->inputs) release(session->api, RELEASE_VALUE, session->inputs[index]);
    }
    for (size_t index = 0; index < session->output_count; ++index) {
        if (session->output_names) free(session->output_names[index]);
        if (session->outputs) release(session->api, RELEASE_VALUE, session->outputs[index]);
    }
    free(session->input_names);
    free(session->output_names);
    free(session->inputs);
    free(session->outputs);
    release(session->api, RELEASE_MEMORY_INFO, session->memory_info);
    release(session->api, RELEASE_SESSION, session->session);
    free(session);
}

size_t espalier_ort_input_count(const espalier_ort_session *session) { return session->input_count; }

const char *espalier_ort_input_name(const espalier_ort_session *session, size_t index) {
    return session->input_names[index];
}

size_t espalier_ort_output_count(const espalier_ort_session *session) { return session->output_count; }

const char *espalier_ort_output_name(const espalier_ort_session *session, size_t index) {
    return session->output_names[index];
}

// MARK: Running

bool espalier_ort_set_input(
    espalier_ort_session *session, size_t index, int type, const int64_t *extents, size_t rank, void *data,
    size_t byte_count, char *message, size_t capacity) {
    void *value = NULL;
    status result = CALL(
        session->api, CREATE_TENSOR_WITH_DATA,
        (const void *, void *, size_t, const int64_t *, size_t, int, void **), session->memory_info, data,
        byte_count, extents, rank, type, &value);
    if (!succeeded(session->api, result, message, capacity)) return false;
    release(session->api, RELEASE_VALUE, session->inputs[index]);
    session->inputs[index] = value;
    return true;
}

bool espalier_ort_run(espalier_ort_session *session, char *message, size_t capacity) {
    for (size_t index = 0; index < session->input_count; ++index) {
        if (session->inputs[index]) continue;
        snprintf(message, capacity, "input '%s' was not given", session->input_names[index]);
        return false;
    }
    status result = CALL(
        session->api, RUN,
        (void *, const void *, const char *const *, void *const *, size_t, const char *const *, size_t, void **),
        session->session, NULL, (const char *const *)session->input_names, session->inputs,
        session->input_count, (const char *const *)session->output_names, session->output_count,
        session->outputs);
    return succeeded(session->api, result, message, capacity);
}

/// Type and extents of a tensor, from the object that tells them.
static bool read_shape(
    const slot *api, const void *shape, int *type, int64_t *extents, size_t *rank, char *message,
    size_t capacity) {
    status result = CALL(api, TENSOR_ELEMENT_TYPE, (const void *, int *), shape, type);
    if (!succeeded(api, result, message, capacity)) return false;
    size_t count = 0;
    result = CALL(api, DIMENSION_COUNT, (const void *, size_t *), shape, &count);
    if (!succeeded(api, result, message, capacity)) return false;
    if (count > *rank) {
        snprintf(message, capacity, "an output has %zu axes", count);
        return false;
    }
    *rank = count;
    result = CALL(api, DIMENSIONS, (const void *, int64_t *, size_t), shape, extents, count);
    return succeeded(api, result, message, capacity);
}

bool espalier_ort_output(
    espalier_ort_session *session, size_t index, int *type, int64_t *extents, size_t *rank, const void **data,
    char *message, size_t capacity) {
    const slot *api = session->api;
    void *value = session->outputs[index];
    int is_tensor = 0;
    if (value) {
        status result = CALL(api, IS_TENSOR, (const void *, int *), value, &is_tensor);
        if (!succeeded(api, result, message, capacity)) return false;
    }
    if (!is_tensor) {
        snprintf(message, capacity, "output '%s' is no tensor", session->output_names[index]);
        return false;
    }
    void *shape = NULL;
    status result = CALL(api, TENSOR_TYPE_AND_SHAPE, (const void *, void **), value, &shape);
    if (!succeeded(api, result, message, capacity)) return false;
    const bool is_read = read_shape(api, shape, type, extents, rank, message, capacity);
    release(api, RELEASE_TENSOR_TYPE_AND_SHAPE, shape);
    if (!is_read) return false;
    void *content = NULL;
    result = CALL(api, TENSOR_DATA, (void *, void **), value, &content);
    *data = content;
    return succeeded(api, result, message, capacity);
}
