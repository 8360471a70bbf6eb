/// A small, stable C interface over oneDNN, the same for its versions 2 and 3 (half of whose functions
/// differ).
///
/// Everything computes in 32-bit floating point, in strict mode, with scratch memory that belongs to the
/// caller; convolutions and products may take bfloat16, whose products they sum in 32 bits. The objects are
/// opaque. A function that creates one returns NULL when oneDNN refuses, after which
/// `espalier_dnn_last_status` and `espalier_dnn_last_message` tell the calling thread why.
#ifndef ESPALIER_DNN_H
#define ESPALIER_DNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Errors

typedef enum {
    ESPALIER_DNN_SUCCESS = 0,
    ESPALIER_DNN_OUT_OF_MEMORY,
    /// The arguments contradict one another.
    ESPALIER_DNN_INVALID,
    /// The arguments make sense, but this version of oneDNN has no implementation for them.
    ESPALIER_DNN_UNSUPPORTED,
    ESPALIER_DNN_FAILED
} espalier_dnn_status;

/// The status of this thread's last failure.
espalier_dnn_status espalier_dnn_last_status(void);

/// What failed last on this thread, with the extents it was asked for. Valid until the thread's next failure.
const char *espalier_dnn_last_message(void);

// MARK: Layouts

enum {
    /// The largest number of axes of a layout.
    ESPALIER_DNN_MAXIMUM_RANK = 12,
    /// The largest number of spatial axes of a convolution or pooling.
    ESPALIER_DNN_MAXIMUM_SPATIAL_RANK = 3,
    /// The largest number of operations that can be fused behind a primitive.
    ESPALIER_DNN_MAXIMUM_POST_OPS = 8
};

/// The type of a tensor's elements.
typedef enum {
    ESPALIER_DNN_FLOAT32 = 0,
    ESPALIER_DNN_BFLOAT16
} espalier_dnn_element;

/// How the elements of a tensor lie in memory. Immutable; may be shared between threads.
typedef struct espalier_dnn_layout espalier_dnn_layout;

/// Row-major, without gaps, of float32.
espalier_dnn_layout *espalier_dnn_layout_plain(const int64_t *extents, int rank);

/// With the distance in elements between neighbours along each axis, of float32.
espalier_dnn_layout *espalier_dnn_layout_strided(const int64_t *extents, const int64_t *strides, int rank);

/// The same order of elements of another type; NULL if the layout has blocks or is opaque.
espalier_dnn_layout *espalier_dnn_layout_converted(
    const espalier_dnn_layout *layout, espalier_dnn_element element);

/// The same memory under other extents; NULL where the layout's blocks do not allow it.
espalier_dnn_layout *espalier_dnn_layout_reshaped(
    const espalier_dnn_layout *layout, const int64_t *extents, int rank);

/// The same memory with its axes in another order: axis `i` becomes axis `permutation[i]`.
espalier_dnn_layout *espalier_dnn_layout_permuted(const espalier_dnn_layout *layout, const int *permutation);

/// The box of `extents` at `offsets`, to be used with the *whole* tensor's pointer; NULL if it cuts through a
/// block.
espalier_dnn_layout *espalier_dnn_layout_region(
    const espalier_dnn_layout *layout, const int64_t *extents, const int64_t *offsets);

void espalier_dnn_layout_destroy(espalier_dnn_layout *layout);

int espalier_dnn_layout_rank(const espalier_dnn_layout *layout);
const int64_t *espalier_dnn_layout_extents(const espalier_dnn_layout *layout);

espalier_dnn_element espalier_dnn_layout_element(const espalier_dnn_layout *layout);

/// The strides in elements, or NULL if the layout has blocks or is opaque.
const int64_t *espalier_dnn_layout_strides(const espalier_dnn_layout *layout);

/// The bytes a tensor takes, including the padding of its last blocks.
size_t espalier_dnn_layout_byte_count(const espalier_dnn_layout *layout);

/// Whether its bytes are those of a row-major tensor without gaps.
bool espalier_dnn_layout_is_plain(const espalier_dnn_layout *layout);

/// Whether tensors of both layouts are the same bytes, however the layouts are described.
bool espalier_dnn_layout_equal(const espalier_dnn_layout *left, const espalier_dnn_layout *right);

/// A short description such as `aBcd16b` for channels in blocks of 16. Valid as long as the layout.
const char *espalier_dnn_layout_name(const espalier_dnn_layout *layout);

// MARK: Arguments of primitives

enum {
    ESPALIER_DNN_ARG_SRC = 0,
    /// The second operand of a binary operation.
    ESPALIER_DNN_ARG_SRC_1,
    ESPALIER_DNN_ARG_WEIGHTS,
    ESPALIER_DNN_ARG_BIAS,
    ESPALIER_DNN_ARG_DST,
    ESPALIER_DNN_ARG_MEAN,
    ESPALIER_DNN_ARG_VARIANCE,
    ESPALIER_DNN_ARG_SCALE,
    ESPALIER_DNN_ARG_SHIFT,
    ESPALIER_DNN_ARG_WORKSPACE,
    ESPALIER_DNN_ARG_DIFF_SRC,
    ESPALIER_DNN_ARG_DIFF_WEIGHTS,
    ESPALIER_DNN_ARG_DIFF_BIAS,
    ESPALIER_DNN_ARG_DIFF_DST,
    ESPALIER_DNN_ARG_DIFF_SCALE,
    ESPALIER_DNN_ARG_DIFF_SHIFT,
    /// Plus n: the n-th input of a concatenation or a sum.
    ESPALIER_DNN_ARG_MULTIPLE = 1 << 16,
    /// Plus n: the operand of the n-th fused operation.
    ESPALIER_DNN_ARG_POST_OP = 1 << 20
};

/// A tensor that a primitive takes or gives. Without a layout, oneDNN chooses one for the extents and the
/// element; with one, both are the layout's. Absent when layout and extents are missing.
typedef struct {
    const espalier_dnn_layout *layout;
    const int64_t *extents;
    int rank;
    espalier_dnn_element element;
} espalier_dnn_operand;

typedef enum {
    ESPALIER_DNN_RELU,      ///< x > 0 ? x : alpha x
    ESPALIER_DNN_ELU,       ///< x > 0 ? x : alpha (exp x - 1)
    ESPALIER_DNN_GELU_ERF,  ///< x/2 (1 + erf(x / sqrt 2))
    ESPALIER_DNN_GELU_TANH, ///< its approximation by tanh
    ESPALIER_DNN_TANH,
    ESPALIER_DNN_LOGISTIC,     ///< 1 / (1 + exp -x)
    ESPALIER_DNN_HARD_SWISH,   ///< x clip(alpha x + beta, 0, 1); version 2 only with 1/6 and 1/2
    ESPALIER_DNN_HARD_SIGMOID, ///< clip(alpha x + beta, 0, 1); not in version 2
    ESPALIER_DNN_CLIP,         ///< to [alpha, beta]; its derivative is 1 inside and 0 at the ends and beyond
    ESPALIER_DNN_ABS,
    ESPALIER_DNN_SQRT,
    ESPALIER_DNN_EXP,
    ESPALIER_DNN_LOG,
    ESPALIER_DNN_SQUARE,
    ESPALIER_DNN_LINEAR, ///< alpha x + beta
    ESPALIER_DNN_POW,    ///< alpha x^beta
    ESPALIER_DNN_SWISH,  ///< x / (1 + exp(-alpha x))
    ESPALIER_DNN_MISH,   ///< x tanh(log(1 + exp x))
    ESPALIER_DNN_ROUND   ///< to the nearest integer, halves to even; forward only
} espalier_dnn_eltwise_kind;

typedef enum {
    ESPALIER_DNN_ADD,
    ESPALIER_DNN_SUB,
    ESPALIER_DNN_MUL,
    ESPALIER_DNN_DIV,
    ESPALIER_DNN_MIN,
    ESPALIER_DNN_MAX
} espalier_dnn_binary_kind;

typedef enum {
    ESPALIER_DNN_POST_ELTWISE,
    ESPALIER_DNN_POST_SUM,
    ESPALIER_DNN_POST_BINARY
} espalier_dnn_post_op_kind;

/// One operation fused behind a primitive.
typedef struct {
    espalier_dnn_post_op_kind kind;
    espalier_dnn_eltwise_kind eltwise;
    float alpha, beta;
    /// POST_SUM: the result is added to `scale` times what the destination held.
    float scale;
    espalier_dnn_binary_kind binary;
    /// POST_BINARY: the second operand, which broadcasts to the destination.
    espalier_dnn_operand operand;
} espalier_dnn_post_op;

typedef struct {
    const espalier_dnn_post_op *operations;
    int count;
} espalier_dnn_post_ops;

// MARK: Primitives

/// A compiled operation. Immutable: it may be shared by calls on several threads, all of which must have the
/// OpenMP thread count of the thread that created it.
typedef struct espalier_dnn_primitive espalier_dnn_primitive;

void espalier_dnn_primitive_destroy(espalier_dnn_primitive *primitive);

/// A new layout object for `argument`, or NULL if the primitive has no such argument.
espalier_dnn_layout *espalier_dnn_primitive_layout(const espalier_dnn_primitive *primitive, int argument);

size_t espalier_dnn_primitive_scratch_byte_count(const espalier_dnn_primitive *primitive);

/// The name of oneDNN's implementation, such as `brgconv:avx512_core`.
const char *espalier_dnn_primitive_implementation(const espalier_dnn_primitive *primitive);

/// The OpenMP thread count it was created for.
int espalier_dnn_primitive_threads(const espalier_dnn_primitive *primitive);

typedef enum {
    ESPALIER_DNN_CONVOLUTION_DIRECT,
    /// Winograd's method: fewer multiplications, larger rounding errors. Few geometries and layouts have it.
    ESPALIER_DNN_CONVOLUTION_WINOGRAD
} espalier_dnn_convolution_algorithm;

/// A convolution of rank 1 to 3. Source N x C x spatial, weights [G x] O/G x C/G x spatial with the group
/// axis only if G > 1, bias O, destination N x O x spatial. For a backward primitive, an operand stands for
/// its gradient where that is what the primitive reads or writes.
typedef struct {
    bool training;
    espalier_dnn_convolution_algorithm algorithm;
    espalier_dnn_operand source, weights, bias, destination;
    int64_t strides[ESPALIER_DNN_MAXIMUM_SPATIAL_RANK];
    /// 1: neighbouring elements.
    int64_t dilations[ESPALIER_DNN_MAXIMUM_SPATIAL_RANK];
    int64_t padding_begin[ESPALIER_DNN_MAXIMUM_SPATIAL_RANK];
    int64_t padding_end[ESPALIER_DNN_MAXIMUM_SPATIAL_RANK];
    espalier_dnn_post_ops post_ops;
} espalier_dnn_convolution;

espalier_dnn_primitive *espalier_dnn_convolution_forward(const espalier_dnn_convolution *convolution);
/// The gradient of the source; takes WEIGHTS and DIFF_DST, gives DIFF_SRC.
espalier_dnn_primitive *espalier_dnn_convolution_backward_data(
    const espalier_dnn_convolution *convolution, const espalier_dnn_primitive *forward);
/// The gradient of the weights and, if present, the bias; takes SRC and DIFF_DST.
espalier_dnn_primitive *espalier_dnn_convolution_backward_weights(
    const espalier_dnn_convolution *convolution, const espalier_dnn_primitive *forward);

/// Destination N x O = source N x C [x spatial] times the transpose of weights O x C [x spatial], plus bias
/// O.
typedef struct {
    bool training;
    espalier_dnn_operand source, weights, bias, destination;
    espalier_dnn_post_ops post_ops;
} espalier_dnn_inner_product;

espalier_dnn_primitive *espalier_dnn_inner_product_forward(const espalier_dnn_inner_product *product);
espalier_dnn_primitive *espalier_dnn_inner_product_backward_data(
    const espalier_dnn_inner_product *product, const espalier_dnn_primitive *forward);
espalier_dnn_primitive *espalier_dnn_inner_product_backward_weights(
    const espalier_dnn_inner_product *product, const espalier_dnn_primitive *forward);

/// Destination [batch x] M x N = source [batch x] M x K times weights [batch x] K x N, plus bias, all of
/// equal rank; batch axes and the bias' axes of extent 1 broadcast. Transposition is a matter of strides.
typedef struct {
    espalier_dnn_operand source, weights, bias, destination;
    espalier_dnn_post_ops post_ops;
} espalier_dnn_matmul;

espalier_dnn_primitive *espalier_dnn_matmul_forward(const espalier_dnn_matmul *product);

/// Normalisation of N x C [x spatial] over all axes but C. MEAN, VARIANCE (biased), SCALE and SHIFT have
/// extent C.
typedef struct {
    /// Whether the backward pass will follow. It decides whether statistics and the workspace are written.
    bool training;
    /// MEAN and VARIANCE are inputs and constants; otherwise they are computed from the batch.
    bool given_statistics;
    bool scale, shift;
    /// max(0, ·) behind the normalisation; in training it writes WORKSPACE, which the backward pass reads.
    bool relu;
    float epsilon;
    espalier_dnn_operand source, destination;
} espalier_dnn_batch_normalization;

espalier_dnn_primitive *espalier_dnn_batch_normalization_forward(
    const espalier_dnn_batch_normalization *normalization);
/// Takes SRC, MEAN, VARIANCE, DIFF_DST, SCALE and WORKSPACE if used; gives DIFF_SRC, DIFF_SCALE, DIFF_SHIFT
/// if used.
espalier_dnn_primitive *espalier_dnn_batch_normalization_backward(
    const espalier_dnn_batch_normalization *normalization, const espalier_dnn_primitive *forward);

/// Normalisation along the last axis. MEAN and VARIANCE have the other axes' extents; SCALE and SHIFT the
/// last one's.
typedef struct {
    bool training;
    bool given_statistics;
    bool scale, shift;
    float epsilon;
    espalier_dnn_operand source, destination;
} espalier_dnn_layer_normalization;

espalier_dnn_primitive *espalier_dnn_layer_normalization_forward(
    const espalier_dnn_layer_normalization *normalization);
espalier_dnn_primitive *espalier_dnn_layer_normalization_backward(
    const espalier_dnn_layer_normalization *normalization, const espalier_dnn_primitive *forward);

typedef enum {
    ESPALIER_DNN_POOLING_MAXIMUM,
    ESPALIER_DNN_POOLING_AVERAGE_INCLUDING_PADDING,
    ESPALIER_DNN_POOLING_AVERAGE_EXCLUDING_PADDING
} espalier_dnn_pooling_kind;

/// Pooling of N x C x spatial. Maximum pooling in training writes WORKSPACE, which the backward pass reads.
typedef struct {
    bool training;
    espalier_dnn_pooling_kind kind;
    espalier_dnn_operand source, destination;
    int64_t kernel[ESPALIER_DNN_MAXIMUM_SPATIAL_RANK];
    int64_t strides[ESPALIER_DNN_MAXIMUM_SPATIAL_RANK];
    int64_t dilations[ESPALIER_DNN_MAXIMUM_SPATIAL_RANK];
    int64_t padding_begin[ESPALIER_DNN_MAXIMUM_SPATIAL_RANK];
    int64_t padding_end[ESPALIER_DNN_MAXIMUM_SPATIAL_RANK];
    espalier_dnn_post_ops post_ops;
} espalier_dnn_pooling;

espalier_dnn_primitive *espalier_dnn_pooling_forward(const espalier_dnn_pooling *pooling);
espalier_dnn_primitive *espalier_dnn_pooling_backward(
    const espalier_dnn_pooling *pooling, const espalier_dnn_primitive *forward);

typedef struct {
    bool training;
    /// The logarithm of the softmax.
    bool logarithm;
    int axis;
    espalier_dnn_operand source, destination;
} espalier_dnn_softmax;

espalier_dnn_primitive *espalier_dnn_softmax_forward(const espalier_dnn_softmax *softmax);
/// Takes DST and DIFF_DST, gives DIFF_SRC.
espalier_dnn_primitive *espalier_dnn_softmax_backward(
    const espalier_dnn_softmax *softmax, const espalier_dnn_primitive *forward);

typedef struct {
    bool training;
    espalier_dnn_eltwise_kind kind;
    float alpha, beta;
    /// The backward pass reads DST instead of SRC, so that the forward one may run in place. Only for RELU
    /// and ELU with alpha >= 0, TANH, SQRT, LOGISTIC, EXP and CLIP.
    bool backward_uses_destination;
    espalier_dnn_operand source, destination;
    espalier_dnn_post_ops post_ops;
} espalier_dnn_eltwise;

espalier_dnn_primitive *espalier_dnn_eltwise_forward(const espalier_dnn_eltwise *eltwise);
espalier_dnn_primitive *espalier_dnn_eltwise_backward(
    const espalier_dnn_eltwise *eltwise, const espalier_dnn_primitive *forward);

/// SRC and SRC_1 of equal rank, where SRC_1 broadcasts along axes of extent 1.
typedef struct {
    espalier_dnn_binary_kind kind;
    espalier_dnn_operand left, right, destination;
    espalier_dnn_post_ops post_ops;
} espalier_dnn_binary;

espalier_dnn_primitive *espalier_dnn_binary_forward(const espalier_dnn_binary *binary);

typedef enum {
    ESPALIER_DNN_REDUCTION_SUM,
    ESPALIER_DNN_REDUCTION_MEAN,
    ESPALIER_DNN_REDUCTION_MAXIMUM,
    ESPALIER_DNN_REDUCTION_MINIMUM
} espalier_dnn_reduction_kind;

/// Reduces the axes whose extent is 1 in the destination, which has the source's rank.
typedef struct {
    espalier_dnn_reduction_kind kind;
    espalier_dnn_operand source, destination;
    espalier_dnn_post_ops post_ops;
} espalier_dnn_reduction;

espalier_dnn_primitive *espalier_dnn_reduction_forward(const espalier_dnn_reduction *reduction);

/// Lays MULTIPLE+0, MULTIPLE+1, ... end to end along `axis`. Every source has a layout.
espalier_dnn_primitive *espalier_dnn_concatenation(
    const espalier_dnn_layout *const *sources, int count, int axis, espalier_dnn_operand destination);

/// The sum of MULTIPLE+i times `scales[i]`. Every source has a layout.
espalier_dnn_primitive *espalier_dnn_sum(const espalier_dnn_layout *const *sources, const float *scales,
    int count, espalier_dnn_operand destination);

/// Copies SRC to DST, from one layout to the other.
espalier_dnn_primitive *espalier_dnn_reorder(
    const espalier_dnn_layout *source, const espalier_dnn_layout *destination);

// MARK: Calls

/// The pointer of one argument.
typedef struct {
    int argument;
    void *pointer;
} espalier_dnn_binding;

/// A primitive with its pointers, ready to run again and again without allocation. The primitive must outlive
/// it. One thread at a time may use it.
typedef struct espalier_dnn_call espalier_dnn_call;

/// Every argument must be bound; its pointer may be NULL and be set later.
espalier_dnn_call *espalier_dnn_call_create(
    const espalier_dnn_primitive *primitive, const espalier_dnn_binding *bindings, int count, void *scratch);
void espalier_dnn_call_destroy(espalier_dnn_call *call);

/// Replaces the pointer of one of the arguments it was created with. Touches no tensor's memory.
espalier_dnn_status espalier_dnn_call_set_pointer(espalier_dnn_call *call, int argument, void *pointer);

/// Replaces the scratch pointer.
espalier_dnn_status espalier_dnn_call_set_scratch(espalier_dnn_call *call, void *scratch);

/// Runs it on the calling thread and its OpenMP team, and waits.
///
/// The first run after a pointer changed may write zeros to the padding of the tensors' last blocks.
espalier_dnn_status espalier_dnn_call_run(espalier_dnn_call *call);

// MARK: Threads

/// The number of threads that primitives created by the calling thread will use: 1 without OpenMP.
int espalier_dnn_threads(void);

/// Sets it for the calling thread only; ignored without OpenMP.
void espalier_dnn_set_threads(int count);

/// Whether oneDNN's OpenMP runtime was found, without which everything runs on one thread.
bool espalier_dnn_has_openmp(void);

/// Runs `body` once on every thread of the calling thread's OpenMP team and waits; on one thread inside such
/// a region.
void espalier_dnn_parallel(void (*body)(void *context, int thread, int threads), void *context);

/// Makes denormal results and operands zero on the calling thread (and on threads it starts from then on);
/// returns the previous state of the floating-point unit for `espalier_dnn_restore_floating_point`.
uint64_t espalier_dnn_flush_denormals(void);
void espalier_dnn_restore_floating_point(uint64_t state);

// MARK: The library

typedef struct {
    int major, minor, patch;
} espalier_dnn_version;

/// The version of the library in use, which may be newer than the headers.
espalier_dnn_version espalier_dnn_library_version(void);

/// The widest instruction set oneDNN uses on this CPU, such as `avx512_core_bf16`.
const char *espalier_dnn_instruction_set(void);

/// Whether it has kernels here that multiply bfloat16 by instructions made for it; elsewhere it converts, which
/// is slower than computing in float32.
bool espalier_dnn_has_native_bfloat16(void);

/// The number of compiled primitives oneDNN keeps for reuse; -1 if it does not tell.
int espalier_dnn_primitive_cache_capacity(void);
espalier_dnn_status espalier_dnn_set_primitive_cache_capacity(int capacity);

#ifdef __cplusplus
}
#endif

#endif
