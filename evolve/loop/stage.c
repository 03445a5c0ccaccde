/* SPDX-License-Identifier: MIT */
/* stage.c -- a run that is killed loses a minute of training at most: a checkpoint counts only where
 * a second file names its hash, and the training that goes on from it ends with the same bytes
 * (evolve/source/training.c). */
#include "evolve/loop/stage.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "evolve/source/form.h"
#include "evolve/source/host.h"
#include "evolve/task.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double checkpoint_seconds = 60;

/* Of a checkpoint, by what is trained on. */
static const char on_corpus[] = "corpus", on_pairs[] = "training";

/* A checkpoint is training.safetensors, and training.sha256 beside it, written second: the hash of
 * the file's hash and of what the training is one of. Where it does not agree (a crash between the
 * two, a flipped bit, another source, other settings) the stage starts anew, to the same end. That of a
 * corpus stays until the stage has ended. */
typedef struct checkpoint {
    char *data, *seal;       /* paths */
    char of[BASE_HASH_TEXT]; /* settings, source, seed, corpus, lesson */
} checkpoint;

/* folder/name.ending; malloc'ed, NULL: no memory. */
static char *path_in(const char *folder, const char *name, const char *ending)
{
    char file[32];
    snprintf(file, sizeof file, "%s.%s", name, ending);
    return base_file_path(folder, file);
}

static bool checkpoint_make(checkpoint *c, const loop_stage *stage, const char *name,
                            base_error *error)
{
    const mutation_mutator mutator = evolve_mutator(stage->settings);
    base_text of = {0};
    evolve_settings_print(stage->settings, &of);
    base_text_add(&of, stage->source, stage->length);
    base_text_print(&of, "%llu%s", (unsigned long long)stage->seed,
                    stage->texts ? stage->texts->hash : "");
    if (stage->corpus)
        base_text_print(&of, " %s", stage->corpus->hash);
    const source_lesson *lesson = stage->lesson;
    for (int i = 0; lesson && lesson->is_weighted && i < 2 * mutator.edits; i++)
        base_text_print(&of, " %.17g", lesson->weight[i]);
    for (int i = 0; lesson && i < lesson->winner_count; i++)
        base_text_print(&of, "%s%s", lesson->winner[i].source, lesson->winner[i].refined);
    bool ok = !of.failed;
    if (ok)
        base_hash_text(of.data, of.length, c->of);
    base_text_free(&of);
    c->data = path_in(stage->folder, name, "safetensors");
    c->seal = path_in(stage->folder, name, "sha256");
    return (ok && c->data && c->seal) || base_fail(error, "%s: no memory", stage->folder);
}

static void checkpoint_free(checkpoint *c)
{
    base_free(c->data);
    base_free(c->seal);
}

static void seal_of(const checkpoint *c, const char data[BASE_HASH_TEXT], char seal[BASE_HASH_TEXT])
{
    char both[2 * BASE_HASH_TEXT];
    int length = snprintf(both, sizeof both, "%s%s", data, c->of);
    base_hash_text(both, (size_t)length, seal);
}

static bool save_checkpoint(const checkpoint *c, const source_host *host, base_error *error)
{
    char hash[BASE_HASH_TEXT], seal[BASE_HASH_TEXT];
    if (!source_checkpoint_save(host, c->data, hash, error))
        return false;
    seal_of(c, hash, seal);
    base_bytes part = {seal, BASE_HASH_TEXT - 1};
    return base_file_write(c->seal, &part, 1, NULL, error);
}

static bool whole_checkpoint(const checkpoint *c)
{
    size_t size;
    char hash[BASE_HASH_TEXT], seal[BASE_HASH_TEXT];
    char *expected = base_file_exists(c->data) && base_file_exists(c->seal)
                         ? base_file_read(c->seal, BASE_HASH_TEXT, &size, NULL)
                         : NULL;
    bool whole = expected && base_file_hash(c->data, hash, NULL);
    if (whole) {
        seal_of(c, hash, seal);
        whole = strcmp(seal, expected) == 0;
    }
    base_free(expected);
    return whole;
}

bool loop_stage_checkpoint(const loop_stage *stage, bool *is_there, bool *whole, base_error *error)
{
    const char *const names[] = {on_corpus, on_pairs};
    bool ok = true;
    *is_there = false;
    *whole = true;
    for (int i = 0; ok && i < 2; i++) {
        checkpoint c;
        ok = checkpoint_make(&c, stage, names[i], error);
        const bool there = ok && base_file_exists(c.data);
        *is_there = *is_there || there;
        *whole = *whole && (!there || whole_checkpoint(&c));
        checkpoint_free(&c);
    }
    *whole = ok && *is_there && *whole;
    return ok;
}

static void drop_checkpoint(const checkpoint *c)
{
    unlink(c->seal);
    unlink(c->data);
}

static double mean(const float *losses, int64_t from, int64_t to)
{
    double sum = 0;
    for (int64_t i = from; i < to; i++)
        sum += (double)losses[i];
    return to > from ? sum / (double)(to - from) : 0;
}

/* ---- a training under way ---- */

typedef struct stage_training {
    const loop_stage *stage;
    const char *name;  /* of its checkpoint */
    const char *label; /* for progress */
    source_pairs *pairs;
    language_program *program;
    source_host *host;
    t5_config config;
    checkpoint checkpoint;
    checkpoint corpus;      /* that of the training before, if there is one */
    double saved, reported; /* when */
    bool halted;            /* by *stop, or by an error */
    base_error *error;
} stage_training;

/* At most four times a second, and at the end. */
static void report(stage_training *t, int64_t done, int64_t total)
{
    double now = base_clock();
    if (done < total && now - t->reported <= 0.25)
        return;
    t->reported = now;
    char detail[64];
    int64_t steps = source_host_steps(t->host);
    base_print(detail, sizeof detail, "loss %.4f",
               mean(source_host_losses(t->host), steps > 50 ? steps - 50 : 0, steps));
    t->stage->watch->progress(t->stage->watch->user, t->label, done, total, detail);
}

/* That of a corpus is kept from its last step on: what comes behind it may be interrupted as well. */
static bool on_step(void *user, int64_t taken, int64_t total)
{
    stage_training *t = user;
    double now = base_clock();
    bool stop = t->stage->stop && *t->stage->stop;
    if (stop)
        t->error->text[0] = '\0';
    if (stop || now - t->saved > checkpoint_seconds || (t->name == on_corpus && taken == total)) {
        t->halted = !save_checkpoint(&t->checkpoint, t->host, t->error) || stop;
        t->saved = now;
    }
    if (!t->halted)
        report(t, taken < total ? taken : total - 1,
               total); /* train() says when it is at its end */
    return !t->halted;
}

static bool train_by(stage_training *t, const source_plan *plan, loop_stage_result *result,
                     base_error *error)
{
    const loop_stage *stage = t->stage;
    source_executor source = source_interpreter(t->program);
    language_diagnostic *diagnostic = &result->diagnostic;
    const checkpoint *c = &t->checkpoint;
    if (!checkpoint_make(&t->checkpoint, stage, t->name, error) ||
        (whole_checkpoint(c) && !source_checkpoint_resume(t->host, c->data, error)))
        return false;
    t->error = error;
    t->saved = base_clock();
    size_t refusals = base_memory_refusals();
    source_host_observe(t->host, (source_observer){on_step, t});
    diagnostic->failure = source_host_train(t->host, &source, stage->file, result->model, t->pairs,
                                            plan, NULL, diagnostic);
    if (diagnostic->failure == LANGUAGE_OK) {
        int64_t total = plan->count * plan->epochs;
        report(t, total, total);
        return true;
    }
    /* Where the source leaves all to the default, a limit that is met is the machine's; so is memory
     * that was refused. */
    bool own =
        source_has_train(&source) == SOURCE_PRESENT || source_has_data(&source) == SOURCE_PRESENT;
    bool machine =
        base_memory_refusals() != refusals || (!own && diagnostic->failure == LANGUAGE_LIMIT);
    if (!t->halted)
        base_fail(error, "%s%s%s", machine ? t->label : "", machine ? ": " : "", diagnostic->text);
    if (t->halted || machine)
        diagnostic->failure = LANGUAGE_OK;
    return false;
}

static bool run_training(stage_training *t, loop_stage_result *result, base_error *error)
{
    const loop_stage *stage = t->stage;
    source_plan plan = stage->texts
                           ? source_plan_of_texts(stage->texts, stage->settings, stage->seed)
                           : (source_plan){.count = stage->settings->samples,
                                           .epochs = stage->settings->epochs,
                                           .seed = stage->seed};
    plan.goes_on = stage->corpus != NULL;
    return train_by(t, &plan, result, error);
}

/* ---- what it leaves ---- */

bool loop_losses_write(const char *folder, const float *losses, int64_t steps, char *hash,
                       base_error *error)
{
    base_text csv = {0};
    base_text_print(&csv, "step,loss\n");
    for (int64_t i = 0; i < steps; i++)
        base_text_print(&csv, "%lld,%.9g\n", (long long)i + 1, (double)losses[i]);
    bool ok = base_file_write_text(folder, "losses.csv", csv.failed ? NULL : csv.data, hash, error);
    base_text_free(&csv);
    return ok;
}

static bool save(const stage_training *t, loop_stage_result *result, base_error *error)
{
    const loop_stage *stage = t->stage;
    const char *out = stage->out ? stage->out : stage->folder;
    char *path = base_file_path(out, "model");
    bool ok =
        path
            ? base_file_make_folder(out, error) &&
                  loop_losses_write(out, source_host_losses(t->host), result->steps,
                                    result->losses_hash, error) &&
                  t5_folder_write(result->model, stage->tokenizer, path, result->hashes, error) &&
                  source_form_save(stage->texts ? EVOLVE_PLAIN : (evolve_form)stage->settings->form,
                                   path, error)
            : base_fail(error, "%s: no memory", out);
    base_free(path);
    return ok;
}

/* Runs the source's model(). */
static bool make_host(stage_training *t, loop_stage_result *result, base_error *error)
{
    const loop_stage *stage = t->stage;
    language_diagnostic *diagnostic = &result->diagnostic;
    t->host = source_host_new(stage->settings, t5_tokenizer_size(stage->tokenizer));
    if (!t->host)
        return base_fail(error, "%s: no memory", stage->file);
    source_executor source = source_interpreter(t->program);
    diagnostic->failure = source_host_model(t->host, &source, stage->file, &t->config, diagnostic);
    return diagnostic->failure == LANGUAGE_OK || base_fail(error, "%s", diagnostic->text);
}

static bool read_source(stage_training *t, loop_stage_result *result, base_error *error)
{
    const loop_stage *stage = t->stage;
    t->program = source_parse(stage->file, stage->source, stage->length, &result->diagnostic);
    return t->program ? make_host(t, result, error)
                      : base_fail(error, "%s", result->diagnostic.text);
}

/* The mean over the last tenth of a training's steps. */
static double last_loss(const source_host *host)
{
    int64_t steps = source_host_steps(host);
    return mean(source_host_losses(host), steps - (steps + 9) / 10, steps);
}

/* The training that comes first: by the source's train() and data() as well, whose pairs are sequences of the corpus. What
 * follows is another training, but for the weights: optimizer and schedule begin anew. */
static bool pretrain(stage_training *t, loop_stage_result *result, base_error *error)
{
    const loop_stage *stage = t->stage;
    char label[64];
    snprintf(label, sizeof label, "%.40s on the corpus", stage->label);
    stage_training own = {.stage = stage, .name = on_corpus, .label = label, .program = t->program};
    const source_plan plan = {
        .count = stage->settings->corpus_samples, .epochs = 1, .seed = stage->seed};
    bool ok = make_host(&own, result, error) &&
              (own.pairs = source_pairs_of_corpus(stage->corpus, stage->settings, stage->tokenizer,
                                                  error)) &&
              train_by(&own, &plan, result, error);
    if (ok) {
        result->corpus_flops = source_host_flops(own.host);
        result->corpus_loss = last_loss(own.host);
    }
    t->corpus = own.checkpoint;
    source_pairs_free(own.pairs);
    source_host_free(own.host);
    return ok;
}

/* The training part by its first pairs, as many as are held out. */
static bool measure_texts(stage_training *t, loop_stage_result *result, base_error *error)
{
    static const uint64_t first[SOURCE_PARTS] = {[SOURCE_HELD] = SOURCE_HELD_OUT,
                                                 [SOURCE_VALIDATION] = SOURCE_DECIDING,
                                                 [SOURCE_TRAINING] = 0};
    const source_texts *texts = t->stage->texts;
    int64_t most = source_texts_count(texts, SOURCE_HELD);
    bool ok = true;
    source_host_epochs(t->host, &result->epochs, &result->lowest);
    for (int part = 0; ok && part < SOURCE_PARTS; part++) {
        int64_t count = source_texts_count(texts, (source_part)part);
        ok = score_measure_texts(result->model, t->pairs, first[part],
                                 part == SOURCE_TRAINING && count > most ? most : count,
                                 &result->texts[part], error);
    }
    return ok;
}

static bool measure_refinements(stage_training *t, loop_stage_result *result, base_error *error)
{
    const evolve_settings *settings = t->stage->settings;
    mutation_mutator mutator = evolve_mutator(settings);
    const source_lesson *lesson = t->stage->lesson;
    mutator.weight = lesson && lesson->is_weighted ? lesson->weight : NULL;
    return score_measure_held_out(result->model, t->pairs, &mutator, SOURCE_HELD_OUT,
                                  settings->held_out, &result->held_out, error) &&
           score_measure_fidelity(result->model, t->stage->tokenizer, settings, &mutator,
                                  settings->fidelity, &result->fidelity, error);
}

static bool measure(stage_training *t, loop_stage_result *result, base_error *error)
{
    const loop_stage *stage = t->stage;
    stage->watch->progress(stage->watch->user, "measuring what it has learnt", 0, 0, "");
    result->steps = source_host_steps(t->host);
    result->parameters = t5_config_parameters(&t->config);
    result->flops = result->corpus_flops + source_host_flops(t->host);
    result->last_loss = last_loss(t->host);
    return (stage->texts ? measure_texts : measure_refinements)(t, result, error) &&
           save(t, result, error);
}

/* A part of the stage that needs memory for tensors. */
typedef bool stage_part(stage_training *t, loop_stage_result *result, base_error *error);

typedef struct work {
    stage_part *part;
    stage_training *t;
    loop_stage_result *result;
    base_error *error;
    bool ok;
} work;

static void do_work(void *argument)
{
    work *w = argument;
    w->ok = w->part(w->t, w->result, w->error);
}

/* A machine that has not the memory is an error, and not the end of the program. */
static bool within_memory(stage_part *part, stage_training *t, loop_stage_result *result,
                          base_error *error)
{
    char reason[256];
    work w = {part, t, result, error, false};
    if (tensor_guarded(t->stage->ctx, do_work, &w, reason))
        return w.ok;
    return base_fail(error, "%s: %s", t->stage->label, reason);
}

bool loop_stage_run(const loop_stage *stage, loop_stage_result *result, base_error *error)
{
    stage_training t = {.stage = stage, .name = on_pairs, .label = stage->label};
    memset(result, 0, sizeof *result);
    bool ok = read_source(&t, result, error) && base_file_make_folder(stage->folder, error) &&
              (result->model = t5_model_new(stage->ctx, &t.config, true, error)) &&
              (!stage->corpus || within_memory(pretrain, &t, result, error)) &&
              (t.pairs = source_pairs_of(stage->texts, stage->settings, stage->tokenizer, error)) &&
              (source_pairs_teach(t.pairs, stage->lesson), true) &&
              within_memory(run_training, &t, result, error) &&
              within_memory(measure, &t, result, error);
    if (ok)
        drop_checkpoint(&t.checkpoint);
    if (ok && stage->corpus)
        drop_checkpoint(&t.corpus);
    checkpoint_free(&t.checkpoint);
    checkpoint_free(&t.corpus);
    source_pairs_free(t.pairs);
    source_host_free(t.host);
    language_program_free(t.program);
    if (!ok && result->model) {
        t5_model_free(result->model);
        result->model = NULL;
    }
    return ok;
}

loop_event loop_stage_event(loop_kind kind, const loop_stage_result *result, const char *failure)
{
    return (loop_event){.kind = kind,
                        .untrainable = failure,
                        .losses = result->losses_hash,
                        .parameters = result->parameters,
                        .steps = result->steps,
                        .flops = result->flops,
                        .corpus_flops = result->corpus_flops,
                        .corpus_loss = result->corpus_loss,
                        .loss = result->last_loss,
                        .config = result->hashes[0],
                        .weights = result->hashes[1],
                        .tokenizer = result->hashes[2]};
}

void loop_stage_describe(const loop_stage *stage, const loop_stage_result *result, base_text *text)
{
    static const char *const names[SOURCE_PARTS] = {"held out", "validation", "training"};
    mutation_mutator mutator = evolve_mutator(stage->settings);
    if (stage->corpus) {
        source_corpus_describe(stage->corpus, stage->settings, text);
        base_text_print(text,
                        "  %.4g of the training's %.4g operations, last loss %.4f nats a token\n",
                        (double)result->corpus_flops, (double)result->flops, result->corpus_loss);
    }
    if (!stage->texts) {
        score_held_out_describe(&result->held_out, &mutator, text);
        score_fidelity_describe(&result->fidelity, text);
        return;
    }
    base_text_print(text, "%lld of at most %lld epochs; the weights are those after epoch %lld\n",
                    (long long)result->epochs, (long long)stage->settings->final_epochs,
                    (long long)result->lowest + 1);
    for (int part = SOURCE_PARTS - 1; part >= 0; part--)
        score_texts_describe(names[part], &result->texts[part], text);
    base_text_print(
        text,
        "  pairs of one's own have no entropy floor and no fidelity: their law is not known\n");
}
