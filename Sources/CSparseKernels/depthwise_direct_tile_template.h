// Rows of depthwise_direct_template.h in registers which that defines: WIDTH, VECTOR and REGISTER, EVEN, ODD, ORDERED and
// FOLLOWING, TILE(name), which names what is of these registers, and the intrinsics' INTRINSIC(name).

#define SOURCE TILE(source)

// The activations of a tile.
typedef struct {
    // What the first tap of the first position finds, which may be outside the input.
    const float *first;
    size_t pitch;
    // Which activations a row has of those that it is asked for.
    uint32_t masks[DEPTHWISE_LOADS];
    // All ones where the rows above and below that have a number exist, counted from the outermost.
    const uint32_t *above;
    const uint32_t *below;
} SOURCE;

// Activations of a row that are one load; what does not exist is 0.
ESPALIER_INLINE VECTOR TILE(load)(
    const SOURCE *source, size_t row, size_t load, size_t right, const size_t kernel, const size_t reach) {
    uint32_t mask = source->masks[load];
    if (row < kernel / 2) mask &= source->above[row];
    if (reach - 1 - row < kernel / 2) mask &= source->below[reach - 1 - row];
    return TILE(load_masked)(mask, source->first + row * source->pitch + right);
}

// With stride 2, every second activation of two registers is for one tap, and the others for the next one. They are taken from
// quarters of the registers at a time, which takes less of the units that multiply than whole ones in order do.
ESPALIER_INLINE void TILE(windows)(
    const SOURCE *source, size_t row, const size_t first, const size_t step, VECTOR *group, const size_t kernel,
    const size_t stride, const size_t reach) {
#pragma clang loop unroll(full)
    for (size_t tap = first; tap < first + step && tap < kernel; tap += stride) {
        const VECTOR low = TILE(load)(source, row, tap, tap, kernel, reach);
        if (stride == 1) {
            group[tap - first] = low;
            continue;
        }
        const VECTOR high = TILE(load)(source, row, tap + 1, tap + WIDTH, kernel, reach);
        group[tap - first] = EVEN(low, high);
        if (tap + 1 < kernel) group[tap + 1 - first] = ODD(low, high);
    }
}

#define SUMS TILE(sums)
#define WINDOWS(source, row, first, step, group) \
    TILE(windows)(source, row, first, step, group, kernel, stride, (rows - 1) * stride + kernel)
#include "depthwise_sums_template.h"

// Adds the sums of 3 x 3 taps with stride 2 for all but the last lane. What the third tap of a row finds is what the first one
// does for the next position: sums of it are shifted once, at the end, instead of activations.
ESPALIER_INLINE void TILE(sums_by_two)(
    const SOURCE *source, const VECTOR *weights, VECTOR *sums, const size_t rows) {
    const size_t reach = 2 * rows + 1;
    VECTOR next[DEPTHWISE_ROWS];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < rows; ++i) next[i] = (VECTOR){0};
#pragma clang loop unroll(full)
    for (size_t row = 0; row < reach; ++row) {
        VECTOR pair[2];
        TILE(windows)(source, row, 0, 2, pair, 3, 2, reach);
#pragma clang loop unroll(full)
        for (size_t down = row % 2; down < 3; down += 2) {
            if (row < down || row - down >= 2 * rows) continue;
            const size_t i = (row - down) / 2;
            sums[i] += weights[3 * down] * pair[0];
            next[i] += weights[3 * down + 2] * pair[0];
            sums[i] += weights[3 * down + 1] * pair[1];
        }
    }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < rows; ++i) sums[i] = ORDERED(sums[i]) + FOLLOWING(next[i]);
}

// The part of one plane.
ESPALIER_INLINE void TILE(plane)(
    const DIRECT_ROWS *part, const float *input, const float *filter, float bias, const float *residual,
    float *output, const size_t kernel, const size_t stride, const size_t rows) {
    VECTOR weights[9];
#pragma clang loop unroll(full)
    for (size_t tap = 0; kernel == 3 && tap < 9; ++tap) weights[tap] = filter[tap] - (VECTOR){0};
    const REGISTER low = INTRINSIC(set1_ps)(part->bounds.low), high = INTRINSIC(set1_ps)(part->bounds.high);
    const size_t width = part->width;
    const size_t positions = WIDTH - DIRECT_IDLE(kernel, stride);
    const uint16_t *masks = part->masks;
    SOURCE source = {.first = input, .pitch = part->pitch, .above = part->above, .below = part->below};
    for (size_t tile = 0; tile < part->tiles; ++tile) {
#pragma clang loop unroll(full)
        for (size_t load = 0; load < DEPTHWISE_LOADS; ++load) source.masks[load] = masks[load];
        const uint32_t mask = masks[DEPTHWISE_LOADS];
        VECTOR sums[DEPTHWISE_ROWS];
#pragma clang loop unroll(full)
        for (size_t row = 0; row < rows; ++row) sums[row] = bias - (VECTOR){0};
        if (kernel == 3 && stride == 2) {
            TILE(sums_by_two)(&source, weights, sums, rows);
        } else {
            TILE(sums)(&source, weights, filter, sums, kernel, stride, rows);
#pragma clang loop unroll(full)
            for (size_t row = 0; stride == 2 && row < rows; ++row) sums[row] = ORDERED(sums[row]);
        }
        if (residual) {
#pragma clang loop unroll(full)
            for (size_t row = 0; row < rows; ++row) {
                sums[row] += TILE(load_masked)(mask, residual + row * width);
            }
            residual += positions;
        }
#pragma clang loop unroll(full)
        for (size_t row = 0; row < rows; ++row) {
            // Not-a-number is the second operand, and stays.
            const REGISTER value = INTRINSIC(max_ps)(low, INTRINSIC(min_ps)(high, (REGISTER)sums[row]));
            TILE(store_masked)((VECTOR)value, mask, output + row * width);
        }
        source.first += positions * stride;
        output += positions;
        masks += DEPTHWISE_MASKS;
    }
}

ESPALIER_INLINE void TILE(rows)(
    const DIRECT_ROWS *part, const espalier_depthwise_plane *first, size_t planes, const size_t kernel,
    const size_t stride, const size_t rows) {
    const float *input = first->input + part->input;
    const float *weights = first->weights;
    const float *residual = first->residual ? first->residual + part->output : NULL;
    float *output = first->output + part->output;
    for (size_t i = 0; i < planes; ++i) {
        TILE(plane)(
            part, input, weights, first->bias ? first->bias[i] : 0, residual, output, kernel, stride, rows);
        input += part->input_floats;
        weights += kernel * kernel;
        output += part->output_floats;
        if (residual) residual += part->output_floats;
    }
}

// Not inlined, so that each has the registers to itself.
#define INSTANCE(extent, step, count)                                                   \
    static __attribute__((noinline)) void TILE(rows_##extent##_##step##_##count)(      \
        const DIRECT_ROWS *part, const espalier_depthwise_plane *first, size_t planes) { \
        TILE(rows)(part, first, planes, extent, step, count);                           \
    }
#define INSTANCES(extent, step) \
    INSTANCE(extent, step, 1) INSTANCE(extent, step, 2) INSTANCE(extent, step, 4) INSTANCE(extent, step, 7)
INSTANCES(3, 1)
INSTANCES(3, 2)
INSTANCES(5, 1)
INSTANCES(5, 2)
#undef INSTANCES
#undef INSTANCE

#define ALL_ROWS(kernel, stride)                                                               \
    {TILE(rows_##kernel##_##stride##_1), TILE(rows_##kernel##_##stride##_2),                   \
     TILE(rows_##kernel##_##stride##_4), TILE(rows_##kernel##_##stride##_7)}
// By kernel, stride and rows.
static DIRECT_FUNCTION *const TILE(functions)[2][2][4] = {
    {ALL_ROWS(3, 1), ALL_ROWS(3, 2)}, {ALL_ROWS(5, 1), ALL_ROWS(5, 2)}};
#undef ALL_ROWS

#undef SOURCE
#undef INTRINSIC
#undef TILE
#undef FOLLOWING
#undef ORDERED
#undef ODD
#undef EVEN
#undef REGISTER
#undef VECTOR
#undef WIDTH
