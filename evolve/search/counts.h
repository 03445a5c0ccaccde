/* SPDX-License-Identifier: MIT */
/* counts.h -- the smallest proposer that learns: how often each edit paid.
 *
 * An edit is a decision and a direction ("num_layers up"). Of each there are two numbers, how often it was
 * tried and how often the child was better than its parent, from experience of earlier runs
 * (experience.h) and from the search under way. With a Beta(1, 1) prior the mean chance that it pays is
 *
 *     q = (paid + 1) / (tried + 2)
 *
 * and a child is drawn with probability proportional to P(child | the edit rules) * q(edit)^2: exactly, by
 * drawing from the rules until one is accepted. A child may have several edits, each an edit of the
 * one before it; each of them is credited with what the child came to. Nothing is trained, so nothing
 * is charged. */
#ifndef SEARCH_COUNTS_H
#define SEARCH_COUNTS_H

#include "evolve/search/experience.h"
#include "refine/mutation/mutator.h"

typedef struct search_counts {
    double tried[MUTATION_MAX_OUTCOMES], paid[MUTATION_MAX_OUTCOMES]; /* by edit * 2 + up */
} search_counts; /* all zero: nothing is known */

/* Adds one outcome, to each decision that both forms make and make differently. */
void search_counts_note(search_counts *counts, const mutation_mutator *mutator,
                        const mutation_form *source, const mutation_form *child, bool paid);

/* Adds what the rows say of edits that the mutator knows by name. Of one edit they count as at most
 * SEARCH_MOST_PAST trials, so that a search can still contradict them. */
enum { SEARCH_MOST_PAST = 16 };
void search_counts_learn(search_counts *counts, const mutation_mutator *mutator,
                         const search_experience *experience);
void search_counts_limit(search_counts *counts, double most); /* trials of one edit */

/* What each outcome weighs: q^2, and a thousandth of the largest at least, so that none dies out. */
void search_counts_weights(const search_counts *counts, const mutation_mutator *mutator,
                           double weight[MUTATION_MAX_OUTCOMES]);

/* Appends the edits of the mutator that paid most often in the rows, at most three: "num_layers- (12 of 20)". Nothing
 * where the rows have none of its edits. */
void search_counts_describe(const mutation_mutator *mutator, const search_experience *experience,
                            base_text *text);

/* Whether a child that somebody else drew is kept: with a probability in proportion to q^2 of its edit, 1 for the
 * likeliest to pay. Of several edits at once the first decides. */
bool search_counts_take(const search_counts *counts, const mutation_mutator *mutator,
                        const mutation_form *source, const mutation_form *child,
                        base_random *random);

/* How many edits a child gets: one, and each further one with chance 1/2. */
int search_counts_edits(base_random *random);

/* A child of the source by `edits` edits of the mutator's rules, weighted by the counts (NULL: as the rules
 * draw them). edits 0: as search_counts_edits() draws. It is the source only where the rules lead back to it every time. known: whether a
 * child was there before, in which case another is drawn, 64 times at most; NULL: none was.
 * False: the rules make nothing of the source. */
bool search_counts_refine(const search_counts *counts, const mutation_mutator *mutator,
                          int64_t edits, const mutation_form *source,
                          bool (*known)(void *user, const mutation_form *child), void *user,
                          base_random *random, mutation_form *child);

#endif
