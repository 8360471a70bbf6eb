// Transpositions, and the layouts of activations that they make.

#include <string.h>

#include "harness.h"

// The floats from the first to the last element of matrices, or 0.
static size_t reach(
    size_t rows, size_t columns, size_t pitch, size_t outer, size_t outer_distance, size_t inner,
    size_t inner_distance) {
    if (rows == 0 || columns == 0 || outer == 0 || inner == 0) return 0;
    return (outer - 1) * outer_distance + (inner - 1) * inner_distance + (rows - 1) * pitch + columns;
}

// All parts, in a random order, since threads may take them in any.
static void transpose(
    espalier_isa isa, const espalier_transposition *t, const float *source, float *destination) {
    const size_t parts = espalier_transposition_parts(t);
    const size_t cut = random_index(0, parts);
    espalier_transpose(isa, t, source, destination, cut, parts);
    for (size_t part = cut; part > 0; --part) espalier_transpose(isa, t, source, destination, part - 1, part);
}

static void expect_equal(const float *found, const float *expected, size_t count) {
    for (size_t i = 0; i < count; ++i) expect_same(found[i], expected[i], i);
}

// With `ragged`, the last matrices of groups are smaller.
static void check_matrices(
    espalier_isa isa, size_t rows, size_t columns, size_t source_gap, size_t destination_gap, size_t outer,
    size_t inner, bool ragged) {
    const size_t last_rows = ragged ? random_index(0, rows) : rows;
    const size_t last_columns = ragged ? random_index(0, columns) : columns;
    begin_case(
        "%zux%zu matrices %zux%zu, the last ones %zux%zu, gaps %zu and %zu", outer, inner, rows, columns, last_rows,
        last_columns, source_gap, destination_gap);
    espalier_transposition t = {
        .rows = rows,
        .columns = columns,
        .source_pitch = columns + source_gap,
        .destination_pitch = rows + destination_gap,
        .outer = {.count = outer},
        .inner = {.count = inner},
        .last_rows = last_rows,
        .last_columns = last_columns,
    };
    t.inner.source_distance = rows * t.source_pitch;
    t.inner.destination_distance = columns * t.destination_pitch + random_index(0, 2);
    // Either the matrices of a group one after the other, or side by side, as the heads of an attention layer.
    if (random_chance(2)) {
        t.inner.source_distance = t.source_pitch;
        t.source_pitch *= inner;
    }
    t.outer.source_distance = rows * inner * (columns + source_gap);
    t.outer.destination_distance = inner * t.inner.destination_distance;
    const size_t sources = reach(
        rows, columns, t.source_pitch, outer, t.outer.source_distance, inner, t.inner.source_distance);
    const size_t destinations = reach(
        columns, rows, t.destination_pitch, outer, t.outer.destination_distance, inner,
        t.inner.destination_distance);
    float *source = random_floats(sources);
    poison(source, sources);
    float *destination = allocate_floats(destinations), *expected = allocate_floats(destinations);
    for (size_t place = 0; place < outer * inner * rows * columns; ++place) {
        const size_t column = place % columns, row = place / columns % rows, matrix = place / columns / rows;
        const size_t o = matrix / inner, i = matrix % inner;
        const float *from = source + o * t.outer.source_distance + i * t.inner.source_distance;
        float *to = expected + o * t.outer.destination_distance + i * t.inner.destination_distance;
        if (i + 1 == inner && column >= last_columns) continue;
        to[column * t.destination_pitch + row] =
            i + 1 == inner && row >= last_rows ? 0 : from[row * t.source_pitch + column];
    }
    transpose(isa, &t, source, destination);
    expect_equal(destination, expected, destinations);
}

// MARK: Layouts

// `block` is 0 for channels last.
static void check_layout(espalier_isa isa, size_t samples, size_t channels, size_t positions, size_t block) {
    begin_case("[%zu, %zu, %zu] in blocks of %zu", samples, channels, positions, block);
    const size_t size = block == 0 ? channels : block, blocks = size == 0 ? 0 : (channels + size - 1) / size;
    const size_t plain = samples * channels * positions, other = samples * blocks * size * positions;
    float *rows = random_floats(plain);
    poison(rows, plain);
    float *expected = allocate_floats(other), *found = allocate_floats(other), *back = allocate_floats(plain);
    for (size_t place = 0; place < other; ++place) {
        const size_t position = place / size % positions, group = place / size / positions;
        const size_t channel = group % blocks * size + place % size, sample = group / blocks;
        expected[place] = channel < channels ? rows[(sample * channels + channel) * positions + position] : 0;
    }
    const espalier_transposition to = block == 0
                                          ? espalier_channels_to_last(samples, channels, positions)
                                          : espalier_channels_to_blocks(samples, channels, positions, block);
    transpose(isa, &to, rows, found);
    expect_equal(found, expected, other);
    const espalier_transposition from = block == 0
                                            ? espalier_channels_from_last(samples, channels, positions)
                                            : espalier_channels_from_blocks(samples, channels, positions, block);
    transpose(isa, &from, expected, back);
    expect_equal(back, rows, plain);
}

void test_transpositions(espalier_isa isa) {
    // Every tail of blocks and pairs of blocks, and what is narrower than a block.
    for (size_t rows = 0; rows <= 34; ++rows) {
        for (size_t columns = 0; columns <= 34; ++columns) check_matrices(isa, rows, columns, 0, 0, 1, 1, false);
    }
    // Of more than one stretch, along either axis, and with pitches that conflict.
    check_matrices(isa, 16, 1500, 0, 0, 1, 1, false);
    check_matrices(isa, 1500, 16, 0, 0, 1, 1, false);
    check_matrices(isa, 1100, 33, 0, 0, 1, 1, false);
    check_matrices(isa, 512, 19, 0, 0, 1, 1, false);
    check_matrices(isa, 3, 1033, 0, 0, 1, 1, false);
    check_matrices(isa, 1033, 3, 0, 0, 1, 1, false);
    for (int i = 0; i < 1000; ++i) {
        const size_t gap = random_chance(2) ? 0 : random_index(1, 5);
        check_matrices(
            isa, random_index(0, 40), random_index(0, 40), random_index(0, 5), gap, random_index(0, 3),
            random_index(0, 3), random_chance(2));
    }
    static const size_t blocks[] = {0, 8, 16};
    static const size_t positions[] = {0, 1, 2, 7, 8, 9, 16, 17, 49, 529};
    for (size_t b = 0; b < 3; ++b) {
        for (size_t p = 0; p < sizeof positions / sizeof positions[0]; ++p) {
            for (size_t channels = 0; channels <= 34; ++channels) {
                check_layout(isa, random_index(1, 2), channels, positions[p], blocks[b]);
            }
        }
    }
}
