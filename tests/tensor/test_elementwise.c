/* SPDX-License-Identifier: MIT */
/* test_elementwise.c -- elementwise.c: values, gradients, same bits, dropout's words,
 * failures. */
#include "tests/tensor/test_tensor.h"

/* ---- pairs ---- */

static tensor *op_add(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_add(leaf[0], leaf[1]);
}

static tensor *op_sub(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_sub(leaf[0], leaf[1]);
}

static tensor *op_mul(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_mul(leaf[0], leaf[1]);
}

typedef struct sizes {
    size_t a, b;
} sizes;

static void ref_add(double *y, double *const leaf[], const void *argument)
{
    const sizes *s = argument;
    for (size_t i = 0; i < s->a; i++)
        y[i] = leaf[0][i] + leaf[1][i % s->b];
}

static void ref_sub(double *y, double *const leaf[], const void *argument)
{
    const sizes *s = argument;
    for (size_t i = 0; i < s->a; i++)
        y[i] = leaf[0][i] - leaf[1][i % s->b];
}

static void ref_mul(double *y, double *const leaf[], const void *argument)
{
    const sizes *s = argument;
    for (size_t i = 0; i < s->a; i++)
        y[i] = leaf[0][i] * leaf[1][i % s->b];
}

/* A value is rounded once, and is at most 2 in size: 2u. A gradient of b is a sum of R terms of
 * size 1, so R roundings of what is at most R: R^2 u. */
static void pairs(void)
{
    static const struct {
        const char *name;
        tensor *(*op)(tensor *const leaf[], const void *argument);
        void (*reference)(double *y, double *const leaf[], const void *argument);
    } ops[] = {{"add", op_add, ref_add}, {"sub", op_sub, ref_sub}, {"mul", op_mul, ref_mul}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        test_op t = {.name = ops[i].name,
                     .op = ops[i].op,
                     .reference = ops[i].reference,
                     .leaves = 2,
                     .value_error = 2 * U};
        t.shape[0].rank = 3, t.shape[0].dim[0] = 2, t.shape[0].dim[1] = 3, t.shape[0].dim[2] = 7;
        t.shape[1] = t.shape[0];
        t.argument = &(sizes){42, 42}; /* alike */
        t.gradient_error = 2 * U;
        test_op_run(&t);

        t.shape[1].rank = 2, t.shape[1].dim[0] = 3, t.shape[1].dim[1] = 7;
        t.argument = &(sizes){42, 21}; /* repeated twice */
        t.gradient_error = 4 * U;
        test_op_run(&t);

        t.shape[1].rank = 1, t.shape[1].dim[0] = 7;
        t.argument = &(sizes){42, 7};
        t.gradient_error = 36 * U;
        test_op_run(&t);

        t.shape[1].rank = 0;
        t.argument = &(sizes){42, 1};
        t.gradient_error = 42 * 42 * U;
        test_op_run(&t);

        /* large enough for several threads, in no multiple of anything */
        t.shape[0].rank = 2, t.shape[0].dim[0] = 997, t.shape[0].dim[1] = 131;
        t.shape[1].rank = 1, t.shape[1].dim[0] = 131;
        t.argument = &(sizes){997 * 131, 131};
        t.gradient_error = 997 * 997 * U;
        test_op_run(&t);
        t.shape[1] = t.shape[0];
        t.argument = &(sizes){997 * 131, 997 * 131};
        t.gradient_error = 2 * U;
        test_op_run(&t);
    }
}

static tensor *op_square(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_mul(leaf[0], leaf[0]);
}

static void ref_square(double *y, double *const leaf[], const void *argument)
{
    (void)argument;
    for (int i = 0; i < 7; i++)
        y[i] = leaf[0][i] * leaf[0][i];
}

/* One tensor twice: 2 c x, in two roundings of at most 2. */
static void both_sides(void)
{
    test_op_run(&(test_op){.name = "x * x",
                           .op = op_square,
                           .reference = ref_square,
                           .leaves = 1,
                           .shape = {{1, {7}}},
                           .value_error = U,
                           .gradient_error = 4 * U});
}

/* ---- functions of one element ---- */

enum { MAPPED = 60 };

static tensor *op_map(tensor *const leaf[], const void *argument)
{
    switch (*(const char *)argument) {
    case 'r':
        return tensor_relu(leaf[0]);
    case 'n':
        return tensor_gelu_new(leaf[0]);
    case 'e':
        return tensor_gelu_erf(leaf[0]);
    case 't':
        return tensor_tanh(leaf[0]);
    case '6':
        return tensor_relu6(tensor_scale(leaf[0], 8));
    case 'h':
        return tensor_hard_swish(tensor_scale(leaf[0], 4));
    case 's':
        return tensor_scale(leaf[0], -0.3F);
    default:
        return tensor_reshape(leaf[0], 2, (int[]){4, MAPPED / 4});
    }
}

static void ref_map(double *y, double *const leaf[], const void *argument)
{
    const double root = sqrt(2 / 3.14159265358979323846);
    for (int i = 0; i < MAPPED; i++) {
        double x = leaf[0][i];
        switch (*(const char *)argument) {
        case 'r':
            y[i] = x > 0 ? x : 0;
            break;
        case 'n':
            y[i] = 0.5 * x * (1 + tanh(root * (x + 0.044715 * x * x * x)));
            break;
        case 'e':
            y[i] = 0.5 * x * (1 + erf(x / sqrt(2)));
            break;
        case 't':
            y[i] = tanh(x);
            break;
        case '6':
            y[i] = fmin(fmax(8 * x, 0), 6);
            break;
        case 'h':
            y[i] = 4 * x * fmin(fmax(4 * x + 3, 0), 6) / 6;
            break;
        case 's':
            y[i] = (double)-0.3F * x;
            break;
        default:
            y[i] = x;
        }
    }
}

/* The kernels' tanh and erf are good to 2 units in the last place: 4u of at most 1, and their
 * arguments to about 4u. Half of x times that, and the last rounding, stay below 6u; a GELU's slope
 * has the error of t once (8u), that of t^2 times x (16u), and few roundings more: below 32u. hard
 * swish, of four times the number so that all three of its parts are met, rounds four times what is
 * below 4, and its slope, below 1.5 times 4, four times with the factor. relu, relu6 and reshape
 * only copy; scale rounds once, and so does its gradient (of the rounded factor). */
static void maps(void)
{
    static const struct {
        const char *name;
        double value, gradient;
    } ops[] = {{"relu", 0, 0},
               {"new gelu", 6 * U, 32 * U},
               {"erf gelu", 6 * U, 32 * U},
               {"tanh", 4 * U, 16 * U},
               {"6 at most", 0, 0},
               {"hard swish", 4 * 4 * U, 4 * 6 * U},
               {"scale", U, U},
               {"view", 0, 0}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        test_op t = {.name = ops[i].name,
                     .op = op_map,
                     .reference = ref_map,
                     .argument = ops[i].name,
                     .leaves = 1,
                     .shape = {{1, {MAPPED}}},
                     .value_error = ops[i].value,
                     .gradient_error = ops[i].gradient};
        test_op_run(&t);
        if (strcmp(ops[i].name, "view") == 0)
            continue;
        t.reference = NULL;
        t.shape[0].dim[0] = 100003;
        test_op_run(&t);
    }
}

/* ---- to a scalar ---- */

static tensor *op_sum(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_sum(leaf[0]);
}

static void ref_sum(double *y, double *const leaf[], const void *argument)
{
    (void)argument;
    y[0] = 0;
    for (int i = 0; i < 33; i++)
        y[0] += leaf[0][i];
}

/* 33 roundings of what is at most 33. */
static void sums(void)
{
    test_op t = {.name = "sum",
                 .op = op_sum,
                 .reference = ref_sum,
                 .leaves = 1,
                 .shape = {{2, {3, 11}}},
                 .value_error = 33 * 33 * U,
                 .gradient_error = 0};
    test_op_run(&t);
    t.reference = NULL;
    t.shape[0].dim[0] = 30011;
    test_op_run(&t);
}

/* ---- dropout ---- */

static tensor *op_dropout(tensor *const leaf[], const void *argument)
{
    (void)argument;
    return tensor_dropout(leaf[0], 0.25F, 11, 12, 7);
}

static void ref_dropout(double *y, double *const leaf[], const void *argument)
{
    for (size_t i = 0; i < *(const size_t *)argument; i++)
        y[i] = base_random_word(11, 12, 7 + i) >= 0x40000000 ? leaf[0][i] / 0.75 : 0;
}

/* One division, of the value and of the gradient: u of at most 4/3. */
static void dropout(void)
{
    test_op t = {.name = "dropout",
                 .op = op_dropout,
                 .reference = ref_dropout,
                 .argument = &(size_t){50},
                 .leaves = 1,
                 .shape = {{2, {5, 10}}},
                 .value_error = 1.5 * U,
                 .gradient_error = 1.5 * U};
    test_op_run(&t);
    t.shape[0].dim[0] = 10007;
    t.argument = &(size_t){100070};
    test_op_run(&t);

    float val[4] = {NAN, INFINITY, 1, 2}, grad[4];
    tensor x;
    tensor_context *ctx = test_context(NULL);
    tensor_leaf(&x, ctx, 1, (int[]){4}, val, grad);
    CHECK(tensor_dropout(&x, 0, 1, 2, 0) == &x, "rate 0 makes a new tensor");
    tensor *y = tensor_dropout(&x, 0.9F, 1, 4, 0);
    for (size_t i = 0; i < 4; i++)
        if ((double)base_random_word(1, 4, i) < (double)0.9F * 4294967296.0)
            CHECK(y->val[i] == 0, "dropped %zu: %g", i, (double)y->val[i]);

    /* a word that is just rate * 2^32, which a float can be if its last 8 bits are 0, is kept */
    uint64_t stream = 0;
    while (base_random_word(1, stream, 2) % 256 != 0)
        stream++;
    float rate = (float)base_random_word(1, stream, 2) * 0x1p-32F;
    CHECK(tensor_dropout(&x, rate, 1, stream, 0)->val[2] == 1 / (1 - rate),
          "dropped at the threshold");

    tensor_set_grad(ctx, false);
    CHECK(tensor_dropout(&x, 0.5F, 1, 2, 0) == &x, "without gradients it makes a new tensor");
    tensor_context_free(ctx);
}

/* ---- numbers that are none ---- */

/* They go through every op; none crashes, and what must be NaN is. */
static void not_finite(void)
{
    float val[6] = {NAN, INFINITY, -INFINITY, 1, -0.0F, 3e38F}, grad[6] = {0};
    tensor x;
    tensor_context *ctx = test_context(NULL);
    tensor_leaf(&x, ctx, 1, (int[]){6}, val, grad);
    tensor *y[] = {tensor_add(&x, &x), tensor_sub(&x, &x),  tensor_mul(&x, &x),
                   tensor_relu(&x),    tensor_gelu_new(&x), tensor_gelu_erf(&x),
                   tensor_tanh(&x),    tensor_scale(&x, 2)};
    tensor *total = tensor_sum(y[0]);
    for (size_t i = 0; i < sizeof y / sizeof *y; i++) {
        CHECK(isnan(y[i]->val[0]), "op %zu makes %g of NaN", i, (double)y[i]->val[0]);
        if (i > 0)
            total = tensor_add(total, tensor_sum(y[i]));
    }
    CHECK(y[3]->val[1] == INFINITY && y[3]->val[2] == 0, "relu of infinities: %g %g",
          (double)y[3]->val[1], (double)y[3]->val[2]);
    tensor_backward(total);
    CHECK(isnan(total->val[0]), "the total is %g", (double)total->val[0]);
    tensor_context_free(ctx);
}

static void failures(void)
{
    float val[24] = {0}, grad[24] = {0};
    tensor a, b, c;
    tensor_context *ctx = test_context(NULL);
    tensor_set_failure_handler(ctx, test_handler, NULL);
    tensor_leaf(&a, ctx, 2, (int[]){3, 4}, val, grad);
    tensor_leaf(&b, ctx, 1, (int[]){3}, val, NULL);
    tensor_leaf(&c, ctx, 3, (int[]){2, 3, 4}, val, NULL);
    EXPECT_FAILURE(ctx, tensor_add(&a, &b),
                   "add: (3,4) and (3): the second is not the last axes of the first");
    EXPECT_FAILURE(ctx, tensor_sub(&a, &c),
                   "sub: (3,4) and (2,3,4): the second is not the last axes of the first");
    EXPECT_FAILURE(ctx, tensor_mul(&b, &a),
                   "mul: (3) and (3,4): the second is not the last axes of the first");
    EXPECT_FAILURE(ctx, tensor_dropout(&a, 1, 0, 0, 0),
                   "dropout: rate 1; at least 0 and below 1 was expected");
    EXPECT_FAILURE(ctx, tensor_dropout(&a, -0.5F, 0, 0, 0),
                   "dropout: rate -0.5; at least 0 and below 1 was expected");
    EXPECT_FAILURE(ctx, tensor_dropout(&a, NAN, 0, 0, 0),
                   "dropout: rate nan; at least 0 and below 1 was expected");
    EXPECT_FAILURE(ctx, tensor_reshape(&a, 1, (int[]){11}),
                   "reshape: (3,4) has 12 elements, the new shape 11");
    EXPECT_FAILURE(ctx, tensor_reshape(&a, 2, (int[]){-3, -4}),
                   "reshape: (-3,-4) has a dimension below 1");
    CHECK(tensor_add(&c, &a)->rank == 3, "no op after the failures");
    tensor_context_free(ctx);
}

int main(void)
{
    pairs();
    both_sides();
    maps();
    sums();
    dropout();
    not_finite();
    failures();
    return test_end();
}
