// The one place where oneDNN's versions differ: this interface has two implementations, version2.c and
// version3.c. It follows version 3, where a primitive descriptor is made in one step and memory descriptors
// are opaque.
#ifndef ESPALIER_DNN_INTERNAL_VERSION_H
#define ESPALIER_DNN_INTERNAL_VERSION_H

#include "include/espalier_dnn.h"

#include <dnnl.h>

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t md_t;
#else
typedef const dnnl_memory_desc_t *md_t;
#endif

// Memory descriptors. Those that are created are destroyed by espalier_md_destroy.

dnnl_status_t espalier_md_strided(
    md_t *result, dnnl_data_type_t type, int rank, const int64_t *extents, const int64_t *strides);
/// oneDNN chooses the layout.
dnnl_status_t espalier_md_any(md_t *result, dnnl_data_type_t type, int rank, const int64_t *extents);
dnnl_status_t espalier_md_clone(md_t *result, md_t original);
dnnl_status_t espalier_md_reshape(md_t *result, md_t original, int rank, const int64_t *extents);
dnnl_status_t espalier_md_permute(md_t *result, md_t original, const int *permutation);
dnnl_status_t espalier_md_region(md_t *result, md_t original, const int64_t *extents, const int64_t *offsets);
void espalier_md_destroy(md_t descriptor);

/// What a memory descriptor says, where it can be said as strides and inner blocks.
typedef struct {
    int rank;
    dnnl_dims_t extents, padded_extents, strides;
    /// In elements.
    int64_t offset;
    /// From the outermost to the innermost.
    int block_count;
    dnnl_dims_t block_extents, block_axes;
    /// False for packed formats known to oneDNN only.
    bool blocked;
    dnnl_data_type_t type;
} md_description;

int espalier_md_rank(md_t descriptor);
void espalier_md_describe(md_t descriptor, md_description *description);

// Attributes

dnnl_status_t espalier_attributes_set_deterministic(dnnl_primitive_attr_t attributes);
dnnl_status_t espalier_post_ops_append_sum(dnnl_post_ops_t operations, float scale);
dnnl_status_t espalier_post_ops_append_eltwise(
    dnnl_post_ops_t operations, dnnl_alg_kind_t algorithm, float alpha, float beta);

/// oneDNN's algorithm for the kinds of HARD_SWISH and HARD_SIGMOID, which grew with the versions; false if this version has none with these parameters.
bool espalier_recent_eltwise(
    espalier_dnn_eltwise_kind kind, float alpha, float beta, dnnl_alg_kind_t *algorithm);

/// The name of an instruction set.
const char *espalier_instruction_set_name(int instruction_set);

// Primitive descriptors. An unused operand is NULL.

typedef struct {
    dnnl_prop_kind_t direction;
    dnnl_alg_kind_t algorithm;
    /// Sources, weights or their gradients, as the direction says.
    md_t source, weights, bias, destination;
    const int64_t *kernel, *strides, *dilations, *padding_begin, *padding_end;
} windowed_parameters;

dnnl_status_t espalier_pd_convolution(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const windowed_parameters *parameters, dnnl_primitive_attr_t attributes,
    const_dnnl_primitive_desc_t forward);
dnnl_status_t espalier_pd_pooling(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const windowed_parameters *parameters, dnnl_primitive_attr_t attributes,
    const_dnnl_primitive_desc_t forward);
dnnl_status_t espalier_pd_inner_product(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const windowed_parameters *parameters, dnnl_primitive_attr_t attributes,
    const_dnnl_primitive_desc_t forward);
dnnl_status_t espalier_pd_matmul(dnnl_primitive_desc_t *result, dnnl_engine_t engine, md_t source,
    md_t weights, md_t bias, md_t destination, dnnl_primitive_attr_t attributes);

typedef struct {
    dnnl_prop_kind_t direction;
    dnnl_alg_kind_t algorithm;
    /// Forward: source and destination. Backward: `data` (what the forward pass saved), and both gradients.
    md_t source, destination, data, statistics;
    float alpha, beta, epsilon;
    unsigned flags;
    int axis;
} pointwise_parameters;

dnnl_status_t espalier_pd_eltwise(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *parameters, dnnl_primitive_attr_t attributes,
    const_dnnl_primitive_desc_t forward);
dnnl_status_t espalier_pd_softmax(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *parameters, dnnl_primitive_attr_t attributes,
    const_dnnl_primitive_desc_t forward);
dnnl_status_t espalier_pd_batch_normalization(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *parameters, dnnl_primitive_attr_t attributes,
    const_dnnl_primitive_desc_t forward);
dnnl_status_t espalier_pd_layer_normalization(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *parameters, dnnl_primitive_attr_t attributes,
    const_dnnl_primitive_desc_t forward);
dnnl_status_t espalier_pd_reduction(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *parameters, dnnl_primitive_attr_t attributes);

dnnl_status_t espalier_pd_binary(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    dnnl_alg_kind_t algorithm, md_t left, md_t right, md_t destination, dnnl_primitive_attr_t attributes);
/// `destination` may be NULL: oneDNN chooses.
dnnl_status_t espalier_pd_concatenation(dnnl_primitive_desc_t *result, dnnl_engine_t engine, md_t destination,
    int count, int axis, const md_t *sources, dnnl_primitive_attr_t attributes);
dnnl_status_t espalier_pd_sum(dnnl_primitive_desc_t *result, dnnl_engine_t engine, md_t destination,
    int count, const float *scales, const md_t *sources, dnnl_primitive_attr_t attributes);
dnnl_status_t espalier_pd_reorder(dnnl_primitive_desc_t *result, dnnl_engine_t engine, md_t source,
    md_t destination, dnnl_primitive_attr_t attributes);

#endif
