/* SPDX-License-Identifier: MIT */
/* test_math.c -- base/math.h against the C library's long double functions, in units in the
 * last place, and against the bits it gave when it was written.
 *
 * Where long double is no longer than double, the reference is itself wrong by up to a unit; the
 * bounds leave room for that. */
#include "base/math.h"

#include "base/hash.h"
#include "base/random.h"
#include "tests/test.h"
#include "tests/test_normal.h"

#include <float.h>
#include <limits.h>
#include <math.h>

enum { SAMPLES = 200000 };
static const double ULPS = 4; /* the promise of math.h */

/* |got - want| in units of the last place of a double of want's size. */
static double ulps(double got, long double want)
{
    if (isinf(got) && (double)want == got)
        return 0;
    int exponent;
    frexpl(want, &exponent);
    if (want == 0 || exponent < DBL_MIN_EXP)
        exponent = DBL_MIN_EXP; /* subnormal */
    return (double)ldexpl(fabsl(got - want), DBL_MANT_DIG - exponent);
}

/* The worst of a function over samples. */
typedef struct worst {
    double error, at;
} worst;

static void note(worst *w, double x, double got, long double want)
{
    double error = ulps(got, want);
    if (!(error <= w->error)) {
        w->error = error;
        w->at = x;
    }
}

static double between(base_random *r, double low, double high)
{
    double u = base_random_next(r);
    u = (u + base_random_uniform(r)) * 0x1p-32;
    return low + (high - low) * u;
}

/* A number of [low, high) times two to a power of first, first + 1, ... first + count - 1. */
static double scaled(base_random *r, double low, double high, int first, uint32_t count)
{
    double x = between(r, low, high);
    return ldexp(x, first + (int)base_random_below(r, count));
}

static void log_is_close(void)
{
    base_random r = {1, base_random_stream("test log", 0, 0, 0), 0};
    worst everywhere = {0, 0}, near_one = {0, 0}, subnormal = {0, 0};
    for (int i = 0; i < SAMPLES; i++) {
        double x = scaled(&r, 1, 2, -1022, 2046);
        note(&everywhere, x, base_log(x), logl(x));
        x = 1 + scaled(&r, -1, 1, -50, 50);
        note(&near_one, x, base_log(x), logl(x));
        x = scaled(&r, 1, 2, -1073, 51);
        note(&subnormal, x, base_log(x), logl(x));
    }
    CHECK(everywhere.error < ULPS, "log(%a): %g ulp", everywhere.at, everywhere.error);
    CHECK(near_one.error < ULPS, "log(%a): %g ulp", near_one.at, near_one.error);
    CHECK(subnormal.error < ULPS, "log(%a): %g ulp", subnormal.at, subnormal.error);
    printf("log: %.3f, near 1 %.3f, subnormal %.3f ulp\n", everywhere.error, near_one.error,
           subnormal.error);
}

static void log_of_what_is_special(void)
{
    CHECK(base_log(1) == 0, "log(1) = %a", base_log(1));
    CHECK(base_log(0.0) == -INFINITY && base_log(-0.0) == -INFINITY, "log(0) = %g", base_log(0));
    CHECK(isnan(base_log(-1)) && isnan(base_log(-INFINITY)), "log(-1) = %g", base_log(-1));
    CHECK(isnan(base_log(NAN)), "log(NaN) = %g", base_log(NAN));
    CHECK(base_log(INFINITY) == INFINITY, "log(inf) = %g", base_log(INFINITY));
    CHECK(ulps(base_log(0x1p-1074), logl(0x1p-1074)) < ULPS, "%a", base_log(0x1p-1074));
    CHECK(ulps(base_log(DBL_MAX), logl(DBL_MAX)) < ULPS, "%a", base_log(DBL_MAX));
}

static void exp_is_close(void)
{
    base_random r = {1, base_random_stream("test exp", 0, 0, 0), 0};
    worst everywhere = {0, 0}, small = {0, 0}, subnormal = {0, 0};
    for (int i = 0; i < SAMPLES; i++) {
        double x = between(&r, -708, 709.7);
        note(&everywhere, x, base_exp(x), expl(x));
        x = scaled(&r, -1, 1, -59, 60);
        note(&small, x, base_exp(x), expl(x));
        x = between(&r, -746, -708);
        note(&subnormal, x, base_exp(x), expl(x));
    }
    CHECK(everywhere.error < ULPS, "exp(%a): %g ulp", everywhere.at, everywhere.error);
    CHECK(small.error < ULPS, "exp(%a): %g ulp", small.at, small.error);
    CHECK(subnormal.error < ULPS, "exp(%a): %g ulp", subnormal.at, subnormal.error);
    printf("exp: %.3f, near 0 %.3f, subnormal %.3f ulp\n", everywhere.error, small.error,
           subnormal.error);
}

static void exp_of_what_is_special(void)
{
    CHECK(base_exp(0) == 1 && base_exp(-0.0) == 1, "exp(0) = %a", base_exp(0));
    CHECK(base_exp(INFINITY) == INFINITY && base_exp(-INFINITY) == 0, "exp(inf)");
    CHECK(base_exp(1e300) == INFINITY && base_exp(-1e300) == 0, "exp(1e300)");
    CHECK(isnan(base_exp(NAN)), "exp(NaN) = %g", base_exp(NAN));
    /* ln of the largest double, and the next; ln of half the smallest, and its neighbours */
    const double top = 0x1.62e42fefa39efp+9, bottom = -0x1.74910d52d3051p+9;
    CHECK(ulps(base_exp(top), expl(top)) < ULPS && isfinite(base_exp(top)), "%a", base_exp(top));
    CHECK(base_exp(nextafter(top, 1e3)) == INFINITY, "%a", base_exp(nextafter(top, 1e3)));
    CHECK(base_exp(bottom) == 0x1p-1074, "%a", base_exp(bottom));
    CHECK(base_exp(-745.2) == 0 && base_exp(-746) == 0, "%a", base_exp(-745.2));
}

/* Reduced to the nearest quarter turn, which is exact; what is left is passed to sin or cos. */
static long double cos_turns_reference(double t)
{
    const long double two_pi = 6.283185307179586476925286766559005768L;
    long double u = fmodl(t, 1), quarter = roundl(4 * u), rest = two_pi * (u - quarter / 4);
    switch ((int)quarter & 3) {
    case 0:
        return cosl(rest);
    case 1:
        return -sinl(rest);
    case 2:
        return -cosl(rest);
    default:
        return sinl(rest);
    }
}

static void cos_is_close(void)
{
    base_random r = {1, base_random_stream("test cos", 0, 0, 0), 0};
    worst once = {0, 0}, large = {0, 0}, at_zero = {0, 0};
    for (int i = 0; i < SAMPLES; i++) {
        double t = between(&r, -1, 1);
        note(&once, t, base_cos_turns(t), cos_turns_reference(t));
        t = scaled(&r, -1, 1, 0, 60);
        note(&large, t, base_cos_turns(t), cos_turns_reference(t));
        t = scaled(&r, -1, 1, -52, 50);
        t += 0.25 + 0.5 * base_random_below(&r, 100);
        note(&at_zero, t, base_cos_turns(t), cos_turns_reference(t));
    }
    CHECK(once.error < ULPS, "cos_turns(%a): %g ulp", once.at, once.error);
    CHECK(large.error < ULPS, "cos_turns(%a): %g ulp", large.at, large.error);
    CHECK(at_zero.error < ULPS, "cos_turns(%a): %g ulp", at_zero.at, at_zero.error);
    printf("cos_turns: %.3f, large %.3f, near its zeros %.3f ulp\n", once.error, large.error,
           at_zero.error);
}

static void cos_of_what_is_special(void)
{
    const double half = sqrt(0.5);
    const double eighths[8] = {1, half, 0, -half, -1, -half, 0, half};
    for (int turn = -3; turn <= 3; turn++)
        for (int eighth = 0; eighth < 8; eighth++) {
            double got = base_cos_turns(turn + eighth / 8.0), want = eighths[eighth];
            CHECK(eighth % 2 ? ulps(got, want) < ULPS : got == want, "%d + %d/8: %a", turn, eighth,
                  got);
        }
    CHECK(base_cos_turns(0x1p52 + 0.5) == 1 && base_cos_turns(0x1p51 + 0.5) == -1, "at 2^51");
    CHECK(base_cos_turns(-1e300) == 1, "%a", base_cos_turns(-1e300));
    CHECK(isnan(base_cos_turns(NAN)) && isnan(base_cos_turns(INFINITY)) &&
              isnan(base_cos_turns(-INFINITY)),
          "what is not finite has no cosine");
}

static void pow_is_as_close_as_promised(void)
{
    volatile long double epsilon = LDBL_EPSILON, one = 1;
    if (one + epsilon == one) {
        SKIP("long double is shorter than it says (valgrind): powl is no reference");
        return;
    }
    base_random r = {1, base_random_stream("test pow", 0, 0, 0), 0};
    worst ratio = {0, 0}; /* of the error to what is allowed */
    for (int i = 0; i < SAMPLES; i++) {
        double x = scaled(&r, 1, 2, -100, 200);
        double exponent = between(&r, -700, 700), y = exponent / base_log(x);
        double error = ulps(base_pow(x, y), powl(x, y)) / (ULPS + 3 * fabs(exponent));
        if (!(error <= ratio.error)) {
            ratio.error = error;
            ratio.at = x;
        }
    }
    CHECK(ratio.error < 1, "pow(%a, y): %g times what is allowed", ratio.at, ratio.error);
    printf("pow: %.3f of what is allowed\n", ratio.error);
    CHECK(base_pow(1, 1e300) == 1 && base_pow(7, 0) == 1, "1^y, x^0");
    CHECK(base_pow(2, 2000) == INFINITY && base_pow(2, -2000) == 0, "2^2000");
}

static void small_change(void)
{
    CHECK(base_bits_of_double(1) == 0x3ff0000000000000 && base_bits_of_float(-2) == 0xc0000000,
          "bits");
    CHECK(base_double_of_bits(0x4008000000000000) == 3 && base_float_of_bits(0x3f000000) == 0.5F,
          "numbers");
    CHECK(base_min(3, -2) == -2 && base_min(-2, 3) == -2, "the lesser");
    CHECK(base_ceil_div(0, 4) == 0 && base_ceil_div(8, 4) == 2 && base_ceil_div(9, 4) == 3 &&
              base_ceil_div(INT_MAX, 2) == 1 << 30,
          "parts");
}

static void hash_double(base_hash *hash, double x)
{
    uint64_t bits = base_bits_of_double(x);
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(bits >> 8 * i);
    base_hash_add(hash, bytes, sizeof bytes);
}

/* The bits of 100,000 results, whatever compiler, optimisation level and machine. */
static void bits_are_the_same_everywhere(void)
{
    static const char *want = "5ab9fef640357edb6950ec33d1d0c7daae402c452df115be30993d6426d45914";
    base_random r = {1, base_random_stream("test bits", 0, 0, 0), 0};
    base_hash hash;
    base_hash_start(&hash);
    for (int i = 0; i < 20000; i++) {
        double x = between(&r, 0, 2), y = between(&r, -40, 40);
        hash_double(&hash, base_log(x));
        hash_double(&hash, base_exp(y));
        hash_double(&hash, base_cos_turns(y));
        hash_double(&hash, base_pow(x, y));
        hash_double(&hash, test_normal(&r));
    }
    char text[BASE_HASH_TEXT];
    base_hash_end_text(&hash, text);
    CHECK(strcmp(text, want) == 0, "got %s, want %s", text, want);
}

int main(void)
{
    log_is_close();
    log_of_what_is_special();
    exp_is_close();
    exp_of_what_is_special();
    cos_is_close();
    cos_of_what_is_special();
    pow_is_as_close_as_promised();
    small_change();
    bits_are_the_same_everywhere();
    return test_end();
}
