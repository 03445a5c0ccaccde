/* SPDX-License-Identifier: MIT */
/* figures.c -- figures of one run: the last comparison, and the funnel. Each is a function that
 * draws, one that writes its numbers down, and one that puts it on the page.
 *
 * The numbers beside a figure are those that it was drawn from, point by point, and not computed a
 * second time: who doubts a figure can draw it again from its CSV file. */
#include "base/number.h"
#include "base/memory.h"
#include "evolve/report/page.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From this ratio of largest to smallest on, a logarithmic axis reads better. */
static const double wide_ratio = 8;

report_scale report_scale_for(double low, double high)
{
    return low > 0 && high / low > wide_ratio ? REPORT_LOG10 : REPORT_LINEAR;
}

void report_cover(double *low, double *high, double value)
{
    if (!isfinite(value))
        return;
    *low = value < *low ? value : *low;
    *high = value > *high ? value : *high;
}

void report_csv_number(base_text *csv, double number)
{
    base_text_print(csv, ",");
    if (isfinite(number))
        base_json_put_number(csv, number);
}

search_sample report_gains(const report_lineage *run)
{
    const search_sample first = report_shown_fresh(run, 0), last = report_shown_fresh(run, 1);
    search_sample gains = {.count = last.count};
    for (int i = 0; i < gains.count; i++)
        gains.value[i] = run->subject == EVOLVE_NETWORKS ? last.value[i] - first.value[i]
                                                         : first.value[i] - last.value[i];
    return gains;
}

/* ---- first and last source on fresh pairs ---- */

/* A row for each of the two sources, a ring a seed; the two rings of a seed are joined, since the claim
 * is about what each pair of them gains. Beyond the rows the means, with their 95 % intervals. */
static void draw_fresh(report_svg *plot, const char *id, const void *of)
{
    static const char *const names[] = {"last source", "first source"}, *const classes[] = {"c0",
                                                                                            "c1"};
    static const double row[] = {1, 0}, beside[] = {1.42, -0.42};
    const report_lineage *run = of;
    search_sample shown[2];
    double low = INFINITY, high = -INFINITY, mean[2], half[2];
    for (int i = 0; i < 2; i++) {
        shown[i] = report_shown_fresh(run, i);
        mean[i] = search_mean(&shown[i]);
        half[i] = search_half_interval(&shown[i]);
        for (int k = 0; k < shown[i].count; k++)
            report_cover(&low, &high, shown[i].value[k]);
        report_cover(&low, &high, mean[i] - half[i]);
        report_cover(&low, &high, mean[i] + half[i]);
    }
    plot->left = 98;
    plot->x = report_axis_of(report_subject_of(run)->fresh, REPORT_LINEAR, low, high);
    plot->y = (report_axis){.label = "", .low = -1, .high = 2, .names = names, .name_count = 2};
    report_svg_begin(plot, id, report_subject_of(run)->fresh_title,
                     report_subject_of(run)->fresh_text);
    for (int k = 0; k < shown[1].count; k++) {
        const double ends[] = {shown[0].value[k], shown[1].value[k]};
        base_text words = {0};
        base_text_print(&words, "seed %d: ", k);
        report_put_decimal(&words, ends[0], report_fresh_decimals(run));
        base_text_print(&words, " first, ");
        report_put_decimal(&words, ends[1], report_fresh_decimals(run));
        base_text_print(&words, " last");
        report_svg_thing(plot, NULL, words.failed ? "" : words.data);
        report_svg_line(plot, "soft thin", ends, row, 2);
        for (int i = 0; i < 2; i++)
            report_svg_marks(plot, classes[i], REPORT_RING, &ends[i], &row[i], 1);
        report_svg_thing_ends(plot, NULL);
        base_text_free(&words);
    }
    for (int i = 0; i < 2; i++) {
        base_text text = {0};
        report_svg_error(plot, classes[i], beside[i], mean[i] - half[i], mean[i] + half[i]);
        report_svg_marks(plot, i ? "c1 big" : "c0 big", REPORT_DOT, &mean[i], &beside[i], 1);
        report_put_decimal(&text, mean[i], report_fresh_decimals(run));
        report_svg_words(plot, "b", mean[i], beside[i], 0, i ? 18 : -9, REPORT_MIDDLE,
                         text.failed ? "" : text.data);
        base_text_free(&text);
    }
    report_svg_finish(plot);
}

static void table_fresh(const void *of, base_text *csv)
{
    const search_sample first = report_shown_fresh(of, 0), last = report_shown_fresh(of, 1);
    base_text_print(csv, "seed,first,last\n");
    for (int k = 0; k < last.count; k++) {
        base_text_print(csv, "%d", k);
        report_csv_number(csv, first.value[k]);
        report_csv_number(csv, last.value[k]);
        base_text_print(csv, "\n");
    }
}

void report_page_fresh(report_page *page, const report_lineage *run)
{
    const report_figure figure = {
        .name = "fresh", .height = {210, 210}, .of = run, .draw = draw_fresh, .table = table_fresh};
    if (run->fresh[1].count == 0)
        return;
    report_page_print(page, "<figure>\n");
    report_page_figure(page, &figure);
    report_page_print(
        page,
        "<figcaption>%s, with %d fresh seed%s: a ring for each source and seed, the two of a "
        "seed joined by a line, and the means with their 95&nbsp;%% intervals. Each "
        "line is a gain or a loss: the lines can agree even where the two "
        "intervals overlap.</figcaption>\n</figure>\n",
        report_subject_of(run)->where, run->fresh[1].count, run->fresh[1].count == 1 ? "" : "s");
}

/* ---- the funnel ---- */

enum { STAGES = 6 };
static const char *const stages[STAGES] = {"generated", "parsed",    "valid",
                                           "new",       "evaluated", "accepted"};

static void funnel_counts(const loop_funnel *f, int counts[STAGES])
{
    const int all[STAGES] = {f->generated, f->parsed,    f->valid,
                             f->fresh,     f->evaluated, f->accepted};
    memcpy(counts, all, sizeof all);
}

static void draw_funnel(report_svg *plot, const char *id, const void *of)
{
    static const char *const names[STAGES] = {"accepted", "evaluated", "new",
                                              "valid",    "parsed",    "generated"};
    const report_lineage *run = of;
    loop_funnel funnel = loop_funnel_of(&run->candidates, -1);
    int counts[STAGES];
    funnel_counts(&funnel, counts);
    double all = counts[0] ? counts[0] : 1;
    plot->left = 82;
    plot->right = 92;
    plot->x = (report_axis){.label = "", .low = 0, .high = all, .bare = true};
    plot->y =
        (report_axis){.label = "", .low = -0.6, .high = 5.6, .names = names, .name_count = STAGES};
    report_svg_begin(
        plot, id, "How far candidates get",
        "How many candidates were generated, parsed, valid, new, evaluated, accepted.");
    for (int i = 0; i < STAGES; i++) {
        char words[48];
        double y = STAGES - 1 - i;
        snprintf(words, sizeof words, "%d", counts[i]);
        report_svg_bar(plot, i == STAGES - 1 ? "c1" : "c0", 0, y - 0.3, counts[i], y + 0.3);
        report_svg_words(plot, "b", counts[i], y, 8, 4, REPORT_START, words);
        base_print(words, sizeof words, "%.0f %%", 100.0 * counts[i] / all);
        report_svg_words(plot, "", all, y, 84, 4, REPORT_END, words);
    }
    report_svg_finish(plot);
}

/* An episode a row; the figure shows their sum. */
static void table_funnel(const void *of, base_text *csv)
{
    const report_lineage *run = of;
    base_text_print(csv, "episode");
    for (int k = 0; k < STAGES; k++)
        base_text_print(csv, ",%s", stages[k]);
    base_text_print(csv, "\n");
    for (int e = 0; e < run->begun; e++) {
        int counts[STAGES];
        loop_funnel funnel = loop_funnel_of(&run->candidates, e);
        funnel_counts(&funnel, counts);
        base_text_print(csv, "%d", e);
        for (int k = 0; k < STAGES; k++)
            base_text_print(csv, ",%d", counts[k]);
        base_text_print(csv, "\n");
    }
}

static void funnel_row(report_page *page, const loop_funnel *funnel)
{
    int counts[STAGES];
    funnel_counts(funnel, counts);
    for (int k = 0; k < STAGES; k++)
        report_page_count(page, counts[k]);
    report_page_print(page, "</tr>\n");
}

void report_page_funnel(report_page *page, const report_lineage *run)
{
    const report_figure figure = {.name = "funnel",
                                  .height = {190, 190},
                                  .of = run,
                                  .draw = draw_funnel,
                                  .table = table_funnel};
    report_page_print(page, "<figure>\n");
    report_page_figure(page, &figure);
    report_page_print(
        page,
        "</figure>\n<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th>episode</th>");
    for (int k = 0; k < STAGES; k++)
        report_page_print(page, "<th>%s</th>", stages[k]);
    report_page_print(page, "</tr></thead>\n<tbody>\n");
    for (int e = 0; e < run->begun; e++) {
        loop_funnel funnel = loop_funnel_of(&run->candidates, e);
        report_page_print(page, "<tr><td>%d</td>", e);
        funnel_row(page, &funnel);
    }
    loop_funnel all = loop_funnel_of(&run->candidates, -1);
    report_page_print(page, "<tr class=\"sum\"><td>all</td>");
    funnel_row(page, &all);
    report_page_print(page,
                      "</tbody></table></div>\n<p class=\"soft\">Parsed: is a program. Valid: "
                      "passes the checker, runs, "
                      "builds a model within the limits, and trains. New: no equal program was "
                      "scored before.</p>\n");
}
