/* SPDX-License-Identifier: MIT */
/* phoenix.h -- all that a source program can see.
 *
 * A source is one C file that includes this header and defines model(), and train() and data() if
 * it has something to say there; what it leaves out is the default's.
 *
 *     t5 *model(void);                         the model: build it from a t5_config and return it
 *     network *model(void);                    where the task is images: layer by layer
 *     dataset *data(void);                     the pairs that it is trained on, in their order
 *     void train(t5 *model, dataset *data);    optimizer, schedule, batches, objective
 *     recipe train(void);                      the same of a network
 *
 * A training may take as many pairs as its budget has, each as often as it likes. Whatever goes
 * beyond (a batch that the budget or the dataset has no pairs for) ends the training as a return
 * would, and is no error. A number out of its range, and a handle that is none of its kind, are.
 *
 * The score is not the program's to say: the host measures the plain cross-entropy of pairs that
 * the model was not trained on.
 *
 * This file is read twice: by a C compiler, and by phoenix's own checker (refine/language/check.c), which
 * takes the types and functions below as its whole world. So it is written in the subset itself. */
#ifndef SOURCE_PHOENIX_H
#define SOURCE_PHOENIX_H

typedef struct t5 t5;               /* a T5 encoder-decoder with its weights */
typedef struct dataset dataset;     /* pairs in an order, and a place where next() goes on */
typedef struct batch batch;         /* some of them */
typedef struct optimizer optimizer; /* and what it keeps of the past */
typedef struct network network;     /* a list of layers */

/* ---- the model ---- */

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

/* ---- networks for images ---- */

/* The task's images, and in how many classes they fall. */
int image_channels(void);
int image_height(void);
int image_width(void);
int image_classes(void);

/* Where the task is a table: how many numbers a row of it has. They are the first layer's row. Of images
 * it is the product of the three sizes. And how many numbers the last layer gives: one a class. */
int inputs(void);
int outputs(void);

network *network_new(void); /* without layers */

/* Each adds a layer, and takes what the one before it gives: images of so many channels, or, behind
 * flatten(), a row of so many numbers. The last layer gives one number a class. What does not fit
 * is found when model() has returned. Those that return something return how many channels or
 * numbers they give. */
int conv2d(network *net, int in, int out, int kernel, int stride, int padding);
int depthwise2d(network *net, int channels, int kernel, int stride, int padding);
int linear(network *net, int in, int out);
void relu(network *net);
void relu6(network *net);
void hard_swish(network *net);
void gelu(network *net);
void max_pool2d(network *net, int kernel, int stride);
void avg_pool2d(network *net, int kernel, int stride);
void global_avg_pool2d(network *net); /* the mean of each channel, as an image of 1 x 1 */
void batch_norm2d(network *net, int channels);
void dropout(network *net, double rate);
void flatten(network *net);

/* Around a block: int from = mark(net); the block's layers; residual(net, from). The second adds
 * what stands at the mark to what stands here, which must have the same shape. */
int mark(network *net);
void residual(network *net, int from);

enum update_rule {
    UPDATE_SGD,
    UPDATE_RMSPROP,
    UPDATE_ADAM,
    UPDATE_ADAMW,
    UPDATE_ADAFACTOR,
    UPDATE_ADAMW_SCALED
};
enum rate_schedule { RATE_CONSTANT, RATE_LINEAR, RATE_COSINE, RATE_INVERSE_SQRT };

/* How a network is trained. How often the images are gone through is the host's to say. */
typedef struct recipe {
    int optimizer;          /* one of enum update_rule; SGD with Nesterov's momentum, if any */
    int schedule;           /* one of enum rate_schedule: how the rate falls */
    int warmup;             /* steps in which the rate rises */
    int batch;              /* images a step */
    int flip;               /* 1: mirror every second image */
    int shift;              /* move images by up to so many pixels */
    int cut;                /* cut a square of so many pixels a side out of each */
    double rate;            /* of learning, after the warm-up */
    double momentum;        /* of SGD, 0 <= m < 1 */
    double weight_decay;    /* 0 <= w <= 1 */
    double label_smoothing; /* 0 <= s < 1 */
    double mixup;   /* 0 <= a <= 1: each image is so much of itself and the rest of another one, and
                     * its label likewise; how much is drawn for each batch from Beta(a, a) */
    double average; /* 0 <= d < 1: the network is measured with a moving average of its weights of
                     * that decay; 0: with its last weights */
} recipe;

recipe usual_recipe(void); /* the run's own: what a source without a train() is trained by */

/* ---- data: pairs of a program and its refinement ---- */

/* How many more pairs the training may take. */
int budget(void);

/* How often the training is to go through its pairs: 1 for a score, --epochs for a training stage,
 * whose budget is that many passes. */
int epochs(void);

/* Pairs first .. first + count - 1 of a sequence that has no end. The score's are those from 0 on,
 * as many as the budget at the beginning; what lies behind them are new draws. */
dataset *pairs(int first, int count);

int size(dataset *data);          /* pairs */
int tokens(dataset *data, int i); /* of pair i, program and refinement */

/* Each changes the dataset, and has next() begin anew. */
void shuffle(dataset *data, int seed); /* Fisher and Yates */
void sort_by_length(dataset *data);    /* by tokens, short ones first; equal ones stay in order */
void reverse(dataset *data);
void repeat(dataset *data, int times);         /* the whole, that many times */
void take(dataset *data, int count);           /* only the first ones */
void skip(dataset *data, int count);           /* all but the first ones */
void append(dataset *data, dataset *more);     /* those of another one behind its own */
void mix(dataset *data, dataset *more);        /* one of each in turn, then what is left */
void add(dataset *data, dataset *from, int i); /* pair i of another one, as the last */

batch *next(dataset *data, int count);             /* the next ones; at the end what is left */
batch *slice(dataset *data, int first, int count); /* those at first .. first + count - 1 */

/* ---- training ---- */

/* What a batch's loss is made of. */
typedef struct objective {
    double label_smoothing; /* 0 <= s <= 1, Szegedy et al. 2016 */
    double z_loss;          /* times the square of the log-partition function, as in PaLM */
    double end_weight;      /* of the token that ends a program; all others have 1 */
    double edit_weight;     /* of the tokens in which a refinement differs from its program */
    double scale;           /* of the whole: 1.0 / n where n batches add up to one update */
} objective;

/* Plain cross-entropy, the mean of all tokens: 0, 0, 1, 1, 1. */
objective cross_entropy(void);

/* Forward and backward: adds the batch's gradients to those that are there. Returns the plain loss
 * a token before any update that uses it, whatever the objective. */
double learn(t5 *model, batch *batch, objective objective);

/* Scales the gradients down to that global norm where theirs is larger, and returns what theirs
 * was. */
double clip(t5 *model, double norm);

/* torch's, and transformers' Adafactor; adamw_scaled is adamw whose step is multiplied by each
 * tensor's root mean square. */
optimizer *sgd(t5 *model, double momentum, double weight_decay, int nesterov);
optimizer *rmsprop(t5 *model, double alpha, double eps, double momentum, double weight_decay);
optimizer *adam(t5 *model, double beta1, double beta2, double eps, double weight_decay);
optimizer *adamw(t5 *model, double beta1, double beta2, double eps, double weight_decay);
optimizer *adamw_scaled(t5 *model, double beta1, double beta2, double eps, double weight_decay);
optimizer *adafactor(t5 *model, double decay_rate, double clip_threshold, double weight_decay,
                     int relative_step, int scale_parameter);

/* One step of that learning rate with the gradients that are there; then there are none. An
 * adafactor of relative steps takes its own rate times this one. */
void update(optimizer *optimizer, double rate);

/* A moving average of the weights, a = decay a + (1 - decay) w, from the first call's weights on;
 * and the model continues with it. */
void average(t5 *model, double decay);
void take_average(t5 *model);

/* ---- numbers, the same on every machine ---- */

double cosine(double turns); /* of an angle in turns: cosine(0.5) is -1 */
double square_root(double x);
double power(double x, double y); /* x > 0 */

#endif
