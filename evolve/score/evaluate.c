/* SPDX-License-Identifier: MIT */
/* evaluate.c -- a score, from the text of a source to a number: parsed, its model() run, what its
 * training takes held against the budgets by going through it without computing, and only then
 * trained. Whatever goes wrong on the way is a result. */
#include "evolve/score/evaluate.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/number.h"
#include "evolve/score/network.h"
#include "evolve/score/cost.h"
#include "evolve/source/host.h"
#include "evolve/score/native.h"
#include "evolve/source/prequential.h"
#include "evolve/source/pairs.h"
#include "evolve/task.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const score_status status_of[] = {
    [LANGUAGE_OK] = SCORE_OK,   [LANGUAGE_PARSE] = SCORE_PARSE, [LANGUAGE_CHECK] = SCORE_CHECK,
    [LANGUAGE_RUN] = SCORE_RUN, [LANGUAGE_LIMIT] = SCORE_LIMIT,
};

static void end(score_result *score, score_status status, const char *reason)
{
    score->status = status;
    snprintf(score->reason, sizeof score->reason, "%.*s", (int)sizeof score->reason - 1, reason);
}

static void take_losses(score_result *score, const float *losses, int64_t steps)
{
    score->losses = base_malloc(((size_t)steps + 1) * sizeof *losses);
    score->steps = score->losses ? steps : 0;
    if (score->losses && steps > 0)
        memcpy(score->losses, losses, (size_t)steps * sizeof *losses);
    else if (!score->losses)
        end(score, SCORE_LIMIT, "no memory for the losses");
}

/* One evaluation: what there is of it, and how far it is. */
typedef struct evaluation {
    const score_request *request;
    const char *file;
    const evolve_settings *settings;
    source_executor source, interpreted; /* the second to plan with, whoever is the first */
    source_host *host;
    source_plan plan;
    t5_config config;
    tensor_context *ctx;
    t5_model *model;
    source_pairs *pairs;
    score_result *score;
} evaluation;

/* The score; where the goal is lost, the least that it can be. */
static void take_sum(const evaluation *e, const source_sum *sum)
{
    const source_goal *goal = &e->plan.goal;
    char reason[256];
    bool lost = source_goal_lost(goal, sum);
    int64_t pairs =
        lost ? source_scored_of(e->settings, e->plan.first, e->plan.count).count : sum->pairs;
    e->score->score = sum->loss / (double)(lost ? goal->tokens : sum->tokens);
    e->score->score_pair = sum->loss / (double)pairs;
    if (!lost)
        return;
    base_print(reason, sizeof reason,
               "after %" PRId64 " of %" PRId64 " pairs its score can only be %.4f or more",
               sum->pairs, pairs, e->score->score);
    e->score->pairs = sum->pairs;
    end(e->score, SCORE_STOPPED, reason);
}

/* What went wrong in the source. A process that died while it ran it says nothing of the source: it
 * may have been killed, and a compiler's mistake is not the source's. */
static void end_of_source(const evaluation *e, language_failure failure,
                          const language_diagnostic *diagnostic)
{
    const score_native *native = e->request->native;
    bool died = native && native_process_broken(native->talk);
    end(e->score, died ? SCORE_LOST : status_of[failure], diagnostic->text);
}

/* Trains, and takes the score and what it cost. */
static void train(evaluation *e)
{
    score_result *score = e->score;
    source_sum sum;
    language_diagnostic diagnostic;
    language_failure failure = source_host_train(e->host, &e->source, e->file, e->model, e->pairs,
                                                 &e->plan, &sum, &diagnostic);
    if (failure != LANGUAGE_OK) {
        end_of_source(e, failure, &diagnostic);
        return;
    }
    score->flops = source_host_flops(e->host);
    score->peak_bytes = (int64_t)source_host_bytes(e->host);
    take_losses(score, source_host_losses(e->host), source_host_steps(e->host));
    if (score->status == SCORE_OK)
        take_sum(e, &sum);
}

static void build_and_train(evaluation *e)
{
    const evolve_settings *settings = e->settings;
    base_error error;
    e->plan = source_plan_of_pairs(e->pairs, settings);
    e->ctx = tensor_context_open(e->request->threads, &error);
    if (e->ctx)
        tensor_set_step_limit(e->ctx, evolve_memory_bytes(settings));
    if (e->ctx && (e->model = t5_model_new(e->ctx, &e->config, true, &error)) &&
        source_goal_begin(&e->plan.goal, e->request->bound, e->pairs, settings, &error))
        train(e);
    else
        end(e->score, SCORE_LIMIT, error.text);
}

/* What the training would take, against the run's budgets, before any of it is done. (A training of
 * which that cannot be known meets them as it goes.) */
static bool within_budget(const evaluation *e, const t5_tokenizer *tokenizer)
{
    const evolve_settings *settings = e->settings;
    score_cost f;
    base_error error;
    char reason[256];
    bool known;
    if (!score_cost_of_source(&e->interpreted, tokenizer, e->pairs, settings, &f, &known, &error)) {
        end(e->score, SCORE_LIMIT, error.text);
        return false;
    }
    if (!known)
        return true;
    if (f.peak_bytes >> 20 >= settings->memory)
        base_print(reason, sizeof reason,
                   "its training takes %.1f MiB: at most %" PRId64 " in this run",
                   (double)f.peak_bytes / 1048576, settings->memory);
    else if ((double)f.flops > settings->max_flops)
        base_print(reason, sizeof reason,
                   "its training takes %.4g operations: at most %.4g in this "
                   "run",
                   (double)f.flops, settings->max_flops);
    else
        return true;
    end(e->score, SCORE_LIMIT, reason);
    return false;
}

/* Where sources define T5s. */
static void run_source(evaluation *e, const t5_tokenizer *tokenizer)
{
    language_diagnostic diagnostic;
    base_error error;
    e->host = source_host_new(e->settings, t5_tokenizer_size(tokenizer));
    e->pairs = source_pairs_of(e->request->texts, e->settings, tokenizer, &error);
    if (!e->host || !e->pairs) {
        end(e->score, SCORE_LIMIT, "no memory");
        return;
    }
    language_failure failure =
        source_host_model(e->host, &e->source, e->file, &e->config, &diagnostic);
    if (failure != LANGUAGE_OK) {
        end_of_source(e, failure, &diagnostic);
        return;
    }
    e->score->parameters = t5_config_parameters(&e->config);
    if (within_budget(e, tokenizer))
        build_and_train(e);
}

/* Where they define networks for images. */
static void run_network(evaluation *e)
{
    language_diagnostic diagnostic;
    vision_architecture net;
    vision_plan plan;
    base_error error = {""};
    e->host = source_host_new(e->settings, 0);
    if (!e->host) {
        end(e->score, SCORE_LIMIT, "no memory");
        return;
    }
    language_failure failure = source_host_network(e->host, &e->source, e->file, e->request->images,
                                                   &net, &plan, &diagnostic);
    if (failure != LANGUAGE_OK) {
        end_of_source(e, failure, &diagnostic);
        return;
    }
    score_status status = score_of_network(&net, &plan, e->request, e->score, &error);
    if (status != SCORE_OK)
        end(e->score, status, error.text);
}

static void evaluation_free(evaluation *e)
{
    source_host_free(e->host);
    source_pairs_free(e->pairs);
    t5_model_free(e->model);
    tensor_context_free(e->ctx);
}

static void work_out(const score_request *request, score_result *score)
{
    const evolve_settings *settings = request->settings;
    base_error error;
    bool self = evolve_subject_of(settings) == EVOLVE_T5S;
    const source_texts *texts = request->texts;
    evolve_settings full;
    if (texts && settings->part == EVOLVE_FINAL) {
        full = source_settings_of_texts(texts, settings);
        settings = &full;
    }
    t5_tokenizer *tokenizer = self ? source_tokenizer_of(texts, settings, &error) : NULL;
    if (self && !tokenizer) {
        end(score, SCORE_LIMIT, error.text);
        return;
    }
    language_diagnostic diagnostic;
    language_program *program =
        source_parse(request->file, request->text, request->length, &diagnostic);
    if (program) {
        score_native_source native = {request->native, program};
        evaluation e = {.request = request,
                        .file = request->file,
                        .settings = settings,
                        .source = request->native ? score_native_executor(&native)
                                                  : source_interpreter(program),
                        .interpreted = source_interpreter(program),
                        .score = score};
        if (self)
            run_source(&e, tokenizer);
        else
            run_network(&e);
        evaluation_free(&e);
        language_program_free(program);
    } else {
        end(score, status_of[diagnostic.failure], diagnostic.text);
    }
    t5_tokenizer_free(tokenizer);
}

/* A machine that was told to use what it has not, or that computes other bits, has nothing to say of a source. */
static bool can_compute(score_result *score)
{
    base_error error;
    tensor_context *ctx = tensor_context_open(1, &error);
    if (!ctx)
        end(score, SCORE_LOST, error.text);
    tensor_context_free(ctx);
    return ctx != NULL;
}

/* Budgets are counted, so that a source meets them on every machine; what a machine refuses below them
 * is its own affair, whatever was made of it on the way. */
void score_of_source(const score_request *request, score_result *score)
{
    double started = base_clock();
    size_t refusals = base_memory_refusals();
    memset(score, 0, sizeof *score);
    if (can_compute(score))
        work_out(request, score);
    score->seconds = base_clock() - started;
    if (base_memory_refusals() == refusals)
        return;
    score_free(score);
    *score = (score_result){.status = SCORE_LOST, .seconds = score->seconds};
    snprintf(score->reason, sizeof score->reason, "this machine refused memory");
}
