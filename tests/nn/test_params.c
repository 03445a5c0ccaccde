/* SPDX-License-Identifier: MIT */
/* test_params.c -- nn/params.c and nn/init.c. */
#include "base/math.h"
#include "base/random.h"
#include "nn/params.h"
#include "tensor/context.h"
#include "tests/test.h"
#include "tests/test_normal.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>

static nn_params *make(tensor_context *ctx, bool gradients)
{
    nn_params *params = nn_params_new(ctx);
    nn_param(params, "scalar", 0, NULL);
    nn_param(params, "matrix", 2, (int[]){3, 5});
    nn_param(params, "kernel", 4, (int[]){2, 3, 5, 7});
    base_error error;
    CHECK(nn_params_allocate(params, gradients, &error), "%s", error.text);
    return params;
}

static void test_layout(void)
{
    tensor_context *ctx = tensor_context_new();
    nn_params *params = make(ctx, true);
    const tensor *scalar = nn_params_tensor(params, 0), *matrix = nn_params_find(params, "matrix");
    const tensor *kernel = nn_params_tensor(params, 2);
    float *values = nn_params_values(params), *gradients = nn_params_gradients(params);

    CHECK(nn_params_context(params) == ctx, "the context is another");
    CHECK(nn_params_count(params) == 3, "%d tensors", nn_params_count(params));
    CHECK(nn_params_size(params) == 1 + 15 + 210, "%zu floats", nn_params_size(params));
    CHECK(strcmp(nn_params_name(params, 2), "kernel") == 0, "%s", nn_params_name(params, 2));
    CHECK(matrix == nn_params_tensor(params, 1), "found another tensor");
    CHECK(!nn_params_find(params, "matri"), "found what is not there");
    CHECK(scalar->val == values && matrix->val == values + 1 && kernel->val == values + 16,
          "values are not one after another");
    CHECK(kernel->grad == gradients + 16, "gradients are not one after another");
    CHECK(kernel->rank == 4 && kernel->dim[3] == 7 && kernel->wants_grad, "not as declared");
    CHECK((uintptr_t)values % 64 == 0 && (uintptr_t)gradients % 64 == 0, "not aligned");
    int zeros = 0;
    for (size_t i = 0; i < nn_params_size(params); i++)
        zeros += values[i] == 0 && gradients[i] == 0;
    CHECK(zeros == 226, "only %d begin as zero", zeros);

    gradients[225] = 1;
    nn_zero_grad(params);
    CHECK(nn_params_gradients(params)[225] == 0, "a gradient was left");
    nn_params_free(params);

    params = make(ctx, false);
    CHECK(!nn_params_gradients(params) && !nn_params_tensor(params, 1)->wants_grad,
          "gradients that nobody asked for");
    CHECK(nn_grad_norm(params) == 0, "a norm of nothing");
    nn_zero_grad(params);
    nn_params_free(params);
    nn_params_free(NULL);
    tensor_context_free(ctx);
}

/* Tensors keep their addresses while more are declared, and many can be. */
static void test_many(void)
{
    enum { COUNT = 1000 };
    static tensor *made[COUNT];
    tensor_context *ctx = tensor_context_new();
    nn_params *params = nn_params_new(ctx);
    char name[32];
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "p.%d", i);
        made[i] = nn_param(params, name, 1, (int[]){1 + i % 3});
    }
    base_error error;
    CHECK(nn_params_allocate(params, true, &error), "%s", error.text);
    int right = 0;
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "p.%d", i);
        right += nn_params_find(params, name) == made[i] && made[i]->dim[0] == 1 + i % 3;
    }
    CHECK(right == COUNT, "only %d are where they were", right);
    nn_params_free(params);
    tensor_context_free(ctx);
}

static void test_empty_and_huge(void)
{
    tensor_context *ctx = tensor_context_new();
    base_error error = {""};
    nn_params *params = nn_params_new(ctx);
    CHECK(nn_params_allocate(params, true, &error), "%s", error.text);
    CHECK(nn_grad_norm(params) == 0, "%g", nn_grad_norm(params));
    nn_params_free(params);

    /* (2^31-1)^4 floats, and twice as many as there can be bytes */
    static const int dims[2][4] = {{2147483647, 2147483647, 2147483647, 2147483647},
                                   {2147483647, 2147483647, 1, 1}};
    for (int i = 0; i < 2; i++) {
        params = nn_params_new(ctx);
        nn_param(params, "a", 4, dims[i]);
        nn_param(params, "b", 4, dims[i]);
        CHECK(!nn_params_allocate(params, true, &error), "there was memory for it");
        CHECK(strstr(error.text, "memory"), "%s", error.text);
        nn_params_free(params);
    }
    tensor_context_free(ctx);
}

/* ---- the caller's bugs ---- */

static jmp_buf after_failure;
static char failure[256];

static void on_failure(void *user, const char *operation, const char *message)
{
    (void)user;
    snprintf(failure, sizeof failure, "%s: %s", operation, message);
    longjmp(after_failure, 1);
}

static void check_fails(nn_params *params, const char *name, int rank, int dim)
{
    failure[0] = '\0';
    if (setjmp(after_failure) == 0)
        nn_param(params, name, rank, (int[]){dim, 1, 1, 1, 1});
    CHECK(strstr(failure, name), "\"%s\"", failure);
}

static void test_failures(void)
{
    tensor_context *ctx = tensor_context_new();
    tensor_set_failure_handler(ctx, on_failure, NULL);
    nn_params *params = nn_params_new(ctx);
    nn_param(params, "taken", 1, (int[]){1});
    check_fails(params, "taken", 1, 1);
    check_fails(params, "rank", 5, 1);
    check_fails(params, "empty", 1, 0);
    check_fails(params, "negative", 2, -3);
    base_error error;
    CHECK(nn_params_allocate(params, false, &error), "%s", error.text);
    check_fails(params, "late", 1, 1);
    CHECK(nn_params_count(params) == 1, "%d tensors after failures", nn_params_count(params));
    nn_params_free(params);
    tensor_context_free(ctx);
}

/* ---- norm ---- */

/* The same bits for all kernels and threads; near the sum in double. A chunk's dot product has a
 * chain of 4096 / 16 + 4 additions of positive numbers, so the squared norm's relative error is at
 * most 260 epsilon, and the norm's half of that. */
static void test_norm(void)
{
    enum { SIZE = 10007 };
    double first = 0, want = 0;
    int runs = 0;
    for (const char *const *set = tensor_kernels_available(); *set; set++)
        for (int threads = 1; threads <= 3; threads++, runs++) {
            setenv("PHOENIX_KERNEL", *set, 1);
            tensor_context *ctx = tensor_context_new();
            tensor_set_threads(ctx, threads);
            nn_params *params = nn_params_new(ctx);
            nn_param(params, "a", 1, (int[]){SIZE - 7});
            nn_param(params, "b", 1, (int[]){7});
            base_error error;
            CHECK(nn_params_allocate(params, true, &error), "%s", error.text);
            want = 0;
            for (int i = 0; i < SIZE; i++) {
                base_random r = {7, 8, (uint64_t)i * 2};
                float g = (float)test_normal(&r);
                nn_params_gradients(params)[i] = g;
                want += (double)g * (double)g;
            }
            double norm = nn_grad_norm(params);
            if (runs == 0)
                first = norm;
            CHECK(memcmp(&norm, &first, sizeof norm) == 0, "%s, %d threads: %a and %a", *set,
                  threads, norm, first);
            nn_params_free(params);
            tensor_context_free(ctx);
        }
    unsetenv("PHOENIX_KERNEL");
    want = sqrt(want);
    CHECK(fabs(first - want) <= 130 * (double)FLT_EPSILON * want, "%.9g, expected %.9g", first,
          want);
}

static void test_clip(void)
{
    CHECK(nn_clip_scale(0.5, 1) == 1, "%g", (double)nn_clip_scale(0.5, 1));
    CHECK(nn_clip_scale(0, 1) == 1, "%g", (double)nn_clip_scale(0, 1));
    float scale = nn_clip_scale(4, 1), want = (float)(1 / (4 + 1e-6));
    CHECK(scale == want, "%.9g, expected %.9g", (double)scale, (double)want);
    CHECK(nn_clip_scale(INFINITY, 1) == 0, "%g", (double)nn_clip_scale(INFINITY, 1));
}

/* ---- initialisers ---- */

static float *filled(tensor *t, int size, tensor_context *ctx)
{
    float *values = calloc((size_t)size, sizeof *values);
    tensor_leaf(t, ctx, 1, &size, values, NULL);
    return values;
}

/* Element i depends on i alone: neither on the tensor's size nor on threads. */
static void test_pure(void)
{
    tensor_context *ctx = tensor_context_new();
    tensor small, large;
    float *a = filled(&small, 100, ctx), *b = filled(&large, 9001, ctx);
    nn_init_normal(&small, 0.02, 5, 6);
    tensor_set_threads(ctx, 3);
    nn_init_normal(&large, 0.02, 5, 6);
    CHECK(memcmp(a, b, 100 * sizeof *a) == 0, "values depend on size or threads");
    /* Box and Muller's formula; the logarithm has 1.7 units in the last place, of which the root
     * takes half, and 3 more roundings half a unit each: below 3 of 2^-23. */
    double u = ((base_random_word(5, 6, 76) >> 8) + 0.5) * 0x1p-24;
    double turns = (base_random_word(5, 6, 77) >> 8) * 0x1p-24;
    double want[2] = {0.02 * sqrt(-2 * log(u)) * cos(2 * acos(-1) * turns),
                      0.02 * sqrt(-2 * log(u)) * sin(2 * acos(-1) * turns)};
    for (int i = 0; i < 2; i++)
        CHECK(fabs((double)b[76 + i] - want[i]) <= 3 * 0x1p-23 * fabs(want[i]),
              "element %d is %a, expected %a", 76 + i, (double)b[76 + i], want[i]);
    nn_init_normal(&large, 0.02, 5, 7);
    CHECK(memcmp(a, b, 100 * sizeof *a) != 0, "another stream gave the same values");
    nn_init_normal(&large, 0.02, 4, 6);
    CHECK(memcmp(a, b, 100 * sizeof *a) != 0, "another seed gave the same values");
    free(a);
    free(b);
    tensor_context_free(ctx);
}

/* Moments of 2^16 numbers, to within five standard errors of each: s / 2^8 for the mean, and
 * s^2 sqrt((k-1) / 2^16) for the variance, k the kurtosis: 3 for normal, 9/5 for uniform. */
static void check_moments(const float *x, int n, double deviation, double kurtosis)
{
    double mean = 0, var = 0;
    for (int i = 0; i < n; i++)
        mean += (double)x[i] / n;
    for (int i = 0; i < n; i++)
        var += ((double)x[i] - mean) * ((double)x[i] - mean) / n;
    double square = deviation * deviation;
    CHECK(fabs(mean) < 5 * deviation / sqrt(n), "mean %g, deviation %g", mean, deviation);
    CHECK(fabs(var - square) < 5 * square * sqrt((kurtosis - 1) / n), "variance %g, expected %g",
          var, square);
}

static void test_distributions(void)
{
    enum { SIZE = 1 << 16 };
    tensor_context *ctx = tensor_context_new();
    tensor t;
    float *x = filled(&t, SIZE, ctx);
    nn_init_normal(&t, 0.5, 1, 2);
    check_moments(x, SIZE, 0.5, 3);

    const double bound = 1 / sqrt(48.0);
    nn_init_kaiming_uniform(&t, 48, 1, 2);
    check_moments(x, SIZE, 1 / 12.0, 1.8);
    int outside = 0;
    for (int i = 0; i < SIZE; i++)
        outside += !((double)x[i] >= -bound - 1e-7 && (double)x[i] < bound);
    CHECK(outside == 0, "%d are outside of the bound", outside);

    nn_init_constant(&t, -3.5F);
    CHECK(x[0] == -3.5F && x[SIZE - 1] == -3.5F, "%g %g", (double)x[0], (double)x[SIZE - 1]);
    free(x);
    tensor_context_free(ctx);
}

int main(void)
{
    test_layout();
    test_many();
    test_empty_and_huge();
    test_failures();
    test_norm();
    test_clip();
    test_pure();
    test_distributions();
    return test_end();
}
