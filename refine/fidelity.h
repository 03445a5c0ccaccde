/* fidelity.h -- how well a model imitates the refinement rules it was trained on.
 *
 * The T5 learns to be a random mutator, so it is measured as one: which share of its samples are
 * programs, which make exactly one edit, which a legal one, and how far the distribution of its
 * edits is from the true one. */
#ifndef REFINE_FIDELITY_H
#define REFINE_FIDELITY_H

#include "refine/language.h"
#include "refine/sample.h"

enum { REFINE_OUTCOMES = 2 * REFINE_EDITS + 1, REFINE_ILLEGAL = REFINE_OUTCOMES - 1 };

typedef struct refine_fidelity {
    int samples;
    int parsed;   /* are programs of the language */
    int valid;    /* and pass the checker and define model() */
    int designs;  /* and have exactly the printed form, so that their edit can be read */
    int one_edit; /* and differ from their source in exactly one parameter */
    int legal;    /* designs that have a probability above 0 under the rules */
    int copies;   /* designs equal to their source */
    double edits[REFINE_EDITS]; /* legal samples a parameter */
    /* Total variation between the samples' outcomes and the true distribution, over the parameter
     * that is edited and its direction (8 outcomes; everything illegal is a ninth): 0 the same,
     * 1 disjoint. Sampling noise alone gives about sqrt(9 / samples) / 2: see fidelity.c. */
    double total_variation;
    double outcomes[REFINE_OUTCOMES]; /* samples an outcome: edit * 2 + up, illegal last */
    double expected[REFINE_OUTCOMES]; /* the same under the rules, summed over the sources */
} refine_fidelity;

/* Counts one sample (text, of that length) made from that source; call refine_fidelity_finish
 * after the last. A zeroed refine_fidelity has counted nothing. */
void refine_fidelity_add(refine_fidelity *fidelity, const refine_rules *rules,
                         const refine_interface *interface, const refine_design *source,
                         const char *text, size_t length);

/* Sets total_variation; may be called after any sample, for a value so far. No samples: 0. */
void refine_fidelity_finish(refine_fidelity *fidelity);

#endif
