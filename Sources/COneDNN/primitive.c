// Compiled primitives, and calls that bind them to pointers.
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// One argument: our number for it and oneDNN's.
typedef struct {
    int argument;
    int number;
} slot;

struct espalier_dnn_primitive {
    dnnl_primitive_desc_t descriptor;
    dnnl_primitive_t primitive;
    const char *implementation;
    const char *kind;
    size_t scratch_byte_count;
    md_t scratch;
    int threads;
    /// The tensors that a call must bind, scratch memory aside.
    int argument_count;
    /// An argument that callers do not see, and the zeros it is bound to.
    int placeholder;
    void *zeros;
    int slot_count;
    slot slots[];
};

/// oneDNN's number for an argument, or 0.
static int argument_number(int argument) {
    if (argument >= ESPALIER_DNN_ARG_POST_OP) {
        return DNNL_ARG_ATTR_MULTIPLE_POST_OP(argument - ESPALIER_DNN_ARG_POST_OP) | DNNL_ARG_SRC_1;
    }
    if (argument >= ESPALIER_DNN_ARG_MULTIPLE)
        return DNNL_ARG_MULTIPLE_SRC + argument - ESPALIER_DNN_ARG_MULTIPLE;
    switch (argument) {
    case ESPALIER_DNN_ARG_SRC: return DNNL_ARG_SRC;
    case ESPALIER_DNN_ARG_SRC_1: return DNNL_ARG_SRC_1;
    case ESPALIER_DNN_ARG_WEIGHTS: return DNNL_ARG_WEIGHTS;
    case ESPALIER_DNN_ARG_BIAS: return DNNL_ARG_BIAS;
    case ESPALIER_DNN_ARG_DST: return DNNL_ARG_DST;
    case ESPALIER_DNN_ARG_MEAN: return DNNL_ARG_MEAN;
    case ESPALIER_DNN_ARG_VARIANCE: return DNNL_ARG_VARIANCE;
    case ESPALIER_DNN_ARG_SCALE: return DNNL_ARG_SCALE;
    case ESPALIER_DNN_ARG_SHIFT: return DNNL_ARG_SHIFT;
    case ESPALIER_DNN_ARG_WORKSPACE: return DNNL_ARG_WORKSPACE;
    case ESPALIER_DNN_ARG_DIFF_SRC: return DNNL_ARG_DIFF_SRC;
    case ESPALIER_DNN_ARG_DIFF_WEIGHTS: return DNNL_ARG_DIFF_WEIGHTS;
    case ESPALIER_DNN_ARG_DIFF_BIAS: return DNNL_ARG_DIFF_BIAS;
    case ESPALIER_DNN_ARG_DIFF_DST: return DNNL_ARG_DIFF_DST;
    case ESPALIER_DNN_ARG_DIFF_SCALE: return DNNL_ARG_DIFF_SCALE;
    case ESPALIER_DNN_ARG_DIFF_SHIFT: return DNNL_ARG_DIFF_SHIFT;
    default: return 0;
    }
}

static md_t argument_descriptor(const espalier_dnn_primitive *primitive, int number) {
    md_t descriptor = dnnl_primitive_desc_query_md(primitive->descriptor, dnnl_query_exec_arg_md, number);
    return espalier_md_rank(descriptor) > 0 ? descriptor : NULL;
}

static void add_slot(espalier_dnn_primitive *primitive, int argument) {
    if (argument == ARGUMENT_ABSENT) return;
    const int number = argument_number(argument);
    if (!argument_descriptor(primitive, number)) return;
    primitive->slots[primitive->slot_count++] = (slot){argument, number};
}

void espalier_dnn_primitive_destroy(espalier_dnn_primitive *primitive) {
    if (!primitive) return;
    if (primitive->primitive) dnnl_primitive_destroy(primitive->primitive);
    if (primitive->descriptor) dnnl_primitive_desc_destroy(primitive->descriptor);
    free(primitive->zeros);
    free(primitive);
}

/// Reports what the builder was asked for and why it failed.
static void report(const espalier_builder *builder) {
    if (builder->is_reported) return;
    char asked[420];
    size_t used = 0;
    asked[0] = 0;
    for (int each = 0; each < builder->operand_count; each++) {
        char text[120];
        espalier_operand_describe(&builder->operands[each].operand, text, sizeof text);
        const int written = snprintf(asked + used, sizeof asked - used, "%s%s %s", each == 0 ? "" : ", ",
            builder->operands[each].name, text);
        if (written < 0 || used + (size_t)written >= sizeof asked) break;
        used += (size_t)written;
    }
    espalier_fail(espalier_status_of(builder->status), "%s (%s): %s%s%s", builder->kind, asked,
        builder->reason ? builder->reason : "refused by oneDNN", builder->reason ? "" : ": ",
        builder->reason ? "" : espalier_status_name(builder->status));
}

/// Queries and compiles; the descriptor is consumed.
static espalier_dnn_primitive *compile(
    espalier_builder *builder, dnnl_primitive_desc_t descriptor, const int *arguments) {
    int count = builder->post_operand_count;
    for (const int *argument = arguments; *argument != ARGUMENTS_END; argument++) count++;
    espalier_dnn_primitive *primitive = calloc(1, sizeof *primitive + (size_t)count * sizeof(slot));
    if (!primitive) {
        dnnl_primitive_desc_destroy(descriptor);
        builder->status = dnnl_out_of_memory;
        return NULL;
    }
    primitive->descriptor = descriptor;
    primitive->kind = builder->kind;
    primitive->threads = espalier_dnn_threads();
    for (const int *argument = arguments; *argument != ARGUMENTS_END; argument++)
        add_slot(primitive, *argument);
    for (int each = 0; each < builder->post_operand_count; each++) {
        add_slot(primitive, ESPALIER_DNN_ARG_POST_OP + builder->post_operands[each]);
    }
    primitive->scratch = argument_descriptor(primitive, DNNL_ARG_SCRATCHPAD);
    primitive->scratch_byte_count = primitive->scratch ? dnnl_memory_desc_get_size(primitive->scratch) : 0;
    if (dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &primitive->implementation) !=
        dnnl_success) {
        primitive->implementation = "unknown";
    }
    int inputs = 0, outputs = 0;
    dnnl_primitive_desc_query(descriptor, dnnl_query_num_of_inputs_s32, 0, &inputs);
    dnnl_primitive_desc_query(descriptor, dnnl_query_num_of_outputs_s32, 0, &outputs);
    primitive->argument_count = inputs + outputs;
    md_t placeholder = NULL;
    if (builder->placeholder && primitive->argument_count == primitive->slot_count + 1) {
        placeholder = argument_descriptor(primitive, builder->placeholder);
    }
    if (placeholder) {
        primitive->placeholder = builder->placeholder;
        primitive->argument_count--;
        primitive->zeros = calloc(1, dnnl_memory_desc_get_size(placeholder));
    }
    builder->status = placeholder && !primitive->zeros
                          ? dnnl_out_of_memory
                          : dnnl_primitive_create(&primitive->primitive, descriptor);
    if (builder->status == dnnl_success) return primitive;
    espalier_dnn_primitive_destroy(primitive);
    return NULL;
}

espalier_dnn_primitive *espalier_builder_finish(
    espalier_builder *builder, dnnl_primitive_desc_t descriptor, const int *arguments) {
    espalier_dnn_primitive *primitive = NULL;
    if (builder->status == dnnl_success) {
        primitive = compile(builder, descriptor, arguments);
    } else if (descriptor) {
        dnnl_primitive_desc_destroy(descriptor);
    }
    if (!primitive) report(builder);
    for (int each = 0; each < builder->operand_count; each++) {
        espalier_operand_close(&builder->operands[each].opened);
    }
    if (builder->attributes) dnnl_primitive_attr_destroy(builder->attributes);
    return primitive;
}

const_dnnl_primitive_desc_t espalier_forward_hint(const espalier_dnn_primitive *forward) {
    return forward ? forward->descriptor : NULL;
}

// MARK: Queries

/// The place of an argument among the primitive's, or -1.
static int slot_of(const espalier_dnn_primitive *primitive, int argument) {
    for (int place = 0; place < primitive->slot_count; place++) {
        if (primitive->slots[place].argument == argument) return place;
    }
    return -1;
}

espalier_dnn_layout *espalier_dnn_primitive_layout(const espalier_dnn_primitive *primitive, int argument) {
    const int place = slot_of(primitive, argument);
    if (place < 0) {
        espalier_fail(ESPALIER_DNN_INVALID, "%s has no argument %d", primitive->kind, argument);
        return NULL;
    }
    md_t copy = NULL;
    dnnl_status_t status =
        espalier_md_clone(&copy, argument_descriptor(primitive, primitive->slots[place].number));
    if (status == dnnl_success) return espalier_layout_adopt(copy);
    espalier_fail(espalier_status_of(status), "out of memory for a layout");
    return NULL;
}

size_t espalier_dnn_primitive_scratch_byte_count(const espalier_dnn_primitive *primitive) {
    return primitive->scratch_byte_count;
}

const char *espalier_dnn_primitive_implementation(const espalier_dnn_primitive *primitive) {
    return primitive->implementation;
}

int espalier_dnn_primitive_threads(const espalier_dnn_primitive *primitive) { return primitive->threads; }

// MARK: Calls

struct espalier_dnn_call {
    const espalier_dnn_primitive *primitive;
    /// The bound arguments, then the placeholder and the scratch memory if there are any.
    int count;
    dnnl_exec_arg_t *arguments;
    /// Their pointers; a memory object learns of a new one when the call runs next.
    void **pointers;
    bool *changed;
    bool any_changed;
    bool has_scratch;
};

void espalier_dnn_call_destroy(espalier_dnn_call *call) {
    if (!call) return;
    for (int each = 0; call->arguments && each < call->count; each++) {
        if (call->arguments[each].memory) dnnl_memory_destroy(call->arguments[each].memory);
    }
    free(call->arguments);
    free(call->pointers);
    free(call->changed);
    free(call);
}

/// Makes the memory object of one argument, without a pointer yet: giving one would write to the tensor's
/// padding.
static dnnl_status_t open_argument(
    espalier_dnn_call *call, int place, int number, md_t descriptor, void *pointer) {
    call->arguments[place].arg = number;
    call->pointers[place] = pointer;
    call->changed[place] = true;
    call->any_changed = true;
    return dnnl_memory_create(
        &call->arguments[place].memory, descriptor, espalier_engine(), DNNL_MEMORY_NONE);
}

espalier_dnn_call *espalier_dnn_call_create(
    const espalier_dnn_primitive *primitive, const espalier_dnn_binding *bindings, int count, void *scratch) {
    const bool has_scratch = primitive->scratch_byte_count > 0;
    if (count != primitive->argument_count) {
        espalier_fail(ESPALIER_DNN_INVALID, "a call of %s with %d arguments, but it takes and gives %d",
            primitive->kind, count, primitive->argument_count);
        return NULL;
    }
    const int hidden = primitive->placeholder ? 1 : 0;
    const int total = count + hidden + (has_scratch ? 1 : 0);
    espalier_dnn_call *call = calloc(1, sizeof *call);
    if (call) {
        call->primitive = primitive;
        call->arguments = calloc((size_t)total + 1, sizeof *call->arguments);
        call->pointers = calloc((size_t)total + 1, sizeof *call->pointers);
        call->changed = calloc((size_t)total + 1, sizeof *call->changed);
    }
    if (!call || !call->arguments || !call->pointers || !call->changed) {
        espalier_dnn_call_destroy(call);
        espalier_fail(ESPALIER_DNN_OUT_OF_MEMORY, "out of memory for a call of %s", primitive->kind);
        return NULL;
    }
    call->count = total;
    call->has_scratch = has_scratch;
    dnnl_status_t status = dnnl_success;
    for (int each = 0; each < count && status == dnnl_success; each++) {
        const int place = slot_of(primitive, bindings[each].argument);
        if (place < 0) {
            espalier_fail(
                ESPALIER_DNN_INVALID, "%s has no argument %d", primitive->kind, bindings[each].argument);
            espalier_dnn_call_destroy(call);
            return NULL;
        }
        for (int other = 0; other < each; other++) {
            if (bindings[other].argument != bindings[each].argument) continue;
            espalier_fail(ESPALIER_DNN_INVALID, "argument %d of %s is bound twice", bindings[each].argument,
                primitive->kind);
            espalier_dnn_call_destroy(call);
            return NULL;
        }
        const int number = primitive->slots[place].number;
        status =
            open_argument(call, each, number, argument_descriptor(primitive, number), bindings[each].pointer);
    }
    if (hidden && status == dnnl_success) {
        const int number = primitive->placeholder;
        status = open_argument(call, count, number, argument_descriptor(primitive, number), primitive->zeros);
    }
    if (has_scratch && status == dnnl_success) {
        status = open_argument(call, count + hidden, DNNL_ARG_SCRATCHPAD, primitive->scratch, scratch);
    }
    if (status == dnnl_success) return call;
    espalier_fail(espalier_status_of(status), "%s: no memory object (%s)", primitive->kind,
        espalier_status_name(status));
    espalier_dnn_call_destroy(call);
    return NULL;
}

/// Notes a new pointer.
static void change(espalier_dnn_call *call, int place, void *pointer) {
    if (call->pointers[place] == pointer) return;
    call->pointers[place] = pointer;
    call->changed[place] = true;
    call->any_changed = true;
}

espalier_dnn_status espalier_dnn_call_set_pointer(espalier_dnn_call *call, int argument, void *pointer) {
    const int number = argument_number(argument);
    for (int place = 0; number != 0 && place < call->count; place++) {
        if (call->arguments[place].arg != number) continue;
        change(call, place, pointer);
        return ESPALIER_DNN_SUCCESS;
    }
    return espalier_fail(
        ESPALIER_DNN_INVALID, "the call of %s was made without argument %d", call->primitive->kind, argument);
}

espalier_dnn_status espalier_dnn_call_set_scratch(espalier_dnn_call *call, void *scratch) {
    if (call->has_scratch) change(call, call->count - 1, scratch);
    return ESPALIER_DNN_SUCCESS;
}

/// Hands the new pointers to their memory objects.
static dnnl_status_t apply_changes(espalier_dnn_call *call) {
    for (int place = 0; place < call->count; place++) {
        if (!call->changed[place]) continue;
        if (!call->pointers[place]) {
            espalier_fail(ESPALIER_DNN_INVALID, "%s got no memory for %s", call->primitive->kind,
                call->has_scratch && place == call->count - 1 ? "its scratch" : "one of its arguments");
            return dnnl_not_required;
        }
        dnnl_status_t status =
            dnnl_memory_set_data_handle(call->arguments[place].memory, call->pointers[place]);
        if (status != dnnl_success) return status;
        call->changed[place] = false;
    }
    call->any_changed = false;
    return dnnl_success;
}

espalier_dnn_status espalier_dnn_call_run(espalier_dnn_call *call) {
    const espalier_dnn_primitive *primitive = call->primitive;
    const int threads = espalier_dnn_threads();
    if (threads != primitive->threads) {
        return espalier_fail(ESPALIER_DNN_INVALID, "%s was compiled for %d threads and is run with %d",
            primitive->kind, primitive->threads, threads);
    }
    dnnl_stream_t stream = espalier_stream();
    if (!stream) return espalier_dnn_last_status();
    dnnl_status_t status = call->any_changed ? apply_changes(call) : dnnl_success;
    // Reported already.
    if (status == dnnl_not_required) return espalier_dnn_last_status();
    if (status == dnnl_success) {
        status = dnnl_primitive_execute(primitive->primitive, stream, call->count, call->arguments);
    }
    if (status == dnnl_success) status = dnnl_stream_wait(stream);
    if (status == dnnl_success) return ESPALIER_DNN_SUCCESS;
    return espalier_fail(espalier_status_of(status), "%s (%s) did not run: %s", primitive->kind,
        primitive->implementation, espalier_status_name(status));
}
