// The loops of sparse_vector.c; see each_isa.h.

#include "result_template.h"

#define LANES (ESPALIER_VECTOR_BYTES / sizeof(float))
#define REGISTERS (GROUP_OUTPUTS / (ESPALIER_VECTOR_BYTES / 4))
#define FLOATS ESPALIER_NAME(vector_floats)
#define INTS ESPALIER_NAME(vector_ints)

typedef float FLOATS __attribute__((vector_size(ESPALIER_VECTOR_BYTES)));
typedef int32_t INTS __attribute__((vector_size(ESPALIER_VECTOR_BYTES)));

// Rows of X for which weights are read once. Where inputs are looked up byte by byte, there are registers for one.
#if ESPALIER_VECTOR_BYTES == 64
#define MOST_ROWS 2
#else
#define MOST_ROWS 1
#endif

// What 8-bit weights are multiplied by to lie in the uppermost byte of 32 bits.
#define INT8_FACTOR 0x1p24f

#include "sparse_vector_lookup_template.h"

static void ESPALIER_NAME(vector_prepare)(
    const espalier_sparse_vector *matrix, const float *inputs, size_t rows, void *prepared) {
    const size_t plane = espalier_sparse_vector_plane(matrix);
    for (size_t row = 0; row < rows; ++row) {
        const float *from = inputs + row * matrix->inputs;
        PIECE *to = (PIECE *)prepared + row * PIECES * plane;
        if (matrix->storage == ESPALIER_WEIGHTS_INT8) {
            ESPALIER_NAME(vector_prepare_row)(from, matrix->inputs, 1 / INT8_FACTOR, plane, to);
        } else {
            ESPALIER_NAME(vector_prepare_row)(from, matrix->inputs, 1, plane, to);
        }
    }
}

// The weights of a pair of steps by place; see sparse_vector_layout.h. Those of 8 bits times INT8_FACTOR, by which
// inputs were divided: that spares shifting them down.
ESPALIER_INLINE void ESPALIER_NAME(vector_weights)(
    const char *pair, const espalier_weight_storage storage, FLOATS weights[2][REGISTERS]) {
    if (storage == ESPALIER_WEIGHTS_FLOAT32) {
        memcpy(weights, pair, 2 * REGISTERS * sizeof(FLOATS));
    } else if (storage == ESPALIER_WEIGHTS_BFLOAT16) {
#pragma clang loop unroll(full)
        for (size_t i = 0; i < REGISTERS; ++i) {
            INTS words;
            memcpy(&words, pair + i * sizeof words, sizeof words);
            weights[0][i] = (FLOATS)(words << 16);
            weights[1][i] = (FLOATS)(words & (int32_t)0xffff0000);
        }
    } else {
#pragma clang loop unroll(full)
        for (size_t i = 0; i < REGISTERS / 2; ++i) {
            INTS words;
            memcpy(&words, pair + i * sizeof words, sizeof words);
            const int32_t uppermost = (int32_t)0xff000000;
            weights[0][i] = __builtin_convertvector(words << 24, FLOATS);
            weights[1][i] = __builtin_convertvector(words << 16 & uppermost, FLOATS);
            weights[0][REGISTERS / 2 + i] = __builtin_convertvector(words << 8 & uppermost, FLOATS);
            weights[1][REGISTERS / 2 + i] = __builtin_convertvector(words & uppermost, FLOATS);
        }
    }
}

// The sums of a group's 32 places for each of `rows` rows.
ESPALIER_INLINE void ESPALIER_NAME(vector_group)(
    const espalier_sparse_vector_sections *sections, size_t group, const PIECE *prepared, size_t plane,
    const espalier_weight_storage storage, const size_t rows, float sums[][PANEL_OUTPUTS]) {
    const size_t bytes = PAIR_WEIGHTS * espalier_weight_bytes(storage);
    FLOATS total[MOST_ROWS][REGISTERS] = {{{0}}};
    const size_t end = sections->starts[group + 1];
    for (size_t pair = sections->starts[group]; pair < end; ++pair) {
        FLOATS weights[2][REGISTERS];
        ESPALIER_NAME(vector_weights)(sections->weights + pair * bytes, storage, weights);
        const PIECE *window = prepared + (size_t)sections->windows[pair] * (WINDOW / WINDOW_GRAINS);
        const uint8_t *indices = sections->indices + pair * PAIR_WEIGHTS;
#pragma clang loop unroll(full)
        for (size_t row = 0; row < rows; ++row) {
#pragma clang loop unroll(full)
            for (size_t step = 0; step < 2; ++step) {
                FLOATS inputs[REGISTERS];
                ESPALIER_NAME(vector_look_up)(
                    window + row * PIECES * plane, plane, indices + step * GROUP_OUTPUTS, inputs);
#pragma clang loop unroll(full)
                for (size_t i = 0; i < REGISTERS; ++i) total[row][i] += weights[step][i] * inputs[i];
            }
        }
    }
#pragma clang loop unroll(full)
    for (size_t row = 0; row < rows; ++row) {
        memcpy(sums[row] + group % PANEL_GROUPS * GROUP_OUTPUTS, total[row], sizeof total[row]);
    }
}

ESPALIER_INLINE void ESPALIER_NAME(vector_panels)(
    const espalier_sparse_vector *matrix, const espalier_sparse_vector_sections *sections, const PIECE *prepared,
    size_t rows, size_t first, size_t end, const espalier_epilogue *epilogue, float *outputs,
    const espalier_weight_storage storage) {
    const size_t plane = espalier_sparse_vector_plane(matrix);
    for (size_t panel = first; panel < end; ++panel) {
        const size_t offset = panel * PANEL_OUTPUTS;
        const uint8_t *places = sections->places + offset;
        for (size_t row = 0; row < rows;) {
            float sums[MOST_ROWS][PANEL_OUTPUTS], sorted[PANEL_OUTPUTS];
            const size_t count = rows - row < MOST_ROWS ? 1 : MOST_ROWS;
            const PIECE *pieces = prepared + row * PIECES * plane;
            for (size_t group = panel * PANEL_GROUPS; group < (panel + 1) * PANEL_GROUPS; ++group) {
                if (count == MOST_ROWS) {
                    ESPALIER_NAME(vector_group)(sections, group, pieces, plane, storage, MOST_ROWS, sums);
                } else {
                    ESPALIER_NAME(vector_group)(sections, group, pieces, plane, storage, 1, sums);
                }
            }
            for (size_t i = 0; i < count; ++i, ++row) {
                for (size_t output = 0; output < PANEL_OUTPUTS; ++output) {
                    sorted[output] = sums[i][places[output]];
                }
                const size_t start = row * matrix->outputs + offset;
                ESPALIER_NAME(write_results)(
                    sorted, sections->scales ? sections->scales + offset : NULL,
                    espalier_panel_extent(matrix->outputs, panel),
                    epilogue->bias ? epilogue->bias + offset : NULL,
                    epilogue->residual ? epilogue->residual + start : NULL, &epilogue->activation,
                    outputs + start);
            }
        }
    }
}

static void ESPALIER_NAME(vector_multiply)(
    const espalier_sparse_vector *matrix, const espalier_sparse_vector_sections *sections, const void *prepared,
    size_t rows, size_t first, size_t end, const espalier_epilogue *epilogue, float *outputs) {
#define CASE(storage)                                                                    \
    case storage:                                                                        \
        ESPALIER_NAME(vector_panels)(                                                    \
            matrix, sections, prepared, rows, first, end, epilogue, outputs, storage);   \
        break;
    switch (matrix->storage) {
        CASE(ESPALIER_WEIGHTS_FLOAT32)
        CASE(ESPALIER_WEIGHTS_BFLOAT16)
        CASE(ESPALIER_WEIGHTS_INT8)
    }
#undef CASE
}

#undef INT8_FACTOR
#undef WINDOW
#undef PIECE
#undef PIECES
#undef MOST_ROWS
#undef INTS
#undef FLOATS
#undef REGISTERS
#undef LANES
