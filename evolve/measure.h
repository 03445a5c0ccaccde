/* measure.h -- what a trained mutator is worth: its loss on pairs that no training saw, beside the
 * floor that no model can beat, and how faithfully it edits. */
#ifndef EVOLVE_MEASURE_H
#define EVOLVE_MEASURE_H

#include "evolve/train.h"
#include "refine/fidelity.h"

/* Sums over some pairs; all in nats. */
typedef struct evolve_gap {
    int64_t pairs;
    double loss;  /* -log P_model(refined | source) */
    double floor; /* -log P(refined | source) under the mutator: what the true mutator would lose */
} evolve_gap;

/* The held-out loss, in all and by what was edited. loss - floor, a pair, is an
 * unbiased estimate of the Kullback-Leibler distance of the model from the rules. */
typedef struct evolve_held_out {
    evolve_gap all, by_edit[REFINE_MAX_EDITS];
} evolve_held_out;

double evolve_gap_distance(const evolve_gap *gap); /* (loss - floor) / pairs; 0 where no pair */

/* Pairs first .. first + count - 1. */
bool evolve_measure_held_out(t5_model *model, evolve_pairs *pairs, const evolve_settings *settings,
                             uint64_t first, int64_t count, evolve_held_out *result,
                             base_error *error);

/* Eight samples for each of `sources` held-out sources. */
bool evolve_measure_fidelity(t5_model *model, const t5_tokenizer *tokenizer,
                             const evolve_settings *settings, int64_t sources,
                             refine_fidelity *result, base_error *error);

/* Members of a JSON object, for the journal. Edits that no pair had are left out. */
void evolve_held_out_members(const evolve_held_out *result, const refine_mutator *mutator,
                             base_text *text);
void evolve_fidelity_members(const refine_fidelity *result, base_text *text);

/* And for people, a few lines. */
void evolve_held_out_describe(const evolve_held_out *result, const refine_mutator *mutator,
                              base_text *text);
void evolve_fidelity_describe(const refine_fidelity *result, base_text *text);

#endif
