// What the files of this target share.
#ifndef ESPALIER_DNN_INTERNAL_H
#define ESPALIER_DNN_INTERNAL_H

#include "version.h"

// MARK: Failures

/// Records a failure of oneDNN and its message for the calling thread.
espalier_dnn_status espalier_fail(espalier_dnn_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

espalier_dnn_status espalier_status_of(dnnl_status_t status);
const char *espalier_status_name(dnnl_status_t status);

// MARK: The engine

/// The CPU engine, made at first use; NULL (after `espalier_fail`) if there is none or the library does not
/// match the headers.
dnnl_engine_t espalier_engine(void);

/// The calling thread's stream; NULL after `espalier_fail`.
dnnl_stream_t espalier_stream(void);

// MARK: Layouts

/// A layout object that owns `descriptor`; destroys it on failure.
espalier_dnn_layout *espalier_layout_adopt(md_t descriptor);
md_t espalier_layout_descriptor(const espalier_dnn_layout *layout);

/// The operand's descriptor, with `*owned` set if the caller has to destroy it; NULL if absent.
typedef struct {
    md_t descriptor;
    md_t owned;
} espalier_operand_descriptor;

dnnl_status_t espalier_operand_open(espalier_operand_descriptor *result, const espalier_dnn_operand *operand);
void espalier_operand_close(espalier_operand_descriptor *operand);
bool espalier_operand_present(const espalier_dnn_operand *operand);

/// Writes the operand as `3x8x5 (any)`, for messages.
void espalier_operand_describe(const espalier_dnn_operand *operand, char *text, size_t size);

// MARK: Making primitives

enum { ARGUMENTS_END = -1, ARGUMENT_ABSENT = -2 };

/// A primitive in the making: its attributes, operands and what to say if it fails.
typedef struct {
    const char *kind;
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status;
    /// What failed, if not the primitive descriptor.
    const char *reason;
    /// Whether `espalier_fail` was called already.
    bool is_reported;
    int operand_count;
    struct {
        const char *name;
        espalier_dnn_operand operand;
        espalier_operand_descriptor opened;
    } operands[4 + ESPALIER_DNN_MAXIMUM_POST_OPS];
    /// oneDNN's number of an argument that is bound to zeros behind the scenes if the version in use counts
    /// one argument more than callers know of; 0 for none.
    int placeholder;
    int post_operand_count;
    int post_operands[ESPALIER_DNN_MAXIMUM_POST_OPS];
} espalier_builder;

/// Starts; `kind` names the primitive in messages.
void espalier_builder_begin(espalier_builder *builder, const char *kind);

/// The operand's descriptor, or NULL if it is absent or the builder has failed.
md_t espalier_builder_operand(
    espalier_builder *builder, const char *name, const espalier_dnn_operand *operand);

/// As above; an absent operand is a failure.
md_t espalier_builder_required(
    espalier_builder *builder, const char *name, const espalier_dnn_operand *operand);

/// Appends the fused operations; `destination` gives the extents of operands without their own.
void espalier_builder_post_ops(espalier_builder *builder, const espalier_dnn_post_ops *operations,
    const espalier_dnn_operand *destination);

/// Marks it as failed.
void espalier_builder_refuse(espalier_builder *builder, dnnl_status_t status, const char *reason);

static inline bool espalier_builder_ready(const espalier_builder *builder) {
    return builder->status == dnnl_success;
}

/// Compiles the primitive that `descriptor` (consumed) describes, or reports the failure; frees the builder's
/// parts. `arguments` ends with ARGUMENTS_END; those that the primitive does not have are left out.
espalier_dnn_primitive *espalier_builder_finish(
    espalier_builder *builder, dnnl_primitive_desc_t descriptor, const int *arguments);

/// The descriptor of a forward primitive, as a hint; NULL for NULL.
const_dnnl_primitive_desc_t espalier_forward_hint(const espalier_dnn_primitive *forward);

// MARK: Algorithms

/// False if this version of oneDNN has no such function.
bool espalier_eltwise_algorithm(espalier_dnn_eltwise_kind kind, bool uses_destination, float alpha,
    float beta, dnnl_alg_kind_t *algorithm);
dnnl_alg_kind_t espalier_binary_algorithm(espalier_dnn_binary_kind kind);

#endif
