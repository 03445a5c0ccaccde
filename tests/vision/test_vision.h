/* SPDX-License-Identifier: MIT */
/* test_vision.h -- networks that the tests of vision/ share. */
#ifndef TEST_VISION_H
#define TEST_VISION_H

#include "vision/network.h"

#define CONV2D(in, out, kernel, stride, padding)           \
    {                                                      \
        VISION_CONV2D, in, out, kernel, stride, padding, 0 \
    }
#define RELU                \
    {                       \
        .kind = VISION_RELU \
    }
#define GELU                \
    {                       \
        .kind = VISION_GELU \
    }
#define MAX_POOL2D(kernel, stride)                    \
    {                                                 \
        VISION_MAX_POOL2D, 0, 0, kernel, stride, 0, 0 \
    }
#define AVG_POOL2D(kernel, stride)                    \
    {                                                 \
        VISION_AVG_POOL2D, 0, 0, kernel, stride, 0, 0 \
    }
#define BATCH_NORM2D(channels)                       \
    {                                                \
        VISION_BATCH_NORM2D, channels, 0, 0, 0, 0, 0 \
    }
#define DROPOUT(p)                       \
    {                                    \
        VISION_DROPOUT, 0, 0, 0, 0, 0, p \
    }
#define FLATTEN                \
    {                          \
        .kind = VISION_FLATTEN \
    }
#define LINEAR(in, out)                    \
    {                                      \
        VISION_LINEAR, in, out, 0, 0, 0, 0 \
    }

#define DEPTHWISE2D(channels, kernel, stride, padding)              \
    {                                                               \
        VISION_DEPTHWISE2D, channels, 0, kernel, stride, padding, 0 \
    }
#define RELU6                \
    {                        \
        .kind = VISION_RELU6 \
    }
#define HARD_SWISH                \
    {                             \
        .kind = VISION_HARD_SWISH \
    }
#define GLOBAL_AVG_POOL2D                \
    {                                    \
        .kind = VISION_GLOBAL_AVG_POOL2D \
    }
#define RESIDUAL(layers)                      \
    {                                         \
        .kind = VISION_RESIDUAL, .in = layers \
    }

/* The network that comes out in the paper's Table 2, with the inputs that its first dense layer
 * really gets, and a relu behind each convolution. */
static const vision_architecture table_2 = {
    11,
    {CONV2D(1, 128, 3, 1, 0), RELU, CONV2D(128, 256, 3, 1, 0), RELU, MAX_POOL2D(2, 2), FLATTEN,
     LINEAR(36864, 64), RELU, LINEAR(64, 64), RELU, LINEAR(64, 62)}};

/* One with a layer of every kind, for images of 2x9x8: then 4x9x8, 4x8x7, 6x4x4, 6x3x3, 54. */
static const vision_architecture of_every_kind = {
    13,
    {CONV2D(2, 4, 3, 1, 1), RELU, MAX_POOL2D(2, 1), BATCH_NORM2D(4), CONV2D(4, 6, 3, 2, 1), GELU,
     AVG_POOL2D(2, 1), BATCH_NORM2D(6), FLATTEN, DROPOUT(0.25), LINEAR(54, 7), RELU, LINEAR(7, 3)}};

/* The same for the kinds that small networks are made of: 2x9x8, then 4x9x8, 4x5x4, 4. A sum asks
 * for the images, one for what a relu is done to. */
static const vision_architecture of_small_kinds = {
    15,
    {DEPTHWISE2D(2, 3, 1, 1), RESIDUAL(0), CONV2D(2, 4, 1, 1, 0), RELU, DEPTHWISE2D(4, 5, 2, 2),
     HARD_SWISH, BATCH_NORM2D(4), CONV2D(4, 4, 3, 1, 1), RELU, RESIDUAL(8), RESIDUAL(7), RELU6,
     GLOBAL_AVG_POOL2D, FLATTEN, LINEAR(4, 3)}};

#endif
