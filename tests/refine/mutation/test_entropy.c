/* SPDX-License-Identifier: MIT */
/* test_entropy.c -- probabilities that sum to one, and the floor against two other ways to
 * compute it: enumeration written anew, and the average of -log P over sampled pairs. */
#include "refine/mutation/sample.h"
#include "tests/test.h"

#include <float.h>
#include <math.h>

static mutation_rules variant(int i)
{
    mutation_rules rules = mutation_paper_rules();
    rules.half_for_d_ff = i & 1;
    rules.clamp = i & 2;
    return rules;
}

/* Ranges small enough to enumerate whole designs, with every kind of border: percentages that
 * coincide after truncation, steps that change nothing, steps to 0. */
static mutation_rules small(int i)
{
    mutation_rules rules = {
        .low = {1, 2, 1, 2}, .high = {3, 4, 2, 14}, .percent = 60, .half_for_d_ff = i & 1};
    rules.clamp = i & 2;
    return rules;
}

/* ---- the rules written anew ---- */

/* P(new value | this parameter is edited), for new values 0 .. most, by throwing out what is not
 * allowed and dividing by what is left. `zero` also lets results of 0 pass, as rough figures of
 * the floor do. */
static void enumerate(const mutation_rules *rules, int edit, int value, bool zero, double *p,
                      int most)
{
    int steps = edit == 3 ? rules->percent : 1;
    double kept = 0;
    for (int i = 0; i <= most; i++)
        p[i] = 0;
    for (int step = 1; step <= steps; step++)
        for (int up = 0; up < 2; up++) {
            int result = up ? value + 1 : value - 1;
            if (edit == 3) /* floor of the rise; ceiling of the fall */
                result = up ? value + value * step / 100 : value - (value * step + 99) / 100;
            bool in = result >= rules->low[edit] && result <= rules->high[edit];
            if (rules->clamp ? in && result != value : result >= 1 || zero) {
                p[result]++;
                kept++;
            }
        }
    for (int i = 0; i <= most; i++)
        p[i] /= kept;
}

static double choice(const mutation_rules *rules, int edit)
{
    return !rules->half_for_d_ff ? 0.25 : edit == 3 ? 0.5 : 0.5 / 3;
}

/* E[-log P] and E[(log P)^2] over sources and refinements: a sum a value, over those a sum a
 * parameter. */
static double moments(const mutation_rules *rules, bool zero, double *square)
{
    static double p[8200];
    double mean = 0;
    *square = 0;
    for (int edit = 0; edit < 4; edit++) {
        int most = 2 * rules->high[edit], values = rules->high[edit] - rules->low[edit] + 1;
        double edit_mean = 0, edit_square = 0;
        for (int value = rules->low[edit]; value <= rules->high[edit]; value++) {
            double value_mean = 0, value_square = 0;
            enumerate(rules, edit, value, zero, p, most);
            for (int i = 0; i <= most; i++)
                if (p[i] > 0) {
                    double cost = -log(choice(rules, edit) * p[i]);
                    value_mean += p[i] * cost;
                    value_square += p[i] * cost * cost;
                }
            edit_mean += value_mean;
            edit_square += value_square;
        }
        mean += choice(rules, edit) * edit_mean / values;
        *square += choice(rules, edit) * edit_square / values;
    }
    return mean;
}

/* ---- tests ---- */

/* Three nested sums: over at most 100 outcomes, 4033 values, 4 parameters. A sum of n numbers of
 * one sign errs by less than n roundings of its result, plus a few for the terms' own logarithms
 * and quotients; results are below 8. The bound holds for both ways of computing, so twice. */
static double tolerance(void) { return 2 * (100 + 4033 + 4 + 30) * 8 * (DBL_EPSILON / 2); }

static void entropy_equals_an_enumeration_written_anew(void)
{
    for (int i = 0; i < 8; i++) {
        mutation_rules rules = i < 4 ? small(i) : variant(i - 4);
        double by_edit[MUTATION_EDITS], square, total = 0;
        double entropy = mutation_entropy(&rules, by_edit), mean = moments(&rules, false, &square);
        CHECK(fabs(entropy - mean) <= tolerance(), "rules %d: %.15g, enumerated %.15g", i, entropy,
              mean);
        for (int edit = 0; edit < MUTATION_EDITS; edit++) {
            double p = mutation_choice(&rules, (mutation_edit)edit);
            total += p * (by_edit[edit] - log(p));
        }
        CHECK(fabs(entropy - total) <= tolerance(), "rules %d: %.15g, by parameter %.15g", i,
              entropy, total);
        CHECK(mutation_entropy(&rules, NULL) == entropy, "rules %d: NULL changes it", i);
    }
}

/* No independence assumed: every whole source against every whole design. */
static void probabilities_sum_to_one_and_give_the_entropy(void)
{
    for (int v = 0; v < 4; v++) {
        mutation_rules rules = small(v);
        double worst = 0, entropy = 0;
        int sources = 0, s[4], r[4];
        for (s[0] = rules.low[0]; s[0] <= rules.high[0]; s[0]++)
            for (s[1] = rules.low[1]; s[1] <= rules.high[1]; s[1]++)
                for (s[2] = rules.low[2]; s[2] <= rules.high[2]; s[2]++)
                    for (s[3] = rules.low[3]; s[3] <= rules.high[3]; s[3]++) {
                        mutation_design source = {{s[0], s[1], s[2], s[3]}};
                        double sum = 0;
                        for (r[0] = 0; r[0] <= 5; r[0]++)
                            for (r[1] = 0; r[1] <= 6; r[1]++)
                                for (r[2] = 0; r[2] <= 4; r[2]++)
                                    for (r[3] = 0; r[3] <= 28; r[3]++) {
                                        mutation_design refined = {{r[0], r[1], r[2], r[3]}};
                                        double p = mutation_probability(&rules, &source, &refined);
                                        sum += p;
                                        entropy -= p > 0 ? p * log(p) : 0;
                                    }
                        worst = fmax(worst, fabs(sum - 1));
                        sources++;
                    }
        /* at most 6 + 60 positive terms, each rounded a few times */
        CHECK(worst <= 4 * 66 * DBL_EPSILON, "variant %d: off 1 by %g", v, worst);
        entropy /= sources; /* at most 3 * 3 * 2 * 13 * 66 terms, one after another */
        CHECK(fabs(entropy - mutation_entropy(&rules, NULL)) <= 15444 * 8 * DBL_EPSILON,
              "variant %d: %.15g, over designs %.15g", v, mutation_entropy(&rules, NULL), entropy);
    }
}

/* The papers' ranges: sources at the borders and at random, refined values where they can be. */
static void probabilities_of_the_papers_sum_to_one(void)
{
    base_random random = {2, base_random_stream("test sums", 0, 0, 0), 0};
    for (int v = 0; v < 4; v++) {
        mutation_rules rules = variant(v);
        double worst = 0;
        for (int i = 0; i < 40; i++) {
            mutation_design source;
            for (int j = 0; j < 4; j++)
                source.value[j] =
                    i == 0 ? rules.low[j]
                    : i == 1
                        ? rules.high[j]
                        : rules.low[j] + (int)base_random_below(
                                             &random, (uint32_t)(rules.high[j] - rules.low[j] + 1));
            double sum = mutation_probability(&rules, &source, &source); /* a step back to itself */
            for (int j = 0; j < 4; j++) {
                mutation_design refined = source;
                for (int value = 0; value <= 2 * source.value[j] + 1; value++) {
                    refined.value[j] = value;
                    if (value != source.value[j])
                        sum += mutation_probability(&rules, &source, &refined);
                }
            }
            worst = fmax(worst, fabs(sum - 1));
        }
        CHECK(worst <= 4 * 106 * DBL_EPSILON, "variant %d: off 1 by %g", v, worst);
    }
}

static void probabilities_by_hand(void)
{
    mutation_rules rules = mutation_paper_rules();
    mutation_design table_1 = {{2, 2, 8, 1024}};
    static const struct {
        mutation_design refined;
        double p;
    } cases[] = {
        {{{2, 2, 8, 1331}}, 1 / 400.}, /* Table 1's own refinement */
        {{{3, 2, 8, 1024}}, 1 / 8.},   {{{1, 2, 8, 1024}}, 1 / 8.}, {{{2, 2, 7, 1024}}, 1 / 8.},
        {{{2, 2, 8, 1024}}, 0},        {{{4, 2, 8, 1024}}, 0},      {{{3, 3, 8, 1024}}, 0},
        {{{2, 2, 8, 1025}}, 0},        {{{2, 2, 8, 0}}, 0},         {{{3, 2, 8, 1331}}, 0},
        {{{2, 2, 8, 2147483647}}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double p = mutation_probability(&rules, &table_1, &cases[i].refined);
        CHECK(fabs(p - cases[i].p) <= DBL_EPSILON, "case %zu: %g, expected %g", i, p, cases[i].p);
    }
    mutation_design border = {{8, 1, 1, 64}}, down = {{7, 1, 1, 64}}, up = {{9, 1, 1, 64}};
    CHECK(mutation_probability(&rules, &border, &down) == 0.25, "the one way left");
    CHECK(mutation_probability(&rules, &border, &up) == 0, "out of range");
    rules.clamp = false;
    CHECK(mutation_probability(&rules, &border, &up) == 0.125, "no clamp");
    CHECK(mutation_probability(&rules, &border, &border) == 1 / 400., "64 * 101 / 100 is 64");
}

/* Away from 1, and from d_ff 100 on where truncation merges nothing, no clamp leaves a formula:
 * H(choice) + P(+-1) log 2 + P(d_ff) log 100. It is what one gets by forgetting the borders, and
 * the 3.06 and 3.89 nats that one quotes for the papers. Their true figures are lower. */
static void floors_are_known(void)
{
    mutation_rules plain = {.low = {2, 2, 2, 100}, .high = {9, 9, 9, 5000}, .percent = 50};
    double rough[2] = {log(4) + 0.75 * log(2) + 0.25 * log(100),
                       0.5 * log(2) + 0.5 * log(6) + 0.5 * log(2) + 0.5 * log(100)};
    CHECK(fabs(mutation_entropy(&plain, NULL) - rough[0]) <= tolerance(), "%.15g",
          mutation_entropy(&plain, NULL));
    plain.half_for_d_ff = true;
    CHECK(fabs(mutation_entropy(&plain, NULL) - rough[1]) <= tolerance(), "%.15g",
          mutation_entropy(&plain, NULL));
    CHECK(fabs(rough[0] - 3.06) < 0.005 && fabs(rough[1] - 3.89) < 0.005, "%g %g", rough[0],
          rough[1]);
    for (int half = 0; half < 2; half++) { /* with labels of 0 layers or heads let pass */
        mutation_rules rules = variant(half);
        double square, zero = moments(&rules, true, &square);
        CHECK(fabs(zero - (half ? 3.89 : 3.06)) < 0.005, "%.10f", zero);
    }

    /* Computed in 50 digits by another program, in another language, from the rules' wording. */
    static const double floors[4] = {3.00275378259337, 3.85442781858935, 2.91710947970630,
                                     3.75534204412362};
    for (int v = 0; v < 4; v++) {
        mutation_rules rules = variant(v);
        double entropy = mutation_entropy(&rules, NULL);
        CHECK(fabs(entropy - floors[v]) <= tolerance(), "variant %d: %.15g", v, entropy);
    }
}

/* The mean of -log P over N sampled pairs has the standard deviation sigma / sqrt(N), sigma^2 =
 * E[(log P)^2] - H^2 by enumeration. Five of them: one run in 1.7 million would fail. */
static void sampled_pairs_cost_the_entropy(void)
{
    enum { PAIRS = 200000 };
    for (int v = 0; v < 4; v++) {
        mutation_rules rules = variant(v);
        double square, entropy = moments(&rules, false, &square), sum = 0;
        for (uint64_t i = 0; i < PAIRS; i++) {
            mutation_pair pair = mutation_sample(&rules, 21, i);
            sum -= log(mutation_probability(&rules, &pair.source, &pair.refined));
        }
        double sigma = sqrt((square - entropy * entropy) / PAIRS);
        CHECK(fabs(sum / PAIRS - entropy) <= 5 * sigma, "variant %d: %.6f, expected %.6f +- %.6f",
              v, sum / PAIRS, entropy, sigma);
        CHECK(sigma > 0.001 && sigma < 0.01, "variant %d: sigma %g", v, sigma);
    }
}

int main(void)
{
    entropy_equals_an_enumeration_written_anew();
    probabilities_sum_to_one_and_give_the_entropy();
    probabilities_of_the_papers_sum_to_one();
    probabilities_by_hand();
    floors_are_known();
    sampled_pairs_cost_the_entropy();
    return test_end();
}
