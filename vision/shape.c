/* SPDX-License-Identifier: MIT */
/* shape.c -- a list of layers, checked, counted and printed: all that is known before there are any
 * weights.
 *
 * One walk along the list (walk) finds the shape in front of and behind each layer; whatever is
 * counted or printed is a loop over these shapes. With k for the kernel:
 *
 *   layer         takes      gives          parameters        multiply-adds
 *   conv2d        (C,H,W)    (out,H',W')    (C k^2 + 1) out   C k^2 out H' W'
 *   linear        (n)        (out)          (n + 1) out       n out
 *   depthwise2d   (C,H,W)    (C,H',W')      (k^2 + 1) C       C k^2 H' W'
 *   batch_norm2d  (C,H,W)    (C,H,W)        2 C
 *   pools         (C,H,W)    (C,H',W')
 *   global pool   (C,H,W)    (C,1,1)
 *   residual      as layer `in` gave, and gives the same
 *   flatten       (C,H,W)    (C H W)
 *   the others    any shape  the same
 *
 * The sizes come from programs that somebody else wrote, so the walk also bounds every product that
 * is taken later, and the counting functions need no checks of their own:
 *
 *   - An image or a row has at most INT_MAX numbers, and each number of a convolution's result is
 *     the sum of at most INT_MAX products: sizes and indexes are ints.
 *   - A layer has at most MOST_PRODUCTS multiply-adds. A training step counts each as up to 6
 *     operations (2 for a multiply-add, 3 passes), and the sum of VISION_MAX_LAYERS such layers
 *     still fits in an int64_t. */
#include "vision/network.h"

#include "base/number.h"
#include "base/memory.h"
#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PRODUCTS (INT64_MAX / (6 * VISION_MAX_LAYERS))

const char *vision_kind_name(vision_kind kind)
{
    static const char *const names[] = {[VISION_CONV2D] = "conv2d",
                                        [VISION_RELU] = "relu",
                                        [VISION_GELU] = "gelu",
                                        [VISION_MAX_POOL2D] = "max_pool2d",
                                        [VISION_AVG_POOL2D] = "avg_pool2d",
                                        [VISION_BATCH_NORM2D] = "batch_norm2d",
                                        [VISION_DROPOUT] = "dropout",
                                        [VISION_FLATTEN] = "flatten",
                                        [VISION_LINEAR] = "linear",
                                        [VISION_DEPTHWISE2D] = "depthwise2d",
                                        [VISION_RELU6] = "relu6",
                                        [VISION_HARD_SWISH] = "hard_swish",
                                        [VISION_GLOBAL_AVG_POOL2D] = "global_avg_pool2d",
                                        [VISION_RESIDUAL] = "residual"};
    _Static_assert(sizeof names / sizeof *names == VISION_KINDS, "a kind without a name");
    return names[kind];
}

/* ---- what fits ---- */

/* The layer that is checked, and where to say what is wrong with it. */
typedef struct place {
    int number; /* from 1 */
    const vision_layer *layer;
    base_error *error;
} place;

static bool wrong(const place *at, const char *format, ...) BASE_PRINTF(2, 3);

static bool wrong(const place *at, const char *format, ...)
{
    char why[256];
    va_list arguments;
    va_start(arguments, format);
    base_print_list(why, sizeof why, format, arguments);
    va_end(arguments);
    return base_fail(at->error, "layer %d, %s: %s", at->number, vision_kind_name(at->layer->kind),
                     why);
}

/* A shape without height is a row of numbers. */
static bool is_row(vision_shape s) { return s.height == 0; }

static const char *shape_text(vision_shape s, char text[48])
{
    if (is_row(s))
        snprintf(text, 48, "%d", s.channels);
    else
        snprintf(text, 48, "%dx%dx%d", s.channels, s.height, s.width);
    return text;
}

static bool at_least(const place *at, const char *name, int value, int least)
{
    return value >= least || wrong(at, "%s is %d, expected at least %d", name, value, least);
}

/* Whether each number that the layer's kind uses is in its range, whatever the input. */
static bool check_numbers(const place *at)
{
    const vision_layer *l = at->layer;
    switch (l->kind) {
    case VISION_CONV2D:
        return at_least(at, "in", l->in, 1) && at_least(at, "out", l->out, 1) &&
               at_least(at, "kernel", l->kernel, 1) && at_least(at, "stride", l->stride, 1) &&
               at_least(at, "padding", l->padding, 0);
    case VISION_DEPTHWISE2D:
        return at_least(at, "in", l->in, 1) && at_least(at, "kernel", l->kernel, 1) &&
               at_least(at, "stride", l->stride, 1) && at_least(at, "padding", l->padding, 0);
    case VISION_MAX_POOL2D:
    case VISION_AVG_POOL2D:
        return at_least(at, "kernel", l->kernel, 1) && at_least(at, "stride", l->stride, 1);
    case VISION_BATCH_NORM2D:
        return at_least(at, "in", l->in, 1);
    case VISION_RESIDUAL:
        return (l->in >= 0 && l->in < at->number) ||
               wrong(at, "adds what %d layers have given, expected 0 to %d", l->in, at->number - 1);
    case VISION_LINEAR:
        return at_least(at, "in", l->in, 1) && at_least(at, "out", l->out, 1);
    case VISION_DROPOUT:
        return (l->rate >= 0 && (float)l->rate < 1) ||
               wrong(at, "rate is %g, expected at least 0 and below 1", l->rate);
    default:
        return true;
    }
}

static bool takes_images(const place *at, vision_shape in)
{
    return !is_row(in) || wrong(at, "takes images and gets a row of %d numbers", in.channels);
}

static bool takes_channels(const place *at, vision_shape in)
{
    return takes_images(at, in) &&
           (in.channels == at->layer->in ||
            wrong(at, "takes %d channels and gets %d", at->layer->in, in.channels));
}

/* Positions of a window along an axis: the first at 0, each `stride` further, all of them inside.
 * 0: the window is larger than the axis. */
static int64_t places(int64_t size, const vision_layer *l)
{
    return size < l->kernel ? 0 : (size - l->kernel) / l->stride + 1;
}

/* The result of a window that slides over images: a convolution's, with `channels` channels, or a
 * pool's, with those of the input and no padding. Its size is (size + 2 padding - kernel) / stride
 * + 1 along each axis, rounded down. */
static bool slide(const place *at, vision_shape in, int channels, int padding, vision_shape *out)
{
    const vision_layer *l = at->layer;
    char text[48];
    int64_t high = (int64_t)in.height + 2 * (int64_t)padding;
    int64_t wide = (int64_t)in.width + 2 * (int64_t)padding;
    int64_t rows = places(high, l), columns = places(wide, l);
    if (rows < 1 || columns < 1) {
        if (padding == 0)
            return wrong(at, "a window of %d does not fit into %s", l->kernel,
                         shape_text(in, text));
        return wrong(at, "a window of %d does not fit into %s with padding %d", l->kernel,
                     shape_text(in, text), padding);
    }
    if (high > INT_MAX || wide > INT_MAX || rows * columns > INT_MAX / channels)
        return wrong(at, "its result is too large");
    *out = (vision_shape){channels, (int)rows, (int)columns};
    return true;
}

/* (in,H,W) -> (out,H',W'). Each number of the result is a sum of in * kernel^2 products; where each
 * channel has a kernel of its own, of kernel^2. */
static bool convolve(const place *at, vision_shape in, vision_shape *out)
{
    const vision_layer *l = at->layer;
    bool depthwise = l->kind == VISION_DEPTHWISE2D;
    if (!takes_channels(at, in) || !slide(at, in, depthwise ? l->in : l->out, l->padding, out))
        return false;
    int64_t covered = (int64_t)l->kernel * l->kernel;
    if (covered > INT_MAX / l->in)
        return wrong(at, "its weight is too large");
    int64_t results = (int64_t)out->channels * out->height * out->width;
    return (depthwise ? covered : covered * l->in) <= MOST_PRODUCTS / results ||
           wrong(at, "it is too large");
}

/* What is added has the same shape. given: the images', then what each layer before this one gives. */
static bool add(const place *at, vision_shape in, vision_shape given)
{
    char text[48], other[48];
    return (in.channels == given.channels && in.height == given.height &&
            in.width == given.width) ||
           wrong(at, "adds %s to %s, expected the same shape", shape_text(given, text),
                 shape_text(in, other));
}

/* A row of `in` numbers -> a row of `out` numbers. */
static bool multiply(const place *at, vision_shape in, vision_shape *out)
{
    const vision_layer *l = at->layer;
    char text[48];
    if (!is_row(in))
        return wrong(at, "takes a row of %d numbers and gets images of %s", l->in,
                     shape_text(in, text));
    if (in.channels != l->in)
        return wrong(at, "takes %d numbers and gets %d", l->in, in.channels);
    if ((int64_t)l->in * l->out > MOST_PRODUCTS)
        return wrong(at, "it is too large");
    *out = (vision_shape){l->out, 0, 0};
    return true;
}

/* The shape behind a layer, which is shapes[number - 1]. What is not named below leaves the shape as
 * it is. */
static bool pass(const place *at, vision_shape input, vision_shape *shapes)
{
    vision_shape in = at->number > 1 ? shapes[at->number - 2] : input;
    vision_shape *out = &shapes[at->number - 1];
    *out = in;
    switch (at->layer->kind) {
    case VISION_CONV2D:
    case VISION_DEPTHWISE2D:
        return convolve(at, in, out);
    case VISION_GLOBAL_AVG_POOL2D:
        *out = (vision_shape){in.channels, 1, 1};
        return takes_images(at, in);
    case VISION_RESIDUAL:
        return add(at, in, at->layer->in ? shapes[at->layer->in - 1] : input);
    case VISION_MAX_POOL2D:
    case VISION_AVG_POOL2D:
        return takes_images(at, in) && slide(at, in, in.channels, 0, out);
    case VISION_BATCH_NORM2D:
        return takes_channels(at, in);
    case VISION_FLATTEN:
        if (!is_row(in))
            *out = (vision_shape){in.channels * in.height * in.width, 0, 0};
        return true;
    case VISION_LINEAR:
        return multiply(at, in, out);
    default:
        return true;
    }
}

/* Fills shapes[i] with the shape behind layer i. False: error names the first layer that does not
 * fit. */
static bool walk(const vision_architecture *net, vision_shape input,
                 vision_shape shapes[VISION_MAX_LAYERS], base_error *error)
{
    bool row = is_row(input) && input.width == 0 && input.channels >= 1; /* of a table */
    if (!row && (input.channels < 1 || input.height < 1 || input.width < 1 ||
                 (int64_t)input.height * input.width > INT_MAX / input.channels))
        return base_fail(error,
                         "images of %dx%dx%d: expected sizes of at least 1, at most %d in "
                         "all",
                         input.channels, input.height, input.width, INT_MAX);
    if (net->count < 1 || net->count > VISION_MAX_LAYERS)
        return base_fail(error, "a network of %d layers: expected 1 to %d", net->count,
                         (int)VISION_MAX_LAYERS);
    for (int i = 0; i < net->count; i++) {
        const place at = {i + 1, &net->layer[i], error};
        assert((int)at.layer->kind >= 0 && at.layer->kind < VISION_KINDS);
        if (!check_numbers(&at) || !pass(&at, input, shapes))
            return false;
    }
    return true;
}

/* Besides, the last layer must give what a classification is read from: one number per class. */
bool vision_shapes(const vision_architecture *net, vision_shape input, int classes,
                   vision_shape shapes[VISION_MAX_LAYERS], base_error *error)
{
    char text[48];
    if (!walk(net, input, shapes, error))
        return false;
    const place last = {net->count, &net->layer[net->count - 1], error};
    vision_shape end = shapes[net->count - 1];
    return (is_row(end) && end.channels == classes) ||
           wrong(&last, "the last one gives %s, expected %d numbers, one a class",
                 shape_text(end, text), classes);
}

/* ---- what it costs ---- */

/* Weights and biases: a filter of in * kernel^2 weights and a bias for each output channel. */
static int64_t parameters_of(const vision_layer *l)
{
    switch (l->kind) {
    case VISION_CONV2D:
        return ((int64_t)l->in * l->kernel * l->kernel + 1) * l->out;
    case VISION_DEPTHWISE2D:
        return ((int64_t)l->kernel * l->kernel + 1) * l->in;
    case VISION_LINEAR:
        return ((int64_t)l->in + 1) * l->out;
    case VISION_BATCH_NORM2D:
        return 2 * (int64_t)l->in;
    default:
        return 0;
    }
}

/* Of the forward pass of one image. Only products count: biases, activations and pools are passes
 * over memory. A convolution does in * kernel^2 multiply-adds for each number of its result. */
static int64_t flops_of(const vision_layer *l, vision_shape out)
{
    switch (l->kind) {
    case VISION_CONV2D:
        return 2 * ((int64_t)l->in * l->kernel * l->kernel) *
               ((int64_t)out.channels * out.height * out.width);
    case VISION_DEPTHWISE2D:
        return 2 * (int64_t)l->kernel * l->kernel *
               ((int64_t)out.channels * out.height * out.width);
    case VISION_LINEAR:
        return 2 * (int64_t)l->in * l->out;
    default:
        return 0;
    }
}

int64_t vision_parameters(const vision_architecture *net)
{
    int64_t sum = 0;
    for (int i = 0; i < net->count; i++)
        sum += parameters_of(&net->layer[i]);
    return sum;
}

static int64_t forward_flops(const vision_architecture *net, vision_shape input)
{
    vision_shape shapes[VISION_MAX_LAYERS];
    int64_t sum = 0;
    bool fits = walk(net, input, shapes, NULL);
    for (int i = 0; i < net->count && fits; i++)
        sum += flops_of(&net->layer[i], shapes[i]);
    return sum;
}

/* A product forward is two backward: the gradient of the weights and that of the input. The first
 * layer that has parameters needs no gradient of its input, as nothing before it learns. */
int64_t vision_training_flops(const vision_architecture *net, vision_shape input)
{
    vision_shape shapes[VISION_MAX_LAYERS];
    int64_t sum = 0;
    bool first = true, fits = walk(net, input, shapes, NULL);
    for (int i = 0; i < net->count && fits; i++) {
        sum += (first ? 2 : 3) * flops_of(&net->layer[i], shapes[i]);
        first = first && parameters_of(&net->layer[i]) == 0;
    }
    return sum;
}

static int64_t numbers_of(vision_shape s)
{
    return is_row(s) ? s.channels : (int64_t)s.channels * s.height * s.width;
}

/* The last sum that asks for what so many layers have given; -1: none. */
static int last_sum_of(const vision_architecture *net, int layers)
{
    int last = -1;
    for (int i = 0; i < net->count; i++)
        if (net->layer[i].kind == VISION_RESIDUAL && net->layer[i].in == layers)
            last = i;
    return last;
}

/* Whether a layer's result can stand where its input stands. */
static bool in_place(vision_kind kind)
{
    return kind != VISION_CONV2D && kind != VISION_DEPTHWISE2D && kind != VISION_LINEAR;
}

/* Numbers that stand in memory while layer i works, if each result is given up after its last use: the layer's input
 * and its result, or the larger of the two where it may work in place; and every earlier result that a residual sum
 * still asks for. */
static int64_t standing(const vision_architecture *net, vision_shape input,
                        const vision_shape *shapes, int i)
{
    int64_t in = numbers_of(i ? shapes[i - 1] : input), out = numbers_of(shapes[i]), kept = 0;
    for (int j = 0; j < i; j++)
        if (last_sum_of(net, j) >= i)
            kept += numbers_of(j ? shapes[j - 1] : input);
    if (in_place(net->layer[i].kind) && last_sum_of(net, i) <= i)
        return kept + (in > out ? in : out);
    return kept + in + out;
}

/* The largest of the sums above over all layers; and the weights, with the two statistics a channel that a batch norm
 * keeps beside its parameters. */
vision_footprint vision_footprint_of(const vision_architecture *net, vision_shape input)
{
    vision_footprint f = {.weights = vision_parameters(net), .flops = forward_flops(net, input)};
    vision_shape shapes[VISION_MAX_LAYERS];
    bool fits = walk(net, input, shapes, NULL);
    for (int i = 0; i < net->count && fits; i++) {
        int64_t now = standing(net, input, shapes, i);
        f.activations = now > f.activations ? now : f.activations;
        if (net->layer[i].kind == VISION_BATCH_NORM2D)
            f.weights += 2 * (int64_t)net->layer[i].in;
    }
    return f;
}

/* ---- a listing ---- */

enum { NAME, IN, OUT, PARAMETERS, OPERATIONS, COLUMNS, CELL = 160 };

typedef char row[COLUMNS][CELL];

/* As torch prints a layer, and the paper's Table 2 after it; without the numbers that Table 2
 * leaves out. */
static void print_layer(const vision_layer *l, char text[CELL])
{
    static const char *const bare[VISION_KINDS] = {[VISION_RELU] = "ReLU()",
                                                   [VISION_GELU] = "GELU()",
                                                   [VISION_RELU6] = "ReLU6()",
                                                   [VISION_HARD_SWISH] = "Hardswish()",
                                                   [VISION_GLOBAL_AVG_POOL2D] =
                                                       "AdaptiveAvgPool2d(1)",
                                                   [VISION_FLATTEN] = "Flatten()"};
    switch (l->kind) {
    case VISION_CONV2D:
    case VISION_DEPTHWISE2D:
        snprintf(text, CELL, "Conv2d(%d, %d, kernel=(%d, %d), stride=(%d, %d)", l->in,
                 l->kind == VISION_CONV2D ? l->out : l->in, l->kernel, l->kernel, l->stride,
                 l->stride);
        if (l->padding)
            snprintf(text + strlen(text), CELL - strlen(text), ", padding=(%d, %d)", l->padding,
                     l->padding);
        if (l->kind == VISION_DEPTHWISE2D)
            snprintf(text + strlen(text), CELL - strlen(text), ", groups=%d", l->in);
        strcat(text, ")");
        return;
    case VISION_RESIDUAL:
        if (l->in)
            snprintf(text, CELL, "+ layer %d", l->in);
        else
            strcpy(text, "+ images");
        return;
    case VISION_MAX_POOL2D:
        snprintf(text, CELL, "MaxPool2d(kernel=%d, stride=%d, padding=0, dilation=1)", l->kernel,
                 l->stride);
        return;
    case VISION_AVG_POOL2D:
        snprintf(text, CELL, "AvgPool2d(kernel=%d, stride=%d, padding=0)", l->kernel, l->stride);
        return;
    case VISION_BATCH_NORM2D:
        snprintf(text, CELL, "BatchNorm2d(%d)", l->in);
        return;
    case VISION_DROPOUT:
        base_print(text, CELL, "Dropout(p=%g)", l->rate);
        return;
    case VISION_LINEAR:
        snprintf(text, CELL, "Linear(in=%d, out=%d, bias=True)", l->in, l->out);
        return;
    default: /* has no numbers */
        strcpy(text, bare[l->kind]);
    }
}

/* Fills the last two columns. */
static void print_counts(row r, int64_t parameters, int64_t operations)
{
    snprintf(r[PARAMETERS], CELL, "%" PRId64, parameters);
    snprintf(r[OPERATIONS], CELL, "%" PRId64, operations);
}

/* Columns as wide as their widest cell, text to the left, numbers to the right, two spaces
 * between. */
static void print_rows(row *rows, int count, base_text *text)
{
    int width[COLUMNS] = {0};
    for (int i = 0; i < count; i++)
        for (int c = 0; c < COLUMNS; c++)
            if ((int)strlen(rows[i][c]) > width[c])
                width[c] = (int)strlen(rows[i][c]);
    for (int i = 0; i < count; i++) {
        for (int c = 0; c < PARAMETERS; c++)
            base_text_print(text, "%-*s  ", width[c], rows[i][c]);
        base_text_print(text, "%*s  %*s\n", width[PARAMETERS], rows[i][PARAMETERS],
                        width[OPERATIONS], rows[i][OPERATIONS]);
    }
}

void vision_summary(const vision_architecture *net, vision_shape input, base_text *text)
{
    static const row head = {"layer", "in", "out", "parameters", "operations"};
    vision_shape shapes[VISION_MAX_LAYERS];
    if (!walk(net, input, shapes, NULL))
        return;
    row *rows = base_calloc((size_t)net->count + 2, sizeof *rows);
    if (!rows) {
        text->failed = true;
        return;
    }
    memcpy(rows[0], head, sizeof head);
    for (int i = 0; i < net->count; i++) {
        print_layer(&net->layer[i], rows[i + 1][NAME]);
        shape_text(i ? shapes[i - 1] : input, rows[i + 1][IN]);
        shape_text(shapes[i], rows[i + 1][OUT]);
        print_counts(rows[i + 1], parameters_of(&net->layer[i]),
                     flops_of(&net->layer[i], shapes[i]));
    }
    strcpy(rows[net->count + 1][NAME], "sum");
    print_counts(rows[net->count + 1], vision_parameters(net), forward_flops(net, input));
    print_rows(rows, net->count + 2, text);
    base_free(rows);
}
