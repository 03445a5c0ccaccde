/* SPDX-License-Identifier: MIT */
/* mutator.c -- the two mutators, a row of functions each, and what both are asked.
 *
 * What differs between four integers and a grammar is how a source is drawn, written, read and
 * refined, and with what probability; which edit a refinement is, and how often each is to be
 * expected, then follows in the same way. */
#include "refine/mutation/mutator.h"

/* Outcomes are numbered two to an edit: down (or to a smaller choice), then up; the last of all is
 * "illegal". */
static int outcome_of(int edit, bool up) { return 2 * edit + up; }

/* ---- the papers' four integers ---- */

/* Functions of mutation_kind (mutator.h) for four integers. A text is that of mutation_print(), with four
 * numbers in it. */
static void print_design(const mutation_mutator *m, const mutation_form *form, base_text *text)
{
    mutation_print(&form->design, text);
    (void)m;
}

static bool read_design(const mutation_mutator *m, const char *text, size_t length,
                        mutation_form *form)
{
    (void)m;
    return mutation_read(text, length, &form->design, NULL);
}

static const char *name_parameter(const mutation_mutator *m, int edit)
{
    (void)m;
    return mutation_edit_name((mutation_edit)edit);
}

static mutation_drawn pair_of_designs(const mutation_mutator *m, uint64_t seed, uint64_t index)
{
    mutation_pair pair = mutation_sample(&m->rules, seed, index);
    return (mutation_drawn){{.design = pair.source}, {.design = pair.refined}, (int)pair.edit};
}

static mutation_form draw_design(const mutation_mutator *m, base_random *random)
{
    return (mutation_form){.design = mutation_design_sample(&m->rules, random)};
}

/* Only of designs whose every parameter has a draw, as the choice of the parameter comes first. */
static bool refine_design(const mutation_mutator *m, const mutation_form *source,
                          base_random *random, mutation_form *refined)
{
    int draws[MUTATION_MAX_DRAWS];
    for (int i = 0; i < MUTATION_EDITS; i++)
        if (mutation_draws(&m->rules, (mutation_edit)i, source->design.value[i], draws) == 0)
            return false;
    mutation_mutate(&m->rules, &source->design, random, &refined->design);
    return true;
}

/* A layer more of either kind, or twice the width: one of those that stay in range, and only
 * heads never grow, which the width is divided among. */
static bool grow_design(const mutation_mutator *m, const mutation_form *source, base_random *random,
                        mutation_form *larger)
{
    mutation_design next[3];
    int count = 0;
    for (mutation_edit edit = 0; edit < MUTATION_EDITS; edit++) {
        int value = source->design.value[edit];
        value = edit == MUTATION_EDIT_D_FF ? 2 * value : value + 1;
        if (edit == MUTATION_EDIT_NUM_HEADS || value > m->rules.high[edit])
            continue;
        next[count] = source->design;
        next[count++].value[edit] = value;
    }
    if (count > 0)
        larger->design = next[base_random_below(random, (uint32_t)count)];
    return count > 0;
}

static double probability_of_design(const mutation_mutator *m, const mutation_form *source,
                                    const mutation_form *refined)
{
    return mutation_probability(&m->rules, &source->design, &refined->design);
}

static double entropy_of_designs(const mutation_mutator *m)
{
    return mutation_entropy(&m->rules, NULL);
}

static int value_in_design(const mutation_form *form, int edit) { return form->design.value[edit]; }

/* A draw that leaves the value as it is (no clamp, a small d_ff) was a step up that rounding took
 * back. A parameter without draws (a source outside the ranges) has no legal refinement: what the
 * rules would give it counts as illegal. */
static void expect_of_design(const mutation_mutator *m, const mutation_form *source,
                             double *expected)
{
    const mutation_rules *rules = &m->rules;
    for (int edit = 0; edit < MUTATION_EDITS; edit++) {
        int draws[MUTATION_MAX_DRAWS], up = 0, value = source->design.value[edit];
        int count = mutation_draws(rules, (mutation_edit)edit, value, draws);
        double choice = mutation_choice(rules, (mutation_edit)edit);
        for (int i = 0; i < count; i++)
            up += draws[i] >= value;
        if (count == 0) {
            expected[2 * MUTATION_EDITS] += choice;
        } else {
            expected[outcome_of(edit, true)] += choice * up / count;
            expected[outcome_of(edit, false)] += choice * (count - up) / count;
        }
    }
}

/* ---- a grammar ---- */

static void print_tree(const mutation_mutator *m, const mutation_form *form, base_text *text)
{
    mutation_tree_print(&m->grammar, &form->tree, text);
}

static bool read_tree(const mutation_mutator *m, const char *text, size_t length,
                      mutation_form *form)
{
    return mutation_tree_read(&m->grammar, text, length, &form->tree);
}

static const char *name_rule(const mutation_mutator *m, int edit)
{
    return m->grammar.rules[edit].name;
}

static mutation_drawn pair_of_trees(const mutation_mutator *m, uint64_t seed, uint64_t index)
{
    mutation_tree_pair pair = mutation_tree_pair_of(&m->grammar, seed, index);
    return (mutation_drawn){{.tree = pair.source}, {.tree = pair.refined}, pair.rule};
}

static mutation_form draw_tree(const mutation_mutator *m, base_random *random)
{
    return (mutation_form){.tree = mutation_tree_sample(&m->grammar, random)};
}

/* A derivation without a site has nothing that an edit could change. */
static bool refine_tree(const mutation_mutator *m, const mutation_form *source, base_random *random,
                        mutation_form *refined)
{
    if (mutation_tree_sites(&m->grammar, &source->tree) == 0)
        return false;
    mutation_tree_edit(&m->grammar, &source->tree, random, &refined->tree);
    return true;
}

static double probability_of_tree(const mutation_mutator *m, const mutation_form *source,
                                  const mutation_form *refined)
{
    return mutation_tree_probability(&m->grammar, &source->tree, &refined->tree);
}

static double entropy_of_trees(const mutation_mutator *m)
{
    return mutation_grammar_entropy(&m->grammar);
}

static int value_in_tree(const mutation_form *form, int edit) { return form->tree.choice[edit]; }

/* Every site is equally likely, and the step from one of its alternatives to another has the probability
 * that the order of the alternatives gives it: P(site) P(to | from), added up by direction. */
static void expect_of_tree(const mutation_mutator *m, const mutation_form *form, double *expected)
{
    const mutation_grammar *g = &m->grammar;
    const mutation_tree *source = &form->tree;
    double site = 1.0 / mutation_tree_sites(g, source);
    for (int rule = 0; rule < g->count; rule++) {
        int from = source->choice[rule], choices = mutation_grammar_choices(g, rule);
        for (int to = 0; from >= 0 && choices > 1 && to < choices; to++)
            expected[outcome_of(rule, to > from)] +=
                site * mutation_grammar_step(g, rule, from, to);
    }
}

/* ---- the rows ---- */

static const mutation_kind of_rules = {print_design,    read_design,           name_parameter,
                                       pair_of_designs, draw_design,           refine_design,
                                       grow_design,     probability_of_design, entropy_of_designs,
                                       value_in_design, expect_of_design};
static const mutation_kind of_grammar = {
    print_tree, read_tree,           name_rule,        pair_of_trees, draw_tree,     refine_tree,
    NULL,       probability_of_tree, entropy_of_trees, value_in_tree, expect_of_tree};

mutation_mutator mutation_mutator_of_rules(const mutation_rules *rules)
{
    return (mutation_mutator){&of_rules, "t5 *model(void)", MUTATION_EDITS, .rules = *rules};
}

mutation_mutator mutation_mutator_of_grammar(const mutation_grammar *grammar,
                                             const char *declaration)
{
    return (mutation_mutator){&of_grammar, declaration, grammar->count, .grammar = *grammar};
}

bool mutation_mutator_is_of_rules(const mutation_mutator *m) { return m->kind == &of_rules; }

bool mutation_mutator_admit(mutation_mutator *m, const char *text, size_t length, size_t *far)
{
    mutation_design design;
    return mutation_mutator_is_of_rules(m) ? mutation_read(text, length, &design, far)
                                           : mutation_grammar_admit(&m->grammar, text, length, far);
}

/* ---- outcomes ---- */

int mutation_mutator_outcomes(const mutation_mutator *m) { return 2 * m->edits + 1; }

int mutation_mutator_outcome(const mutation_mutator *m, const mutation_form *source,
                             const mutation_form *refined, int *changed)
{
    int edit = MUTATION_EDIT_D_FF; /* without clamp, the only edit that may change nothing */
    *changed = 0;
    for (int i = 0; i < m->edits; i++) {
        int before = m->kind->value(source, i), after = m->kind->value(refined, i);
        if (before < 0 || after < 0 || before == after)
            continue;
        edit = i;
        ++*changed;
    }
    if (!(m->kind->probability(m, source, refined) > 0))
        return mutation_mutator_outcomes(m) - 1;
    return outcome_of(edit, m->kind->value(refined, edit) >= m->kind->value(source, edit));
}

/* ---- weights ---- */

/* P(outcome | source) w(outcome), and their sum. */
static double weigh(const mutation_mutator *m, const mutation_form *source,
                    double weighted[MUTATION_MAX_OUTCOMES])
{
    double sum = 0;
    for (int i = 0; i < MUTATION_MAX_OUTCOMES; i++)
        weighted[i] = 0;
    m->kind->expect(m, source, weighted);
    for (int i = 0; i < 2 * m->edits; i++)
        sum += weighted[i] *= m->weight[i];
    return sum;
}

static double weight_of(const mutation_mutator *m, const mutation_form *source,
                        const mutation_form *refined)
{
    int changed;
    return m->weight[mutation_mutator_outcome(m, source, refined, &changed)];
}

/* By rejection: refinements of the drawn source, until one is taken, with chance w / the largest w. */
mutation_drawn mutation_mutator_pair(const mutation_mutator *m, uint64_t seed, uint64_t index)
{
    mutation_drawn drawn = m->kind->pair(m, seed, index);
    if (!m->weight)
        return drawn;
    double most = 0;
    for (int i = 0; i < 2 * m->edits; i++)
        most = m->weight[i] > most ? m->weight[i] : most;
    base_random random = {seed, base_random_stream("weighted", index, 0, 0), 0};
    while (base_random_uniform(&random) * most >= weight_of(m, &drawn.source, &drawn.refined))
        m->kind->refine(m, &drawn.source, &random, &drawn.refined);
    int changed;
    drawn.edit = mutation_mutator_outcome(m, &drawn.source, &drawn.refined, &changed) / 2;
    return drawn;
}

double mutation_mutator_probability(const mutation_mutator *m, const mutation_form *source,
                                    const mutation_form *refined)
{
    double weighted[MUTATION_MAX_OUTCOMES], p = m->kind->probability(m, source, refined);
    return m->weight && p > 0 ? p * weight_of(m, source, refined) / weigh(m, source, weighted) : p;
}

void mutation_mutator_expect(const mutation_mutator *m, const mutation_form *source,
                             double expected[MUTATION_MAX_OUTCOMES])
{
    double weighted[MUTATION_MAX_OUTCOMES];
    if (!m->weight) {
        m->kind->expect(m, source, expected);
        return;
    }
    double sum = weigh(m, source, weighted);
    for (int i = 0; i < 2 * m->edits; i++)
        expected[i] += weighted[i] / sum;
}
