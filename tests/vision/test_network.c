/* SPDX-License-Identifier: MIT */
/* test_network.c -- vision/shape.c and vision/network.c. */
#include "base/random.h"
#include "tests/test_malloc.h"
#include "tests/tensor/test_tensor.h"
#include "tests/vision/test_vision.h"

#include <limits.h>
#include <math.h>

/* ---- what fits, and what is said of what does not ---- */

static const vision_shape gray = {1, 28, 28}, colour = {3, 32, 32}, small = {2, 9, 8};

static void test_shapes(void)
{
    static const vision_shape want[13] = {{4, 9, 8}, {4, 9, 8}, {4, 8, 7}, {4, 8, 7},  {6, 4, 4},
                                          {6, 4, 4}, {6, 3, 3}, {6, 3, 3}, {54, 0, 0}, {54, 0, 0},
                                          {7, 0, 0}, {7, 0, 0}, {3, 0, 0}};
    vision_shape got[VISION_MAX_LAYERS];
    base_error error = {""};
    CHECK(vision_shapes(&of_every_kind, small, 3, got, &error), "%s", error.text);
    for (int i = 0; i < 13; i++)
        CHECK(got[i].channels == want[i].channels && got[i].height == want[i].height &&
                  got[i].width == want[i].width,
              "behind layer %d: %dx%dx%d", i + 1, got[i].channels, got[i].height, got[i].width);
    CHECK(vision_shapes(&table_2, gray, 62, got, &error), "%s", error.text);
    /* a pool leaves out what does not fill a window; a window may be as large as what it looks at;
     * a second flatten finds a row */
    static const vision_architecture edges = {
        5, {MAX_POOL2D(3, 2), CONV2D(1, 5, 13, 1, 0), FLATTEN, FLATTEN, RELU}};
    CHECK(vision_shapes(&edges, gray, 5, got, &error), "%s", error.text);
    CHECK(got[0].height == 13 && got[1].height == 1 && got[3].channels == 5, "edges");
}

#define ENOUGH 2147483647

static const struct {
    vision_architecture net;
    vision_shape input;
    int classes;
    const char *error;
} wrong[] = {
    {{0}, {1, 28, 28}, 10, "a network of 0 layers: expected 1 to 160"},
    {{161, {RELU}}, {1, 28, 28}, 10, "a network of 161 layers: expected 1 to 160"},
    {{1, {RELU}},
     {1, 0, 28},
     10,
     "images of 1x0x28: expected sizes of at least 1, at most 2147483647 in all"},
    {{1, {RELU}},
     {ENOUGH, 2, 1},
     10,
     "images of 2147483647x2x1: expected sizes of at least 1, at most 2147483647 in all"},
    /* the paper's Table 2 as it is printed */
    {{8,
      {CONV2D(1, 128, 3, 1, 0), CONV2D(128, 256, 3, 1, 0), MAX_POOL2D(2, 2), FLATTEN,
       LINEAR(6400, 64), LINEAR(64, 64), RELU, LINEAR(64, 62)}},
     {1, 28, 28},
     62,
     "layer 5, linear: takes 6400 numbers and gets 36864"},
    {{2, {FLATTEN, LINEAR(784, 10)}},
     {1, 28, 28},
     62,
     "layer 2, linear: the last one gives 10, expected 62 numbers, one a class"},
    {{1, {MAX_POOL2D(2, 2)}},
     {3, 32, 32},
     3,
     "layer 1, max_pool2d: the last one gives 3x16x16, expected 3 numbers, one a class"},
    {{1, {LINEAR(784, 10)}},
     {1, 28, 28},
     10,
     "layer 1, linear: takes a row of 784 numbers and gets images of 1x28x28"},
    {{2, {FLATTEN, CONV2D(784, 8, 3, 1, 0)}},
     {1, 28, 28},
     8,
     "layer 2, conv2d: takes images and gets a row of 784 numbers"},
    {{2, {FLATTEN, MAX_POOL2D(2, 2)}},
     {1, 28, 28},
     8,
     "layer 2, max_pool2d: takes images and gets a row of 784 numbers"},
    {{2, {FLATTEN, BATCH_NORM2D(784)}},
     {1, 28, 28},
     8,
     "layer 2, batch_norm2d: takes images and gets a row of 784 numbers"},
    {{1, {CONV2D(1, 8, 3, 1, 0)}}, {3, 32, 32}, 8, "layer 1, conv2d: takes 1 channels and gets 3"},
    {{1, {BATCH_NORM2D(1)}}, {3, 32, 32}, 8, "layer 1, batch_norm2d: takes 1 channels and gets 3"},
    {{1, {CONV2D(3, 8, 33, 1, 0)}},
     {3, 32, 64},
     8,
     "layer 1, conv2d: a window of 33 does not fit into 3x32x64"},
    {{1, {CONV2D(3, 8, 35, 1, 1)}},
     {3, 64, 32},
     8,
     "layer 1, conv2d: a window of 35 does not fit into 3x64x32 with padding 1"},
    {{2, {AVG_POOL2D(16, 16), AVG_POOL2D(3, 1)}},
     {3, 32, 32},
     8,
     "layer 2, avg_pool2d: a window of 3 does not fit into 3x2x2"},
    {{1, {CONV2D(0, 8, 3, 1, 0)}}, {3, 32, 32}, 8, "layer 1, conv2d: in is 0, expected at least 1"},
    {{1, {CONV2D(3, -8, 3, 1, 0)}},
     {3, 32, 32},
     8,
     "layer 1, conv2d: out is -8, expected at least 1"},
    {{1, {CONV2D(3, 8, 0, 1, 0)}},
     {3, 32, 32},
     8,
     "layer 1, conv2d: kernel is 0, expected at least 1"},
    {{1, {CONV2D(3, 8, 3, 0, 0)}},
     {3, 32, 32},
     8,
     "layer 1, conv2d: stride is 0, expected at least 1"},
    {{1, {CONV2D(3, 8, 3, 1, -1)}},
     {3, 32, 32},
     8,
     "layer 1, conv2d: padding is -1, expected at least 0"},
    {{1, {MAX_POOL2D(0, 1)}},
     {3, 32, 32},
     8,
     "layer 1, max_pool2d: kernel is 0, expected at least 1"},
    {{1, {AVG_POOL2D(2, 0)}},
     {3, 32, 32},
     8,
     "layer 1, avg_pool2d: stride is 0, expected at least 1"},
    {{1, {BATCH_NORM2D(0)}}, {3, 32, 32}, 8, "layer 1, batch_norm2d: in is 0, expected at least 1"},
    {{2, {FLATTEN, LINEAR(0, 8)}}, {3, 32, 32}, 8, "layer 2, linear: in is 0, expected at least 1"},
    {{2, {FLATTEN, LINEAR(3072, 0)}},
     {3, 32, 32},
     8,
     "layer 2, linear: out is 0, expected at least 1"},
    {{1, {DROPOUT(1)}},
     {3, 32, 32},
     8,
     "layer 1, dropout: rate is 1, expected at least 0 and below 1"},
    {{1, {DROPOUT(0.99999999999)}}, /* 1 as a float */
     {3, 32, 32},
     8,
     "layer 1, dropout: rate is 1, expected at least 0 and below 1"},
    {{1, {DROPOUT(NAN)}},
     {3, 32, 32},
     8,
     "layer 1, dropout: rate is nan, expected at least 0 and below 1"},
    {{1, {DEPTHWISE2D(1, 3, 1, 1)}},
     {3, 32, 32},
     8,
     "layer 1, depthwise2d: takes 1 channels and gets 3"},
    {{1, {DEPTHWISE2D(3, 33, 1, 0)}},
     {3, 32, 32},
     8,
     "layer 1, depthwise2d: a window of 33 does not fit into 3x32x32"},
    {{1, {DEPTHWISE2D(3, 0, 1, 0)}},
     {3, 32, 32},
     8,
     "layer 1, depthwise2d: kernel is 0, expected at least 1"},
    {{2, {FLATTEN, GLOBAL_AVG_POOL2D}},
     {1, 28, 28},
     8,
     "layer 2, global_avg_pool2d: takes images and gets a row of 784 numbers"},
    {{2, {RELU, RESIDUAL(2)}},
     {1, 28, 28},
     8,
     "layer 2, residual: adds what 2 layers have given, expected 0 to 1"},
    {{2, {RELU, RESIDUAL(-1)}},
     {1, 28, 28},
     8,
     "layer 2, residual: adds what -1 layers have given, expected 0 to 1"},
    {{2, {CONV2D(1, 8, 3, 1, 1), RESIDUAL(0)}},
     {1, 28, 28},
     8,
     "layer 2, residual: adds 1x28x28 to 8x28x28, expected the same shape"},
    {{2, {FLATTEN, RESIDUAL(0)}},
     {1, 28, 28},
     8,
     "layer 2, residual: adds 1x28x28 to 784, expected the same shape"},
    /* numbers that would overflow, each in the first product that does */
    {{1, {CONV2D(3, 8, 3, 1, ENOUGH)}}, {3, 32, 32}, 8, "layer 1, conv2d: its result is too large"},
    {{1, {CONV2D(3, 8, 3, ENOUGH, 1073741820)}},
     {3, 32, 32},
     8,
     "layer 1, conv2d: its result is too large"},
    {{1, {CONV2D(3, ENOUGH, 3, 1, 0)}}, {3, 32, 32}, 8, "layer 1, conv2d: its result is too large"},
    {{1, {CONV2D(3, 8, 40000, 1, 20000)}},
     {3, 32, 32},
     8,
     "layer 1, conv2d: its weight is too large"},
    {{1, {CONV2D(3, 8, ENOUGH, 1, ENOUGH)}},
     {3, 32, 32},
     8,
     "layer 1, conv2d: its result is too large"},
    {{1, {CONV2D(2000, 2000000, 1000, 1, 499)}},
     {2000, 30, 30},
     8,
     "layer 1, conv2d: it is too large"},
    {{1, {DEPTHWISE2D(3, 40000, 1, 20000)}},
     {3, 32, 32},
     8,
     "layer 1, depthwise2d: its weight is too large"},
    {{2, {FLATTEN, LINEAR(2000000000, ENOUGH)}},
     {2000, 1000, 1000},
     8,
     "layer 2, linear: it is too large"},
};

static void test_wrong(void)
{
    vision_shape shapes[VISION_MAX_LAYERS];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        base_error error = {""};
        CHECK(!vision_shapes(&wrong[i].net, wrong[i].input, wrong[i].classes, shapes, &error) &&
                  strcmp(error.text, wrong[i].error) == 0,
              "%zu: \"%s\"", i, error.text);
    }
    CHECK(!vision_shapes(&wrong[0].net, gray, 10, shapes, NULL), "without an error to write to");
}

/* What is let through has sums that are whole: 160 layers, each nearly as large as one may be. */
static void test_largest(void)
{
    static vision_architecture net = {VISION_MAX_LAYERS, {FLATTEN}};
    vision_shape shapes[VISION_MAX_LAYERS];
    base_error error = {""};
    for (int i = 1; i < VISION_MAX_LAYERS; i++)
        net.layer[i] = (vision_layer)LINEAR(96000000, 96000000);
    const vision_shape input = {96, 1000, 1000};
    CHECK(vision_shapes(&net, input, 96000000, shapes, &error), "%s", error.text);
    double n = 96000000, products = 159 * n * n;
    CHECK(fabs((double)vision_parameters(&net) / products - 1) < 1e-7, "%lld parameters",
          (long long)vision_parameters(&net));
    CHECK(fabs((double)vision_training_flops(&net, input) / (2 * products * (3 - 1 / 159.0)) - 1) <
              1e-7,
          "%lld operations of a training step", (long long)vision_training_flops(&net, input));
}

/* ---- counts ---- */

static const vision_architecture mlp = {
    6, {FLATTEN, LINEAR(784, 64), RELU, LINEAR(64, 64), RELU, LINEAR(64, 10)}};

/* As Table 2 must have been meant: a pool behind each convolution. */
static const vision_architecture table_2_pooled = {
    12,
    {CONV2D(1, 128, 3, 1, 0), RELU, MAX_POOL2D(2, 2), CONV2D(128, 256, 3, 1, 0), RELU,
     MAX_POOL2D(2, 2), FLATTEN, LINEAR(6400, 64), RELU, LINEAR(64, 64), RELU, LINEAR(64, 62)}};

static const struct {
    const char *name;
    const vision_architecture *net;
    vision_shape input;
    int64_t parameters, training;
} counted[] = {
    {"mlp",
     &mlp,
     {1, 28, 28},
     785 * 64 + 65 * 64 + 65 * 10,
     2 * (2 * 784 * 64 + 3 * (64 * 64 + 64 * 10))},
    {"Table 2",
     &table_2,
     {1, 28, 28},
     1280 + 295168 + 2359360 + 4160 + 4030,
     2 * 1557504 + 3 * (339738624 + 4718592 + 8192 + 7936)},
    {"Table 2, pooled",
     &table_2_pooled,
     {1, 28, 28},
     1280 + 295168 + 409664 + 4160 + 4030,
     2 * 1557504 + 3 * (71368704 + 819200 + 8192 + 7936)},
    /* the first layer of a network that begins with a batch norm has to pass its gradient on */
    {"every kind",
     &of_every_kind,
     {2, 9, 8},
     76 + 8 + 222 + 12 + 55 * 7 + 8 * 3,
     2 * (2 * 18 * 4 * 72 + 3 * (36 * 6 * 16 + 54 * 7 + 21))},
    {"small kinds",
     &of_small_kinds,
     {2, 9, 8},
     2 * 10 + 12 + 4 * 26 + 8 + 4 * 37 + 15,
     2 * (2 * 9 * 2 * 72 + 3 * (2 * 4 * 72 + 25 * 4 * 20 + 36 * 4 * 20 + 12))},
};

static void test_counts(void)
{
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        const char *name = counted[i].name;
        base_error error = {""};
        tensor_context *ctx = test_context(NULL);
        vision_network *network =
            vision_network_new(ctx, counted[i].net, counted[i].input, 1, &error);
        CHECK(network != NULL, "%s: %s", name, error.text);
        int64_t parameters = vision_parameters(counted[i].net);
        CHECK(parameters == counted[i].parameters, "%s: %lld parameters", name,
              (long long)parameters);
        CHECK((int64_t)nn_params_size(vision_network_params(network)) == parameters,
              "%s: the network has %zu parameters", name,
              nn_params_size(vision_network_params(network)));
        int64_t flops = vision_training_flops(counted[i].net, counted[i].input);
        CHECK(flops == counted[i].training, "%s: %lld operations of a step", name,
              (long long)flops);
        vision_network_free(network);
        tensor_context_free(ctx);
    }
    static const vision_architecture norm_first = {
        5, {DROPOUT(0.5), BATCH_NORM2D(3), CONV2D(3, 2, 32, 1, 0), FLATTEN, RELU}};
    CHECK(vision_training_flops(&norm_first, colour) == 3 * 2 * 3 * 1024 * 2,
          "a convolution behind a batch norm");
}

/* By hand. Every kind: the images and the first convolution's result, 144 + 288; the running
 * statistics of 4 and 6 channels. The small kinds: while the first convolution runs, its input and
 * result, 144 + 288, then 288 + 80 with the images no longer wanted; at the 3 x 3 convolution 80 + 80,
 * and its result is kept beside relu's. */
static void test_footprints(void)
{
    vision_footprint f = vision_footprint_of(&of_every_kind, small);
    CHECK(f.weights == vision_parameters(&of_every_kind) + 20 && f.activations == 432 &&
              f.flops == 18078,
          "%lld, %lld, %lld", (long long)f.weights, (long long)f.activations, (long long)f.flops);
    f = vision_footprint_of(&of_small_kinds, small);
    CHECK(f.weights == vision_parameters(&of_small_kinds) + 8 && f.activations == 432 &&
              f.flops == 2 * (9 * 2 * 72 + 2 * 4 * 72 + 25 * 4 * 20 + 36 * 4 * 20 + 12),
          "%lld, %lld, %lld", (long long)f.weights, (long long)f.activations, (long long)f.flops);
    /* what two sums ask for stands beside a layer's input and result: 64 + 64 kept, 64 + 64 at work,
     * though a relu could be computed in place */
    static const vision_architecture kept = {
        6, {RELU, RELU, CONV2D(1, 1, 1, 1, 0), RESIDUAL(1), RESIDUAL(0), FLATTEN}};
    f = vision_footprint_of(&kept, (vision_shape){1, 8, 8});
    CHECK(f.activations == 4 * 64, "%lld", (long long)f.activations);
}

static const char table_2_text[] =
    "layer                                                 in         out        parameters  "
    "operations\n"
    "Conv2d(1, 128, kernel=(3, 3), stride=(1, 1))          1x28x28    128x26x26        1280     "
    "1557504\n"
    "ReLU()                                                128x26x26  128x26x26           0        "
    "   0\n"
    "Conv2d(128, 256, kernel=(3, 3), stride=(1, 1))        128x26x26  256x24x24      295168   "
    "339738624\n"
    "ReLU()                                                256x24x24  256x24x24           0        "
    "   0\n"
    "MaxPool2d(kernel=2, stride=2, padding=0, dilation=1)  256x24x24  256x12x12           0        "
    "   0\n"
    "Flatten()                                             256x12x12  36864               0        "
    "   0\n"
    "Linear(in=36864, out=64, bias=True)                   36864      64            2359360     "
    "4718592\n"
    "ReLU()                                                64         64                  0        "
    "   0\n"
    "Linear(in=64, out=64, bias=True)                      64         64               4160        "
    "8192\n"
    "ReLU()                                                64         64                  0        "
    "   0\n"
    "Linear(in=64, out=62, bias=True)                      64         62               4030        "
    "7936\n"
    "sum                                                                            2663998   "
    "346030848\n";

static const char every_kind_text[] =
    "layer                                                       in     out    parameters  "
    "operations\n"
    "Conv2d(2, 4, kernel=(3, 3), stride=(1, 1), padding=(1, 1))  2x9x8  4x9x8          76       "
    "10368\n"
    "ReLU()                                                      4x9x8  4x9x8           0          "
    " 0\n"
    "MaxPool2d(kernel=2, stride=1, padding=0, dilation=1)        4x9x8  4x8x7           0          "
    " 0\n"
    "BatchNorm2d(4)                                              4x8x7  4x8x7           8          "
    " 0\n"
    "Conv2d(4, 6, kernel=(3, 3), stride=(2, 2), padding=(1, 1))  4x8x7  6x4x4         222        "
    "6912\n"
    "GELU()                                                      6x4x4  6x4x4           0          "
    " 0\n"
    "AvgPool2d(kernel=2, stride=1, padding=0)                    6x4x4  6x3x3           0          "
    " 0\n"
    "BatchNorm2d(6)                                              6x3x3  6x3x3          12          "
    " 0\n"
    "Flatten()                                                   6x3x3  54              0          "
    " 0\n"
    "Dropout(p=0.25)                                             54     54              0          "
    " 0\n"
    "Linear(in=54, out=7, bias=True)                             54     7             385         "
    "756\n"
    "ReLU()                                                      7      7               0          "
    " 0\n"
    "Linear(in=7, out=3, bias=True)                              7      3              24          "
    "42\n"
    "sum                                                                              727       "
    "18078\n";

static const char small_kinds_text[] = "layer                                                      "
                                       "           in     out    parameters "
                                       " operations\n"
                                       "Conv2d(2, 2, kernel=(3, 3), stride=(1, 1), padding=(1, 1), "
                                       "groups=2)  2x9x8  2x9x8          20 "
                                       "       2592\n";

static void test_summary(void)
{
    base_text text = {0};
    base_text_print(&text, "before\n");
    vision_summary(&table_2, gray, &text);
    CHECK(strncmp(text.data, "before\n", 7) == 0 && strcmp(text.data + 7, table_2_text) == 0,
          "it is\n%s", text.data);
    base_text_clear(&text);
    vision_summary(&of_every_kind, small, &text);
    CHECK(strcmp(text.data, every_kind_text) == 0, "it is\n%s", text.data);
    base_text_clear(&text);
    vision_summary(&of_small_kinds, small, &text);
    CHECK(strncmp(text.data, small_kinds_text, strlen(small_kinds_text)) == 0 &&
              strstr(text.data, "\n+ images  ") && strstr(text.data, "\n+ layer 8  ") &&
              strstr(text.data, "\nHardswish()  ") && strstr(text.data, "\nReLU6()  ") &&
              strstr(text.data, "\nAdaptiveAvgPool2d(1)  "),
          "it is\n%s", text.data);
    base_text_clear(&text);
    static const vision_architecture longest = {
        1, {CONV2D(1, 1, ENOUGH - 30, ENOUGH, (ENOUGH - 30) / 2)}};
    vision_summary(&longest, gray, &text); /* refused: nothing is printed, and nothing overrun */
    CHECK(text.length == 0, "it is\n%s", text.data);
    base_text_free(&text);
}

/* ---- against the same network in double ---- */

enum { B = 5, CLASSES = 3, MOST = B * 4 * 9 * 8 };

/* A network of any kinds in double, as their definitions have it. */
typedef struct reference {
    const vision_architecture *net;
    double *weights; /* all parameters, as in the block */
    bool training;
    uint64_t seed, stream;
    double mean[2][6], variance[2][6]; /* running, of the batch norms */
} reference;

/* A depthwise one has one channel in each filter: that of its result. */
static void reference_conv(const vision_layer *l, vision_shape in, vision_shape out,
                           const double *w, const double *x, double *y)
{
    bool depthwise = l->kind == VISION_DEPTHWISE2D;
    int filter = depthwise ? 1 : l->in;
    const double *bias = w + out.channels * filter * l->kernel * l->kernel;
    for (int b = 0; b < B; b++)
        for (int o = 0; o < out.channels; o++)
            for (int row = 0; row < out.height; row++)
                for (int column = 0; column < out.width; column++, y++) {
                    *y = bias[o];
                    for (int c = 0; c < filter; c++)
                        for (int i = 0; i < l->kernel; i++)
                            for (int j = 0; j < l->kernel; j++) {
                                int r = row * l->stride - l->padding + i;
                                int k = column * l->stride - l->padding + j;
                                if (r >= 0 && r < in.height && k >= 0 && k < in.width)
                                    *y += w[((o * filter + c) * l->kernel + i) * l->kernel + j] *
                                          x[((b * l->in + (depthwise ? o : c)) * in.height + r) *
                                                in.width +
                                            k];
                            }
                }
}

static void reference_pool(const vision_layer *l, vision_shape in, vision_shape out,
                           const double *x, double *y)
{
    for (int plane = 0; plane < B * in.channels; plane++)
        for (int row = 0; row < out.height; row++)
            for (int column = 0; column < out.width; column++, y++) {
                double most = -INFINITY, sum = 0;
                for (int i = 0; i < l->kernel; i++)
                    for (int j = 0; j < l->kernel; j++) {
                        double v = x[(plane * in.height + row * l->stride + i) * in.width +
                                     column * l->stride + j];
                        most = v > most ? v : most;
                        sum += v;
                    }
                *y = l->kind == VISION_MAX_POOL2D ? most : sum / (l->kernel * l->kernel);
            }
}

static void reference_global(vision_shape in, const double *x, double *y)
{
    int size = in.height * in.width;
    for (int plane = 0; plane < B * in.channels; plane++) {
        y[plane] = 0;
        for (int i = 0; i < size; i++)
            y[plane] += x[plane * size + i] / size;
    }
}

static void reference_norm(reference *r, int which, vision_shape s, const double *w, double *x)
{
    int plane = s.height * s.width, n = B * plane;
    for (int c = 0; c < s.channels; c++) {
        double sum = 0, squares = 0, mean = r->mean[which][c], variance = r->variance[which][c];
        for (int i = 0; i < n; i++)
            sum += x[(i / plane * s.channels + c) * plane + i % plane];
        for (int i = 0; i < n; i++)
            squares += pow(x[(i / plane * s.channels + c) * plane + i % plane] - sum / n, 2);
        if (r->training) {
            r->mean[which][c] = 0.9 * mean + 0.1 * sum / n;
            r->variance[which][c] = 0.9 * variance + 0.1 * squares / (n - 1);
            mean = sum / n;
            variance = squares / n;
        }
        for (int i = 0; i < n; i++) {
            double *v = &x[(i / plane * s.channels + c) * plane + i % plane];
            *v = w[c] * (*v - mean) / sqrt(variance + 1e-5) + w[s.channels + c];
        }
    }
}

static void reference_linear(const vision_layer *l, const double *w, const double *x, double *y)
{
    for (int b = 0; b < B; b++)
        for (int o = 0; o < l->out; o++, y++) {
            *y = w[l->out * l->in + o];
            for (int i = 0; i < l->in; i++)
                *y += w[o * l->in + i] * x[b * l->in + i];
        }
}

/* Of one number at a time. */
static double reference_element(const reference *r, int layer, int i, double x)
{
    const vision_layer *l = &r->net->layer[layer];
    if (l->kind == VISION_RELU)
        return x > 0 ? x : 0;
    if (l->kind == VISION_RELU6)
        return fmin(fmax(x, 0), 6);
    if (l->kind == VISION_HARD_SWISH)
        return x * fmin(fmax(x + 3, 0), 6) / 6;
    if (l->kind == VISION_GELU)
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    if (l->kind != VISION_DROPOUT || !r->training)
        return x;
    uint64_t stream = base_random_stream("dropout", r->stream, (uint64_t)layer, 0);
    bool keep = base_random_word(r->seed, stream, (uint64_t)i) >= l->rate * 0x1p32;
    return keep ? x / (1 - l->rate) : 0;
}

/* logits (B, CLASSES) */
static void reference_forward(reference *r, const float *images, double *logits)
{
    static double given[VISION_MAX_LAYERS + 1][MOST]; /* the images, then each layer's result */
    vision_shape in = small, shapes[VISION_MAX_LAYERS];
    const double *w = r->weights;
    int norms = 0, count = r->net->count;
    vision_shapes(r->net, in, CLASSES, shapes, NULL);
    for (int i = 0; i < B * 2 * 9 * 8; i++)
        given[0][i] = (double)images[i];
    for (int i = 0; i < count; in = shapes[i++]) {
        const vision_layer *l = &r->net->layer[i];
        const double *x = given[i];
        double *y = given[i + 1];
        int size = B * shapes[i].channels * (shapes[i].height ? shapes[i].height : 1) *
                   (shapes[i].width ? shapes[i].width : 1);
        switch (l->kind) {
        case VISION_CONV2D:
        case VISION_DEPTHWISE2D:
            reference_conv(l, in, shapes[i], w, x, y);
            w += ((l->kind == VISION_CONV2D ? l->in : 1) * l->kernel * l->kernel + 1) *
                 shapes[i].channels;
            break;
        case VISION_MAX_POOL2D:
        case VISION_AVG_POOL2D:
            reference_pool(l, in, shapes[i], x, y);
            break;
        case VISION_GLOBAL_AVG_POOL2D:
            reference_global(in, x, y);
            break;
        case VISION_LINEAR:
            reference_linear(l, w, x, y);
            w += (l->in + 1) * l->out;
            break;
        default:
            for (int j = 0; j < size; j++)
                y[j] = reference_element(r, i, j, x[j]) +
                       (l->kind == VISION_RESIDUAL ? given[l->in][j] : 0);
            if (l->kind == VISION_BATCH_NORM2D) {
                reference_norm(r, norms++, in, w, y);
                w += 2 * l->in;
            }
        }
    }
    memcpy(logits, given[count], B * CLASSES * sizeof *logits);
}

static const int targets[B] = {0, 1, 2, 2, 0};

static double reference_loss(const reference *r, const float *images)
{
    reference copy = *r;
    double logits[B * CLASSES], loss = 0;
    reference_forward(&copy, images, logits);
    for (int b = 0; b < B; b++) {
        double sum = 0;
        for (int c = 0; c < CLASSES; c++)
            sum += exp(logits[b * CLASSES + c]);
        loss += log(sum) - logits[b * CLASSES + targets[b]];
    }
    return loss / B;
}

/* The largest difference, relative to the largest magnitude of the reference. */
static double relative(const float *got, const double *want, size_t n)
{
    double most = 0, error = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs(want[i]));
        error = fmax(error, fabs((double)got[i] - want[i]));
    }
    return error / most;
}

/* Bounds. Forward has at most 15 layers; a sum of theirs has at most K = B * 8 * 7 = 280 terms (a batch
 * norm's), so each rounds at most K + 2 times, u = 2^-24 of the size of its terms, which are of the
 * size of the result but for signs. Backward has as many layers, and sums over the places of a
 * convolution, B * 72 = 360 terms at most. So values are within 15 * 282 u, gradients within 15 *
 * (282 + 362) u, relative to the largest of their tensor. What is left of the reference's
 * differences, at h = 2^-20, is h^2 / 6 of a third derivative and 2^-52 / h: below 1e-9. No unit of
 * relu is so near to 0 that it switches over h, and no two pixels of a window so near to each
 * other. */
static void test_against_double(const vision_architecture *net)
{
    const double value_error = 15 * 282 * U, gradient_error = 15 * (282 + 362) * U, h = 0x1p-20;
    tensor_context *ctx = test_context(NULL);
    base_error error = {""};
    vision_network *network = vision_network_new(ctx, net, small, 5, &error);
    nn_params *params = vision_network_params(network);
    size_t size = nn_params_size(params);
    float pixels[B * 2 * 9 * 8];
    test_fill(pixels, sizeof pixels / sizeof *pixels, 3);
    reference r = {.net = net,
                   .weights = calloc(size, sizeof(double)),
                   .training = true,
                   .seed = 8,
                   .stream = 9,
                   .variance = {{1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}}};
    for (size_t i = 0; i < size; i++)
        r.weights[i] = (double)nn_params_values(params)[i];

    tensor images;
    double logits[B * CLASSES];
    tensor_leaf(&images, ctx, 4, (const int[]){B, 2, 9, 8}, pixels, NULL);
    tensor *got = vision_forward(network, &images, true, 8, 9);
    tensor *loss = tensor_cross_entropy(got, targets, NULL, NULL);
    tensor_backward(loss);
    CHECK(fabs((double)loss->val[0] - reference_loss(&r, pixels)) < value_error, "loss %g, not %g",
          (double)loss->val[0], reference_loss(&r, pixels));
    for (int p = 0; p < nn_params_count(params); p++) {
        const tensor *t = nn_params_tensor(params, p);
        size_t start = (size_t)(t->val - nn_params_values(params)), n = tensor_size(t);
        double *want = calloc(n, sizeof *want), *w = r.weights + start;
        for (size_t i = 0; i < n; i++) {
            double old = w[i];
            w[i] = old + h;
            want[i] = reference_loss(&r, pixels);
            w[i] = old - h;
            want[i] = (want[i] - reference_loss(&r, pixels)) / (2 * h);
            w[i] = old;
        }
        CHECK(relative(t->grad, want, n) < gradient_error, "gradient of %s: %g of the largest",
              nn_params_name(params, p), relative(t->grad, want, n));
        free(want);
    }
    reference_forward(&r, pixels, logits);
    CHECK(relative(got->val, logits, B * CLASSES) < value_error, "training: %g of the largest",
          relative(got->val, logits, B * CLASSES));
    tensor_step_end(ctx);

    /* now without dropout, and by the running statistics that both have */
    r.training = false;
    reference_forward(&r, pixels, logits);
    tensor_set_grad(ctx, false);
    got = vision_forward(network, &images, false, 8, 9);
    CHECK(relative(got->val, logits, B * CLASSES) < value_error, "otherwise: %g of the largest",
          relative(got->val, logits, B * CLASSES));
    free(r.weights);
    vision_network_free(network);
    tensor_context_free(ctx);
}

/* ---- the two modes ---- */

/* One image whose batch norm sees one value a channel: there is no variance to be measured, so the
 * running one is taken, and stays. With two images there is. */
static void test_one_value(void)
{
    static const vision_architecture net = {
        4, {AVG_POOL2D(8, 1), CONV2D(2, 3, 1, 1, 0), BATCH_NORM2D(3), FLATTEN}};
    const vision_shape input = {2, 8, 8};
    tensor_context *ctx = test_context(NULL);
    base_error error = {""};
    vision_network *network = vision_network_new(ctx, &net, input, 1, &error);
    float pixels[2 * 2 * 64], first[3];
    tensor one, two;
    test_fill(pixels, sizeof pixels / sizeof *pixels, 1);
    tensor_leaf(&one, ctx, 4, (const int[]){1, 2, 8, 8}, pixels, NULL);
    tensor_leaf(&two, ctx, 4, (const int[]){2, 2, 8, 8}, pixels, NULL);
    memcpy(first, vision_forward(network, &one, false, 0, 0)->val, sizeof first);
    for (int i = 0; i < 2; i++) {
        const tensor *y = vision_forward(network, &one, true, 0, 0);
        CHECK(memcmp(first, y->val, sizeof first) == 0, "training %d is another", i);
    }
    vision_forward(network, &two, true, 0, 0);
    const tensor *y = vision_forward(network, &one, false, 0, 0);
    CHECK(memcmp(first, y->val, sizeof first) != 0, "two images have moved nothing");
    vision_network_free(network);
    tensor_context_free(ctx);
}

/* Dropout is a function of seed and stream, and is not there without training. */
static void test_dropout(void)
{
    static const vision_architecture net = {2, {FLATTEN, DROPOUT(0.5)}};
    const vision_shape input = {1, 10, 10};
    tensor_context *ctx = test_context(NULL);
    base_error error = {""};
    vision_network *network = vision_network_new(ctx, &net, input, 1, &error);
    float pixels[100];
    for (int i = 0; i < 100; i++)
        pixels[i] = 1;
    float grad[100] = {0};
    tensor images;
    tensor_leaf(&images, ctx, 4, (const int[]){1, 1, 10, 10}, pixels, grad);
    const tensor *a = vision_forward(network, &images, true, 1, 2);
    const tensor *b = vision_forward(network, &images, true, 1, 2);
    const tensor *c = vision_forward(network, &images, true, 1, 3);
    const tensor *d = vision_forward(network, &images, true, 2, 2);
    const tensor *none = vision_forward(network, &images, false, 1, 2);
    size_t bytes = 100 * sizeof(float);
    CHECK(memcmp(a->val, b->val, bytes) == 0, "the same numbers, another result");
    CHECK(memcmp(a->val, c->val, bytes) != 0, "another stream, the same result");
    CHECK(memcmp(a->val, d->val, bytes) != 0, "another seed, the same result");
    CHECK(memcmp(none->val, pixels, bytes) == 0, "dropout without training");
    vision_network_free(network);
    tensor_context_free(ctx);
}

/* ---- everywhere the same; what cannot be ---- */

/* Logits, then gradients. */
static size_t results(const vision_architecture *net, const char *kernels, int threads, float *out)
{
    tensor_context *ctx = test_context(kernels);
    base_error error = {""};
    tensor_set_threads(ctx, threads);
    vision_network *network = vision_network_new(ctx, net, small, 5, &error);
    nn_params *params = vision_network_params(network);
    float pixels[B * 2 * 9 * 8];
    tensor images;
    test_fill(pixels, sizeof pixels / sizeof *pixels, 3);
    tensor_leaf(&images, ctx, 4, (const int[]){B, 2, 9, 8}, pixels, NULL);
    tensor *logits = vision_forward(network, &images, true, 8, 9);
    tensor_backward(tensor_cross_entropy(logits, targets, NULL, NULL));
    memcpy(out, logits->val, B * CLASSES * sizeof *out);
    memcpy(out + B * CLASSES, nn_params_gradients(params), nn_params_size(params) * sizeof *out);
    size_t count = B * CLASSES + nn_params_size(params);
    vision_network_free(network);
    tensor_context_free(ctx);
    return count;
}

static void test_everywhere(const vision_architecture *net)
{
    static float want[2000], got[2000];
    size_t count = results(net, "scalar", 1, want);
    for (const char *const *name = tensor_kernels_available(); *name; name++)
        for (int threads = 1; threads <= 3; threads++) {
            results(net, *name, threads, got);
            CHECK(memcmp(got, want, count * sizeof *got) == 0, "%s, %d threads: other bits", *name,
                  threads);
        }
}

/* Names, initial weights, and the error of a wrong call. */
static void test_network(void)
{
    static const char *const names[] = {"0.weight",  "0.bias",  "3.weight",  "3.bias",
                                        "4.weight",  "4.bias",  "7.weight",  "7.bias",
                                        "10.weight", "10.bias", "12.weight", "12.bias"};
    static const int fan_in[] = {18, 18, 0, 0, 36, 36, 0, 0, 54, 54, 7, 7};
    tensor_context *ctx = test_context(NULL);
    base_error error = {""};
    tensor_set_failure_handler(ctx, test_handler, NULL);
    vision_network *network = vision_network_new(ctx, &of_every_kind, small, 5, &error);
    vision_network *other = vision_network_new(ctx, &of_every_kind, small, 6, &error);
    const nn_params *params = vision_network_params(network);
    CHECK(nn_params_count(params) == 12, "%d tensors", nn_params_count(params));
    for (int p = 0; p < 12; p++) {
        const tensor *t = nn_params_tensor(params, p);
        const tensor *u = nn_params_tensor(vision_network_params(other), p);
        float most = 0;
        for (size_t i = 0; i < tensor_size(t); i++)
            most = fmaxf(most, fabsf(t->val[i]));
        CHECK(strcmp(nn_params_name(params, p), names[p]) == 0, "%s", nn_params_name(params, p));
        if (fan_in[p] == 0) { /* a batch norm: 1 and 0 */
            CHECK(most == (float)(p % 2 == 0), "%s is up to %g", names[p], (double)most);
            continue;
        }
        double bound = 1 / sqrt(fan_in[p]);
        CHECK((double)most <= bound && (double)most > bound / 4, "%s is up to %g, bound %g",
              names[p], (double)most, bound);
        CHECK(memcmp(t->val, u->val, tensor_size(t) * sizeof(float)) != 0, "%s: one seed is all",
              names[p]);
    }
    CHECK(vision_network_input(network).height == 9, "another input");
    float pixels[2 * 9 * 9];
    tensor images;
    tensor_leaf(&images, ctx, 4, (const int[]){1, 2, 9, 9}, pixels, NULL);
    EXPECT_FAILURE(ctx, vision_forward(network, &images, false, 0, 0),
                   "vision_forward: images (1,2,9,9), expected (B,2,9,8)");
    vision_network_free(network);
    vision_network_free(other);
    vision_network_free(NULL);
    tensor_context_free(ctx);
}

/* Every allocation fails once. */
static void test_no_memory(void)
{
    tensor_context *ctx = test_context(NULL);
    vision_network *network = NULL;
    for (long n = 0; can_count && !network; n++) {
        base_error error = {""};
        fail_at = allocations + n;
        network = vision_network_new(ctx, &of_every_kind, small, 5, &error);
        fail_at = -1;
        CHECK(network || strncmp(error.text, "no memory", 9) == 0, "%ld: \"%s\"", n, error.text);
    }
    vision_network_free(network);
    tensor_context_free(ctx);
}

int main(void)
{
    see_whether_malloc_counts();
    test_shapes();
    test_wrong();
    test_largest();
    test_counts();
    test_footprints();
    test_summary();
    test_against_double(&of_every_kind);
    test_against_double(&of_small_kinds);
    test_one_value();
    test_dropout();
    test_everywhere(&of_every_kind);
    test_everywhere(&of_small_kinds);
    test_network();
    test_no_memory();
    return test_end();
}
