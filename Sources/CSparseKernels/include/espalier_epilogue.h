/// What kernels do to their results as they write them.
#ifndef ESPALIER_EPILOGUE_H
#define ESPALIER_EPILOGUE_H

/// Not-a-number stays not-a-number in all of them.
typedef enum {
    ESPALIER_ACTIVATION_NONE = 0,
    /// max(x, 0).
    ESPALIER_ACTIVATION_RELU = 1,
    /// min(max(x, lower), upper).
    ESPALIER_ACTIVATION_CLIP = 2,
    /// x min(max(x / 6 + 1/2, 0), 1) (Howard et al. 2019).
    ESPALIER_ACTIVATION_HARD_SWISH = 3,
    /// x / 2 (1 + erf(x / sqrt 2)) (Hendrycks and Gimpel 2016), within 3e-7 max(1, |x|).
    ESPALIER_ACTIVATION_GELU = 4,
} espalier_activation_function;

typedef struct {
    espalier_activation_function function;
    /// The bounds of ESPALIER_ACTIVATION_CLIP.
    float lower;
    float upper;
} espalier_activation;

/// What is added to products, and the function of the sums.
typedef struct {
    /// One number for each output, or NULL.
    const float *bias;
    /// Of the result's shape, or NULL. May be the result itself.
    const float *residual;
    espalier_activation activation;
} espalier_epilogue;

#endif
