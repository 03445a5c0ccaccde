/* SPDX-License-Identifier: MIT */
/* exercise_03.c -- chapter 3: a product by tiles and blocks, with the bits of three loops. Fails until product() is written. */
#include "tensor/kernel.h"
#include "tests/test.h"

#include <math.h>

enum { BLOCK = 8, TILE = 4 }; /* steps of k at a time; rows and columns of C at a time */

/* c (m,n) = a (m,k) b (k,n): for each block of BLOCK steps of k, for each tile of TILE x TILE elements of C, the chains
 * of the tile go on from what stands in c (0 before the first block). Sizes need not be multiples. By tensor_fmaf.
 * *order gets 1 for each tile that is begun: it is how the test sees that there are tiles. */
static void product(float *c, const float *a, const float *b, int m, int n, int k, int *order)
{
    (void)a, (void)b, (void)k, (void)order;
    for (int i = 0; i < m * n; i++)
        c[i] = 0; /* yours */
}

int main(void)
{
    enum { MOST = 20 };
    float a[MOST * MOST], b[MOST * MOST], c[MOST * MOST];
    for (int i = 0; i < MOST * MOST; i++) {
        a[i] = (float)sin(1.3 * i);
        b[i] = (float)cos(0.7 * i);
    }
    for (int m = 1; m <= MOST; m += 3)
        for (int n = 1; n <= MOST; n += 4)
            for (int k = 1; k <= MOST; k += 5) {
                int wrong = 0, tiles = 0;
                product(c, a, b, m, n, k, &tiles);
                for (int i = 0; i < m; i++)
                    for (int j = 0; j < n; j++) {
                        float chain = 0;
                        for (int l = 0; l < k; l++)
                            chain = tensor_fmaf(a[i * k + l], b[l * n + j], chain);
                        wrong += memcmp(&chain, &c[i * n + j], sizeof chain) != 0;
                    }
                CHECK(wrong == 0, "%d x %d x %d: %d elements have other bits", m, n, k, wrong);
                int want =
                    ((m + TILE - 1) / TILE) * ((n + TILE - 1) / TILE) * ((k + BLOCK - 1) / BLOCK);
                CHECK(tiles == want, "%d x %d x %d: %d tiles, expected %d", m, n, k, tiles, want);
            }
    return test_end();
}
