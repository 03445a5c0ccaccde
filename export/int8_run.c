/* SPDX-License-Identifier: MIT */
/* int8_run.c -- what an exported file computes in whole numbers, in plain loops: what the file is held to. */
#include "export/parts.h"

#include <stdlib.h>
#include <string.h>

/* value / 2^shift; a division that rounds down stands for the exported file's shift. */
static int64_t shifted(int64_t value, int shift)
{
    int64_t divisor = (int64_t)1 << shift;
    return value / divisor - (value % divisor < 0);
}

static uint8_t clamp(int64_t value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

/* A sum's result in 8 bits, and in 32. Both are made so that no value is beyond 32 bits. */
static int32_t wide(const export_quantum *u, int row, int32_t sum)
{
    return (int32_t)shifted(sum * u->multiplier[row] + u->bias[row], u->shift[row]);
}

static uint8_t narrow(const export_quantum *u, int row, int32_t sum)
{
    return clamp(wide(u, row, sum));
}

uint8_t export_int8_offset(const export_quantum *u, int row, int32_t x)
{
    int64_t sum = (int64_t)x + u->bias[row];
    sum = sum > INT32_MAX ? INT32_MAX : sum < -INT32_MAX ? -INT32_MAX : sum;
    sum = sum * u->multiplier[row] + ((int64_t)1 << (u->shift[row] - 1));
    return clamp(shifted(sum, u->shift[row]) + u->zero);
}

/* What lies at (c, row, column) of x; beyond its edges stands 0. */
static int at(const export_step *s, const export_quantum *u, const uint8_t *x, int c, int row,
              int column)
{
    if (row < 0 || row >= s->in.height || column < 0 || column >= s->in.width)
        return u->from_zero;
    return x[(c * s->in.height + row) * s->in.width + column];
}

static int32_t convolve(const export_step *s, const export_quantum *u, const uint8_t *x, int o,
                        int row, int column)
{
    const vision_layer *l = s->l;
    const bool depthwise = l->kind == VISION_DEPTHWISE2D;
    const int8_t *weight = u->weight + o * u->each;
    int32_t sum = 0;
    for (int c = depthwise ? o : 0; c < (depthwise ? o + 1 : l->in); c++)
        for (int i = 0; i < l->kernel; i++)
            for (int k = 0; k < l->kernel; k++)
                sum += *weight++ * at(s, u, x, c, row * l->stride - l->padding + i,
                                      column * l->stride - l->padding + k);
    return sum;
}

static uint8_t pool(const export_step *s, const export_quantum *u, const uint8_t *x, int c, int row,
                    int column)
{
    const vision_layer *l = s->l;
    int most = 0, sum = 0, n = l->kernel * l->kernel;
    for (int i = 0; i < l->kernel; i++)
        for (int k = 0; k < l->kernel; k++) {
            int value = at(s, u, x, c, row * l->stride + i, column * l->stride + k);
            most = value > most ? value : most;
            sum += value;
        }
    if (l->kind == VISION_MAX_POOL2D)
        return (uint8_t)most;
    return (uint8_t)((sum + n / 2) / n);
}

static uint8_t mean(const export_step *s, const export_quantum *u, const uint8_t *x, int c)
{
    int size = s->in.height * s->in.width;
    int32_t sum = 0;
    for (int i = 0; i < size; i++)
        sum += x[c * size + i];
    return narrow(u, 0, sum);
}

static uint8_t add(const export_quantum *u, int x, int y)
{
    int32_t sum = x * u->multiplier[0] + y * u->multiplier[1] + u->bias[0];
    return clamp(shifted(sum, u->shift[0]) + u->zero);
}

/* Element (c, row, column) of a step's result. given: what a sum adds. */
static uint8_t element(const export_step *s, const export_quantum *u, const uint8_t *x,
                       const uint8_t *given, int c, int row, int column, size_t place)
{
    switch (s->l->kind) {
    case VISION_RESIDUAL:
        return add(u, x[place], given[place]);
    case VISION_GLOBAL_AVG_POOL2D:
        return mean(s, u, x, c);
    case VISION_CONV2D:
    case VISION_DEPTHWISE2D:
        return narrow(u, c, convolve(s, u, x, c, row, column));
    case VISION_BATCH_NORM2D:
        return narrow(u, c, u->weight[c] * x[place]);
    case VISION_GELU:
    case VISION_HARD_SWISH:
        return u->table[x[place]];
    case VISION_RELU:
    case VISION_RELU6:
        return (uint8_t)(x[place] < u->low ? u->low : x[place] > u->high ? u->high : x[place]);
    default:
        return pool(s, u, x, c, row, column);
    }
}

static int32_t multiply(const export_quantum *u, const uint8_t *x, int o)
{
    int32_t sum = 0;
    for (int i = 0; i < u->each; i++)
        sum += u->weight[o * u->each + i] * x[i];
    return sum;
}

static void run_step(const export_step *s, const export_quantum *u, const uint8_t *x,
                     const uint8_t *given, uint8_t *y)
{
    int height = s->out.height ? s->out.height : 1, width = s->out.width ? s->out.width : 1;
    size_t place = 0;
    if (s->l->kind == VISION_LINEAR) {
        for (int o = 0; o < u->rows; o++)
            y[o] = narrow(u, o, multiply(u, x, o));
        return;
    }
    for (int c = 0; c < s->out.channels; c++)
        for (int row = 0; row < height; row++)
            for (int column = 0; column < width; column++, place++)
                y[place] = element(s, u, x, given, c, row, column, place);
}

/* A copy of what a later sum asks for. */
static void keep(const export_int8 *q, const export_step *s, const uint8_t *x, vision_shape shape)
{
    if (s->keeps)
        memcpy(q->buffer[2] + s->keep, x, export_size(shape));
}

void export_int8_run(export_int8 *q, const void *image, int32_t *logits)
{
    const unsigned char *pixels = image;
    uint8_t *x = q->buffer[0], *y = q->buffer[1], *other;
    size_t size = export_size(q->model.input), plane = size / (size_t)q->model.input.channels;
    if (q->model.columns)
        export_int8_inputs(q, image, x);
    for (size_t i = 0; i < size && !q->model.columns; i++) {
        int c = (int)(i / plane);
        x[i] = narrow(&q->image, c, pixels[i]);
    }
    keep(q, &q->plan.image, x, q->model.input);
    for (int i = 0; i < q->plan.count; i++, other = x, x = y, y = other) {
        const export_step *s = &q->plan.step[i];
        const export_quantum *u = &q->step[i];
        if (u->wide)
            for (int o = 0; o < u->rows; o++)
                logits[o] = wide(u, o, multiply(u, x, o));
        else
            run_step(s, u, x, q->buffer[2] + s->scratch, y);
        keep(q, s, y, s->out);
    }
    if (q->plan.count == 0 || !q->step[q->plan.count - 1].wide)
        for (int i = 0; i < q->model.classes; i++)
            logits[i] = (x[i] - q->logit.zero) * q->logit.multiplier[0];
}
