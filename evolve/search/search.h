/* SPDX-License-Identifier: MIT */
/* search.h -- strategies of search, behind the ask-and-tell interface of optimizers (Collette et
 * al. 2010):
 *
 *   ask    which trials to make next: what to propose from, what share of a score to pay for
 *   tell   their outcomes
 *
 * A strategy knows candidates by the numbers that its caller gives them, and by their scores,
 * lower is better. So the same code searches designs in a table, where a trial is a lookup, and
 * sources in a run, where a trial is a T5's text and a process that trains it. What a strategy
 * does is a pure function of (how, seed, outcomes): a run that is replayed asks for the same
 * trials.
 *
 * Proposals come from elsewhere: the papers' edit rules, a T5 that imitates them, uniform draws
 * (search_proposer). The papers' question, whether a T5 can program, is then one strategy with two
 * proposers. */
#ifndef SEARCH_H
#define SEARCH_H

#include "base/error.h"
#include "base/random.h"
#include "evolve/strategy.h"
#include <stdint.h>

typedef struct search_how {
    evolve_strategy strategy;
    int candidates; /* of a batch: trials asked for at once, at most */
    int population; /* GENETIC, AGEING; 2 or more */
    int sample;     /* AGEING: how many the parent is the best of */
    bool elitism;   /* GREEDY, GENETIC: the best so far is never lost */
    uint64_t seed;
} search_how;

enum { SEARCH_NOTHING = -1 }; /* no candidate; candidates are numbered from 0 */

typedef enum search_request {
    SEARCH_REFINE, /* a refinement of source */
    SEARCH_DRAW,   /* any of the space, each as likely */
    SEARCH_GROW,   /* one larger than source */
    SEARCH_AGAIN   /* source itself, scored on more pairs than before */
} search_request;

extern const char *const search_request_names[SEARCH_AGAIN + 2]; /* NULL-ended */

typedef struct search_trial {
    search_request request;
    int64_t source;
    double share; /* of a score's pairs to train on: 1, or less */
    /* the outcome */
    int64_t candidate; /* SEARCH_NOTHING: the proposal has no score */
    double score;      /* of SEARCH_NOTHING: not read */
} search_trial;

typedef struct search_state search_state;

/* start: the first source, and its score. NULL: no memory. */
search_state *search_new(const search_how *how, int64_t start, double score);
void search_free(search_state *search);

/* Up to how->candidates trials, all with the same request and share; 0: the strategy has nothing
 * left to try. */
int search_ask(search_state *search, search_trial *trials);

/* trials: the first `count` of those that were asked for last, with their outcomes; the others were
 * not made. */
void search_tell(search_state *search, const search_trial *trials, int count);

/* Replaces candidate by other throughout the search's state, for a source that no stage could
 * train. Between a tell and the next ask. */
void search_replace(search_state *search, int64_t candidate, int64_t other, double score);

/* The result so far: for GREEDY and CLIMB the current source, for the others the best of all that
 * were scored on all pairs. */
int64_t search_found(const search_state *search, double *score);

/* ---- a whole search ---- */

typedef struct search_proposer {
    void *user;
    int64_t (*propose)(void *user, int64_t source, base_random *random); /* may be nothing */
    /* Operations that the next proposal takes, the training of the proposer included. NULL: none
     * worth counting. */
    int64_t (*flops)(void *user, int64_t source);
    /* What became of a batch, for one that learns. NULL: it does not. */
    void (*tell)(void *user, const search_trial *trials, int count);
} search_proposer;

typedef struct search_world {
    void *user;
    int64_t (*draw)(void *user, base_random *random);
    int64_t (*grow)(void *user, int64_t source, base_random *random); /* nothing: none is larger */
    double (*score)(void *user, int64_t candidate, double share);
    int64_t (*flops)(void *user, int64_t candidate, double share); /* that the score takes now */
} search_world;

/* What a search may use, or has used. A score on a share of the pairs counts as that share of an
 * evaluation. A repeated candidate counts as an evaluation; search_world.flops says whether it
 * takes operations. A text that is no program counts as a proposal and not as an evaluation. */
typedef struct search_budget {
    double evaluations;
    int64_t flops;
    int64_t proposals;
} search_budget;

typedef struct search_finding {
    int64_t candidate;
    double score;
    search_budget spent; /* never more than the budget */
} search_finding;

/* Scores start, then asks and tells until the next trial would exceed the budget, or nothing is
 * left to try. False: no memory. */
bool search_run(const search_how *how, int64_t start, const search_world *world,
                const search_proposer *proposer, const search_budget *budget,
                search_finding *finding);

#endif
