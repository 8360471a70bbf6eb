// Layouts, and the canonical form by which they are compared.
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAXIMUM_LEVELS = 2 * DNNL_MAX_NDIMS };

/// A run of elements along one axis at one distance.
typedef struct {
    int axis;
    int64_t extent, stride;
} level;

struct espalier_dnn_layout {
    md_t descriptor;
    md_description description;
    size_t byte_count;
    bool is_plain;
    /// From the largest stride to the smallest, without runs of one element, and with those runs merged that
    /// lie end to end: equal for descriptors that say the same in different words.
    int level_count;
    level levels[MAXIMUM_LEVELS];
    char name[64];
};

/// Inserts a level by falling stride.
static void insert_level(espalier_dnn_layout *layout, level added) {
    if (added.extent == 1) return;
    int place = layout->level_count++;
    while (place > 0 && layout->levels[place - 1].stride < added.stride) {
        layout->levels[place] = layout->levels[place - 1];
        place--;
    }
    layout->levels[place] = added;
}

static void find_levels(espalier_dnn_layout *layout) {
    const md_description *description = &layout->description;
    int64_t blocked[DNNL_MAX_NDIMS];
    for (int axis = 0; axis < description->rank; axis++) blocked[axis] = 1;
    int64_t stride = 1;
    layout->level_count = 0;
    for (int block = description->block_count - 1; block >= 0; block--) {
        const int64_t extent = description->block_extents[block];
        const int axis = (int)description->block_axes[block];
        insert_level(layout, (level){axis, extent, stride});
        stride *= extent;
        blocked[axis] *= extent;
    }
    for (int axis = 0; axis < description->rank; axis++) {
        const int64_t extent = description->padded_extents[axis] / blocked[axis];
        insert_level(layout, (level){axis, extent, description->strides[axis]});
    }
    int kept = 0;
    for (int each = 1; each < layout->level_count; each++) {
        level *outer = &layout->levels[kept];
        const level inner = layout->levels[each];
        if (outer->axis == inner.axis && outer->stride == inner.stride * inner.extent) {
            *outer = (level){inner.axis, outer->extent * inner.extent, inner.stride};
        } else {
            layout->levels[++kept] = inner;
        }
    }
    if (layout->level_count > 0) layout->level_count = kept + 1;
}

/// Whether the canonical form is that of a row-major tensor.
static bool find_plain(const espalier_dnn_layout *layout) {
    const md_description *description = &layout->description;
    if (!description->blocked || description->type != dnnl_f32 || description->offset != 0) return false;
    for (int axis = 0; axis < description->rank; axis++) {
        if (description->extents[axis] == 0) return true;
        if (description->padded_extents[axis] != description->extents[axis]) return false;
    }
    int64_t stride = 1;
    int place = layout->level_count - 1;
    for (int axis = description->rank - 1; axis >= 0; axis--) {
        const int64_t extent = description->extents[axis];
        if (extent == 1) continue;
        if (place < 0) return false;
        const level found = layout->levels[place--];
        if (found.axis != axis || found.extent != extent || found.stride != stride) return false;
        stride *= extent;
    }
    return place < 0;
}

/// oneDNN's own notation: axes as letters from the outermost, in capitals if blocked, then the blocks.
static void write_name(espalier_dnn_layout *layout) {
    const md_description *description = &layout->description;
    char *name = layout->name;
    if (!description->blocked) {
        snprintf(name, sizeof layout->name, "opaque");
        return;
    }
    bool is_blocked[DNNL_MAX_NDIMS] = {false};
    for (int block = 0; block < description->block_count; block++) {
        is_blocked[description->block_axes[block]] = true;
    }
    int order[DNNL_MAX_NDIMS];
    for (int axis = 0; axis < description->rank; axis++) {
        int place = axis;
        while (place > 0 && description->strides[order[place - 1]] < description->strides[axis]) {
            order[place] = order[place - 1];
            place--;
        }
        order[place] = axis;
    }
    size_t used = 0;
    for (int place = 0; place < description->rank; place++) {
        const int axis = order[place];
        name[used++] = (char)((is_blocked[axis] ? 'A' : 'a') + axis);
    }
    name[used] = 0;
    for (int block = 0; block < description->block_count && used + 8 < sizeof layout->name; block++) {
        used += (size_t)snprintf(name + used, sizeof layout->name - used, "%lld%c",
            (long long)description->block_extents[block], (char)('a' + (int)description->block_axes[block]));
    }
}

espalier_dnn_layout *espalier_layout_adopt(md_t descriptor) {
    espalier_dnn_layout *layout = calloc(1, sizeof *layout);
    if (!layout) {
        espalier_md_destroy(descriptor);
        espalier_fail(ESPALIER_DNN_OUT_OF_MEMORY, "out of memory for a layout");
        return NULL;
    }
    layout->descriptor = descriptor;
    espalier_md_describe(descriptor, &layout->description);
    layout->byte_count = dnnl_memory_desc_get_size(descriptor);
    if (layout->description.blocked) find_levels(layout);
    layout->is_plain = find_plain(layout);
    write_name(layout);
    return layout;
}

/// Wraps what oneDNN made, or reports what it refused.
static espalier_dnn_layout *wrap(
    md_t descriptor, dnnl_status_t status, const char *what, const int64_t *extents, int rank) {
    if (status == dnnl_success) return espalier_layout_adopt(descriptor);
    char text[160];
    const espalier_dnn_operand operand = {NULL, extents, rank, ESPALIER_DNN_FLOAT32};
    espalier_operand_describe(&operand, text, sizeof text);
    espalier_fail(espalier_status_of(status), "oneDNN refused a %s layout of %s: %s", what, text,
        espalier_status_name(status));
    return NULL;
}

/// Whether extents can be given to oneDNN at all.
static bool valid(const int64_t *extents, int rank) {
    if (rank < 1 || rank > ESPALIER_DNN_MAXIMUM_RANK) {
        espalier_fail(ESPALIER_DNN_INVALID, "a layout of %d axes (1 to %d are possible)", rank,
            ESPALIER_DNN_MAXIMUM_RANK);
        return false;
    }
    int64_t count = 1;
    for (int axis = 0; axis < rank; axis++) {
        if (extents[axis] < 0 || __builtin_mul_overflow(count, extents[axis], &count) ||
            count > INT64_MAX / 8) {
            espalier_fail(ESPALIER_DNN_INVALID, "a layout whose axis %d has the impossible extent %lld", axis,
                (long long)extents[axis]);
            return false;
        }
    }
    return true;
}

espalier_dnn_layout *espalier_dnn_layout_plain(const int64_t *extents, int rank) {
    if (!valid(extents, rank)) return NULL;
    int64_t strides[ESPALIER_DNN_MAXIMUM_RANK];
    int64_t stride = 1;
    for (int axis = rank - 1; axis >= 0; axis--) {
        strides[axis] = stride;
        stride *= extents[axis] > 0 ? extents[axis] : 1;
    }
    md_t descriptor = NULL;
    dnnl_status_t status = espalier_md_strided(&descriptor, dnnl_f32, rank, extents, strides);
    return wrap(descriptor, status, "row-major", extents, rank);
}

espalier_dnn_layout *espalier_dnn_layout_strided(const int64_t *extents, const int64_t *strides, int rank) {
    if (!valid(extents, rank)) return NULL;
    md_t descriptor = NULL;
    dnnl_status_t status = espalier_md_strided(&descriptor, dnnl_f32, rank, extents, strides);
    return wrap(descriptor, status, "strided", extents, rank);
}

/// oneDNN's name of an element type.
static dnnl_data_type_t data_type(espalier_dnn_element element) {
    return element == ESPALIER_DNN_BFLOAT16 ? dnnl_bf16 : dnnl_f32;
}

espalier_dnn_layout *espalier_dnn_layout_converted(
    const espalier_dnn_layout *layout, espalier_dnn_element element) {
    const md_description *description = &layout->description;
    const int64_t *strides = espalier_dnn_layout_strides(layout);
    if (!strides || description->offset != 0) {
        espalier_fail(ESPALIER_DNN_INVALID, "the layout %s has no strides to keep", layout->name);
        return NULL;
    }
    md_t descriptor = NULL;
    dnnl_status_t status = espalier_md_strided(
        &descriptor, data_type(element), description->rank, description->extents, strides);
    return wrap(descriptor, status, "converted", description->extents, description->rank);
}

espalier_dnn_layout *espalier_dnn_layout_reshaped(
    const espalier_dnn_layout *layout, const int64_t *extents, int rank) {
    if (!valid(extents, rank)) return NULL;
    md_t descriptor = NULL;
    dnnl_status_t status = espalier_md_reshape(&descriptor, layout->descriptor, rank, extents);
    return wrap(descriptor, status, "reshaped", extents, rank);
}

espalier_dnn_layout *espalier_dnn_layout_permuted(const espalier_dnn_layout *layout, const int *permutation) {
    md_t descriptor = NULL;
    dnnl_status_t status = espalier_md_permute(&descriptor, layout->descriptor, permutation);
    return wrap(descriptor, status, "permuted", layout->description.extents, layout->description.rank);
}

espalier_dnn_layout *espalier_dnn_layout_region(
    const espalier_dnn_layout *layout, const int64_t *extents, const int64_t *offsets) {
    if (!valid(extents, layout->description.rank)) return NULL;
    md_t descriptor = NULL;
    dnnl_status_t status = espalier_md_region(&descriptor, layout->descriptor, extents, offsets);
    return wrap(descriptor, status, "partial", extents, layout->description.rank);
}

void espalier_dnn_layout_destroy(espalier_dnn_layout *layout) {
    if (!layout) return;
    espalier_md_destroy(layout->descriptor);
    free(layout);
}

int espalier_dnn_layout_rank(const espalier_dnn_layout *layout) { return layout->description.rank; }

const int64_t *espalier_dnn_layout_extents(const espalier_dnn_layout *layout) {
    return layout->description.extents;
}

const int64_t *espalier_dnn_layout_strides(const espalier_dnn_layout *layout) {
    const md_description *description = &layout->description;
    return description->blocked && description->block_count == 0 ? description->strides : NULL;
}

espalier_dnn_element espalier_dnn_layout_element(const espalier_dnn_layout *layout) {
    return layout->description.type == dnnl_bf16 ? ESPALIER_DNN_BFLOAT16 : ESPALIER_DNN_FLOAT32;
}

size_t espalier_dnn_layout_byte_count(const espalier_dnn_layout *layout) { return layout->byte_count; }

bool espalier_dnn_layout_is_plain(const espalier_dnn_layout *layout) { return layout->is_plain; }

bool espalier_dnn_layout_equal(const espalier_dnn_layout *left, const espalier_dnn_layout *right) {
    if (left == right || dnnl_memory_desc_equal(left->descriptor, right->descriptor)) return true;
    const md_description *a = &left->description, *b = &right->description;
    if (!a->blocked || !b->blocked || a->type != b->type) return false;
    if (a->rank != b->rank || a->offset != b->offset || left->level_count != right->level_count) return false;
    const size_t vector = (size_t)a->rank * sizeof(int64_t);
    if (memcmp(a->extents, b->extents, vector) != 0) return false;
    if (memcmp(a->padded_extents, b->padded_extents, vector) != 0) return false;
    for (int each = 0; each < left->level_count; each++) {
        const level x = left->levels[each], y = right->levels[each];
        if (x.axis != y.axis || x.extent != y.extent || x.stride != y.stride) return false;
    }
    return true;
}

const char *espalier_dnn_layout_name(const espalier_dnn_layout *layout) { return layout->name; }

md_t espalier_layout_descriptor(const espalier_dnn_layout *layout) { return layout->descriptor; }

// MARK: Operands

bool espalier_operand_present(const espalier_dnn_operand *operand) {
    return operand->layout || operand->extents;
}

dnnl_status_t espalier_operand_open(
    espalier_operand_descriptor *result, const espalier_dnn_operand *operand) {
    *result = (espalier_operand_descriptor){NULL, NULL};
    if (operand->layout) {
        result->descriptor = operand->layout->descriptor;
        return dnnl_success;
    }
    if (!operand->extents) return dnnl_success;
    dnnl_status_t status =
        espalier_md_any(&result->owned, data_type(operand->element), operand->rank, operand->extents);
    result->descriptor = result->owned;
    return status;
}

void espalier_operand_close(espalier_operand_descriptor *operand) {
    if (operand->owned) espalier_md_destroy(operand->owned);
    *operand = (espalier_operand_descriptor){NULL, NULL};
}

void espalier_operand_describe(const espalier_dnn_operand *operand, char *text, size_t size) {
    const int rank = operand->layout ? operand->layout->description.rank : operand->rank;
    const int64_t *extents = operand->layout ? operand->layout->description.extents : operand->extents;
    size_t used = 0;
    text[0] = 0;
    for (int axis = 0; axis < rank && used + 1 < size; axis++) {
        const int written =
            snprintf(text + used, size - used, axis == 0 ? "%lld" : "x%lld", (long long)extents[axis]);
        used += written > 0 ? (size_t)written : 0;
    }
    if (operand->layout && used + 1 < size) snprintf(text + used, size - used, ":%s", operand->layout->name);
}
