/* fidelity.h -- how well a model imitates the refinement rules it was trained on.
 *
 * The T5 learns to be a random mutator, so it is measured as one: which share of its samples are
 * programs, which make exactly one edit, which a legal one, and how far the distribution of its
 * edits is from the true one. */
#ifndef REFINE_FIDELITY_H
#define REFINE_FIDELITY_H

#include "refine/language.h"
#include "refine/mutator.h"

typedef struct refine_fidelity {
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
    int outcome_count;                    /* refine_mutator_outcomes(); "illegal" is the last */
    double outcomes[REFINE_MAX_OUTCOMES]; /* samples an outcome */
    double expected[REFINE_MAX_OUTCOMES]; /* the same under the mutator, summed over the sources */
} refine_fidelity;

/* Counts one sample (text, of that length) made from that source; call refine_fidelity_finish
 * after the last. A zeroed refine_fidelity has counted nothing. */
void refine_fidelity_add(refine_fidelity *fidelity, const refine_mutator *mutator,
                         const refine_interface *interface, const refine_form *source,
                         const char *text, size_t length);

/* Sets total_variation; may be called after any sample, for a value so far. No samples: 0. */
void refine_fidelity_finish(refine_fidelity *fidelity);

#endif
