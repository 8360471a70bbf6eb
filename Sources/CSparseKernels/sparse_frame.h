// Where the activations of a sparse convolution's columns are: in the input, or in a padded copy of some of its
// rows, the frame.
#ifndef ESPALIER_SPARSE_FRAME_H
#define ESPALIER_SPARSE_FRAME_H

#include "espalier_sparse_convolution.h"
#include "sparse_tiles.h"

// Consecutive columns, counted through the samples, and how the frame holds the rows that they reach.
//
// The frame holds, for every channel, these rows of the first sample, then those of the next, and so on. In
// each row it holds first the columns that a multiple of the stride reaches, then those one further, and so on:
// so that the neighbours of a tap are neighbours in memory, whatever the stride.
typedef struct {
    const espalier_sparse_geometry *geometry;
    // Whether the input serves as its own frame.
    bool in_place;
    size_t first;
    size_t end;
    // Of the input or frame, in floats.
    size_t row_pitch;
    size_t phase_pitch;
    size_t channel_pitch;
} espalier_sparse_frame;

// The elements of a row that have one remainder modulo the stride.
typedef struct {
    size_t extent;
    size_t stride;
    // Those from `start` to `end`, exclusively, are in the input, the first at `source` in its row; the others
    // are padding.
    size_t start;
    size_t end;
    int64_t source;
} espalier_sparse_phase;

// A frame for the columns from `first` to `end`, exclusively.
espalier_sparse_frame espalier_sparse_make_frame(
    const espalier_sparse_geometry *geometry, size_t first, size_t end);

// One that is never the input itself, so that whole lines can be read.
espalier_sparse_frame espalier_sparse_make_copied_frame(
    const espalier_sparse_geometry *geometry, size_t first, size_t end);

// The floats that the frame takes: 0 if in place.
size_t espalier_sparse_frame_floats(const espalier_sparse_frame *frame);

// Copies what the columns need.
void espalier_sparse_copy_frame(
    espalier_isa isa, const espalier_sparse_frame *frame, const float *input, float *to);

// The distances of taps from the first one, in floats.
void espalier_sparse_tap_offsets(const espalier_sparse_frame *frame, int64_t *offsets);

// Lists the moves that bring the activations of the columns from `first` to `end`, which the frame contains,
// into a slice; none if they follow each other. At most as many as columns. Returns where the first one's are.
size_t espalier_sparse_list_moves(
    const espalier_sparse_frame *frame, size_t first, size_t end, espalier_sparse_move *moves,
    size_t *move_count);

#endif
