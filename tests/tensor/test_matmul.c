/* SPDX-License-Identifier: MIT */
/* test_matmul.c -- matmul.c: tensor_linear, and tensor_matmul with every broadcasting. */
#include "tests/tensor/test_tensor.h"

/* ---- linear ---- */

static tensor *op_linear(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_linear(leaf[0], leaf[1], leaf[2]);
}

/* x (M,K), weight (N,K), bias (N) */
typedef struct linear {
    int m, n, k;
} linear;

static void ref_linear(double *y, double *const leaf[], const void *argument)
{
    const linear *s = argument;
    for (int i = 0; i < s->m; i++)
        for (int j = 0; j < s->n; j++) {
            double sum = leaf[2] ? leaf[2][j] : 0;
            for (int k = 0; k < s->k; k++)
                sum += leaf[0][i * s->k + k] * leaf[1][j * s->k + k];
            y[i * s->n + j] = sum;
        }
}

static tensor *op_linear_relu(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_linear_relu(leaf[0], leaf[1], leaf[2]);
}

static void ref_linear_relu(double *y, double *const leaf[], const void *argument)
{
    const linear *s = argument;
    ref_linear(y, leaf, argument);
    for (int i = 0; i < s->m * s->n; i++)
        y[i] = y[i] > 0 ? y[i] : 0;
}

/* x + 0 and x W^T + x: the residual has a use of its own before or after, or none. */
static tensor *op_linear_add(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_linear_add(leaf[0], leaf[1], leaf[2]);
}

static tensor *op_linear_add_twice(tensor *const leaf[], const void *argument)
{
    (void)argument;
    tensor *r = tensor_scale(leaf[2], 1);
    tensor *y = tensor_linear_add(leaf[0], leaf[1], r);
    return tensor_linear_add(leaf[0], leaf[1], tensor_add(y, r));
}

static void ref_linear_add(double *y, double *const leaf[], const void *argument)
{
    const linear *s = argument;
    double *const without[3] = {leaf[0], leaf[1], NULL};
    ref_linear(y, without, argument);
    for (int i = 0; i < s->m * s->n; i++)
        y[i] += leaf[2][i];
}

static void ref_linear_add_twice(double *y, double *const leaf[], const void *argument)
{
    const linear *s = argument;
    double *const without[3] = {leaf[0], leaf[1], NULL};
    ref_linear(y, without, argument);
    for (int i = 0; i < s->m * s->n; i++)
        y[i] = 2 * y[i] + 2 * leaf[2][i];
}

/* K roundings of at most K, and the bias: (K+1)^2 u. A gradient is a sum of N terms (dx) or M (the
 * others) of size 1: M^2 u or N^2 u. */
static void linears(void)
{
    test_op t = {.name = "linear",
                 .op = op_linear,
                 .reference = ref_linear,
                 .argument = &(linear){6, 4, 5},
                 .leaves = 3,
                 .shape = {{3, {2, 3, 5}}, {2, {4, 5}}, {1, {4}}},
                 .value_error = 36 * U,
                 .gradient_error = 36 * U};
    test_op_run(&t);
    t.name = "linear without bias";
    t.leaves = 2;
    test_op_run(&t);
    t.name = "linear of one row";
    t.shape[0].rank = 1, t.shape[0].dim[0] = 5;
    t.argument = &(linear){1, 4, 5};
    test_op_run(&t);
    t = (test_op){.name = "linear and relu",
                  .op = op_linear_relu,
                  .reference = ref_linear_relu,
                  .argument = &(linear){6, 4, 5},
                  .leaves = 3,
                  .shape = {{2, {6, 5}}, {2, {4, 5}}, {1, {4}}},
                  .value_error = 36 * U,
                  .gradient_error = 36 * U};
    test_op_run(&t);
    t = (test_op){.name = "linear and residual",
                  .op = op_linear_add,
                  .reference = ref_linear_add,
                  .argument = &(linear){6, 4, 5},
                  .leaves = 3,
                  .shape = {{2, {6, 5}}, {2, {4, 5}}, {2, {6, 4}}},
                  .value_error = 36 * U,
                  .gradient_error = 36 * U};
    test_op_run(&t);
    t.name = "two of them, of one residual"; /* twice the terms, each twice as large */
    t.op = op_linear_add_twice;
    t.reference = ref_linear_add_twice;
    t.value_error = t.gradient_error = 4 * 36 * U;
    test_op_run(&t);
    t = (test_op){.name = "large linear",
                  .op = op_linear,
                  .reference = ref_linear,
                  .argument = &(linear){301, 129, 67},
                  .leaves = 3,
                  .value_error = 68 * 68 * U,
                  .gradient_error = 301 * 301 * U,
                  .shape = {{2, {301, 67}}, {2, {129, 67}}, {1, {129}}}};
    test_op_run(&t);
}

/* ---- matmul ---- */

static tensor *op_matmul(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_matmul(leaf[0], leaf[1]);
}

/* Leading axes, (1,1) where there are none, of a, of b and of y; then y's matrices. */
typedef struct matmul {
    int a[2], b[2], y[2], m, n, k;
} matmul;

static void ref_matmul(double *y, double *const leaf[], const void *argument)
{
    const matmul *s = argument;
    for (int p = 0; p < s->y[0]; p++)
        for (int q = 0; q < s->y[1]; q++) {
            const double *a = leaf[0] + (p % s->a[0] * s->a[1] + q % s->a[1]) * s->m * s->k;
            const double *b = leaf[1] + (p % s->b[0] * s->b[1] + q % s->b[1]) * s->k * s->n;
            for (int i = 0; i < s->m; i++)
                for (int j = 0; j < s->n; j++) {
                    double sum = 0;
                    for (int k = 0; k < s->k; k++)
                        sum += a[i * s->k + k] * b[k * s->n + j];
                    *y++ = sum;
                }
        }
}

/* 3 x 5 times 5 x 4: K = 5 roundings of at most 5. A gradient is a sum of at most M = 3 or N = 4
 * terms for each of at most 6 matrices that the operand met: 24 roundings of at most 24. */
static void matmuls(void)
{
    static const struct {
        int a_rank, a[2], b_rank, b[2], y[2];
    } cases[] = {
        {2, {1, 1}, 2, {1, 1}, {1, 1}},                                 /* plain */
        {3, {1, 2}, 2, {1, 1}, {1, 2}},                                 /* b for all a */
        {4, {2, 3}, 2, {1, 1}, {2, 3}}, {2, {1, 1}, 4, {2, 3}, {2, 3}}, /* a for all b */
        {3, {1, 3}, 3, {1, 3}, {1, 3}}, {4, {2, 3}, 4, {2, 3}, {2, 3}}, /* one to one */
        {4, {2, 3}, 3, {1, 3}, {2, 3}}, {4, {2, 1}, 4, {1, 3}, {2, 3}}, /* crosswise */
        {4, {2, 3}, 4, {2, 1}, {2, 3}}, {3, {1, 1}, 4, {2, 3}, {2, 3}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        matmul shape = {.m = 3, .n = 4, .k = 5};
        test_op t = {.name = "matmul",
                     .op = op_matmul,
                     .reference = ref_matmul,
                     .argument = &shape,
                     .leaves = 2,
                     .value_error = 25 * U,
                     .gradient_error = 24 * 24 * U};
        for (int i = 0; i < 2; i++) {
            shape.a[i] = cases[c].a[i];
            shape.b[i] = cases[c].b[i];
            shape.y[i] = cases[c].y[i];
        }
        const int a[] = {shape.a[0], shape.a[1], 3, 5}, b[] = {shape.b[0], shape.b[1], 5, 4};
        t.shape[0].rank = cases[c].a_rank;
        t.shape[1].rank = cases[c].b_rank;
        for (int i = 0; i < cases[c].a_rank; i++)
            t.shape[0].dim[i] = a[4 - cases[c].a_rank + i];
        for (int i = 0; i < cases[c].b_rank; i++)
            t.shape[1].dim[i] = b[4 - cases[c].b_rank + i];
        test_op_run(&t);
    }
    test_op_run(&(test_op){.name = "large matmul",
                           .op = op_matmul,
                           .reference = ref_matmul,
                           .argument = &(matmul){{2, 3}, {1, 3}, {2, 3}, 65, 83, 71},
                           .value_error = 71 * 71 * U,
                           .gradient_error = 130 * 130 * U,
                           .leaves = 2,
                           .shape = {{4, {2, 3, 65, 71}}, {3, {3, 71, 83}}}});
    test_op_run(&(test_op){.name = "large matmul, few",
                           .op = op_matmul,
                           .reference = ref_matmul,
                           .argument = &(matmul){{1, 2}, {1, 2}, {1, 2}, 129, 83, 71},
                           .value_error = 71 * 71 * U,
                           .gradient_error = 129 * 129 * U,
                           .leaves = 2,
                           .shape = {{3, {2, 129, 71}}, {3, {2, 71, 83}}}});
}

/* x . x: both gradients go into one array. 4 + 4 terms of size 1. */
static tensor *op_self(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_matmul(leaf[0], leaf[0]);
}

static void ref_self(double *y, double *const leaf[], const void *argument)
{
    double *both[] = {leaf[0], leaf[0]};
    ref_matmul(y, both, argument);
}

static void both_sides(void)
{
    test_op_run(&(test_op){.name = "x . x",
                           .op = op_self,
                           .reference = ref_self,
                           .argument = &(matmul){{1, 1}, {1, 1}, {1, 1}, 4, 4, 4},
                           .leaves = 1,
                           .shape = {{2, {4, 4}}},
                           .value_error = 16 * U,
                           .gradient_error = 64 * U});
}

/* A packed weight gives the same bits, with every ending, for few rows and many. */
static void packed(void)
{
    static const int rows[] = {1, 7, 8, 13, 40};
    enum { N = 531, K = 70, MOST = 40 };
    static float x_val[MOST * K], w_val[N * K], b_val[N], r_val[MOST * N];
    test_fill(x_val, MOST * K, 1);
    test_fill(w_val, N * K, 2);
    test_fill(b_val, N, 3);
    test_fill(r_val, MOST * N, 4);
    for (const char *const *name = tensor_kernels_available(); *name; name++)
        for (int threads = 1; threads <= 2; threads++) {
            tensor_context *ctx = test_context(*name);
            tensor w, b, x, r;
            tensor_set_threads(ctx, threads);
            tensor_leaf(&w, ctx, 2, (int[]){N, K}, w_val, NULL);
            tensor_leaf(&b, ctx, 1, (int[]){N}, b_val, NULL);
            tensor *p = tensor_packed(&w);
            for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                size_t bytes = (size_t)rows[i] * N * sizeof(float);
                tensor_leaf(&x, ctx, 2, (int[]){rows[i], K}, x_val, NULL);
                tensor_leaf(&r, ctx, 2, (int[]){rows[i], N}, r_val, NULL);
                CHECK(memcmp(tensor_linear(&x, p, &b)->val, tensor_linear(&x, &w, &b)->val,
                             bytes) == 0,
                      "%s, %d rows", *name, rows[i]);
                CHECK(memcmp(tensor_linear_relu(&x, p, NULL)->val,
                             tensor_linear_relu(&x, &w, NULL)->val, bytes) == 0,
                      "%s, %d rows, relu", *name, rows[i]);
                CHECK(memcmp(tensor_linear_add(&x, p, &r)->val, tensor_linear_add(&x, &w, &r)->val,
                             bytes) == 0,
                      "%s, %d rows, residual", *name, rows[i]);
            }
            tensor_context_free(ctx);
        }
}

static void failures(void)
{
    static float val[210];
    tensor a, b, c, d, line;
    tensor_context *ctx = test_context(NULL);
    tensor_set_failure_handler(ctx, test_handler, NULL);
    tensor_leaf(&a, ctx, 2, (int[]){3, 4}, val, NULL);
    tensor_leaf(&b, ctx, 2, (int[]){5, 6}, val, NULL);
    tensor_leaf(&c, ctx, 3, (int[]){2, 4, 5}, val, NULL);
    tensor_leaf(&d, ctx, 3, (int[]){7, 5, 6}, val, NULL);
    tensor_leaf(&line, ctx, 1, (int[]){4}, val, NULL);
    EXPECT_FAILURE(ctx, tensor_matmul(&a, &b), "matmul: inner sizes differ: (3,4) . (5,6)");
    EXPECT_FAILURE(ctx, tensor_matmul(&c, &d), "matmul: leading axes differ: (2,4,5) . (7,5,6)");
    EXPECT_FAILURE(ctx, tensor_matmul(&a, &line), "matmul: an operand is no matrix: (3,4) . (4)");
    EXPECT_FAILURE(ctx, tensor_packed(&line), "packed: the weight is (4); (N,K) was expected");
    EXPECT_FAILURE(ctx, tensor_linear(&a, &b, NULL),
                   "linear: x (3,4) and weight (5,6); (...,K) and (N,K) were expected");
    EXPECT_FAILURE(ctx, tensor_linear_add(&a, &a, &line),
                   "linear: residual (4) is not of the result's shape: x (3,4) . (3,4)");
    EXPECT_FAILURE(ctx, tensor_linear(&a, &a, &line),
                   "linear: weight (3,4) and bias (4); (N,K) and (N) were expected");
    tensor_context_free(ctx);
}

int main(void)
{
    linears();
    matmuls();
    both_sides();
    packed();
    failures();
    return test_end();
}
