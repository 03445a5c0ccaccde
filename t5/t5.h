/* t5.h -- the T5 encoder-decoder (Raffel et al. 2020, arXiv:1910.10683) as Hugging Face defines it.
 *
 *   x = embedding(ids)                                                    no positions added
 *   encoder block   x += attention(norm(x)); x += feed_forward(norm(x))   norm: RMSNorm
 *   decoder block   x += causal attention(norm(x)); x += attention(norm(x), encoder output);
 *                   x += feed_forward(norm(x))
 *   logits = head(norm(x))       tied: head = embedding, and x is scaled by d_model^-0.5 first
 *
 * Attention is not scaled by 1/sqrt(d_kv); the first block of each stack has a table of biases by
 * relative position, shared by all its blocks. Linear layers have no biases.
 *
 * Dropout, where dropout_rate > 0, acts where HF has it: on the embeddings, on each sublayer's
 * output, inside the feed-forward layers and after a stack's final norm. The one place left out is
 * the attention probabilities, which HF thins out as well.
 *
 * Batches are ragged: no arithmetic is spent on padding (tensor_attention's spans). */
#ifndef T5_T5_H
#define T5_T5_H

#include "nn/params.h"
#include "t5/config.h"
#include "t5/tokenizer.h"
#include "tensor/tensor.h"

typedef struct t5_model t5_model;

/* A model with memory for its parameters, all zero. gradients: whether it is to be trained.
 * NULL: the configuration is none, or there is no memory. */
t5_model *t5_model_new(tensor_context *ctx, const t5_config *config, bool gradients,
                       base_error *error);
void t5_model_free(t5_model *model);

/* Draws the weights as transformers' T5PreTrainedModel._init_weights does: a parameter's stream is
 * its name's, so that equal layers of two architectures start equal. */
void t5_model_init(t5_model *model, uint64_t seed);

const t5_config *t5_model_config(const t5_model *model);
nn_params *t5_model_params(t5_model *model); /* under HF's names: "encoder.block.0.layer.0. ..." */

/* Sequences for one step. Rows of sequence b in source_ids: source[b].start ... Spans come from
 * t5_batch_add; `valid` below `rows` is only used to reproduce padded batches. */
typedef struct t5_batch {
    int count, capacity; /* sequences */
    tensor_span *source, *target;
    int *source_ids, *target_ids; /* target_ids: the labels, -100 where ignored */
    int source_rows, target_rows; /* tokens so far */
    int source_capacity, target_capacity;
} t5_batch; /* all zero is an empty batch */

/* Appends one pair. False: no memory. */
bool t5_batch_add(t5_batch *batch, const int *source_ids, int source_count, const int *target_ids,
                  int target_count);
void t5_batch_clear(t5_batch *batch); /* keeps the memory */
void t5_batch_free(t5_batch *batch);

/* What the decoder reads, target_rows ids: each sequence's labels shifted right behind a T5_PAD
 * (its start token), and T5_PAD for -100. */
void t5_decoder_input(const t5_batch *batch, int *ids);

/* Everything that a forward pass leaves, in the step arena. */
typedef struct t5_output {
    tensor *encoder; /* (source_rows, D), after the final norm */
    tensor *logits;  /* (target_rows, V) */
    tensor *loss;    /* (), mean over labels that are not -100 */
    float *row_loss; /* target_rows floats, plain cross-entropy a label, 0 where ignored */
} t5_output;

/* dropout_stream tells the steps of a training apart (used only where dropout_rate > 0).
 * objective: what the loss is made of (NULL: the plain mean); row_loss is always plain. An empty
 * batch, and ids that are not in the vocabulary, are failures. */
t5_output t5_forward(t5_model *model, const t5_batch *batch, const tensor_objective *objective,
                     uint64_t seed, uint64_t dropout_stream);

/* Forward and backward of a training step. Returns t5_forward's loss (before it is rounded to a
 * float) and adds its gradients to the parameters'. The step arena is used up and left empty, so
 * row_loss (target_rows floats) is the caller's. A large batch is computed in slices of some
 * sequences, and the logits a chunk of rows at a time, so that memory grows neither with the batch
 * nor with batch times vocabulary. Losses and dropout do not depend on the slices. */
double t5_step(t5_model *model, const t5_batch *batch, const tensor_objective *objective,
               uint64_t seed, uint64_t dropout_stream, float *row_loss);

/* For verification: hidden states, as HF's output_hidden_states gives them (input of block i, and
 * the final state last); the caller's arrays have num_layers + 1 and num_decoder_layers + 1 places.
 * Either may be NULL, which also ends it. Valid until the next forward, generation or step end. */
void t5_keep_hidden(t5_model *model, tensor **encoder, tensor **decoder);

/* The bucket of relative position = key position - query position. Section 2.1; HF's
 * _relative_position_bucket, without its float logarithm. */
int t5_relative_bucket(int relative_position, bool bidirectional, int buckets, int max_distance);

/* ---- generation (generate.c) ---- */

typedef struct t5_sampling {
    bool greedy;        /* the likeliest token each time; the rest is not used */
    double temperature; /* > 0; 1 samples from the model itself */
    int top_k;          /* only the k likeliest; 0: all */
    double top_p;       /* only the likeliest whose probabilities reach p; 1: all */
    int beams;          /* > 1: beam search, and the best `count` beams, best first, are returned */
    double length_penalty; /* beam: score / length^penalty, as HF; 1 by default */
    /* Whether that token may follow ids 0 .. count-1 of sample `row`; NULL: any may. What is drawn
     * has the distribution that the above leaves, restricted to what may follow; where that is
     * nothing, it is the likeliest that may. (choose.c) Not for beams. */
    bool (*allowed)(void *user, int row, const int *ids, int count, int token);
    void *user;
} t5_sampling; /* of equally likely tokens, the one with the smaller id goes first */

t5_sampling t5_sampling_default(void); /* ancestral: temperature 1, all tokens */

typedef struct t5_sample {
    int *ids; /* new tokens, the end token (eos_token_id) included where it was reached */
    int count;
    bool finished;                /* ended with it */
    double log_probability;       /* of the tokens under the model itself (temperature 1, no cut) */
    float *token_log_probability; /* count of them */
} t5_sample;

enum { T5_MOST_SOURCE = 8192 }; /* tokens: the memory of attention grows with their square */

/* `count` samples of one source, made together: the encoder runs once. */
typedef struct t5_request {
    const int *source; /* ids, as t5_tokenize gives them: the end token is one of them */
    int source_count;  /* 1 .. T5_MOST_SOURCE */
    int count;         /* samples, at least 1 */
    int most;          /* new tokens of each sample, at most; at least 1 */
    t5_sampling sampling;
    uint64_t seed, stream;
} t5_request;

/* Sample i draws its numbers from stream base_random_stream("sample", stream, i, 0), one for each
 * token, so it does not depend on how many are made together. (A token that is drawn and not
 * allowed takes further numbers, from a stream of that token's own.) samples: request->count
 * places, filled; free with t5_samples_free. The step arena is left as it was. False, with nothing
 * to free: a setting or an id out of its range, no memory, logits that are not finite, or a
 * position where no token is allowed. */
bool t5_generate(t5_model *model, const t5_request *request, t5_sample *samples, base_error *error);
void t5_samples_free(t5_sample *samples, int count); /* what they hold, not the array */

/* ---- model folders (folder.c): config.json, model.safetensors, tokenizer.json ---- */

/* Writes a folder that T5ForConditionalGeneration.from_pretrained loads; it is made if it is not
 * there. tokenizer NULL: none is written. hashes: of config.json, model.safetensors and
 * tokenizer.json (no tokenizer: ""); may be NULL. Each file is whole or not there; the folder may
 * be left with some of them. */
bool t5_folder_write(const t5_model *model, const t5_tokenizer *tokenizer, const char *folder,
                     char hashes[3][BASE_HASH_TEXT], base_error *error);

/* Reads one. tokenizer: NULL if not wanted. Tied copies of the embedding may be in the file, but
 * must be equal to it. A file whose tensors are not those of config.json is refused before memory
 * for a model is taken. */
t5_model *t5_folder_read(tensor_context *ctx, const char *folder, bool gradients,
                         t5_tokenizer **tokenizer, base_error *error);

#endif
