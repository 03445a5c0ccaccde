/* SPDX-License-Identifier: MIT */
/* winner.c -- the last training is a stage like those of the T5s that write candidates: it keeps checkpoints
 * in the run's folder, its event names its files by their hashes, and where the journal has that event nothing
 * is trained. */
#include "evolve/loop/winner.h"
#include "evolve/source/pairs.h"
#include <string.h>

/* By parts, in the order in which people are told of them. */
static const struct {
    const char *name, *shown;
    source_part part;
} parts[] = {{"training", "training", SOURCE_TRAINING},
             {"validation", "validation", SOURCE_VALIDATION},
             {"held_out", "held out", SOURCE_HELD}};
enum { PARTS = sizeof parts / sizeof *parts };

/* failure: why there is no model; NULL: there is. */
static bool note(loop_journal *journal, int candidate, const loop_stage_result *result,
                 const char *failure, loop_event *event, base_error *error)
{
    base_text measured = {0};
    base_text_print(&measured, "{\"epochs\":%lld,\"kept\":%lld", (long long)result->epochs,
                    (long long)result->lowest);
    for (int i = 0; i < PARTS; i++) {
        base_text_print(&measured, ",\"%s\":", parts[i].name);
        score_texts_print(&result->texts[parts[i].part], &measured);
    }
    base_text_print(&measured, "}");
    *event = loop_stage_event(LOOP_MODEL, result, failure);
    event->candidate = candidate;
    event->measured.text = measured.data;
    bool ok = measured.failed ? base_fail(error, "model: no memory")
                              : loop_journal_append(journal, event, error);
    base_text_free(&measured);
    return ok;
}

/* The stage of an episode, with two differences: its pairs are all of the training part, gone through
 * until the validation part says that is enough; and its model is written and not needed any more. */
bool loop_winner_stage(const loop_options *options, const evolve_settings *settings,
                       const source_texts *texts, const char *source, const char *folder,
                       loop_stage_result *result, base_error *error)
{
    const evolve_settings own = source_settings_of_texts(texts, settings);
    memset(result, 0, sizeof *result);
    t5_tokenizer *tokenizer = source_texts_tokenizer(texts, settings, error);
    tensor_context *ctx = tokenizer ? tensor_context_open((int)options->run.threads, error) : NULL;
    const loop_stage stage = {.file = "source.c",
                              .source = source,
                              .length = strlen(source),
                              .settings = &own,
                              .texts = texts,
                              .tokenizer = tokenizer,
                              .ctx = ctx,
                              .folder = folder,
                              .label = "last source: training on all pairs",
                              .seed = (uint64_t)own.seed,
                              .stop = options->stop,
                              .watch = &options->watch};
    bool trained = ctx && loop_stage_run(&stage, result, error);
    if (trained)
        t5_model_free(result->model);
    result->model = NULL;
    tensor_context_free(ctx);
    t5_tokenizer_free(tokenizer);
    return trained;
}

/* From the event alone, so that a resumed run prints what the first one did. */
static bool describe(const loop_event *event, const evolve_settings *settings, base_text *text,
                     base_error *error)
{
    const base_json *measured = event->measured.value;
    int64_t epochs, kept;
    if (event->untrainable) {
        base_text_print(text, "\nno model/: the last source cannot be trained on all pairs: %s\n",
                        event->untrainable);
        return true;
    }
    if (!base_json_get_int(measured, "epochs", 0, 1000000, &epochs, "measured", error) ||
        !base_json_get_int(measured, "kept", 0, 1000000, &kept, "measured", error))
        return false;
    base_text_print(
        text,
        "\nmodel/: the last source's T5, trained on the training part: %lld of at most %lld "
        "epochs, the weights are those after epoch %lld\n",
        (long long)epochs, (long long)settings->final_epochs, (long long)kept + 1);
    for (int i = 0; i < PARTS; i++) {
        score_texts part;
        if (!score_texts_read(&part, base_json_get(measured, parts[i].name), error))
            return false;
        score_texts_describe(parts[i].shown, &part, text);
    }
    return true;
}

/* Three ways: the journal has the event; the training succeeds, or the source is to blame for its
 * failure, which is an outcome and is noted; or it is interrupted or the machine fails, and nothing is
 * noted. */
bool loop_winner_train(const loop_options *options, const evolve_settings *settings,
                       const source_texts *texts, loop_journal *journal, int candidate,
                       const char *source, base_text *text, base_error *error)
{
    loop_event event;
    bool replayed;
    bool ok = loop_journal_next(journal, LOOP_MODEL, &event, &replayed, error);
    if (!ok && !replayed) {
        loop_stage_result result;
        bool trained =
            loop_winner_stage(options, settings, texts, source, options->folder, &result, error);
        base_error failure = *error;
        ok = (trained || result.diagnostic.failure != LANGUAGE_OK) &&
             note(journal, candidate, &result, trained ? NULL : failure.text, &event, error);
    }
    return ok && describe(&event, settings, text, error);
}
