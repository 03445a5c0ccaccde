/* SPDX-License-Identifier: MIT */
/* kv_cache.c -- attention for one more position, over the keys and values of all positions before.
 *
 * With one query a head, a product has as many multiply-adds as it reads numbers, so it does not
 * pay to rearrange what it reads. Keys and values are therefore kept in panels (gemm.h) from the
 * start: a new key is a column of packed K^T, a new value a row of packed V. */
#include "tensor/context.h"
#include "tensor/gemm.h"

#include <string.h>

struct tensor_kv_cache {
    tensor_context *ctx;
    const tensor_kernels *kernels;
    int slots, positions, heads, width;
    size_t key_floats, value_floats; /* of one head of one slot */
    float *keys, *values;            /* (slots, heads) of them */
    const float *bias;               /* (heads, 2R-1), or NULL */
    int reach;                       /* R */
};

/* For each slot and head, K^T (width,positions) and V (positions,width), both packed. */
tensor_kv_cache *tensor_kv_cache_new(tensor_context *ctx, int slots, int positions, int heads,
                                     int width, const tensor *bias)
{
    const tensor_kernels *kernels = tensor_context_kernels(ctx);
    char text[64];
    if (slots < 1 || positions < 1 || heads < 1 || width < 1)
        tensor_fail(ctx, "kv_cache", "%d slots of %d positions, %d heads of %d", slots, positions,
                    heads, width);
    if (bias && (bias->rank != 2 || bias->dim[0] % 2 == 0 || bias->dim[1] != heads ||
                 (bias->dim[0] + 1) / 2 < positions))
        tensor_fail(ctx, "kv_cache", "bias %s; (2R-1,%d) with R at least %d was expected",
                    tensor_shape_text(bias, text), heads, positions);
    tensor_kv_cache *c = tensor_step_memory(ctx, sizeof *c);
    *c = (tensor_kv_cache){.ctx = ctx,
                           .kernels = kernels,
                           .slots = slots,
                           .positions = positions,
                           .heads = heads,
                           .width = width,
                           .key_floats = tensor_packed_floats(kernels, positions, width),
                           .value_floats = tensor_packed_floats(kernels, width, positions)};
    size_t all = (size_t)slots * (size_t)heads;
    c->keys = tensor_step_memory(ctx, all * c->key_floats * sizeof(float));
    c->values = tensor_step_memory(ctx, all * c->value_floats * sizeof(float));
    tensor_zero(ctx, c->keys, all * c->key_floats); /* whole panels are read */
    tensor_zero(ctx, c->values, all * c->value_floats);
    if (bias) {
        c->bias = tensor_attention_bias(bias);
        c->reach = (bias->dim[0] + 1) / 2;
    }
    return c;
}

/* Column `position` of packed K^T and row `position` of packed V. */
static void store(const tensor_kv_cache *c, float *keys, float *values, int position,
                  const float *k, const float *v)
{
    size_t wide = (size_t)c->kernels->tile_n, at = (size_t)position, width = (size_t)c->width;
    float *column = keys + at / wide * wide * width + at % wide;
    for (size_t i = 0; i < width; i++)
        column[i * wide] = k[i];
    for (size_t j = 0; j < width; j += wide) {
        size_t some = width - j < wide ? width - j : wide;
        memcpy(values + j * (size_t)c->positions + at * wide, v + j, some * sizeof *v);
    }
}

typedef struct kv_work {
    const tensor_kv_cache *cache;
    const int *slot;
    int position;
    const float *q, *k, *v;
    float *y;
} kv_work;

/* One head of one row. */
static void attend(void *argument, int index, int worker)
{
    const kv_work *w = argument;
    const tensor_kv_cache *c = w->cache;
    int i = index / c->heads, head = index % c->heads, seen = w->position + 1;
    size_t place = (size_t)w->slot[i] * (size_t)c->heads + (size_t)head;
    float *keys = c->keys + place * c->key_floats, *values = c->values + place * c->value_floats;
    float *score = tensor_scratch(c->ctx, worker, TENSOR_SCRATCH_OP);
    size_t at = (size_t)index * (size_t)c->width;
    store(c, keys, values, w->position, w->k + at, w->v + at);
    tensor_gemm_packed(c->kernels, 1, seen, c->width, (tensor_view){w->q + at, 0, 1},
                       (tensor_panels){keys, c->width, 0}, (tensor_target){score, 0, false});
    const float *bias = NULL;
    if (c->bias)
        bias = c->bias + (size_t)head * (2 * (size_t)c->reach - 1) + (c->reach - 1 - w->position);
    c->kernels->attention_row(score, 1, bias, (size_t)seen);
    tensor_gemm_packed(c->kernels, 1, c->width, seen, (tensor_view){score, 0, 1},
                       (tensor_panels){values, c->positions, 0},
                       (tensor_target){w->y + at, 0, false});
}

/* count rows of heads: count * heads units of work, each on its own keys. */
tensor *tensor_kv_attention(tensor_kv_cache *cache, tensor *q, const tensor *k, const tensor *v,
                            const int *slot, int count, int position)
{
    tensor_context *ctx = cache->ctx;
    char text[64];
    int row = cache->heads * cache->width;
    const tensor *in[] = {q, k, v};
    for (int i = 0; i < 3; i++)
        if (in[i]->rank != 2 || in[i]->dim[0] != count || in[i]->dim[1] != row)
            tensor_fail(ctx, "kv_attention", "an input is %s; (%d,%d) was expected",
                        tensor_shape_text(in[i], text), count, row);
    if (position < 0 || position >= cache->positions || tensor_grad_enabled(ctx))
        tensor_fail(ctx, "kv_attention", "position %d of %d; gradients must be off", position,
                    cache->positions);
    for (int i = 0; i < count; i++)
        if (slot[i] < 0 || slot[i] >= cache->slots)
            tensor_fail(ctx, "kv_attention", "slot %d of %d", slot[i], cache->slots);
    tensor *y = tensor_result(ctx, 2, q->dim, &q, 1);
    kv_work w = {cache, slot, position, q->val, k->val, v->val, y->val};
    tensor_scratch_all(ctx, TENSOR_SCRATCH_OP, (size_t)cache->positions * sizeof(float));
    tensor_parallel(ctx, count * cache->heads, attend, &w);
    return y;
}

/* Beams that part copy their past: of K^T whole panels, for its columns are the positions; of V the
 * rows so far of each panel. */
void tensor_kv_copy(tensor_kv_cache *c, int to, int from, int positions)
{
    size_t heads = (size_t)c->heads, wide = (size_t)c->kernels->tile_n, width = (size_t)c->width;
    size_t panels = ((size_t)positions + wide - 1) / wide, rows = (size_t)positions * wide;
    for (size_t h = 0; h < heads; h++) {
        size_t there = (size_t)to * heads + h, here = (size_t)from * heads + h;
        memcpy(c->keys + there * c->key_floats, c->keys + here * c->key_floats,
               panels * wide * width * sizeof(float));
        for (size_t j = 0; j < width; j += wide) {
            size_t panel = j * (size_t)c->positions;
            memcpy(c->values + there * c->value_floats + panel,
                   c->values + here * c->value_floats + panel, rows * sizeof(float));
        }
    }
}
