/* SPDX-License-Identifier: MIT */
/* strategy.h -- what the strategies of a search are called, as a setting; what they do is in
 * search/search.c. */
#ifndef EVOLVE_STRATEGY_H
#define EVOLVE_STRATEGY_H

#include <stdbool.h>

typedef enum evolve_strategy {
    EVOLVE_GREEDY,  /* a batch from the source; its best becomes the source if it is better
                       (000, section 3) */
    EVOLVE_CLIMB,   /* the same, one candidate at a time; one as good is taken too */
    EVOLVE_GENETIC, /* generations; parents by tournaments of two (001, after Whitley 1994). No
                       crossover: candidates have no parts here, and the papers have none either */
    EVOLVE_AGEING,  /* regularised evolution: the best of a sample has a child, the oldest dies
                       (Real et al. 2019, arXiv:1802.01548) */
    EVOLVE_REFINED_HALVING, /* as halving below, of refinements of the best source so far */
    EVOLVE_RANDOM,          /* uniform over the space */
    EVOLVE_HALVING, /* uniform over the space; many cheap scores, the better half of them on twice
                       the pairs, and again (Jamieson & Talwalkar 2016, arXiv:1502.07943) */
    EVOLVE_LARGER,  /* always a size larger, until there is none */
    EVOLVE_STRATEGIES
} evolve_strategy;

extern const char *const evolve_strategy_names[EVOLVE_STRATEGIES + 1]; /* NULL-ended */

/* Whether it asks a proposer for refinements of a source; else it draws or enlarges designs
 * itself. */
bool evolve_strategy_refines(evolve_strategy strategy);

#endif
