// Rows of depthwise_direct_template.h in registers which that defines: WIDTH, VECTOR, REGISTER, MASK, EVEN, ODD, TILE(name)
// and the intrinsics' INTRINSIC(name).

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

// The mask of one load of a row.
ESPALIER_INLINE MASK TILE(mask)(
    const SOURCE *source, size_t row, size_t load, const size_t kernel, const size_t reach) {
    uint32_t mask = source->masks[load];
    if (row < kernel / 2) mask &= source->above[row];
    if (reach - 1 - row < kernel / 2) mask &= source->below[reach - 1 - row];
    return (MASK)mask;
}

// Both taps of a pair; with stride 2 they are in two registers.
ESPALIER_INLINE void TILE(pair)(
    const SOURCE *source, size_t row, size_t tap, VECTOR *pair, const size_t kernel, const size_t stride,
    const size_t reach) {
    const float *from = source->first + row * source->pitch + tap;
    const VECTOR first = (VECTOR)INTRINSIC(maskz_loadu_ps)(TILE(mask)(source, row, tap, kernel, reach), from);
    if (stride == 1 && tap + 1 == kernel) {
        pair[0] = first;
        return;
    }
    const VECTOR second = (VECTOR)INTRINSIC(maskz_loadu_ps)(
        TILE(mask)(source, row, tap + 1, kernel, reach), from + (stride == 1 ? 1 : WIDTH));
    pair[0] = stride == 1 ? first : EVEN(first, second);
    pair[1] = stride == 1 ? second : ODD(first, second);
}

#define SUMS TILE(sums)
#define WINDOWS(source, row, tap, two) \
    TILE(pair)(source, row, tap, two, kernel, stride, (rows - 1) * stride + kernel)
#include "depthwise_sums_template.h"

ESPALIER_INLINE void TILE(rows)(
    const DIRECT *call, const espalier_depthwise_plane *plane, const DIRECT_ROWS *place, const size_t kernel,
    const size_t stride, const size_t rows) {
    VECTOR weights[DEPTHWISE_MOST_TAPS];
#pragma clang loop unroll(full)
    for (size_t tap = 0; tap < kernel * kernel; ++tap) weights[tap] = plane->weights[tap] - (VECTOR){0};
    const VECTOR bias = plane->bias - (VECTOR){0};
    const REGISTER low = INTRINSIC(set1_ps)(call->bounds.low), high = INTRINSIC(set1_ps)(call->bounds.high);
    const size_t width = call->width;
    SOURCE source = {
        .first = plane->input + place->input,
        .pitch = call->pitch,
        .above = place->above,
        .below = place->below,
    };
    float *output = plane->output + place->output;
    const float *residual = plane->residual ? plane->residual + place->output : NULL;
    const uint16_t *masks = place->masks;
    for (size_t tile = 0; tile < place->tiles; ++tile) {
#pragma clang loop unroll(full)
        for (size_t load = 0; load < DEPTHWISE_LOADS; ++load) source.masks[load] = masks[load];
        const MASK mask = (MASK)masks[DEPTHWISE_LOADS];
        VECTOR sums[DEPTHWISE_ROWS];
#pragma clang loop unroll(full)
        for (size_t row = 0; row < rows; ++row) sums[row] = bias;
        TILE(sums)(&source, weights, sums, kernel, stride, rows);
        if (residual) {
#pragma clang loop unroll(full)
            for (size_t row = 0; row < rows; ++row) {
                sums[row] += (VECTOR)INTRINSIC(maskz_loadu_ps)(mask, residual + row * width);
            }
            residual += WIDTH;
        }
#pragma clang loop unroll(full)
        for (size_t row = 0; row < rows; ++row) {
            // Not-a-number is the second operand, and stays.
            const REGISTER value = INTRINSIC(max_ps)(low, INTRINSIC(min_ps)(high, (REGISTER)sums[row]));
            INTRINSIC(mask_storeu_ps)(output + row * width, mask, value);
        }
        source.first += WIDTH * stride;
        output += WIDTH;
        masks += DEPTHWISE_MASKS;
    }
}

// Not inlined, so that each has the registers to itself.
#define INSTANCE(extent, step, count)                                                              \
    static __attribute__((noinline)) void TILE(rows_##extent##_##step##_##count)(                 \
        const DIRECT *call, const espalier_depthwise_plane *plane, const DIRECT_ROWS *place) {     \
        TILE(rows)(call, plane, place, extent, step, count);                                       \
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
#undef ODD
#undef EVEN
#undef MASK
#undef REGISTER
#undef VECTOR
#undef WIDTH
