// The steps common to the creation of every primitive.
#include "internal.h"

#include <stdio.h>
#include <string.h>

void espalier_builder_begin(espalier_builder *builder, const char *kind) {
    memset(builder, 0, sizeof *builder);
    builder->kind = kind;
    builder->status = dnnl_success;
    builder->engine = espalier_engine();
    if (!builder->engine) {
        builder->status = dnnl_runtime_error;
        builder->is_reported = true;
        return;
    }
    builder->status = dnnl_primitive_attr_create(&builder->attributes);
    if (builder->status != dnnl_success) return;
    // Scratch memory that belongs to the library would tie a primitive to the thread that first runs it.
    builder->status = dnnl_primitive_attr_set_scratchpad_mode(builder->attributes, dnnl_scratchpad_mode_user);
    if (builder->status != dnnl_success) return;
    // Whatever the environment says: results may not depend on it.
    builder->status = dnnl_primitive_attr_set_fpmath_mode(builder->attributes, dnnl_fpmath_mode_strict);
    if (builder->status != dnnl_success) return;
    builder->status = espalier_attributes_set_deterministic(builder->attributes);
}

void espalier_builder_refuse(espalier_builder *builder, dnnl_status_t status, const char *reason) {
    if (builder->status != dnnl_success) return;
    builder->status = status;
    builder->reason = reason;
}

md_t espalier_builder_operand(
    espalier_builder *builder, const char *name, const espalier_dnn_operand *operand) {
    if (builder->status != dnnl_success || !espalier_operand_present(operand)) return NULL;
    const int place = builder->operand_count;
    if (place >= (int)(sizeof builder->operands / sizeof *builder->operands)) {
        espalier_builder_refuse(builder, dnnl_invalid_arguments, "too many operands");
        return NULL;
    }
    builder->operand_count++;
    builder->operands[place].name = name;
    builder->operands[place].operand = *operand;
    builder->status = espalier_operand_open(&builder->operands[place].opened, operand);
    return builder->status == dnnl_success ? builder->operands[place].opened.descriptor : NULL;
}

md_t espalier_builder_required(
    espalier_builder *builder, const char *name, const espalier_dnn_operand *operand) {
    if (!espalier_operand_present(operand)) {
        espalier_builder_refuse(builder, dnnl_invalid_arguments, "an operand is missing");
        return NULL;
    }
    return espalier_builder_operand(builder, name, operand);
}

/// Appends one operation; `destination` gives the extents of an operand without its own.
static dnnl_status_t append(espalier_builder *builder, dnnl_post_ops_t operations,
    const espalier_dnn_post_op *added, int index, const espalier_dnn_operand *destination) {
    switch (added->kind) {
    case ESPALIER_DNN_POST_SUM: return espalier_post_ops_append_sum(operations, added->scale);
    case ESPALIER_DNN_POST_ELTWISE: {
        dnnl_alg_kind_t algorithm;
        if (!espalier_eltwise_algorithm(added->eltwise, false, added->alpha, added->beta, &algorithm)) {
            builder->reason = "this version of oneDNN lacks the fused function";
            return dnnl_unimplemented;
        }
        return espalier_post_ops_append_eltwise(operations, algorithm, added->alpha, added->beta);
    }
    case ESPALIER_DNN_POST_BINARY: {
        espalier_dnn_operand operand = added->operand;
        if (!espalier_operand_present(&operand)) {
            operand = *destination;
            if (operand.layout) {
                operand.extents = espalier_dnn_layout_extents(operand.layout);
                operand.rank = espalier_dnn_layout_rank(operand.layout);
            }
        }
        md_t descriptor = espalier_builder_required(builder, "fused operand", &operand);
        if (!descriptor) return builder->status;
        builder->post_operands[builder->post_operand_count++] = index;
        return dnnl_post_ops_append_binary(operations, espalier_binary_algorithm(added->binary), descriptor);
    }
    }
    return dnnl_invalid_arguments;
}

void espalier_builder_post_ops(
    espalier_builder *builder, const espalier_dnn_post_ops *list, const espalier_dnn_operand *destination) {
    if (builder->status != dnnl_success || list->count == 0) return;
    if (list->count > ESPALIER_DNN_MAXIMUM_POST_OPS) {
        espalier_builder_refuse(builder, dnnl_invalid_arguments, "too many fused operations");
        return;
    }
    dnnl_post_ops_t operations = NULL;
    dnnl_status_t status = dnnl_post_ops_create(&operations);
    for (int index = 0; status == dnnl_success && index < list->count; index++) {
        status = append(builder, operations, &list->operations[index], index, destination);
    }
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(builder->attributes, operations);
    if (operations) dnnl_post_ops_destroy(operations);
    if (builder->status == dnnl_success) builder->status = status;
}

bool espalier_eltwise_algorithm(espalier_dnn_eltwise_kind kind, bool uses_destination, float alpha,
    float beta, dnnl_alg_kind_t *algorithm) {
    if (uses_destination) {
        switch (kind) {
        case ESPALIER_DNN_RELU: *algorithm = dnnl_eltwise_relu_use_dst_for_bwd; return true;
        case ESPALIER_DNN_ELU: *algorithm = dnnl_eltwise_elu_use_dst_for_bwd; return true;
        case ESPALIER_DNN_TANH: *algorithm = dnnl_eltwise_tanh_use_dst_for_bwd; return true;
        case ESPALIER_DNN_SQRT: *algorithm = dnnl_eltwise_sqrt_use_dst_for_bwd; return true;
        case ESPALIER_DNN_LOGISTIC: *algorithm = dnnl_eltwise_logistic_use_dst_for_bwd; return true;
        case ESPALIER_DNN_EXP: *algorithm = dnnl_eltwise_exp_use_dst_for_bwd; return true;
        case ESPALIER_DNN_CLIP: *algorithm = dnnl_eltwise_clip_v2_use_dst_for_bwd; return true;
        default: return false;
        }
    }
    switch (kind) {
    case ESPALIER_DNN_RELU: *algorithm = dnnl_eltwise_relu; return true;
    case ESPALIER_DNN_ELU: *algorithm = dnnl_eltwise_elu; return true;
    case ESPALIER_DNN_GELU_ERF: *algorithm = dnnl_eltwise_gelu_erf; return true;
    case ESPALIER_DNN_GELU_TANH: *algorithm = dnnl_eltwise_gelu_tanh; return true;
    case ESPALIER_DNN_TANH: *algorithm = dnnl_eltwise_tanh; return true;
    case ESPALIER_DNN_LOGISTIC: *algorithm = dnnl_eltwise_logistic; return true;
    case ESPALIER_DNN_CLIP: *algorithm = dnnl_eltwise_clip_v2; return true;
    case ESPALIER_DNN_ABS: *algorithm = dnnl_eltwise_abs; return true;
    case ESPALIER_DNN_SQRT: *algorithm = dnnl_eltwise_sqrt; return true;
    case ESPALIER_DNN_EXP: *algorithm = dnnl_eltwise_exp; return true;
    case ESPALIER_DNN_LOG: *algorithm = dnnl_eltwise_log; return true;
    case ESPALIER_DNN_SQUARE: *algorithm = dnnl_eltwise_square; return true;
    case ESPALIER_DNN_LINEAR: *algorithm = dnnl_eltwise_linear; return true;
    case ESPALIER_DNN_POW: *algorithm = dnnl_eltwise_pow; return true;
    case ESPALIER_DNN_SWISH: *algorithm = dnnl_eltwise_swish; return true;
    case ESPALIER_DNN_MISH: *algorithm = dnnl_eltwise_mish; return true;
    case ESPALIER_DNN_ROUND: *algorithm = dnnl_eltwise_round; return true;
    case ESPALIER_DNN_HARD_SWISH:
    case ESPALIER_DNN_HARD_SIGMOID: return espalier_recent_eltwise(kind, alpha, beta, algorithm);
    }
    return false;
}

dnnl_alg_kind_t espalier_binary_algorithm(espalier_dnn_binary_kind kind) {
    switch (kind) {
    case ESPALIER_DNN_ADD: return dnnl_binary_add;
    case ESPALIER_DNN_SUB: return dnnl_binary_sub;
    case ESPALIER_DNN_MUL: return dnnl_binary_mul;
    case ESPALIER_DNN_DIV: return dnnl_binary_div;
    case ESPALIER_DNN_MIN: return dnnl_binary_min;
    case ESPALIER_DNN_MAX: return dnnl_binary_max;
    }
    return dnnl_alg_kind_undef;
}
