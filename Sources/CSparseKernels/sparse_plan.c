#include "sparse_plan.h"

#include "espalier_isa.h"

static size_t ceiling(size_t dividend, size_t divisor) { return (dividend + divisor - 1) / divisor; }
static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// The bytes of a tile. On a core whose first cache holds 32 KiB, tiles of more were faster: reading from the
// second cache is hidden, as long as most reads are not, and sums are stored and loaded less often. The more so
// the fewer nonzeros a row has. Bands of which most columns are full load a quarter as much, and hide it all; those of
// other bands are met in an order that is not memory's.
static size_t tile_bytes(double density, espalier_sparse_four bands) {
    if (bands.nonzeros == 0) return (density < 0.08 ? 48 : 40) * 1024;
    return (bands.columns * 3 <= bands.nonzeros ? 128 : 32) * 1024;
}

// The width of tiles for which a nonzero should cost the least, in cycles for each line, from a fit to
// measurements on a core that loads and multiplies one line a cycle: the products, with the loads of offset and
// weight, which lines share; the load and store of the sums, which the nonzeros of a row in a depth block
// share; and the copy of a slice, which those of a column in a row block do. Of bands, no more lines than have
// sums in registers at once.
static size_t best_lines(size_t columns, size_t depth, size_t block_rows, double density, espalier_sparse_four bands) {
    const bool banded = bands.nonzeros > 0;
    const size_t all = columns ? ceiling(columns, ESPALIER_LINE) : 1;
    const size_t widest = banded ? ESPALIER_SPARSE_BAND_LINES : ESPALIER_SPARSE_LINES;
    size_t best = 1;
    double least_cost = 0;
    for (size_t most = 1; most <= widest; ++most) {
        // As the tiles of a product divide the lines.
        const size_t lines = ceiling(all, ceiling(all, most));
        const size_t slices = tile_bytes(density, bands) / (lines * ESPALIER_LINE_BYTES);
        const size_t blocks = depth ? ceiling(depth, slices) : 1;
        const double row = density * (double)depth / (double)blocks + 0.1;
        const double column = density * (double)block_rows + 0.1;
        const double shared = 1 / (double)lines;
        const double product = banded ? 1.03 + 0.1 * shared : 1.17 + 0.8 * shared * shared;
        const double cost = product + 2.6 / row + (3.8 + 6.4 * shared) / column;
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

espalier_sparse_four espalier_sparse_count_four(const size_t columns[ESPALIER_SPARSE_SUBSETS]) {
    espalier_sparse_four four = {0};
    for (unsigned subset = 1; subset < ESPALIER_SPARSE_SUBSETS; ++subset) {
        size_t rows = 0;
        for (unsigned rest = subset; rest > 0; rest >>= 1) rows += rest & 1;
        four.nonzeros += columns[subset] * rows;
        four.columns += columns[subset];
        four.subsets += columns[subset] > 0;
    }
    return four;
}

// With AVX-512, if slices are loaded for several rows often enough, and if the loops over the slices of one subset are
// so long that the surprise of their ends is made up for. Others have registers for so few columns of a band that its
// sums wait for each other, unless nearly all of its columns are full; and too few for that without AVX2.
bool espalier_sparse_is_band(const espalier_sparse_four *four) {
    switch (espalier_isa_active()) {
        case ESPALIER_ISA_AVX512:
            return four->columns * 5 <= four->nonzeros * 3 && four->nonzeros >= 8 * four->subsets;
        case ESPALIER_ISA_AVX2:
        case ESPALIER_ISA_NEON:
            return four->columns * 7 <= four->nonzeros * 2 && four->nonzeros >= 8 * four->subsets;
        case ESPALIER_ISA_PORTABLE:
            return false;
    }
    return false;
}

// Bands begin with every fourth row of a group.
static void count_weights(const float *weights, const espalier_sparse_shape *shape, espalier_sparse_plan *plan) {
    const size_t depth = plan->depth;
    for (size_t row = 0; row < shape->rows;) {
        const size_t height = least(plan->group_rows - row % plan->group_rows, ESPALIER_SPARSE_BAND);
        const float *rows = weights + row * depth;
        plan->nonzeros += count_nonzeros(rows, height * depth);
        row += height;
        if (height < ESPALIER_SPARSE_BAND) continue;
        size_t columns[ESPALIER_SPARSE_SUBSETS] = {0};
        for (size_t i = 0; i < depth; ++i) columns[espalier_sparse_subset(rows + i, depth)] += 1;
        const espalier_sparse_four four = espalier_sparse_count_four(columns);
        if (!espalier_sparse_is_band(&four)) continue;
        plan->bands.nonzeros += four.nonzeros;
        plan->bands.columns += four.columns;
    }
}

espalier_sparse_plan espalier_sparse_make_plan(const espalier_sparse_shape *shape, const float *weights) {
    espalier_sparse_plan plan = {.depth = shape->channels * shape->taps};
    plan.group_rows = shape->rows / shape->groups;
    count_weights(weights, shape, &plan);
    const size_t parts = ceiling(shape->row_parts, shape->groups);
    size_t blocks = ceiling(plan.group_rows, ESPALIER_SPARSE_BLOCK_ROWS);
    if (blocks < parts) blocks = least(parts, ceiling(plan.group_rows, 16));
    // No band is cut.
    const size_t fours = ceiling(plan.group_rows, ESPALIER_SPARSE_BAND);
    plan.block_rows =
        blocks ? least(ceiling(fours, blocks) * ESPALIER_SPARSE_BAND, plan.group_rows) : 0;
    plan.blocks_per_group = plan.block_rows ? ceiling(plan.group_rows, plan.block_rows) : 0;
    const double elements = (double)shape->rows * (double)plan.depth;
    const double density = elements > 0 ? (double)plan.nonzeros / elements : 0;
    const bool most = plan.bands.nonzeros * 2 > plan.nonzeros;
    const espalier_sparse_four bands = most ? plan.bands : (espalier_sparse_four){0};
    plan.lines = best_lines(shape->columns, plan.depth, plan.block_rows, density, bands);
    plan.slices =
        least(tile_bytes(density, bands) / (plan.lines * ESPALIER_LINE_BYTES), ESPALIER_SPARSE_SLICES);
    // Channels that follow each other can be transposed together, and read in place if they begin with lines.
    plan.crowded = shape->taps > 1 ? 9 : shape->columns % ESPALIER_LINE > 0 ? 7 : 4;
    return plan;
}
