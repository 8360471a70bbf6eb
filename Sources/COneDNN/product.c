// Inner product and matrix multiplication.
#include "internal.h"

static espalier_dnn_primitive *inner_product_primitive(const char *kind,
    const espalier_dnn_inner_product *product, dnnl_prop_kind_t direction,
    const espalier_dnn_primitive *forward, const int *arguments) {
    espalier_builder builder;
    espalier_builder_begin(&builder, kind);
    windowed_parameters parameters = {.direction = direction};
    parameters.source = espalier_builder_required(&builder, "source", &product->source);
    parameters.weights = espalier_builder_required(&builder, "weights", &product->weights);
    if (direction != dnnl_backward_data) {
        parameters.bias = espalier_builder_operand(&builder, "bias", &product->bias);
    }
    parameters.destination = espalier_builder_required(&builder, "destination", &product->destination);
    espalier_builder_post_ops(&builder, &product->post_ops, &product->destination);
    dnnl_primitive_desc_t descriptor = NULL;
    if (espalier_builder_ready(&builder)) {
        builder.status = espalier_pd_inner_product(
            &descriptor, builder.engine, &parameters, builder.attributes, espalier_forward_hint(forward));
    }
    return espalier_builder_finish(&builder, descriptor, arguments);
}

espalier_dnn_primitive *espalier_dnn_inner_product_forward(const espalier_dnn_inner_product *product) {
    static const int arguments[] = {ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_WEIGHTS, ESPALIER_DNN_ARG_BIAS,
        ESPALIER_DNN_ARG_DST, ARGUMENTS_END};
    return inner_product_primitive("inner product", product,
        product->training ? dnnl_forward_training : dnnl_forward_inference, NULL, arguments);
}

espalier_dnn_primitive *espalier_dnn_inner_product_backward_data(
    const espalier_dnn_inner_product *product, const espalier_dnn_primitive *forward) {
    static const int arguments[] = {
        ESPALIER_DNN_ARG_DIFF_SRC, ESPALIER_DNN_ARG_WEIGHTS, ESPALIER_DNN_ARG_DIFF_DST, ARGUMENTS_END};
    return inner_product_primitive(
        "source gradient of an inner product", product, dnnl_backward_data, forward, arguments);
}

espalier_dnn_primitive *espalier_dnn_inner_product_backward_weights(
    const espalier_dnn_inner_product *product, const espalier_dnn_primitive *forward) {
    static const int arguments[] = {ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_DIFF_WEIGHTS,
        ESPALIER_DNN_ARG_DIFF_BIAS, ESPALIER_DNN_ARG_DIFF_DST, ARGUMENTS_END};
    return inner_product_primitive(
        "weight gradient of an inner product", product, dnnl_backward_weights, forward, arguments);
}

espalier_dnn_primitive *espalier_dnn_matmul_forward(const espalier_dnn_matmul *product) {
    static const int arguments[] = {ESPALIER_DNN_ARG_SRC, ESPALIER_DNN_ARG_WEIGHTS, ESPALIER_DNN_ARG_BIAS,
        ESPALIER_DNN_ARG_DST, ARGUMENTS_END};
    espalier_builder builder;
    espalier_builder_begin(&builder, "matrix multiplication");
    md_t source = espalier_builder_required(&builder, "source", &product->source);
    md_t weights = espalier_builder_required(&builder, "weights", &product->weights);
    md_t bias = espalier_builder_operand(&builder, "bias", &product->bias);
    md_t destination = espalier_builder_required(&builder, "destination", &product->destination);
    espalier_builder_post_ops(&builder, &product->post_ops, &product->destination);
    dnnl_primitive_desc_t descriptor = NULL;
    if (espalier_builder_ready(&builder)) {
        builder.status = espalier_pd_matmul(
            &descriptor, builder.engine, source, weights, bias, destination, builder.attributes);
    }
    return espalier_builder_finish(&builder, descriptor, arguments);
}
