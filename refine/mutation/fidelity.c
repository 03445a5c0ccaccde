/* SPDX-License-Identifier: MIT */
/* fidelity.c -- how well a model imitates the refinements it was trained on.
 *
 * A sample passes or fails five tests in turn (a program, a valid one, in printed form, one edit, a
 * legal edit), and falls into one of the mutator's outcomes: what was edited and its direction, or
 * "illegal". Given its source, the mutator says how likely each outcome is; summed over the sources
 * that were asked, that is the expected count. With n samples, counts c and expected counts e,
 *
 *     TV = 1/2 * sum over outcomes of |c/n - e/n|,
 *
 * the total variation distance between what was made and what should have been.
 *
 * How far from 0 is it for a perfect model? Sample i has outcome j with probability p_ij, so c_j is
 * a sum of independent 0/1 variables with mean e_j and variance sum_i p_ij (1 - p_ij), at most
 * n q_j (1 - q_j) for the mean q_j = e_j / n (x(1-x) is concave). By Jensen, then Cauchy-Schwarz
 * over the k outcomes,
 *
 *     E|c_j - e_j| <= sqrt(n q_j (1 - q_j))
 *     E TV <= 1/2 * sum_j sqrt(q_j (1 - q_j) / n)
 *          <= 1/2 * sqrt(k / n * sum_j q_j (1 - q_j)) <= 1/2 * sqrt((k - 1) / n),
 *
 * since sum q_j^2 >= 1/k. For k = 9 this is sqrt(8/n)/2: 0.14 for 100 samples, 0.014 for 10,000.
 * One sample moves TV by at most 1/n, so by McDiarmid's inequality a perfect model exceeds that
 * mean by t with probability at most exp(-2 n t^2). tests/refine/mutation/test_fidelity.c uses
 * both. */
#include "refine/mutation/fidelity.h"

#include <math.h>

/* The sample as a form, if it is a valid program in printed form. Counts how far it got. */
static bool read_sample(mutation_fidelity *fidelity, const mutation_mutator *mutator,
                        const language_interface *interface, const char *text, size_t length,
                        mutation_form *form)
{
    language_diagnostic diagnostic;
    language_program *program = language_parse("sample", text, length, interface, &diagnostic);
    bool parsed = program || diagnostic.failure != LANGUAGE_PARSE;
    bool valid = program && language_defines(program, mutator->declaration);
    bool read = valid && mutator->kind->read(mutator, text, length, form);
    language_program_free(program);
    fidelity->parsed += parsed;
    fidelity->valid += valid;
    fidelity->designs += read;
    return read;
}

void mutation_fidelity_add(mutation_fidelity *fidelity, const mutation_mutator *mutator,
                           const language_interface *interface, const mutation_form *source,
                           const char *text, size_t length)
{
    mutation_form form;
    int illegal = mutation_mutator_outcomes(mutator) - 1, outcome = illegal;
    if (read_sample(fidelity, mutator, interface, text, length, &form)) {
        int changed;
        outcome = mutation_mutator_outcome(mutator, source, &form, &changed);
        fidelity->copies += changed == 0;
        fidelity->one_edit += changed == 1;
        fidelity->legal += outcome != illegal;
    }
    fidelity->samples++;
    fidelity->outcome_count = illegal + 1;
    fidelity->outcomes[outcome]++;
    mutation_mutator_expect(mutator, source, fidelity->expected);
}

void mutation_fidelity_finish(mutation_fidelity *fidelity)
{
    double sum = 0;
    for (int i = 0; i < fidelity->outcome_count; i++)
        sum += fabs(fidelity->outcomes[i] - fidelity->expected[i]);
    fidelity->total_variation = fidelity->samples ? sum / (2.0 * fidelity->samples) : 0;
}
