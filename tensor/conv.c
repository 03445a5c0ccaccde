/* SPDX-License-Identifier: MIT */
/* conv.c -- convolution of images: the op, its definition in plain loops, and which of two ways to
 * compute it is taken (conv_gemm.c, conv_winograd.c).
 *
 *   y[b][o][i][j] = bias[o] + sum over c, k, l of w[o][c][k][l] x[b][c][i s - p + k][j s - p + l]
 *
 * with stride s and padding p: pixels outside of the image are 0. The first way turns that into one
 * matrix product an image, the second into 36 small ones with a quarter of the multiplications. */
#include "tensor/conv.h"

#include <limits.h>

/* ---- the definition ---- */

/* x[b][c][row][column], or 0 in the padding. */
static float pixel(const conv *s, const float *x, int b, int c, int row, int column)
{
    bool outside = row < 0 || row >= s->H || column < 0 || column >= s->W;
    size_t plane = (size_t)b * (size_t)s->C + (size_t)c;
    return outside ? 0.0F : x[(plane * (size_t)s->H + (size_t)row) * (size_t)s->W + (size_t)column];
}

/* y[b][o][row][column], relu included. */
static float result(const conv_task *task, int b, int o, int row, int column)
{
    const conv *s = task->s;
    const float *weight = task->weight + (size_t)o * (size_t)s->K;
    float chain = task->bias ? task->bias[o] : 0.0F;
    for (int c = 0; c < s->C; c++)
        for (int i = 0; i < s->kernel; i++)
            for (int j = 0; j < s->kernel; j++)
                chain = tensor_fmaf(*weight++,
                                    pixel(s, task->x, b, c, row * s->stride - s->padding + i,
                                          column * s->stride - s->padding + j),
                                    chain);
    return s->relu && 0.0F > chain ? 0.0F : chain;
}

void tensor_conv_plain(const conv_task *task)
{
    const conv *s = task->s;
    float *y = task->y;
    for (int b = 0; b < s->B; b++)
        for (int o = 0; o < s->O; o++)
            for (int row = 0; row < s->H2; row++)
                for (int column = 0; column < s->W2; column++)
                    *y++ = result(task, b, o, row, column);
}

/* ---- the op ---- */

/* Winograd's method where it can be had, but for few channels, whose products are too narrow to pay
 * for the transforms, and for so few tiles that those of the weight cost most. The two ways round
 * differently, so the choice must depend on the shape alone, never on the machine. Measured with
 * AVX-512 over 1 to 64 images of 2x2 to 32x32: it is 1.2 to 2 times as fast with 8 channels, 2.3 to
 * 5 times with 16 and more; with 3 it takes 1.4 times as long. */
bool tensor_conv_by_winograd(const conv *s)
{
    enum { CHANNELS = 8, TILES = 4 };
    int64_t tiles = (int64_t)s->B * ((s->H2 + 3) / 4) * ((s->W2 + 3) / 4);
    return s->kernel == 3 && s->stride == 1 && s->C >= CHANNELS && s->O >= CHANNELS &&
           tiles >= TILES;
}

/* The same way is taken as in forward: both ways' choice depends on the shape alone. */
static void conv_backward(tensor_tape_record *record)
{
    tensor *x = record->in[0], *weight = record->in[1], *bias = record->in[2];
    const conv *s = record->saved;
    conv_task task = {.s = s,
                      .ctx = x->ctx,
                      .x = x->val,
                      .weight = weight->val,
                      .dy = record->out->grad,
                      .dw = tensor_grad(weight),
                      .dbias = tensor_grad(bias)};
    task.dx = tensor_grad_first(x, &task.fresh);
    if (s->relu) /* in place of dy, which nobody else needs */
        tensor_relu_gate(x->ctx, record->out->grad, record->out->val, tensor_size(record->out));
    if (tensor_conv_by_winograd(s))
        tensor_conv_winograd_backward(&task);
    else
        tensor_conv_gemm_backward(&task);
}

static const tensor_op conv_op = {"conv2d", conv_backward};

/* (in + 2 padding - kernel) / stride + 1; 0 where the kernel does not fit once. */
static int64_t places(int in, int kernel, int stride, int padding)
{
    int64_t room = (int64_t)in + 2 * (int64_t)padding - kernel;
    return room < 0 ? 0 : room / stride + 1;
}

/* The shape of everything, or a failure. What is counted in ints later is bounded here: places,
 * images, channels, and the columns of an unfolded image. */
static conv check(tensor *x, tensor *weight, tensor *bias, int stride, int padding)
{
    char a[64], b[64];
    const tensor_context *ctx = x->ctx;
    if (x->rank != 4 || weight->rank != 4 || weight->dim[1] != x->dim[1] ||
        weight->dim[2] != weight->dim[3])
        tensor_fail(ctx, "conv2d", "x %s and weight %s, expected (B,C,H,W) and (O,C,k,k)",
                    tensor_shape_text(x, a), tensor_shape_text(weight, b));
    if (bias && (bias->rank != 1 || bias->dim[0] != weight->dim[0]))
        tensor_fail(ctx, "conv2d", "bias %s, expected one for each channel of weight %s",
                    tensor_shape_text(bias, a), tensor_shape_text(weight, b));
    if (stride < 1 || padding < 0)
        tensor_fail(ctx, "conv2d", "stride %d, padding %d: expected at least 1 and 0", stride,
                    padding);
    int kernel = weight->dim[2];
    int64_t high = places(x->dim[2], kernel, stride, padding);
    int64_t wide = places(x->dim[3], kernel, stride, padding);
    if (high < 1 || wide < 1)
        tensor_fail(ctx, "conv2d", "a kernel of %d does not fit into x %s with padding %d", kernel,
                    tensor_shape_text(x, a), padding);
    int64_t covered = (int64_t)kernel * kernel, images = x->dim[0], channels = x->dim[1];
    if (padding > (INT_MAX - x->dim[2]) / 2 || padding > (INT_MAX - x->dim[3]) / 2 ||
        high * wide > INT_MAX || high * images > INT_MAX || channels * images > INT_MAX ||
        covered > INT_MAX / channels)
        tensor_fail(ctx, "conv2d", "x %s with a kernel of %d and padding %d is too large",
                    tensor_shape_text(x, a), kernel, padding);
    return (conv){.B = x->dim[0],
                  .C = x->dim[1],
                  .H = x->dim[2],
                  .W = x->dim[3],
                  .O = weight->dim[0],
                  .kernel = kernel,
                  .stride = stride,
                  .padding = padding,
                  .H2 = (int)high,
                  .W2 = (int)wide,
                  .K = (int)(covered * channels),
                  .P = (int)(high * wide)};
}

static tensor *convolve(tensor *x, tensor *weight, tensor *bias, int stride, int padding, bool relu)
{
    conv s = check(x, weight, bias, stride, padding);
    s.relu = relu;
    tensor *const in[] = {x, weight, bias};
    tensor *y = tensor_result(x->ctx, 4, (int[]){s.B, s.O, s.H2, s.W2}, in, 3);
    conv_task task = {.s = &s,
                      .ctx = x->ctx,
                      .x = x->val,
                      .weight = weight->val,
                      .bias = bias ? bias->val : NULL,
                      .y = y->val};
    if (tensor_conv_by_winograd(&s))
        tensor_conv_winograd_forward(&task);
    else
        tensor_conv_gemm_forward(&task);
    if (y->wants_grad) {
        tensor_tape_record *record = tensor_record(&conv_op, y, in, 3, sizeof s);
        *(conv *)record->saved = s;
    }
    return y;
}

tensor *tensor_conv2d(tensor *x, tensor *weight, tensor *bias, int stride, int padding)
{
    return convolve(x, weight, bias, stride, padding, false);
}

tensor *tensor_conv2d_relu(tensor *x, tensor *weight, tensor *bias, int stride, int padding)
{
    return convolve(x, weight, bias, stride, padding, true);
}
