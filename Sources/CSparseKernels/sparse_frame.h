// Where the activations of a sparse convolution's columns are: in the input, or in a padded copy of some of its rows, the frame.
#ifndef ESPALIER_SPARSE_FRAME_H
#define ESPALIER_SPARSE_FRAME_H

#include "espalier_sparse_convolution.h"
#include "sparse_tiles.h"

// Consecutive columns, counted through the samples, and how the frame holds the rows that they reach.
//
// The frame holds, for every channel, these rows of the first sample, then those of the next, and so on. In each row it holds
// first the columns that a multiple of the stride reaches, then those one further, and so on: so that the neighbours of a tap
// are neighbours in memory, whatever the stride.
typedef struct {
    const espalier_sparse_geometry *geometry;
    // Whether the input serves as its own frame: without padding and strides in the width.
    bool in_place;
    size_t first;
    size_t end;
    // Of the input or frame, in floats.
    size_t row_pitch;
    size_t phase_pitch;
    size_t channel_pitch;
} espalier_sparse_frame;

// A frame for the columns from `first` to `end`, exclusively.
espalier_sparse_frame espalier_sparse_make_frame(
    const espalier_sparse_geometry *geometry, size_t first, size_t end);

// The floats that the frame takes: 0 if in place.
size_t espalier_sparse_frame_floats(const espalier_sparse_frame *frame);

// Copies what the columns need.
void espalier_sparse_copy_frame(const espalier_sparse_frame *frame, const float *input, float *to);

// The distances of taps from the first one, in floats.
void espalier_sparse_tap_offsets(const espalier_sparse_frame *frame, int64_t *offsets);

// Lists where the activations of the columns from `first` to `end` are, which the frame contains. Returns the number of stretches, at most
// that of columns.
size_t espalier_sparse_list_stretches(
    const espalier_sparse_frame *frame, size_t first, size_t end, espalier_sparse_stretch *stretches);

#endif
