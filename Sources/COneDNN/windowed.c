// Convolution and pooling.
#include "internal.h"

/// oneDNN counts the gaps between neighbours, where 0 means none.
static void gaps(const int64_t *dilations, int64_t *result) {
    for (int axis = 0; axis < ESPALIER_DNN_MAXIMUM_SPATIAL_RANK; axis++) {
        result[axis] = dilations[axis] > 0 ? dilations[axis] - 1 : 0;
    }
}

/// Strides, dilations and padding that oneDNN would divide by or overflow with.
static void check(espalier_builder *builder, const espalier_dnn_operand *source, const int64_t *strides,
    const int64_t *dilations, const int64_t *begin, const int64_t *end) {
    const int rank = source->layout ? espalier_dnn_layout_rank(source->layout) : source->rank;
    if (rank < 3 || rank > 2 + ESPALIER_DNN_MAXIMUM_SPATIAL_RANK) {
        espalier_builder_refuse(builder, dnnl_invalid_arguments, "the source must have 1 to 3 spatial axes");
        return;
    }
    for (int axis = 0; axis < rank - 2; axis++) {
        if (strides[axis] < 1 || dilations[axis] < 1) {
            espalier_builder_refuse(
                builder, dnnl_invalid_arguments, "strides and dilations must be positive");
        }
        if (begin[axis] < 0 || end[axis] < 0) {
            espalier_builder_refuse(builder, dnnl_invalid_arguments, "padding may not be negative");
        }
    }
}

static espalier_dnn_primitive *convolution_primitive(const char *kind,
    const espalier_dnn_convolution *convolution, dnnl_prop_kind_t direction,
    const espalier_dnn_primitive *forward, const int *arguments) {
    espalier_builder builder;
    espalier_builder_begin(&builder, kind);
    int64_t dilations[ESPALIER_DNN_MAXIMUM_SPATIAL_RANK];
    gaps(convolution->dilations, dilations);
    check(&builder, &convolution->source, convolution->strides, convolution->dilations,
        convolution->padding_begin, convolution->padding_end);
    windowed_parameters parameters = {
        .direction = direction,
        .algorithm = convolution->algorithm == ESPALIER_DNN_CONVOLUTION_WINOGRAD ? dnnl_convolution_winograd
                                                                                 : dnnl_convolution_direct,
        .strides = convolution->strides,
        .dilations = dilations,
        .padding_begin = convolution->padding_begin,
        .padding_end = convolution->padding_end,
    };
    parameters.source = espalier_builder_required(&builder, "source", &convolution->source);
    parameters.weights = espalier_builder_required(&builder, "weights", &convolution->weights);
    if (direction != dnnl_backward_data) {
        parameters.bias = espalier_builder_operand(&builder, "bias", &convolution->bias);
    }
    parameters.destination = espalier_builder_required(&builder, "destination", &convolution->destination);
    espalier_builder_post_ops(&builder, &convolution->post_ops, &convolution->destination);
    dnnl_primitive_desc_t descriptor = NULL;
    if (espalier_builder_ready(&builder)) {
        builder.status = espalier_pd_convolution(
            &descriptor, builder.engine, &parameters, builder.attributes, espalier_forward_hint(forward));
    }
    return espalier_builder_finish(&builder, descriptor, arguments);
}

espalier_dnn_primitive *espalier_dnn_convolution_forward(const espalier_dnn_convolution *convolution) {
    static const int arguments[] = {ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_WEIGHTS, ESPALIER_DNN_ARG_BIAS,
        ESPALIER_DNN_ARG_DST, ARGUMENTS_END};
    return convolution_primitive("convolution", convolution,
        convolution->training ? dnnl_forward_training : dnnl_forward_inference, NULL, arguments);
}

espalier_dnn_primitive *espalier_dnn_convolution_backward_data(
    const espalier_dnn_convolution *convolution, const espalier_dnn_primitive *forward) {
    static const int arguments[] = {
        ESPALIER_DNN_ARG_DIFF_SRC, ESPALIER_DNN_ARG_WEIGHTS, ESPALIER_DNN_ARG_DIFF_DST, ARGUMENTS_END};
    return convolution_primitive(
        "source gradient of a convolution", convolution, dnnl_backward_data, forward, arguments);
}

espalier_dnn_primitive *espalier_dnn_convolution_backward_weights(
    const espalier_dnn_convolution *convolution, const espalier_dnn_primitive *forward) {
    static const int arguments[] = {ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_DIFF_WEIGHTS,
        ESPALIER_DNN_ARG_DIFF_BIAS, ESPALIER_DNN_ARG_DIFF_DST, ARGUMENTS_END};
    return convolution_primitive(
        "weight gradient of a convolution", convolution, dnnl_backward_weights, forward, arguments);
}

// MARK: Pooling

static dnnl_alg_kind_t pooling_algorithm(espalier_dnn_pooling_kind kind) {
    switch (kind) {
    case ESPALIER_DNN_POOLING_MAXIMUM: return dnnl_pooling_max;
    case ESPALIER_DNN_POOLING_AVERAGE_INCLUDING_PADDING: return dnnl_pooling_avg_include_padding;
    case ESPALIER_DNN_POOLING_AVERAGE_EXCLUDING_PADDING: return dnnl_pooling_avg_exclude_padding;
    }
    return dnnl_alg_kind_undef;
}

static espalier_dnn_primitive *pooling_primitive(const char *kind, const espalier_dnn_pooling *pooling,
    dnnl_prop_kind_t direction, const espalier_dnn_primitive *forward, const int *arguments) {
    espalier_builder builder;
    espalier_builder_begin(&builder, kind);
    int64_t dilations[ESPALIER_DNN_MAXIMUM_SPATIAL_RANK];
    gaps(pooling->dilations, dilations);
    check(&builder, &pooling->source, pooling->strides, pooling->dilations, pooling->padding_begin,
        pooling->padding_end);
    windowed_parameters parameters = {
        .direction = direction,
        .algorithm = pooling_algorithm(pooling->kind),
        .kernel = pooling->kernel,
        .strides = pooling->strides,
        .dilations = dilations,
        .padding_begin = pooling->padding_begin,
        .padding_end = pooling->padding_end,
    };
    parameters.source = espalier_builder_required(&builder, "source", &pooling->source);
    parameters.destination = espalier_builder_required(&builder, "destination", &pooling->destination);
    espalier_builder_post_ops(&builder, &pooling->post_ops, &pooling->destination);
    dnnl_primitive_desc_t descriptor = NULL;
    if (espalier_builder_ready(&builder)) {
        builder.status = espalier_pd_pooling(
            &descriptor, builder.engine, &parameters, builder.attributes, espalier_forward_hint(forward));
    }
    return espalier_builder_finish(&builder, descriptor, arguments);
}

espalier_dnn_primitive *espalier_dnn_pooling_forward(const espalier_dnn_pooling *pooling) {
    static const int arguments[] = {
        ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_DST, ESPALIER_DNN_ARG_WORKSPACE, ARGUMENTS_END};
    return pooling_primitive("pooling", pooling,
        pooling->training ? dnnl_forward_training : dnnl_forward_inference, NULL, arguments);
}

espalier_dnn_primitive *espalier_dnn_pooling_backward(
    const espalier_dnn_pooling *pooling, const espalier_dnn_primitive *forward) {
    static const int arguments[] = {
        ESPALIER_DNN_ARG_DIFF_SRC, ESPALIER_DNN_ARG_DIFF_DST, ESPALIER_DNN_ARG_WORKSPACE, ARGUMENTS_END};
    return pooling_primitive("gradient of a pooling", pooling, dnnl_backward_data, forward, arguments);
}
