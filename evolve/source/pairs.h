/* train.h -- one model trained on refinement pairs, and what it is measured by.
 *
 * The host does the training, so the host keeps the score: the plain token cross-entropy of each
 * batch, taken before the update that uses it, averaged over all tokens (A17: "average training
 * loss over that run"). */
#ifndef SOURCE_PAIRS_H
#define SOURCE_PAIRS_H

#include "evolve/settings.h"
#include "t5/t5.h"

/* The tokenizer of a run: trained on the sources of the dataset's first 1024 pairs, so that every
 * process can make it for itself from the settings. */
t5_tokenizer *source_tokenizer(const evolve_settings *settings, base_error *error);

/* Pairs as the model reads them. The score's are looked at more than once (to plan, to sort, to
 * train), so their tokens are kept: the first 16384 of them. */
typedef struct source_pairs source_pairs;

source_pairs *source_pairs_new(const evolve_settings *settings, const t5_tokenizer *tokenizer,
                               base_error *error);
void source_pairs_free(source_pairs *pairs);

/* Appends pair `index` of the dataset to a batch; what was drawn goes to *pair if that is not
 * NULL. */
struct mutation_drawn; /* mutator.h */
bool source_pairs_add(source_pairs *pairs, uint64_t index, t5_batch *batch,
                      struct mutation_drawn *pair, base_error *error);

/* The held-out pairs start at this index and the fresh ones at that: no training gets there. */
#define SOURCE_HELD_OUT ((uint64_t)1 << 40)
#define SOURCE_FRESH    ((uint64_t)1 << 41)

typedef struct source_sum {
    double loss; /* nats */
    int64_t tokens, pairs;
} source_sum;

/* What a score has to beat; how it is used is told in prequential.h. */
typedef struct source_goal {
    double score;   /* 0: there is none */
    int64_t tokens; /* labels of all pairs of the score */
} source_goal;

typedef struct source_plan {
    uint64_t first; /* index of the first pair */
    int64_t count;  /* pairs */
    int64_t epochs; /* passes; the first in order of index, later ones shuffled */
    uint64_t seed;  /* of initial weights, dropout, shuffling */
    source_goal goal;
} source_plan;

/* A training under way: made, stepped until done, freed. Its state after n steps is a pure function
 * of (model configuration, settings, plan, n). */
typedef struct source_training source_training;

source_training *source_training_new(t5_model *model, source_pairs *pairs,
                                     const evolve_settings *settings, const source_plan *plan,
                                     base_error *error);
void source_training_free(source_training *training);

int64_t source_training_steps(const source_training *training); /* in all */
int64_t source_training_done(const source_training *training);  /* taken */

/* One step. */
bool source_training_step(source_training *training, base_error *error);

/* The mean loss a token of each step taken, before its update. */
const float *source_training_losses(const source_training *training);

/* Their sum so far; its average over all tokens (the few-shot score), and the same a pair. */
source_sum source_training_sum(const source_training *training);
double source_training_score(const source_training *training);
double source_training_score_pair(const source_training *training);

/* Floating-point operations of the steps taken (t5_config_step_flops). */
int64_t source_training_flops(const source_training *training);

/* Bytes of weights, gradients, optimizer state, and of the largest step so far. */
size_t source_training_bytes(const source_training *training);

/* Saves all that a training needs to go on (weights, optimizer state, losses), and restores it. */
bool source_training_save(const source_training *training, const char *path,
                          char hash[BASE_HASH_TEXT], base_error *error);
bool source_training_load(source_training *training, const char *path, base_error *error);

#endif
