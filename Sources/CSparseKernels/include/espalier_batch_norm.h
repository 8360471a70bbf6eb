/// Batch normalisation of rows of channels, and its gradient: the sums over rows, and what is made of them.
///
/// Matrices are row-major [rows, channels] with at least one of each; activations with channels last are such matrices. Arrays
/// of channels hold a number for each. Nothing needs an alignment, and results must not overlap what is read.
#ifndef ESPALIER_BATCH_NORM_H
#define ESPALIER_BATCH_NORM_H

#include <stddef.h>

#include "espalier_isa.h"

/// Sums over all rows, in single precision over some thousand numbers and in double precision beyond: sums[channels] of
/// source - origin, and behind it sums[channels] of the squares of that.
void espalier_batch_norm_sums(
    espalier_isa isa, const float *source, size_t rows, size_t channels, const float *origin, double *sums);

/// result = (source - origin) * scale + shift.
void espalier_batch_norm_apply(
    espalier_isa isa, const float *source, size_t rows, size_t channels, const float *origin, const float *scale,
    const float *shift, float *result);

/// Sums as those above: of gradient, and behind it of gradient * (source - origin).
void espalier_batch_norm_gradient_sums(
    espalier_isa isa, const float *source, const float *gradient, size_t rows, size_t channels, const float *origin,
    double *sums);

/// result = (gradient - gradient_origin) * scale + (source - origin) * slope.
void espalier_batch_norm_gradient(
    espalier_isa isa, const float *source, const float *gradient, size_t rows, size_t channels, const float *origin,
    const float *gradient_origin, const float *scale, const float *slope, float *result);

#endif
