#include "packed_matrix.h"

const void *pack_matrix(const espalier_sparse_shape *shape, const float *weights) {
    const size_t bound = espalier_sparse_packed_size(shape, weights);
    void *wide = allocate_bytes(bound);
    const size_t used = espalier_sparse_pack(shape, weights, wide);
    if (used > bound) fail_case("packing used %zu bytes of %zu", used, bound);
    const void *packed = copy_bytes(wide, used);
    size_t nonzeros = 0;
    for (size_t i = 0; i < shape->rows * shape->channels * shape->taps; ++i) nonzeros += weights[i] != 0;
    if (espalier_sparse_nonzeros(packed) != nonzeros) {
        fail_case("%zu nonzeros, not %zu", espalier_sparse_nonzeros(packed), nonzeros);
    }
    return packed;
}

void cut_ranges(const void *packed, size_t tiles, espalier_sparse_range ranges[RANGES]) {
    const size_t blocks = espalier_sparse_row_blocks(packed);
    const size_t tile = random_index(0, tiles), block = random_index(0, blocks);
    ranges[0] = (espalier_sparse_range){tile, tiles - tile, block, blocks - block};
    ranges[1] = (espalier_sparse_range){0, tile, block, blocks - block};
    ranges[2] = (espalier_sparse_range){tile, tiles - tile, 0, block};
    ranges[3] = (espalier_sparse_range){0, tile, 0, block};
}
