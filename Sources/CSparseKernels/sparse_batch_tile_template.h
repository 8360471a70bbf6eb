// The steps of a panel for TILE_LANES (8 or 16) lanes; part of sparse_batch_template.h.
//
// The compiler must be kept from two ideas. It would read each weight again from memory to spread it, where spreading
// it from the register that has four of them leaves the ports that load to the inputs. And it would compute addresses
// in vectors, and then take those apart. Passing values through assembly hides from it where they come from.

#define TILE_NAME_(f, lanes) f##_##lanes
#define TILE_NAME(f, lanes) TILE_NAME_(f, lanes)
#define TILE(f) ESPALIER_NAME(TILE_NAME(f, TILE_LANES))
#define FLOATS TILE(batch_floats)
#define INTS TILE(batch_ints)

typedef float FLOATS __attribute__((vector_size(TILE_LANES * 4)));
typedef int32_t INTS __attribute__((vector_size(TILE_LANES * 4)));

// Four numbers into each quad of lanes, and a number of each quad into all its lanes.
#if TILE_LANES == 16
#define QUADS(v) __builtin_shufflevector(v, v, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3)
#define SPREAD(v, i) \
    __builtin_shufflevector( \
        v, v, i, i, i, i, i + 4, i + 4, i + 4, i + 4, i + 8, i + 8, i + 8, i + 8, i + 12, i + 12, i + 12, i + 12)
#else
#define QUADS(v) __builtin_shufflevector(v, v, 0, 1, 2, 3, 0, 1, 2, 3)
#define SPREAD(v, i) __builtin_shufflevector(v, v, i, i, i, i, i + 4, i + 4, i + 4, i + 4)
#endif

// A step's eight weights: the first four in each quad of lanes, then the last four.
ESPALIER_INLINE void TILE(batch_weights)(
    const char *step, const espalier_weight_storage storage, FLOATS weights[2]) {
    typedef float four __attribute__((vector_size(16)));
    typedef int32_t four_ints __attribute__((vector_size(16)));
    typedef int8_t eight_bytes __attribute__((vector_size(8)));
    typedef float eight __attribute__((vector_size(32)));
    if (storage == ESPALIER_WEIGHTS_FLOAT32) {
        four halves[2];
        memcpy(halves, step, sizeof halves);
        weights[0] = QUADS(halves[0]);
        weights[1] = QUADS(halves[1]);
    } else if (storage == ESPALIER_WEIGHTS_BFLOAT16) {
        four_ints words;
        memcpy(&words, step, sizeof words);
        const INTS quads = QUADS(words);
        weights[0] = (FLOATS)(quads << 16);
        weights[1] = (FLOATS)(quads & (int32_t)0xffff0000);
    } else {
        eight_bytes bytes;
        memcpy(&bytes, step, sizeof bytes);
        const eight wide = __builtin_convertvector(bytes, eight);
        weights[0] = QUADS(__builtin_shufflevector(wide, wide, 0, 1, 2, 3));
        weights[1] = QUADS(__builtin_shufflevector(wide, wide, 4, 5, 6, 7));
    }
}

// The lanes of an input: TILE_LANES of `lanes`.
ESPALIER_INLINE void TILE(batch_input)(const char *block, uint64_t input, const size_t lanes, FLOATS *lane) {
#if defined(__x86_64__)
    __asm__("" : "+r"(input));
#endif
    memcpy(lane, block + input * (lanes * sizeof(float) / INPUT_UNIT), sizeof *lane);
}

// Adds the products of an octet's `count` steps to the sums of its outputs, rows of `lanes` floats.
ESPALIER_INLINE void TILE(batch_octet)(
    const char *weights, const uint16_t *inputs, size_t count, const uint8_t *outputs, const char *block, float *sums,
    const size_t lanes, const espalier_weight_storage storage) {
    const size_t bytes = STEP_OUTPUTS * espalier_weight_bytes(storage);
    FLOATS total[STEP_OUTPUTS];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < STEP_OUTPUTS; ++i) memcpy(&total[i], sums + outputs[i] * lanes, sizeof total[i]);
    for (; count > 0; --count, weights += bytes, inputs += STEP_OUTPUTS) {
        // The lowest 16 bits are the first input in memory: all architectures here are little-endian.
        uint64_t quads[2];
        memcpy(quads, inputs, sizeof quads);
        FLOATS spread[2];
        TILE(batch_weights)(weights, storage, spread);
#if ESPALIER_VECTOR_BYTES >= 32
        __asm__("" : "+x"(spread[0]), "+x"(spread[1]), "+r"(quads[0]), "+r"(quads[1]));
#endif
#pragma clang loop unroll(full)
        for (size_t half = 0; half < 2; ++half) {
            const uint64_t quad = quads[half];
            FLOATS lane[4];
            TILE(batch_input)(block, quad & 0xffff, lanes, &lane[0]);
            TILE(batch_input)(block, quad >> 16 & 0xffff, lanes, &lane[1]);
            TILE(batch_input)(block, quad >> 32 & 0xffff, lanes, &lane[2]);
            TILE(batch_input)(block, quad >> 48, lanes, &lane[3]);
            total[4 * half] += SPREAD(spread[half], 0) * lane[0];
            total[4 * half + 1] += SPREAD(spread[half], 1) * lane[1];
            total[4 * half + 2] += SPREAD(spread[half], 2) * lane[2];
            total[4 * half + 3] += SPREAD(spread[half], 3) * lane[3];
        }
    }
#pragma clang loop unroll(full)
    for (size_t i = 0; i < STEP_OUTPUTS; ++i) memcpy(sums + outputs[i] * lanes, &total[i], sizeof total[i]);
}

// The sums of a panel's outputs in TILE_LANES lanes from `prepared` and `sums` on.
ESPALIER_INLINE void TILE(batch_panel)(
    const espalier_sparse_batch *matrix, const espalier_sparse_batch_sections *sections, size_t panel,
    const float *prepared, float *sums, const size_t lanes, const espalier_weight_storage storage) {
    const size_t blocks = espalier_sparse_batch_blocks(matrix);
    size_t step = sections->starts[panel];
    for (size_t number = 0; number < blocks; ++number) {
        const float *block = prepared + espalier_sparse_batch_prepared_start(matrix, number) * lanes;
        for (size_t octet = 0; octet < PANEL_OCTETS; ++octet) {
            const size_t at = (panel * blocks + number) * PANEL_OCTETS + octet;
            const size_t count = sections->counts[at];
            if (count == 0) break;
            TILE(batch_octet)(
                sections->weights + step * STEP_OUTPUTS * espalier_weight_bytes(storage),
                sections->inputs + step * STEP_OUTPUTS, count, sections->outputs + at * STEP_OUTPUTS,
                (const char *)block, sums, lanes, storage);
            step += count;
        }
    }
}

#undef SPREAD
#undef QUADS
#undef INTS
#undef FLOATS
#undef TILE
#undef TILE_NAME
#undef TILE_NAME_
#undef TILE_LANES
