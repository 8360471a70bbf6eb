#include <math.h>

#include "sparse_tiles.h"

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// MARK: Extents

size_t espalier_sparse_tiles(const void *packed, size_t columns) {
    const espalier_sparse_header *header = packed;
    const size_t lines = (columns + ESPALIER_LINE - 1) / ESPALIER_LINE;
    return (lines + header->lines - 1) / header->lines;
}

espalier_sparse_columns espalier_sparse_tile_columns(
    const espalier_sparse_header *header, size_t columns, size_t tile) {
    const size_t lines = (columns + ESPALIER_LINE - 1) / ESPALIER_LINE;
    const size_t tiles = espalier_sparse_tiles(header, columns);
    return (espalier_sparse_columns){
        .first = tile * lines / tiles * ESPALIER_LINE,
        .end = least((tile + 1) * lines / tiles * ESPALIER_LINE, columns),
    };
}

static size_t tile_bytes(const espalier_sparse_header *header) {
    // A stretch's last line may be written past the end of its slice.
    return ((size_t)header->slices * header->lines + 1) * ESPALIER_LINE_BYTES;
}

size_t espalier_sparse_tile_scratch(const espalier_sparse_header *header) {
    return tile_bytes(header) + (size_t)header->block_rows * header->lines * ESPALIER_LINE_BYTES;
}

// MARK: Computing

// Whether the last depth block can write the output itself, from the registers.
static bool writes_directly(const espalier_sparse_target *target) {
    return !target->transposed && target->piece_count == 1 &&
           target->epilogue->activation.function <= ESPALIER_ACTIVATION_CLIP;
}

// Whether the slices of a depth block can be read where they are, and should be.
static bool reads_in_place(
    const espalier_sparse_header *header, const espalier_sparse_source *source,
    const espalier_sparse_depth_block *block, size_t columns) {
    if (source->transposed || source->move_count > 0 || header->taps > 1 || block->slices == 0) return false;
    // A band computes longer with what it loads, and waits less for it.
    const uint64_t meetings = block->bands.meetings / ESPALIER_SPARSE_BAND + block->rows.meetings;
    if (meetings >= (uint64_t)ESPALIER_SPARSE_FEW * block->slices) return false;
    const espalier_sparse_tap *taps = espalier_sparse_at(header, block->taps);
    return taps[block->slices - 1].channel - taps[0].channel + 1 == block->slices &&
           columns % ESPALIER_LINE == 0 && source->channel_pitch % ESPALIER_LINE == 0 &&
           (uintptr_t)source->base % ESPALIER_LINE_BYTES == 0;
}

// The bounds that none, the rectifier and clipping are to registers.
static void find_bounds(const espalier_activation *activation, espalier_sparse_sums *sums) {
    const bool clips = activation->function == ESPALIER_ACTIVATION_CLIP;
    sums->low = activation->function == ESPALIER_ACTIVATION_RELU ? 0 : clips ? activation->lower : -INFINITY;
    sums->high = clips ? activation->upper : INFINITY;
}

static void add_part(
    espalier_isa isa, const espalier_sparse_header *header, const espalier_sparse_row_block *row_block,
    size_t b, bool bands, const espalier_sparse_target *target, bool direct, const float *tile, size_t slice_pitch,
    size_t lines, float *partial) {
    const espalier_sparse_depth_block *blocks = espalier_sparse_at(header, row_block->block_list);
    const espalier_sparse_part *part = bands ? &blocks[b].bands : &blocks[b].rows;
    if (part->units == 0) return;
    const espalier_epilogue *epilogue = target->epilogue;
    espalier_sparse_sums sums = {
        .runs = espalier_sparse_at(header, part->lengths),
        .run_count = part->runs,
        .subsets = espalier_sparse_at(header, part->lengths),
        .band_count = bands ? part->units : 0,
        .rows = espalier_sparse_at(header, part->rows),
        .slices = espalier_sparse_at(header, part->slices),
        .weights = espalier_sparse_at(header, part->weights),
        .slice_pitch = slice_pitch,
        .partial_pitch = lines * ESPALIER_LINE,
        .pitch = target->pitch,
        .begin = b == 0,
        .bias = epilogue->bias ? epilogue->bias + row_block->first_row : NULL,
    };
    find_bounds(&epilogue->activation, &sums);
    const espalier_sparse_piece *piece =
        direct && b + 1 == row_block->blocks ? target->pieces : NULL;
    const size_t most = espalier_sparse_register_lines(isa, bands);
    const size_t passes = (lines + most - 1) / most;
    for (size_t pass = 0; pass < passes; ++pass) {
        const size_t line = pass * lines / passes;
        const size_t column = line * ESPALIER_LINE;
        const size_t place = row_block->first_row * target->pitch + column;
        sums.lines = (pass + 1) * lines / passes - line;
        sums.tile = tile + column;
        sums.partial = partial + column;
        sums.columns = least(target->columns - column, sums.lines * ESPALIER_LINE);
        sums.output = piece ? piece->output + place : NULL;
        sums.residual = piece && piece->residual ? piece->residual + place : NULL;
        espalier_sparse_add(isa, &sums);
    }
}

void espalier_sparse_compute_tile(
    espalier_isa isa, const espalier_sparse_header *header, const espalier_sparse_source *source,
    const espalier_sparse_target *target, size_t first_row_block, size_t row_blocks, void *scratch) {
    const espalier_sparse_row_block *list = espalier_sparse_at(header, header->row_block_list);
    float *tile = scratch;
    float *partial = tile + tile_bytes(header) / sizeof(float);
    const size_t lines = (target->columns + ESPALIER_LINE - 1) / ESPALIER_LINE;
    const bool direct = writes_directly(target);
    for (size_t r = first_row_block; r < first_row_block + row_blocks; ++r) {
        const espalier_sparse_row_block *row_block = list + r;
        const espalier_sparse_depth_block *blocks = espalier_sparse_at(header, row_block->block_list);
        for (size_t b = 0; b < row_block->blocks; ++b) {
            const espalier_sparse_tap *taps = espalier_sparse_at(header, blocks[b].taps);
            const float *slices = tile;
            size_t slice_pitch = lines * ESPALIER_LINE;
            if (reads_in_place(header, source, blocks + b, target->columns)) {
                slices = source->base + taps->channel * source->channel_pitch;
                slice_pitch = source->channel_pitch;
            } else {
                espalier_sparse_fill(isa, source, taps, blocks[b].slices, target->columns, tile);
            }
            add_part(isa, header, row_block, b, true, target, direct, slices, slice_pitch, lines, partial);
            add_part(isa, header, row_block, b, false, target, direct, slices, slice_pitch, lines, partial);
        }
        if (!direct) {
            espalier_sparse_finish(
                isa, target, partial, lines * ESPALIER_LINE, row_block->first_row, row_block->rows);
        }
    }
}
