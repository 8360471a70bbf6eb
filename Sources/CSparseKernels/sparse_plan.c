#include "sparse_plan.h"

static size_t ceiling(size_t dividend, size_t divisor) { return (dividend + divisor - 1) / divisor; }
static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// The bytes of a tile. On a core whose first cache holds 32 KiB, tiles of more were faster: reading from the
// second cache is hidden, as long as most reads are not, and sums are stored and loaded less often. The more so
// the fewer nonzeros a row has. Bands load a quarter as much, and hide it all.
static size_t tile_bytes(double density, bool banded) {
    return (banded ? 128 : density < 0.08 ? 48 : 40) * 1024;
}

static size_t most_slices(double density, bool banded, size_t lines) {
    return least(tile_bytes(density, banded) / (lines * ESPALIER_LINE_BYTES), ESPALIER_SPARSE_SLICES);
}

// The width of tiles for which a nonzero should cost the least, in cycles for each line, from a fit to
// measurements on a core that loads and multiplies one line a cycle: the products, with the loads of offset and
// weight, which lines share; the load and store of the sums, which the nonzeros of a row in a depth block
// share; and the copy of a slice, which those of a column in a row block do. Of bands, no more lines than have
// sums in registers at once.
static size_t best_lines(size_t columns, size_t depth, size_t block_rows, double density, bool banded) {
    const size_t all = columns ? ceiling(columns, ESPALIER_LINE) : 1;
    const size_t widest = banded ? ESPALIER_SPARSE_BAND_LINES : ESPALIER_SPARSE_LINES;
    size_t best = 1;
    double least_cost = 0;
    for (size_t most = 1; most <= widest; ++most) {
        // As the tiles of a product divide the lines.
        const size_t lines = ceiling(all, ceiling(all, most));
        const size_t slices = most_slices(density, banded, lines);
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

static bool is_band(const float *weights, size_t depth) {
    for (size_t i = 0; i < depth; ++i) {
        if (!espalier_sparse_is_uniform(weights + i, depth)) return false;
    }
    return true;
}

// Bands begin with every fourth row of a group.
static void count_weights(const float *weights, const espalier_sparse_shape *shape, espalier_sparse_plan *plan) {
    for (size_t row = 0; row < shape->rows;) {
        const size_t left = plan->group_rows - row % plan->group_rows;
        const size_t height = least(left, ESPALIER_SPARSE_BAND);
        const float *some = weights + row * plan->depth;
        const size_t nonzeros = count_nonzeros(some, height * plan->depth);
        plan->nonzeros += nonzeros;
        if (height == ESPALIER_SPARSE_BAND && is_band(some, plan->depth)) plan->banded += nonzeros;
        row += height;
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
    const size_t bands = ceiling(plan.group_rows, ESPALIER_SPARSE_BAND);
    plan.block_rows =
        blocks ? least(ceiling(bands, blocks) * ESPALIER_SPARSE_BAND, plan.group_rows) : 0;
    plan.blocks_per_group = plan.block_rows ? ceiling(plan.group_rows, plan.block_rows) : 0;
    const double elements = (double)shape->rows * (double)plan.depth;
    const double density = elements > 0 ? (double)plan.nonzeros / elements : 0;
    const bool banded = plan.banded * 2 > plan.nonzeros;
    plan.lines = best_lines(shape->columns, plan.depth, plan.block_rows, density, banded);
    plan.slices = most_slices(density, banded, plan.lines);
    // Channels that follow each other can be transposed together, and read in place if they begin with lines.
    plan.crowded = shape->taps > 1 ? 9 : shape->columns % ESPALIER_LINE > 0 ? 7 : 4;
    return plan;
}
