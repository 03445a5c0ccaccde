/* SPDX-License-Identifier: MIT */
/* norm.c -- normalisation over the last axis: T5's rmsnorm, and layer normalisation.
 *
 * A row needs nothing but itself for y and dx, so rows go to different threads; the gradients of g
 * and b are sums down the columns, so columns do. */
#include "tensor/context.h"

#include <math.h>

typedef struct norm {
    tensor_context *ctx;
    const tensor_kernels *kernels;
    int rows, width;
    float eps;
    const float *x, *g, *b, *dy;
    float *y, *dx, *dg;
    float *r;    /* one a row: 1 / sqrt(mean(x^2) + eps), or 1 / sqrt(var + eps); scratch if no
                    gradient is wanted */
    float *mean; /* one a row (layernorm) */
} norm;

static void check_vector(const char *name, const tensor *x, const tensor *g, const char *role)
{
    char text_x[64], text_g[64];
    if (x->rank < 1 || g->rank != 1 || g->dim[0] != x->dim[x->rank - 1])
        tensor_fail(x->ctx, name, "x %s and %s %s; (...,D) and (D) were expected",
                    tensor_shape_text(x, text_x), role, tensor_shape_text(g, text_g));
}

static void check_eps(const char *name, const tensor *x, float eps)
{
    if (!(eps > 0))
        tensor_fail(x->ctx, name, "eps is %g; it must be above 0", (double)eps);
}

static norm norm_of(tensor *x, tensor *g, float eps, tensor *y)
{
    size_t rows = (size_t)tensor_rows(x);
    norm w = {.ctx = x->ctx,
              .kernels = tensor_context_kernels(x->ctx),
              .rows = (int)rows,
              .width = g->dim[0],
              .eps = eps,
              .x = x->val,
              .g = g->val,
              .y = y->val};
    w.r = tensor_step_memory(x->ctx, 2 * rows * sizeof(float));
    w.mean = w.r + rows;
    return w;
}

/* ---- rmsnorm ---- */

static void rms_rows(void *argument, size_t first, size_t count, int worker)
{
    const norm *w = argument;
    size_t n = (size_t)w->width;
    (void)worker;
    for (size_t i = first; i < first + count; i++)
        w->r[i] = w->kernels->rmsnorm(w->y + i * n, w->x + i * n, w->g, w->eps, n);
}

static void rms_dx(void *argument, size_t first, size_t count, int worker)
{
    const norm *w = argument;
    size_t n = (size_t)w->width;
    (void)worker;
    for (size_t i = first; i < first + count; i++)
        w->kernels->rmsnorm_backward(w->dx + i * n, NULL, w->x + i * n, w->g, w->dy + i * n,
                                     w->r[i], n);
}

static void rms_dg(void *argument, size_t first, size_t count, int worker)
{
    const norm *w = argument;
    (void)worker;
    for (int i = 0; i < w->rows; i++) {
        size_t at = (size_t)i * (size_t)w->width + first;
        w->kernels->rmsnorm_backward(NULL, w->dg + first, w->x + at, w->g + first, w->dy + at,
                                     w->r[i], count);
    }
}

/* y_i = g_i x_i r with r = (sum_j x_j^2 / n + eps)^(-1/2), so dr/dx_j = -r^3 x_j / n, and
 *
 *     dg_i = sum over the rows of dy_i x_i r
 *     dx_j = r (g_j dy_j - x_j r^2/n sum_i g_i dy_i x_i) */
static void rmsnorm_backward(tensor_tape_record *record)
{
    norm *w = record->saved;
    w->dy = record->out->grad;
    w->dx = tensor_grad(record->in[0]);
    w->dg = tensor_grad(record->in[1]);
    if (w->dx)
        tensor_parallel_ranges(w->ctx, (size_t)w->rows, (size_t)w->width, rms_dx, w);
    if (w->dg)
        tensor_parallel_columns(w->ctx, (size_t)w->width, (size_t)w->rows, rms_dg, w);
}

static const tensor_op rmsnorm_op = {"rmsnorm", rmsnorm_backward};

tensor *tensor_rmsnorm(tensor *x, tensor *g, float eps)
{
    tensor *in[] = {x, g};
    check_vector("rmsnorm", x, g, "weight");
    check_eps("rmsnorm", x, eps);
    tensor *y = tensor_result(x->ctx, x->rank, x->dim, in, 2);
    norm w = norm_of(x, g, eps, y);
    tensor_parallel_ranges(x->ctx, (size_t)w.rows, (size_t)w.width, rms_rows, &w);
    if (y->wants_grad)
        *(norm *)tensor_record(&rmsnorm_op, y, in, 2, sizeof w)->saved = w;
    return y;
}

/* ---- layernorm ---- */

/* h = (x - mean) r, the normalised row. */
static void normalise(const norm *w, size_t row, size_t first, size_t n, float *h)
{
    const float *x = w->x + row * (size_t)w->width + first;
    for (size_t i = 0; i < n; i++)
        h[i] = (x[i] - w->mean[row]) * w->r[row];
}

/* The variance is the mean square of what is left when the mean is gone (two passes), not the
 * difference of two large numbers. */
static void layer_rows(void *argument, size_t first, size_t count, int worker)
{
    const norm *w = argument;
    size_t n = (size_t)w->width;
    (void)worker;
    for (size_t i = first; i < first + count; i++) {
        const float *x = w->x + i * n;
        float *y = w->y + i * n;
        w->mean[i] = w->kernels->sum(x, n) / (float)n;
        w->r[i] = 1;
        normalise(w, i, 0, n, y);
        w->r[i] = 1 / sqrtf(w->kernels->dot(y, y, n) / (float)n + w->eps);
        normalise(w, i, 0, n, y);
        w->kernels->mul(y, y, w->g, n);
        w->kernels->add(y, w->b, n);
    }
}

/* Rows of dx; layer_dg() has columns of dg. Each computes the h that it needs again. */
static void layer_dx(void *argument, size_t first, size_t count, int worker)
{
    const norm *w = argument;
    size_t n = (size_t)w->width;
    float *h = tensor_scratch(w->ctx, worker, TENSOR_SCRATCH_OP), *dh = h + n;
    for (size_t i = first; i < first + count; i++) {
        float *dx = w->dx + i * n;
        normalise(w, i, 0, n, h);
        w->kernels->mul(dh, w->g, w->dy + i * n, n);
        float mean = w->kernels->sum(dh, n) / (float)n;
        float along = w->kernels->dot(dh, h, n) / (float)n;
        for (size_t j = 0; j < n; j++)
            dx[j] += w->r[i] * ((dh[j] - mean) - h[j] * along);
    }
}

static void layer_dg(void *argument, size_t first, size_t count, int worker)
{
    const norm *w = argument;
    float *h = tensor_scratch(w->ctx, worker, TENSOR_SCRATCH_OP);
    for (int i = 0; i < w->rows; i++) {
        normalise(w, (size_t)i, first, count, h);
        w->kernels->mul_add(w->dg + first, w->dy + (size_t)i * (size_t)w->width + first, h, count);
    }
}

/* y = g h + b, h = (x - mean) r, r = (var + eps)^(-1/2), the mean and the variance taken of the n
 * elements of a row. With dh = g dy:
 *
 *     db = sum over the rows of dy,   dg = sum over the rows of dy h
 *
 * h depends on x_j directly (r), through the mean (every h_i by -r/n) and through r: the variance
 * moves by 2 (x_j - mean) / n, so r by -r^3 (x_j - mean) / n = -r^2 h_j / n, and h_i by -r h_i h_j
 * / n. So
 *
 *     dx_j = r (dh_j - 1/n sum_i dh_i - h_j 1/n sum_i dh_i h_i) */
static void layernorm_backward(tensor_tape_record *record)
{
    norm *w = record->saved;
    float *db = tensor_grad(record->in[2]);
    w->dy = record->out->grad;
    w->dx = tensor_grad(record->in[0]);
    w->dg = tensor_grad(record->in[1]);
    tensor_scratch_all(w->ctx, TENSOR_SCRATCH_OP, 2 * (size_t)w->width * sizeof(float));
    if (w->dx)
        tensor_parallel_ranges(w->ctx, (size_t)w->rows, (size_t)w->width, layer_dx, w);
    if (w->dg)
        tensor_parallel_columns(w->ctx, (size_t)w->width, (size_t)w->rows, layer_dg, w);
    if (db)
        tensor_add_rows(w->ctx, db, w->dy, (size_t)w->rows, (size_t)w->width);
}

static const tensor_op layernorm_op = {"layernorm", layernorm_backward};

tensor *tensor_layernorm(tensor *x, tensor *g, tensor *b, float eps)
{
    tensor *in[] = {x, g, b};
    check_vector("layernorm", x, g, "weight");
    check_vector("layernorm", x, b, "bias");
    check_eps("layernorm", x, eps);
    tensor *y = tensor_result(x->ctx, x->rank, x->dim, in, 3);
    norm w = norm_of(x, g, eps, y);
    w.b = b->val;
    tensor_parallel_ranges(x->ctx, (size_t)w.rows, (size_t)w.width, layer_rows, &w);
    if (y->wants_grad)
        *(norm *)tensor_record(&layernorm_op, y, in, 3, sizeof w)->saved = w;
    return y;
}
