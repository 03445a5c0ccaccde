/* init.c -- first values of parameters.
 *
 * An element's value is a pure function of (seed, stream, its index), so the elements can be made
 * by any number of threads in any order, and a parameter starts with the same bits whatever else
 * the model has. */
#include "nn/params.h"

#include "tensor/context.h"
#include <math.h>

enum { CHUNK = 4096 };

typedef struct filling {
    tensor *t;
    double width; /* deviation or bound */
    uint64_t seed, stream;
    float (*value)(const struct filling *f, uint64_t index);
} filling;

static void fill_chunk(void *argument, int i, int worker)
{
    const filling *f = argument;
    (void)worker;
    size_t start = (size_t)i * CHUNK, size = tensor_size(f->t);
    size_t end = size - start < CHUNK ? size : start + CHUNK;
    for (size_t at = start; at < end; at++)
        f->t->val[at] = f->value(f, at);
}

static void fill(filling *f)
{
    tensor_parallel(f->t->ctx, (int)((tensor_size(f->t) + CHUNK - 1) / CHUNK), fill_chunk, f);
}

static float normal(const filling *f, uint64_t index)
{
    base_random r = {f->seed, f->stream, index * 2};
    return (float)(f->width * base_random_normal(&r));
}

/* 24 of the word's bits: with more, a number just below the bound would be rounded to it. */
static float uniform(const filling *f, uint64_t index)
{
    uint32_t word = base_random_word(f->seed, f->stream, index * 2);
    return (float)(f->width * ((word >> 8) * 0x1p-23 - 1));
}

void nn_init_normal(tensor *t, double deviation, uint64_t seed, uint64_t stream)
{
    fill(&(filling){t, deviation, seed, stream, normal});
}

void nn_init_uniform(tensor *t, double bound, uint64_t seed, uint64_t stream)
{
    fill(&(filling){t, bound, seed, stream, uniform});
}

void nn_init_constant(tensor *t, float value)
{
    size_t size = tensor_size(t);
    for (size_t i = 0; i < size; i++)
        t->val[i] = value;
}

/* torch calls kaiming_uniform_ with a = sqrt(5): sqrt(6 / ((1 + a^2) fan_in)) = 1 / sqrt(fan_in).
 */
void nn_init_kaiming_uniform(tensor *t, int fan_in, uint64_t seed, uint64_t stream)
{
    nn_init_uniform(t, 1 / sqrt((double)fan_in), seed, stream);
}
