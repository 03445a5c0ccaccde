/* SPDX-License-Identifier: MIT */
/* test_stage.c -- a training stage that is interrupted again and again ends with the same
 * files as one that never was; a checkpoint that is damaged, or of something else, is not used. */
#include "evolve/loop/stage.h"
#include "evolve/source/host.h"
#include "tests/evolve/test_evolve.h"

static volatile sig_atomic_t stop;
static int64_t least_done; /* pairs, as first reported: one batch, or behind a checkpoint */

static void say(void *user, const char *text) { (void)user, (void)text; }

static void progress(void *user, const char *what, int64_t done, int64_t total, const char *detail)
{
    (void)user, (void)what, (void)total, (void)detail;
    if (least_done == 0)
        least_done = done;
}

typedef struct bench {
    evolve_settings settings;
    tensor_context *ctx;
    t5_tokenizer *tokenizer;
    char source[4096];
    t5_config config;
} bench;

static void set_source(bench *b, const char *source)
{
    language_diagnostic diagnostic;
    snprintf(b->source, sizeof b->source, "%s", source);
    CHECK(source_run_model("test.c", source, strlen(source), &b->settings,
                           t5_tokenizer_size(b->tokenizer), &b->config, NULL,
                           &diagnostic) == LANGUAGE_OK,
          "%s", diagnostic.text);
}

static bench bench_new(int d_ff)
{
    base_error error = {""};
    bench b = {.settings = tiny_settings(), .ctx = tensor_context_new()};
    b.tokenizer = source_tokenizer(&b.settings, &error);
    CHECK(b.ctx && b.tokenizer, "%s", error.text);
    set_source(&b, tiny_source(d_ff, ""));
    return b;
}

static void bench_free(bench *b)
{
    t5_tokenizer_free(b->tokenizer);
    tensor_context_free(b->ctx);
}

static bool run(const bench *b, const char *folder, loop_stage_result *result, base_error *error)
{
    static const loop_watch watch = {say, progress, say, NULL};
    loop_stage stage = tiny_stage(&b->settings, b->source, b->tokenizer, b->ctx, folder);
    stage.stop = &stop;
    stage.watch = &watch;
    least_done = 0;
    strcpy(error->text, "not set");
    bool ok = loop_stage_run(&stage, result, error);
    CHECK(ok == (result->model != NULL), "a model: %d", result->model != NULL);
    if (result->model)
        t5_model_free(result->model);
    return ok;
}

static void same_results(const char *a, const char *b)
{
    static const char *const names[] = {"losses.csv", "model/config.json",
                                        "model/model.safetensors", "model/tokenizer.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char paths[2][1024];
        snprintf(paths[0], sizeof paths[0], "%s/%s", a, names[i]);
        snprintf(paths[1], sizeof paths[1], "%s/%s", b, names[i]);
        CHECK(same_files(paths[0], paths[1]), "%s differs", names[i]);
    }
}

/* The stop flag is looked at after each step: a run that finds it set goes one step further. */
static void interrupt(const bench *b, const char *folder, int64_t after)
{
    base_error error;
    loop_stage_result result;
    stop = 1;
    for (int64_t i = 0; i < after; i++)
        CHECK(!run(b, folder, &result, &error) && !*error.text, "interrupted: %s", error.text);
    stop = 0;
}

/* Whether the folder has a checkpoint of the bench's stage, and a whole one. */
static void checkpoint_is(const bench *b, const char *folder, bool is_there, bool whole)
{
    base_error error = {""};
    bool got_there, got_whole;
    const loop_stage stage = {.source = b->source,
                              .length = strlen(b->source),
                              .settings = &b->settings,
                              .folder = folder,
                              .seed = 5};
    CHECK(loop_stage_checkpoint(&stage, &got_there, &got_whole, &error) && got_there == is_there &&
              got_whole == whole,
          "%s: there: %d, whole: %d %s", folder, got_there, got_whole, error.text);
}

static bool is_there(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return base_file_exists(path);
}

static void interruptions_change_nothing(void)
{
    base_error error;
    loop_stage_result whole, result;
    bench b = bench_new(64);
    CHECK(run(&b, at("whole"), &whole, &error), "%s", error.text);
    CHECK(whole.steps == 8 && whole.parameters == t5_config_parameters(&b.config) &&
              whole.held_out.all.pairs == 16 && whole.fidelity.samples == 16,
          "%d steps, %d pairs, %d samples", (int)whole.steps, (int)whole.held_out.all.pairs,
          whole.fidelity.samples);
    CHECK(!is_there(at("whole"), "training.safetensors") &&
              !is_there(at("whole"), "training.sha256"),
          "the checkpoint is still there");
    for (int i = 0; i < 3; i++) {
        char hash[BASE_HASH_TEXT];
        static const char *const names[] = {"whole/model/config.json",
                                            "whole/model/model.safetensors",
                                            "whole/model/tokenizer.json"};
        CHECK(base_file_hash(at(names[i]), hash, &error) && strcmp(hash, whole.hashes[i]) == 0,
              "%s: the hash is another", names[i]);
    }

    interrupt(&b, at("often"), 8);
    CHECK(is_there(at("often"), "training.safetensors") && is_there(at("often"), "training.sha256"),
          "no checkpoint");
    CHECK(run(&b, at("often"), &result, &error), "%s", error.text);
    same_results(at("whole"), at("often"));
    CHECK(!is_there(at("often"), "training.safetensors"), "the checkpoint is still there");
    CHECK(memcmp(&result.held_out, &whole.held_out, sizeof whole.held_out) == 0 &&
              result.last_loss == whole.last_loss && result.steps == whole.steps,
          "other measurements");

    char hash[BASE_HASH_TEXT];
    CHECK(base_file_hash(at("whole/losses.csv"), hash, &error) &&
              strcmp(hash, whole.losses_hash) == 0,
          "losses.csv: the hash is another");

    interrupt(&b, at("once"), 3);
    checkpoint_is(&b, at("once"), true, true);
    CHECK(run(&b, at("once"), &result, &error), "%s", error.text);
    CHECK(least_done == 4 * 8, "it went on behind pair %d", (int)least_done);
    same_results(at("whole"), at("once"));
    checkpoint_is(&b, at("once"), false, false);
    bench_free(&b);
}

/* A checkpoint with one bit changed, or cut off: the stage starts anew, and ends the same. */
static void damaged_checkpoints_are_not_used(void)
{
    base_error error;
    loop_stage_result result;
    bench b = bench_new(64);
    CHECK(run(&b, at("first"), &result, &error), "%s", error.text);
    static const char *const names[] = {"damaged/training.safetensors", "damaged/training.sha256"};
    for (int which = 0; which < 2; which++)
        for (int way = 0; way < 4; way++) {
            size_t size;
            interrupt(&b, at("damaged"), 2);
            char *bytes = slurp(at(names[which]), &size);
            CHECK(size > 0, "no checkpoint");
            if (way == 0)
                unlink(at(names[which]));
            else if (way == 1)
                spill(at(names[which]), bytes, size / 2);
            else {
                bytes[way == 2 ? size / 2 : size - 1] ^= 1;
                spill(at(names[which]), bytes, size);
            }
            free(bytes);
            checkpoint_is(&b, at("damaged"), which != 0 || way != 0, false);
            CHECK(run(&b, at("damaged"), &result, &error), "%s", error.text);
            CHECK(least_done == 8, "damage %d of %s: it went on behind pair %d", way, names[which],
                  (int)least_done);
            same_results(at("first"), at("damaged"));
        }
    bench_free(&b);
}

/* A folder with another training's checkpoint: other settings, another source of the same size. */
static void other_checkpoints_are_not_used(void)
{
    base_error error;
    loop_stage_result result;
    bench b = bench_new(64), other = bench_new(64);
    other.settings.rate = 0.002;
    CHECK(run(&b, at("mine"), &result, &error), "%s", error.text);
    interrupt(&other, at("theirs"), 3);
    CHECK(run(&b, at("theirs"), &result, &error), "%s", error.text);
    CHECK(least_done == 8, "other settings: it went on behind pair %d", (int)least_done);
    same_results(at("mine"), at("theirs"));

    interrupt(&other, at("theirs"), 3);
    set_source(&other, tiny_source(64, "    config.layer_norm_epsilon *= 2;\n"));
    CHECK(run(&other, at("theirs"), &result, &error), "%s", error.text);
    CHECK(least_done == 8, "another source: it went on behind pair %d", (int)least_done);

    bench larger = bench_new(80);
    interrupt(&larger, at("theirs"), 3);
    CHECK(run(&b, at("theirs"), &result, &error), "%s", error.text);
    same_results(at("mine"), at("theirs"));
    bench_free(&b);
    bench_free(&other);
    bench_free(&larger);
}

static void what_cannot_be_written_is_an_error(void)
{
    base_error error;
    loop_stage_result result;
    bench b = bench_new(64);
    spill(at("file"), "x", 1);
    CHECK(!run(&b, at("file"), &result, &error) && strstr(error.text, "file"), "%s", error.text);
    mkdir(at("taken"), 0777);
    mkdir(at("taken/losses.csv"), 0777);
    CHECK(!run(&b, at("taken"), &result, &error) && strstr(error.text, "losses.csv"), "%s",
          error.text);
    stop = 1;
    mkdir(at("taken/training.safetensors"), 0777);
    CHECK(!run(&b, at("taken"), &result, &error) && strstr(error.text, "training.safetensors"),
          "%s", error.text);
    stop = 0;
    bench_free(&b);
}

/* ---- sources that train themselves ---- */

/* The default training, left out and written out, once over the pairs and twice: the same files.
 * And so it is when it is interrupted after every step. */
static void a_source_may_train_itself(int64_t epochs)
{
    base_error error;
    loop_stage_result mine, theirs;
    bench b = bench_new(64);
    b.settings.epochs = epochs;
    CHECK(run(&b, at("left-out"), &theirs, &error), "%s", error.text);
    base_text whole = {0};
    base_text_print(&whole, "%s", b.source);
    source_default_data(&b.settings, &whole);
    source_default_training(&b.settings, &whole);
    set_source(&b, whole.data);
    CHECK(run(&b, at("written"), &mine, &error), "%s", error.text);
    same_results(at("left-out"), at("written"));
    CHECK(mine.steps == 8 * epochs && mine.steps == theirs.steps &&
              mine.last_loss == theirs.last_loss && mine.flops == theirs.flops,
          "%d steps: other measurements", (int)mine.steps);
    interrupt(&b, at("written-often"), 8 * epochs - 1);
    checkpoint_is(&b, at("written-often"), true, true);
    CHECK(run(&b, at("written-often"), &mine, &error), "%s", error.text);
    CHECK(least_done == 8 * 8 * epochs - 1, "it went on behind pair %d", (int)least_done);
    same_results(at("left-out"), at("written-often"));
    base_text_free(&whole);
    bench_free(&b);
}

static void what_a_source_cannot_do_is_its_fault(void)
{
    static const struct {
        const char *code, *reason;
        language_failure failure;
    } cases[] = {
        {"void train(t5 *model, dataset *data)\n{\n    clip(model, -1.0 * size(data));\n}\n",
         "norm", LANGUAGE_RUN},
        {"void train(t5 *model, dataset *data)\n{\n    while (size(data) > 0)\n"
         "        clip(model, 1.0);\n}\n",
         "", LANGUAGE_LIMIT},
        {"int data(void)\n{\n    return 1;\n}\n", "data", LANGUAGE_CHECK},
        {"dataset *data(void)\n{\n", "", LANGUAGE_PARSE},
    };
    bench b = bench_new(64);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_error error;
        loop_stage_result result;
        snprintf(b.source, sizeof b.source, "%s\n%s", tiny_source(64, ""), cases[i].code);
        CHECK(!run(&b, at("wrong"), &result, &error), "case %zu trains", i);
        CHECK(result.diagnostic.failure == cases[i].failure && strstr(error.text, cases[i].reason),
              "case %zu: %d, %s", i, (int)result.diagnostic.failure, error.text);
    }
    bench_free(&b);
}

/* Too little memory is one line, and the next try, with enough of it, ends as any other. */
static void too_little_memory_is_an_error(void)
{
    base_error error;
    loop_stage_result result;
    bench b = bench_new(64);
    CHECK(run(&b, at("enough"), &result, &error), "%s", error.text);
    tensor_context_free(b.ctx);
    b.ctx = tensor_context_new();
    tensor_set_step_limit(b.ctx, 100000);
    CHECK(!run(&b, at("little"), &result, &error) && strncmp(error.text, "test: ", 6) == 0 &&
              strstr(error.text, "step memory: ") && result.diagnostic.failure == LANGUAGE_OK &&
              !strchr(error.text, '\n'),
          "%s", error.text);
    tensor_set_step_limit(b.ctx, 0);
    CHECK(run(&b, at("little"), &result, &error), "%s", error.text);
    same_results(at("enough"), at("little"));
    bench_free(&b);
}

int main(void)
{
    if (!scratch_make()) {
        SKIP("no folder can be made");
        return test_end();
    }
    interruptions_change_nothing();
    damaged_checkpoints_are_not_used();
    other_checkpoints_are_not_used();
    what_cannot_be_written_is_an_error();
    a_source_may_train_itself(1);
    a_source_may_train_itself(2);
    what_a_source_cannot_do_is_its_fault();
    too_little_memory_is_an_error();
    remove_all(scratch);
    return test_end();
}
