/* SPDX-License-Identifier: MIT */
/* test_norm.c -- norm.c: rmsnorm and layernorm. */
#include "tests/tensor/test_tensor.h"

enum { ROWS = 6, WIDTH = 7 };

static const float EPS = 1e-3F;

static tensor *op_rmsnorm(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_rmsnorm(leaf[0], leaf[1], EPS);
}

static void ref_rmsnorm(double *y, double *const leaf[], const void *argument)
{
    (void)argument;
    for (int i = 0; i < ROWS; i++) {
        const double *x = leaf[0] + i * WIDTH;
        double square = 0;
        for (int j = 0; j < WIDTH; j++)
            square += x[j] * x[j] / WIDTH;
        for (int j = 0; j < WIDTH; j++)
            y[i * WIDTH + j] = leaf[1][j] * x[j] / sqrt(square + (double)EPS);
    }
}

static tensor *op_layernorm(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_layernorm(leaf[0], leaf[1], leaf[2], EPS);
}

static void ref_layernorm(double *y, double *const leaf[], const void *argument)
{
    (void)argument;
    for (int i = 0; i < ROWS; i++) {
        const double *x = leaf[0] + i * WIDTH;
        double mean = 0, variance = 0;
        for (int j = 0; j < WIDTH; j++)
            mean += x[j] / WIDTH;
        for (int j = 0; j < WIDTH; j++)
            variance += (x[j] - mean) * (x[j] - mean) / WIDTH;
        for (int j = 0; j < WIDTH; j++)
            y[i * WIDTH + j] =
                leaf[1][j] * (x[j] - mean) / sqrt(variance + (double)EPS) + leaf[2][j];
    }
}

/* n = 7 values in [-1, 1] whose mean square (or variance) is at least 1/9 here, so r <= 3.
 *
 * rmsnorm: the sum of squares to 8u relative, the quotient, the sum with eps, the root and its
 * inverse: r to 8u/2 + 4u = 8u relative; y = x r g to 10u of at most sqrt(7) < 3: 30u. A dx: r (8u)
 * times the difference (of size 1 + 3: g dy to u, and x r^2 / n sum g dy x, which is at most 3, to
 * 16u + 8u + 4u): 3 (8u 4 + 28u 3 + 4u) + 4u < 400u. A dg sums 6 rows of at most 3, each to 10u: 6
 * * 30u + 6 * 18u < 300u.
 *
 * layernorm: the mean to 8u of 1, so x - mean to 10u absolute; times r <= 3: h to 30u, and by r's
 * own relative error (the variance to 2 * 3 * 10u + 8u, halved, and 4u: 40u) of |h| <= 3 to 150u. y
 * like h: below 160u. A dx has h four times, in r (dh - mean - h sum dh h / n) with |h| <= 3 and r
 * <= 3: 3 (3 * 150u * 2 + 40u * 10) + ... < 5000u; a dg sums 6 h: 1000u. */
static void norms(void)
{
    test_op t = {.name = "rmsnorm",
                 .op = op_rmsnorm,
                 .reference = ref_rmsnorm,
                 .leaves = 2,
                 .shape = {{3, {2, 3, WIDTH}}, {1, {WIDTH}}},
                 .value_error = 30 * U,
                 .gradient_error = 400 * U};
    test_op_run(&t);
    t.reference = NULL;
    t.shape[0].dim[1] = 301, t.shape[0].dim[2] = 131, t.shape[1].dim[0] = 131;
    test_op_run(&t);

    t = (test_op){.name = "layernorm",
                  .op = op_layernorm,
                  .reference = ref_layernorm,
                  .leaves = 3,
                  .shape = {{3, {2, 3, WIDTH}}, {1, {WIDTH}}, {1, {WIDTH}}},
                  .value_error = 160 * U,
                  .gradient_error = 5000 * U};
    test_op_run(&t);
    t.reference = NULL;
    t.shape[0].dim[1] = 301, t.shape[0].dim[2] = 131;
    t.shape[1].dim[0] = t.shape[2].dim[0] = 131;
    test_op_run(&t);
}

/* The bounds above rest on this. */
static void mean_squares(void)
{
    for (int i = 0; i < ROWS; i++) {
        double sum = 0, square = 0;
        for (int j = 0; j < WIDTH; j++) {
            double x = (double)test_value(0, (size_t)(i * WIDTH + j));
            sum += x / WIDTH;
            square += x * x / WIDTH;
        }
        CHECK(square - sum * sum >= 1.0 / 9, "row %d: variance %g", i, square - sum * sum);
    }
}

static void failures(void)
{
    static float val[12];
    tensor x, g, b;
    tensor_context *ctx = test_context(NULL);
    tensor_set_failure_handler(ctx, test_handler, NULL);
    tensor_leaf(&x, ctx, 2, (int[]){3, 4}, val, NULL);
    tensor_leaf(&g, ctx, 1, (int[]){4}, val, NULL);
    tensor_leaf(&b, ctx, 1, (int[]){3}, val, NULL);
    EXPECT_FAILURE(ctx, tensor_rmsnorm(&x, &b, 1e-6F),
                   "rmsnorm: x (3,4) and weight (3); (...,D) and (D) were expected");
    EXPECT_FAILURE(ctx, tensor_layernorm(&x, &g, &b, 1e-6F),
                   "layernorm: x (3,4) and bias (3); (...,D) and (D) were expected");
    EXPECT_FAILURE(ctx, tensor_rmsnorm(&x, &g, 0), "rmsnorm: eps is 0; it must be above 0");
    EXPECT_FAILURE(ctx, tensor_rmsnorm(&x, &g, NAN), "rmsnorm: eps is nan; it must be above 0");
    for (int i = 0; i < 4; i++)
        val[i] = 0;
    CHECK(tensor_rmsnorm(&x, &g, 1e-6F)->val[0] == 0, "a row of zeros");
    val[0] = NAN;
    tensor *y = tensor_layernorm(&x, &g, &g, 1e-6F);
    CHECK(isnan(y->val[0]) && isnan(y->val[3]), "%g %g", (double)y->val[0], (double)y->val[3]);
    tensor_context_free(ctx);
}

int main(void)
{
    norms();
    mean_squares();
    failures();
    return test_end();
}
