#include "espalier_sparse_matrix.h"

#include <stdbool.h>
#include <string.h>

#include "sparse_plan.h"

static size_t ceiling(size_t dividend, size_t divisor) { return (dividend + divisor - 1) / divisor; }
static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// MARK: Writing

// Where the next array goes.
typedef struct {
    char *base;
    uint64_t used;
} espalier_sparse_writer;

static uint64_t reserve(espalier_sparse_writer *writer, size_t count, size_t size) {
    const uint64_t start = (writer->used + 7) / 8 * 8;
    writer->used = start + count * size;
    return start;
}

// Lists the columns in which some of `rows` rows have a nonzero, and those between them in crowded chunks. Goes
// along the rows, for chunks of columns.
static size_t list_taps(
    const espalier_sparse_plan *plan, const float *weights, size_t rows, size_t first_channel, size_t taps,
    espalier_sparse_tap *list) {
    enum { CHUNK = 1024 };
    bool found[CHUNK];
    size_t count = 0;
    for (size_t start = 0; start < plan->depth; start += CHUNK) {
        const size_t columns = least(CHUNK, plan->depth - start);
        memset(found, 0, sizeof found);
        for (size_t row = 0; row < rows; ++row) {
            const float *line = weights + row * plan->depth + start;
            for (size_t i = 0; i < columns; ++i) found[i] |= line[i] != 0;
        }
        size_t used = 0;
        for (size_t i = 0; i < columns; ++i) used += found[i];
        const bool every = used * 8 >= columns * plan->crowded;
        for (size_t i = 0; i < columns; ++i) {
            if (!found[i] && !every) continue;
            list[count].channel = (uint32_t)(first_channel + (start + i) / taps);
            list[count].tap = (uint32_t)((start + i) % taps);
            ++count;
        }
    }
    return count;
}

// The element of `row` that meets a slice.
static float weight_at(
    const float *row, const espalier_sparse_tap *tap, size_t first_channel, size_t taps) {
    return row[(tap->channel - first_channel) * taps + tap->tap];
}

// The rows of a depth block, as units.
typedef struct {
    size_t rows;
    // Where a unit begins, its rows; else 0.
    uint8_t heights[ESPALIER_SPARSE_BLOCK_ROWS];
    // How many slices it meets.
    uint16_t met[ESPALIER_SPARSE_BLOCK_ROWS];
} espalier_sparse_units;

// The weights of a row block, and the slices of one of its depth blocks.
typedef struct {
    const float *weights;
    size_t depth;
    const espalier_sparse_tap *taps;
    size_t slices;
    size_t first_channel;
    size_t kernel_taps;
} espalier_sparse_elements;

// Those that meet a slice, row after row.
static const float *column_of(const espalier_sparse_elements *elements, size_t slice) {
    const espalier_sparse_tap tap = elements->taps[slice];
    return elements->weights + (tap.channel - elements->first_channel) * elements->kernel_taps + tap.tap;
}

static void find_units(const espalier_sparse_elements *elements, size_t rows, espalier_sparse_units *units) {
    *units = (espalier_sparse_units){.rows = rows};
    const size_t depth = elements->depth;
    size_t height = 1;
    for (size_t row = 0; row < rows; ++row) {
        if (row % ESPALIER_SPARSE_BAND == 0) {
            height = row + ESPALIER_SPARSE_BAND <= rows ? ESPALIER_SPARSE_BAND : 1;
            for (size_t i = 0; i < elements->slices && height > 1; ++i) {
                if (!espalier_sparse_is_uniform(column_of(elements, i) + row * depth, depth)) height = 1;
            }
        }
        if (row % height > 0) continue;
        units->heights[row] = (uint8_t)height;
        for (size_t i = 0; i < elements->slices; ++i) {
            units->met[row] += column_of(elements, i)[row * depth] != 0;
        }
    }
}

// Writes the units of one height, sorted by how many slices they meet, the most first.
static void write_part(
    const espalier_sparse_elements *elements, const espalier_sparse_units *units, size_t height, bool every_row,
    espalier_sparse_writer *writer, espalier_sparse_part *part) {
    uint32_t units_with[ESPALIER_SPARSE_SLICES + 1] = {0};
    *part = (espalier_sparse_part){.height = (uint32_t)height};
    for (size_t row = 0; row < units->rows; ++row) {
        if (units->heights[row] != height) continue;
        units_with[units->met[row]] += 1;
        part->meetings += units->met[row];
    }
    if (!every_row) units_with[0] = 0;
    size_t listed = 0;
    for (size_t met = 0; met <= elements->slices; ++met) {
        part->runs += units_with[met] > 0;
        listed += units_with[met];
    }
    const size_t nonzeros = part->meetings * height;
    part->run_list = reserve(writer, part->runs, sizeof(espalier_sparse_run));
    part->rows = reserve(writer, listed, sizeof(uint16_t));
    part->slices = reserve(writer, part->meetings, sizeof(uint16_t));
    part->weights = reserve(writer, nonzeros + ESPALIER_SPARSE_SLACK, sizeof(float));
    espalier_sparse_run *runs = (espalier_sparse_run *)(writer->base + part->run_list);
    uint16_t *rows = (uint16_t *)(writer->base + part->rows);
    uint16_t *slices = (uint16_t *)(writer->base + part->slices);
    float *values = (float *)(writer->base + part->weights);
    memset(values + nonzeros, 0, ESPALIER_SPARSE_SLACK * sizeof(float));
    for (size_t met = elements->slices + 1; met-- > 0;) {
        if (!units_with[met]) continue;
        *runs++ = (espalier_sparse_run){.slices = (uint32_t)met, .units = units_with[met]};
        for (size_t row = 0; row < units->rows; ++row) {
            if (units->heights[row] != height || units->met[row] != met) continue;
            *rows++ = (uint16_t)row;
            for (size_t i = 0; i < elements->slices; ++i) {
                const float *column = column_of(elements, i) + row * elements->depth;
                if (*column == 0) continue;
                *slices++ = (uint16_t)i;
                for (size_t j = 0; j < height; ++j) *values++ = column[j * elements->depth];
            }
        }
    }
}

static void write_row_block(
    const espalier_sparse_plan *plan, const float *weights, size_t first_channel, size_t taps,
    espalier_sparse_writer *writer, espalier_sparse_row_block *row_block) {
    const uint64_t list = reserve(writer, 0, sizeof(espalier_sparse_tap));
    const size_t used = list_taps(
        plan, weights, row_block->rows, first_channel, taps, (espalier_sparse_tap *)(writer->base + list));
    reserve(writer, used, sizeof(espalier_sparse_tap));
    row_block->blocks = used ? (uint32_t)ceiling(used, plan->slices) : 1;
    row_block->block_list = reserve(writer, row_block->blocks, sizeof(espalier_sparse_depth_block));
    espalier_sparse_depth_block *blocks =
        (espalier_sparse_depth_block *)(writer->base + row_block->block_list);
    for (size_t b = 0; b < row_block->blocks; ++b) {
        const size_t start = b * used / row_block->blocks;
        const size_t end = (b + 1) * used / row_block->blocks;
        blocks[b].slices = end - start;
        blocks[b].taps = list + start * sizeof(espalier_sparse_tap);
        const espalier_sparse_elements elements = {
            .weights = weights,
            .depth = plan->depth,
            .taps = (const espalier_sparse_tap *)(writer->base + blocks[b].taps),
            .slices = end - start,
            .first_channel = first_channel,
            .kernel_taps = taps,
        };
        espalier_sparse_units units;
        find_units(&elements, row_block->rows, &units);
        const bool every_row = b == 0 || b + 1 == row_block->blocks;
        write_part(
            &elements, &units, ESPALIER_SPARSE_BAND, every_row, writer, blocks[b].parts + ESPALIER_SPARSE_BANDS);
        write_part(&elements, &units, 1, every_row, writer, blocks[b].parts + ESPALIER_SPARSE_ROWS);
    }
}

// MARK: Interface

size_t espalier_sparse_packed_size(const espalier_sparse_shape *shape, const float *weights) {
    const espalier_sparse_plan plan = espalier_sparse_make_plan(shape, weights);
    const size_t row_blocks = shape->groups * plan.blocks_per_group;
    const size_t depth_blocks = row_blocks * (plan.depth / plan.slices + 1);
    // No more runs than rows, and no more arrays than nine for a depth block, each aligned.
    return sizeof(espalier_sparse_header) + row_blocks * sizeof(espalier_sparse_row_block) + 64 +
           depth_blocks * (sizeof(espalier_sparse_depth_block) + 9 * 8 +
                           ESPALIER_SPARSE_PARTS * ESPALIER_SPARSE_SLACK * sizeof(float) +
                           plan.block_rows * (sizeof(espalier_sparse_run) + sizeof(uint16_t))) +
           row_blocks * plan.depth * sizeof(espalier_sparse_tap) +
           plan.nonzeros * (sizeof(uint16_t) + sizeof(float));
}

size_t espalier_sparse_pack(const espalier_sparse_shape *shape, const float *weights, void *packed) {
    const espalier_sparse_plan plan = espalier_sparse_make_plan(shape, weights);
    espalier_sparse_writer writer = {.base = packed, .used = sizeof(espalier_sparse_header)};
    const size_t row_blocks = shape->groups * plan.blocks_per_group;
    espalier_sparse_header *header = packed;
    *header = (espalier_sparse_header){
        .rows = shape->rows,
        .nonzeros = plan.nonzeros,
        .banded = plan.banded,
        .lines = (uint32_t)plan.lines,
        .block_rows = (uint32_t)plan.block_rows,
        .row_blocks = (uint32_t)row_blocks,
        .taps = (uint32_t)shape->taps,
    };
    header->row_block_list = reserve(&writer, row_blocks, sizeof(espalier_sparse_row_block));
    espalier_sparse_row_block *list = (espalier_sparse_row_block *)(writer.base + header->row_block_list);
    for (size_t b = 0; b < row_blocks; ++b) {
        const size_t group = b / plan.blocks_per_group;
        const size_t row = b % plan.blocks_per_group * plan.block_rows;
        list[b] = (espalier_sparse_row_block){
            .first_row = (uint32_t)(group * plan.group_rows + row),
            .rows = (uint32_t)least(plan.block_rows, plan.group_rows - row),
        };
        write_row_block(
            &plan, weights + list[b].first_row * plan.depth, group * shape->channels, shape->taps, &writer,
            list + b);
        const espalier_sparse_depth_block *blocks =
            espalier_sparse_at(header, list[b].block_list);
        for (size_t d = 0; d < list[b].blocks; ++d) {
            if (blocks[d].slices > header->slices) header->slices = blocks[d].slices;
        }
    }
    return writer.used;
}

size_t espalier_sparse_nonzeros(const void *packed) {
    return (size_t)((const espalier_sparse_header *)packed)->nonzeros;
}

size_t espalier_sparse_banded(const void *packed) {
    return (size_t)((const espalier_sparse_header *)packed)->banded;
}

size_t espalier_sparse_row_blocks(const void *packed) {
    return ((const espalier_sparse_header *)packed)->row_blocks;
}
