/* math.h -- log, exp and cosine in double, the same bits on every machine.
 *
 * A C library may round these as it likes, and each does it differently; whatever reaches the
 * weights or a score must therefore come from here. Only + - * / and sqrt are used, which IEEE 754
 * fixes. Errors stay below 4 units in the last place (tests/test_base_math.c measures them). */
#ifndef BASE_MATH_H
#define BASE_MATH_H

double base_log(double x);       /* natural; x > 0 finite. x == 0: -infinity; x < 0: NaN */
double base_exp(double x);       /* saturates to 0 and infinity */
double base_cos_turns(double t); /* cos(2 pi t), t in turns: no reduction error for any t */

/* exp(y log x) for x > 0. The exponent's rounding is the result's relative error: up to
 * 3 |y log x| units more. */
double base_pow(double x, double y);

#endif
