/* image_kernels.h -- the arithmetic under convolutions, pools and batch norm: a table beside that
 * of kernel.h, under the same rules, of which 1 and 2 suffice: each of these does the same
 * operations on each element, whatever stands beside it.
 *
 * image_body.h has them, once for all sets. */
#ifndef TENSOR_IMAGE_KERNELS_H
#define TENSOR_IMAGE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

enum {
    WINOGRAD_STEP = 4,    /* a tile is 4x4 of the result, */
    WINOGRAD_SIDE = 6,    /* made from 6x6 of the input, */
    WINOGRAD_POINTS = 36, /* which become as many points */
    WINOGRAD_STRIP = 7    /* tiles side by side that one call takes, at most: a line of 28 */
};

/* Some tiles side by side, in some channels: where their pixels are and where their points. Pixel
 * (i,j) of tile t is pixel (y + i, x + 4 t + j) of a plane, and counts as 0 if that lies outside.
 * Point p of tile t, channel c is points[p * point_stride + t * tile_stride + c]. */
typedef struct tensor_winograd_strip {
    int H, W; /* of a plane; channels' planes follow one another */
    int y, x;
    int tiles, channels;
    size_t point_stride, tile_stride;
} tensor_winograd_strip;

/* With B, A and G as in conv_winograd.c, d a tile of the input and y one of the result: */
typedef struct tensor_image_kernels {
    /* points = B^T d B */
    void (*points_of_input)(float *points, const float *planes, const tensor_winograd_strip *s);
    /* y = A^T points A + bias, then max(0, .) if relu; bias: one for each channel, or NULL */
    void (*result_of_points)(float *planes, const float *points, const float *bias, bool relu,
                             const tensor_winograd_strip *s);
    /* their transposes: points = A y A^T;  d += B points B^T */
    void (*points_of_result)(float *points, const float *planes, const tensor_winograd_strip *s);
    void (*input_of_points)(float *planes, const float *points, const tensor_winograd_strip *s);

    /* For n kernels w, of which w[i * stride], w[i * stride + 1], ... are elements i = 3 line +
     * column: points = G w G^T, and w = G^T points G. */
    void (*points_of_weight)(float *points, size_t point_stride, const float *w, size_t stride,
                             size_t n);
    void (*weight_of_points)(float *w, size_t stride, const float *points, size_t point_stride,
                             size_t n);

    /* For j < n, of the window of kernel x kernel floats whose first is x[j], its lines being W
     * apart: the largest, and which it is, counted line by line: the first such; but if any is a
     * NaN, the last NaN. Up to 15 floats behind the results are written as well. */
    void (*window_max)(float *best, float *which, const float *x, size_t W, int kernel, size_t n);
    /* And their sum, line by line, begun from 0; likewise. */
    void (*window_sum)(float *y, const float *x, size_t W, int kernel, size_t n);

    /* y = value */
    void (*fill)(float *y, float value, size_t n);

    /* h = (x - mean) * r */
    void (*standardise)(float *h, const float *x, float mean, float r, size_t n);
    /* y = (x - mean) * r * g + b, and dx += scale * (dy - mean_dy - h * mean_dyh) */
    void (*batchnorm)(float *y, const float *x, float mean, float r, float g, float b, size_t n);
    void (*batchnorm_backward)(float *dx, const float *dy, const float *h, float scale,
                               float mean_dy, float mean_dyh, size_t n);
} tensor_image_kernels;

#endif
