/* SPDX-License-Identifier: MIT */
/* plain_training.h -- the papers' training as a loop in C over t5_step(), nn_optimizer_step() and
 * nn_schedule_factor(): what the default source has to do, to the bit. */
#ifndef TEST_PLAIN_TRAINING_H
#define TEST_PLAIN_TRAINING_H

#include "evolve/config.h"
#include "evolve/source/host.h"
#include "tests/test.h"
#include <stdlib.h>
#include <string.h>

enum { PLAIN_STEPS = 64, PLAIN_ROWS = 8192 };

typedef struct plain_training {
    int64_t steps;
    float losses[PLAIN_STEPS];                    /* mean a token, before the step's update */
    double sum[PLAIN_STEPS], tokens[PLAIN_STEPS]; /* of all losses up to that step */
    float *weights;                               /* at the end; the caller frees them */
    size_t size;
} plain_training;

static inline void plain_batch(source_pairs *pairs, const source_plan *plan, const uint32_t *order,
                               int64_t first, int64_t count, t5_batch *batch)
{
    t5_batch_clear(batch);
    for (int64_t i = first; i < first + count && i < plan->count; i++)
        source_pairs_add(pairs, plan->first + order[i], batch, NULL, NULL);
}

/* An epoch's order: the first as it is, the others by Fisher and Yates. */
static inline void plain_order(uint32_t *order, const source_plan *plan, int64_t epoch)
{
    for (int64_t i = 0; i < plan->count; i++)
        order[i] = (uint32_t)i;
    base_random random = {plan->seed, base_random_stream("shuffle", (uint64_t)epoch, 0, 0), 0};
    if (epoch > 0)
        base_random_shuffle(&random, order, (size_t)plan->count, sizeof *order);
}

static inline plain_training plain_train(const char *source, const evolve_settings *settings,
                                         const source_plan *plan)
{
    static float row_loss[PLAIN_ROWS];
    plain_training result = {0};
    base_error error = {""};
    language_diagnostic diagnostic;
    t5_config config;
    t5_batch batch = {0};
    t5_tokenizer *tokenizer = source_tokenizer(settings, &error);
    CHECK(source_run_model("test.c", source, strlen(source), settings, t5_tokenizer_size(tokenizer),
                           &config, NULL, &diagnostic) == LANGUAGE_OK,
          "%s", diagnostic.text);
    tensor_context *ctx = tensor_context_new();
    t5_model *model = t5_model_new(ctx, &config, true, &error);
    source_pairs *pairs = source_pairs_new(settings, tokenizer, &error);
    nn_params *params = t5_model_params(model);
    nn_optimizer_config optimizer_config = evolve_optimizer(settings);
    nn_optimizer *optimizer = nn_optimizer_new(params, &optimizer_config, &error);
    uint32_t *order = malloc((size_t)plan->count * sizeof *order);
    tensor_objective objective = {.smoothing = (float)settings->smoothing};
    int64_t each = (plan->count + settings->batch - 1) / settings->batch, n = 0;
    nn_schedule schedule = evolve_schedule(settings, each * plan->epochs);
    int64_t warmup = schedule.warmup; /* in the place of the first steps of a schedule without */
    schedule.warmup = schedule.kind == NN_INVERSE_SQRT ? warmup : 0;
    double sum = 0, tokens = 0;
    t5_model_init(model, plan->seed);
    for (; n < each * plan->epochs; n++) {
        if (n % each == 0)
            plain_order(order, plan, n / each);
        plain_batch(pairs, plan, order, n % each * settings->batch, settings->batch, &batch);
        nn_zero_grad(params);
        t5_step(model, &batch, &objective, plan->seed,
                base_random_stream("dropout", (uint64_t)n, 0, 0), row_loss);
        double loss = 0;
        for (int i = 0; i < batch.target_rows; i++)
            loss += (double)row_loss[i];
        result.losses[n] = (float)(loss / batch.target_rows);
        result.sum[n] = sum += loss;
        result.tokens[n] = tokens += batch.target_rows;
        float scale =
            settings->clip > 0 ? nn_clip_scale(nn_grad_norm(params), settings->clip) : 1.0f;
        double factor =
            n < warmup ? (double)(n + 1) / (double)warmup : nn_schedule_factor(&schedule, n);
        nn_optimizer_step(optimizer, factor, scale);
    }
    result.steps = n;
    result.size = nn_params_size(params);
    result.weights = malloc(result.size * sizeof(float));
    memcpy(result.weights, nn_params_values(params), result.size * sizeof(float));
    free(order);
    nn_optimizer_free(optimizer);
    t5_batch_free(&batch);
    source_pairs_free(pairs);
    t5_model_free(model);
    tensor_context_free(ctx);
    t5_tokenizer_free(tokenizer);
    return result;
}

#endif
