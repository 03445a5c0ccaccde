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
#ifndef REFINE_GRAMMAR_H
#define REFINE_GRAMMAR_H

#include "base/random.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REFINE_MAX_RULES = 64, REFINE_MAX_ALTERNATIVES = 20 };

/* What a run may change; a set of these. */
typedef enum refine_scope {
    REFINE_ARCHITECTURE = 1,
    REFINE_LEARNING = 2,
    REFINE_OBJECTIVE = 4,
    REFINE_DATA = 8
} refine_scope;

/* How the alternatives of a rule lie to each other, and so where an edit goes. */
typedef enum refine_order {
    REFINE_UNORDERED, /* to any other */
    REFINE_GRID,      /* ordered: mostly to a neighbour */
    REFINE_LADDER     /* to a neighbour, always; each may begin with the one before it */
} refine_order;

typedef struct refine_rule {
    const char *name;
    const char *of; /* a writing: the rule whose choice it writes. Else NULL */
    unsigned scope; /* sets that hold one of these vary it; any other has it at its default */
    int first;      /* the default alternative */
    refine_order order;
    const char *alternative[REFINE_MAX_ALTERNATIVES + 1]; /* NULL-ended; an empty one comes last */
} refine_rule;

typedef struct refine_grammar {
    const refine_rule *rules;
    int count, root; /* at most REFINE_MAX_RULES; the rule that derives a source */
    unsigned scope;
} refine_grammar;

/* The grammar of whole sources in a set of scopes: model(); data() if REFINE_DATA is in the set;
 * train() if REFINE_LEARNING or REFINE_OBJECTIVE is. */
refine_grammar refine_grammar_of(unsigned scope);

/* The grammar of networks for images (C2 of the papers, and docs/decisions.md): up to 8 blocks of a
 * convolution, ReLU and, for the first three, a pool, then 1 to 8 hidden layers; each size on a
 * grid of powers of two. An edit adds or takes away one block or layer, or doubles or halves one
 * size. */
refine_grammar refine_network_grammar(void);

/* Index of the rule, or writing, of that name; -1: none. */
int refine_grammar_find(const refine_grammar *g, const char *name, size_t length);

/* How many alternatives may be chosen here: 1 where the grammar's scope has the rule fixed. A rule
 * with more than one is a *site* of the derivations that reach it: what an edit can change. */
int refine_grammar_choices(const refine_grammar *g, int rule);

/* ---- templates ---- */

typedef struct refine_piece {
    const char *text; /* of fixed text; NULL: a hole */
    size_t length;
    int rule;    /* the rule that a hole decides or repeats */
    int writing; /* whose alternatives say it: the rule itself, or one that is `of` it */
    bool repeat; /* @, not $ */
} refine_piece;

/* Takes the next piece off a template. False: there is none. */
bool refine_next_piece(const refine_grammar *g, const char **template, refine_piece *piece);

/* As refine_next_piece, but skips to the next hole that decides. -1: there is none. */
int refine_next_rule(const refine_grammar *g, const char **template);

/* The template of one alternative. */
const char *refine_template(const refine_grammar *g, int rule, int choice);

/* ---- derivations ---- */

typedef struct refine_tree {
    signed char choice[REFINE_MAX_RULES]; /* an index of alternatives; -1: not reached */
} refine_tree;

/* The default of every rule. For all scopes together: the default source of the quick preset, but
 * for its numbers. */
refine_tree refine_tree_first(const refine_grammar *g);

/* Each decision uniform over its alternatives: the prior over sources. */
refine_tree refine_tree_sample(const refine_grammar *g, base_random *random);

/* Appends the source. */
void refine_tree_print(const refine_grammar *g, const refine_tree *tree, base_text *text);

/* The inverse, to the byte. False: no derivation of this grammar has that text. */
bool refine_tree_read(const refine_grammar *g, const char *text, size_t length, refine_tree *tree);

bool refine_tree_equal(const refine_tree *a, const refine_tree *b);
int refine_tree_sites(const refine_grammar *g, const refine_tree *tree);

/* ---- refinements ----
 *
 * One site, each equally likely, gets another alternative: of a ladder a neighbour; of a grid,
 * three times in four a neighbour, else any; elsewhere any. What the new alternative's holes need,
 * and the source has decided already, stays; what is new is drawn from at most three alternatives
 * around the default. */

enum { REFINE_FRESH = 3 };

/* P(a site of this rule goes from one alternative to another). */
double refine_grammar_step(const refine_grammar *g, int rule, int from, int to);

/* The alternatives that a newly reached rule is drawn from: *low and so many from there on. */
int refine_grammar_fresh(const refine_grammar *g, int rule, int *low);

/* Returns the rule that was edited. The result is never the source. The source must have a site. */
int refine_tree_edit(const refine_grammar *g, const refine_tree *source, base_random *random,
                     refine_tree *refined);

typedef struct refine_tree_pair {
    refine_tree source, refined;
    int rule; /* the edited one */
} refine_tree_pair;

/* The pair of that index: a pure function of (grammar, seed, index), as refine_sample's is. */
refine_tree_pair refine_tree_pair_of(const refine_grammar *g, uint64_t seed, uint64_t index);

/* The rule in which refined differs as an edit's result would; -1: none, or more than one. */
int refine_tree_edited(const refine_tree *source, const refine_tree *refined);

/* P(refined | source): exact, 0 where it is no refinement. */
double refine_tree_probability(const refine_grammar *g, const refine_tree *source,
                               const refine_tree *refined);

/* H(refined | source) in nats, the mean over the prior's sources: exact, by dynamic programming. */
double refine_grammar_entropy(const refine_grammar *g);

#endif
