// One tile of columns of a sparse product: what the drivers (sparse_product.c, sparse_convolution.c) share.
#ifndef ESPALIER_SPARSE_TILES_H
#define ESPALIER_SPARSE_TILES_H

#include <stdint.h>

#include "espalier_sparse_product.h"
#include "sparse_format.h"

// MARK: Filling a tile with activations

// How many floats are copied at once where a slice's activations are scattered.
enum { ESPALIER_SPARSE_MOVE = 8 };

// A copy of ESPALIER_SPARSE_MOVE floats. Moves are made in ascending order, and what one writes past its
// columns the next one, or the next slice's, writes over.
typedef int64_t espalier_sparse_move;

// Activations of which those for any slice begin at
//     base + channel * channel_pitch + tap_offsets[tap].
typedef struct {
    const float *base;
    size_t channel_pitch;
    // NULL where there is one tap.
    const int64_t *tap_offsets;
    // The moves that fill a slice. None where all its columns follow the first.
    const espalier_sparse_move *moves;
    size_t move_count;
    // Whether the matrix is transposed: then `channel_pitch` lies between columns.
    bool transposed;
} espalier_sparse_source;

// Fills the slices of a depth block, `columns` of each, with zeros to a full line.
void espalier_sparse_fill(
    espalier_isa isa, const espalier_sparse_source *source, const espalier_sparse_tap *taps, size_t slices,
    size_t columns, float *tile);

// MARK: Sums

// Consecutive columns of a tile whose outputs are consecutive.
typedef struct {
    size_t column;
    size_t count;
    // Of row 0 of the whole matrix.
    float *output;
    const float *residual;
} espalier_sparse_piece;

// Where the sums of a tile go.
typedef struct {
    size_t columns;
    const espalier_sparse_piece *pieces;
    size_t piece_count;
    // From one row of the output to the next, or, if transposed, from one column to the next.
    size_t pitch;
    bool transposed;
    const espalier_epilogue *epilogue;
} espalier_sparse_target;

// The sums of `lines` lines, for one part of a depth block: one of rows if it has runs, else one of bands.
typedef struct {
    const espalier_sparse_run *runs;
    size_t run_count;
    const espalier_sparse_subsets *subsets;
    size_t band_count;
    const uint16_t *rows;
    const uint16_t *slices;
    const float *weights;
    // The first slice, aligned to lines, and the floats to the next one.
    const float *tile;
    size_t slice_pitch;
    size_t lines;
    // Unfinished sums, with `partial_pitch` floats from row to row, aligned to lines. The columns past the last
    // are sums of anything.
    float *partial;
    size_t partial_pitch;
    // Whether sums begin here, and with what: NULL or a number for each row.
    bool begin;
    const float *bias;
    // If not NULL, the sums end here: they are clipped and written to this, `columns` of them.
    float *output;
    const float *residual;
    size_t pitch;
    size_t columns;
    float low;
    float high;
} espalier_sparse_sums;

// The widest tile whose sums for a row, or for a band, fit the registers.
size_t espalier_sparse_register_lines(espalier_isa isa, bool band);

// Adds the products of one part. At most espalier_sparse_register_lines lines.
void espalier_sparse_add(espalier_isa isa, const espalier_sparse_sums *sums);

// Writes `rows` finished rows, from `first_row` of the matrix on, with residuals and activation. Where the
// output is transposed, there is one piece.
void espalier_sparse_finish(
    espalier_isa isa, const espalier_sparse_target *target, float *partial, size_t partial_pitch,
    size_t first_row, size_t rows);

// MARK: All of it

// The scratch of one tile, in bytes.
size_t espalier_sparse_tile_scratch(const espalier_sparse_header *header);

// Computes a range of row blocks of one tile.
void espalier_sparse_compute_tile(
    espalier_isa isa, const espalier_sparse_header *header, const espalier_sparse_source *source,
    const espalier_sparse_target *target, size_t first_row_block, size_t row_blocks, void *scratch);

// The columns of a tile: those from first to end, exclusively.
typedef struct {
    size_t first;
    size_t end;
} espalier_sparse_columns;

espalier_sparse_columns espalier_sparse_tile_columns(
    const espalier_sparse_header *header, size_t columns, size_t tile);

#endif
