/* SPDX-License-Identifier: MIT */
/* gemm.h -- matrix products: C = op(A) op(B), or added to C.
 *
 * gemm.c has the plain three loops (tensor_gemm_plain), which is the definition, and the blocked
 * and packed form, which gives the same bits: Goto & van de Geijn 2008, "Anatomy of
 * high-performance matrix multiplication", ACM TOMS 34(3). */
#ifndef TENSOR_GEMM_H
#define TENSOR_GEMM_H

#include "tensor/kernel.h"
#include "tensor/tensor.h"

/* op(A) is M x K, op(B) is K x N, C is M x N; op is the transpose where asked for. ld is the
 * distance in floats between rows as stored. Every element is one chain of fma over k (kernel.h,
 * rule 3). C does not overlap A or B. */
typedef struct tensor_gemm_task {
    int m, n, k;
    bool transpose_a, transpose_b;
    const float *a, *b;
    float *c;
    size_t lda, ldb, ldc;
    bool accumulate;       /* start from what stands in C */
    const float *bias;     /* added to each row of C after the chain (n floats), or NULL */
    const float *residual; /* then this is: as C, ldc from row to row; or NULL */
    bool relu;             /* then max(0, .) */
} tensor_gemm_task;

/* The task C = A B, A B^T or A^T B of whole matrices (no gap between rows), C (m,n), over k steps.
 * All else is zero, for the caller to fill in. */
tensor_gemm_task tensor_gemm_ab(int m, int n, int k, const float *a, const float *b, float *c);
tensor_gemm_task tensor_gemm_abt(int m, int n, int k, const float *a, const float *b, float *c);
tensor_gemm_task tensor_gemm_atb(int m, int n, int k, const float *a, const float *b, float *c);

/* Spread over the context's threads. */
void tensor_gemm(tensor_context *ctx, const tensor_gemm_task *task);

/* On the calling thread alone, for use inside tensor_parallel; worker: that body's. Its scratch
 * memory must have been reserved before the parallel region, for tasks at least as large in every
 * dimension. */
void tensor_gemm_single(tensor_context *ctx, int worker, const tensor_gemm_task *task);

void tensor_gemm_reserve(tensor_context *ctx, int m, int n, int k);

/* What follows the chains, for rows i .. i+rows, columns j .. j+cols of C: bias, residual, relu. */
void tensor_gemm_finish(const tensor_kernels *kernels, const tensor_gemm_task *task, int i,
                        int rows, int j, int cols);

/* ---- B packed once, for several products ---- */

/* op(B), K x N, in panels of tile_n columns, each K rows long. Memory: tensor_packed_floats(). */
size_t tensor_packed_floats(const tensor_kernels *kernels, int n, int k);
void tensor_pack(const tensor_kernels *kernels, float *packed, int n, int k, const float *b,
                 size_t ldb, bool transpose);

/* A matrix where it stands: element (i,j) is at[i * row + j * step]. Its transpose has the two
 * exchanged. */
typedef struct tensor_view {
    const float *at;
    size_t row, step;
} tensor_view;

/* A packed B of `rows` rows, without its first `skip`. */
typedef struct tensor_panels {
    const float *at;
    int rows, skip;
} tensor_panels;

/* Where a product goes; row i begins at at[i * row]. */
typedef struct tensor_target {
    float *at;
    size_t row;
    bool accumulate;
} tensor_target;

/* C (m,n) = A (m,k) times the first n columns and k rows of B, or added to C. k is not cut into
 * blocks. */
void tensor_gemm_packed(const tensor_kernels *kernels, int m, int n, int k, tensor_view a,
                        tensor_panels b, tensor_target c);

/* Three loops. The others are held against it, bit for bit. */
void tensor_gemm_plain(const tensor_gemm_task *task);

#endif
