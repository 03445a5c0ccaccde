/* kernel.c -- which of the kernel sets this machine can run, and the choice of one.
 *
 * The choice is made when a context is made, not when the library is compiled: one binary runs at
 * full speed on every machine. It may be made differently each time without anybody noticing but by
 * the clock, since all sets give the same bits (kernel.h). */
#include "tensor/kernel_sets.h"

#include <string.h>

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
