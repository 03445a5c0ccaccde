/* figures.c -- figures of one run: the last comparison, the candidates' scores, the funnel.
 * Each is a function that draws, one that writes its numbers down, and one that puts it on the
 * page.
 *
 * The numbers beside a figure are those that it was drawn from, point by point, and not computed a
 * second time: who doubts a figure can draw it again from its CSV file. Scores stand batch by batch in
 * the order in which they were made, so that progress and luck can be told apart. */
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
    search_sample gains = {.count = run->fresh[1].count};
    for (int i = 0; i < gains.count; i++)
        gains.value[i] = run->fresh[0].value[i] - run->fresh[1].value[i];
    return gains;
}

/* ---- first and last source on fresh pairs ---- */

/* A row for each of the two sources: a ring a seed, and above them the mean with its 95 % interval. */
static void draw_fresh(report_svg *plot, const char *id, const void *of)
{
    static const char *const names[] = {"last source", "first source"};
    const report_lineage *run = of;
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < run->fresh[i].count; k++)
            report_cover(&low, &high, run->fresh[i].value[k]);
    for (int i = 0; i < 2; i++) {
        report_cover(&low, &high,
                     search_mean(&run->fresh[i]) - search_half_interval(&run->fresh[i]));
        report_cover(&low, &high,
                     search_mean(&run->fresh[i]) + search_half_interval(&run->fresh[i]));
    }
    plot->left = 98;
    plot->x = report_axis_of(report_subject_of(run)->fresh, REPORT_LINEAR, low, high);
    plot->y = (report_axis){.label = "", .low = -0.6, .high = 1.6, .names = names, .name_count = 2};
    report_svg_begin(plot, id, report_subject_of(run)->fresh_title,
                     report_subject_of(run)->fresh_text);
    for (int i = 0; i < 2; i++) {
        double y[64], height = i ? 0 : 1, mean = search_mean(&run->fresh[i]);
        double half = search_half_interval(&run->fresh[i]), above = height + 0.34;
        char words[32];
        base_text text = {0};
        for (int k = 0; k < run->fresh[i].count; k++)
            y[k] = height;
        const char *class = i ? "c1" : "c0";
        report_svg_marks(plot, class, REPORT_RING, run->fresh[i].value, y, run->fresh[i].count);
        report_svg_error(plot, class, above, mean - half, mean + half);
        report_svg_marks(plot, i ? "c1 big" : "c0 big", REPORT_DOT, &mean, &above, 1);
        report_put_decimal(&text, mean, 4);
        snprintf(words, sizeof words, "%s", text.data ? text.data : "");
        report_svg_words(plot, "b", mean, above, 0, -9, REPORT_MIDDLE, words);
        base_text_free(&text);
    }
    report_svg_finish(plot);
}

static void table_fresh(const void *of, base_text *csv)
{
    const report_lineage *run = of;
    base_text_print(csv, "seed,first,last\n");
    for (int k = 0; k < run->fresh[1].count; k++) {
        base_text_print(csv, "%d", k);
        report_csv_number(csv, run->fresh[0].value[k]);
        report_csv_number(csv, run->fresh[1].value[k]);
        base_text_print(csv, "\n");
    }
}

void report_page_fresh(report_page *page, const report_lineage *run)
{
    const report_figure figure = {
        .name = "fresh", .height = {170, 170}, .of = run, .draw = draw_fresh, .table = table_fresh};
    if (run->fresh[1].count == 0)
        return;
    report_page_print(page, "<figure>\n");
    report_page_figure(page, &figure);
    report_page_print(page,
                      "<figcaption>%s, with %d fresh seed%s: a ring a seed, and the mean with its "
                      "95&nbsp;%% interval above.</figcaption>\n</figure>\n",
                      report_subject_of(run)->where, run->fresh[1].count,
                      run->fresh[1].count == 1 ? "" : "s");
}

/* ---- the score of every candidate ---- */

/* Candidate k of n stands a little right of the start of its batch. */
static double place_of(const report_lineage *run, int b, int i)
{
    return b + 0.1 + 0.8 * (i - run->batch[b].first + 0.5) / run->batch[b].count;
}

typedef enum fate { SCORED, REUSED, ACCEPTED, STOPPED, NO_SCORE, PENDING } fate;

static fate fate_of(const loop_candidate *r)
{
    return !r->scored                         ? PENDING
           : r->score.status == SCORE_STOPPED ? STOPPED
           : r->score.status != SCORE_OK      ? NO_SCORE
           : r->accepted                      ? ACCEPTED
           : r->reused                        ? REUSED
                                              : SCORED;
}

static void draw_fate(report_svg *plot, const report_lineage *run, fate which, const char *classes,
                      report_mark mark, double *x, double *y)
{
    int n = 0;
    for (int b = 0; b < run->batch_count; b++)
        for (int i = run->batch[b].first; i < run->batch[b].first + run->batch[b].count; i++)
            if (fate_of(&run->candidates.list[i]) == which) {
                x[n] = place_of(run, b, i);
                y[n++] = which == NO_SCORE ? plot->y.high : run->candidates.list[i].score.score;
            }
    if (n > 0)
        report_svg_marks(plot, classes, mark, x, y, n);
}

/* The score to beat, a stretch a batch. */
static void draw_source(report_svg *plot, const report_lineage *run, double *x, double *y)
{
    int n = 0;
    for (int b = 0; b < run->batch_count; b++)
        for (int end = 0; end < 2; end++) {
            x[n] = b + end;
            y[n++] = report_lineage_score(run, run->batch[b].before)->score;
        }
    x[n] = run->batch_count;
    y[n++] = report_lineage_score(run, run->last)->score;
    report_svg_line(plot, "ink", x, y, n);
}

static void draw_episodes(report_svg *plot, const report_lineage *run)
{
    double room = (report_svg_x(plot, 1) - report_svg_x(plot, 0)) * run->batch_count /
                  (run->begun > 0 ? run->begun : 1);
    for (int b = 0; b < run->batch_count; b++) {
        char words[32];
        if (b > 0 && run->batch[b].episode == run->batch[b - 1].episode)
            continue;
        if (b > 0)
            report_svg_upright(plot, "grid", b);
        snprintf(words, sizeof words, room > 70 ? "episode %d" : "%d", run->batch[b].episode);
        report_svg_words(plot, "", b, plot->y.low, 3, 16, REPORT_START, words);
    }
}

static void draw_scores(report_svg *plot, const char *id, const void *of)
{
    const report_lineage *run = of;
    double low = report_lineage_score(run, 0)->score, high = low;
    for (int i = 1; i < run->candidates.count; i++)
        if (fate_of(&run->candidates.list[i]) < NO_SCORE)
            report_cover(&low, &high, run->candidates.list[i].score.score);
    size_t room = (size_t)run->candidates.count + 2 * (size_t)run->batch_count + 1;
    double *x = base_malloc(2 * room * sizeof *x);
    plot->right = 72;
    plot->bottom = 24;
    plot->x = (report_axis){.label = "", .low = 0, .high = run->batch_count, .bare = true};
    const report_subject *subject = report_subject_of(run);
    char label[64], description[192];
    snprintf(label, sizeof label, "%s%s", subject->score, subject->unit);
    snprintf(description, sizeof description,
             "%s of each candidate by batch, and of the source it had to beat. Candidates without "
             "a score stand at the top.",
             subject->title);
    plot->y = report_axis_of(label, report_scale_for(low, high), low, high);
    report_svg_begin(plot, id, "Score of every candidate", description);
    draw_episodes(plot, run);
    if (!x) {
        plot->text->failed = true;
        return;
    }
    draw_source(plot, run, x, x + room);
    draw_fate(plot, run, NO_SCORE, "soft thin", REPORT_CROSS, x, x + room);
    draw_fate(plot, run, STOPPED, "c0 thin", REPORT_CROSS, x, x + room);
    draw_fate(plot, run, REUSED, "c0", REPORT_RING, x, x + room);
    draw_fate(plot, run, SCORED, "c0", REPORT_DOT, x, x + room);
    draw_fate(plot, run, ACCEPTED, "c1 big", REPORT_DOT, x, x + room);
    base_free(x);
    const report_ending endings[] = {
        {plot->y.high, "soft", "no score"},
        {report_lineage_score(run, run->last)->score, "ink", "source"}};
    report_svg_endings(plot, endings, 2);
    report_svg_finish(plot);
}

/* at_least: the lower bound that a stopped candidate left; its score is empty then. */
static void table_scores(const void *of, base_text *csv)
{
    const report_lineage *run = of;
    char name[REPORT_NAME];
    base_text_print(csv, "candidate,status,reused,accepted,score,source_score,at_least\n");
    for (int i = 1; i < run->candidates.count; i++) {
        const loop_candidate *r = &run->candidates.list[i];
        bool ok = r->scored && r->score.status == SCORE_OK, stopped = fate_of(r) == STOPPED;
        base_text_print(csv, "%s,%s,%s,%s", report_lineage_name(run, i, name),
                        r->scored ? score_status_name(r->score.status) : "",
                        r->reused ? "yes" : "no", r->accepted ? "yes" : "no");
        report_csv_number(csv, ok ? r->score.score : NAN);
        report_csv_number(csv,
                          report_lineage_score(run, report_lineage_batch(run, i)->before)->score);
        report_csv_number(csv, stopped ? r->score.score : NAN);
        base_text_print(csv, "\n");
    }
}

static bool any_stopped(const report_lineage *run)
{
    int i = 1;
    while (i < run->candidates.count && fate_of(&run->candidates.list[i]) != STOPPED)
        i++;
    return i < run->candidates.count;
}

void report_page_scores(report_page *page, const report_lineage *run)
{
    const report_figure figure = {.name = "candidates",
                                  .height = {360, 330},
                                  .of = run,
                                  .draw = draw_scores,
                                  .table = table_scores};
    if (run->batch_count == 0) {
        report_page_print(page, "<p class=\"soft\">No candidate has been proposed yet.</p>\n");
        return;
    }
    report_page_print(page, "<figure>\n");
    report_page_figure(page, &figure);
    report_page_print(page,
                      "<figcaption>Each candidate's %s, batch by batch; below the line is "
                      "better than the source of that time. Large: accepted. Ring: an equal "
                      "program was scored before, its score was taken over. Cross, at the top: "
                      "discarded without a score%s.</figcaption>\n</figure>\n",
                      report_subject_of(run)->score,
                      any_stopped(run) ? "; cross elsewhere: stopped early, its score is that or "
                                         "more"
                                       : "");
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
    report_page_print(page,
                      "</figure>\n<div class=\"scroll\"><table>\n<thead><tr><th>episode</th>");
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
