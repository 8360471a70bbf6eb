// What packing needs to know of the ways to store weights; see espalier_weight_storage.h.
#ifndef ESPALIER_INTERNAL_WEIGHT_STORAGE_H
#define ESPALIER_INTERNAL_WEIGHT_STORAGE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "espalier_weight_storage.h"
#include "output_panels.h"

static inline size_t espalier_weight_bytes(espalier_weight_storage storage) {
    switch (storage) {
        case ESPALIER_WEIGHTS_FLOAT32: return 4;
        case ESPALIER_WEIGHTS_BFLOAT16: return 2;
        case ESPALIER_WEIGHTS_INT8: return 1;
    }
    return 4;
}

static inline uint16_t espalier_to_bfloat16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    // Rounding must not carry a not-a-number to infinity.
    if (value != value) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// What each of a panel's outputs' 8-bit weights are multiples of: 0 if it has none but zeros, or is not there.
static inline void espalier_int8_scales(
    const float *weights, size_t outputs, size_t inputs, float scales[PANEL_OUTPUTS]) {
    for (size_t output = 0; output < PANEL_OUTPUTS; ++output) {
        float largest = 0;
        for (size_t input = 0; input < (output < outputs ? inputs : 0); ++input) {
            const float magnitude = fabsf(weights[output * inputs + input]);
            if (magnitude > largest) largest = magnitude;
        }
        scales[output] = largest / 127;
    }
}

static inline int8_t espalier_to_int8(float value, float scale) {
    // A scale that underflowed to 0 leaves nothing to tell weights apart.
    if (!(scale > 0)) return 0;
    const float steps = nearbyintf(value / scale);
    return (int8_t)(steps > 127 ? 127 : steps < -127 ? -127 : steps);
}

#endif
