/* SPDX-License-Identifier: MIT */
/* benchmark.h -- searches on the table (table.h): milliseconds each, and what they missed is known.
 *
 * A search sees what a search of a run sees: the few-shot scores of one seed, and never a full
 * training. What it found is then looked up: its loss after full training, mean over the seeds, and
 * how far that is from the best of the grid (its regret). Where the table has but one seed so far,
 * that seed stands for the others too, and what is said of other seeds is too good.
 *
 * A T5 takes part as a distribution of proposals. Its refinements are those of the edit rules, but
 * for the shares of programs that do not run, of copies, of several edits and of illegal ones, as
 * refine/mutation/fidelity.h measures them of a real one; and it is paid for. */
#ifndef SEARCH_BENCHMARK_H
#define SEARCH_BENCHMARK_H

#include "evolve/search/critic.h"
#include "evolve/search/search.h"
#include "evolve/search/table.h"

typedef enum search_writer {
    SEARCH_IMITATES, /* the edit rules, or a T5 that imitates them, as far as the shares below say */
    SEARCH_EDITS,  /* the edit rules, one or more edits a child, none that the search has scored */
    SEARCH_COUNTS, /* the same, weighted by what paid (counts.h) */
    SEARCH_CRITIC, /* the same, and every second child is the best of 64 by a critic (critic.h) */
    SEARCH_TILTED /* of 64 such children one, with chance in proportion to exp(-its score / 0.01): what
                      * a critic could add that is never wrong, for nothing */
} search_writer;

typedef struct search_imitator {
    search_writer writer;
    int64_t edits; /* of a child; 0: one, and each further one with chance 1/2. Not of IMITATES */
    int64_t
        past; /* COUNTS, CRITIC: so many searches by EDITS, with 32 evaluations and the table's other
                    * seeds, are known. It is experience of the same task, the best there can be */
    const search_experience *experience; /* COUNTS, CRITIC: known as well; NULL: none */
    /* IMITATES. Shares of its proposals; the rest is a legal edit, as the rules draw it. */
    double invalid; /* no program, or none that runs */
    double copies;  /* the source again */
    double several; /* legal edits of two parameters or more: each further one with chance 1/4 */
    double illegal; /* one parameter, to any other of its values */
    /* Its price. Every `stage` proposals a model of the source's own design is trained on `pairs`
     * pairs; a proposal is one pass forward. pairs 0: no model, no price. */
    int64_t pairs, stage;
} search_imitator;

typedef struct search_searched {
    int cell;
    double score;  /* its few-shot score in the search */
    double missed; /* the same less the best that the grid has with that seed */
    double full;   /* its loss after full training, mean over the seeds */
    double regret; /* full, less that of the grid's best */
    int better;    /* designs of the grid that are better */
    double gain;   /* few-shot score of the start less that of the cell, as the search saw them */
    double fresh;  /* the same with the other seeds, which the search did not see */
    search_budget spent;
} search_searched;

/* One search from the table's start; how->seed also says which of the table's seeds it sees, of
 * which there is one at least. False: no memory. */
bool search_benchmark_search(const search_table *table, const search_how *how,
                             const search_imitator *mutator, const search_budget *budget,
                             search_searched *result);

/* What a source would be judged by. Lower is better of each but the first two, whose larger designs
 * are taken for the better ones. */
typedef enum search_proxy {
    SEARCH_BY_PARAMETERS,
    SEARCH_BY_FLOPS,
    SEARCH_BY_QUARTER,
    SEARCH_BY_HALF,
    SEARCH_BY_SCORE,
    SEARCH_BY_TAIL,
    SEARCH_BY_HELD_OUT,
    SEARCH_BY_FULL, /* of one seed: what no cheaper proxy can beat by much */
    SEARCH_PROXIES
} search_proxy;

const char *search_proxy_name(search_proxy proxy);

/* The proxy of each cell with that seed (0 ..), and the loss after full training with the others,
 * whose mean is as good a truth as the table has. */
void search_benchmark_proxy(const search_table *table, search_proxy proxy, int seed,
                            double x[SEARCH_TABLE_CELLS], double truth[SEARCH_TABLE_CELLS]);

/* P(of eight designs drawn without replacement, the one that x likes best is the best in truth). */
double search_benchmark_best_of_8(const double x[SEARCH_TABLE_CELLS],
                                  const double truth[SEARCH_TABLE_CELLS]);

/* How far the design that x likes best is above the best of all, in truth. */
double search_benchmark_regret(const double x[SEARCH_TABLE_CELLS],
                               const double truth[SEARCH_TABLE_CELLS]);

/* How often a score of one seed prefers a neighbour (all edits of the grid, all seeds) that is not
 * better: by the few-shot scores of the other seeds, and by full training. */
void search_benchmark_false_gains(const search_table *table, double *by_fresh, double *by_full);

/* The standard deviation between seeds of a design's loss after full training, pooled over the
 * designs; the mean of each seed taken out. 0 where there is but one. */
double search_benchmark_spread(const search_table *table);

/* The mean operations of a few-shot training. */
int64_t search_benchmark_mean_flops(const search_table *table);

#endif
