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

// The weights of a row block, and the slices of one of its depth blocks.
typedef struct {
    const float *weights;
    size_t rows;
    size_t depth;
    const espalier_sparse_tap *taps;
    size_t slices;
    size_t first_channel;
    size_t kernel_taps;
    // The nonzeros in bands.
    size_t banded;
    // Whether the row is in a band, and how many slices it or its band meets.
    bool in_band[ESPALIER_SPARSE_BLOCK_ROWS];
    uint16_t met[ESPALIER_SPARSE_BLOCK_ROWS];
} espalier_sparse_elements;

// Those that meet a slice, from a row on, `depth` apart.
static const float *elements_at(const espalier_sparse_elements *elements, size_t row, size_t slice) {
    const espalier_sparse_tap tap = elements->taps[slice];
    return elements->weights + row * elements->depth +
           (tap.channel - elements->first_channel) * elements->kernel_taps + tap.tap;
}

static void find_bands(espalier_sparse_elements *elements) {
    for (size_t row = 0; row < elements->rows; ++row) {
        elements->in_band[row] = false;
        elements->met[row] = 0;
        for (size_t i = 0; i < elements->slices; ++i) elements->met[row] += *elements_at(elements, row, i) != 0;
    }
    for (size_t row = 0; row + ESPALIER_SPARSE_BAND <= elements->rows; row += ESPALIER_SPARSE_BAND) {
        size_t columns[ESPALIER_SPARSE_SUBSETS] = {0};
        for (size_t i = 0; i < elements->slices; ++i) {
            columns[espalier_sparse_subset(elements_at(elements, row, i), elements->depth)] += 1;
        }
        const espalier_sparse_four four = espalier_sparse_count_four(columns);
        if (!espalier_sparse_is_band(&four)) continue;
        for (size_t i = 0; i < ESPALIER_SPARSE_BAND; ++i) elements->in_band[row + i] = true;
        elements->met[row] = (uint16_t)four.columns;
        elements->banded += four.nonzeros;
    }
}

// The units of a part, those that meet most slices first: the processor foresees the length of the next one's loops.
typedef struct {
    size_t count;
    size_t meetings;
    uint16_t rows[ESPALIER_SPARSE_BLOCK_ROWS];
} espalier_sparse_units;

static void list_units(
    const espalier_sparse_elements *elements, bool bands, bool every_row, espalier_sparse_units *units) {
    *units = (espalier_sparse_units){.count = 0};
    const size_t height = bands ? ESPALIER_SPARSE_BAND : 1;
    uint32_t starts[ESPALIER_SPARSE_SLICES + 2] = {0};
    for (size_t row = 0; row < elements->rows; row += height) {
        // Before those that meet fewer.
        if (elements->in_band[row] == bands) starts[ESPALIER_SPARSE_SLICES - elements->met[row] + 1] += 1;
    }
    for (size_t i = 1; i < ESPALIER_SPARSE_SLICES + 2; ++i) starts[i] += starts[i - 1];
    for (size_t row = 0; row < elements->rows; row += height) {
        if (elements->in_band[row] != bands || (elements->met[row] == 0 && !every_row)) continue;
        units->rows[starts[ESPALIER_SPARSE_SLICES - elements->met[row]]++] = (uint16_t)row;
        units->count += 1;
        units->meetings += elements->met[row];
    }
}

// Reserves the arrays of a part and writes the numbers of its rows.
static void begin_part(
    const espalier_sparse_units *units, size_t lengths, size_t length_bytes, size_t nonzeros,
    espalier_sparse_writer *writer, espalier_sparse_part *part) {
    part->units = units->count;
    part->meetings = units->meetings;
    part->lengths = reserve(writer, lengths, length_bytes);
    part->rows = reserve(writer, units->count, sizeof(uint16_t));
    part->slices = reserve(writer, units->meetings, sizeof(uint16_t));
    part->weights = reserve(writer, nonzeros + ESPALIER_SPARSE_SLACK, sizeof(float));
    memcpy(writer->base + part->rows, units->rows, units->count * sizeof(uint16_t));
    memset(
        writer->base + part->weights + nonzeros * sizeof(float), 0, ESPALIER_SPARSE_SLACK * sizeof(float));
}

static void write_rows(
    const espalier_sparse_elements *elements, const espalier_sparse_units *units,
    espalier_sparse_writer *writer, espalier_sparse_part *part) {
    for (size_t unit = 0; unit < units->count; ++unit) {
        part->runs += unit == 0 || elements->met[units->rows[unit]] != elements->met[units->rows[unit - 1]];
    }
    begin_part(units, part->runs, sizeof(espalier_sparse_run), units->meetings, writer, part);
    espalier_sparse_run *run = (espalier_sparse_run *)(writer->base + part->lengths) - 1;
    uint16_t *slices = (uint16_t *)(writer->base + part->slices);
    float *weights = (float *)(writer->base + part->weights);
    for (size_t unit = 0; unit < units->count; ++unit) {
        const size_t row = units->rows[unit];
        if (unit == 0 || elements->met[row] != run->nonzeros) {
            *++run = (espalier_sparse_run){.nonzeros = elements->met[row]};
        }
        run->rows += 1;
        for (size_t i = 0; i < elements->slices; ++i) {
            const float weight = *elements_at(elements, row, i);
            if (weight == 0) continue;
            *slices++ = (uint16_t)i;
            *weights++ = weight;
        }
    }
}

static void write_bands(
    const espalier_sparse_elements *elements, const espalier_sparse_units *units,
    espalier_sparse_writer *writer, espalier_sparse_part *part) {
    begin_part(units, units->count, sizeof(espalier_sparse_subsets), elements->banded, writer, part);
    espalier_sparse_subsets *met = (espalier_sparse_subsets *)(writer->base + part->lengths);
    uint16_t *slices = (uint16_t *)(writer->base + part->slices);
    float *weights = (float *)(writer->base + part->weights);
    uint8_t subsets[ESPALIER_SPARSE_SLICES];
    for (size_t unit = 0; unit < units->count; ++unit, ++met) {
        const size_t row = units->rows[unit];
        for (size_t i = 0; i < elements->slices; ++i) {
            subsets[i] = (uint8_t)espalier_sparse_subset(elements_at(elements, row, i), elements->depth);
        }
        *met = (espalier_sparse_subsets){{0}};
        for (unsigned subset = ESPALIER_SPARSE_SUBSETS - 1; subset > 0; --subset) {
            for (size_t i = 0; i < elements->slices; ++i) {
                if (subsets[i] != subset) continue;
                met->slices[subset] += 1;
                *slices++ = (uint16_t)i;
                for (size_t j = 0; j < ESPALIER_SPARSE_BAND; ++j) {
                    if (subset >> j & 1) *weights++ = *elements_at(elements, row + j, i);
                }
            }
        }
    }
}

// Returns how many nonzeros are in bands.
static size_t write_row_block(
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
    size_t banded = 0;
    for (size_t b = 0; b < row_block->blocks; ++b) {
        const size_t start = b * used / row_block->blocks;
        const size_t end = (b + 1) * used / row_block->blocks;
        blocks[b] = (espalier_sparse_depth_block){
            .slices = end - start, .taps = list + start * sizeof(espalier_sparse_tap)};
        espalier_sparse_elements elements = {
            .weights = weights,
            .rows = row_block->rows,
            .depth = plan->depth,
            .taps = (const espalier_sparse_tap *)(writer->base + blocks[b].taps),
            .slices = end - start,
            .first_channel = first_channel,
            .kernel_taps = taps,
        };
        find_bands(&elements);
        const bool every_row = b == 0 || b + 1 == row_block->blocks;
        espalier_sparse_units units;
        list_units(&elements, true, every_row, &units);
        write_bands(&elements, &units, writer, &blocks[b].bands);
        list_units(&elements, false, every_row, &units);
        write_rows(&elements, &units, writer, &blocks[b].rows);
        banded += elements.banded;
    }
    return banded;
}

// MARK: Interface

size_t espalier_sparse_packed_size(const espalier_sparse_shape *shape, const float *weights) {
    const espalier_sparse_plan plan = espalier_sparse_make_plan(shape, weights);
    const size_t row_blocks = shape->groups * plan.blocks_per_group;
    const size_t depth_blocks = row_blocks * (plan.depth / plan.slices + 1);
    // No more runs than rows, four of which have the room of a band's subsets, and no more arrays than nine for a
    // depth block, each aligned.
    return sizeof(espalier_sparse_header) + row_blocks * sizeof(espalier_sparse_row_block) + 64 +
           depth_blocks * (sizeof(espalier_sparse_depth_block) + 9 * 8 +
                           2 * ESPALIER_SPARSE_SLACK * sizeof(float) +
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
        header->banded += write_row_block(
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

size_t espalier_sparse_expected_banded(const espalier_sparse_shape *shape, const float *weights) {
    return espalier_sparse_make_plan(shape, weights).bands.nonzeros;
}

size_t espalier_sparse_banded(const void *packed) {
    return (size_t)((const espalier_sparse_header *)packed)->banded;
}

size_t espalier_sparse_row_blocks(const void *packed) {
    return ((const espalier_sparse_header *)packed)->row_blocks;
}
