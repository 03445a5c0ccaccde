/* SPDX-License-Identifier: MIT */
/* vec_math_body.h -- exp, tanh and erf in float32, over the vec_ operations of the file around it.
 *
 * kernel_scalar.c includes it with a vec of one float, the SIMD sets with theirs; since every vec_
 * operation rounds as IEEE 754 says, all get the same bits. Used here:
 *
 *   vec                         some floats, side by side
 *   vec_set(f)                  all equal to f
 *   vec_add, vec_sub, vec_mul, vec_div, vec_fma(a, b, c) = a b + c, rounded once
 *   vec_max(a, b) = a > b ? a : b,  vec_min(a, b) = a < b ? a : b    so a NaN in b is kept
 *   vec_less(a, b)              a mask;  vec_select(mask, a, b) = mask ? a : b
 *   vec_abs(a), vec_copysign(size, sign)
 *   vec_shift23(a)              the bits of a, as an integer, shifted left by 23
 *
 * Each function reduces its argument to an interval around 0 and evaluates a polynomial there whose
 * coefficients make the largest weighted error least (Remez's exchange on a dense grid, in 30
 * digits). They were rounded to float one after another, lowest power first, and the remaining ones
 * fitted again after each. What they leave is given with each table; half a unit in the last place
 * is 6.0e-8. Largest errors over all floats, in units in the last place: exp 0.90, tanh 1.37, erf
 * 1.04 (and log, in log_body.h, 1.66); tests/tensor/test_kernel.c samples them. */
#ifndef TENSOR_VEC_MATH_BODY_H
#define TENSOR_VEC_MATH_BODY_H

/* p = p x + c, one step of Horner's rule */
static inline vec vec_horner(vec p, vec x, float c) { return vec_fma(p, x, vec_set(c)); }

/* x = n ln 2 + r with integer n and |r| <= ln(2)/2, so e^x = 2^n e^r.
 *
 * Adding 1.5 2^23 to a number below 2^22 leaves no bits behind the point: it rounds to the nearest
 * integer, and leaves that integer in the low bits of the sum. With 127 added as well, those bits
 * are the exponent field of 2^n, and one shift puts them where they belong. */
static const float VEC_ROUND = 0x1.8p23F + 127.0F;

/* e^r for |r| <= ln(2)/2: 1 + r + r^2 q(r), relative error 3.2e-9. */
static inline vec vec_exp_reduced(vec r)
{
    vec p = vec_set(0x1.6ac746p-10F);
    p = vec_horner(p, r, 0x1.123de0p-7F);
    p = vec_horner(p, r, 0x1.555858p-5F);
    p = vec_horner(p, r, 0x1.55548cp-3F);
    p = vec_horner(p, r, 0x1.fffffcp-2F);
    p = vec_horner(p, r, 1.0F);
    return vec_horner(p, r, 1.0F);
}

/* x - n ln 2. ln 2 comes in two pieces; the first fma is exact, as its result is a multiple of the
 * smaller of x's and the piece's last place, and less than 2^24 of them. */
static inline vec vec_exp_remainder(vec x, vec n)
{
    vec r = vec_fma(n, vec_set(-0x1.62e430p-1F), x);
    return vec_fma(n, vec_set(0x1.05c610p-29F), r);
}

/* e^x where it and 2^n are normal numbers: -87 <= x <= 88. */
static inline vec vec_exp_normal(vec x)
{
    vec t = vec_fma(x, vec_set(0x1.715476p+0F), vec_set(VEC_ROUND));
    vec n = vec_sub(t, vec_set(VEC_ROUND));
    return vec_mul(vec_exp_reduced(vec_exp_remainder(x, n)), vec_shift23(t));
}

/* e^x for any x. 2^n is multiplied in as two halves, since it may be out of range by itself, and so
 * the second product rounds a denormal result. Beyond the limits all is 0 or infinity. */
static inline vec vec_exp(vec x)
{
    x = vec_min(vec_set(89.0F), vec_max(vec_set(-104.0F), x));
    vec t = vec_fma(x, vec_set(0x1.715476p+0F), vec_set(VEC_ROUND));
    vec n = vec_sub(t, vec_set(VEC_ROUND));
    vec half = vec_fma(n, vec_set(0.5F), vec_set(VEC_ROUND));
    vec rest = vec_add(vec_sub(n, vec_sub(half, vec_set(VEC_ROUND))), vec_set(VEC_ROUND));
    vec p = vec_exp_reduced(vec_exp_remainder(x, n));
    return vec_mul(vec_mul(p, vec_shift23(half)), vec_shift23(rest));
}

/* |x| < 0.625: x + x^3 P(x^2), relative error 4.5e-9. Above: 1 - 2 / (e^2|x| + 1), which has
 * nothing left to cancel there. From 9.02 on the result rounds to 1. */
static inline vec vec_tanh(vec x)
{
    vec a = vec_abs(x), s = vec_mul(a, a);
    vec p = vec_set(-0x1.750ce2p-8F);
    p = vec_horner(p, s, 0x1.51f8cep-6F);
    p = vec_horner(p, s, -0x1.b835a4p-5F);
    p = vec_horner(p, s, 0x1.1106f6p-3F);
    p = vec_horner(p, s, -0x1.555532p-2F);
    vec small = vec_fma(vec_mul(p, s), a, a);

    vec e = vec_exp_normal(vec_min(vec_set(20.0F), vec_add(a, a)));
    vec large = vec_sub(vec_set(1.0F), vec_div(vec_set(2.0F), vec_add(e, vec_set(1.0F))));
    return vec_copysign(vec_select(vec_less(a, vec_set(0.625F)), small, large), x);
}

/* |x| < 0.875: x + x P(x^2), relative error 1.5e-8. Above: 1 - erfc(|x|), where log erfc(a) =
 * -a + a Q(a), error in erf 1.1e-9. From 3.92 on the result rounds to 1. */
static inline vec vec_erf(vec x)
{
    vec a = vec_abs(x), s = vec_mul(a, a);
    vec p = vec_set(-0x1.3ba5aap-11F);
    p = vec_horner(p, s, 0x1.479c18p-8F);
    p = vec_horner(p, s, -0x1.b69b8ep-6F);
    p = vec_horner(p, s, 0x1.ce1b86p-4F);
    p = vec_horner(p, s, -0x1.8126ecp-2F);
    p = vec_horner(p, s, 0x1.06eba6p-3F);
    vec small = vec_fma(p, a, a);

    vec b = vec_min(vec_set(3.95F), a);
    vec q = vec_set(-0x1.3a4280p-17F);
    q = vec_horner(q, b, 0x1.3f1fa4p-12F);
    q = vec_horner(q, b, -0x1.d3b416p-9F);
    q = vec_horner(q, b, 0x1.82c7f8p-6F);
    q = vec_horner(q, b, -0x1.b26b9ap-4F);
    q = vec_horner(q, b, -0x1.454064p-1F);
    q = vec_horner(q, b, -0x1.076b72p-3F);
    vec large = vec_sub(vec_set(1.0F), vec_exp_normal(vec_fma(q, b, vec_sub(vec_set(0.0F), b))));
    return vec_copysign(vec_select(vec_less(a, vec_set(0.875F)), small, large), x);
}

#endif
