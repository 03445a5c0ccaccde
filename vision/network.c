/* SPDX-License-Identifier: MIT */
/* network.c -- a list of layers with weights, and the forward pass through it.
 *
 * A network is its architecture, one tensor or two for each layer that has weights, and a loop over
 * the layers (vision_forward), in which each kind of layer is one call of tensor/. Backward is the
 * tape's.
 *
 * Parameters have the names that torch's Sequential gives them: the layer's place, counted from 0,
 * and what it is ("0.weight", "0.bias"). The running statistics of batch norms are no parameters,
 * since no gradient changes them; they are a set of their own, a mean and a variance per channel.
 *
 * A relu behind a convolution or a linear layer is fused with it: the product writes max(0, .) at
 * once, which saves a pass over memory forward and one backward and gives the same values; in training so is a relu
 * or relu6 behind a batch norm. It stands by itself where a residual sum asks for what comes before it. */
#include "vision/network.h"

#include "base/memory.h"
#include "base/random.h"
#include "tensor/context.h"
#include <stdio.h>
#include <stdlib.h>

/* The tensors of a layer; NULL where its kind has none. */
typedef struct layer_state {
    tensor *weight, *bias;
    tensor *mean, *variance; /* running, (channels) */
} layer_state;

struct vision_network {
    vision_architecture net;
    vision_shape input;
    nn_params *params, *running;
    layer_state layer[VISION_MAX_LAYERS];
    tensor **results; /* vision_keep_results' */
};

/* torch's default for batch norm. */
static const float momentum = 0.1F;

/* ---- weights ---- */

/* A tensor of layer i. NULL: no memory. */
static tensor *declare_one(nn_params *params, int i, const char *what, int rank, const int *dim)
{
    char name[32];
    snprintf(name, sizeof name, "%d.%s", i, what);
    return nn_param(params, name, rank, dim);
}

/* A weight of that shape, and a bias as long as its first axis. False: no memory. */
static bool declare(vision_network *n, int i, int rank, const int *dim)
{
    layer_state *s = &n->layer[i];
    s->weight = declare_one(n->params, i, "weight", rank, dim);
    s->bias = declare_one(n->params, i, "bias", 1, dim);
    return s->weight && s->bias;
}

static bool declare_norm(vision_network *n, int i, int channels)
{
    layer_state *s = &n->layer[i];
    s->mean = declare_one(n->running, i, "running_mean", 1, &channels);
    s->variance = declare_one(n->running, i, "running_var", 1, &channels);
    return s->mean && s->variance && declare(n, i, 1, &channels);
}

static bool declare_layer(vision_network *n, int i)
{
    const vision_layer *l = &n->net.layer[i];
    switch (l->kind) {
    case VISION_CONV2D:
        return declare(n, i, 4, (const int[]){l->out, l->in, l->kernel, l->kernel});
    case VISION_DEPTHWISE2D:
        return declare(n, i, 4, (const int[]){l->in, 1, l->kernel, l->kernel});
    case VISION_LINEAR:
        return declare(n, i, 2, (const int[]){l->out, l->in});
    case VISION_BATCH_NORM2D:
        return declare_norm(n, i, l->in);
    default:
        return true;
    }
}

/* A batch norm starts as the identity: factor 1, offset 0, and running statistics 0 and 1. */
static void start_norm(layer_state *s)
{
    nn_init_constant(s->weight, 1);
    nn_init_constant(s->bias, 0);
    nn_init_constant(s->mean, 0);
    nn_init_constant(s->variance, 1);
}

/* torch's default (reset_parameters of Linear and Conv2d): weight and bias uniform between plus and
 * minus 1 / sqrt(fan_in), where fan_in is the number of inputs of one output. */
static void start_weights(vision_network *n, uint64_t seed)
{
    for (int i = 0; i < n->net.count; i++) {
        const vision_layer *l = &n->net.layer[i];
        layer_state *s = &n->layer[i];
        if (l->kind == VISION_BATCH_NORM2D) {
            start_norm(s);
        } else if (s->weight) {
            int window = l->kind == VISION_LINEAR ? 1 : l->kernel * l->kernel;
            int fan_in = l->kind == VISION_DEPTHWISE2D ? window : l->in * window;
            nn_init_kaiming_uniform(s->weight, fan_in, seed,
                                    base_random_stream("weight", (uint64_t)i, 0, 0));
            nn_init_kaiming_uniform(s->bias, fan_in, seed,
                                    base_random_stream("bias", (uint64_t)i, 0, 0));
        }
    }
}

/* All tensors are declared first and then allocated in blocks (nn/params.h); a running statistic has no gradient. */
static vision_network *blank(tensor_context *ctx, const vision_architecture *net,
                             vision_shape input, bool gradients, base_error *error)
{
    vision_network *n = base_calloc(1, sizeof *n);
    bool ok = n != NULL;
    if (ok) {
        n->net = *net;
        n->input = input;
        n->params = nn_params_new(ctx);
        n->running = nn_params_new(ctx);
        ok = n->params && n->running;
    }
    for (int i = 0; i < net->count && ok; i++)
        ok = declare_layer(n, i);
    if (!ok)
        base_fail(error, "no memory for a network of %d layers", net->count);
    if (!ok || !nn_params_allocate(n->params, gradients, error) ||
        !nn_params_allocate(n->running, false, error)) {
        vision_network_free(n);
        return NULL;
    }
    return n;
}

vision_network *vision_network_new(tensor_context *ctx, const vision_architecture *net,
                                   vision_shape input, uint64_t seed, base_error *error)
{
    vision_network *n = blank(ctx, net, input, true, error);
    if (n)
        start_weights(n, seed);
    return n;
}

vision_network *vision_network_blank(tensor_context *ctx, const vision_architecture *net,
                                     vision_shape input, base_error *error)
{
    return blank(ctx, net, input, false, error);
}

void vision_network_free(vision_network *network)
{
    if (!network)
        return;
    nn_params_free(network->params);
    nn_params_free(network->running);
    base_free(network);
}

nn_params *vision_network_params(vision_network *network) { return network->params; }

nn_params *vision_network_running(vision_network *network) { return network->running; }

void vision_keep_results(vision_network *network, tensor **results) { network->results = results; }

vision_shape vision_network_input(const vision_network *network) { return network->input; }

/* ---- forward ---- */

/* x (B,C,H,W) -> (B, C H W), without a copy. */
static tensor *flatten(tensor *x)
{
    if (x->rank == 2)
        return x;
    return tensor_reshape(x, 2, (const int[]){x->dim[0], x->dim[1] * x->dim[2] * x->dim[3]});
}

/* x (B,C,H,W) -> (B,C,H,W). A single value per channel has no variance: then the running statistics
 * are taken, as without training. bend: the layer behind it, if that is to be applied as well. */
static tensor *normalise(const layer_state *s, tensor *x, bool training, const vision_layer *bend)
{
    bool measure = training && tensor_size(x) > (size_t)x->dim[1];
    float *mean = s->mean->val, *variance = s->variance->val;
    if (!bend)
        return tensor_batchnorm2d(x, s->weight, s->bias, mean, variance, measure, momentum,
                                  VISION_NORM_EPSILON);
    return tensor_batchnorm2d_bent(x, s->weight, s->bias, mean, variance, measure, momentum,
                                   VISION_NORM_EPSILON,
                                   bend->kind == VISION_RELU ? TENSOR_RELU : TENSOR_RELU6);
}

/* x (B,in) -> (B,out), or x (B,in,H,W) -> (B,out,H',W'). relu: apply it as well. */
static tensor *multiply(const vision_layer *l, const layer_state *s, tensor *x, bool relu)
{
    if (l->kind == VISION_LINEAR)
        return relu ? tensor_linear_relu(x, s->weight, s->bias)
                    : tensor_linear(x, s->weight, s->bias);
    return relu ? tensor_conv2d_relu(x, s->weight, s->bias, l->stride, l->padding)
                : tensor_conv2d(x, s->weight, s->bias, l->stride, l->padding);
}

static void check_images(const vision_network *n, const tensor *x)
{
    char text[64];
    vision_shape s = n->input;
    if (s.height == 0 && (x->rank != 2 || x->dim[1] != s.channels))
        tensor_fail(x->ctx, "vision_forward", "rows %s, expected (B,%d)",
                    tensor_shape_text(x, text), s.channels);
    if (s.height == 0)
        return;
    if (x->rank != 4 || x->dim[1] != s.channels || x->dim[2] != s.height || x->dim[3] != s.width)
        tensor_fail(x->ctx, "vision_forward", "images %s, expected (B,%d,%d,%d)",
                    tensor_shape_text(x, text), s.channels, s.height, s.width);
}

/* Where a step's random numbers come from. */
typedef struct draws {
    uint64_t seed, stream;
} draws;

/* Layer i, given what the images and the layers before it are, and the activation behind it if that is fused. Without
 * training, dropout is the identity. */
static tensor *run_layer(const vision_network *n, int i, tensor *const given[], bool fused,
                         bool training, const draws *step)
{
    const vision_layer *l = &n->net.layer[i];
    const layer_state *s = &n->layer[i];
    tensor *x = given[i];
    switch (l->kind) {
    case VISION_CONV2D:
    case VISION_LINEAR:
        return multiply(l, s, x, fused);
    case VISION_DEPTHWISE2D:
        return tensor_depthwise2d(x, s->weight, s->bias, l->stride, l->padding);
    case VISION_RELU6:
        return tensor_relu6(x);
    case VISION_HARD_SWISH:
        return tensor_hard_swish(x);
    case VISION_GLOBAL_AVG_POOL2D:
        return tensor_global_avg_pool2d(x);
    case VISION_RESIDUAL:
        return tensor_add(x, given[l->in]);
    case VISION_RELU:
        return tensor_relu(x);
    case VISION_GELU:
        return tensor_gelu_erf(x);
    case VISION_MAX_POOL2D:
        return tensor_max_pool2d(x, l->kernel, l->stride);
    case VISION_AVG_POOL2D:
        return tensor_avg_pool2d(x, l->kernel, l->stride);
    case VISION_BATCH_NORM2D:
        return normalise(s, x, training, fused ? l + 1 : NULL);
    case VISION_DROPOUT:
        return training
                   ? tensor_dropout(x, (float)l->rate, step->seed,
                                    base_random_stream("dropout", step->stream, (uint64_t)i, 0), 0)
                   : x;
    default: /* VISION_FLATTEN */
        return flatten(x);
    }
}

/* Whether the activation behind layer i can be done with it. Without training a batch norm's own results are kept for
 * who asks for them (vision_keep_results). */
static bool fuses_next(const vision_architecture *net, int i, bool training)
{
    const vision_layer *l = net->layer;
    const vision_kind kind = l[i].kind, next = i + 1 < net->count ? l[i + 1].kind : VISION_KINDS;
    const bool multiplies = kind == VISION_CONV2D || kind == VISION_LINEAR;
    const bool normalises = kind == VISION_BATCH_NORM2D && training;
    if (!(next == VISION_RELU && (multiplies || normalises)) &&
        !(next == VISION_RELU6 && normalises))
        return false;
    for (int j = i + 2; j < net->count; j++)
        if (l[j].kind == VISION_RESIDUAL && l[j].in == i + 1)
            return false;
    return true;
}

/* given[k] is what the first k layers give, given[0] the images. Behind an activation that was fused, both it and the
 * layer before it give the same tensor, which is right as fuses_next() has made sure that nobody asks for the latter. */
tensor *vision_forward(vision_network *network, tensor *images, bool training, uint64_t seed,
                       uint64_t stream)
{
    const draws step = {seed, stream};
    tensor *given[VISION_MAX_LAYERS + 1] = {images}; /* by that many layers */
    int i = 0;
    check_images(network, images);
    while (i < network->net.count) {
        bool fused = fuses_next(&network->net, i, training);
        tensor *y = run_layer(network, i, given, fused, training, &step);
        given[++i] = y;
        if (fused)
            given[++i] = y;
        if (network->results)
            network->results[i - 1] = y;
    }
    return given[i];
}
