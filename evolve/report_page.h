/* report_page.h -- what the parts of the report share: the page that grows, figures, tables of
 * numbers, diffs. */
#ifndef EVOLVE_REPORT_PAGE_H
#define EVOLVE_REPORT_PAGE_H

#include "evolve/lineage.h"
#include "evolve/svg.h"

typedef struct evolve_page {
    base_text html;
    const char *figures; /* folder of the files; NULL: none are written */
    const char *prefix;  /* of names of figures, so that they are unique: "", "run1-" */
    bool ok;             /* false: a file could not be written, error says why */
    base_error *error;
} evolve_page;

/* The page's head up to the start of <main>; and its end. */
void evolve_page_begin(evolve_page *page, const char *title);
void evolve_page_end(evolve_page *page);

/* Raw HTML by format, and hostile text. */
void evolve_page_print(evolve_page *page, const char *format, ...) BASE_PRINTF(2, 3);
void evolve_page_text(evolve_page *page, const char *text);

/* <h2>, with an anchor that the contents of the page lead to. */
void evolve_page_heading(evolve_page *page, const char *anchor, const char *title);

/* Cells of a table's row. */
void evolve_page_decimal(evolve_page *page, double number, int decimals);
void evolve_page_count(evolve_page *page, int64_t number);
void evolve_page_quantity(evolve_page *page, double number);

/* What changed between two sources, with that many lines around it. */
void evolve_page_diff(evolve_page *page, const char *before, const char *after, int context);

/* A figure is drawn for wide screens and for narrow ones; the reader's shows one of them. The wide
 * one is the file. */
typedef struct evolve_figure {
    const char *name;
    bool small;     /* one drawing for both: a panel of several side by side */
    int height[2];  /* wide, narrow */
    const void *of; /* what draw and table are given */
    /* Sets the plot's axes and margins, begins it with that id, draws, finishes it. */
    void (*draw)(evolve_svg *plot, const char *id, const void *of);
    /* The figure's numbers as comma-separated values. */
    void (*table)(const void *of, base_text *csv);
} evolve_figure;

enum { EVOLVE_WIDE = 760, EVOLVE_NARROW = 370, EVOLVE_SMALL = 365 };

static inline bool evolve_is_narrow(const evolve_svg *plot)
{
    return plot->width <= EVOLVE_NARROW;
}

void evolve_page_figure(evolve_page *page, const evolve_figure *figure);

/* The class of model i of n: "m0" .. "m9". */
const char *evolve_model_class(int i, int n);

/* ---- report_figures.c: what figures share ---- */

/* What a score is called: a T5's is its loss, a network's the share of images it gets wrong. */
typedef struct evolve_words {
    const char *score, *unit;  /* "few-shot loss", ", nats a token" */
    const char *fresh, *where; /* the last comparison's score, and what it is measured on */
} evolve_words;
const evolve_words *evolve_words_of(const evolve_lineage *run);

/* Logarithmic where the values differ enough. */
evolve_scale evolve_scale_for(double low, double high);

/* Widens low .. high to hold a value, if it is finite; start with INFINITY and -INFINITY. */
void evolve_cover(double *low, double *high, double value);

/* "," and the number; nothing after the comma for one that is not finite. */
void evolve_csv_number(base_text *csv, double number);

/* ---- report_curves.c: the loss curves, which both kinds of report have ---- */

enum { EVOLVE_SKIP = 3 }; /* the papers' Figure 1 leaves out the first 3 steps */

typedef struct evolve_curves {
    int count, most; /* curves; steps of the longest */
    int window;      /* of the mean that smooths them */
    double floor;    /* nats a token; 0: not known */
    int skip;        /* steps left out of the figure: 0 or EVOLVE_SKIP */
    struct evolve_curve {
        int first, last; /* models with this very curve */
        int steps;
        double *losses;
    } * curve;
} evolve_curves;

bool evolve_curves_read(evolve_curves *curves, const evolve_lineage *run, base_error *error);
void evolve_curves_free(evolve_curves *curves);

/* The mean of the `window` steps up to step i, or of those from `skip` on where they are fewer. */
double evolve_curve_smooth(const struct evolve_curve *curve, int i, int skip, int window);

/* The mean over the first twentieth of the first `steps` steps from the fourth on (moment 0), over
 * that in their middle (1), over the last (2). */
enum { EVOLVE_MOMENTS = 3 };
extern const char *const evolve_moments[EVOLVE_MOMENTS]; /* "start", "middle", "end" */
double evolve_curve_moment(const struct evolve_curve *curve, int steps, int moment);

/* "Model 3", "Model 3-6". */
void evolve_curve_name(const struct evolve_curve *curve, char name[EVOLVE_NAME]);

/* The figure with its switch between all steps and those from the fourth on. */
void evolve_page_curves(evolve_page *page, evolve_curves *curves);

/* ---- the parts of a page of one run, in its order ---- */

void evolve_page_fresh(evolve_page *page, const evolve_lineage *run);
void evolve_page_scores(evolve_page *page, const evolve_lineage *run);
void evolve_page_funnel(evolve_page *page, const evolve_lineage *run);
void evolve_page_design(evolve_page *page, const evolve_lineage *run);
void evolve_page_fidelity(evolve_page *page, const evolve_lineage *run);
void evolve_page_held_out(evolve_page *page, const evolve_lineage *run);

/* ---- report_networks.c: runs that program networks for images ---- */

/* Sections "losses", "performance", "design"; of several runs once for each task. */
void evolve_page_networks(evolve_page *page, evolve_lineage *const *runs, int count);

/* A network layer by layer, and the T5 that writes them. */
void evolve_page_layers(evolve_page *page, const evolve_lineage *run, int index);
void evolve_page_generator(evolve_page *page, const evolve_lineage *run);

/* ---- report_runs.c: several runs on one page ---- */

bool evolve_page_runs(evolve_page *page, evolve_lineage *const *runs, int count);

/* Gain of the last source over the first, seed by seed, on fresh pairs or the test images. No
 * seeds: count is 0. */
evolve_sample evolve_gains(const evolve_lineage *run);

#endif
