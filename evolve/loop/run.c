/* SPDX-License-Identifier: MIT */
/* run.c -- the loop, as one straight program: everything that takes time goes through the journal,
 * which hands out the recorded outcome instead where there is one (journal.h). So nothing here
 * knows whether the run is new, resumed or verified. */
#include "evolve/loop/run.h"
#include "base/clock.h"
#include "base/diff.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "evolve/loop/begin.h"
#include "evolve/loop/folder.h"
#include "evolve/loop/learnt.h"
#include "evolve/loop/networks.h"
#include "evolve/loop/propose.h"
#include "evolve/loop/tell.h"
#include "evolve/loop/timing.h"
#include "evolve/loop/winner.h"
#include "evolve/score/measure.h"
#include "evolve/task.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const loop_candidate *source_of(const loop_state *r)
{
    return &r->candidates.list[r->source];
}

/* What candidate 0 is called. */
static const char *origin_of(const loop_state *r) { return r->sources.own ? "first" : "default"; }

static void say(const loop_state *r, const char *text)
{
    r->options->watch.say(r->options->watch.user, text);
}

static void note_time(const loop_state *r, const char *what, int episode, double seconds)
{
    if (!r->options->replay)
        loop_timing_note(r->options->folder, what, episode, seconds);
}

/* ---- the training stage ---- */

/* Trains the generator that the current source defines. */
static bool train(loop_state *r, loop_event *event, base_error *error)
{
    double seconds;
    source_lesson lesson;
    if (!loop_teach(&r->settings, r->experience, r->candidates.list, r->candidates.count, &lesson,
                    error))
        return false;
    loop_generator_take(r->generator, r->episode,
                        r->generator_source ? r->generator_source : source_of(r)->text, &lesson);
    if (!evolve_trains(&r->settings))
        return true;
    bool ok = loop_generator_train(r->generator, event, &seconds, error);
    if (ok && seconds > 0)
        note_time(r, "training", r->episode, seconds);
    return ok;
}

/* A source with a good score after its short training may fail in a long one (its loss ends as no
 * number, say). Then the last one that could be trained takes its place. */
static bool step_back(loop_state *r, const char *reason, base_error *error)
{
    if (r->trained == LOOP_NOBODY)
        return base_fail(error, "the source cannot be trained: %.200s", reason);
    base_text text = {0};
    base_text_print(&text,
                    "episode %d: the source cannot be trained (%s): back to the one before\n",
                    r->episode, reason);
    if (!text.failed)
        say(r, text.data);
    base_text_free(&text);
    search_replace(r->search, r->source, r->trained, r->candidates.list[r->trained].score.score);
    r->source = r->trained;
    return true;
}

/* Where the generator stays what it is, only the first episode makes it. */
static bool training_stage(loop_state *r, loop_episode *episode, base_error *error)
{
    loop_event event = {.kind = LOOP_TRAINED};
    bool again = !r->generator_source || r->episode == 0;
    episode->distance = again ? NAN : r->episodes[0].distance;
    if (r->generator && again) {
        if (evolve_trains(&r->settings))
            loop_tell_training(&r->options->watch, &r->settings, r->episode);
        bool ok = train(r, &event, error);
        if (ok && event.kind == LOOP_UNTRAINABLE)
            ok = step_back(r, event.untrainable, error) && train(r, &event, error);
        if (ok && event.kind == LOOP_UNTRAINABLE)
            ok = base_fail(error, "the source cannot be trained: %.200s", event.untrainable);
        if (!ok || (evolve_trains(&r->settings) &&
                    !score_held_out_distance(event.held_out.value, &episode->distance, error)))
            return false;
        r->trained = r->source;
    }
    episode->parameters = source_of(r)->score.parameters;
    return true;
}

/* ---- the reprogramming stage ---- */

/* What the search asks for, and what becomes of it. */
typedef struct batch {
    loop_request request;
    search_trial *trials; /* places for settings.candidates */
    int first, count;     /* its candidates */
} batch;

/* Its candidates: one a trial, or none where nothing is larger than what was to grow. For the
 * greedy search no event says what was asked for: refinements of the source, always. */
static bool propose(loop_state *r, batch *b, base_error *error)
{
    const loop_request *request = &b->request;
    const bool greedy = r->settings.strategy == EVOLVE_GREEDY;
    bool replayed;
    base_text text = {0};
    loop_event asked = loop_request_event(request, &text);
    bool ok = greedy || loop_note(r, &asked, &text, error);
    base_text_clear(&text);
    loop_event event = {
        .kind = LOOP_PROPOSED, .episode = request->episode, .batch = request->batch};
    if (ok && !loop_journal_next(r->journal, LOOP_PROPOSED, &event, &replayed, error)) {
        char what[64];
        snprintf(what, sizeof what, "episode %d, batch %d: writing candidates", request->episode,
                 request->batch);
        r->options->watch.progress(r->options->watch.user, what, 0, 0, "");
        ok = !replayed && loop_propose(request, &text, &event.flops, error) &&
             (!text.failed || loop_no_memory(r, error));
        event.texts.text = text.data;
        ok = ok && loop_journal_append(r->journal, &event, error);
    }
    base_text_free(&text);
    b->first = r->candidates.count;
    ok = ok && loop_candidates_propose(&r->candidates, &r->settings, &event, greedy ? NULL : &asked,
                                       r->source, "journal", error);
    b->count = r->candidates.count - b->first;
    return ok && (b->count == request->count ||
                  (b->count == 0 && request->trials->request == SEARCH_GROW) ||
                  base_fail(error, "journal: expected %d proposals", request->count));
}

/* Scores the batch, through the journal; a trial's outcome is its candidate's number and score. */
static bool score_candidates(loop_state *r, batch *b, base_error *error)
{
    char what[64];
    loop_candidate *candidates = r->candidates.list + b->first;
    snprintf(what, sizeof what, "episode %d, batch %d: evaluating", r->episode, b->request.batch);
    double started = base_clock();
    if (!loop_scorer_score(r->scorer, what, candidates, b->count, error))
        return false;
    note_time(r, "batch", r->episode, base_clock() - started);
    for (int i = 0; i < b->count; i++) {
        score_result *score = &candidates[i].score;
        b->trials[i].candidate = score->status == SCORE_OK ? candidates[i].number : SEARCH_NOTHING;
        b->trials[i].score = score->score;
        score_free(score); /* the losses are in the journal */
    }
    return true;
}

/* Reports the outcomes to the search; what it has found then is the source. */
static bool select_source(loop_state *r, batch *b, base_error *error)
{
    double score;
    int before = r->source;
    search_tell(r->search, b->trials, b->request.count);
    r->source = (int)search_found(r->search, &score);
    bool accepted = r->source != before;
    r->idle = accepted ? 0 : r->idle + 1;
    r->candidates.list[r->source].accepted |= accepted;
    loop_event event = {.kind = LOOP_SELECTED,
                        .episode = r->episode,
                        .batch = b->request.batch,
                        .candidate = r->source,
                        .accepted = accepted,
                        .score = score,
                        .source = source_of(r)->text};
    return loop_journal_note(r->journal, &event, error);
}

/* A line for people: the score of each candidate, with "=" where an equal program had it before. */
static void describe_batch(const loop_state *r, const batch *b)
{
    base_text text = {0};
    base_text_print(&text, "episode %d, batch %d:", r->episode, b->request.batch);
    for (int i = b->first; i < b->first + b->count; i++) {
        const loop_candidate *c = &r->candidates.list[i];
        if (c->score.status == SCORE_OK || c->score.status == SCORE_STOPPED)
            base_text_print(&text, " %s%.4f%s",
                            c->score.status == SCORE_OK ? "" : ">=", c->score.score,
                            c->reused ? "=" : "");
        else
            base_text_print(&text, " %s", score_status_name(c->score.status));
    }
    if (b->count == 0)
        base_text_print(&text, " nothing is left to try");
    else if (b->request.trials->share < 1)
        base_text_print(&text, " on a share of %g", b->request.trials->share);
    base_text_print(&text, "; source now %.4f\n", source_of(r)->score.score);
    if (!text.failed)
        say(r, text.data);
    base_text_free(&text);
}

/* One turn of Algorithm 1: ask, propose, score, select. */
static bool make_batch(loop_state *r, batch *b, int number, base_error *error)
{
    b->request = (loop_request){.settings = &r->settings,
                                .generator = r->generator,
                                .candidates = r->candidates.list,
                                .known = r->candidates.count,
                                .experience = r->experience,
                                .more = r->episode == 0 && number == 0 ? r->sources.more : NULL,
                                .episode = r->episode,
                                .batch = number,
                                .trials = b->trials,
                                .count = search_ask(r->search, b->trials)};
    bool ok = propose(r, b, error) && score_candidates(r, b, error) && select_source(r, b, error);
    if (ok && !r->options->replay)
        loop_networks_forget(r->options->folder, &r->candidates, b->first);
    if (ok)
        describe_batch(r, b);
    return ok;
}

/* So many batches have not changed the source that the user wants no more. */
static bool has_stalled(const loop_state *r)
{
    return r->settings.stop_after > 0 && r->idle >= r->settings.stop_after;
}

static bool reprogramming_stage(loop_state *r, base_error *error)
{
    batch b = {.trials = base_calloc((size_t)r->settings.candidates, sizeof *b.trials)};
    bool ok = b.trials || loop_no_memory(r, error);
    loop_tell_candidates(&r->options->watch, &r->settings, r->episode);
    for (int number = 0; ok && number < r->settings.batches && !has_stalled(r); number++)
        ok = make_batch(r, &b, number, error);
    base_free(b.trials);
    return ok;
}

/* ---- the whole ---- */

/* Both stages, and what the summary says of them. */
static bool episode(loop_state *r, base_error *error)
{
    loop_episode *e = &r->episodes[r->episode];
    const char *before = source_of(r)->text;
    e->number = r->episode;
    e->before = source_of(r)->score.score;
    if (!training_stage(r, e, error) || !reprogramming_stage(r, error))
        return false;
    base_text change = {0};
    base_text_add(&change, "", 0);
    base_diff(before, source_of(r)->text, &change);
    e->funnel = loop_funnel_of(&r->candidates, r->episode);
    e->after = source_of(r)->score.score;
    e->change = change.failed ? NULL : base_copy(change.data, change.length);
    base_text_free(&change);
    return e->change || loop_no_memory(r, error);
}

/* The search starts from candidate 0. */
static bool begin_search(loop_state *r, double score, base_error *error)
{
    const search_how how = {.strategy = (evolve_strategy)r->settings.strategy,
                            .candidates = (int)r->settings.candidates,
                            .population = (int)r->settings.population,
                            .sample = (int)r->settings.sample,
                            .elitism = r->settings.elitism != 0,
                            .seed = (uint64_t)r->settings.seed};
    r->search = search_new(&how, 0, score);
    return r->search || loop_no_memory(r, error);
}

/* The default source's score: what the first candidates have to beat. */
static bool score_default(loop_state *r, base_error *error)
{
    const loop_candidate first = {.kind = LOOP_DEFAULT,
                                  .text = r->sources.first,
                                  .length = strlen(r->sources.first),
                                  .parent = LOOP_NOBODY,
                                  .share = 1,
                                  .original = LOOP_NOBODY};
    if (!loop_candidates_add(&r->candidates, &first))
        return loop_no_memory(r, error);
    loop_tell_score(&r->options->watch, &r->settings, origin_of(r));
    char what[32];
    snprintf(what, sizeof what, "%s source: evaluating", origin_of(r));
    if (!loop_scorer_score(r->scorer, what, r->candidates.list, 1, error))
        return false;
    score_result *score = &r->candidates.list->score;
    score_free(score);
    char line[128];
    base_print(line, sizeof line, loop_words_of(&r->settings)->scored, origin_of(r), score->score,
               score->score_pair);
    say(r, line);
    return begin_search(r, score->score, error);
}

/* fresh-seeds' range (settings.c) keeps within what a search_sample holds. */
enum { MOST_SEEDS = sizeof((search_sample *)0)->value / sizeof(double) };

/* A source of the run once more, with a fresh seed. */
static bool add_last(loop_state *r, loop_candidates *last, loop_kind kind, int number, int seed,
                     base_error *error)
{
    const loop_candidate *source = &r->candidates.list[number];
    const loop_candidate candidate = {.kind = kind,
                                      .number = number,
                                      .seed = seed,
                                      .text = source->text,
                                      .length = source->length,
                                      .share = 1,
                                      .original = LOOP_NOBODY};
    return loop_candidates_add(last, &candidate) || loop_no_memory(r, error);
}

/* The last trainings, on pairs and with seeds that the search never saw: first and last source, `seeds`
 * of each, and a network that is kept. That one is the last source's of the first seed, which the
 * comparison then takes over as an equal program's. */
static bool train_last(loop_state *r, bool keep, int seeds, base_text *summary, base_error *error)
{
    assert(seeds <= MOST_SEEDS);
    loop_candidates last = {0};
    search_sample samples[2] = {{.count = seeds}, {.count = seeds}};
    bool ok = !keep || add_last(r, &last, LOOP_KEPT, r->source, 0, error);
    for (int i = 0; ok && i < 2 * seeds; i++)
        ok = add_last(r, &last, LOOP_COMPARED, i % 2 ? r->source : 0, i / 2, error);
    ok =
        ok && loop_scorer_score(r->scorer, "fresh pairs: evaluating", last.list, last.count, error);
    for (int i = 0; ok && i < 2 * seeds; i++)
        samples[i % 2].value[i / 2] = last.list[keep + i].score.score;
    if (ok && seeds > 0)
        loop_summary_comparison(origin_of(r), &samples[0], &samples[1], &r->settings, summary);
    if (ok && keep)
        base_text_print(summary, loop_words_of(&r->settings)->kept, last.list->score.score,
                        last.list->score.score_pair);
    loop_candidates_free(&last);
    return ok;
}

/* The files that a run ends with, and the event that names them by their hashes. */
static bool write_ending(loop_state *r, const char *summary, base_error *error)
{
    const char *folder = r->options->folder;
    char hashes[2][BASE_HASH_TEXT];
    const char *source = source_of(r)->text;
    base_hash_text(source, strlen(source), hashes[0]);
    base_hash_text(summary, strlen(summary), hashes[1]);
    loop_event event = {.kind = LOOP_FINISHED, .source = hashes[0], .summary = hashes[1]};
    return (r->options->replay ||
            (base_file_write_text(folder, "source.c", source, NULL, error) &&
             base_file_write_text(folder, "summary.txt", summary, NULL, error))) &&
           loop_journal_note(r->journal, &event, error);
}

/* The summary: the episodes, the savings, the comparison on fresh pairs; then the files. */
static bool finish(loop_state *r, base_error *error)
{
    const loop_words *words = loop_words_of(&r->settings);
    mutation_mutator mutator = evolve_mutator(&r->settings);
    base_text summary = {0};
    base_text_print(&summary, "\n");
    loop_summary_table(r->episodes, r->episode,
                       evolve_weighs(&r->settings) ? 0 : mutator.kind->entropy(&mutator), words,
                       &summary);
    if (has_stalled(r))
        base_text_print(&summary, "\nended after %d batches without a gain\n", r->idle);
    const loop_savings savings = loop_savings_of(&r->candidates, &r->settings);
    if (words->stops_early)
        loop_summary_savings(&savings, &summary);
    if (evolve_learns(&r->settings))
        loop_summary_experience(r->experience, &mutator, &r->candidates, &summary);
    base_text_print(&summary, "\n%s:\n  %s source %.4f, last source %.4f\n", words->searched,
                    origin_of(r), r->candidates.list->score.score, source_of(r)->score.score);
    bool same = strcmp(source_of(r)->text, r->sources.first) == 0;
    bool keep = evolve_subject_of(&r->settings) == EVOLVE_NETWORKS;
    if (same)
        base_text_print(&summary, "no candidate was better: the last source is the %s one%s\n",
                        origin_of(r), r->source > 0 ? ", whose network was trained on" : "");
    else
        loop_tell_comparison(&r->options->watch, &r->settings);
    bool ok = !r->texts || loop_winner_train(r->options, &r->settings, r->texts, r->journal,
                                             r->source, source_of(r)->text, &summary, error);
    ok = ok && train_last(r, keep, same ? 0 : (int)r->settings.fresh_seeds, &summary, error);
    if (ok && summary.failed)
        ok = loop_no_memory(r, error);
    ok = ok && write_ending(r, summary.data, error);
    if (ok)
        say(r, summary.data);
    base_text_free(&summary);
    return ok;
}

static void clean_up(loop_state *r)
{
    for (int i = 0; r->episodes && i < r->settings.episodes; i++)
        base_free(r->episodes[i].change);
    base_free(r->episodes);
    search_free(r->search);
    loop_candidates_free(&r->candidates);
    loop_generator_free(r->generator);
    loop_scorer_free(r->scorer);
    loop_journal_close(r->journal);
    loop_sources_free(&r->sources);
    base_free(r->generator_source);
    vision_set_free(&r->set);
    source_texts_free(r->texts);
    source_corpus_free(r->corpus);
    search_experience_free(r->experience);
}

/* There is nothing to go on with: the run did not begin, or its first source has no score. One whose workers were lost
 * may have one yet. */
static bool is_in_vain(const loop_state *r)
{
    if (r->search)
        return false;
    if (r->candidates.count == 0)
        return true;
    score_status first = r->candidates.list->score.status;
    return first != SCORE_OK && first != SCORE_LOST;
}

loop_outcome loop_run(const evolve_settings *settings, const loop_options *options,
                      base_error *error)
{
    loop_state r = {
        .own = loop_options_whole(options), .settings = *settings, .trained = LOOP_NOBODY};
    r.options = &r.own;
    error->text[0] = '\0';
    bool ok = (r.own.program || r.own.evaluate || r.own.replay ||
               base_fail(error, "the loop: nobody to score candidates: a program or an evaluation "
                                "was expected")) &&
              loop_begin(&r, error) && score_default(&r, error);
    for (; ok && r.episode < r.settings.episodes && !has_stalled(&r); r.episode++)
        ok = episode(&r, error);
    ok = ok && finish(&r, error);
    bool stopped = options->replay || (options->stop && *options->stop);
    bool interrupted = stopped && !*error->text;
    if (!ok && r.begun && !interrupted && is_in_vain(&r) && loop_journal_is_named(r.journal))
        loop_folder_give_back(options->folder, r.made);
    clean_up(&r);
    if (ok)
        return LOOP_DONE;
    if (r.taken)
        return LOOP_TAKEN;
    return interrupted ? LOOP_INTERRUPTED : LOOP_FAILED;
}
