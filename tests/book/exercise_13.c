/* SPDX-License-Identifier: MIT */
/* exercise_13.c -- chapter 13: what the proposer `counts` draws. Fails until predict() is written. */
#include "evolve/search/counts.h"
#include "tests/test.h"

#include <math.h>

enum { OUTCOMES = 2 * MUTATION_EDITS, DRAWS = 40000 };

/* Of each of the eight edits (num_layers down, num_layers up, num_decoder_layers down, ...), how often it was tried and
 * how often it paid: p becomes the probability that it is the next one. The rules draw each of the eight with 1/8. */
static void predict(const double tried[OUTCOMES], const double paid[OUTCOMES], double p[OUTCOMES])
{
    (void)tried, (void)paid;
    for (int i = 0; i < OUTCOMES; i++)
        p[i] = 0; /* yours */
}

int main(void)
{
    const mutation_rules rules = mutation_paper_rules();
    const mutation_mutator m = mutation_mutator_of_rules(&rules);
    /* Far from the borders of all ranges, so that both directions are open and equally likely. */
    const mutation_form source = {.design = {{4, 4, 8, 1000}}};
    static const double known[2][OUTCOMES] = {{0, 10, 3, 3, 16, 2, 5, 0}, {0, 9, 3, 0, 1, 1, 2, 0}};
    search_counts counts = {0};
    double p[OUTCOMES];
    int seen[OUTCOMES] = {0};
    for (int i = 0; i < OUTCOMES; i++) {
        counts.tried[i] = known[0][i];
        counts.paid[i] = known[1][i];
    }
    predict(known[0], known[1], p);
    base_random random = {.seed = 1, .stream = base_random_stream("exercise", 0, 0, 0)};
    for (int n = 0; n < DRAWS; n++) {
        mutation_form child;
        CHECK(search_counts_refine(&counts, &m, 1, &source, NULL, NULL, &random, &child), "draw %d",
              n);
        for (int i = 0; i < MUTATION_EDITS; i++)
            if (child.design.value[i] != source.design.value[i])
                seen[2 * i + (child.design.value[i] > source.design.value[i])]++;
    }
    for (int i = 0; i < OUTCOMES; i++) { /* five standard deviations of a count */
        double want = (double)seen[i] / DRAWS, bound = 5 * sqrt(want * (1 - want) / DRAWS);
        CHECK(fabs(p[i] - want) < bound, "edit %d: %g, but %g of the draws", i, p[i], want);
    }
    return test_end();
}
