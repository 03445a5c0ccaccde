/* SPDX-License-Identifier: MIT */
/* bench_nets.c -- networks for images: a step of training, a whole epoch with its images, and their
 * convolutions one by one.
 *
 * A step is forward, cross-entropy, backward and SGD with momentum. Operations are counted as if
 * each convolution were done directly, forward and twice that for backward, but for the first
 * layer's data gradient, which nobody needs. */
#include "base/random.h"
#include "bench/bench.h"
#include "vision/train.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64 };

/* ---- networks ---- */

typedef struct network {
    const char *name;
    vision_shape input;
    int classes;
    vision_architecture net;
} network;

/* conv2d: channels in and out, kernel, stride, padding. */
static const network lists[] = {
    {"mlp",
     {1, 28, 28},
     10,
     {6,
      {{.kind = VISION_FLATTEN},
       {.kind = VISION_LINEAR, .in = 784, .out = 64},
       {.kind = VISION_RELU},
       {.kind = VISION_LINEAR, .in = 64, .out = 64},
       {.kind = VISION_RELU},
       {.kind = VISION_LINEAR, .in = 64, .out = 10}}}},
    {"table2",
     {1, 28, 28},
     62,
     {11,
      {{VISION_CONV2D, 1, 128, 3, 1, 0, 0},
       {.kind = VISION_RELU},
       {VISION_CONV2D, 128, 256, 3, 1, 0, 0},
       {.kind = VISION_RELU},
       {.kind = VISION_MAX_POOL2D, .kernel = 2, .stride = 2},
       {.kind = VISION_FLATTEN},
       {.kind = VISION_LINEAR, .in = 256 * 12 * 12, .out = 64},
       {.kind = VISION_RELU},
       {.kind = VISION_LINEAR, .in = 64, .out = 64},
       {.kind = VISION_RELU},
       {.kind = VISION_LINEAR, .in = 64, .out = 62}}}},
    {"cifar",
     {3, 32, 32},
     10,
     {12,
      {{VISION_CONV2D, 3, 32, 3, 1, 1, 0},
       {.kind = VISION_RELU},
       {.kind = VISION_MAX_POOL2D, .kernel = 2, .stride = 2},
       {VISION_CONV2D, 32, 64, 3, 1, 1, 0},
       {.kind = VISION_RELU},
       {.kind = VISION_MAX_POOL2D, .kernel = 2, .stride = 2},
       {VISION_CONV2D, 64, 128, 3, 1, 1, 0},
       {.kind = VISION_RELU},
       {.kind = VISION_FLATTEN},
       {.kind = VISION_LINEAR, .in = 128 * 8 * 8, .out = 128},
       {.kind = VISION_RELU},
       {.kind = VISION_LINEAR, .in = 128, .out = 10}}}},
};
enum { LISTS = sizeof lists / sizeof *lists };

/* Two of blocks, for images of any size: three stages of 32, 64 and 128 channels, of which the later two begin with
 * a stride of 2, with a sum around a block in each. */
static const struct {
    const char *name;
    bool
        separable; /* depthwise and pointwise, an inverted bottleneck; or whole convolutions of 3 x 3 */
    int side;
} blocks[] = {{"residual-32", false, 32}, {"residual-16", false, 16}, {"residual-8", false, 8},
              {"separable-32", true, 32}, {"separable-16", true, 16}, {"separable-8", true, 8}};
enum { BLOCKS = sizeof blocks / sizeof *blocks, NETWORKS = LISTS + BLOCKS };

static void put(vision_architecture *net, vision_layer layer) { net->layer[net->count++] = layer; }

/* A batch norm behind it, and an activation. */
static void bend(vision_architecture *net, int channels, vision_kind activation)
{
    put(net, (vision_layer){.kind = VISION_BATCH_NORM2D, .in = channels});
    put(net, (vision_layer){.kind = activation});
}

static void convolution_of(vision_architecture *net, int in, int out, int kernel, int stride)
{
    put(net, (vision_layer){VISION_CONV2D, in, out, kernel, stride, kernel / 2, 0});
}

static void depthwise_of(vision_architecture *net, int channels, int stride)
{
    put(net, (vision_layer){VISION_DEPTHWISE2D, channels, 0, 3, stride, 1, 0});
}

/* From `in` channels to `out`, with a stride where they differ, then a block with a sum around it. */
static void whole_stage(vision_architecture *net, int in, int out)
{
    if (in != out) {
        convolution_of(net, in, out, 3, 2);
        bend(net, out, VISION_RELU);
    }
    int from = net->count;
    convolution_of(net, out, out, 3, 1);
    bend(net, out, VISION_RELU);
    convolution_of(net, out, out, 3, 1);
    put(net, (vision_layer){.kind = VISION_BATCH_NORM2D, .in = out});
    put(net, (vision_layer){.kind = VISION_RESIDUAL, .in = from});
}

static void separable_stage(vision_architecture *net, int in, int out)
{
    if (in != out) {
        depthwise_of(net, in, 2);
        bend(net, in, VISION_RELU6);
        convolution_of(net, in, out, 1, 1);
        bend(net, out, VISION_RELU6);
    }
    int from = net->count, wide = 4 * out;
    convolution_of(net, out, wide, 1, 1);
    bend(net, wide, VISION_RELU6);
    depthwise_of(net, wide, 1);
    bend(net, wide, VISION_RELU6);
    convolution_of(net, wide, out, 1, 1);
    put(net, (vision_layer){.kind = VISION_BATCH_NORM2D, .in = out});
    put(net, (vision_layer){.kind = VISION_RESIDUAL, .in = from});
}

static network network_of(int index)
{
    if (index < LISTS)
        return lists[index];
    const int b = index - LISTS;
    network n = {blocks[b].name, {3, blocks[b].side, blocks[b].side}, 10, {0}};
    convolution_of(&n.net, 3, 32, 3, 1);
    bend(&n.net, 32, blocks[b].separable ? VISION_HARD_SWISH : VISION_RELU);
    for (int in = 32, out = 32; out <= 128; in = out, out *= 2)
        (blocks[b].separable ? separable_stage : whole_stage)(&n.net, in, out);
    put(&n.net, (vision_layer){.kind = VISION_GLOBAL_AVG_POOL2D});
    put(&n.net, (vision_layer){.kind = VISION_FLATTEN});
    put(&n.net, (vision_layer){.kind = VISION_LINEAR, .in = 128, .out = 10});
    return n;
}

/* ---- a step: always the same images ---- */

typedef struct training {
    tensor_context *ctx;
    vision_network *network;
    nn_params *params;
    nn_optimizer *optimizer;
    tensor images;
    int target[BATCH];
} training;

static void train_step(void *state)
{
    training *t = state;
    nn_zero_grad(t->params);
    tensor *logits = vision_forward(t->network, &t->images, true, 0, 0);
    tensor_backward(tensor_cross_entropy(logits, t->target, NULL, NULL));
    tensor_step_end(t->ctx);
    nn_optimizer_step(t->optimizer, 1, 1);
}

static int64_t bytes_of(const training *t)
{
    size_t state;
    nn_optimizer_state(t->optimizer, &state);
    return (int64_t)((2 * nn_params_size(t->params) + state) * sizeof(float) +
                     tensor_step_peak(t->ctx));
}

static nn_optimizer_config sgd(void)
{
    nn_optimizer_config config = nn_optimizer_default(NN_SGD);
    config.rate = 0.01;
    config.momentum = 0.9;
    return config;
}

static size_t pixels_of(const network *net)
{
    return (size_t)net->input.channels * (size_t)net->input.height * (size_t)net->input.width;
}

/* Parameters: which network. */
static bool run_step(const bench_case *self, bench_run *run, base_error *error)
{
    const network its = network_of(self->parameter[0]), *net = &its;
    const vision_shape *input = &net->input;
    const nn_optimizer_config config = sgd();
    training t = {.ctx = run->ctx};
    float *images = bench_floats(BATCH * pixels_of(net), error);
    bool ok = images && (t.network = vision_network_new(run->ctx, &net->net, *input, 1, error));
    if (ok) {
        t.params = vision_network_params(t.network);
        t.optimizer = nn_optimizer_new(t.params, &config, error);
        ok = t.optimizer != NULL;
    }
    if (ok) {
        tensor_leaf(&t.images, run->ctx, 4,
                    (const int[]){BATCH, input->channels, input->height, input->width}, images,
                    NULL);
        for (int i = 0; i < BATCH; i++)
            t.target[i] = i * 7 % net->classes;
        bench_measure(run, NULL, train_step, &t);
        run->result->flops = (double)(BATCH * vision_training_flops(&net->net, *input));
        run->result->units = BATCH;
        run->result->memory_bytes = bytes_of(&t);
    }
    nn_optimizer_free(t.optimizer);
    vision_network_free(t.network);
    bench_free(images);
    return ok;
}

/* ---- an epoch: images of a large set in random order, made into batches ---- */

enum { IN_ALL = 50000 };

typedef struct epoch {
    vision_network *network;
    vision_part part;
    vision_normal normal;
    vision_plan plan;
    bool ok;
    base_error *error;
} epoch;

static void train_epoch(void *state)
{
    epoch *e = state;
    int64_t steps;
    e->ok =
        e->ok && vision_train(e->network, &e->part, &e->normal, &e->plan, NULL, &steps, e->error);
}

/* Parameters: which network, how many images, by how much they are shifted (0: nor mirrored). */
static bool run_epoch(const bench_case *self, bench_run *run, base_error *error)
{
    const network its = network_of(self->parameter[0]), *net = &its;
    const size_t count = IN_ALL, bytes = count * pixels_of(net);
    vision_images all = {.count = IN_ALL,
                         .channels = net->input.channels,
                         .height = net->input.height,
                         .width = net->input.width,
                         .classes = net->classes,
                         .pixels = malloc(bytes),
                         .labels = malloc(count)};
    vision_split split = {.block = NULL};
    epoch e = {.plan = {.epochs = 1,
                        .batch = BATCH,
                        .optimizer = sgd(),
                        .flip = self->parameter[2] > 0,
                        .shift = self->parameter[2]},
               .ok = (all.pixels && all.labels) || base_fail(error, "no memory for the images"),
               .error = error};
    base_random random = {.seed = 1};
    for (size_t i = 0; e.ok && i < bytes; i++)
        all.pixels[i] = (unsigned char)base_random_below(&random, 256);
    for (size_t i = 0; e.ok && i < count; i++)
        all.labels[i] = (unsigned char)base_random_below(&random, (uint32_t)net->classes);
    e.ok = e.ok && vision_split_draw(&split, &all, self->parameter[1], 0, 1, error) &&
           (e.network = vision_network_new(run->ctx, &net->net, net->input, 1, error));
    if (e.ok) {
        e.part = split.train;
        e.normal = vision_normal_of(&e.part);
        bench_measure(run, NULL, train_epoch, &e);
        run->result->flops =
            (double)e.part.count * (double)vision_training_flops(&net->net, net->input);
        run->result->units = e.part.count;
    }
    vision_network_free(e.network);
    vision_split_free(&split);
    vision_images_free(&all);
    return e.ok;
}

/* ---- convolutions alone ---- */

typedef enum direction { FORWARD, DATA, WEIGHT } direction;

typedef struct convolution {
    tensor_context *ctx;
    tensor x, weight;
    int padding;
    tensor *sum; /* of the results, for backward */
} convolution;

static void convolve(void *state)
{
    convolution *c = state;
    tensor_step_end(c->ctx);
    tensor_conv2d(&c->x, &c->weight, NULL, 1, c->padding);
}

static void before_backward(void *state)
{
    convolution *c = state;
    tensor_step_end(c->ctx);
    c->sum = tensor_sum(tensor_conv2d(&c->x, &c->weight, NULL, 1, c->padding));
}

/* That of the sum is in the time as well: a pass over the results. */
static void backward(void *state)
{
    convolution *c = state;
    tensor_backward(c->sum);
}

/* Parameters: channels in, out, side, padding, direction. */
static bool run_convolution(const bench_case *self, bench_run *run, base_error *error)
{
    const int *v = self->parameter, x[4] = {BATCH, v[0], v[2], v[2]}, w[4] = {v[1], v[0], 3, 3};
    direction way = (direction)v[4];
    size_t xs = (size_t)BATCH * (size_t)(v[0] * v[2] * v[2]), ws = (size_t)(v[1] * v[0] * 9);
    convolution c = {.ctx = run->ctx, .padding = v[3]};
    float *values = bench_floats(xs + ws, error);
    float *gradients = values ? bench_floats(xs + ws, error) : NULL;
    if (gradients) {
        tensor_leaf(&c.x, run->ctx, 4, x, values, way == DATA ? gradients : NULL);
        tensor_leaf(&c.weight, run->ctx, 4, w, values + xs, way == WEIGHT ? gradients + xs : NULL);
        if (way == FORWARD)
            bench_measure(run, NULL, convolve, &c);
        else
            bench_measure(run, before_backward, backward, &c);
        int side = v[2] + 2 * v[3] - 2;
        run->result->flops = 2.0 * BATCH * 9 * v[0] * v[1] * side * side;
        run->result->memory_bytes = (int64_t)((xs + ws) * 4 + tensor_step_peak(run->ctx));
        tensor_step_end(run->ctx);
    }
    bench_free(values);
    bench_free(gradients);
    return gradients != NULL;
}

/* ---- the list ---- */

void bench_net_cases(bench_list *list)
{
    static const int convolutions[][4] = {
        {1, 128, 28, 0}, {128, 256, 26, 0}, {3, 32, 32, 1}, {32, 64, 16, 1}, {64, 128, 8, 1}};
    static const char *const ways[] = {"forward", "data", "weight"};
    for (int i = 0; i < 5; i++)
        for (int way = FORWARD; way <= WEIGHT; way++) {
            if (way == DATA && convolutions[i][0] < 4)
                continue; /* a first layer's */
            bench_case *c = bench_add(list);
            c->run = run_convolution;
            memcpy(c->parameter, convolutions[i], sizeof convolutions[i]);
            c->parameter[4] = way;
            snprintf(c->name, sizeof c->name, "conv/%d-%d/%s", convolutions[i][0],
                     convolutions[i][1], ways[way]);
        }
    for (int i = 0; i < NETWORKS; i++) {
        bench_case *c = bench_add(list);
        c->run = run_step;
        c->parameter[0] = i;
        c->unit = "images/s";
        snprintf(c->name, sizeof c->name, "train/%s", network_of(i).name);
    }
    static const int epochs[][3] = {{0, IN_ALL, 0}, {1, 1280, 0}, {2, 5120, 0}, {2, 5120, 2}};
    for (int i = 0; i < 4; i++) {
        bench_case *c = bench_add(list);
        c->run = run_epoch;
        memcpy(c->parameter, epochs[i], sizeof epochs[i]);
        c->unit = "images/s";
        snprintf(c->name, sizeof c->name, "epoch/%s%s", network_of(epochs[i][0]).name,
                 epochs[i][2] ? "/moved" : "");
    }
}
