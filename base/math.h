/* SPDX-License-Identifier: MIT */
/* math.h -- log, exp and cosine in double, the same bits on every machine; then the bits of a
 * number, the lesser of two integers, and division rounded up.
 *
 * C libraries round log, exp and cosine in different ways; whatever reaches the weights or a score
 * must therefore come from here. Only + - * / and sqrt are used, whose rounding IEEE 754 fixes.
 * Errors stay below 4 units in the last place (tests/base/test_math.c measures them). */
#ifndef BASE_MATH_H
#define BASE_MATH_H

/* What nobody who compiles this may trade away: a NaN is to be seen as one (a training that diverged has
 * no score), sums keep their order, and a float is a float after every operation. */
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) || \
    defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || defined(__NO_SIGNED_ZEROS__)
#error \
    "-ffast-math, parts of it and -Ofast change results, which are to be the same bits everywhere: take -O2 or -O3"
#endif

#include <float.h>
#include <stdint.h>
#include <string.h>

/* 16 is of _Float16 alone: float and double are computed as such (ISO/IEC TS 18661-3). */
#if defined FLT_EVAL_METHOD && FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16
#error \
    "floats are computed in wider registers here, so that results would be other bits: for 32-bit x86 take -msse2 -mfpmath=sse"
#endif

double base_log(double x);       /* natural; x > 0 finite. x == 0: -infinity; x < 0: NaN */
double base_exp(double x);       /* saturates to 0 and infinity */
double base_cos_turns(double t); /* cos(2 pi t), t in turns: no reduction error for any t */

/* exp(y log x) for x > 0. The exponent's rounding is the result's relative error: up to
 * 3 |y log x| units more. */
double base_pow(double x, double y);

/* A number and the bits that hold it, by IEEE 754. */
static inline uint64_t base_bits_of_double(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double base_double_of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t base_bits_of_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float base_float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline int base_min(int a, int b) { return a < b ? a : b; }

/* a / b rounded up, for a >= 0 and b > 0. */
static inline int base_ceil_div(int a, int b) { return a / b + (a % b != 0); }

#endif
