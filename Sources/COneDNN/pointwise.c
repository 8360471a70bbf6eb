// Elementwise functions, binary operations, reductions, and the movement of data.
#include "internal.h"

#include <stdlib.h>

static espalier_dnn_primitive *eltwise_primitive(const char *kind, const espalier_dnn_eltwise *eltwise,
    dnnl_prop_kind_t direction, const espalier_dnn_primitive *forward, const int *arguments) {
    espalier_builder builder;
    espalier_builder_begin(&builder, kind);
    espalier_dnn_layout *held = NULL;
    pointwise_parameters parameters = {
        .direction = direction, .alpha = eltwise->alpha, .beta = eltwise->beta};
    if (!espalier_eltwise_algorithm(eltwise->kind, eltwise->backward_uses_destination, eltwise->alpha,
            eltwise->beta, &parameters.algorithm)) {
        espalier_builder_refuse(&builder, dnnl_unimplemented, "this version of oneDNN lacks the function");
    }
    parameters.source = espalier_builder_required(&builder, "source", &eltwise->source);
    parameters.destination = espalier_builder_required(&builder, "destination", &eltwise->destination);
    if (forward) {
        const int saved = eltwise->backward_uses_destination ? ESPALIER_DNN_ARG_DST : ESPALIER_DNN_ARG_SRC;
        held = espalier_dnn_primitive_layout(forward, saved);
        const espalier_dnn_operand data = {.layout = held};
        parameters.data = espalier_builder_required(&builder, "forward data", &data);
    }
    espalier_builder_post_ops(&builder, &eltwise->post_ops, &eltwise->destination);
    dnnl_primitive_desc_t descriptor = NULL;
    if (espalier_builder_ready(&builder)) {
        builder.status = espalier_pd_eltwise(
            &descriptor, builder.engine, &parameters, builder.attributes, espalier_forward_hint(forward));
    }
    espalier_dnn_primitive *primitive = espalier_builder_finish(&builder, descriptor, arguments);
    espalier_dnn_layout_destroy(held);
    return primitive;
}

espalier_dnn_primitive *espalier_dnn_eltwise_forward(const espalier_dnn_eltwise *eltwise) {
    static const int arguments[] = {ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_DST, ARGUMENTS_END};
    return eltwise_primitive("elementwise function", eltwise,
        eltwise->training ? dnnl_forward_training : dnnl_forward_inference, NULL, arguments);
}

espalier_dnn_primitive *espalier_dnn_eltwise_backward(
    const espalier_dnn_eltwise *eltwise, const espalier_dnn_primitive *forward) {
    const int arguments[] = {eltwise->backward_uses_destination ? ESPALIER_DNN_ARG_DST : ESPALIER_DNN_ARG_SRC,
        ESPALIER_DNN_ARG_DIFF_DST, ESPALIER_DNN_ARG_DIFF_SRC, ARGUMENTS_END};
    return eltwise_primitive(
        "gradient of an elementwise function", eltwise, dnnl_backward_data, forward, arguments);
}

espalier_dnn_primitive *espalier_dnn_binary_forward(const espalier_dnn_binary *binary) {
    static const int arguments[] = {
        ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_SRC_1, ESPALIER_DNN_ARG_DST, ARGUMENTS_END};
    espalier_builder builder;
    espalier_builder_begin(&builder, "binary operation");
    md_t left = espalier_builder_required(&builder, "left", &binary->left);
    md_t right = espalier_builder_required(&builder, "right", &binary->right);
    md_t destination = espalier_builder_required(&builder, "destination", &binary->destination);
    espalier_builder_post_ops(&builder, &binary->post_ops, &binary->destination);
    dnnl_primitive_desc_t descriptor = NULL;
    if (espalier_builder_ready(&builder)) {
        builder.status = espalier_pd_binary(&descriptor, builder.engine,
            espalier_binary_algorithm(binary->kind), left, right, destination, builder.attributes);
    }
    return espalier_builder_finish(&builder, descriptor, arguments);
}

static dnnl_alg_kind_t reduction_algorithm(espalier_dnn_reduction_kind kind) {
    switch (kind) {
    case ESPALIER_DNN_REDUCTION_SUM: return dnnl_reduction_sum;
    case ESPALIER_DNN_REDUCTION_MEAN: return dnnl_reduction_mean;
    case ESPALIER_DNN_REDUCTION_MAXIMUM: return dnnl_reduction_max;
    case ESPALIER_DNN_REDUCTION_MINIMUM: return dnnl_reduction_min;
    }
    return dnnl_alg_kind_undef;
}

espalier_dnn_primitive *espalier_dnn_reduction_forward(const espalier_dnn_reduction *reduction) {
    static const int arguments[] = {ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_DST, ARGUMENTS_END};
    espalier_builder builder;
    espalier_builder_begin(&builder, "reduction");
    pointwise_parameters parameters = {.algorithm = reduction_algorithm(reduction->kind)};
    parameters.source = espalier_builder_required(&builder, "source", &reduction->source);
    parameters.destination = espalier_builder_required(&builder, "destination", &reduction->destination);
    espalier_builder_post_ops(&builder, &reduction->post_ops, &reduction->destination);
    dnnl_primitive_desc_t descriptor = NULL;
    if (espalier_builder_ready(&builder)) {
        builder.status = espalier_pd_reduction(&descriptor, builder.engine, &parameters, builder.attributes);
    }
    return espalier_builder_finish(&builder, descriptor, arguments);
}

// MARK: Movement

/// A concatenation, or with `scales` a sum.
static espalier_dnn_primitive *many_to_one(const char *kind, const espalier_dnn_layout *const *sources,
    const float *scales, int count, int axis, const espalier_dnn_operand *destination) {
    espalier_builder builder;
    espalier_builder_begin(&builder, kind);
    if (count < 1) espalier_builder_refuse(&builder, dnnl_invalid_arguments, "no inputs");
    const size_t length = count > 0 ? (size_t)count : 0;
    md_t *descriptors = calloc(length + 1, sizeof *descriptors);
    int *arguments = calloc(length + 2, sizeof *arguments);
    if (!descriptors || !arguments) {
        free(descriptors);
        free(arguments);
        static const int none[] = {ARGUMENTS_END};
        espalier_builder_refuse(&builder, dnnl_out_of_memory, "out of memory");
        return espalier_builder_finish(&builder, NULL, none);
    }
    for (size_t each = 0; each < length; each++) {
        descriptors[each] = espalier_layout_descriptor(sources[each]);
        arguments[each] = ESPALIER_DNN_ARG_MULTIPLE + (int)each;
    }
    arguments[length] = ESPALIER_DNN_ARG_DST;
    arguments[length + 1] = ARGUMENTS_END;
    md_t result = espalier_builder_required(&builder, "destination", destination);
    if (length > 0) {
        // For the message only.
        const espalier_dnn_operand first = {.layout = sources[0]};
        espalier_builder_operand(&builder, "first input", &first);
    }
    dnnl_primitive_desc_t descriptor = NULL;
    if (espalier_builder_ready(&builder)) {
        builder.status = scales ? espalier_pd_sum(&descriptor, builder.engine, result, count, scales,
                                      descriptors, builder.attributes)
                                : espalier_pd_concatenation(&descriptor, builder.engine, result, count, axis,
                                      descriptors, builder.attributes);
    }
    espalier_dnn_primitive *primitive = espalier_builder_finish(&builder, descriptor, arguments);
    free(descriptors);
    free(arguments);
    return primitive;
}

espalier_dnn_primitive *espalier_dnn_concatenation(
    const espalier_dnn_layout *const *sources, int count, int axis, espalier_dnn_operand destination) {
    return many_to_one("concatenation", sources, NULL, count, axis, &destination);
}

espalier_dnn_primitive *espalier_dnn_sum(const espalier_dnn_layout *const *sources, const float *scales,
    int count, espalier_dnn_operand destination) {
    return many_to_one("sum", sources, scales, count, 0, &destination);
}

espalier_dnn_primitive *espalier_dnn_reorder(
    const espalier_dnn_layout *source, const espalier_dnn_layout *destination) {
    static const int arguments[] = {ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_DST, ARGUMENTS_END};
    espalier_builder builder;
    espalier_builder_begin(&builder, "reorder");
    const espalier_dnn_operand from = {.layout = source}, to = {.layout = destination};
    md_t source_descriptor = espalier_builder_required(&builder, "from", &from);
    md_t destination_descriptor = espalier_builder_required(&builder, "to", &to);
    dnnl_primitive_desc_t descriptor = NULL;
    if (espalier_builder_ready(&builder)) {
        builder.status = espalier_pd_reorder(
            &descriptor, builder.engine, source_descriptor, destination_descriptor, builder.attributes);
    }
    return espalier_builder_finish(&builder, descriptor, arguments);
}
