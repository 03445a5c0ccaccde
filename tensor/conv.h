/* SPDX-License-Identifier: MIT */
/* conv.h -- what the files of the convolution share: its shape, its three products, and the two
 * ways to compute them. conv.c has the op and says which way is taken. */
#ifndef TENSOR_CONV_H
#define TENSOR_CONV_H

#include "tensor/context.h"

typedef struct conv {
    int B, C, H, W, O, kernel, stride, padding;
    int H2, W2; /* of the result */
    int K, P;   /* C kernel^2, H2 W2 */
    bool relu;  /* y = max(0, .) after all */
} conv;

/* x (B,C,H,W), weight (O,C,kernel,kernel), bias (O) or NULL, y and dy (B,O,H2,W2), which is 0 where
 * relu made y 0. A gradient that is not wanted is NULL; to the others is added. */
typedef struct conv_task {
    const conv *s;
    tensor_context *ctx;
    const float *x, *weight, *bias, *dy;
    float *y, *dx, *dw, *dbias;
    bool fresh; /* dx is not zeroed yet */
} conv_task;

/* The definition: one chain of fma for each element, over c, then the kernel's lines and columns,
 * begun from the bias. */
void tensor_conv_plain(const conv_task *task);

/* conv_gemm.c: as products with unfolded images; y is the plain form's, bit for bit, unless an
 * infinite or NaN weight meets padding. */
void tensor_conv_gemm_forward(const conv_task *task);
void tensor_conv_gemm_backward(const conv_task *task);

/* conv.c: which of the two is taken. Of the shape, B, C, O, kernel, stride, H2 and W2 are read. */
bool tensor_conv_by_winograd(const conv *s);

/* conv_winograd.c: with fewer multiplications, for kernels of 3 and stride 1. */
void tensor_conv_winograd_forward(const conv_task *task);
void tensor_conv_winograd_backward(const conv_task *task);

/* The method by its definition, in double, for one tile and one pair of channels: the results y
 * (4,4) of a kernel w (3,3) over inputs d (6,6). */
void tensor_winograd_plain(double y[16], const double d[36], const double w[9]);

#endif
