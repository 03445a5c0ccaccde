/* fidelity.c -- how well a model imitates the refinement rules it was trained on.
 *
 * A sample passes or fails five tests in turn (a program, a valid one, in printed form, one edit, a
 * legal edit), and falls into one of nine outcomes: the edited parameter and its direction, or
 * "illegal". Given its source, the rules say how likely each outcome is; summed over the sources
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
 * mean by t with probability at most exp(-2 n t^2). tests/test_refine_fidelity.c uses both. */
#include "refine/fidelity.h"

#include <math.h>

static int outcome_of(int edit, bool up)
{
    return edit * 2 + up;
}

/* Adds P(outcome | source) for every outcome. A draw that leaves the value as it is (no clamp, a
 * small d_ff) was a step up that rounding took back. A parameter without draws (a source outside
 * the ranges) has no legal refinement: what the rules would give it counts as illegal. */
static void expect(double expected[REFINE_OUTCOMES], const refine_rules *rules,
                   const refine_design *source)
{
    for (int edit = 0; edit < REFINE_EDITS; edit++) {
        int draws[REFINE_MAX_DRAWS], up = 0, value = source->value[edit];
        int count = refine_draws(rules, (refine_edit)edit, value, draws);
        double choice = refine_choice(rules, (refine_edit)edit);
        for (int i = 0; i < count; i++)
            up += draws[i] >= value;
        if (count == 0) {
            expected[REFINE_ILLEGAL] += choice;
        } else {
            expected[outcome_of(edit, true)] += choice * up / count;
            expected[outcome_of(edit, false)] += choice * (count - up) / count;
        }
    }
}

/* The sample's design, if it is a valid program in printed form. Counts how far it got. */
static bool read_sample(refine_fidelity *fidelity, const refine_interface *interface,
                        const char *text, size_t length, refine_design *design)
{
    refine_diagnostic diagnostic;
    refine_program *program = refine_parse("sample", text, length, interface, &diagnostic);
    bool parsed = program || diagnostic.failure != REFINE_PARSE;
    bool valid = program && refine_defines(program, "t5 *model(void)");
    bool read = valid && refine_read(text, length, design);
    refine_program_free(program);
    fidelity->parsed += parsed;
    fidelity->valid += valid;
    fidelity->designs += read;
    return read;
}

/* The outcome of a design; counts its edits. */
static int classify(refine_fidelity *fidelity, const refine_rules *rules,
                    const refine_design *source, const refine_design *design)
{
    int changed = 0, edit = REFINE_EDIT_D_FF; /* the only edit that may change nothing */
    for (int i = 0; i < REFINE_EDITS; i++)
        if (design->value[i] != source->value[i]) {
            edit = i;
            changed++;
        }
    fidelity->copies += changed == 0;
    fidelity->one_edit += changed == 1;
    if (!(refine_probability(rules, source, design) > 0))
        return REFINE_ILLEGAL;
    fidelity->legal++;
    fidelity->edits[edit]++;
    return outcome_of(edit, design->value[edit] >= source->value[edit]);
}

void refine_fidelity_add(refine_fidelity *fidelity, const refine_rules *rules,
                         const refine_interface *interface, const refine_design *source,
                         const char *text, size_t length)
{
    refine_design design;
    int outcome = REFINE_ILLEGAL;
    if (read_sample(fidelity, interface, text, length, &design))
        outcome = classify(fidelity, rules, source, &design);
    fidelity->samples++;
    fidelity->outcomes[outcome]++;
    expect(fidelity->expected, rules, source);
}

void refine_fidelity_finish(refine_fidelity *fidelity)
{
    double sum = 0;
    for (int i = 0; i < REFINE_OUTCOMES; i++)
        sum += fabs(fidelity->outcomes[i] - fidelity->expected[i]);
    fidelity->total_variation = fidelity->samples ? sum / (2.0 * fidelity->samples) : 0;
}
