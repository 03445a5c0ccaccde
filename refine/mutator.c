/* mutator.c -- see mutator.h. Each function has a line for either kind. */
#include "refine/mutator.h"

refine_mutator refine_mutator_of_rules(const refine_rules *rules)
{
    return (refine_mutator){.declaration = "t5 *model(void)", .rules = *rules};
}

refine_mutator refine_mutator_of_grammar(const refine_grammar *grammar, const char *declaration)
{
    return (refine_mutator){.declaration = declaration, .is_grammar = true, .grammar = *grammar};
}

void refine_form_print(const refine_mutator *m, const refine_form *form, base_text *text)
{
    if (m->is_grammar)
        refine_tree_print(&m->grammar, &form->tree, text);
    else
        refine_print(&form->design, text);
}

bool refine_form_read(const refine_mutator *m, const char *text, size_t length, refine_form *form)
{
    return m->is_grammar ? refine_tree_read(&m->grammar, text, length, &form->tree)
                         : refine_read(text, length, &form->design);
}

int refine_mutator_edits(const refine_mutator *m)
{
    return m->is_grammar ? m->grammar.count : REFINE_EDITS;
}

const char *refine_mutator_edit(const refine_mutator *m, int edit)
{
    return m->is_grammar ? m->grammar.rules[edit].name : refine_edit_name((refine_edit)edit);
}

refine_drawn refine_mutator_pair(const refine_mutator *m, uint64_t seed, uint64_t index)
{
    refine_drawn drawn;
    if (m->is_grammar) {
        refine_tree_pair pair = refine_tree_pair_of(&m->grammar, seed, index);
        drawn.source.tree = pair.source;
        drawn.refined.tree = pair.refined;
        drawn.edit = pair.rule;
    } else {
        refine_pair pair = refine_sample(&m->rules, seed, index);
        drawn.source.design = pair.source;
        drawn.refined.design = pair.refined;
        drawn.edit = (int)pair.edit;
    }
    return drawn;
}

refine_form refine_mutator_draw(const refine_mutator *m, base_random *random)
{
    refine_form form;
    if (m->is_grammar)
        form.tree = refine_tree_sample(&m->grammar, random);
    else
        form.design = refine_design_sample(&m->rules, random);
    return form;
}

bool refine_mutator_refine(const refine_mutator *m, const refine_form *source, base_random *random,
                           refine_form *refined)
{
    int draws[REFINE_MAX_DRAWS];
    if (m->is_grammar) {
        if (refine_tree_sites(&m->grammar, &source->tree) == 0)
            return false;
        refine_tree_edit(&m->grammar, &source->tree, random, &refined->tree);
        return true;
    }
    for (int i = 0; i < REFINE_EDITS; i++)
        if (refine_draws(&m->rules, (refine_edit)i, source->design.value[i], draws) == 0)
            return false;
    refine_mutate(&m->rules, &source->design, random, &refined->design);
    return true;
}

double refine_mutator_probability(const refine_mutator *m, const refine_form *source,
                                  const refine_form *refined)
{
    return m->is_grammar ? refine_tree_probability(&m->grammar, &source->tree, &refined->tree)
                         : refine_probability(&m->rules, &source->design, &refined->design);
}

double refine_mutator_entropy(const refine_mutator *m)
{
    return m->is_grammar ? refine_grammar_entropy(&m->grammar) : refine_entropy(&m->rules, NULL);
}

/* ---- outcomes ---- */

int refine_mutator_outcomes(const refine_mutator *m)
{
    return 2 * refine_mutator_edits(m) + 1;
}

static int outcome_of(int edit, bool up)
{
    return 2 * edit + up;
}

/* What a parameter or a rule is in a form; -1: the form does not have it. */
static int value_of(const refine_mutator *m, const refine_form *form, int edit)
{
    return m->is_grammar ? form->tree.choice[edit] : form->design.value[edit];
}

int refine_mutator_outcome(const refine_mutator *m, const refine_form *source,
                           const refine_form *refined, int *changed)
{
    int edit = REFINE_EDIT_D_FF; /* without clamp, the only edit that may change nothing */
    *changed = 0;
    for (int i = 0; i < refine_mutator_edits(m); i++) {
        int before = value_of(m, source, i), after = value_of(m, refined, i);
        if (before < 0 || after < 0 || before == after)
            continue;
        edit = i;
        ++*changed;
    }
    if (!(refine_mutator_probability(m, source, refined) > 0))
        return refine_mutator_outcomes(m) - 1;
    return outcome_of(edit, value_of(m, refined, edit) >= value_of(m, source, edit));
}

/* A draw that leaves the value as it is (no clamp, a small d_ff) was a step up that rounding took
 * back. A parameter without draws (a source outside the ranges) has no legal refinement: what the
 * rules would give it counts as illegal. */
static void expect_of_rules(const refine_rules *rules, const refine_design *source,
                            double *expected)
{
    for (int edit = 0; edit < REFINE_EDITS; edit++) {
        int draws[REFINE_MAX_DRAWS], up = 0, value = source->value[edit];
        int count = refine_draws(rules, (refine_edit)edit, value, draws);
        double choice = refine_choice(rules, (refine_edit)edit);
        for (int i = 0; i < count; i++)
            up += draws[i] >= value;
        if (count == 0) {
            expected[2 * REFINE_EDITS] += choice;
        } else {
            expected[outcome_of(edit, true)] += choice * up / count;
            expected[outcome_of(edit, false)] += choice * (count - up) / count;
        }
    }
}

static void expect_of_grammar(const refine_grammar *g, const refine_tree *source, double *expected)
{
    double site = 1.0 / refine_tree_sites(g, source);
    for (int rule = 0; rule < g->count; rule++) {
        int from = source->choice[rule], choices = refine_grammar_choices(g, rule);
        for (int to = 0; from >= 0 && choices > 1 && to < choices; to++)
            expected[outcome_of(rule, to > from)] += site * refine_grammar_step(g, rule, from, to);
    }
}

void refine_mutator_expect(const refine_mutator *m, const refine_form *source,
                           double expected[REFINE_MAX_OUTCOMES])
{
    if (m->is_grammar)
        expect_of_grammar(&m->grammar, &source->tree, expected);
    else
        expect_of_rules(&m->rules, &source->design, expected);
}
