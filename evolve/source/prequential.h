/* SPDX-License-Identifier: MIT */
/* prequential.h -- the score of a source that trains as it likes.
 *
 * The score is the mean loss of the budget's N pairs, or of the last quarter of them, each measured
 * once, before the model is trained on it: the prequential code length (Dawid 1984), which for the
 * default training is the papers' "average training loss". The last quarter is a better guide to a
 * full training (docs/evidence.md), as how a training begins tells little of how it ends. What a
 * source may choose is which pairs it takes and when, so the score must not reward a choice of that
 * kind. One rule sees to it:
 *
 *     pair i is measured before more than i pairs are taken, and before it is taken itself.
 *
 * Pairs in their order are measured by the very step that learns from them. To take the same pair
 * twice, to leave out hard ones, to put them last, to take others from elsewhere or to stop at once
 * moves no measurement to a later time, so it gains nothing but what the model really learns.
 *
 * Where the score has to beat another (the source's), its measurement is over as soon as it cannot.
 * The pairs are fixed, and so is the number T of their labels; in the end the score is S / T, S the
 * sum of all losses, added in their order. No loss is negative, in floats either: it is
 * (largest - at_target) + log(sum) with at_target <= largest, and one of the sum's terms is
 * exp(0) = 1 (tensor/cross_entropy.c). Rounding is monotone: fl(s + x) >= s for x >= 0, so S >= s
 * for each sum s on the way, and fl(S / T) >= fl(s / T). Once fl(s / T) is not below the score to
 * beat, neither is the score, whatever follows: exactly, without a tolerance. What weights a source
 * gives to its labels is no matter: its objective has them, the score has not. */
#ifndef SOURCE_PREQUENTIAL_H
#define SOURCE_PREQUENTIAL_H

#include "evolve/source/pairs.h"

/* The pairs that a score is a mean over: `count` of them from index `first` on. Those of the budget
 * stand in it behind `skipped` others; held-out pairs are not of the budget. */
typedef struct source_scored {
    uint64_t first;
    int64_t count, skipped;
    bool held_out;
} source_scored;

/* Of a training on `count` pairs from `first` on. */
source_scored source_scored_of(const evolve_settings *settings, uint64_t first, int64_t count);

typedef struct source_prequential {
    source_scored scored;
    int64_t turn; /* all before this one have been measured */
    uint8_t *measured;
    source_sum sum;
} source_prequential;

bool source_prequential_begin(source_prequential *p, const source_scored *scored,
                              base_error *error);
void source_prequential_end(source_prequential *p);

/* True the first time that a pair of the score is claimed: the caller then adds this step's loss of
 * it to the sum. False for later claims, and for other pairs. */
bool source_prequential_claim(source_prequential *p, uint64_t index);

/* The next pair to be measured before `taken` pairs are taken, if there is one; it is claimed. */
bool source_prequential_due(source_prequential *p, int64_t taken, uint64_t *index);

/* Sets the score to beat (0: none), and counts the labels of the pairs that it is a mean over. */
bool source_goal_begin(source_goal *goal, double score, source_pairs *pairs,
                       const evolve_settings *settings, base_error *error);

/* Whether the score of which this is the sum so far cannot be below goal->score any more. Once all
 * is measured it is a score like any other: false. */
bool source_goal_lost(const source_goal *goal, const source_sum *sum);

/* Adds the losses of some pairs as they are predicted now, without dropout, until the goal is lost.
 * NULL for index: those from `first` on. A tensor failure may leave in the middle. */
bool source_measure_pairs(t5_model *model, source_pairs *pairs, const uint64_t *index,
                          uint64_t first, int64_t count, const source_goal *goal, source_sum *sum,
                          base_error *error);

/* Adds the losses of the held-out pairs that decide. They are neither those that a run reports
 * (SOURCE_HELD_OUT on), nor, for the last comparison on fresh pairs, those that decided before. */
bool source_measure_score(t5_model *model, source_pairs *pairs, const evolve_settings *settings,
                          const source_goal *goal, source_sum *sum, base_error *error);

/* Where the score was measured on the way: what train() has left must be worth it. If the model at the
 * end loses a quarter more a token on 64 held-out pairs than the score says, that loss is the score: a
 * train() may not ruin what was measured before, since what it leaves is what the next T5 would be. */
bool source_measure_left(t5_model *model, source_pairs *pairs, const evolve_settings *settings,
                         source_sum *sum, base_error *error);

#endif
