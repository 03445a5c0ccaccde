/* SPDX-License-Identifier: MIT */
/* matmul.c -- matrix products as ops: tensor_linear and tensor_matmul.
 *
 * With Y = A B and a scalar loss L, dL = sum dY . dA B + sum dY . A dB, so that
 *
 *     dA = dY B^T,   dB = A^T dY
 *
 * and all three are matrix products again (gemm.h). */
#include "base/math.h"
#include "tensor/context.h"
#include "tensor/gemm.h"

/* ---- linear ---- */

/* What follows the product in the same pass over its result. */
typedef enum linear_end { PLAIN, RELU, RESIDUAL } linear_end;

/* y = x W^T + b + r:   dx = dy W,   dW = dy^T x,   db = the sum of dy's rows,   dr = dy,
 * and with y = relu(x W^T + b), all of them with dy where y > 0, else 0, in the place of dy. */
static void linear_backward(tensor_tape_record *record)
{
    tensor *x = record->in[0], *weight = record->in[1], *bias = record->in[2];
    tensor *residual = record->in[3], *y = record->out;
    tensor_context *ctx = x->ctx;
    int rows = tensor_rows(x), n = weight->dim[0], k = weight->dim[1];
    float *dy = y->grad, *db = tensor_grad(bias);
    bool first_x, first_w; /* x comes first here as below: both may be one tensor */
    float *dx = tensor_grad_first(x, &first_x), *dw = tensor_grad_first(weight, &first_w);
    if (*(const linear_end *)record->saved == RELU)
        tensor_relu_gate(ctx, dy, y->val, tensor_size(y)); /* nobody else needs dy */
    if (dx) {
        tensor_gemm_task product = tensor_gemm_ab(rows, k, n, dy, weight->val, dx);
        product.accumulate = !first_x;
        tensor_gemm(ctx, &product);
    }
    if (dw) {
        tensor_gemm_task product = tensor_gemm_atb(n, k, rows, dy, x->val, dw);
        product.accumulate = !first_w;
        tensor_gemm(ctx, &product);
    }
    if (db)
        tensor_add_rows(ctx, db, dy, (size_t)rows, (size_t)n);
    if (residual && !tensor_grad_pass(record, residual) && residual->wants_grad)
        tensor_add_rows(ctx, tensor_grad(residual), dy, 1, tensor_size(y));
}

static const tensor_op linear_op = {"linear", linear_backward};

/* A few rows times a packed weight: each panel is read once, from wherever it is. */
typedef struct packed_work {
    const tensor_kernels *kernels;
    const tensor_gemm_task *task;
    const float *packed;
} packed_work;

/* Columns [from, from + cols) of x . W^T, and what follows the product; from is a panel's first. */
static void packed_columns(const packed_work *w, int from, int cols)
{
    const tensor_gemm_task *t = w->task;
    tensor_panels b = {w->packed + (size_t)from * (size_t)t->k, t->k, 0};
    tensor_gemm_packed(w->kernels, t->m, cols, t->k, (tensor_view){t->a, t->lda, 1}, b,
                       (tensor_target){t->c + from, t->ldc, false});
    tensor_gemm_finish(w->kernels, t, 0, t->m, from, cols);
}

static void one_panel(void *argument, int panel, int worker)
{
    const packed_work *w = argument;
    int wide = w->kernels->tile_n, from = panel * wide;
    (void)worker;
    packed_columns(w, from, base_min(wide, w->task->n - from));
}

/* Below a million multiply-adds, waking threads would take longer than the product. */
static void multiply_packed(tensor_context *ctx, const tensor_gemm_task *t, const float *packed)
{
    packed_work w = {tensor_context_kernels(ctx), t, packed};
    if ((double)t->m * (double)t->n * (double)t->k >= 1 << 20)
        tensor_parallel(ctx, base_ceil_div(t->n, w.kernels->tile_n), one_panel, &w);
    else if (!tensor_planning(ctx))
        packed_columns(&w, 0, t->n);
}

/* The tensor itself, in whole lines of the cache, and behind it the panels. */
enum { HEADER = (sizeof(tensor) + TENSOR_ALIGNMENT - 1) / TENSOR_ALIGNMENT * TENSOR_ALIGNMENT };

size_t tensor_packed_bytes(const tensor *weight)
{
    const tensor_kernels *kernels = tensor_context_kernels(weight->ctx);
    char text[64];
    if (weight->rank != 2)
        tensor_fail(weight->ctx, "packed", "the weight is %s; (N,K) was expected",
                    tensor_shape_text(weight, text));
    size_t bytes = tensor_packed_floats(kernels, weight->dim[0], weight->dim[1]) * sizeof(float);
    return HEADER + (bytes + TENSOR_ALIGNMENT - 1) / TENSOR_ALIGNMENT * TENSOR_ALIGNMENT;
}

tensor *tensor_packed_at(void *memory, tensor *weight)
{
    tensor_context *ctx = weight->ctx;
    tensor *copy = memory;
    float *packed = (float *)(void *)((char *)memory + HEADER);
    int n = weight->dim[0], k = weight->dim[1];
    if (!tensor_planning(ctx))
        tensor_pack(tensor_context_kernels(ctx), packed, n, k, weight->val, (size_t)k, true);
    tensor_leaf(copy, ctx, 2, weight->dim, weight->val, NULL);
    copy->packed = packed;
    return copy;
}

/* The copy costs N K floats read and written, once; each product that uses it saves as much. */
tensor *tensor_packed(tensor *weight)
{
    return tensor_packed_at(tensor_step_memory(weight->ctx, tensor_packed_bytes(weight)), weight);
}

/* x (...,K) . weight (N,K)^T -> y (...,N): the leading axes of x together are its rows. */
static tensor *linear(tensor *x, tensor *weight, tensor *bias, tensor *residual, linear_end end)
{
    tensor *in[] = {x, weight, bias, residual};
    char text_x[64], text_w[64], text_b[64];
    if (weight->rank != 2 || x->rank < 1 || x->dim[x->rank - 1] != weight->dim[1])
        tensor_fail(x->ctx, "linear", "x %s and weight %s; (...,K) and (N,K) were expected",
                    tensor_shape_text(x, text_x), tensor_shape_text(weight, text_w));
    int rows = tensor_rows(x), n = weight->dim[0], k = weight->dim[1];
    if (bias && (bias->rank != 1 || bias->dim[0] != n))
        tensor_fail(x->ctx, "linear", "weight %s and bias %s; (N,K) and (N) were expected",
                    tensor_shape_text(weight, text_w), tensor_shape_text(bias, text_b));
    int dim[TENSOR_MAX_RANK] = {x->dim[0], x->dim[1], x->dim[2], x->dim[3]};
    dim[x->rank - 1] = n;
    for (int i = 0; residual && i < x->rank; i++)
        if (residual->rank != x->rank || residual->dim[i] != dim[i])
            tensor_fail(x->ctx, "linear", "residual %s is not of the result's shape: x %s . %s",
                        tensor_shape_text(residual, text_b), tensor_shape_text(x, text_x),
                        tensor_shape_text(weight, text_w));
    tensor *y = tensor_result(x->ctx, x->rank, dim, in, 4);
    tensor_gemm_task task = tensor_gemm_abt(rows, n, k, x->val, weight->val, y->val);
    task.bias = bias ? bias->val : NULL;
    task.residual = residual ? residual->val : NULL;
    task.relu = end == RELU;
    if (weight->packed)
        multiply_packed(x->ctx, &task, weight->packed);
    else
        tensor_gemm(x->ctx, &task);
    if (y->wants_grad)
        *(linear_end *)tensor_record(&linear_op, y, in, 4, sizeof end)->saved = end;
    return y;
}

tensor *tensor_linear(tensor *x, tensor *weight, tensor *bias)
{
    return linear(x, weight, bias, NULL, PLAIN);
}

tensor *tensor_linear_relu(tensor *x, tensor *weight, tensor *bias)
{
    return linear(x, weight, bias, NULL, RELU);
}

tensor *tensor_linear_add(tensor *x, tensor *weight, tensor *residual)
{
    return linear(x, weight, NULL, residual, RESIDUAL);
}

/* ---- matmul ---- */

/* The leading axes of an operand, right-aligned and filled up with 1: at most two, since the rank
 * is at most four. An axis of 1 stands still while the others move along it. */
typedef struct stack {
    int lead[2];
    size_t matrix; /* floats in one matrix */
} stack;

static stack stack_of(const tensor *t)
{
    stack s = {.lead = {1, 1}, .matrix = (size_t)t->dim[t->rank - 2] * (size_t)t->dim[t->rank - 1]};
    for (int i = 0; i < t->rank - 2; i++)
        s.lead[4 - t->rank + i] = t->dim[i];
    return s;
}

/* Where matrix (i,j) of a stack begins; an axis of 1 repeats its only matrix. */
static size_t matrix_at(const stack *s, int i, int j)
{
    size_t row = s->lead[0] == 1 ? 0 : (size_t)i, column = s->lead[1] == 1 ? 0 : (size_t)j;
    return (row * (size_t)s->lead[1] + column) * s->matrix;
}

/* One product for each place of a grid; those that share their C are added up in it, in order. */
typedef struct products {
    tensor_context *ctx;
    tensor_gemm_task task; /* sizes and flags of each; a, b, c: of the first matrices */
    stack a, b, c;
    int grid[2];
    bool single; /* each on one thread */
} products;

/* All products that end in the C numbered `index`. */
static void products_into(void *argument, int index, int worker)
{
    const products *w = argument;
    int row = index / w->c.lead[1], column = index % w->c.lead[1];
    int row_end = w->c.lead[0] == 1 ? w->grid[0] : row + 1;
    int column_end = w->c.lead[1] == 1 ? w->grid[1] : column + 1;
    for (int i = row; i < row_end; i++)
        for (int j = column; j < column_end; j++) {
            tensor_gemm_task task = w->task;
            task.a += matrix_at(&w->a, i, j);
            task.b += matrix_at(&w->b, i, j);
            task.c += matrix_at(&w->c, i, j);
            if (w->single)
                tensor_gemm_single(w->ctx, worker, &task);
            else
                tensor_gemm(w->ctx, &task);
        }
}

/* Where there is a C for every thread, each product stays on one; otherwise each is spread. */
static void run_products(products *w)
{
    int count = w->c.lead[0] * w->c.lead[1];
    w->single = count >= tensor_threads(w->ctx);
    if (w->single) {
        tensor_gemm_reserve(w->ctx, w->task.m, w->task.n, w->task.k);
        tensor_parallel(w->ctx, count, products_into, w);
    } else
        for (int index = 0; index < count; index++)
            products_into(w, index, 0);
}

typedef struct matmul_shape {
    int m, n, k; /* of each product */
    stack a, b, y;
    int dim[4]; /* of the result */
} matmul_shape;

/* a (...,M,K) . b (...,K,N) -> y (...,M,N), the leading axes broadcast against each other. */
static matmul_shape matmul_shape_of(const tensor *a, const tensor *b)
{
    char text_a[64], text_b[64];
    if (a->rank < 2 || b->rank < 2)
        tensor_fail(a->ctx, "matmul", "an operand is no matrix: %s . %s",
                    tensor_shape_text(a, text_a), tensor_shape_text(b, text_b));
    if (a->dim[a->rank - 1] != b->dim[b->rank - 2])
        tensor_fail(a->ctx, "matmul", "inner sizes differ: %s . %s", tensor_shape_text(a, text_a),
                    tensor_shape_text(b, text_b));
    matmul_shape s = {.m = a->dim[a->rank - 2],
                      .n = b->dim[b->rank - 1],
                      .k = a->dim[a->rank - 1],
                      .a = stack_of(a),
                      .b = stack_of(b)};
    s.y.matrix = (size_t)s.m * (size_t)s.n;
    for (int i = 0; i < 2; i++) {
        if (s.a.lead[i] != s.b.lead[i] && s.a.lead[i] != 1 && s.b.lead[i] != 1)
            tensor_fail(a->ctx, "matmul", "leading axes differ: %s . %s",
                        tensor_shape_text(a, text_a), tensor_shape_text(b, text_b));
        s.dim[i] = s.y.lead[i] = s.a.lead[i] == 1 ? s.b.lead[i] : s.a.lead[i];
    }
    s.dim[2] = s.m;
    s.dim[3] = s.n;
    if (s.b.lead[0] == 1 && s.b.lead[1] == 1) { /* then the matrices of a are one long matrix */
        s.m = tensor_rows(a);
        s.a = (stack){.lead = {1, 1}, .matrix = (size_t)s.m * (size_t)s.k};
        s.y = (stack){.lead = {1, 1}, .matrix = (size_t)s.m * (size_t)s.n};
    }
    return s;
}

/* dA = dY B^T and dB = A^T dY, added up over the axes along which an operand stood still. */
static void matmul_backward(tensor_tape_record *record)
{
    tensor *a = record->in[0], *b = record->in[1];
    matmul_shape s = matmul_shape_of(a, b);
    float *da = tensor_grad(a), *db = tensor_grad(b);
    const float *dy = record->out->grad;
    products w = {.ctx = a->ctx, .grid = {s.y.lead[0], s.y.lead[1]}};
    if (da) {
        w.a = s.y, w.b = s.b, w.c = s.a;
        w.task = tensor_gemm_abt(s.m, s.k, s.n, dy, b->val, da);
        w.task.accumulate = true;
        run_products(&w);
    }
    if (db) {
        w.a = s.a, w.b = s.y, w.c = s.b;
        w.task = tensor_gemm_atb(s.k, s.n, s.m, a->val, dy, db);
        w.task.accumulate = true;
        run_products(&w);
    }
}

static const tensor_op matmul_op = {"matmul", matmul_backward};

tensor *tensor_matmul(tensor *a, tensor *b)
{
    tensor *in[] = {a, b};
    matmul_shape s = matmul_shape_of(a, b);
    int rank = a->rank > b->rank ? a->rank : b->rank;
    tensor *y = tensor_result(a->ctx, rank, s.dim + 4 - rank, in, 2);
    products w = {.ctx = a->ctx,
                  .task = tensor_gemm_ab(s.m, s.n, s.k, a->val, b->val, y->val),
                  .a = s.a,
                  .b = s.b,
                  .c = s.y,
                  .grid = {s.y.lead[0], s.y.lead[1]}};
    run_products(&w);
    if (y->wants_grad)
        tensor_record(&matmul_op, y, in, 2, 0);
    return y;
}
