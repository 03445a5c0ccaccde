/* bench_nets.c -- networks for images, trained, and their convolutions one by one.
 *
 * A network is a list of layers; a step is forward, cross-entropy, backward and SGD with momentum.
 * Operations are counted as if each convolution were done directly, forward and twice that for
 * backward, but for the first layer's data gradient, which nobody needs. */
#include "bin/bench.h"
#include "nn/optimizer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64 };

/* ---- networks ---- */

typedef enum layer_kind { END, CONV, POOL, LINEAR } layer_kind;

/* CONV: 3 x 3 with so much padding, then ReLU. LINEAR: over all that comes in; then ReLU, but for
 * the last. POOL: maxima of 2 x 2. */
typedef struct layer {
    layer_kind kind;
    int outputs, padding;
} layer;

enum { MOST_LAYERS = 9 };

typedef struct network {
    const char *name;
    int channels, side; /* of the images; side 0: a row of `channels` numbers */
    int classes;
    layer layers[MOST_LAYERS];
} network;

static const network networks[] = {
    {"mlp", 784, 0, 10, {{LINEAR, 64, 0}, {LINEAR, 64, 0}, {LINEAR, 10, 0}}},
    {"table2",
     1,
     28,
     62,
     {{CONV, 128, 0},
      {CONV, 256, 0},
      {POOL, 0, 0},
      {LINEAR, 64, 0},
      {LINEAR, 64, 0},
      {LINEAR, 62, 0}}},
    {"cifar",
     3,
     32,
     10,
     {{CONV, 32, 1},
      {POOL, 0, 0},
      {CONV, 64, 1},
      {POOL, 0, 0},
      {CONV, 128, 1},
      {LINEAR, 128, 0},
      {LINEAR, 10, 0}}},
};
enum { NETWORKS = sizeof networks / sizeof *networks };

typedef struct training {
    tensor_context *ctx;
    const network *net;
    nn_params *params;
    nn_optimizer *optimizer;
    tensor *weight[MOST_LAYERS], *bias[MOST_LAYERS];
    tensor images;
    int target[BATCH];
    double flops; /* of a step */
} training;

static bool declare_layer(training *t, int i, int rank, const int *dim)
{
    char name[32];
    snprintf(name, sizeof name, "%d.weight", i);
    t->weight[i] = nn_param(t->params, name, rank, dim);
    snprintf(name, sizeof name, "%d.bias", i);
    t->bias[i] = nn_param(t->params, name, 1, dim);
    return t->weight[i] && t->bias[i];
}

/* Declares the parameters, layer by layer, and counts the operations. */
static bool declare(training *t)
{
    int channels = t->net->channels, side = t->net->side ? t->net->side : 1;
    for (int i = 0; t->net->layers[i].kind != END; i++) {
        const layer *l = &t->net->layers[i];
        double products = 0;
        bool ok = true;
        if (l->kind == POOL) {
            side /= 2;
        } else if (l->kind == CONV) {
            ok = declare_layer(t, i, 4, (const int[]){l->outputs, channels, 3, 3});
            side += 2 * l->padding - 2;
            products = 9.0 * channels * l->outputs * side * side;
            channels = l->outputs;
        } else {
            int inputs = channels * side * side;
            ok = declare_layer(t, i, 2, (const int[]){l->outputs, inputs});
            products = (double)inputs * l->outputs;
            channels = l->outputs;
            side = 1;
        }
        if (!ok)
            return false;
        t->flops += BATCH * 2 * products * (i == 0 ? 2 : 3);
    }
    return true;
}

/* torch's default start: He et al. 2015. */
static void start_weights(const training *t)
{
    for (int i = 0; t->net->layers[i].kind != END; i++) {
        if (!t->weight[i])
            continue;
        int fan_in = (int)(tensor_size(t->weight[i]) / (size_t)t->weight[i]->dim[0]);
        nn_init_kaiming_uniform(t->weight[i], fan_in, 1, 2 * (uint64_t)i);
        nn_init_kaiming_uniform(t->bias[i], fan_in, 1, 2 * (uint64_t)i + 1);
    }
}

static tensor *run_layer(const training *t, int i, tensor *x)
{
    const layer *l = &t->net->layers[i];
    if (l->kind == POOL)
        return tensor_max_pool2d(x, 2, 2);
    if (l->kind == CONV)
        return tensor_conv2d_relu(x, t->weight[i], t->bias[i], 1, l->padding);
    if (x->rank == 4)
        x = tensor_reshape(x, 2, (const int[]){BATCH, x->dim[1] * x->dim[2] * x->dim[3]});
    if (t->net->layers[i + 1].kind == END)
        return tensor_linear(x, t->weight[i], t->bias[i]);
    return tensor_linear_relu(x, t->weight[i], t->bias[i]);
}

static void train_step(void *state)
{
    training *t = state;
    nn_zero_grad(t->params);
    tensor *x = &t->images;
    for (int i = 0; t->net->layers[i].kind != END; i++)
        x = run_layer(t, i, x);
    tensor_backward(tensor_cross_entropy(x, t->target, NULL, NULL));
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

/* Parameters: which network. */
static bool run_network(const bench_case *self, bench_run *run, base_error *error)
{
    const network *net = &networks[self->parameter[0]];
    training t = {.ctx = run->ctx, .net = net, .params = nn_params_new(run->ctx)};
    nn_optimizer_config sgd = nn_optimizer_default(NN_SGD);
    sgd.rate = 0.01;
    sgd.momentum = 0.9;
    const int shape[4] = {BATCH, net->channels, net->side, net->side};
    size_t image = (size_t)net->channels * (size_t)(net->side ? net->side * net->side : 1);
    float *images = bench_floats(BATCH * image, error);
    bool ok = images && ((t.params && declare(&t)) || base_fail(error, "no memory"));
    ok = ok && nn_params_allocate(t.params, true, error) &&
         (t.optimizer = nn_optimizer_new(t.params, &sgd, error));
    if (ok) {
        start_weights(&t);
        tensor_leaf(&t.images, run->ctx, net->side ? 4 : 2, shape, images, NULL);
        for (int i = 0; i < BATCH; i++)
            t.target[i] = i * 7 % net->classes;
        bench_measure(run, NULL, train_step, &t);
        run->result->flops = t.flops;
        run->result->units = BATCH;
        run->result->memory_bytes = bytes_of(&t);
    }
    if (t.optimizer)
        nn_optimizer_free(t.optimizer);
    if (t.params)
        nn_params_free(t.params);
    bench_free(images);
    return ok;
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
        c->run = run_network;
        c->parameter[0] = i;
        c->unit = "images/s";
        snprintf(c->name, sizeof c->name, "train/%s", networks[i].name);
    }
}
