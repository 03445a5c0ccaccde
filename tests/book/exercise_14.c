/* SPDX-License-Identifier: MIT */
/* exercise_14.c -- chapter 14: a convolution in plain loops. Fails until convolve() is written. */
#include "tensor/tensor.h"
#include "tests/test.h"

#include <math.h>

typedef struct sizes {
    int C, H, W, O, kernel, stride, padding; /* x (C,H,W), w (O,C,kernel,kernel) */
    int H2, W2;                              /* y (O,H2,W2) */
} sizes;

/* y[o][i][j] = sum over c, k, l of w[o][c][k][l] x[c][i stride - padding + k][j stride - padding + l], 0 outside of x. */
static void convolve(const sizes *s, const float *x, const float *w, double *y)
{
    (void)x, (void)w;
    for (int i = 0; i < s->O * s->H2 * s->W2; i++)
        y[i] = 0; /* yours */
}

int main(void)
{
    static const sizes cases[] = {
        {1, 5, 6, 2, 3, 1, 1, 5, 6},
        {3, 7, 7, 4, 3, 2, 1, 4, 4},
        {2, 8, 5, 3, 1, 1, 0, 8, 5},
        {8, 12, 12, 8, 3, 1, 1, 12, 12}, /* this one is by Winograd's method */
        {2, 6, 6, 1, 5, 1, 2, 6, 6}};
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        const sizes *s = &cases[n];
        tensor_context *ctx = tensor_context_new();
        tensor_set_grad(ctx, false);
        tensor *x = tensor_new(ctx, 4, (int[]){1, s->C, s->H, s->W});
        tensor *w = tensor_new(ctx, 4, (int[]){s->O, s->C, s->kernel, s->kernel});
        for (size_t i = 0; i < tensor_size(x); i++)
            x->val[i] = (float)sin(0.7 * (double)i);
        for (size_t i = 0; i < tensor_size(w); i++)
            w->val[i] = (float)cos(1.3 * (double)i);
        const tensor *want = tensor_conv2d(x, w, NULL, s->stride, s->padding);
        double *y = calloc(tensor_size(want), sizeof *y), worst = 0;
        convolve(s, x->val, w->val, y);
        for (size_t i = 0; i < tensor_size(want); i++)
            worst = fmax(worst, fabs(y[i] - (double)want->val[i]));
        /* up to 75 terms of size 1, rounded to 2^-24 each; Winograd's method loses some times that */
        CHECK(worst < 1e-4, "case %zu: %g from tensor_conv2d", n, worst);
        free(y);
        tensor_context_free(ctx);
    }
    return test_end();
}
