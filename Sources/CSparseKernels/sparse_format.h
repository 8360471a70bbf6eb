// The packed form of a sparse matrix, which sparse_matrix.c writes: a header, and what its offsets lead to. All
// offsets are bytes from the header.
#ifndef ESPALIER_SPARSE_FORMAT_H
#define ESPALIER_SPARSE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum {
    // A line of floats, in floats and bytes: a register of AVX-512, a multiple of every other.
    ESPALIER_LINE = 16,
    ESPALIER_LINE_BYTES = 64,
    // No tile is wider.
    ESPALIER_SPARSE_LINES = 8,
    // Nor those of a band's rows in registers, on any instruction set.
    ESPALIER_SPARSE_BAND_LINES = 6,
    // The sums of such a block of rows take at most half a MiB.
    ESPALIER_SPARSE_BLOCK_ROWS = 1024,
    // The most slices of a tile.
    ESPALIER_SPARSE_SLICES = 1024,
    // Slices that fewer nonzeros use are not worth a copy if they can be read where they are, which costs more
    // each time.
    ESPALIER_SPARSE_FEW = 12,
    // The rows of a band, whose sums are in registers together.
    ESPALIER_SPARSE_BAND = 4,
    // Of the rows of a band.
    ESPALIER_SPARSE_SUBSETS = 1 << ESPALIER_SPARSE_BAND,
    // Weights are loaded by fours.
    ESPALIER_SPARSE_SLACK = 3,
};

// Where the activations of a slice come from: a channel of all groups, and a position of the kernel.
typedef struct {
    uint32_t channel;
    uint32_t tap;
} espalier_sparse_tap;

// Consecutive rows with equally many nonzeros.
typedef struct {
    uint32_t nonzeros;
    uint32_t rows;
} espalier_sparse_run;

// How many slices each subset of a band's rows meets, by the subset's number, in which bit i is row i.
typedef struct {
    uint16_t slices[ESPALIER_SPARSE_SUBSETS];
} espalier_sparse_subsets;

// The weights of units of one kind: rows, or bands of ESPALIER_SPARSE_BAND rows. A slice is loaded once for all rows of
// a band that it meets.
typedef struct {
    uint64_t units;
    // How many pairs of a unit and a slice it meets there are.
    uint64_t meetings;
    // Of rows: how many runs, and espalier_sparse_run each. Of bands: espalier_sparse_subsets each.
    uint64_t runs;
    uint64_t lengths;
    // uint16_t: the number within the row block of the first row of each unit.
    uint64_t rows;
    // uint16_t: the slice of each meeting. Those of a band are sorted by the subset of rows that they meet, all first.
    uint64_t slices;
    // float: the nonzeros of each meeting, one for each row that there is, and ESPALIER_SPARSE_SLACK zeros.
    uint64_t weights;
} espalier_sparse_part;

typedef struct {
    uint64_t slices;
    // espalier_sparse_tap of each slice, in ascending order.
    uint64_t taps;
    espalier_sparse_part bands;
    // Those in no band.
    espalier_sparse_part rows;
} espalier_sparse_depth_block;

typedef struct {
    uint32_t first_row;
    uint32_t rows;
    uint32_t blocks;
    uint32_t padding;
    // espalier_sparse_depth_block each, at least one. Every row occurs in the first, which begins its sum, and
    // in the last, which finishes it, even with no nonzeros.
    uint64_t block_list;
} espalier_sparse_row_block;

typedef struct {
    uint64_t rows;
    uint64_t nonzeros;
    // Those in bands.
    uint64_t banded;
    // Lines from one slice of a tile to the next: no tile is wider.
    uint32_t lines;
    // The most slices of a depth block and rows of a row block.
    uint32_t slices;
    uint32_t block_rows;
    uint32_t row_blocks;
    uint32_t taps;
    uint32_t padding;
    uint64_t row_block_list;
} espalier_sparse_header;

static inline const void *espalier_sparse_at(const espalier_sparse_header *header, uint64_t offset) {
    return (const char *)header + offset;
}

#endif
