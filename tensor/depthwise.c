/* SPDX-License-Identifier: MIT */
/* depthwise.c -- convolution of images, each channel with a kernel of its own (Howard et al. 2017,
 * arXiv:1704.04861).
 *
 *   y[b][c][i][j] = bias[c] + sum over k, l of w[c][k][l] x[b][c][i s - p + k][j s - p + l]
 *
 * There is no matrix product in it: a weight meets each pixel once, and what counts is how often a pixel is
 * read and written. A plane is copied to a *frame*, which has the padding around it. A result is then a chain
 * over the window's places in the frame that stays in a register (the kernel `taps`), for some rows at once, so
 * that a weight is read once for them. With a stride the results between are computed along the lines and
 * dropped. Backward, dy is *spread* as its results lie in the frame, zeros between and before them:
 *
 *   dx[n]    += sum over k, l of w[k][l] spread[n - k width - l]
 *   dw[k][l] += sum over n of frame[n + k width + l] spread[n]
 *
 * The first is the same kernel with the window's places before it. They may lie in the line above, behind its
 * last result, where there are zeros too.
 *
 * A channel is by itself, its images in their order, so channels are what threads share out. */
#include "base/math.h"
#include "tensor/context.h"

#include <limits.h>
#include <string.h>

enum { ROOM = 16 }; /* floats behind a frame that a vector of its last ones reads as well */

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

/* Where plane c of image b begins, in planes. */
static size_t plane_of(const depthwise *s, int b, int c)
{
    return (size_t)b * (size_t)s->C + (size_t)c;
}

/* Pixel (0,0) in a frame. */
static size_t corner(const depthwise *s) { return (size_t)s->padding * (s->width + 1); }

/* The zeros before a spread plane: as far as a window reaches back. */
static size_t before(const depthwise *s) { return (size_t)(s->kernel - 1) * (s->width + 1); }

/* Planes are worked on some at a time: a vector that is read from what was just written in smaller pieces has to
 * wait until they have reached the cache, and the other planes pass that time. */
enum { AT_ONCE_FLOATS = 2048, MOST_AT_ONCE = 16 };

static int planes_at_once(const depthwise *s)
{
    const size_t fit = AT_ONCE_FLOATS / s->frame;
    return base_min(s->B, fit < 1 ? 1 : fit > MOST_AT_ONCE ? MOST_AT_ONCE : (int)fit);
}

/* What a worker has: frames; spread planes, or planes of results with those between; and where the window's
 * places are, from its first on and then the other way. Both kinds are `step` floats apart. */
typedef struct memory {
    float *frame, *spread;
    ptrdiff_t *at;
    size_t step;
} memory;

static size_t step_of(const depthwise *s) { return before(s) + s->frame + ROOM; }

static size_t memory_bytes(const depthwise *s)
{
    return 2 * area(s) * sizeof(ptrdiff_t) +
           2 * (size_t)planes_at_once(s) * step_of(s) * sizeof(float);
}

/* Zeros, and the places. */
static memory worker_memory(const depthwise_task *task, int worker)
{
    const depthwise *s = task->s;
    memory m = {.at = tensor_scratch(task->ctx, worker, TENSOR_SCRATCH_OP), .step = step_of(s)};
    const size_t floats = (size_t)planes_at_once(s) * m.step;
    void *behind = m.at + 2 * area(s);
    m.frame = behind;
    memset(m.frame, 0, 2 * floats * sizeof *m.frame);
    m.spread = m.frame + floats + before(s);
    for (size_t i = 0; i < area(s); i++) {
        m.at[i] = (ptrdiff_t)(i / (size_t)s->kernel * s->width + i % (size_t)s->kernel);
        m.at[area(s) + i] = -m.at[i];
    }
    return m;
}

static void fill_frame(const depthwise_task *task, float *frame, int b, int c)
{
    const depthwise *s = task->s;
    const size_t wide = (size_t)s->W, high = (size_t)s->H;
    task->kernels->copy(frame + corner(s), s->width, task->x + plane_of(s, b, c) * wide * high,
                        wide, high, wide);
}

/* Channel c of every image. */
static void forward_channel(void *argument, int c, int worker)
{
    const depthwise_task *task = argument;
    const depthwise *s = task->s;
    const memory m = worker_memory(task, worker);
    const size_t stride = (size_t)s->stride, high = (size_t)s->H2, wide = (size_t)s->W2;
    const size_t between = (wide - 1) * stride + 1; /* of a line, with what is dropped */
    const tensor_taps window = {.count = area(s),
                                .weight = task->weight + (size_t)c * area(s),
                                .at = m.at,
                                .start = task->bias ? task->bias[c] : 0.0F,
                                .ldy = between,
                                .ldx = stride * s->width};
    for (int b = 0, planes = planes_at_once(s); b < s->B; b += planes) {
        const size_t some = (size_t)base_min(planes, s->B - b);
        for (size_t i = 0; i < some; i++)
            fill_frame(task, m.frame + i * m.step, b + (int)i, c);
        for (size_t i = 0; i < some; i++) {
            float *y = task->y + plane_of(s, b + (int)i, c) * high * wide;
            task->kernels->image->taps(stride == 1 ? y : m.spread + i * m.step,
                                       m.frame + i * m.step, high, between, &window);
        }
        for (size_t i = 0; i < some && stride > 1; i++) {
            float *y = task->y + plane_of(s, b + (int)i, c) * high * wide;
            const float *line = m.spread + i * m.step;
            for (size_t row = 0; row < high; row++, y += wide, line += between)
                for (size_t column = 0; column < wide; column++)
                    y[column] = line[column * stride];
        }
    }
}

/* dy's plane as its results lie in a frame; between them stand zeros already. */
static void spread_plane(const depthwise_task *task, float *spread, const float *dy)
{
    const depthwise *s = task->s;
    const size_t stride = (size_t)s->stride, high = (size_t)s->H2, wide = (size_t)s->W2;
    if (stride == 1)
        task->kernels->copy(spread, s->width, dy, wide, high, wide);
    for (size_t row = 0; row < high && stride > 1; row++, spread += stride * s->width, dy += wide)
        for (size_t column = 0; column < wide; column++)
            spread[column * stride] = dy[column];
}

static void backward_channel(void *argument, int c, int worker)
{
    const depthwise_task *task = argument;
    const depthwise *s = task->s;
    const memory m = worker_memory(task, worker);
    const size_t plane = (size_t)s->H * (size_t)s->W, results = (size_t)s->H2 * (size_t)s->W2;
    const tensor_taps window = {.count = area(s),
                                .weight = task->weight + (size_t)c * area(s),
                                .at = m.at + area(s),
                                .accumulate = !task->fresh,
                                .ldy = (size_t)s->W,
                                .ldx = s->width};
    for (int b = 0, planes = planes_at_once(s); b < s->B; b += planes) {
        const size_t some = (size_t)base_min(planes, s->B - b);
        for (size_t i = 0; i < some; i++) {
            const float *dy = task->dy + plane_of(s, b + (int)i, c) * results;
            spread_plane(task, m.spread + i * m.step, dy);
            if (task->dw)
                fill_frame(task, m.frame + i * m.step, b + (int)i, c);
            if (task->dbias)
                task->dbias[c] += task->kernels->sum(dy, results);
        }
        for (size_t i = 0; i < some && task->dw; i++)
            task->kernels->dots(task->dw + (size_t)c * area(s), m.frame + i * m.step, m.at, area(s),
                                m.spread + i * m.step, s->run);
        for (size_t i = 0; i < some && task->dx; i++)
            task->kernels->image->taps(task->dx + plane_of(s, b + (int)i, c) * plane,
                                       m.spread + i * m.step + corner(s), (size_t)s->H,
                                       (size_t)s->W, &window);
    }
}

static void share_out(depthwise_task *task, tensor_parallel_body *body)
{
    const depthwise *s = task->s;
    tensor_scratch_all(task->ctx, TENSOR_SCRATCH_OP, memory_bytes(s));
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
