/* evaluate.c -- see evaluate.h. */
#include "evolve/evaluate.h"
#include "base/hash.h"
#include "evolve/host.h"
#include "evolve/journal.h"
#include "evolve/native.h"
#include "evolve/pool.h"
#include "evolve/sandbox.h"
#include "evolve/train.h"
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [EVOLVE_OK] = "ok",       [EVOLVE_PARSE] = "parse", [EVOLVE_CHECK] = "check",
    [EVOLVE_RUN] = "run",     [EVOLVE_LIMIT] = "limit", [EVOLVE_TIMEOUT] = "deadline",
    [EVOLVE_CRASH] = "crash",
};

const char *evolve_status_name(evolve_status status)
{
    return names[status];
}

static const evolve_status status_of[] = {
    [REFINE_OK] = EVOLVE_OK,   [REFINE_PARSE] = EVOLVE_PARSE, [REFINE_CHECK] = EVOLVE_CHECK,
    [REFINE_RUN] = EVOLVE_RUN, [REFINE_LIMIT] = EVOLVE_LIMIT,
};

static void end(evolve_score *score, evolve_status status, const char *reason)
{
    score->status = status;
    snprintf(score->reason, sizeof score->reason, "%.*s", (int)sizeof score->reason - 1, reason);
}

/* Where an arena at its limit ends up. */
typedef struct escape {
    jmp_buf to;
    char reason[256];
} escape;

static void escape_from_step(void *user, const char *operation, const char *message)
{
    escape *e = user;
    snprintf(e->reason, sizeof e->reason, "%.40s: %.200s", operation, message);
    longjmp(e->to, 1);
}

static void take_figures(const evolve_training *training, evolve_score *score)
{
    score->score = evolve_training_score(training);
    score->score_pair = evolve_training_score_pair(training);
    score->flops = evolve_training_flops(training);
    score->peak_bytes = (int64_t)evolve_training_bytes(training);
    size_t bytes = (size_t)score->steps * sizeof *score->losses;
    score->losses = malloc(bytes);
    if (score->losses)
        memcpy(score->losses, evolve_training_losses(training), bytes);
    else
        end(score, EVOLVE_LIMIT, "no memory for the losses");
}

static void train(evolve_training *training, tensor_context *ctx, evolve_score *score)
{
    escape e;
    base_error error;
    if (setjmp(e.to) != 0) {
        tensor_step_end(ctx);
        end(score, EVOLVE_LIMIT, e.reason);
        return;
    }
    tensor_set_failure_handler(ctx, escape_from_step, &e);
    score->steps = evolve_training_steps(training);
    while (evolve_training_done(training) < score->steps) {
        if (!evolve_training_step(training, &error)) {
            end(score, EVOLVE_LIMIT, error.text);
            return;
        }
        if (!isfinite(evolve_training_score(training))) {
            end(score, EVOLVE_RUN, "the loss is not a number");
            return;
        }
    }
    take_figures(training, score);
}

static void build_and_train(const t5_config *config, const t5_tokenizer *tokenizer,
                            const evolve_settings *settings, int threads, evolve_score *score)
{
    base_error error = {"no memory, or PHOENIX_KERNEL names a set that is not here"};
    tensor_context *ctx = tensor_context_new();
    t5_model *model = NULL;
    evolve_pairs *pairs = NULL;
    evolve_training *training = NULL;
    evolve_plan plan = {.first = (uint64_t)settings->first_pair,
                        .count = settings->few_shot,
                        .epochs = 1,
                        .seed = (uint64_t)settings->seed};
    if (ctx) {
        tensor_set_threads(ctx, threads);
        uint64_t most = (uint64_t)settings->memory << 20;
        tensor_set_step_limit(ctx, most < SIZE_MAX ? (size_t)most : SIZE_MAX);
    }
    if (ctx && (model = t5_model_new(ctx, config, true, &error)) &&
        (pairs = evolve_pairs_new(settings, tokenizer, &error)) &&
        (training = evolve_training_new(model, pairs, settings, &plan, &error)))
        train(training, ctx, score);
    else
        end(score, EVOLVE_LIMIT, error.text);
    evolve_training_free(training);
    evolve_pairs_free(pairs);
    if (model)
        t5_model_free(model);
    if (ctx)
        tensor_context_free(ctx);
}

void evolve_evaluate(const char *file, const char *text, size_t length,
                     const evolve_settings *settings, int threads, evolve_score *score)
{
    double started = evolve_clock();
    memset(score, 0, sizeof *score);
    base_error error;
    t5_tokenizer *tokenizer = evolve_tokenizer(settings, &error);
    if (!tokenizer) {
        end(score, EVOLVE_LIMIT, error.text);
        return;
    }
    t5_config config;
    refine_diagnostic diagnostic;
    refine_failure failure = evolve_run_model(
        file, text, length, settings, t5_tokenizer_size(tokenizer), &config, NULL, &diagnostic);
    if (failure != REFINE_OK) {
        bool died = settings->native && refine_process_broken(settings->native->talk);
        end(score, died ? EVOLVE_CRASH : status_of[failure], diagnostic.text);
    } else {
        score->parameters = t5_config_parameters(&config);
        build_and_train(&config, tokenizer, settings, threads, score);
    }
    t5_tokenizer_free(tokenizer);
    score->seconds = evolve_clock() - started;
}

void evolve_score_free(evolve_score *score)
{
    free(score->losses);
    score->losses = NULL;
}

void evolve_score_members(const evolve_score *score, base_text *text)
{
    base_text_print(text, "\"status\":\"%s\",\"reason\":", names[score->status]);
    base_json_put_string(text, score->reason, strlen(score->reason));
    base_text_print(text,
                    ",\"parameters\":%" PRId64 ",\"flops\":%" PRId64 ",\"peak_bytes\":%" PRId64,
                    score->parameters, score->flops, score->peak_bytes);
    if (score->status != EVOLVE_OK)
        return;
    base_text_print(text, ",\"score\":");
    base_json_put_number(text, score->score);
    base_text_print(text, ",\"score_pair\":");
    base_json_put_number(text, score->score_pair);
    base_text_print(text, ",\"losses\":[");
    for (int64_t i = 0; i < score->steps; i++)
        base_text_print(text, "%s%.9g", i ? "," : "", (double)score->losses[i]);
    base_text_print(text, "]");
}

static bool read_losses(evolve_score *score, const base_json *object, const char *origin,
                        base_error *error)
{
    const base_json *losses = base_json_get(object, "losses");
    if (!losses || losses->kind != BASE_JSON_ARRAY)
        return base_fail(error, "%s: expected an array \"losses\"", origin);
    score->steps = (int64_t)losses->length;
    score->losses = malloc((losses->length + 1) * sizeof *score->losses);
    if (!score->losses)
        return base_fail(error, "%s: no memory", origin);
    int64_t i = 0;
    for (const base_json *loss = losses->child; loss; loss = loss->next, i++) {
        if (loss->kind != BASE_JSON_NUMBER)
            return base_fail(error, "%s: expected numbers in \"losses\"", origin);
        score->losses[i] = (float)loss->number;
    }
    return true;
}

bool evolve_score_read(evolve_score *score, const base_json *object, const char *origin,
                       base_error *error)
{
    memset(score, 0, sizeof *score);
    const char *status, *reason;
    if (!base_json_get_string(object, "status", &status, origin, error) ||
        !base_json_get_string(object, "reason", &reason, origin, error) ||
        !base_json_get_int(object, "parameters", 0, INT64_MAX, &score->parameters, origin, error) ||
        !base_json_get_int(object, "flops", 0, INT64_MAX, &score->flops, origin, error) ||
        !base_json_get_int(object, "peak_bytes", 0, INT64_MAX, &score->peak_bytes, origin, error))
        return false;
    int s = 0;
    while (s < EVOLVE_STATUSES && strcmp(names[s], status) != 0)
        s++;
    if (s == EVOLVE_STATUSES)
        return base_fail(error, "%s: \"%s\" is no status", origin, status);
    end(score, (evolve_status)s, reason);
    if (s != EVOLVE_OK)
        return true;
    return base_json_get_number(object, "score", &score->score, origin, error) &&
           base_json_get_number(object, "score_pair", &score->score_pair, origin, error) &&
           read_losses(score, object, origin, error);
}

void evolve_result_print(const evolve_score *score, const char *text, size_t length,
                         base_text *line)
{
    char hash[BASE_HASH_TEXT];
    base_hash_text(text, length, hash);
    base_text_print(line, "{\"source\":\"%s\",", hash);
    evolve_score_members(score, line);
    base_text_print(line, "}");
    evolve_seal(line);
    if (!line->failed)
        line->data[--line->length] = '\0';
    base_text_print(line, ",\"seconds\":%.3f", score->seconds);
    if (score->executor)
        base_text_print(line, ",\"executor\":\"%s\"", score->executor);
    if (score->sandbox)
        base_text_print(line, ",\"sandbox\":\"%s\"", score->sandbox);
    base_text_print(line, "}\n");
}

/* Cuts `,"seconds":...}` off the end, so that what remains is the sealed object. Inside a string
 * its quotes would be escaped. */
static bool sealed_part(const char *line, size_t length, base_text *object)
{
    static const char member[] = ",\"seconds\":";
    size_t at = length >= sizeof member ? length - sizeof member + 1 : 0;
    while (at > 0 && strncmp(line + at, member, sizeof member - 1) != 0)
        at--;
    if (at == 0)
        return false;
    base_text_add(object, line, at);
    base_text_print(object, "}");
    return !object->failed && evolve_sealed(object->data, object->length);
}

bool evolve_result_read(evolve_score *score, const char *output, size_t size, const char *text,
                        size_t length, base_error *error)
{
    const char *origin = "worker's result";
    memset(score, 0, sizeof *score);
    const char *feed = output ? memchr(output, '\n', size) : NULL;
    if (!feed || (size_t)(feed - output) + 1 != size)
        return base_fail(error, "expected one line, one JSON object");
    base_text object = {0};
    bool whole = sealed_part(output, size - 1, &object);
    base_text_free(&object);
    if (!whole)
        return base_fail(error, "expected a sealed JSON object");
    base_json *json = base_json_parse(output, size - 1, origin, error);
    if (!json)
        return false;
    char hash[BASE_HASH_TEXT];
    const char *source;
    evolve_sandbox_level level = EVOLVE_SANDBOX_BEST;
    const base_json *sandbox = base_json_get(json, "sandbox");
    base_hash_text(text, length, hash);
    bool ok =
        base_json_get_string(json, "source", &source, origin, error) &&
        (strcmp(source, hash) == 0 || base_fail(error, "%s: it is another source's", origin)) &&
        evolve_score_read(score, json, origin, error);
    if (sandbox && sandbox->kind == BASE_JSON_STRING &&
        evolve_sandbox_read(sandbox->string, &level, NULL) && level != EVOLVE_SANDBOX_BEST)
        score->sandbox = evolve_sandbox_name(level);
    if (!ok)
        evolve_score_free(score);
    base_json_free(json);
    return ok;
}
