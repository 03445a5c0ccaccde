/* SPDX-License-Identifier: MIT */
/* adafactor.c -- Shazeer & Stern 2018, "Adafactor: Adaptive Learning Rates with Sublinear Memory
 * Cost", arXiv:1804.04235, as transformers computes it (without its first moment, which T5 does not
 * use).
 *
 * Adam divides a gradient by the root of a moving average V of its square, and must keep V, one
 * float a parameter. For a matrix G (R,C), Adafactor keeps only moving averages of V's row means
 * r (R) and column means c (C), and takes V_ij = r_i c_j / mean(r): of all matrices of rank one,
 * the nearest to V in the generalised Kullback-Leibler divergence (section 3). A tensor of more
 * axes is a stack of matrices (the last two axes); one of fewer keeps V whole.
 *
 *   b = 1 - t^decay_rate                     grows towards 1, and is 0 at t = 1 (section 7.1)
 *   r = b r + (1-b) mean_j(G_ij^2 + eps1)    and c likewise
 *   U = G / sqrt(V)
 *   p = p - rate / max(1, RMS(U) / clip) U   the update is clipped, not the gradient (section 6)
 *
 * where rate is given, or min(1e-2, 1/sqrt(t)) (relative_step), and is multiplied by
 * max(eps2, RMS(p)) (scale_parameter, section 8). U is computed twice, once for its RMS and once
 * to be used, so that nothing of a matrix's size is kept. */
#include "nn/adafactor.h"

#include "base/math.h"
#include "tensor/context.h"
#include <math.h>

/* A tensor as a stack of matrices: N matrices of R rows and C columns. */
typedef struct stack {
    size_t n, r, c;
    bool factored;
} stack;

/* t (N..,R,C): the leading axes count matrices; a vector (C) is one row, and a scalar one of 1. */
static stack stack_of(const tensor *t)
{
    stack s = {1, 1, 1, t->rank >= 2};
    for (int i = 0; i < t->rank - 2; i++)
        s.n *= (size_t)t->dim[i];
    if (t->rank >= 2)
        s.r = (size_t)t->dim[t->rank - 2];
    if (t->rank >= 1)
        s.c = (size_t)t->dim[t->rank - 1];
    return s;
}

/* For each tensor r (N,R) and then c (N,C), or V (C). */
static size_t state_of(const stack *s) { return s->factored ? s->n * (s->r + s->c) : s->c; }

size_t nn_adafactor_state_size(const nn_params *params)
{
    size_t size = 0;
    for (int i = 0; i < nn_params_count(params); i++) {
        stack s = stack_of(nn_params_tensor(params, i));
        size += state_of(&s);
    }
    return size;
}

typedef struct step_task {
    tensor_context *ctx;
    const tensor_kernels *kernels;
    const nn_params *params;
    const nn_optimizer_config *config;
    float *state;
    float decay, fresh; /* b, 1-b */
    float grad_scale;
    double rate;
} step_task;

/* One matrix of a tensor; row and column point to the state, for a tensor that is not factored
 * column is V. The others are scratch of C floats. */
typedef struct matrix {
    const stack *shape;
    float *p, *row, *column;
    const float *g;
    float *inverse; /* 1 / sqrt(column) */
    float *work;
} matrix;

/* Matrix i of the stack, with r at state + i R and, behind all N R of those, c at + i C. */
static matrix matrix_at(const stack *s, const tensor *t, float *state, size_t i, float *scratch)
{
    matrix m = {.shape = s, .inverse = scratch, .work = scratch + s->c};
    m.p = t->val + i * s->r * s->c;
    m.g = t->grad + i * s->r * s->c;
    m.row = state + i * s->r;
    m.column = s->factored ? state + s->n * s->r + i * s->c : state;
    return m;
}

/* The moving averages of row and column means of G^2 + eps1. */
static void average_squares(const step_task *task, const matrix *m)
{
    const tensor_kernels *k = task->kernels;
    size_t R = m->shape->r, C = m->shape->c;
    float eps = (float)task->config->eps1, *sum = m->inverse; /* not yet in use */
    for (size_t j = 0; j < C; j++)
        sum[j] = 0;
    for (size_t i = 0; i < R; i++) {
        k->scale(m->work, task->grad_scale, m->g + i * C, C);
        k->mul_add(sum, m->work, m->work, C);
        if (m->shape->factored) {
            float mean = k->dot(m->work, m->work, C) / (float)C + eps;
            m->row[i] = task->decay * m->row[i] + task->fresh * mean;
        }
    }
    for (size_t j = 0; j < C; j++)
        m->column[j] = task->decay * m->column[j] + task->fresh * (sum[j] / (float)R + eps);
}

/* 1 / sqrt(V_ij) = row_factor(i) inverse[j]. */
static void invert_columns(const matrix *m)
{
    for (size_t j = 0; j < m->shape->c; j++)
        m->inverse[j] = 1 / sqrtf(m->column[j]);
}

/* 1/sqrt(V_ij) = sqrt(mean(r) / r_i) * 1/sqrt(c_j): the first factor; 1 where V is kept whole. */
static double row_factor(const matrix *m, size_t i, float row_mean)
{
    return m->shape->factored ? 1 / sqrt((double)(m->row[i] / row_mean)) : 1;
}

static float row_mean(const step_task *task, const matrix *m)
{
    size_t R = m->shape->r;
    return m->shape->factored ? task->kernels->sum(m->row, R) / (float)R : 1;
}

/* work = row i of U, but for row_factor(i). */
static void update_row(const step_task *task, const matrix *m, size_t i)
{
    size_t C = m->shape->c;
    task->kernels->scale(m->work, task->grad_scale, m->g + i * C, C);
    task->kernels->mul(m->work, m->work, m->inverse, C);
}

/* The sum of the squares of U. */
static double update_squares(const step_task *task, const matrix *m)
{
    double sum = 0;
    float mean = row_mean(task, m);
    for (size_t i = 0; i < m->shape->r; i++) {
        double factor = row_factor(m, i, mean);
        update_row(task, m, i);
        sum += factor * factor * (double)task->kernels->dot(m->work, m->work, m->shape->c);
    }
    return sum;
}

/* p = p - rate U, after p = p - weight_decay * full_rate * p. */
static void apply(const step_task *task, const matrix *m, double rate, double full_rate)
{
    size_t C = m->shape->c;
    float mean = row_mean(task, m), keep = (float)(1 - task->config->weight_decay * full_rate);
    for (size_t i = 0; i < m->shape->r; i++) {
        float *p = m->p + i * C;
        update_row(task, m, i);
        if (task->config->weight_decay > 0)
            task->kernels->scale(p, keep, p, C);
        task->kernels->axpy(p, (float)(-rate * row_factor(m, i, mean)), m->work, C);
    }
}

double nn_tensor_rms(const tensor *t)
{
    const tensor_kernels *kernels = tensor_context_kernels(t->ctx);
    stack s = stack_of(t);
    double sum = 0;
    size_t rows = s.n * s.r;
    for (size_t i = 0; i < rows; i++)
        sum += (double)kernels->dot(t->val + i * s.c, t->val + i * s.c, s.c);
    return sqrt(sum / (double)(rows * s.c));
}

/* One tensor: r and c (or V) of every matrix and the squares of U, then the update. Where its state
 * begins is added up anew, over some hundreds of tensors at most. */
static void step_tensor(void *argument, int index, int worker)
{
    const step_task *task = argument;
    const nn_optimizer_config *config = task->config;
    const tensor *t = nn_params_tensor(task->params, index);
    stack s = stack_of(t);
    float *scratch = tensor_scratch(task->ctx, worker, TENSOR_SCRATCH_OP), *state = task->state;
    for (int i = 0; i < index; i++) {
        stack before = stack_of(nn_params_tensor(task->params, i));
        state += state_of(&before);
    }

    double rate = task->rate, squares = 0;
    if (config->scale_parameter) {
        double rms = nn_tensor_rms(t);
        rate *= rms > config->eps2 ? rms : config->eps2;
    }
    for (size_t i = 0; i < s.n; i++) {
        matrix m = matrix_at(&s, t, state, i, scratch);
        average_squares(task, &m);
        invert_columns(&m);
        squares += update_squares(task, &m);
    }
    double excess = sqrt(squares / (double)(s.n * s.r * s.c)) / config->clip_threshold;
    for (size_t i = 0; i < s.n; i++) {
        matrix m = matrix_at(&s, t, state, i, scratch);
        invert_columns(&m);
        apply(task, &m, excess > 1 ? rate / excess : rate, rate);
    }
}

/* A tensor is one thread's. */
void nn_adafactor_step(nn_params *params, const nn_optimizer_config *config, float *state,
                       int64_t t, double rate_factor, float grad_scale)
{
    double fresh = base_pow((double)t, config->decay_rate);
    double rate = config->rate;
    if (config->relative_step) {
        rate = 1 / sqrt((double)t);
        rate = rate < 1e-2 ? rate : 1e-2;
    }
    tensor_context *ctx = nn_params_context(params);
    step_task task = {.ctx = ctx,
                      .kernels = tensor_context_kernels(ctx),
                      .params = params,
                      .config = config,
                      .state = state,
                      .decay = (float)(1 - fresh),
                      .fresh = (float)fresh,
                      .grad_scale = grad_scale,
                      .rate = rate * rate_factor};
    size_t longest = 1;
    for (int i = 0; i < nn_params_count(params); i++) {
        size_t c = stack_of(nn_params_tensor(params, i)).c;
        longest = c > longest ? c : longest;
    }
    tensor_scratch_all(ctx, TENSOR_SCRATCH_OP, 2 * longest * sizeof(float));
    tensor_parallel(ctx, nn_params_count(params), step_tensor, &task);
}
