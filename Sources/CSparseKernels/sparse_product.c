#include "espalier_sparse_product.h"

#include "sparse_tiles.h"

size_t espalier_sparse_product_scratch(const void *packed) { return espalier_sparse_tile_scratch(packed); }

void espalier_sparse_product(
    espalier_isa isa, const void *packed, const espalier_sparse_operands *operands,
    const espalier_epilogue *epilogue, espalier_sparse_range range, void *scratch) {
    const size_t input_step = operands->input_transposed ? operands->input_pitch : 1;
    const size_t output_step = operands->output_transposed ? operands->output_pitch : 1;
    for (size_t tile = range.first_tile; tile < range.first_tile + range.tiles; ++tile) {
        const espalier_sparse_columns columns =
            espalier_sparse_tile_columns(packed, operands->columns, tile);
        const size_t count = columns.end - columns.first;
        const espalier_sparse_source source = {
            .base = operands->input + columns.first * input_step,
            .channel_pitch = operands->input_pitch,
            .transposed = operands->input_transposed,
        };
        const float *residual = epilogue->residual;
        const espalier_sparse_piece piece = {
            .count = count,
            .output = operands->output + columns.first * output_step,
            .residual = residual ? residual + columns.first * output_step : NULL,
        };
        const espalier_sparse_target target = {
            .columns = count,
            .pieces = &piece,
            .piece_count = 1,
            .pitch = operands->output_pitch,
            .transposed = operands->output_transposed,
            .epilogue = epilogue,
        };
        espalier_sparse_compute_tile(
            isa, packed, &source, &target, range.first_row_block, range.row_blocks, scratch);
    }
}
