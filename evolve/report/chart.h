/* chart.h -- a chart of lines over several runs: means, each with its 95 % interval. */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include "evolve/report/page.h"

typedef struct report_point {
    double x, mean, half; /* half: of the interval */
    int runs;
} report_point;

typedef struct report_line {
    char name[sizeof((report_ending *)0)->words];
    int count;
    report_point *point;
} report_line;

/* Filled in by the caller but for the lines. */
typedef struct report_chart {
    const char *name, *title, *description, *x_label, *y_label;
    report_scale x_scale, y_scale;
    bool whole_x;
    bool ordered; /* its lines are one after the other, rather than of different kinds */
    bool small;
    int count;
    report_line *line;
    bool failed; /* no memory */
} report_chart;

void report_chart_line(report_chart *c, const char *name);

/* To the last line; nothing where no run has a value. */
void report_chart_point(report_chart *c, double x, const loop_sample *sample);

/* Draws it and frees its lines. Lines without a point are left out; a chart without a line is not
 * drawn, which is false. */
bool report_chart_put(report_page *page, report_chart *c);

#endif
