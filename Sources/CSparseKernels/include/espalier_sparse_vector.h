/// Products of a sparse matrix with one vector, or a few: Y = activation(X W^T + bias + residual).
///
/// W [outputs, inputs] has its zeros anywhere; X [rows, inputs] and Y [rows, outputs] are row-major. Outputs lie in the
/// lanes of registers, 32 to a group. In each step every output of a group takes its next weight, provided that the
/// weight's input lies in a window of 64 inputs, which the step looks up by permutation: gathers from memory take a
/// cycle for each number, a permutation looks up 32 at once. The window begins with the first input that any output of
/// the group waits for. An output whose next weight lies beyond it sits the step out. Steps come in pairs, which share
/// a window. On random patterns the steps taken are 1.1 (70 % zeros), 1.4 (90 %), 1.7 (95 %) or 3.9 (99 %) times what
/// full registers would take.
///
/// A zero weight is not there: whatever its input is, not-a-number included, it adds nothing. Where weights have 8
/// bits, inputs below 2^-102 in magnitude lose digits.
///
/// Good for one row, and with AVX-512 up to four; see espalier_sparse_batch.h for more.
#ifndef ESPALIER_SPARSE_VECTOR_H
#define ESPALIER_SPARSE_VECTOR_H

#include <stddef.h>

#include "espalier_epilogue.h"
#include "espalier_isa.h"
#include "espalier_weight_storage.h"

/// A matrix in this format, without its memory.
typedef struct {
    size_t outputs;
    /// At most 2^19.
    size_t inputs;
    espalier_weight_storage storage;
    /// The inputs of a window: 32 for AVX2, else 64.
    size_t window;
    /// What the pattern of zeros takes.
    size_t step_pairs;
} espalier_sparse_vector;

/// Describes row-major weights, which are to be packed for `isa`. Goes through all of them.
espalier_sparse_vector espalier_sparse_vector_measure(
    espalier_isa isa, const float *weights, size_t outputs, size_t inputs, espalier_weight_storage storage);

/// The size of the packed matrix.
size_t espalier_sparse_vector_bytes(const espalier_sparse_vector *matrix);

/// Packs the weights that `matrix` was measured on into memory that is aligned to 64 bytes.
void espalier_sparse_vector_pack(const espalier_sparse_vector *matrix, const float *weights, void *packed);

/// The number of panels: 64 outputs each, the last one perhaps fewer. Threads divide them.
size_t espalier_sparse_vector_panels(const espalier_sparse_vector *matrix);

/// The size of prepared inputs.
size_t espalier_sparse_vector_prepared_bytes(const espalier_sparse_vector *matrix, size_t rows);

/// Takes the bytes of X apart, as the products look them up, into memory aligned to 64 bytes.
void espalier_sparse_vector_prepare(
    espalier_isa isa, const espalier_sparse_vector *matrix, const float *inputs, size_t rows, void *prepared);

/// The columns of Y that belong to the panels first..<end. All of `isa`s must be the same.
void espalier_sparse_vector_multiply(
    espalier_isa isa, const espalier_sparse_vector *matrix, const void *packed, const void *prepared, size_t rows,
    size_t first, size_t end, const espalier_epilogue *epilogue, float *outputs);

#endif
