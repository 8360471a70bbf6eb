/// The largest element that each of a plane's windows sees, row-major.
#ifndef ESPALIER_MAX_POOLING_H
#define ESPALIER_MAX_POOLING_H

#include <stddef.h>

#include "espalier_isa.h"

/// Windows over a plane; kernels and strides are at least 1. Window (row, column) begins at element
/// (row * stride_height - padding_top, column * stride_width - padding_left). What it sees outside the plane does not
/// count.
typedef struct {
    size_t height;
    size_t width;
    size_t kernel_height;
    size_t kernel_width;
    size_t stride_height;
    size_t stride_width;
    size_t padding_top;
    size_t padding_left;
    size_t output_height;
    size_t output_width;
} espalier_max_pooling;

/// Pools planes first..<end of source[planes, height, width] into destination[planes, output_height, output_width].
///
/// Not-a-number is never the largest. A window without anything larger gives -FLT_MAX, as in ONNX Runtime. Of zeros,
/// the sign of the result may be either's.
void espalier_max_pool(
    espalier_isa isa, const espalier_max_pooling *pooling, const float *source, float *destination, size_t first,
    size_t end);

#endif
