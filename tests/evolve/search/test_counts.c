/* SPDX-License-Identifier: MIT */
/* test_counts.c -- edits that paid are drawn more often, exactly as often as the counts say. */
#include "evolve/search/counts.h"
#include "tests/test.h"

#include <math.h>

static mutation_mutator paper(void)
{
    mutation_rules rules = mutation_paper_rules();
    return mutation_mutator_of_rules(&rules);
}

static mutation_form middle(void) { return (mutation_form){.design = {{4, 4, 8, 1024}}}; }

/* How often each outcome is drawn, of n one-edit children: asked for, or drawn by the rules and taken. */
static void draw(const search_counts *counts, bool taken, int n, double share[2 * MUTATION_EDITS])
{
    mutation_mutator m = paper();
    mutation_form source = middle(), child;
    base_random random = {1, base_random_stream("test", 0, 0, 0), 0};
    int changed;
    for (int i = 0; i < 2 * MUTATION_EDITS; i++)
        share[i] = 0;
    for (int i = 0; i < n; i++) {
        if (taken)
            do
                m.kind->refine(&m, &source, &random, &child);
            while (!search_counts_take(counts, &m, &source, &child, &random));
        else
            search_counts_refine(counts, &m, 1, &source, NULL, NULL, &random, &child);
        int outcome = mutation_mutator_outcome(&m, &source, &child, &changed);
        if (outcome < 2 * MUTATION_EDITS)
            share[outcome] += 1.0 / n;
    }
}

enum { N = 40000 };

/* q is 2/3 of one that paid the only time, 1/3 of one that did not, 1/2 of the six others. */
static void children_are_drawn_as_the_counts_say(void)
{
    mutation_mutator m = paper();
    mutation_form source = middle(), more = source, fewer = source;
    search_counts counts = {0};
    double share[2 * MUTATION_EDITS], all = (4.0 + 1 + 6 * 9 / 4.0) / 9;
    more.design.value[0]++;
    fewer.design.value[1]--;
    search_counts_note(&counts, &m, &source, &more, true);
    search_counts_note(&counts, &m, &source, &fewer, false);
    for (int taken = 0; taken < 2; taken++) {
        draw(&counts, taken, N, share);
        for (int i = 0; i < 2 * MUTATION_EDITS; i++) {
            double want = (i == 1 ? 4.0 / 9 : i == 2 ? 1.0 / 9 : 0.25) / all;
            CHECK(fabs(share[i] - want) < 4 * sqrt(want / N), "outcome %d: %g, not %g", i, share[i],
                  want);
        }
    }
}

static void nothing_known_is_the_rules(void)
{
    const search_counts nothing = {0};
    double counted[2 * MUTATION_EDITS], rules[2 * MUTATION_EDITS];
    draw(&nothing, false, N, counted);
    draw(NULL, false, N, rules);
    for (int i = 0; i < 2 * MUTATION_EDITS; i++) {
        CHECK(fabs(counted[i] - 0.125) < 0.01, "outcome %d: %g", i, counted[i]);
        CHECK(fabs(rules[i] - 0.125) < 0.01, "outcome %d: %g", i, rules[i]);
    }
}

static void experience_is_learnt_by_the_names_of_edits(void)
{
    static const char file[] =
        "task,scope,score,d_model,examples,channels,height,width,classes,parent,child,edits,"
        "outcome,before,after,noise,flops\n"
        "a,a,a,1,1,0,0,0,0,p,a,num_heads+ d_ff-,better,2,1,0,1\n"
        "a,a,a,1,1,0,0,0,0,p,b,d_ff-,worse,2,3,0,1\n"
        "a,a,a,1,1,0,0,0,0,p,c,d_ff-,fails,2,,,1\n"
        "a,a,a,1,1,0,0,0,0,p,d,rate+,better,2,1,0,1\n"
        "a,a,a,1,1,0,0,0,0,p,e,?,better,2,1,0,1\n";
    mutation_mutator m = paper();
    search_counts counts = {0};
    base_error error;
    search_experience *e = search_experience_read(file, sizeof file - 1, "e.csv", &error);
    CHECK(e != NULL, "%s", error.text);
    if (!e)
        return;
    search_counts_learn(&counts, &m, e);
    const int heads = 2 * MUTATION_EDIT_NUM_HEADS + 1, width = 2 * MUTATION_EDIT_D_FF;
    double tried = 0;
    for (int i = 0; i < 2 * MUTATION_EDITS; i++)
        tried += counts.tried[i];
    CHECK(tried == 4, "%g edits were tried", tried);
    CHECK(counts.tried[heads] == 1 && counts.paid[heads] == 1, "%g", counts.paid[heads]);
    CHECK(counts.tried[width] == 3 && counts.paid[width] == 1, "%g", counts.tried[width]);
    search_counts_limit(&counts, 1.5);
    CHECK(counts.tried[width] == 1.5 && counts.paid[width] == 0.5, "%g", counts.paid[width]);
    search_experience_free(e);
}

static bool has_few_heads(void *user, const mutation_form *child)
{
    (void)user;
    return child->design.value[MUTATION_EDIT_NUM_HEADS] <= 8;
}

/* Of a thousand children, the half has two parameters changed or more, where each further edit has
 * chance 1/2 and may meet the same parameter. None is one that is known, as long as there are others. */
static void children_have_one_edit_or_more(void)
{
    mutation_mutator m = paper();
    mutation_form source = middle(), child;
    base_random random = {2, base_random_stream("test", 0, 0, 0), 0};
    int one = 0, changed, few = 0;
    for (int i = 0; i < 1000; i++) {
        search_counts_refine(NULL, &m, 0, &source, NULL, NULL, &random, &child);
        mutation_mutator_outcome(&m, &source, &child, &changed);
        CHECK(changed > 0, "the source itself");
        one += changed == 1;
        search_counts_refine(NULL, &m, 0, &source, has_few_heads, NULL, &random, &child);
        few += has_few_heads(NULL, &child);
    }
    CHECK(one > 500 && one < 680, "%d children with one", one);
    CHECK(few == 0, "%d known ones", few);
}

static void what_has_no_edit_is_refused(void)
{
    mutation_mutator m = paper();
    mutation_form outside = {.design = {{100, 4, 8, 1024}}}, child;
    base_random random = {3, 0, 0};
    CHECK(!search_counts_refine(NULL, &m, 0, &outside, NULL, NULL, &random, &child),
          "a child of a design outside of the ranges");
}

int main(void)
{
    children_are_drawn_as_the_counts_say();
    nothing_known_is_the_rules();
    experience_is_learnt_by_the_names_of_edits();
    children_have_one_edit_or_more();
    what_has_no_edit_is_refused();
    return test_end();
}
