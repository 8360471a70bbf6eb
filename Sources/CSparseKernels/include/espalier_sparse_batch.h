/// Products of a sparse matrix with several vectors, 16 at most: Y = activation(X W^T + bias + residual).
///
/// W [outputs, inputs] has its zeros anywhere; X [rows, inputs] and Y [rows, outputs] are row-major. The rows of X lie
/// in the lanes of registers, so X is transposed first. Then each weight is spread over a register and multiplied by
/// its input's lanes in memory: there is nothing to look up. Inputs are taken in blocks whose lanes stay in the nearest
/// cache. Eight outputs at a time, of about as many weights in the block as each other, hide each other's latency.
///
/// A zero weight is not there: whatever its input is, not-a-number included, it adds nothing.
///
/// Good from five rows on, or from two without AVX-512; see espalier_sparse_vector.h for fewer.
#ifndef ESPALIER_SPARSE_BATCH_H
#define ESPALIER_SPARSE_BATCH_H

#include <stddef.h>

#include "espalier_epilogue.h"
#include "espalier_isa.h"
#include "espalier_weight_storage.h"

/// A matrix in this format, without its memory.
typedef struct {
    size_t outputs;
    size_t inputs;
    espalier_weight_storage storage;
    /// The steps that the pattern of zeros takes. In each, eight outputs take a weight.
    size_t steps;
} espalier_sparse_batch;

/// The most rows of X that one product takes.
enum { ESPALIER_SPARSE_BATCH_ROWS = 16 };

/// Describes row-major weights. Goes through all of them.
espalier_sparse_batch espalier_sparse_batch_measure(
    const float *weights, size_t outputs, size_t inputs, espalier_weight_storage storage);

/// The size of the packed matrix.
size_t espalier_sparse_batch_bytes(const espalier_sparse_batch *matrix);

/// Packs the weights that `matrix` was measured on into memory that is aligned to 64 bytes.
void espalier_sparse_batch_pack(const espalier_sparse_batch *matrix, const float *weights, void *packed);

/// The number of panels: 64 outputs each, the last one perhaps fewer. Threads divide them.
size_t espalier_sparse_batch_panels(const espalier_sparse_batch *matrix);

/// The size of prepared inputs.
size_t espalier_sparse_batch_prepared_bytes(const espalier_sparse_batch *matrix, size_t rows);

/// Transposes X into memory that is aligned to 64 bytes.
void espalier_sparse_batch_prepare(
    espalier_isa isa, const espalier_sparse_batch *matrix, const float *inputs, size_t rows, void *prepared);

/// The columns of Y that belong to the panels first..<end.
void espalier_sparse_batch_multiply(
    espalier_isa isa, const espalier_sparse_batch *matrix, const void *packed, const void *prepared, size_t rows,
    size_t first, size_t end, const espalier_epilogue *epilogue, float *outputs);

#endif
