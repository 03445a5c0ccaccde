/* train.h -- one model trained on refinement pairs, and what it is measured by.
 *
 * The host does the training, so the host keeps the score: the plain token cross-entropy of each
 * batch, taken before the update that uses it, averaged over all tokens (A17: "average training
 * loss over that run"). */
#ifndef EVOLVE_TRAIN_H
#define EVOLVE_TRAIN_H

#include "evolve/settings.h"
#include "t5/t5.h"

/* The tokenizer of a run: trained on the sources of the dataset's first 1024 pairs, so that every
 * process can make it for itself from the settings. */
t5_tokenizer *evolve_tokenizer(const evolve_settings *settings, base_error *error);

/* Pairs as the model reads them. The score's are looked at more than once (to plan, to sort, to
 * train), so their tokens are kept: the first 16384 of them. */
typedef struct evolve_pairs evolve_pairs;

evolve_pairs *evolve_pairs_new(const evolve_settings *settings, const t5_tokenizer *tokenizer,
                               base_error *error);
void evolve_pairs_free(evolve_pairs *pairs);

/* Appends pair `index` of the dataset to a batch; what was drawn goes to *pair if that is not
 * NULL. */
bool evolve_pairs_add(evolve_pairs *pairs, uint64_t index, t5_batch *batch, refine_drawn *pair,
                      base_error *error);

/* The held-out pairs start at this index and the fresh ones at that: no training gets there. */
#define EVOLVE_HELD_OUT ((uint64_t)1 << 40)
#define EVOLVE_FRESH    ((uint64_t)1 << 41)

typedef struct evolve_sum {
    double loss; /* nats */
    int64_t tokens, pairs;
} evolve_sum;

/* What a score has to beat; how it is used is told in tally.h. */
typedef struct evolve_goal {
    double score;   /* 0: there is none */
    int64_t tokens; /* labels of all pairs of the score */
} evolve_goal;

typedef struct evolve_plan {
    uint64_t first; /* index of the first pair */
    int64_t count;  /* pairs */
    int64_t epochs; /* passes; the first in order of index, later ones shuffled */
    uint64_t seed;  /* of initial weights, dropout, shuffling */
    evolve_goal goal;
} evolve_plan;

/* A training under way: made, stepped until done, freed. Its state after n steps is a pure function
 * of (model configuration, settings, plan, n). */
typedef struct evolve_training evolve_training;

evolve_training *evolve_training_new(t5_model *model, evolve_pairs *pairs,
                                     const evolve_settings *settings, const evolve_plan *plan,
                                     base_error *error);
void evolve_training_free(evolve_training *training);

int64_t evolve_training_steps(const evolve_training *training); /* in all */
int64_t evolve_training_done(const evolve_training *training);  /* taken */

/* One step. */
bool evolve_training_step(evolve_training *training, base_error *error);

/* The mean loss a token of each step taken, before its update. */
const float *evolve_training_losses(const evolve_training *training);

/* Their sum so far; its average over all tokens (the few-shot score), and the same a pair. */
evolve_sum evolve_training_sum(const evolve_training *training);
double evolve_training_score(const evolve_training *training);
double evolve_training_score_pair(const evolve_training *training);

/* Floating-point operations of the steps taken (t5_config_step_flops). */
int64_t evolve_training_flops(const evolve_training *training);

/* Bytes of weights, gradients, optimizer state, and of the largest step so far. */
size_t evolve_training_bytes(const evolve_training *training);

/* Saves all that a training needs to go on (weights, optimizer state, losses), and restores it. */
bool evolve_training_save(const evolve_training *training, const char *path,
                          char hash[BASE_HASH_TEXT], base_error *error);
bool evolve_training_load(evolve_training *training, const char *path, base_error *error);

#endif
