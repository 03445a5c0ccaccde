/* cost.c -- see cost.h. */
#include "evolve/score/cost.h"
#include "evolve/source/prequential.h"

typedef struct stepping {
    source_training *training;
    base_error *error;
    bool ok;
} stepping;

static void all_steps(void *argument)
{
    stepping *s = argument;
    while (s->ok && source_training_done(s->training) < source_training_steps(s->training))
        s->ok = source_training_step(s->training, s->error);
}

static source_plan plan_of(const evolve_settings *settings)
{
    return (source_plan){.first = (uint64_t)settings->first_pair,
                         .count = settings->few_shot,
                         .epochs = 1,
                         .seed = (uint64_t)settings->seed};
}

/* Memory for results is asked for as always, and never touched. NULL: error says why. */
static tensor_context *planning_context(const evolve_settings *settings, base_error *error)
{
    tensor_context *ctx = tensor_context_open(1, error);
    if (!ctx)
        return NULL;
    tensor_set_planning(ctx, true);
    tensor_set_step_limit(ctx, evolve_memory_bytes(settings));
    return ctx;
}

bool score_cost_of(const t5_config *config, source_pairs *pairs, const evolve_settings *settings,
                   score_cost *figures, base_error *error)
{
    const source_plan plan = plan_of(settings);
    tensor_context *ctx = planning_context(settings, error);
    t5_model *model = NULL;
    source_training *training = NULL;
    bool ok = ctx && (model = t5_model_new(ctx, config, true, error)) &&
              (training = source_training_new(model, pairs, settings, &plan, error));
    stepping s = {training, error, ok};
    char reason[256];
    if (ok && !tensor_guarded(ctx, all_steps, &s, reason))
        s.ok = base_fail(error, "%s", reason);
    if (ok && (ok = s.ok))
        *figures = (score_cost){.parameters = t5_config_parameters(config),
                                .steps = source_training_steps(training),
                                .flops = source_training_flops(training),
                                .peak_bytes = (int64_t)source_training_bytes(training)};
    source_training_free(training);
    t5_model_free(model);
    tensor_context_free(ctx);
    return ok;
}

/* One way through the source's training. *ended: it came to its end. */
static bool go_through(const source_executor *source, const t5_config *config, source_pairs *pairs,
                       const evolve_settings *settings, double told, score_cost *figures,
                       bool *ended, base_error *error)
{
    const source_plan plan = plan_of(settings);
    language_diagnostic diagnostic;
    t5_config same;
    bool trains;
    tensor_context *ctx = planning_context(settings, error);
    source_host *host = ctx ? source_host_new(settings, config->vocab_size) : NULL;
    t5_model *model = host ? t5_model_new(ctx, config, true, error) : NULL;
    if (ctx && !host)
        base_fail(error, "no memory");
    if (model) {
        source_host_pretend(host, told);
        *ended = source_host_model(host, source, "", &same, &trains, &diagnostic) == LANGUAGE_OK &&
                 source_host_train(host, source, "", model, pairs, &plan, NULL, &diagnostic) ==
                     LANGUAGE_OK;
        *figures = (score_cost){.parameters = t5_config_parameters(config),
                                .steps = source_host_steps(host),
                                .flops = source_host_flops(host)};
        if (*ended)
            figures->peak_bytes = (int64_t)(source_host_bytes(host) + tensor_step_peak(ctx));
    }
    bool ok = model != NULL;
    source_host_free(host);
    t5_model_free(model);
    tensor_context_free(ctx);
    return ok;
}

bool score_cost_of_source(const source_executor *source, const t5_config *config, bool trains,
                          source_pairs *pairs, const evolve_settings *settings, score_cost *figures,
                          bool *known, base_error *error)
{
    score_cost other;
    bool ended[2];
    *known = true;
    if (!trains)
        return score_cost_of(config, pairs, settings, figures, error);
    if (!go_through(source, config, pairs, settings, 1e-6, figures, &ended[0], error) ||
        !go_through(source, config, pairs, settings, 1e6, &other, &ended[1], error))
        return false;
    *known = ended[0] && ended[1] && figures->steps == other.steps &&
             figures->flops == other.flops && figures->peak_bytes == other.peak_bytes;
    return true;
}
