#include <string.h>

#include "sparse_tiles.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Where the activations of a slice begin.
static inline const float *sparse_origin(const espalier_sparse_source *source, espalier_sparse_tap tap) {
    return source->base + tap.channel * source->channel_pitch +
           (source->tap_offsets ? source->tap_offsets[tap.tap] : 0);
}

#define ESPALIER_TEMPLATE "sparse_fill_template.h"
#include "each_isa.h"

void espalier_sparse_fill(
    espalier_isa isa, const espalier_sparse_source *source, const espalier_sparse_tap *taps, size_t slices,
    size_t columns, float *tile) {
    if (source->transposed) {
        ESPALIER_DISPATCH(isa, sparse_fill_transposed, source, taps, slices, columns, tile);
    } else if (source->move_count == 0) {
        ESPALIER_DISPATCH(isa, sparse_fill_rows, source, taps, slices, columns, tile);
    } else {
        ESPALIER_DISPATCH(isa, sparse_fill_moves, source, taps, slices, columns, tile);
    }
}
