/* search.h -- ways to search, behind one question and one answer.
 *
 *   ask    which trials to make next: what to propose from, how much of a score to pay for
 *   tell   what came of them
 *
 * A strategy sees candidates as numbers that its caller gave them, and scores, lower is better. So
 * the same code searches designs in a table, where a trial is a look into it, and sources in a run,
 * where a trial is a T5's text and a process that trains it. What a strategy does is a pure
 * function of (how, seed, what it was told): a run that is replayed asks the same questions.
 *
 * What proposes is not the strategy's business either: the papers' edit rules, a T5 that imitates
 * them, uniform draws (evolve_proposer). The papers' question, whether a T5 programs, is then one
 * strategy with two proposers. */
#ifndef EVOLVE_SEARCH_H
#define EVOLVE_SEARCH_H

#include "base/error.h"
#include "base/random.h"
#include <stdint.h>

typedef enum evolve_strategy {
    EVOLVE_GREEDY,  /* a batch from the source; its best becomes the source if it is better
                       (000, section 3) */
    EVOLVE_CLIMB,   /* the same, one candidate at a time; one as good is taken too */
    EVOLVE_GENETIC, /* generations; parents by tournaments of two (001, after Whitley 1994). No
                       crossover: candidates have no parts here, and the papers have none either */
    EVOLVE_AGEING,  /* regularised evolution: the best of a sample has a child, the oldest dies
                       (Real et al. 2019, arXiv:1802.01548) */
    EVOLVE_RANDOM,  /* uniform over the space */
    EVOLVE_HALVING, /* uniform over the space; many cheap scores, the better half of them on twice
                       the pairs, and again (Jamieson & Talwalkar 2016, arXiv:1502.07943) */
    EVOLVE_LARGER,  /* always a size larger, until there is none */
    EVOLVE_STRATEGIES
} evolve_strategy;

extern const char *const evolve_strategy_names[EVOLVE_STRATEGIES + 1]; /* NULL-ended */
const char *evolve_strategy_name(evolve_strategy strategy);
bool evolve_strategy_refines(evolve_strategy strategy); /* it asks a proposer: EVOLVE_REFINE */
bool evolve_strategy_read(const char *name, evolve_strategy *strategy, base_error *error);

typedef struct evolve_how {
    evolve_strategy strategy;
    int candidates; /* of a batch: trials asked for at once, at most */
    int population; /* GENETIC, AGEING; 2 or more */
    int sample;     /* AGEING: how many the parent is the best of */
    bool elitism;   /* GREEDY, GENETIC: the best so far is never lost (AMB-2) */
    uint64_t seed;
} evolve_how;

enum { EVOLVE_NOTHING = -1 }; /* no candidate; candidates are numbered from 0 */

typedef enum evolve_wish {
    EVOLVE_REFINE, /* a refinement of source */
    EVOLVE_DRAW,   /* any of the space, each as likely */
    EVOLVE_GROW,   /* one larger than source */
    EVOLVE_AGAIN   /* source itself, scored on more pairs than before */
} evolve_wish;

typedef struct evolve_trial {
    evolve_wish wish;
    int64_t source;
    double share; /* of a score's pairs to train on: 1, or less */
    /* the answer */
    int64_t candidate; /* EVOLVE_NOTHING: what came was no program that can be scored */
    double score;      /* of nothing: not looked at */
} evolve_trial;

typedef struct evolve_search evolve_search;

/* start: the first source, and its score. NULL: no memory. */
evolve_search *evolve_search_new(const evolve_how *how, int64_t start, double score);
void evolve_search_free(evolve_search *search);

/* Up to how->candidates trials, all of one wish and one share; 0: the strategy has nothing left to
 * try. */
int evolve_search_ask(evolve_search *search, evolve_trial *trials);

/* The first `count` of what was asked last, answered; the rest was not made. */
void evolve_search_tell(evolve_search *search, const evolve_trial *trials, int count);

/* Puts `other` wherever the search has `candidate`: it turned out to be of no use (between a tell
 * and the next ask). */
void evolve_search_replace(evolve_search *search, int64_t candidate, int64_t other, double score);

/* What the search has found: the source of now for GREEDY and CLIMB, the best that was ever scored
 * in full for the others. */
int64_t evolve_search_found(const evolve_search *search, double *score);

/* The population, oldest first (for AGEING), as far as it is there; how many. */
int evolve_search_population(const evolve_search *search, int64_t *candidates, int most);

/* ---- a whole search ---- */

typedef struct evolve_proposer {
    void *user;
    int64_t (*propose)(void *user, int64_t source, base_random *random); /* may be nothing */
    /* Operations that the next proposal takes, with all that has to be trained for it first. NULL:
     * none to speak of. */
    int64_t (*flops)(void *user, int64_t source);
} evolve_proposer;

typedef struct evolve_world {
    void *user;
    int64_t (*draw)(void *user, base_random *random);
    int64_t (*grow)(void *user, int64_t source, base_random *random); /* nothing: none is larger */
    double (*score)(void *user, int64_t candidate, double share);
    int64_t (*flops)(void *user, int64_t candidate, double share); /* that the score takes now */
} evolve_world;

/* What a search may spend, or has spent. A score on a share of the pairs is that share of an
 * evaluation. A repeated candidate is an evaluation too; whether it takes operations is the world's
 * to say. What is no program is a proposal and no evaluation. */
typedef struct evolve_budget {
    double evaluations;
    int64_t flops;
    int64_t proposals;
} evolve_budget;

typedef struct evolve_finding {
    int64_t candidate;
    double score;
    evolve_budget spent; /* never more than the budget */
} evolve_finding;

/* Scores start, then asks and tells until the next trial would go beyond the budget, or nothing is
 * left to try. False: no memory. */
bool evolve_search_run(const evolve_how *how, int64_t start, const evolve_world *world,
                       const evolve_proposer *proposer, const evolve_budget *budget,
                       evolve_finding *finding);

#endif
