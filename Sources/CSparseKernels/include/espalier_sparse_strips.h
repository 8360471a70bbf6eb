/// Products of a matrix sparse by strips with one row, or a few: Y = activation(X W^T + bias + residual).
///
/// W [outputs, inputs]; X [rows, inputs] and Y [rows, outputs] are row-major. A strip is 16 consecutive outputs, the
/// last one perhaps fewer, all of which have nonzeros for the same inputs: blocks of 16 x 1, or of multiples of 16 by
/// anything, make such matrices. Outputs lie in the lanes of registers, and an input spread over one is multiplied by
/// the weights of a whole strip: nothing is looked up, no lane is idle, and 16 weights share one index.
///
/// A zero weight is not there: whatever its input is, not-a-number included, it adds nothing.
///
/// Good for any number of rows below what makes tiles worth filling; see espalier_sparse_vector.h and
/// espalier_sparse_batch.h for zeros anywhere.
#ifndef ESPALIER_SPARSE_STRIPS_H
#define ESPALIER_SPARSE_STRIPS_H

#include <stdbool.h>
#include <stddef.h>

#include "espalier_epilogue.h"
#include "espalier_isa.h"
#include "espalier_weight_storage.h"

enum { ESPALIER_STRIP_OUTPUTS = 16 };

/// A matrix in this format, without its memory.
typedef struct {
    size_t outputs;
    size_t inputs;
    espalier_weight_storage storage;
    /// How many pairs of a strip and an input it has weights for there are.
    size_t columns;
} espalier_sparse_strips;

/// Whether row-major weights are of this kind. Goes through them up to the first that contradicts. More than 65536
/// inputs are too many.
bool espalier_sparse_strips_fit(const float *weights, size_t outputs, size_t inputs);

/// Describes row-major weights that fit.
espalier_sparse_strips espalier_sparse_strips_measure(
    const float *weights, size_t outputs, size_t inputs, espalier_weight_storage storage);

/// The size of the packed matrix.
size_t espalier_sparse_strips_bytes(const espalier_sparse_strips *matrix);

/// Packs the weights that `matrix` was measured on into memory that is aligned to 64 bytes.
void espalier_sparse_strips_pack(const espalier_sparse_strips *matrix, const float *weights, void *packed);

/// The number of strips. Threads divide them.
size_t espalier_sparse_strips_count(const espalier_sparse_strips *matrix);

/// The size of prepared inputs.
size_t espalier_sparse_strips_prepared_bytes(const espalier_sparse_strips *matrix, size_t rows);

/// Transposes X into memory that is aligned to 64 bytes.
void espalier_sparse_strips_prepare(
    espalier_isa isa, const espalier_sparse_strips *matrix, const float *inputs, size_t rows, void *prepared);

/// The columns of Y that belong to the strips first..<end. Both `isa`s must be the same.
void espalier_sparse_strips_multiply(
    espalier_isa isa, const espalier_sparse_strips *matrix, const void *packed, const void *prepared, size_t rows,
    size_t first, size_t end, const espalier_epilogue *epilogue, float *outputs);

#endif
