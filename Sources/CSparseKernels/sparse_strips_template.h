// The loops of sparse_strips.c; see each_isa.h. Rows are taken in groups of a power of two, as many as have sums in
// registers, so that a strip's weights are read once for a group, and from the first cache for the next one.

#include "result_template.h"

#define LANES (ESPALIER_VECTOR_BYTES / sizeof(float))
// Of a strip.
#define REGISTERS (ESPALIER_STRIP_OUTPUTS / LANES)
#define FLOATS ESPALIER_NAME(strips_floats)
#define WORDS ESPALIER_NAME(strips_words)
#define HALVES ESPALIER_NAME(strips_halves)
#define BYTES ESPALIER_NAME(strips_bytes)
// Of 32 registers 16 are sums, of 16 half.
#if ESPALIER_VECTOR_BYTES == 64
#define MOST_ROWS 16
#elif ESPALIER_VECTOR_BYTES == 32 || defined(__aarch64__)
#define MOST_ROWS 4
#else
#define MOST_ROWS 2
#endif
// So many sums of each register of a strip hide the latency of their additions, with columns in turn if need be.
#define CHAINS 4
#define TURNS(rows) ((rows) < CHAINS ? CHAINS / (rows) : 1)

typedef float FLOATS __attribute__((vector_size(ESPALIER_VECTOR_BYTES)));
typedef uint32_t WORDS __attribute__((vector_size(ESPALIER_VECTOR_BYTES)));
typedef uint16_t HALVES __attribute__((vector_size(ESPALIER_VECTOR_BYTES / 2)));
typedef int8_t BYTES __attribute__((vector_size(ESPALIER_VECTOR_BYTES / 4)));

// The rows of the group that begins when so many are left.
ESPALIER_INLINE size_t ESPALIER_NAME(strips_group)(size_t left) {
    size_t rows = MOST_ROWS;
    while (rows > left) rows /= 2;
    return rows;
}

// MARK: Inputs

// Each group's inputs one after the other, its rows innermost. A line of a row is used up at once: the rows' lines, if
// they are a power of two apart, displace each other.
static void ESPALIER_NAME(strips_prepare)(
    const espalier_sparse_strips *matrix, const float *inputs, size_t rows, float *prepared) {
    for (size_t row = 0; row < rows;) {
        const size_t group = ESPALIER_NAME(strips_group)(rows - row);
        const float *from = inputs + row * matrix->inputs;
        float *to = prepared + row * matrix->inputs;
        for (size_t start = 0; start < matrix->inputs; start += 16) {
            const size_t end = start + 16 < matrix->inputs ? start + 16 : matrix->inputs;
            for (size_t i = 0; i < group; ++i) {
                const float *line = from + i * matrix->inputs;
                for (size_t input = start; input < end; ++input) to[input * group + i] = line[input];
            }
        }
        row += group;
    }
}

// MARK: Sums

ESPALIER_INLINE void ESPALIER_NAME(strips_weights)(
    const char *from, const espalier_weight_storage storage, FLOATS weights[REGISTERS]) {
#pragma clang loop unroll(full)
    for (size_t i = 0; i < REGISTERS; ++i) {
        if (storage == ESPALIER_WEIGHTS_FLOAT32) {
            memcpy(weights + i, from + i * sizeof(FLOATS), sizeof(FLOATS));
        } else if (storage == ESPALIER_WEIGHTS_BFLOAT16) {
            HALVES halves;
            memcpy(&halves, from + i * sizeof halves, sizeof halves);
            weights[i] = (FLOATS)(__builtin_convertvector(halves, WORDS) << 16);
        } else {
            BYTES bytes;
            memcpy(&bytes, from + i * sizeof bytes, sizeof bytes);
            weights[i] = __builtin_convertvector(bytes, FLOATS);
        }
    }
}

// The sums of a strip for each of `rows` rows.
ESPALIER_INLINE void ESPALIER_NAME(strips_add)(
    const char *weights, const uint16_t *inputs, size_t columns, const float *prepared,
    const espalier_weight_storage storage, const size_t rows, float sums[][ESPALIER_STRIP_OUTPUTS]) {
    const size_t bytes = ESPALIER_STRIP_OUTPUTS * espalier_weight_bytes(storage);
    FLOATS total[MOST_ROWS < CHAINS ? CHAINS : MOST_ROWS][REGISTERS] = {{{0}}};
#define COLUMN(turn)                                                                               \
    do {                                                                                           \
        FLOATS strip[REGISTERS];                                                                   \
        ESPALIER_NAME(strips_weights)(weights + (turn) * bytes, storage, strip);                   \
        const float *values = prepared + inputs[turn] * rows;                                      \
        _Pragma("clang loop unroll(full)") for (size_t row = 0; row < rows; ++row) {               \
            _Pragma("clang loop unroll(full)") for (size_t i = 0; i < REGISTERS; ++i) {            \
                total[(turn) * rows + row][i] += strip[i] * values[row];                           \
            }                                                                                      \
        }                                                                                          \
    } while (0)
    for (; columns >= TURNS(rows); columns -= TURNS(rows)) {
#pragma clang loop unroll(full)
        for (size_t turn = 0; turn < TURNS(rows); ++turn) COLUMN(turn);
        weights += TURNS(rows) * bytes;
        inputs += TURNS(rows);
    }
    for (; columns > 0; --columns, weights += bytes, ++inputs) COLUMN(0);
#undef COLUMN
#pragma clang loop unroll(full)
    for (size_t row = 0; row < rows; ++row) {
#pragma clang loop unroll(full)
        for (size_t turn = 1; turn < TURNS(rows); ++turn) {
#pragma clang loop unroll(full)
            for (size_t i = 0; i < REGISTERS; ++i) total[row][i] += total[turn * rows + row][i];
        }
        memcpy(sums[row], total[row], sizeof total[row]);
    }
}

ESPALIER_INLINE void ESPALIER_NAME(strips_all)(
    const espalier_sparse_strips *matrix, const espalier_sparse_strips_sections *sections, const float *prepared,
    size_t rows, size_t first, size_t end, const espalier_epilogue *epilogue, float *outputs,
    const espalier_weight_storage storage) {
    const size_t bytes = ESPALIER_STRIP_OUTPUTS * espalier_weight_bytes(storage);
    for (size_t strip = first; strip < end; ++strip) {
        const size_t offset = strip * ESPALIER_STRIP_OUTPUTS, start = sections->starts[strip];
        const size_t left = matrix->outputs - offset;
        const size_t extent = left < ESPALIER_STRIP_OUTPUTS ? left : ESPALIER_STRIP_OUTPUTS;
        const char *weights = sections->weights + start * bytes;
        const uint16_t *inputs = sections->inputs + start;
        const size_t columns = sections->starts[strip + 1] - start;
        for (size_t row = 0; row < rows;) {
            float sums[MOST_ROWS][ESPALIER_STRIP_OUTPUTS];
            const size_t group = ESPALIER_NAME(strips_group)(rows - row);
            const float *values = prepared + row * matrix->inputs;
#define CASE(rows)                                                                                    \
    case rows: ESPALIER_NAME(strips_add)(weights, inputs, columns, values, storage, rows, sums); break;
            switch (group) {
                CASE(1) CASE(2)
#if MOST_ROWS >= 4
                CASE(4)
#endif
#if MOST_ROWS >= 16
                CASE(8) CASE(16)
#endif
            }
#undef CASE
            for (size_t i = 0; i < group; ++i, ++row) {
                const size_t place = row * matrix->outputs + offset;
                ESPALIER_NAME(write_results)(
                    sums[i], sections->scales ? sections->scales + offset : NULL, extent,
                    epilogue->bias ? epilogue->bias + offset : NULL,
                    epilogue->residual ? epilogue->residual + place : NULL, &epilogue->activation,
                    outputs + place);
            }
        }
    }
}

static void ESPALIER_NAME(strips_multiply)(
    const espalier_sparse_strips *matrix, const espalier_sparse_strips_sections *sections, const float *prepared,
    size_t rows, size_t first, size_t end, const espalier_epilogue *epilogue, float *outputs) {
#define CASE(storage)                                                                                       \
    case storage:                                                                                           \
        ESPALIER_NAME(strips_all)(                                                                          \
            matrix, sections, prepared, rows, first, end, epilogue, outputs, storage);                      \
        break;
    switch (matrix->storage) {
        CASE(ESPALIER_WEIGHTS_FLOAT32)
        CASE(ESPALIER_WEIGHTS_BFLOAT16)
        CASE(ESPALIER_WEIGHTS_INT8)
    }
#undef CASE
}

#undef TURNS
#undef CHAINS
#undef MOST_ROWS
#undef BYTES
#undef HALVES
#undef WORDS
#undef FLOATS
#undef REGISTERS
#undef LANES
