/* SPDX-License-Identifier: MIT */
/* small.c -- a network for CIFAR-10 by hand, within 64 KiB of weights and 32 KiB of activations, a byte each, for a search with
 * --budget-int8 to begin with (docs/vision.md, "Networks worth deploying"): 61,578 parameters, 8.6 million multiply-adds an image. */
#include "phoenix.h"

static void bend(network *net, int channels)
{
    batch_norm2d(net, channels);
    relu(net);
}

network *model(void)
{
    network *net = network_new();
    int c = image_channels();
    c = conv2d(net, c, 16, 3, 1, 1);
    bend(net, c);
    c = conv2d(net, c, 32, 3, 2, 1);
    bend(net, c);
    for (int i = 0; i < 1; i++) {
        int k = 3;
        int from = mark(net);
        conv2d(net, c, c, k, 1, k / 2);
        bend(net, c);
        conv2d(net, c, c, 3, 1, 1);
        batch_norm2d(net, c);
        residual(net, from);
    }
    c = conv2d(net, c, 64, 3, 2, 1);
    bend(net, c);
    for (int i = 0; i < 1; i++) {
        int k = 3;
        int wide = c * 2;
        int from = mark(net);
        conv2d(net, c, wide, 1, 1, 0);
        bend(net, wide);
        depthwise2d(net, wide, k, 1, k / 2);
        bend(net, wide);
        conv2d(net, wide, c, 1, 1, 0);
        batch_norm2d(net, c);
        residual(net, from);
    }
    global_avg_pool2d(net);
    flatten(net);
    linear(net, c, image_classes());
    return net;
}

recipe train(void)
{
    recipe r = usual_recipe();
    r.optimizer = UPDATE_SGD;
    r.momentum = 0.9;
    r.rate = 0.05;
    r.weight_decay = 0.0005;
    r.schedule = RATE_COSINE;
    r.warmup = 200;
    r.batch = 64;
    r.label_smoothing = 0.0;
    r.average = 0.995;
    r.cut = 0;
    r.mixup = 0.0;
    return r;
}
