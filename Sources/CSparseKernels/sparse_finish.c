#include <math.h>
#include <string.h>

#include "sparse_tiles.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define ESPALIER_TEMPLATE "sparse_finish_template.h"
#include "each_isa.h"

void espalier_sparse_finish(
    espalier_isa isa, const espalier_sparse_target *target, float *partial, size_t partial_pitch,
    size_t first_row, size_t rows) {
    if (target->transposed) {
        ESPALIER_DISPATCH(isa, sparse_finish_transposed, target, partial, partial_pitch, first_row, rows);
    } else {
        ESPALIER_DISPATCH(isa, sparse_finish_rows, target, partial, partial_pitch, first_row, rows);
    }
}
