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
 * them, uniform draws (search_proposer). The papers' question, whether a T5 programs, is then one
 * strategy with two proposers. */
#ifndef SEARCH_H
#define SEARCH_H

#include "base/error.h"
#include "base/random.h"
#include <stdint.h>

typedef enum search_strategy {
    SEARCH_GREEDY,  /* a batch from the source; its best becomes the source if it is better
                       (000, section 3) */
    SEARCH_CLIMB,   /* the same, one candidate at a time; one as good is taken too */
    SEARCH_GENETIC, /* generations; parents by tournaments of two (001, after Whitley 1994). No
                       crossover: candidates have no parts here, and the papers have none either */
    SEARCH_AGEING,  /* regularised evolution: the best of a sample has a child, the oldest dies
                       (Real et al. 2019, arXiv:1802.01548) */
    SEARCH_RANDOM,  /* uniform over the space */
    SEARCH_HALVING, /* uniform over the space; many cheap scores, the better half of them on twice
                       the pairs, and again (Jamieson & Talwalkar 2016, arXiv:1502.07943) */
    SEARCH_LARGER,  /* always a size larger, until there is none */
    SEARCH_STRATEGIES
} search_strategy;

extern const char *const search_strategy_names[SEARCH_STRATEGIES + 1]; /* NULL-ended */
const char *search_strategy_name(search_strategy strategy);
bool search_strategy_refines(search_strategy strategy); /* it asks a proposer: SEARCH_REFINE */
bool search_strategy_read(const char *name, search_strategy *strategy, base_error *error);

typedef struct search_how {
    search_strategy strategy;
    int candidates; /* of a batch: trials asked for at once, at most */
    int population; /* GENETIC, AGEING; 2 or more */
    int sample;     /* AGEING: how many the parent is the best of */
    bool elitism;   /* GREEDY, GENETIC: the best so far is never lost (AMB-2) */
    uint64_t seed;
} search_how;

enum { SEARCH_NOTHING = -1 }; /* no candidate; candidates are numbered from 0 */

typedef enum search_request {
    SEARCH_REFINE, /* a refinement of source */
    SEARCH_DRAW,   /* any of the space, each as likely */
    SEARCH_GROW,   /* one larger than source */
    SEARCH_AGAIN   /* source itself, scored on more pairs than before */
} search_request;

typedef struct search_trial {
    search_request wish;
    int64_t source;
    double share; /* of a score's pairs to train on: 1, or less */
    /* the answer */
    int64_t candidate; /* SEARCH_NOTHING: what came was no program that can be scored */
    double score;      /* of nothing: not looked at */
} search_trial;

typedef struct search_state search_state;

/* start: the first source, and its score. NULL: no memory. */
search_state *search_new(const search_how *how, int64_t start, double score);
void search_free(search_state *search);

/* Up to how->candidates trials, all of one wish and one share; 0: the strategy has nothing left to
 * try. */
int search_ask(search_state *search, search_trial *trials);

/* The first `count` of what was asked last, answered; the rest was not made. */
void search_tell(search_state *search, const search_trial *trials, int count);

/* Puts `other` wherever the search has `candidate`: it turned out to be of no use (between a tell
 * and the next ask). */
void search_replace(search_state *search, int64_t candidate, int64_t other, double score);

/* What the search has found: the source of now for GREEDY and CLIMB, the best that was ever scored
 * in full for the others. */
int64_t search_found(const search_state *search, double *score);

/* The population, oldest first (for AGEING), as far as it is there; how many. */
int search_population(const search_state *search, int64_t *candidates, int most);

/* ---- a whole search ---- */

typedef struct search_proposer {
    void *user;
    int64_t (*propose)(void *user, int64_t source, base_random *random); /* may be nothing */
    /* Operations that the next proposal takes, with all that has to be trained for it first. NULL:
     * none to speak of. */
    int64_t (*flops)(void *user, int64_t source);
} search_proposer;

typedef struct search_world {
    void *user;
    int64_t (*draw)(void *user, base_random *random);
    int64_t (*grow)(void *user, int64_t source, base_random *random); /* nothing: none is larger */
    double (*score)(void *user, int64_t candidate, double share);
    int64_t (*flops)(void *user, int64_t candidate, double share); /* that the score takes now */
} search_world;

/* What a search may spend, or has spent. A score on a share of the pairs is that share of an
 * evaluation. A repeated candidate is an evaluation too; whether it takes operations is the world's
 * to say. What is no program is a proposal and no evaluation. */
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

/* Scores start, then asks and tells until the next trial would go beyond the budget, or nothing is
 * left to try. False: no memory. */
bool search_run(const search_how *how, int64_t start, const search_world *world,
                const search_proposer *proposer, const search_budget *budget,
                search_finding *finding);

#endif
