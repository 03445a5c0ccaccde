/* SPDX-License-Identifier: MIT */
/* scores.c -- the score of every candidate, and the picture of who was made from whom.
 *
 * Scores stand batch by batch in the order in which they were made, so that progress and luck can be
 * told apart: beside the source's line lies a band, as wide as scores differ by chance alone. One
 * candidate that is a hundred times worse would flatten all others, so the axis ends where most of them
 * do, and what lies beyond is marked there. */
#include "base/memory.h"
#include "evolve/report/page.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Candidate k of n stands a little right of the start of its batch, the first source at the very left. */
static double place_of(const report_lineage *run, int i)
{
    if (i == 0)
        return 0;
    const report_batch *batch = report_lineage_batch(run, i);
    return (double)(batch - run->batch) + 0.1 + 0.8 * (i - batch->first + 0.5) / batch->count;
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

static int count_of(const report_lineage *run, fate which)
{
    int n = 0;
    for (int i = 1; i < run->candidates.count; i++)
        n += fate_of(&run->candidates.list[i]) == which;
    return n;
}

/* What both figures are drawn from. */
typedef struct scores {
    const report_lineage *run;
    const char *prefix; /* of the page's anchors */
    bool linked;        /* the page has a row for each candidate */
    char label[96];     /* of the axis */
    double low, high,
        worst;  /* as the run has them: the best; the worst that is shown in its place; the worst */
    int beyond; /* candidates that are worse than `high` */
    double *noise; /* of each batch; NAN: not known */
} scores;

/* ---- the axis ---- */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The axis is cut at Tukey's outer fence, three times the distance of the quartiles beyond the upper
 * one, where that gives the others at least twice the room; never before the score of a source. */
static void cut(scores *s, double *list, int n, double sources)
{
    qsort(list, (size_t)n, sizeof *list, ascending);
    const double upper = list[3 * n / 4], fence = upper + 3 * (upper - list[n / 4]);
    double high = sources;
    for (int i = 0; i < n && list[i] <= fence; i++)
        high = list[i] > high ? list[i] : high;
    if (s->high - s->low <= 2 * (high - s->low) || high <= s->low)
        return;
    for (int i = 0; i < n; i++)
        s->beyond += list[i] > high;
    s->high = high;
}

static bool find_axis(scores *s)
{
    const report_lineage *run = s->run;
    double sources = report_lineage_score(run, 0)->score;
    double *list = base_malloc((size_t)run->candidates.count * sizeof *list);
    int n = 0;
    s->low = s->high = sources;
    for (int i = 1; list && i < run->candidates.count; i++) {
        const loop_candidate *c = &run->candidates.list[i];
        if (fate_of(c) >= NO_SCORE || !isfinite(c->score.score))
            continue;
        report_cover(&s->low, &s->high, c->score.score);
        sources = c->accepted && c->score.score > sources ? c->score.score : sources;
        list[n++] = c->score.score;
    }
    s->worst = s->high;
    if (n >= 8)
        cut(s, list, n, sources);
    base_free(list);
    return list != NULL;
}

static void set_axes(report_svg *plot, const scores *s)
{
    const bool more = report_more_is_better(s->run);
    const double low = report_shown(s->run, more ? s->high : s->low);
    const double high = report_shown(s->run, more ? s->low : s->high);
    plot->right = 86;
    plot->bottom = 24;
    plot->x = (report_axis){.label = "", .low = 0, .high = s->run->batch_count, .bare = true};
    plot->y = report_axis_of(s->label, report_scale_for(low, high), low, high);
}

/* What is worse stands at the top, or, where more is better, at the bottom. */
static double worse_end(const report_svg *plot, const scores *s)
{
    return report_more_is_better(s->run) ? plot->y.low : plot->y.high;
}

static double shown(const scores *s, int i)
{
    return report_shown(s->run, report_lineage_score(s->run, i)->score);
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

/* ---- marks ---- */

/* For a pointer that rests on the mark: which candidate, and its outcome. */
static void say(const scores *s, int i, base_text *words)
{
    const loop_candidate *c = &s->run->candidates.list[i];
    const fate which = fate_of(c);
    char name[REPORT_NAME];
    base_text_clear(words);
    base_text_print(words, "%s: ", report_lineage_name(s->run, i, name));
    if (which < NO_SCORE)
        report_put_decimal(words, shown(s, i), report_decimals(s->run));
    else
        base_text_print(words, "%s", c->scored ? score_status_name(c->score.status) : "waiting");
    if (which == STOPPED)
        base_text_print(words, " or worse, stopped early");
    if (which == ACCEPTED || which == REUSED)
        base_text_print(words, which == ACCEPTED ? ", accepted" : ", scored before");
    if (i > 0 && c->parent != LOOP_NOBODY)
        base_text_print(words, "; from %s", report_lineage_name(s->run, c->parent, name));
}

/* One candidate, with its words and its row of the table to go to. */
static void draw_mark(report_svg *plot, const scores *s, int i, const char *classes,
                      report_mark mark, base_text *words)
{
    const loop_candidate *c = &s->run->candidates.list[i];
    const bool scored = fate_of(c) < NO_SCORE, beyond = scored && !(c->score.score <= s->high);
    char name[REPORT_NAME], anchor[REPORT_NAME + 40];
    const double x = place_of(s->run, i), y = !scored  ? worse_end(plot, s)
                                              : beyond ? report_shown(s->run, s->high)
                                                       : shown(s, i);
    const report_mark away = report_more_is_better(s->run) ? REPORT_DOWN : REPORT_UP;
    snprintf(anchor, sizeof anchor, "%sc-%s", s->prefix, report_lineage_name(s->run, i, name));
    const char *to = s->linked && i > 0 ? anchor : NULL;
    say(s, i, words);
    report_svg_thing(plot, to, words->failed ? "" : words->data);
    report_svg_marks(plot, classes, beyond ? away : mark, &x, &y, 1);
    report_svg_thing_ends(plot, to);
}

/* ---- every candidate ---- */

/* From one standard deviation above the source's line to one below it. */
static void draw_noise(report_svg *plot, const scores *s)
{
    for (int b = 0; b < s->run->batch_count; b++) {
        const double source = report_lineage_score(s->run, s->run->batch[b].before)->score;
        const double x[] = {b, b + 1}, above = report_shown(s->run, source + s->noise[b]),
                     below = report_shown(s->run, source - s->noise[b]);
        if (isfinite(s->noise[b]))
            report_svg_band(plot, "ink", x, (double[]){below, below}, (double[]){above, above}, 2);
    }
}

/* The score to beat, a stretch a batch. */
static void draw_source(report_svg *plot, const scores *s)
{
    const int batches = s->run->batch_count;
    double *x = base_malloc(2 * (size_t)(2 * batches + 1) * sizeof *x);
    int n = 0;
    if (!x) {
        plot->text->failed = true;
        return;
    }
    double *y = x + 2 * batches + 1;
    for (int b = 0; b < batches; b++)
        for (int end = 0; end < 2; end++) {
            x[n] = b + end;
            y[n++] = shown(s, s->run->batch[b].before);
        }
    x[n] = batches;
    y[n++] = shown(s, s->run->last);
    report_svg_line(plot, "ink", x, y, n);
    base_free(x);
}

static void draw_scores(report_svg *plot, const char *id, const void *of)
{
    static const struct {
        fate which; /* the later ones lie on those before */
        const char *classes;
        report_mark mark;
    } looks[] = {{NO_SCORE, "soft thin", REPORT_CROSS},
                 {STOPPED, "c0 thin", REPORT_CROSS},
                 {REUSED, "c0", REPORT_RING},
                 {SCORED, "c0", REPORT_DOT},
                 {ACCEPTED, "c1 big", REPORT_DOT}};
    const scores *s = of;
    const report_lineage *run = s->run;
    char description[192];
    base_text words = {0};
    set_axes(plot, s);
    snprintf(description, sizeof description,
             "%s of each candidate by batch, and of the source it had to beat. Candidates without "
             "a score stand at the %s.",
             report_subject_of(run)->title, report_more_is_better(run) ? "bottom" : "top");
    report_svg_begin(plot, id, "Score of every candidate", description);
    draw_episodes(plot, run);
    draw_noise(plot, s);
    draw_source(plot, s);
    for (size_t k = 0; k < sizeof looks / sizeof *looks; k++)
        for (int i = 1; i < run->candidates.count; i++)
            if (fate_of(&run->candidates.list[i]) == looks[k].which)
                draw_mark(plot, s, i, looks[k].classes, looks[k].mark, &words);
    base_text_free(&words);
    const report_ending endings[] = {{shown(s, run->last), "ink", "source"},
                                     {worse_end(plot, s), "soft", "no score"}};
    report_svg_endings(plot, endings, 1 + (count_of(run, NO_SCORE) > 0));
    report_svg_finish(plot);
}

/* at_least: the lower bound that a stopped candidate left; its score is empty then. Raw scores, of
 * which less is better. */
static void table_scores(const void *of, base_text *csv)
{
    const scores *s = of;
    const report_lineage *run = s->run;
    char name[REPORT_NAME];
    base_text_print(csv,
                    "candidate,parent,status,reused,accepted,score,source_score,noise,at_least\n");
    for (int i = 1; i < run->candidates.count; i++) {
        const loop_candidate *r = &run->candidates.list[i];
        const report_batch *batch = report_lineage_batch(run, i);
        bool ok = r->scored && r->score.status == SCORE_OK, stopped = fate_of(r) == STOPPED;
        base_text_print(csv, "%s,", report_lineage_name(run, i, name));
        base_text_print(csv, "%s,%s,%s,%s", report_lineage_name(run, r->parent, name),
                        r->scored ? score_status_name(r->score.status) : "",
                        r->reused ? "yes" : "no", r->accepted ? "yes" : "no");
        report_csv_number(csv, ok ? r->score.score : (double)NAN);
        report_csv_number(csv, report_lineage_score(run, batch->before)->score);
        report_csv_number(csv, s->noise[batch - run->batch]);
        report_csv_number(csv, stopped ? r->score.score : (double)NAN);
        base_text_print(csv, "\n");
    }
}

/* The mean square over a batch's candidates of how far each may be from its source by chance. */
static bool find_noise(scores *s, base_error *error)
{
    const report_lineage *run = s->run;
    for (int b = 0; b < run->batch_count; b++) {
        const report_batch *batch = &run->batch[b];
        double squares = 0, noise;
        int n = 0;
        for (int i = batch->first; i < batch->first + batch->count; i++) {
            const loop_candidate *c = &run->candidates.list[i];
            if (!c->scored || c->score.status != SCORE_OK || c->share < 1)
                continue;
            if (!report_lineage_noise(run, batch->before, i, &noise, error))
                return false;
            if (noise > 0) { /* of the source's own program it is 0 */
                squares += noise * noise;
                n++;
            }
        }
        s->noise[b] = n ? sqrt(squares / n) : (double)NAN;
    }
    return true;
}

/* False: the page has failed. The caller frees s->noise. */
static bool begin(scores *s, report_page *page, const report_lineage *run, bool linked)
{
    const report_subject *subject = report_subject_of(run);
    *s = (scores){.run = run, .prefix = page->prefix, .linked = linked};
    snprintf(s->label, sizeof s->label, "%s%s", subject->score, subject->unit);
    s->noise = base_calloc((size_t)run->batch_count + 1, sizeof *s->noise);
    if (!s->noise || !find_axis(s)) {
        page->html.failed = true;
        return false;
    }
    if (find_noise(s, page->error))
        return true;
    page->ok = false;
    return false;
}

static void beyond(report_page *page, const scores *s)
{
    if (s->beyond == 0)
        return;
    report_page_print(page, " Arrow head: beyond the axis (%d, ", s->beyond);
    report_put_decimal(&page->html, report_shown(s->run, s->worst), report_decimals(s->run));
    report_page_print(page, " the worst).");
}

void report_page_scores(report_page *page, const report_lineage *run, bool linked)
{
    scores s;
    const report_figure figure = {.name = "candidates",
                                  .height = {360, 330},
                                  .of = &s,
                                  .draw = draw_scores,
                                  .table = table_scores};
    if (run->batch_count == 0) {
        report_page_print(page, "<p class=\"soft\">No candidate has been proposed yet.</p>\n");
        return;
    }
    if (begin(&s, page, run, linked)) {
        bool any_noise = false;
        for (int b = 0; b < run->batch_count; b++)
            any_noise = any_noise || isfinite(s.noise[b]);
        report_page_print(page, "<figure>\n");
        report_page_figure(page, &figure);
        report_page_print(
            page,
            "<figcaption>Each candidate's %s, batch by batch; %s the line is "
            "better than the source of that time. Large: accepted. Ring: an equal "
            "program was scored before, its score was taken over.%s%s",
            report_subject_of(run)->score, report_more_is_better(run) ? "above" : "below",
            count_of(run, NO_SCORE) ? " Cross at the edge: discarded without a score." : "",
            count_of(run, STOPPED) ? " Cross elsewhere: stopped early, its score is that or worse."
                                   : "");
        if (any_noise)
            report_page_print(page, " Band: one standard error of the difference to the source; "
                                    "what lies within it may be chance.");
        beyond(page, &s);
        report_page_print(page, "%s</figcaption>\n</figure>\n",
                          linked ? " Each mark leads to its row of the table." : "");
    }
    base_free(s.noise);
}

/* ---- who was made from whom ---- */

/* The last source, what it was made from, and so on to the first one. */
static void mark_line(const report_lineage *run, bool *in_line)
{
    int i = run->last;
    while (i > 0 && !in_line[i]) {
        in_line[i] = true;
        i = report_lineage_origin(run, i);
    }
    in_line[0] = true;
}

static void draw_edge(report_svg *plot, const scores *s, int i, const char *classes)
{
    const int parent = s->run->candidates.list[i].parent;
    const double high = report_shown(s->run, s->high);
    const bool cut[] = {report_lineage_score(s->run, parent)->score > s->high,
                        report_lineage_score(s->run, i)->score > s->high};
    const double x[] = {place_of(s->run, parent), place_of(s->run, i)},
                 y[] = {cut[0] ? high : shown(s, parent), cut[1] ? high : shown(s, i)};
    report_svg_line(plot, classes, x, y, 2);
}

static bool has_edge(const report_lineage *run, int i)
{
    const loop_candidate *c = &run->candidates.list[i];
    return fate_of(c) < STOPPED && c->parent != LOOP_NOBODY;
}

/* Beside a mark of the line from first source to last, which falls, or rises, from left to right: on the side of it
 * where the line does not come from, or, close to the axis, does not go to. */
static void name_mark(report_svg *plot, const scores *s, int i, const char *classes,
                      const char *name)
{
    enum { CLOSE = 60 };
    const double x = place_of(s->run, i);
    const bool falls = shown(s, s->run->last) < shown(s, 0);
    if (report_svg_x(plot, x) - report_svg_x(plot, plot->x.low) < CLOSE)
        report_svg_words(plot, classes, x, shown(s, i), 8, falls ? -8 : 16, REPORT_START, name);
    else
        report_svg_words(plot, classes, x, shown(s, i), -9, falls ? 11 : -4, REPORT_END, name);
}

static void draw_lineage(report_svg *plot, const char *id, const void *of)
{
    const scores *s = of;
    const report_lineage *run = s->run;
    const int n = run->candidates.count;
    bool *in_line = base_calloc((size_t)n, sizeof *in_line);
    bool *parent = base_calloc((size_t)n, sizeof *parent);
    base_text words = {0};
    if (in_line && parent) {
        set_axes(plot, s);
        plot->x.low = -0.015 * run->batch_count;
        report_svg_begin(plot, id, "Who was made from whom",
                         "A line from each candidate with a score to what it was made from, by "
                         "batch and score; the line of the last source is set off.");
        draw_episodes(plot, run);
        mark_line(run, in_line);
        for (int i = 1; i < n; i++)
            if (has_edge(run, i)) {
                parent[run->candidates.list[i].parent] = true;
                if (!in_line[i])
                    draw_edge(plot, s, i, "soft thin dim");
            }
        for (int i = 1; i < n; i++)
            if (has_edge(run, i) && in_line[i])
                draw_edge(plot, s, i, "c1 wide");
        for (int i = 0; i < n; i++)
            if (!in_line[i] && parent[i])
                draw_mark(plot, s, i, "c0", REPORT_DOT, &words);
        for (int i = 0; i < n; i++)
            if (in_line[i])
                draw_mark(plot, s, i, "c1 big", REPORT_DOT, &words);
        char name[REPORT_NAME];
        const report_ending ending = {shown(s, run->last), "ink", "last source"};
        name_mark(plot, s, 0, "b", "first source");
        for (int i = 1; i < n; i++)
            if (in_line[i] && (i == run->last || !report_is_narrow(plot)))
                name_mark(plot, s, i, "", report_lineage_name(run, i, name));
        report_svg_endings(plot, &ending, 1);
        report_svg_finish(plot);
    } else
        plot->text->failed = true;
    base_text_free(&words);
    base_free(in_line);
    base_free(parent);
}

void report_page_lineage(report_page *page, const report_lineage *run)
{
    scores s;
    const report_figure figure = {.name = "lineage",
                                  .height = {300, 300},
                                  .of = &s,
                                  .draw = draw_lineage,
                                  .table = table_scores};
    int edges = 0;
    for (int i = 1; i < run->candidates.count; i++)
        edges += has_edge(run, i);
    if (edges == 0)
        return;
    if (begin(&s, page, run, true)) {
        report_page_print(page, "<figure>\n");
        report_page_figure(page, &figure);
        report_page_print(page,
                          "<figcaption>From each candidate with a score a line to what it was "
                          "made from. Strong: the way from the first source to the last. "
                          "Dots: the sources that others were made from.");
        beyond(page, &s);
        report_page_print(page, "</figcaption>\n</figure>\n");
    }
    base_free(s.noise);
}
