/* SPDX-License-Identifier: MIT */
/* test_normal.h -- standard normal numbers, by Box and Muller's cosine branch: two numbers of the
 * stream each. */
#ifndef TEST_NORMAL_H
#define TEST_NORMAL_H

#include "base/math.h"
#include "base/random.h"
#include <math.h>

static inline double test_normal(base_random *r)
{
    double u = (base_random_next(r) + 1.0) * 0x1p-32; /* above 0: its logarithm is finite */
    double v = base_random_uniform(r);
    return sqrt(-2 * base_log(u)) * base_cos_turns(v);
}

#endif
