/* SPDX-License-Identifier: MIT */
/* math.c -- log, exp and cosine out of + - * / alone.
 *
 * Each function reduces its argument, exactly or nearly so, to a small interval, and sums a Taylor
 * series there, long enough that the rest is below a quarter of a unit in the last place. (Minimax
 * polynomials would be two or three terms shorter and could not be checked by eye.) The rules, from
 * Muller, "Elementary Functions", and Cody & Waite 1980: the leading term of a sum must be exact or
 * nearly so, and everything that carries rounding errors is added to it last, being small.
 *
 * The bits depend on the operations as written: the compiler may neither fuse multiplications with
 * additions (-ffp-contract=off) nor reorder sums (no -ffast-math). */
#include "base/math.h"

/* gcc's -fsingle-precision-constant makes a float of it, and says so nowhere else. */
_Static_assert(sizeof(1.0) == sizeof(double), "constants are to be doubles");

#include <math.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* ln 2 in two pieces; the first has 33 bits, so that its product with an exponent is exact. */
static const double LN2_HIGH = 0x1.62e42fee00000p-1, LN2_LOW = 0x1.a39ef35793c76p-33;
static const double INVERSE_LN2 = 0x1.71547652b82fep+0;
static const double TWO_PI = 0x1.921fb54442d18p+2;

/* c[0] + c[1] x + c[2] x^2 + ..., by Horner's rule. */
static double polynomial(double x, const double *c, int terms)
{
    double sum = c[terms - 1];
    for (int i = terms - 2; i >= 0; i--)
        sum = sum * x + c[i];
    return sum;
}

/* 2^k for a normal result, -1022 <= k <= 1023. */
static double power_of_two(int k) { return base_double_of_bits((uint64_t)(k + 1023) << 52); }

/* x = 2^k m with sqrt(1/2) <= m < sqrt(2), and f = m - 1, which is exact. With s = f / (2 + f),
 *
 *     log(1 + f) = 2 atanh(s) = 2s + s R,   R = 2 (s^2/3 + s^4/5 + s^6/7 + ...)
 *                = f - s (f - R)            since 2s = f - s f
 *
 * where f is exact and the product is less than a fifth of it. |s| < 0.1716, s^2 < 0.0295: R ends
 * with s^22/23, the next term is below 2^-64. */
double base_log(double x)
{
    static const double series[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11, 2.0 / 13,
                                    2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23};
    if (!(x > 0 && x < INFINITY))
        return x == 0 ? -INFINITY : x < 0 ? NAN : x;

    int k = 0;
    if (x < 0x1p-1022) { /* subnormal */
        x *= 0x1p54;
        k = -54;
    }
    uint64_t bits = base_bits_of_double(x);
    k += (int)(bits >> 52) - 1023;
    double m = base_double_of_bits((bits & 0xFFFFFFFFFFFFF) | (uint64_t)1023 << 52); /* [1, 2) */
    if (m > 0x1.6a09e667f3bcdp+0) {
        m *= 0.5;
        k++;
    }

    double f = m - 1, s = f / (2 + f), z = s * s;
    double rest = z * polynomial(z, series, COUNT(series));
    return k * LN2_HIGH + (f - (s * (f - rest) - k * LN2_LOW));
}

/* x = k ln 2 + r with |r| <= ln(2) / 2 < 0.347; exp(x) = 2^k exp(r). k LN2_HIGH is exact, and so is
 * its difference from x. The series ends with r^14/14!, the next term is below 2^-62. */
double base_exp(double x)
{
    static const double series[] = {
        1.0 / 2,         1.0 / 6,          1.0 / 24,         1.0 / 120,     1.0 / 720,
        1.0 / 5040,      1.0 / 40320,      1.0 / 362880,     1.0 / 3628800, 1.0 / 39916800,
        1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200};
    if (x != x)
        return x;
    if (x > 709.8)
        return INFINITY;
    if (x < -745.2)
        return 0;

    int k = (int)(x * INVERSE_LN2 + (x < 0 ? -0.5 : 0.5));
    double r = (x - k * LN2_HIGH) - k * LN2_LOW;
    double y = 1 + (r + r * r * polynomial(r, series, COUNT(series)));

    /* In two steps: 2^1024 is no double, and a subnormal result must be rounded once, at last. */
    return y * power_of_two(k / 2) * power_of_two(k - k / 2);
}

/* Cosine and sine for |x| <= pi/4. The first terms left out are x^18/18! and x^19/19!, below
 * 2^-58 and 2^-62. */
static double cosine(double x)
{
    static const double series[] = {
        -1.0 / 2,       1.0 / 24,        -1.0 / 720,         1.0 / 40320,
        -1.0 / 3628800, 1.0 / 479001600, -1.0 / 87178291200, 1.0 / 20922789888000};
    double z = x * x;
    return 1 + z * polynomial(z, series, COUNT(series));
}

static double sine(double x)
{
    static const double series[] = {
        -1.0 / 6,        1.0 / 120,        -1.0 / 5040,          1.0 / 362880,
        -1.0 / 39916800, 1.0 / 6227020800, -1.0 / 1307674368000, 1.0 / 355687428096000};
    double z = x * x;
    return x + x * (z * polynomial(z, series, COUNT(series)));
}

/* Whole, half and quarter turns are removed while the angle is in turns, where that is exact; at most
 * an eighth of a turn is left to be multiplied by 2 pi. */
double base_cos_turns(double t)
{
    if (!(t > -INFINITY && t < INFINITY))
        return NAN;
    if (t < 0)
        t = -t;
    if (t >= 0x1p53) /* a whole number */
        return 1;
    t -= (double)(int64_t)t;
    if (t > 0.5)
        t = 1 - t;
    double sign = 1;
    if (t > 0.25) {
        t = 0.5 - t;
        sign = -1;
    }
    return sign * (t <= 0.125 ? cosine(TWO_PI * t) : sine(TWO_PI * (0.25 - t)));
}

double base_pow(double x, double y) { return base_exp(y * base_log(x)); }
