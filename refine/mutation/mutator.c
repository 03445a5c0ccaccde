/* mutator.c -- one interface to two kinds of mutator.
 *
 * Both kinds are a prior over sources, an edit with known probabilities, and a text that can be
 * read back; they differ in what a source is: four integers, or a derivation. So each function here
 * has a line for either. Counting outcomes is the only thing done here, on what both kinds have in
 * common: a list of decisions (parameters, or rules), each with a value that an edit moves up or
 * down. */
#include "refine/mutation/mutator.h"

mutation_mutator mutation_mutator_of_rules(const mutation_rules *rules)
{
    return (mutation_mutator){.declaration = "t5 *model(void)", .rules = *rules};
}

mutation_mutator mutation_mutator_of_grammar(const mutation_grammar *grammar,
                                             const char *declaration)
{
    return (mutation_mutator){.declaration = declaration, .is_grammar = true, .grammar = *grammar};
}

void mutation_form_print(const mutation_mutator *m, const mutation_form *form, base_text *text)
{
    if (m->is_grammar)
        mutation_tree_print(&m->grammar, &form->tree, text);
    else
        mutation_print(&form->design, text);
}

bool mutation_form_read(const mutation_mutator *m, const char *text, size_t length,
                        mutation_form *form)
{
    return m->is_grammar ? mutation_tree_read(&m->grammar, text, length, &form->tree)
                         : mutation_read(text, length, &form->design);
}

int mutation_mutator_edits(const mutation_mutator *m)
{
    return m->is_grammar ? m->grammar.count : MUTATION_EDITS;
}

const char *mutation_mutator_edit(const mutation_mutator *m, int edit)
{
    return m->is_grammar ? m->grammar.rules[edit].name : mutation_edit_name((mutation_edit)edit);
}

mutation_drawn mutation_mutator_pair(const mutation_mutator *m, uint64_t seed, uint64_t index)
{
    mutation_drawn drawn;
    if (m->is_grammar) {
        mutation_tree_pair pair = mutation_tree_pair_of(&m->grammar, seed, index);
        drawn.source.tree = pair.source;
        drawn.refined.tree = pair.refined;
        drawn.edit = pair.rule;
    } else {
        mutation_pair pair = mutation_sample(&m->rules, seed, index);
        drawn.source.design = pair.source;
        drawn.refined.design = pair.refined;
        drawn.edit = (int)pair.edit;
    }
    return drawn;
}

mutation_form mutation_mutator_draw(const mutation_mutator *m, base_random *random)
{
    mutation_form form;
    if (m->is_grammar)
        form.tree = mutation_tree_sample(&m->grammar, random);
    else
        form.design = mutation_design_sample(&m->rules, random);
    return form;
}

bool mutation_mutator_refine(const mutation_mutator *m, const mutation_form *source,
                             base_random *random, mutation_form *refined)
{
    int draws[MUTATION_MAX_DRAWS];
    if (m->is_grammar) {
        if (mutation_tree_sites(&m->grammar, &source->tree) == 0)
            return false;
        mutation_tree_edit(&m->grammar, &source->tree, random, &refined->tree);
        return true;
    }
    for (int i = 0; i < MUTATION_EDITS; i++)
        if (mutation_draws(&m->rules, (mutation_edit)i, source->design.value[i], draws) == 0)
            return false;
    mutation_mutate(&m->rules, &source->design, random, &refined->design);
    return true;
}

double mutation_mutator_probability(const mutation_mutator *m, const mutation_form *source,
                                    const mutation_form *refined)
{
    return m->is_grammar ? mutation_tree_probability(&m->grammar, &source->tree, &refined->tree)
                         : mutation_probability(&m->rules, &source->design, &refined->design);
}

double mutation_mutator_entropy(const mutation_mutator *m)
{
    return m->is_grammar ? mutation_grammar_entropy(&m->grammar)
                         : mutation_entropy(&m->rules, NULL);
}

/* ---- outcomes ---- */

int mutation_mutator_outcomes(const mutation_mutator *m)
{
    return 2 * mutation_mutator_edits(m) + 1;
}

static int outcome_of(int edit, bool up)
{
    return 2 * edit + up;
}

/* What a parameter or a rule is in a form; -1: the form does not have it. */
static int value_of(const mutation_mutator *m, const mutation_form *form, int edit)
{
    return m->is_grammar ? form->tree.choice[edit] : form->design.value[edit];
}

int mutation_mutator_outcome(const mutation_mutator *m, const mutation_form *source,
                             const mutation_form *refined, int *changed)
{
    int edit = MUTATION_EDIT_D_FF; /* without clamp, the only edit that may change nothing */
    *changed = 0;
    for (int i = 0; i < mutation_mutator_edits(m); i++) {
        int before = value_of(m, source, i), after = value_of(m, refined, i);
        if (before < 0 || after < 0 || before == after)
            continue;
        edit = i;
        ++*changed;
    }
    if (!(mutation_mutator_probability(m, source, refined) > 0))
        return mutation_mutator_outcomes(m) - 1;
    return outcome_of(edit, value_of(m, refined, edit) >= value_of(m, source, edit));
}

/* A draw that leaves the value as it is (no clamp, a small d_ff) was a step up that rounding took
 * back. A parameter without draws (a source outside the ranges) has no legal refinement: what the
 * rules would give it counts as illegal. */
static void expect_of_rules(const mutation_rules *rules, const mutation_design *source,
                            double *expected)
{
    for (int edit = 0; edit < MUTATION_EDITS; edit++) {
        int draws[MUTATION_MAX_DRAWS], up = 0, value = source->value[edit];
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

static void expect_of_grammar(const mutation_grammar *g, const mutation_tree *source,
                              double *expected)
{
    double site = 1.0 / mutation_tree_sites(g, source);
    for (int rule = 0; rule < g->count; rule++) {
        int from = source->choice[rule], choices = mutation_grammar_choices(g, rule);
        for (int to = 0; from >= 0 && choices > 1 && to < choices; to++)
            expected[outcome_of(rule, to > from)] +=
                site * mutation_grammar_step(g, rule, from, to);
    }
}

void mutation_mutator_expect(const mutation_mutator *m, const mutation_form *source,
                             double expected[MUTATION_MAX_OUTCOMES])
{
    if (m->is_grammar)
        expect_of_grammar(&m->grammar, &source->tree, expected);
    else
        expect_of_rules(&m->rules, &source->design, expected);
}
