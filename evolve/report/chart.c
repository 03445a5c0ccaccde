/* chart.c -- see chart.h. */
#include "evolve/report/chart.h"
#include "base/list.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void report_chart_line(report_chart *c, const char *name)
{
    report_line *grown = base_list_grow(c->line, (size_t)c->count, 1, sizeof *grown);
    if (!grown) {
        c->failed = true;
        return;
    }
    c->line = grown;
    c->line[c->count] = (report_line){.count = 0};
    snprintf(c->line[c->count++].name, sizeof c->line->name, "%s", name);
}

void report_chart_point(report_chart *c, double x, const loop_sample *sample)
{
    report_line *l = c->failed ? NULL : &c->line[c->count - 1];
    if (!l || sample->count == 0)
        return;
    report_point *grown = base_list_grow(l->point, (size_t)l->count, 1, sizeof *grown);
    if (!grown) {
        c->failed = true;
        return;
    }
    l->point = grown;
    l->point[l->count++] =
        (report_point){x, loop_mean(sample), loop_interval(sample), sample->count};
}

static const char *class_of(const report_chart *c, int k)
{
    static const char *const kinds[] = {"c0", "c1", "c2", "c3", "c4", "c5"};
    return c->ordered ? report_model_class(k, c->count) : kinds[k % 6];
}

/* Below 0 there is nothing on a logarithmic axis. */
static double low_of(const report_chart *c, const report_point *p)
{
    double low = p->mean - p->half;
    return c->y_scale != REPORT_LINEAR && low <= 0 ? p->mean : low;
}

static void set_axes(report_svg *plot, const report_chart *c)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int k = 0; k < c->count; k++)
        for (int i = 0; i < c->line[k].count; i++) {
            const report_point *p = &c->line[k].point[i];
            report_cover(&low[0], &high[0], p->x);
            report_cover(&low[1], &high[1], c->ordered ? p->mean : low_of(c, p));
            report_cover(&low[1], &high[1], c->ordered ? p->mean : p->mean + p->half);
        }
    plot->x = report_axis_of(c->x_label, c->x_scale, low[0], high[0]);
    plot->x.whole = c->whole_x;
    if (c->x_scale == REPORT_LINEAR && high[0] > low[0]) {
        plot->x.low = low[0] - (c->whole_x ? 0.03 * (high[0] - low[0]) : 0);
        plot->x.high = high[0] + (c->whole_x ? 0.02 * (high[0] - low[0]) : 0);
    }
    plot->y = report_axis_of(c->small ? "" : c->y_label, c->y_scale, low[1], high[1]);
}

/* Intervals are bands, but around lines one after the other, where they would hide each other. */
static void draw_line(report_svg *plot, const report_chart *c, int k)
{
    const report_line *l = &c->line[k];
    double *values = malloc(4 * (size_t)l->count * sizeof *values);
    char classes[32];
    if (!values) {
        plot->text->failed = true;
        return;
    }
    double *x = values, *mean = x + l->count, *low = mean + l->count, *high = low + l->count;
    bool intervals = false, last = k == c->count - 1;
    for (int i = 0; i < l->count; i++) {
        x[i] = l->point[i].x;
        mean[i] = l->point[i].mean;
        low[i] = low_of(c, &l->point[i]);
        high[i] = mean[i] + l->point[i].half;
        intervals = intervals || l->point[i].half > 0;
    }
    if (intervals && !c->ordered)
        report_svg_band(plot, class_of(c, k), x, low, high, l->count);
    snprintf(classes, sizeof classes, "%s%s", class_of(c, k),
             !c->ordered ? ""
             : last      ? " wide"
             : k == 0    ? " dash"
                         : "");
    report_svg_line(plot, classes, x, mean, l->count);
    if (c->whole_x)
        report_svg_marks(plot, class_of(c, k), REPORT_DOT, x, mean, l->count);
    free(values);
}

static void draw_chart(report_svg *plot, const char *id, const void *of)
{
    const report_chart *c = of;
    report_ending endings[64];
    int n = 0;
    bool named = c->count > 1;
    plot->right = c->small ? 64 : named ? 96 : 20;
    plot->top = c->small ? 34 : 0;
    set_axes(plot, c);
    report_svg_begin(plot, id, c->title, c->description);
    if (c->small)
        report_svg_words(plot, "b", plot->x.low, plot->y.high, 2 - plot->left, -20, REPORT_START,
                         c->y_label);
    for (int k = 0; k < c->count; k++) {
        const report_line *l = &c->line[k];
        draw_line(plot, c, k);
        if (!named || n == 64)
            continue;
        endings[n] = (report_ending){l->point[l->count - 1].mean, class_of(c, k), ""};
        memcpy(endings[n++].words, l->name, sizeof l->name);
    }
    report_svg_endings(plot, endings, n);
    if (c->small) {
        const report_point *p = &c->line[0].point[c->line[0].count - 1];
        base_text text = {0};
        if (p->mean >= 1000)
            report_put_quantity(&text, p->mean);
        else
            report_put_decimal(&text, p->mean, p->mean >= 100 || floor(p->mean) == p->mean ? 0 : 1);
        report_svg_words(plot, "b", p->x, p->mean, 10, 4, REPORT_START, text.data ? text.data : "");
        base_text_free(&text);
    }
    report_svg_finish(plot);
}

static void table_chart(const void *of, base_text *csv)
{
    const report_chart *c = of;
    base_text_print(csv, "line,x,mean,half_interval,runs\n");
    for (int k = 0; k < c->count; k++)
        for (int i = 0; i < c->line[k].count; i++) {
            const report_point *p = &c->line[k].point[i];
            base_text_print(csv, "%s", c->line[k].name);
            report_csv_number(csv, p->x);
            report_csv_number(csv, p->mean);
            report_csv_number(csv, p->half);
            base_text_print(csv, ",%d\n", p->runs);
        }
}

bool report_chart_put(report_page *page, report_chart *c)
{
    const report_figure figure = {.name = c->name,
                                  .small = c->small,
                                  .height = {c->small ? 190 : 340, c->small ? 190 : 320},
                                  .of = c,
                                  .draw = draw_chart,
                                  .table = table_chart};
    int kept = 0;
    for (int k = 0; k < c->count; k++)
        if (c->line[k].count > 0)
            c->line[kept++] = c->line[k];
    c->count = kept;
    page->html.failed = page->html.failed || c->failed;
    if (kept > 0 && !c->failed)
        report_page_figure(page, &figure);
    for (int k = 0; k < c->count; k++)
        free(c->line[k].point);
    free(c->line);
    return kept > 0;
}
