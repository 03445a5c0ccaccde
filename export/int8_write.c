/* SPDX-License-Identifier: MIT */
/* int8_write.c -- a network in whole numbers as C functions.
 *
 * Sums of whole numbers have no order, so a compiler may cut them as it likes, and all go along weights as they lie.
 * Flash is short where such a file runs: what layers of a kind have in common is one function, which is given
 * a layer's numbers. */
#include "export/parts.h"

#include <inttypes.h>
#include <stdio.h>

/* Of a layer's channels what 16 and 8 bits hold, in its units. */
static void put_channels(export_writer *w, const export_quantum *u, int layer)
{
    export_print(w, "static const int16_t bias_%d[%d] = {", layer, u->rows);
    for (int i = 0; i < u->rows; i++)
        export_print(w, "%s%ld,", i % 10 ? " " : "\n    ",
                     (long)(u->bias[i] / ((int32_t)1 << u->bias_up)));
    export_print(w, "\n};\nstatic const uint8_t factor_%d[%d] = {", layer, u->rows);
    for (int i = 0; i < u->rows; i++)
        export_print(w, "%s%ld,", i % 16 ? " " : "\n    ", (long)(u->multiplier[i] >> u->up));
    export_put(w, "\n};\n");
}

static bool is_function(const vision_layer *l)
{
    return l->kind == VISION_GELU || l->kind == VISION_HARD_SWISH;
}

/* Its numbers as a whole, behind those of its channels. */
static void put_layer(export_writer *w, const export_step *s, const export_quantum *u)
{
    const vision_layer *l = s->l;
    const bool linear = l->kind == VISION_LINEAR;
    int n = s->layer;
    export_print(w, "static const layer layer_%d = {weight_%d, bias_%d, factor_%d, %d, %d,\n    ",
                 n, n, n, n, u->rows, u->each);
    if (linear)
        export_put(w, "0, 0, 0, 0, 0, 0, 0, 0");
    else
        export_print(w, "%d, %d, %d, %d, %d, %d, %d, %d", s->in.channels, s->in.height, s->in.width,
                     s->out.height, s->out.width, l->kernel, l->stride, l->padding);
    export_print(w, ", %d, %d, %d, %d, %d};\n", u->bias_up, u->up, u->from_zero, u->zero, u->low);
}

void export_int8_weights(export_writer *w, const export_int8 *q, int step)
{
    const export_quantum *u = &q->step[step];
    char layer[16], name[32];
    snprintf(layer, sizeof layer, "_%d", q->plan.step[step].layer);
    if (u->weight) {
        export_put(w, "\n");
        snprintf(name, sizeof name, "weight%s", layer);
        export_integers(w, "int8_t", name, u->weight, (size_t)u->rows * (size_t)u->each);
        put_channels(w, u, q->plan.step[step].layer);
        if (q->plan.step[step].l->kind != VISION_BATCH_NORM2D)
            put_layer(w, &q->plan.step[step], u);
    } else if (is_function(q->plan.step[step].l)) {
        export_put(w, "\n");
        snprintf(name, sizeof name, "table%s", layer);
        export_integers(w, "int8_t", name, u->table, sizeof u->table);
    }
}

/* ---- products ---- */

static const char narrow_text[] =
    "\n"
    "/* sum factor / (1 << 32), to the nearest whole number, in 8 bits, of which `zero` stands for "
    "0. low:\n"
    " * the least that it may be. */\n"
    "static int8_t narrow(int32_t sum, int32_t factor, int zero, int low)\n"
    "{\n"
    "    int32_t value = (int32_t)(((int64_t)sum * factor + ((int64_t)1 << 31)) >> 32) + zero;\n"
    "    return (int8_t)(value < low ? low : value > 127 ? 127 : value);\n"
    "}\n";

static const char layer_text[] =
    "\n"
    "/* A layer that sums products: a row of weights for each output channel. Of convolutions also "
    "the\n"
    " * shapes of images. */\n"
    "typedef struct layer {\n"
    "    const int8_t *weight; /* (rows, each) */\n"
    "    const int16_t *bias; /* (rows): what is added to a sum */\n"
    "    const uint8_t *factor; /* (rows): what it is multiplied by */\n"
    "    int32_t rows, each;\n"
    "    int16_t channels, height, width, out_height, out_width, kernel, stride, padding;\n"
    "    int8_t bias_up, up; /* the units of both: 1 << bias_up, 1 << up */\n"
    "    int8_t zero_in, zero, low; /* what stands for 0 in x and in y; the least of y */\n"
    "} layer;\n"
    "\n"
    "static int32_t bias_of(const layer *l, int32_t row)\n"
    "{\n"
    "    return l->bias[row] * ((int32_t)1 << l->bias_up);\n"
    "}\n"
    "\n"
    "static int32_t factor_of(const layer *l, int32_t row)\n"
    "{\n"
    "    return (int32_t)l->factor[row] << l->up;\n"
    "}\n";

static const char sums_text[] =
    "\n"
    "/* x times row `row` of the weights and the three behind it, as far as there are any: four "
    "sums\n"
    " * that stay in registers, for which x is read once. */\n"
    "static void sums(const layer *l, int32_t row, const int8_t *x, int32_t *sum)\n"
    "{\n"
    "    const int32_t each = l->each, rows = l->rows - row;\n"
    "    const int8_t *a = l->weight + row * each, *b = rows > 1 ? a + each : a;\n"
    "    const int8_t *c = rows > 2 ? b + each : a, *d = rows > 3 ? c + each : a;\n"
    "    int32_t sum_a = 0, sum_b = 0, sum_c = 0, sum_d = 0, i;\n"
    "    for (i = 0; i < each; i++) {\n"
    "        const int8_t value = x[i];\n"
    "        sum_a += a[i] * value;\n"
    "        sum_b += b[i] * value;\n"
    "        sum_c += c[i] * value;\n"
    "        sum_d += d[i] * value;\n"
    "    }\n"
    "    sum[0] = sum_a;\n"
    "    sum[1] = sum_b;\n"
    "    sum[2] = sum_c;\n"
    "    sum[3] = sum_d;\n"
    "}\n";

static const char results_text[] =
    "\n"
    "/* All rows times x; results are `apart` from each other. */\n"
    "static void results(const layer *l, int8_t *y, int32_t apart, const int8_t *x)\n"
    "{\n"
    "    const int zero = l->zero, low = l->low;\n"
    "    const int32_t rows = l->rows;\n"
    "    int32_t row = 0, i, sum[4];\n"
    "    while (row < rows) {\n"
    "        sums(l, row, x, sum);\n"
    "        for (i = 0; i < 4 && row < rows; i++, row++, y += apart)\n"
    "            *y = narrow(sum[i] + bias_of(l, row), factor_of(l, row), zero, low);\n"
    "    }\n"
    "}\n";

static const char logits_text[] =
    "\n"
    "/* As `results`, in 32 bits: sum factor / (1 << shift). */\n"
    "static void wide_results(const layer *l, int shift, int32_t *y, const int8_t *x)\n"
    "{\n"
    "    int32_t row, i, sum[4];\n"
    "    for (row = 0; row < l->rows; row += 4) {\n"
    "        sums(l, row, x, sum);\n"
    "        for (i = row; i < row + 4 && i < l->rows; i++)\n"
    "            y[i] = wide(sum[i - row] + bias_of(l, i), factor_of(l, i), shift);\n"
    "    }\n"
    "}\n";

static const char convolution_text[] =
    "\n"
    "/* At each place of the result, what lies under the kernel is laid side by side. */\n"
    "static void convolution(const layer *l, int8_t *y, const int8_t *x, int8_t *scratch)\n"
    "{\n"
    "    const int32_t C = l->channels, H = l->height, W = l->width, k = l->kernel;\n"
    "    const int32_t places = (int32_t)l->out_height * l->out_width;\n"
    "    int32_t row = -l->padding, column = row, place, c, i, j;\n"
    "    for (place = 0; place < places; place++) {\n"
    "        int8_t *to = scratch;\n"
    "        for (i = row; i < row + k; i++)\n"
    "            for (j = column; j < column + k; j++, to++) {\n"
    "                const int inside = i >= 0 && i < H && j >= 0 && j < W;\n"
    "                const int8_t *from = inside ? x + i * W + j : &l->zero_in;\n"
    "                const int32_t apart = inside ? H * W : 0;\n"
    "                for (c = 0; c < C; c++)\n"
    "                    to[c * k * k] = from[c * apart];\n"
    "            }\n"
    "        results(l, y + place, places, scratch);\n"
    "        column += l->stride;\n"
    "        if (column + k > W + l->padding) {\n"
    "            column = -l->padding;\n"
    "            row += l->stride;\n"
    "        }\n"
    "    }\n"
    "}\n";

/* A plane after the other, with zeros around it, a line of sums at a time; all columns of the kernel at once, so
 * that a sum is read and written once for them. */
static void put_depthwise(export_writer *w, const vision_layer *l, int widest)
{
    const int k = l->kernel;
    const bool unrolled = k <= EXPORT_UNROLLED;
    export_print(
        w,
        "\n"
        "/* Depthwise, kernels of %d with a stride of %d: a plane after the other. */\n"
        "static void depthwise_%d_%d(const layer *l, int8_t *y, const int8_t *x, int8_t "
        "*scratch)\n"
        "{\n"
        "    const int32_t wide = l->width + 2 * l->padding;\n"
        "    int32_t sum[%d]; /* a line of results */\n"
        "    int32_t c, row, i, j%s;\n"
        "    for (c = 0; c < l->channels; c++) {\n"
        "        memset(scratch, l->zero_in, (size_t)((l->height + 2 * l->padding) * wide));\n"
        "        for (row = 0; row < l->height; row++, x += l->width)\n"
        "            memcpy(scratch + (row + l->padding) * wide + l->padding, x, "
        "(size_t)l->width);\n",
        k, l->stride, k, l->stride, widest, unrolled ? "" : ", n");
    export_print(w,
                 "        for (row = 0; row < l->out_height; row++) {\n"
                 "            const int8_t *weight = l->weight + c * %d;\n"
                 "            const int8_t *from = scratch + row * %d * wide;\n"
                 "            for (j = 0; j < l->out_width; j++)\n"
                 "                sum[j] = bias_of(l, c);\n"
                 "            for (i = 0; i < %d; i++, weight += %d, from += wide)\n"
                 "                for (j = 0; j < l->out_width; j++) {\n"
                 "                    int32_t value = sum[j];\n",
                 k * k, l->stride, k, k);
    for (int i = 0; i < (unrolled ? k : 1); i++)
        if (unrolled)
            export_print(w, "                    value += weight[%d] * from[j * %d + %d];\n", i,
                         l->stride, i);
        else
            export_print(w,
                         "                    for (n = 0; n < %d; n++)\n"
                         "                        value += weight[n] * from[j * %d + n];\n",
                         k, l->stride);
    export_put(w, "                    sum[j] = value;\n"
                  "                }\n"
                  "            for (j = 0; j < l->out_width; j++)\n"
                  "                *y++ = narrow(sum[j], factor_of(l, c), l->zero, l->low);\n"
                  "        }\n"
                  "    }\n"
                  "}\n");
}

static bool is_depthwise(const export_step *s, const vision_layer *as)
{
    return s->l->kind == VISION_DEPTHWISE2D &&
           (!as || (s->l->kernel == as->kernel && s->l->stride == as->stride));
}

/* One function for all depthwise layers whose kernels and strides are those of step i, before the first. */
static void put_depthwise_once(export_writer *w, const export_plan *plan, int i)
{
    const vision_layer *l = plan->step[i].l;
    int widest = 0;
    for (int j = 0; j < plan->count; j++)
        if (is_depthwise(&plan->step[j], l)) {
            if (j < i)
                return;
            widest = plan->step[j].out.width > widest ? plan->step[j].out.width : widest;
        }
    put_depthwise(w, l, widest);
}

/* What all layers that sum products have in common, as far as it is used. */
void export_int8_products(export_writer *w, const export_int8 *q)
{
    const export_plan *plan = &q->plan;
    int kinds[VISION_KINDS] = {0}, wide = 0;
    for (int i = 0; i < plan->count; i++) {
        kinds[plan->step[i].l->kind]++;
        wide += q->step[i].wide;
    }
    const int convolutions = kinds[VISION_CONV2D], depthwise = kinds[VISION_DEPTHWISE2D],
              narrow = kinds[VISION_LINEAR] - wide + convolutions,
              norms = kinds[VISION_BATCH_NORM2D];
    if (!q->model.columns || narrow + depthwise + norms + kinds[VISION_GLOBAL_AVG_POOL2D] > 0)
        export_put(w, narrow_text);
    if (narrow + wide + depthwise > 0)
        export_put(w, layer_text);
    if (narrow + wide > 0)
        export_put(w, sums_text);
    if (narrow > 0)
        export_put(w, results_text);
    if (wide > 0)
        export_put(w, logits_text);
    if (convolutions > 0)
        export_put(w, convolution_text);
    for (int i = 0; i < plan->count; i++)
        if (is_depthwise(&plan->step[i], NULL))
            put_depthwise_once(w, plan, i);
}

/* Bytes that a step needs beside its input and result: what lies under a kernel, or a plane. */
size_t export_int8_scratch(const export_step *s)
{
    const vision_layer *l = s->l;
    if (l->kind == VISION_CONV2D)
        return (size_t)l->in * (size_t)l->kernel * (size_t)l->kernel;
    return l->kind == VISION_DEPTHWISE2D ? ((size_t)s->in.width + 2 * (size_t)l->padding) *
                                               ((size_t)s->in.height + 2 * (size_t)l->padding)
                                         : 0;
}

static void put_mean(export_writer *w, const export_step *s, const export_quantum *u)
{
    int size = s->in.height * s->in.width;
    export_begin_in_place(w, s);
    export_print(w,
                 "    int c, i;\n"
                 "    for (c = 0; c < %d; c++) {\n"
                 "        int32_t sum = %" PRId32 ";\n"
                 "        for (i = 0; i < %d; i++)\n"
                 "            sum += x[c * %d + i];\n"
                 "        y[c] = narrow(sum, %" PRId32 ", %d, %d);\n    }\n}\n",
                 s->in.channels, u->bias[0], size, size, u->multiplier[0], u->zero, u->low);
}

static void put_residual(export_writer *w, const export_step *s, const export_quantum *u)
{
    export_begin_residual(w, s);
    export_print(w,
                 "    int32_t i;\n"
                 "    for (i = 0; i < %zu; i++) {\n"
                 "        int32_t sum = (int32_t)x[i] * %" PRId32 " + (int32_t)given[i] * %" PRId32
                 " + %" PRId32 ";\n"
                 "        sum = (sum >> %d) + %d;\n"
                 "        y[i] = (int8_t)(sum < -128 ? -128 : sum > 127 ? 127 : sum);\n    }\n}\n",
                 export_size(s->in), u->multiplier[0], u->multiplier[1], u->bias[0], u->shift[0],
                 u->zero);
}

/* y may stand where x stands, as in layers.c. */
static void put_pool(export_writer *w, const export_step *s)
{
    int H = s->in.height, W = s->in.width, k = s->l->kernel, stride = s->l->stride, n = k * k;
    bool max = s->l->kind == VISION_MAX_POOL2D;
    export_begin_in_place(w, s);
    export_print(w,
                 "    int c, row, column, i, j;\n"
                 "    for (c = 0; c < %d; c++)\n"
                 "        for (row = 0; row < %d; row++)\n"
                 "            for (column = 0; column < %d; column++) {\n"
                 "                const int8_t *window = x + (c * %d + row * %d) * %d + column * "
                 "%d;\n"
                 "                int32_t value = %d;\n"
                 "                for (i = 0; i < %d; i++)\n"
                 "                    for (j = 0; j < %d; j++)\n",
                 s->out.channels, s->out.height, s->out.width, H, stride, W, stride, max ? -128 : 0,
                 k, k);
    if (max)
        export_print(w,
                     "                        if (window[i * %d + j] > value)\n"
                     "                            value = window[i * %d + j];\n"
                     "                *y++ = (int8_t)value;\n",
                     W, W);
    else
        export_print(
            w,
            "                        value += window[i * %d + j];\n"
            "                *y++ = (int8_t)((value < 0 ? value - %d : value + %d) / %d);\n",
            W, n / 2, n / 2, n);
    export_put(w, "            }\n}\n");
}

static void put_batch_norm(export_writer *w, const export_step *s, const export_quantum *u)
{
    int n = s->layer;
    export_begin_in_place(w, s);
    export_print(w,
                 "    int c, i;\n"
                 "    for (c = 0; c < %d; c++) {\n"
                 "        const int32_t bias = bias_%d[c] * ((int32_t)1 << %d);\n"
                 "        for (i = 0; i < %d; i++)\n"
                 "            *y++ = narrow(bias + weight_%d[c] * *x++, "
                 "(int32_t)factor_%d[c] << %d, %d, %d);\n"
                 "    }\n}\n",
                 s->in.channels, n, u->bias_up, s->in.height * s->in.width, n, n, u->up, u->zero,
                 u->low);
}

static void put_activation(export_writer *w, const export_step *s, const export_quantum *u)
{
    export_begin_in_place(w, s);
    export_print(w, "    int32_t i;\n    for (i = 0; i < %zu; i++)\n", export_size(s->in));
    if (s->l->kind == VISION_RELU)
        export_print(w, "        y[i] = x[i] < %d ? %d : x[i];\n", u->low, u->low);
    else if (s->l->kind == VISION_RELU6)
        export_print(w, "        y[i] = x[i] < %d ? %d : x[i] > %d ? %d : x[i];\n", u->low, u->low,
                     u->high, u->high);
    else
        export_print(w, "        y[i] = table_%d[x[i] + 128];\n", s->layer);
    export_put(w, "}\n");
}

/* What is a layer's own: of products nothing but their numbers. */
void export_int8_function(export_writer *w, const export_int8 *q, int step)
{
    const export_step *s = &q->plan.step[step];
    const export_quantum *u = &q->step[step];
    switch (s->l->kind) {
    case VISION_CONV2D:
    case VISION_DEPTHWISE2D:
    case VISION_LINEAR:
        return;
    case VISION_GLOBAL_AVG_POOL2D:
        put_mean(w, s, u);
        return;
    case VISION_RESIDUAL:
        put_residual(w, s, u);
        return;
    case VISION_MAX_POOL2D:
    case VISION_AVG_POOL2D:
        put_pool(w, s);
        return;
    case VISION_BATCH_NORM2D:
        put_batch_norm(w, s, u);
        return;
    default:
        put_activation(w, s, u);
        return;
    }
}

/* The line of run_layers that computes a step. */
void export_int8_call(export_writer *w, const export_int8 *q, int step)
{
    const export_step *s = &q->plan.step[step];
    const vision_layer *l = s->l;
    int n = s->layer;
    if (q->step[step].wide)
        export_print(w, "    wide_results(&layer_%d, %d, logits, buffer + %zu);\n", n,
                     q->step[step].shift[0], s->from);
    else if (l->kind == VISION_LINEAR)
        export_print(w, "    results(&layer_%d, buffer + %zu, 1, buffer + %zu);\n", n, s->to,
                     s->from);
    else if (l->kind == VISION_CONV2D)
        export_print(w, "    convolution(&layer_%d, buffer + %zu, buffer + %zu, buffer + %zu);\n",
                     n, s->to, s->from, s->scratch);
    else if (l->kind == VISION_DEPTHWISE2D)
        export_print(w,
                     "    depthwise_%d_%d(&layer_%d, buffer + %zu, buffer + %zu, buffer + %zu);\n",
                     l->kernel, l->stride, n, s->to, s->from, s->scratch);
    else if (l->kind == VISION_RESIDUAL)
        export_print(w, "    layer_%d(buffer + %zu, buffer + %zu, buffer + %zu);\n", n, s->to,
                     s->from, s->scratch);
    else
        export_print(w, "    layer_%d(buffer + %zu, buffer + %zu);\n", n, s->to, s->from);
}

void export_int8_calls(export_writer *w, const export_int8 *q)
{
    export_put(w, "\n");
    export_integers(w, "int32_t", "bias", q->image.bias, (size_t)q->image.rows);
    export_integers(w, "int32_t", "factor", q->image.multiplier, (size_t)q->image.rows);
    export_print(
        w,
        "\nvoid @_run(const uint8_t *pixels, int32_t *logits, int8_t *buffer)\n{\n"
        "    int8_t *to = buffer;\n"
        "    int32_t c, i;\n"
        "    for (c = 0; c < ^_CHANNELS; c++)\n"
        "        for (i = 0; i < (int32_t)^_HEIGHT * ^_WIDTH; i++)\n"
        "            *to++ = narrow((int32_t)256 * *pixels++ + bias[c], factor[c], %d, %d);\n"
        "    run_layers(logits, buffer);\n"
        "}\n",
        q->image.zero, q->image.low);
}
