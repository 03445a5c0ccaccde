/* SPDX-License-Identifier: MIT */
/* verify.c -- a run is replayed as a resumption would, read back (lineage.h), and what it says of
 * files, candidates and models is compared with files, candidates and models made anew. What
 * differs is a mismatch, reported and counted; what cannot be compared is an error. */
#include "evolve/report/verify.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/process.h"
#include "base/seal.h"
#include "evolve/source/form.h"
#include "evolve/source/host.h"
#include "evolve/loop/learnt.h"
#include "evolve/loop/manifest.h"
#include "evolve/loop/networks.h"
#include "evolve/loop/run.h"
#include "evolve/loop/scorer.h"
#include "evolve/loop/stage.h"
#include "evolve/loop/winner.h"
#include "evolve/report/lineage.h"
#include "vision/model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct verification {
    const report_verify *verify;
    const char *folder;
    report_lineage *run;
    char *generator;               /* source of the T5, where it is not what evolves; else NULL */
    source_corpus *corpus;         /* of its stages; NULL: none */
    t5_tokenizer *tokenizer;       /* made where a stage is looked at */
    search_experience *experience; /* that the run keeps; NULL: none */
    source_lesson lesson;          /* of the pairs of that stage */
    report_verified *verified;
    base_error *error;
} verification;

static bool fail_memory(verification *v) { return base_fail(v->error, "%s: no memory", v->folder); }

static void mismatch(verification *v, const char *format, ...) BASE_PRINTF(2, 3);

static void mismatch(verification *v, const char *format, ...)
{
    char line[700];
    va_list arguments;
    va_start(arguments, format);
    base_print_list(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    strcat(line, "\n");
    v->verified->mismatches++;
    v->verify->how->watch.say(v->verify->how->watch.user, line);
}

/* ---- files ---- */

/* want: the file's hash in the journal. */
static void hold_file(verification *v, const char *folder, const char *name, const char *want)
{
    char hash[BASE_HASH_TEXT];
    base_error why;
    char *path = base_file_path(folder, name);
    v->verified->files++;
    if (!path)
        mismatch(v, "%s/%s: no memory", folder, name);
    else if (!base_file_hash(path, hash, &why))
        mismatch(v, "%s", why.text);
    else if (strcmp(hash, want) != 0)
        mismatch(v, "%s: is not the file that the run has written: it was changed", path);
    base_free(path);
}

static void hold_text(verification *v, const char *folder, const char *name, const char *text)
{
    char want[BASE_HASH_TEXT];
    base_hash_text(text, strlen(text), want);
    hold_file(v, folder, name, want);
}

/* Every line must be sealed; the file may be missing. */
static void hold_timing(verification *v)
{
    base_error why;
    size_t size, at = 0;
    char *path = base_file_path(v->folder, "timing.jsonl");
    if (path && base_file_exists(path)) {
        char *text = base_file_read(path, (size_t)1 << 28, &size, &why);
        v->verified->files++;
        if (!text)
            mismatch(v, "%s", why.text);
        for (int line = 1; text && at < size; line++) {
            const char *feed = memchr(text + at, '\n', size - at);
            size_t end = feed ? (size_t)(feed - text) : size;
            if (!feed || !base_sealed(text + at, end - at))
                mismatch(v, "%s:%d: the line was changed or torn: its check is wrong", path, line);
            at = end + 1;
        }
        base_free(text);
    }
    base_free(path);
}

/* ---- stages ---- */

static char *episode_folder(const verification *v, int episode)
{
    char name[32];
    snprintf(name, sizeof name, "episode-%d", episode);
    return base_file_path(v->folder, name);
}

/* What a stage trains: the T5 that this source of the run defines, or the one of all episodes. */
static const char *stage_source(const verification *v, int source)
{
    return v->generator ? v->generator : report_lineage_text(v->run, source);
}

static loop_stage stage_in(const verification *v, const char *source, const char *folder,
                           tensor_context *ctx, const char *label)
{
    return (loop_stage){.file = "source.c",
                        .source = source,
                        .length = strlen(source),
                        .settings = &v->run->settings,
                        .corpus = v->corpus,
                        .lesson = &v->lesson,
                        .tokenizer = v->tokenizer,
                        .ctx = ctx,
                        .folder = folder,
                        .label = label,
                        .seed = (uint64_t)v->run->settings.seed,
                        .stop = v->verify->how->stop,
                        .watch = &v->verify->how->watch};
}

/* What the stage of an episode was taught, as the run knew it then. */
static bool teach(verification *v, int episode)
{
    const loop_candidates *all = &v->run->candidates;
    int known = 1;
    while (known < all->count && all->list[known].episode < episode)
        known++;
    return loop_teach(&v->run->settings, v->experience, all->list, known, &v->lesson, v->error);
}

/* The checkpoint of the stage under way, where it is training. */
static bool hold_checkpoint(verification *v)
{
    char *folder = episode_folder(v, v->run->trained_count);
    const char *source = stage_source(v, v->run->last);
    if (!folder)
        return fail_memory(v);
    bool is_there = false, whole = false, ok = teach(v, v->run->trained_count);
    loop_stage stage = stage_in(v, source, folder, NULL, "");
    ok = ok && loop_stage_checkpoint(&stage, &is_there, &whole, v->error);
    if (ok && is_there) {
        v->verified->files++;
        if (!whole)
            mismatch(v,
                     "%s: a checkpoint of the training is not the one that the .sha256 beside it "
                     "names: --resume would begin it anew",
                     folder);
    }
    base_free(folder);
    return ok;
}

static void same_hash(verification *v, const loop_event *event, const char *what, const char *want,
                      const char *hash)
{
    if (strcmp(want, hash) != 0)
        mismatch(v, "episode %d: trained again, %s: recorded %s, now %s", (int)event->episode, what,
                 want, hash);
}

static bool train_in(verification *v, const char *folder, const report_trained *t)
{
    const loop_event *event = &t->event;
    loop_stage_result result;
    char label[64];
    snprintf(label, sizeof label, "episode %d: training", (int)event->episode);
    if ((!v->tokenizer &&
         !(v->tokenizer = source_stage_tokenizer(NULL, v->corpus, &v->run->settings, v->error))) ||
        !teach(v, (int)event->episode))
        return false;
    tensor_context *ctx = tensor_context_open((int)v->verify->how->run.threads, v->error);
    if (!ctx)
        return false;
    loop_stage stage = stage_in(v, stage_source(v, t->source), folder, ctx, label);
    bool ok = loop_stage_run(&stage, &result, v->error);
    if (ok) {
        t5_model_free(result.model);
        v->verified->models++;
        if (event->flops != result.flops)
            mismatch(v, "episode %d: trained again, flops: recorded %lld, now %lld",
                     (int)event->episode, (long long)event->flops, (long long)result.flops);
        same_hash(v, event, "config", event->config, result.hashes[0]);
        same_hash(v, event, "weights", event->weights, result.hashes[1]);
        same_hash(v, event, "tokenizer", event->tokenizer, result.hashes[2]);
        same_hash(v, event, "losses", event->losses, result.losses_hash);
    }
    tensor_context_free(ctx);
    return ok;
}

static bool train_again(verification *v, const report_trained *t)
{
    char folder[512];
    if (!base_temporary_folder("phoenix-verify", folder, sizeof folder, v->error))
        return false;
    bool ok = train_in(v, folder, t);
    base_remove_folder(folder);
    return ok;
}

/* The form of the model's answers, which is a setting of the run. */
static void hold_form(verification *v, const char *model)
{
    evolve_form form;
    base_error why;
    v->verified->files += v->run->settings.form != EVOLVE_PROGRAM;
    if (!source_form_load(&form, model, &why))
        mismatch(v, "%s", why.text);
    else if ((int64_t)form != v->run->settings.form)
        mismatch(v, "%s/form: is not the run's --form", model);
}

/* The files beside the three that the journal names: they follow from the configuration, so they are
 * written again and compared. */
static bool hold_companions(verification *v, const char *model)
{
    char again[512], hash[BASE_HASH_TEXT];
    base_error why;
    t5_config config;
    char *path = base_file_path(model, "config.json");
    if (!path)
        return fail_memory(v);
    const bool known =
        t5_config_read(&config, path, &why); /* if not, that file was named already */
    base_free(path);
    if (!known)
        return true;
    if (!base_temporary_folder("phoenix-verify", again, sizeof again, v->error))
        return false;
    bool ok = t5_folder_write_companions(&config, true, again, v->error);
    for (const char *const *name = t5_folder_companions; ok && *name; name++) {
        path = base_file_path(again, *name);
        ok = (path || fail_memory(v)) && base_file_hash(path, hash, v->error);
        if (ok)
            hold_file(v, model, *name, hash);
        base_free(path);
    }
    base_remove_folder(again);
    return ok;
}

/* The files that a training left, and, where that is asked for, the training itself. */
static bool hold_stage(verification *v, const report_trained *t)
{
    char *folder = episode_folder(v, (int)t->event.episode);
    char *model = folder ? base_file_path(folder, "model") : NULL;
    bool ok = model || fail_memory(v);
    if (ok) {
        hold_text(v, folder, "source.c", stage_source(v, t->source));
        hold_file(v, folder, "losses.csv", t->event.losses);
        hold_file(v, model, "config.json", t->event.config);
        hold_file(v, model, "model.safetensors", t->event.weights);
        hold_file(v, model, "tokenizer.json", t->event.tokenizer);
        hold_form(v, model);
        ok = hold_companions(v, model) && (!v->verify->models || train_again(v, t));
    }
    base_free(folder);
    base_free(model);
    return ok;
}

/* The trained network: the journal names network.json, and that the weights and the source. */
static bool hold_network(verification *v)
{
    if (v->run->kept.count == 0)
        return true;
    const loop_candidate *kept = v->run->kept.list;
    char *folder = base_file_path(v->folder, "model");
    tensor_context *ctx = folder ? tensor_context_open(1, v->error) : NULL;
    bool ok = folder ? ctx != NULL : fail_memory(v);
    if (ok) {
        base_error why;
        vision_model model;
        hold_file(v, folder, "network.json", kept->score.model);
        hold_text(v, folder, "source.c", kept->text);
        v->verified->files++;
        if (vision_model_load(&model, ctx, folder, &why))
            vision_model_free(&model);
        else
            mismatch(v, "%s", why.text);
    }
    tensor_context_free(ctx);
    base_free(folder);
    return ok;
}

/* Those that children began with: the first source's, and those of what became the source. */
static void hold_parents(verification *v)
{
    for (int i = 0; evolve_inherits(&v->run->settings) && i < v->run->candidates.count; i++) {
        const loop_candidate *c = &v->run->candidates.list[i];
        vision_model_files files;
        base_error why;
        size_t size;
        if ((i > 0 && !c->accepted) || !*c->score.model)
            continue;
        v->verified->files++;
        char *network = loop_network_read(v->folder, c->score.model, &size, &files, &why);
        if (!network)
            mismatch(v, "%s", why.text);
        base_free(network);
    }
}

/* The last source's T5 once more, in a folder of its own. */
static bool train_model_again(verification *v)
{
    char folder[512];
    const loop_event *event = &v->run->model;
    const loop_options *how = v->verify->how;
    loop_stage_result result;
    source_texts *texts;
    if (!source_texts_of_task(&v->run->settings, &how->run, &texts, v->error) || !texts)
        return false;
    bool ok = base_temporary_folder("phoenix-verify", folder, sizeof folder, v->error);
    if (ok) {
        ok =
            loop_winner_stage(how, &v->run->settings, texts,
                              report_lineage_text(v->run, v->run->last), folder, &result, v->error);
        base_remove_folder(folder);
    }
    if (ok) {
        static const char *const names[] = {"config", "weights", "tokenizer"};
        const char *want[] = {event->config, event->weights, event->tokenizer};
        v->verified->models++;
        for (int i = 0; i < 3; i++)
            if (strcmp(want[i], result.hashes[i]) != 0)
                mismatch(v, "model: trained again, %s: recorded %s, now %s", names[i], want[i],
                         result.hashes[i]);
    }
    source_texts_free(texts);
    return ok;
}

/* The T5 of the last source, trained on pairs of text, and, where that is asked for, that training. */
static bool hold_model(verification *v)
{
    if (!v->run->has_model)
        return true;
    const loop_event *event = &v->run->model;
    char *model = base_file_path(v->folder, "model");
    if (!model)
        return fail_memory(v);
    hold_file(v, v->folder, "losses.csv", event->losses);
    hold_file(v, model, "config.json", event->config);
    hold_file(v, model, "model.safetensors", event->weights);
    hold_file(v, model, "tokenizer.json", event->tokenizer);
    const bool ok = hold_companions(v, model);
    base_free(model);
    return ok && (!v->verify->models || train_model_again(v));
}

/* ---- candidates ---- */

/* As it is named on the command line. */
static const char *name_of(const verification *v, const loop_candidate *c, char name[REPORT_NAME])
{
    if (c->kind != LOOP_COMPARED && c->kind != LOOP_KEPT)
        return report_lineage_name(v->run, c->number, name);
    if (c->kind == LOOP_KEPT)
        strcpy(name, "model");
    else
        snprintf(name, REPORT_NAME, "compared.%d", 2 * c->seed + (c->number > 0));
    return name;
}

/* Whether a name is in the list of those that are asked for; no list: all are. */
static bool is_chosen(const verification *v, const char *name)
{
    const char *list = v->verify->candidates;
    size_t length = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return !list;
}

/* An outcome for people. */
static void describe(const score_result *score, char text[300])
{
    if (score->status == SCORE_OK)
        base_print(text, 300, "ok %.17g", score->score);
    else
        snprintf(text, 300, "%s: %s", score_status_name(score->status), score->reason);
}

/* The outcome's bytes as the journal has them. One that was taken over from an equal program is
 * recorded without losses. */
static bool bytes_of(const score_result *score, bool reused, base_text *text)
{
    score_result part = *score;
    if (reused)
        part.steps = 0;
    score_members(&part, text);
    return !text->failed;
}

/* The same program must have the same outcome, to the byte of what the journal has of it. */
static bool hold_candidate(verification *v, loop_candidate *recorded, const loop_candidate *now)
{
    char was[300], is[300], name[REPORT_NAME];
    base_text a = {0}, b = {0};
    bool reused = now->reused || recorded->reused;
    if (!score_read_losses(&recorded->score, recorded->json, v->folder, v->error))
        return false;
    bool ok = (bytes_of(&recorded->score, reused, &a) && bytes_of(&now->score, reused, &b)) ||
              fail_memory(v);
    describe(&recorded->score, was);
    describe(&now->score, is);
    name_of(v, now, name);
    v->verified->candidates++;
    if (ok && strcmp(recorded->key, now->key) != 0)
        mismatch(v, "%s: recorded for another program", name);
    else if (ok && strcmp(was, is) != 0)
        mismatch(v, "%s: recorded %s, now %s", name, was, is);
    else if (ok && strcmp(a.data, b.data) != 0)
        mismatch(v, "%s: the same score, other losses or cost", name);
    base_text_free(&a);
    base_text_free(&b);
    return ok;
}

/* Adds those of the list that are to be executed; *named counts all that were asked for. */
static bool choose(verification *v, const loop_candidates *from, loop_candidates *chosen,
                   int *named)
{
    for (int i = 0; i < from->count; i++) {
        const loop_candidate *c = &from->list[i];
        char name[REPORT_NAME];
        if (!c->scored || !is_chosen(v, name_of(v, c, name)))
            continue;
        ++*named;
        if (!loop_candidates_add(chosen, c))
            return fail_memory(v);
    }
    return true;
}

/* Scores copies of the recorded candidates, with nothing of their outcomes, without a journal. */
static bool score_again(verification *v, loop_candidates *recorded, loop_candidates *now)
{
    for (int i = 0; i < recorded->count; i++) {
        loop_candidate again = recorded->list[i];
        again.score = (score_result){0};
        again.reused = false;
        if (!loop_candidates_add(now, &again))
            return fail_memory(v);
    }
    loop_scorer *scorer = loop_scorer_new(NULL, v->verify->how, &v->run->settings);
    bool ok = (scorer || fail_memory(v)) &&
              loop_scorer_score(scorer, "evaluating again", now->list, now->count, v->error);
    for (int i = 0; ok && i < now->count; i++)
        ok = hold_candidate(v, &recorded->list[i], &now->list[i]);
    loop_scorer_free(scorer);
    return ok;
}

static bool execute(verification *v)
{
    loop_candidates recorded = {0}, now = {0};
    int named = 0, wanted = v->verify->candidates ? 1 : 0;
    for (const char *at = v->verify->candidates; at && (at = strchr(at, ',')); at++)
        wanted++;
    bool ok = choose(v, &v->run->candidates, &recorded, &named) &&
              choose(v, &v->run->kept, &recorded, &named) &&
              choose(v, &v->run->compared, &recorded, &named) &&
              (!wanted || named == wanted ||
               base_fail(v->error, "--candidates %s: %d of these names are in the run",
                         v->verify->candidates, named)) &&
              score_again(v, &recorded, &now);
    loop_candidates_free(&recorded);
    loop_candidates_free(&now);
    return ok;
}

/* ---- the whole ---- */

static void say_nothing(void *user, const char *text) { (void)user, (void)text; }

static void no_progress(void *user, const char *what, int64_t done, int64_t total,
                        const char *detail)
{
    (void)user, (void)what, (void)done, (void)total, (void)detail;
}

/* Replays the run as a resumption would, which computes selections and the summary again. */
static bool replay(verification *v)
{
    loop_options how = *v->verify->how;
    how.replay = true;
    how.watch = (loop_watch){say_nothing, no_progress, say_nothing, NULL};
    const evolve_settings none = {0}; /* the manifest has them */
    loop_outcome outcome = loop_run(&none, &how, v->error);
    v->verified->finished = outcome == LOOP_DONE;
    v->verified->files += 2; /* manifest.json, journal.jsonl */
    return outcome != LOOP_FAILED;
}

/* The run's copy of the experience that it began with; the replay has held its digest against the journal's. */
static bool open_experience(verification *v)
{
    if (!loop_experience_kept(v->folder, &v->experience, v->error))
        return false;
    loop_experience_narrow(v->experience, &v->run->settings);
    return true;
}

static bool open_run(verification *v)
{
    if (!replay(v) || !(v->run = report_lineage_read(v->folder, v->error)) || !open_experience(v) ||
        !source_corpus_of_run(&v->run->settings, &v->verify->how->run, &v->corpus, v->error))
        return false;
    if (v->run->subject == EVOLVE_T5S)
        return true;
    base_text generator = {0};
    source_generator_source(&v->run->settings, &generator);
    v->generator = generator.failed ? NULL : base_copy(generator.data, generator.length);
    base_text_free(&generator);
    return v->generator || fail_memory(v);
}

bool report_verify_is_run(const char *folder)
{
    static const char *const names[] = {"manifest.json", "journal.jsonl"};
    bool found = false;
    for (int i = 0; i < 2; i++) {
        char *path = base_file_path(folder, names[i]);
        found = found || (path && base_file_exists(path));
        base_free(path);
    }
    return found;
}

bool report_verify_run(const report_verify *verify, report_verified *verified, base_error *error)
{
    const loop_options how = loop_options_whole(verify->how);
    report_verify whole = *verify;
    whole.how = &how;
    verification v = {.verify = &whole, .folder = how.folder, .verified = verified, .error = error};
    memset(verified, 0, sizeof *verified);
    bool ok = open_run(&v);
    for (int i = 0; ok && i < v.run->trained_count; i++)
        ok = hold_stage(&v, &v.run->trained[i]);
    ok = ok && hold_network(&v) && hold_model(&v);
    if (ok)
        hold_parents(&v);
    if (ok && v.run->finished) {
        hold_file(&v, v.folder, "source.c", v.run->ending.source);
        hold_file(&v, v.folder, "summary.txt", v.run->ending.summary);
    }
    if (ok)
        hold_timing(&v);
    bool may_train = ok && !verified->finished && v.run->trains;
    ok = ok && (!may_train || hold_checkpoint(&v)) && (!verify->execute || execute(&v));
    t5_tokenizer_free(v.tokenizer);
    report_lineage_free(v.run);
    search_experience_free(v.experience);
    source_corpus_free(v.corpus);
    base_free(v.generator);
    return ok;
}
