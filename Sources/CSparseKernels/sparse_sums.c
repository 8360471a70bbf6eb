#include <string.h>

#include "sparse_tiles.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define ESPALIER_TEMPLATE "sparse_sums_template.h"
#include "each_isa.h"

size_t espalier_sparse_register_lines(espalier_isa isa, bool band) {
    return ESPALIER_DISPATCH(isa, sparse_register_lines, band);
}

void espalier_sparse_add(espalier_isa isa, const espalier_sparse_sums *sums) {
    ESPALIER_DISPATCH(isa, sparse_add, sums);
}
