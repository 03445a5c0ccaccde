/* report_chart.h -- a chart of lines over several runs: means, each with its 95 % interval. */
#ifndef EVOLVE_REPORT_CHART_H
#define EVOLVE_REPORT_CHART_H

#include "evolve/report_page.h"

typedef struct evolve_point {
    double x, mean, half; /* half: of the interval */
    int runs;
} evolve_point;

typedef struct evolve_line {
    char name[sizeof((evolve_ending *)0)->words];
    int count, room;
    evolve_point *point;
} evolve_line;

/* Filled in by the caller but for the lines. */
typedef struct evolve_chart {
    const char *name, *title, *description, *x_label, *y_label;
    evolve_scale x_scale, y_scale;
    bool whole_x;
    bool ordered; /* its lines are one after the other, rather than of different kinds */
    bool small;
    int count, room;
    evolve_line *line;
    bool failed; /* no memory */
} evolve_chart;

void evolve_chart_line(evolve_chart *c, const char *name);

/* To the last line; nothing where no run has a value. */
void evolve_chart_point(evolve_chart *c, double x, const evolve_sample *sample);

/* Draws it and frees its lines. Lines without a point are left out; a chart without a line is not
 * drawn, which is false. */
bool evolve_chart_put(evolve_page *page, evolve_chart *c);

#endif
