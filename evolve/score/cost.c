/* SPDX-License-Identifier: MIT */
/* cost.c -- a training gone through without computing: every step of the program, none of its
 * arithmetic. */
#include "evolve/score/cost.h"
#include <inttypes.h>
#include <string.h>

/* Once through the training, each loss and each norm being `assumed`. */
typedef struct passage {
    score_cost cost;
    language_failure failure; /* how it ended, and why */
    language_diagnostic diagnostic;
} passage;

/* Counted before they are asked for: a plan asks for memory, and a machine that has it not would be
 * blamed for a budget. */
static bool weights_fit(const t5_config *config, const evolve_settings *settings, base_error *error)
{
    double bytes = 2.0 * sizeof(float) * (double)t5_config_parameters(config);
    return bytes <= (double)evolve_memory_bytes(settings) ||
           base_fail(error,
                     "its weights and gradients take %.1f MiB: at most %" PRId64 " in this run",
                     bytes / 1048576, settings->memory);
}

static bool go_through(const source_executor *source, const t5_tokenizer *tokenizer,
                       source_pairs *pairs, const evolve_settings *settings, double assumed,
                       passage *p, base_error *error)
{
    const source_plan plan = source_plan_of_pairs(pairs, settings);
    t5_config config;
    t5_model *model = NULL;
    tensor_context *ctx = tensor_context_open(1, error);
    source_host *host = ctx ? source_host_new(settings, t5_tokenizer_size(tokenizer)) : NULL;
    bool ok = host || (ctx && base_fail(error, "no memory for a training"));
    if (ok) {
        tensor_set_planning(ctx, true); /* memory is asked for as ever, and never touched */
        tensor_set_step_limit(ctx, evolve_memory_bytes(settings));
        source_host_assume(host, assumed);
        ok = source_host_model(host, source, "", &config, &p->diagnostic) == LANGUAGE_OK ||
             base_fail(error, "%s", p->diagnostic.text);
    }
    ok = ok && weights_fit(&config, settings, error);
    if (ok && (ok = (model = t5_model_new(ctx, &config, true, error)))) {
        p->failure = source_host_train(host, source, "", model, pairs, &plan, NULL, &p->diagnostic);
        p->cost = (score_cost){.parameters = t5_config_parameters(&config),
                               .steps = source_host_steps(host),
                               .flops = source_host_flops(host)};
        if (p->failure == LANGUAGE_OK)
            p->cost.peak_bytes = (int64_t)(source_host_bytes(host) + tensor_step_peak(ctx));
    }
    source_host_free(host);
    t5_model_free(model);
    tensor_context_free(ctx);
    return ok;
}

bool score_cost_of_source(const source_executor *source, const t5_tokenizer *tokenizer,
                          source_pairs *pairs, const evolve_settings *settings, score_cost *cost,
                          bool *known, base_error *error)
{
    bool own = source_has_train(source) == SOURCE_PRESENT;
    passage small, large;
    if (!go_through(source, tokenizer, pairs, settings, 1e-6, &small, error) ||
        (own && !go_through(source, tokenizer, pairs, settings, 1e6, &large, error)))
        return false;
    if (!own && small.failure == LANGUAGE_LIMIT && source_has_data(source) == SOURCE_ABSENT)
        return base_fail(error, "%s", small.diagnostic.text);
    *cost = small.cost;
    *known = small.failure == LANGUAGE_OK &&
             (!own || (large.failure == LANGUAGE_OK &&
                       memcmp(&small.cost, &large.cost, sizeof small.cost) == 0));
    return true;
}
