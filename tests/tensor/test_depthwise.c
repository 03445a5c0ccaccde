/* SPDX-License-Identifier: MIT */
/* test_depthwise.c -- depthwise.c, and the mean of whole planes in pool.c, held against plain loops in
 * double: values, gradients, and the same bits for any kernels and threads. */
#include "tests/tensor/test_tensor.h"

enum { B, C, H, W, KERNEL, STRIDE, PADDING, NUMBERS };

static int places(const int *s, int axis)
{
    return (s[axis] + 2 * s[PADDING] - s[KERNEL]) / s[STRIDE] + 1;
}

static tensor *op_depthwise(tensor *const leaf[], const void *argument)
{
    const int *s = argument;
    return tensor_depthwise2d(leaf[0], leaf[1], leaf[2], s[STRIDE], s[PADDING]);
}

static void ref_depthwise(double *y, double *const leaf[], const void *argument)
{
    const int *s = argument, k = s[KERNEL];
    for (int plane = 0; plane < s[B] * s[C]; plane++)
        for (int row = 0; row < places(s, H); row++)
            for (int column = 0; column < places(s, W); column++, y++) {
                *y = leaf[2] ? leaf[2][plane % s[C]] : 0;
                for (int i = 0; i < k * k; i++) {
                    int r = row * s[STRIDE] - s[PADDING] + i / k;
                    int q = column * s[STRIDE] - s[PADDING] + i % k;
                    if (r >= 0 && r < s[H] && q >= 0 && q < s[W])
                        *y += leaf[1][plane % s[C] * k * k + i] *
                              leaf[0][(plane * s[H] + r) * s[W] + q];
                }
            }
}

/* Numbers are at most 1. A result is a chain of k^2 steps, each of a size of at most k^2 + 1. The
 * gradient of a pixel is one of as many; that of a weight, and of a bias, adds up a term for each
 * result of a channel. */
static void test_depthwise(void)
{
    static const int shapes[][NUMBERS] = {
        {2, 3, 6, 8, 3, 1, 1}, {1, 2, 7, 5, 3, 2, 1},  {2, 1, 5, 5, 5, 1, 2}, {1, 3, 4, 4, 1, 1, 0},
        {2, 2, 5, 7, 2, 3, 0}, {1, 1, 1, 1, 5, 2, 2},  {3, 2, 3, 3, 3, 1, 0}, {1, 2, 9, 9, 5, 2, 2},
        {1, 1, 2, 3, 1, 2, 3}, {2, 5, 20, 19, 3, 1, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int *s = shapes[i], area = s[KERNEL] * s[KERNEL];
        const double terms = s[B] * places(s, H) * places(s, W);
        test_op_run(&(test_op){.name = "depthwise2d",
                               .op = op_depthwise,
                               .reference = ref_depthwise,
                               .argument = s,
                               .leaves = i % 2 ? 2 : 3, /* with a bias, and without */
                               .shape = {{4, {s[B], s[C], s[H], s[W]}},
                                         {4, {s[C], 1, s[KERNEL], s[KERNEL]}},
                                         {1, {s[C]}}},
                               .value_error = (area + 1) * (area + 1) * U,
                               .gradient_error = (area * area + terms * terms) * U});
    }
}

/* What a leaf's gradient gets beside another op's. */
static tensor *op_twice(tensor *const leaf[], const void *argument)
{
    return tensor_add(op_depthwise(leaf, argument), leaf[0]);
}

static void ref_twice(double *y, double *const leaf[], const void *argument)
{
    const int *s = argument;
    ref_depthwise(y, leaf, argument);
    for (int i = 0; i < s[B] * s[C] * s[H] * s[W]; i++)
        y[i] += leaf[0][i];
}

static void test_added(void)
{
    static const int s[NUMBERS] = {2, 3, 5, 4, 3, 1, 1};
    test_op_run(&(test_op){.name = "depthwise2d + x",
                           .op = op_twice,
                           .reference = ref_twice,
                           .argument = s,
                           .leaves = 3,
                           .shape = {{4, {2, 3, 5, 4}}, {4, {3, 1, 3, 3}}, {1, {3}}},
                           .value_error = 11 * 11 * U,
                           .gradient_error = (11 * 11 + 40 * 40) * U});
}

static tensor *op_global(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_global_avg_pool2d(leaf[0]);
}

static void ref_global(double *y, double *const leaf[], const void *argument)
{
    const int *s = argument;
    for (int plane = 0; plane < s[B] * s[C]; plane++) {
        y[plane] = 0;
        for (int i = 0; i < s[H] * s[W]; i++)
            y[plane] += leaf[0][plane * s[H] * s[W] + i] / (s[H] * s[W]);
    }
}

static tensor *op_global_twice(tensor *const leaf[], const void *argument)
{
    (void)argument;
    tensor *mean = tensor_global_avg_pool2d(leaf[0]);
    return tensor_add(mean, tensor_global_avg_pool2d(leaf[0]));
}

static void ref_global_twice(double *y, double *const leaf[], const void *argument)
{
    const int *s = argument;
    ref_global(y, leaf, argument);
    for (int plane = 0; plane < s[B] * s[C]; plane++)
        y[plane] *= 2;
}

/* A sum of H W numbers of at most 1, divided by as many. */
static void test_global(void)
{
    static const int shapes[][NUMBERS] = {{2, 3, 6, 8}, {1, 2, 1, 1}, {3, 5, 7, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int *s = shapes[i];
        test_op t = {.name = "global_avg_pool2d",
                     .op = op_global,
                     .reference = ref_global,
                     .argument = s,
                     .leaves = 1,
                     .shape = {{4, {s[B], s[C], s[H], s[W]}}},
                     .value_error = (s[H] * s[W] + 2) * U,
                     .gradient_error = 4 * U};
        test_op_run(&t);
        t.op = op_global_twice;
        t.reference = ref_global_twice;
        t.value_error *= 2;
        test_op_run(&t);
    }
}

static void test_failures(void)
{
    static float values[200];
    tensor_context *ctx = test_context(NULL);
    tensor image, weight, other, bias, row;
    tensor_set_failure_handler(ctx, test_handler, NULL);
    tensor_leaf(&image, ctx, 4, (int[]){1, 2, 4, 4}, values, NULL);
    tensor_leaf(&weight, ctx, 4, (int[]){2, 1, 3, 3}, values, NULL);
    tensor_leaf(&other, ctx, 4, (int[]){2, 2, 3, 3}, values, NULL);
    tensor_leaf(&bias, ctx, 1, (int[]){3}, values, NULL);
    tensor_leaf(&row, ctx, 1, (int[]){4}, values, NULL);
    EXPECT_FAILURE(
        ctx, tensor_depthwise2d(&image, &other, NULL, 1, 0),
        "depthwise2d: x (1,2,4,4) and weight (2,2,3,3), expected (B,C,H,W) and (C,1,k,k)");
    EXPECT_FAILURE(ctx, tensor_depthwise2d(&image, &weight, &bias, 1, 0),
                   "depthwise2d: bias (3), expected one for each channel of x (1,2,4,4)");
    EXPECT_FAILURE(ctx, tensor_depthwise2d(&image, &weight, NULL, 0, 0),
                   "depthwise2d: stride 0, padding 0: expected at least 1 and 0");
    tensor_leaf(&weight, ctx, 4, (int[]){2, 1, 7, 7}, values, NULL);
    EXPECT_FAILURE(ctx, tensor_depthwise2d(&image, &weight, NULL, 1, 1),
                   "depthwise2d: a kernel of 7 does not fit into x (1,2,4,4) with padding 1");
    EXPECT_FAILURE(
        ctx, tensor_depthwise2d(&image, &weight, NULL, 1, 1 << 30),
        "depthwise2d: x (1,2,4,4) with a kernel of 7 and padding 1073741824 is too large");
    EXPECT_FAILURE(ctx, tensor_global_avg_pool2d(&row),
                   "global_avg_pool2d: x (4), expected (B,C,H,W)");
    tensor_context_free(ctx);
}

int main(void)
{
    test_depthwise();
    test_added();
    test_global();
    test_failures();
    return test_end();
}
