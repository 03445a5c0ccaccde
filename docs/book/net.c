#include "phoenix.h"

network *model(void)
{
    network *net = network_new();
    int c = image_channels();
    int h = image_height();
    int w = image_width();
    c = conv2d(net, c, 32, 3, 1, 1);
    relu(net);
    max_pool2d(net, 2, 2);
    h /= 2;
    w /= 2;
    flatten(net);
    int n = c * h * w;
    n = linear(net, n, 16);
    relu(net);
    linear(net, n, image_classes());
    return net;
}
/* SPDX-License-Identifier: MIT */
