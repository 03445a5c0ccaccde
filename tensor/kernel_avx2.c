/* SPDX-License-Identifier: MIT */
/* kernel_avx2.c -- the kernels for AVX2 with FMA (x86 since Haswell and Zen).
 *
 * 8 floats a vec, 16 registers, two fma a cycle of 4 or 5 cycles' latency: 8 to 10 independent sums
 * are what keeps both units busy, so a tile has 12. */
#include "tensor/kernel_sets.h"

#if TENSOR_HAS_X86

#include <immintrin.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

typedef __m256 vec;

enum { VEC_WIDTH = 8 };

/* clang-format off */
static inline vec vec_set(float x)             { return _mm256_set1_ps(x); }
static inline vec vec_load(const float *p)     { return _mm256_loadu_ps(p); }
static inline void vec_store(float *p, vec a)  { _mm256_storeu_ps(p, a); }
static inline vec vec_add(vec a, vec b)        { return _mm256_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b)        { return _mm256_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b)        { return _mm256_mul_ps(a, b); }
static inline vec vec_div(vec a, vec b)        { return _mm256_div_ps(a, b); }
static inline vec vec_max(vec a, vec b)        { return _mm256_max_ps(a, b); }
static inline vec vec_min(vec a, vec b)        { return _mm256_min_ps(a, b); }
static inline vec vec_sqrt(vec a)              { return _mm256_sqrt_ps(a); }
static inline vec vec_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
static inline vec vec_less(vec a, vec b)       { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
static inline vec vec_nan(vec a)               { return _mm256_cmp_ps(a, a, _CMP_UNORD_Q); }
static inline vec vec_abs(vec a)               { return _mm256_andnot_ps(vec_set(-0.0F), a); }
static inline vec vec_select(vec mask, vec a, vec b) { return _mm256_blendv_ps(b, a, mask); }
/* clang-format on */

/* n words of ones, then zeros: a window over an array that has both. */
static inline vec vec_first(size_t n)
{
    static const int32_t ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_ps((const float *)(const void *)(ones + 8 - n));
}

static inline vec vec_load_part(const float *p, size_t n)
{
    return _mm256_maskload_ps(p, _mm256_castps_si256(vec_first(n)));
}

/* 4, 2 and 1 of them, by the bits of n: a masked store takes far longer on some machines. */
static inline void vec_store_part(float *p, vec a, size_t n)
{
    __m128 rest = _mm256_castps256_ps128(a);
    if (n & 4) {
        _mm_storeu_ps(p, rest);
        rest = _mm256_extractf128_ps(a, 1);
        p += 4;
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)(void *)p, rest);
        rest = _mm_movehl_ps(rest, rest);
        p += 2;
    }
    if (n & 1)
        _mm_store_ss(p, rest);
}

static inline vec vec_copysign(vec size, vec sign)
{
    return _mm256_or_ps(vec_abs(size), _mm256_and_ps(_mm256_set1_ps(-0.0F), sign));
}

static inline vec vec_shift23(vec a)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), 23));
}

static inline vec pairs_low(vec a, vec b)
{
    return _mm256_castpd_ps(_mm256_unpacklo_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)));
}

static inline vec pairs_high(vec a, vec b)
{
    return _mm256_castpd_ps(_mm256_unpackhi_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)));
}

/* Each step doubles the size of the squares that stand transposed: 1 float to 2, to 4 (each within
 * halves of 4 floats), then the halves among themselves. */
static inline void vec_transpose(vec *row)
{
    vec t[8];
    UNROLL
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
    }
    UNROLL
    for (int i = 0; i < 8; i += 4) {
        row[i] = pairs_low(t[i], t[i + 2]);
        row[i + 1] = pairs_high(t[i], t[i + 2]);
        row[i + 2] = pairs_low(t[i + 1], t[i + 3]);
        row[i + 3] = pairs_high(t[i + 1], t[i + 3]);
    }
    UNROLL
    for (int j = 0; j < 4; j++) {
        vec low = row[j], high = row[4 + j];
        row[j] = _mm256_permute2f128_ps(low, high, 0x20);
        row[4 + j] = _mm256_permute2f128_ps(low, high, 0x31);
    }
}

/* 6 x 2 sums, two of b and one of a fill 15 of the 16 registers. */
#define TILE_ROWS(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#define TILE_VECS       2
#define SET             tensor_kernels_avx2
#define SET_NAME        "avx2"

#define SCALAR_FMA __builtin_fmaf

#include "tensor/vec_math_body.h"
#include "tensor/kernel_body.h"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
