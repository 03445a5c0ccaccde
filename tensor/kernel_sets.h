/* SPDX-License-Identifier: MIT */
/* kernel_sets.h -- which kernel sets this build has. For the kernel_*.c files and kernel.c only.
 *
 * A set is compiled wherever the compiler can target its instructions, whatever the machine that
 * builds; whether the machine that runs has them is asked at run time (kernel.c). -DTENSOR_ONE_SET: the scalar
 * set alone, for programs that are to be small; where the target has fma, it is built with -mfma or -march. */
#ifndef TENSOR_KERNEL_SETS_H
#define TENSOR_KERNEL_SETS_H

#include "tensor/kernel.h"

/* x86: SSE2 must be what plain float arithmetic uses as well, which x86-64 always does. tcc calls
 * itself GNU C but has no intrinsics. */
#if defined(__GNUC__) && !defined(__TINYC__) && !defined(TENSOR_ONE_SET) && \
    (defined(__x86_64__) || defined(__SSE2_MATH__))
#define TENSOR_HAS_X86 1
#else
#define TENSOR_HAS_X86 0
#endif

/* NEON of 32-bit ARM flushes denormals to zero, so only that of AArch64 will do. */
#if defined(__aarch64__) && defined(__ARM_NEON) && !defined(__TINYC__) && !defined(TENSOR_ONE_SET)
#define TENSOR_HAS_NEON 1
#else
#define TENSOR_HAS_NEON 0
#endif

/* Before a loop of a few steps to be unrolled: what it indexes is meant to stay in registers. */
#if defined __TINYC__ /* has no _Pragma */
#define UNROLL
#elif defined __clang__
#define UNROLL _Pragma("unroll")
/* A request: at -O3 clang may have made another shape of a loop by the time it gets there. */
#pragma clang diagnostic ignored "-Wpass-failed"
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

extern const tensor_kernels tensor_kernels_scalar;
#if TENSOR_HAS_X86
extern const tensor_kernels tensor_kernels_sse2, tensor_kernels_avx2, tensor_kernels_avx512;
#endif
#if TENSOR_HAS_NEON
extern const tensor_kernels tensor_kernels_neon;
#endif

#endif
