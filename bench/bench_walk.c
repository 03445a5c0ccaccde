/* SPDX-License-Identifier: MIT */
/* bench_walk.c -- the steps of docs/book/03-products.md: from three loops to tensor_gemm, each to be
 * run and measured.
 *
 * Every step gives the bits of tensor_gemm_plain. Each element of C is one chain of fma over k in
 * all of them; they differ in which chains go on side by side, and in where their numbers lie. */
#include "base/math.h"
#include "bench/bench.h"
#include "tensor/gemm.h"
#include "tensor/kernel_sets.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#ifdef __TINYC__ /* has no _Pragma, and no vectors to keep in registers */
#undef UNROLL
#define UNROLL
#endif

enum { SQUARE = 4 };

#if TENSOR_HAS_X86

#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f")
#endif
#define FMA(a, b, c)     __builtin_fmaf(a, b, c)
#define VEC              __m512
#define VEC_WIDTH        16
#define VEC_SET(x)       _mm512_set1_ps(x)
#define VEC_LOAD(p)      _mm512_loadu_ps(p)
#define VEC_STORE(p, v)  _mm512_storeu_ps(p, v)
#define VEC_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define TILE_M           12
#define TILE_VECS        2
#define NAME(function)   function##_avx512
#include "bench/bench_walk_body.h"
#ifdef __clang__
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#define FMA(a, b, c)     __builtin_fmaf(a, b, c)
#define VEC              __m256
#define VEC_WIDTH        8
#define VEC_SET(x)       _mm256_set1_ps(x)
#define VEC_LOAD(p)      _mm256_loadu_ps(p)
#define VEC_STORE(p, v)  _mm256_storeu_ps(p, v)
#define VEC_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define TILE_M           6
#define TILE_VECS        2
#define NAME(function)   function##_avx2
#include "bench/bench_walk_body.h"
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

#if TENSOR_HAS_NEON

#include <arm_neon.h>

#define FMA(a, b, c)     fmaf(a, b, c)
#define VEC              float32x4_t
#define VEC_WIDTH        4
#define VEC_SET(x)       vdupq_n_f32(x)
#define VEC_LOAD(p)      vld1q_f32(p)
#define VEC_STORE(p, v)  vst1q_f32(p, v)
#define VEC_FMA(a, b, c) vfmaq_f32(c, a, b)
#define TILE_M           12
#define TILE_VECS        2
#define NAME(function)   function##_neon
#include "bench/bench_walk_body.h"

#endif

/* For a set whose machine may have no fma: the library's, and a vector is one float. */
#define FMA(a, b, c)     tensor_fmaf(a, b, c)
#define VEC              float
#define VEC_WIDTH        1
#define VEC_SET(x)       (x)
#define VEC_LOAD(p)      (*(p))
#define VEC_STORE(p, v)  (*(p) = (v))
#define VEC_FMA(a, b, c) tensor_fmaf(a, b, c)
#define TILE_M           4
#define TILE_VECS        4
#define NAME(function)   function##_any
#include "bench/bench_walk_body.h"

typedef void product(const tensor_gemm_task *task);

enum { BY_ELEMENTS, BY_ROWS, BY_SQUARES, BY_TILES };

static const struct {
    const char *kernels; /* the set's name */
    product *by[4];
} sets[] = {
#if TENSOR_HAS_X86
    {"avx512", {elements_avx512, rows_avx512, squares_avx512, tiles_avx512}},
    {"avx2", {elements_avx2, rows_avx2, squares_avx2, tiles_avx2}},
#endif
#if TENSOR_HAS_NEON
    {"neon", {elements_neon, rows_neon, squares_neon, tiles_neon}},
#endif
    {"", {elements_any, rows_any, squares_any, tiles_any}},
};

static void run_own(const tensor_context *ctx, const tensor_gemm_task *task, int which)
{
    size_t set = 0, last = sizeof sets / sizeof *sets - 1;
    while (set != last && strcmp(sets[set].kernels, tensor_context_kernels(ctx)->name) != 0)
        set++;
    sets[set].by[which](task);
}

/* ---- the steps ---- */

static void plain(tensor_context *ctx, const tensor_gemm_task *task)
{
    (void)ctx;
    tensor_gemm_plain(task);
}

static void by_elements(tensor_context *ctx, const tensor_gemm_task *task)
{
    run_own(ctx, task, BY_ELEMENTS);
}

static void by_rows(tensor_context *ctx, const tensor_gemm_task *task)
{
    run_own(ctx, task, BY_ROWS);
}

static void by_squares(tensor_context *ctx, const tensor_gemm_task *task)
{
    run_own(ctx, task, BY_SQUARES);
}

static void by_tiles(tensor_context *ctx, const tensor_gemm_task *task)
{
    run_own(ctx, task, BY_TILES);
}

/* All of B goes into panels of a tile's width first, so that a tile reads it from front to back. */
static void by_panels(tensor_context *ctx, const tensor_gemm_task *task)
{
    const tensor_kernels *kernels = tensor_context_kernels(ctx);
    size_t floats = tensor_packed_floats(kernels, task->n, task->k);
    tensor_scratch_all(ctx, TENSOR_SCRATCH_PACK_B, floats * sizeof(float));
    float *packed = tensor_scratch(ctx, 0, TENSOR_SCRATCH_PACK_B);
    tensor_pack(kernels, packed, task->n, task->k, task->b, task->ldb, false);
    tensor_gemm_packed(kernels, task->m, task->n, task->k, (tensor_view){task->a, task->lda, 1},
                       (tensor_panels){packed, task->k, 0},
                       (tensor_target){task->c, task->ldc, false});
}

enum { M_BLOCK = 120, K_BLOCK = 512, N_BLOCK = 1024, A_STRIDE = K_BLOCK + 16 };

/* And in blocks: of B, what the L3 cache holds; of A, what L2 holds. The chains of C stop at the
 * end of a block of k, and the next block goes on with them. */
static void by_blocks(tensor_context *ctx, const tensor_gemm_task *task)
{
    const tensor_kernels *kernels = tensor_context_kernels(ctx);
    size_t floats = tensor_packed_floats(kernels, N_BLOCK, K_BLOCK);
    tensor_scratch_all(ctx, TENSOR_SCRATCH_PACK_A, sizeof(float) * M_BLOCK * A_STRIDE);
    tensor_scratch_all(ctx, TENSOR_SCRATCH_PACK_B, sizeof(float) * floats);
    float *left = tensor_scratch(ctx, 0, TENSOR_SCRATCH_PACK_A);
    float *right = tensor_scratch(ctx, 0, TENSOR_SCRATCH_PACK_B);
    for (int j = 0; j < task->n; j += N_BLOCK)
        for (int k = 0; k < task->k; k += K_BLOCK) {
            int columns = base_min(N_BLOCK, task->n - j), steps = base_min(K_BLOCK, task->k - k);
            const float *b = task->b + (size_t)k * task->ldb + j;
            tensor_pack(kernels, right, columns, steps, b, task->ldb, false);
            for (int i = 0; i < task->m; i += M_BLOCK) {
                int rows = base_min(M_BLOCK, task->m - i);
                const float *a = task->a + (size_t)i * task->lda + k;
                kernels->copy(left, A_STRIDE, a, task->lda, (size_t)rows, (size_t)steps);
                float *c = task->c + (size_t)i * task->ldc + j;
                tensor_gemm_packed(kernels, rows, columns, steps, (tensor_view){left, A_STRIDE, 1},
                                   (tensor_panels){right, steps, 0},
                                   (tensor_target){c, task->ldc, k > 0});
            }
        }
}

static const bench_walk_step steps[] = {
    {"1-three-loops", plain}, {"2-fma", by_elements},  {"3-rows", by_rows},
    {"4-tile", by_squares},   {"5-vectors", by_tiles}, {"6-panels", by_panels},
    {"7-blocks", by_blocks},  {"8-gemm", tensor_gemm}, {NULL, NULL}};

const bench_walk_step *bench_walk_steps(void) { return steps; }

/* ---- measured ---- */

typedef struct stroll {
    tensor_context *ctx;
    const bench_walk_step *step;
    tensor_gemm_task task;
} stroll;

static void take_step(void *state)
{
    const stroll *s = state;
    s->step->multiply(s->ctx, &s->task);
}

/* A gradient in a feed-forward layer: 256 rows, d_ff 1024 back to d_model 512. Large: four times as
 * long in each direction, so that nothing of it fits into a cache, for the steps that are made for
 * that. */
enum { M = 256, N = 512, K = 1024, LARGE = 4, FIRST_LARGE = 5 };

/* Parameters: which step, how many times as long. */
static bool run_step(const bench_case *self, bench_run *run, base_error *error)
{
    int times = self->parameter[1], m = M * times, n = N * times, k = K * times;
    float *a = bench_floats((size_t)m * (size_t)k, error);
    float *b = a ? bench_floats((size_t)k * (size_t)n, error) : NULL;
    float *c = b ? bench_floats((size_t)m * (size_t)n, error) : NULL;
    stroll s = {.ctx = run->ctx,
                .step = &steps[self->parameter[0]],
                .task = {.m = m, .n = n, .k = k, .a = a, .b = b, .c = c}};
    run->cold = self->parameter[0] == 0; /* a second or more */
    s.task.lda = (size_t)k;
    s.task.ldb = s.task.ldc = (size_t)n;
    if (c)
        bench_measure(run, NULL, take_step, &s);
    run->result->flops = 2.0 * m * n * k;
    bench_free(a);
    bench_free(b);
    bench_free(c);
    return c != NULL;
}

static void add_step(bench_list *list, const char *group, int i, int times)
{
    bench_case *c = bench_add(list);
    c->run = run_step;
    c->parameter[0] = i;
    c->parameter[1] = times;
    snprintf(c->name, sizeof c->name, "%s/%s", group, steps[i].name);
}

void bench_walk_cases(bench_list *list)
{
    for (int i = 0; steps[i].name; i++)
        add_step(list, "walk", i, 1);
    for (int i = FIRST_LARGE; steps[i].name; i++)
        add_step(list, "walk/large", i, LARGE);
}
