/* propose.h -- the trials of a strategy as texts: what a run scores next.
 *
 *   refine  by a T5 that is given the source (generator.h), or by the edit rules (refine/mutator.h)
 *   draw    a source as the training pairs have them, each decision uniform
 *   grow    one of the sizes of a design, a step up
 *   again   the source itself
 *
 * A text is a pure function of (settings, episode, batch, its number in the batch, the source). */
#ifndef EVOLVE_PROPOSE_H
#define EVOLVE_PROPOSE_H

#include "evolve/archive.h"
#include "evolve/generator.h"
#include "evolve/search.h"

typedef struct evolve_asked {
    const evolve_settings *settings;
    evolve_generator *generator; /* NULL: no T5 writes */
    const evolve_archive *archive;
    int episode, batch;
    const evolve_trial *trials; /* all of one wish and one share */
    int count;
} evolve_asked;

/* Whether there is such a search; the error names the setting that asks for too much. */
bool evolve_propose_check(const evolve_settings *settings, base_error *error);

/* Members of an event: what is asked for, by the sources' numbers. */
void evolve_asked_members(const evolve_asked *asked, base_text *members);

/* Members of an event: "texts", one for each trial, or none where nothing is larger than what is to
 * grow; and "flops", the operations of writing them, a T5's. */
bool evolve_propose(const evolve_asked *asked, base_text *members, base_error *error);

#endif
