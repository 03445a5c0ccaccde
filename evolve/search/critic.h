/* SPDX-License-Identifier: MIT */
/* critic.h -- a proposer that judges children before they are paid for.
 *
 * Five linear models score an edit by what it changes. Of each decision that a source and its child both make
 * there are four features: whether it goes down, whether it goes up, and how far its value moves, with s = log(1 + value) / 4
 * in s and in s^2; so what a model says of a child is the difference of a quadratic in the decisions of both, and
 * a rank of each edit besides. They learn from lessons, children whose outcome is known, by two losses: of each two
 * children of one parent, that the better one is scored higher (logistic, as Dudziak et al. 2020, arXiv:2007.08668, do with
 * networks), and of each child whether it was better than its parent (logistic). Each model weighs the lessons by other random
 * numbers (Rubin's Bayesian bootstrap, 1981), so that where little is known they disagree.
 *
 * Of 64 children by the edit rules the one that a model likes best is proposed, one model after another; and every
 * second child is drawn without asking any: whoever takes the top alone learns nothing of the rest. */
#ifndef SEARCH_CRITIC_H
#define SEARCH_CRITIC_H

#include "evolve/search/counts.h"

enum { SEARCH_CRITICS = 5 };

typedef struct search_lesson {
    int64_t family; /* its parent's: only children of one parent are compared */
    double gain;    /* score of the parent less that of the child; -INFINITY: the child has none */
} search_lesson;

/* All zero: nothing is known. search_critic_free() it. */
typedef struct search_critic {
    search_lesson *lesson;
    double *features; /* [count x 4 m->edits] */
    double *models;   /* [SEARCH_CRITICS x 4 m->edits]; NULL: nothing was learnt */
    int count;
    int64_t flops; /* of all trainings and judgements so far */
} search_critic;

/* Adds a child with its outcome. False: no memory. */
bool search_critic_note(search_critic *critic, const mutation_mutator *mutator,
                        const mutation_form *source, const mutation_form *child, int64_t family,
                        double gain);

/* Adds the rows of edits that the mutator knows by name, as far as rows say what was edited: the directions. Of a file with
 * more than SEARCH_MOST_LESSONS of them every so many a family is taken. False: no memory. */
enum { SEARCH_MOST_LESSONS = 1024 };
bool search_critic_learn(search_critic *critic, const mutation_mutator *mutator,
                         const search_experience *experience);

/* Trains the models anew from all lessons: the same models for the same lessons and seed. No lessons: none.
 * False: no memory. */
bool search_critic_train(search_critic *critic, const mutation_mutator *mutator, uint64_t seed);

/* As search_counts_refine(): a child of the source, the best of 64 by a model (0 .. SEARCH_CRITICS - 1). */
bool search_critic_refine(search_critic *critic, int model, const mutation_mutator *mutator,
                          const mutation_form *source,
                          bool (*known)(void *user, const mutation_form *child), void *user,
                          base_random *random, mutation_form *child);

void search_critic_free(search_critic *critic);

#endif
