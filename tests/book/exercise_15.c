/* SPDX-License-Identifier: MIT */
/* exercise_15.c -- chapter 15: a dot product in the tree's order. Fails until dot() is written. */
#include "base/math.h"
#include "tensor/kernel.h"
#include "tests/test.h"

#include <math.h>

/* Sixteen lanes, element i to lane i % 16 by fma (tensor_fmaf), then the lanes in halves. */
static float dot(const float *x, const float *y, size_t n)
{
    (void)x, (void)y, (void)n;
    return 0; /* yours */
}

int main(void)
{
    enum { MOST = 200 };
    float x[MOST], y[MOST];
    for (int i = 0; i < MOST; i++) {
        x[i] = (float)sin(1.1 * i) * (i % 7 ? 1 : 1000);
        y[i] = (float)cos(0.3 * i);
    }
    for (const char *const *name = tensor_kernels_available(); *name; name++) {
        const tensor_kernels *kernels = tensor_kernels_pick(*name);
        for (size_t n = 1; n <= MOST; n++) {
            float got = dot(x, y, n), want = kernels->dot(x, y, n);
            CHECK(memcmp(&got, &want, sizeof got) == 0, "%s, %zu numbers: %.9g, expected %.9g",
                  *name, n, (double)got, (double)want);
        }
    }
    return test_end();
}
