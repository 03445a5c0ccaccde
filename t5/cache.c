/* cache.c -- the decoder one position at a time, with the keys and values of all positions kept.
 *
 * A causal decoder's keys and values at a position depend on nothing after it, so they are computed
 * once and stay (Shazeer 2019, arXiv:1911.02150, section 2.4). Cross-attention's depend on the
 * source alone: computed once, and shared by all samples of that source. Row for row the arithmetic
 * is that of t5_forward in the same order, so the logits have the same bits. */
#include "t5/model.h"

#include "tensor/context.h"
#include <assert.h>
#include <string.h>

static void new_layer(t5_cache *cache, int i, tensor *encoder)
{
    tensor_context *ctx = cache->model->ctx;
    const t5_config *c = &cache->model->config;
    const t5_attention *cross = &cache->model->decoder.block[i].cross;
    int dim[2] = {cache->slots * cache->most, c->num_heads * c->d_kv};
    cache->layer[i].self_k = tensor_new(ctx, 2, dim);
    cache->layer[i].self_v = tensor_new(ctx, 2, dim);
    cache->layer[i].cross_k = tensor_linear(encoder, cross->k, NULL);
    cache->layer[i].cross_v = tensor_linear(encoder, cross->v, NULL);
}

t5_cache *t5_cache_new(t5_model *model, const int *source_ids, int source_count, int slots,
                       int most)
{
    tensor_context *ctx = model->ctx;
    const t5_stack *stack = &model->decoder;
    t5_cache *cache = tensor_step_memory(ctx, sizeof *cache);
    size_t spans = (size_t)slots * sizeof *cache->query;
    *cache = (t5_cache){.model = model, .slots = slots, .most = most};
    cache->source = (tensor_span){.rows = source_count, .valid = source_count};
    cache->layer = tensor_step_memory(ctx, (size_t)stack->layers * sizeof *cache->layer);
    cache->query = tensor_step_memory(ctx, spans);
    cache->key = tensor_step_memory(ctx, spans);
    cache->cross = tensor_step_memory(ctx, spans);
    cache->bias = t5_position_bias(model, stack, most);
    tensor *encoder = t5_encode(model, source_ids, source_count, &cache->source, 1, NULL);
    for (int i = 0; i < stack->layers; i++)
        new_layer(cache, i, encoder);
    return cache;
}

/* Stores the rows of x, slot[i]'s in row i, as those slots' rows at `position`. */
static void store(const t5_cache *cache, tensor *kept, const tensor *x, const int *slot, int count,
                  int position)
{
    size_t width = (size_t)kept->dim[1];
    for (int i = 0; i < count; i++) {
        size_t row = (size_t)slot[i] * (size_t)cache->most + (size_t)position;
        memcpy(kept->val + row * width, x->val + (size_t)i * width, width * sizeof(float));
    }
}

static tensor *self_attention(t5_cache *cache, int layer, tensor *x, const int *slot, int count,
                              int position)
{
    const t5_model *model = cache->model;
    const t5_attention *a = &model->decoder.block[layer].self;
    t5_cache_layer *kept = &cache->layer[layer];
    tensor *n = t5_norm(model, x, a->norm);
    tensor *q = tensor_linear(n, a->q, NULL);
    store(cache, kept->self_k, tensor_linear(n, a->k, NULL), slot, count, position);
    store(cache, kept->self_v, tensor_linear(n, a->v, NULL), slot, count, position);
    tensor *y = tensor_attention(q, kept->self_k, kept->self_v, cache->bias, cache->query,
                                 cache->key, count, model->config.num_heads, true, 1);
    return t5_attention_end(model, a, x, y, NULL);
}

static tensor *cross_attention(t5_cache *cache, int layer, tensor *x, int count)
{
    const t5_model *model = cache->model;
    const t5_attention *a = &model->decoder.block[layer].cross;
    t5_cache_layer *kept = &cache->layer[layer];
    tensor *q = tensor_linear(t5_norm(model, x, a->norm), a->q, NULL);
    tensor *y = tensor_attention(q, kept->cross_k, kept->cross_v, NULL, cache->query, cache->cross,
                                 count, model->config.num_heads, false, 1);
    return t5_attention_end(model, a, x, y, NULL);
}

tensor *t5_cache_step(t5_cache *cache, const int *slot, const int *ids, int count, int position)
{
    t5_model *model = cache->model;
    assert(count >= 1 && count <= cache->slots && position >= 0 && position < cache->most);
    for (int i = 0; i < count; i++) {
        cache->query[i] = (tensor_span){.start = i, .rows = 1, .valid = 1, .position = position};
        cache->key[i] = (tensor_span){
            .start = slot[i] * cache->most, .rows = position + 1, .valid = position + 1};
        cache->cross[i] = cache->source;
    }
    tensor *x = tensor_embedding(model->shared, ids, count);
    for (int layer = 0; layer < model->decoder.layers; layer++) {
        x = self_attention(cache, layer, x, slot, count, position);
        x = cross_attention(cache, layer, x, count);
        x = t5_feed_forward_apply(model, &model->decoder.block[layer].forward, x, NULL);
    }
    return t5_head(model, x, NULL);
}

void t5_cache_copy(t5_cache *cache, int to, int from, int positions)
{
    for (int layer = 0; layer < cache->model->decoder.layers; layer++) {
        tensor *const both[2] = {cache->layer[layer].self_k, cache->layer[layer].self_v};
        for (int i = 0; i < 2; i++) {
            size_t width = (size_t)both[i]->dim[1], most = (size_t)cache->most;
            memcpy(both[i]->val + (size_t)to * most * width,
                   both[i]->val + (size_t)from * most * width,
                   (size_t)positions * width * sizeof(float));
        }
    }
}
