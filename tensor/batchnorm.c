/* SPDX-License-Identifier: MIT */
/* batchnorm.c -- each channel brought to mean 0 and variance 1 over the batch, then scaled and
 * shifted. Ioffe & Szegedy 2015, arXiv:1502.03167, algorithm 1.
 *
 * A channel is B planes of P = H W elements, n = B P in all, and is one thread's, forward and
 * backward. Sums are a kernel's over each plane, and the planes' sums are added up in double, in
 * order.
 *
 * With m = mean, r = (var + eps)^(-1/2) and h_i = (x_i - m) r, y_i = g h_i + b. In training m and r
 * depend on x: dm/dx_j = 1/n and dvar/dx_j = 2 (x_j - m) / n, so dr/dx_j = -r^2 h_j / n, and
 *
 *   dh_i/dx_j = r ([i = j] - 1/n - h_i h_j / n)
 *
 * Backward therefore is, all sums being over the channel's n elements,
 *
 *   db = sum dy,   dg = sum dy h
 *   dx = g r (dy - db/n - h dg/n)   in training
 *   dx = g r dy                     otherwise
 *
 * An activation behind it is taken plane by plane, while a plane is in the cache: forward in place, backward by
 * what it lets through of dy. */
#include "tensor/context.h"

#include <math.h>
#include <string.h>

/* An activation: y = forward(y), and its gradient in place of dy. NULL: none. */
typedef struct activation {
    void (*forward)(float *y, const float *x, size_t n);
    void (*gate)(float *dy, const float *y, size_t n);
} activation;

/* What backward keeps; mean and r are step memory of C floats each. */
typedef struct norm {
    int B, C;
    size_t P;
    bool train;
    float *mean, *r;
    activation bend; /* what follows in the same pass */
} norm;

typedef struct norm_task {
    const norm *s;
    const tensor_kernels *kernels;
    tensor_context *ctx;
    const float *x, *g, *b;
    float *y, *dy, *dx, *dg, *db; /* dx may be dy: each element is read before it is written */
    float *running_mean, *running_var, momentum, eps;
} norm_task;

/* Where plane (b,c) begins. */
static size_t plane_at(const norm *s, int b, int c)
{
    return ((size_t)b * (size_t)s->C + (size_t)c) * s->P;
}

/* ---- forward ---- */

/* The planes of a channel are summed so many at a time. */
enum { AT_ONCE = 32 };

static int planes_from(const norm *s, int b) { return s->B - b < AT_ONCE ? s->B - b : AT_ONCE; }

/* In two passes, the squares being those of the differences: the difference of two large sums would
 * lose the variance of a channel that is far from 0. */
static void measure_channel(const norm_task *task, int c)
{
    const norm *s = task->s;
    double n = (double)s->B * (double)s->P, sum = 0, squares = 0;
    const size_t stride = (size_t)s->C * s->P;
    float each[AT_ONCE];
    for (int b = 0; b < s->B; b += AT_ONCE) {
        const int planes = planes_from(s, b);
        task->kernels->plane_sums(each, task->x + plane_at(s, b, c), stride, (size_t)planes, s->P);
        for (int i = 0; i < planes; i++)
            sum += (double)each[i];
    }
    float mean = (float)(sum / n);
    for (int b = 0; b < s->B; b += AT_ONCE) {
        const int planes = planes_from(s, b);
        task->kernels->plane_squares(each, task->x + plane_at(s, b, c), mean, stride,
                                     (size_t)planes, s->P);
        for (int i = 0; i < planes; i++)
            squares += (double)each[i];
    }
    s->mean[c] = mean;
    s->r[c] = (float)(1 / sqrt(squares / n + (double)task->eps));
    float keep = 1 - task->momentum;
    task->running_mean[c] = keep * task->running_mean[c] + task->momentum * mean;
    task->running_var[c] =
        keep * task->running_var[c] + task->momentum * (float)(squares / (n - 1));
}

static void forward_channel(void *argument, int c, int worker)
{
    const norm_task *task = argument;
    const norm *s = task->s;
    (void)worker;
    if (s->train) {
        measure_channel(task, c);
    } else {
        s->mean[c] = task->running_mean[c];
        s->r[c] = (float)(1 / sqrt((double)task->running_var[c] + (double)task->eps));
    }
    float mean = s->mean[c], r = s->r[c], g = task->g[c], shift = task->b[c];
    for (int b = 0; b < s->B; b++) {
        const float *x = task->x + plane_at(s, b, c);
        float *y = task->y + plane_at(s, b, c);
        task->kernels->image->batchnorm(y, x, mean, r, g, shift, s->P);
        if (s->bend.forward)
            s->bend.forward(y, y, s->P);
    }
}

/* ---- backward ---- */

/* db, dg, then dx of one channel: h is computed twice, so that no array of the size of x has to be
 * kept for it. */
static void backward_channel(void *argument, int c, int worker)
{
    const norm_task *task = argument;
    const norm *s = task->s;
    const float mean = s->mean[c], r = s->r[c];
    (void)worker;
    double n = (double)s->B * (double)s->P, db = 0, dg = 0;
    for (int b = 0; b < s->B; b += AT_ONCE) {
        const int planes = planes_from(s, b);
        float sums[AT_ONCE], dots[AT_ONCE];
        for (int i = 0; i < planes && s->bend.gate; i++)
            s->bend.gate(task->dy + plane_at(s, b + i, c), task->y + plane_at(s, b + i, c), s->P);
        task->kernels->plane_slopes(sums, dots, task->dy + plane_at(s, b, c),
                                    task->x + plane_at(s, b, c), mean, r, (size_t)s->C * s->P,
                                    (size_t)planes, s->P);
        for (int i = 0; i < planes; i++) {
            db += (double)sums[i];
            dg += (double)dots[i];
        }
    }
    if (task->db)
        task->db[c] += (float)db;
    if (task->dg)
        task->dg[c] += (float)dg;
    float scale = task->g[c] * r;
    float mean_dy = s->train ? (float)(db / n) : 0, mean_dyh = s->train ? (float)(dg / n) : 0;
    for (int b = 0; b < s->B && task->dx; b++) {
        const float *dy = task->dy + plane_at(s, b, c);
        float *dx = task->dx + plane_at(s, b, c);
        const float *x = task->x + plane_at(s, b, c);
        task->kernels->image->batchnorm_backward(dx, dy, x, mean, r, scale, mean_dy, mean_dyh,
                                                 task->dx != task->dy, s->P);
    }
}

static void norm_backward(tensor_tape_record *record)
{
    tensor *x = record->in[0], *g = record->in[1], *b = record->in[2];
    const norm *s = record->saved;
    norm_task task = {.s = s,
                      .kernels = tensor_context_kernels(x->ctx),
                      .ctx = x->ctx,
                      .x = x->val,
                      .g = g->val,
                      .y = record->out->val,
                      .dy = record->out->grad,
                      .dg = tensor_grad(g),
                      .db = tensor_grad(b)};
    task.dx = tensor_grad_pass(record, x) ? x->grad : tensor_grad(x);
    tensor_parallel(task.ctx, s->C, backward_channel, &task);
}

/* ---- the op ---- */

static const tensor_op norm_op = {"batchnorm2d", norm_backward};

static void check(const tensor *x, const tensor *g, const tensor *b, bool train, float eps)
{
    char text[3][64];
    if (x->rank != 4 || g->rank != 1 || b->rank != 1 || g->dim[0] != x->dim[1] ||
        b->dim[0] != x->dim[1])
        tensor_fail(x->ctx, "batchnorm2d", "x %s, g %s and b %s, expected (B,C,H,W), (C) and (C)",
                    tensor_shape_text(x, text[0]), tensor_shape_text(g, text[1]),
                    tensor_shape_text(b, text[2]));
    if (train && tensor_size(x) == (size_t)x->dim[1])
        tensor_fail(x->ctx, "batchnorm2d", "x %s has one value a channel, which has no variance",
                    tensor_shape_text(x, text[0]));
    if (!(eps > 0))
        tensor_fail(x->ctx, "batchnorm2d", "eps is %g, expected above 0", (double)eps);
}

static tensor *normalise(tensor *x, tensor *g, tensor *b, float *running_mean, float *running_var,
                         bool train, float momentum, float eps, activation bend)
{
    check(x, g, b, train, eps);
    tensor_context *ctx = x->ctx;
    tensor *const in[] = {x, g, b};
    norm s = {.B = x->dim[0], .C = x->dim[1], .train = train, .bend = bend};
    s.P = (size_t)x->dim[2] * (size_t)x->dim[3];
    tensor *y = tensor_result(ctx, 4, x->dim, in, 3);
    s.mean = tensor_step_memory(ctx, (size_t)s.C * sizeof(float));
    s.r = tensor_step_memory(ctx, (size_t)s.C * sizeof(float));
    norm_task task = {.s = &s,
                      .kernels = tensor_context_kernels(ctx),
                      .ctx = ctx,
                      .x = x->val,
                      .g = g->val,
                      .b = b->val,
                      .y = y->val,
                      .running_mean = running_mean,
                      .running_var = running_var,
                      .momentum = momentum,
                      .eps = eps};
    tensor_parallel(ctx, s.C, forward_channel, &task);
    if (y->wants_grad) {
        tensor_tape_record *record = tensor_record(&norm_op, y, in, 3, sizeof s);
        *(norm *)record->saved = s;
    }
    return y;
}

tensor *tensor_batchnorm2d(tensor *x, tensor *g, tensor *b, float *running_mean, float *running_var,
                           bool train, float momentum, float eps)
{
    return normalise(x, g, b, running_mean, running_var, train, momentum, eps,
                     (activation){NULL, NULL});
}

tensor *tensor_batchnorm2d_bent(tensor *x, tensor *g, tensor *b, float *running_mean,
                                float *running_var, bool train, float momentum, float eps,
                                tensor_bend which)
{
    enum {
        SHORT = 64
    }; /* floats of a plane for which a call takes longer than a pass over it saves */
    const tensor_kernels *k = tensor_context_kernels(x->ctx);
    if (x->rank == 4 && x->dim[2] * x->dim[3] < SHORT) {
        tensor *y = tensor_batchnorm2d(x, g, b, running_mean, running_var, train, momentum, eps);
        return which == TENSOR_RELU ? tensor_relu(y) : tensor_relu6(y);
    }
    const activation bends[] = {{k->relu, k->relu_gate}, {k->relu6, k->relu6_gate}};
    return normalise(x, g, b, running_mean, running_var, train, momentum, eps, bends[which]);
}
