/* SPDX-License-Identifier: MIT */
/* tree_edit.c -- one edit of a derivation, and its probability.
 *
 * An edit e: a -> b of a source S gives R with
 *
 *     R(e) = b;   R(r) = S(r) for every other rule that both reach;   R(r) fresh where only R does.
 *
 * So R tells the edit: e is the one rule that both reach and that differs (the walks of two
 * different derivations start out at the same root and part somewhere; where they part is a rule
 * that both reach). Hence one term, no sum over ways, and an edit never gives the source again:
 *
 *     P(R | S) = 1 / sites(S) * P(a -> b) * product over the fresh rules of 1 / their number */
#include "refine/mutation/grammar.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

double mutation_grammar_step(const mutation_grammar *g, int rule, int from, int to)
{
    int count = mutation_grammar_choices(g, rule);
    if (from == to || count < 2)
        return 0;
    double any = 1.0 / (count - 1);
    int neighbours = (from > 0) + (from < count - 1);
    double near = abs(from - to) == 1 ? 1.0 / neighbours : 0;
    switch (g->rules[rule].order) {
    case MUTATION_LADDER:
        return near;
    case MUTATION_GRID:
        return any / 4 + 3 * near / 4;
    default:
        return any;
    }
}

/* Draws with the probabilities of mutation_grammar_step. */
static int step(const mutation_grammar *g, int rule, int from, base_random *random)
{
    int count = mutation_grammar_choices(g, rule);
    mutation_order order = g->rules[rule].order;
    if (order == MUTATION_LADDER || (order == MUTATION_GRID && base_random_below(random, 4) < 3)) {
        int neighbours = (from > 0) + (from < count - 1);
        bool up = from == 0 || (neighbours == 2 && base_random_below(random, 2));
        return up ? from + 1 : from - 1;
    }
    int to = (int)base_random_below(random, (uint32_t)count - 1);
    return to < from ? to : to + 1;
}

int mutation_grammar_fresh(const mutation_grammar *g, int rule, int *low)
{
    int count = mutation_grammar_choices(g, rule), first = mutation_grammar_first(g, rule);
    *low = first;
    if (count == 1)
        return 1;
    int number = count < MUTATION_FRESH ? count : MUTATION_FRESH;
    *low = first > 0 ? first - 1 : 0;
    if (*low > count - number)
        *low = count - number;
    return number;
}

/* The choices below one alternative: the source's where it has them, else fresh ones. */
static void complete(const mutation_grammar *g, const char *template, const mutation_tree *source,
                     base_random *random, mutation_tree *tree)
{
    for (int rule; (rule = mutation_next_rule(g, &template)) >= 0;) {
        int choice = source->choice[rule];
        if (choice < 0) {
            int low, count = mutation_grammar_fresh(g, rule, &low);
            choice = low + (count > 1 ? (int)base_random_below(random, (uint32_t)count) : 0);
        }
        tree->choice[rule] = (signed char)choice;
        complete(g, mutation_template(g, rule, choice), source, random, tree);
    }
}

/* The n-th of the rules that count as sites, from 0. */
static int nth_site(const mutation_grammar *g, const mutation_tree *tree, int n)
{
    int rule = -1;
    while (n >= 0) {
        rule++;
        n -= tree->choice[rule] >= 0 && mutation_grammar_choices(g, rule) > 1;
    }
    return rule;
}

/* The edit is made first; then the whole tree is derived again from it, so that what the old choice
 * reached is gone and what the new one reaches is there. */
int mutation_tree_edit(const mutation_grammar *g, const mutation_tree *source, base_random *random,
                       mutation_tree *refined)
{
    int sites = mutation_tree_sites(g, source);
    assert(sites > 0);
    int edited = nth_site(g, source, (int)base_random_below(random, (uint32_t)sites));
    mutation_tree changed = *source;
    changed.choice[edited] = (signed char)step(g, edited, source->choice[edited], random);
    memset(refined->choice, -1, sizeof refined->choice);
    refined->choice[g->root] = changed.choice[g->root];
    complete(g, mutation_template(g, g->root, changed.choice[g->root]), &changed, random, refined);
    return edited;
}

/* Stream: ("refine_tree", index), read from its start: the source, then the edit. */
mutation_tree_pair mutation_tree_pair_of(const mutation_grammar *g, uint64_t seed, uint64_t index)
{
    base_random random = {seed, base_random_stream("refine_tree", index, 0, 0), 0};
    mutation_tree_pair pair = {.source = mutation_tree_sample(g, &random)};
    pair.rule = mutation_tree_edit(g, &pair.source, &random, &pair.refined);
    return pair;
}

/* The rule in which refined differs as an edit's result would; -1: none, or more than one. */
static int edited_rule(const mutation_tree *source, const mutation_tree *refined)
{
    int edited = -1, count = 0;
    for (int rule = 0; rule < MUTATION_MAX_RULES; rule++)
        if (source->choice[rule] >= 0 && refined->choice[rule] >= 0 &&
            source->choice[rule] != refined->choice[rule]) {
            edited = rule;
            count++;
        }
    return count == 1 ? edited : -1;
}

/* The product at the top of this file. */
double mutation_tree_probability(const mutation_grammar *g, const mutation_tree *source,
                                 const mutation_tree *refined)
{
    int edited = edited_rule(source, refined);
    if (edited < 0)
        return 0;
    double p = mutation_grammar_step(g, edited, source->choice[edited], refined->choice[edited]) /
               mutation_tree_sites(g, source);
    for (int rule = 0; rule < g->count; rule++)
        if (source->choice[rule] < 0 && refined->choice[rule] >= 0) {
            int low, count = mutation_grammar_fresh(g, rule, &low);
            int choice = refined->choice[rule];
            p *= choice >= low && choice < low + count ? 1.0 / count : 0;
        }
    return p;
}
