/* SPDX-License-Identifier: MIT */
/* model.h -- the inside of a t5_model: for the files of t5/ and for its tests, and for no one
 * else. */
#ifndef T5_MODEL_H
#define T5_MODEL_H

#include "nn/safetensors.h"
#include "t5/t5.h"
#include "tensor/kernel.h"

typedef struct t5_attention {
    tensor *norm;      /* (D), before the sublayer, like all norms of T5 */
    tensor *q, *k, *v; /* (I,D), I = num_heads * d_kv */
    tensor *o;         /* (D,I) */
} t5_attention;

typedef struct t5_feed_forward_layer {
    tensor *norm;    /* (D) */
    tensor *wi;      /* (F,D); gated: wi_0, whose result the activation acts on */
    tensor *wi_gate; /* (F,D); gated: wi_1; otherwise NULL */
    tensor *wo;      /* (D,F) */
} t5_feed_forward_layer;

typedef struct t5_block {
    t5_attention self, cross; /* cross: the decoder's only */
    t5_feed_forward_layer forward;
} t5_block;

typedef struct t5_stack {
    bool decoder;
    int layers;
    t5_block *block;
    tensor *bias;    /* (relative_attention_num_buckets,H): the first block's, used by all */
    tensor *norm;    /* (D), after the last block */
    tensor **hidden; /* t5_keep_hidden's; NULL: not kept */
} t5_stack;

struct t5_model {
    tensor_context *ctx;
    t5_config config;
    nn_params *params;
    nn_safetensors *file; /* where the parameters' numbers are, or some of them; or NULL */
    tensor *shared;       /* (V,D): encoder's and decoder's embedding; tied: the head as well */
    tensor *head;         /* (V,D) */
    t5_stack encoder, decoder;
};

/* A model whose parameters are declared, and have no memory yet: what remains of t5_model_new. */
t5_model *t5_model_declare(tensor_context *ctx, const t5_config *config, base_error *error);

/* ---- forward.c ---- */

/* The pieces that generation shares with t5_forward. Dropout acts where gradients are on. */
typedef struct t5_dropout {
    uint64_t seed, stream;
    uint64_t site; /* places of this pass that had dropout so far: each has a stream of its own */
    int row;       /* of the whole batch, with which the rows of a slice begin */
} t5_dropout;

/* Biases by distance, (2R-1,H) for distances below R: row R-1 + d is the table's row for the bucket
 * of d = key position - query position. */
tensor *t5_position_bias(const t5_model *model, const t5_stack *stack, int R);

/* ids (rows), of sequences that the spans delimit -> the encoder's output (rows,D). dropout NULL: for what has no
 * gradients, and each block's results give way to those of the next. */
tensor *t5_encode(t5_model *model, const int *ids, int rows, const tensor_span *span, int spans,
                  t5_dropout *dropout);

/* x (N,D), y (N,I) -> x + y o^T, which ends each attention. And x (N,D) -> x +
 * feed_forward(norm(x)). */
tensor *t5_attention_end(const t5_model *model, const t5_attention *a, tensor *x, tensor *y,
                         t5_dropout *dropout);
tensor *t5_feed_forward_apply(const t5_model *model, const t5_feed_forward_layer *f, tensor *x,
                              t5_dropout *dropout);

/* x (rows,D) after the decoder's last block -> (rows,D), which the head is applied to. */
tensor *t5_before_head(t5_model *model, tensor *x, t5_dropout *dropout);

tensor *t5_norm(const t5_model *model, tensor *x, tensor *weight);

/* ---- cache.c: the decoder, one position at a time ---- */

struct t5_packed {
    void *memory; /* of the weights; NULL: the step arena's */
    size_t bytes;
    t5_block *block; /* of the decoder, (layers), with packed weights */
    tensor *head;
};

/* The part of one decoder block. */
typedef struct t5_cache_layer {
    const t5_block *block; /* with packed weights */
    tensor_kv_cache *self;
    tensor *cross_k, *cross_v; /* (S,I) */
} t5_cache_layer;

/* The keys and values of all positions so far, for several sequences (slots) that continue one
 * source. All of it is in the step arena; gradients must be off. */
typedef struct t5_cache {
    t5_model *model;
    int slots, most;    /* sequences, positions of each */
    tensor_span source; /* the encoder's output, as keys */
    tensor *head;       /* packed */
    t5_cache_layer *layer;
} t5_cache;

/* Runs the encoder and the projections of its output that the decoder needs. request: its source, how many
 * positions, and whether weights are packed; slots: its samples, or its beams. */
t5_cache *t5_cache_new(t5_model *model, const t5_request *request, int slots);

/* Feeds ids[i], the token at `position` of slot[i], for i < count. Returns the logits of the
 * tokens after them (count,V), row i for slot[i]. All earlier positions of these slots must have
 * been fed. */
tensor *t5_cache_step(t5_cache *cache, const int *slot, const int *ids, int count, int position);

/* Copies the first `positions` positions of slot `from` to slot `to`. */
void t5_cache_copy(t5_cache *cache, int to, int from, int positions);

/* ---- choosing tokens (choose.c) ---- */

/* The logits of one position, and what turns them into log-probabilities. */
typedef struct t5_scores {
    const float *logits;
    int count;     /* V */
    float largest; /* of the logits */
    float log_sum; /* log sum exp(logit - largest) */
} t5_scores;

/* Memory for choosing a token, V places each. */
typedef struct t5_chooser {
    const tensor_kernels *kernels;
    float *weight;
    int *heap;
} t5_chooser;

/* Its memory is in the step arena. */
t5_chooser t5_chooser_new(const t5_model *model);

/* logits (count). False: they are not finite, and error says so; position is for the message. */
bool t5_scores_of(t5_scores *scores, const t5_chooser *chooser, const float *logits, int count,
                  int position, base_error *error);

/* Of a token under the model itself: temperature 1, nothing cut off. */
float t5_log_probability(const t5_scores *scores, int token);

/* The token that a number in [0, 1) chooses, or the likeliest if sampling is greedy. The tokens'
 * weights stay in the chooser. */
int t5_choose(const t5_scores *scores, const t5_sampling *sampling, double uniform,
              const t5_chooser *chooser);

/* Chooses again with the weights that the last t5_choose left, after setting that token's to 0. -1:
 * no other token has any weight. */
int t5_choose_another(const t5_scores *scores, int token, double uniform,
                      const t5_chooser *chooser);

/* ---- beam.c ---- */

/* t5_generate for sampling.beams beams, of samples that t5_samples_new made. Gradients must be off,
 * and what is taken of the step arena stays taken. */
bool t5_beam_search(t5_model *model, const t5_request *request, t5_sample *samples,
                    base_error *error);

/* The same result by the definition, without a cache: to be read, and compared with. */
bool t5_beam_plain(t5_model *model, const t5_request *request, t5_sample *samples,
                   base_error *error);

/* ---- sample.c ---- */

/* Empty samples with room for `most` tokens each. False: no memory, and nothing to free. */
bool t5_samples_new(t5_sample *samples, int count, int most, base_error *error);
void t5_sample_add(t5_sample *sample, int token, float log_probability);
void t5_sample_copy(t5_sample *to, const t5_sample *from); /* `to` has room for it */

#endif
