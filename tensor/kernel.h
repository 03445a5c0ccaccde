/* SPDX-License-Identifier: MIT */
/* kernel.h -- the arithmetic under the ops: loops over float arrays, one set an instruction set.
 *
 * kernel_list.h says in a line what each kernel computes; kernel_scalar.c has their plain forms,
 * the ones to read first. The SIMD sets (kernel_sse2.c, kernel_avx2.c, kernel_avx512.c,
 * kernel_neon.c) compile one body, kernel_body.h, over a handful of vec_ operations.
 * tensor_kernels_pick() chooses the best set that the machine has;
 * PHOENIX_KERNEL=scalar|sse2|avx2|avx512|neon in the environment forces one.
 *
 * All sets return the same bits. Three rules make it so:
 *   1. The arithmetic of record is fused: x*y + z is fma(x, y, z), rounded once, in hardware or
 *      emulated exactly where there is none. Nothing is contracted that is not written as fma.
 *   2. Element-wise kernels do the same operations on each element, whatever stands beside it.
 *   3. A reduction over an array puts element i into lane i % 16, in order of i, and folds the
 *      lanes in halves, 16 -> 8 -> 4 -> 2 -> 1 (lane j gets lane j + half). A matrix product's
 *      element is one chain of fma over k = 0, 1, 2, ... starting from 0, or from what stands in C:
 *      it is vectorised across elements, so blocking and packing do not show in the result.
 * exp, tanh, erf and log are this library's own (vec_math_body.h), for the same reason. */
#ifndef TENSOR_KERNEL_H
#define TENSOR_KERNEL_H

#include "tensor/image_kernels.h"

#include <stdbool.h>
#include <stddef.h>

/* The settings of an optimizer's update, one struct for all (nn/optimizer.c fills it). */
typedef struct tensor_update {
    float rate;         /* learning rate of this step */
    float decay;        /* weight decay */
    float momentum;     /* sgd, rmsprop */
    float beta1, beta2; /* adam, adamw; rmsprop's alpha is beta2 */
    float eps;
    float correction1, correction2; /* 1 - beta1^t, sqrt(1 - beta2^t) */
    float grad_scale;               /* every gradient is multiplied by it first: clipping */
    bool nesterov, first; /* first: the very first step (sgd's buffer starts as the gradient) */
} tensor_update;

/* One tile of a matrix product, for 1 <= rows <= tile_m and 1 <= cols <= tile_n:
 *   c[i * ldc + j] = chain over l < k of fma(a[i * a_row + l * a_step], b[l * b_step + j], .)
 * started from c where `accumulate`, else from 0. All tile_n floats of a row of b are read. */
typedef struct tensor_tile {
    int rows, cols;
    size_t k;
    const float *a, *b;
    size_t a_row, a_step, b_step;
    float *c;
    size_t ldc;
    bool accumulate;
} tensor_tile;

enum { TENSOR_WIDEST_TILE = 32 };

typedef struct tensor_kernels {
    const char *name;
    int tile_m, tile_n; /* gemm_tile's shape; tile_n divides TENSOR_WIDEST_TILE */

#define KERNEL(result, name, parameters) result(*name) parameters;
#include "tensor/kernel_list.h"

    const tensor_image_kernels *image; /* for convolutions, pools and batch norm */
} tensor_kernels;

/* NULL or "": the best set of this machine. Otherwise the one of that name; NULL: there is no such
 * set here. */
const tensor_kernels *tensor_kernels_pick(const char *name);

/* Why what a set computes would have other bits than elsewhere; NULL: it has the same. A program around the
 * library may have changed the way its thread rounds, or how this was compiled. In microseconds; it looks at the
 * calling thread, as it is now. */
const char *tensor_arithmetic_fault(const tensor_kernels *kernels);

/* The names of all sets compiled in that this machine can run, best first, ending in NULL. In memory
 * of the calling thread. */
const char *const *tensor_kernels_available(void);

/* Scalar forms for the odd single value; the same bits as the sets'. */
float tensor_expf(float x);
float tensor_logf(float x);
float tensor_tanhf(float x);
float tensor_erff(float x);

/* fma with one rounding: in hardware where the build may count on it, otherwise the emulation. */
float tensor_fmaf(float x, float y, float z);
float tensor_fmaf_exact(float x, float y, float z); /* always the emulation */

#endif
