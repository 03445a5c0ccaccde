/* mutator.h -- what a T5 learns to imitate: random sources, and a random edit of each.
 *
 * Two mutators stand behind this one interface: the papers' four integers (sample.h), and a grammar
 * (grammar.h) where the shape of the code varies as well. Whoever trains, measures or shows a model
 * of refinements asks here and need not know which of the two it is. */
#ifndef REFINE_MUTATOR_H
#define REFINE_MUTATOR_H

#include "refine/grammar.h"
#include "refine/sample.h"

typedef struct refine_mutator {
    const char *declaration; /* of the function that makes a source valid: "t5 *model(void)" */
    bool is_grammar;
    refine_rules rules; /* where it is none */
    refine_grammar grammar;
} refine_mutator;

refine_mutator refine_mutator_of_rules(const refine_rules *rules);
refine_mutator refine_mutator_of_grammar(const refine_grammar *grammar, const char *declaration);

/* A source as the mutator sees it. */
typedef union refine_form {
    refine_design design;
    refine_tree tree;
} refine_form;

/* Appends the source. */
void refine_form_print(const refine_mutator *m, const refine_form *form, base_text *text);

/* The inverse, to the byte. False: the mutator draws no source of that text. */
bool refine_form_read(const refine_mutator *m, const char *text, size_t length, refine_form *form);

/* The kinds of edit: the four parameters, or the grammar's rules (of which some are no sites and
 * never happen). */
enum { REFINE_MAX_EDITS = REFINE_MAX_RULES };
int refine_mutator_edits(const refine_mutator *m);
const char *refine_mutator_edit(const refine_mutator *m, int edit); /* its name */

typedef struct refine_drawn {
    refine_form source, refined;
    int edit;
} refine_drawn;

/* The pair of that index: a pure function of (mutator, seed, index). */
refine_drawn refine_mutator_pair(const refine_mutator *m, uint64_t seed, uint64_t index);

/* Any source, each decision uniform: the prior over sources. */
refine_form refine_mutator_draw(const refine_mutator *m, base_random *random);

/* One random refinement of the source. False: the mutator makes none of it (a design out of its
 * ranges, a program that leaves nothing to decide). */
bool refine_mutator_refine(const refine_mutator *m, const refine_form *source, base_random *random,
                           refine_form *refined);

/* P(refined | source): exact, 0 where it is no refinement. */
double refine_mutator_probability(const refine_mutator *m, const refine_form *source,
                                  const refine_form *refined);

/* H(refined | source) in nats a pair, the mean over the sources that are drawn: exact. */
double refine_mutator_entropy(const refine_mutator *m);

/* ---- outcomes: which edit, and its direction: edit * 2 + up, or illegal ---- */

enum { REFINE_MAX_OUTCOMES = 2 * REFINE_MAX_EDITS + 1 };
int refine_mutator_outcomes(const refine_mutator *m); /* how many; the last is "illegal" */

/* The outcome that refined is. *changed: in how many parameters or decisions, common to both, it
 * differs from the source. */
int refine_mutator_outcome(const refine_mutator *m, const refine_form *source,
                           const refine_form *refined, int *changed);

/* Adds P(outcome | source) to each outcome's expectation. */
void refine_mutator_expect(const refine_mutator *m, const refine_form *source,
                           double expected[REFINE_MAX_OUTCOMES]);

#endif
