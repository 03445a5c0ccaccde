/* SPDX-License-Identifier: MIT */
/* curves.c -- the loss curves of a run's models: Figure 1 of the first paper, Figure 2 of
 * the second.
 *
 * A training's losses are one noisy number a step, so a curve is drawn as the mean over a window that
 * moves along, and its first steps, which all models have alike, are left out. Two models are compared
 * by the difference of their smoothed curves at the same step: they saw the same pairs there. */
#include "evolve/report/chart.h"
#include "base/memory.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A source that no candidate beat defines the next model as well: the same curve, shown once.
 * Whether the curve at c->count is that of the one before, which then is of both. */
static bool same_as_before(const report_curves *c)
{
    const struct report_curve *curve = &c->curve[c->count];
    if (c->count == 0 || curve[-1].steps != curve->steps ||
        memcmp(curve[-1].losses, curve->losses, (size_t)curve->steps * sizeof *curve->losses) != 0)
        return false;
    c->curve[c->count - 1].last = curve->last;
    return true;
}

/* "Model 3", "Model 3-6". */
static void name_of(const struct report_curve *curve, char name[REPORT_NAME])
{
    if (curve->first == curve->last)
        snprintf(name, REPORT_NAME, "Model %d", curve->first);
    else
        snprintf(name, REPORT_NAME, "Model %d-%d", curve->first, curve->last);
}

bool report_curves_read(report_curves *c, const report_lineage *run, base_error *error)
{
    *c = (report_curves){.skip = REPORT_SKIP};
    c->curve = base_calloc((size_t)run->trained_count + 1, sizeof *c->curve);
    if (!c->curve)
        return base_fail(error, "%s: no memory", run->folder);
    for (int i = 0; i < run->trained_count; i++) {
        struct report_curve *curve = &c->curve[c->count];
        if (!report_lineage_losses(run, i, &curve->losses, &curve->steps, error)) {
            report_curves_free(c);
            return false;
        }
        curve->first = curve->last = i;
        if (curve->steps <= REPORT_SKIP || same_as_before(c)) {
            base_free(curve->losses);
            continue;
        }
        c->count++;
        if (curve->steps > c->most)
            c->most = curve->steps;
    }
    c->window = c->most >= 100 ? c->most / 50 : 1;
    double tokens = report_lineage_tokens(run);
    c->floor = tokens > 0 ? run->floor / tokens : 0;
    return true;
}

void report_curves_free(report_curves *c)
{
    for (int i = 0; i < c->count; i++)
        base_free(c->curve[i].losses);
    base_free(c->curve);
    *c = (report_curves){.count = 0};
}

double report_curve_moment(const struct report_curve *curve, int steps, int moment)
{
    int part = (steps - REPORT_SKIP + 19) / 20, room = steps - REPORT_SKIP - part;
    int from = REPORT_SKIP + (int)((int64_t)room * moment / 2);
    return report_curve_smooth(curve, from + part - 1, from, part);
}

double report_curve_smooth(const struct report_curve *curve, int i, int skip, int window)
{
    int from = i - window + 1 > skip ? i - window + 1 : skip;
    double sum = 0;
    for (int k = from; k <= i; k++)
        sum += curve->losses[k];
    return sum / (i - from + 1);
}

static int wide_window(const report_curves *c) { return c->most >= 40 ? c->most / 20 : 1; }

/* A curve, or (i > 0 and against) by how many per cent it is above or below Model 0's, as far as both
 * trainings go. */
static void add_curve(report_chart *chart, const report_curves *c, int i, bool against)
{
    const struct report_curve *curve = &c->curve[i], *first = &c->curve[0];
    int steps = against && first->steps < curve->steps ? first->steps : curve->steps;
    int room = steps - c->skip, n = room < REPORT_POINTS ? room : REPORT_POINTS;
    int window = against ? wide_window(c) : c->window;
    for (int k = 0; k < n; k++) {
        int step = c->skip + report_chart_spread(room, k, n);
        double loss = report_curve_smooth(curve, step, c->skip, window);
        if (against)
            loss = 100 * (loss / report_curve_smooth(first, step, c->skip, window) - 1);
        report_chart_value(chart, step + 1, loss);
    }
}

static void put_curves(report_page *page, const report_curves *c, const char *name)
{
    report_chart chart = {
        .name = name,
        .title = "Training loss of each model",
        .description = "Training loss of Model 0 (the first source) to the last model on the "
                       "refinement task, by step, with the entropy floor that no model can beat.",
        .x_label = "training step",
        .y_label = "training loss, nats a token",
        .y_scale = REPORT_ANY,
        .whole_x = true,
        .ordered = true,
        .height = 380,
        .level_name = c->floor > 0 ? "floor" : NULL,
        .level_classes = "soft dots",
        .level = c->floor};
    for (int i = 0; i < c->count; i++) {
        char words[REPORT_NAME];
        name_of(&c->curve[i], words);
        report_chart_line(&chart, words, NULL);
        add_curve(&chart, c, i, false);
    }
    report_chart_put(page, &chart);
}

/* Where curves that lie close can be told apart. */
static void put_against(report_page *page, const report_curves *c)
{
    report_chart chart = {.name = "losses-against-first",
                          .title = "Training loss of each model against Model 0",
                          .description =
                              "By how many per cent the training loss of each later model is "
                              "above or below that of Model 0, by step.",
                          .x_label = "training step",
                          .y_label = "loss against Model 0, %",
                          .whole_x = true,
                          .ordered = true,
                          .height = 250,
                          .level_name = "",
                          .level_classes = "ink thin"};
    if (c->count < 2)
        return;
    for (int i = 1; i < c->count; i++) {
        char words[REPORT_NAME], classes[24];
        name_of(&c->curve[i], words);
        snprintf(classes, sizeof classes, "%s%s", report_model_class(i, c->count),
                 i == c->count - 1 ? " wide" : "");
        report_chart_line(&chart, words, classes);
        add_curve(&chart, c, i, true);
    }
    report_page_print(page, "<figure>\n");
    report_chart_put(page, &chart);
    report_page_print(
        page,
        "<figcaption>The same curves against Model 0&#39;s: below the line is better. "
        "Each point is of the mean of %d steps.</figcaption>\n</figure>\n",
        wide_window(c));
}

const char *const report_moments[REPORT_MOMENTS] = {"start", "middle", "end"};

/* What the papers read off the figure. */
static void moments_table(report_page *page, const report_curves *c)
{
    report_page_print(page, "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>"
                            "<th class=\"l\">loss, nats a token</th>");
    for (int m = 0; m < REPORT_MOMENTS; m++)
        report_page_print(page, "<th>%s</th>", report_moments[m]);
    report_page_print(page, "</tr></thead>\n<tbody>\n");
    for (int i = 0; i < c->count; i++) {
        char name[REPORT_NAME];
        name_of(&c->curve[i], name);
        report_page_print(page, "<tr><td class=\"l\">%s</td>", name);
        for (int m = 0; m < REPORT_MOMENTS; m++)
            report_page_decimal(page, report_curve_moment(&c->curve[i], c->curve[i].steps, m), 4);
        report_page_print(page, "</tr>\n");
    }
    report_page_print(page,
                      "</tbody></table></div>\n<p class=\"soft\">Mean over a twentieth of the "
                      "steps each, the first "
                      "%d left out.</p>\n",
                      REPORT_SKIP);
}

void report_page_curves(report_page *page, report_curves *c)
{
    if (c->count == 0) {
        report_page_print(page, "<p class=\"soft\">No model has been trained yet.</p>\n");
        return;
    }
    report_page_print(
        page,
        "<figure>\n<input type=\"checkbox\" class=\"switch\" id=\"%sfirst-steps\">"
        "<label class=\"soft\" for=\"%sfirst-steps\">with the first %d steps</label>\n",
        page->prefix, page->prefix, REPORT_SKIP);
    for (int all = 0; all < 2; all++) {
        c->skip = all ? 0 : REPORT_SKIP;
        report_page_print(page, "<div class=\"%s\">\n", all ? "on" : "off");
        put_curves(page, c, all ? "losses-all-steps" : "losses");
        report_page_print(page, "</div>\n");
    }
    c->skip = REPORT_SKIP;
    report_page_print(page,
                      "<figcaption>The training of each model on the refinement pairs, as in "
                      "Figure 1 of the first paper and Figure 2 of the second. Model "
                      "<i>k</i> is the one that the source of episode <i>k</i> defines; the "
                      "first %d steps are left out as there. ",
                      REPORT_SKIP);
    if (c->window > 1)
        report_page_print(page,
                          "Each point is the mean of the %d steps up to it (of fewer at the "
                          "start). ",
                          c->window);
    if (c->floor > 0) {
        report_page_print(page, "Dotted: the entropy of the pairs, ");
        report_put_decimal(&page->html, c->floor, 4);
        report_page_print(page, " nats a token, which no model can beat in the long run.");
    }
    report_page_print(page, "</figcaption>\n</figure>\n");
    put_against(page, c);
    moments_table(page, c);
}
