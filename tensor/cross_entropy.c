/* SPDX-License-Identifier: MIT */
/* cross_entropy.c -- the loss of a classification, from logits or from what the logits are made of.
 *
 * With m the largest logit of a row, s = sum_v exp(x_v - m) and q the target distribution, which is
 * smoothing / V everywhere and 1 - smoothing more at the target:
 *
 *     L = log sum_v exp x_v = m + log s
 *     loss = L - sum_v q_v x_v + z L^2
 *     dloss/dx_v = softmax(x)_v (1 + 2 z L) - q_v,        softmax(x)_v = exp(x_v - m) / s
 *
 * Label smoothing: Szegedy et al. 2016, arXiv:1512.00567, section 7. z: Chowdhery et al. 2022,
 * arXiv:2204.02311, section 5. */
#include "tensor/context.h"
#include "tensor/gemm.h"

#include <string.h>

enum { IGNORED = -100 };

typedef struct row_state {
    int target;
    float share;        /* of this row's loss in the whole: weight / total */
    float largest, sum; /* m and s */
    float plain, loss;  /* L - x at the target; with smoothing and z */
} row_state;

typedef struct entropy {
    tensor_context *ctx;
    const tensor_kernels *kernels;
    int rows, classes;
    float smoothing, z;
    float *logits; /* from head: they become their own gradients */
    float *dlogits, dloss;
    bool write; /* dlogits is to be written, not added to */
    row_state *row;
    int first; /* from head: the row that logits begins with */
} entropy;

/* Logits x (V) of one row -> its state m, s and losses. e: room for exp(x - m); it may be x. */
static void row_forward(const entropy *w, row_state *row, const float *x, float *e)
{
    const tensor_kernels *k = w->kernels;
    size_t V = (size_t)w->classes;
    float at_target = x[row->target], mean = 0;
    row->largest = k->max(x, V);
    if (w->smoothing > 0)
        mean = k->sum(x, V) / (float)w->classes;
    row->sum = k->exp_sum(e, x, row->largest, V);
    float log_sum = k->ln(row->sum), all = row->largest + log_sum;
    row->plain = row->loss = (row->largest - at_target) + log_sum;
    if (w->smoothing > 0)
        row->loss =
            (1 - w->smoothing) * row->plain + w->smoothing * ((row->largest - mean) + log_sum);
    if (w->z > 0)
        row->loss += w->z * all * all;
}

/* e (V), exp(x - m), becomes dloss/dx: scaled to the softmax, less the target distribution q. */
static void row_backward(const entropy *w, const row_state *row, float dloss, float *e)
{
    size_t V = (size_t)w->classes;
    float share = dloss * row->share, along = share;
    if (w->z > 0)
        along = share * (1 + 2 * w->z * (row->largest + w->kernels->ln(row->sum)));
    w->kernels->scale(e, along / row->sum, e, V);
    if (w->smoothing > 0) {
        float even = share * (w->smoothing / (float)w->classes);
        for (size_t v = 0; v < V; v++)
            e[v] -= even;
    }
    e[row->target] -= share * (1 - w->smoothing);
}

/* ---- what both forms begin and end with ---- */

static void check_objective(const tensor_context *ctx, const tensor_objective *o)
{
    if (!(o->smoothing >= 0 && o->smoothing <= 1))
        tensor_fail(ctx, "cross_entropy", "smoothing %g; 0 to 1 was expected",
                    (double)o->smoothing);
    if (!(o->z_loss >= 0) || !(o->total >= 0))
        tensor_fail(ctx, "cross_entropy", "z_loss %g, total %g; at least 0 was expected",
                    (double)o->z_loss, o->total);
}

/* Of row i in the mean. */
static double weight_of(const tensor_objective *o, int i)
{
    return o->weight ? (double)o->weight[i] : 1;
}

/* Checks the targets and sets up the rows. */
static entropy entropy_of(tensor_context *ctx, int rows, int classes, const int *target,
                          const tensor_objective *o)
{
    entropy w = {.ctx = ctx,
                 .kernels = tensor_context_kernels(ctx),
                 .rows = rows,
                 .classes = classes,
                 .smoothing = o->smoothing,
                 .z = o->z_loss};
    double total = 0;
    check_objective(ctx, o);
    for (int i = 0; i < rows; i++) {
        if (target[i] != IGNORED && (target[i] < 0 || target[i] >= classes))
            tensor_fail(ctx, "cross_entropy", "target %d of row %d is no class of (%d,%d)",
                        target[i], i, rows, classes);
        if (target[i] != IGNORED)
            total += weight_of(o, i);
    }
    if (o->total > 0)
        total = o->total;
    w.row = tensor_step_memory(ctx, (size_t)rows * sizeof *w.row);
    for (int i = 0; i < rows; i++)
        w.row[i] = (row_state){.target = target[i],
                               .share = total > 0 ? (float)(weight_of(o, i) / total) : 0};
    return w;
}

/* The loss: the sum of the rows' shares, divided once where all have the same. */
static double sum_rows(const entropy *w, const tensor_objective *o, float *row_loss, double *sum)
{
    double total = 0;
    for (int i = 0; i < w->rows; i++) {
        const row_state *row = &w->row[i];
        if (row_loss)
            row_loss[i] = row->plain;
        if (row->target == IGNORED)
            continue;
        *sum += weight_of(o, i) * (double)row->loss;
        total += weight_of(o, i);
    }
    if (o->total > 0)
        total = o->total;
    return total > 0 ? *sum / total : 0;
}

/* ---- from logits ---- */

/* Rows of (N,V); what is ignored is not even read. */
static void logits_forward(void *argument, size_t first, size_t count, int worker)
{
    const entropy *w = argument;
    float *e = tensor_scratch(w->ctx, worker, TENSOR_SCRATCH_OP);
    for (size_t i = first; i < first + count; i++)
        if (w->row[i].target != IGNORED)
            row_forward(w, &w->row[i], w->logits + i * (size_t)w->classes, e);
}

/* The exponentials are computed again: cheaper than keeping N x V of them. */
static void logits_backward(void *argument, size_t first, size_t count, int worker)
{
    const entropy *w = argument;
    size_t V = (size_t)w->classes;
    float *scratch = tensor_scratch(w->ctx, worker, TENSOR_SCRATCH_OP);
    for (size_t i = first; i < first + count; i++) {
        const row_state *row = &w->row[i];
        float *dx = w->dlogits + i * V, *e = w->write ? dx : scratch;
        if (row->target == IGNORED) {
            if (w->write)
                memset(dx, 0, V * sizeof *dx);
            continue;
        }
        w->kernels->exp_sum(e, w->logits + i * V, row->largest, V);
        row_backward(w, row, w->dloss, e);
        if (!w->write)
            w->kernels->add(dx, e, V);
    }
}

static void cross_entropy_backward(tensor_tape_record *record)
{
    entropy *w = record->saved;
    if (!tensor_planning(w->ctx))
        w->dloss = record->out->grad[0];
    w->dlogits = tensor_grad_first(record->in[0], &w->write);
    tensor_scratch_all(w->ctx, TENSOR_SCRATCH_OP, (size_t)w->classes * sizeof(float));
    tensor_parallel_ranges(w->ctx, (size_t)w->rows, (size_t)w->classes, logits_backward, w);
}

static const tensor_op cross_entropy_op = {"cross_entropy", cross_entropy_backward};

tensor *tensor_cross_entropy(tensor *logits, const int *target, const tensor_objective *objective,
                             float *row_loss)
{
    static const tensor_objective plain;
    const tensor_objective *o = objective ? objective : &plain;
    tensor_context *ctx = logits->ctx;
    char text[64];
    if (logits->rank != 2)
        tensor_fail(ctx, "cross_entropy", "the logits are %s; (N,V) was expected",
                    tensor_shape_text(logits, text));
    entropy w = entropy_of(ctx, logits->dim[0], logits->dim[1], target, o);
    w.logits = logits->val;
    tensor *loss = tensor_result(ctx, 0, NULL, &logits, 1);
    tensor_scratch_all(ctx, TENSOR_SCRATCH_OP, (size_t)w.classes * sizeof(float));
    tensor_parallel_ranges(ctx, (size_t)w.rows, (size_t)w.classes, logits_forward, &w);
    double sum = 0;
    loss->val[0] = (float)sum_rows(&w, o, row_loss, &sum);
    if (loss->wants_grad)
        *(entropy *)tensor_record(&cross_entropy_op, loss, &logits, 1, sizeof w)->saved = w;
    return loss;
}

/* ---- from head ---- */

/* Floats of logits at a time: with 32,100 classes, 261 rows. The gradient of the weights is a chain
 * over the rows, whatever the chunks, so their size does not show in any result. */
enum { CHUNK = 1 << 23 };

/* Both passes over a row while it is in the cache: logits in, their gradient out, in place. */
static void chunk_rows(void *argument, size_t first, size_t count, int worker)
{
    const entropy *w = argument;
    size_t V = (size_t)w->classes;
    (void)worker;
    for (size_t i = first; i < first + count; i++) {
        row_state *row = &w->row[(size_t)w->first + i];
        float *x = w->logits + i * V;
        if (row->target == IGNORED) {
            memset(x, 0, V * sizeof *x);
            continue;
        }
        row_forward(w, row, x, x);
        row_backward(w, row, 1, x);
    }
}

double tensor_head_loss(tensor *x, tensor *weight, const int *target,
                        const tensor_objective *objective, float *row_loss, double *sum)
{
    static const tensor_objective plain;
    const tensor_objective *o = objective ? objective : &plain;
    tensor_context *ctx = x->ctx;
    double own = 0;
    char text_x[64], text_w[64];
    if (x->rank != 2 || weight->rank != 2 || x->dim[1] != weight->dim[1])
        tensor_fail(ctx, "head_loss", "x %s and weight %s; (N,D) and (V,D) were expected",
                    tensor_shape_text(x, text_x), tensor_shape_text(weight, text_w));
    int rows = x->dim[0], V = weight->dim[0], D = x->dim[1];
    int most = V < CHUNK ? CHUNK / V : 1;
    entropy w = entropy_of(ctx, rows, V, target, o);
    bool first = false, grad = tensor_grad_enabled(ctx);
    float *dx = grad ? tensor_grad_first(x, &first) : NULL;
    float *dw = grad ? tensor_grad(weight) : NULL;
    w.logits = tensor_step_memory(ctx, (size_t)(rows < most ? rows : most) * (size_t)V * 4);
    for (w.first = 0; w.first < rows; w.first += most) {
        int count = rows - w.first < most ? rows - w.first : most;
        size_t at = (size_t)w.first * (size_t)D;
        const float *some = x->val + at;
        tensor_gemm_task product = tensor_gemm_abt(count, V, D, some, weight->val, w.logits);
        tensor_gemm(ctx, &product);
        tensor_parallel_ranges(ctx, (size_t)count, (size_t)V, chunk_rows, &w);
        if (dx) {
            product = tensor_gemm_ab(count, D, V, w.logits, weight->val, dx + at);
            product.accumulate = !first;
            tensor_gemm(ctx, &product);
        }
        if (dw) {
            product = tensor_gemm_atb(V, D, count, w.logits, some, dw);
            product.accumulate = true;
            tensor_gemm(ctx, &product);
        }
    }
    return sum_rows(&w, o, row_loss, sum ? sum : &own);
}
