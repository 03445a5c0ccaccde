/* SPDX-License-Identifier: MIT */
/* fidelity.h -- how well a model imitates the refinement rules it was trained on.
 *
 * The T5 learns to be a random mutator, so it is measured as one: which share of its samples are
 * programs, which make exactly one edit, which a legal one, and how far the distribution of its
 * edits is from the true one. */
#ifndef MUTATION_FIDELITY_H
#define MUTATION_FIDELITY_H

#include "refine/language/language.h"
#include "refine/mutation/mutator.h"

typedef struct mutation_fidelity {
    int samples;
    int parsed;   /* are programs of the language */
    int valid;    /* and pass the checker and define model() */
    int designs;  /* and have exactly the printed form, so that their edit can be read */
    int one_edit; /* and differ from their source in exactly one parameter or decision */
    int legal;    /* designs that have a probability above 0 under the mutator */
    int copies;   /* designs equal to their source */
    /* Total variation between the samples' outcomes and the true distribution, over what is edited
     * and its direction (for the papers' rules 8 outcomes; everything illegal is a ninth): 0 the
     * same, 1 disjoint. Sampling noise alone gives about sqrt(9 / samples) / 2: see fidelity.c. */
    double total_variation;
    int outcome_count;                      /* mutation_mutator_outcomes(); "illegal" is the last */
    double outcomes[MUTATION_MAX_OUTCOMES]; /* samples an outcome */
    double
        expected[MUTATION_MAX_OUTCOMES]; /* the same under the mutator, summed over the sources */
} mutation_fidelity;

/* Counts one sample (text, of that length) made from that source; call mutation_fidelity_finish
 * after the last. A zeroed mutation_fidelity has counted nothing. */
void mutation_fidelity_add(mutation_fidelity *fidelity, const mutation_mutator *mutator,
                           const language_interface *interface, const mutation_form *source,
                           const char *text, size_t length);

/* Sets total_variation; may be called after any sample, for a value so far. No samples: 0. */
void mutation_fidelity_finish(mutation_fidelity *fidelity);

#endif
