/* SPDX-License-Identifier: MIT */
/* bench_gemm.c -- matrix products at the shapes that a T5 has.
 *
 *   gemm/fwd  Y(M,N) = X(M,K) W(N,K)^T     gemm/dx  dX(M,K) = dY(M,N) W(N,K)
 *   gemm/dw   dW(N,K) = dY(M,N)^T X(M,K)
 *
 * and a case's name has the product's own rows x columns x depth. */
#include "bench/bench.h"
#include "tensor/gemm.h"
#include <stdio.h>
#include <string.h>

typedef struct product {
    tensor_context *ctx;
    tensor_gemm_task task;
} product;

static void multiply(void *state)
{
    const product *p = state;
    tensor_gemm(p->ctx, &p->task);
}

enum { TRANSPOSE_A = 1, TRANSPOSE_B = 2 };

/* m x n x k, with no gap between rows. */
static tensor_gemm_task task_of(int m, int n, int k, int transposed)
{
    tensor_gemm_task task = {.m = m, .n = n, .k = k};
    task.transpose_a = transposed & TRANSPOSE_A;
    task.transpose_b = transposed & TRANSPOSE_B;
    task.lda = (size_t)(task.transpose_a ? m : k);
    task.ldb = (size_t)(task.transpose_b ? k : n);
    task.ldc = (size_t)n;
    return task;
}

static double flops_of(const tensor_gemm_task *task) { return 2.0 * task->m * task->n * task->k; }

/* Parameters: m, n, k, transposed. */
static bool run_gemm(const bench_case *self, bench_run *run, base_error *error)
{
    const int *v = self->parameter;
    product p = {run->ctx, task_of(v[0], v[1], v[2], v[3])};
    size_t m = (size_t)v[0], n = (size_t)v[1], k = (size_t)v[2];
    float *a = bench_floats(m * k, error);
    float *b = a ? bench_floats(k * n, error) : NULL;
    float *c = b ? bench_floats(m * n, error) : NULL;
    p.task.a = a;
    p.task.b = b;
    p.task.c = c;
    if (c)
        bench_measure(run, NULL, multiply, &p);
    run->result->flops = flops_of(&p.task);
    bench_free(a);
    bench_free(b);
    bench_free(c);
    return c != NULL;
}

/* ---- attention's products: many small ones ---- */

/* Heads side by side in the rows of an activation, or each one's matrix by itself. */
typedef struct heads {
    tensor_context *ctx;
    tensor_gemm_task task; /* of head 0 */
    int count, side_by_side;
    size_t a_block, b_block, c_block; /* floats from one group of heads to the next */
    size_t a_head, b_head, c_head;    /* from one head to the next */
} heads;

static void one_head(void *argument, int i, int worker)
{
    const heads *h = argument;
    size_t block = (size_t)(i / h->side_by_side), head = (size_t)(i % h->side_by_side);
    tensor_gemm_task task = h->task;
    task.a += block * h->a_block + head * h->a_head;
    task.b += block * h->b_block + head * h->b_head;
    task.c += block * h->c_block + head * h->c_head;
    tensor_gemm_single(h->ctx, worker, &task);
}

static void multiply_heads(void *state)
{
    heads *h = state;
    tensor_gemm_reserve(h->ctx, h->task.m, h->task.n, h->task.k);
    tensor_parallel(h->ctx, h->count, one_head, h);
}

enum { HEADS = 128, SIDE = 64 };

/* Parameters: heads side by side, transposed. */
static bool run_heads(const bench_case *self, bench_run *run, base_error *error)
{
    int side = self->parameter[0];
    size_t floats = (size_t)HEADS * SIDE * SIDE, block = (size_t)side * SIDE * SIDE;
    heads h = {.ctx = run->ctx,
               .task = task_of(SIDE, SIDE, SIDE, self->parameter[1]),
               .count = HEADS,
               .side_by_side = side,
               .a_block = block,
               .b_block = block,
               .c_block = block,
               .a_head = SIDE,
               .b_head = SIDE,
               .c_head = SIDE};
    h.task.lda = h.task.ldb = h.task.ldc = (size_t)side * SIDE;
    float *a = bench_floats(floats, error);
    float *b = a ? bench_floats(floats, error) : NULL;
    float *c = b ? bench_floats(floats, error) : NULL;
    h.task.a = a;
    h.task.b = b;
    h.task.c = c;
    if (c)
        bench_measure(run, NULL, multiply_heads, &h);
    run->result->flops = HEADS * flops_of(&h.task);
    bench_free(a);
    bench_free(b);
    bench_free(c);
    return c != NULL;
}

/* ---- decoding: few rows against weights that must come from memory ---- */

typedef struct decode {
    tensor_context *ctx;
    tensor x, **weights;
    int matrices, next;
} decode;

static void decode_one(void *state)
{
    decode *d = state;
    size_t mark = tensor_mark(d->ctx);
    tensor_linear(&d->x, d->weights[d->next], NULL);
    d->next = (d->next + 1) % d->matrices;
    tensor_release(d->ctx, mark);
}

enum {
    DECODER_FLOATS = 5 << 20
}; /* 20 MiB: what a position reads of a 2-layer decoder's weights */

/* Parameters: m, k, n. Weights of less than a decoder's take turns, as its layers do, so that they
 * come from where a decoder's come from; like a decoder's, they are packed once. */
static bool run_decode(const bench_case *self, bench_run *run, base_error *error)
{
    int m = self->parameter[0], k = self->parameter[1], n = self->parameter[2];
    size_t size = (size_t)n * (size_t)k;
    decode d = {.ctx = run->ctx,
                .matrices = size < DECODER_FLOATS ? (int)(DECODER_FLOATS / size) : 1};
    float *w = bench_floats(size, error),
          *x = w ? bench_floats((size_t)m * (size_t)k, error) : NULL;
    if (x) {
        tensor weight;
        tensor_set_grad(d.ctx, false);
        tensor_leaf(&weight, d.ctx, 2, (int[]){n, k}, w, NULL);
        tensor_leaf(&d.x, d.ctx, 2, (int[]){m, k}, x, NULL);
        d.weights = tensor_step_memory(d.ctx, (size_t)d.matrices * sizeof *d.weights);
        for (int i = 0; i < d.matrices; i++)
            d.weights[i] = tensor_packed(&weight);
        bench_measure(run, NULL, decode_one, &d);
        run->result->flops = 2.0 * (double)size * m;
        run->result->bytes = 4.0 * (double)size;
    }
    bench_free(w);
    bench_free(x);
    return x != NULL;
}

/* ---- the list ---- */

static void add_gemm(bench_list *list, const char *what, int m, int n, int k, int transposed)
{
    bench_case *c = bench_add(list);
    c->run = run_gemm;
    c->parameter[0] = m;
    c->parameter[1] = n;
    c->parameter[2] = k;
    c->parameter[3] = transposed;
    snprintf(c->name, sizeof c->name, "%s/%dx%dx%d", what, m, n, k);
}

static void add_heads(bench_list *list, const char *what, int side_by_side, int transposed)
{
    bench_case *c = bench_add(list);
    c->run = run_heads;
    c->parameter[0] = side_by_side;
    c->parameter[1] = transposed;
    snprintf(c->name, sizeof c->name, "attention/%s", what);
}

static void add_decode(bench_list *list, int m, int k, int n)
{
    bench_case *c = bench_add(list);
    c->run = run_decode;
    c->parameter[0] = m;
    c->parameter[1] = k;
    c->parameter[2] = n;
    snprintf(c->name, sizeof c->name, "decode/%dx%dx%d", m, k, n);
}

/* The products of three layers, inputs and outputs of each: forward, of the gradient of what came in, of the weights'. */
static void add_layers(bench_list *list, const char *group, const int layers[3][2], int rows,
                       int way)
{
    for (int l = 0; l < 3; l++) {
        char what[16];
        int in = layers[l][0], out = layers[l][1];
        snprintf(what, sizeof what, "%s/%s", group, (const char *const[]){"fwd", "dx", "dw"}[way]);
        if (way == 0)
            add_gemm(list, what, rows, out, in, TRANSPOSE_B);
        else if (way == 1)
            add_gemm(list, what, rows, in, out, 0);
        else
            add_gemm(list, what, out, in, rows, TRANSPOSE_A);
    }
}

void bench_gemm_cases(bench_list *list)
{
    static const int large[][2] = {{512, 512}, {512, 1024}, {1024, 512}};
    static const int small[][2] = {{128, 128}, {128, 1024}, {1024, 128}};
    for (int way = 0; way < 3; way++) {
        for (int rows = 256; rows <= 2048; rows *= rows == 256 ? 4 : 2)
            add_layers(list, "gemm", large, rows, way);
        add_layers(list, "small", small, 192, way);
    }
    enum { TOKENS = 1536, VOCABULARY = 32100, D_MODEL = 512 };
    add_gemm(list, "vocabulary/fwd", TOKENS, VOCABULARY, D_MODEL, TRANSPOSE_B);
    add_gemm(list, "vocabulary/dx", TOKENS, D_MODEL, VOCABULARY, 0);
    add_gemm(list, "vocabulary/dw", VOCABULARY, D_MODEL, TOKENS, TRANSPOSE_A);
    add_heads(list, "strided/nt", 8, TRANSPOSE_B);
    add_heads(list, "strided/nn", 8, 0);
    add_heads(list, "strided/tn", 8, TRANSPOSE_A);
    add_heads(list, "contiguous/nt", 1, TRANSPOSE_B);
    add_heads(list, "contiguous/nn", 1, 0);
    add_heads(list, "contiguous/tn", 1, TRANSPOSE_A);
    static const int decodes[][3] = {{1, 512, 512},  {8, 512, 512},   {8, 512, 1024},
                                     {8, 1024, 512}, {1, 512, 32100}, {8, 512, 32100}};
    for (size_t i = 0; i < sizeof decodes / sizeof *decodes; i++)
        add_decode(list, decodes[i][0], decodes[i][1], decodes[i][2]);
}
