/* SPDX-License-Identifier: MIT */
/* image_kernel_list.h -- the kernels for images, as kernel_list.h has the others.
 *
 * With B, A and G as in conv_winograd.c, d a tile of the input and y one of the result: */
#ifndef KERNEL
#define KERNEL(result, name, parameters)
#endif

/* clang-format off */
/* points = B^T d B */
KERNEL(void, points_of_input, (float *points, const float *planes, const tensor_winograd_strip *s))
/* y = A^T points A + bias, then max(0, .) if relu; bias: one for each channel, or NULL */
KERNEL(void, result_of_points, (float *planes, const float *points, const float *bias, bool relu,
                                const tensor_winograd_strip *s))
/* their transposes: points = A y A^T;  d += B points B^T */
KERNEL(void, points_of_result, (float *points, const float *planes, const tensor_winograd_strip *s))
KERNEL(void, input_of_points, (float *planes, const float *points, const tensor_winograd_strip *s))

/* For n kernels w, of which w[i * stride], w[i * stride + 1], ... are elements i = 3 line +
 * column: points = G w G^T, and w = G^T points G. */
KERNEL(void, points_of_weight, (float *points, size_t point_stride, const float *w,
                                size_t stride, size_t n))
KERNEL(void, weight_of_points, (float *w, size_t stride, const float *points,
                                size_t point_stride, size_t n))

/* For j < n, over the window of kernel x kernel floats that begins at x[j], lines W apart: its
 * largest element, and that element's number, counted line by line (the first of equals; if any is
 * a NaN, the last NaN). Up to 15 floats behind the results are written as well. */
KERNEL(void, window_max, (float *best, float *which, const float *x, size_t W, int kernel,
                          size_t n))
/* And their sum, line by line, begun from 0; likewise. */
KERNEL(void, window_sum, (float *y, const float *x, size_t W, int kernel, size_t n))

/* For i < rows, j < cols: y[i][j] = a chain over the taps of fma(weight, x[i][j + at], .). Up to 15 floats
 * behind what a row needs of x are read as well. */
KERNEL(void, taps, (float *y, const float *x, size_t rows, size_t cols, const tensor_taps *t))

/* y = value */
KERNEL(void, fill, (float *y, float value, size_t n))

/* With h = (x - mean) * r: y = h * g + b, and dx = scale * (dy - mean_dy - h * mean_dyh), which may stand
 * where dy does, or, with `accumulate`, is added to dx */
KERNEL(void, batchnorm, (float *y, const float *x, float mean, float r, float g, float b, size_t n))
KERNEL(void, batchnorm_backward, (float *dx, const float *dy, const float *x, float mean, float r,
                                  float scale, float mean_dy, float mean_dyh, bool accumulate, size_t n))
/* clang-format on */

#undef KERNEL
