/* SPDX-License-Identifier: MIT */
/* chart.c -- lines, bands and their names on one pair of axes.
 *
 * All that a chart shows is in its points: the axes are made to hold them, the drawing walks them, and
 * the table beside the figure lists them. */
#include "evolve/report/chart.h"
#include "base/list.h"
#include "base/memory.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ENDINGS = 64 };

void report_chart_line(report_chart *c, const char *name, const char *classes)
{
    report_line *lines = base_list_grow(c->line, c->count, 1, sizeof *lines);
    if (!lines) {
        c->failed = true;
        return;
    }
    c->line = lines;
    report_line *l = &c->line[c->count++];
    *l = (report_line){.count = 0};
    snprintf(l->name, sizeof l->name, "%s", name);
    snprintf(l->classes, sizeof l->classes, "%s", classes ? classes : "");
}

/* To the newest line. A chart without memory stays failed and is not drawn. */
static void add_point(report_chart *c, report_point point)
{
    if (c->failed)
        return;
    report_line *l = &c->line[c->count - 1];
    report_point *points = base_list_grow(l->point, l->count, 1, sizeof *points);
    c->failed = !points;
    if (c->failed)
        return;
    l->point = points;
    l->point[l->count++] = point;
}

void report_chart_value(report_chart *c, double x, double value)
{
    add_point(c, (report_point){x, value, 0, 1});
}

void report_chart_point(report_chart *c, double x, const search_sample *sample)
{
    if (sample->count > 0)
        add_point(
            c, (report_point){x, search_mean(sample), search_half_interval(sample), sample->count});
}

/* The k-th of n points that are spread evenly over so many steps, both ends included. */
int report_chart_spread(int steps, int k, int n)
{
    return n > 1 ? (int)((int64_t)k * (steps - 1) / (n - 1)) : 0;
}

/* Lines in order go from light to dark, the first dashed and the last wide. */
static void classes_of(const report_chart *c, size_t k, char classes[32])
{
    static const char *const kinds[] = {"c0", "c1", "c2", "c3", "c4", "c5"};
    bool last = k == c->count - 1;
    if (*c->line[k].classes)
        snprintf(classes, 32, "%s", c->line[k].classes);
    else if (c->ordered)
        snprintf(classes, 32, "%s%s", report_model_class((int)k, (int)c->count),
                 last     ? " wide"
                 : k == 0 ? " dash"
                          : "");
    else
        snprintf(classes, 32, "%s", kinds[k % 6]);
}

/* Its colour alone, for what is no line. */
static void colour_of(const report_chart *c, size_t k, char classes[32])
{
    classes_of(c, k, classes);
    classes[strcspn(classes, " ")] = '\0';
}

/* Below 0 there is nothing on a logarithmic axis. Intervals of lines one after the other would hide each
 * other, and are not drawn. */
static double low_of(const report_chart *c, const report_point *p)
{
    double low = c->ordered ? p->mean : p->mean - p->half;
    return c->y_scale != REPORT_LINEAR && low <= 0 ? p->mean : low;
}

static double high_of(const report_chart *c, const report_point *p)
{
    return c->ordered ? p->mean : p->mean + p->half;
}

/* Axes hold every point, the ends of its interval, and the level; with dots there is a little room beside
 * them, since a dot on the frame would be cut. */
static void set_axes(report_svg *plot, const report_chart *c)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t k = 0; k < c->count; k++)
        for (size_t i = 0; i < c->line[k].count; i++) {
            const report_point *p = &c->line[k].point[i];
            report_cover(&low[0], &high[0], p->x);
            report_cover(&low[1], &high[1], low_of(c, p));
            report_cover(&low[1], &high[1], high_of(c, p));
        }
    if (c->level_name)
        report_cover(&low[1], &high[1], c->level);
    plot->x = report_axis_of(c->x_label, (report_scale)c->x_scale, low[0], high[0]);
    plot->x.whole = c->whole_x;
    if (c->x_scale == REPORT_LINEAR && high[0] > low[0]) {
        plot->x.low = low[0] - (c->dots ? 0.03 * (high[0] - low[0]) : 0);
        plot->x.high = high[0] + (c->dots ? 0.02 * (high[0] - low[0]) : 0);
    } else if (c->whole_x && low[0] == high[0]) { /* a single number, and no mark beside it */
        plot->x.low = low[0] - 0.5;
        plot->x.high = high[0] + 0.5;
    }
    bool zero = c->from_zero && low[1] >= 0, fixed = c->low < c->high;
    if (zero && high[1] < 1 && c->whole_y) /* nothing but zeros: 0 and 1 */
        high[1] = 1;
    report_scale scale =
        c->y_scale == REPORT_ANY ? report_scale_for(low[1], high[1]) : (report_scale)c->y_scale;
    plot->y = report_axis_of(c->small ? "" : c->y_label, scale,
                             fixed  ? c->low
                             : zero ? 0
                                    : low[1],
                             fixed ? c->high : high[1]);
    plot->y.whole = c->whole_y;
    if (fixed || zero)
        plot->y.low = c->low;
}

/* The band of the intervals first, so that the line lies on it. One block holds all four coordinates of
 * the points. */
static void draw_line(report_svg *plot, const report_chart *c, size_t k)
{
    const report_line *l = &c->line[k];
    int n = (int)l->count;
    double *values = base_malloc(4 * l->count * sizeof *values);
    char classes[32], colour[32];
    if (!values) {
        plot->text->failed = true;
        return;
    }
    double *x = values, *mean = x + n, *low = mean + n, *high = low + n;
    bool intervals = false;
    for (int i = 0; i < n; i++) {
        x[i] = l->point[i].x;
        mean[i] = l->point[i].mean;
        low[i] = low_of(c, &l->point[i]);
        high[i] = high_of(c, &l->point[i]);
        intervals = intervals || high[i] > mean[i];
    }
    classes_of(c, k, classes);
    colour_of(c, k, colour);
    if (intervals)
        report_svg_band(plot, colour, x, low, high, n);
    report_svg_line(plot, classes, x, mean, n);
    int last = c->last_apart ? n - 1 : n;
    if (c->dots)
        report_svg_marks(plot, colour, REPORT_DOT, x, mean, last);
    if (c->last_apart)
        report_svg_marks(plot, "c1 big", REPORT_DOT, x + last, mean + last, 1);
    base_free(values);
}

/* A panel has its quantity as a heading, and the last value of its line in words. */
static void draw_small(report_svg *plot, const report_chart *c)
{
    const report_line *l = &c->line[0];
    size_t last = l->count - 1;
    while (last > 0 && !isfinite(l->point[last].mean))
        last--;
    const report_point *p = &l->point[last];
    base_text text = {0}, heading = {0};
    base_text_print(&heading, "%s%s", c->y_label,
                    plot->y.scale == REPORT_LINEAR ? "" : ", logarithmic");
    if (fabs(p->mean) >= 100000)
        report_put_quantity(&text, p->mean);
    else
        report_put_decimal(&text, p->mean, p->mean >= 100 || floor(p->mean) == p->mean ? 0 : 1);
    report_svg_words(plot, "b", plot->x.low, plot->y.high, 2 - plot->left, -20, REPORT_START,
                     heading.data ? heading.data : "");
    report_svg_words(plot, "b", p->x, p->mean, 10, 4, REPORT_START, text.data ? text.data : "");
    plot->text->failed = plot->text->failed || heading.failed;
    base_text_free(&heading);
    base_text_free(&text);
}

static void draw_chart(report_svg *plot, const char *id, const void *of)
{
    const report_chart *c = of;
    report_ending endings[MOST_ENDINGS];
    char colours[MOST_ENDINGS][32];
    int n = 0;
    size_t longest = 0;
    bool named = c->count > 1 || (c->level_name && *c->level_name);
    for (size_t k = 0; named && k < c->count; k++)
        longest = strlen(c->line[k].name) > longest ? strlen(c->line[k].name) : longest;
    plot->right = c->small ? 64 : 20 + 7 * (int)longest;
    plot->top = c->small ? 34 : 0;
    set_axes(plot, c);
    report_svg_begin(plot, id, c->title, c->description);
    if (c->level_name)
        report_svg_level(plot, c->level_classes, c->level);
    if (c->level_name && *c->level_name) {
        endings[n] = (report_ending){c->level, "soft", ""};
        snprintf(endings[n++].words, sizeof endings->words, "%s", c->level_name);
    }
    for (size_t k = 0; k < c->count; k++) {
        const report_line *l = &c->line[k];
        double end = l->point[l->count - 1].mean;
        draw_line(plot, c, k);
        if (!named || n == MOST_ENDINGS || !isfinite(end))
            continue;
        colour_of(c, k, colours[n]);
        endings[n] = (report_ending){end, colours[n], ""};
        memcpy(endings[n++].words, l->name, sizeof l->name);
    }
    report_svg_endings(plot, endings, n);
    if (c->small)
        draw_small(plot, c);
    report_svg_finish(plot);
}

/* What was drawn as CSV: a row a point, lines one after another. */
static void table_chart(const void *of, base_text *csv)
{
    const report_chart *c = of;
    base_text_print(csv, "line,x,mean,half_interval,runs\n");
    for (size_t k = 0; k < c->count; k++)
        for (size_t i = 0; i < c->line[k].count; i++) {
            const report_point *p = &c->line[k].point[i];
            base_text_print(csv, "%s", c->line[k].name);
            report_csv_number(csv, p->x);
            report_csv_number(csv, p->mean);
            report_csv_number(csv, p->half);
            base_text_print(csv, ",%d\n", p->runs);
        }
}

/* Lines without points are dropped, as a heading without a figure would be. The chart is used up, drawn
 * or not. */
bool report_chart_put(report_page *page, report_chart *c)
{
    int height = c->height ? c->height : 340;
    const report_figure figure = {.name = c->name,
                                  .small = c->small,
                                  .height = {c->small ? 190 : height, c->small       ? 190
                                                                      : height < 320 ? height
                                                                                     : 320},
                                  .of = c,
                                  .draw = draw_chart,
                                  .table = table_chart};
    size_t kept = 0;
    for (size_t k = 0; k < c->count; k++)
        if (c->line[k].count > 0)
            c->line[kept++] = c->line[k];
        else
            base_free(c->line[k].point);
    c->count = kept;
    page->html.failed = page->html.failed || c->failed;
    if (kept > 0 && !c->failed)
        report_page_figure(page, &figure);
    for (size_t k = 0; k < c->count; k++)
        base_free(c->line[k].point);
    base_free(c->line);
    return kept > 0;
}
