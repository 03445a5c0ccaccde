/* SPDX-License-Identifier: MIT */
/* svg.h -- plots as Scalable Vector Graphics (SVG 1.1), for figures of a run and of many.
 *
 * A plot has two axes, linear or logarithmic, and things drawn over them: lines, bands, marks,
 * bars, error bars, words. The caller makes the axes, begins, draws in data coordinates, and ends.
 * What comes out is one <svg> element that scales with its place (a viewBox, no size), has a title
 * and a description for those who do not see it, and gets its colours from report_svg_style(),
 * light or dark as the reader has it. Printed numbers do not depend on the locale, nor on the
 * machine.
 *
 *     report_svg plot = {.text = &text, .width = 720, .height = 300, .right = 80};
 *     plot.x = report_axis_of("step", REPORT_LINEAR, 1, 500);
 *     plot.y = report_axis_of("nats a token", REPORT_LOG10, 0.1, 6);
 *     report_svg_begin(&plot, "losses", "Training loss", "What the figure shows, in words.");
 *     report_svg_line(&plot, "c0", steps, losses, 500);
 *     report_svg_finish(&plot); */
#ifndef REPORT_SVG_H
#define REPORT_SVG_H

#include "base/text.h"

typedef enum report_scale { REPORT_LINEAR, REPORT_LOG2, REPORT_LOG10 } report_scale;

typedef struct report_axis {
    const char *label;
    report_scale scale;
    double low, high;         /* low < high; of a logarithmic axis above 0 */
    bool whole;               /* marked at whole numbers only */
    bool bare;                /* neither marks nor lines across */
    const char *const *names; /* written at 0, 1, ... instead of numbers; NULL: numbers */
    int name_count;
} report_axis;

/* An axis that holds low .. high with a little room around them, whatever they are: equal, not in
 * order, not finite, or not above 0 on a logarithmic axis. */
report_axis report_axis_of(const char *label, report_scale scale, double low, double high);

typedef struct report_svg {
    base_text *text; /* appended to; its `failed` says whether it is whole */
    int width, height;
    int left, right, top, bottom; /* margins; 0: what the axes need, and 16 at the right */
    report_axis x, y;
} report_svg;

/* name: letters, digits, '-', unique in the page. title and description may hold anything. */
void report_svg_begin(report_svg *svg, const char *name, const char *title,
                      const char *description);
void report_svg_finish(report_svg *svg);

/* Place in the drawing of a value; what is beyond the axis is put at its end. */
double report_svg_x(const report_svg *svg, double x);
double report_svg_y(const report_svg *svg, double y);

/* classes: of report_svg_style(), as "m3 wide": c0 .. c5 kinds, m0 .. m9 an order, ink, soft; wide,
 * thin, dash, dots, dim; "f": filled. A point not finite interrupts a line and is no mark. */
void report_svg_line(report_svg *svg, const char *classes, const double *x, const double *y, int n);
void report_svg_band(report_svg *svg, const char *classes, const double *x, const double *low,
                     const double *high, int n);
void report_svg_bar(report_svg *svg, const char *classes, double x0, double y0, double x1,
                    double y1);

/* Beyond: an arrow head up or down, of what lies past that end of the axis. */
typedef enum report_mark {
    REPORT_DOT,
    REPORT_RING,
    REPORT_CROSS,
    REPORT_SQUARE,
    REPORT_UP,
    REPORT_DOWN
} report_mark;
void report_svg_marks(report_svg *svg, const char *classes, report_mark mark, const double *x,
                      const double *y, int n);

/* What is drawn between the two is one thing with words for a pointer that rests on it, and leads to that
 * anchor of the page; NULL: nowhere. The keyboard passes over it, since a page has the same in a table. */
void report_svg_thing(report_svg *svg, const char *anchor, const char *words);
void report_svg_thing_ends(report_svg *svg, const char *anchor);

/* An error bar from low to high, lying at y. */
void report_svg_error(report_svg *svg, const char *classes, double y, double low, double high);

/* A line all across, at that height or at that x. */
void report_svg_level(report_svg *svg, const char *classes, double y);
void report_svg_upright(report_svg *svg, const char *classes, double x);

typedef enum report_anchor { REPORT_START, REPORT_MIDDLE, REPORT_END } report_anchor;

/* Words, dx and dy units right of and below a point. classes: "", "b" (bold, ink). */
void report_svg_words(report_svg *svg, const char *classes, double x, double y, double dx,
                      double dy, report_anchor anchor, const char *words);

/* Names of lines at the right margin, each beside its line's last height, moved apart where they
 * would overlap and joined by a stroke in the line's classes. */
typedef struct report_ending {
    double y;
    const char *classes;
    char words[48];
} report_ending;
void report_svg_endings(report_svg *svg, const report_ending *endings, int n);

/* A style sheet for all plots of a page. report_svg_alone puts it into a copy of one, which then is
 * a file of its own. */
const char *report_svg_style(void);
void report_svg_alone(const base_text *svg, base_text *file);

/* ---- for pages as well ---- */

/* Hostile text as text of HTML or XML: the five characters that mean something there are escaped,
 * bytes that are not printable ASCII (line feeds and tabs are) are written as \x1b: a reader sees
 * them, a browser does not act on them. */
void report_put_escaped(base_text *text, const char *bytes, size_t length);

/* A number with that many decimals (0 .. 9), rounded, with no regard to the locale. */
void report_put_decimal(base_text *text, double number, int decimals);

/* Three digits and a unit of thousands: 9.45 M, 1.20 T. */
void report_put_quantity(base_text *text, double number);

#endif
