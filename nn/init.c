/* SPDX-License-Identifier: MIT */
/* init.c -- first values of parameters.
 *
 * An element's value is a pure function of (seed, stream, its index), so the elements can be made
 * by any number of threads in any order, and a parameter starts with the same bits whatever else
 * the model has. */
#include "nn/params.h"

#include "base/math.h"
#include "tensor/context.h"
#include <math.h>

enum { CHUNK = 4096 };

typedef struct filling {
    tensor *t;
    double width; /* deviation or bound */
    uint64_t seed, stream;
    const tensor_kernels *kernels;
    void (*four)(const struct filling *f, const uint32_t words[4], float out[4]);
} filling;

/* Four numbers of the stream make four values. */
static void fill_chunk(void *argument, int i, int worker)
{
    const filling *f = argument;
    (void)worker;
    size_t start = (size_t)i * CHUNK, size = tensor_size(f->t);
    size_t end = size - start < CHUNK ? size : start + CHUNK;
    for (size_t at = start; at < end; at += 4) {
        uint32_t words[4];
        float out[4];
        base_random_block(f->seed, f->stream, (uint64_t)at / 4, words);
        f->four(f, words, out);
        for (size_t j = 0; j < 4 && at + j < end; j++)
            f->t->val[at + j] = out[j];
    }
}

static void fill(filling *f)
{
    tensor_parallel(f->t->ctx, (int)((tensor_size(f->t) + CHUNK - 1) / CHUNK), fill_chunk, f);
}

/* 24 of a word's bits, as many as a float holds. */
static double bits(uint32_t word) { return (double)(word >> 8); }

/* Box and Muller 1958: two uniform numbers make two normal ones, r cos and r sin of an angle. The
 * half keeps the logarithm's argument above 0; the largest value there can be is 5.9. */
static void normals(const filling *f, const uint32_t words[4], float out[4])
{
    for (int i = 0; i < 4; i += 2) {
        float u = (float)((bits(words[i]) + 0.5) * 0x1p-24);
        double turns = bits(words[i + 1]) * 0x1p-24;
        double r = f->width * (double)sqrtf(-2 * f->kernels->ln(u));
        out[i] = (float)(r * base_cos_turns(turns));
        out[i + 1] = (float)(r * base_cos_turns(turns < 0.25 ? turns + 0.75 : turns - 0.25));
    }
}

/* With more bits, a number just below the bound would be rounded to it. */
static void uniforms(const filling *f, const uint32_t words[4], float out[4])
{
    for (int i = 0; i < 4; i++)
        out[i] = (float)(f->width * (bits(words[i]) * 0x1p-23 - 1));
}

/* Mean 0; four values of a block are two pairs of Box and Muller's. */
void nn_init_normal(tensor *t, double deviation, uint64_t seed, uint64_t stream)
{
    fill(&(filling){t, deviation, seed, stream, tensor_context_kernels(t->ctx), normals});
}

void nn_init_constant(tensor *t, float value)
{
    size_t size = tensor_planning(t->ctx) ? 0 : tensor_size(t);
    for (size_t i = 0; i < size; i++)
        t->val[i] = value;
}

/* torch calls kaiming_uniform_ with a = sqrt(5): sqrt(6 / ((1 + a^2) fan_in)) = 1/sqrt(fan_in). */
void nn_init_kaiming_uniform(tensor *t, int fan_in, uint64_t seed, uint64_t stream)
{
    double bound = 1 / sqrt((double)fan_in);
    fill(&(filling){t, bound, seed, stream, NULL, uniforms});
}
