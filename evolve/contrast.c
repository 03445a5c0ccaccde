/* contrast.c -- see contrast.h. */
#include "evolve/contrast.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>

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

void evolve_contrasts_draw(const evolve_arm *reference, const evolve_arm *arms, int count, int n,
                           double margin, const evolve_contrast *results, const char *name,
                           const char *title, evolve_svg *svg)
{
    enum { ROW = 26, AROUND = 76 };
    double low = -margin, high = margin;
    char label[160], description[240];
    for (int a = 0; a < count; a++) {
        low = fmin(low, results[a].interval.low);
        high = fmax(high, results[a].interval.high);
    }
    snprintf(label, sizeof label, "difference from %s, nats a token; left is better",
             reference->name);
    snprintf(description, sizeof description,
             "Mean difference of %d arms from %s over %d paired seeds, with 95 %% bootstrap "
             "intervals; dashed: a difference that would not matter.",
             count, reference->name, n);
    *svg = (evolve_svg){
        .text = svg->text, .width = 720, .height = ROW * count + AROUND, .left = 170, .top = 30};
    svg->x = evolve_axis_of(label, EVOLVE_LINEAR, low, high);
    svg->y = (evolve_axis){.label = "", .low = -0.5, .high = count - 0.5, .bare = true};
    evolve_svg_begin(svg, name, title, description);
    evolve_svg_words(svg, "b", svg->x.low, svg->y.high, 8 - svg->left, -12, EVOLVE_START, title);
    evolve_svg_upright(svg, "ink thin", 0);
    evolve_svg_upright(svg, "soft dash", -margin);
    evolve_svg_upright(svg, "soft dash", margin);
    for (int a = 0; a < count; a++) {
        const double y = count - 1 - a;
        const evolve_contrast *r = &results[a];
        evolve_svg_words(svg, "", svg->x.low, y, -10, 4, EVOLVE_END, arms[a].name);
        evolve_svg_error_flat(svg, "c0", y, r->interval.low, r->interval.high);
        evolve_svg_marks(svg, "c0 f", EVOLVE_DOT, &r->difference, &y, 1);
    }
    evolve_svg_finish(svg);
}
