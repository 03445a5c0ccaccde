/* contrast.c -- see contrast.h. */
#include "evolve/contrast.h"
#include <assert.h>

enum { SEED = 1 }; /* of the resampling: the same values have the same figures */

void evolve_contrasts(const evolve_arm *reference, const evolve_arm *arms, int count, int n,
                      double margin, evolve_contrast *results)
{
    double difference[EVOLVE_MOST_VALUES], p[EVOLVE_MOST_VALUES], adjusted[EVOLVE_MOST_VALUES];
    assert(n >= 1 && n <= EVOLVE_MOST_VALUES && count >= 1 && count <= EVOLVE_MOST_VALUES);
    for (int a = 0; a < count; a++) {
        for (int i = 0; i < n; i++)
            difference[i] = arms[a].value[i] - reference->value[i];
        p[a] = evolve_sign_flips(difference, n, SEED);
        results[a] = (evolve_contrast){
            .median = evolve_median(arms[a].value, n),
            .difference = evolve_average(difference, n),
            .interval = evolve_bootstrap(evolve_average_figure, difference, NULL, n, SEED),
            .p = p[a],
            .delta = evolve_cliffs_delta(arms[a].value, n, reference->value, n),
            .same = evolve_equivalence(difference, n, margin, SEED)};
    }
    evolve_holm(p, count, adjusted);
    for (int a = 0; a < count; a++)
        results[a].adjusted = adjusted[a];
}

void evolve_contrasts_print(const evolve_arm *reference, const evolve_arm *arms, int count, int n,
                            double margin, const evolve_contrast *results, base_text *text)
{
    base_text_print(
        text,
        "against %s (median %.4f), %d paired seeds; same: p that the means differ by "
        "%g or more\n"
        "%-20s  median    difference [95 %%]             p    Holm  Cliff's delta       "
        "  same\n",
        reference->name, evolve_median(reference->value, n), n, margin, "");
    for (int a = 0; a < count; a++) {
        const evolve_contrast *r = &results[a];
        base_text_print(text,
                        "%-20s  %.4f   %+.4f [%+.4f, %+.4f]  %.4f  %.4f  %+.2f %-10s  %8.4f\n",
                        arms[a].name, r->median, r->difference, r->interval.low, r->interval.high,
                        r->p, r->adjusted, r->delta, evolve_cliffs_word(r->delta), r->same);
    }
}
