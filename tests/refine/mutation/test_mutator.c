/* SPDX-License-Identifier: MIT */
/* test_mutator.c -- both kinds of mutator behind one interface: that they agree with what is
 * behind it, and that outcomes and their expectations are one distribution. */
#include "refine/mutation/mutator.h"
#include "tests/test.h"

#include <math.h>

enum { KINDS = 8 };

static mutation_mutator kind(int i)
{
    static const unsigned scopes[] = {
        MUTATION_LEARNING, MUTATION_OBJECTIVE, MUTATION_DATA, MUTATION_ARCHITECTURE,
        MUTATION_ARCHITECTURE | MUTATION_LEARNING | MUTATION_OBJECTIVE | MUTATION_DATA};
    if (i == 0) {
        mutation_rules rules = mutation_paper_rules();
        return mutation_mutator_of_rules(&rules);
    }
    mutation_grammar grammar =
        i < 6    ? mutation_grammar_of(scopes[i - 1])
        : i == 6 ? mutation_network_grammar()
                 : mutation_deploy_grammar(MUTATION_ARCHITECTURE | MUTATION_LEARNING);
    return mutation_mutator_of_grammar(&grammar, "t5 *model(void)");
}

static bool same(const mutation_mutator *m, const mutation_form *a, const mutation_form *b)
{
    return !mutation_mutator_is_of_rules(m) ? memcmp(&a->tree, &b->tree, sizeof a->tree) == 0
                                            : memcmp(&a->design, &b->design, sizeof a->design) == 0;
}

/* What is drawn is printed and read back; its probability is above 0, its outcome legal, and of the
 * edit that was drawn. */
static void pairs_are_refinements(void)
{
    for (int k = 0; k < KINDS; k++) {
        mutation_mutator m = kind(k);
        for (uint64_t i = 0; i < 300; i++) {
            mutation_drawn pair = m.kind->pair(&m, 3, i), again = m.kind->pair(&m, 3, i);
            base_text text = {0};
            mutation_form read;
            int changed;
            m.kind->print(&m, &pair.refined, &text);
            CHECK(m.kind->read(&m, text.data, text.length, &read) &&
                      same(&m, &read, &pair.refined) && same(&m, &again.refined, &pair.refined) &&
                      again.edit == pair.edit,
                  "kind %d, pair %d: read back differently", k, (int)i);
            CHECK(!m.kind->read(&m, text.data, text.length - 1, &read), "kind %d: cut off", k);
            CHECK(m.kind->probability(&m, &pair.source, &pair.refined) > 0, "kind %d", k);
            int outcome = mutation_mutator_outcome(&m, &pair.source, &pair.refined, &changed);
            CHECK(outcome / 2 == pair.edit && changed == 1, "kind %d: %d, drawn %s, %d changed", k,
                  outcome, m.kind->name(&m, pair.edit), changed);
            outcome = mutation_mutator_outcome(&m, &pair.source, &pair.source, &changed);
            CHECK(outcome == mutation_mutator_outcomes(&m) - 1 && changed == 0,
                  "kind %d: a copy is outcome %d", k, outcome);
            base_text_free(&text);
        }
    }
}

/* One refinement after another, of any start: each a legal edit of the one before. */
static void refinements_follow_each_other(void)
{
    for (int k = 0; k < KINDS; k++) {
        mutation_mutator m = kind(k);
        base_random random = {7, base_random_stream("test", (uint64_t)k, 0, 0), 0};
        mutation_form form = m.kind->draw(&m, &random), next;
        for (int i = 0; i < 300; i++, form = next)
            CHECK(m.kind->refine(&m, &form, &random, &next) &&
                      m.kind->probability(&m, &form, &next) > 0,
                  "kind %d, refinement %d", k, i);
    }
    mutation_mutator m = kind(0);
    base_random random = {7, 0, 0};
    mutation_form outside = {.design = {.value = {2, 2, 100, 1024}}}, next;
    CHECK(!m.kind->refine(&m, &outside, &random, &next), "100 heads have no neighbour");
}

/* The mean of -log P over pairs is the entropy, within 5 standard errors of it. */
static void entropy_is_the_mean_surprise(void)
{
    enum { PAIRS = 4000 };
    for (int k = 0; k < KINDS; k++) {
        mutation_mutator m = kind(k);
        double sum = 0, squares = 0, entropy = m.kind->entropy(&m);
        for (uint64_t i = 0; i < PAIRS; i++) {
            mutation_drawn pair = m.kind->pair(&m, 4, i);
            double surprise = -log(m.kind->probability(&m, &pair.source, &pair.refined));
            sum += surprise;
            squares += surprise * surprise;
        }
        double mean = sum / PAIRS, error = sqrt((squares / PAIRS - mean * mean) / PAIRS);
        CHECK(fabs(mean - entropy) <= 5 * error, "kind %d: %g, expected %g +- %g", k, mean, entropy,
              error);
    }
}

/* Of one source: expectations sum to 1, and many edits of it have their frequencies. An outcome of
 * probability p is met n p times, give or take 5 sqrt(n p (1 - p)). */
static void outcomes_come_as_expected(void)
{
    enum { EDITS = 20000 };
    for (int k = 1; k < KINDS; k++) {
        mutation_mutator m = kind(k);
        mutation_drawn pair = m.kind->pair(&m, 5, 7);
        double expected[MUTATION_MAX_OUTCOMES] = {0}, sum = 0;
        int met[MUTATION_MAX_OUTCOMES] = {0}, changed;
        m.kind->expect(&m, &pair.source, expected);
        base_random random = {6, base_random_stream("test outcomes", (uint64_t)k, 0, 0), 0};
        for (int i = 0; i < EDITS; i++) {
            mutation_form refined;
            mutation_tree_edit(&m.grammar, &pair.source.tree, &random, &refined.tree);
            met[mutation_mutator_outcome(&m, &pair.source, &refined, &changed)]++;
        }
        for (int i = 0; i < mutation_mutator_outcomes(&m); i++) {
            double p = expected[i];
            sum += p;
            CHECK(fabs(met[i] - EDITS * p) <= 5 * sqrt(EDITS * p * (1 - p)) + 1e-9,
                  "kind %d, outcome %d: met %d times, expected %g", k, i, met[i], EDITS * p);
        }
        CHECK(fabs(sum - 1) < 1e-12, "kind %d: %g", k, sum);
    }
}

/* With weights: pairs have the expected outcomes (each of N different sources, so that an outcome with probabilities
 * p_i is met sum p_i times, give or take 5 sqrt(sum p_i (1 - p_i))); and the probability is one: over the refinements that
 * the rules make of a source, P_w / P has the mean 1. Equal weights change nothing but what is drawn. */
static void weighted_pairs_come_as_expected(void)
{
    enum { N = 4000 };
    double weight[MUTATION_MAX_OUTCOMES];
    base_random random = {8, base_random_stream("test weights", 0, 0, 0), 0};
    for (int i = 0; i < MUTATION_MAX_OUTCOMES; i++)
        weight[i] = 0.02 + base_random_uniform(&random);
    for (int k = 0; k < KINDS; k++) {
        mutation_mutator rules = kind(k), m = rules;
        double expected[MUTATION_MAX_OUTCOMES] = {0}, spread[MUTATION_MAX_OUTCOMES] = {0};
        double ratio = 0, square = 0;
        int met[MUTATION_MAX_OUTCOMES] = {0}, changed;
        m.weight = weight;
        for (uint64_t i = 0; i < N; i++) {
            double of_one[MUTATION_MAX_OUTCOMES] = {0};
            mutation_drawn plain = rules.kind->pair(&rules, 4, i),
                           pair = mutation_mutator_pair(&m, 4, i),
                           none = mutation_mutator_pair(&rules, 4, i);
            CHECK(same(&m, &plain.source, &pair.source) && same(&m, &plain.refined, &none.refined),
                  "kind %d: another source", k);
            mutation_mutator_expect(&m, &pair.source, of_one);
            for (int o = 0; o < mutation_mutator_outcomes(&m); o++) {
                expected[o] += of_one[o];
                spread[o] += of_one[o] * (1 - of_one[o]);
            }
            int outcome = mutation_mutator_outcome(&m, &pair.source, &pair.refined, &changed);
            CHECK(outcome / 2 == pair.edit && changed == 1, "kind %d: %d", k, outcome);
            met[outcome]++;
            double r = mutation_mutator_probability(&m, &plain.source, &plain.refined) /
                       mutation_mutator_probability(&rules, &plain.source, &plain.refined);
            ratio += r / N;
            square += r * r / N;
        }
        for (int o = 0; o < mutation_mutator_outcomes(&m); o++)
            CHECK(fabs(met[o] - expected[o]) <= 5 * sqrt(spread[o]) + 1e-6,
                  "kind %d, outcome %d: met %d times, expected %g", k, o, met[o], expected[o]);
        CHECK(fabs(ratio - 1) <= 5 * sqrt((square - ratio * ratio) / N), "kind %d: %g", k, ratio);
    }
}

int main(void)
{
    pairs_are_refinements();
    refinements_follow_each_other();
    entropy_is_the_mean_surprise();
    outcomes_come_as_expected();
    weighted_pairs_come_as_expected();
    return test_end();
}
