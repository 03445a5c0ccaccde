/* SPDX-License-Identifier: MIT */
/* optimizer.c -- SGD, RMSprop, Adam, AdamW, plain and scaled, and Adafactor.
 *
 * The first four treat each parameter by itself. Parameters, gradients and state stand in blocks of
 * the same order, so a step is one loop over the blocks, cut into chunks for the threads, with a
 * kernel (tensor/kernel.h) on each. The scaled AdamW has a rate for each tensor, so there a thread
 * takes tensors. Adafactor looks at whole matrices: adafactor.c. */
#include "nn/adafactor.h"
#include "base/memory.h"
#include "nn/optimizer.h"

#include "base/math.h"
#include "tensor/context.h"
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

enum { CHUNK = 16384 }; /* parameters at a time: with gradient and state 256 KiB, in L2 */

struct nn_optimizer {
    nn_params *params;
    nn_optimizer_config config;
    int64_t steps;
    float *state; /* m, then v, those that the kind needs; or Adafactor's */
    size_t state_size;
    float *m, *v; /* each as long as the parameters; NULL: not needed */
};

/* ---- the kinds ---- */

#define NAME(KIND, name) #name,
const char *const nn_optimizer_names[NN_OPTIMIZERS + 1] = {NN_OPTIMIZER_LIST(NAME)};

/* What a kind starts from and takes. m, v: it keeps averages of gradients and of their squares;
 * those that look at one element at a time keep m for a momentum as well. */
typedef struct optimizer_row {
    nn_optimizer_config defaults;
    nn_argument arguments[6];
    bool m, v;
} optimizer_row;

/* Defaults are torch's, Adafactor's those of transformers. The ranges hold for source programs,
 * which a model may have written. */
/* clang-format off */
#define AT(field)           offsetof(nn_optimizer_config, field), false
#define FLAG(field)         {#field, offsetof(nn_optimizer_config, field), true, 0, 1}
#define MOMENTUM            {"momentum", AT(momentum), 0, 1}
#define ALPHA               {"alpha", AT(beta2), 0, 1}
#define BETAS               {"beta1", AT(beta1), 0, 1}, {"beta2", AT(beta2), 0, 1}
#define EPS                 {"eps", AT(eps), 0, 1}
#define WEIGHT_DECAY        {"weight_decay", AT(weight_decay), 0, 1000}
#define DECAY_RATE          {"decay_rate", AT(decay_rate), -10, 0}
#define CLIP_THRESHOLD      {"clip_threshold", AT(clip_threshold), 0, 1000}
static const optimizer_row rows[NN_OPTIMIZERS] = {
    [NN_SGD] = {.defaults = {.rate = 1e-3, .eps = 1e-8},
                .arguments = {MOMENTUM, WEIGHT_DECAY, FLAG(nesterov)}},
    [NN_RMSPROP] = {.defaults = {.rate = 1e-2, .beta2 = 0.99, .eps = 1e-8},
                    .arguments = {ALPHA, EPS, MOMENTUM, WEIGHT_DECAY}, .v = true},
    [NN_ADAM] = {.defaults = {.rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8},
                 .arguments = {BETAS, EPS, WEIGHT_DECAY}, .m = true, .v = true},
    [NN_ADAMW] = {.defaults = {.rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8,
                               .weight_decay = 1e-2},
                  .arguments = {BETAS, EPS, WEIGHT_DECAY}, .m = true, .v = true},
    [NN_ADAFACTOR] = {.defaults = {.rate = 1e-3, .eps = 1e-8, .relative_step = true,
                                   .scale_parameter = true, .clip_threshold = 1,
                                   .decay_rate = -0.8, .eps1 = 1e-30, .eps2 = 1e-3},
                      .arguments = {DECAY_RATE, CLIP_THRESHOLD, WEIGHT_DECAY,
                                    FLAG(relative_step), FLAG(scale_parameter)}},
    [NN_ADAMW_SCALED] = {.defaults = {.rate = 2e-2, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8,
                                      .weight_decay = 1e-2, .eps2 = 1e-3},
                         .arguments = {BETAS, EPS, WEIGHT_DECAY}, .m = true, .v = true},
};
/* clang-format on */

nn_optimizer_config nn_optimizer_default(nn_optimizer_kind kind)
{
    nn_optimizer_config config = rows[kind].defaults;
    config.kind = kind;
    return config;
}

const nn_argument *nn_optimizer_arguments(nn_optimizer_kind kind) { return rows[kind].arguments; }

/* Settings come from source programs that a model wrote. Written so that NaN fails. */
static bool check_config(const nn_optimizer_config *c, base_error *error)
{
    const struct {
        const char *name;
        double value, below;
    } numbers[] = {
        {"learning rate", c->rate, INFINITY},
        {"weight decay", c->weight_decay, INFINITY},
        {"momentum", c->momentum, INFINITY},
        {"beta1", c->beta1, 1},
        {"beta2", c->beta2, 1},
        {"eps", c->eps, INFINITY},
        {"clip threshold", c->clip_threshold, INFINITY},
        {"eps1", c->eps1, INFINITY},
        {"eps2", c->eps2, INFINITY},
    };
    if ((int)c->kind < 0 || c->kind >= NN_OPTIMIZERS)
        return base_fail(error, "optimizer: there is none of number %d", (int)c->kind);
    const char *name = nn_optimizer_names[c->kind];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!(numbers[i].value >= 0 && numbers[i].value < numbers[i].below))
            return base_fail(error, "optimizer %s: %s is %g, expected at least 0 and below %g",
                             name, numbers[i].name, numbers[i].value, numbers[i].below);
    if (c->nesterov && c->kind == NN_SGD && !(c->momentum > 0))
        return base_fail(error, "optimizer %s: nesterov needs a momentum above 0", name);
    if (c->kind == NN_ADAFACTOR && !(c->clip_threshold > 0))
        return base_fail(error, "optimizer %s: the clip threshold must be above 0", name);
    if (c->kind == NN_ADAFACTOR && !(c->decay_rate < 0 && c->decay_rate > -INFINITY))
        return base_fail(error, "optimizer %s: decay rate is %g, expected below 0", name,
                         c->decay_rate);
    return true;
}

/* ---- state ---- */

/* Whether there is a first moment: an average of gradients, or a momentum. */
static bool keeps_m(const nn_optimizer_config *c)
{
    return rows[c->kind].m || (c->kind != NN_ADAFACTOR && c->momentum > 0);
}

/* A block as long as the parameters for each moment; Adafactor's rows and columns. */
size_t nn_optimizer_state_size(nn_params *params, const nn_optimizer_config *c)
{
    if (c->kind == NN_ADAFACTOR)
        return nn_adafactor_state_size(params);
    return nn_params_size(params) * (size_t)(keeps_m(c) + rows[c->kind].v);
}

/* Zeros: averages begin at 0 (see correction()). false: no memory. */
static bool make_state(nn_optimizer *o)
{
    size_t size = nn_params_size(o->params);
    if (size > SIZE_MAX / sizeof(float) / 2)
        return false;
    o->state_size = nn_optimizer_state_size(o->params, &o->config);
    o->state = base_calloc(o->state_size ? o->state_size : 1, sizeof *o->state);
    if (!o->state)
        return false;
    o->m = keeps_m(&o->config) ? o->state : NULL;
    o->v = rows[o->config.kind].v ? o->state + (o->m ? size : 0) : NULL;
    return true;
}

/* The configuration is copied: what a schedule changes from step to step is the rate's factor. */
nn_optimizer *nn_optimizer_new(nn_params *params, const nn_optimizer_config *config,
                               base_error *error)
{
    assert(nn_params_gradients(params));
    if (!check_config(config, error))
        return NULL;
    nn_optimizer *o = base_calloc(1, sizeof *o);
    if (o) {
        o->params = params;
        o->config = *config;
    }
    if (!o || !make_state(o)) {
        nn_optimizer_free(o);
        base_fail(error, "optimizer %s: no memory for the state of %zu parameters",
                  nn_optimizer_names[config->kind], nn_params_size(params));
        return NULL;
    }
    return o;
}

void nn_optimizer_free(nn_optimizer *o)
{
    if (!o)
        return;
    base_free(o->state);
    base_free(o);
}

/* ---- a step ---- */

typedef struct step_task {
    const nn_optimizer *o;
    const float *gradients;
    const tensor_kernels *kernels;
    double rate;
    tensor_update update;
} step_task;

/* Parameters start .. start + n - 1 of the blocks: p, g and those of m and v that there are. */
static void step_range(const step_task *task, size_t start, size_t n, const tensor_update *u)
{
    const nn_optimizer *o = task->o;
    const tensor_kernels *kernels = task->kernels;
    float *p = nn_params_values(o->params) + start;
    const float *g = task->gradients + start;
    float *m = o->m ? o->m + start : NULL, *v = o->v ? o->v + start : NULL;
    switch (o->config.kind) {
    case NN_SGD:
        kernels->sgd(p, g, m, n, u);
        break;
    case NN_RMSPROP:
        kernels->rmsprop(p, g, v, m, n, u);
        break;
    case NN_ADAM:
        kernels->adam(p, g, m, v, n, u);
        break;
    default:
        kernels->adamw(p, g, m, v, n, u);
        break;
    }
}

static void step_chunk(void *argument, int i, int worker)
{
    const step_task *task = argument;
    size_t start = (size_t)i * CHUNK, left = nn_params_size(task->o->params) - start;
    (void)worker;
    step_range(task, start, left < CHUNK ? left : CHUNK, &task->update);
}

/* Tensor i, with a rate of its own. */
static void step_tensor(void *argument, int i, int worker)
{
    const step_task *task = argument;
    nn_params *params = task->o->params;
    const tensor *t = nn_params_tensor(params, i);
    double rms = nn_tensor_rms(t), least = task->o->config.eps2;
    tensor_update u = task->update;
    u.rate = (float)(task->rate * (rms > least ? rms : least));
    (void)worker;
    step_range(task, (size_t)(t->val - nn_params_values(params)), tensor_size(t), &u);
}

/* A moving average that began at 0, m_t = beta m_(t-1) + (1 - beta) g_t, is after t steps
 *
 *     m_t = (1 - beta) sum over i = 1 .. t of beta^(t-i) g_i
 *
 * whose weights add up to 1 - beta^t, not to 1: it is divided by that (Kingma & Ba 2015, 3). */
static double correction(double beta, int64_t t)
{
    return beta > 0 ? 1 - base_pow(beta, (double)t) : 1;
}

/* The step's constants are computed once, in double, and rounded once. */
static void step_elements(nn_optimizer *o, const float *gradients, double rate, float grad_scale)
{
    const nn_optimizer_config *c = &o->config;
    tensor_context *ctx = nn_params_context(o->params);
    step_task task = {
        .o = o,
        .gradients = gradients,
        .kernels = tensor_context_kernels(ctx),
        .rate = rate,
        .update = {.rate = (float)rate,
                   .decay = (float)c->weight_decay,
                   .momentum = (float)c->momentum,
                   .beta1 = (float)c->beta1,
                   .beta2 = (float)c->beta2,
                   .eps = (float)c->eps,
                   .correction1 = (float)correction(c->beta1, o->steps),
                   .correction2 = (float)sqrt(correction(c->beta2, o->steps)),
                   .grad_scale = grad_scale,
                   .nesterov = c->nesterov,
                   .first = o->steps == 1},
    };
    int chunks = (int)((nn_params_size(o->params) + CHUNK - 1) / CHUNK);
    if (c->kind == NN_ADAMW_SCALED)
        tensor_parallel(ctx, nn_params_count(o->params), step_tensor, &task);
    else
        tensor_parallel(ctx, chunks, step_chunk, &task);
}

/* Steps count from 1, as t does in the papers. */
void nn_optimizer_step(nn_optimizer *o, double rate_factor, float grad_scale)
{
    o->steps++;
    const float *gradients = nn_params_gradients(o->params); /* settled before threads read them */
    if (o->config.kind == NN_ADAFACTOR)
        nn_adafactor_step(o->params, &o->config, o->state, o->steps, rate_factor, grad_scale);
    else
        step_elements(o, gradients, o->config.rate * rate_factor, grad_scale);
}

/* ---- checkpoints ---- */

/* The number of steps is part of the state: corrections and Adafactor's decay depend on it. */
void nn_optimizer_set_steps(nn_optimizer *o, int64_t steps) { o->steps = steps; }

/* m before v, each in the order of the parameters; Adafactor's by tensors (adafactor.c). */
float *nn_optimizer_state(const nn_optimizer *o, size_t *count)
{
    *count = o->state_size;
    return o->state;
}
