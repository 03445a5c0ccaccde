/* SPDX-License-Identifier: MIT */
/* mutator.h -- what a T5 learns to imitate: random sources, and a random edit of each.
 *
 * Two mutators stand behind this one interface: the papers' four integers (sample.h), and a grammar
 * (grammar.h) where the shape of the code varies as well. Whoever trains, measures or shows a model
 * of refinements asks here and need not know which of the two it is. */
#ifndef MUTATION_MUTATOR_H
#define MUTATION_MUTATOR_H

#include "refine/mutation/grammar.h"
#include "refine/mutation/sample.h"

typedef struct mutation_mutator mutation_mutator;

/* A source as the mutator sees it. */
typedef union mutation_form {
    mutation_design design;
    mutation_tree tree;
} mutation_form;

typedef struct mutation_drawn {
    mutation_form source, refined;
    int edit;
} mutation_drawn;

enum {
    MUTATION_MAX_EDITS = MUTATION_MAX_RULES,
    MUTATION_MAX_OUTCOMES = 2 * MUTATION_MAX_EDITS + 1
};

/* What a mutator does; the two rows are in mutator.c. */
typedef struct mutation_kind {
    /* Appends the source; and the inverse, to the byte. False: no source drawn has that text. */
    void (*print)(const mutation_mutator *m, const mutation_form *form, base_text *text);
    bool (*read)(const mutation_mutator *m, const char *text, size_t length, mutation_form *form);

    const char *(*name)(const mutation_mutator *m, int edit);

    /* The pair of that index: a pure function of (mutator, seed, index). */
    mutation_drawn (*pair)(const mutation_mutator *m, uint64_t seed, uint64_t index);

    /* Any source, each decision uniform: the prior over sources. */
    mutation_form (*draw)(const mutation_mutator *m, base_random *random);

    /* One random refinement of the source. False: the mutator makes none of it (a design out of its
     * ranges, a program that leaves nothing to decide). */
    bool (*refine)(const mutation_mutator *m, const mutation_form *source, base_random *random,
                   mutation_form *refined);

    /* A step up of a size, drawn from those that have room: a layer more, or twice the width. False:
     * none has. NULL: sources have no sizes. */
    bool (*grow)(const mutation_mutator *m, const mutation_form *source, base_random *random,
                 mutation_form *larger);

    /* P(refined | source): exact, 0 where it is no refinement. */
    double (*probability)(const mutation_mutator *m, const mutation_form *source,
                          const mutation_form *refined);

    /* H(refined | source) in nats a pair, the mean over the sources that are drawn: exact. */
    double (*entropy)(const mutation_mutator *m);

    /* What a parameter or a rule is in a form; -1: the form does not have it. */
    int (*value)(const mutation_form *form, int edit);

    /* Adds P(outcome | source) to each outcome's expectation. */
    void (*expect)(const mutation_mutator *m, const mutation_form *source,
                   double expected[MUTATION_MAX_OUTCOMES]);
} mutation_kind;

struct mutation_mutator {
    const mutation_kind *kind;
    const char *declaration; /* of the function that makes a source valid: "t5 *model(void)" */
    int edits; /* kinds of edit: the four parameters, or the grammar's rules (of which some are no
                * sites and never happen) */
    mutation_rules rules;     /* of mutation_mutator_of_rules() */
    mutation_grammar grammar; /* of mutation_mutator_of_grammar() */
    const double
        *weight; /* of each outcome (below), above 0; NULL: all weigh alike. The caller's */
};

mutation_mutator mutation_mutator_of_rules(const mutation_rules *rules);
mutation_mutator mutation_mutator_of_grammar(const mutation_grammar *grammar,
                                             const char *declaration);
bool mutation_mutator_is_of_rules(const mutation_mutator *m);

/* Whether the mutator can read, and so refine, this text. A grammar gets the numbers of it that no grid of its
 * has (mutation_grammar_admit). *far (which may be NULL), where it cannot: so many bytes could be a source's
 * beginning. */
bool mutation_mutator_admit(mutation_mutator *m, const char *text, size_t length, size_t *far);

/* ---- outcomes: which edit, and its direction: edit * 2 + up, or illegal ---- */

int mutation_mutator_outcomes(const mutation_mutator *m); /* how many; the last is "illegal" */

/* ---- weighted edits ----
 *
 * A mutator with weights makes a refinement R of S with P_w(R | S) = P(R | S) w(outcome) / Z(S), Z(S) the sum of
 * P(outcome | S) w(outcome): the same edits, some of them more often. These three are the kind's functions, weighted;
 * as an outcome is told by S and R, they are exact. Sources are drawn as ever. */
mutation_drawn mutation_mutator_pair(const mutation_mutator *m, uint64_t seed, uint64_t index);
double mutation_mutator_probability(const mutation_mutator *m, const mutation_form *source,
                                    const mutation_form *refined);
void mutation_mutator_expect(const mutation_mutator *m, const mutation_form *source,
                             double expected[MUTATION_MAX_OUTCOMES]);

/* The outcome that refined is. *changed: in how many parameters or decisions, common to both, it
 * differs from the source. */
int mutation_mutator_outcome(const mutation_mutator *m, const mutation_form *source,
                             const mutation_form *refined, int *changed);

#endif
