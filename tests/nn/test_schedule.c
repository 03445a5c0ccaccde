/* SPDX-License-Identifier: MIT */
/* test_schedule.c -- nn/schedule.c. */
#include "nn/optimizer.h"
#include "tests/test.h"

#include <float.h>
#include <math.h>

static void check(const nn_schedule *s, int64_t step, double want)
{
    double got = nn_schedule_factor(s, step);
    CHECK(fabs(got - want) <= 4 * DBL_EPSILON,
          "%s, warm-up %d, total %d, step %d: %.17g, not %.17g", nn_schedule_names[s->kind],
          (int)s->warmup, (int)s->total, (int)step, got, want);
}

static void test_warmup(void)
{
    for (int kind = NN_CONSTANT; kind <= NN_INVERSE_SQRT; kind++) {
        nn_schedule s = {(nn_schedule_kind)kind, 4, 100, 0.1};
        check(&s, 0, 0.25);
        check(&s, 1, 0.5);
        check(&s, 2, 0.75);
        check(&s, 3, 1);
        check(&s, 4, 1);
        s.warmup = 0;
        check(&s, 0, 1);
    }
}

static void test_falls(void)
{
    nn_schedule s = {NN_LINEAR, 10, 110, 0.2};
    check(&s, 60, 0.6);
    check(&s, 85, 0.4);
    check(&s, 110, 0.2);
    check(&s, 1000, 0.2);
    s.kind = NN_COSINE;
    check(&s, 60, 0.6);
    check(&s, 35, 0.2 + 0.4 * (1 + sqrt(0.5)));
    check(&s, 110, 0.2);
    check(&s, 1000, 0.2);
    s.kind = NN_INVERSE_SQRT;
    check(&s, 40, 0.5);
    check(&s, 90, 1 / 3.0);
    check(&s, 1000, 0.1);
    s.warmup = 0;
    check(&s, 1, 1);
    check(&s, 4, 0.5);
    s.kind = NN_CONSTANT;
    check(&s, 1000000000000, 1);
}

/* Never rising after the warm-up, never outside [floor, 1]. */
static void test_shape(void)
{
    for (int kind = NN_CONSTANT; kind <= NN_COSINE; kind++) {
        nn_schedule s = {(nn_schedule_kind)kind, 7, 50, 0.25};
        int wrong = 0;
        for (int step = 7; step < 60; step++) {
            double now = nn_schedule_factor(&s, step), next = nn_schedule_factor(&s, step + 1);
            wrong += !(next <= now && next >= 0.25 && now <= 1);
        }
        CHECK(wrong == 0, "%s: %d steps rise or leave the bounds", nn_schedule_names[s.kind],
              wrong);
    }
}

/* A run shorter than its warm-up, and one of no steps at all. */
static void test_short(void)
{
    nn_schedule s = {NN_LINEAR, 10, 5, 0.5};
    check(&s, 7, 0.8);
    check(&s, 9, 1);
    check(&s, 10, 0.5);
    s.warmup = s.total = 0;
    check(&s, 0, 0.5);
    s.kind = NN_COSINE;
    check(&s, 0, 0.5);
}

int main(void)
{
    test_warmup();
    test_falls();
    test_shape();
    test_short();
    return test_end();
}
