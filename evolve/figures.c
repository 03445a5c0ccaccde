/* figures.c -- see figures.h. */
#include "evolve/figures.h"
#include "evolve/tally.h"

typedef struct stepping {
    evolve_training *training;
    base_error *error;
    bool ok;
} stepping;

static void all_steps(void *argument)
{
    stepping *s = argument;
    while (s->ok && evolve_training_done(s->training) < evolve_training_steps(s->training))
        s->ok = evolve_training_step(s->training, s->error);
}

bool evolve_figures_of(const t5_config *config, evolve_pairs *pairs,
                       const evolve_settings *settings, evolve_figures *figures, base_error *error)
{
    const evolve_plan plan = {.first = (uint64_t)settings->first_pair,
                              .count = settings->few_shot,
                              .epochs = 1,
                              .seed = (uint64_t)settings->seed};
    tensor_context *ctx = tensor_context_new();
    t5_model *model = NULL;
    evolve_training *training = NULL;
    bool ok = ctx != NULL;
    if (ok) { /* memory for results is asked for as always, and never touched */
        uint64_t most = (uint64_t)settings->memory << 20;
        tensor_set_planning(ctx, true);
        tensor_set_step_limit(ctx, most < SIZE_MAX ? (size_t)most : SIZE_MAX);
    } else
        base_fail(error, "no memory, or PHOENIX_KERNEL names a set that is not here");
    ok = ok && (model = t5_model_new(ctx, config, true, error)) &&
         (training = evolve_training_new(model, pairs, settings, &plan, error));
    stepping s = {training, error, ok};
    char reason[256];
    if (ok && !tensor_guarded(ctx, all_steps, &s, reason))
        s.ok = base_fail(error, "%s", reason);
    if (ok && (ok = s.ok))
        *figures = (evolve_figures){.parameters = t5_config_parameters(config),
                                    .steps = evolve_training_steps(training),
                                    .flops = evolve_training_flops(training),
                                    .peak_bytes = (int64_t)evolve_training_bytes(training)};
    evolve_training_free(training);
    if (model)
        t5_model_free(model);
    if (ctx)
        tensor_context_free(ctx);
    return ok;
}
