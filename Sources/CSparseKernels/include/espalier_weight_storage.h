/// How packed weights are stored. Kernels compute in float32 whatever the storage: narrow weights are less to read.
#ifndef ESPALIER_WEIGHT_STORAGE_H
#define ESPALIER_WEIGHT_STORAGE_H

typedef enum {
    ESPALIER_WEIGHTS_FLOAT32 = 0,
    /// The upper half of a float32, rounded to nearest, ties to even.
    ESPALIER_WEIGHTS_BFLOAT16 = 1,
    /// -127...127 times the largest magnitude of the weight's output over 127. The weights must be finite.
    ESPALIER_WEIGHTS_INT8 = 2,
} espalier_weight_storage;

#endif
