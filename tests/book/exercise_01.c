/* SPDX-License-Identifier: MIT */
/* exercise_01.c -- chapter 1: from logits to probabilities, loss and slopes. Fails until slopes() is written. */
#include "tensor/tensor.h"
#include "tests/test.h"
#include <math.h>

/* logits (count): p[i] becomes the probability of token i, slope[i] the derivative of the loss by logit i.
 * Returns the loss, -log p[right]. */
static double slopes(const float *logits, int count, int right, double *p, double *slope)
{
    /* Yours. Take the largest logit off all of them first: exp(1000) is no number. */
    (void)logits, (void)right;
    for (int i = 0; i < count; i++)
        p[i] = slope[i] = 0;
    return 0;
}

int main(void)
{
    enum { COUNT = 5 };
    static const float rows[3][COUNT] = {
        {0, 0, 0, 0, 0}, {1, -2, 0.5f, 3, -1}, {1000, 999, -1000, 0, 1001}};
    for (int row = 0; row < 3; row++)
        for (int right = 0; right < COUNT; right++) {
            float value[COUNT], gradient[COUNT] = {0};
            double p[COUNT], slope[COUNT], sum = 0;
            tensor_context *ctx = tensor_context_new();
            tensor logits;
            memcpy(value, rows[row], sizeof value);
            tensor_leaf(&logits, ctx, 2, (int[]){1, COUNT}, value, gradient);
            tensor *loss = tensor_cross_entropy(&logits, &right, NULL, NULL);
            double want = (double)*loss->val, got = slopes(value, COUNT, right, p, slope);
            tensor_backward(loss);
            CHECK(fabs(got - want) <= 1e-6 * (1 + fabs(want)), "loss %g, expected %g", got, want);
            for (int i = 0; i < COUNT; i++) {
                sum += p[i];
                CHECK(fabs(slope[i] - (double)gradient[i]) < 1e-6, "slope %d: %g, expected %g", i,
                      slope[i], (double)gradient[i]);
            }
            CHECK(fabs(sum - 1) < 1e-12, "the probabilities add up to %g", sum);
            tensor_context_free(ctx);
        }
    return test_end();
}
