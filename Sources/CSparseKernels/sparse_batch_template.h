// The loops of sparse_batch.c; see each_isa.h.

#include "result_template.h"

#define TILE_LANES 8
#include "sparse_batch_tile_template.h"
#if ESPALIER_VECTOR_BYTES == 64
#define TILE_LANES 16
#include "sparse_batch_tile_template.h"
#endif

// MARK: Transposition

#define FOUR ESPALIER_NAME(batch_four)

typedef float FOUR __attribute__((vector_size(16)));

// Four rows of four numbers, `from_row` floats apart, to four columns, `to_row` floats apart.
ESPALIER_INLINE void ESPALIER_NAME(batch_transpose)(
    const float *from, size_t from_row, float *to, size_t to_row) {
    FOUR a, b, c, d;
    memcpy(&a, from, sizeof a);
    memcpy(&b, from + from_row, sizeof b);
    memcpy(&c, from + 2 * from_row, sizeof c);
    memcpy(&d, from + 3 * from_row, sizeof d);
    const FOUR low_ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), high_ab = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const FOUR low_cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), high_cd = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    const FOUR columns[4] = {
        __builtin_shufflevector(low_ab, low_cd, 0, 1, 4, 5), __builtin_shufflevector(low_ab, low_cd, 2, 3, 6, 7),
        __builtin_shufflevector(high_ab, high_cd, 0, 1, 4, 5),
        __builtin_shufflevector(high_ab, high_cd, 2, 3, 6, 7)};
#pragma clang loop unroll(full)
    for (size_t i = 0; i < 4; ++i) memcpy(to + i * to_row, &columns[i], sizeof columns[i]);
}

static void ESPALIER_NAME(batch_prepare)(
    const espalier_sparse_batch *matrix, const float *inputs, size_t rows, float *prepared) {
    const size_t lanes = espalier_sparse_batch_lanes(rows), blocks = espalier_sparse_batch_blocks(matrix);
    for (size_t number = 0; number < blocks; ++number) {
        const size_t first = espalier_sparse_batch_block_start(matrix, number);
        const size_t count = espalier_sparse_batch_block_start(matrix, number + 1) - first;
        float *block = prepared + espalier_sparse_batch_prepared_start(matrix, number) * lanes;
        for (size_t lane = 0; lane < lanes; lane += 4) {
            const float *from = inputs + lane * matrix->inputs + first;
            size_t input = 0;
            if (lane + 4 <= rows) {
                for (; input + 4 <= count; input += 4) {
                    ESPALIER_NAME(batch_transpose)(
                        from + input, matrix->inputs, block + input * lanes + lane, lanes);
                }
            }
            for (; input < count; ++input) {
                for (size_t i = 0; i < 4; ++i) {
                    block[input * lanes + lane + i] = lane + i < rows ? from[i * matrix->inputs + input] : 0;
                }
            }
        }
        memset(block + count * lanes, 0, lanes * sizeof *block);
    }
}

// MARK: Products

ESPALIER_INLINE void ESPALIER_NAME(batch_panels)(
    const espalier_sparse_batch *matrix, const espalier_sparse_batch_sections *sections, const float *prepared,
    size_t rows, size_t first, size_t end, const espalier_epilogue *epilogue, float *outputs,
    const espalier_weight_storage storage) {
    const size_t lanes = espalier_sparse_batch_lanes(rows);
    float sums[PANEL_OUTPUTS * ESPALIER_SPARSE_BATCH_ROWS] __attribute__((aligned(64)));
    float columns[ESPALIER_SPARSE_BATCH_ROWS][PANEL_OUTPUTS] __attribute__((aligned(64)));
    for (size_t panel = first; panel < end; ++panel) {
        memset(sums, 0, PANEL_OUTPUTS * lanes * sizeof *sums);
        if (lanes == 8) {
            ESPALIER_NAME(batch_panel_8)(matrix, sections, panel, prepared, sums, 8, storage);
        } else {
#if ESPALIER_VECTOR_BYTES == 64
            ESPALIER_NAME(batch_panel_16)(matrix, sections, panel, prepared, sums, 16, storage);
#else
            for (size_t lane = 0; lane < 16; lane += 8) {
                ESPALIER_NAME(batch_panel_8)(matrix, sections, panel, prepared + lane, sums + lane, 16, storage);
            }
#endif
        }
        for (size_t output = 0; output < PANEL_OUTPUTS; output += 4) {
            for (size_t lane = 0; lane < rows; lane += 4) {
                ESPALIER_NAME(batch_transpose)(
                    sums + output * lanes + lane, lanes, columns[lane] + output, PANEL_OUTPUTS);
            }
        }
        const size_t offset = panel * PANEL_OUTPUTS;
        for (size_t row = 0; row < rows; ++row) {
            const size_t start = row * matrix->outputs + offset;
            ESPALIER_NAME(write_results)(
                columns[row], sections->scales ? sections->scales + offset : NULL,
                espalier_panel_extent(matrix->outputs, panel), epilogue->bias ? epilogue->bias + offset : NULL,
                epilogue->residual ? epilogue->residual + start : NULL, &epilogue->activation, outputs + start);
        }
    }
}

static void ESPALIER_NAME(batch_multiply)(
    const espalier_sparse_batch *matrix, const espalier_sparse_batch_sections *sections, const float *prepared,
    size_t rows, size_t first, size_t end, const espalier_epilogue *epilogue, float *outputs) {
#define CASE(storage)                                                                  \
    case storage:                                                                      \
        ESPALIER_NAME(batch_panels)(                                                   \
            matrix, sections, prepared, rows, first, end, epilogue, outputs, storage); \
        break;
    switch (matrix->storage) {
        CASE(ESPALIER_WEIGHTS_FLOAT32)
        CASE(ESPALIER_WEIGHTS_BFLOAT16)
        CASE(ESPALIER_WEIGHTS_INT8)
    }
#undef CASE
}

#undef FOUR
