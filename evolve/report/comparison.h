/* SPDX-License-Identifier: MIT */
/* comparison.h -- several arms against one, seed by seed: what `phoenix compare` says.
 *
 * An arm is a way to do something and what came of it with each of some seeds; lower is better.
 * Value i of every arm is of the same seed. */
#ifndef REPORT_COMPARISON_H
#define REPORT_COMPARISON_H

#include "evolve/search/statistics.h"
#include "evolve/report/svg.h"

typedef struct report_arm {
    const char *name;
    const double *value;
} report_arm;

typedef struct report_comparison {
    double median;            /* of the arm */
    double difference;        /* mean of arm less reference, by seed: above 0 is worse */
    search_interval interval; /* its 95 % bootstrap interval */
    double p;                 /* that there is a difference: sign flips */
    double adjusted;          /* the same by Holm, for all the arms that were looked at */
    double delta;             /* Cliff's: above 0 is worse */
    double same;              /* p that they are the same to within the margin */
} report_comparison;

enum { REPORT_MOST_ARMS = 32 };

/* Of each arm against the reference, n values each. */
void report_comparisons(const report_arm *reference, const report_arm *arms, int count, int n,
                        double margin, report_comparison *results);

/* A heading, and a line for each arm. */
void report_comparisons_print(const report_arm *reference, const report_arm *arms, int count, int n,
                              double margin, const report_comparison *results, base_text *text);

/* The same as a figure: the differences with their intervals, one arm below the other, and the
 * margin around 0. name and title as report_svg_begin's; the rest of svg is set here, but for its
 * text. */
void report_comparisons_draw(const report_arm *reference, const report_arm *arms, int count, int n,
                             double margin, const report_comparison *results, const char *name,
                             const char *title, report_svg *svg);

#endif
