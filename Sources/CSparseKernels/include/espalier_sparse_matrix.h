/// Weights with zeros at arbitrary places, packed for products with many columns.
///
/// A product's columns, the positions of a convolution's output, are cut into tiles of a few lines; a line is
/// 16 floats: 64 bytes. For a tile, the rows of activations that some weights meet are copied side by side into
/// slices of lines, aligned and close to the core, and every nonzero weight adds its multiple of one slice to
/// sums in registers. The packed matrix says which activations form the slices, and lists the nonzero weights
/// with their slices in the order of use:
///
///     row blocks     so that the sums of a tile lie in the second cache; threads divide rows by them
///       depth blocks     so that the slices of a tile lie in or near the first cache
///         bands of four rows that often have nonzeros for the same activations, and
///         runs of other rows that have equally many nonzeros, so that the length of the inner loop is foreseen
///
/// Four consecutive rows, the first a multiple of four in its group, may make a band: their sums are in registers
/// together, and a slice is loaded once for all of them that have a nonzero for it. Its slices are sorted by which rows
/// those are, so that no zero is ever multiplied. Packing finds by itself where that is faster with the active
/// instruction set: always for blocks of 4 x 1 and what consists of them (16 x 1, 4 x 4), and with AVX-512 up to about
/// two thirds of zeros anywhere, 2:4 among them.
///
/// Inspired by the column tiles of Elsen, Dukhan, Gale and Simonyan, "Fast Sparse ConvNets" (2020), and the
/// blocking of dense products by Goto and van de Geijn (2008).
#ifndef ESPALIER_SPARSE_MATRIX_H
#define ESPALIER_SPARSE_MATRIX_H

#include <stddef.h>

/// What is known of a matrix before its elements are. Zero extents are allowed, except for `groups` and `taps`.
typedef struct {
    /// Rows of the matrix in all groups; a multiple of `groups`.
    size_t rows;
    /// Groups of rows which meet channels of their own, in the sense of convolutions; 1 for a product of
    /// matrices.
    size_t groups;
    /// Input channels of one group; for a product, all that a row has elements.
    size_t channels;
    /// Positions of the kernel, 1 for a product. A row holds channels * taps elements, the taps innermost.
    size_t taps;
    /// How many columns a product will have, at a guess: the width of tiles suits it. Any number may come.
    size_t columns;
    /// At least so many row blocks are wanted for threads to divide, though a block has at least 16 rows.
    size_t row_parts;
} espalier_sparse_shape;

/// A size in bytes that suffices for the packed form of `weights`, row-major (rows x channels * taps).
size_t espalier_sparse_packed_size(const espalier_sparse_shape *shape, const float *weights);

/// Packs `weights` into `packed`, aligned to 8 bytes. An element is absent if it equals zero. Returns the bytes
/// used; the packed form may be moved.
size_t espalier_sparse_pack(const espalier_sparse_shape *shape, const float *weights, void *packed);

/// The number of nonzero weights.
size_t espalier_sparse_nonzeros(const void *packed);

/// How many of them are in bands of four rows.
size_t espalier_sparse_banded(const void *packed);

/// How many nonzeros of row-major `weights` would be in bands, more or less: without packing them.
size_t espalier_sparse_expected_banded(const espalier_sparse_shape *shape, const float *weights);

/// How many blocks threads can divide the rows into.
size_t espalier_sparse_row_blocks(const void *packed);

#endif
