/* stage.c -- see stage.h. */
#include "evolve/stage.h"
#include "base/file.h"
#include "evolve/pool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double checkpoint_seconds = 60;

/* A checkpoint is training.safetensors, and training.sha256 beside it, written second: the hash of
 * the file's hash and of what the training is one of. Where it does not agree (a crash between the
 * two, a flipped bit, another source, other settings) the stage starts anew, to the same end. */
typedef struct checkpoint {
    char *data, *seal;       /* paths */
    char of[BASE_HASH_TEXT]; /* settings, configuration, seed */
} checkpoint;

static bool checkpoint_make(checkpoint *c, const evolve_stage *stage, const t5_config *config,
                            base_error *error)
{
    base_text of = {0};
    evolve_settings_print(stage->settings, &of);
    t5_config_print(config, &of);
    base_text_print(&of, "%llu", (unsigned long long)stage->seed);
    bool ok = !of.failed;
    if (ok)
        base_hash_text(of.data, of.length, c->of);
    base_text_free(&of);
    c->data = base_file_path(stage->folder, "training.safetensors");
    c->seal = base_file_path(stage->folder, "training.sha256");
    return (ok && c->data && c->seal) || base_fail(error, "%s: no memory", stage->folder);
}

static void checkpoint_free(checkpoint *c)
{
    free(c->data);
    free(c->seal);
}

static void seal_of(const checkpoint *c, const char data[BASE_HASH_TEXT], char seal[BASE_HASH_TEXT])
{
    char both[2 * BASE_HASH_TEXT];
    int length = snprintf(both, sizeof both, "%s%s", data, c->of);
    base_hash_text(both, (size_t)length, seal);
}

static bool save_checkpoint(const checkpoint *c, const evolve_training *training, base_error *error)
{
    char hash[BASE_HASH_TEXT], seal[BASE_HASH_TEXT];
    if (!evolve_training_save(training, c->data, hash, error))
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
    free(expected);
    return whole;
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

static void report(const evolve_stage *stage, const evolve_training *training)
{
    int64_t done = evolve_training_done(training);
    char detail[64];
    snprintf(detail, sizeof detail, "loss %.4f",
             mean(evolve_training_losses(training), done > 50 ? done - 50 : 0, done));
    stage->watch->progress(stage->watch->user, stage->label, done, evolve_training_steps(training),
                           detail);
}

static bool train(const evolve_stage *stage, const checkpoint *c, evolve_training *training,
                  base_error *error)
{
    double saved = evolve_clock(), told = 0;
    while (evolve_training_done(training) < evolve_training_steps(training)) {
        if (!evolve_training_step(training, error))
            return false;
        double now = evolve_clock();
        bool stop = stage->stop && *stage->stop;
        if ((stop || now - saved > checkpoint_seconds) && !save_checkpoint(c, training, error))
            return false;
        if (now - saved > checkpoint_seconds)
            saved = now;
        if (stop) {
            error->text[0] = '\0';
            return false;
        }
        if (now - told > 0.25 && evolve_training_done(training) < evolve_training_steps(training)) {
            report(stage, training);
            told = now;
        }
    }
    report(stage, training);
    return true;
}

static bool write_losses(const evolve_stage *stage, const evolve_training *training,
                         base_error *error)
{
    base_text csv = {0};
    base_text_print(&csv, "step,loss\n");
    for (int64_t i = 0; i < evolve_training_done(training); i++)
        base_text_print(&csv, "%lld,%.9g\n", (long long)i + 1,
                        (double)evolve_training_losses(training)[i]);
    char *path = base_file_path(stage->folder, "losses.csv");
    base_bytes part = {csv.data, csv.length};
    bool ok = path && !csv.failed ? base_file_write(path, &part, 1, NULL, error)
                                  : base_fail(error, "%s: no memory", stage->folder);
    free(path);
    base_text_free(&csv);
    return ok;
}

static bool save_model(const evolve_stage *stage, evolve_stage_result *result, base_error *error)
{
    char *path = base_file_path(stage->folder, "model");
    bool ok = path ? t5_folder_write(result->model, stage->tokenizer, path, result->hashes, error)
                   : base_fail(error, "%s: no memory", stage->folder);
    free(path);
    return ok;
}

bool evolve_stage_run(const evolve_stage *stage, const t5_config *config,
                      evolve_stage_result *result, base_error *error)
{
    const evolve_settings *settings = stage->settings;
    evolve_plan plan = {
        .count = settings->samples, .epochs = settings->epochs, .seed = stage->seed};
    memset(result, 0, sizeof *result);
    evolve_pairs *pairs = NULL;
    evolve_training *training = NULL;
    checkpoint c;
    bool ok = checkpoint_make(&c, stage, config, error) &&
              (result->model = t5_model_new(stage->ctx, config, true, error)) &&
              (pairs = evolve_pairs_new(settings, stage->tokenizer, error)) &&
              (training = evolve_training_new(result->model, pairs, settings, &plan, error)) &&
              base_file_make_folder(stage->folder, error) &&
              (!whole_checkpoint(&c) || evolve_training_load(training, c.data, error)) &&
              train(stage, &c, training, error);
    if (ok) {
        result->steps = evolve_training_steps(training);
        result->parameters = t5_config_parameters(config);
        result->last_loss = mean(evolve_training_losses(training),
                                 result->steps - (result->steps + 9) / 10, result->steps);
        ok = evolve_measure_held_out(result->model, pairs, settings, EVOLVE_HELD_OUT,
                                     settings->held_out, &result->held_out, error) &&
             evolve_measure_fidelity(result->model, stage->tokenizer, settings, settings->fidelity,
                                     &result->fidelity, error) &&
             write_losses(stage, training, error) && save_model(stage, result, error);
    }
    if (ok)
        drop_checkpoint(&c);
    checkpoint_free(&c);
    evolve_training_free(training);
    evolve_pairs_free(pairs);
    if (!ok && result->model) {
        t5_model_free(result->model);
        result->model = NULL;
    }
    return ok;
}
