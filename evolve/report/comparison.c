/* SPDX-License-Identifier: MIT */
/* comparison.c -- several arms against one, with the correction that looking at several takes.
 *
 * Each arm is held against the reference by the differences of runs with the same seed, since a seed
 * moves all arms alike and its part cancels. Whoever looks at ten arms finds a p of 0.05 in one by
 * chance, so the p that are shown are Holm's, over all arms of the table and not only those that
 * look good. The table and the figure are made from the same numbers. */
#include "evolve/report/comparison.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>

enum { SEED = 1 }; /* of the resampling: the same values have the same figures */

void report_comparisons(const report_arm *reference, const report_arm *arms, int count, int n,
                        double margin, report_comparison *results)
{
    double difference[SEARCH_MOST_VALUES], p[REPORT_MOST_ARMS], adjusted[REPORT_MOST_ARMS];
    assert(n >= 1 && n <= SEARCH_MOST_VALUES && count >= 1 && count <= REPORT_MOST_ARMS);
    for (int a = 0; a < count; a++) {
        for (int i = 0; i < n; i++)
            difference[i] = arms[a].value[i] - reference->value[i];
        p[a] = search_sign_flips(difference, n, SEED);
        results[a] = (report_comparison){
            .median = search_median(arms[a].value, n),
            .difference = search_average(difference, n),
            .interval = search_bootstrap(search_average_of, difference, NULL, n, SEED),
            .p = p[a],
            .delta = search_cliffs_delta(arms[a].value, n, reference->value, n),
            .same = search_equivalence(difference, n, margin, SEED)};
    }
    search_holm(p, count, adjusted);
    for (int a = 0; a < count; a++)
        results[a].adjusted = adjusted[a];
}

void report_comparisons_print(const report_arm *reference, const report_arm *arms, int count, int n,
                              double margin, const report_comparison *results, base_text *text)
{
    base_text_print(
        text,
        "against %s (median %.4f), %d paired seeds; same: p that the means differ by "
        "%g or more\n"
        "%-20s  median    difference [95 %%]             p    Holm  Cliff's delta       "
        "  same\n",
        reference->name, search_median(reference->value, n), n, margin, "");
    for (int a = 0; a < count; a++) {
        const report_comparison *r = &results[a];
        base_text_print(text,
                        "%-20s  %.4f   %+.4f [%+.4f, %+.4f]  %.4f  %.4f  %+.2f %-10s  %8.4f\n",
                        arms[a].name, r->median, r->difference, r->interval.low, r->interval.high,
                        r->p, r->adjusted, r->delta, search_cliffs_word(r->delta), r->same);
    }
}

void report_comparisons_draw(const report_arm *reference, const report_arm *arms, int count, int n,
                             double margin, const report_comparison *results, const char *name,
                             const char *title, report_svg *svg)
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
    *svg = (report_svg){
        .text = svg->text, .width = 720, .height = ROW * count + AROUND, .left = 170, .top = 30};
    svg->x = report_axis_of(label, REPORT_LINEAR, low, high);
    svg->y = (report_axis){.label = "", .low = -0.5, .high = count - 0.5, .bare = true};
    report_svg_begin(svg, name, title, description);
    report_svg_words(svg, "b", svg->x.low, svg->y.high, 8 - svg->left, -12, REPORT_START, title);
    report_svg_upright(svg, "ink thin", 0);
    report_svg_upright(svg, "soft dash", -margin);
    report_svg_upright(svg, "soft dash", margin);
    for (int a = 0; a < count; a++) {
        const double y = count - 1 - a;
        const report_comparison *r = &results[a];
        report_svg_words(svg, "", svg->x.low, y, -10, 4, REPORT_END, arms[a].name);
        report_svg_error(svg, "c0", y, r->interval.low, r->interval.high);
        report_svg_marks(svg, "c0 f", REPORT_DOT, &r->difference, &y, 1);
    }
    report_svg_finish(svg);
}
