/* SPDX-License-Identifier: MIT */
/* candidate.h -- a candidate, from its proposal to its place in the lineage of a run.
 *
 * One numbering: candidates are numbered in the order of their proposals, whatever comes of them,
 * and number 0 is the default source. A strategy (search.h) knows no more of them than that number
 * and a score; the journal, the report and `phoenix why` mean the same one. For people a candidate
 * is named by its place, 3.0.5: candidate 5 of batch 0 of episode 3, each counted from 0. */
#ifndef LOOP_CANDIDATE_H
#define LOOP_CANDIDATE_H

#include "base/hash.h"
#include "evolve/loop/events.h"
#include "evolve/settings.h"
#include "evolve/search/search.h"

enum { LOOP_NOBODY = SEARCH_NOTHING }; /* no candidate's number */

typedef struct loop_candidate {
    loop_kind kind; /* of the event with its outcome: DEFAULT, EVALUATED, KEPT or COMPARED */
    int number;
    int episode, batch, place; /* EVALUATED: where it was proposed */
    int seed;                  /* COMPARED: which of the fresh seeds; KEPT: 0, the first */
    const char *text;          /* the caller's; ends at its first NUL for people */
    size_t length;
    int parent;   /* what it was made from; LOOP_NOBODY: it was drawn from the whole space */
    double share; /* of a score's pairs that it is scored on */
    double bound; /* the score that it has to beat: it is stopped when it cannot; 0: it is not */
    char begins[BASE_HASH_TEXT]; /* with which network (networks.h); "": as it is drawn */

    bool scored;              /* its outcome is known; else nothing below is */
    bool reused;              /* the outcome is that of an equal program: */
    int original;             /* candidate number, where the lineage knows it; else LOOP_NOBODY */
    bool accepted;            /* it became the source; the lineage's to say */
    char key[BASE_HASH_TEXT]; /* of (normal form, settings); "": it does not parse and check */
    score_result score;       /* of SCORE_STOPPED, the least that it can be */
    const base_json *json;    /* the event; NULL: there is none, or nobody kept it */
} loop_candidate;

/* Index is number. */
typedef struct loop_candidates {
    loop_candidate *list;
    int count;
} loop_candidates;

/* False: no memory. */
bool loop_candidates_add(loop_candidates *candidates, const loop_candidate *candidate);
void loop_candidates_free(loop_candidates *candidates);

/* Adds the candidates of a PROPOSED event, made from the sources that the ASKED event names; asked
 * NULL: refinements of `source`, the current one. origin: for errors, of events that do not fit. */
bool loop_candidates_propose(loop_candidates *candidates, const evolve_settings *settings,
                             const loop_event *proposed, const loop_event *asked, int source,
                             const char *origin, base_error *error);

/* The settings that it is scored by: the run's; on its share of the pairs; of COMPARED on fresh
 * pairs with a fresh seed, and of KEPT likewise. */
evolve_settings loop_candidate_settings(const evolve_settings *settings,
                                        const loop_candidate *candidate);

/* Whether its trained network is kept: as the run's, or for children to begin with. */
bool loop_candidate_keeps(const evolve_settings *settings, const loop_candidate *candidate);

/* Takes in the outcome from its event; false: no candidate of that run can have it. */
bool loop_candidate_take(loop_candidate *candidate, const loop_event *event,
                         const evolve_settings *settings, const char *origin, base_error *error);

/* The event of its outcome. */
loop_event loop_candidate_event(const loop_candidate *candidate);

#endif
