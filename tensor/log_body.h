/* SPDX-License-Identifier: MIT */
/* log_body.h -- the natural logarithm of one float: included by every kernel set, after it has
 * defined SCALAR_FMA(x, y, z), x y + z rounded once. vec_math_body.h has the other functions. */
#include "base/math.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* x = 2^e m with 2/3 <= m < 4/3, and f = m - 1, which is exact. log x = e ln 2 + log(1 + f), and
 * log(1 + f) = f - f^2/2 + f^3 P(f), relative error 6.7e-9. ln 2 is in two pieces, as for exp. */
static float ln(float x)
{
    static const float P[] = {0x1.dfaf7cp-4F,  -0x1.07f988p-3F, 0x1.bb4584p-4F,
                              -0x1.f33614p-4F, 0x1.24d7b2p-3F,  -0x1.559bb0p-3F,
                              0x1.99985ep-3F,  -0x1.ffff02p-3F, 0x1.555556p-2F};
    const uint32_t two_thirds = 0x3f2aaaab, bias = UINT32_C(128) << 23;
    if (!(x > 0.0F))
        return x == 0.0F ? -INFINITY : NAN;
    if (x == INFINITY)
        return x;
    bool denormal = x < 0x1p-126F;
    uint32_t bits = base_bits_of_float(denormal ? x * 0x1p23F : x);
    uint32_t step = (bits + bias - two_thirds) >> 23; /* e + 128 */
    float e = (float)step - (denormal ? 151.0F : 128.0F);
    float f = base_float_of_bits(bits + bias - (step << 23)) - 1.0F;

    float p = P[0];
    for (size_t i = 1; i < sizeof P / sizeof *P; i++)
        p = SCALAR_FMA(p, f, P[i]);
    float square = f * f;
    float rest = SCALAR_FMA(SCALAR_FMA(f, p, -0.5F), square, e * -0x1.05c610p-29F);
    return SCALAR_FMA(e, 0x1.62e430p-1F, f) + rest;
}
