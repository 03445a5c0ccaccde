/* SPDX-License-Identifier: MIT */
/* page.h -- what the parts of the report share: the page that grows, figures, tables of
 * numbers, diffs. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "evolve/report/lineage.h"
#include "evolve/report/svg.h"

typedef struct report_page {
    base_text html;
    const char *figures; /* folder of the files; NULL: none are written */
    const char *prefix;  /* of names of figures, so that they are unique: "", "run1-" */
    const char *program; /* as it is called, for the commands that are shown */
    bool in_folder;      /* it will be report.html in the run's folder */
    bool ok;             /* false: a file could not be written, error says why */
    base_error *error;
} report_page;

/* The page's head up to the start of <main>; and its end. goes_on: browsers are to read it again after a
 * while. */
void report_page_begin(report_page *page, const char *title, bool goes_on);
void report_page_end(report_page *page);

/* Raw HTML by format, and hostile text. */
void report_page_print(report_page *page, const char *format, ...) BASE_PRINTF(2, 3);
void report_page_text(report_page *page, const char *text);

/* <h2>, with an anchor that the contents of the page lead to. */
void report_page_heading(report_page *page, const char *anchor, const char *title);

/* Cells of a table's row. */
void report_page_decimal(report_page *page, double number, int decimals);
void report_page_count(report_page *page, int64_t number);
void report_page_quantity(report_page *page, double number);

/* What changed between two sources, with that many lines around it. */
void report_page_diff(report_page *page, const char *before, const char *after, int context);

/* A figure is drawn for wide screens and for narrow ones; the reader's shows one of them. The wide
 * one is the file. */
typedef struct report_figure {
    const char *name;
    bool small;     /* one drawing for both: a panel of several side by side */
    int height[2];  /* wide, narrow */
    const void *of; /* what draw and table are given */
    /* Sets the plot's axes and margins, begins it with that id, draws, finishes it. */
    void (*draw)(report_svg *plot, const char *id, const void *of);
    /* The figure's numbers as comma-separated values. */
    void (*table)(const void *of, base_text *csv);
} report_figure;

enum { REPORT_WIDE = 760, REPORT_NARROW = 370, REPORT_SMALL = 365 };

static inline bool report_is_narrow(const report_svg *plot) { return plot->width <= REPORT_NARROW; }

void report_page_figure(report_page *page, const report_figure *figure);

/* The class of model i of n: "m0" .. "m9". */
const char *report_model_class(int i, int n);

/* ---- subject.c: what a page says of a run's subject (evolve/task.h), and what it shows ---- */

typedef struct report_subject {
    const char *lead[2];              /* of the page: no T5 writes the sources, one does */
    bool is_named;                    /* the name of the task follows the lead */
    const char *programs;             /* "a T5" */
    const char *first, *last, *now;   /* the sources: "First source" */
    const char *score, *title, *unit; /* "few-shot loss", "Few-shot loss", ", nats a token" */
    const char *column, *of_search, *searched; /* the score in the search, likewise */
    const char *fresh_data;                    /* of the last comparison: "fresh pairs" */
    const char *fresh, *where;                 /* its score, and what that is measured on */
    const char *fresh_title, *fresh_text;      /* its figure */
    const char *gain, *gain_text;              /* the figure of several runs' gains */
    /* Of networks: "test images", "right", "held-out images right, %". */
    const char *tested, *right, *held;
    void (*fresh_cards)(report_page *page, const report_lineage *run);
    void (*describe)(report_page *page, const report_lineage *run); /* the sources; or NULL */
    void (*mutator)(report_page *page, const report_lineage *run);
} report_subject;

const report_subject *report_subject_of(const report_lineage *run);

/* A run's scores are losses, or shares that are wrong: less is better. A page speaks of networks by what
 * they get right, in per cent, wherever they are measured by that: one unit, one direction. A score of the
 * search as it is shown, and with how many decimals; and those of the last comparison, of the first
 * source (which 0) and the last. */
bool report_more_is_better(const report_lineage *run);
double report_shown(const report_lineage *run, double score);
int report_decimals(const report_lineage *run);
search_sample report_shown_fresh(const report_lineage *run, int which);
int report_fresh_decimals(const report_lineage *run);

/* The numbers at the top of a page. */
void report_page_cards(report_page *page, const report_lineage *run);

/* ---- figures.c: what figures share ---- */

/* Logarithmic where the values differ enough. */
report_scale report_scale_for(double low, double high);

/* Widens low .. high to hold a value, if it is finite; start with INFINITY and -INFINITY. */
void report_cover(double *low, double *high, double value);

/* "," and the number; nothing after the comma for one that is not finite. */
void report_csv_number(base_text *csv, double number);

/* ---- curves.c: the loss curves, which both kinds of report have ---- */

enum { REPORT_SKIP = 3 }; /* the papers' Figure 1 leaves out the first 3 steps */

typedef struct report_curves {
    int count, most; /* curves; steps of the longest */
    int window;      /* of the mean that smooths them */
    double floor;    /* nats a token; 0: not known */
    int skip;        /* steps left out of the figure: 0 or REPORT_SKIP */
    struct report_curve {
        int first, last; /* models with this very curve */
        int steps;
        double *losses;
    } * curve;
} report_curves;

bool report_curves_read(report_curves *curves, const report_lineage *run, base_error *error);
void report_curves_free(report_curves *curves);

/* The mean of the `window` steps up to step i, or of those from `skip` on where they are fewer. */
double report_curve_smooth(const struct report_curve *curve, int i, int skip, int window);

/* The mean over the first twentieth of the first `steps` steps from the fourth on (moment 0), over
 * that in their middle (1), over the last (2). */
enum { REPORT_MOMENTS = 3 };
extern const char *const report_moments[REPORT_MOMENTS]; /* "start", "middle", "end" */
double report_curve_moment(const struct report_curve *curve, int steps, int moment);

/* The figure with its switch between all steps and those from the fourth on. */
void report_page_curves(report_page *page, report_curves *curves);

/* ---- the parts of a page of one run, in its order ---- */

void report_page_fresh(report_page *page, const report_lineage *run);

/* linked: the page has a row for each candidate, with the anchor "c-" and its name. */
void report_page_scores(report_page *page, const report_lineage *run, bool linked);
void report_page_lineage(report_page *page, const report_lineage *run);
void report_page_funnel(report_page *page, const report_lineage *run);
void report_page_design(report_page *page, const report_lineage *run);
void report_page_fidelity(report_page *page, const report_lineage *run);
void report_page_held_out(report_page *page, const report_lineage *run);

/* ---- reproduce.c: settings, commands, files, machines ---- */

void report_page_settings(report_page *page, const report_lineage *run);
void report_page_again(report_page *page, const report_lineage *run);
void report_page_times(report_page *page, const report_lineage *run);

/* ---- answers.c: what a run's last model says of the test set, or of held-out pairs ---- */

void report_page_answers(report_page *page, const report_lineage *run);

/* ---- glossary.c ---- */

void report_page_glossary(report_page *page, const report_lineage *run);

/* ---- networks.c: runs that program networks ---- */

/* Sections "losses", "performance", "design"; of several runs once for each task. */
void report_page_networks(report_page *page, report_lineage *const *runs, int count);

/* A network layer by layer, and the T5 that writes them. */
void report_page_layers(report_page *page, const report_lineage *run, int index);
void report_page_generator(report_page *page, const report_lineage *run);

/* ---- fronts.c ---- */

/* Of all networks of runs of one task: error against parameters, flash, RAM and operations. */
void report_page_fronts(report_page *page, const report_lineage *const *runs, int count);

/* ---- runs.c: several runs on one page ---- */

bool report_page_runs(report_page *page, report_lineage *const *runs, int count);

/* Gain of the last source over the first as it is shown, seed by seed, on fresh pairs or the test images:
 * more is better. No seeds: count is 0. */
search_sample report_gains(const report_lineage *run);

#endif
