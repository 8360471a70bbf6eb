#include "espalier_sparse_matrix.h"

#include <stdbool.h>
#include <string.h>

#include "sparse_format.h"

// MARK: Extents

typedef struct {
    size_t depth, group_rows, lines, slices, block_rows, blocks_per_group;
    // Of eight columns, how many nonzero ones make a chunk worth taking with its empty ones; more than eight:
    // none do.
    size_t crowded;
} espalier_sparse_plan;

static size_t ceiling(size_t dividend, size_t divisor) { return (dividend + divisor - 1) / divisor; }
static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// The bytes of a tile. On a core whose first cache holds 32 KiB, tiles of more were faster: reading from the
// second cache is hidden, as long as most reads are not, and sums are stored and loaded less often. The more so
// the fewer nonzeros a row has.
static size_t tile_bytes(double density) { return (density < 0.08 ? 48 : 40) * 1024; }

// The width of tiles for which a nonzero should cost the least, in cycles for each line, from a fit to
// measurements on a core that loads and multiplies one line a cycle: the products, with the loads of offset and
// weight, which lines share; the load and store of the sums, which the nonzeros of a row in a depth block
// share; and the copy of a slice, which those of a column in a row block do.
static size_t best_lines(size_t columns, size_t depth, size_t block_rows, double density) {
    const size_t all = columns ? ceiling(columns, ESPALIER_LINE) : 1;
    size_t best = 1;
    double least_cost = 0;
    for (size_t most = 1; most <= ESPALIER_SPARSE_LINES; ++most) {
        // As the tiles of a product divide the lines.
        const size_t lines = ceiling(all, ceiling(all, most));
        const size_t slices = tile_bytes(density) / (lines * ESPALIER_LINE_BYTES);
        const size_t blocks = depth ? ceiling(depth, slices) : 1;
        const double row = density * (double)depth / (double)blocks + 0.1;
        const double column = density * (double)block_rows + 0.1;
        const double shared = 1 / (double)lines;
        const double cost = 1.17 + 0.8 * shared * shared + 2.6 / row + (3.8 + 6.4 * shared) / column;
        if (most == 1 || cost < least_cost) {
            least_cost = cost;
            best = lines;
        }
    }
    return best;
}

static size_t count_nonzeros(const float *weights, size_t count) {
    size_t nonzeros = 0;
    for (size_t i = 0; i < count; ++i) nonzeros += weights[i] != 0;
    return nonzeros;
}

static espalier_sparse_plan make_plan(const espalier_sparse_shape *shape, size_t nonzeros) {
    espalier_sparse_plan plan;
    plan.depth = shape->channels * shape->taps;
    plan.group_rows = shape->rows / shape->groups;
    const size_t parts = ceiling(shape->row_parts, shape->groups);
    size_t blocks = ceiling(plan.group_rows, ESPALIER_SPARSE_BLOCK_ROWS);
    if (blocks < parts) blocks = least(parts, ceiling(plan.group_rows, 16));
    plan.block_rows = blocks ? ceiling(plan.group_rows, blocks) : 0;
    plan.blocks_per_group = plan.block_rows ? ceiling(plan.group_rows, plan.block_rows) : 0;
    const double elements = (double)shape->rows * (double)plan.depth;
    const double density = elements > 0 ? (double)nonzeros / elements : 0;
    plan.lines = best_lines(shape->columns, plan.depth, plan.block_rows, density);
    plan.slices = tile_bytes(density) / (plan.lines * ESPALIER_LINE_BYTES);
    // Channels that follow each other can be transposed together, and read in place if they begin with lines.
    plan.crowded = shape->taps > 1 ? 9 : shape->columns % ESPALIER_LINE > 0 ? 7 : 4;
    return plan;
}

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

// Sorts the rows by how many nonzeros they have, the most first, and writes them.
static void write_depth_block(
    const espalier_sparse_plan *plan, const float *weights, size_t rows, size_t first_channel, size_t taps,
    bool every_row, espalier_sparse_writer *writer, espalier_sparse_depth_block *block) {
    const espalier_sparse_tap *list = (const espalier_sparse_tap *)(writer->base + block->taps);
    uint16_t nonzeros[ESPALIER_SPARSE_BLOCK_ROWS];
    uint32_t rows_with[ESPALIER_SPARSE_SLICES + 1] = {0};
    size_t total = 0;
    for (size_t row = 0; row < rows; ++row) {
        uint16_t count = 0;
        for (size_t i = 0; i < block->slices; ++i) {
            count += weight_at(weights + row * plan->depth, list + i, first_channel, taps) != 0;
        }
        nonzeros[row] = count;
        rows_with[count] += 1;
        total += count;
    }
    if (!every_row) rows_with[0] = 0;
    size_t listed = 0;
    for (size_t count = 0; count <= block->slices; ++count) {
        block->runs += rows_with[count] > 0;
        listed += rows_with[count];
    }
    block->nonzeros = total;
    block->run_list = reserve(writer, block->runs, sizeof(espalier_sparse_run));
    block->rows = reserve(writer, listed, sizeof(uint16_t));
    block->nonzero_slices = reserve(writer, total, sizeof(uint16_t));
    block->weights = reserve(writer, total + ESPALIER_SPARSE_SLACK, sizeof(float));
    memset(writer->base + block->weights + total * sizeof(float), 0, ESPALIER_SPARSE_SLACK * sizeof(float));
    espalier_sparse_run *runs = (espalier_sparse_run *)(writer->base + block->run_list);
    uint16_t *row_list = (uint16_t *)(writer->base + block->rows);
    uint16_t *slices = (uint16_t *)(writer->base + block->nonzero_slices);
    float *values = (float *)(writer->base + block->weights);
    for (size_t count = block->slices + 1; count-- > 0;) {
        if (!rows_with[count]) continue;
        *runs++ = (espalier_sparse_run){.nonzeros = (uint32_t)count, .rows = rows_with[count]};
        for (size_t row = 0; row < rows; ++row) {
            if (nonzeros[row] != count) continue;
            *row_list++ = (uint16_t)row;
            for (size_t i = 0; i < block->slices; ++i) {
                const float weight = weight_at(weights + row * plan->depth, list + i, first_channel, taps);
                if (weight == 0) continue;
                *slices++ = (uint16_t)i;
                *values++ = weight;
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
        blocks[b] = (espalier_sparse_depth_block){
            .slices = (uint32_t)(end - start), .taps = list + start * sizeof(espalier_sparse_tap)};
        write_depth_block(
            plan, weights, row_block->rows, first_channel, taps, b == 0 || b + 1 == row_block->blocks,
            writer, blocks + b);
    }
}

// MARK: Interface

size_t espalier_sparse_packed_size(const espalier_sparse_shape *shape, const float *weights) {
    const size_t nonzeros = count_nonzeros(weights, shape->rows * shape->channels * shape->taps);
    const espalier_sparse_plan plan = make_plan(shape, nonzeros);
    const size_t row_blocks = shape->groups * plan.blocks_per_group;
    const size_t depth_blocks = row_blocks * (plan.depth / plan.slices + 1);
    // No more runs than rows, and no more arrays than eight for a block, each aligned.
    return sizeof(espalier_sparse_header) + row_blocks * sizeof(espalier_sparse_row_block) + 64 +
           depth_blocks * (sizeof(espalier_sparse_depth_block) + 64 +
                           plan.block_rows * (sizeof(espalier_sparse_run) + sizeof(uint16_t))) +
           row_blocks * plan.depth * sizeof(espalier_sparse_tap) +
           nonzeros * (sizeof(uint16_t) + sizeof(float));
}

size_t espalier_sparse_pack(const espalier_sparse_shape *shape, const float *weights, void *packed) {
    const size_t nonzeros = count_nonzeros(weights, shape->rows * shape->channels * shape->taps);
    const espalier_sparse_plan plan = make_plan(shape, nonzeros);
    espalier_sparse_writer writer = {.base = packed, .used = sizeof(espalier_sparse_header)};
    const size_t row_blocks = shape->groups * plan.blocks_per_group;
    espalier_sparse_header *header = packed;
    *header = (espalier_sparse_header){
        .rows = shape->rows,
        .nonzeros = nonzeros,
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

size_t espalier_sparse_row_blocks(const void *packed) {
    return ((const espalier_sparse_header *)packed)->row_blocks;
}
