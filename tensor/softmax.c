/* softmax.c -- softmax, its logarithm, and the cross-entropy of a classification.
 *
 * All three subtract the largest value first: it changes nothing, since
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
    float log_sum = tensor_logf(sum);
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

static void run_rows(axis_work *w, size_t size, tensor_stretch_body *body)
{
    tensor_scratch_all(w->ctx, TENSOR_SCRATCH_OP, 4 * w->n * sizeof(float));
    tensor_parallel_stretches(w->ctx, size / w->n, w->n, body, w);
}

static void axis_backward(tensor_tape_record *record)
{
    axis_work *w = record->saved;
    w->dy = record->out->grad;
    w->out = tensor_grad(record->in[0]);
    run_rows(w, tensor_size(record->out), softmax_backward);
}

static tensor *axis_op(const char *name, tensor *x, int axis, bool log)
{
    char text[64];
    if (axis < 0 || axis >= x->rank)
        tensor_fail(x->ctx, name, "%s has no axis %d", tensor_shape_text(x, text), axis);
    tensor *y = tensor_result(x->ctx, x->rank, x->dim, &x, 1);
    axis_work w = {.ctx = x->ctx,
                   .kernels = tensor_context_kernels(x->ctx),
                   .log = log,
                   .n = (size_t)x->dim[axis],
                   .inner = 1,
                   .x = x->val,
                   .y = y->val,
                   .out = y->val};
    for (int i = axis + 1; i < x->rank; i++)
        w.inner *= (size_t)x->dim[i];
    run_rows(&w, tensor_size(x), softmax_forward);
    if (y->wants_grad)
        *(axis_work *)tensor_record(name, axis_backward, y, &x, 1, sizeof w)->saved = w;
    return y;
}

tensor *tensor_softmax(tensor *x, int axis)
{
    return axis_op("softmax", x, axis, false);
}

tensor *tensor_log_softmax(tensor *x, int axis)
{
    return axis_op("log_softmax", x, axis, true);
}

/* ---- cross-entropy ---- */

enum { IGNORED = -100 };

typedef struct row_state {
    int target;
    float largest, sum;    /* of the logits; of exp(logit - largest) */
    float plain, smoothed; /* -log softmax at the target; the loss with smoothing */
} row_state;

typedef struct entropy {
    tensor_context *ctx;
    const tensor_kernels *kernels;
    int rows, classes, counted;
    float smoothing;
    const float *logits;
    float *dlogits, dloss;
    row_state *row;
} entropy;

/* With m the largest logit and s = sum_v exp(x_v - m):  -log softmax(x)_t = (m - x_t) + log s. Its
 * mean over t has the mean of x in the place of x_t. */
static void entropy_forward(void *argument, size_t first, size_t count, int worker)
{
    const entropy *w = argument;
    const tensor_kernels *k = w->kernels;
    size_t classes = (size_t)w->classes;
    float *scratch = tensor_scratch(w->ctx, worker, TENSOR_SCRATCH_OP);
    for (size_t i = first; i < first + count; i++) {
        row_state *row = &w->row[i];
        const float *x = w->logits + i * classes;
        if (row->target == IGNORED)
            continue;
        row->largest = k->max(x, classes);
        row->sum = k->exp_sum(scratch, x, row->largest, classes);
        float log_sum = tensor_logf(row->sum);
        row->plain = row->smoothed = (row->largest - x[row->target]) + log_sum;
        if (w->smoothing > 0) {
            float mean = k->sum(x, classes) / (float)classes;
            row->smoothed =
                (1 - w->smoothing) * row->plain + w->smoothing * ((row->largest - mean) + log_sum);
        }
    }
}

/* The loss of a row is log sum_v exp x_v - sum_v q_v x_v, where q, the target distribution, is s/V
 * everywhere and 1-s more at the target. So for each of `counted` rows
 *
 *     dx_v = dloss / counted * (softmax(x)_v - q_v).
 *
 * The exponentials are computed again: cheaper than keeping N x V of them. */
static void entropy_rows_back(void *argument, size_t first, size_t count, int worker)
{
    const entropy *w = argument;
    const tensor_kernels *k = w->kernels;
    size_t classes = (size_t)w->classes;
    float *scratch = tensor_scratch(w->ctx, worker, TENSOR_SCRATCH_OP);
    float share = w->dloss / (float)w->counted, even = w->smoothing / (float)w->classes;
    for (size_t i = first; i < first + count; i++) {
        const row_state *row = &w->row[i];
        float *dx = w->dlogits + i * classes;
        if (row->target == IGNORED)
            continue;
        k->exp_sum(scratch, w->logits + i * classes, row->largest, classes);
        k->axpy(dx, share / row->sum, scratch, classes);
        if (w->smoothing > 0)
            for (size_t v = 0; v < classes; v++)
                dx[v] -= share * even;
        dx[row->target] -= share * (1 - w->smoothing);
    }
}

static void entropy_backward(tensor_tape_record *record)
{
    entropy *w = record->saved;
    w->dloss = record->out->grad[0];
    w->dlogits = tensor_grad(record->in[0]);
    if (w->counted == 0)
        return;
    tensor_scratch_all(w->ctx, TENSOR_SCRATCH_OP, (size_t)w->classes * sizeof(float));
    tensor_parallel_stretches(w->ctx, (size_t)w->rows, (size_t)w->classes, entropy_rows_back, w);
}

static void check_targets(const tensor *logits, const int *target, float smoothing)
{
    char text[64];
    if (logits->rank != 2)
        tensor_fail(logits->ctx, "cross_entropy", "the logits are %s; (N,V) was expected",
                    tensor_shape_text(logits, text));
    if (!(smoothing >= 0 && smoothing <= 1))
        tensor_fail(logits->ctx, "cross_entropy", "smoothing %g; 0 to 1 was expected",
                    (double)smoothing);
    for (int i = 0; i < logits->dim[0]; i++)
        if (target[i] != IGNORED && (target[i] < 0 || target[i] >= logits->dim[1]))
            tensor_fail(logits->ctx, "cross_entropy", "target %d of row %d is no class of %s",
                        target[i], i, tensor_shape_text(logits, text));
}

tensor *tensor_cross_entropy(tensor *logits, const int *target, float smoothing, float *row_loss)
{
    tensor_context *ctx = logits->ctx;
    check_targets(logits, target, smoothing);
    tensor *loss = tensor_result(ctx, 0, NULL, &logits, 1);
    entropy w = {.ctx = ctx,
                 .kernels = tensor_context_kernels(ctx),
                 .rows = logits->dim[0],
                 .classes = logits->dim[1],
                 .smoothing = smoothing,
                 .logits = logits->val};
    w.row = tensor_step_memory(ctx, (size_t)w.rows * sizeof *w.row);
    for (int i = 0; i < w.rows; i++)
        w.row[i] = (row_state){.target = target[i]};
    tensor_scratch_all(ctx, TENSOR_SCRATCH_OP, (size_t)w.classes * sizeof(float));
    tensor_parallel_stretches(ctx, (size_t)w.rows, (size_t)w.classes, entropy_forward, &w);

    double total = 0;
    for (int i = 0; i < w.rows; i++) {
        if (row_loss)
            row_loss[i] = w.row[i].plain;
        total += (double)w.row[i].smoothed;
        w.counted += target[i] != IGNORED;
    }
    loss->val[0] = w.counted ? (float)(total / w.counted) : 0;
    if (loss->wants_grad)
        *(entropy *)tensor_record("cross_entropy", entropy_backward, loss, &logits, 1, sizeof w)
             ->saved = w;
    return loss;
}
