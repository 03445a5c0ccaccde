/* SPDX-License-Identifier: MIT */
/* int8_layers.c -- of a network in whole numbers as C: what is a layer's own, and the layers in their order. */
#include "export/parts.h"

#include <inttypes.h>

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

/* ---- what is a layer's own ---- */

static void begin_own(export_writer *w, const export_step *s)
{
    export_print(
        w, "\n/* layer %d, %s: (%d,%d,%d) -> (%d,%d,%d) */\nstatic void layer_%d(run *r)\n{\n",
        s->layer, vision_kind_name(s->l->kind), s->in.channels, s->in.height, s->in.width,
        s->out.channels, s->out.height, s->out.width, s->layer);
}

static const char to_front[] = "    const uint8_t *x = r->y;\n"
                               "    uint8_t *y = r->y = r->buffer; /* which may be x */\n";

static void put_mean(export_writer *w, const export_step *s, const export_quantum *u)
{
    begin_own(w, s);
    export_put(w, to_front);
    export_print(w,
                 "    int c, i;\n"
                 "    r->l++;\n"
                 "    for (c = 0; c < %d; c++) {\n"
                 "        int32_t sum = 0;\n"
                 "        for (i = 0; i < %d; i++)\n"
                 "            sum += *x++;\n"
                 "        *y++ = narrow(sum * %" PRId32 " + %" PRId32 ", %d);\n    }\n}\n",
                 s->in.channels, s->in.height * s->in.width, u->multiplier[0], u->bias[0],
                 u->shift[0]);
}

static void put_residual(export_writer *w, const export_step *s, const export_quantum *u)
{
    begin_own(w, s);
    export_print(w,
                 "    const uint8_t *given = r->buffer + %zu;\n"
                 "    uint8_t *y = r->y;\n"
                 "    int32_t i;\n"
                 "    r->l++;\n"
                 "    for (i = 0; i < %zu; i++) {\n"
                 "        int32_t sum = y[i] * (int32_t)%" PRId32 " + given[i] * (int32_t)%" PRId32
                 " + %" PRId32 ";\n"
                 "        y[i] = narrow((sum >> %d) + %d, 0);\n    }\n}\n",
                 s->scratch, export_size(s->in), u->multiplier[0], u->multiplier[1], u->bias[0],
                 u->shift[0], u->zero);
}

static void put_pool(export_writer *w, const export_step *s)
{
    int H = s->in.height, W = s->in.width, k = s->l->kernel, stride = s->l->stride, n = k * k;
    bool max = s->l->kind == VISION_MAX_POOL2D;
    begin_own(w, s);
    export_put(w, to_front);
    export_print(
        w,
        "    int c, row, column, i, j;\n"
        "    r->l++;\n"
        "    for (c = 0; c < %d; c++)\n"
        "        for (row = 0; row < %d; row++)\n"
        "            for (column = 0; column < %d; column++) {\n"
        "                const uint8_t *window = x + ((int32_t)c * %d + row * %d) * %d + column * "
        "%d;\n"
        "                int32_t value = 0;\n"
        "                for (i = 0; i < %d; i++)\n"
        "                    for (j = 0; j < %d; j++)\n",
        s->out.channels, s->out.height, s->out.width, H, stride, W, stride, k, k);
    if (max)
        export_print(w,
                     "                        if (window[i * %d + j] > value)\n"
                     "                            value = window[i * %d + j];\n"
                     "                *y++ = (uint8_t)value;\n",
                     W, W);
    else
        export_print(w,
                     "                        value += window[i * %d + j];\n"
                     "                *y++ = (uint8_t)((value + %d) / %d);\n",
                     W, n / 2, n);
    export_put(w, "            }\n}\n");
}

static void put_batch_norm(export_writer *w, const export_step *s)
{
    begin_own(w, s);
    export_print(w,
                 "    const layer *l = ++r->l;\n"
                 "    uint8_t *y = r->y;\n"
                 "    int c, i;\n"
                 "    for (c = 0; c < %d; c++) {\n"
                 "        const int weight = *r->weights++, channel = *r->channels++;\n"
                 "        for (i = 0; i < %d; i++, y++)\n"
                 "            *y = narrow(scaled(weight * *y, channel, l->up), l->shift);\n"
                 "    }\n}\n",
                 s->in.channels, s->in.height * s->in.width);
}

static void put_activation(export_writer *w, const export_step *s, const export_quantum *u)
{
    begin_own(w, s);
    export_print(w,
                 "    uint8_t *y = r->y;\n"
                 "    int32_t i;\n"
                 "    r->l++;\n"
                 "    for (i = 0; i < %zu; i++)\n",
                 export_size(s->in));
    if (s->l->kind == VISION_RELU)
        export_print(w, "        y[i] = y[i] < %d ? %d : y[i];\n", u->low, u->low);
    else if (s->l->kind == VISION_RELU6)
        export_print(w, "        y[i] = y[i] < %d ? %d : y[i] > %d ? %d : y[i];\n", u->low, u->low,
                     u->high, u->high);
    else
        export_print(w, "        y[i] = table_%d[y[i]];\n", s->layer);
    export_put(w, "}\n");
}

/* Of products nothing: their numbers are in the tables. */
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
        put_batch_norm(w, s);
        return;
    default:
        put_activation(w, s, u);
        return;
    }
}

/* ---- run_layers ---- */

void export_int8_begin(export_writer *w, const export_int8 *q)
{
    export_put(w, "    run r;\n"
                  "    int32_t i;\n"
                  "    r.l = layers;\n"
                  "    r.buffer = r.y = buffer;\n");
    if (export_int8_has_weights(q))
        export_put(w, "    r.weights = weights;\n"
                      "    r.channels = channels;\n");
}

/* The last layer: a row after the other, which is short, and of a few classes. */
static void put_logits(export_writer *w, const export_step *s, const export_quantum *u)
{
    export_print(
        w,
        "    for (i = 0; i < ^_CLASSES; i++) { /* layer %d, %s */\n"
        "        const uint8_t *x = r.y, *const end = x + %d;\n"
        "        int32_t sum = 0;\n"
        "        do\n"
        "            sum += *r.weights++ * *x++;\n"
        "        while (x != end);\n"
        "        logits[i] = (sum * %" PRId32 " + r.channels[i] * ((int32_t)1 << %d)) >> %d;\n"
        "    }\n",
        s->layer, vision_kind_name(s->l->kind), u->each, u->multiplier[0], u->up, u->shift[0]);
}

void export_int8_call(export_writer *w, const export_int8 *q, int step)
{
    const export_step *s = &q->plan.step[step];
    const vision_layer *l = s->l;
    if (q->step[step].wide)
        put_logits(w, s, &q->step[step]);
    else if (l->kind == VISION_LINEAR)
        export_put(w, "    linear(&r);\n");
    else if (l->kind == VISION_CONV2D)
        export_put(w, "    convolution(&r);\n");
    else if (l->kind == VISION_DEPTHWISE2D)
        export_print(w, "    depthwise(&r, line_%d_%d);\n", l->kernel, l->stride);
    else
        export_print(w, "    layer_%d(&r);\n", s->layer);
}

void export_int8_end(export_writer *w, const export_int8 *q)
{
    const int count = q->plan.count;
    if (count == 0 || !q->step[count - 1].wide)
        export_print(w,
                     "    for (i = 0; i < ^_CLASSES; i++)\n"
                     "        logits[i] = (r.y[i] - %d) * (int32_t)%" PRId32 ";\n",
                     q->logit.zero, q->logit.multiplier[0]);
    export_put(w, "}\n");
}

void export_int8_calls(export_writer *w, const export_int8 *q)
{
    export_put(w, "\n");
    export_integers(w, "int32_t", "factor", q->image.multiplier, (size_t)q->image.rows);
    export_integers(w, "int32_t", "bias", q->image.bias, (size_t)q->image.rows);
    export_print(w,
                 "\nvoid @_run(const uint8_t *pixels, int32_t *logits, uint8_t *buffer)\n{\n"
                 "    uint8_t *to = buffer;\n"
                 "    int32_t c, i;\n"
                 "    for (c = 0; c < ^_CHANNELS; c++)\n"
                 "        for (i = 0; i < (int32_t)^_HEIGHT * ^_WIDTH; i++)\n"
                 "            *to++ = narrow(*pixels++ * factor[c] + bias[c], %d);\n"
                 "    run_layers(logits, buffer);\n"
                 "}\n",
                 q->image.shift[0]);
}
