/* SPDX-License-Identifier: MIT */
/* inherit.c -- weights of one network for another one, layer by layer.
 *
 * All that is known of a tensor on the way is `origin`: channel j of it is channel j mod origin of the other
 * network's (0: it has nothing to do with it). That is enough since every wider layer repeats its channels in order,
 * pools, activations and sums leave channels where they are, and flatten() makes C of them to C H W, of which
 * number j is number j mod (origin H W) of the other one's. */
#include "vision/inherit.h"
#include "base/memory.h"
#include "base/random.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PLACES = VISION_MAX_LAYERS + 1, NOTHING = -1 };

typedef struct inheriting {
    vision_network *network, *from;
    const vision_architecture *net, *of;
    vision_shape shapes[VISION_MAX_LAYERS], shapes_of[VISION_MAX_LAYERS];
    int pair[VISION_MAX_LAYERS];       /* the other network's layer; NOTHING: it is new */
    bool is_last[VISION_MAX_LAYERS];   /* of a new block: to give zero */
    bool is_within[VISION_MAX_LAYERS]; /* a new block, before the sum */
    int origin[PLACES];                /* of what the first i layers give */
    uint64_t seed;
    int64_t taken;
} inheriting;

static bool has_weights(vision_kind kind)
{
    return kind == VISION_CONV2D || kind == VISION_LINEAR || kind == VISION_DEPTHWISE2D ||
           kind == VISION_BATCH_NORM2D;
}

/* ---- which layer is which ---- */

/* How much two layers have in common; 0: they are no pair. */
static int likeness(const vision_layer *a, const vision_layer *b)
{
    if (a->kind != b->kind || a->stride != b->stride)
        return 0;
    if (!has_weights(a->kind))
        return 1;
    return 4 + (a->in == b->in) + (a->out == b->out) + (a->kernel == b->kernel);
}

/* The pairs in order with the most in common: best[i][j] is what layers i.. and j.. can have. Of equal ways the one
 * that takes pairs as early as it can, so that of repeated blocks the last is the new one. */
static bool pair_layers(inheriting *t, base_error *error)
{
    const int n = t->net->count, m = t->of->count;
    short(*best)[PLACES] = base_calloc(PLACES, sizeof *best);
    if (!best)
        return base_fail(error, "no memory to pair %d layers with %d", n, m);
    for (int i = n - 1; i >= 0; i--)
        for (int j = m - 1; j >= 0; j--) {
            const int like = likeness(&t->net->layer[i], &t->of->layer[j]);
            const int both = like ? like + best[i + 1][j + 1] : 0;
            const int one = best[i + 1][j] > best[i][j + 1] ? best[i + 1][j] : best[i][j + 1];
            best[i][j] = (short)(both > one ? both : one);
        }
    for (int i = 0, j = 0; i < n; i++) {
        const vision_layer *l = &t->net->layer[i];
        while (j < m && best[i][j] > best[i + 1][j] &&
               best[i][j] != best[i + 1][j + 1] + likeness(l, &t->of->layer[j]))
            j++;
        const bool paired = j < m && likeness(l, &t->of->layer[j]) > 0 &&
                            best[i][j] == best[i + 1][j + 1] + likeness(l, &t->of->layer[j]);
        t->pair[i] = paired ? j++ : NOTHING;
    }
    base_free(best);
    return true;
}

/* New sums around layers that are all new. */
static void find_blocks(inheriting *t)
{
    for (int i = 1; i < t->net->count; i++) {
        const vision_layer *l = &t->net->layer[i];
        int first = l->kind == VISION_RESIDUAL ? l->in : i, at = i;
        while (at >= first && t->pair[at] == NOTHING)
            at--;
        if (at >= first || first == i || !has_weights(l[-1].kind))
            continue;
        t->is_last[i - 1] = true;
        for (at = first; at < i; at++)
            t->is_within[at] = true;
    }
}

/* ---- tensors ---- */

static tensor *tensor_of(nn_params *params, int layer, const char *what)
{
    char name[32];
    snprintf(name, sizeof name, "%d.%s", layer, what);
    return nn_params_find(params, name);
}

/* One number a channel, each from its origin. */
static void take_channels(inheriting *t, tensor *to, const tensor *from)
{
    const int channels = to->dim[0], origin = from->dim[0];
    for (int c = 0; c < channels; c++)
        to->val[c] = from->val[c % origin];
    t->taken += channels;
}

/* What input i of output o gets of its origin's weight: of n copies, one of n drawn parts of 1. */
static double part_of(const inheriting *t, int layer, int o, int i, int inputs, int origin)
{
    double own = 1, sum = 0;
    if (i % origin + origin >= inputs)
        return 1; /* there are no copies */
    base_random r = {t->seed, base_random_stream("inherit", (uint64_t)layer, (uint64_t)o, 0), 0};
    for (int copy = i % origin; copy < inputs; copy += origin) {
        r.index = (uint64_t)copy;
        const double drawn = 0.5 + base_random_uniform(&r);
        sum += drawn;
        own = copy == i ? drawn : own;
    }
    return own / sum;
}

/* weight (outputs,inputs,k,k) or (outputs,inputs), its middle on the middle of the other. inputs of a depthwise
 * convolution are one, and that is not divided. */
static void take_weight(inheriting *t, int layer, tensor *to, const tensor *from, int origin)
{
    const int inputs = to->dim[1], was = from->dim[1];
    const int k = to->rank == 4 ? to->dim[3] : 1, old = from->rank == 4 ? from->dim[3] : 1;
    const int around = (k - old) / 2;
    float *w = to->val;
    for (int o = 0; o < to->dim[0]; o++)
        for (int i = 0; i < inputs; i++) {
            const double part = part_of(t, layer, o, i, inputs, origin);
            const size_t at = (size_t)(o % from->dim[0]) * (size_t)was + (size_t)(i % origin);
            const float *v = from->val + at * (size_t)(old * old);
            for (int y = -around; y < k - around; y++)
                for (int x = -around; x < k - around; x++) {
                    const bool is_in = y >= 0 && y < old && x >= 0 && x < old;
                    *w++ = is_in ? (float)(part * (double)v[y * old + x]) : 0;
                }
        }
    t->taken += (int64_t)tensor_size(to);
}

/* The identity: 1 where an output is its own input, in the middle of the kernel. */
static void make_identity(tensor *weight, tensor *bias)
{
    const size_t inputs = (size_t)weight->dim[1],
                 k = weight->rank == 4 ? (size_t)weight->dim[3] : 1;
    nn_init_constant(weight, 0);
    nn_init_constant(bias, 0);
    for (size_t o = 0; o < (size_t)weight->dim[0]; o++)
        weight->val[(o * inputs + o % inputs) * k * k + k * k / 2] = 1;
}

/* ---- layers ---- */

/* Whether a layer could give what it takes. */
static bool can_be_identity(const vision_layer *l)
{
    const bool same = l->kind == VISION_DEPTHWISE2D || l->in == l->out;
    return same && (l->kind == VISION_LINEAR ||
                    (l->stride == 1 && l->kernel % 2 == 1 && l->padding == l->kernel / 2));
}

/* A layer without a pair: what it takes goes through where that can be. */
static int begin_anew(inheriting *t, int i)
{
    const vision_layer *l = &t->net->layer[i];
    nn_params *params = vision_network_params(t->network);
    tensor *weight = tensor_of(params, i, "weight"), *bias = tensor_of(params, i, "bias");
    const int origin = t->origin[i];
    if (t->is_last[i]) {
        nn_init_constant(weight, 0);
        nn_init_constant(bias, 0);
    } else if (l->kind == VISION_BATCH_NORM2D && origin) {
        /* (x - 0) / sqrt(1 + epsilon), by its first running statistics */
        nn_init_constant(weight, sqrtf(1 + VISION_NORM_EPSILON));
    }
    if (l->kind == VISION_BATCH_NORM2D)
        return origin;
    if (!origin || t->is_within[i] || !can_be_identity(l))
        return 0;
    make_identity(weight, bias);
    return origin;
}

/* Layer i of its pair, if what it takes comes from what that took: then all of it. */
static int take_layer(inheriting *t, int i)
{
    const vision_layer *l = &t->net->layer[i], *was = &t->of->layer[t->pair[i]];
    const bool by_channel = l->kind == VISION_DEPTHWISE2D || l->kind == VISION_BATCH_NORM2D;
    int origin = t->origin[i];
    if (origin != was->in)
        origin = l->in == was->in ? was->in : 0;
    const bool fits = (l->kernel - was->kernel) % 2 == 0 &&
                      2 * (l->padding - was->padding) == l->kernel - was->kernel;
    if (!origin || !fits)
        return 0;
    nn_params *to = vision_network_params(t->network), *from = vision_network_params(t->from);
    tensor *weight = tensor_of(to, i, "weight");
    const tensor *old = tensor_of(from, t->pair[i], "weight");
    if (l->kind == VISION_BATCH_NORM2D)
        take_channels(t, weight, old);
    else
        take_weight(t, i, weight, old, by_channel ? 1 : origin);
    take_channels(t, tensor_of(to, i, "bias"), tensor_of(from, t->pair[i], "bias"));
    static const char *const running[] = {"running_mean", "running_var"};
    for (int k = 0; l->kind == VISION_BATCH_NORM2D && k < 2; k++)
        take_channels(t, tensor_of(vision_network_running(t->network), i, running[k]),
                      tensor_of(vision_network_running(t->from), t->pair[i], running[k]));
    return by_channel ? origin : was->out;
}

/* Behind flatten, if what it takes is as high and as wide as what its pair takes. */
static int flat(const inheriting *t, int i)
{
    const vision_shape input = vision_network_input(t->network);
    const int j = t->pair[i];
    if (j == NOTHING)
        return 0;
    const vision_shape a = i > 0 ? t->shapes[i - 1] : input,
                       b = j > 0 ? t->shapes_of[j - 1] : input;
    if (a.height != b.height || a.width != b.width)
        return 0;
    const int plane = a.height > 0 ? a.height * a.width : 1;
    return t->origin[i] <= INT_MAX / plane ? t->origin[i] * plane : 0;
}

static int origin_behind(inheriting *t, int i)
{
    const vision_layer *l = &t->net->layer[i];
    if (has_weights(l->kind))
        return t->pair[i] == NOTHING ? begin_anew(t, i) : take_layer(t, i);
    if (l->kind == VISION_FLATTEN)
        return flat(t, i);
    if (l->kind == VISION_RESIDUAL && !t->origin[i])
        return t->origin[l->in];
    return t->origin[i];
}

bool vision_inherit(vision_network *network, const vision_architecture *net, vision_network *from,
                    const vision_architecture *of, uint64_t seed, int64_t *taken, base_error *error)
{
    const vision_shape input = vision_network_input(network), was = vision_network_input(from);
    *taken = 0;
    if (input.channels != was.channels || input.height != was.height || input.width != was.width)
        return base_fail(
            error, "the network to begin with takes images of %dx%dx%d, this one of %dx%dx%d",
            was.channels, was.height, was.width, input.channels, input.height, input.width);
    inheriting *t = base_calloc(1, sizeof *t);
    if (!t)
        return base_fail(error, "no memory for the layers of a network");
    *t = (inheriting){.network = network, .from = from, .net = net, .of = of, .seed = seed};
    const int classes[2] = {net->layer[net->count - 1].out, of->layer[of->count - 1].out};
    bool ok = vision_shapes(net, input, classes[0], t->shapes, error) &&
              vision_shapes(of, input, classes[1], t->shapes_of, error) && pair_layers(t, error);
    if (ok) {
        find_blocks(t);
        t->origin[0] = input.channels;
        for (int i = 0; i < net->count; i++)
            t->origin[i + 1] = origin_behind(t, i);
        *taken = t->taken;
    }
    base_free(t);
    return ok;
}
