/* SPDX-License-Identifier: MIT */
/* test_arithmetic.c -- a thread that rounds otherwise than all others is refused before it computes anything,
 * with the reason, and welcome again when it rounds as they do. */
#include "tensor/kernel.h"
#include "tensor/tensor.h"
#include "tests/test.h"
#include <fenv.h>

/* reason: a part of what is said; NULL: a context is had. */
static void expect(const char *what, const char *reason)
{
    base_error error = {""};
    tensor_context *ctx = tensor_context_open(1, &error), *other = tensor_context_new();
    CHECK(!ctx == (reason != NULL) && !other == !ctx, "%s: %s", what, error.text);
    CHECK(!reason || strstr(error.text, reason), "%s: %s", what, error.text);
    tensor_context_free(ctx);
    tensor_context_free(other);
}

static void rounding(void)
{
    static const struct {
        const char *what;
        int mode;
    } modes[] = {
#ifdef FE_UPWARD
        {"upward", FE_UPWARD},
#endif
#ifdef FE_DOWNWARD
        {"downward", FE_DOWNWARD},
#endif
#ifdef FE_TOWARDZERO
        {"towards zero", FE_TOWARDZERO},
#endif
    };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (fesetround(modes[i].mode) != 0) {
            SKIP("rounding %s cannot be had", modes[i].what);
            continue;
        }
        expect(modes[i].what, "rounded to the nearest");
        fesetround(FE_TONEAREST);
        expect("to the nearest", NULL);
    }
}

/* Bits of MXCSR: results below FLT_MIN, and operands. */
static void small_numbers(void)
{
#if defined __SSE__ && defined __GNUC__
    static const unsigned bits[] = {1U << 15, 1U << 6};
    unsigned before = __builtin_ia32_stmxcsr();
    for (int i = 0; i < 2; i++) {
        __builtin_ia32_ldmxcsr(before | bits[i]);
        expect("flush to zero", "taken for 0");
        __builtin_ia32_ldmxcsr(before);
        expect("as it was", NULL);
    }
#elif defined __aarch64__ && defined __GNUC__
    unsigned long before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | 1UL << 24));
    expect("flush to zero", "taken for 0");
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
    expect("as it was", NULL);
#else
    SKIP("this machine's switch for small numbers is not known");
#endif
}

/* A set whose dot product is another. */
static float another_sum(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = n; i-- > 0;)
        sum += a[i] * b[i];
    return sum;
}

static void known_sums(void)
{
    for (const char *const *name = tensor_kernels_available(); *name; name++) {
        tensor_kernels set = *tensor_kernels_pick(*name);
        const char *fault = tensor_arithmetic_fault(&set);
        CHECK(!fault, "%s: %s", *name, fault);
        set.dot = another_sum;
        fault = tensor_arithmetic_fault(&set);
        CHECK(fault && strstr(fault, "known sum"), "%s: %s", *name, fault ? fault : "not noticed");
    }
}

int main(void)
{
    expect("as it is", NULL);
    rounding();
    small_numbers();
    known_sums();
    return test_end();
}
