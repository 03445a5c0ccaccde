/* SPDX-License-Identifier: MIT */
/* train.c -- phoenix train: one training, without the loop around it. A T5's is a training stage of
 * a run: it keeps checkpoints, and the same command goes on from the last of them. A network's is
 * that of a run's last comparison: on the whole training set, measured on the test set. */
#include "base/file.h"
#include "base/folder.h"
#include "base/memory.h"
#include "bin/command.h"
#include "bin/progress.h"
#include "base/number.h"
#include "evolve/score/evaluate.h"
#include "evolve/source/host.h"
#include "evolve/loop/stage.h"
#include "evolve/loop/tell.h"
#include "evolve/source/pairs.h"
#include "evolve/task.h"
#include "evolve/uses.h"
#include "vision/model.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Trains, measures, and prints what came of it. An interrupted training is resumed by the same
 * command: its checkpoint is in the folder. */
static int train(const char *file, const char *source, size_t length,
                 const evolve_settings *settings, const source_texts *texts,
                 const source_corpus *corpus, const t5_tokenizer *tokenizer, const char *out,
                 const evolve_options *options)
{
    base_error error;
    base_folder folder;
    tensor_context *ctx = NULL;
    if (!base_folder_begin(&folder, out, &error) ||
        !(ctx = tensor_context_open((int)options->threads, &error))) {
        base_folder_abandon(&folder);
        return complain(EXIT_FAILED, "%s", error.text);
    }
    loop_watch watch = progress_watch(options->quiet);
    loop_stage stage = {.file = file,
                        .source = source,
                        .length = length,
                        .settings = settings,
                        .texts = texts,
                        .corpus = corpus,
                        .tokenizer = tokenizer,
                        .ctx = ctx,
                        .folder = folder.path,
                        .out = folder.staged,
                        .label = "training",
                        .seed = (uint64_t)settings->seed,
                        .stop = stop_on_signals(),
                        .watch = &watch};
    loop_stage_result result;
    int code = EXIT_DONE;
    const bool trained = loop_stage_run(&stage, &result, &error);
    if (trained && base_folder_commit(&folder, &error)) {
        base_text text = {0};
        base_text_print(
            &text, "%lld parameters, %lld steps, %.4g operations, last loss %.4f nats a token\n",
            (long long)result.parameters, (long long)result.steps, (double)result.flops,
            result.last_loss);
        if (!texts)
            loop_tell_measures(&watch, settings, 0);
        loop_stage_describe(&stage, &result, &text);
        if (texts) {
            base_text_print(&text, "use it: ");
            command_hint(&text, "generate", out, " FILE|- [--lines]\n");
        }
        if (!text.failed)
            watch.say(watch.user, text.data);
        base_text_free(&text);
    } else if (*error.text) {
        const char *snippet = result.diagnostic.snippet;
        code = complain(result.diagnostic.failure ? EXIT_SOURCE : EXIT_FAILED, "%s%s%s", error.text,
                        *snippet ? "\n" : "", snippet);
    } else {
        code = complain(EXIT_INTERRUPTED, "interrupted; the same command goes on from here");
    }
    base_folder_abandon(&folder);
    if (trained)
        t5_model_free(result.model);
    tensor_context_free(ctx);
    return code;
}

/* On refinements, or on pairs of one's own. */
static int train_t5(const char *file, const char *source, size_t length,
                    const evolve_settings *settings, const evolve_options *options, const char *out)
{
    base_error error;
    evolve_settings own = *settings;
    source_texts *texts = NULL;
    source_corpus *corpus = NULL;
    if (evolve_task_has_pairs(settings) && settings->epochs != 1)
        return complain(EXIT_USAGE,
                        "--epochs: pairs of one's own are gone through --final-epochs times");
    bool ok = source_texts_of_task(settings, options, &texts, &error);
    if (texts)
        own = source_settings_of_texts(texts, settings);
    ok = ok && source_corpus_of_run(&own, options, &corpus, &error);
    t5_tokenizer *tokenizer = ok ? source_stage_tokenizer(texts, corpus, &own, &error) : NULL;
    int code = tokenizer ? train(file, source, length, &own, texts, corpus, tokenizer, out, options)
                         : complain(EXIT_FAILED, "%s", error.text);
    t5_tokenizer_free(tokenizer);
    source_corpus_free(corpus);
    source_texts_free(texts);
    return code;
}

/* ---- a network ---- */

typedef struct watcher {
    loop_watch watch;
    const volatile sig_atomic_t *stop;
} watcher;

static bool on_step(void *user, int64_t step, int64_t steps, double loss)
{
    const watcher *w = user;
    char detail[40];
    base_print(detail, sizeof detail, "loss %.4f", loss);
    w->watch.progress(w->watch.user, "training", step + 1, steps, detail);
    return !*w->stop;
}

/* FOLDER/losses.csv and FOLDER/model. */
static bool write_network(const score_request *request, const score_result *score,
                          base_folder *folder, base_error *error)
{
    char *model = base_file_path(folder->staged, "model");
    const bool ok = (model || base_fail(error, "%s: no memory", folder->path)) &&
                    loop_losses_write(folder->staged, score->losses, score->steps, NULL, error) &&
                    vision_model_store(score->kept, request->text, request->length, model, error) &&
                    base_folder_commit(folder, error);
    base_free(model);
    return ok;
}

/* Of the numbers that a regression was trained on: the unit of its loss is this number's square. */
static double deviation_of(const vision_images *rows)
{
    double mean, squares = vision_squares_about_mean(rows->targets, NULL, rows->count, &mean);
    return squares > 0 ? sqrt(squares / rows->count) : 1;
}

/* By score_of_source(), with the part `final`: what scores candidates trains here as well, on the whole
 * training set, and is asked to keep what it has trained. */
static int train_network(const char *file, const char *source, size_t length,
                         evolve_settings *settings, const evolve_options *options, const char *out)
{
    base_error error;
    language_diagnostic diagnostic;
    vision_set set = {0};
    source_texts *no_texts;
    /* Once more than needed, for the place of a mistake: a result has its line alone. */
    language_program *program = source_parse(file, source, length, &diagnostic);
    if (!program)
        return complain(EXIT_SOURCE, "%s%s%s", diagnostic.text, *diagnostic.snippet ? "\n" : "",
                        diagnostic.snippet);
    language_program_free(program);
    if (!source_texts_of_task(settings, options, &no_texts, &error))
        return complain(EXIT_USAGE, "%s", error.text);
    /* A name that cannot be written to is told of before the training, and not behind it. */
    base_folder folder = {0};
    if (!evolve_task_read(settings, options, &set, &error) ||
        !base_folder_begin(&folder, out, &error) || !base_file_make_folder(folder.staged, &error)) {
        base_folder_abandon(&folder);
        vision_set_free(&set);
        return complain(EXIT_FAILED, "%s", error.text);
    }
    settings->part = EVOLVE_FINAL;
    watcher w = {progress_watch(options->quiet), stop_on_signals()};
    if (*set.note)
        w.watch.say(w.watch.user, set.note);
    const score_request request = {.file = file,
                                   .text = source,
                                   .length = length,
                                   .settings = settings,
                                   .images = &set,
                                   .threads = (int)options->threads,
                                   .keep = true,
                                   .step = on_step,
                                   .user = &w};
    score_result score;
    score_of_source(&request, &score);
    int code = EXIT_DONE;
    if (score.status == SCORE_STOPPED) {
        code = complain(EXIT_INTERRUPTED, "interrupted; nothing was written");
    } else if (score.status != SCORE_OK) {
        code = complain(score.status == SCORE_LOST ? EXIT_FAILED : EXIT_SOURCE, "%s", score.reason);
    } else if (!write_network(&request, &score, &folder, &error)) {
        code = complain(EXIT_FAILED, "%s", error.text);
    } else {
        base_text text = {0};
        const char *noun = set.columns ? "rows" : "images";
        base_text_print(&text, "%lld parameters, %lld steps on %d %s; of %d test %s ",
                        (long long)score.parameters, (long long)score.steps, set.train.count, noun,
                        set.test.count, noun);
        if (set.train.targets)
            base_text_print(&text, "%.2f %% of the variance are explained (R2 %.4f, RMSE %.6g)",
                            100 * (1 - score.score), 1 - score.score,
                            sqrt(score.score_pair) * deviation_of(&set.train));
        else
            base_text_print(&text, "%.2f %% are right (cross-entropy %.4f)",
                            100 * (1 - score.score), score.score_pair);
        base_text_print(&text, "\nuse it: ");
        command_hint(&text, "predict", out, " FILE...\n");
        if (!text.failed)
            w.watch.say(w.watch.user, text.data);
        base_text_free(&text);
    }
    base_folder_abandon(&folder);
    score_free(&score);
    vision_set_free(&set);
    return code;
}

/* ---- the command ---- */

typedef struct request {
    const char *source, *out;
} request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"out", TEXT(out), "folder for model/, losses.csv and checkpoints"},
    {0},
};

static const command_line command = {
    .usage = "phoenix train [SOURCE] --out FOLDER [options]",
    .about = "Trains the model that a source defines (default: the task's default source) on "
             "--samples\npairs, as its train() and data() say if it has them, measures it on "
             "held-out pairs and as a mutator,\nand writes FOLDER/model, which transformers' "
             "T5ForConditionalGeneration loads.\n\n"
             "With --task digits, mnist, ... or images a source defines a network: it is trained "
             "for --final-epochs\non the training set and measured on the test set; phoenix "
             "predict uses FOLDER/model.\n\n"
             "With --corpus FILE|FOLDER the T5 first fills gaps in text of C, --corpus-samples "
             "sequences of it.\n\n"
             "With --pairs FILE the T5 learns pairs of your own: each line {\"source\": TEXT, "
             "\"target\": TEXT}. A\ntenth of them decides when to stop, within --final-epochs, and "
             "a tenth "
             "is held out; loss, tokens and\nwhole texts that are right are measured by these. "
             "There is no "
             "entropy floor and no fidelity: the law of\nsuch pairs is not known.",
    .own = own,
    .run = EVOLVE_OF_THREADS | EVOLVE_OF_IMAGES | EVOLVE_OF_PAIRS | EVOLVE_OF_CORPUS |
           EVOLVE_OF_PROGRESS,
    .preset = "quick",
    .uses = EVOLVE_USES_TRAIN,
    .most_operands = 1,
};

int command_train(int argc, char **argv)
{
    evolve_settings settings = {0};
    evolve_options options = default_options();
    request r = {NULL, NULL};
    const command_values values = {
        .own = &r, .run = &options, .settings = &settings, .operands = &r.source};
    int code = command_read(&command, &values, argc, argv);
    if (code >= 0)
        return code;
    if (!r.out) /* a model without a place to put it would be trained for nothing */
        return complain(EXIT_USAGE, "--out FOLDER was expected");
    base_error error;
    base_text default_source = {0};
    size_t length = 0;
    char *text = r.source ? read_source(r.source, &length, &error) : NULL;
    if (r.source && !text)
        return complain(EXIT_FAILED, "%s", error.text);
    bool network = evolve_subject_of(&settings) == EVOLVE_NETWORKS;
    (network ? source_default_source_of : source_generator_source)(&settings, &default_source);
    const char *source = text ? text : default_source.data;
    length = text ? length : default_source.length;
    const char *file = r.source ? r.source : "default.c";
    code = network ? train_network(file, source, length, &settings, &options, r.out)
                   : train_t5(file, source, length, &settings, &options, r.out);
    base_text_free(&default_source);
    base_free(text);
    return code;
}
