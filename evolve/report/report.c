/* SPDX-License-Identifier: MIT */
/* report.c -- the page of one run, section by section.
 *
 * A section is a function from a run's lineage to HTML, and a row of a table which has its title: the
 * list of contents, the order and the page all follow from that table. Sections decide nothing: what
 * was selected, scored or refused is asked of lineage.h, where the journal has said it. Figures are in
 * figures.c and curves.c, several runs on one page in runs.c, and whatever differs between T5s and
 * networks in subject.c. */
#include "evolve/report/report.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "evolve/report/page.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a page is made from. */
typedef struct content {
    report_lineage *run;
    report_curves *curves;
} content;

/* A part of the page: its anchor, its name in the list at the top, its heading (NULL: it writes
 * its own), which runs have it (NULL: all), and what writes it (NULL: the one before). */
typedef struct section {
    const char *id, *short_title, *title;
    bool (*is_shown)(const report_lineage *run);
    void (*write)(report_page *page, const content *of);
} section;

/* ---- headline ---- */

/* How far a run that goes on is. The last batch of an episode is followed by a training. */
static void state(report_page *page, const report_lineage *run)
{
    const report_batch *batch = run->batch_count ? &run->batch[run->batch_count - 1] : NULL;
    bool proposing = batch && batch->episode + 1 == run->begun;
    bool episode_over = proposing && batch->selected && batch->batch + 1 == run->settings.batches;
    if (run->finished)
        return;
    report_page_print(page, "<p><strong>The run is not over:</strong> ");
    if (!run->candidates.list->scored)
        report_page_print(page, "nothing has been scored yet.");
    else if (episode_over && run->begun == run->settings.episodes)
        report_page_print(page, "what is left is the comparison on %s.",
                          report_subject_of(run)->fresh_data);
    else if (run->trains && (run->trained_count == 0 || (run->stages && episode_over)))
        report_page_print(page, "the training of Model %d is next.", run->trained_count);
    else
        report_page_print(page, "episode %d, batch %d; there will be %" PRId64 " and %" PRId64 ".",
                          run->begun - !episode_over, proposing && !episode_over ? batch->batch : 0,
                          run->settings.episodes, run->settings.batches);
    report_page_print(page, " This page shows it so far.</p>\n");
}

/* The summary's words and numbers: both come from search_gain(). */
static void verdict(report_page *page, const report_lineage *run)
{
    search_sample gains = report_gains(run);
    if (run->finished && run->last == 0) {
        report_page_print(page, "<p>No candidate was better: the last source is the first.</p>\n");
        return;
    }
    if (gains.count < 2)
        return;
    search_interval interval;
    search_verdict verdict = search_gain(gains.value, gains.count, &interval);
    static const char *const above[] = {", has 0 in it", ", is above 0", ", is below 0"};
    report_page_print(
        page,
        "<p>%s, seed by seed, the last source is <strong>%s</strong> than the first: the "
        "95&nbsp;%% interval of the gain, ",
        report_subject_of(run)->where, search_verdict_text(verdict));
    report_put_decimal(&page->html, interval.low, report_fresh_decimals(run));
    report_page_print(page, " to ");
    report_put_decimal(&page->html, interval.high, report_fresh_decimals(run));
    report_page_print(page, "%s%s.</p>\n",
                      run->subject == EVOLVE_NETWORKS ? " percentage points" : "", above[verdict]);
}

static void headline(report_page *page, const report_lineage *run, const section *sections)
{
    const report_subject *subject = report_subject_of(run);
    report_page_print(page, "<p class=\"eyebrow\">phoenix</p>\n<h1>Run ");
    report_page_text(page, run->name);
    report_page_print(page, "</h1>\n<p class=\"lead\">%s", subject->lead[run->writes]);
    if (subject->is_named)
        report_page_text(page, run->task);
    if (run->writes && !run->trains)
        report_page_print(page, ", with its first weights");
    if (run->settings.strategy != EVOLVE_GREEDY)
        report_page_print(page, ", strategy %s", evolve_strategy_names[run->settings.strategy]);
    report_page_print(
        page, ": %" PRId64 " episode%s of %" PRId64 " batch%s of %" PRId64 " candidates, preset ",
        run->settings.episodes, run->settings.episodes == 1 ? "" : "s", run->settings.batches,
        run->settings.batches == 1 ? "" : "es", run->settings.candidates);
    report_page_text(page, run->settings.preset);
    report_page_print(page, ", seed %" PRId64 ".</p>\n", run->settings.seed);
    state(page, run);
    report_page_cards(page, run);
    verdict(page, run);
    report_page_fresh(page, run);
    report_page_print(page, "<nav aria-label=\"sections\">\n");
    for (const section *part = sections; part->id; part++)
        if (!part->is_shown || part->is_shown(run))
            report_page_print(page, "<a href=\"#%s\">%s</a>\n", part->id, part->short_title);
    report_page_print(page, "</nav>\n<h3>What changed, from the first source to %s</h3>\n",
                      run->finished ? "the last" : "the one so far");
    if (run->last == 0) {
        report_page_print(page, "<p class=\"soft\">Nothing so far. This is the source:</p>\n<pre>");
        report_page_text(page, report_lineage_text(run, 0));
        report_page_print(page, "</pre>\n");
    } else
        report_page_diff(page, report_lineage_text(run, 0), report_lineage_text(run, run->last),
                         1000);
    if (subject->describe)
        subject->describe(page, run);
}

/* ---- lineage ---- */

static void put_change(report_page *page, const report_lineage *run, int before, int after)
{
    const int ends[] = {before, after};
    for (int i = 0; i < 2; i++) {
        report_page_print(page, i ? " &rarr; " : "");
        report_put_decimal(&page->html,
                           report_shown(run, report_lineage_score(run, ends[i])->score),
                           report_decimals(run));
    }
}

static void step_back(report_page *page, const report_lineage *run, const report_untrained *u)
{
    char name[REPORT_NAME], back[REPORT_NAME];
    report_page_print(
        page, "<p>Episode %d: %s could not be trained, so %s took its place: ", u->episode,
        report_lineage_name(run, u->source, name), report_lineage_name(run, u->back, back));
    report_page_text(page, u->reason);
    report_page_print(page, "</p>\n");
}

/* A list of the accepted candidates, each as a change of what it was made from; then the trainings that
 * failed. */
static void lineage(report_page *page, const content *c)
{
    const report_lineage *run = c->run;
    char name[REPORT_NAME], from[REPORT_NAME];
    int accepted = 0;
    if (run->batch_count > 0)
        report_page_lineage(page, run);
    for (int b = 0; b < run->batch_count; b++) {
        const report_batch *batch = &run->batch[b];
        if (batch->after == batch->before)
            continue;
        int origin = report_lineage_origin(run, batch->after);
        report_page_print(page, "%s<li><p><strong>%s</strong> <span class=\"soft\">%s %s",
                          accepted++ ? "" : "<ol class=\"steps\">\n",
                          report_lineage_name(run, batch->after, name),
                          run->candidates.list[batch->after].parent == origin ? "from"
                                                                              : "instead of",
                          report_lineage_name(run, origin, from));
        if (run->stages)
            report_page_print(page, ", by Model %d", batch->episode);
        report_page_print(page, "</span></p>\n<p>");
        put_change(page, run, batch->before, batch->after);
        report_page_print(page, "</p>\n");
        report_page_diff(page, report_lineage_text(run, origin),
                         report_lineage_text(run, batch->after), 0);
        report_page_print(page, "</li>\n");
    }
    if (accepted)
        report_page_print(page,
                          "</ol>\n<p class=\"soft\">Each accepted candidate with what it "
                          "changed and the %s before and after. 3.0.5 is candidate 5 of batch 0 "
                          "of episode 3, each counted from 0; <code>phoenix why</code> says more "
                          "of it.</p>\n",
                          report_subject_of(run)->score);
    else
        report_page_print(page, "<p class=\"soft\">No candidate has been accepted%s.</p>\n",
                          run->finished ? "" : " so far");
    for (int i = 0; i < run->untrained_count; i++)
        step_back(page, run, &run->untrained[i]);
}

/* ---- candidates ---- */

/* One candidate. What it was scored on a share of is not held against the source, whose score is of the
 * whole. */
static void candidate_row(report_page *page, const report_lineage *run, int i)
{
    const loop_candidate *r = &run->candidates.list[i];
    char name[REPORT_NAME], other[REPORT_NAME];
    bool ok = r->scored && r->score.status == SCORE_OK;
    report_page_print(page,
                      "<tr id=\"c-%s\"><td class=\"l\">%s</td><td class=\"l\">%s</td>"
                      "<td class=\"l\">%s</td>",
                      report_lineage_name(run, i, name), name,
                      report_lineage_name(run, r->parent, other),
                      !r->scored    ? "waiting"
                      : r->accepted ? "<strong>accepted</strong>"
                                    : score_status_name(r->score.status));
    if (ok) {
        int of;
        int rank = report_lineage_rank(run, i, &of);
        report_page_decimal(page, report_shown(run, r->score.score), report_decimals(run));
        int source = report_lineage_batch(run, i)->before;
        if (r->share < 1)
            report_page_print(page, "<td></td>");
        else
            report_page_decimal(page,
                                report_shown(run, r->score.score) -
                                    report_shown(run, report_lineage_score(run, source)->score),
                                report_decimals(run));
        report_page_print(page, "<td>%d of %d</td>", rank, of);
        report_page_quantity(page, (double)r->score.parameters);
    } else if (r->scored && r->score.status == SCORE_STOPPED) {
        report_page_print(page, report_more_is_better(run) ? "<td>&le;&nbsp;" : "<td>&ge;&nbsp;");
        report_put_decimal(&page->html, report_shown(run, r->score.score), report_decimals(run));
        report_page_print(page, "</td><td></td><td></td>");
        report_page_quantity(page, (double)r->score.parameters);
    } else
        report_page_print(page, "<td></td><td></td><td></td><td></td>");
    report_page_print(page, "<td class=\"l w\">");
    if (r->reused && r->original != LOOP_NOBODY)
        report_page_print(page, "the program of %s", report_lineage_name(run, r->original, other));
    else if (r->scored)
        report_page_text(page, r->score.reason);
    if (r->share < 1)
        report_page_print(page, " on a share of %g", r->share);
    report_page_print(page, "</td></tr>\n");
}

static void candidates(report_page *page, const content *c)
{
    const report_lineage *run = c->run;
    report_page_scores(page, run, true);
    if (run->candidates.count == 1)
        return;
    report_page_print(page,
                      "<details><summary>All %d candidates</summary>\n<div class=\"scroll\" "
                      "tabindex=\"0\"><table>"
                      "\n<thead><tr><th class=\"l\">name</th><th class=\"l\">made from</th>"
                      "<th class=\"l\">status</th><th>%s</th><th>against<br>source</th>"
                      "<th>rank</th><th>parameters</th><th class=\"l\">note</th></tr></thead>\n"
                      "<tbody>\n",
                      run->candidates.count - 1, report_subject_of(run)->column);
    for (int i = 1; i < run->candidates.count; i++)
        candidate_row(page, run, i);
    report_page_print(page, "</tbody></table></div></details>\n");
}

/* ---- cost ---- */

typedef struct cost {
    double trained, evaluated, saved;
    int candidates;
} cost;

/* Operations of an episode. A reused score cost nothing and counts what it would have cost. */
static cost cost_of(const report_lineage *run, int episode)
{
    cost c = {.trained = run->stages ? (double)run->trained[episode].event.flops : 0};
    for (int i = 1; i < run->candidates.count; i++) {
        const loop_candidate *r = &run->candidates.list[i];
        bool spent = r->score.status == SCORE_OK || r->score.status == SCORE_STOPPED;
        if (r->episode != episode || !r->scored || !spent)
            continue;
        *(r->reused ? &c.saved : &c.evaluated) += (double)r->score.flops;
        c.candidates += !r->reused;
    }
    return c;
}

static void cost_cells(report_page *page, const cost *c)
{
    report_page_count(page, c->candidates);
    report_page_quantity(page, c->evaluated);
    report_page_quantity(page, c->saved);
    report_page_print(page, "</tr>\n");
}

static void stopped_early(report_page *page, const report_lineage *run)
{
    const loop_savings savings = loop_savings_of(&run->candidates, &run->settings);
    if (savings.stopped > 0)
        report_page_print(page,
                          "<p class=\"soft\">%" PRId64 " of the evaluated candidates were stopped "
                          "early, when their score could not be better than the source's any more: "
                          "%" PRId64 " pairs of their training were not needed.</p>\n",
                          savings.stopped, savings.stopped_pairs);
}

static void costs(report_page *page, const content *of)
{
    const report_lineage *run = of->run;
    cost all = {0};
    report_page_print(page,
                      "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th>episode</th>");
    if (run->stages)
        report_page_print(page, "<th>parameters</th><th>training<br>steps</th>"
                                "<th>training<br>FLOP</th>");
    report_page_print(page, "<th>candidates<br>evaluated</th><th>their<br>FLOP</th>"
                            "<th>not spent,<br>score reused</th></tr></thead>\n<tbody>\n");
    for (int e = 0; e < run->begun; e++) {
        cost c = cost_of(run, e);
        report_page_print(page, "<tr><td>%d</td>", e);
        if (run->stages) {
            report_page_quantity(page, (double)run->trained[e].event.parameters);
            report_page_count(page, run->trained[e].event.steps);
            report_page_quantity(page, c.trained);
        }
        cost_cells(page, &c);
        all.trained += c.trained;
        all.evaluated += c.evaluated;
        all.saved += c.saved;
        all.candidates += c.candidates;
    }
    report_page_print(page, "<tr class=\"sum\"><td>all</td>");
    if (run->stages) {
        report_page_print(page, "<td></td><td></td>");
        report_page_quantity(page, all.trained);
    }
    cost_cells(page, &all);
    report_page_print(page, "</tbody></table></div>\n<p class=\"soft\">Operations are counted, "
                            "without those of the last comparison. Training of what "
                            "writes candidates: ");
    report_put_quantity(&page->html, run->compute.training);
    report_page_print(page, "; writing them: ");
    report_put_quantity(&page->html, run->compute.generation);
    report_page_print(page, "; scoring them and the first source: ");
    report_put_quantity(&page->html, run->compute.evaluation);
    report_page_print(page, ".</p>\n");
    stopped_early(page, run);
    report_page_times(page, run);
}

/* ---- the whole ---- */

static void losses(report_page *page, const content *c) { report_page_curves(page, c->curves); }

static void networks(report_page *page, const content *c)
{
    report_page_networks(page, &c->run, 1);
}

static void funnel(report_page *page, const content *c) { report_page_funnel(page, c->run); }

static void design(report_page *page, const content *c) { report_page_design(page, c->run); }

static void mutator(report_page *page, const content *c)
{
    report_subject_of(c->run)->mutator(page, c->run);
}

static void settings(report_page *page, const content *c) { report_page_settings(page, c->run); }

static void again(report_page *page, const content *c) { report_page_again(page, c->run); }

static void words(report_page *page, const content *c) { report_page_glossary(page, c->run); }

static void answers(report_page *page, const content *c) { report_page_answers(page, c->run); }

static bool has_answers(const report_lineage *run)
{
    return run->has_model ||
           (run->kept.count > 0 && evolve_words_of(&run->settings) != EVOLVE_WORDS_NUMBERS);
}

static bool has_stages(const report_lineage *run) { return run->stages; }

static bool trains(const report_lineage *run) { return run->trains; }

static bool has_networks(const report_lineage *run) { return run->subject == EVOLVE_NETWORKS; }

/* The order of the page. A section is left out where its answer would be empty. */
static const section sections[] = {
    {"losses", "Loss curves", "Loss curves", has_stages, losses},
    {"losses", "Loss curves", NULL, has_networks, networks},
    {"performance", "Performance", NULL, has_networks, NULL},
    {"design", "Design", NULL, has_networks, NULL},
    {"answers", "Answers", "What the last model says", has_answers, answers},
    {"lineage", "Lineage", "Lineage", NULL, lineage},
    {"candidates", "Candidates", "Candidates", NULL, candidates},
    {"funnel", "Funnel", "Funnel", NULL, funnel},
    {"design", "Design", "Design", has_stages, design},
    {"mutator", "Mutator", "The model as a mutator", trains, mutator},
    {"cost", "Cost", "Cost", NULL, costs},
    {"settings", "Settings", "Settings", NULL, settings},
    {"again", "Reproduce", "Reproducing it", NULL, again},
    {"words", "Glossary", "Glossary", NULL, words},
    {NULL, NULL, NULL, NULL, NULL},
};

static bool one_run(report_page *page, report_lineage *run)
{
    report_curves curves;
    if (!report_curves_read(&curves, run, page->error))
        return false;
    const content all = {run, &curves};
    report_page_begin(page, run->name, !run->finished);
    headline(page, run, sections);
    for (const section *part = sections; part->id; part++) {
        if (part->is_shown && !part->is_shown(run))
            continue;
        if (part->title)
            report_page_heading(page, part->id, part->title);
        if (part->write)
            part->write(page, &all);
    }
    report_page_end(page);
    report_curves_free(&curves);
    return true;
}

/* To a file that the user named, or to that of the run's folder. */
static bool write_page(const report_page *page, const char *named, const char *own,
                       base_error *error)
{
    const base_bytes part = {page->html.data, page->html.length};
    if (page->html.failed)
        return base_fail(error, "%s: no memory for the report", named ? named : own);
    return named ? base_file_write_named(named, part.data, part.size, error)
                 : base_file_write(own, &part, 1, NULL, error);
}

/* All runs are read before anything is drawn, and the page is written last and at once: a journal that
 * cannot be read leaves the old page as it was. */
bool report_write(const char *const *folders, int count, const char *path, const char *figures,
                  const char *program, base_error *error)
{
    report_page page = {.figures = figures,
                        .prefix = "",
                        .program = program,
                        .in_folder = !path,
                        .ok = true,
                        .error = error};
    report_lineage **runs = base_calloc((size_t)count, sizeof *runs);
    bool ok = runs || base_fail(error, "%s: no memory", folders[0]);
    for (int i = 0; ok && i < count; i++)
        ok = (runs[i] = report_lineage_read(folders[i], error)) != NULL;
    if (ok && figures)
        ok = base_file_make_folder(figures, error);
    if (ok)
        ok = (count == 1 ? one_run(&page, runs[0]) : report_page_runs(&page, runs, count)) &&
             page.ok;
    char *own = ok && !path ? base_file_path(runs[0]->folder, "report.html") : NULL;
    if (ok && !path && !own)
        ok = base_fail(error, "%s: no memory", folders[0]);
    ok = ok && write_page(&page, path, own, error);
    base_free(own);
    base_text_free(&page.html);
    for (int i = 0; runs && i < count; i++)
        report_lineage_free(runs[i]);
    base_free(runs);
    return ok;
}
