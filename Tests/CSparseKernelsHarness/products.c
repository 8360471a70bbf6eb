// Products of sparse matrices with many columns: C = activation(W X + bias + residual).

#include <string.h>

#include "packed_matrix.h"

typedef struct {
    size_t rows;
    size_t depth;
    size_t columns;
    weight_pattern pattern;
    size_t row_parts;
    bool input_transposed;
    bool output_transposed;
    bool residual;
    // The residual is where the result comes.
    bool in_place;
    bool poisoned;
    // Between rows of X and C, or columns where they are transposed.
    size_t gap;
} product;

// Numbers of `lines` lines `pitch` apart, of which each has `width`.
static size_t extent(size_t lines, size_t pitch, size_t width) { return lines == 0 ? 0 : (lines - 1) * pitch + width; }

static void check_gaps(const float *output, size_t lines, size_t pitch, size_t width) {
    for (size_t line = 0; line + 1 < lines; ++line) {
        for (size_t i = width; i < pitch; ++i) expect_same(output[line * pitch + i], 7, line * pitch + i);
    }
}

static void check(espalier_isa isa, product p) {
    begin_case(
        "%zu x %zu times %zu columns, nonzero: %s, parts %zu, transposed %d %d, residual %d in place %d, gap %zu, "
        "poisoned %d",
        p.rows, p.depth, p.columns, pattern_name(p.pattern), p.row_parts, p.input_transposed, p.output_transposed,
        p.residual, p.in_place, p.gap, p.poisoned);
    const float *weights = random_weights(p.rows, p.depth, p.pattern);
    const espalier_sparse_shape shape = {
        .rows = p.rows,
        .groups = 1,
        .channels = p.depth,
        .taps = 1,
        .columns = p.columns,
        .row_parts = p.row_parts,
    };
    const void *packed = pack_matrix(&shape, weights);
    const size_t input_width = p.input_transposed ? p.depth : p.columns;
    const size_t output_lines = p.output_transposed ? p.columns : p.rows;
    const size_t output_width = p.output_transposed ? p.rows : p.columns;
    const size_t input_pitch = input_width + p.gap, output_pitch = output_width + p.gap;
    const size_t inputs = extent(p.input_transposed ? p.columns : p.depth, input_pitch, input_width);
    const size_t outputs = extent(output_lines, output_pitch, output_width);
    float *input = random_floats(inputs);
    // Whole lines may be read in place where they are aligned.
    if (random_chance(2)) input = copy_bytes(input, inputs * sizeof(float));
    if (p.poisoned) poison(input, inputs);
    const float *residual = p.residual ? random_floats(outputs) : NULL;
    float *output = allocate_floats(outputs);
    for (size_t i = 0; i < outputs; ++i) output[i] = 7;
    espalier_epilogue epilogue = random_epilogue(p.rows, residual, p.poisoned);
    if (residual && p.in_place) {
        for (size_t line = 0; line < output_lines; ++line) {
            memcpy(output + line * output_pitch, residual + line * output_pitch, output_width * sizeof(float));
        }
        epilogue.residual = output;
    }
    const espalier_sparse_operands operands = {
        .columns = p.columns,
        .input = input,
        .input_pitch = input_pitch,
        .input_transposed = p.input_transposed,
        .output = output,
        .output_pitch = output_pitch,
        .output_transposed = p.output_transposed,
    };
    espalier_sparse_range ranges[RANGES];
    cut_ranges(packed, espalier_sparse_tiles(packed, p.columns), ranges);
    void *scratch = allocate_bytes(espalier_sparse_product_scratch(packed));
    for (int i = 0; i < RANGES; ++i) espalier_sparse_product(isa, packed, &operands, &epilogue, ranges[i], scratch);

    for (size_t row = 0; row < p.rows; ++row) {
        for (size_t column = 0; column < p.columns; ++column) {
            const size_t place = p.output_transposed ? column * output_pitch + row : row * output_pitch + column;
            exact_sum sum = {0};
            if (epilogue.bias) add_product(&sum, (double)epilogue.bias[row], 1);
            if (residual) add_product(&sum, (double)residual[place], 1);
            for (size_t k = 0; k < p.depth; ++k) {
                const float weight = weights[row * p.depth + k];
                if (weight == 0) continue;
                add_product(
                    &sum, (double)weight,
                    (double)input[p.input_transposed ? column * input_pitch + k : k * input_pitch + column]);
            }
            expect_sum(output[place], &sum, epilogue.activation, place);
        }
    }
    check_gaps(output, output_lines, output_pitch, output_width);
}

static void draw_options(product *p) {
    p->input_transposed = random_chance(2);
    p->output_transposed = random_chance(2);
    p->residual = random_chance(2);
    p->in_place = random_chance(2);
    p->poisoned = random_chance(4);
    p->gap = random_chance(2) ? 0 : random_index(1, 3);
    p->row_parts = random_index(0, 4);
}

void test_products(espalier_isa isa) {
    const size_t rows[] = {0, 1, 3, 4, 17, 33}, depths[] = {0, 1, 5, 70}, columns[] = {0, 1, 15, 16, 17, 63, 100};
    for (size_t r = 0; r < 6; ++r) {
        for (size_t d = 0; d < 4; ++d) {
            for (size_t c = 0; c < 7; ++c) {
                product p = {.rows = rows[r], .depth = depths[d], .columns = columns[c]};
                p.pattern = (weight_pattern)random_index(0, PATTERN_COUNT - 1);
                draw_options(&p);
                check(isa, p);
            }
        }
    }
    // Every pattern in one block, in several blocks of depth and in several blocks of rows; every number of lines.
    for (int pattern = 0; pattern < PATTERN_COUNT; ++pattern) {
        product sizes[] = {
            {.rows = 48, .depth = 40, .columns = 50},
            {.rows = 16, .depth = 1100, .columns = 33},
            {.rows = 1200, .depth = 9, .columns = 20},
        };
        for (size_t i = 0; i < 3; ++i) {
            sizes[i].pattern = (weight_pattern)pattern;
            draw_options(&sizes[i]);
            check(isa, sizes[i]);
        }
    }
    for (size_t lines = 1; lines <= 9; ++lines) {
        product p = {.rows = 24, .depth = 30, .columns = 16 * lines - random_index(0, 1) * 5, .pattern = PATTERN_TENTH};
        check(isa, p);
    }
    for (int i = 0; i < 250; ++i) {
        product p = {
            .rows = random_index(0, 70),
            .depth = random_index(0, 200),
            .columns = random_index(0, 120),
            .pattern = (weight_pattern)random_index(0, PATTERN_COUNT - 1),
        };
        draw_options(&p);
        check(isa, p);
    }
}
