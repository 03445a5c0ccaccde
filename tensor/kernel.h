/* kernel.h -- the arithmetic under the ops: loops over float arrays, one set an instruction set.
 *
 * kernel_scalar.c holds the plain form of every kernel, the one to read first. The SIMD sets
 * (kernel_sse2.c, kernel_avx2.c, kernel_avx512.c, kernel_neon.c) compile one body, kernel_body.h,
 * over a handful of vec_ operations. tensor_kernels_pick() chooses the best set that the machine
 * has; PHOENIX_KERNEL=scalar|sse2|avx2|avx512|neon in the environment forces one.
 *
 * All sets return the same bits. Three rules make it so:
 *   1. The arithmetic of record is fused: x*y + z is fma(x, y, z), rounded once, in hardware or
 *      emulated exactly where there is none. Nothing is contracted that is not written as fma.
 *   2. Element-wise kernels do the same operations on each element, whatever stands beside it.
 *   3. A reduction over an array puts element i into lane i % 16, in order of i, and folds the
 *      lanes in halves, 16 -> 8 -> 4 -> 2 -> 1 (lane j gets lane j + half). A matrix product's
 *      element is one chain of fma over k = 0, 1, 2, ... starting from 0, or from what stands in C:
 *      it is vectorised across elements, so blocking and packing do not show in the result.
 * exp, tanh, erf and log are this library's own (vec_math.h), for the same reason. */
#ifndef TENSOR_KERNEL_H
#define TENSOR_KERNEL_H

#include "tensor/image_kernels.h"

#include <stdbool.h>
#include <stddef.h>

/* What an optimizer's update is told, one struct for all (nn/optimizer.c fills it). */
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

typedef struct tensor_kernels {
    const char *name;
    int tile_m, tile_n; /* gemm_tile's shape */

    float (*log)(float x); /* natural */

    /* reductions, rule 3 */
    float (*dot)(const float *x, const float *y, size_t n);
    float (*sum)(const float *x, size_t n);
    float (*max)(const float *x, size_t n); /* n >= 1; NaN if any is NaN */

    /* y[i] op= ... */
    void (*add)(float *y, const float *x, size_t n);                     /* y += x */
    void (*axpy)(float *y, float a, const float *x, size_t n);           /* y = fma(a, x, y) */
    void (*scale)(float *y, float a, const float *x, size_t n);          /* y = a * x */
    void (*mul)(float *y, const float *a, const float *b, size_t n);     /* y = a * b */
    void (*mul_add)(float *y, const float *a, const float *b, size_t n); /* y = fma(a, b, y) */
    void (*add_to)(float *y, const float *a, const float *b, size_t n);  /* y = a + b */

    /* activations; the backward forms add to dx */
    void (*relu)(float *y, const float *x, size_t n);
    void (*relu_backward)(float *dx, const float *y, const float *dy, size_t n); /* y > 0 */
    void (*relu_gate)(float *dy, const float *y, size_t n); /* dy = y > 0 ? dy : 0 */
    void (*gelu_new)(float *y, const float *x, size_t n);
    void (*gelu_new_backward)(float *dx, const float *x, const float *dy, size_t n);
    void (*gelu_erf)(float *y, const float *x, size_t n);
    void (*gelu_erf_backward)(float *dx, const float *x, const float *dy, size_t n);
    void (*tanh)(float *y, const float *x, size_t n);
    void (*tanh_backward)(float *dx, const float *y, const float *dy, size_t n);

    /* rows */
    /* y = exp(x - shift); returns their sum */
    float (*exp_sum)(float *y, const float *x, float shift, size_t n);
    /* dx = fma(y, dy - inner, dx), inner = dot(y, dy) */
    void (*softmax_backward)(float *dx, const float *y, const float *dy, float inner, size_t n);
    /* x = softmax(factor * x + bias), in place; bias may be NULL */
    void (*attention_row)(float *x, float factor, const float *bias, size_t n);
    /* ds = p * (dp - dot(p, dp)) */
    void (*attention_row_backward)(float *ds, const float *p, const float *dp, size_t n);
    /* r = 1 / sqrt(dot(x,x) / n + eps), y = (x * r) * g; returns r */
    float (*rmsnorm)(float *y, const float *x, const float *g, float eps, size_t n);
    /* dx += r * (g dy - x * (r^2/n) * dot(g dy, x)); dg += dy * (x * r); dx or dg may be NULL */
    void (*rmsnorm_backward)(float *dx, float *dg, const float *x, const float *g, const float *dy,
                             float r, size_t n);

    /* optimizers over n parameters p with gradients g; m, v: state. Each as torch defines it. */
    void (*sgd)(float *p, const float *g, float *m, size_t n, const tensor_update *u);
    void (*rmsprop)(float *p, const float *g, float *v, float *m, size_t n, const tensor_update *u);
    void (*adam)(float *p, const float *g, float *m, float *v, size_t n, const tensor_update *u);
    void (*adamw)(float *p, const float *g, float *m, float *v, size_t n, const tensor_update *u);

    /* y[i][j] = x[i][j] and y[j][i] = x[i][j], for i < rows, j < cols; ld: from row to row */
    void (*copy)(float *y, size_t ldy, const float *x, size_t ldx, size_t rows, size_t cols);
    void (*transpose)(float *y, size_t ldy, const float *x, size_t ldx, size_t rows, size_t cols);

    void (*gemm_tile)(const tensor_tile *tile);

    const tensor_image_kernels *image; /* for convolutions, pools and batch norm */
} tensor_kernels;

/* NULL or "": the best set of this machine. Otherwise the one of that name; NULL: there is no such
 * set here. */
const tensor_kernels *tensor_kernels_pick(const char *name);

/* The names of all sets compiled in that this machine can run, best first, ending in NULL. */
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
