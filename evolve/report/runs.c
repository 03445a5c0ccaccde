/* SPDX-License-Identifier: MIT */
/* runs.c -- several runs on one page: what differs between them beside what a seed makes.
 *
 * The papers' Figure 1 claims that later models have a better loss at the start, in the middle and
 * at the end of their training. Here that is a table: the mean over the runs and its 95 % interval
 * by Student's t, of Model 0 and of each run's last model. */
#include "evolve/report/chart.h"
#include "base/memory.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = sizeof((search_sample *)0)->value / sizeof(double), POINTS = 200 };

typedef struct comparison {
    report_lineage *const *runs;
    int count;
    report_curves *curves; /* one a run */
    int steps;             /* of the shortest training that is compared */
    int compared;          /* runs with at least one trained model */
    double floor;          /* the mean of theirs; 0: not known of all */
} comparison;

/* which: 0 Model 0, 1 the last. NULL: the run has no model yet. */
static const struct report_curve *curve_of(const comparison *c, int run, int which)
{
    const report_curves *curves = &c->curves[run];
    return curves->count ? &curves->curve[which ? curves->count - 1 : 0] : NULL;
}

/* Over the runs, of the smoothed loss at a step. */
static search_sample at_step(const comparison *c, int which, int step)
{
    search_sample sample = {.count = 0};
    for (int i = 0; i < c->count && sample.count < MOST_RUNS; i++) {
        const struct report_curve *curve = curve_of(c, i, which);
        if (curve)
            sample.value[sample.count++] =
                report_curve_smooth(curve, step, REPORT_SKIP, c->curves[i].window);
    }
    return sample;
}

static search_sample at_moment(const comparison *c, int which, int moment)
{
    search_sample sample = {.count = 0};
    for (int i = 0; i < c->count && sample.count < MOST_RUNS; i++) {
        const struct report_curve *curve = curve_of(c, i, which);
        if (curve)
            sample.value[sample.count++] = report_curve_moment(curve, c->steps, moment);
    }
    return sample;
}

/* ---- mean curves ---- */

static void put_mean(report_page *page, const comparison *c)
{
    report_chart chart = {
        .name = "mean-losses",
        .title = "Mean training loss over the runs",
        .description = "Training loss of Model 0 and of each run's last model: mean over the runs, "
                       "and its 95 % interval as a band.",
        .x_label = "training step",
        .y_label = "training loss, nats a token",
        .y_scale = REPORT_ANY,
        .whole_x = true,
        .height = 380,
        .level_name = c->floor > 0 ? "floor" : NULL,
        .level_classes = "soft dots",
        .level = c->floor};
    int room = c->steps - REPORT_SKIP, n = room < POINTS ? room : POINTS;
    for (int which = 0; which < 2; which++) {
        report_chart_line(&chart, which ? "last model" : "Model 0", which ? "c1 wide" : "c0 dash");
        for (int k = 0; k < n; k++) {
            int step = REPORT_SKIP + report_chart_spread(room, k, n);
            search_sample sample = at_step(c, which, step);
            report_chart_point(&chart, step + 1, &sample);
        }
    }
    report_chart_put(page, &chart);
}

static void interval_cell(report_page *page, const search_sample *sample, int decimals)
{
    report_page_print(page, "<td>");
    report_put_decimal(&page->html, search_mean(sample), decimals);
    if (sample->count > 1) {
        report_page_print(page, " &plusmn; ");
        report_put_decimal(&page->html, search_half_interval(sample), decimals);
    }
    report_page_print(page, "</td>");
}

static void mean_curves(report_page *page, const comparison *c)
{
    bool trains = false;
    for (int i = 0; i < c->count; i++)
        trains = trains || c->runs[i]->trains;
    if (!trains)
        return;
    report_page_heading(page, "losses", "Loss curves, over the runs");
    if (c->compared == 0) {
        report_page_print(page, "<p class=\"soft\">No model has been trained yet.</p>\n");
        return;
    }
    report_page_print(page, "<figure>\n");
    put_mean(page, c);
    report_page_print(
        page,
        "<figcaption>Training loss of Model 0 and of each run's last model: mean over "
        "%d runs, and its 95&nbsp;%% interval as a band; dotted, the entropy floor. The first %d "
        "steps are left "
        "out.</figcaption>\n</figure>\n<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>"
        "<th class=\"l\">loss, nats a token</th>",
        c->compared, REPORT_SKIP);
    for (int m = 0; m < REPORT_MOMENTS; m++)
        report_page_print(page, "<th>%s</th>", report_moments[m]);
    report_page_print(page, "</tr></thead>\n<tbody>\n");
    search_sample difference[REPORT_MOMENTS];
    for (int which = 0; which < 2; which++) {
        report_page_print(page, "<tr><td class=\"l\">%s</td>", which ? "last model" : "Model 0");
        for (int m = 0; m < REPORT_MOMENTS; m++) {
            search_sample sample = at_moment(c, which, m);
            interval_cell(page, &sample, 4);
            for (int i = 0; which && i < sample.count; i++)
                difference[m].value[i] -= sample.value[i];
            if (!which)
                difference[m] = sample;
        }
        report_page_print(page, "</tr>\n");
    }
    report_page_print(page, "<tr class=\"sum\"><td class=\"l\">gain, run by run</td>");
    for (int m = 0; m < REPORT_MOMENTS; m++)
        interval_cell(page, &difference[m], 4);
    report_page_print(
        page,
        "</tr>\n</tbody></table></div>\n<p class=\"soft\">Mean over the runs &plusmn; half its "
        "95&nbsp;%% interval. Start, middle, end: a twentieth of the steps "
        "each.</p>\n");
}

/* ---- gains ---- */

/* Of the whole page: the runs have one subject. */
static const report_subject *subject_of(const comparison *c)
{
    return report_subject_of(c->runs[0]);
}

static void draw_gains(report_svg *plot, const char *id, const void *of)
{
    const comparison *c = of;
    const char *names[MOST_RUNS + 1];
    char cut[MOST_RUNS][16]; /* a folder's name may be long */
    double low = 0, high = 0;
    int n = c->count < MOST_RUNS ? c->count : MOST_RUNS;
    search_sample means = {.count = 0};
    for (int i = 0; i < n; i++) {
        search_sample gains = report_gains(c->runs[i]);
        snprintf(cut[i], sizeof cut[i], "%.15s", c->runs[i]->name);
        names[n - i] = cut[i];
        low = fmin(low, search_mean(&gains) - search_half_interval(&gains));
        high = fmax(high, search_mean(&gains) + search_half_interval(&gains));
        if (gains.count)
            means.value[means.count++] = search_mean(&gains);
    }
    names[0] = "mean";
    double mean = search_mean(&means), half = search_half_interval(&means);
    low = fmin(low, mean - half);
    high = fmax(high, mean + half);
    plot->right = 84;
    plot->x = report_axis_of(subject_of(c)->gain, REPORT_LINEAR, low, high);
    plot->y = (report_axis){
        .label = "", .low = -0.6, .high = n + 0.6, .names = names, .name_count = n + 1};
    report_svg_begin(plot, id, "Gain of each run", subject_of(c)->gain_text);
    report_svg_upright(plot, "soft", 0);
    for (int i = 0; i <= n; i++) {
        search_sample gains = i < n ? report_gains(c->runs[i]) : means;
        double y = n - i, at = search_mean(&gains), around = search_half_interval(&gains);
        base_text text = {0};
        if (gains.count == 0)
            continue;
        if (gains.count > 1)
            report_svg_error(plot, i < n ? "c0" : "c1", y, at - around, at + around);
        report_svg_marks(plot, i < n ? "c0 big" : "c1 big", REPORT_DOT, &at, &y, 1);
        report_put_decimal(&text, at, report_fresh_decimals(c->runs[0]));
        report_svg_words(plot, "b", plot->x.high, y, 76, 4, REPORT_END, text.data ? text.data : "");
        base_text_free(&text);
    }
    report_svg_finish(plot);
}

/* A run's name as a field: in quotes, a quote doubled, control characters as '?'. */
static void csv_name(base_text *csv, const char *name)
{
    base_text_print(csv, "\"");
    for (; *name; name++)
        base_text_print(csv, *name == '"' ? "%c\"" : "%c",
                        (unsigned char)*name < ' ' ? '?' : *name);
    base_text_print(csv, "\"");
}

static void table_gains(const void *of, base_text *csv)
{
    const comparison *c = of;
    base_text_print(csv, "run,seed,gain\n");
    for (int i = 0; i < c->count; i++) {
        search_sample gains = report_gains(c->runs[i]);
        for (int k = 0; k < gains.count; k++) {
            csv_name(csv, c->runs[i]->name);
            base_text_print(csv, ",%d,", k);
            base_json_put_number(csv, gains.value[k]);
            base_text_print(csv, "\n");
        }
    }
}

static void gains(report_page *page, const comparison *c)
{
    int rows = (c->count < MOST_RUNS ? c->count : MOST_RUNS) + 1, height = 60 + 30 * rows;
    const report_figure figure = {.name = "gains",
                                  .height = {height, height},
                                  .of = c,
                                  .draw = draw_gains,
                                  .table = table_gains};
    report_page_print(page, "<figure>\n");
    report_page_figure(page, &figure);
    report_page_print(page,
                      "<figcaption>Gain of each run's last source over its first on %s, with its "
                      "95&nbsp;%% interval over seeds; below, the mean over the runs with its "
                      "interval over runs.</figcaption>\n</figure>\n",
                      subject_of(c)->fresh_data);
}

/* They have columns of their own, and figures instead of loss curves. */
static bool is_of_networks(const report_lineage *run) { return run->subject == EVOLVE_NETWORKS; }

static void overview(report_page *page, const comparison *c)
{
    const bool networks = is_of_networks(c->runs[0]);
    report_page_print(
        page,
        "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th class=\"l\">run</th>"
        "<th>seed</th><th>first<br>source</th><th>last<br>source</th>"
        "<th>gain on<br>%s%s%s%s%s</th><th>candidates</th><th>accepted</th>"
        "<th>parameters<br>of the last</th></tr></thead>\n<tbody>\n",
        networks ? subject_of(c)->tested : "fresh pairs", networks ? "</th><th>first,<br>% " : "",
        networks ? subject_of(c)->right : "", networks ? "</th><th>last,<br>% " : "",
        networks ? subject_of(c)->right : "");
    for (int i = 0; i < c->count; i++) {
        const report_lineage *run = c->runs[i];
        const score_result *last = report_lineage_score(run, run->last);
        loop_funnel funnel = loop_funnel_of(&run->candidates, -1);
        search_sample sample = report_gains(run);
        report_page_print(page, "<tr><td class=\"l\"><a href=\"#run%d-run\">", i + 1);
        report_page_text(page, run->name);
        report_page_print(page, "</a>%s</td>", run->finished ? "" : " (not over)");
        report_page_count(page, run->settings.seed);
        report_page_decimal(page, report_shown(run, report_lineage_score(run, 0)->score),
                            report_decimals(run));
        report_page_decimal(page, report_shown(run, last->score), report_decimals(run));
        if (sample.count)
            interval_cell(page, &sample, report_fresh_decimals(run));
        else
            report_page_print(page, "<td></td>");
        for (int k = 0; k < 2 && is_of_networks(run); k++)
            if (sample.count) {
                const search_sample fresh = report_shown_fresh(run, k);
                report_page_decimal(page, search_mean(&fresh), report_fresh_decimals(run));
            } else
                report_page_print(page, "<td></td>");
        report_page_count(page, funnel.generated);
        report_page_count(page, funnel.accepted);
        report_page_quantity(page, (double)last->parameters);
        report_page_print(page, "</tr>\n");
    }
    report_page_print(page,
                      "</tbody></table></div>\n<p class=\"soft\">First and last source: "
                      "%s%s%s.</p>\n",
                      subject_of(c)->score, subject_of(c)->of_search, subject_of(c)->unit);
}

/* ---- the page ---- */

static void one_of_many(report_page *page, const comparison *c, int i)
{
    char prefix[32];
    const report_lineage *run = c->runs[i];
    snprintf(prefix, sizeof prefix, "run%d-", i + 1);
    page->prefix = prefix;
    report_page_heading(page, "run", run->name);
    if (run->last != 0)
        report_page_diff(page, report_lineage_text(run, 0), report_lineage_text(run, run->last),
                         1000);
    if (run->stages)
        report_page_curves(page, &c->curves[i]);
    report_page_scores(page, run, false);
    page->prefix = "";
}

static void whole_page(report_page *page, const comparison *c)
{
    char title[32];
    snprintf(title, sizeof title, "%d runs", c->count);
    bool goes_on = false;
    for (int i = 0; i < c->count; i++)
        goes_on = goes_on || !c->runs[i]->finished;
    report_page_begin(page, title, goes_on);
    report_page_print(page, "<p class=\"eyebrow\">phoenix</p>\n<h1>%s</h1>\n", title);
    overview(page, c);
    gains(page, c);
    if (is_of_networks(c->runs[0]))
        report_page_networks(page, c->runs, c->count);
    else
        mean_curves(page, c);
    for (int i = 0; i < c->count; i++)
        one_of_many(page, c, i);
    report_page_end(page);
}

bool report_page_runs(report_page *page, report_lineage *const *runs, int count)
{
    comparison c = {.runs = runs, .count = count};
    for (int i = 1; i < count; i++)
        if (runs[i]->subject != runs[0]->subject)
            return base_fail(page->error, "%s: programs %s, %s does not: no page for both",
                             runs[i]->folder, report_subject_of(runs[i])->programs,
                             runs[0]->folder);
    c.curves = base_calloc((size_t)count, sizeof *c.curves);
    bool ok = c.curves || base_fail(page->error, "%s: no memory", runs[0]->folder);
    for (int i = 0; ok && i < count; i++) {
        ok = report_curves_read(&c.curves[i], runs[i], page->error);
        for (int which = 0; ok && which < 2; which++) {
            const struct report_curve *curve = curve_of(&c, i, which);
            if (curve && (c.steps == 0 || curve->steps < c.steps))
                c.steps = curve->steps;
        }
        c.compared += ok && c.curves[i].count > 0;
    }
    bool known = true;
    for (int i = 0; ok && i < count; i++)
        if (c.curves[i].count > 0) {
            known = known && c.curves[i].floor > 0;
            c.floor += c.curves[i].floor / c.compared;
        }
    c.floor = known ? c.floor : 0;
    if (ok)
        whole_page(page, &c);
    for (int i = 0; c.curves && i < count; i++)
        report_curves_free(&c.curves[i]);
    base_free(c.curves);
    return ok;
}
