/* SPDX-License-Identifier: MIT */
/* int8_write.c -- a network in whole numbers as C functions: the same loops as in layers.c, over bytes.
 *
 * Sums of whole numbers have no order, so a linear layer's go along its weights as they lie, and a
 * compiler may cut them as it likes. */
#include "export/parts.h"

#include <inttypes.h>
#include <stdio.h>

void export_int8_numbers(export_writer *w, const export_quantum *u, const char *layer)
{
    static const char *const names[] = {"bias", "multiplier", "shift"};
    const void *const values[] = {u->bias, u->multiplier, u->shift};
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%s", names[i], layer);
        export_integers(w, i < 2 ? "int32_t" : "int8_t", name, values[i], (size_t)u->rows);
    }
}

static bool is_function(const vision_layer *l)
{
    return l->kind == VISION_GELU || l->kind == VISION_HARD_SWISH;
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
        export_int8_numbers(w, u, layer);
    } else if (is_function(q->plan.step[step].l)) {
        export_put(w, "\n");
        snprintf(name, sizeof name, "table%s", layer);
        export_integers(w, "int8_t", name, u->table, sizeof u->table);
    }
}

/* The sum of output channel `row` as a result. */
static void put_narrow(export_writer *w, const export_step *s, const export_quantum *u,
                       const char *sum, const char *row)
{
    int n = s->layer;
    export_print(w, "narrow(%s, multiplier_%d[%s], shift_%d[%s], %d, %d);\n", sum, n, row, n, row,
                 u->zero, u->low);
}

static void put_convolution(export_writer *w, const export_step *s, const export_quantum *u)
{
    const vision_layer *l = s->l;
    int H = s->in.height, W = s->in.width, k = l->kernel, p = l->padding, wide = W + 2 * p;
    int width = s->out.width;
    export_begin(w, s, p > 0);
    export_print(w, "    int32_t sum[%d]; /* a line of results */\n", width);
    export_print(w, "    int o, row, c, i, j%s;\n", k > EXPORT_UNROLLED ? ", k" : "");
    export_print(w, "    for (row = 0; row < %d; row++) {\n", s->out.height);
    if (p > 0) { /* the lines under it, with zeros around them */
        export_print(w, "        for (c = 0; c < %d; c++)\n", l->in);
        export_print(w, "            for (i = 0; i < %d; i++) {\n", k);
        export_print(w, "                int8_t *to = scratch + (c * %d + i) * %d;\n", k, wide);
        export_print(w, "                int at = row * %d - %d + i;\n", l->stride, p);
        export_print(w, "                memset(to, %d, %d);\n", u->from_zero, wide);
        export_print(w, "                if (at >= 0 && at < %d)\n", H);
        export_print(w, "                    memcpy(to + %d, x + (c * %d + at) * %d, %d);\n", p, H,
                     W, W);
        export_put(w, "            }\n");
    }
    export_print(w, "        for (o = 0; o < %d; o++) {\n", l->out);
    export_print(w, "            const int8_t *RESTRICT weight = weight_%d + o * %d;\n", s->layer,
                 u->each);
    export_print(w, "            for (j = 0; j < %d; j++)\n", width);
    export_print(w, "                sum[j] = bias_%d[o];\n", s->layer);
    export_line_loop(w, s, "sum", "value + weight[%s] * from[%s]");
    export_print(w, "            for (j = 0; j < %d; j++)\n", width);
    export_print(w, "                y[(o * %d + row) * %d + j] =\n                    ",
                 s->out.height, width);
    put_narrow(w, s, u, "sum[j]", "o");
    export_put(w, "        }\n    }\n}\n");
}

/* A plane after the other. */
static void put_depthwise(export_writer *w, const export_step *s, const export_quantum *u)
{
    const vision_layer *l = s->l;
    int H = s->in.height, W = s->in.width, k = l->kernel, p = l->padding, wide = W + 2 * p;
    export_begin(w, s, p > 0);
    export_print(w,
                 "    int32_t sum[%d]; /* a line of results */\n"
                 "    int c, row, i, j, k;\n"
                 "    for (c = 0; c < %d; c++)\n"
                 "        for (row = 0; row < %d; row++) {\n"
                 "            const int8_t *weight = weight_%d + c * %d;\n"
                 "            for (j = 0; j < %d; j++)\n"
                 "                sum[j] = bias_%d[c];\n"
                 "            for (i = 0; i < %d; i++) {\n",
                 s->out.width, l->in, s->out.height, s->layer, k * k, s->out.width, s->layer, k);
    if (p > 0)
        export_print(w,
                     "                const int at = row * %d - %d + i;\n"
                     "                const int8_t *from = scratch;\n"
                     "                memset(scratch, %d, %d);\n"
                     "                if (at >= 0 && at < %d)\n"
                     "                    memcpy(scratch + %d, x + (c * %d + at) * %d, %d);\n",
                     l->stride, p, u->from_zero, wide, H, p, H, W, W);
    else
        export_print(w, "                const int8_t *from = x + (c * %d + row * %d + i) * %d;\n",
                     H, l->stride, W);
    export_print(w,
                 "                for (k = 0; k < %d; k++, from++) {\n"
                 "                    const int32_t factor = *weight++;\n"
                 "                    for (j = 0; j < %d; j++)\n"
                 "                        sum[j] += factor * from[j * %d];\n"
                 "                }\n"
                 "            }\n"
                 "            for (j = 0; j < %d; j++)\n"
                 "                y[(c * %d + row) * %d + j] =\n                    ",
                 k, s->out.width, l->stride, s->out.width, s->out.height, s->out.width);
    put_narrow(w, s, u, "sum[j]", "c");
    export_put(w, "        }\n}\n");
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
                 "        y[c] = narrow(sum, %" PRId32 ", %d, %d, %d);\n    }\n}\n",
                 s->in.channels, u->bias[0], size, size, u->multiplier[0], u->shift[0], u->zero,
                 u->low);
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

static void put_linear(export_writer *w, const export_step *s, const export_quantum *u)
{
    int n = s->layer;
    if (u->wide)
        export_print(w,
                     "\n/* layer %d, linear: %d -> %d logits */\n"
                     "static void layer_%d(int32_t *RESTRICT y, const int8_t *RESTRICT x)\n{\n",
                     n, u->each, u->rows, n);
    else
        export_begin(w, s, false);
    export_print(w,
                 "    int o, i;\n"
                 "    for (o = 0; o < %d; o++) {\n"
                 "        const int8_t *weight = weight_%d + (int32_t)o * %d;\n"
                 "        int32_t sum = bias_%d[o];\n"
                 "        for (i = 0; i < %d; i++)\n"
                 "            sum += weight[i] * x[i];\n"
                 "        y[o] = ",
                 u->rows, n, u->each, n, u->each);
    if (u->wide)
        export_print(w, "wide(sum, multiplier_%d[o], shift_%d[o]);\n", n, n);
    else
        put_narrow(w, s, u, "sum", "o");
    export_put(w, "    }\n}\n");
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
    export_begin_in_place(w, s);
    export_print(w,
                 "    int c, i;\n"
                 "    for (c = 0; c < %d; c++)\n"
                 "        for (i = 0; i < %d; i++)\n"
                 "            *y++ = ",
                 s->in.channels, s->in.height * s->in.width);
    char sum[64];
    snprintf(sum, sizeof sum, "bias_%d[c] + weight_%d[c] * *x++", s->layer, s->layer);
    put_narrow(w, s, u, sum, "c");
    export_put(w, "}\n");
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

void export_int8_function(export_writer *w, const export_int8 *q, int step)
{
    const export_step *s = &q->plan.step[step];
    const export_quantum *u = &q->step[step];
    switch (s->l->kind) {
    case VISION_CONV2D:
        put_convolution(w, s, u);
        return;
    case VISION_DEPTHWISE2D:
        put_depthwise(w, s, u);
        return;
    case VISION_GLOBAL_AVG_POOL2D:
        put_mean(w, s, u);
        return;
    case VISION_RESIDUAL:
        put_residual(w, s, u);
        return;
    case VISION_LINEAR:
        put_linear(w, s, u);
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

void export_int8_calls(export_writer *w, const export_int8 *q)
{
    export_put(w, "\n");
    export_int8_numbers(w, &q->image, "");
    export_print(w,
                 "\nvoid @_run(const uint8_t *pixels, int32_t *logits, int8_t *buffer)\n{\n"
                 "    int8_t *to = buffer;\n"
                 "    int32_t c, i;\n"
                 "    for (c = 0; c < ^_CHANNELS; c++)\n"
                 "        for (i = 0; i < (int32_t)^_HEIGHT * ^_WIDTH; i++)\n"
                 "            *to++ = narrow((int32_t)256 * *pixels++ + bias[c], multiplier[c],\n"
                 "                           shift[c], %d, %d);\n"
                 "    run_layers(logits, buffer);\n"
                 "}\n",
                 q->image.zero, q->image.low);
}
