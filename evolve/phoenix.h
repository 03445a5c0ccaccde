/* phoenix.h -- all that a source program can see.
 *
 * A source is one C file that includes this header and defines
 *
 *     t5 *model(void);       the model: build it from a t5_config and return it
 *
 * This file is read twice: by a C compiler, and by phoenix's own checker (refine/check.c), which
 * takes the types and functions below as its whole world. So it is written in the subset itself. */
#ifndef PHOENIX_H
#define PHOENIX_H

typedef struct t5 t5; /* a T5 encoder-decoder with its weights */

/* How the feed-forward layers bend: T5 uses relu, T5 v1.1 a gated GELU. */
enum feed_forward { FEED_FORWARD_RELU, FEED_FORWARD_GELU, FEED_FORWARD_GATED_GELU };

/* The names are those of Hugging Face's T5Config. */
typedef struct t5_config {
    int vocab_size; /* the tokenizer's: a source cannot change it */
    int d_model;    /* width of the residual stream */
    int d_kv;       /* width of one attention head; d_kv * num_heads may differ from d_model */
    int d_ff;       /* width of the feed-forward layers */
    int num_layers; /* encoder blocks */
    int num_decoder_layers;              /* decoder blocks */
    int num_heads;                       /* attention heads */
    int relative_attention_num_buckets;  /* position buckets, even, at least 4 */
    int relative_attention_max_distance; /* distances from here on share the last bucket */
    int feed_forward_proj;               /* one of enum feed_forward */
    int tie_word_embeddings; /* 1: the output layer is the embedding, 0: it has its own weights */
    double dropout_rate;     /* 0 <= rate < 1 */
    double layer_norm_epsilon;
    double initializer_factor; /* scales every initial weight */
} t5_config;

/* codet5-small's configuration: 6 + 6 layers, 8 heads of 64, d_ff 2048, d_model 512, no dropout.
 * A scaled-down run has its own d_model, and d_kv = d_model / 8. */
t5_config t5_small(void);

/* A new model with freshly drawn weights. Ends the program with an error where the configuration
 * makes no model: a size below 1, d_kv 0, more parameters than the run allows. */
t5 *t5_new(t5_config config);

#endif
