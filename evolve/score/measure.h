/* SPDX-License-Identifier: MIT */
/* measure.h -- what a trained mutator is worth: its loss on pairs that no training saw, beside the
 * floor that no model can beat, and how faithfully it edits. */
#ifndef SCORE_MEASURE_H
#define SCORE_MEASURE_H

#include "evolve/source/pairs.h"
#include "refine/mutation/fidelity.h"

/* Sums over some pairs; all in nats. */
typedef struct score_gap {
    int64_t pairs;
    double loss;  /* -log P_model(refined | source) */
    double floor; /* -log P(refined | source) under the mutator: what the true mutator would lose */
} score_gap;

/* The held-out loss, in all and by what was edited. loss - floor, a pair, is an
 * unbiased estimate of the Kullback-Leibler distance of the model from the rules. */
typedef struct score_held_out {
    score_gap all, by_edit[MUTATION_MAX_EDITS];
} score_held_out;

double score_gap_distance(const score_gap *gap); /* (loss - floor) / pairs; 0 where no pair */

/* Pairs first .. first + count - 1, which are that mutator's. */
bool score_measure_held_out(t5_model *model, source_pairs *pairs, const mutation_mutator *mutator,
                            uint64_t first, int64_t count, score_held_out *result,
                            base_error *error);

/* Of pairs of text, whose law nobody knows: no floor, and no edit that could be legal. */
typedef struct score_texts {
    int64_t pairs, tokens; /* tokens: the end of each text is one of them */
    double loss;           /* nats, of all */
    int64_t
        right; /* tokens that are the likeliest behind those before them in the pair's own text */
    int64_t exact; /* pairs with all tokens right: those that --greedy writes token for token */
} score_texts;

/* Pairs first .. first + count - 1 of a dataset of text. */
bool score_measure_texts(t5_model *model, source_pairs *pairs, uint64_t first, int64_t count,
                         score_texts *result, base_error *error);

/* {"pairs", "tokens", "loss" a token, "right", "exact"}, the last two as counts, and back; and a line for
 * people. */
void score_texts_print(const score_texts *result, base_text *text);
bool score_texts_read(score_texts *result, const base_json *object, base_error *error);
void score_texts_describe(const char *name, const score_texts *result, base_text *text);

/* Eight samples for each of `sources` held-out sources, with the temperature, top-p and top-k of the
 * settings, which proposals have. */
bool score_measure_fidelity(t5_model *model, const t5_tokenizer *tokenizer,
                            const evolve_settings *settings, const mutation_mutator *mutator,
                            int64_t sources, mutation_fidelity *result, base_error *error);

/* JSON objects, for the journal. {"all": gap, edit: gap, ...}, where a gap is {"pairs", "loss",
 * "floor", "distance"}, the last three in nats a pair; edits that no pair had are left out. And
 * {"samples", "parsed", "valid", "designs", "one_edit", "legal", "copies", "total_variation"}. */
void score_held_out_print(const score_held_out *result, const mutation_mutator *mutator,
                          base_text *text);
void score_fidelity_print(const mutation_fidelity *result, base_text *text);

/* The distance of "all", read back from such an object. */
bool score_held_out_distance(const base_json *held_out, double *distance, base_error *error);

/* Whether two such objects, as they were read, are of measurements that there can be. */
bool score_measures_possible(const base_json *held_out, const base_json *fidelity,
                             const char *origin, base_error *error);

/* And for people, a few lines; of no samples none. */
void score_held_out_describe(const score_held_out *result, const mutation_mutator *mutator,
                             base_text *text);
void score_fidelity_describe(const mutation_fidelity *result, base_text *text);

#endif
