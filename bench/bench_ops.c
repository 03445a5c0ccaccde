/* SPDX-License-Identifier: MIT */
/* bench_ops.c -- memory itself, and the ops that memory limits.
 *
 * An op's bytes are the least that it can move: what it reads and what it writes, once each. */
#include "bench/bench.h"
#include "nn/optimizer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

typedef struct reading {
    tensor_context *ctx;
    const float *floats;
    size_t count; /* a thread's */
    int turns;    /* over them, in a call */
    float sink[64];
} reading;

static void read_part(void *argument, int i, int worker)
{
    reading *r = argument;
    (void)worker;
    for (int turn = 0; turn < r->turns; turn++)
        r->sink[i] += bench_read(r->ctx, r->floats + (size_t)i * r->count, r->count);
}

static void read_all(void *state)
{
    reading *r = state;
    tensor_parallel(r->ctx, tensor_threads(r->ctx), read_part, r);
}

/* Parameters: KiB a thread. */
static bool run_reading(const bench_case *self, bench_run *run, base_error *error)
{
    size_t bytes = (size_t)self->parameter[0] * 1024;
    reading r = {.ctx = run->ctx, .count = bytes / sizeof(float), .turns = 1};
    while (bytes * (size_t)r.turns < 32 << 20)
        r.turns *= 2;
    float *floats = bench_floats(r.count * (size_t)run->threads, error);
    if (!floats)
        return false;
    r.floats = floats;
    bench_measure(run, NULL, read_all, &r);
    run->result->bytes = (double)bytes * r.turns * run->threads;
    bench_free(floats);
    return true;
}

void bench_memory_cases(bench_list *list)
{
    static const struct {
        const char *name;
        int kib;
    } sizes[] = {{"16K", 16}, {"256K", 256}, {"8M", 8 << 10}, {"256M", 256 << 10}};
    for (int i = 0; i < 4; i++) {
        bench_case *c = bench_add(list);
        c->run = run_reading;
        c->parameter[0] = sizes[i].kib;
        snprintf(c->name, sizeof c->name, "memory/read/%s", sizes[i].name);
    }
}

/* ---- ops on rows ---- */

enum { OP_RMSNORM, OP_RELU, OP_SOFTMAX, OP_CROSS_ENTROPY };

typedef struct op {
    tensor_context *ctx;
    int which;
    bool backward;
    tensor x, g;
    int *target;
} op;

static tensor *forward(op *o)
{
    switch (o->which) {
    case OP_RMSNORM:
        return tensor_rmsnorm(&o->x, &o->g, 1e-6F);
    case OP_RELU:
        return tensor_relu(&o->x);
    case OP_SOFTMAX:
        return tensor_softmax(&o->x, 1);
    default:
        return tensor_cross_entropy(&o->x, o->target, NULL, NULL);
    }
}

static void op_forward(void *state)
{
    op *o = state;
    forward(o);
    tensor_step_end(o->ctx);
}

static void op_both(void *state)
{
    op *o = state;
    tensor_backward(forward(o));
    tensor_step_end(o->ctx);
}

/* Parameters: which op, rows, columns, floats moved for each element, backward too. */
static bool run_op(const bench_case *self, bench_run *run, base_error *error)
{
    const int *v = self->parameter;
    size_t rows = (size_t)v[1], columns = (size_t)v[2], count = rows * columns;
    op o = {.ctx = run->ctx, .which = v[0], .backward = v[4] != 0};
    float *x = bench_floats(count, error), *grad = x ? bench_floats(count, error) : NULL;
    float *g = grad ? bench_floats(columns, error) : NULL;
    o.target = g ? calloc(rows, sizeof *o.target) : NULL;
    if (o.target) {
        for (int r = 0; r < v[1]; r++)
            o.target[r] = r * 7919 % v[2];
        tensor_leaf(&o.x, run->ctx, 2, &v[1], x, o.backward ? grad : NULL);
        tensor_leaf(&o.g, run->ctx, 1, &v[2], g, NULL);
        bench_measure(run, NULL, o.backward ? op_both : op_forward, &o);
        run->result->bytes = 4.0 * v[3] * (double)count;
    } else {
        base_fail(error, "no memory for %d x %d floats", v[1], v[2]);
    }
    bool ok = o.target != NULL;
    free(o.target);
    bench_free(x);
    bench_free(grad);
    bench_free(g);
    return ok;
}

/* ---- what goes over all parameters ---- */

enum { PASS_ADAMW, PASS_NORM, PASS_ZERO };

typedef struct pass {
    int which;
    nn_params *params;
    nn_optimizer *optimizer;
    double norm; /* so that it is not left out */
} pass;

static void one_pass(void *state)
{
    pass *p = state;
    if (p->which == PASS_ADAMW)
        nn_optimizer_step(p->optimizer, 1, 1);
    else if (p->which == PASS_NORM)
        p->norm += nn_grad_norm(p->params);
    else
        nn_zero_grad(p->params);
}

/* Parameters: which, floats (thousands), floats moved for each. */
static bool run_pass(const bench_case *self, bench_run *run, base_error *error)
{
    const int *v = self->parameter, dim[2] = {v[1], 1000};
    nn_optimizer_config adamw = nn_optimizer_default(NN_ADAMW);
    pass p = {.which = v[0], .params = nn_params_new(run->ctx)};
    bool ok = p.params && nn_param(p.params, "weights", 2, dim);
    if (!ok)
        base_fail(error, "no memory for parameters");
    ok = ok && nn_params_allocate(p.params, true, error) &&
         (p.optimizer = nn_optimizer_new(p.params, &adamw, error));
    if (ok) {
        size_t count = nn_params_size(p.params);
        float *values = nn_params_values(p.params), *gradients = nn_params_gradients(p.params);
        for (size_t i = 0; i < count; i++) {
            values[i] = (float)(i % 1000) * 1e-3F;
            gradients[i] = (float)(i % 997) * 1e-6F;
        }
        bench_measure(run, NULL, one_pass, &p);
        run->result->bytes = 4.0 * v[2] * (double)count;
    }
    if (p.optimizer)
        nn_optimizer_free(p.optimizer);
    if (p.params)
        nn_params_free(p.params);
    return ok;
}

/* ---- attention as one op ---- */

typedef struct attention {
    tensor_context *ctx;
    tensor q, k, v, bias;
    tensor_span *span;
    int spans, heads;
    bool causal, backward;
} attention;

static void attend(void *state)
{
    attention *a = state;
    tensor_attention_task task = {a->span, a->span, a->spans, a->heads, a->causal, 1};
    tensor *y = tensor_attention(&a->q, &a->k, &a->v, &a->bias, &task);
    if (a->backward)
        tensor_backward(tensor_sum(y));
    tensor_step_end(a->ctx);
}

enum { SPANS = 32, TOKENS = 48, HEADS = 8, WIDTH = 64 };

/* Parameters: causal, backward too. */
static bool run_attention(const bench_case *self, bench_run *run, base_error *error)
{
    attention a = {.ctx = run->ctx,
                   .spans = SPANS,
                   .heads = HEADS,
                   .causal = self->parameter[0] != 0,
                   .backward = self->parameter[1] != 0};
    tensor_span span[SPANS];
    for (int i = 0; i < SPANS; i++)
        span[i] = (tensor_span){i * TOKENS, TOKENS, TOKENS, 0};
    a.span = span;
    const int dim[2] = {SPANS * TOKENS, HEADS * WIDTH}, bias[2] = {2 * TOKENS - 1, HEADS};
    size_t count = (size_t)dim[0] * (size_t)dim[1], all = 6 * count + 2 * 2 * TOKENS * HEADS;
    float *floats = bench_floats(all, error);
    if (!floats)
        return false;
    for (size_t i = 0; i < all; i++)
        floats[i] *= 0.1F;
    tensor *leaf[] = {&a.q, &a.k, &a.v};
    for (size_t i = 0; i < 3; i++)
        tensor_leaf(leaf[i], run->ctx, 2, dim, floats + i * count,
                    a.backward ? floats + (3 + i) * count : NULL);
    tensor_leaf(&a.bias, run->ctx, 2, bias, floats + 6 * count,
                a.backward ? floats + 6 * count + 2 * TOKENS * HEADS : NULL);
    bench_measure(run, NULL, attend, &a);
    /* q k^T and p v; causal: row i has i + 1 keys. Backward: twice that. */
    double pairs = a.causal ? TOKENS * (TOKENS + 1) / 2.0 : TOKENS * TOKENS;
    run->result->flops = (a.backward ? 3 : 1) * 4.0 * SPANS * HEADS * WIDTH * pairs;
    bench_free(floats);
    return true;
}

/* ---- the list ---- */

static void add(bench_list *list, const char *name,
                bool (*run)(const bench_case *, bench_run *, base_error *), int p0, int p1, int p2,
                int p3, int p4)
{
    bench_case *c = bench_add(list);
    const int parameter[BENCH_PARAMETERS] = {p0, p1, p2, p3, p4};
    c->run = run;
    memcpy(c->parameter, parameter, sizeof parameter);
    snprintf(c->name, sizeof c->name, "%s", name);
}

void bench_op_cases(bench_list *list)
{
    add(list, "attention/op/forward", run_attention, 0, 0, 0, 0, 0);
    add(list, "attention/op/both", run_attention, 0, 1, 0, 0, 0);
    add(list, "attention/causal/forward", run_attention, 1, 0, 0, 0, 0);
    add(list, "attention/causal/both", run_attention, 1, 1, 0, 0, 0);
    add(list, "op/rmsnorm", run_op, OP_RMSNORM, 16384, 512, 2, 0);
    add(list, "op/relu", run_op, OP_RELU, 16384, 512, 2, 0);
    add(list, "op/softmax", run_op, OP_SOFTMAX, 16384, 512, 2, 0);
    /* forward reads the logits; backward reads them, and adds to a gradient */
    add(list, "op/cross-entropy/512", run_op, OP_CROSS_ENTROPY, 1536, 512, 4, 1);
    add(list, "op/cross-entropy/32100", run_op, OP_CROSS_ENTROPY, 1536, 32100, 4, 1);
    add(list, "op/adamw", run_pass, PASS_ADAMW, 8000, 7, 0, 0);
    add(list, "op/grad-norm", run_pass, PASS_NORM, 8000, 1, 0, 0);
    add(list, "op/zero-grad", run_pass, PASS_ZERO, 8000, 1, 0, 0);
}
