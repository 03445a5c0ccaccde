/* SPDX-License-Identifier: MIT */
/* int8_run.c -- what an exported file computes in whole numbers, in plain loops: what the file is held to. */
#include "export/parts.h"

#include <stdlib.h>
#include <string.h>

enum { IMAGE_WEIGHT = 256 };

/* What the exported file's scaled() is; a division that rounds down stands for its shift. */
static int64_t scaled(const export_quantum *u, int row, int32_t sum)
{
    int64_t divisor = (int64_t)1 << u->shift[row];
    int64_t value = (int64_t)sum * u->multiplier[row] + divisor / 2;
    return value / divisor - (value % divisor < 0);
}

static int8_t narrow(const export_quantum *u, int row, int32_t sum)
{
    int64_t value = scaled(u, row, sum) + u->zero;
    return (int8_t)(value < u->low ? u->low : value > 127 ? 127 : value);
}

int8_t export_int8_offset(const export_quantum *u, int row, int32_t x)
{
    int64_t sum = (int64_t)x + u->bias[row];
    return narrow(u, row,
                  (int32_t)(sum > INT32_MAX    ? INT32_MAX
                            : sum < -INT32_MAX ? -INT32_MAX
                                               : sum));
}

static int32_t wide(const export_quantum *u, int row, int32_t sum)
{
    int64_t value = scaled(u, row, sum);
    return (int32_t)(value < -INT32_MAX ? -INT32_MAX : value > INT32_MAX ? INT32_MAX : value);
}

/* What lies at (c, row, column) of x; beyond its edges stands 0. */
static int at(const export_step *s, const export_quantum *u, const int8_t *x, int c, int row,
              int column)
{
    if (row < 0 || row >= s->in.height || column < 0 || column >= s->in.width)
        return u->from_zero;
    return x[(c * s->in.height + row) * s->in.width + column];
}

static int32_t convolve(const export_step *s, const export_quantum *u, const int8_t *x, int o,
                        int row, int column)
{
    const vision_layer *l = s->l;
    const bool depthwise = l->kind == VISION_DEPTHWISE2D;
    const int8_t *weight = u->weight + o * u->each;
    int32_t sum = u->bias[o];
    for (int c = depthwise ? o : 0; c < (depthwise ? o + 1 : l->in); c++)
        for (int i = 0; i < l->kernel; i++)
            for (int k = 0; k < l->kernel; k++)
                sum += *weight++ * at(s, u, x, c, row * l->stride - l->padding + i,
                                      column * l->stride - l->padding + k);
    return sum;
}

static int8_t pool(const export_step *s, const export_quantum *u, const int8_t *x, int c, int row,
                   int column)
{
    const vision_layer *l = s->l;
    int most = -128, sum = 0, n = l->kernel * l->kernel;
    for (int i = 0; i < l->kernel; i++)
        for (int k = 0; k < l->kernel; k++) {
            int value = at(s, u, x, c, row * l->stride + i, column * l->stride + k);
            most = value > most ? value : most;
            sum += value;
        }
    if (l->kind == VISION_MAX_POOL2D)
        return (int8_t)most;
    return (int8_t)((sum < 0 ? sum - n / 2 : sum + n / 2) / n);
}

static int8_t mean(const export_step *s, const export_quantum *u, const int8_t *x, int c)
{
    int size = s->in.height * s->in.width;
    int32_t sum = u->bias[0];
    for (int i = 0; i < size; i++)
        sum += x[c * size + i];
    return narrow(u, 0, sum);
}

/* The divisor is a shift's, and the division rounds down. */
static int8_t add(const export_quantum *u, int x, int y)
{
    int32_t divisor = (int32_t)1 << u->shift[0];
    int32_t sum = x * u->multiplier[0] + y * u->multiplier[1] + u->bias[0];
    int value = sum / divisor - (sum % divisor < 0) + u->zero;
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

/* Element (c, row, column) of a step's result. given: what a sum adds. */
static int8_t element(const export_step *s, const export_quantum *u, const int8_t *x,
                      const int8_t *given, int c, int row, int column, size_t place)
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
        return narrow(u, c, u->bias[c] + u->weight[c] * x[place]);
    case VISION_GELU:
    case VISION_HARD_SWISH:
        return u->table[x[place] + 128];
    case VISION_RELU:
    case VISION_RELU6:
        return (int8_t)(x[place] < u->low ? u->low : x[place] > u->high ? u->high : x[place]);
    default:
        return pool(s, u, x, c, row, column);
    }
}

static int32_t multiply(const export_quantum *u, const int8_t *x, int o)
{
    int32_t sum = u->bias[o];
    for (int i = 0; i < u->each; i++)
        sum += u->weight[o * u->each + i] * x[i];
    return sum;
}

static void run_step(const export_step *s, const export_quantum *u, const int8_t *x,
                     const int8_t *given, int8_t *y)
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
static void keep(const export_int8 *q, const export_step *s, const int8_t *x, vision_shape shape)
{
    if (s->keeps)
        memcpy(q->buffer[2] + s->keep, x, export_size(shape));
}

void export_int8_run(export_int8 *q, const void *image, int32_t *logits)
{
    const unsigned char *pixels = image;
    int8_t *x = q->buffer[0], *y = q->buffer[1], *other;
    size_t size = export_size(q->model.input), plane = size / (size_t)q->model.input.channels;
    if (q->model.columns)
        export_int8_inputs(q, image, x);
    for (size_t i = 0; i < size && !q->model.columns; i++) {
        int c = (int)(i / plane);
        x[i] = narrow(&q->image, c, IMAGE_WEIGHT * pixels[i] + q->image.bias[c]);
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
            logits[i] = wide(&q->logit, 0, x[i] - q->logit.zero);
}
