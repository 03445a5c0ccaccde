/* SPDX-License-Identifier: MIT */
/* kann_mlp.c -- phoenix bench's train/mlp by KANN, for peers.sh; compiled with kann.c and kautodiff.c of its folder.
 *
 *   kann_mlp SECONDS
 *
 * A step is forward, cross-entropy, backward (kann_cost) and SGD with momentum, in a loop of our own since KANN has RMSprop alone. */
#define _POSIX_C_SOURCE 200809L
#include "kann.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { BATCH = 64, PIXELS = 784, HIDDEN = 64, CLASSES = 10 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void step(kann_t *net, float *momentum, int size)
{
    kann_cost(net, 0, 1);
    for (int i = 0; i < size; i++) {
        momentum[i] = 0.9f * momentum[i] + net->g[i];
        net->x[i] -= 0.01f * momentum[i];
    }
}

int main(int argc, char **argv)
{
    static float pixels[BATCH * PIXELS], classes[BATCH * CLASSES];
    float *x = pixels, *y = classes;
    if (argc != 2)
        return fprintf(stderr, "usage: kann_mlp SECONDS\n"), 2;
    kad_node_t *t = kann_layer_input(PIXELS);
    for (int i = 0; i < 2; i++)
        t = kad_relu(kann_layer_dense(t, HIDDEN));
    kann_t *net = kann_new(kann_layer_cost(t, CLASSES, KANN_C_CEM), 0);
    int size = kann_size_var(net);
    float *momentum = calloc((size_t)size, sizeof *momentum);
    if (!momentum)
        return fprintf(stderr, "kann_mlp: no memory\n"), 1;
    for (int i = 0; i < BATCH * PIXELS; i++)
        pixels[i] = (float)(i * 7919 % 1000) / 1000;
    for (int i = 0; i < BATCH; i++)
        classes[i * CLASSES + i % CLASSES] = 1;
    kann_set_batch_size(net, BATCH);
    kann_feed_bind(net, KANN_F_IN, 0, &x);
    kann_feed_bind(net, KANN_F_TRUTH, 0, &y);
    for (int i = 0; i < 100; i++)
        step(net, momentum, size);
    int calls = 0;
    double began = now(), spent = 0, least = atof(argv[1]);
    for (; spent < least; calls++, spent = now() - began)
        step(net, momentum, size);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"case\":\"train/"
           "mlp\",\"threads\":1,\"seconds\":%.9g,\"rate\":%.6g,\"rss_bytes\":%lld}\n",
           spent / calls, BATCH * calls / spent, (long long)usage.ru_maxrss * 1024);
    return 0;
}
