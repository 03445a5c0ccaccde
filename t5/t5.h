/* SPDX-License-Identifier: MIT */
/* t5.h -- the T5 encoder-decoder (Raffel et al. 2020, arXiv:1910.10683), as Hugging Face has it.
 *
 *   x = embedding(ids)                                                    no positions added
 *   encoder block   x += attention(norm(x)); x += feed_forward(norm(x))   norm: RMSNorm
 *   decoder block   x += causal attention(norm(x)); x += attention(norm(x), encoder output);
 *                   x += feed_forward(norm(x))
 *   logits = head(norm(x))       tied: head = embedding, and x is scaled by d_model^-0.5 first
 *
 * Attention is not scaled by 1/sqrt(d_kv); the first block of each stack has a table of biases by
 * relative position, which all its blocks share. Linear layers have no biases.
 *
 * Dropout, where dropout_rate > 0, acts where HF has it: on the embeddings, on each sublayer's
 * output, inside the feed-forward layers and after a stack's final norm. The one exception is the
 * attention probabilities, which HF drops as well.
 *
 * Batches are ragged: no arithmetic is spent on padding (tensor_attention's spans).
 *
 *     t5_model *model = t5_folder_read(ctx, "model", false, &tokenizer, &error);
 *     int count = t5_tokenize(tokenizer, text, strlen(text), ids, T5_MOST_SOURCE);
 *     t5_request request = {.source = ids, .source_count = count, .count = 1, .most = 128,
 *                           .sampling = t5_sampling_default(), .seed = 1};
 *     if (t5_generate(model, &request, &sample, &error))
 *         t5_detokenize(tokenizer, sample.ids, sample.count, &answer);
 *
 * A training step is nn_zero_grad(t5_model_params(model)), t5_step and nn_optimizer_step. */
#ifndef T5_T5_H
#define T5_T5_H

#include "nn/params.h"
#include "t5/config.h"
#include "t5/tokenizer.h"
#include "tensor/tensor.h"

typedef struct t5_model t5_model;

/* A model with memory for its parameters, all zero. gradients: memory for theirs as well, for
 * training. NULL: t5_config_check refuses the configuration, or no memory. */
t5_model *t5_model_new(tensor_context *ctx, const t5_config *config, bool gradients,
                       base_error *error);
void t5_model_free(t5_model *model);

/* Draws the weights as transformers' T5PreTrainedModel._init_weights does. Each parameter has a
 * stream of random numbers of its own, named by it, so that layers which two architectures have in
 * common start equal. */
void t5_model_init(t5_model *model, uint64_t seed);

/* Draws them likewise, and then sets attention so that it compares what is written with what is read from the first
 * step on (docs/decisions.md, "First weights that compare"): half of a stack's heads look at tokens nearby, in both
 * stacks through the same values, cross-attention finds vectors that are equal, and all of them take away what they
 * find. Names, shapes and the rest are as above. */
void t5_model_init_comparing(t5_model *model, uint64_t seed);

const t5_config *t5_model_config(const t5_model *model);
void t5_set_dropout(t5_model *model, double rate); /* from now on; 0 .. below 1 as a float */
nn_params *t5_model_params(t5_model *model); /* under HF's names: "encoder.block.0.layer.0. ..." */

/* Pairs of sequences for one step, one after another: the ids of source b are
 * source_ids[source[b].start] and the source[b].rows - 1 after it. t5_batch_add makes the spans; a
 * span's `valid` is below its `rows` only where padded batches are reproduced. */
typedef struct t5_batch {
    int count, capacity; /* sequences */
    tensor_span *source, *target;
    int *source_ids, *target_ids; /* target_ids: the labels, -100 where ignored */
    int source_rows, target_rows; /* tokens of all sequences */
    int source_capacity, target_capacity;
} t5_batch; /* all zero is an empty batch */

/* Appends a pair, copied, of at least one token each. False: no memory, and the batch is as it
 * was. */
bool t5_batch_add(t5_batch *batch, const int *source_ids, int source_count, const int *target_ids,
                  int target_count);
void t5_batch_clear(t5_batch *batch); /* keeps the memory */
void t5_batch_free(t5_batch *batch);

/* Writes the target_rows ids that the decoder reads: T5_PAD (the start token), then the sequence's
 * labels but the last; T5_PAD stands for -100. */
void t5_decoder_input(const t5_batch *batch, int *ids);

/* What a forward pass leaves, in the step arena. */
typedef struct t5_output {
    tensor *encoder; /* (source_rows, D), after the final norm */
    tensor *logits;  /* (target_rows, V) */
    tensor *loss;    /* (): the objective; without one, the mean over labels that are not -100 */
    float *row_loss; /* target_rows floats: each label's plain cross-entropy, 0 where ignored */
} t5_output;

/* Forward pass. objective: what the loss is made of (NULL: the plain mean). dropout_stream should
 * differ from step to step (used only where dropout_rate > 0 and gradients are on). An empty batch,
 * and ids that are not in the vocabulary, call the failure handler. */
t5_output t5_forward(t5_model *model, const t5_batch *batch, const tensor_objective *objective,
                     uint64_t seed, uint64_t dropout_stream);

/* Forward and backward of a training step. Returns t5_forward's loss (before it is rounded to a
 * float) and adds its gradients to the parameters'. The step arena is used up and left empty, so
 * row_loss (target_rows floats) is the caller's. A large batch is computed in slices of some
 * sequences, and the logits a chunk of rows at a time, so that memory grows neither with the batch
 * nor with batch times vocabulary. Losses and dropout do not depend on the slices. */
double t5_step(t5_model *model, const t5_batch *batch, const tensor_objective *objective,
               uint64_t seed, uint64_t dropout_stream, float *row_loss);

/* For verification: from now on, t5_forward writes the hidden states to these arrays, as HF's
 * output_hidden_states gives them: the input of each block, then the final state. They have
 * num_layers + 1 and num_decoder_layers + 1 places; NULL: not wanted (any more). The states are
 * valid until the next forward pass, generation or end of the step. */
void t5_keep_hidden(t5_model *model, tensor **encoder, tensor **decoder);

/* The bucket, 0 .. buckets - 1, of relative position = key position - query position. Section 2.1;
 * HF's _relative_position_bucket, without its float logarithm. */
int t5_relative_bucket(int relative_position, bool bidirectional, int buckets, int max_distance);

/* ---- generation (generate.c) ---- */

typedef struct t5_sampling {
    bool greedy;        /* the likeliest token each time; then only `allowed` counts */
    double temperature; /* > 0; 1 samples from the model itself */
    int top_k;          /* only the k likeliest; 0: all */
    double top_p;       /* only the likeliest whose probabilities reach p; 1: all */
    int beams;          /* > 1: beam search, and the best `count` beams, best first, are returned */
    double length_penalty; /* of beams: score / length^length_penalty, as HF; 1 by default */
    /* Whether that token may follow ids 0 .. count-1 of sample `row`; NULL: any may. A token is
     * drawn from the distribution that the settings above leave, restricted to those that may
     * follow; if these have no weight left, it is the likeliest of them (choose.c). If there are
     * none, the sample ends there, stuck. Not for beams. */
    bool (*allowed)(void *user, int row, const int *ids, int count, int token);
    void *user;
} t5_sampling; /* of equally likely tokens, the one with the smaller id comes first */

t5_sampling t5_sampling_default(void); /* ancestral: temperature 1, all tokens */

typedef struct t5_sample {
    int *ids; /* new tokens, the end token (eos_token_id) included where it was reached */
    int count;
    bool finished;                /* the end token was reached */
    bool stuck;                   /* no token was allowed to follow these */
    double log_probability;       /* of the tokens under the model itself (temperature 1, no cut) */
    float *token_log_probability; /* (count) */
} t5_sample;

enum { T5_MOST_SOURCE = 8192 }; /* tokens: the memory of attention grows with their square */

/* A copy of the decoder's weights in the order in which products of a few rows read them. t5_generate makes one in each
 * call, a tenth of its time, unless it is given one. It is of the parameters as they are when it is made; the model has to
 * outlive it. NULL: no memory. */
typedef struct t5_packed t5_packed;
t5_packed *t5_packed_new(t5_model *model, base_error *error);
size_t t5_packed_bytes(const t5_packed *packed);
void t5_packed_free(t5_packed *packed); /* NULL: nothing */

/* `count` samples of one source, made together: the encoder runs once. */
typedef struct t5_request {
    const int *source; /* ids, as t5_tokenize gives them: the end token is one of them */
    int source_count;  /* 1 .. T5_MOST_SOURCE */
    int count;         /* samples, at least 1 */
    int most;          /* new tokens of each sample, at most; at least 1 */
    t5_sampling sampling;
    uint64_t seed, stream;
    const t5_packed *packed; /* of the model as it is now; NULL: each call makes a copy */
    /* The same bits, more slowly, with less memory: without a copy the decoder's weights are read where they are at
     * each token. */
    bool frugal;
} t5_request;

/* Sample i draws its numbers from stream base_random_stream("sample", stream, i, 0), one for each
 * token, so it does not depend on how many are made together. (A token that is drawn and not
 * allowed takes further numbers, from a stream of that token's own.) samples: request->count
 * places, filled; free with t5_samples_free. The step arena is left as it was. False, with nothing
 * to free: a setting or an id out of its range, no memory (then the step is over), or logits that are
 * not finite. */
bool t5_generate(t5_model *model, const t5_request *request, t5_sample *samples, base_error *error);
void t5_samples_free(t5_sample *samples, int count); /* what they hold, not the array */

/* ---- model folders (folder.c): config.json, model.safetensors, tokenizer.json ---- */

/* Writes a folder that T5ForConditionalGeneration.from_pretrained loads, and makes it if it is not
 * there. tokenizer NULL: none is written. hashes (may be NULL) gets those of config.json,
 * model.safetensors and tokenizer.json (no tokenizer: ""). Each file is written whole or not at
 * all; on failure some may be there and others not. */
bool t5_folder_write(const t5_model *model, const t5_tokenizer *tokenizer, const char *folder,
                     char hashes[3][BASE_HASH_TEXT], base_error *error);

/* What t5_folder_write writes beside these three, for other programs and for people. All of it follows
 * from the configuration; tokenizer: whether there is one. The folder has to be there. */
extern const char *const t5_folder_companions[]; /* their names; NULL ends them */
bool t5_folder_write_companions(const t5_config *config, bool tokenizer, const char *folder,
                                base_error *error);

/* Reads such a folder. tokenizer: NULL if not wanted. Copies of a tied embedding may be in the
 * file, beside it or in its place, and must be equal to it; all names may begin with "_orig_mod.",
 * "module." or "model.". NULL: error names the file and what was expected. A file too small
 * for its config.json is refused before memory for a model is taken. */
t5_model *t5_folder_read(tensor_context *ctx, const char *folder, bool gradients,
                         t5_tokenizer **tokenizer, base_error *error);

/* The three files where there is no file system: linked into the program, in flash, mapped. */
typedef struct t5_buffers {
    const char *config, *tokenizer; /* config.json; tokenizer.json, or NULL if none is wanted */
    const void *weights;            /* model.safetensors */
    size_t config_size, tokenizer_size, weights_size;
} t5_buffers;

/* t5_folder_read() of these. Without gradients, weights of 32 bits that are at multiples of 4 bytes are read
 * where they are, on a little-endian machine, and not copied: they have to outlive the model, and t5_model_init
 * and others that write to parameters are not for it. (A file that phoenix or transformers wrote has its numbers
 * at multiples of 8 if it is at one itself.) Models of t5_folder_read are like that as well, and keep the file. */
t5_model *t5_buffers_read(tensor_context *ctx, const t5_buffers *buffers, bool gradients,
                          t5_tokenizer **tokenizer, base_error *error);

#endif
