/* residual.c -- a network for images by hand: three stages, each a halving convolution and a residual block
 * (docs/vision.md, "Networks worth deploying"). */
#include "phoenix.h"

static void bend(network *net, int channels)
{
    batch_norm2d(net, channels);
    relu(net);
}

static void block(network *net, int c)
{
    int from = mark(net);
    conv2d(net, c, c, 3, 1, 1);
    bend(net, c);
    conv2d(net, c, c, 3, 1, 1);
    batch_norm2d(net, c);
    residual(net, from);
    relu(net);
}

network *model(void)
{
    network *net = network_new();
    int c = image_channels();
    for (int width = 16; width <= 64; width *= 2) {
        c = conv2d(net, c, width, 3, 2, 1);
        bend(net, c);
        block(net, c);
    }
    global_avg_pool2d(net);
    flatten(net);
    linear(net, c, image_classes());
    return net;
}

recipe train(void)
{
    recipe r = usual_recipe();
    r.batch = 64;
    r.rate = 0.05;
    r.shift = 2;
    r.label_smoothing = 0.05;
    r.average = 0.99;
    return r;
}
/* SPDX-License-Identifier: MIT */
