/* SPDX-License-Identifier: MIT */
/* test_inherit.c -- vision/inherit.c: what a network has of another one, and that its function is the same where
 * the edit says so. */
#include "vision/inherit.h"
#include "base/random.h"
#include "tests/tensor/test_tensor.h"
#include "tests/vision/test_vision.h"
#include <math.h>

enum { SIDE = 6, COUNT = 5, CLASSES = 3 };

static const vision_shape input = {2, SIDE, SIDE};

/* ---- networks ---- */

/* Numbers as a training might leave them: none is 0, no variance is small. */
static void fill(nn_params *params, uint64_t seed)
{
    for (int i = 0; i < nn_params_count(params); i++) {
        const char *name = nn_params_name(params, i);
        tensor *t = nn_params_tensor(params, i);
        base_random r = {seed, (uint64_t)i, 0};
        for (size_t k = 0; k < tensor_size(t); k++)
            t->val[k] = (float)(strstr(name, "var") ? 0.5 + base_random_uniform(&r)
                                                    : base_random_uniform(&r) - 0.4);
    }
}

static vision_network *drawn(tensor_context *ctx, const vision_architecture *net)
{
    base_error error = {""};
    vision_shape shapes[VISION_MAX_LAYERS];
    CHECK(vision_shapes(net, input, CLASSES, shapes, &error), "%s", error.text);
    vision_network *network = vision_network_new(ctx, net, input, 4, &error);
    CHECK(network != NULL, "%s", error.text);
    return network;
}

static tensor *images_of(tensor_context *ctx)
{
    tensor *x = tensor_new(ctx, 4, (const int[]){COUNT, input.channels, SIDE, SIDE});
    base_random r = {9, 9, 0};
    for (size_t i = 0; i < tensor_size(x); i++)
        x->val[i] = (float)(2 * base_random_uniform(&r) - 1);
    return x;
}

/* The largest distance of two networks' logits, in units of the largest of them. */
static double distance(tensor_context *ctx, vision_network *a, vision_network *b)
{
    tensor *x = images_of(ctx);
    const tensor *y = vision_forward(a, x, false, 1, 1), *z = vision_forward(b, x, false, 1, 1);
    double most = 0, largest = 0;
    for (size_t i = 0; i < tensor_size(y); i++) {
        most = fmax(most, fabs((double)y->val[i] - (double)z->val[i]));
        largest = fmax(largest, fabs((double)y->val[i]));
    }
    tensor_step_end(ctx);
    return most / largest;
}

/* ---- the same function ---- */

#define BEND(c) BATCH_NORM2D(c), RELU
#define HEAD(c) GLOBAL_AVG_POOL2D, FLATTEN, LINEAR(c, CLASSES)
#define SUM(c, from) \
    CONV2D(c, c, 3, 1, 1), BEND(c), CONV2D(c, c, 3, 1, 1), BATCH_NORM2D(c), RESIDUAL(from)
#define BOTTLENECK(c, w, from)                                                               \
    CONV2D(c, w, 1, 1, 0), BEND(w), DEPTHWISE2D(w, 3, 1, 1), BEND(w), CONV2D(w, c, 1, 1, 0), \
        BATCH_NORM2D(c), RESIDUAL(from)

static const struct {
    const char *edit;
    vision_layer before[24], after[24];
} edits[] = {
    {"wider: a stage, with all that reads it",
     {CONV2D(2, 4, 3, 1, 1), BEND(4), CONV2D(4, 6, 3, 2, 1), BEND(6), SUM(6, 6), RELU, HEAD(6)},
     {CONV2D(2, 7, 3, 1, 1), BEND(7), CONV2D(7, 6, 3, 2, 1), BEND(6), SUM(6, 6), RELU, HEAD(6)}},
    {"wider: a stage with a sum",
     {CONV2D(2, 4, 3, 1, 1), BEND(4), CONV2D(4, 6, 3, 2, 1), BEND(6), SUM(6, 6), RELU, HEAD(6)},
     {CONV2D(2, 4, 3, 1, 1), BEND(4), CONV2D(4, 16, 3, 2, 1), BEND(16), SUM(16, 6), RELU,
      HEAD(16)}},
    {"wider: a bottleneck, depthwise inside",
     {CONV2D(2, 4, 3, 1, 1), BEND(4), BOTTLENECK(4, 8, 3), HEAD(4)},
     {CONV2D(2, 4, 3, 1, 1), BEND(4), BOTTLENECK(4, 12, 3), HEAD(4)}},
    {"wider: what is flattened, and a hidden layer",
     {CONV2D(2, 3, 3, 1, 1), RELU, MAX_POOL2D(2, 2), FLATTEN, LINEAR(27, 5), RELU, DROPOUT(0.5),
      LINEAR(5, CLASSES)},
     {CONV2D(2, 5, 3, 1, 1), RELU, MAX_POOL2D(2, 2), FLATTEN, LINEAR(45, 16), RELU, DROPOUT(0.5),
      LINEAR(16, CLASSES)}},
    {"a larger kernel, of a convolution and a depthwise one",
     {
         CONV2D(2, 4, 1, 1, 0),
         BEND(4),
         DEPTHWISE2D(4, 3, 2, 1),
         BATCH_NORM2D(4),
         HARD_SWISH,
         HEAD(4),
     },
     {
         CONV2D(2, 4, 5, 1, 2),
         BEND(4),
         DEPTHWISE2D(4, 5, 2, 2),
         BATCH_NORM2D(4),
         HARD_SWISH,
         HEAD(4),
     }},
    {"a dropout",
     {CONV2D(2, 4, 3, 2, 1), BEND(4), HEAD(4)},
     {CONV2D(2, 4, 3, 2, 1), BEND(4), GLOBAL_AVG_POOL2D, FLATTEN, DROPOUT(0.2),
      LINEAR(4, CLASSES)}},
    {"deeper: a convolution with its norm",
     {CONV2D(2, 4, 3, 2, 1), BEND(4), HEAD(4)},
     {CONV2D(2, 4, 3, 2, 1), BEND(4), CONV2D(4, 4, 3, 1, 1), BEND(4), HEAD(4)}},
    {"deeper: a separable one, behind the same",
     {CONV2D(2, 4, 3, 2, 1), BEND(4), DEPTHWISE2D(4, 3, 1, 1), BEND(4), CONV2D(4, 4, 1, 1, 0),
      BEND(4), HEAD(4)},
     {CONV2D(2, 4, 3, 2, 1), BEND(4), DEPTHWISE2D(4, 3, 1, 1), BEND(4), CONV2D(4, 4, 1, 1, 0),
      BEND(4), DEPTHWISE2D(4, 3, 1, 1), BEND(4), CONV2D(4, 4, 1, 1, 0), BEND(4), HEAD(4)}},
    {"deeper: a hidden layer",
     {FLATTEN, LINEAR(72, 5), RELU, LINEAR(5, CLASSES)},
     {FLATTEN, LINEAR(72, 5), RELU, LINEAR(5, 5), RELU, LINEAR(5, CLASSES)}},
    {"deeper: a block with a sum, whatever bends",
     {CONV2D(2, 4, 3, 1, 1), BATCH_NORM2D(4), HARD_SWISH, HEAD(4)},
     {CONV2D(2, 4, 3, 1, 1), BATCH_NORM2D(4), HARD_SWISH, BOTTLENECK(4, 8, 3), HEAD(4)}},
    {"deeper: a second block, behind the first",
     {CONV2D(2, 4, 3, 2, 1), BEND(4), SUM(4, 3), HEAD(4)},
     {CONV2D(2, 4, 3, 2, 1), BEND(4), SUM(4, 3), SUM(4, 9), HEAD(4)}},
};

/* Layers up to the first that is none. */
static vision_architecture list_of(const vision_layer layers[24])
{
    vision_architecture net = {0};
    for (; layers->kind != VISION_CONV2D || layers->in > 0; layers++)
        net.layer[net.count++] = *layers;
    return net;
}

static void test_same(void)
{
    for (size_t e = 0; e < sizeof edits / sizeof *edits; e++) {
        tensor_context *ctx = test_context(NULL);
        const vision_architecture before = list_of(edits[e].before),
                                  after = list_of(edits[e].after);
        vision_network *was = drawn(ctx, &before), *is = drawn(ctx, &after);
        base_error error = {""};
        int64_t taken;
        fill(vision_network_params(was), e);
        fill(vision_network_running(was), 100 + e);
        const double drawn_so = distance(ctx, was, is);
        CHECK(vision_inherit(is, &after, was, &before, 3, &taken, &error), "%s", error.text);
        /* a rounding in each of some ten layers, of sums of at most 144 products whose terms may be some
         * times larger than the sum */
        CHECK(distance(ctx, was, is) < 1e-5, "%s: away by %g (drawn: %g)", edits[e].edit,
              distance(ctx, was, is), drawn_so);
        CHECK(drawn_so > 0.1, "%s: they were alike", edits[e].edit);
        vision_network_free(was);
        vision_network_free(is);
        tensor_context_free(ctx);
    }
}

/* ---- the rest ---- */

static int64_t floats_of(vision_network *network)
{
    return (int64_t)(nn_params_size(vision_network_params(network)) +
                     nn_params_size(vision_network_running(network)));
}

/* Any two of the lists: nothing but what both have is taken, and what comes of it is numbers. Of the same list it is
 * everything, to the bit. */
static void test_any_two(void)
{
    enum { LISTS = 2 * sizeof edits / sizeof *edits };
    for (int a = 0; a < LISTS; a++)
        for (int b = 0; b < LISTS; b++) {
            const vision_architecture before =
                list_of(a % 2 ? edits[a / 2].after : edits[a / 2].before);
            const vision_architecture after =
                list_of(b % 2 ? edits[b / 2].after : edits[b / 2].before);
            tensor_context *ctx = test_context(NULL);
            vision_network *was = drawn(ctx, &before), *is = drawn(ctx, &after);
            base_error error = {""};
            int64_t taken;
            fill(vision_network_params(was), 7);
            fill(vision_network_running(was), 8);
            CHECK(vision_inherit(is, &after, was, &before, 3, &taken, &error), "%s", error.text);
            CHECK(taken >= 0 && taken <= floats_of(is), "%d to %d: %lld", a, b, (long long)taken);
            const tensor *y = vision_forward(is, images_of(ctx), false, 1, 1);
            for (size_t i = 0; i < tensor_size(y); i++)
                CHECK(isfinite(y->val[i]), "%d to %d: no number", a, b);
            tensor_step_end(ctx);
            if (a == b)
                CHECK(taken == floats_of(is) &&
                          memcmp(nn_params_values(vision_network_params(is)),
                                 nn_params_values(vision_network_params(was)),
                                 nn_params_size(vision_network_params(is)) * sizeof(float)) == 0 &&
                          memcmp(nn_params_values(vision_network_running(is)),
                                 nn_params_values(vision_network_running(was)),
                                 nn_params_size(vision_network_running(is)) * sizeof(float)) == 0,
                      "list %d: not all of its own", a);
            vision_network_free(was);
            vision_network_free(is);
            tensor_context_free(ctx);
        }
}

/* Copies of a hidden number: what goes in is the same, what is made of it is divided, each time in another way. */
static void test_copies(void)
{
    static const vision_architecture before = {4,
                                               {FLATTEN, LINEAR(72, 2), RELU, LINEAR(2, CLASSES)}};
    static const vision_architecture after = {4,
                                              {FLATTEN, LINEAR(72, 5), RELU, LINEAR(5, CLASSES)}};
    static const vision_architecture narrow = {4,
                                               {FLATTEN, LINEAR(72, 1), RELU, LINEAR(1, CLASSES)}};
    tensor_context *ctx = test_context(NULL);
    vision_network *was = drawn(ctx, &before), *is = drawn(ctx, &after),
                   *less = drawn(ctx, &narrow);
    base_error error = {""};
    int64_t taken;
    fill(vision_network_params(was), 1);
    CHECK(vision_inherit(is, &after, was, &before, 3, &taken, &error), "%s", error.text);
    const float *in = nn_params_find(vision_network_params(is), "1.weight")->val;
    const float *out = nn_params_find(vision_network_params(is), "3.weight")->val;
    const float *old = nn_params_find(vision_network_params(was), "3.weight")->val;
    CHECK(memcmp(in, in + 2 * 72, 72 * sizeof *in) == 0 &&
              memcmp(in, in + 72, 72 * sizeof *in) != 0,
          "numbers 0 and 2 are no copies");
    for (int o = 0; o < CLASSES; o++) {
        const float *w = out + 5 * o;
        CHECK(w[0] != w[2] && w[2] != w[4] && w[1] != w[3], "class %d: equal parts", o);
        CHECK(fabsf(w[0] + w[2] + w[4] - old[2 * o]) < 4e-7F &&
                  fabsf(w[1] + w[3] - old[2 * o + 1]) < 4e-7F,
              "class %d: not all parts", o); /* numbers below 1, four roundings of 2^-24 */
        CHECK(w[0] / old[2 * o] > 0.1F && w[0] / old[2 * o] < 0.6F, "class %d: a part of %g", o,
              (double)(w[0] / old[2 * o]));
    }
    CHECK(vision_inherit(less, &narrow, was, &before, 3, &taken, &error), "%s", error.text);
    const float *first = nn_params_find(vision_network_params(less), "3.weight")->val;
    CHECK(first[0] == old[0] && first[1] == old[2] && first[2] == old[4], "not the first number");
    vision_network_free(was);
    vision_network_free(is);
    vision_network_free(less);
    tensor_context_free(ctx);
}

static void test_other_images(void)
{
    static const vision_architecture net = {2, {FLATTEN, LINEAR(72, CLASSES)}};
    static const vision_architecture other = {2, {FLATTEN, LINEAR(50, CLASSES)}};
    tensor_context *ctx = test_context(NULL);
    base_error error = {""};
    int64_t taken;
    vision_network *a = drawn(ctx, &net);
    vision_network *b = vision_network_new(ctx, &other, (vision_shape){2, 5, 5}, 1, &error);
    CHECK(!vision_inherit(b, &other, a, &net, 1, &taken, &error) &&
              strcmp(error.text,
                     "the network to begin with takes images of 2x6x6, this one of 2x5x5") == 0,
          "%s", error.text);
    vision_network_free(a);
    vision_network_free(b);
    tensor_context_free(ctx);
}

int main(void)
{
    test_same();
    test_any_two();
    test_copies();
    test_other_images();
    return test_end();
}
