/* curves.c -- the loss curves of a run's models: Figure 1 of the first paper, Figure 2 of
 * the second. */
#include "evolve/report/page.h"
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

void report_curve_name(const struct report_curve *curve, char name[REPORT_NAME])
{
    if (curve->first == curve->last)
        snprintf(name, REPORT_NAME, "Model %d", curve->first);
    else
        snprintf(name, REPORT_NAME, "Model %d-%d", curve->first, curve->last);
}

bool report_curves_read(report_curves *c, const report_lineage *run, base_error *error)
{
    *c = (report_curves){.skip = REPORT_SKIP};
    c->curve = calloc((size_t)run->trained_count + 1, sizeof *c->curve);
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
            free(curve->losses);
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
        free(c->curve[i].losses);
    free(c->curve);
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

enum { MOST_POINTS = 300, MOST_CURVES = 63, MARGIN = 84 };

/* Step number k of n that are spread evenly over a curve's, the first and the last among them. */
static int spread_step(const report_curves *c, const struct report_curve *curve, int k, int n)
{
    return n > 1 ? c->skip + (int)((int64_t)k * (curve->steps - c->skip - 1) / (n - 1)) : c->skip;
}

/* At most `most` points of a curve. */
static int thin_out(const report_curves *c, const struct report_curve *curve, int most, double *x,
                    double *y)
{
    int steps = curve->steps - c->skip, n = steps < most ? steps : most;
    for (int k = 0; k < n; k++) {
        int i = spread_step(c, curve, k, n);
        x[k] = i + 1;
        y[k] = report_curve_smooth(curve, i, c->skip, c->window);
    }
    return n;
}

static report_axis step_axis(const report_curves *c)
{
    report_axis axis = report_axis_of("training step", REPORT_LINEAR, c->skip + 1, c->most);
    axis.low = c->skip + 1;
    axis.high = c->most;
    axis.whole = true;
    return axis;
}

static void draw_curves(report_svg *plot, const char *id, const void *of)
{
    const report_curves *c = of;
    bool narrow = report_is_narrow(plot);
    double x[MOST_POINTS], y[MOST_POINTS], low = INFINITY, high = -INFINITY;
    int most = narrow ? MOST_POINTS / 2 : MOST_POINTS;
    for (int i = 0; i < c->count; i++)
        for (int k = thin_out(c, &c->curve[i], most, x, y); k > 0; k--)
            report_cover(&low, &high, y[k - 1]);
    if (c->floor > 0)
        report_cover(&low, &high, c->floor);
    plot->right = MARGIN;
    plot->y = report_axis_of("training loss, nats a token", report_scale_for(low, high), low, high);
    plot->x = step_axis(c);
    report_svg_begin(plot, id, "Training loss of each model",
                     "Training loss of Model 0 (the first source) to the last model on the "
                     "refinement task, by step, with the entropy floor that no model can beat.");
    report_ending endings[MOST_CURVES + 1];
    int n = 0;
    for (int i = 0; i < c->count; i++) {
        char classes[32];
        bool last = i == c->count - 1;
        snprintf(classes, sizeof classes, "%s%s%s", report_model_class(i, c->count),
                 i == 0 && !last ? " dash" : "", last ? " wide" : "");
        int points = thin_out(c, &c->curve[i], most, x, y);
        report_svg_line(plot, classes, x, y, points);
        if (n < MOST_CURVES) {
            endings[n] = (report_ending){y[points - 1], report_model_class(i, c->count), ""};
            report_curve_name(&c->curve[i], endings[n++].words);
        }
    }
    if (c->floor > 0) {
        report_svg_level(plot, "soft dots", c->floor);
        endings[n++] = (report_ending){c->floor, "soft", "floor"};
    }
    report_svg_endings(plot, endings, n);
    report_svg_finish(plot);
}

static void table_curves(const void *of, base_text *csv)
{
    const report_curves *c = of;
    base_text_print(csv, "step");
    for (int i = 0; i < c->count; i++)
        base_text_print(csv, ",model_%d", c->curve[i].first);
    base_text_print(csv, "\n");
    for (int step = c->skip; step < c->most; step++) {
        base_text_print(csv, "%d", step + 1);
        for (int i = 0; i < c->count; i++)
            report_csv_number(csv, step < c->curve[i].steps
                                       ? report_curve_smooth(&c->curve[i], step, c->skip, c->window)
                                       : NAN);
        base_text_print(csv, "\n");
    }
}

/* ---- the same against Model 0, where curves that lie close can be told apart ---- */

static double against_first(const report_curves *c, int i, int step, int window)
{
    return 100 * (report_curve_smooth(&c->curve[i], step, c->skip, window) /
                      report_curve_smooth(&c->curve[0], step, c->skip, window) -
                  1);
}

/* As far as both trainings go. */
static int shared_steps(const report_curves *c, int i)
{
    return c->curve[i].steps < c->curve[0].steps ? c->curve[i].steps : c->curve[0].steps;
}

static int wide_window(const report_curves *c)
{
    return c->most >= 40 ? c->most / 20 : 1;
}

static int against_points(const report_curves *c, int i, double *x, double *y)
{
    struct report_curve shared = {.steps = shared_steps(c, i)};
    int room = shared.steps - c->skip, n = room < MOST_POINTS ? room : MOST_POINTS;
    for (int k = 0; k < n; k++) {
        int step = spread_step(c, &shared, k, n);
        x[k] = step + 1;
        y[k] = against_first(c, i, step, wide_window(c));
    }
    return n;
}

static void draw_against(report_svg *plot, const char *id, const void *of)
{
    const report_curves *c = of;
    double x[MOST_POINTS], y[MOST_POINTS], low = 0, high = 0;
    int count = c->count < MOST_CURVES ? c->count : MOST_CURVES;
    for (int i = 1; i < count; i++)
        for (int k = against_points(c, i, x, y); k > 0; k--)
            report_cover(&low, &high, y[k - 1]);
    plot->right = MARGIN;
    plot->x = step_axis(c);
    plot->y = report_axis_of("loss against Model 0, %", REPORT_LINEAR, low, high);
    report_svg_begin(plot, id, "Training loss of each model against Model 0",
                     "By how many per cent the training loss of each later model is above or below "
                     "that of Model 0, by step.");
    report_svg_level(plot, "ink thin", 0);
    report_ending endings[MOST_CURVES];
    for (int i = 1; i < count; i++) {
        const char *class = report_model_class(i, c->count);
        char classes[32];
        snprintf(classes, sizeof classes, "%s%s", class, i == c->count - 1 ? " wide" : "");
        int n = against_points(c, i, x, y);
        report_svg_line(plot, classes, x, y, n);
        endings[i] = (report_ending){y[n - 1], class, ""};
        report_curve_name(&c->curve[i], endings[i].words);
    }
    report_svg_endings(plot, endings + 1, count - 1);
    report_svg_finish(plot);
}

static void table_against(const void *of, base_text *csv)
{
    const report_curves *c = of;
    base_text_print(csv, "step");
    for (int i = 1; i < c->count; i++)
        base_text_print(csv, ",model_%d", c->curve[i].first);
    base_text_print(csv, "\n");
    for (int step = c->skip; step < c->curve[0].steps; step++) {
        base_text_print(csv, "%d", step + 1);
        for (int i = 1; i < c->count; i++)
            report_csv_number(
                csv, step < shared_steps(c, i) ? against_first(c, i, step, wide_window(c)) : NAN);
        base_text_print(csv, "\n");
    }
}

static void put_against(report_page *page, const report_curves *c)
{
    const report_figure figure = {.name = "losses-against-first",
                                  .height = {250, 250},
                                  .of = c,
                                  .draw = draw_against,
                                  .table = table_against};
    if (c->count < 2)
        return;
    report_page_print(page, "<figure>\n");
    report_page_figure(page, &figure);
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
    report_page_print(page, "<div class=\"scroll\"><table>\n<thead><tr>"
                            "<th class=\"l\">loss, nats a token</th>");
    for (int m = 0; m < REPORT_MOMENTS; m++)
        report_page_print(page, "<th>%s</th>", report_moments[m]);
    report_page_print(page, "</tr></thead>\n<tbody>\n");
    for (int i = 0; i < c->count; i++) {
        char name[REPORT_NAME];
        report_curve_name(&c->curve[i], name);
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
        report_figure figure = {.name = all ? "losses-all-steps" : "losses",
                                .height = {380, 340},
                                .of = c,
                                .draw = draw_curves,
                                .table = table_curves};
        c->skip = all ? 0 : REPORT_SKIP;
        report_page_print(page, "<div class=\"%s\">\n", all ? "on" : "off");
        report_page_figure(page, &figure);
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
