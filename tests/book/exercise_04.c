/* SPDX-License-Identifier: MIT */
/* exercise_04.c -- chapter 4: the way back through one head of attention. Fails until back() is written. */
#include "tensor/tensor.h"
#include "tests/test.h"

#include <math.h>

enum { ROWS = 4, WIDTH = 3 };

/* q, k, v, dy (ROWS,WIDTH), p (ROWS,ROWS) the weights that forward has made: S = Q K^T, P = softmax(S), Y = P V.
 * dq, dk, dv get the gradients; they begin as zeros. */
static void back(const float *q, const float *k, const float *v, const double *p, const float *dy,
                 double *dq, double *dk, double *dv)
{
    /* Yours: dV = P^T dY, dP = dY V^T, dS from dP row by row, dQ = dS K, dK = dS^T Q. */
    (void)q, (void)k, (void)v, (void)p, (void)dy, (void)dq, (void)dk, (void)dv;
}

static void weights(const float *q, const float *k, double *p)
{
    for (int i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int j = 0; j < ROWS; j++) {
            double score = 0;
            for (int c = 0; c < WIDTH; c++)
                score += (double)q[i * WIDTH + c] * (double)k[j * WIDTH + c];
            sum += p[i * ROWS + j] = exp(score);
        }
        for (int j = 0; j < ROWS; j++)
            p[i * ROWS + j] /= sum;
    }
}

int main(void)
{
    enum { N = ROWS * WIDTH };
    float value[4][N], gradient[3][N] = {{0}};
    double p[ROWS * ROWS], got[3][N] = {{0}};
    tensor leaf[4];
    tensor_context *ctx = tensor_context_new();
    for (int l = 0; l < 4; l++) {
        for (int i = 0; i < N; i++)
            value[l][i] = (float)sin(1.7 * l + 0.9 * i);
        tensor_leaf(&leaf[l], ctx, 2, (int[]){ROWS, WIDTH}, value[l], l < 3 ? gradient[l] : NULL);
    }
    const tensor_span span = {.rows = ROWS, .valid = ROWS};
    const tensor_attention_task task = {&span, &span, 1, 1, false, 1};
    tensor *y = tensor_attention(&leaf[0], &leaf[1], &leaf[2], NULL, &task);
    tensor_backward(tensor_sum(tensor_mul(y, &leaf[3]))); /* so dY is leaf 3 */
    weights(value[0], value[1], p);
    back(value[0], value[1], value[2], p, value[3], got[0], got[1], got[2]);
    for (int l = 0; l < 3; l++)
        for (int i = 0; i < N; i++) /* some twenty roundings of numbers of size 1 */
            CHECK(fabs(got[l][i] - (double)gradient[l][i]) < 3e-6, "d%c[%d] is %g, expected %g",
                  "qkv"[l], i, got[l][i], (double)gradient[l][i]);
    tensor_context_free(ctx);
    return test_end();
}
