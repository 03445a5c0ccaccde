/* train.c -- phoenix train: one training stage, without the loop around it. It keeps checkpoints as
 * a run's does, and the same command goes on from the last of them. */
#include "base/file.h"
#include "bin/command.h"
#include "bin/progress.h"
#include "evolve/source/host.h"
#include "evolve/loop/stage.h"
#include "evolve/task.h"
#include <stdio.h>
#include <stdlib.h>

/* Trains, measures, and prints what came of it. An interrupted training is resumed by the same
 * command: its checkpoint is in the folder. */
static int train(const char *file, const char *source, size_t length,
                 const evolve_settings *settings, const t5_tokenizer *tokenizer, const char *out,
                 int threads)
{
    base_error error;
    tensor_context *ctx = tensor_context_open(threads, &error);
    if (!ctx)
        return complain(EXIT_FAILED, "%s", error.text);
    loop_watch watch = progress_watch(false);
    loop_stage stage = {.file = file,
                        .source = source,
                        .length = length,
                        .settings = settings,
                        .tokenizer = tokenizer,
                        .ctx = ctx,
                        .folder = out,
                        .label = "training",
                        .seed = (uint64_t)settings->seed,
                        .stop = stop_on_signals(),
                        .watch = &watch};
    loop_stage_result result;
    int code = EXIT_DONE;
    if (loop_stage_run(&stage, &result, &error)) {
        base_text text = {0};
        base_text_print(&text, "%lld parameters, %lld steps, last loss %.4f nats a token\n",
                        (long long)result.parameters, (long long)result.steps, result.last_loss);
        mutation_mutator mutator = evolve_mutator(settings);
        score_held_out_describe(&result.held_out, &mutator, &text);
        score_fidelity_describe(&result.fidelity, &text);
        if (!text.failed)
            watch.say(watch.user, text.data);
        base_text_free(&text);
        t5_model_free(result.model);
    } else if (*error.text) {
        const char *snippet = result.diagnostic.snippet;
        code = complain(result.diagnostic.failure ? EXIT_SOURCE : EXIT_FAILED, "%s%s%s", error.text,
                        *snippet ? "\n" : "", snippet);
    } else {
        code = complain(EXIT_FAILED, "interrupted; the same command goes on from here");
    }
    tensor_context_free(ctx);
    return code;
}

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
    .about = "Trains the model that a source defines (default: the papers' default source) on "
             "--samples\npairs, as its train() and data() say if it has them, measures it on "
             "held-out pairs and as a mutator,\nand writes FOLDER/model, which transformers' "
             "T5ForConditionalGeneration loads.",
    .own = own,
    .run = EVOLVE_OF_THREADS,
    .preset = "quick",
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
    source_generator_source(&settings, &default_source);
    const char *source = text ? text : default_source.data;
    length = text ? length : default_source.length;
    t5_tokenizer *tokenizer = source_tokenizer(&settings, &error);
    if (tokenizer)
        code = train(r.source ? r.source : "default.c", source, length, &settings, tokenizer, r.out,
                     (int)options.threads);
    else
        code = complain(EXIT_FAILED, "%s", error.text);
    t5_tokenizer_free(tokenizer);
    base_text_free(&default_source);
    free(text);
    return code;
}
