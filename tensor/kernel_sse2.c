/* SPDX-License-Identifier: MIT */
/* kernel_sse2.c -- the kernels for SSE2, which every x86-64 machine has.
 *
 * There is no fma: it is emulated in double, two floats at a time, which makes this set several
 * times slower than its width suggests. Nor are there loads of a part of a vec or a blend: parts go
 * through memory, and a choice is made with and, and-not, or. */
#include "tensor/kernel_sets.h"

#if TENSOR_HAS_X86

#include <emmintrin.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("sse2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("sse2")
#endif

typedef __m128 vec;

enum { VEC_WIDTH = 4 };

/* clang-format off */
static inline vec vec_set(float x)            { return _mm_set1_ps(x); }
static inline vec vec_load(const float *p)    { return _mm_loadu_ps(p); }
static inline void vec_store(float *p, vec a) { _mm_storeu_ps(p, a); }
static inline vec vec_add(vec a, vec b)       { return _mm_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b)       { return _mm_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b)       { return _mm_mul_ps(a, b); }
static inline vec vec_div(vec a, vec b)       { return _mm_div_ps(a, b); }
static inline vec vec_max(vec a, vec b)       { return _mm_max_ps(a, b); }
static inline vec vec_min(vec a, vec b)       { return _mm_min_ps(a, b); }
static inline vec vec_sqrt(vec a)             { return _mm_sqrt_ps(a); }
static inline vec vec_less(vec a, vec b)      { return _mm_cmplt_ps(a, b); }
static inline vec vec_nan(vec a)              { return _mm_cmpunord_ps(a, a); }
static inline vec vec_abs(vec a)              { return _mm_andnot_ps(vec_set(-0.0F), a); }
/* clang-format on */

/* n words of ones, then zeros: a window over an array that has both. */
static inline vec vec_first(size_t n)
{
    static const int32_t ones[8] = {-1, -1, -1, -1};
    return _mm_loadu_ps((const float *)(const void *)(ones + 4 - n));
}

static inline vec vec_load_part(const float *p, size_t n)
{
    float all[4] = {0};
    for (size_t i = 0; i < n; i++)
        all[i] = p[i];
    return _mm_loadu_ps(all);
}

static inline void vec_store_part(float *p, vec a, size_t n)
{
    float all[4];
    _mm_storeu_ps(all, a);
    for (size_t i = 0; i < n; i++)
        p[i] = all[i];
}

static inline vec vec_select(vec mask, vec a, vec b)
{
    return _mm_or_ps(_mm_and_ps(mask, a), _mm_andnot_ps(mask, b));
}

/* The size's bits without its sign, and the sign's alone: -0 is the bit of the sign. */
static inline vec vec_copysign(vec size, vec sign)
{
    return _mm_or_ps(vec_abs(size), _mm_and_ps(_mm_set1_ps(-0.0F), sign));
}

static inline vec vec_shift23(vec a)
{
    return _mm_castsi128_ps(_mm_slli_epi32(_mm_castps_si128(a), 23));
}

/* a b + c in double, rounded to odd: two at a time of what fused_exactly() in kernel_scalar.c does
 * and explains. A comparison's mask is -1 where it holds, as an integer. */
static inline __m128d sum_to_odd(__m128d a, __m128d b, __m128d c)
{
    const __m128d zero = _mm_setzero_pd();
    __m128d product = _mm_mul_pd(a, b), sum = _mm_add_pd(product, c);
    __m128d part = _mm_sub_pd(sum, product);
    __m128d lost = _mm_add_pd(_mm_sub_pd(product, _mm_sub_pd(sum, part)), _mm_sub_pd(c, part));
    __m128d side = _mm_mul_pd(lost, sum);
    __m128d beyond = _mm_cmplt_pd(side, zero),
            inexact = _mm_or_pd(beyond, _mm_cmpgt_pd(side, zero));
    __m128i bits = _mm_add_epi64(_mm_castpd_si128(sum), _mm_castpd_si128(beyond));
    __m128i odd = _mm_srli_epi64(_mm_castpd_si128(inexact), 63);
    return _mm_castsi128_pd(_mm_or_si128(bits, odd));
}

/* The two low floats, then the two high ones. */
static inline vec vec_fma(vec a, vec b, vec c)
{
    __m128d low = sum_to_odd(_mm_cvtps_pd(a), _mm_cvtps_pd(b), _mm_cvtps_pd(c));
    a = _mm_movehl_ps(a, a);
    b = _mm_movehl_ps(b, b);
    c = _mm_movehl_ps(c, c);
    __m128d high = sum_to_odd(_mm_cvtps_pd(a), _mm_cvtps_pd(b), _mm_cvtps_pd(c));
    return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
}

static inline void vec_transpose(vec *row) { _MM_TRANSPOSE4_PS(row[0], row[1], row[2], row[3]); }

/* Few sums: the emulation needs most of the 16 registers itself. */
#define TILE_ROWS(CASE) CASE(1) CASE(2) CASE(3) CASE(4)
#define TILE_VECS       1
#define SET             tensor_kernels_sse2
#define SET_NAME        "sse2"

#define SCALAR_FMA tensor_fmaf

#include "tensor/vec_math_body.h"
#include "tensor/kernel_body.h"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
