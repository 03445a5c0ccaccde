/* SPDX-License-Identifier: MIT */
/* softmax.c -- softmax and its logarithm.
 *
 * Both subtract the largest value first: it changes nothing, since
 * exp(x_i - m) / sum_j exp(x_j - m) does not depend on m, and with it no exp overflows. */
#include "tensor/context.h"

#include <string.h>

/* ---- softmax and log_softmax along an axis ---- */

/* x seen as (outer, n, inner). With inner 1 the rows lie in place; otherwise each is gathered into
 * scratch memory, and its result scattered from there. */
typedef struct axis_work {
    tensor_context *ctx;
    const tensor_kernels *kernels;
    bool log;
    size_t n, inner;
    const float *x, *y, *dy;
    float *out; /* y in forward, dx in backward */
} axis_work;

/* One row of the axis out of x, its elements `step` apart; scatter() puts one back. */
static void gather(float *row, const float *x, size_t n, size_t step)
{
    for (size_t i = 0; i < n; i++)
        row[i] = x[i * step];
}

static void scatter(float *x, const float *row, size_t n, size_t step)
{
    for (size_t i = 0; i < n; i++)
        x[i * step] = row[i];
}

/* y = exp(x - m) / s, or x - m - log s, with m = max x, s = sum exp(x - m). y is not x. */
static void forward_row(const axis_work *w, float *y, const float *x)
{
    const tensor_kernels *k = w->kernels;
    float largest = k->max(x, w->n), sum = k->exp_sum(y, x, largest, w->n);
    if (!w->log) {
        k->scale(y, 1 / sum, y, w->n);
        return;
    }
    float log_sum = k->ln(sum);
    for (size_t i = 0; i < w->n; i++)
        y[i] = (x[i] - largest) - log_sum;
}

/* softmax:      dy_i/dx_j = y_i ([i = j] - y_j),       so dx_j = y_j (dy_j - sum_i y_i dy_i)
 * log_softmax:  dy_i/dx_j = [i = j] - exp(y_j),        so dx_j = dy_j - exp(y_j) sum_i dy_i */
static void backward_row(const axis_work *w, float *dx, const float *y, const float *dy,
                         float *scratch)
{
    const tensor_kernels *k = w->kernels;
    if (!w->log) {
        k->softmax_backward(dx, y, dy, k->dot(y, dy, w->n), w->n);
        return;
    }
    k->exp_sum(scratch, y, 0, w->n);
    k->add(dx, dy, w->n);
    k->axpy(dx, -k->sum(dy, w->n), scratch, w->n);
}

/* Rows [first, first + count) of outer * inner: row r begins at element (r / inner) n inner +
 * r % inner, and its elements are `inner` apart. */
static void softmax_forward(void *argument, size_t first, size_t count, int worker)
{
    const axis_work *w = argument;
    float *in = tensor_scratch(w->ctx, worker, TENSOR_SCRATCH_OP), *out = in + w->n;
    for (size_t row = first; row < first + count; row++) {
        size_t at = row / w->inner * w->n * w->inner + row % w->inner;
        if (w->inner == 1) {
            forward_row(w, w->out + at, w->x + at);
            continue;
        }
        gather(in, w->x + at, w->n, w->inner);
        forward_row(w, out, in);
        scatter(w->out + at, out, w->n, w->inner);
    }
}

/* Likewise; dx is gathered too, for it is added to. */
static void softmax_backward(void *argument, size_t first, size_t count, int worker)
{
    const axis_work *w = argument;
    float *scratch = tensor_scratch(w->ctx, worker, TENSOR_SCRATCH_OP);
    float *y = scratch + w->n, *dy = y + w->n, *dx = dy + w->n;
    for (size_t row = first; row < first + count; row++) {
        size_t at = row / w->inner * w->n * w->inner + row % w->inner;
        if (w->inner == 1) {
            backward_row(w, w->out + at, w->y + at, w->dy + at, scratch);
            continue;
        }
        gather(y, w->y + at, w->n, w->inner);
        gather(dy, w->dy + at, w->n, w->inner);
        gather(dx, w->out + at, w->n, w->inner);
        backward_row(w, dx, y, dy, scratch);
        scatter(w->out + at, dx, w->n, w->inner);
    }
}

static void run_rows(axis_work *w, size_t size, tensor_range_body *body)
{
    tensor_scratch_all(w->ctx, TENSOR_SCRATCH_OP, 4 * w->n * sizeof(float));
    tensor_parallel_ranges(w->ctx, size / w->n, w->n, body, w);
}

static void axis_backward(tensor_tape_record *record)
{
    axis_work *w = record->saved;
    w->dy = record->out->grad;
    w->out = tensor_grad(record->in[0]);
    run_rows(w, tensor_size(record->out), softmax_backward);
}

static const tensor_op softmax_op = {"softmax", axis_backward};
static const tensor_op log_softmax_op = {"log_softmax", axis_backward};

/* x (outer,n,inner): the axes before, the axis itself, and those after it. */
static tensor *along_axis(const tensor_op *op, tensor *x, int axis)
{
    char text[64];
    if (axis < 0 || axis >= x->rank)
        tensor_fail(x->ctx, op->name, "%s has no axis %d", tensor_shape_text(x, text), axis);
    tensor *y = tensor_result(x->ctx, x->rank, x->dim, &x, 1);
    axis_work w = {.ctx = x->ctx,
                   .kernels = tensor_context_kernels(x->ctx),
                   .log = op == &log_softmax_op,
                   .n = (size_t)x->dim[axis],
                   .inner = 1,
                   .x = x->val,
                   .y = y->val,
                   .out = y->val};
    for (int i = axis + 1; i < x->rank; i++)
        w.inner *= (size_t)x->dim[i];
    run_rows(&w, tensor_size(x), softmax_forward);
    if (y->wants_grad)
        *(axis_work *)tensor_record(op, y, &x, 1, sizeof w)->saved = w;
    return y;
}

tensor *tensor_softmax(tensor *x, int axis) { return along_axis(&softmax_op, x, axis); }

tensor *tensor_log_softmax(tensor *x, int axis) { return along_axis(&log_softmax_op, x, axis); }
