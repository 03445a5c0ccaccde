/* SPDX-License-Identifier: MIT */
/* bench_peak.c -- what the machine can do at most: multiply-adds in registers, bytes from memory.
 *
 * The yardstick of every other figure. A multiply-add counts as two operations, and the width is
 * that of the kernel set that the context has picked; a set without a fused multiply-add (SSE2, and
 * scalar where the processor has none) is held against a product and a sum. */
#include "base/clock.h"
#include "bench/bench.h"
#include "tensor/kernel_sets.h"
#include <math.h>
#include <string.h>

#ifdef __TINYC__ /* has no _Pragma, and no vectors to keep in registers */
#undef UNROLL
#define UNROLL
#endif

#if TENSOR_HAS_X86

#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f")
#endif
#define VEC              __m512
#define VEC_WIDTH        16
#define VEC_LOAD(p)      _mm512_loadu_ps(p)
#define VEC_STORE(p, a)  _mm512_storeu_ps(p, a)
#define VEC_ADD(a, b)    _mm512_add_ps(a, b)
#define VEC_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define CHAINS           16
#define MULTIPLY_ADDS    multiply_adds_avx512
#define READ             read_avx512
#include "bench/bench_peak_body.h"
#ifdef __clang__
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#define VEC              __m256
#define VEC_WIDTH        8
#define VEC_LOAD(p)      _mm256_loadu_ps(p)
#define VEC_STORE(p, a)  _mm256_storeu_ps(p, a)
#define VEC_ADD(a, b)    _mm256_add_ps(a, b)
#define VEC_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define CHAINS           12
#define MULTIPLY_ADDS    multiply_adds_avx2
#define READ             read_avx2
#include "bench/bench_peak_body.h"
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#define VEC              __m128
#define VEC_WIDTH        4
#define VEC_LOAD(p)      _mm_loadu_ps(p)
#define VEC_STORE(p, a)  _mm_storeu_ps(p, a)
#define VEC_ADD(a, b)    _mm_add_ps(a, b)
#define VEC_FMA(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
#define CHAINS           12
#define MULTIPLY_ADDS    multiply_adds_sse2
#define READ             read_sse2
#include "bench/bench_peak_body.h"

#endif

#if TENSOR_HAS_NEON

#include <arm_neon.h>

#define VEC              float32x4_t
#define VEC_WIDTH        4
#define VEC_LOAD(p)      vld1q_f32(p)
#define VEC_STORE(p, a)  vst1q_f32(p, a)
#define VEC_ADD(a, b)    vaddq_f32(a, b)
#define VEC_FMA(a, b, c) vfmaq_f32(c, a, b)
#define CHAINS           16
#define MULTIPLY_ADDS    multiply_adds_neon
#define READ             read_neon
#include "bench/bench_peak_body.h"

#endif

#define VEC             float
#define VEC_WIDTH       1
#define VEC_LOAD(p)     (*(p))
#define VEC_STORE(p, a) (*(p) = (a))
#define VEC_ADD(a, b)   ((a) + (b))
#ifdef FP_FAST_FMAF
#define VEC_FMA(a, b, c) fmaf(a, b, c)
#else
#define VEC_FMA(a, b, c) ((a) * (b) + (c))
#endif
#define CHAINS        12
#define MULTIPLY_ADDS multiply_adds_scalar
#define READ          read_scalar
#include "bench/bench_peak_body.h"

typedef struct limits {
    const char *kernels; /* the set's name */
    float (*multiply_adds)(long steps, const float *start);
    float (*read)(const float *x, size_t count);
    double flops_a_step;
} limits;

static const limits sets[] = {
#if TENSOR_HAS_X86
    {"avx512", multiply_adds_avx512, read_avx512, 2.0 * 16 * 16},
    {"avx2", multiply_adds_avx2, read_avx2, 2.0 * 12 * 8},
    {"sse2", multiply_adds_sse2, read_sse2, 2.0 * 12 * 4},
#endif
#if TENSOR_HAS_NEON
    {"neon", multiply_adds_neon, read_neon, 2.0 * 16 * 4},
#endif
    {"scalar", multiply_adds_scalar, read_scalar, 2.0 * 12},
};

/* The last one is scalar: also for a set that this file does not know. */
static const limits *limits_of(const tensor_context *ctx)
{
    const limits *set = sets, *last = &sets[sizeof sets / sizeof *sets - 1];
    while (set != last && strcmp(set->kernels, tensor_context_kernels(ctx)->name) != 0)
        set++;
    return set;
}

/* ---- bursts ---- */

enum { STEPS = 4000, MOST_THREADS = 64, START = 32 + 16 };

typedef struct burst {
    const limits *set;
    double seconds;
    double rate[MOST_THREADS]; /* of each piece */
    int worker[MOST_THREADS];  /* who did it */
    float sink[MOST_THREADS];  /* so that the work cannot be left out */
} burst;

static void one_burst(void *argument, int i, int worker)
{
    burst *b = argument;
    float start[START];
    for (int k = 0; k < START; k++)
        start[k] = k < 16 ? 0.999f : 0.001f * (float)k;
    float sink = b->set->multiply_adds(STEPS, start);
    double began = base_clock(), now;
    long turns = 0;
    do {
        sink += b->set->multiply_adds(STEPS, start);
        turns++;
        now = base_clock();
    } while (now - began < b->seconds);
    b->rate[i] = (double)turns * STEPS * b->set->flops_a_step / (now - began);
    b->worker[i] = worker;
    b->sink[i] = sink;
}

/* One piece a thread. Where a thread did two, another did none: what the machine does is the mean
 * rate times the threads that took part. */
double bench_peak(tensor_context *ctx, double seconds)
{
    burst b = {.set = limits_of(ctx), .seconds = seconds};
    int threads = tensor_threads(ctx), workers = 0;
    tensor_parallel(ctx, threads, one_burst, &b);
    bool seen[MOST_THREADS] = {false};
    double sum = 0;
    for (int i = 0; i < threads; i++) {
        sum += b.rate[i];
        workers += !seen[b.worker[i]];
        seen[b.worker[i]] = true;
    }
    return sum / threads * workers;
}

float bench_read(const tensor_context *ctx, const float *x, size_t count)
{
    return limits_of(ctx)->read(x, count);
}
