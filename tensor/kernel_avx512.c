/* SPDX-License-Identifier: MIT */
/* kernel_avx512.c -- the kernels for AVX-512 (x86; only its foundation, "F", is used).
 *
 * 16 floats a vec: all lanes of a reduction are one register. Masks are registers of their own, of
 * a bit a float, and loads and stores take them, so that the end of an array costs nothing more. */
#include "tensor/kernel_sets.h"

#if TENSOR_HAS_X86

#include <immintrin.h>
#include <stdint.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,fma")
#endif

typedef __m512 vec;

enum { VEC_WIDTH = 16 };

/* clang-format off */
static inline vec vec_set(float x)             { return _mm512_set1_ps(x); }
static inline vec vec_load(const float *p)     { return _mm512_loadu_ps(p); }
static inline void vec_store(float *p, vec a)  { _mm512_storeu_ps(p, a); }
static inline vec vec_add(vec a, vec b)        { return _mm512_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b)        { return _mm512_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b)        { return _mm512_mul_ps(a, b); }
static inline vec vec_div(vec a, vec b)        { return _mm512_div_ps(a, b); }
static inline vec vec_max(vec a, vec b)        { return _mm512_max_ps(a, b); }
static inline vec vec_min(vec a, vec b)        { return _mm512_min_ps(a, b); }
static inline vec vec_sqrt(vec a)              { return _mm512_sqrt_ps(a); }
static inline vec vec_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
static inline vec vec_abs(vec a)               { return _mm512_abs_ps(a); }
static inline __mmask16 vec_first(size_t n)    { return (__mmask16)((1U << n) - 1U); }
static inline __mmask16 vec_less(vec a, vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline __mmask16 vec_nan(vec a)         { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
static inline vec vec_select(__mmask16 m, vec a, vec b) { return _mm512_mask_blend_ps(m, b, a); }
/* clang-format on */

static inline vec vec_load_part(const float *p, size_t n)
{
    return _mm512_maskz_loadu_ps(vec_first(n), p);
}

static inline void vec_store_part(float *p, vec a, size_t n)
{
    _mm512_mask_storeu_ps(p, vec_first(n), a);
}

static inline vec vec_copysign(vec size, vec sign)
{
    __m512i bit = _mm512_set1_epi32(INT32_MIN);
    __m512i s = _mm512_and_si512(bit, _mm512_castps_si512(sign));
    __m512i a = _mm512_andnot_si512(bit, _mm512_castps_si512(size));
    return _mm512_castsi512_ps(_mm512_or_si512(s, a));
}

static inline vec vec_shift23(vec a)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), 23));
}

static inline vec pairs_low(vec a, vec b)
{
    return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}

static inline vec pairs_high(vec a, vec b)
{
    return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}

/* Each step doubles the size of the squares that stand transposed: 1 float to 2, to 4 (each within
 * quarters of 4 floats), then the quarters among themselves. */
static inline void vec_transpose(vec *row)
{
    vec t[16];
    UNROLL
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(row[i], row[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(row[i], row[i + 1]);
    }
    UNROLL
    for (int i = 0; i < 16; i += 4) {
        row[i] = pairs_low(t[i], t[i + 2]);
        row[i + 1] = pairs_high(t[i], t[i + 2]);
        row[i + 2] = pairs_low(t[i + 1], t[i + 3]);
        row[i + 3] = pairs_high(t[i + 1], t[i + 3]);
    }
    /* now quarter q of row[4 i + j] holds column 4 q + j of rows 4 i .. 4 i + 3 */
    UNROLL
    for (int j = 0; j < 4; j++) {
        vec even = _mm512_shuffle_f32x4(row[j], row[4 + j], 0x88);
        vec odd = _mm512_shuffle_f32x4(row[j], row[4 + j], 0xdd);
        vec even2 = _mm512_shuffle_f32x4(row[8 + j], row[12 + j], 0x88);
        vec odd2 = _mm512_shuffle_f32x4(row[8 + j], row[12 + j], 0xdd);
        t[j] = _mm512_shuffle_f32x4(even, even2, 0x88);
        t[8 + j] = _mm512_shuffle_f32x4(even, even2, 0xdd);
        t[4 + j] = _mm512_shuffle_f32x4(odd, odd2, 0x88);
        t[12 + j] = _mm512_shuffle_f32x4(odd, odd2, 0xdd);
    }
    UNROLL
    for (int i = 0; i < 16; i++)
        row[i] = t[i];
}

/* 14 x 2 sums, two of b and one of a fill 31 of the 32 registers. */
/* clang-format off */
#define TILE_ROWS(CASE)                                     \
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) \
    CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
/* clang-format on */
#define TILE_VECS 2
#define SET       tensor_kernels_avx512
#define SET_NAME  "avx512"

#define SCALAR_FMA __builtin_fmaf

#include "tensor/vec_math_body.h"
#include "tensor/kernel_body.h"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
