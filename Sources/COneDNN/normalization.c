// Batch and layer normalisation, and softmax.
#include "internal.h"

/// The operand `name` as data (what the forward pass saw), which the backward pass wants beside the two
/// gradients.
static espalier_dnn_operand forward_data(
    const espalier_dnn_primitive *forward, int argument, espalier_dnn_layout **held) {
    *held = espalier_dnn_primitive_layout(forward, argument);
    return (espalier_dnn_operand){.layout = *held};
}

static unsigned normalization_flags(bool given_statistics, bool scale, bool shift, bool relu) {
    unsigned flags = 0;
    if (given_statistics) flags |= dnnl_use_global_stats;
    if (scale) flags |= dnnl_use_scale;
    if (shift) flags |= dnnl_use_shift;
    if (relu) flags |= dnnl_fuse_norm_relu;
    return flags;
}

// MARK: Batch normalisation

espalier_dnn_primitive *espalier_dnn_batch_normalization_forward(
    const espalier_dnn_batch_normalization *normalization) {
    // The statistics appear only where they are read or written.
    const bool statistics = normalization->given_statistics || normalization->training;
    const int arguments[] = {ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_DST, ESPALIER_DNN_ARG_WORKSPACE,
        statistics ? ESPALIER_DNN_ARG_MEAN : ARGUMENT_ABSENT,
        statistics ? ESPALIER_DNN_ARG_VARIANCE : ARGUMENT_ABSENT,
        normalization->scale ? ESPALIER_DNN_ARG_SCALE : ARGUMENT_ABSENT,
        normalization->shift ? ESPALIER_DNN_ARG_SHIFT : ARGUMENT_ABSENT, ARGUMENTS_END};
    espalier_builder builder;
    espalier_builder_begin(&builder, "batch normalisation");
    pointwise_parameters parameters = {
        .direction = normalization->training ? dnnl_forward_training : dnnl_forward_inference,
        .epsilon = normalization->epsilon,
        .flags = normalization_flags(
            normalization->given_statistics, normalization->scale, normalization->shift, normalization->relu),
    };
    parameters.source = espalier_builder_required(&builder, "source", &normalization->source);
    parameters.destination = espalier_builder_required(&builder, "destination", &normalization->destination);
    dnnl_primitive_desc_t descriptor = NULL;
    if (espalier_builder_ready(&builder)) {
        builder.status = espalier_pd_batch_normalization(
            &descriptor, builder.engine, &parameters, builder.attributes, NULL);
    }
    return espalier_builder_finish(&builder, descriptor, arguments);
}

espalier_dnn_primitive *espalier_dnn_batch_normalization_backward(
    const espalier_dnn_batch_normalization *normalization, const espalier_dnn_primitive *forward) {
    const int arguments[] = {ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_MEAN, ESPALIER_DNN_ARG_VARIANCE,
        ESPALIER_DNN_ARG_DIFF_DST, ESPALIER_DNN_ARG_DIFF_SRC, ESPALIER_DNN_ARG_WORKSPACE,
        normalization->scale ? ESPALIER_DNN_ARG_SCALE : ARGUMENT_ABSENT,
        normalization->scale ? ESPALIER_DNN_ARG_DIFF_SCALE : ARGUMENT_ABSENT,
        normalization->shift ? ESPALIER_DNN_ARG_DIFF_SHIFT : ARGUMENT_ABSENT, ARGUMENTS_END};
    espalier_builder builder;
    espalier_builder_begin(&builder, "gradient of a batch normalisation");
    espalier_dnn_layout *held;
    espalier_dnn_operand data = forward_data(forward, ESPALIER_DNN_ARG_SRC, &held);
    pointwise_parameters parameters = {
        .direction = normalization->scale || normalization->shift ? dnnl_backward : dnnl_backward_data,
        .epsilon = normalization->epsilon,
        .flags = normalization_flags(
            normalization->given_statistics, normalization->scale, normalization->shift, normalization->relu),
    };
    // The gradient does not depend on the shift, which some versions demand nevertheless.
    if (normalization->shift) builder.placeholder = DNNL_ARG_SHIFT;
    parameters.source = espalier_builder_required(&builder, "source gradient", &normalization->source);
    parameters.destination =
        espalier_builder_required(&builder, "destination gradient", &normalization->destination);
    parameters.data = espalier_builder_required(&builder, "source", &data);
    dnnl_primitive_desc_t descriptor = NULL;
    if (espalier_builder_ready(&builder)) {
        builder.status = espalier_pd_batch_normalization(
            &descriptor, builder.engine, &parameters, builder.attributes, espalier_forward_hint(forward));
    }
    espalier_dnn_primitive *primitive = espalier_builder_finish(&builder, descriptor, arguments);
    espalier_dnn_layout_destroy(held);
    return primitive;
}

// MARK: Layer normalisation

/// The row-major layout of the statistics: the extents of all axes but the last.
static espalier_dnn_layout *statistics_layout(const espalier_dnn_operand *source) {
    const int rank = source->layout ? espalier_dnn_layout_rank(source->layout) : source->rank;
    const int64_t *extents = source->layout ? espalier_dnn_layout_extents(source->layout) : source->extents;
    return extents && rank > 1 ? espalier_dnn_layout_plain(extents, rank - 1) : NULL;
}

static espalier_dnn_primitive *layer_normalization_primitive(const char *kind,
    const espalier_dnn_layer_normalization *normalization, dnnl_prop_kind_t direction,
    const espalier_dnn_primitive *forward, const int *arguments) {
    espalier_builder builder;
    espalier_builder_begin(&builder, kind);
    espalier_dnn_layout *held = NULL;
    espalier_dnn_layout *statistics = statistics_layout(&normalization->source);
    const espalier_dnn_operand statistics_operand = {.layout = statistics};
    pointwise_parameters parameters = {
        .direction = direction,
        .epsilon = normalization->epsilon,
        .flags = normalization_flags(
            normalization->given_statistics, normalization->scale, normalization->shift, false),
    };
    parameters.source = espalier_builder_required(&builder, "source", &normalization->source);
    parameters.destination = espalier_builder_required(&builder, "destination", &normalization->destination);
    parameters.statistics = espalier_builder_required(&builder, "statistics", &statistics_operand);
    if (forward) {
        espalier_dnn_operand data = forward_data(forward, ESPALIER_DNN_ARG_SRC, &held);
        parameters.data = espalier_builder_required(&builder, "forward source", &data);
        if (normalization->shift) builder.placeholder = DNNL_ARG_SHIFT;
    }
    dnnl_primitive_desc_t descriptor = NULL;
    if (espalier_builder_ready(&builder)) {
        builder.status = espalier_pd_layer_normalization(
            &descriptor, builder.engine, &parameters, builder.attributes, espalier_forward_hint(forward));
    }
    espalier_dnn_primitive *primitive = espalier_builder_finish(&builder, descriptor, arguments);
    espalier_dnn_layout_destroy(statistics);
    espalier_dnn_layout_destroy(held);
    return primitive;
}

espalier_dnn_primitive *espalier_dnn_layer_normalization_forward(
    const espalier_dnn_layer_normalization *normalization) {
    const bool statistics = normalization->given_statistics || normalization->training;
    const int arguments[] = {ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_DST,
        statistics ? ESPALIER_DNN_ARG_MEAN : ARGUMENT_ABSENT,
        statistics ? ESPALIER_DNN_ARG_VARIANCE : ARGUMENT_ABSENT,
        normalization->scale ? ESPALIER_DNN_ARG_SCALE : ARGUMENT_ABSENT,
        normalization->shift ? ESPALIER_DNN_ARG_SHIFT : ARGUMENT_ABSENT, ARGUMENTS_END};
    return layer_normalization_primitive("layer normalisation", normalization,
        normalization->training ? dnnl_forward_training : dnnl_forward_inference, NULL, arguments);
}

espalier_dnn_primitive *espalier_dnn_layer_normalization_backward(
    const espalier_dnn_layer_normalization *normalization, const espalier_dnn_primitive *forward) {
    const int arguments[] = {ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_MEAN, ESPALIER_DNN_ARG_VARIANCE,
        ESPALIER_DNN_ARG_DIFF_DST, ESPALIER_DNN_ARG_DIFF_SRC,
        normalization->scale ? ESPALIER_DNN_ARG_SCALE : ARGUMENT_ABSENT,
        normalization->scale ? ESPALIER_DNN_ARG_DIFF_SCALE : ARGUMENT_ABSENT,
        normalization->shift ? ESPALIER_DNN_ARG_DIFF_SHIFT : ARGUMENT_ABSENT, ARGUMENTS_END};
    return layer_normalization_primitive("gradient of a layer normalisation", normalization,
        normalization->scale || normalization->shift ? dnnl_backward : dnnl_backward_data, forward,
        arguments);
}

// MARK: Softmax

static espalier_dnn_primitive *softmax_primitive(const char *kind, const espalier_dnn_softmax *softmax,
    dnnl_prop_kind_t direction, const espalier_dnn_primitive *forward, const int *arguments) {
    espalier_builder builder;
    espalier_builder_begin(&builder, kind);
    espalier_dnn_layout *held = NULL;
    pointwise_parameters parameters = {
        .direction = direction,
        .algorithm = softmax->logarithm ? dnnl_softmax_log : dnnl_softmax_accurate,
        .axis = softmax->axis,
    };
    parameters.source = espalier_builder_required(&builder, "source", &softmax->source);
    parameters.destination = espalier_builder_required(&builder, "destination", &softmax->destination);
    if (forward) {
        espalier_dnn_operand data = forward_data(forward, ESPALIER_DNN_ARG_DST, &held);
        parameters.data = espalier_builder_required(&builder, "forward destination", &data);
    }
    dnnl_primitive_desc_t descriptor = NULL;
    if (espalier_builder_ready(&builder)) {
        builder.status = espalier_pd_softmax(
            &descriptor, builder.engine, &parameters, builder.attributes, espalier_forward_hint(forward));
    }
    espalier_dnn_primitive *primitive = espalier_builder_finish(&builder, descriptor, arguments);
    espalier_dnn_layout_destroy(held);
    return primitive;
}

espalier_dnn_primitive *espalier_dnn_softmax_forward(const espalier_dnn_softmax *softmax) {
    static const int arguments[] = {
        ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_DST, ESPALIER_DNN_ARG_WORKSPACE, ARGUMENTS_END};
    return softmax_primitive(softmax->logarithm ? "log-softmax" : "softmax", softmax,
        softmax->training ? dnnl_forward_training : dnnl_forward_inference, NULL, arguments);
}

espalier_dnn_primitive *espalier_dnn_softmax_backward(
    const espalier_dnn_softmax *softmax, const espalier_dnn_primitive *forward) {
    static const int arguments[] = {ESPALIER_DNN_ARG_DST, ESPALIER_DNN_ARG_DIFF_DST,
        ESPALIER_DNN_ARG_DIFF_SRC, ESPALIER_DNN_ARG_WORKSPACE, ARGUMENTS_END};
    return softmax_primitive(softmax->logarithm ? "gradient of a log-softmax" : "gradient of a softmax",
        softmax, dnnl_backward_data, forward, arguments);
}
