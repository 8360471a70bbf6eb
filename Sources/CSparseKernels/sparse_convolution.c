#include "espalier_sparse_convolution.h"

#include "sparse_frame.h"

enum {
    MOST_COLUMNS = ESPALIER_SPARSE_LINES * ESPALIER_LINE,
    // A frame is made for as many tiles as keep it below this, in floats, so that it stays in the second cache.
    FRAME_FLOATS = 128 * 1024,
};

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// MARK: Tiles

static size_t positions_of(const espalier_sparse_geometry *g) { return g->output_height * g->output_width; }

// Whether tiles go on from one sample to the next: where a sample's last line would waste much.
static bool joins_samples(const espalier_sparse_geometry *g) {
    const size_t positions = positions_of(g);
    const size_t padded = (positions + ESPALIER_LINE - 1) / ESPALIER_LINE * ESPALIER_LINE;
    return g->samples > 1 && (padded - positions) * 16 > positions;
}

size_t espalier_sparse_convolution_tiles(const void *packed, const espalier_sparse_geometry *g) {
    return joins_samples(g) ? espalier_sparse_tiles(packed, g->samples * positions_of(g))
                            : g->samples * espalier_sparse_tiles(packed, positions_of(g));
}

// Columns counted through all samples.
static espalier_sparse_columns tile_columns(
    const espalier_sparse_header *header, const espalier_sparse_geometry *g, size_t tile) {
    const size_t positions = positions_of(g);
    if (joins_samples(g)) return espalier_sparse_tile_columns(header, g->samples * positions, tile);
    const size_t tiles = espalier_sparse_tiles(header, positions);
    espalier_sparse_columns columns = espalier_sparse_tile_columns(header, positions, tile % tiles);
    columns.first += tile / tiles * positions;
    columns.end += tile / tiles * positions;
    return columns;
}

// MARK: Scratch

static size_t offsets_bytes(const espalier_sparse_geometry *g) {
    const size_t bytes = g->kernel_height * g->kernel_width * sizeof(int64_t);
    return (bytes + ESPALIER_LINE_BYTES - 1) / ESPALIER_LINE_BYTES * ESPALIER_LINE_BYTES;
}

static size_t frame_floats(
    const espalier_sparse_header *header, const espalier_sparse_geometry *g, size_t first, size_t last) {
    const espalier_sparse_frame frame = espalier_sparse_make_frame(
        g, tile_columns(header, g, first).first, tile_columns(header, g, last).end);
    return espalier_sparse_frame_floats(&frame);
}

size_t espalier_sparse_convolution_scratch(const void *packed, const espalier_sparse_geometry *g) {
    const size_t tiles = espalier_sparse_convolution_tiles(packed, g);
    size_t floats = 0;
    for (size_t tile = 0; tile < tiles; ++tile) {
        const size_t needed = frame_floats(packed, g, tile, tile);
        if (needed > floats) floats = needed;
    }
    if (floats > 0 && floats < FRAME_FLOATS) floats = FRAME_FLOATS;
    return espalier_sparse_tile_scratch(packed) + offsets_bytes(g) + floats * sizeof(float);
}

// MARK: Computing

// The parts of a tile's outputs, one for each sample.
static size_t list_pieces(
    const espalier_sparse_header *header, const espalier_sparse_geometry *g, espalier_sparse_columns columns,
    float *output, const float *residual, espalier_sparse_piece *pieces) {
    const size_t positions = positions_of(g);
    size_t count = 0;
    for (size_t column = columns.first; column < columns.end;) {
        const size_t start = column / positions * header->rows * positions + column % positions;
        const size_t length = least(positions - column % positions, columns.end - column);
        pieces[count++] = (espalier_sparse_piece){
            .column = column - columns.first,
            .count = length,
            .output = output + start,
            .residual = residual ? residual + start : NULL,
        };
        column += length;
    }
    return count;
}

void espalier_sparse_convolution(
    espalier_isa isa, const void *packed, const espalier_sparse_geometry *g, const float *input, float *output,
    const espalier_epilogue *epilogue, espalier_sparse_range range, void *scratch) {
    const espalier_sparse_header *header = packed;
    int64_t *offsets = scratch;
    void *tile_scratch = (char *)scratch + offsets_bytes(g);
    float *frame_scratch = (float *)((char *)tile_scratch + espalier_sparse_tile_scratch(header));
    espalier_sparse_move moves[MOST_COLUMNS];
    espalier_sparse_piece pieces[MOST_COLUMNS];
    const size_t end = range.first_tile + range.tiles;
    for (size_t tile = range.first_tile; tile < end;) {
        size_t last = tile;
        while (last + 1 < end && frame_floats(header, g, tile, last + 1) <= FRAME_FLOATS) ++last;
        const espalier_sparse_frame frame = espalier_sparse_make_frame(
            g, tile_columns(header, g, tile).first, tile_columns(header, g, last).end);
        espalier_sparse_tap_offsets(&frame, offsets);
        if (!frame.in_place) espalier_sparse_copy_frame(isa, &frame, input, frame_scratch);
        for (; tile <= last; ++tile) {
            const espalier_sparse_columns columns = tile_columns(header, g, tile);
            espalier_sparse_source source = {
                .base = frame.in_place ? input : frame_scratch,
                .channel_pitch = frame.channel_pitch,
                .tap_offsets = offsets,
                .moves = moves,
            };
            source.base += espalier_sparse_list_moves(
                &frame, columns.first, columns.end, moves, &source.move_count);
            const espalier_sparse_target target = {
                .columns = columns.end - columns.first,
                .pieces = pieces,
                .piece_count = list_pieces(header, g, columns, output, epilogue->residual, pieces),
                .pitch = positions_of(g),
                .epilogue = epilogue,
            };
            espalier_sparse_compute_tile(
                isa, header, &source, &target, range.first_row_block, range.row_blocks, tile_scratch);
        }
    }
}
