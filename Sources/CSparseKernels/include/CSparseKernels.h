/// Our own kernels in C. Each topic has its header, its dispatching .c file and its template.
#ifndef ESPALIER_CSPARSEKERNELS_H
#define ESPALIER_CSPARSEKERNELS_H

#include "espalier_accumulation.h"
#include "espalier_band_cholesky.h"
#include "espalier_batch_norm.h"
#include "espalier_bound_lines.h"
#include "espalier_caches.h"
#include "espalier_ceilings.h"
#include "espalier_csr_baseline.h"
#include "espalier_depthwise.h"
#include "espalier_depthwise_channels.h"
#include "espalier_epilogue.h"
#include "espalier_error_function.h"
#include "espalier_isa.h"
#include "espalier_masked_product.h"
#include "espalier_max_pooling.h"
#include "espalier_narrow_convolution.h"
#include "espalier_optimizers.h"
#include "espalier_relu.h"
#include "espalier_sparse_batch.h"
#include "espalier_sparse_convolution.h"
#include "espalier_sparse_matrix.h"
#include "espalier_sparse_product.h"
#include "espalier_sparse_strips.h"
#include "espalier_sparse_vector.h"
#include "espalier_transposition.h"
#include "espalier_triangle_product.h"
#include "espalier_weight_storage.h"

#endif
