/* SPDX-License-Identifier: MIT */
/* kernel_list.h -- every kernel, one row each: its result, its name, its parameters.
 *
 * Who includes this file says what becomes of a row by defining KERNEL(result, name, parameters):
 * kernel.h makes the members of tensor_kernels, the sets fill them with their functions of the same
 * names, and tests/tensor/test_kernel.c makes a test of each. So a kernel that a set or the test
 * has not is an error of the compiler. */
#ifndef KERNEL
#define KERNEL(result, name, parameters)
#endif

/* clang-format off */
KERNEL(float, ln, (float x)) /* the natural logarithm */

/* reductions, rule 3 */
KERNEL(float, dot, (const float *x, const float *y, size_t n))
KERNEL(float, sum, (const float *x, size_t n))
KERNEL(float, max, (const float *x, size_t n)) /* n >= 1; NaN if any is NaN */

/* Several at once, for which a chain of additions leaves time. For t < count: to[t] += dot(x + at[t], y, n). For
 * the planes p < count, of n floats and `stride` apart: to[p] = sum(x); to[p] = dot(h, h) of h = x - mean; and
 * to[p] = sum(y), dots_with[p] = dot(y, h) of h = (x - mean) * r. */
KERNEL(void, dots, (float *to, const float *x, const ptrdiff_t *at, size_t count, const float *y,
                    size_t n))
KERNEL(void, plane_sums, (float *to, const float *x, size_t stride, size_t count, size_t n))
KERNEL(void, plane_squares, (float *to, const float *x, float mean, size_t stride, size_t count,
                             size_t n))
KERNEL(void, plane_slopes, (float *to, float *dots_with, const float *y, const float *x, float mean,
                            float r, size_t stride, size_t count, size_t n))

/* y[i] op= ... */
KERNEL(void, add, (float *y, const float *x, size_t n))                     /* y += x */
KERNEL(void, axpy, (float *y, float a, const float *x, size_t n))           /* y = fma(a, x, y) */
KERNEL(void, scale, (float *y, float a, const float *x, size_t n))          /* y = a * x */
KERNEL(void, mul, (float *y, const float *a, const float *b, size_t n))     /* y = a * b */
KERNEL(void, mul_add, (float *y, const float *a, const float *b, size_t n)) /* y = fma(a, b, y) */
KERNEL(void, add_to, (float *y, const float *a, const float *b, size_t n))  /* y = a + b */

/* activations; the backward forms add to dx */
KERNEL(void, relu, (float *y, const float *x, size_t n))
KERNEL(void, relu_backward, (float *dx, const float *y, const float *dy, size_t n)) /* y > 0 */
KERNEL(void, relu_gate, (float *dy, const float *y, size_t n)) /* dy = y > 0 ? dy : 0 */
KERNEL(void, relu6, (float *y, const float *x, size_t n))
KERNEL(void, relu6_backward, (float *dx, const float *y, const float *dy, size_t n)) /* 0 < y < 6 */
KERNEL(void, relu6_gate, (float *dy, const float *y, size_t n)) /* dy = 0 < y < 6 ? dy : 0 */
KERNEL(void, hard_swish, (float *y, const float *x, size_t n))
KERNEL(void, hard_swish_backward, (float *dx, const float *x, const float *dy, size_t n))
KERNEL(void, gelu_new, (float *y, const float *x, size_t n))
KERNEL(void, gelu_new_backward, (float *dx, const float *x, const float *dy, size_t n))
KERNEL(void, gelu_erf, (float *y, const float *x, size_t n))
KERNEL(void, gelu_erf_backward, (float *dx, const float *x, const float *dy, size_t n))
KERNEL(void, tanh_forward, (float *y, const float *x, size_t n))
KERNEL(void, tanh_backward, (float *dx, const float *y, const float *dy, size_t n))

/* rows */

/* y = exp(x - shift); returns their sum */
KERNEL(float, exp_sum, (float *y, const float *x, float shift, size_t n))
/* dx = fma(y, dy - inner, dx), inner = dot(y, dy) */
KERNEL(void, softmax_backward, (float *dx, const float *y, const float *dy, float inner, size_t n))
/* x = softmax(factor * x + bias), in place; bias may be NULL */
KERNEL(void, attention_row, (float *x, float factor, const float *bias, size_t n))
/* ds = p * (dp - dot(p, dp)) */
KERNEL(void, attention_row_backward, (float *ds, const float *p, const float *dp, size_t n))
/* r = 1 / sqrt(dot(x,x) / n + eps), y = (x * r) * g; returns r */
KERNEL(float, rmsnorm, (float *y, const float *x, const float *g, float eps, size_t n))
/* dx += r * (g dy - x * (r^2/n) * dot(g dy, x)); dg += dy * (x * r); dx or dg may be NULL */
KERNEL(void, rmsnorm_backward, (float *dx, float *dg, const float *x, const float *g,
                                const float *dy, float r, size_t n))

/* optimizers over n parameters p with gradients g; m, v: state. Each as torch defines it. */
KERNEL(void, sgd, (float *p, const float *g, float *m, size_t n, const tensor_update *u))
KERNEL(void, rmsprop, (float *p, const float *g, float *v, float *m, size_t n,
                       const tensor_update *u))
KERNEL(void, adam, (float *p, const float *g, float *m, float *v, size_t n, const tensor_update *u))
KERNEL(void, adamw, (float *p, const float *g, float *m, float *v, size_t n,
                     const tensor_update *u))

/* y[i][j] = x[i][j] and y[j][i] = x[i][j], for i < rows, j < cols; ld: from row to row */
KERNEL(void, copy, (float *y, size_t ldy, const float *x, size_t ldx, size_t rows, size_t cols))
KERNEL(void, transpose, (float *y, size_t ldy, const float *x, size_t ldx, size_t rows,
                         size_t cols))

/* x (steps,cols) in tiles of tile_m columns, one behind the other, each steps rows of tile_m floats;
 * of the last the columns that are not there are left as they are */
KERNEL(void, pack_tiles, (float *y, const float *x, size_t ldx, size_t steps, size_t cols))

/* One tile of a matrix product. */
KERNEL(void, gemm_tile, (const tensor_tile *tile))
/* clang-format on */

#undef KERNEL
