/* SPDX-License-Identifier: MIT */
/* entropy.c -- how likely a refinement is, and the loss that no model of refinements can beat.
 *
 * A model Q(refined | source) trained by cross-entropy has the expected loss
 *
 *     E[-log Q] = H(refined | source) + E[KL(P || Q)]  >=  H(refined | source),
 *
 * with equality where Q is the mutator P itself (Shannon 1948; Cover & Thomas, theorem 2.6.3). For
 * a natural corpus the first term is unknown. Here it is a finite sum.
 *
 * Let s be the source, E the edited parameter, R the refined design. R differs from s in E alone,
 * and where it does not differ at all (no clamp, a small d_ff) E was d_ff, as +-1 always changes
 * something. So E is a function of (s, R), E does not depend on s, and by the chain rule
 *
 *     H(R | s) = H(E, R | s) = H(E) + sum over e of P(e) H(new value | e, s).
 *
 * The new value of parameter e depends on s only through its old value v, which is uniform over
 * low .. high, so the average over sources needs no product of the four ranges:
 *
 *     by_edit[e] = 1 / (high - low + 1) * sum over v of H(new value | e, v)
 *     H(R | s)   = H(E) + sum over e of P(e) by_edit[e]
 *
 * Of n equally likely draws, let m(x) give the value x; then P(x) = m(x) / n, and
 *
 *     H(new value | e, v) = -sum over x of m/n log(m/n) = log n - 1/n * sum over x of m log m.
 *
 * "Nats a pair" is also what a sequence model pays in all tokens of the refined source together:
 * the tokens that the source determines cost nothing at the optimum. */
#include "refine/mutation/sample.h"

#include "base/math.h"
#include <assert.h>

/* P(refined | source) = P(edit) * m / n, with m of the n draws giving the new value. */
double mutation_probability(const mutation_rules *rules, const mutation_design *source,
                            const mutation_design *refined)
{
    mutation_edit edit = MUTATION_EDIT_D_FF; /* the only edit that may change nothing */
    int changed = 0;
    for (int i = 0; i < MUTATION_EDITS; i++)
        if (source->value[i] != refined->value[i]) {
            edit = (mutation_edit)i;
            changed++;
        }
    if (changed > 1)
        return 0;
    int draws[MUTATION_MAX_DRAWS], hits = 0;
    int count = mutation_draws(rules, edit, source->value[edit], draws);
    for (int i = 0; i < count; i++)
        hits += draws[i] == refined->value[edit];
    return hits ? mutation_choice(rules, edit) * hits / count : 0;
}

/* H(new value | edit, value): equal draws are neighbours, so their number m is a run's length. */
static double value_entropy(const mutation_rules *rules, mutation_edit edit, int value)
{
    int draws[MUTATION_MAX_DRAWS];
    int count = mutation_draws(rules, edit, value, draws);
    assert(count > 0);
    double repeats = 0; /* sum of m log m */
    for (int start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count && draws[end] == draws[start]; end++)
            ;
        if (end - start > 1)
            repeats += (end - start) * base_log(end - start);
    }
    return base_log(count) - repeats / count;
}

double mutation_entropy(const mutation_rules *rules, double by_edit[MUTATION_EDITS])
{
    double total = 0;
    for (int i = 0; i < MUTATION_EDITS; i++) {
        mutation_edit edit = (mutation_edit)i;
        double sum = 0, choice = mutation_choice(rules, edit);
        for (int value = rules->low[i]; value <= rules->high[i]; value++)
            sum += value_entropy(rules, edit, value);
        double average = sum / (rules->high[i] - rules->low[i] + 1);
        if (by_edit)
            by_edit[i] = average;
        total += choice * (average - base_log(choice));
    }
    return total;
}
