/* SPDX-License-Identifier: MIT */
/* test_gemm.c -- matrix products: the blocked, packed and threaded form against three loops, bit for
 * bit, and the three loops against double. */
#include "tensor/gemm.h"
#include "tensor/context.h"
#include "tests/test.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

static uint64_t random_state = 7;

static uint32_t random_below(uint32_t n)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z >> 32) % n);
}

/* Values of many sizes, so that a sum in another order has other bits. */
static void fill(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = ldexpf((float)((int)random_below(2001) - 1000), -(int)random_below(12));
}

typedef struct problem {
    float *a, *b, *bias, *residual, *start, *want, *got;
    size_t c_size;
    tensor_gemm_task task; /* with c = want */
} problem;

static float *floats(size_t n)
{
    float *memory = malloc((n + 1) * sizeof *memory);
    if (!memory)
        abort();
    fill(memory, n + 1);
    return memory;
}

/* flags: 1 transpose a, 2 transpose b, 4 accumulate, 8 bias, 16 relu, 32 residual; pad: ld beyond
 * the width. */
static problem new_problem(int m, int n, int k, unsigned flags, int pad)
{
    bool ta = flags & 1, tb = flags & 2;
    problem p = {.task = {.m = m, .n = n, .k = k, .transpose_a = ta, .transpose_b = tb}};
    tensor_gemm_task *t = &p.task;
    t->lda = (size_t)((ta ? m : k) + pad);
    t->ldb = (size_t)((tb ? k : n) + pad);
    t->ldc = (size_t)(n + pad);
    p.c_size = (size_t)m * t->ldc;
    t->a = p.a = floats((size_t)(ta ? k : m) * t->lda);
    t->b = p.b = floats((size_t)(tb ? n : k) * t->ldb);
    p.bias = floats((size_t)n);
    p.residual = floats(p.c_size);
    p.start = floats(p.c_size);
    p.want = floats(p.c_size);
    p.got = floats(p.c_size);
    t->c = p.want;
    t->accumulate = flags & 4;
    t->bias = flags & 8 ? p.bias : NULL;
    t->relu = flags & 16;
    t->residual = flags & 32 ? p.residual : NULL;
    return p;
}

static void free_problem(problem *p)
{
    free(p->a);
    free(p->b);
    free(p->bias);
    free(p->residual);
    free(p->start);
    free(p->want);
    free(p->got);
}

static void compare(tensor_context *ctx, int m, int n, int k, unsigned flags, int pad)
{
    problem p = new_problem(m, n, k, flags, pad);
    size_t bytes = p.c_size * sizeof(float);
    memcpy(p.want, p.start, bytes);
    tensor_gemm_plain(&p.task);
    for (int threads = 1; threads <= 4; threads++) { /* 4 stands for tensor_gemm_single */
        tensor_gemm_task task = p.task;
        task.c = p.got;
        memcpy(p.got, p.start, bytes);
        tensor_set_threads(ctx, threads % 4 + (threads == 4));
        if (threads < 4)
            tensor_gemm(ctx, &task);
        else {
            tensor_gemm_reserve(ctx, m, n, k);
            tensor_gemm_single(ctx, 0, &task);
        }
        CHECK(memcmp(p.got, p.want, bytes) == 0, "%s %dx%dx%d flags %u pad %d threads %d",
              tensor_context_kernels(ctx)->name, m, n, k, flags, pad, threads);
    }
    free_problem(&p);
}

static void test_same_bits(tensor_context *ctx)
{
    static const int sizes[] = {1, 2, 5, 6, 7, 13, 14, 15, 16, 17, 28, 31, 32, 33, 48};
    const uint32_t count = sizeof sizes / sizeof *sizes;
    /* every transposition and epilogue, odd sizes */
    for (unsigned flags = 0; flags < 64; flags++)
        for (int round = 0; round < 12; round++)
            compare(ctx, sizes[random_below(count)], sizes[random_below(count)],
                    sizes[random_below(count)], flags, (int)random_below(3) * 5);
    /* around and beyond the blocks of k, rows and columns, and A of colliding rows */
    static const int large[][3] = {{3, 40, 255},    {15, 33, 512},   {15, 33, 513},  {1, 64, 1025},
                                   {119, 20, 40},   {241, 35, 30},   {241, 17, 517}, {5, 1025, 9},
                                   {60, 1060, 33},  {110, 100, 100}, {20, 10, 512},  {512, 10, 40},
                                   {1024, 10, 40},  {1024, 40, 10},  {9, 40, 1024},  {90, 130, 512},
                                   {123, 1030, 516}};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        for (unsigned flags = 0; flags < 4; flags++)
            compare(ctx, large[i][0], large[i][1], large[i][2], flags | (unsigned)(i % 16) << 2,
                    i % 2 ? 0 : 3);
    /* nothing to add up, nothing to compute */
    for (unsigned flags = 0; flags < 64; flags++) {
        compare(ctx, 5, 40, 0, flags, 1);
        compare(ctx, 0, 3, 3, flags, 0);
        compare(ctx, 3, 0, 3, flags, 0);
    }
}

/* A chain of k fma, each rounding what stands there by half an epsilon at most, and three
 * more roundings at the end. */
static void test_plain_is_right(void)
{
    for (unsigned flags = 0; flags < 64; flags++) {
        int m = 1 + (int)random_below(20), n = 1 + (int)random_below(20),
            k = (int)random_below(100);
        problem p = new_problem(m, n, k, flags, 2);
        const tensor_gemm_task *t = &p.task;
        memcpy(p.want, p.start, p.c_size * sizeof(float));
        tensor_gemm_plain(t);
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) {
                size_t at = (size_t)i * t->ldc + (size_t)j;
                double sum = flags & 4 ? (double)p.start[at] : 0, size = fabs(sum);
                for (int l = 0; l < k; l++) {
                    size_t a =
                        flags & 1 ? (size_t)l * t->lda + (size_t)i : (size_t)i * t->lda + (size_t)l;
                    size_t b =
                        flags & 2 ? (size_t)j * t->ldb + (size_t)l : (size_t)l * t->ldb + (size_t)j;
                    sum += (double)p.a[a] * (double)p.b[b];
                    size += fabs((double)p.a[a] * (double)p.b[b]);
                }
                if (flags & 8) {
                    sum += (double)p.bias[j];
                    size += fabs((double)p.bias[j]);
                }
                if (flags & 32) {
                    sum += (double)p.residual[at];
                    size += fabs((double)p.residual[at]);
                }
                if (flags & 16)
                    sum = fmax(0, sum);
                double got = (double)p.want[at];
                CHECK(fabs(got - sum) <= (k + 3) * (double)FLT_EPSILON / 2 * size,
                      "flags %u (%d,%d): %g, want %g", flags, i, j, got, sum);
            }
        /* what lies between the rows of C is not C */
        for (int i = 0; i < m; i++)
            CHECK(memcmp(&p.want[(size_t)i * t->ldc + (size_t)n],
                         &p.start[(size_t)i * t->ldc + (size_t)n], 2 * sizeof(float)) == 0,
                  "flags %u row %d", flags, i);
        free_problem(&p);
    }
}

int main(void)
{
    test_plain_is_right();
    for (const char *const *name = tensor_kernels_available(); *name; name++) {
        setenv("PHOENIX_KERNEL", *name, 1);
        tensor_context *ctx = tensor_context_new();
        CHECK(ctx && strcmp(tensor_context_kernels(ctx)->name, *name) == 0, "%s", *name);
        if (ctx)
            test_same_bits(ctx);
        tensor_context_free(ctx);
    }
    return test_end();
}
