// oneDNN 3: memory descriptors are opaque, and a primitive descriptor is made in one step.
#include "version.h"

#if DNNL_VERSION_MAJOR >= 3

// MARK: Memory descriptors

/// Gives a created descriptor out as a read-only one.
static dnnl_status_t md_keep(md_t *result, dnnl_memory_desc_t created, dnnl_status_t status) {
    if (status == dnnl_success) *result = created;
    return status;
}

dnnl_status_t espalier_md_strided(
    md_t *result, dnnl_data_type_t type, int rank, const int64_t *extents, const int64_t *strides) {
    dnnl_memory_desc_t created = NULL;
    dnnl_status_t status = dnnl_memory_desc_create_with_strides(&created, rank, extents, type, strides);
    return md_keep(result, created, status);
}

dnnl_status_t espalier_md_any(md_t *result, dnnl_data_type_t type, int rank, const int64_t *extents) {
    dnnl_memory_desc_t created = NULL;
    dnnl_status_t status =
        dnnl_memory_desc_create_with_tag(&created, rank, extents, type, dnnl_format_tag_any);
    return md_keep(result, created, status);
}

dnnl_status_t espalier_md_clone(md_t *result, md_t original) {
    dnnl_memory_desc_t created = NULL;
    dnnl_status_t status = dnnl_memory_desc_clone(&created, original);
    return md_keep(result, created, status);
}

dnnl_status_t espalier_md_reshape(md_t *result, md_t original, int rank, const int64_t *extents) {
    dnnl_memory_desc_t created = NULL;
    dnnl_status_t status = dnnl_memory_desc_reshape(&created, original, rank, extents);
    return md_keep(result, created, status);
}

dnnl_status_t espalier_md_permute(md_t *result, md_t original, const int *permutation) {
    dnnl_memory_desc_t created = NULL;
    dnnl_status_t status = dnnl_memory_desc_permute_axes(&created, original, permutation);
    return md_keep(result, created, status);
}

dnnl_status_t espalier_md_region(
    md_t *result, md_t original, const int64_t *extents, const int64_t *offsets) {
    dnnl_memory_desc_t created = NULL;
    dnnl_status_t status = dnnl_memory_desc_create_submemory(&created, original, extents, offsets);
    return md_keep(result, created, status);
}

void espalier_md_destroy(md_t descriptor) {
    if (descriptor) dnnl_memory_desc_destroy((dnnl_memory_desc_t)descriptor);
}

int espalier_md_rank(md_t descriptor) {
    int rank = 0;
    if (!descriptor || dnnl_memory_desc_query(descriptor, dnnl_query_ndims_s32, &rank) != dnnl_success)
        return 0;
    return rank;
}

/// Copies a vector that belongs to the descriptor.
static bool query_vector(md_t descriptor, dnnl_query_t what, int count, int64_t *values) {
    const dnnl_dims_t *vector = NULL;
    if (dnnl_memory_desc_query(descriptor, what, &vector) != dnnl_success || !vector) return false;
    for (int each = 0; each < count; each++) values[each] = (*vector)[each];
    return true;
}

void espalier_md_describe(md_t descriptor, md_description *description) {
    *description = (md_description){.rank = espalier_md_rank(descriptor)};
    dnnl_format_kind_t format = dnnl_format_kind_undef;
    dnnl_dims_t padded_offsets = {0};
    const int rank = description->rank;
    dnnl_memory_desc_query(descriptor, dnnl_query_format_kind, &format);
    dnnl_memory_desc_query(descriptor, dnnl_query_data_type, &description->type);
    dnnl_memory_desc_query(descriptor, dnnl_query_submemory_offset_s64, &description->offset);
    query_vector(descriptor, dnnl_query_dims, rank, description->extents);
    query_vector(descriptor, dnnl_query_padded_dims, rank, description->padded_extents);
    query_vector(descriptor, dnnl_query_padded_offsets, rank, padded_offsets);
    int blocks = 0;
    // Blocked weights with a compensation buffer do not occur in floating point.
    description->blocked =
        format == dnnl_blocked && query_vector(descriptor, dnnl_query_strides, rank, description->strides) &&
        dnnl_memory_desc_query(descriptor, dnnl_query_inner_nblks_s32, &blocks) == dnnl_success &&
        query_vector(descriptor, dnnl_query_inner_blks, blocks, description->block_extents) &&
        query_vector(descriptor, dnnl_query_inner_idxs, blocks, description->block_axes);
    description->block_count = blocks;
    for (int axis = 0; axis < rank; axis++) {
        if (padded_offsets[axis] != 0) description->blocked = false;
    }
}

// MARK: Attributes

dnnl_status_t espalier_attributes_set_deterministic(dnnl_primitive_attr_t attributes) {
#if DNNL_VERSION_MINOR >= 4
    return dnnl_primitive_attr_set_deterministic(attributes, 1);
#else
    (void)attributes;
    return dnnl_success;
#endif
}

dnnl_status_t espalier_post_ops_append_sum(dnnl_post_ops_t operations, float scale) {
    return dnnl_post_ops_append_sum(operations, scale, 0, dnnl_data_type_undef);
}

dnnl_status_t espalier_post_ops_append_eltwise(
    dnnl_post_ops_t operations, dnnl_alg_kind_t algorithm, float alpha, float beta) {
    return dnnl_post_ops_append_eltwise(operations, algorithm, alpha, beta);
}

bool espalier_recent_eltwise(
    espalier_dnn_eltwise_kind kind, float alpha, float beta, dnnl_alg_kind_t *algorithm) {
    (void)alpha;
    (void)beta;
    switch (kind) {
    case ESPALIER_DNN_HARD_SWISH: *algorithm = dnnl_eltwise_hardswish; return true;
    case ESPALIER_DNN_HARD_SIGMOID: *algorithm = dnnl_eltwise_hardsigmoid; return true;
    default: return false;
    }
}

const char *espalier_instruction_set_name(int instruction_set) {
    // By number: the names grew from one minor version to the next.
    switch (instruction_set) {
    case 0x0: return "default";
    case 0x1: return "sse41";
    case 0x3: return "avx";
    case 0x7: return "avx2";
    case 0xf: return "avx2_vnni";
    case 0x1f: return "avx2_vnni_2";
    case 0x27: return "avx512_core";
    case 0x67: return "avx512_core_vnni";
    case 0xe7: return "avx512_core_bf16";
    case 0x1ef: return "avx10_1_512";
    case 0xfef: return "avx10_1_512_amx";
    case 0x1fef: return "avx10_1_512_amx_fp16";
    default: return "other";
    }
}

// MARK: Primitive descriptors

dnnl_status_t espalier_pd_convolution(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const windowed_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    switch (p->direction) {
    case dnnl_backward_data:
        return dnnl_convolution_backward_data_primitive_desc_create(result, engine, p->algorithm, p->source,
            p->weights, p->destination, p->strides, p->dilations, p->padding_begin, p->padding_end, forward,
            attributes);
    case dnnl_backward_weights:
        return dnnl_convolution_backward_weights_primitive_desc_create(result, engine, p->algorithm,
            p->source, p->weights, p->bias, p->destination, p->strides, p->dilations, p->padding_begin,
            p->padding_end, forward, attributes);
    default:
        return dnnl_convolution_forward_primitive_desc_create(result, engine, p->direction, p->algorithm,
            p->source, p->weights, p->bias, p->destination, p->strides, p->dilations, p->padding_begin,
            p->padding_end, attributes);
    }
}

dnnl_status_t espalier_pd_pooling(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const windowed_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    if (p->direction == dnnl_backward_data) {
        return dnnl_pooling_backward_primitive_desc_create(result, engine, p->algorithm, p->source,
            p->destination, p->strides, p->kernel, p->dilations, p->padding_begin, p->padding_end, forward,
            attributes);
    }
    return dnnl_pooling_forward_primitive_desc_create(result, engine, p->direction, p->algorithm, p->source,
        p->destination, p->strides, p->kernel, p->dilations, p->padding_begin, p->padding_end, attributes);
}

dnnl_status_t espalier_pd_inner_product(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const windowed_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    switch (p->direction) {
    case dnnl_backward_data:
        return dnnl_inner_product_backward_data_primitive_desc_create(
            result, engine, p->source, p->weights, p->destination, forward, attributes);
    case dnnl_backward_weights:
        return dnnl_inner_product_backward_weights_primitive_desc_create(
            result, engine, p->source, p->weights, p->bias, p->destination, forward, attributes);
    default:
        return dnnl_inner_product_forward_primitive_desc_create(
            result, engine, p->direction, p->source, p->weights, p->bias, p->destination, attributes);
    }
}

dnnl_status_t espalier_pd_matmul(dnnl_primitive_desc_t *result, dnnl_engine_t engine, md_t source,
    md_t weights, md_t bias, md_t destination, dnnl_primitive_attr_t attributes) {
    return dnnl_matmul_primitive_desc_create(result, engine, source, weights, bias, destination, attributes);
}

dnnl_status_t espalier_pd_eltwise(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    if (p->direction == dnnl_backward_data) {
        return dnnl_eltwise_backward_primitive_desc_create(result, engine, p->algorithm, p->source,
            p->destination, p->data, p->alpha, p->beta, forward, attributes);
    }
    return dnnl_eltwise_forward_primitive_desc_create(
        result, engine, p->direction, p->algorithm, p->source, p->destination, p->alpha, p->beta, attributes);
}

dnnl_status_t espalier_pd_softmax(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    if (p->direction == dnnl_backward_data) {
        return dnnl_softmax_backward_primitive_desc_create(
            result, engine, p->algorithm, p->source, p->destination, p->data, p->axis, forward, attributes);
    }
    return dnnl_softmax_forward_primitive_desc_create(
        result, engine, p->direction, p->algorithm, p->source, p->destination, p->axis, attributes);
}

dnnl_status_t espalier_pd_batch_normalization(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    if (forward) {
        return dnnl_batch_normalization_backward_primitive_desc_create(result, engine, p->direction,
            p->source, p->destination, p->data, p->epsilon, p->flags, forward, attributes);
    }
    return dnnl_batch_normalization_forward_primitive_desc_create(
        result, engine, p->direction, p->source, p->destination, p->epsilon, p->flags, attributes);
}

dnnl_status_t espalier_pd_layer_normalization(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    if (forward) {
        return dnnl_layer_normalization_backward_primitive_desc_create(result, engine, p->direction,
            p->source, p->destination, p->data, p->statistics, p->epsilon, p->flags, forward, attributes);
    }
    return dnnl_layer_normalization_forward_primitive_desc_create(result, engine, p->direction, p->source,
        p->destination, p->statistics, p->epsilon, p->flags, attributes);
}

dnnl_status_t espalier_pd_reduction(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *p, dnnl_primitive_attr_t attributes) {
    return dnnl_reduction_primitive_desc_create(
        result, engine, p->algorithm, p->source, p->destination, 0, 0, attributes);
}

dnnl_status_t espalier_pd_binary(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    dnnl_alg_kind_t algorithm, md_t left, md_t right, md_t destination, dnnl_primitive_attr_t attributes) {
    return dnnl_binary_primitive_desc_create(result, engine, algorithm, left, right, destination, attributes);
}

dnnl_status_t espalier_pd_concatenation(dnnl_primitive_desc_t *result, dnnl_engine_t engine, md_t destination,
    int count, int axis, const md_t *sources, dnnl_primitive_attr_t attributes) {
    return dnnl_concat_primitive_desc_create(result, engine, destination, count, axis, sources, attributes);
}

dnnl_status_t espalier_pd_sum(dnnl_primitive_desc_t *result, dnnl_engine_t engine, md_t destination,
    int count, const float *scales, const md_t *sources, dnnl_primitive_attr_t attributes) {
    return dnnl_sum_primitive_desc_create(result, engine, destination, count, scales, sources, attributes);
}

dnnl_status_t espalier_pd_reorder(dnnl_primitive_desc_t *result, dnnl_engine_t engine, md_t source,
    md_t destination, dnnl_primitive_attr_t attributes) {
    return dnnl_reorder_primitive_desc_create(result, source, engine, destination, engine, attributes);
}

#endif
