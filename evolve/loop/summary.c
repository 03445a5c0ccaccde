/* SPDX-License-Identifier: MIT */
/* summary.c -- counts and tables. What they count is handed in, candidate by candidate and episode
 * by episode, so that a run and the report of its journal come to the same numbers.
 *
 * The text is part of what a run is held to: its hash is in the journal, and a resumed run must print
 * the same bytes. So nothing of the machine is in it, no times and no paths, and each number goes
 * through base/number.h, which knows no locale. */
#include "evolve/loop/summary.h"
#include "evolve/search/counts.h"
#include "evolve/source/prequential.h"
#include "evolve/task.h"
#include "base/number.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The default source, candidate 0, was not generated and is not counted. episode -1: all. */
loop_funnel loop_funnel_of(const loop_candidates *candidates, int episode)
{
    loop_funnel funnel = {0};
    for (int i = 1; i < candidates->count; i++) {
        const loop_candidate *c = &candidates->list[i];
        if (!c->scored || (episode >= 0 && c->episode != episode))
            continue;
        bool valid = c->score.status == SCORE_OK || c->score.status == SCORE_STOPPED;
        funnel.generated++;
        funnel.parsed += c->score.status != SCORE_PARSE;
        funnel.valid += valid;
        funnel.fresh += valid && !c->reused;
        funnel.evaluated += c->score.status == SCORE_OK && !c->reused;
        funnel.accepted += c->accepted;
    }
    return funnel;
}

/* In pairs, the unit in which a score is paid for: those that were measured, those that a reused score
 * did not need, and those that a stopped candidate was spared. */
loop_savings loop_savings_of(const loop_candidates *candidates, const evolve_settings *settings)
{
    loop_savings savings = {0};
    for (int i = 1; i < candidates->count; i++) {
        const loop_candidate *c = &candidates->list[i];
        bool stopped = c->score.status == SCORE_STOPPED;
        if (!c->scored || (c->score.status != SCORE_OK && !stopped))
            continue;
        const evolve_settings own = loop_candidate_settings(settings, c);
        int64_t pairs = source_scored_of(&own, 0, own.few_shot).count;
        int64_t measured = stopped ? c->score.pairs : pairs;
        savings.reused += c->reused;
        savings.reused_pairs += c->reused ? measured : 0;
        savings.measured += c->reused ? 0 : measured;
        savings.stopped += stopped && !c->reused;
        savings.stopped_pairs += c->reused ? 0 : pairs - measured;
    }
    return savings;
}

void loop_summary_savings(const loop_savings *savings, base_text *text)
{
    base_text_print(text,
                    "\npairs measured to score candidates: %" PRId64 "\n"
                    "  saved by %" PRId64 " scores reused: %" PRId64 "\n"
                    "  saved by %" PRId64 " candidates stopped: %" PRId64 "\n",
                    savings->measured, savings->reused, savings->reused_pairs, savings->stopped,
                    savings->stopped_pairs);
}

/* A change is lines of text, the first behind the episode, the others under it. */
static void table_of_changes(const loop_episode *episodes, int count, base_text *text)
{
    for (int i = 0; i < count; i++) {
        const char *line = episodes[i].change;
        const char *prefix = "  episode";
        base_text_print(text, "%s %d:", prefix, episodes[i].number);
        if (!*line)
            base_text_print(text, "  no change\n");
        for (int n = 0; *line; n++) {
            size_t length = strcspn(line, "\n");
            base_text_print(text, "%*s%.*s\n", n ? 14 : 2, "", (int)length, line);
            line += length + (line[length] == '\n');
        }
    }
}

/* clang-format off */
#define OF_T5S(by) {"%s source: few-shot loss" by " %.4f nats a token (%.3f a pair)\n", \
                    "before, after: few-shot loss" by " of the source, nats a token;\nlower is better\n", \
                    "few-shot loss" by " on the pairs of the search", \
                    "\nfew-shot loss" by " on %lld fresh pairs, nats a token", NULL, true}
#define OF_NETWORKS(scored, table, searched, of, kept) {scored, table "params: of the network before\n", searched, \
                    "\n" of ", trained on the whole training set", \
                    "\nmodel/: the last source's network, trained on the whole training set\n" \
                    "with the first fresh seed; " kept "\n", false}
#define OF_TRAINING(by, of, kept) OF_NETWORKS("%s source: training loss" by " %.4f (%.3f)\n", \
                    "before, after: training loss" by " of the network; lower is better\n", "training loss" by, of, kept)
#define OF_CLASSES(items, of, kept) { \
    [EVOLVE_MEAN] = OF_TRAINING("", of, kept), \
    [EVOLVE_LAST_QUARTER] = OF_TRAINING(" (last quarter)", of, kept), \
    [EVOLVE_BY_HELD_OUT] = OF_NETWORKS("%s source: %.4f of the held-out " items " are wrong (cross-entropy %.3f)\n", \
                    "before, after: share of held-out " items " the network gets wrong; lower\nis better\n", \
                    "error on the search's held-out " items, of, kept)}
#define WRONG(items) OF_CLASSES(items, "share of the test " items " that are wrong", \
                    "%.4f of the test " items " are wrong\n(cross-entropy %.3f)")
#define NOT_EXPLAINED "share of the test rows' variance that is not explained (1 - R2)"
#define EXPLAINED "%.4f of the test rows' variance\nis not explained (squared error %.3f)"
/* clang-format on */

const loop_words *loop_words_of(const evolve_settings *settings)
{
    static const loop_words words[][3] = {
        [EVOLVE_WORDS_T5S] = {[EVOLVE_MEAN] = OF_T5S(""),
                              [EVOLVE_LAST_QUARTER] = OF_T5S(" (last quarter)"),
                              [EVOLVE_BY_HELD_OUT] = OF_T5S(" (held-out)")},
        [EVOLVE_WORDS_IMAGES] = WRONG("images"),
        [EVOLVE_WORDS_ROWS] = WRONG("rows"),
        [EVOLVE_WORDS_NUMBERS] = {
            [EVOLVE_MEAN] = OF_TRAINING("", NOT_EXPLAINED, EXPLAINED),
            [EVOLVE_LAST_QUARTER] = OF_TRAINING(" (last quarter)", NOT_EXPLAINED, EXPLAINED),
            [EVOLVE_BY_HELD_OUT] =
                OF_NETWORKS("%s source: %.4f of the held-out rows' variance is not explained\n"
                            "(squared error %.3f)\n",
                            "before, after: share of the held-out rows' variance that is not\n"
                            "explained; lower is better\n",
                            "error on the search's held-out rows", NOT_EXPLAINED, EXPLAINED)}};
    return &words[evolve_words_of(settings)][settings->score];
}

void loop_summary_table(const loop_episode *episodes, int count, double floor,
                        const loop_words *words, base_text *text)
{
    base_text_print(text, "%s", words->table);
    if (count > 0 && isfinite(episodes->distance))
        base_text_print(
            text,
            floor > 0 ? "above: held-out loss of the trained model above the floor, the entropy\n"
                        "of the edits (%.4f nats a pair)\n"
                      : "above: held-out loss of the trained model above the floor, which the\n"
                        "weighted edits of those pairs have\n",
            floor);
    else
        base_text_print(text, "above: no model was trained\n");
    base_text_print(text, "\nepisode   params  above  before   after\n");
    for (int i = 0; i < count; i++) {
        const loop_episode *e = &episodes[i];
        char distance[32] = "-";
        if (isfinite(e->distance))
            base_print(distance, sizeof distance, "%.3f", e->distance);
        base_text_print(text, "%7d %8lld %6s %7.4f %7.4f\n", e->number, (long long)e->parameters,
                        distance, e->before, e->after);
    }
    base_text_print(text,
                    "\ncandidates made; parsed: are programs; valid: define a model within the\n"
                    "limits; new: as no program before; scored; won: became the source\n\n"
                    "episode made parsed valid new scored won\n");
    for (int i = 0; i < count; i++) {
        const loop_funnel *f = &episodes[i].funnel;
        base_text_print(text, "%7d %4d %6d %5d %3d %6d %3d\n", episodes[i].number, f->generated,
                        f->parsed, f->valid, f->fresh, f->evaluated, f->accepted);
    }
    base_text_print(text, "\nchanges of the source:\n");
    table_of_changes(episodes, count, text);
}

static void describe(const char *name, const search_sample *sample, base_text *text)
{
    base_text_print(text, "  %-14s %.4f", name, search_mean(sample));
    if (sample->count == 1) {
        base_text_print(text, "\n");
        return;
    }
    base_text_print(text, " +- %.4f  (", search_spread(sample));
    for (int i = 0; i < sample->count; i++)
        base_text_print(text, "%s%.4f", i ? " " : "", sample->value[i]);
    base_text_print(text, ")\n");
}

/* Seed by seed: the gain is a paired difference, whose spread is smaller than that of the two scores. */
void loop_summary_comparison(const char *origin, const search_sample *first,
                             const search_sample *last, const evolve_settings *settings,
                             base_text *text)
{
    const loop_candidate compared = {.kind = LOOP_COMPARED, .share = 1};
    bool in_full = settings->final_times > 1 && evolve_subject_of(settings) == EVOLVE_T5S;
    if (evolve_task_has_pairs(settings))
        base_text_print(
            text, "\nloss of the held-out part after training on the training part, nats a token");
    else
        base_text_print(
            text,
            in_full ? "\nheld-out loss after full training on %lld fresh pairs, nats a token"
                    : loop_words_of(settings)->compared,
            (long long)loop_candidate_settings(settings, &compared).few_shot);
    if (first->count == 1)
        base_text_print(text, ",\n1 fresh seed each:\n");
    else
        base_text_print(text, ",\n%d fresh seeds each (mean +- standard deviation):\n",
                        first->count);
    char name[32];
    snprintf(name, sizeof name, "%s source", origin);
    describe(name, first, text);
    describe("last source", last, text);
    search_sample gains = {.count = first->count};
    search_interval interval;
    for (int i = 0; i < gains.count; i++)
        gains.value[i] = first->value[i] - last->value[i];
    search_verdict verdict = search_gain(gains.value, gains.count, &interval);
    base_text_print(text, "  gain           %.4f", search_mean(&gains));
    if (gains.count < 2)
        base_text_print(text, "\n  verdict        none: one seed says nothing of the spread\n");
    else
        base_text_print(text,
                        " [%.4f, %.4f] (95 %% interval over the seeds)\n"
                        "  verdict        %s: %s\n",
                        interval.low, interval.high, search_verdict_text(verdict),
                        verdict == SEARCH_BETTER  ? "the whole interval is above 0"
                        : verdict == SEARCH_WORSE ? "the whole interval is below 0"
                                                  : "the interval has 0 in it");
}

void loop_summary_experience(const search_experience *experience, const mutation_mutator *mutator,
                             const loop_candidates *candidates, base_text *text)
{
    base_text edits = {0};
    int made = 0, better = 0;
    if (experience)
        search_counts_describe(mutator, experience, &edits);
    base_text_print(text, "\nexperience: %d outcomes of earlier runs",
                    experience ? experience->count : 0);
    if (edits.length > 0)
        base_text_print(text, ", in which these edits paid most often:\n  %s", edits.data);
    else if (experience)
        base_text_print(text, ", none of them of an edit that this task has");
    for (int i = 1; i < candidates->count; i++) {
        const loop_candidate *c = &candidates->list[i];
        if (c->parent == LOOP_NOBODY)
            continue;
        made++;
        better +=
            c->score.status == SCORE_OK && c->score.score < candidates->list[c->parent].score.score;
    }
    base_text_print(text,
                    "\n  here %d of %d candidates were better than what they were made from\n",
                    better, made);
    text->failed = text->failed || edits.failed;
    base_text_free(&edits);
}
