/* propose.h -- the trials of a strategy as texts: what a run scores next.
 *
 *   refine  by a T5 that is given the source (generator.h), or by the edit rules (refine/mutation/mutator.h)
 *   draw    a source as the training pairs have them, each decision uniform
 *   grow    one of the sizes of a design, a step up
 *   again   the source itself
 *
 * A text is a pure function of (settings, episode, batch, its number in the batch, the source). */
#ifndef LOOP_PROPOSE_H
#define LOOP_PROPOSE_H

#include "evolve/loop/archive.h"
#include "evolve/loop/generator.h"
#include "evolve/search/search.h"

typedef struct loop_asked {
    const evolve_settings *settings;
    loop_generator *generator; /* NULL: no T5 writes */
    const loop_archive *archive;
    int episode, batch;
    const search_trial *trials; /* all of one wish and one share */
    int count;
} loop_asked;

/* Whether there is such a search; the error names the setting that asks for too much. */
bool loop_propose_check(const evolve_settings *settings, base_error *error);

/* Members of an event: what is asked for, by the sources' numbers. */
void loop_asked_members(const loop_asked *asked, base_text *members);

/* Members of an event: "texts", one for each trial, or none where nothing is larger than what is to
 * grow; and "flops", the operations of writing them, a T5's. */
bool loop_propose(const loop_asked *asked, base_text *members, base_error *error);

#endif
