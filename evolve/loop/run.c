/* run.c -- the loop. See run.h for what it does, journal.h for why resuming needs no code here. */
#include "evolve/loop/run.h"
#include "base/clock.h"
#include "base/diff.h"
#include "base/file.h"
#include "base/number.h"
#include "base/seal.h"
#include "evolve/loop/archive.h"
#include "evolve/loop/generator.h"
#include "evolve/source/host.h"
#include "evolve/loop/journal.h"
#include "evolve/loop/manifest.h"
#include "evolve/sandbox/pool.h"
#include "evolve/loop/propose.h"
#include "evolve/loop/scorer.h"
#include "evolve/search/search.h"
#include "evolve/loop/summary.h"
#include "evolve/task.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };

typedef struct run {
    const loop_options *options;
    evolve_settings settings;
    vision_set set; /* the task's images */
    loop_journal *journal;
    loop_scorer *referee;
    loop_generator *generator; /* NULL: no T5 writes candidates */
    search_state *search;

    char *default_source;
    char *generator_source; /* where sources are networks': of the T5 that writes them */
    loop_archive archive;   /* 0 is the default source */
    int64_t source;         /* the one of now */
    bool taken;             /* the folder was made by somebody else */
    int64_t trained;        /* the last one that a stage could train; NONE: none yet */

    int episode; /* under way */
    loop_episode *episodes;
    loop_savings savings; /* of all */
} run;

/* Whether what evolves is the generator itself; else it is a network, and the generator stays. */
static bool is_self(const run *r)
{
    return evolve_subject_of(&r->settings) == EVOLVE_T5S;
}

static const loop_entry *source_of(const run *r)
{
    return &r->archive.entry[r->source];
}

static void say(const run *r, const char *text)
{
    r->options->watch.say(r->options->watch.user, text);
}

static bool no_memory(const run *r, base_error *error)
{
    return base_fail(error, "%s: no memory", r->options->folder);
}

/* Notes something that follows from what went before: nothing to redo on resuming, but written down
 * for whoever reads the journal, and held against it when it is there already. */
static bool note(run *r, const char *event, const base_text *members, base_error *error)
{
    if (members->failed)
        return no_memory(r, error);
    return loop_journal_note(r->journal, event, members->data, error);
}

/* Seconds go to a file of their own, outside the journal: equal runs have equal journals. Losing a
 * line of it loses nothing, so its errors are not errors. */
static void note_time(const run *r, const char *what, int episode, double seconds)
{
    if (r->options->replay)
        return;
    char *path = base_file_path(r->options->folder, "timing.jsonl");
    FILE *file = path ? fopen(path, "a") : NULL;
    base_text line = {0};
    base_text_print(&line, "{\"what\":\"%s\",\"episode\":%d,\"seconds\":%.3f}", what, episode,
                    seconds);
    base_seal(&line);
    base_text_print(&line, "\n");
    if (file && !line.failed)
        fputs(line.data, file);
    if (file)
        fclose(file);
    base_text_free(&line);
    free(path);
}

/* ---- the training stage ---- */

/* The event of the training of the generator that the source of now defines. */
static const base_json *train(run *r, base_error *error)
{
    double seconds;
    loop_generator_take(r->generator, r->episode,
                        is_self(r) ? source_of(r)->text : r->generator_source);
    if (!evolve_trains(&r->settings))
        return NULL;
    const base_json *event = loop_generator_train(r->generator, &seconds, error);
    if (event && seconds > 0)
        note_time(r, "training", r->episode, seconds);
    return event;
}

/* A source that its short training liked may fail in a long one (its loss ends as no number, say).
 * Then the last one that could be trained takes its place. */
static bool step_back(run *r, const char *reason, base_error *error)
{
    if (r->trained == NONE)
        return base_fail(error, "the source cannot be trained: %.200s", reason);
    base_text text = {0};
    base_text_print(&text,
                    "episode %d: the source cannot be trained (%s): back to the one before\n",
                    r->episode, reason);
    if (!text.failed)
        say(r, text.data);
    base_text_free(&text);
    search_replace(r->search, r->source, r->trained, r->archive.entry[r->trained].score.score);
    r->source = r->trained;
    return true;
}

/* Where the generator stays what it is, only the first episode makes it. */
static bool training_stage(run *r, loop_episode *episode, base_error *error)
{
    const char *reason;
    bool again = is_self(r) || r->episode == 0;
    episode->distance = again ? NAN : r->episodes[0].distance;
    if (r->generator && again) {
        const base_json *event = train(r, error);
        if (event && base_json_get_string(event, "untrainable", &reason, "trained", NULL))
            event = step_back(r, reason, error) ? train(r, error) : NULL;
        const base_json *all = base_json_get(base_json_get(event, "held_out"), "all");
        if (evolve_trains(&r->settings) &&
            (!event ||
             !base_json_get_number(all, "distance", &episode->distance, "trained", error)))
            return false;
        r->trained = r->source;
    }
    episode->parameters = source_of(r)->score.parameters;
    return true;
}

/* ---- the reprogramming stage ---- */

/* One question of the search, and what becomes of it. */
typedef struct batch {
    loop_asked asked;
    search_trial *trials;       /* the asked ones; places for settings.candidates */
    loop_candidate *candidates; /* likewise: a text each */
    int count;                  /* of texts */
    double share;
    evolve_settings settings; /* of a score on that share */
    double bound;             /* of that score (loop_bound) */
    loop_episode *episode;
} batch;

/* The event of its proposals. What was asked follows from what went before; of the greedy search it
 * is always the same, refinements of the source. */
static const base_json *proposals(run *r, const loop_asked *asked, base_error *error)
{
    bool replayed;
    base_text members = {0};
    loop_asked_members(asked, &members);
    bool ok = r->settings.strategy == EVOLVE_GREEDY || note(r, "asked", &members, error);
    base_text_clear(&members);
    const base_json *event =
        ok ? loop_journal_next(r->journal, "proposed", &replayed, error) : NULL;
    if (ok && !event && !replayed && loop_propose(asked, &members, error)) {
        if (members.failed)
            no_memory(r, error);
        else
            event = loop_journal_append(r->journal, "proposed", members.data, error);
    }
    base_text_free(&members);
    return event;
}

/* The texts of that event: one a trial, or none where nothing is larger than what was to grow. */
static bool take_texts(batch *b, const base_json *event, base_error *error)
{
    const base_json *texts = base_json_get(event, "texts");
    const loop_asked *asked = &b->asked;
    bool array = texts && texts->kind == BASE_JSON_ARRAY;
    bool good = array && (texts->length == (size_t)asked->count ||
                          (texts->length == 0 && asked->trials->request == SEARCH_GROW));
    for (const base_json *text = good ? texts->child : NULL; text; text = text->next) {
        good = good && text->kind == BASE_JSON_STRING;
        b->candidates[b->count++] = (loop_candidate){.settings = &b->settings,
                                                     .bound = b->bound,
                                                     .text = text->string,
                                                     .length = text->length};
    }
    return good || base_fail(error, "journal: expected %d proposals", asked->count);
}

static bool score_texts(run *r, batch *b, base_error *error)
{
    char members[64], what[64];
    int number = b->asked.batch;
    snprintf(members, sizeof members, "\"episode\":%d,\"batch\":%d", r->episode, number);
    snprintf(what, sizeof what, "episode %d, batch %d: evaluating", r->episode, number);
    double started = base_clock();
    if (!loop_scorer_score(r->referee, "evaluated", members, what, b->candidates, b->count, error))
        return false;
    note_time(r, "batch", r->episode, base_clock() - started);
    for (int i = 0; i < b->count; i++) {
        const score_result *score = &b->candidates[i].score;
        int64_t source = loop_archive_add(&r->archive, b->candidates[i].text, score);
        if (source < 0)
            return no_memory(r, error);
        b->trials[i].candidate = score->status == SCORE_OK ? source : SEARCH_NOTHING;
        b->trials[i].score = score->score;
        loop_funnel_add(&b->episode->funnel, score->status, b->candidates[i].reused);
        loop_savings_add(&r->savings, score, b->candidates[i].reused, b->settings.few_shot);
    }
    return true;
}

/* Tells the search what came of its trials; what it has found then is the source. */
static bool select_source(run *r, batch *b, base_error *error)
{
    double score;
    int64_t before = r->source;
    search_tell(r->search, b->trials, b->asked.count);
    r->source = search_found(r->search, &score);
    bool accepted = r->source != before;
    b->episode->funnel.accepted += accepted;
    base_text members = {0};
    base_text_print(&members, "\"episode\":%d,\"batch\":%d,\"accepted\":%s,\"score\":", r->episode,
                    b->asked.batch, accepted ? "true" : "false");
    base_json_put_number(&members, score);
    base_text_print(&members, ",\"source\":");
    base_json_put_string(&members, source_of(r)->text, strlen(source_of(r)->text));
    bool ok = note(r, "selected", &members, error);
    base_text_free(&members);
    return ok;
}

double loop_bound(const evolve_settings *settings, double score)
{
    bool stops = settings->early_stop && settings->elitism &&
                 evolve_subject_of(settings) == EVOLVE_T5S && settings->strategy == EVOLVE_GREEDY;
    return stops ? score : 0;
}

static void tell_batch(const run *r, const batch *b)
{
    base_text text = {0};
    base_text_print(&text, "episode %d, batch %d:", r->episode, b->asked.batch);
    for (int i = 0; i < b->count; i++) {
        const score_result *score = &b->candidates[i].score;
        if (score->status == SCORE_OK)
            base_text_print(&text, " %.4f%s", score->score, b->candidates[i].reused ? "=" : "");
        else if (score->status == SCORE_STOPPED)
            base_text_print(&text, " >=%.4f%s", score->score, b->candidates[i].reused ? "=" : "");
        else
            base_text_print(&text, " %s", score_status_name(score->status));
    }
    if (b->count == 0)
        base_text_print(&text, " nothing is left to try");
    else if (b->share < 1)
        base_text_print(&text, " on a share of %g", b->share);
    base_text_print(&text, "; source now %.4f\n", source_of(r)->score.score);
    if (!text.failed)
        say(r, text.data);
    base_text_free(&text);
}

static bool make_batch(run *r, batch *b, int number, base_error *error)
{
    b->asked = (loop_asked){.settings = &r->settings,
                            .generator = r->generator,
                            .archive = &r->archive,
                            .episode = r->episode,
                            .batch = number,
                            .trials = b->trials,
                            .count = search_ask(r->search, b->trials)};
    b->count = 0;
    b->share = b->asked.count > 0 ? b->trials->share : 1;
    b->settings = evolve_settings_share(&r->settings, b->share);
    b->bound = loop_bound(&r->settings, source_of(r)->score.score);
    const base_json *event = proposals(r, &b->asked, error);
    bool ok = event && take_texts(b, event, error) && score_texts(r, b, error) &&
              select_source(r, b, error);
    if (ok)
        tell_batch(r, b);
    loop_candidates_free(b->candidates, b->count);
    return ok;
}

static bool reprogramming_stage(run *r, loop_episode *episode, base_error *error)
{
    size_t places = (size_t)r->settings.candidates;
    batch b = {.trials = calloc(places, sizeof *b.trials),
               .candidates = calloc(places, sizeof *b.candidates),
               .episode = episode};
    bool ok = (b.trials && b.candidates) || no_memory(r, error);
    for (int number = 0; ok && number < r->settings.batches; number++)
        ok = make_batch(r, &b, number, error);
    free(b.trials);
    free(b.candidates);
    return ok;
}

/* ---- the whole ---- */

static bool episode(run *r, base_error *error)
{
    loop_episode *e = &r->episodes[r->episode];
    const char *before = source_of(r)->text;
    e->number = r->episode;
    e->before = source_of(r)->score.score;
    e->before_pair = source_of(r)->score.score_pair;
    if (!training_stage(r, e, error) || !reprogramming_stage(r, e, error))
        return false;
    base_text change = {0};
    base_text_add(&change, "", 0);
    base_diff(before, source_of(r)->text, &change);
    e->after = source_of(r)->score.score;
    e->after_pair = source_of(r)->score.score_pair;
    e->change = change.failed ? NULL : base_copy(change.data, change.length);
    base_text_free(&change);
    return e->change || no_memory(r, error);
}

static bool begin_search(run *r, const score_result *score, base_error *error)
{
    const search_how how = {.strategy = (evolve_strategy)r->settings.strategy,
                            .candidates = (int)r->settings.candidates,
                            .population = (int)r->settings.population,
                            .sample = (int)r->settings.sample,
                            .elitism = r->settings.elitism != 0,
                            .seed = (uint64_t)r->settings.seed};
    r->source = loop_archive_add(&r->archive, r->default_source, score);
    r->search = r->source == 0 ? search_new(&how, r->source, score->score) : NULL;
    return r->search || no_memory(r, error);
}

/* The default source's score: what the first candidates have to beat. */
static bool score_default(run *r, base_error *error)
{
    loop_candidate first = {.text = r->default_source,
                            .length = strlen(r->default_source),
                            .settings = &r->settings,
                            .needed = true};
    bool ok = loop_scorer_score(r->referee, "default", "", "default source: evaluating", &first, 1,
                                error);
    loop_candidates_free(&first, 1);
    if (!ok)
        return false;
    char line[128];
    base_print(line, sizeof line,
               is_self(r) ? "default source: few-shot loss %.4f nats a token (%.3f a pair)\n"
                          : "default source: %.4f of the held-out images are wrong "
                            "(cross-entropy %.3f)\n",
               first.score.score, first.score.score_pair);
    say(r, line);
    return begin_search(r, &first.score, error);
}

/* fresh-seeds' range (settings.c) keeps within what an loop_sample holds. */
enum { MOST_SEEDS = sizeof((loop_sample *)0)->value / sizeof(double) };
static const int64_t most_seed = 1000000000000000; /* of --seed */
static const int64_t most_deadline = 1000000;      /* of --deadline */

evolve_settings loop_fresh_settings(const evolve_settings *settings, int seed)
{
    evolve_settings fresh = *settings;
    fresh.data_seed = (int64_t)evolve_data_seed(settings);
    fresh.seed = ((settings->seed + 1) * 1000 + seed) % most_seed;
    fresh.first_pair = (int64_t)SOURCE_FRESH;
    if (evolve_subject_of(settings) == EVOLVE_NETWORKS) { /* no budget but the epochs */
        fresh.part = EVOLVE_FINAL;
        fresh.deadline = most_deadline;
    }
    return fresh;
}

/* First and last source on pairs and with seeds that the search never saw: candidates 2s and 2s+1
 * are their scores with seed s. */
static bool compare(run *r, base_text *summary, base_error *error)
{
    int seeds = (int)r->settings.fresh_seeds;
    assert(seeds <= MOST_SEEDS);
    loop_candidate candidates[2 * MOST_SEEDS] = {0};
    evolve_settings fresh[MOST_SEEDS];
    loop_sample samples[2] = {{.count = seeds}, {.count = seeds}};
    for (int i = 0; i < 2 * seeds; i++) {
        fresh[i / 2] = loop_fresh_settings(&r->settings, i / 2);
        candidates[i].settings = &fresh[i / 2];
        candidates[i].text = i % 2 ? source_of(r)->text : r->default_source;
        candidates[i].length = strlen(candidates[i].text);
        candidates[i].needed = true;
    }
    bool ok = loop_scorer_score(r->referee, "compared", "", "fresh pairs: evaluating", candidates,
                                2 * seeds, error);
    for (int i = 0; ok && i < 2 * seeds; i++)
        samples[i % 2].value[i / 2] = candidates[i].score.score;
    loop_candidates_free(candidates, 2 * seeds);
    if (ok)
        loop_summary_comparison(&samples[0], &samples[1], is_self(r) ? r->settings.few_shot : 0,
                                summary);
    return ok;
}

/* The files that a run ends with, and the event that names them by their hashes. */
static bool write_ending(run *r, const char *summary, base_error *error)
{
    const char *folder = r->options->folder;
    char hashes[2][BASE_HASH_TEXT];
    const char *source = source_of(r)->text;
    base_hash_text(source, strlen(source), hashes[0]);
    base_hash_text(summary, strlen(summary), hashes[1]);
    base_text members = {0};
    base_text_print(&members, "\"source\":\"%s\",\"summary\":\"%s\"", hashes[0], hashes[1]);
    bool ok = (r->options->replay ||
               (base_file_write_text(folder, "source.c", source, NULL, error) &&
                base_file_write_text(folder, "summary.txt", summary, NULL, error))) &&
              note(r, "finished", &members, error);
    base_text_free(&members);
    return ok;
}

static bool finish(run *r, base_error *error)
{
    mutation_mutator mutator = evolve_mutator(&r->settings);
    base_text summary = {0};
    base_text_print(&summary, "\n");
    loop_summary_table(r->episodes, (int)r->settings.episodes, mutation_mutator_entropy(&mutator),
                       is_self(r), &summary);
    if (is_self(r))
        loop_summary_savings(&r->savings, &summary);
    base_text_print(&summary, "\n%s: default source %.4f, last source %.4f\n",
                    is_self(r) ? "few-shot loss on the pairs of the search"
                               : "error on the search's held-out images",
                    r->archive.entry->score.score, source_of(r)->score.score);
    bool ok = true;
    if (strcmp(source_of(r)->text, r->default_source) == 0)
        base_text_print(&summary, "no candidate was better: the last source is the default one\n");
    else if (r->settings.fresh_seeds > 0)
        ok = compare(r, &summary, error);
    if (ok && summary.failed)
        ok = no_memory(r, error);
    ok = ok && write_ending(r, summary.data, error);
    if (ok)
        say(r, summary.data);
    base_text_free(&summary);
    return ok;
}

static bool read_images(run *r, base_error *error)
{
    if (is_self(r))
        return true;
    r->settings.set = &r->set;
    return evolve_task_read(&r->settings, r->options->run.data, &r->set, error);
}

static bool note_start(run *r, base_error *error)
{
    base_text settings = {0};
    base_text_print(&settings, "\"version\":\"%s\",\"settings\":", EVOLVE_VERSION);
    evolve_settings_print(&r->settings, &settings);
    if (r->settings.set) {
        char hash[BASE_HASH_TEXT];
        vision_set_hash(r->settings.set, hash);
        const vision_images *images = &r->settings.set->train;
        base_text_print(&settings, ",\"images\":\"%s\",\"image\":[%d,%d,%d],\"classes\":%d", hash,
                        images->channels, images->height, images->width, images->classes);
    }
    bool ok = note(r, "started", &settings, error);
    base_text_free(&settings);
    return ok;
}

/* malloc'ed; NULL: no memory. */
static char *text_of(void (*print)(const evolve_settings *settings, base_text *text),
                     const evolve_settings *settings)
{
    base_text text = {0};
    print(settings, &text);
    char *copy = text.failed ? NULL : base_copy(text.data, text.length);
    base_text_free(&text);
    return copy;
}

/* A new run's folder, before its first byte. Two who name the same one both get here; only one of
 * them then locks the journal. */
static bool take_folder(run *r, base_error *error)
{
    const char *folder = r->options->folder;
    bool claimed;
    if (!r->options->fresh)
        return base_file_make_folder(folder, error) && loop_manifest_absent(folder, error);
    if (!base_file_claim_folder(folder, &claimed, error))
        return false;
    r->taken = !claimed;
    return claimed || base_fail(error, "%s: is there already", folder);
}

/* The settings, and the first source that follows from them: a folder is made for what can be. */
static bool read_settings(run *r, base_error *error)
{
    const char *folder = r->options->folder;
    bool is_there = r->options->resume || r->options->replay;
    if (is_there && !loop_manifest_read(folder, &r->settings, error))
        return false;
    r->generator_source = text_of(source_generator_source, &r->settings);
    r->default_source = text_of(source_default_source_of, &r->settings);
    if (!r->default_source || !r->generator_source)
        return no_memory(r, error);
    return loop_propose_check(&r->settings, error) && read_images(r, error) &&
           (is_there || take_folder(r, error));
}

static bool prepare(run *r, base_error *error)
{
    const char *folder = r->options->folder;
    if (!read_settings(r, error) ||
        !(r->journal = r->options->replay ? loop_journal_read(folder, error)
                                          : loop_journal_open(folder, error)) ||
        (!r->options->resume && !r->options->replay &&
         !loop_manifest_write(folder, &r->settings, r->options, error)))
        return false;
    r->referee = loop_scorer_new(r->journal, r->options, r->settings.reuse != 0);
    r->episodes = calloc((size_t)r->settings.episodes, sizeof *r->episodes);
    if (!r->referee || !r->episodes)
        return no_memory(r, error);
    if (evolve_writes(&r->settings) &&
        !(r->generator = loop_generator_new(r->options, &r->settings, r->journal, error)))
        return false;
    return note_start(r, error);
}

static void clean_up(run *r)
{
    for (int i = 0; r->episodes && i < r->settings.episodes; i++)
        free(r->episodes[i].change);
    free(r->episodes);
    search_free(r->search);
    loop_archive_free(&r->archive);
    loop_generator_free(r->generator);
    loop_scorer_free(r->referee);
    loop_journal_close(r->journal);
    free(r->default_source);
    free(r->generator_source);
    vision_set_free(&r->set);
}

loop_outcome loop_run(const evolve_settings *settings, const loop_options *options,
                      base_error *error)
{
    run r = {.options = options, .settings = *settings, .trained = NONE};
    error->text[0] = '\0';
    bool ok = prepare(&r, error) && score_default(&r, error);
    for (; ok && r.episode < r.settings.episodes; r.episode++)
        ok = episode(&r, error);
    ok = ok && finish(&r, error);
    clean_up(&r);
    if (ok)
        return LOOP_DONE;
    if (r.taken)
        return LOOP_TAKEN;
    bool stopped = options->replay || (options->stop && *options->stop);
    return stopped && !*error->text ? LOOP_INTERRUPTED : LOOP_FAILED;
}
