/* SPDX-License-Identifier: MIT */
/* propose.h -- the trials of a strategy as texts: what a run scores next.
 *
 *   refine  by a T5 that is given the source (generator.h), or by the edit rules (mutator.h), one or more
 *           edits a child, which counts of what paid may weight (evolve/search/counts.h), or a critic may choose
 *           among (critic.h)
 *   draw    a source as the training pairs have them, each decision uniform
 *   grow    one of the sizes of a design, a step up
 *   again   the source itself, as the first of each batch is where networks inherit (evolve_inherits)
 *
 * A text is a pure function of (settings, episode, batch, its place in the batch, the source); of children
 * of several edits, of counts and of a critic also of the candidates before it, none of which is written again, and
 * of their outcomes. */
#ifndef LOOP_PROPOSE_H
#define LOOP_PROPOSE_H

#include "evolve/loop/candidate.h"
#include "evolve/loop/generator.h"
#include "evolve/search/experience.h"

/* What a strategy asks for in one batch. */
typedef struct loop_request {
    const evolve_settings *settings;
    loop_generator *generator;           /* NULL: no T5 writes */
    const loop_candidate *candidates;    /* those that trials are made from, by their numbers */
    int known;                           /* how many there are, each of them with its outcome */
    const search_experience *experience; /* of earlier runs, for those who learn; NULL: none */
    char *const *more; /* given programs, NULL-ended, which the first trials are; NULL: none */
    int episode, batch;
    const search_trial *trials; /* all with the same request and share */
    int count;
} loop_request;

/* Whether there is such a search, from that first source on, with more of them (NULL-ended, or NULL) as its first
 * candidates; the error names the setting that asks for too much. */
bool loop_propose_check(const evolve_settings *settings, const char *first, char *const *more,
                        base_error *error);

/* The event ASKED of the request. It points into *from, which the caller frees after it is
 * written. */
loop_event loop_request_event(const loop_request *request, base_text *from);

/* Appends a JSON array to `texts`: one for each trial, or none where nothing is larger than what
 * is to grow. *flops: the operations of writing them, a T5's, or of a critic's training and judgements. */
bool loop_propose(const loop_request *request, base_text *texts, int64_t *flops, base_error *error);

#endif
