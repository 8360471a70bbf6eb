/// Transposing matrices of floats, and what comes down to it: from row-major activations to channels last or in blocks,
/// and back.
#ifndef ESPALIER_TRANSPOSITION_H
#define ESPALIER_TRANSPOSITION_H

#include <stddef.h>

#include "espalier_isa.h"

/// Matrices side by side: how many, and the floats from one to the next.
typedef struct {
    size_t count;
    size_t source_distance;
    size_t destination_distance;
} espalier_matrices;

/// Matrices [rows, columns] to be transposed: element (row, column) at source[row * source_pitch + column] becomes
/// destination[column * destination_pitch + row].
typedef struct {
    size_t rows;
    size_t columns;
    size_t source_pitch;
    size_t destination_pitch;
    /// `outer.count` groups of `inner.count` matrices.
    espalier_matrices outer;
    espalier_matrices inner;
    /// The last matrix of each group may be smaller. Rows that it lacks become zeros, columns that it lacks are not
    /// written.
    size_t last_rows;
    size_t last_columns;
} espalier_transposition;

/// From row-major [samples, channels, positions] to [samples, channels / block, positions, block], the channels past
/// the last one zeros: oneDNN's nChw8c and nChw16c. `block` is 8 or 16.
espalier_transposition espalier_channels_to_blocks(
    size_t samples, size_t channels, size_t positions, size_t block);

/// Back. The channels past the last one are not looked at.
espalier_transposition espalier_channels_from_blocks(
    size_t samples, size_t channels, size_t positions, size_t block);

/// From row-major [samples, channels, positions] to channels last, [samples, positions, channels].
espalier_transposition espalier_channels_to_last(size_t samples, size_t channels, size_t positions);

/// Back.
espalier_transposition espalier_channels_from_last(size_t samples, size_t channels, size_t positions);

/// The number of parts of about equal work, for threads to share.
size_t espalier_transposition_parts(const espalier_transposition *transposition);

/// Transposes the parts first..<end, which write apart from all others. The arrays need no alignment and must not
/// overlap.
void espalier_transpose(
    espalier_isa isa, const espalier_transposition *transposition, const float *source, float *destination,
    size_t first, size_t end);

#endif
