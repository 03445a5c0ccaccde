/* SPDX-License-Identifier: MIT */
/* config.h -- the sizes and settings of a T5, under Hugging Face's names.
 *
 *     t5_config config = t5_config_small();
 *     config.num_layers = config.num_decoder_layers = 2;
 *     if (!t5_config_check(&config, &error))
 *         return complain(error.text);      ("d_kv is 0, expected 1 .. 16777216")
 *     t5_model *model = t5_model_new(ctx, &config, true, &error); */
#ifndef T5_CONFIG_H
#define T5_CONFIG_H

#include "base/error.h"
#include "base/text.h"
#include <stddef.h>
#include <stdint.h>

typedef enum t5_feed_forward { T5_RELU, T5_GELU, T5_GATED_GELU, T5_FEED_FORWARDS } t5_feed_forward;

/* Whether the decoder's output is scaled by d_model^-0.5 before the head. T5 scales where the
 * embedding is the head; transformers 5 says so in a key of its own, scale_decoder_outputs. */
typedef enum t5_scaling { T5_SCALED_IF_TIED, T5_SCALED, T5_NOT_SCALED } t5_scaling;

typedef struct t5_config {
    int vocab_size;
    int d_model;
    int d_kv; /* per head; num_heads * d_kv may differ from d_model */
    int d_ff;
    int num_layers;         /* encoder blocks */
    int num_decoder_layers; /* decoder blocks */
    int num_heads;
    int relative_attention_num_buckets;
    int relative_attention_max_distance;
    t5_feed_forward feed_forward_proj; /* "relu", "gelu" (erf), "gated-gelu" (tanh form, as HF) */
    bool tie_word_embeddings;
    t5_scaling scale_decoder_outputs;
    double dropout_rate;
    double layer_norm_epsilon;
    double initializer_factor;
    int eos_token_id; /* ends what is generated: 1 (T5_EOS); CodeT5's folders say 2 */
} t5_config;

/* codet5-small: d_model 512, d_kv 64, d_ff 2048, 6 + 6 layers, 8 heads, vocabulary 32100, 32
 * buckets up to distance 128, relu, tied embeddings; dropout 0. */
t5_config t5_config_small(void);

/* False: no model can be made of it, and error names the field and what was expected. */
bool t5_config_check(const t5_config *config, base_error *error);

bool t5_config_scales(const t5_config *config); /* before the head */

/* ---- counts, of a configuration that passes the check ---- */

int64_t t5_config_parameters(const t5_config *config); /* floats; INT64_MAX on overflow */

/* Floating-point operations of one training step (forward and backward, matrix products only, a
 * multiply-add is 2) for `count` pairs of these lengths in tokens; INT64_MAX on overflow. Of the
 * decoder's self-attention, only the keys that causality allows count. */
int64_t t5_config_step_flops(const t5_config *config, const int *source_length,
                             const int *target_length, int count);

/* Operations of generating `count` sequences of these lengths from one source: the encoder and the
 * keys and values of the source once, then one pass of the decoder per token (t5_generate without
 * beams). */
int64_t t5_config_generation_flops(const t5_config *config, int source_length,
                                   const int *target_length, int count);

/* config.json. A key that is missing has HF's default; a value that would change what the model
 * computes and is not supported here is an error, and so is a key that is not known.
 *
 * With the key scale_decoder_outputs the file does not say whether the embedding is the head, since
 * transformers 5 writes tie_word_embeddings as true whatever the model has: the weights decide, and
 * tie_word_embeddings is true until they have (t5_folder_read). */
bool t5_config_read(t5_config *config, const char *path, base_error *error);
bool t5_config_parse(t5_config *config, const char *text, size_t size, const char *origin,
                     base_error *error); /* the same from memory; origin: its name in messages */
void t5_config_print(const t5_config *config, base_text *json);

#endif
