/* SPDX-License-Identifier: MIT */
/* cache.c -- the decoder one position at a time, with the keys and values of all positions kept.
 *
 * A causal decoder's keys and values at a position depend on nothing after it, so they are computed
 * once and stay (Shazeer 2019, arXiv:1911.02150, section 2.4): a new token costs one row of every
 * product, and attention over the positions so far. The keys and values of cross-attention depend
 * on the source alone. They are computed once, and all samples share them: to cross-attention they
 * are rows of one query span. Weights are packed once for all positions, or for all calls.
 *
 * Row for row the arithmetic is that of t5_forward in the same order, so the logits have the same
 * bits (tests/t5/test_generate.c compares them).
 *
 * Shapes as in forward.c, with n rows, one for each slot that takes part in a step; and S tokens of
 * the one source. */
#include "t5/model.h"

#include "base/memory.h"
#include "tensor/context.h"
#include <assert.h>

/* Where packed weights go, one behind the other. memory NULL: they are only counted, and left as they are. */
typedef struct packing {
    char *memory;
    size_t bytes;
} packing;

static tensor *pack(packing *p, tensor *weight)
{
    char *place = p->memory ? p->memory + p->bytes : NULL;
    p->bytes += tensor_packed_bytes(weight);
    return place ? tensor_packed_at(place, weight) : weight;
}

/* Those of cross-attention's keys and values are used once for a source, and stay as they are. */
static t5_block pack_block(packing *p, const t5_block *b)
{
    t5_block packed = *b;
    packed.self.q = pack(p, b->self.q);
    packed.self.k = pack(p, b->self.k);
    packed.self.v = pack(p, b->self.v);
    packed.self.o = pack(p, b->self.o);
    packed.cross.q = pack(p, b->cross.q);
    packed.cross.o = pack(p, b->cross.o);
    packed.forward.wi = pack(p, b->forward.wi);
    packed.forward.wo = pack(p, b->forward.wo);
    if (b->forward.wi_gate)
        packed.forward.wi_gate = pack(p, b->forward.wi_gate);
    return packed;
}

/* The decoder's blocks and head, in `into`, with the weights that a packing makes of them. */
static void pack_decoder(packing *p, const t5_model *model, t5_packed *into)
{
    into->head = pack(p, model->head);
    for (int i = 0; i < model->decoder.layers; i++)
        into->block[i] = pack_block(p, &model->decoder.block[i]);
}

static size_t blocks_bytes(const t5_model *model)
{
    return (size_t)model->decoder.layers * sizeof(t5_block);
}

t5_packed *t5_packed_new(t5_model *model, base_error *error)
{
    packing p = {NULL, 0};
    t5_packed *packed = base_calloc(1, sizeof *packed);
    if (packed) {
        packed->block = base_malloc(blocks_bytes(model));
        if (packed->block)
            pack_decoder(&p, model, packed);
        packed->bytes = p.bytes + TENSOR_ALIGNMENT;
        packed->memory = packed->block ? base_malloc(packed->bytes) : NULL;
    }
    if (!packed || !packed->memory) {
        base_fail(error, "no memory for a copy of the decoder's weights");
        t5_packed_free(packed);
        return NULL;
    }
    p = (packing){tensor_align(packed->memory), 0};
    pack_decoder(&p, model, packed);
    return packed;
}

size_t t5_packed_bytes(const t5_packed *packed) { return packed->bytes; }

void t5_packed_free(t5_packed *packed)
{
    if (!packed)
        return;
    base_free(packed->memory);
    base_free(packed->block);
    base_free(packed);
}

/* The same in the step arena; frugal: the weights as they are. */
static t5_packed *packed_for_now(t5_model *model, bool frugal)
{
    tensor_context *ctx = model->ctx;
    packing p = {NULL, 0};
    t5_packed *packed = tensor_step_memory(ctx, sizeof *packed);
    *packed = (t5_packed){.block = model->decoder.block, .head = model->head};
    if (frugal)
        return packed;
    packed->block = tensor_step_memory(ctx, blocks_bytes(model));
    pack_decoder(&p, model, packed);
    p = (packing){tensor_step_memory(ctx, p.bytes), 0};
    pack_decoder(&p, model, packed);
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
    const t5_packed *weights =
        request->packed ? request->packed : packed_for_now(model, request->frugal);
    cache->head = weights->head;
    tensor *bias = t5_position_bias(model, stack, most);
    tensor *encoder = t5_encode(model, request->source, source_count, &cache->source, 1, NULL);
    for (int i = 0; i < stack->layers; i++) {
        const t5_block *block = &stack->block[i];
        cache->layer[i] = (t5_cache_layer){
            .block = &weights->block[i],
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
    const t5_attention *a = &layer->block->self;
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
    const t5_attention *a = &layer->block->cross;
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
        x = t5_feed_forward_apply(model, &layer->block->forward, x, NULL);
    }
    return tensor_linear(t5_before_head(model, x, NULL), cache->head, NULL);
}

void t5_cache_copy(t5_cache *cache, int to, int from, int positions)
{
    for (int i = 0; i < cache->model->decoder.layers; i++)
        tensor_kv_copy(cache->layer[i].self, to, from, positions);
}
