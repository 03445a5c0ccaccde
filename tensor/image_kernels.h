/* SPDX-License-Identifier: MIT */
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

/* A window of `count` places: tap t is weight[t] times the float at[t] behind, or before, where the window
 * stands. Results begin from start, or, with `accumulate`, what comes out is added to what is there.
 * ldy, ldx: floats from row to row. */
typedef struct tensor_taps {
    size_t count;
    const float *weight;
    const ptrdiff_t *at;
    float start;
    bool accumulate;
    size_t ldy, ldx;
} tensor_taps;

typedef struct tensor_image_kernels {
#define KERNEL(result, name, parameters) result(*name) parameters;
#include "tensor/image_kernel_list.h"
} tensor_image_kernels;

#endif
