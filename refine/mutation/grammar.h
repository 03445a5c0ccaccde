/* SPDX-License-Identifier: MIT */
/* grammar.h -- programs as choices: a grammar of sources, its derivations, their refinements.
 *
 * sample.h draws four numbers and prints them into a fixed text. Here what is drawn is the text's
 * shape as well. A *rule* is one decision ("which optimizer", "which learning rate") with a list of
 * alternatives; an alternative is a template of C whose holes name other rules:
 *
 *     $rate    decides the rule and writes what was decided
 *     @batch   writes again what is decided already, perhaps in other words (a *writing*: a rule
 *              that decides nothing itself, with one text for each alternative of another)
 *
 * No derivation decides a rule twice, so a derivation needs no tree of nodes: it is the choice made
 * for each rule, and none for the rules that it does not reach. Sampling, printing, reading,
 * editing and counting are all one walk over the templates.
 *
 * A refinement changes one decision of a source. It has a known probability, and so the conditional
 * entropy of refinements, the loss that no model can beat, is known exactly. */
#ifndef MUTATION_GRAMMAR_H
#define MUTATION_GRAMMAR_H

#include "base/random.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MUTATION_MAX_RULES = 64,
    MUTATION_MAX_ALTERNATIVES = 20,
    MUTATION_MAX_OWN = 24,
    MUTATION_OWN_TEXT = 40
};

/* What a run may change; a set of these. */
typedef enum mutation_scope {
    MUTATION_ARCHITECTURE = 1,
    MUTATION_LEARNING = 2,
    MUTATION_OBJECTIVE = 4,
    MUTATION_DATA = 8
} mutation_scope;

/* How the alternatives of a rule lie to each other, and so where an edit goes. */
typedef enum mutation_order {
    MUTATION_UNORDERED, /* to any other */
    MUTATION_GRID,      /* ordered: mostly to a neighbour */
    MUTATION_LADDER     /* to a neighbour, always; each may begin with the one before it */
} mutation_order;

typedef struct mutation_rule {
    const char *name;
    const char *of; /* a writing: the rule whose choice it writes. Else NULL */
    unsigned scope; /* sets that hold one of these vary it; any other has it at its default */
    int first;      /* the default alternative */
    mutation_order order;
    const char
        *alternative[MUTATION_MAX_ALTERNATIVES + 1]; /* NULL-ended; an empty one comes last */
} mutation_rule;

/* A number that a run's first source has and the table's grid does not: one more alternative of that grid, in
 * its order; at most one a rule. */
typedef struct mutation_own {
    int writing; /* the rule, or a writing that is `of` it: each has a text of its own */
    int place;   /* the alternative that it is */
    char text[MUTATION_OWN_TEXT];
} mutation_own;

typedef struct mutation_grammar {
    const mutation_rule *rules;
    int count, root; /* at most MUTATION_MAX_RULES; the rule that derives a source */
    unsigned scope;
    /* In the place of `first`: 0, an alternative of the table + 1, or -1 for the rule's own. */
    signed char begun[MUTATION_MAX_RULES];
    mutation_own own[MUTATION_MAX_OWN];
    int owns;
} mutation_grammar;

/* The grammar of whole sources in a set of scopes: model(); data() if MUTATION_DATA is in the set;
 * train() if MUTATION_LEARNING or MUTATION_OBJECTIVE is. */
mutation_grammar mutation_grammar_of(unsigned scope);

/* The grammar of networks for images (the second paper's, and docs/vision.md): up to 8 blocks of a
 * convolution, ReLU and, for the first three, a pool, then 1 to 8 hidden layers; each size on a
 * grid of powers of two. An edit adds or takes away one block or layer, or doubles or halves one
 * size. */
mutation_grammar mutation_network_grammar(void);

/* The grammar of networks worth deploying: up to four stages of repeated blocks with batch norm,
 * depthwise and pointwise convolutions, residual sums, kernels of 1, 3 and 5, and three activations,
 * behind them the mean of each channel. Every derivation fits images of every size, in at most
 * VISION_MAX_LAYERS layers. With MUTATION_LEARNING in the set of scopes, train() as well. */
mutation_grammar mutation_deploy_grammar(unsigned scope);

/* The grammar of networks for rows of a table: the same hidden layers alone. */
mutation_grammar mutation_row_grammar(void);

/* Index of the rule, or writing, of that name; -1: none. */
int mutation_grammar_find(const mutation_grammar *g, const char *name, size_t length);

/* The default alternative of a rule; and another one, for a run whose first source is not the table's:
 * the alternative that is this number, which a grid gets where it lacks it, or begins with this text. A
 * text that there is not changes nothing, nor does a number where there is no room for one. */
int mutation_grammar_first(const mutation_grammar *g, int rule);
void mutation_grammar_begin_number(mutation_grammar *g, const char *rule, double number);
void mutation_grammar_begin_text(mutation_grammar *g, const char *rule, const char *text);

/* Adds a number to the grid of a rule, and to all writings of it. False: the rule is no grid of numbers, has
 * the number or one of its own already, or there is no room. */
bool mutation_grammar_add_number(mutation_grammar *g, int rule, const char *text, size_t length);

/* How many alternatives may be chosen here: 1 where the grammar's scope has the rule fixed. A rule
 * with more than one is a *site* of the derivations that reach it: what an edit can change. */
int mutation_grammar_choices(const mutation_grammar *g, int rule);

/* ---- templates ---- */

typedef struct mutation_piece {
    const char *text; /* of fixed text; NULL: a hole */
    size_t length;
    int rule;    /* the rule that a hole decides or repeats */
    int writing; /* whose alternatives say it: the rule itself, or one that is `of` it */
    bool repeat; /* @, not $ */
} mutation_piece;

/* Takes the next piece off a template. False: there is none. */
bool mutation_next_piece(const mutation_grammar *g, const char **text, mutation_piece *piece);

/* As mutation_next_piece, but skips to the next hole that decides. -1: there is none. */
int mutation_next_rule(const mutation_grammar *g, const char **text);

/* The template of one alternative. */
const char *mutation_template(const mutation_grammar *g, int rule, int choice);

/* ---- derivations ---- */

typedef struct mutation_tree {
    signed char choice[MUTATION_MAX_RULES]; /* an index of alternatives; -1: not reached */
} mutation_tree;

/* The default of every rule. For all scopes together: the default source of the quick preset. */
mutation_tree mutation_tree_first(const mutation_grammar *g);

/* Each decision uniform over its alternatives: the prior over sources. */
mutation_tree mutation_tree_sample(const mutation_grammar *g, base_random *random);

/* Appends the source. */
void mutation_tree_print(const mutation_grammar *g, const mutation_tree *tree, base_text *text);

/* The inverse, to the byte. False: no derivation of this grammar has that text. */
bool mutation_tree_read(const mutation_grammar *g, const char *text, size_t length,
                        mutation_tree *tree);

/* The same, but numbers that no grid has are added to the grammar, so that an edit of this text is one of its
 * own decisions. False: it is no derivation even so, *far (which may be NULL) bytes of it could be one's
 * beginning, and the grammar is as before. */
bool mutation_grammar_admit(mutation_grammar *g, const char *text, size_t length, size_t *far);

int mutation_tree_sites(const mutation_grammar *g, const mutation_tree *tree);

/* ---- refinements ----
 *
 * One site, each equally likely, gets another alternative: of a ladder a neighbour; of a grid,
 * three times in four a neighbour, else any; elsewhere any. What the new alternative's holes need,
 * and the source has decided already, stays; what is new is drawn from at most three alternatives
 * around the default. */

enum { MUTATION_FRESH = 3 };

/* P(a site of this rule goes from one alternative to another). */
double mutation_grammar_step(const mutation_grammar *g, int rule, int from, int to);

/* The alternatives that a newly reached rule is drawn from: *low and so many from there on. */
int mutation_grammar_fresh(const mutation_grammar *g, int rule, int *low);

/* Returns the rule that was edited. The result is never the source. The source must have a site. */
int mutation_tree_edit(const mutation_grammar *g, const mutation_tree *source, base_random *random,
                       mutation_tree *refined);

typedef struct mutation_tree_pair {
    mutation_tree source, refined;
    int rule; /* the edited one */
} mutation_tree_pair;

/* The pair of that index: a pure function of (grammar, seed, index), as mutation_sample's is. */
mutation_tree_pair mutation_tree_pair_of(const mutation_grammar *g, uint64_t seed, uint64_t index);

/* P(refined | source): exact, 0 where it is no refinement. */
double mutation_tree_probability(const mutation_grammar *g, const mutation_tree *source,
                                 const mutation_tree *refined);

/* H(refined | source) in nats, the mean over the prior's sources: exact, by dynamic programming. */
double mutation_grammar_entropy(const mutation_grammar *g);

#endif
