// oneDNN 2.6 and 2.7: a primitive descriptor is made from an operation descriptor, which the caller fills.
#include "version.h"

#if DNNL_VERSION_MAJOR < 3

#include <stdlib.h>

// MARK: Memory descriptors (plain structs in this version)

/// Moves a filled descriptor to the heap.
static dnnl_status_t md_keep(md_t *result, const dnnl_memory_desc_t *filled, dnnl_status_t status) {
    if (status != dnnl_success) return status;
    dnnl_memory_desc_t *kept = malloc(sizeof *kept);
    if (!kept) return dnnl_out_of_memory;
    *kept = *filled;
    *result = kept;
    return dnnl_success;
}

dnnl_status_t espalier_md_strided(
    md_t *result, dnnl_data_type_t type, int rank, const int64_t *extents, const int64_t *strides) {
    dnnl_memory_desc_t filled;
    dnnl_status_t status = dnnl_memory_desc_init_by_strides(&filled, rank, extents, type, strides);
    return md_keep(result, &filled, status);
}

dnnl_status_t espalier_md_any(md_t *result, dnnl_data_type_t type, int rank, const int64_t *extents) {
    dnnl_memory_desc_t filled;
    dnnl_status_t status =
        dnnl_memory_desc_init_by_tag(&filled, rank, extents, type, dnnl_format_tag_any);
    return md_keep(result, &filled, status);
}

dnnl_status_t espalier_md_clone(md_t *result, md_t original) {
    return md_keep(result, original, dnnl_success);
}

dnnl_status_t espalier_md_reshape(md_t *result, md_t original, int rank, const int64_t *extents) {
    dnnl_memory_desc_t filled;
    dnnl_status_t status = dnnl_memory_desc_reshape(&filled, original, rank, extents);
    return md_keep(result, &filled, status);
}

dnnl_status_t espalier_md_permute(md_t *result, md_t original, const int *permutation) {
    dnnl_memory_desc_t filled;
    dnnl_status_t status = dnnl_memory_desc_permute_axes(&filled, original, permutation);
    return md_keep(result, &filled, status);
}

dnnl_status_t espalier_md_region(
    md_t *result, md_t original, const int64_t *extents, const int64_t *offsets) {
    dnnl_memory_desc_t filled;
    dnnl_status_t status = dnnl_memory_desc_init_submemory(&filled, original, extents, offsets);
    return md_keep(result, &filled, status);
}

void espalier_md_destroy(md_t descriptor) { free((void *)descriptor); }

int espalier_md_rank(md_t descriptor) { return descriptor ? descriptor->ndims : 0; }

void espalier_md_describe(md_t descriptor, md_description *description) {
    *description = (md_description){.rank = descriptor->ndims, .offset = descriptor->offset0};
    description->blocked = descriptor->format_kind == dnnl_blocked && descriptor->extra.flags == 0;
    description->type = descriptor->data_type;
    const dnnl_blocking_desc_t *blocking = &descriptor->format_desc.blocking;
    for (int axis = 0; axis < descriptor->ndims; axis++) {
        description->extents[axis] = descriptor->dims[axis];
        description->padded_extents[axis] = descriptor->padded_dims[axis];
        description->strides[axis] = description->blocked ? blocking->strides[axis] : 0;
        if (descriptor->padded_offsets[axis] != 0) description->blocked = false;
    }
    if (!description->blocked) return;
    description->block_count = blocking->inner_nblks;
    for (int block = 0; block < blocking->inner_nblks; block++) {
        description->block_extents[block] = blocking->inner_blks[block];
        description->block_axes[block] = blocking->inner_idxs[block];
    }
}

// MARK: Attributes

/// Every implementation of this version is.
dnnl_status_t espalier_attributes_set_deterministic(dnnl_primitive_attr_t attributes) {
    (void)attributes;
    return dnnl_success;
}

dnnl_status_t espalier_post_ops_append_sum(dnnl_post_ops_t operations, float scale) {
    return dnnl_post_ops_append_sum(operations, scale);
}

dnnl_status_t espalier_post_ops_append_eltwise(
    dnnl_post_ops_t operations, dnnl_alg_kind_t algorithm, float alpha, float beta) {
    return dnnl_post_ops_append_eltwise(operations, 1, algorithm, alpha, beta);
}

bool espalier_recent_eltwise(
    espalier_dnn_eltwise_kind kind, float alpha, float beta, dnnl_alg_kind_t *algorithm) {
    // The parameters are fixed in this version.
    switch (kind) {
    case ESPALIER_DNN_HARD_SWISH:
        *algorithm = dnnl_eltwise_hardswish;
        return alpha == 1.0f / 6 && beta == 0.5f;
    default: return false;
    }
}

const char *espalier_instruction_set_name(int instruction_set) {
    switch (instruction_set) {
    case dnnl_cpu_isa_all: return "all";
    case dnnl_cpu_isa_sse41: return "sse41";
    case dnnl_cpu_isa_avx: return "avx";
    case dnnl_cpu_isa_avx2: return "avx2";
    case dnnl_cpu_isa_avx2_vnni: return "avx2_vnni";
    case dnnl_cpu_isa_avx512_core: return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni: return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16: return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx: return "avx512_core_amx";
    default: return "other";
    }
}

// MARK: Primitive descriptors

/// The second of the two steps.
static dnnl_status_t pd_finish(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const_dnnl_op_desc_t operation, dnnl_status_t status, dnnl_primitive_attr_t attributes,
    const_dnnl_primitive_desc_t forward) {
    if (status != dnnl_success) return status;
    return dnnl_primitive_desc_create(result, operation, attributes, engine, forward);
}

dnnl_status_t espalier_pd_convolution(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const windowed_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    dnnl_convolution_desc_t operation;
    dnnl_status_t status;
    switch (p->direction) {
    case dnnl_backward_data:
        status = dnnl_dilated_convolution_backward_data_desc_init(&operation, p->algorithm, p->source,
            p->weights, p->destination, p->strides, p->dilations, p->padding_begin, p->padding_end);
        break;
    case dnnl_backward_weights:
        status = dnnl_dilated_convolution_backward_weights_desc_init(&operation, p->algorithm, p->source,
            p->weights, p->bias, p->destination, p->strides, p->dilations, p->padding_begin, p->padding_end);
        break;
    default:
        status = dnnl_dilated_convolution_forward_desc_init(&operation, p->direction, p->algorithm, p->source,
            p->weights, p->bias, p->destination, p->strides, p->dilations, p->padding_begin, p->padding_end);
    }
    return pd_finish(result, engine, &operation, status, attributes, forward);
}

dnnl_status_t espalier_pd_pooling(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const windowed_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    dnnl_pooling_v2_desc_t operation;
    dnnl_status_t status =
        p->direction == dnnl_backward_data
            ? dnnl_pooling_v2_backward_desc_init(&operation, p->algorithm, p->source, p->destination,
                  p->strides, p->kernel, p->dilations, p->padding_begin, p->padding_end)
            : dnnl_pooling_v2_forward_desc_init(&operation, p->direction, p->algorithm, p->source,
                  p->destination, p->strides, p->kernel, p->dilations, p->padding_begin, p->padding_end);
    return pd_finish(result, engine, &operation, status, attributes, forward);
}

dnnl_status_t espalier_pd_inner_product(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const windowed_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    dnnl_inner_product_desc_t operation;
    dnnl_status_t status;
    switch (p->direction) {
    case dnnl_backward_data:
        status =
            dnnl_inner_product_backward_data_desc_init(&operation, p->source, p->weights, p->destination);
        break;
    case dnnl_backward_weights:
        status = dnnl_inner_product_backward_weights_desc_init(
            &operation, p->source, p->weights, p->bias, p->destination);
        break;
    default:
        status = dnnl_inner_product_forward_desc_init(
            &operation, p->direction, p->source, p->weights, p->bias, p->destination);
    }
    return pd_finish(result, engine, &operation, status, attributes, forward);
}

dnnl_status_t espalier_pd_matmul(dnnl_primitive_desc_t *result, dnnl_engine_t engine, md_t source,
    md_t weights, md_t bias, md_t destination, dnnl_primitive_attr_t attributes) {
    dnnl_matmul_desc_t operation;
    dnnl_status_t status = dnnl_matmul_desc_init(&operation, source, weights, bias, destination);
    return pd_finish(result, engine, &operation, status, attributes, NULL);
}

/// Whether `left` may differ from `right`, which this version takes for both.
static bool fits(md_t left, md_t right) {
    return !left || left->format_kind == dnnl_format_kind_any || dnnl_memory_desc_equal(left, right);
}

dnnl_status_t espalier_pd_eltwise(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    dnnl_eltwise_desc_t operation;
    dnnl_status_t status;
    if (p->direction == dnnl_backward_data) {
        // One descriptor serves both gradients: take whichever the caller has fixed.
        md_t gradient = p->source->format_kind == dnnl_format_kind_any ? p->destination : p->source;
        if (!fits(p->destination, gradient)) return dnnl_unimplemented;
        status =
            dnnl_eltwise_backward_desc_init(&operation, p->algorithm, gradient, p->data, p->alpha, p->beta);
    } else {
        if (!fits(p->destination, p->source)) return dnnl_unimplemented;
        status = dnnl_eltwise_forward_desc_init(
            &operation, p->direction, p->algorithm, p->source, p->alpha, p->beta);
    }
    return pd_finish(result, engine, &operation, status, attributes, forward);
}

dnnl_status_t espalier_pd_softmax(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    dnnl_softmax_v2_desc_t operation;
    dnnl_status_t status = p->direction == dnnl_backward_data
                               ? dnnl_softmax_v2_backward_desc_init(
                                     &operation, p->algorithm, p->source, p->destination, p->data, p->axis)
                               : dnnl_softmax_v2_forward_desc_init(&operation, p->direction, p->algorithm,
                                     p->source, p->destination, p->axis);
    return pd_finish(result, engine, &operation, status, attributes, forward);
}

dnnl_status_t espalier_pd_batch_normalization(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    dnnl_batch_normalization_desc_t operation;
    dnnl_status_t status;
    if (forward) {
        md_t gradient = p->source->format_kind == dnnl_format_kind_any ? p->destination : p->source;
        if (!fits(p->destination, gradient)) return dnnl_unimplemented;
        status = dnnl_batch_normalization_backward_desc_init(
            &operation, p->direction, gradient, p->data, p->epsilon, p->flags);
    } else {
        if (!fits(p->destination, p->source)) return dnnl_unimplemented;
        status = dnnl_batch_normalization_forward_desc_init(
            &operation, p->direction, p->source, p->epsilon, p->flags);
    }
    return pd_finish(result, engine, &operation, status, attributes, forward);
}

dnnl_status_t espalier_pd_layer_normalization(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *p, dnnl_primitive_attr_t attributes, const_dnnl_primitive_desc_t forward) {
    dnnl_layer_normalization_desc_t operation;
    dnnl_status_t status;
    if (forward) {
        md_t gradient = p->source->format_kind == dnnl_format_kind_any ? p->destination : p->source;
        if (!fits(p->destination, gradient)) return dnnl_unimplemented;
        status = dnnl_layer_normalization_backward_desc_init(
            &operation, p->direction, gradient, p->data, p->statistics, p->epsilon, p->flags);
    } else {
        if (!fits(p->destination, p->source)) return dnnl_unimplemented;
        status = dnnl_layer_normalization_forward_desc_init(
            &operation, p->direction, p->source, p->statistics, p->epsilon, p->flags);
    }
    return pd_finish(result, engine, &operation, status, attributes, forward);
}

dnnl_status_t espalier_pd_reduction(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    const pointwise_parameters *p, dnnl_primitive_attr_t attributes) {
    dnnl_reduction_desc_t operation;
    dnnl_status_t status =
        dnnl_reduction_desc_init(&operation, p->algorithm, p->source, p->destination, 0, 0);
    return pd_finish(result, engine, &operation, status, attributes, NULL);
}

dnnl_status_t espalier_pd_binary(dnnl_primitive_desc_t *result, dnnl_engine_t engine,
    dnnl_alg_kind_t algorithm, md_t left, md_t right, md_t destination, dnnl_primitive_attr_t attributes) {
    dnnl_binary_desc_t operation;
    dnnl_status_t status = dnnl_binary_desc_init(&operation, algorithm, left, right, destination);
    return pd_finish(result, engine, &operation, status, attributes, NULL);
}

/// The descriptors one after the other, as this version wants them; the caller frees.
static dnnl_memory_desc_t *flattened(const md_t *descriptors, int count) {
    dnnl_memory_desc_t *result = calloc((size_t)count, sizeof *result);
    for (int each = 0; result && each < count; each++) result[each] = *descriptors[each];
    return result;
}

dnnl_status_t espalier_pd_concatenation(dnnl_primitive_desc_t *result, dnnl_engine_t engine, md_t destination,
    int count, int axis, const md_t *sources, dnnl_primitive_attr_t attributes) {
    dnnl_memory_desc_t *flat = flattened(sources, count);
    if (!flat) return dnnl_out_of_memory;
    dnnl_status_t status =
        dnnl_concat_primitive_desc_create(result, destination, count, axis, flat, attributes, engine);
    free(flat);
    return status;
}

dnnl_status_t espalier_pd_sum(dnnl_primitive_desc_t *result, dnnl_engine_t engine, md_t destination,
    int count, const float *scales, const md_t *sources, dnnl_primitive_attr_t attributes) {
    dnnl_memory_desc_t *flat = flattened(sources, count);
    if (!flat) return dnnl_out_of_memory;
    dnnl_status_t status =
        dnnl_sum_primitive_desc_create(result, destination, count, scales, flat, attributes, engine);
    free(flat);
    return status;
}

dnnl_status_t espalier_pd_reorder(dnnl_primitive_desc_t *result, dnnl_engine_t engine, md_t source,
    md_t destination, dnnl_primitive_attr_t attributes) {
    return dnnl_reorder_primitive_desc_create(result, source, engine, destination, engine, attributes);
}

#endif
