/// The Cholesky factor of a symmetric band matrix in double precision.
///
/// LAPACK's `dpbtrf` computes the same, as fast as the BLAS beneath it: the reference BLAS, which is what a system has
/// unless somebody chose another, is more than ten times slower.
#ifndef ESPALIER_BAND_CHOLESKY_H
#define ESPALIER_BAND_CHOLESKY_H

#include <stddef.h>

#include "espalier_isa.h"

/// Columns that are factorised together.
enum { ESPALIER_BAND_CHOLESKY_BLOCK = 64 };

/// How many doubles of scratch memory espalier_band_cholesky needs.
size_t espalier_band_cholesky_scratch(size_t bandwidth);

/// Overwrites the lower triangle of a symmetric matrix A with its factor L, A = L L^T.
///
/// Element (row, column), row >= column, is band[column * stride + row - column]; elements with row - column > bandwidth
/// are zero and must be there as zeros, up to the stride, which must be at least bandwidth + ESPALIER_BAND_CHOLESKY_BLOCK.
/// Places of rows that the matrix does not have are neither read nor written. Every element of L is computed by sums of
/// products in some order, a division and, on the diagonal, a square root: Higham's bound on the backward error holds.
///
/// Returns the order if every pivot was positive and finite, or else the column of the first that was not.
size_t espalier_band_cholesky(
    espalier_isa isa, double *band, size_t order, size_t bandwidth, size_t stride, double *scratch);

#endif
