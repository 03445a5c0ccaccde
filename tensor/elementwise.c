/* SPDX-License-Identifier: MIT */
/* elementwise.c -- sums, products, activations and dropout: ops that look at one element at a time,
 * and the sum.
 *
 * Each is a loop of kernels over ranges of the arrays, which go to different threads. */
#include "base/random.h"
#include "tensor/context.h"

#include <math.h>

/* ---- a + b, a - b, a * b ---- */

typedef enum pair_kind { ADD, SUBTRACT, MULTIPLY } pair_kind;

static void pair_backward(tensor_tape_record *record);

static const tensor_op pair_ops[] = {[ADD] = {"add", pair_backward},
                                     [SUBTRACT] = {"sub", pair_backward},
                                     [MULTIPLY] = {"mul", pair_backward}};

typedef struct pair {
    pair_kind kind;
    const tensor_kernels *kernels;
    const float *a, *b, *dy;
    float *y, *da, *db;
    size_t n, repeats; /* b has n elements, a has repeats * n */
} pair;

/* b's shape must be the last axes of a's: a (...,N) and b (N), N standing for any axes. */
static pair pair_of(pair_kind kind, const tensor *a, const tensor *b)
{
    char text_a[64], text_b[64];
    int repeated = a->rank - b->rank;
    bool fits = repeated >= 0;
    for (int i = 0; fits && i < b->rank; i++)
        fits = a->dim[repeated + i] == b->dim[i];
    if (!fits)
        tensor_fail(a->ctx, pair_ops[kind].name,
                    "%s and %s: the second is not the last axes of the first",
                    tensor_shape_text(a, text_a), tensor_shape_text(b, text_b));
    pair w = {.kind = kind, .kernels = tensor_context_kernels(a->ctx), .a = a->val, .b = b->val};
    w.n = tensor_size(b);
    w.repeats = tensor_size(a) / w.n;
    return w;
}

/* From element i of a, how many can be done before b starts over or the range ends. */
static size_t run_length(const pair *w, size_t i, size_t end)
{
    size_t run = w->n - i % w->n;
    return run < end - i ? run : end - i;
}

/* Range by range of y = a op b. a - b is made as -b + a: there is no kernel of its own for what is
 * rare, and the sum is the same bits. */
static void pair_forward(void *argument, size_t first, size_t count, int worker)
{
    const pair *w = argument;
    const tensor_kernels *k = w->kernels;
    (void)worker;
    for (size_t i = first, end = first + count, run; i < end; i += run) {
        const float *b = w->b + i % w->n;
        run = run_length(w, i, end);
        if (w->kind == ADD)
            k->add_to(w->y + i, w->a + i, b, run);
        if (w->kind == SUBTRACT) {
            k->scale(w->y + i, -1, b, run);
            k->add(w->y + i, w->a + i, run);
        }
        if (w->kind == MULTIPLY)
            k->mul(w->y + i, w->a + i, b, run);
    }
}

/* da += dy, or dy * b, over a range of a. */
static void pair_da(void *argument, size_t first, size_t count, int worker)
{
    const pair *w = argument;
    (void)worker;
    for (size_t i = first, end = first + count, run; i < end; i += run) {
        run = run_length(w, i, end);
        if (w->kind == MULTIPLY)
            w->kernels->mul_add(w->da + i, w->dy + i, w->b + i % w->n, run);
        else
            w->kernels->add(w->da + i, w->dy + i, run);
    }
}

/* db += the repeats' shares, first to last, for some columns of the matrix (repeats,n). */
static void pair_db(void *argument, size_t first, size_t count, int worker)
{
    const pair *w = argument;
    (void)worker;
    for (size_t r = 0; r < w->repeats; r++) {
        size_t at = r * w->n + first;
        if (w->kind == MULTIPLY)
            w->kernels->mul_add(w->db + first, w->dy + at, w->a + at, count);
        else
            w->kernels->axpy(w->db + first, w->kind == ADD ? 1 : -1, w->dy + at, count);
    }
}

/* a + b: da = dy,      db = sum of dy
 * a - b: da = dy,      db = sum of -dy
 * a * b: da = dy * b,  db = sum of dy * a      over the repeats of b.
 * a and b may be one tensor: its gradient then gets both. */
static void pair_backward(tensor_tape_record *record)
{
    tensor *a = record->in[0], *b = record->in[1];
    pair w = pair_of(*(const pair_kind *)record->saved, a, b);
    w.dy = record->out->grad;
    w.db = tensor_grad(b);
    if (w.db)
        tensor_parallel_columns(b->ctx, w.n, w.repeats, pair_db, &w);
    if (w.kind != MULTIPLY && tensor_grad_pass(record, a))
        return;
    w.da = tensor_grad(a);
    if (w.da)
        tensor_parallel_ranges(a->ctx, tensor_size(a), 1, pair_da, &w);
}

/* Only the kind is kept for backward: the record has the inputs, and their values still stand. */
static tensor *pair_op(pair_kind kind, tensor *a, tensor *b)
{
    tensor *in[] = {a, b};
    pair w = pair_of(kind, a, b);
    tensor *y = tensor_result(a->ctx, a->rank, a->dim, in, 2);
    w.y = y->val;
    tensor_parallel_ranges(y->ctx, tensor_size(y), 1, pair_forward, &w);
    if (y->wants_grad)
        *(pair_kind *)tensor_record(&pair_ops[kind], y, in, 2, sizeof kind)->saved = kind;
    return y;
}

tensor *tensor_add(tensor *a, tensor *b) { return pair_op(ADD, a, b); }

tensor *tensor_sub(tensor *a, tensor *b) { return pair_op(SUBTRACT, a, b); }

tensor *tensor_mul(tensor *a, tensor *b) { return pair_op(MULTIPLY, a, b); }

/* ---- functions of one element ---- */

typedef void map_kernel(float *y, const float *x, size_t n);
typedef void map_backward_kernel(float *dx, const float *at, const float *dy, size_t n);
typedef void map_gate_kernel(float *dy, const float *y, size_t n);

/* gate: what backward does, but in place of dy; NULL: there is no such kernel. */
typedef struct map {
    map_kernel *forward;
    map_backward_kernel *backward;
    map_gate_kernel *gate;
    const float *x, *dy;
    const float *at; /* what backward reads: x, or y where the derivative is easily told from it */
    float *y, *dx;
} map;

static void map_forward_body(void *argument, size_t first, size_t count, int worker)
{
    const map *w = argument;
    (void)worker;
    w->forward(w->y + first, w->x + first, count);
}

static void map_backward_body(void *argument, size_t first, size_t count, int worker)
{
    const map *w = argument;
    (void)worker;
    w->backward(w->dx + first, w->at + first, w->dy + first, count);
}

/* ---- an activation's gradient in place ---- */

typedef struct gating {
    map_gate_kernel *gate;
    float *dy;
    const float *y;
} gating;

static void gate_body(void *argument, size_t first, size_t count, int worker)
{
    const gating *w = argument;
    (void)worker;
    w->gate(w->dy + first, w->y + first, count);
}

static void gate_in_place(tensor_context *ctx, map_gate_kernel *gate, float *dy, const float *y,
                          size_t n)
{
    tensor_parallel_ranges(ctx, n, 1, gate_body, &(gating){gate, dy, y});
}

void tensor_relu_gate(tensor_context *ctx, float *dy, const float *y, size_t n)
{
    gate_in_place(ctx, tensor_context_kernels(ctx)->relu_gate, dy, y, n);
}

/* The first gradient of x is dy's array, in which nothing but the gate has to be done. */
static void map_backward(tensor_tape_record *record)
{
    tensor *x = record->in[0];
    map *w = record->saved;
    w->dy = record->out->grad;
    if (w->gate && tensor_grad_pass(record, x)) {
        gate_in_place(x->ctx, w->gate, x->grad, w->at, tensor_size(x));
        return;
    }
    w->dx = tensor_grad(x);
    tensor_parallel_ranges(x->ctx, tensor_size(x), 1, map_backward_body, w);
}

/* backward_reads_y: the slope is computed from the result, not from x, as relu's sign and 1 -
 * tanh^2 can be. */
static tensor *map_op(const tensor_op *op, tensor *x, map_kernel *forward,
                      map_backward_kernel *backward, map_gate_kernel *gate, bool backward_reads_y)
{
    tensor *y = tensor_result(x->ctx, x->rank, x->dim, &x, 1);
    map w = {.forward = forward, .backward = backward, .gate = gate, .x = x->val, .y = y->val};
    w.at = backward_reads_y ? y->val : x->val;
    tensor_parallel_ranges(x->ctx, tensor_size(x), 1, map_forward_body, &w);
    if (y->wants_grad)
        *(map *)tensor_record(op, y, &x, 1, sizeof w)->saved = w;
    return y;
}

static const tensor_op relu_op = {"relu", map_backward};
static const tensor_op relu6_op = {"relu6", map_backward};
static const tensor_op hard_swish_op = {"hard_swish", map_backward};
static const tensor_op gelu_new_op = {"gelu_new", map_backward};
static const tensor_op gelu_erf_op = {"gelu_erf", map_backward};
static const tensor_op tanh_op = {"tanh", map_backward};

tensor *tensor_relu(tensor *x)
{
    const tensor_kernels *k = tensor_context_kernels(x->ctx);
    return map_op(&relu_op, x, k->relu, k->relu_backward, k->relu_gate, true);
}

tensor *tensor_relu6(tensor *x)
{
    const tensor_kernels *k = tensor_context_kernels(x->ctx);
    return map_op(&relu6_op, x, k->relu6, k->relu6_backward, k->relu6_gate, true);
}

tensor *tensor_hard_swish(tensor *x)
{
    const tensor_kernels *k = tensor_context_kernels(x->ctx);
    return map_op(&hard_swish_op, x, k->hard_swish, k->hard_swish_backward, NULL, false);
}

tensor *tensor_gelu_new(tensor *x)
{
    const tensor_kernels *k = tensor_context_kernels(x->ctx);
    return map_op(&gelu_new_op, x, k->gelu_new, k->gelu_new_backward, NULL, false);
}

tensor *tensor_gelu_erf(tensor *x)
{
    const tensor_kernels *k = tensor_context_kernels(x->ctx);
    return map_op(&gelu_erf_op, x, k->gelu_erf, k->gelu_erf_backward, NULL, false);
}

tensor *tensor_tanh(tensor *x)
{
    const tensor_kernels *k = tensor_context_kernels(x->ctx);
    return map_op(&tanh_op, x, k->tanh_forward, k->tanh_backward, NULL, true);
}

/* ---- scale ---- */

typedef struct scaling {
    const tensor_kernels *kernels;
    float factor;
    const float *in;
    float *out;
} scaling;

static void scale_forward(void *argument, size_t first, size_t count, int worker)
{
    const scaling *w = argument;
    (void)worker;
    w->kernels->scale(w->out + first, w->factor, w->in + first, count);
}

static void scale_add(void *argument, size_t first, size_t count, int worker)
{
    const scaling *w = argument;
    (void)worker;
    w->kernels->axpy(w->out + first, w->factor, w->in + first, count);
}

/* y = factor * x: dx = factor * dy. */
static void scale_backward(tensor_tape_record *record)
{
    tensor *x = record->in[0];
    scaling w = {tensor_context_kernels(x->ctx), *(const float *)record->saved, record->out->grad,
                 tensor_grad(x)};
    tensor_parallel_ranges(x->ctx, tensor_size(x), 1, scale_add, &w);
}

static const tensor_op scale_op = {"scale", scale_backward};

tensor *tensor_scale(tensor *x, float factor)
{
    tensor *y = tensor_result(x->ctx, x->rank, x->dim, &x, 1);
    scaling w = {tensor_context_kernels(x->ctx), factor, x->val, y->val};
    tensor_parallel_ranges(x->ctx, tensor_size(x), 1, scale_forward, &w);
    if (y->wants_grad)
        *(float *)tensor_record(&scale_op, y, &x, 1, sizeof factor)->saved = factor;
    return y;
}

/* ---- dropout ---- */

typedef struct dropout {
    uint32_t threshold; /* words below it drop their element */
    float kept;         /* 1 - rate */
    uint64_t seed, stream, first;
    uint8_t *keep; /* one an element, NULL: not wanted */
    const float *in;
    float *out;
} dropout;

/* Philox makes words in blocks of four; base_random_word would make each block four times. What is
 * to be done with a word cannot be predicted, so it is looked up rather than branched on. */
static void dropout_forward(void *argument, size_t first, size_t count, int worker)
{
    const dropout *w = argument;
    const size_t end = first + count;
    (void)worker;
    for (size_t i = first, block_end; i < end; i = block_end) {
        uint32_t words[4];
        uint64_t at = w->first + i;
        base_random_block(w->seed, w->stream, at / 4, words);
        block_end = end - i < 4 - at % 4 ? end : i + (size_t)(4 - at % 4);
        for (size_t j = i; j < block_end; j++) {
            const float choice[2] = {0, w->in[j] / w->kept};
            bool keep = words[(w->first + j) % 4] >= w->threshold;
            w->out[j] = choice[keep];
            if (w->keep)
                w->keep[j] = keep;
        }
    }
}

/* The mask is kept, a byte an element, rather than the words drawn again: cheaper by far. */
static void dropout_add(void *argument, size_t first, size_t count, int worker)
{
    const dropout *w = argument;
    (void)worker;
    for (size_t i = first; i < first + count; i++) {
        const float choice[2] = {0, w->in[i] / w->kept};
        w->out[i] += choice[w->keep[i]];
    }
}

/* dx = dy / (1 - rate) where x was kept. */
static void dropout_backward(tensor_tape_record *record)
{
    tensor *x = record->in[0];
    dropout *w = record->saved;
    w->in = record->out->grad;
    w->out = tensor_grad(x);
    tensor_parallel_ranges(x->ctx, tensor_size(x), 1, dropout_add, w);
}

static const tensor_op dropout_op = {"dropout", dropout_backward};

tensor *tensor_dropout(tensor *x, float rate, uint64_t seed, uint64_t stream, uint64_t first)
{
    if (!(rate >= 0 && rate < 1))
        tensor_fail(x->ctx, "dropout", "rate %g; at least 0 and below 1 was expected",
                    (double)rate);
    if (rate == 0 || !tensor_grad_enabled(x->ctx))
        return x;
    tensor *y = tensor_result(x->ctx, x->rank, x->dim, &x, 1);
    dropout w = {.threshold = (uint32_t)ceil((double)rate * 4294967296.0),
                 .kept = 1 - rate,
                 .seed = seed,
                 .stream = stream,
                 .first = first,
                 .in = x->val,
                 .out = y->val};
    if (y->wants_grad) {
        w.keep = tensor_step_memory(x->ctx, tensor_size(x));
        *(dropout *)tensor_record(&dropout_op, y, &x, 1, sizeof w)->saved = w;
    }
    tensor_parallel_ranges(x->ctx, tensor_size(x), 1, dropout_forward, &w);
    return y;
}

/* ---- to a scalar ---- */

typedef struct spread {
    float *dx, value;
} spread;

/* dx += value: every element of a sum has the same gradient. */
static void spread_body(void *argument, size_t first, size_t count, int worker)
{
    const spread *w = argument;
    (void)worker;
    for (size_t i = first; i < first + count; i++)
        w->dx[i] += w->value;
}

/* y = sum x: every dx = dy. */
static void sum_backward(tensor_tape_record *record)
{
    tensor *x = record->in[0];
    spread w = {.dx = tensor_grad(x)};
    if (!tensor_planning(x->ctx))
        w.value = record->out->grad[0];
    tensor_parallel_ranges(x->ctx, tensor_size(x), 1, spread_body, &w);
}

static const tensor_op sum_op = {"sum", sum_backward};

tensor *tensor_sum(tensor *x)
{
    tensor *y = tensor_result(x->ctx, 0, NULL, &x, 1);
    if (!tensor_planning(x->ctx))
        y->val[0] = tensor_context_kernels(x->ctx)->sum(x->val, tensor_size(x));
    if (y->wants_grad)
        tensor_record(&sum_op, y, &x, 1, 0);
    return y;
}

/* ---- reshape ---- */

/* dx += dy: the two differ in shape alone, but they are different gradients. */
static void reshape_backward(tensor_tape_record *record)
{
    tensor *x = record->in[0];
    scaling w = {tensor_context_kernels(x->ctx), 1, record->out->grad, tensor_grad(x)};
    tensor_parallel_ranges(x->ctx, tensor_size(x), 1, scale_add, &w);
}

static const tensor_op reshape_op = {"reshape", reshape_backward};

/* The result is made as a scalar, whose one value then goes unused. */
tensor *tensor_reshape(tensor *x, int rank, const int *dim)
{
    char text[64];
    size_t size = tensor_check_shape(x->ctx, "reshape", rank, dim);
    if (size != tensor_size(x))
        tensor_fail(x->ctx, "reshape", "%s has %zu elements, the new shape %zu",
                    tensor_shape_text(x, text), tensor_size(x), size);
    tensor *y = tensor_result(x->ctx, 0, NULL, &x, 1);
    tensor_leaf(y, x->ctx, rank, dim, x->val, NULL);
    y->wants_grad = x->wants_grad && tensor_grad_enabled(x->ctx);
    if (y->wants_grad)
        tensor_record(&reshape_op, y, &x, 1, 0);
    return y;
}
