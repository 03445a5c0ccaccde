/* SPDX-License-Identifier: MIT */
/* layers.c -- a layer as a C function: loops of constant lengths over an image that stands in the
 * caller's buffer.
 *
 * The order of every sum is that of tensor/: a convolution's result begins with its bias and goes on
 * over channels, kernel lines and kernel columns; a linear layer's begins with 0 and gets its bias at
 * the end. Inner loops go over results that do not depend on each other, a line of an image or a row
 * of outputs, so a compiler can compute some at once. For that the weights of a linear layer are
 * stored by inputs (in,out). */
#include "base/math.h"
#include "base/memory.h"
#include "export/parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 4, POINTS = 36 };

static int tiles(int size) { return base_ceil_div(size, TILE); }

/* Padded lines of all channels under one line of results; or the points of a line of tiles, and
 * those of one output channel. */
size_t export_scratch(const export_step *s)
{
    if (s->l->kind != VISION_CONV2D && s->l->kind != VISION_DEPTHWISE2D)
        return 0;
    if (s->winograd)
        return POINTS * ((size_t)s->in.channels + 1) * (size_t)tiles(s->out.width);
    size_t channels = s->l->kind == VISION_CONV2D ? (size_t)s->in.channels : 1;
    return s->l->padding
               ? channels * (size_t)s->l->kernel * ((size_t)s->in.width + 2 * (size_t)s->l->padding)
               : 0;
}

int64_t export_products(const export_step *s)
{
    const vision_layer *l = s->l;
    if (l->kind == VISION_LINEAR)
        return (int64_t)l->in * l->out;
    if (l->kind == VISION_DEPTHWISE2D)
        return (int64_t)l->kernel * l->kernel * (int64_t)export_size(s->out);
    if (l->kind != VISION_CONV2D)
        return 0;
    if (s->winograd)
        return (int64_t)POINTS * l->in * l->out * tiles(s->out.height) * tiles(s->out.width);
    return (int64_t)l->in * l->kernel * l->kernel * (int64_t)export_size(s->out);
}

/* ---- weights ---- */

const tensor *export_tensor(const nn_params *params, int layer, const char *what)
{
    char name[32];
    snprintf(name, sizeof name, "%d.%s", layer, what);
    return nn_params_find(params, name);
}

static void print_tensor(export_writer *w, int layer, const char *what, const float *values,
                         size_t count)
{
    char name[32];
    snprintf(name, sizeof name, "%s_%d", what, layer);
    export_floats(w, name, values, count);
}

/* (out,in) is written as (in,out). */
static void print_turned(export_writer *w, const export_step *s, const float *values)
{
    size_t in = (size_t)s->l->in, out = (size_t)s->l->out;
    float *turned = base_malloc(in * out * sizeof *turned);
    w->text->failed = w->text->failed || !turned;
    for (size_t o = 0; o < out && turned; o++)
        for (size_t i = 0; i < in; i++)
            turned[i * out + o] = values[o * in + i];
    if (turned)
        print_tensor(w, s->layer, "weight", turned, in * out);
    base_free(turned);
}

void export_weights(export_writer *w, const export_plan *plan, const export_step *s)
{
    const nn_params *params = vision_network_params(plan->model->network);
    const nn_params *running = vision_network_running(plan->model->network);
    const tensor *weight = export_tensor(params, s->layer, "weight");
    const tensor *bias = export_tensor(params, s->layer, "bias");
    if (!weight)
        return;
    export_put(w, "\n");
    if (s->l->kind == VISION_LINEAR)
        print_turned(w, s, weight->val);
    else
        print_tensor(w, s->layer, "weight", weight->val, tensor_size(weight));
    print_tensor(w, s->layer, "bias", bias->val, tensor_size(bias));
    if (s->l->kind == VISION_BATCH_NORM2D) {
        float *scale = base_malloc(tensor_size(weight) * sizeof *scale);
        const float *variance = export_tensor(running, s->layer, "running_var")->val;
        w->text->failed = w->text->failed || !scale;
        for (size_t c = 0; scale && c < tensor_size(weight); c++)
            scale[c] = (float)(1 / sqrt((double)variance[c] + (double)1e-5F));
        print_tensor(w, s->layer, "mean", export_tensor(running, s->layer, "running_mean")->val,
                     tensor_size(weight));
        if (scale)
            print_tensor(w, s->layer, "scale", scale, tensor_size(weight));
        base_free(scale);
    }
}

/* ---- functions ---- */

bool export_needs_fma(const export_step *s)
{
    return s->l->kind == VISION_CONV2D || s->l->kind == VISION_DEPTHWISE2D ||
           s->l->kind == VISION_LINEAR || s->l->kind == VISION_GELU;
}

static void print_name(export_writer *w, const export_step *s, const char *parameters)
{
    const bool twice = *w->number == 'f' && export_needs_fma(s);
    export_print(w, "%s void layer_%d(%s%s)\n{\n", twice ? "TWICE" : "static", s->layer, parameters,
                 twice ? " HOW" : "");
}

void export_begin(export_writer *w, const export_step *s, bool scratch)
{
    export_print(w, "\n/* layer %d, %s: (%d,%d,%d) -> (%d,%d,%d)", s->layer,
                 vision_kind_name(s->l->kind), s->in.channels, s->in.height, s->in.width,
                 s->out.channels, s->out.height, s->out.width);
    export_print(w, "%s */\n", s->relu ? ", then relu" : "");
    print_name(w, s,
               scratch ? "~ *RESTRICT y, const ~ *RESTRICT x, ~ *RESTRICT scratch"
                       : "~ *RESTRICT y, const ~ *RESTRICT x");
}

/* As export_begin, for what may be computed in place. */
void export_begin_in_place(export_writer *w, const export_step *s)
{
    export_print(w, "\n/* layer %d, %s: (%d,%d,%d) -> (%d,%d,%d); y may be x */\n", s->layer,
                 vision_kind_name(s->l->kind), s->in.channels, s->in.height, s->in.width,
                 s->out.channels, s->out.height, s->out.width);
    print_name(w, s, "~ *y, const ~ *x");
}

static void print_relu(export_writer *w, const export_step *s, const char *indent)
{
    if (s->relu)
        export_print(w, "%sline[j] = 0.0F > line[j] ? 0.0F : line[j];\n", indent);
}

/* The loops that add a channel's lines under a line of results: all columns of the kernel at once, so that
 * a result is read and written once for them. */
static void line_loop(export_writer *w, const export_step *s)
{
    const vision_layer *l = s->l;
    int k = l->kernel, p = l->padding, wide = s->in.width + 2 * p;
    char at[48];
    const bool loose = k > 1 && k <= EXPORT_UNROLLED;
    if (loose)
        export_put(w, "            int one = 1;\n            LOOSE(one);\n");
    export_print(w,
                 "            for (c = 0; c < %d; c++)\n"
                 "                for (i = 0; i < %d; i++, weight += %d) {\n",
                 l->in, k, k);
    if (p > 0)
        export_print(
            w, "                    const float *RESTRICT from = scratch + (c * %d + i) * %d;\n", k,
            wide);
    else
        export_print(
            w,
            "                    const float *RESTRICT from = x + (c * %d + row * %d + i) * "
            "%d;\n",
            s->in.height, l->stride, wide);
    export_print(w,
                 "                    for (j = 0; j < %d; j++) {\n"
                 "                        float value = line[j];\n",
                 s->out.width);
    snprintf(at, sizeof at, l->stride == 1 ? "j" : "j * %d", l->stride);
    size_t length = strlen(at);
    for (int i = 0; i < (k <= EXPORT_UNROLLED ? k : 1); i++) {
        char column[16];
        snprintf(column, sizeof column, k <= EXPORT_UNROLLED ? "%d" : "k", i);
        if (k > EXPORT_UNROLLED)
            export_print(w, "                        for (k = 0; k < %d; k++)\n    ", k);
        if (i > 0 || k > EXPORT_UNROLLED)
            snprintf(at + length, sizeof at - length, loose ? " + %s * one" : " + %s", column);
        export_print(w, "                        value = ^_FMA(weight[%s], from[%s], value);\n",
                     column, at);
    }
    export_put(w, "                        line[j] = value;\n"
                  "                    }\n"
                  "                }\n");
}

/* One line of results after another, in all output channels. With padding, the input lines under it
 * are first copied with zeros around them. */
static void direct(export_writer *w, const export_step *s)
{
    const vision_layer *l = s->l;
    int H = s->in.height, W = s->in.width, k = l->kernel, p = l->padding, wide = W + 2 * p;
    export_begin(w, s, p > 0);
    export_print(w, "    int o, row, c, i, j%s;\n", k > EXPORT_UNROLLED ? ", k" : "");
    export_print(w, "    for (row = 0; row < %d; row++) {\n", s->out.height);
    if (p > 0) {
        export_print(w, "        for (c = 0; c < %d; c++)\n", l->in);
        export_print(w, "            for (i = 0; i < %d; i++) {\n", k);
        export_print(w, "                float *to = scratch + (c * %d + i) * %d;\n", k, wide);
        export_print(w, "                int at = row * %d - %d + i;\n", l->stride, p);
        export_print(w, "                for (j = 0; j < %d; j++)\n", wide);
        export_print(w, "                    to[j] = 0.0F;\n");
        export_print(w, "                if (at >= 0 && at < %d)\n", H);
        export_print(w,
                     "                    memcpy(to + %d, x + (c * %d + at) * %d, %d * sizeof "
                     "*to);\n",
                     p, H, W, W);
        export_print(w, "            }\n");
    }
    export_print(w, "        for (o = 0; o < %d; o++) {\n", l->out);
    export_print(w, "            const float *weight = weight_%d + o * %d;\n", s->layer,
                 l->in * k * k);
    export_print(w, "            float *RESTRICT line = y + (o * %d + row) * %d;\n", s->out.height,
                 s->out.width);
    export_print(w, "            for (j = 0; j < %d; j++)\n", s->out.width);
    export_print(w, "                line[j] = bias_%d[o];\n", s->layer);
    line_loop(w, s);
    if (s->relu)
        export_print(w, "            for (j = 0; j < %d; j++)\n", s->out.width);
    print_relu(w, s, "                ");
    export_put(w, "        }\n    }\n}\n");
}

/* A line of tiles at a time: their inputs become points, (channels, tiles, 36); then for each output
 * channel the products are summed over the channels, and go back to a line of 4x4 results. */
static void winograd(export_writer *w, const export_step *s)
{
    const vision_layer *l = s->l;
    int H = s->in.height, W = s->in.width, H2 = s->out.height, W2 = s->out.width;
    int across = tiles(W2);
    export_begin(w, s, true);
    export_put(w, "    float *RESTRICT points = scratch;\n");
    export_print(w, "    float *RESTRICT sums = scratch + %d; /* of one output channel */\n",
                 POINTS * l->in * across);
    export_put(w, "    int row, tile, c, o, i, j;\n");
    export_print(w, "    for (row = 0; row < %d; row += 4) {\n", H2);
    export_print(w, "        for (c = 0; c < %d; c++)\n", l->in);
    export_print(w, "            for (tile = 0; tile < %d; tile++) {\n", across);
    export_put(w, "                float pixels[36], down[36];\n"
                  "                for (i = 0; i < 6; i++)\n"
                  "                    for (j = 0; j < 6; j++) {\n");
    export_print(w,
                 "                        int line = row + i - %d, column = 4 * tile + j - %d;\n"
                 "                        int inside = line >= 0 && line < %d && column >= 0 && "
                 "column < %d;\n",
                 l->padding, l->padding, H, W);
    export_print(w,
                 "                        pixels[6 * i + j] = inside ? x[(c * %d + line) * %d + "
                 "column] : 0.0F;\n",
                 H, W);
    export_put(w, "                    }\n"
                  "                for (j = 0; j < 6; j++)\n"
                  "                    input_points(down + j, 6, pixels + j, 6 SO);\n"
                  "                for (i = 0; i < 6; i++)\n");
    export_print(
        w,
        "                    input_points(points + (c * %d + tile) * 36 + 6 * i, 1, down + 6 "
        "* i, 1 SO);\n",
        across);
    export_put(w, "            }\n");
    export_print(w, "        for (o = 0; o < %d; o++) {\n", l->out);
    export_print(w,
                 "            for (i = 0; i < %d; i++)\n"
                 "                sums[i] = 0.0F;\n",
                 POINTS * across);
    export_print(w, "            for (c = 0; c < %d; c++) {\n", l->in);
    export_print(w,
                 "                const float *weight = weight_%d + (o * %d + c) * 9;\n"
                 "                const float *RESTRICT from = points + c * %d;\n",
                 s->layer, l->in, POINTS * across);
    export_put(w, "                float down[18], factor[36];\n"
                  "                for (j = 0; j < 3; j++)\n"
                  "                    weight_points(down + j, 3, weight + j, 3 SO);\n"
                  "                for (i = 0; i < 6; i++)\n"
                  "                    weight_points(factor + 6 * i, 1, down + 3 * i, 1 SO);\n");
    export_print(w, "                for (tile = 0; tile < %d; tile++)\n", across);
    export_put(w,
               "                    for (i = 0; i < 36; i++)\n"
               "                        sums[36 * tile + i] =\n"
               "                            ^_FMA(from[36 * tile + i], factor[i], sums[36 * tile "
               "+ i]);\n"
               "            }\n");
    export_print(w, "            for (tile = 0; tile < %d; tile++) {\n", across);
    export_put(w,
               "                float along[24], result[16];\n"
               "                for (i = 0; i < 6; i++)\n"
               "                    result_of_points(along + 4 * i, 1, sums + 36 * tile + 6 * i, "
               "1 SO);\n"
               "                for (j = 0; j < 4; j++)\n"
               "                    result_of_points(result + j, 4, along + j, 4 SO);\n");
    export_print(w, "                for (i = 0; i < 4 && row + i < %d; i++)\n", H2);
    export_print(w, "                    for (j = 0; j < 4 && 4 * tile + j < %d; j++) {\n", W2);
    export_print(w,
                 "                        float value = result[4 * i + j] + bias_%d[o];\n"
                 "                        y[(o * %d + row + i) * %d + 4 * tile + j] = %s;\n",
                 s->layer, H2, W2, s->relu ? "0.0F > value ? 0.0F : value" : "value");
    export_put(w, "                    }\n            }\n        }\n    }\n}\n");
}

static void linear(export_writer *w, const export_step *s)
{
    int in = s->l->in, out = s->l->out;
    export_begin(w, s, false);
    export_print(w,
                 "    int i, j;\n"
                 "    for (j = 0; j < %d; j++)\n"
                 "        y[j] = 0.0F;\n"
                 "    for (i = 0; i < %d; i++) {\n"
                 "        const float *RESTRICT weight = weight_%d + i * %d;\n"
                 "        const float value = x[i];\n"
                 "        for (j = 0; j < %d; j++)\n",
                 out, in, s->layer, out, out);
    export_put(w, "            y[j] = ^_FMA(value, weight[j], y[j]);\n    }\n");
    export_print(w, "    for (j = 0; j < %d; j++) {\n        float value = y[j] + bias_%d[j];\n",
                 out, s->layer);
    export_print(w, "        y[j] = %s;\n    }\n}\n",
                 s->relu ? "0.0F > value ? 0.0F : value" : "value");
}

/* y may stand where x stands: each result is written where all that is still read lies behind. */
static void pool(export_writer *w, const export_step *s)
{
    int H = s->in.height, W = s->in.width, k = s->l->kernel, stride = s->l->stride;
    bool max = s->l->kind == VISION_MAX_POOL2D;
    export_begin_in_place(w, s);
    export_print(w,
                 "    int c, row, column, i, j;\n"
                 "    for (c = 0; c < %d; c++)\n"
                 "        for (row = 0; row < %d; row++)\n"
                 "            for (column = 0; column < %d; column++) {\n"
                 "                const float *window = x + (c * %d + row * %d) * %d + column * "
                 "%d;\n",
                 s->out.channels, s->out.height, s->out.width, H, stride, W, stride);
    export_print(w,
                 "                float value = %s;\n"
                 "                for (i = 0; i < %d; i++)\n"
                 "                    for (j = 0; j < %d; j++)",
                 max ? "window[0]" : "0.0F", k, k);
    if (max)
        export_print(w,
                     " {\n"
                     "                        float other = window[i * %d + j];\n"
                     "                        value = value < other || other != other ? other : "
                     "value;\n"
                     "                    }\n"
                     "                *y++ = value;\n",
                     W);
    else
        export_print(w,
                     "\n"
                     "                        value = value + window[i * %d + j];\n"
                     "                *y++ = value / %d.0F;\n",
                     W, k * k);
    export_put(w, "            }\n}\n");
}

/* A plane after the other, line by line, as `direct` does it with all channels. */
static void depthwise(export_writer *w, const export_step *s)
{
    const vision_layer *l = s->l;
    int H = s->in.height, W = s->in.width, k = l->kernel, p = l->padding, wide = W + 2 * p;
    export_begin(w, s, p > 0);
    export_print(w,
                 "    int c, row, i, j, k;\n"
                 "    for (c = 0; c < %d; c++)\n"
                 "        for (row = 0; row < %d; row++) {\n"
                 "            const float *weight = weight_%d + c * %d;\n"
                 "            float *RESTRICT line = y + (c * %d + row) * %d;\n",
                 l->in, s->out.height, s->layer, k * k, s->out.height, s->out.width);
    if (p > 0)
        export_print(
            w,
            "            for (i = 0; i < %d; i++) {\n"
            "                float *to = scratch + i * %d;\n"
            "                int at = row * %d - %d + i;\n"
            "                for (j = 0; j < %d; j++)\n"
            "                    to[j] = 0.0F;\n"
            "                if (at >= 0 && at < %d)\n"
            "                    memcpy(to + %d, x + (c * %d + at) * %d, %d * sizeof *to);\n"
            "            }\n",
            k, wide, l->stride, p, wide, H, p, H, W, W);
    export_print(w,
                 "            for (j = 0; j < %d; j++)\n"
                 "                line[j] = bias_%d[c];\n"
                 "            for (i = 0; i < %d; i++)\n"
                 "                for (k = 0; k < %d; k++) {\n",
                 s->out.width, s->layer, k, k);
    if (p > 0)
        export_print(w, "                    const float *from = scratch + i * %d + k;\n", wide);
    else
        export_print(
            w, "                    const float *from = x + (c * %d + row * %d + i) * %d + k;\n", H,
            l->stride, W);
    export_print(w,
                 "                    const float factor = *weight++;\n"
                 "                    for (j = 0; j < %d; j++)\n"
                 "                        line[j] = ^_FMA(factor, from[j * %d], line[j]);\n"
                 "                }\n"
                 "        }\n}\n",
                 s->out.width, l->stride);
}

/* Element i of a plane goes to lane i % 16; the lanes are added up in halves. */
static void global_pool(export_writer *w, const export_step *s)
{
    int size = s->in.height * s->in.width;
    export_begin_in_place(w, s);
    export_print(w,
                 "    int c, i, half;\n"
                 "    for (c = 0; c < %d; c++) {\n"
                 "        float lane[16] = {0};\n"
                 "        for (i = 0; i < %d; i++)\n"
                 "            lane[i %% 16] += x[c * %d + i];\n"
                 "        for (half = 8; half > 0; half /= 2)\n"
                 "            for (i = 0; i < half; i++)\n"
                 "                lane[i] += lane[i + half];\n"
                 "        y[c] = lane[0] / %d.0F;\n"
                 "    }\n}\n",
                 s->in.channels, size, size, size);
}

void export_begin_residual(export_writer *w, const export_step *s)
{
    export_print(w,
                 "\n/* layer %d, residual: what %d layers have given is added; y may be x */\n"
                 "static void layer_%d(~ *y, const ~ *x, const ~ *given)\n{\n",
                 s->layer, s->l->in, s->layer);
}

static void residual(export_writer *w, const export_step *s)
{
    export_begin_residual(w, s);
    export_print(w,
                 "    int i;\n"
                 "    for (i = 0; i < %zu; i++)\n"
                 "        y[i] = x[i] + given[i];\n}\n",
                 export_size(s->in));
}

/* ---- what all layers of a kind have in common ---- */

static const char batch_norm_text[] =
    "\n"
    "/* Of each channel (x - mean) scale weight + bias; y may be x. */\n"
    "ONCE void batch_norm(float *y, const float *x, const float *mean, const float *scale,\n"
    "                       const float *weight, const float *bias, int channels, int plane)\n"
    "{\n"
    "    int c, i;\n"
    "    for (c = 0; c < channels; c++) {\n"
    "        const float from = mean[c], by = scale[c], factor = weight[c], to = bias[c];\n"
    "        for (i = 0; i < plane; i++) {\n"
    "            float value = (*x++ - from) * by;\n"
    "            value = value * factor;\n"
    "            *y++ = value + to;\n"
    "        }\n"
    "    }\n"
    "}\n";

static const char relu_text[] = "\n"
                                "ONCE void relu(float *y, const float *x, int count)\n"
                                "{\n"
                                "    int i;\n"
                                "    for (i = 0; i < count; i++)\n"
                                "        y[i] = 0.0F > x[i] ? 0.0F : x[i];\n"
                                "}\n";

static const char relu6_text[] = "\n"
                                 "ONCE void relu6(float *y, const float *x, int count)\n"
                                 "{\n"
                                 "    int i;\n"
                                 "    for (i = 0; i < count; i++) {\n"
                                 "        float value = 0.0F > x[i] ? 0.0F : x[i];\n"
                                 "        y[i] = 6.0F < value ? 6.0F : value;\n"
                                 "    }\n"
                                 "}\n";

static const char hard_swish_text[] = "\n"
                                      "ONCE void hard_swish(float *y, const float *x, int count)\n"
                                      "{\n"
                                      "    int i;\n"
                                      "    for (i = 0; i < count; i++) {\n"
                                      "        float value = x[i] + 3.0F;\n"
                                      "        value = 0.0F > value ? 0.0F : value;\n"
                                      "        value = 6.0F < value ? 6.0F : value;\n"
                                      "        value = value * (1.0F / 6);\n"
                                      "        y[i] = x[i] * value;\n"
                                      "    }\n"
                                      "}\n";

static const char gelu_text[] =
    "\n"
    "TWICE void gelu(float *y, const float *x, int count HOW)\n"
    "{\n"
    "    int i;\n"
    "    for (i = 0; i < count; i++) {\n"
    "        float half = 0.5F * x[i];\n"
    "        y[i] = ^_FMA(half, error_function(0.707106781F * x[i] SO), half);\n"
    "    }\n"
    "}\n";

/* NULL: a layer of this kind has a function of its own. */
static const char *text_of(vision_kind kind)
{
    return kind == VISION_BATCH_NORM2D ? batch_norm_text
           : kind == VISION_RELU       ? relu_text
           : kind == VISION_RELU6      ? relu6_text
           : kind == VISION_HARD_SWISH ? hard_swish_text
           : kind == VISION_GELU       ? gelu_text
                                       : NULL;
}

void export_common(export_writer *w, const export_plan *plan)
{
    bool there[VISION_KINDS] = {false};
    for (int i = 0; i < plan->count; i++) {
        const vision_kind kind = plan->step[i].l->kind;
        if (text_of(kind) && !there[kind])
            export_put(w, text_of(kind));
        there[kind] = true;
    }
}

void export_call(export_writer *w, const export_step *s)
{
    const char *so = export_needs_fma(s) ? " SO" : "";
    const int n = s->layer;
    if (s->l->kind == VISION_BATCH_NORM2D)
        export_print(w,
                     "    batch_norm(buffer + %zu, buffer + %zu, mean_%d, scale_%d, weight_%d, "
                     "bias_%d, %d, %d);\n",
                     s->to, s->from, n, n, n, n, s->in.channels, s->in.height * s->in.width);
    else if (text_of(s->l->kind))
        export_print(w, "    %s(buffer + %zu, buffer + %zu, %zu%s);\n",
                     vision_kind_name(s->l->kind), s->to, s->from, export_size(s->in), so);
    else if (export_scratch(s) || s->l->kind == VISION_RESIDUAL)
        export_print(w, "    layer_%d(buffer + %zu, buffer + %zu, buffer + %zu%s);\n", n, s->to,
                     s->from, s->scratch, so);
    else
        export_print(w, "    layer_%d(buffer + %zu, buffer + %zu%s);\n", n, s->to, s->from, so);
}

/* The function of a layer that has one of its own. */
void export_function(export_writer *w, const export_step *s)
{
    switch (s->l->kind) {
    case VISION_CONV2D:
        (s->winograd ? winograd : direct)(w, s);
        return;
    case VISION_LINEAR:
        linear(w, s);
        return;
    case VISION_DEPTHWISE2D:
        depthwise(w, s);
        return;
    case VISION_GLOBAL_AVG_POOL2D:
        global_pool(w, s);
        return;
    case VISION_RESIDUAL:
        residual(w, s);
        return;
    case VISION_MAX_POOL2D:
    case VISION_AVG_POOL2D:
        pool(w, s);
        return;
    default: /* export_common */
        return;
    }
}
