/* SPDX-License-Identifier: MIT */
/* kernel_neon.c -- the kernels for NEON on AArch64, which every such machine has.
 *
 * 4 floats a vec and fma in hardware. vec_max and vec_min are made of a comparison and a choice, as
 * NEON's own return a NaN where either operand is one, and x86's the second operand. */
#include "tensor/kernel_sets.h"

#if TENSOR_HAS_NEON

#include <arm_neon.h>

typedef float32x4_t vec;

enum { VEC_WIDTH = 4 };

/* clang-format off */
static inline vec vec_set(float x)              { return vdupq_n_f32(x); }
static inline vec vec_load(const float *p)      { return vld1q_f32(p); }
static inline void vec_store(float *p, vec a)   { vst1q_f32(p, a); }
static inline vec vec_add(vec a, vec b)         { return vaddq_f32(a, b); }
static inline vec vec_sub(vec a, vec b)         { return vsubq_f32(a, b); }
static inline vec vec_mul(vec a, vec b)         { return vmulq_f32(a, b); }
static inline vec vec_div(vec a, vec b)         { return vdivq_f32(a, b); }
static inline vec vec_sqrt(vec a)               { return vsqrtq_f32(a); }
static inline vec vec_fma(vec a, vec b, vec c)  { return vfmaq_f32(c, a, b); }
static inline uint32x4_t vec_less(vec a, vec b) { return vcltq_f32(a, b); }
static inline uint32x4_t vec_nan(vec a)         { return vmvnq_u32(vceqq_f32(a, a)); }
static inline vec vec_max(vec a, vec b)         { return vbslq_f32(vcgtq_f32(a, b), a, b); }
static inline vec vec_min(vec a, vec b)         { return vbslq_f32(vcltq_f32(a, b), a, b); }
static inline vec vec_abs(vec a)                { return vabsq_f32(a); }
static inline vec vec_select(uint32x4_t mask, vec a, vec b) { return vbslq_f32(mask, a, b); }
/* clang-format on */

/* n words of ones, then zeros: a window over an array that has both. */
static inline uint32x4_t vec_first(size_t n)
{
    static const uint32_t ones[8] = {~0U, ~0U, ~0U, ~0U};
    return vld1q_u32(ones + 4 - n);
}

static inline vec vec_load_part(const float *p, size_t n)
{
    float all[4] = {0};
    for (size_t i = 0; i < n; i++)
        all[i] = p[i];
    return vld1q_f32(all);
}

static inline void vec_store_part(float *p, vec a, size_t n)
{
    float all[4];
    vst1q_f32(all, a);
    for (size_t i = 0; i < n; i++)
        p[i] = all[i];
}

static inline vec vec_copysign(vec size, vec sign)
{
    return vbslq_f32(vdupq_n_u32(0x80000000U), sign, size);
}

static inline vec vec_shift23(vec a)
{
    return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(a), 23));
}

/* Two rounds of interleaving: rows 0 and 2, 1 and 3, then the results. */
static inline void vec_transpose(vec *row)
{
    vec t0 = vzip1q_f32(row[0], row[2]), t1 = vzip2q_f32(row[0], row[2]);
    vec t2 = vzip1q_f32(row[1], row[3]), t3 = vzip2q_f32(row[1], row[3]);
    row[0] = vzip1q_f32(t0, t2);
    row[1] = vzip2q_f32(t0, t2);
    row[2] = vzip1q_f32(t1, t3);
    row[3] = vzip2q_f32(t1, t3);
}

/* 12 x 2 sums, two of b and one of a fill 27 of the 32 registers. */
/* clang-format off */
#define TILE_ROWS(CASE)                             \
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) \
    CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
/* clang-format on */
#define TILE_VECS 2
#define SET       tensor_kernels_neon
#define SET_NAME  "neon"

#define SCALAR_FMA __builtin_fmaf

#include "tensor/vec_math_body.h"
#include "tensor/kernel_body.h"

#endif
