/// ONNX Runtime as a peer to be measured against, through a library that is found when the program runs: nothing of it is
/// needed to build, and its headers are seen nowhere.
///
/// A function that can fail returns NULL or false and writes one sentence to `message`, which has room for `capacity`
/// bytes. Nothing here is safe for use by several threads at once.
#ifndef ESPALIER_ONNXRUNTIME_H
#define ESPALIER_ONNXRUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The library and its environment.
typedef struct espalier_ort espalier_ort;
/// One model, ready to run.
typedef struct espalier_ort_session espalier_ort_session;

/// Loads the library at `path`, which stays in the process even when this is closed.
espalier_ort *espalier_ort_open(const char *path, char *message, size_t capacity);
void espalier_ort_close(espalier_ort *library);
/// Such as "1.32.0".
const char *espalier_ort_version(const espalier_ort *library);

/// Reads a model, with all optimisations that the library has. Must not outlive `library`.
espalier_ort_session *espalier_ort_session_create(
    const espalier_ort *library, const char *model, int threads, char *message, size_t capacity);
void espalier_ort_session_destroy(espalier_ort_session *session);

size_t espalier_ort_input_count(const espalier_ort_session *session);
const char *espalier_ort_input_name(const espalier_ort_session *session, size_t index);
size_t espalier_ort_output_count(const espalier_ort_session *session);
const char *espalier_ort_output_name(const espalier_ort_session *session, size_t index);

/// Binds an input to memory of the caller's, which must stay where it is. `type` is ONNX's number of the element type.
bool espalier_ort_set_input(
    espalier_ort_session *session, size_t index, int type, const int64_t *extents, size_t rank, void *data,
    size_t byte_count, char *message, size_t capacity);

/// Computes all outputs from the inputs, each of which must have been set. Outputs lie in memory that the first run makes and
/// later ones write again.
bool espalier_ort_run(espalier_ort_session *session, char *message, size_t capacity);

/// An output of the last run. `extents` has room for `*rank`, which becomes the number of axes; an output with more is an
/// error, as is one that is no tensor of numbers.
bool espalier_ort_output(
    espalier_ort_session *session, size_t index, int *type, int64_t *extents, size_t *rank, const void **data,
    char *message, size_t capacity);

#endif
