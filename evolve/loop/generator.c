/* SPDX-License-Identifier: MIT */
/* generator.c -- a model is made as late as possible: where the journal has a training, its model
 * is read from the run's folder only when somebody asks for it, and only if its files are those
 * that the journal names. So a replay trains nothing and reads nothing that it does not need. */
#include "evolve/loop/generator.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "evolve/source/host.h"
#include "evolve/sandbox/pool.h"
#include "evolve/loop/stage.h"
#include "evolve/loop/tell.h"
#include "evolve/task.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct loop_generator {
    const loop_options *options;
    const evolve_settings *settings;
    const source_corpus *corpus;
    loop_journal *journal;
    t5_tokenizer *tokenizer;
    tensor_context *ctx;
    int episode;
    const char *source;
    const source_lesson *lesson;
    t5_model *model; /* NULL where nobody asked for it yet */
    bool is_trained;
    loop_event trained; /* the event of its training */
};

static bool no_memory(const loop_generator *g, base_error *error)
{
    return base_fail(error, "%s: no memory", g->options->folder);
}

loop_generator *loop_generator_new(const loop_options *options, const evolve_settings *settings,
                                   const source_corpus *corpus, loop_journal *journal,
                                   base_error *error)
{
    loop_generator *g = base_calloc(1, sizeof *g);
    if (!g) {
        base_fail(error, "%s: no memory", options->folder);
        return NULL;
    }
    *g = (loop_generator){
        .options = options, .settings = settings, .corpus = corpus, .journal = journal};
    if ((g->ctx = tensor_context_open((int)options->run.threads, error)) &&
        (g->tokenizer = source_stage_tokenizer(NULL, corpus, settings, error)))
        return g;
    loop_generator_free(g);
    return NULL;
}

static void drop_model(loop_generator *g)
{
    t5_model_free(g->model);
    g->model = NULL;
    g->is_trained = false;
}

void loop_generator_free(loop_generator *g)
{
    if (!g)
        return;
    drop_model(g);
    t5_tokenizer_free(g->tokenizer);
    tensor_context_free(g->ctx);
    base_free(g);
}

void loop_generator_take(loop_generator *g, int episode, const char *source,
                         const source_lesson *lesson)
{
    g->lesson = lesson;
    drop_model(g);
    g->episode = episode;
    g->source = source;
}

const t5_tokenizer *loop_generator_tokenizer(const loop_generator *g) { return g->tokenizer; }

/* ---- the training stage ---- */

/* folder/episode-N; malloc'ed. */
static char *episode_folder(const loop_generator *g, base_error *error)
{
    char name[32];
    snprintf(name, sizeof name, "episode-%d", g->episode);
    char *folder = base_file_path(g->options->folder, name);
    if (!folder)
        no_memory(g, error);
    return folder;
}

/* Lines for people: how far the model is from the rules that it imitates. */
static void describe(const loop_generator *g, const loop_stage *stage,
                     const loop_stage_result *result)
{
    base_text text = {0};
    loop_tell_measures(&g->options->watch, g->settings, g->episode);
    loop_stage_describe(stage, result, &text);
    if (!text.failed)
        g->options->watch.say(g->options->watch.user, text.data);
    base_text_free(&text);
}

/* False: error; result->diagnostic says whether the source is at fault. */
static bool train(loop_generator *g, const char *folder, loop_stage_result *result,
                  base_error *error)
{
    char label[64];
    snprintf(label, sizeof label, "episode %d: training", g->episode);
    loop_stage stage = {.file = "source.c",
                        .source = g->source,
                        .length = strlen(g->source),
                        .settings = g->settings,
                        .corpus = g->corpus,
                        .lesson = g->lesson,
                        .tokenizer = g->tokenizer,
                        .ctx = g->ctx,
                        .folder = folder,
                        .label = label,
                        .seed = (uint64_t)g->settings->seed,
                        .stop = g->options->stop,
                        .watch = &g->options->watch};
    if (!loop_stage_run(&stage, result, error))
        return false;
    g->model = result->model;
    describe(g, &stage, result);
    return true;
}

/* Appends the event of what the stage left, or of why it failed. */
static bool note_stage(loop_generator *g, const loop_stage_result *result, const char *failure,
                       base_error *error)
{
    mutation_mutator mutator = evolve_mutator(g->settings);
    base_text held_out = {0}, fidelity = {0};
    score_held_out_print(&result->held_out, &mutator, &held_out);
    score_fidelity_print(&result->fidelity, &fidelity);
    g->trained = loop_stage_event(failure ? LOOP_UNTRAINABLE : LOOP_TRAINED, result, failure);
    g->trained.episode = g->episode;
    g->trained.held_out.text = held_out.data;
    g->trained.fidelity.text = fidelity.data;
    bool ok = held_out.failed || fidelity.failed
                  ? no_memory(g, error)
                  : loop_journal_append(g->journal, &g->trained, error);
    base_text_free(&held_out);
    base_text_free(&fidelity);
    return ok;
}

static bool train_and_note(loop_generator *g, const char *folder, base_error *error)
{
    loop_stage_result result;
    if (!base_file_make_folder(folder, error) ||
        !base_file_write_text(folder, "source.c", g->source, NULL, error))
        return false;
    if (train(g, folder, &result, error))
        return note_stage(g, &result, NULL, error);
    base_error failure = *error;
    return result.diagnostic.failure != LANGUAGE_OK && note_stage(g, &result, failure.text, error);
}

bool loop_generator_train(loop_generator *g, loop_event *event, double *seconds, base_error *error)
{
    bool replayed;
    *seconds = 0;
    bool ok = loop_journal_next(g->journal, LOOP_TRAINED, &g->trained, &replayed, error);
    if (!ok && !replayed) {
        double started = base_clock();
        char *folder = episode_folder(g, error);
        ok = folder && train_and_note(g, folder, error);
        base_free(folder);
        *seconds = base_clock() - started;
    }
    g->is_trained = ok && g->trained.kind == LOOP_TRAINED;
    *event = g->trained;
    return ok;
}

/* ---- the model ---- */

/* Whether a file of the model folder is the one that the journal names. */
static bool is_recorded(const loop_generator *g, const char *folder, const char *name,
                        const char *recorded, base_error *error)
{
    char hash[BASE_HASH_TEXT];
    char *path = base_file_path(folder, name);
    bool ok =
        path ? base_file_hash(path, hash, error) &&
                   (strcmp(hash, recorded) == 0 ||
                    base_fail(error, "%s: is not the file that the journal names: it was changed",
                              path))
             : no_memory(g, error);
    base_free(path);
    return ok;
}

/* The model of a training that was replayed, from the folder of its episode. */
static t5_model *saved_model(const loop_generator *g, base_error *error)
{
    char *folder = episode_folder(g, error);
    char *path = folder ? base_file_path(folder, "model") : NULL;
    t5_model *model = NULL;
    if (folder && !path)
        no_memory(g, error);
    else if (path && is_recorded(g, path, "config.json", g->trained.config, error) &&
             is_recorded(g, path, "model.safetensors", g->trained.weights, error))
        model = t5_folder_read(g->ctx, path, false, NULL, error);
    base_free(path);
    base_free(folder);
    return model;
}

/* The model that the source defines, with its first weights. */
static t5_model *first_model(const loop_generator *g, base_error *error)
{
    t5_config config;
    language_diagnostic diagnostic;
    if (source_run_model("source.c", g->source, strlen(g->source), g->settings,
                         t5_tokenizer_size(g->tokenizer), &config, NULL,
                         &diagnostic) != LANGUAGE_OK) {
        base_fail(error, "the source does not run: %s", diagnostic.text);
        return NULL;
    }
    t5_model *model = t5_model_new(g->ctx, &config, false, error);
    if (model)
        source_init_model(model, g->settings, (uint64_t)g->settings->seed);
    return model;
}

t5_model *loop_generator_model(loop_generator *g, base_error *error)
{
    if (!g->model)
        g->model = g->is_trained ? saved_model(g, error) : first_model(g, error);
    return g->model;
}
