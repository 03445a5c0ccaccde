/* SPDX-License-Identifier: MIT */
/* cache.c -- the decoder one position at a time, with the keys and values of all positions kept.
 *
 * A causal decoder's keys and values at a position depend on nothing after it, so they are computed
 * once and stay (Shazeer 2019, arXiv:1911.02150, section 2.4): a new token costs one row of every
 * product, and attention over the positions so far. The keys and values of cross-attention depend
 * on the source alone. They are computed once, and all samples share them: to cross-attention they
 * are rows of one query span. Weights are packed once for all positions.
 *
 * Row for row the arithmetic is that of t5_forward in the same order, so the logits have the same
 * bits (tests/t5/test_generate.c compares them).
 *
 * Shapes as in forward.c, with n rows, one for each slot that takes part in a step; and S tokens of
 * the one source. */
#include "t5/model.h"

#include "tensor/context.h"
#include <assert.h>

/* The decoder's weights as products of few rows read them, or as they are. Those of cross-attention's keys
 * and values are used once, and stay as they are. */
static t5_block block_of(const t5_block *b, bool frugal)
{
    t5_block packed = *b;
    if (frugal)
        return packed;
    packed.self.q = tensor_packed(b->self.q);
    packed.self.k = tensor_packed(b->self.k);
    packed.self.v = tensor_packed(b->self.v);
    packed.self.o = tensor_packed(b->self.o);
    packed.cross.q = tensor_packed(b->cross.q);
    packed.cross.o = tensor_packed(b->cross.o);
    packed.forward.wi = tensor_packed(b->forward.wi);
    packed.forward.wo = tensor_packed(b->forward.wo);
    if (b->forward.wi_gate)
        packed.forward.wi_gate = tensor_packed(b->forward.wi_gate);
    return packed;
}

t5_cache *t5_cache_new(t5_model *model, const t5_request *request, int slots)
{
    int most = request->most, source_count = request->source_count;
    tensor_context *ctx = model->ctx;
    const t5_config *c = &model->config;
    const t5_stack *stack = &model->decoder;
    t5_cache *cache = tensor_step_memory(ctx, sizeof *cache);
    *cache = (t5_cache){.model = model, .slots = slots, .most = most};
    cache->source = (tensor_span){.rows = source_count, .valid = source_count};
    cache->layer = tensor_step_memory(ctx, (size_t)stack->layers * sizeof *cache->layer);
    cache->head = request->frugal ? model->head : tensor_packed(model->head);
    tensor *bias = t5_position_bias(model, stack, most);
    tensor *encoder = t5_encode(model, request->source, source_count, &cache->source, 1, NULL);
    for (int i = 0; i < stack->layers; i++) {
        const t5_block *block = &stack->block[i];
        cache->layer[i] = (t5_cache_layer){
            .block = block_of(block, request->frugal),
            .self = tensor_kv_cache_new(ctx, slots, most, c->num_heads, c->d_kv, bias),
            .cross_k = tensor_linear(encoder, block->cross.k, NULL),
            .cross_v = tensor_linear(encoder, block->cross.v, NULL)};
    }
    return cache;
}

/* x (n,D) -> (n,D): adds the rows' keys and values to the cache at `position`, and attends to all
 * positions up to it. */
static tensor *self_attention(const t5_cache *cache, const t5_cache_layer *layer, tensor *x,
                              const int *slot, int count, int position)
{
    const t5_attention *a = &layer->block.self;
    tensor *n = t5_norm(cache->model, x, a->norm);
    tensor *q = tensor_linear(n, a->q, NULL);
    tensor *k = tensor_linear(n, a->k, NULL);
    tensor *v = tensor_linear(n, a->v, NULL);
    tensor *y = tensor_kv_attention(layer->self, q, k, v, slot, count, position);
    return t5_attention_end(cache->model, a, x, y, NULL);
}

/* x (n,D) -> (n,D): one query span of n rows over the S rows of the source. */
static tensor *cross_attention(const t5_cache *cache, const t5_cache_layer *layer, tensor *x,
                               int count)
{
    const t5_attention *a = &layer->block.cross;
    const tensor_span query = {.rows = count, .valid = count};
    tensor *q = tensor_linear(t5_norm(cache->model, x, a->norm), a->q, NULL);
    int heads = cache->model->config.num_heads;
    tensor_attention_task task = {&query, &cache->source, 1, heads, false, 1};
    tensor *y = tensor_attention(q, layer->cross_k, layer->cross_v, NULL, &task);
    return t5_attention_end(cache->model, a, x, y, NULL);
}

/* ids (n) -> logits (n,V) */
tensor *t5_cache_step(t5_cache *cache, const int *slot, const int *ids, int count, int position)
{
    t5_model *model = cache->model;
    assert(count >= 1 && count <= cache->slots && position >= 0 && position < cache->most);
    tensor *x = tensor_embedding(model->shared, ids, count);
    for (int i = 0; i < model->decoder.layers; i++) {
        const t5_cache_layer *layer = &cache->layer[i];
        x = self_attention(cache, layer, x, slot, count, position);
        x = cross_attention(cache, layer, x, count);
        x = t5_feed_forward_apply(model, &layer->block.forward, x, NULL);
    }
    return tensor_linear(t5_before_head(model, x, NULL), cache->head, NULL);
}

void t5_cache_copy(t5_cache *cache, int to, int from, int positions)
{
    for (int i = 0; i < cache->model->decoder.layers; i++)
        tensor_kv_copy(cache->layer[i].self, to, from, positions);
}
