// The calling thread's last failure.
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local espalier_dnn_status last_status = ESPALIER_DNN_SUCCESS;
static _Thread_local char last_message[640];

espalier_dnn_status espalier_dnn_last_status(void) { return last_status; }

const char *espalier_dnn_last_message(void) { return last_message; }

espalier_dnn_status espalier_fail(espalier_dnn_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_message, sizeof last_message, format, arguments);
    va_end(arguments);
    last_status = status;
    return status;
}

espalier_dnn_status espalier_status_of(dnnl_status_t status) {
    switch (status) {
    case dnnl_success: return ESPALIER_DNN_SUCCESS;
    case dnnl_out_of_memory: return ESPALIER_DNN_OUT_OF_MEMORY;
    case dnnl_invalid_arguments: return ESPALIER_DNN_INVALID;
    case dnnl_unimplemented: return ESPALIER_DNN_UNSUPPORTED;
    default: return ESPALIER_DNN_FAILED;
    }
}

const char *espalier_status_name(dnnl_status_t status) {
    switch (status) {
    case dnnl_success: return "success";
    case dnnl_out_of_memory: return "out of memory";
    case dnnl_invalid_arguments: return "invalid arguments";
    case dnnl_unimplemented: return "unimplemented";
    case dnnl_runtime_error: return "runtime error";
    case dnnl_not_required: return "not required";
    default: return "failure";
    }
}
