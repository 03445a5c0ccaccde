/* run.c -- the loop. See run.h for what it does, journal.h for why resuming needs no code here. */
#include "evolve/run.h"
#include "base/file.h"
#include "evolve/diff.h"
#include "evolve/host.h"
#include "evolve/journal.h"
#include "evolve/manifest.h"
#include "evolve/pool.h"
#include "evolve/referee.h"
#include "evolve/stage.h"
#include "evolve/summary.h"
#include "evolve/task.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct run {
    const evolve_options *options;
    evolve_settings settings;
    vision_set set; /* the task's images */
    evolve_journal *journal;
    evolve_referee *referee;
    t5_tokenizer *tokenizer;
    tensor_context *ctx;

    char *default_source, *source; /* the first one, and the one of now */
    char *generator_source;        /* where those are networks': of the T5 that writes them */
    char *trained_source;          /* the last one that a stage could train; NULL: none yet */
    evolve_score trained_score;
    evolve_score default_score, score; /* theirs; without losses */

    /* of the episode under way */
    int episode;
    char *folder;    /* folder/episode-N */
    t5_model *model; /* trained; NULL where the stage was replayed and nobody asked for it yet */
    const base_json *trained; /* the event of its training */
    evolve_episode *episodes;
} run;

/* Whether what evolves is the generator itself; else it is a network, and the generator stays. */
static bool is_self(const run *r)
{
    return r->settings.task == EVOLVE_SELF;
}

/* What a training stage trains. */
static const char *stage_source(const run *r)
{
    return is_self(r) ? r->source : r->generator_source;
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
    return evolve_journal_note(r->journal, event, members->data, error);
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
    evolve_seal(&line);
    base_text_print(&line, "\n");
    if (file && !line.failed)
        fputs(line.data, file);
    if (file)
        fclose(file);
    base_text_free(&line);
    free(path);
}

/* ---- the training stage ---- */

/* *own_fault: the source's. */
static bool train(run *r, base_text *members, bool *own_fault, base_error *error)
{
    char label[64];
    snprintf(label, sizeof label, "episode %d: training", r->episode);
    const char *source = stage_source(r);
    evolve_stage stage = {.file = "source.c",
                          .source = source,
                          .length = strlen(source),
                          .settings = &r->settings,
                          .tokenizer = r->tokenizer,
                          .ctx = r->ctx,
                          .folder = r->folder,
                          .label = label,
                          .seed = (uint64_t)r->settings.seed,
                          .stop = r->options->stop,
                          .watch = &r->options->watch};
    evolve_stage_result result;
    double started = evolve_clock();
    bool ok = evolve_stage_run(&stage, &result, error);
    *own_fault = result.diagnostic.failure != REFINE_OK;
    if (!ok)
        return false;
    r->model = result.model;
    note_time(r, "training", r->episode, evolve_clock() - started);
    base_text_print(members,
                    "\"episode\":%d,\"losses\":\"%s\",\"parameters\":%" PRId64 ",\"steps\":%" PRId64
                    ",\"loss\":",
                    r->episode, result.losses_hash, result.parameters, result.steps);
    base_json_put_number(members, result.last_loss);
    base_text_print(members, ",\"config\":\"%s\",\"weights\":\"%s\",\"tokenizer\":\"%s\",",
                    result.hashes[0], result.hashes[1], result.hashes[2]);
    refine_mutator mutator = evolve_mutator(&r->settings);
    evolve_held_out_members(&result.held_out, &mutator, members);
    base_text_print(members, ",");
    evolve_fidelity_members(&result.fidelity, members);
    base_text text = {0};
    evolve_held_out_describe(&result.held_out, &mutator, &text);
    evolve_fidelity_describe(&result.fidelity, &text);
    if (!text.failed)
        say(r, text.data);
    base_text_free(&text);
    return true;
}

static bool take_source(run *r, const char *text, const evolve_score *score, base_error *error)
{
    char *source = base_copy(text, strlen(text));
    if (!source)
        return no_memory(r, error);
    free(r->source);
    r->source = source;
    r->score = *score;
    r->score.losses = NULL;
    return true;
}

/* The event of a training: what came of it, or {"episode", "untrainable": reason} where the source
 * is at fault. */
static const base_json *training_event(run *r, base_error *error)
{
    bool replayed, own_fault = false;
    const base_json *event = evolve_journal_next(r->journal, "trained", &replayed, error);
    if (event || replayed)
        return event;
    if (!base_file_make_folder(r->folder, error) ||
        !base_file_write_text(r->folder, "source.c", stage_source(r), NULL, error))
        return NULL;
    base_text members = {0};
    bool ok = train(r, &members, &own_fault, error);
    if (!ok && own_fault) {
        base_text_print(&members, "\"episode\":%d,\"untrainable\":", r->episode);
        base_json_put_string(&members, error->text, strlen(error->text));
    }
    if (members.failed)
        no_memory(r, error);
    else if (ok || own_fault)
        event = evolve_journal_append(r->journal, "trained", members.data, error);
    base_text_free(&members);
    return event;
}

/* A source that its short training liked may fail in a long one (its loss ends as no number, say).
 * Then the last one that could be trained takes its place. */
static bool step_back(run *r, const char *reason, base_error *error)
{
    if (!r->trained_source)
        return base_fail(error, "the source cannot be trained: %.200s", reason);
    base_text text = {0};
    base_text_print(&text,
                    "episode %d: the source cannot be trained (%s): back to the one before\n",
                    r->episode, reason);
    if (!text.failed)
        say(r, text.data);
    base_text_free(&text);
    return take_source(r, r->trained_source, &r->trained_score, error);
}

/* Where the generator stays what it is, only the first episode trains it. */
static bool training_stage(run *r, evolve_episode *episode, base_error *error)
{
    const char *reason;
    if (!is_self(r) && r->episode > 0) {
        episode->distance = r->episodes[0].distance;
        episode->parameters = r->score.parameters;
        return true;
    }
    const base_json *event = training_event(r, error);
    if (event && base_json_get_string(event, "untrainable", &reason, "trained", NULL))
        event = step_back(r, reason, error) ? training_event(r, error) : NULL;
    r->trained = event;
    const base_json *all = base_json_get(base_json_get(event, "held_out"), "all");
    if (!event ||
        !base_json_get_int(event, "parameters", 0, INT64_MAX, &episode->parameters, "trained",
                           error) ||
        !base_json_get_number(all, "distance", &episode->distance, "trained", error))
        return false;
    if (!is_self(r))
        episode->parameters = r->score.parameters;
    free(r->trained_source);
    r->trained_source = base_copy(r->source, strlen(r->source));
    r->trained_score = r->score;
    return r->trained_source || no_memory(r, error);
}

/* ---- the reprogramming stage ---- */

/* Whether a file of the model folder is the one that the journal names. */
static bool is_recorded(const run *r, const char *folder, const char *name, const char *member,
                        base_error *error)
{
    char hash[BASE_HASH_TEXT];
    const char *recorded;
    char *path = base_file_path(folder, name);
    bool ok = path ? base_json_get_string(r->trained, member, &recorded, "trained", error) &&
                         base_file_hash(path, hash, error) &&
                         (strcmp(hash, recorded) == 0 ||
                          base_fail(error,
                                    "%s: is not the file that the journal names: it was "
                                    "changed",
                                    path))
                   : no_memory(r, error);
    free(path);
    return ok;
}

/* The trained model: the one in memory, or the saved one of a stage that was replayed. */
static bool have_model(run *r, base_error *error)
{
    if (r->model)
        return true;
    char *path = base_file_path(r->folder, "model");
    if (!path)
        return no_memory(r, error);
    if (is_recorded(r, path, "config.json", "config", error) &&
        is_recorded(r, path, "model.safetensors", "weights", error))
        r->model = t5_folder_read(r->ctx, path, false, NULL, error);
    free(path);
    return r->model != NULL;
}

enum { MOST_TOKENS = 8192 };

static bool generate(run *r, int batch, t5_sample *samples, base_error *error)
{
    int *ids = malloc(MOST_TOKENS * sizeof *ids);
    if (!ids)
        return no_memory(r, error);
    int length = t5_tokenize(r->tokenizer, r->source, strlen(r->source), ids, MOST_TOKENS);
    t5_sampling sampling = evolve_sampling(&r->settings);
    uint64_t stream = base_random_stream("propose", (uint64_t)r->episode, (uint64_t)batch, 0);
    bool ok = length <= MOST_TOKENS ||
              base_fail(error, "the source has more than %d tokens", MOST_TOKENS);
    ok = ok && t5_generate(r->model, ids, length, (int)r->settings.max_tokens, &sampling,
                           (int)r->settings.candidates, (uint64_t)r->settings.seed, stream, samples,
                           error);
    free(ids);
    return ok;
}

/* The event's members: the texts that the model wrote. What is no UTF-8 is written as '?', since
 * JSON has no bytes; a source with such bytes is no program in either form. */
static void describe_samples(run *r, int batch, const t5_sample *samples, base_text *members)
{
    base_text text = {0};
    base_text_print(members, "\"episode\":%d,\"batch\":%d,\"texts\":[", r->episode, batch);
    for (int i = 0; i < r->settings.candidates; i++) {
        base_text_clear(&text);
        base_text_add(&text, "", 0);
        t5_detokenize(r->tokenizer, samples[i].ids, samples[i].count, &text);
        for (size_t k = 0; k < text.length; k++)
            if ((unsigned char)text.data[k] >= 0x80)
                text.data[k] = '?';
        base_text_print(members, "%s", i ? "," : "");
        base_json_put_string(members, text.data ? text.data : "", text.length);
    }
    base_text_print(members, "]");
    members->failed = members->failed || text.failed;
    base_text_free(&text);
}

static const base_json *proposals(run *r, int batch, base_error *error)
{
    bool replayed;
    const base_json *event = evolve_journal_next(r->journal, "proposed", &replayed, error);
    if (event || replayed)
        return event;
    size_t count = (size_t)r->settings.candidates;
    t5_sample *samples = calloc(count, sizeof *samples);
    base_text members = {0};
    if (!samples) {
        no_memory(r, error);
    } else if (have_model(r, error) && generate(r, batch, samples, error)) {
        describe_samples(r, batch, samples, &members);
        t5_samples_free(samples, (int)count);
        if (members.failed)
            no_memory(r, error);
        else
            event = evolve_journal_append(r->journal, "proposed", members.data, error);
    }
    base_text_free(&members);
    free(samples);
    return event;
}

/* Makes the candidate the source if it is the best; of equals the first, and of candidate and
 * source the source. */
static bool select_best(run *r, int batch, const evolve_candidate *candidates, int n,
                        evolve_episode *episode, base_error *error)
{
    const evolve_candidate *best = NULL;
    for (int i = 0; i < n; i++)
        if (candidates[i].score.status == EVOLVE_OK &&
            (!best || candidates[i].score.score < best->score.score))
            best = &candidates[i];
    bool accept = best && (!r->settings.elitism || best->score.score < r->score.score);
    if (accept && !take_source(r, best->text, &best->score, error))
        return false;
    episode->funnel.accepted += accept;
    base_text members = {0};
    base_text_print(&members, "\"episode\":%d,\"batch\":%d,\"accepted\":%s,\"score\":", r->episode,
                    batch, accept ? "true" : "false");
    base_json_put_number(&members, r->score.score);
    base_text_print(&members, ",\"source\":");
    base_json_put_string(&members, r->source, strlen(r->source));
    bool ok = note(r, "selected", &members, error);
    base_text_free(&members);
    return ok;
}

static void tell_batch(run *r, int batch, const evolve_candidate *candidates, int n)
{
    base_text text = {0};
    base_text_print(&text, "episode %d, batch %d:", r->episode, batch);
    for (int i = 0; i < n; i++) {
        const evolve_score *score = &candidates[i].score;
        if (score->status == EVOLVE_OK)
            base_text_print(&text, " %.4f%s", score->score, candidates[i].reused ? "=" : "");
        else
            base_text_print(&text, " %s", evolve_status_name(score->status));
    }
    base_text_print(&text, "; source now %.4f\n", r->score.score);
    if (!text.failed)
        say(r, text.data);
    base_text_free(&text);
}

static bool score_and_select(run *r, int batch, const base_json *event, evolve_episode *episode,
                             base_error *error)
{
    const base_json *texts = base_json_get(event, "texts");
    int n = (int)r->settings.candidates;
    bool good = texts && texts->kind == BASE_JSON_ARRAY && texts->length == (size_t)n;
    for (const base_json *text = good ? texts->child : NULL; text; text = text->next)
        good = good && text->kind == BASE_JSON_STRING;
    if (!good)
        return base_fail(error, "journal: expected %d proposals", n);
    evolve_candidate *candidates = calloc((size_t)n, sizeof *candidates);
    if (!candidates)
        return no_memory(r, error);
    int i = 0;
    for (const base_json *text = texts->child; text; text = text->next, i++) {
        candidates[i].settings = &r->settings;
        candidates[i].text = text->string;
        candidates[i].length = text->length;
    }
    char members[64], what[64];
    snprintf(members, sizeof members, "\"episode\":%d,\"batch\":%d", r->episode, batch);
    snprintf(what, sizeof what, "episode %d, batch %d: evaluating", r->episode, batch);
    double started = evolve_clock();
    bool ok = evolve_referee_score(r->referee, "evaluated", members, what, candidates, n, error) &&
              select_best(r, batch, candidates, n, episode, error);
    if (ok) {
        note_time(r, "batch", r->episode, evolve_clock() - started);
        for (i = 0; i < n; i++)
            evolve_funnel_add(&episode->funnel, candidates[i].score.status, candidates[i].reused);
        tell_batch(r, batch, candidates, n);
    }
    evolve_candidates_free(candidates, n);
    free(candidates);
    return ok;
}

static bool reprogramming_stage(run *r, evolve_episode *episode, base_error *error)
{
    for (int batch = 0; batch < r->settings.batches; batch++) {
        const base_json *event = proposals(r, batch, error);
        if (!event || !score_and_select(r, batch, event, episode, error))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static bool episode(run *r, base_error *error)
{
    evolve_episode *e = &r->episodes[r->episode];
    char name[32];
    snprintf(name, sizeof name, "episode-%d", is_self(r) ? r->episode : 0);
    free(r->folder);
    r->folder = base_file_path(r->options->folder, name);
    char *before = base_copy(r->source, strlen(r->source));
    if (!r->folder || !before) {
        free(before);
        return no_memory(r, error);
    }
    e->number = r->episode;
    e->before = r->score.score;
    e->before_pair = r->score.score_pair;
    bool ok = training_stage(r, e, error) && reprogramming_stage(r, e, error);
    if (ok) {
        base_text change = {0};
        base_text_add(&change, "", 0);
        evolve_diff(before, r->source, &change);
        e->after = r->score.score;
        e->after_pair = r->score.score_pair;
        e->change = change.failed ? NULL : base_copy(change.data, change.length);
        ok = e->change || no_memory(r, error);
        base_text_free(&change);
    }
    free(before);
    if (r->model && is_self(r)) {
        t5_model_free(r->model);
        r->model = NULL;
    }
    return ok;
}

/* The default source's score: what the first candidates have to beat. */
static bool score_default(run *r, base_error *error)
{
    evolve_candidate first = {.text = r->default_source,
                              .length = strlen(r->default_source),
                              .settings = &r->settings,
                              .needed = true};
    bool ok = evolve_referee_score(r->referee, "default", "", "default source: evaluating", &first,
                                   1, error);
    evolve_candidates_free(&first, 1);
    r->score = r->default_score = first.score;
    r->score.losses = r->default_score.losses = NULL;
    if (ok) {
        char line[128];
        snprintf(line, sizeof line,
                 is_self(r) ? "default source: few-shot loss %.4f nats a token (%.3f a pair)\n"
                            : "default source: %.4f of the held-out images are wrong "
                              "(cross-entropy %.3f)\n",
                 r->score.score, r->score.score_pair);
        say(r, line);
    }
    return ok;
}

/* fresh-seeds' range (settings.c) keeps within what an evolve_sample holds. */
enum { MOST_SEEDS = sizeof((evolve_sample *)0)->value / sizeof(double) };
static const int64_t most_seed = 1000000000000000; /* of --seed */
static const int64_t most_deadline = 1000000;      /* of --deadline */

evolve_settings evolve_fresh_settings(const evolve_settings *settings, int seed)
{
    evolve_settings fresh = *settings;
    fresh.data_seed = (int64_t)evolve_data_seed(settings);
    fresh.seed = ((settings->seed + 1) * 1000 + seed) % most_seed;
    fresh.first_pair = (int64_t)EVOLVE_FRESH;
    if (settings->task != EVOLVE_SELF) { /* no budget but the epochs */
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
    evolve_candidate candidates[2 * MOST_SEEDS] = {0};
    evolve_settings fresh[MOST_SEEDS];
    evolve_sample samples[2] = {{.count = seeds}, {.count = seeds}};
    for (int i = 0; i < 2 * seeds; i++) {
        fresh[i / 2] = evolve_fresh_settings(&r->settings, i / 2);
        candidates[i].settings = &fresh[i / 2];
        candidates[i].text = i % 2 ? r->source : r->default_source;
        candidates[i].length = strlen(candidates[i].text);
        candidates[i].needed = true;
    }
    bool ok = evolve_referee_score(r->referee, "compared", "", "fresh pairs: evaluating",
                                   candidates, 2 * seeds, error);
    for (int i = 0; ok && i < 2 * seeds; i++)
        samples[i % 2].value[i / 2] = candidates[i].score.score;
    evolve_candidates_free(candidates, 2 * seeds);
    if (ok)
        evolve_summary_comparison(&samples[0], &samples[1], is_self(r) ? r->settings.few_shot : 0,
                                  summary);
    return ok;
}

/* The files that a run ends with, and the event that names them by their hashes. */
static bool write_ending(run *r, const char *summary, base_error *error)
{
    const char *folder = r->options->folder;
    char hashes[2][BASE_HASH_TEXT];
    base_hash_text(r->source, strlen(r->source), hashes[0]);
    base_hash_text(summary, strlen(summary), hashes[1]);
    base_text members = {0};
    base_text_print(&members, "\"source\":\"%s\",\"summary\":\"%s\"", hashes[0], hashes[1]);
    bool ok = (r->options->replay ||
               (base_file_write_text(folder, "source.c", r->source, NULL, error) &&
                base_file_write_text(folder, "summary.txt", summary, NULL, error))) &&
              note(r, "finished", &members, error);
    base_text_free(&members);
    return ok;
}

static bool finish(run *r, base_error *error)
{
    refine_mutator mutator = evolve_mutator(&r->settings);
    base_text summary = {0};
    base_text_print(&summary, "\n");
    evolve_summary_table(r->episodes, (int)r->settings.episodes, refine_mutator_entropy(&mutator),
                         is_self(r), &summary);
    base_text_print(&summary, "\n%s: default source %.4f, last source %.4f\n",
                    is_self(r) ? "few-shot loss on the pairs of the search"
                               : "error on the search's held-out images",
                    r->default_score.score, r->score.score);
    bool ok = true;
    if (strcmp(r->source, r->default_source) == 0)
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
    return evolve_task_read(&r->settings, r->options->data, &r->set, error);
}

static bool prepare(run *r, base_error *error)
{
    const char *folder = r->options->folder;
    bool ready = r->options->resume || r->options->replay
                     ? evolve_manifest_read(folder, &r->settings, error) && read_images(r, error)
                     : read_images(r, error) &&
                           evolve_manifest_write(folder, &r->settings, r->options, error);
    if (!ready || !(r->journal = r->options->replay ? evolve_journal_read(folder, error)
                                                    : evolve_journal_open(folder, error)))
        return false;
    base_text source = {0};
    evolve_generator_source(&r->settings, &source);
    r->generator_source = source.failed ? NULL : base_copy(source.data, source.length);
    base_text_clear(&source);
    evolve_default_source_of(&r->settings, &source);
    if (!source.failed) {
        r->default_source = base_copy(source.data, source.length);
        r->source = base_copy(source.data, source.length);
    }
    base_text_free(&source);
    r->referee = evolve_referee_new(r->journal, r->options, r->settings.reuse != 0);
    r->ctx = tensor_context_new();
    r->episodes = calloc((size_t)r->settings.episodes, sizeof *r->episodes);
    if (!r->ctx)
        return base_fail(error, "no memory, or PHOENIX_KERNEL names a set that is not here");
    if (!r->default_source || !r->source || !r->generator_source || !r->referee || !r->episodes)
        return no_memory(r, error);
    tensor_set_threads(r->ctx, r->options->threads);
    r->tokenizer = evolve_tokenizer(&r->settings, error);
    if (!r->tokenizer)
        return false;
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

static void clean_up(run *r)
{
    for (int i = 0; r->episodes && i < r->settings.episodes; i++)
        free(r->episodes[i].change);
    free(r->episodes);
    if (r->model)
        t5_model_free(r->model);
    if (r->tokenizer)
        t5_tokenizer_free(r->tokenizer);
    if (r->ctx)
        tensor_context_free(r->ctx);
    evolve_referee_free(r->referee);
    evolve_journal_close(r->journal);
    free(r->default_source);
    free(r->source);
    free(r->generator_source);
    free(r->trained_source);
    free(r->folder);
    vision_set_free(&r->set);
}

evolve_outcome evolve_run(const evolve_settings *settings, const evolve_options *options,
                          base_error *error)
{
    run r = {.options = options, .settings = *settings};
    error->text[0] = '\0';
    bool ok = prepare(&r, error) && score_default(&r, error);
    for (; ok && r.episode < r.settings.episodes; r.episode++)
        ok = episode(&r, error);
    ok = ok && finish(&r, error);
    clean_up(&r);
    if (ok)
        return EVOLVE_DONE;
    bool stopped = options->replay || (options->stop && *options->stop);
    return stopped && !*error->text ? EVOLVE_INTERRUPTED : EVOLVE_FAILED;
}
