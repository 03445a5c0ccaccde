/* SPDX-License-Identifier: MIT */
/* learnt.h -- what a run has learnt of edits: from the experience that it began with, and from its own candidates, which
 * a resumption sees in its journal. So there is no state to keep. */
#ifndef LOOP_LEARNT_H
#define LOOP_LEARNT_H

#include "evolve/loop/candidate.h"
#include "evolve/source/pairs.h"
#include "evolve/search/critic.h"

/* All zero: nothing. */
typedef struct loop_learnt {
    search_counts counts; /* of counts, tilted and taught */
    search_critic critic; /* of critic, trained; search_critic_free() it */
} loop_learnt;

/* The copy of the experience that a run began with, which its folder keeps; *experience stays NULL where it has none. */
bool loop_experience_kept(const char *folder, search_experience **experience, base_error *error);

/* Leaves of it (NULL: there is none) what counts for a run with these settings. */
void loop_experience_narrow(search_experience *experience, const evolve_settings *settings);

/* For the proposer of the settings: the experience (NULL: none), and the outcomes of the first `known` candidates. */
bool loop_learn(const evolve_settings *settings, const mutation_mutator *mutator,
                const search_experience *experience, const loop_candidate *candidates, int known,
                loop_learnt *learnt, base_error *error);

/* What a T5 is taught then: of --proposer taught the weights of its pairs, of actor the chances of its words, of winners
 * the edits that gained most; of any other proposer nothing. Texts are the candidates'. */
bool loop_teach(const evolve_settings *settings, const search_experience *experience,
                const loop_candidate *candidates, int known, source_lesson *lesson,
                base_error *error);

#endif
