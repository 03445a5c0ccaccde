/* SPDX-License-Identifier: MIT */
/* model.c -- a T5's parameters: their names, their shapes and their initial values.
 *
 * A parameter's name is that of Hugging Face's T5ForConditionalGeneration, so that a file of either
 * side loads on the other: stack, block, sublayer, module, as in
 *
 *     shared.weight                                                            (V,D)
 *     encoder.block.0.layer.0.SelfAttention.q.weight                           (I,D)
 *     encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight     (buckets,H)
 *     decoder.block.5.layer.1.EncDecAttention.o.weight                         (D,I)
 *     decoder.block.5.layer.2.DenseReluDense.wi_0.weight                       (F,D)
 *     decoder.final_layer_norm.weight                                          (D)
 *
 * They are declared in the order in which HF lists them. A name also says how its tensor is
 * initialised (deviation), and names its stream of random numbers. */
#include "t5/model.h"

#include "base/memory.h"
#include "base/number.h"
#include "tensor/context.h"
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Declaring ---- */

typedef struct declarer {
    nn_params *params;
    bool failed; /* no memory */
} declarer;

/* A parameter (rows,columns), or (rows) where rank is 1. NULL: no memory, now or before. */
static tensor *declare(declarer *d, int rank, int rows, int columns, const char *format, ...)
    BASE_PRINTF(5, 6);

static tensor *declare(declarer *d, int rank, int rows, int columns, const char *format, ...)
{
    char name[128];
    int dim[2] = {rows, columns};
    va_list arguments;
    va_start(arguments, format);
    int length = base_print_list(name, sizeof name, format, arguments);
    va_end(arguments);
    assert(length > 0 && (size_t)length < sizeof name);
    (void)length;
    tensor *t = d->failed ? NULL : nn_param(d->params, name, rank, dim);
    if (!t)
        d->failed = true;
    return t;
}

/* prefix: "encoder.block.0.layer.0"; kind: "SelfAttention". */
static void declare_attention(declarer *d, t5_attention *a, const t5_config *c, const char *prefix,
                              const char *kind)
{
    int inner = c->num_heads * c->d_kv;
    a->q = declare(d, 2, inner, c->d_model, "%s.%s.q.weight", prefix, kind);
    a->k = declare(d, 2, inner, c->d_model, "%s.%s.k.weight", prefix, kind);
    a->v = declare(d, 2, inner, c->d_model, "%s.%s.v.weight", prefix, kind);
    a->o = declare(d, 2, c->d_model, inner, "%s.%s.o.weight", prefix, kind);
}

static tensor *declare_norm(declarer *d, const t5_config *c, const char *prefix)
{
    return declare(d, 1, c->d_model, 0, "%s.layer_norm.weight", prefix);
}

static void declare_feed_forward(declarer *d, t5_feed_forward_layer *f, const t5_config *c,
                                 const char *prefix)
{
    if (c->feed_forward_proj == T5_GATED_GELU) {
        f->wi = declare(d, 2, c->d_ff, c->d_model, "%s.DenseReluDense.wi_0.weight", prefix);
        f->wi_gate = declare(d, 2, c->d_ff, c->d_model, "%s.DenseReluDense.wi_1.weight", prefix);
    } else {
        f->wi = declare(d, 2, c->d_ff, c->d_model, "%s.DenseReluDense.wi.weight", prefix);
    }
    f->wo = declare(d, 2, c->d_model, c->d_ff, "%s.DenseReluDense.wo.weight", prefix);
    f->norm = declare_norm(d, c, prefix);
}

/* A block's sublayers are numbered: attention 0, in the decoder cross-attention 1, and the
 * feed-forward last. */
static void declare_block(declarer *d, t5_stack *stack, int i, const t5_config *c)
{
    char prefix[64];
    t5_block *block = &stack->block[i];
    const char *name = stack->decoder ? "decoder" : "encoder";
    int sublayer = 0;

    snprintf(prefix, sizeof prefix, "%s.block.%d.layer.%d", name, i, sublayer++);
    declare_attention(d, &block->self, c, prefix, "SelfAttention");
    if (i == 0)
        stack->bias = declare(d, 2, c->relative_attention_num_buckets, c->num_heads,
                              "%s.SelfAttention.relative_attention_bias.weight", prefix);
    block->self.norm = declare_norm(d, c, prefix);

    if (stack->decoder) {
        snprintf(prefix, sizeof prefix, "%s.block.%d.layer.%d", name, i, sublayer++);
        declare_attention(d, &block->cross, c, prefix, "EncDecAttention");
        block->cross.norm = declare_norm(d, c, prefix);
    }
    snprintf(prefix, sizeof prefix, "%s.block.%d.layer.%d", name, i, sublayer);
    declare_feed_forward(d, &block->forward, c, prefix);
}

/* The blocks of a stack, then its final norm. */
static void declare_stack(declarer *d, t5_stack *stack, const t5_config *c)
{
    stack->block = base_calloc((size_t)stack->layers, sizeof *stack->block);
    if (!stack->block) {
        d->failed = true;
        return;
    }
    for (int i = 0; i < stack->layers; i++)
        declare_block(d, stack, i, c);
    stack->norm = declare(d, 1, c->d_model, 0, "%s.final_layer_norm.weight",
                          stack->decoder ? "decoder" : "encoder");
}

/* A tied head is the embedding itself: one tensor, whose gradient gets what both uses
 * contribute. */
static void declare_model(t5_model *model, declarer *d)
{
    const t5_config *c = &model->config;
    model->shared = declare(d, 2, c->vocab_size, c->d_model, "shared.weight");
    declare_stack(d, &model->encoder, c);
    declare_stack(d, &model->decoder, c);
    model->head = c->tie_word_embeddings
                      ? model->shared
                      : declare(d, 2, c->vocab_size, c->d_model, "lm_head.weight");
}

/* ---- The model ---- */

t5_model *t5_model_declare(tensor_context *ctx, const t5_config *config, base_error *error)
{
    if (!t5_config_check(config, error))
        return NULL;
    t5_model *model = base_calloc(1, sizeof *model);
    if (model) {
        model->ctx = ctx;
        model->config = *config;
        model->encoder.layers = config->num_layers;
        model->decoder.layers = config->num_decoder_layers;
        model->decoder.decoder = true;
        model->params = nn_params_new(ctx);
    }
    declarer d = {.params = model ? model->params : NULL};
    d.failed = !d.params;
    if (!d.failed)
        declare_model(model, &d);
    if (d.failed) {
        base_fail(error, "no memory for a model");
        t5_model_free(model);
        return NULL;
    }
    assert((int64_t)nn_params_size(model->params) == t5_config_parameters(config));
    return model;
}

t5_model *t5_model_new(tensor_context *ctx, const t5_config *config, bool gradients,
                       base_error *error)
{
    t5_model *model = t5_model_declare(ctx, config, error);
    if (!model || nn_params_allocate(model->params, gradients, error))
        return model;
    t5_model_free(model);
    return NULL;
}

void t5_model_free(t5_model *model)
{
    if (!model)
        return;
    nn_params_free(model->params);
    nn_safetensors_free(model->file);
    base_free(model->encoder.block);
    base_free(model->decoder.block);
    base_free(model);
}

const t5_config *t5_model_config(const t5_model *model) { return &model->config; }

void t5_set_dropout(t5_model *model, double rate) { model->config.dropout_rate = rate; }

nn_params *t5_model_params(t5_model *model) { return model->params; }

void t5_keep_hidden(t5_model *model, tensor **encoder, tensor **decoder)
{
    model->encoder.hidden = encoder;
    model->decoder.hidden = decoder;
}

/* ---- Initial weights ---- */

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

/* The standard deviation that T5PreTrainedModel._init_weights gives a matrix, before
 * initializer_factor. A matrix that sums n inputs of variance 1 gets 1 / sqrt(n), so that its
 * results have variance 1 as well. Queries are smaller by sqrt(d_kv): q . k sums d_kv products, and
 * this takes the place of the scale 1 / sqrt(d_kv) that T5's attention leaves out (Raffel et al.
 * 2020, after Shazeer's Mesh TensorFlow). */
static double deviation(const t5_config *c, const char *name)
{
    double D = c->d_model, K = c->d_kv, H = c->num_heads, F = c->d_ff;
    if (strcmp(name, "shared.weight") == 0 || strcmp(name, "lm_head.weight") == 0)
        return 1;
    if (ends_with(name, ".q.weight"))
        return 1 / sqrt(D * K);
    if (ends_with(name, ".o.weight"))
        return 1 / sqrt(H * K);
    if (ends_with(name, ".wo.weight"))
        return 1 / sqrt(F);
    return 1 / sqrt(D); /* k, v, relative_attention_bias, wi, wi_0, wi_1 */
}

/* Norms start as the identity (times the factor), everything else as normal numbers. */
void t5_model_init(t5_model *model, uint64_t seed)
{
    const t5_config *c = &model->config;
    for (int i = 0; i < nn_params_count(model->params); i++) {
        const char *name = nn_params_name(model->params, i);
        tensor *t = nn_params_tensor(model->params, i);
        if (ends_with(name, "layer_norm.weight"))
            nn_init_constant(t, (float)c->initializer_factor);
        else
            nn_init_normal(t, c->initializer_factor * deviation(c, name), seed,
                           base_random_stream(name, 0, 0, 0));
    }
}

/* ---- First weights that compare ----
 *
 * A refined source is its source with an edit. To write it, a decoder has to find for each token the one of the
 * source that stands where it does, and to know whether they differ. Below, both are so from the beginning: a token
 * is told apart from others of its kind by what stands near it, which both stacks add up in the same way; a decoder's
 * token then finds its equal in the source, which is taken away; and what remains is large where there is none. */

/* The first half of the heads looks at tokens behind, in pairs one, two, ... behind; of an encoder the next quarter at
 * one, two, ... ahead. */
static void look_nearby(const t5_config *c, t5_stack *stack)
{
    enum { NEARBY = 4 }; /* e^4 to 1 against each other position */
    int H = c->num_heads;
    for (int h = 0; h < H / 2 + (stack->decoder ? 0 : H / 4); h++) {
        int position = h < H / 2 ? -(h / 2 + 1) : h - H / 2 + 1;
        int bucket =
            t5_relative_bucket(position, !stack->decoder, c->relative_attention_num_buckets,
                               c->relative_attention_max_distance);
        stack->bias->val[bucket * H + h] += NEARBY;
    }
}

/* q = k / sqrt(K): of equal vectors, query times key is near sqrt(K), of others 0 +- 1. */
static void find_equals(const t5_config *c, t5_attention *a)
{
    float scale = (float)(1 / sqrt((double)c->d_kv));
    for (size_t i = 0; i < tensor_size(a->q); i++)
        a->q->val[i] = scale * a->k->val[i];
}

/* o = -v^T: what is found is taken away, since v^T v is the identity in the mean. */
static void take_away(t5_attention *a)
{
    size_t I = (size_t)a->v->dim[0], D = (size_t)a->v->dim[1];
    for (size_t d = 0; d < D; d++)
        for (size_t i = 0; i < I; i++)
            a->o->val[d * I + i] = -a->v->val[i * D + d];
}

void t5_model_init_comparing(t5_model *model, uint64_t seed)
{
    t5_stack *encoder = &model->encoder, *decoder = &model->decoder;
    t5_model_init(model, seed);
    if (tensor_planning(model->ctx))
        return;
    look_nearby(&model->config, encoder);
    look_nearby(&model->config, decoder);
    for (int i = 0; i < encoder->layers; i++)
        take_away(&encoder->block[i].self);
    for (int i = 0; i < decoder->layers; i++) {
        t5_block *block = &decoder->block[i];
        if (i < encoder->layers) {
            const tensor *v = encoder->block[i].self.v;
            memcpy(block->self.v->val, v->val, tensor_size(v) * sizeof *v->val);
        }
        take_away(&block->self);
        find_equals(&model->config, &block->cross);
        take_away(&block->cross);
    }
}
