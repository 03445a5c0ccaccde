/* SPDX-License-Identifier: MIT */
/* tree_entropy.c -- the conditional entropy of refinements, exactly.
 *
 * With W the number of sites of a source S, and H_s the entropy of what an edit of site s gives,
 *
 *     H(R | S) = E[ log W + 1/W * sum over s of H_s ],
 *
 * as R tells the site (tree_edit.c) and the site is uniform. The expectation is over more sources
 * than could be counted, but a rule's alternatives are drawn independently of all that is not below
 * it, and holes of one alternative have no rule in common. So, for the part of a source below a
 * rule, with w its number of sites, two arrays over w say all:
 *
 *     mass[w] = P(w sites)        sum[w] = E[ sum over its sites of H_s ; w sites ]
 *
 * Holes side by side convolve them: mass = mass1 * mass2, sum = sum1 * mass2 + mass1 * sum2. A rule
 * is the mean of its alternatives, shifted by its own site, plus its own H_s. At the root
 *
 *     H = sum over w of mass[w] log w + sum[w] / w.
 *
 * H_s for a site at alternative a: the entropy of the step a -> b, and for each b that of the rules
 * which b reaches first (chain rule):
 *
 *     H_s = sum over b of P(a -> b) (-log P(a -> b) + sum over holes t of b of F(t))
 *     F(t) = 0 where the source has t (and so all that its choice reaches), else
 *            log n(t) + mean over the n(t) fresh alternatives of the sum of F over their holes
 *
 * E[F(t); w] needs the mass of sources below a that have none of the rules on the way to t: the
 * same recursion as mass[], with a set of rules avoided. That set is a mask.
 *
 * The plain form lists every source of a small grammar, every edit and every way to complete it,
 * and sums -p log p: entropy_is_that_of_all_sources in tests/refine/mutation/test_grammar.c, which
 * holds this file to it. */
#include "refine/mutation/grammar.h"

#include "base/math.h"
#include <assert.h>

typedef struct by_sites {
    double at[MUTATION_MAX_RULES + 1]; /* index: number of sites */
} by_sites;

static uint64_t bit(int rule) { return (uint64_t)1 << rule; }

static void add(by_sites *a, const by_sites *b, double factor)
{
    for (int w = 0; w <= MUTATION_MAX_RULES; w++)
        a->at[w] += factor * b->at[w];
}

static by_sites convolve(const by_sites *a, const by_sites *b)
{
    by_sites c = {{0}};
    for (int i = 0; i <= MUTATION_MAX_RULES; i++)
        for (int j = 0; a->at[i] != 0 && i + j <= MUTATION_MAX_RULES; j++)
            c.at[i + j] += a->at[i] * b->at[j];
    return c;
}

/* One site more. */
static void shift(by_sites *a)
{
    for (int w = MUTATION_MAX_RULES; w > 0; w--)
        a->at[w] = a->at[w - 1];
    a->at[0] = 0;
}

/* The i-th alternative that may be chosen. */
static const char *template_of(const mutation_grammar *g, int rule, int i)
{
    bool fixed = mutation_grammar_choices(g, rule) == 1;
    return mutation_template(g, rule, fixed ? mutation_grammar_first(g, rule) : i);
}

/* ---- mass ---- */

static by_sites mass_of_rule(const mutation_grammar *g, int rule, uint64_t avoid);

/* P(w sites below this alternative and none of the rules to avoid). */
static by_sites mass_of(const mutation_grammar *g, const char *template, uint64_t avoid)
{
    by_sites mass = {{1}};
    const char *at = template;
    for (int rule; (rule = mutation_next_rule(g, &at)) >= 0;)
        if (avoid & bit(rule))
            return (by_sites){{0}};
    for (int rule; (rule = mutation_next_rule(g, &template)) >= 0;) {
        by_sites hole = mass_of_rule(g, rule, avoid);
        mass = convolve(&hole, &mass);
    }
    return mass;
}

static by_sites mass_of_rule(const mutation_grammar *g, int rule, uint64_t avoid)
{
    by_sites mass = {{0}};
    int count = mutation_grammar_choices(g, rule);
    for (int i = 0; i < count; i++) {
        by_sites one = mass_of(g, template_of(g, rule, i), avoid);
        add(&mass, &one, 1.0 / count);
    }
    if (count > 1)
        shift(&mass);
    return mass;
}

/* ---- what an edit has to draw ---- */

/* Adds factor * E[sum of F over the holes of `next`; w], for sources at alternative `now` that have
 * none of the rules to avoid. */
static void add_fresh(const mutation_grammar *g, const char *now, const char *next, uint64_t avoid,
                      double factor, by_sites *sum)
{
    for (int rule; (rule = mutation_next_rule(g, &next)) >= 0;) {
        int low, count = mutation_grammar_fresh(g, rule, &low);
        by_sites mass = mass_of(g, now, avoid | bit(rule));
        double total = 0;
        for (int w = 0; w <= MUTATION_MAX_RULES; w++)
            total += mass.at[w];
        if (total <= 0)
            continue; /* every source has it */
        add(sum, &mass, factor * base_log(count));
        for (int i = 0; i < count; i++)
            add_fresh(g, now, mutation_template(g, rule, low + i), avoid | bit(rule),
                      factor / count, sum);
    }
}

/* E[H_s; w below s] at alternative `from` of a site. */
static by_sites edit_entropy(const mutation_grammar *g, int rule, int from, const by_sites *mass)
{
    by_sites sum = {{0}};
    const char *now = mutation_template(g, rule, from);
    int count = mutation_grammar_choices(g, rule);
    for (int to = 0; to < count; to++) {
        double p = mutation_grammar_step(g, rule, from, to);
        if (p <= 0)
            continue;
        add(&sum, mass, -p * base_log(p));
        add_fresh(g, now, mutation_template(g, rule, to), 0, p, &sum);
    }
    return sum;
}

/* ---- the sum over sites ---- */

typedef struct part {
    by_sites mass, sum;
} part;

static part part_of_rule(const mutation_grammar *g, int rule);

static part part_of(const mutation_grammar *g, const char *template)
{
    part whole = {{{1}}, {{0}}};
    for (int rule; (rule = mutation_next_rule(g, &template)) >= 0;) {
        part hole = part_of_rule(g, rule);
        by_sites left = convolve(&whole.sum, &hole.mass);
        whole.sum = convolve(&whole.mass, &hole.sum);
        add(&whole.sum, &left, 1);
        whole.mass = convolve(&whole.mass, &hole.mass);
    }
    return whole;
}

static part part_of_rule(const mutation_grammar *g, int rule)
{
    part mean = {{{0}}, {{0}}};
    int count = mutation_grammar_choices(g, rule);
    for (int i = 0; i < count; i++) {
        part one = part_of(g, template_of(g, rule, i));
        if (count > 1) {
            by_sites own = edit_entropy(g, rule, i, &one.mass);
            add(&one.sum, &own, 1);
            shift(&one.mass);
            shift(&one.sum);
        }
        add(&mean.mass, &one.mass, 1.0 / count);
        add(&mean.sum, &one.sum, 1.0 / count);
    }
    return mean;
}

double mutation_grammar_entropy(const mutation_grammar *g)
{
    part source = part_of_rule(g, g->root);
    double entropy = 0;
    assert(source.mass.at[0] == 0); /* a source without a site has no refinement */
    for (int w = 1; w <= MUTATION_MAX_RULES; w++)
        entropy += source.mass.at[w] * base_log(w) + source.sum.at[w] / w;
    return entropy;
}
