/* SPDX-License-Identifier: MIT */
/* chart.h -- the one chart of lines: values, or means over several runs with their 95 % intervals.
 *
 * Who has a figure fills in what it says and what its axes are, adds its lines point by point, and puts
 * it on the page:
 *
 *     report_chart c = {.name = "losses", .title = "Training loss", .description = "...",
 *                       .x_label = "step", .y_label = "nats a token", .y_scale = REPORT_ANY};
 *     report_chart_line(&c, "Model 0", NULL);
 *     report_chart_value(&c, 1, 5.2);
 *     report_chart_put(&page, &c); */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include "evolve/report/page.h"

typedef struct report_point {
    double x, mean, half; /* half: of the interval; mean not finite: the line is interrupted */
    int runs;
} report_point;

typedef struct report_line {
    char name[sizeof((report_ending *)0)->words];
    char classes[24];
    size_t count;
    report_point *point;
} report_line;

enum { REPORT_ANY = REPORT_LOG10 + 1 }; /* y_scale: logarithmic where the values differ enough */

/* Filled in by the caller but for the lines. */
typedef struct report_chart {
    const char *name, *title, *description, *x_label, *y_label;
    int x_scale, y_scale;  /* report_scale, or REPORT_ANY */
    double low, high;      /* the y axis, where low < high; else what the values take */
    bool from_zero;        /* the y axis begins at 0 where no value is below */
    bool whole_x, whole_y; /* marked at whole numbers only */
    bool dots;             /* each point is marked */
    bool last_apart;       /* the last dot is of another kind than those before */
    bool ordered;          /* its lines are one after the other, rather than of different kinds */
    bool small;            /* a panel of several */
    int height;            /* 0: 340 */
    const char *level_name, *level_classes; /* a line all across; NULL: none, "": unnamed */
    double level;
    size_t count;
    report_line *line;
    bool failed; /* no memory */
} report_chart;

/* A new line. classes: of report_svg_style(); NULL: by its number, as `ordered` has it. */
void report_chart_line(report_chart *c, const char *name, const char *classes);

/* To the last line: a value; the mean of a sample, nothing where that is empty. */
void report_chart_value(report_chart *c, double x, double value);
void report_chart_point(report_chart *c, double x, const search_sample *sample);

/* Of `steps` steps, number k of n that are spread evenly over them, the first and the last among
 * them: a curve of any length is drawn by at most REPORT_POINTS points. */
enum { REPORT_POINTS = 300 };
int report_chart_spread(int steps, int k, int n);

/* Draws it, writes its points as a table, and frees its lines. Lines without a point are left out; a
 * chart without a line is not drawn, which is false. */
bool report_chart_put(report_page *page, report_chart *c);

#endif
