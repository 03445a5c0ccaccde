/* SPDX-License-Identifier: MIT */
/* pairs.h -- pairs of a program and its refinement, as tokens; and which of them a training takes. */
#ifndef SOURCE_PAIRS_H
#define SOURCE_PAIRS_H

#include "evolve/settings.h"
#include "evolve/source/corpus.h"
#include "evolve/source/texts.h"
#include "refine/mutation/mutator.h"
#include "t5/t5.h"

/* The tokenizer of a run: trained on the sources of the dataset's first 1024 pairs, so that every
 * process can make it for itself from the settings. */
t5_tokenizer *source_tokenizer(const evolve_settings *settings, base_error *error);

/* That of the pairs of text (texts.h) instead, where `texts` are given; NULL: there are none. */
t5_tokenizer *source_tokenizer_of(const source_texts *texts, const evolve_settings *settings,
                                  base_error *error);

/* The same with the sentinels of a corpus, where one is given: of a stage that is pre-trained on it. */
t5_tokenizer *source_stage_tokenizer(const source_texts *texts, const source_corpus *corpus,
                                     const evolve_settings *settings, base_error *error);

/* Pairs as the model reads them. The score's are looked at more than once (to plan, to sort, to
 * train), so their tokens are kept: the first 16384 of them. */
typedef struct source_pairs source_pairs;

source_pairs *source_pairs_new(const evolve_settings *settings, const t5_tokenizer *tokenizer,
                               base_error *error);

/* Pairs of text instead, where `texts` (may be NULL) are given. The training part takes the place of all
 * pairs that can be trained on, one pass over it behind another, the validation part that of those that
 * decide, the held-out part that of the held-out and of the fresh ones that decide. */
source_pairs *source_pairs_of(const source_texts *texts, const evolve_settings *settings,
                              const t5_tokenizer *tokenizer, base_error *error);

/* Sequences of a corpus and their gaps instead, as many as are asked for. The tokenizer has the sentinels. */
source_pairs *source_pairs_of_corpus(const source_corpus *corpus, const evolve_settings *settings,
                                     const t5_tokenizer *tokenizer, base_error *error);
void source_pairs_free(source_pairs *pairs);

/* What a run has learnt of refinements. */
enum { SOURCE_MOST_WINNERS = 8 };
typedef struct source_lesson {
    bool is_weighted;
    double weight[MUTATION_MAX_OUTCOMES]; /* of edits (mutator.h) */
    /* With words (judge.h): weights are the chances of the word "better". Pairs to train on are the rules', each with the word
     * that its edit draws, one of four a judgement; held-out ones are weighted, which is the law of pairs given "better". */
    bool has_words;
    /* Refinements that paid: each pair to train on is one of them with chance 1/2, where there are some. */
    struct {
        const char *source, *refined;
    } winner[SOURCE_MOST_WINNERS];
    int winner_count;
} source_lesson;

/* Pairs by that lesson, the caller's, from now on; NULL: all edits weigh alike. */
void source_pairs_teach(source_pairs *pairs, const source_lesson *lesson);

/* Appends pair `index` of the dataset to a batch; what was drawn goes to *pair if that is not
 * NULL. */
bool source_pairs_add(source_pairs *pairs, uint64_t index, t5_batch *batch, mutation_drawn *pair,
                      base_error *error);

/* Adds the losses of pair `pair` of a batch to *sum, one token after another: in double, in the
 * order of the tokens, so that every sum of losses in the tree has the same bits. */
void source_add_losses(const t5_batch *batch, int pair, const float *row_loss, double *sum);

/* The held-out pairs start at this index and the fresh ones at that: no training gets there. */
#define SOURCE_HELD_OUT ((uint64_t)1 << 40)
#define SOURCE_FRESH    ((uint64_t)1 << 41)

/* Of the held-out pairs, those from here on decide: which source is better, when a training stops; and
 * those from there on, in the last comparison, which trains on fresh pairs. */
#define SOURCE_DECIDING       (SOURCE_HELD_OUT + ((uint64_t)2 << 38))
#define SOURCE_DECIDING_FRESH (SOURCE_HELD_OUT + ((uint64_t)3 << 38))

typedef struct source_sum {
    double loss; /* nats */
    int64_t tokens, pairs;
} source_sum;

/* The score to beat; prequential.h says what follows from it. */
typedef struct source_goal {
    double score;   /* 0: there is none */
    int64_t tokens; /* labels of all pairs of the score */
} source_goal;

/* The budget of a training: epochs * count pairs. */
typedef struct source_plan {
    uint64_t first; /* index of the first pair */
    int64_t count;  /* pairs of an epoch */
    int64_t epochs; /* passes that the default data() makes over them */
    uint64_t seed;  /* of initial weights, dropout, shuffling */
    bool goes_on;   /* the model has weights: none are drawn */
    /* Pairs that decide, measured after each epoch: the training ends when half of its epochs, 3 at least,
     * have not lowered their loss, with the weights of its lowest. 0: none are. */
    int64_t watched;
    source_goal goal;
} source_plan;

/* That of a score: the first few-shot pairs, once. */
source_plan source_plan_of_score(const evolve_settings *settings);

/* That of a full training on pairs of text: their training part, --final-epochs times at most. */
source_plan source_plan_of_texts(const source_texts *texts, const evolve_settings *settings,
                                 uint64_t seed);

/* Of a score on such pairs: full, where the settings have the part `final`. */
source_plan source_plan_of_pairs(const source_pairs *pairs, const evolve_settings *settings);

/* The settings under which a full training on pairs of text is measured: by the held-out part. */
evolve_settings source_settings_of_texts(const source_texts *texts,
                                         const evolve_settings *settings);

#endif
