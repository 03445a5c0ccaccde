/* SPDX-License-Identifier: MIT */
/* exercise_12.c -- chapter 12: whether there is a difference, by flipping signs. Fails until p_value() is written. */
#include "evolve/search/statistics.h"
#include "tests/test.h"

#include <math.h>

/* The share of the 2^n choices of signs of these differences whose sum is at least as far from 0 as theirs; two sums
 * within 1e-12 are equally far. n at most 12. */
static double p_value(const double *difference, int n)
{
    (void)difference, (void)n;
    return 0; /* yours */
}

int main(void)
{
    static const double gains[][6] = {{0.1, 0.2, 0.3, 0.4, 0.5, 0.6},
                                      {0.1, -0.2, 0.3, -0.4, 0.5, -0.6},
                                      {1, 1, 1, 1, -1, 0},
                                      {0, 0, 0, 0, 0, 0},
                                      {0.0101, 0.0042, 0.0067, 0.0102, 0.0019, -0.002}};
    for (size_t i = 0; i < sizeof gains / sizeof *gains; i++)
        for (int n = 1; n <= 6; n++) {
            double got = p_value(gains[i], n), want = search_sign_flips(gains[i], n, 1);
            CHECK(fabs(got - want) < 1e-9, "case %zu of %d: %g, expected %g", i, n, got, want);
        }
    return test_end();
}
