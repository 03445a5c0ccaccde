/* SPDX-License-Identifier: MIT */
/* bench_peak_body.h -- the two loops of bench_peak.c, compiled once an instruction set.
 *
 * Before it is included: VEC a vector of floats, VEC_WIDTH of them, VEC_LOAD(p), VEC_ADD(a, b),
 * VEC_FMA(a, b, c) = a b + c, VEC_STORE(p, a), and the names MULTIPLY_ADDS and READ. */

/* Sixteen chains: enough for a latency of 4 cycles on two ports with room to spare, few enough
 * to stay in registers beside the two constants (AVX-512, NEON: 32; the others have 16, and take
 * 12 chains). Each chain starts elsewhere, or a compiler might see that they are all the same. */
static float MULTIPLY_ADDS(long steps, const float *start)
{
    VEC chain[CHAINS];
    const VEC factor = VEC_LOAD(start), addend = VEC_LOAD(start + VEC_WIDTH);
    UNROLL
    for (int i = 0; i < CHAINS; i++)
        chain[i] = VEC_LOAD(start + i);
    for (long k = 0; k < steps; k++) {
        UNROLL
        for (int i = 0; i < CHAINS; i++)
            chain[i] = VEC_FMA(chain[i], factor, addend);
    }
    UNROLL
    for (int i = 1; i < CHAINS; i++)
        chain[0] = VEC_ADD(chain[0], chain[i]);
    float out[VEC_WIDTH];
    VEC_STORE(out, chain[0]);
    return out[0];
}

static float READ(const float *x, size_t count)
{
    enum { SUMS = 8 };
    VEC sum[SUMS];
    UNROLL
    for (int i = 0; i < SUMS; i++)
        sum[i] = VEC_LOAD(x + i * VEC_WIDTH);
    for (size_t k = SUMS * VEC_WIDTH; k < count; k += SUMS * VEC_WIDTH) {
        UNROLL
        for (int i = 0; i < SUMS; i++)
            sum[i] = VEC_ADD(sum[i], VEC_LOAD(x + k + i * VEC_WIDTH));
    }
    UNROLL
    for (int i = 1; i < SUMS; i++)
        sum[0] = VEC_ADD(sum[0], sum[i]);
    float out[VEC_WIDTH];
    VEC_STORE(out, sum[0]);
    return out[0];
}

#undef VEC
#undef VEC_WIDTH
#undef VEC_LOAD
#undef VEC_STORE
#undef VEC_ADD
#undef VEC_FMA
#undef CHAINS
#undef MULTIPLY_ADDS
#undef READ
