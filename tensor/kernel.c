/* SPDX-License-Identifier: MIT */
/* kernel.c -- which of the kernel sets this machine can run, and the choice of one.
 *
 * The choice is made when a context is made, not when the library is compiled: one binary runs at
 * full speed on every machine. It may be made differently each time without anybody noticing but by
 * the clock, since all sets give the same bits (kernel.h). */
#include "tensor/kernel_sets.h"

#include "base/math.h"
#include <float.h>
#include <string.h>

/* What tensor_arithmetic_fault() knows. */
enum { EXP_BITS = 0x3fa45d83 };
#define SUMS 0xc86402b8U

/* Compilers' cpu_supports also asks whether the operating system saves the registers. */
static bool always(void) { return true; }

#if TENSOR_HAS_X86
static bool has_sse2(void) { return __builtin_cpu_supports("sse2"); }

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void) { return has_avx2() && __builtin_cpu_supports("avx512f"); }
#endif

/* Best first: the widest vectors, then fma in hardware, then whatever there is. */
static const struct {
    const tensor_kernels *kernels;
    bool (*runs_here)(void);
} sets[] = {
#if TENSOR_HAS_X86
    {&tensor_kernels_avx512, has_avx512}, {&tensor_kernels_avx2, has_avx2},
    {&tensor_kernels_sse2, has_sse2},
#endif
#if TENSOR_HAS_NEON
    {&tensor_kernels_neon, always},
#endif
    {&tensor_kernels_scalar, always},
};

enum { SETS = sizeof sets / sizeof *sets };

const tensor_kernels *tensor_kernels_pick(const char *name)
{
    bool any = !name || !*name;
    for (int i = 0; i < SETS; i++)
        if ((any || strcmp(name, sets[i].kernels->name) == 0) && sets[i].runs_here())
            return sets[i].kernels;
    return NULL;
}

/* ---- whether this processor, as it is set and as this was compiled, computes as all others do ---- */

/* Rounded twice; with contraction, once. */
static float times_minus(float x, float y, float z) { return x * y - z; }

/* Sums and products whose results are known. What is volatile is computed when this runs, not by a compiler.
 * 2^-24 is half of the distance from 1 to the next float, a tie that goes to the even of the two; 1.5 times that
 * is nearer to the next. */
const char *tensor_arithmetic_fault(const tensor_kernels *kernels)
{
    volatile float one = 1, tie = 0x1p-24F, beyond = 0x1.8p-24F, normal = FLT_MIN;
    volatile float denormal = base_float_of_bits(1), x = 1 + 0x1p-12F, xx = 1 + 0x1p-11F;
    volatile double wide = 1, wide_tie = 0x1p-53, wide_beyond = 0x1.8p-53;
    volatile float sum = one + tie, next = one + beyond;
    volatile double wide_sum = wide + wide_tie, wide_next = wide + wide_beyond;
    if (sum != 1 || next != 1 + 0x1p-23F || wide_sum != 1 || wide_next != 1 + 0x1p-52)
        return "numbers are not rounded to the nearest: who changed that (fesetround) has to undo "
               "it";
    volatile float below = normal * 0.5F, raised = denormal * 0x1p100F;
    if (below != 0x1p-127F || raised != 0x1p-49F)
        return "numbers below 1.2e-38 are taken for 0: who asked for that (-ffast-math at the "
               "link, a bit "
               "of MXCSR or FPCR) has to undo it";
    if (times_minus(x, x, xx) != 0)
        return "products and sums were compiled to be rounded once: take -ffp-contract=off";
    if (tensor_fmaf(x, x, -xx) != tie)
        return "fma rounds its product: another C library, or another -march";
    float numbers[68]; /* of which another order, or another instruction, makes other sums */
    uint32_t sums = 0;
    for (int i = 0; i < 68; i++)
        numbers[i] = (i % 3 ? x : -x) / (float)(i + 3);
    for (size_t n = 1; n <= 64; n++)
        sums = sums * 31 + base_bits_of_float(kernels->dot(numbers, numbers + 4, n));
    if (sums != SUMS || base_bits_of_float(tensor_expf(numbers[1])) != EXP_BITS)
        return "a known sum came out otherwise: take another compiler, or less of -O";
    return NULL;
}

#ifdef __TINYC__
#define _Thread_local /* tcc has none, nor threads that this is built with */
#endif

const char *const *tensor_kernels_available(void)
{
    static _Thread_local const char *names[SETS + 1]; /* filled anew by each call */
    int count = 0;
    for (int i = 0; i < SETS; i++)
        if (sets[i].runs_here())
            names[count++] = sets[i].kernels->name;
    return names;
}
