#include "espalier_transposition.h"

#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Where the blocks of eight by eight along an axis of `extent` begin: the last one with the axis' end, so that it
// overlaps the one before rather than be smaller.
static inline size_t block_start(size_t at, size_t extent) { return at + 8 <= extent ? at : extent - 8; }

static inline size_t at_most(size_t value, size_t most) { return value < most ? value : most; }

// A part of a matrix. Rows of the destination have `width` elements, zeros from `rows` on.
typedef struct {
    const float *source;
    size_t source_pitch;
    float *destination;
    size_t destination_pitch;
    size_t rows;
    size_t columns;
    size_t width;
} matrix_piece;

#define ESPALIER_TEMPLATE "transposition_template.h"
#include "each_isa.h"

// MARK: Layouts

static espalier_transposition whole(size_t rows, size_t columns) {
    return (espalier_transposition){
        .rows = rows,
        .columns = columns,
        .source_pitch = columns,
        .destination_pitch = rows,
        .outer = {.count = 1},
        .inner = {.count = 1},
        .last_rows = rows,
        .last_columns = columns,
    };
}

espalier_transposition espalier_channels_to_blocks(
    size_t samples, size_t channels, size_t positions, size_t block) {
    const size_t blocks = (channels + block - 1) / block;
    espalier_transposition t = whole(block, positions);
    t.outer = (espalier_matrices){samples, channels * positions, blocks * block * positions};
    t.inner = (espalier_matrices){blocks, block * positions, block * positions};
    if (blocks > 0) t.last_rows = channels - (blocks - 1) * block;
    return t;
}

espalier_transposition espalier_channels_from_blocks(
    size_t samples, size_t channels, size_t positions, size_t block) {
    const size_t blocks = (channels + block - 1) / block;
    espalier_transposition t = whole(positions, at_most(channels, block));
    t.source_pitch = block;
    t.outer = (espalier_matrices){samples, blocks * block * positions, channels * positions};
    t.inner = (espalier_matrices){blocks, block * positions, block * positions};
    if (blocks > 0) t.last_columns = channels - (blocks - 1) * block;
    return t;
}

espalier_transposition espalier_channels_to_last(size_t samples, size_t channels, size_t positions) {
    espalier_transposition t = whole(channels, positions);
    t.outer = (espalier_matrices){samples, channels * positions, channels * positions};
    return t;
}

espalier_transposition espalier_channels_from_last(size_t samples, size_t channels, size_t positions) {
    return espalier_channels_to_last(samples, positions, channels);
}

// MARK: Parts

// A matrix is cut into bands of two blocks, a line of one side. Long bands are cut once more. The last band and the
// last stretch take what is left, so that they can overlap what is before without leaving their part.
enum { BAND = 16, STRETCH = 512 };

typedef struct {
    bool along_rows;
    size_t bands;
    size_t stretches;
} matrix_parts;

// Lines so many floats apart compete for the same few places of the first cache: a page, and a quarter of it.
enum { CONFLICT = 1024, NEAR_CONFLICT = 256 };

// Whether bands are rows of the source, which lines of the destination are written at once from; else they are
// columns, which are rows of the destination. Narrow matrices are one band. Where lines displace each other, writing
// each once decides. Otherwise bands go across the side whose rows are whole lines apart, so that they share none.
static bool goes_along_rows(const espalier_transposition *t) {
    if (t->rows <= BAND) return true;
    if (t->columns <= BAND / 2) return false;
    if (t->destination_pitch % CONFLICT == 0 || t->source_pitch % CONFLICT == 0) return true;
    return t->columns > BAND && t->destination_pitch % BAND == 0 && t->destination_pitch % NEAR_CONFLICT != 0;
}

static matrix_parts parts_of(const espalier_transposition *t) {
    const bool along_rows = goes_along_rows(t);
    const size_t across = along_rows ? t->rows : t->columns, along = along_rows ? t->columns : t->rows;
    return (matrix_parts){
        .along_rows = along_rows,
        .bands = across < BAND ? 1 : across / BAND,
        .stretches = along < STRETCH ? 1 : along / STRETCH,
    };
}

size_t espalier_transposition_parts(const espalier_transposition *t) {
    const matrix_parts parts = parts_of(t);
    return t->outer.count * t->inner.count * parts.bands * parts.stretches;
}

typedef struct {
    size_t first;
    size_t end;
} range;

// Number `index` of `count` ranges of `size`, the last of which ends with the extent, which may be less.
static range range_of(size_t index, size_t count, size_t size, size_t extent) {
    const size_t first = at_most(index * size, extent);
    return (range){first, index + 1 == count ? extent : at_most(first + size, extent)};
}

void espalier_transpose(
    espalier_isa isa, const espalier_transposition *t, const float *source, float *destination, size_t first,
    size_t end) {
    const matrix_parts parts = parts_of(t);
    for (size_t part = first; part < end; ++part) {
        const size_t stretch = part % parts.stretches, band = part / parts.stretches % parts.bands;
        const size_t matrix = part / (parts.stretches * parts.bands);
        const size_t inner = matrix % t->inner.count, outer = matrix / t->inner.count;
        const bool is_last = inner + 1 == t->inner.count;
        const size_t present_rows = is_last ? t->last_rows : t->rows;
        const size_t present_columns = is_last ? t->last_columns : t->columns;
        // Rows that are missing are written, columns not.
        range rows, columns;
        if (parts.along_rows) {
            rows = range_of(band, parts.bands, BAND, t->rows);
            columns = range_of(stretch, parts.stretches, STRETCH, present_columns);
        } else {
            rows = range_of(stretch, parts.stretches, STRETCH, t->rows);
            columns = range_of(band, parts.bands, BAND, present_columns);
        }
        const matrix_piece piece = {
            .source = source + outer * t->outer.source_distance + inner * t->inner.source_distance +
                      rows.first * t->source_pitch + columns.first,
            .source_pitch = t->source_pitch,
            .destination = destination + outer * t->outer.destination_distance +
                           inner * t->inner.destination_distance + columns.first * t->destination_pitch + rows.first,
            .destination_pitch = t->destination_pitch,
            .rows = at_most(rows.end, present_rows) - at_most(rows.first, present_rows),
            .columns = columns.end - columns.first,
            .width = rows.end - rows.first,
        };
        ESPALIER_DISPATCH(isa, transpose_piece, &piece, parts.along_rows);
    }
}
