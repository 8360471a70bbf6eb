// The optimisers' loops over one register of floats; see each_isa.h.

#define LANES (ESPALIER_VECTOR_BYTES / sizeof(float))
#define FLOATS ESPALIER_NAME(optimizer_floats)
#define INTS ESPALIER_NAME(optimizer_ints)
#define BYTES ESPALIER_NAME(optimizer_bytes)

typedef float FLOATS __attribute__((vector_size(ESPALIER_VECTOR_BYTES)));
typedef int32_t INTS __attribute__((vector_size(ESPALIER_VECTOR_BYTES)));
typedef int8_t BYTES __attribute__((vector_size(ESPALIER_VECTOR_BYTES / sizeof(float))));

// The first `count` lanes from memory, the others 0. `count` is a constant in the loops and variable in their tails.
ESPALIER_INLINE FLOATS ESPALIER_NAME(load)(const float *from, size_t count) {
    FLOATS values = {0};
    memcpy(&values, from, count * sizeof(float));
    return values;
}

ESPALIER_INLINE void ESPALIER_NAME(store)(FLOATS values, float *to, size_t count) {
    memcpy(to, &values, count * sizeof(float));
}

// All ones where the mask keeps.
ESPALIER_INLINE INTS ESPALIER_NAME(load_mask)(const uint8_t *from, size_t count) {
    BYTES bytes = {0};
    memcpy(&bytes, from, count);
    return __builtin_convertvector(bytes, INTS) != 0;
}

ESPALIER_INLINE FLOATS ESPALIER_NAME(masked)(FLOATS values, INTS keep) {
    return (FLOATS)((INTS)values & keep);
}

// MARK: SGD

ESPALIER_INLINE void ESPALIER_NAME(sgd_lanes)(
    const espalier_sgd *settings, float *weights, const float *gradients, float *momentum,
    const uint8_t *mask, size_t count, bool has_momentum, bool has_mask, bool nesterov) {
    FLOATS weight = ESPALIER_NAME(load)(weights, count);
    FLOATS direction = ESPALIER_NAME(load)(gradients, count) * settings->gradient_scale +
                       weight * settings->weight_decay;
    FLOATS velocity = direction;
    if (has_momentum) {
        velocity = ESPALIER_NAME(load)(momentum, count) * settings->momentum + direction;
    }
    FLOATS step = nesterov ? velocity * settings->momentum + direction : velocity;
    weight -= step * settings->learning_rate;
    if (has_mask) {
        INTS keep = ESPALIER_NAME(load_mask)(mask, count);
        weight = ESPALIER_NAME(masked)(weight, keep);
        velocity = ESPALIER_NAME(masked)(velocity, keep);
    }
    ESPALIER_NAME(store)(weight, weights, count);
    if (has_momentum) ESPALIER_NAME(store)(velocity, momentum, count);
}

// Inlined once for every combination of the flags, which are constants there.
ESPALIER_INLINE void ESPALIER_NAME(sgd_loop)(
    const espalier_sgd *settings, float *weights, const float *gradients, float *momentum,
    const uint8_t *mask, size_t count, bool has_momentum, bool has_mask, bool nesterov) {
    espalier_sgd local = *settings;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        ESPALIER_NAME(sgd_lanes)(
            &local, weights + i, gradients + i, has_momentum ? momentum + i : NULL,
            has_mask ? mask + i : NULL, LANES, has_momentum, has_mask, nesterov);
    }
    if (i < count) {
        ESPALIER_NAME(sgd_lanes)(
            &local, weights + i, gradients + i, has_momentum ? momentum + i : NULL,
            has_mask ? mask + i : NULL, count - i, has_momentum, has_mask, nesterov);
    }
}

static void ESPALIER_NAME(sgd)(
    const espalier_sgd *settings, float *weights, const float *gradients, float *momentum,
    const uint8_t *mask, size_t count) {
#define SGD(has_momentum, has_mask, nesterov) \
    ESPALIER_NAME(sgd_loop)(                  \
        settings, weights, gradients, momentum, mask, count, has_momentum, has_mask, nesterov)
    if (momentum) {
        if (settings->nesterov) {
            if (mask) SGD(true, true, true); else SGD(true, false, true);
        } else {
            if (mask) SGD(true, true, false); else SGD(true, false, false);
        }
    } else {
        if (mask) SGD(false, true, false); else SGD(false, false, false);
    }
#undef SGD
}

// MARK: Adam

ESPALIER_INLINE void ESPALIER_NAME(adam_lanes)(
    const espalier_adam *settings, float *weights, const float *gradients, float *first_moment,
    float *second_moment, const uint8_t *mask, size_t count, bool has_mask) {
    FLOATS weight = ESPALIER_NAME(load)(weights, count);
    FLOATS direction = ESPALIER_NAME(load)(gradients, count) * settings->gradient_scale +
                       weight * settings->coupled_decay;
    FLOATS first = ESPALIER_NAME(load)(first_moment, count) * settings->beta1 +
                   direction * settings->beta1_complement;
    FLOATS second = ESPALIER_NAME(load)(second_moment, count) * settings->beta2 +
                    direction * direction * settings->beta2_complement;
    FLOATS root = __builtin_elementwise_sqrt(second) * settings->root_correction + settings->epsilon;
    weight = weight * settings->retention - first * settings->corrected_rate / root;
    if (has_mask) {
        INTS keep = ESPALIER_NAME(load_mask)(mask, count);
        weight = ESPALIER_NAME(masked)(weight, keep);
        first = ESPALIER_NAME(masked)(first, keep);
        second = ESPALIER_NAME(masked)(second, keep);
    }
    ESPALIER_NAME(store)(weight, weights, count);
    ESPALIER_NAME(store)(first, first_moment, count);
    ESPALIER_NAME(store)(second, second_moment, count);
}

ESPALIER_INLINE void ESPALIER_NAME(adam_loop)(
    const espalier_adam *settings, float *weights, const float *gradients, float *first_moment,
    float *second_moment, const uint8_t *mask, size_t count, bool has_mask) {
    espalier_adam local = *settings;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        ESPALIER_NAME(adam_lanes)(
            &local, weights + i, gradients + i, first_moment + i, second_moment + i,
            has_mask ? mask + i : NULL, LANES, has_mask);
    }
    if (i < count) {
        ESPALIER_NAME(adam_lanes)(
            &local, weights + i, gradients + i, first_moment + i, second_moment + i,
            has_mask ? mask + i : NULL, count - i, has_mask);
    }
}

static void ESPALIER_NAME(adam)(
    const espalier_adam *settings, float *weights, const float *gradients, float *first_moment,
    float *second_moment, const uint8_t *mask, size_t count) {
    if (mask) {
        ESPALIER_NAME(adam_loop)(
            settings, weights, gradients, first_moment, second_moment, mask, count, true);
    } else {
        ESPALIER_NAME(adam_loop)(
            settings, weights, gradients, first_moment, second_moment, mask, count, false);
    }
}

// MARK: Norm

// Always 16 running sums, whatever the register's width, and pairwise at the end.
ESPALIER_INLINE double ESPALIER_NAME(sum_of_squares_loop)(
    const float *values, const uint8_t *mask, size_t count, bool has_mask) {
    typedef float sixteen_floats __attribute__((vector_size(64)));
    typedef int32_t sixteen_ints __attribute__((vector_size(64)));
    typedef int8_t sixteen_bytes __attribute__((vector_size(16)));
    typedef double sixteen_doubles __attribute__((vector_size(128)));
    sixteen_doubles sums = {0};
    for (size_t i = 0; i < count; i += 16) {
        size_t width = count - i < 16 ? count - i : 16;
        sixteen_floats narrow = {0};
        if (width == 16) memcpy(&narrow, values + i, sizeof narrow);
        else memcpy(&narrow, values + i, width * sizeof(float));
        if (has_mask) {
            sixteen_bytes bytes = {0};
            memcpy(&bytes, mask + i, width);
            narrow = (sixteen_floats)((sixteen_ints)narrow &
                                      (__builtin_convertvector(bytes, sixteen_ints) != 0));
        }
        sixteen_doubles wide = __builtin_convertvector(narrow, sixteen_doubles);
        sums += wide * wide;
    }
    double partial[16];
    memcpy(partial, &sums, sizeof partial);
    for (int width = 8; width > 0; width /= 2) {
        for (int lane = 0; lane < width; ++lane) partial[lane] += partial[lane + width];
    }
    return partial[0];
}

static double ESPALIER_NAME(sum_of_squares)(const float *values, const uint8_t *mask, size_t count) {
    return mask ? ESPALIER_NAME(sum_of_squares_loop)(values, mask, count, true)
                : ESPALIER_NAME(sum_of_squares_loop)(values, NULL, count, false);
}

#undef BYTES
#undef INTS
#undef FLOATS
#undef LANES
