/* svg.h -- plots as Scalable Vector Graphics (SVG 1.1), for figures of a run and of many.
 *
 * A plot has two axes, linear or logarithmic, and things drawn over them: lines, bands, marks,
 * bars, error bars, words. The caller makes the axes, begins, draws in data coordinates, and ends.
 * What comes out is one <svg> element that scales with its place (a viewBox, no size), has a title
 * and a description for those who do not see it, and gets its colours from evolve_svg_style(),
 * light or dark as the reader has it. Printed numbers do not depend on the locale, nor on the
 * machine.
 *
 *     evolve_svg plot = {.text = &text, .width = 720, .height = 300, .right = 80};
 *     plot.x = evolve_axis_of("step", EVOLVE_LINEAR, 1, 500);
 *     plot.y = evolve_axis_of("nats a token", EVOLVE_LOG10, 0.1, 6);
 *     evolve_svg_begin(&plot, "losses", "Training loss", "What the figure shows, in words.");
 *     evolve_svg_line(&plot, "c0", steps, losses, 500);
 *     evolve_svg_finish(&plot); */
#ifndef EVOLVE_SVG_H
#define EVOLVE_SVG_H

#include "base/text.h"

typedef enum evolve_scale { EVOLVE_LINEAR, EVOLVE_LOG2, EVOLVE_LOG10 } evolve_scale;

typedef struct evolve_axis {
    const char *label;
    evolve_scale scale;
    double low, high;         /* low < high; of a logarithmic axis above 0 */
    bool whole;               /* marked at whole numbers only */
    bool bare;                /* neither marks nor lines across */
    const char *const *names; /* written at 0, 1, ... instead of numbers; NULL: numbers */
    int name_count;
} evolve_axis;

/* An axis that holds low .. high with a little room around them, whatever they are: equal, not in
 * order, not finite, or not above 0 on a logarithmic axis. */
evolve_axis evolve_axis_of(const char *label, evolve_scale scale, double low, double high);

typedef struct evolve_svg {
    base_text *text; /* appended to; its `failed` says whether it is whole */
    int width, height;
    int left, right, top, bottom; /* margins; 0: what the axes need, and 16 at the right */
    evolve_axis x, y;
} evolve_svg;

/* name: letters, digits, '-', unique in the page. title and description may hold anything. */
void evolve_svg_begin(evolve_svg *svg, const char *name, const char *title,
                      const char *description);
void evolve_svg_finish(evolve_svg *svg);

/* Place in the drawing of a value; what is beyond the axis is put at its end. */
double evolve_svg_x(const evolve_svg *svg, double x);
double evolve_svg_y(const evolve_svg *svg, double y);

/* classes: of evolve_svg_style(), as "m3 wide": c0 .. c5 kinds, m0 .. m9 an order, ink, soft; wide,
 * thin, dash, dots, dim; "f": filled. A point not finite interrupts a line and is no mark. */
void evolve_svg_line(evolve_svg *svg, const char *classes, const double *x, const double *y, int n);
void evolve_svg_band(evolve_svg *svg, const char *classes, const double *x, const double *low,
                     const double *high, int n);
void evolve_svg_bar(evolve_svg *svg, const char *classes, double x0, double y0, double x1,
                    double y1);

typedef enum evolve_mark { EVOLVE_DOT, EVOLVE_RING, EVOLVE_CROSS, EVOLVE_SQUARE } evolve_mark;
void evolve_svg_marks(evolve_svg *svg, const char *classes, evolve_mark mark, const double *x,
                      const double *y, int n);

/* An error bar from low to high, upright at x or, flat, lying at y. */
void evolve_svg_error(evolve_svg *svg, const char *classes, double x, double low, double high);
void evolve_svg_error_flat(evolve_svg *svg, const char *classes, double y, double low, double high);

/* A line all across, at that height or at that x. */
void evolve_svg_level(evolve_svg *svg, const char *classes, double y);
void evolve_svg_upright(evolve_svg *svg, const char *classes, double x);

typedef enum evolve_anchor { EVOLVE_START, EVOLVE_MIDDLE, EVOLVE_END } evolve_anchor;

/* Words, dx and dy units right of and below a point. classes: "", "b" (bold, ink). */
void evolve_svg_words(evolve_svg *svg, const char *classes, double x, double y, double dx,
                      double dy, evolve_anchor anchor, const char *words);

/* Names of lines at the right margin, each beside its line's last height, moved apart where they
 * would overlap and joined by a stroke in the line's classes. */
typedef struct evolve_ending {
    double y;
    const char *classes;
    char words[48];
} evolve_ending;
void evolve_svg_endings(evolve_svg *svg, const evolve_ending *endings, int n);

/* A style sheet for all plots of a page. evolve_svg_alone puts it into a copy of one, which then is
 * a file of its own. */
const char *evolve_svg_style(void);
void evolve_svg_alone(const base_text *svg, base_text *file);

/* ---- for pages as well ---- */

/* Hostile text as text of HTML or XML: the five characters that mean something there are escaped,
 * bytes that are not printable ASCII (line feeds and tabs are) are written as \x1b: a reader sees
 * them, a browser does not act on them. */
void evolve_put_escaped(base_text *text, const char *bytes, size_t length);

/* A number with that many decimals (0 .. 9), rounded, with no regard to the locale. */
void evolve_put_decimal(base_text *text, double number, int decimals);

/* Three digits and a unit of thousands: 9.45 M, 1.20 T. */
void evolve_put_quantity(base_text *text, double number);

#endif
