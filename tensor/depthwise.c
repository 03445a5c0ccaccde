/* SPDX-License-Identifier: MIT */
/* depthwise.c -- convolution of images, each channel with a kernel of its own (Howard et al. 2017,
 * arXiv:1704.04861).
 *
 *   y[b][c][i][j] = bias[c] + sum over k, l of w[c][k][l] x[b][c][i s - p + k][j s - p + l]
 *
 * There is no matrix product in it: a weight meets each pixel once. What makes it fast is that a whole
 * plane is one long line. A plane is copied to a *frame*, which has the padding around it, and then
 * weight (k,l) adds to all results at once: those that begin at pixel n of the frame get w times
 * pixel n + k width + l, for n from 0 to the last one. What is computed between the lines, and with
 * a stride between the results, is not used. Backward goes the same way with dy *spread* as its
 * results lie in the frame, zeros between them:
 *
 *   dframe[n + k width + l] += w[k][l] spread[n]
 *   dw[k][l]                += sum over n of frame[n + k width + l] spread[n]
 *
 * A channel is by itself, its images in their order, so channels are what threads share out. */
#include "tensor/context.h"

#include <limits.h>
#include <string.h>

typedef struct depthwise {
    int B, C, H, W, kernel, stride, padding, H2, W2;
    size_t width; /* of a frame: W + 2 padding */
    size_t frame; /* floats of it */
    size_t run;   /* from the first result's pixel to the last's */
} depthwise;

typedef struct depthwise_task {
    const depthwise *s;
    tensor_context *ctx;
    const tensor_kernels *kernels;
    const float *x, *weight, *bias, *dy;
    float *y, *dx, *dw, *dbias;
    bool fresh; /* dx is not set yet */
} depthwise_task;

static size_t area(const depthwise *s) { return (size_t)s->kernel * (size_t)s->kernel; }

/* Where weight i's pixels begin in a frame. */
static size_t offset_of(const depthwise *s, size_t i)
{
    return i / (size_t)s->kernel * s->width + i % (size_t)s->kernel;
}

/* Where plane c of image b begins, in planes. */
static size_t plane_of(const depthwise *s, int b, int c)
{
    return (size_t)b * (size_t)s->C + (size_t)c;
}

static void fill_frame(const depthwise *s, float *frame, const float *x)
{
    float *to = frame + (size_t)s->padding * s->width + (size_t)s->padding;
    for (int row = 0; row < s->H; row++, to += s->width, x += s->W)
        memcpy(to, x, (size_t)s->W * sizeof *to);
}

/* Channel c of every image. */
static void forward_channel(void *argument, int c, int worker)
{
    const depthwise_task *task = argument;
    const depthwise *s = task->s;
    float *frame = tensor_scratch(task->ctx, worker, TENSOR_SCRATCH_OP), *sum = frame + s->frame;
    const float *weight = task->weight + (size_t)c * area(s);
    size_t plane = (size_t)s->H * (size_t)s->W, results = (size_t)s->H2 * (size_t)s->W2;
    memset(frame, 0, s->frame * sizeof *frame);
    for (int b = 0; b < s->B; b++) {
        float *y = task->y + plane_of(s, b, c) * results;
        fill_frame(s, frame, task->x + plane_of(s, b, c) * plane);
        task->kernels->image->fill(sum, task->bias ? task->bias[c] : 0.0F, s->run);
        for (size_t i = 0; i < area(s); i++)
            task->kernels->axpy(sum, weight[i], frame + offset_of(s, i), s->run);
        for (int row = 0; row < s->H2; row++)
            for (int column = 0; column < s->W2; column++)
                *y++ = sum[(size_t)row * (size_t)s->stride * s->width +
                           (size_t)column * (size_t)s->stride];
    }
}

/* dy's plane as its results lie in a frame; between them stand zeros already. */
static void spread_plane(const depthwise *s, float *spread, const float *dy)
{
    for (int row = 0; row < s->H2; row++)
        for (int column = 0; column < s->W2; column++)
            spread[(size_t)row * (size_t)s->stride * s->width +
                   (size_t)column * (size_t)s->stride] = *dy++;
}

/* dx of a plane, whose frame is overwritten. */
static void plane_backward(const depthwise_task *task, float *frame, const float *spread,
                           const float *weight, float *dx)
{
    const depthwise *s = task->s;
    memset(frame, 0, s->frame * sizeof *frame);
    for (size_t i = 0; i < area(s); i++)
        task->kernels->axpy(frame + offset_of(s, i), weight[i], spread, s->run);
    const float *from = frame + (size_t)s->padding * s->width + (size_t)s->padding;
    for (int row = 0; row < s->H; row++, from += s->width, dx += s->W) {
        if (task->fresh)
            memcpy(dx, from, (size_t)s->W * sizeof *dx);
        else
            task->kernels->add(dx, from, (size_t)s->W);
    }
}

static void backward_channel(void *argument, int c, int worker)
{
    const depthwise_task *task = argument;
    const depthwise *s = task->s;
    float *frame = tensor_scratch(task->ctx, worker, TENSOR_SCRATCH_OP);
    float *spread = frame + s->frame;
    const size_t plane = (size_t)s->H * (size_t)s->W, results = (size_t)s->H2 * (size_t)s->W2;
    memset(spread, 0, s->run * sizeof *spread);
    for (int b = 0; b < s->B; b++) {
        const float *dy = task->dy + plane_of(s, b, c) * results;
        spread_plane(s, spread, dy);
        if (task->dw) {
            memset(frame, 0, s->frame * sizeof *frame);
            fill_frame(s, frame, task->x + plane_of(s, b, c) * plane);
            for (size_t i = 0; i < area(s); i++)
                task->dw[(size_t)c * area(s) + i] +=
                    task->kernels->dot(frame + offset_of(s, i), spread, s->run);
        }
        if (task->dbias)
            task->dbias[c] += task->kernels->sum(dy, results);
        if (task->dx)
            plane_backward(task, frame, spread, task->weight + (size_t)c * area(s),
                           task->dx + plane_of(s, b, c) * plane);
    }
}

static void share_out(depthwise_task *task, tensor_parallel_body *body)
{
    const depthwise *s = task->s;
    tensor_scratch_all(task->ctx, TENSOR_SCRATCH_OP, (s->frame + s->run) * sizeof(float));
    tensor_parallel(task->ctx, s->C, body, task);
}

static void depthwise_backward(tensor_tape_record *record)
{
    tensor *x = record->in[0], *weight = record->in[1];
    depthwise_task task = {.s = record->saved,
                           .ctx = x->ctx,
                           .kernels = tensor_context_kernels(x->ctx),
                           .x = x->val,
                           .weight = weight->val,
                           .dy = record->out->grad,
                           .dw = tensor_grad(weight),
                           .dbias = tensor_grad(record->in[2])};
    task.dx = tensor_grad_first(x, &task.fresh);
    share_out(&task, backward_channel);
}

static const tensor_op depthwise_op = {"depthwise2d", depthwise_backward};

/* The shape of everything, or a failure. */
static depthwise check(tensor *x, tensor *weight, tensor *bias, int stride, int padding)
{
    char a[64], b[64];
    const char *name = depthwise_op.name;
    const tensor_context *ctx = x->ctx;
    if (x->rank != 4 || weight->rank != 4 || weight->dim[0] != x->dim[1] || weight->dim[1] != 1 ||
        weight->dim[2] != weight->dim[3])
        tensor_fail(ctx, name, "x %s and weight %s, expected (B,C,H,W) and (C,1,k,k)",
                    tensor_shape_text(x, a), tensor_shape_text(weight, b));
    if (bias && (bias->rank != 1 || bias->dim[0] != x->dim[1]))
        tensor_fail(ctx, name, "bias %s, expected one for each channel of x %s",
                    tensor_shape_text(bias, a), tensor_shape_text(x, b));
    if (stride < 1 || padding < 0)
        tensor_fail(ctx, name, "stride %d, padding %d: expected at least 1 and 0", stride, padding);
    int kernel = weight->dim[2];
    int64_t high = (int64_t)x->dim[2] + 2 * (int64_t)padding;
    int64_t wide = (int64_t)x->dim[3] + 2 * (int64_t)padding;
    if (high < kernel || wide < kernel)
        tensor_fail(ctx, name, "a kernel of %d does not fit into x %s with padding %d", kernel,
                    tensor_shape_text(x, a), padding);
    if (high > INT_MAX / wide)
        tensor_fail(ctx, name, "x %s with a kernel of %d and padding %d is too large",
                    tensor_shape_text(x, a), kernel, padding);
    depthwise s = {.B = x->dim[0],
                   .C = x->dim[1],
                   .H = x->dim[2],
                   .W = x->dim[3],
                   .kernel = kernel,
                   .stride = stride,
                   .padding = padding,
                   .H2 = (int)((high - kernel) / stride + 1),
                   .W2 = (int)((wide - kernel) / stride + 1),
                   .width = (size_t)wide,
                   .frame = (size_t)(high * wide)};
    s.run = (size_t)(s.H2 - 1) * (size_t)stride * s.width + (size_t)(s.W2 - 1) * (size_t)stride + 1;
    return s;
}

tensor *tensor_depthwise2d(tensor *x, tensor *weight, tensor *bias, int stride, int padding)
{
    const depthwise s = check(x, weight, bias, stride, padding);
    tensor *const in[] = {x, weight, bias};
    tensor *y = tensor_result(x->ctx, 4, (int[]){s.B, s.C, s.H2, s.W2}, in, 3);
    depthwise_task task = {.s = &s,
                           .ctx = x->ctx,
                           .kernels = tensor_context_kernels(x->ctx),
                           .x = x->val,
                           .weight = weight->val,
                           .bias = bias ? bias->val : NULL,
                           .y = y->val};
    share_out(&task, forward_channel);
    if (y->wants_grad)
        *(depthwise *)tensor_record(&depthwise_op, y, in, 3, sizeof s)->saved = s;
    return y;
}
