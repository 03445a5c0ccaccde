/* SPDX-License-Identifier: MIT */
/* test_walk.c -- bench/bench_walk.c: every step from three loops to the final product gives the
 * same bits, with every kernel set. */
#include "bench/bench.h"
#include "tests/test.h"

#include <math.h>

/* Values of many sizes, so that a sum in another order has other bits. */
static void fill(float *x, size_t n, uint32_t state)
{
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525U + 1013904223U;
        x[i] = ldexpf((float)((int)(state >> 16) - 32768), -(int)(state >> 8) % 16);
    }
}

static float *floats(size_t n, uint32_t seed)
{
    float *x = malloc(n * sizeof *x);
    if (!x)
        abort();
    fill(x, n, seed);
    return x;
}

/* With a gap between rows, which no step may touch. */
static void same_bits(tensor_context *ctx, const bench_walk_step *step, int m, int n, int k)
{
    enum { GAP = 3 };
    size_t lda = (size_t)k + GAP, ldb = (size_t)n + GAP, ldc = ldb, size = (size_t)m * ldc;
    float *a = floats((size_t)m * lda, 1), *b = floats((size_t)k * ldb, 2);
    float *want = floats(size, 3), *got = floats(size, 3);
    tensor_gemm_task task = {
        .m = m, .n = n, .k = k, .a = a, .b = b, .c = want, .lda = lda, .ldb = ldb, .ldc = ldc};
    tensor_gemm_plain(&task);
    task.c = got;
    step->multiply(ctx, &task);
    CHECK(memcmp(want, got, size * sizeof *got) == 0, "%s, kernels %s: (%d,%d) over %d", step->name,
          tensor_context_kernels(ctx)->name, m, n, k);
    free(a);
    free(b);
    free(want);
    free(got);
}

/* The steps are to be told apart by their speed alone, so the test must see a sum that is not the
 * chain: here one that is added up from the other end. */
static void the_order_shows(void)
{
    enum { K = 200 };
    float *a = floats(K, 1), *b = floats(K, 2), chain, back = 0;
    tensor_gemm_task task = {
        .m = 1, .n = 1, .k = K, .a = a, .b = b, .c = &chain, .lda = K, .ldb = 1, .ldc = 1};
    tensor_gemm_plain(&task);
    for (int k = K - 1; k >= 0; k--)
        back = tensor_fmaf(a[k], b[k], back);
    CHECK(memcmp(&chain, &back, sizeof chain) != 0, "%g both ways", (double)chain);
    free(a);
    free(b);
}

int main(void)
{
    static const int shapes[][3] = {{1, 1, 1},    {3, 1030, 5}, {4, 4, 7},     {12, 32, 64},
                                    {13, 33, 17}, {25, 67, 40}, {130, 35, 521}};
    the_order_shows();
    for (const char *const *name = tensor_kernels_available(); *name; name++) {
        setenv("PHOENIX_KERNEL", *name, 1);
        tensor_context *ctx = tensor_context_new();
        CHECK(ctx != NULL, "no context with kernels %s", *name);
        const bench_walk_step *step = bench_walk_steps();
        for (; ctx && step->name; step++)
            for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
                same_bits(ctx, step, shapes[i][0], shapes[i][1], shapes[i][2]);
        tensor_context_free(ctx);
    }
    return test_end();
}
