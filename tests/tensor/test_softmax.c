/* SPDX-License-Identifier: MIT */
/* test_softmax.c -- softmax.c: softmax and log_softmax along any axis, cross-entropy. */
#include "tests/tensor/test_tensor.h"

#include <float.h>

/* ---- softmax, log_softmax ---- */

typedef struct axis {
    int outer, n, inner, number;
    bool log;
} axis;

static tensor *op_axis(tensor *const leaf[], const void *argument)
{
    const axis *s = argument;
    return s->log ? tensor_log_softmax(leaf[0], s->number) : tensor_softmax(leaf[0], s->number);
}

static void ref_axis(double *y, double *const leaf[], const void *argument)
{
    const axis *s = argument;
    for (int row = 0; row < s->outer * s->inner; row++) {
        int at = row / s->inner * s->n * s->inner + row % s->inner;
        double sum = 0;
        for (int i = 0; i < s->n; i++)
            sum += exp(leaf[0][at + i * s->inner]);
        for (int i = 0; i < s->n; i++) {
            double x = leaf[0][at + i * s->inner];
            y[at + i * s->inner] = s->log ? x - log(sum) : exp(x) / sum;
        }
    }
}

/* n = 7 values in [-1, 1]. x - m rounds once (2u), exp is good to 4u relative: each term to 6u.
 * Their sum adds 7 roundings, the quotient 2: 15u relative, of at most 1. For the logarithm: x - m
 * (2u), log of a sum good to 13u (13u, and its own 4u of at most 2), the difference of at most 4
 * (4u): below 32u. Gradients: y to 15u, sum y dy to 15u + 8u, their products: below 64u; for the
 * logarithm the sum of 7 dy (49u) times exp(y) (to 36u of 1, times a sum of at most 7: 252u): below
 * 320u. */
static void axes(void)
{
    static const int dims[3] = {2, 7, 3};
    for (int number = 0; number < 3; number++)
        for (int log = 0; log < 2; log++) {
            axis s = {.outer = 1, .n = 7, .inner = 1, .number = number, .log = log};
            test_op t = {.name = log ? "log_softmax" : "softmax",
                         .op = op_axis,
                         .reference = ref_axis,
                         .argument = &s,
                         .leaves = 1,
                         .value_error = (log ? 32 : 15) * U,
                         .gradient_error = (log ? 320 : 64) * U};
            t.shape[0].rank = 3;
            for (int i = 0; i < 3; i++) {
                t.shape[0].dim[i] = dims[(i - number + 4) % 3]; /* 7 is at axis `number` */
                s.outer *= i < number ? t.shape[0].dim[i] : 1;
                s.inner *= i > number ? t.shape[0].dim[i] : 1;
            }
            test_op_run(&t);

            /* at most 43 values in the place of 7: y to 36u more, log s 3 times as large; dx to
             * 4 times (15 + 36)u, or the sum of 43 dy (43^2 u) times exp(y), to 80u of 43 */
            static const int large[3] = {41, 37, 43};
            s = (axis){.outer = 1, .n = large[number], .inner = 1, .number = number, .log = log};
            t.value_error += 48 * U;
            t.gradient_error = (log ? 43 * 43 + 80 * 43 : 4 * 51) * U;
            for (int i = 0; i < 3; i++) {
                t.shape[0].dim[i] = large[i];
                s.outer *= i < number ? large[i] : 1;
                s.inner *= i > number ? large[i] : 1;
            }
            test_op_run(&t);
        }
}

/* Large values do not overflow; -infinity has probability 0; a NaN spoils its own row only. */
static void extremes(void)
{
    float val[12] = {1e38F, 1e38F, -1e38F, -INFINITY, 0, 0, NAN, 1, 2, INFINITY, 0, 0};
    tensor x;
    tensor_context *ctx = test_context(NULL);
    tensor_leaf(&x, ctx, 2, (int[]){4, 3}, val, NULL);
    const float *y = tensor_softmax(&x, 1)->val, *l = tensor_log_softmax(&x, 1)->val;
    CHECK(y[0] == 0.5F && y[1] == 0.5F && y[2] == 0, "%g %g %g", (double)y[0], (double)y[1],
          (double)y[2]);
    CHECK(y[3] == 0 && y[4] == 0.5F && y[5] == 0.5F, "%g %g %g", (double)y[3], (double)y[4],
          (double)y[5]);
    CHECK(isnan(y[6]) && isnan(y[7]) && isnan(y[8]), "%g %g %g", (double)y[6], (double)y[7],
          (double)y[8]);
    CHECK(l[3] == -INFINITY && l[0] > -0.7F, "%g %g", (double)l[3], (double)l[0]);
    tensor_context_free(ctx);
}

static void failures(void)
{
    static float val[12];
    tensor x;
    tensor_context *ctx = test_context(NULL);
    tensor_set_failure_handler(ctx, test_handler, NULL);
    tensor_leaf(&x, ctx, 2, (int[]){3, 4}, val, NULL);
    EXPECT_FAILURE(ctx, tensor_softmax(&x, 2), "softmax: (3,4) has no axis 2");
    EXPECT_FAILURE(ctx, tensor_log_softmax(&x, -1), "log_softmax: (3,4) has no axis -1");
    tensor_context_free(ctx);
}

int main(void)
{
    axes();
    extremes();
    failures();
    return test_end();
}
