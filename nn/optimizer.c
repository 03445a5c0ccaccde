/* optimizer.c -- SGD, RMSprop, Adam, AdamW and Adafactor.
 *
 * The first four treat each parameter by itself. Parameters, gradients and state stand in blocks of
 * the same order, so a step is one loop over the blocks, cut into chunks for the threads, with a
 * kernel (tensor/kernel.h) on each. Adafactor looks at whole matrices: adafactor.c. */
#include "nn/adafactor.h"
#include "nn/optimizer.h"

#include "base/math.h"
#include "tensor/context.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { CHUNK = 16384 };

struct nn_optimizer {
    nn_params *params;
    nn_optimizer_config config;
    int64_t steps;
    float *state; /* m, then v, those that the kind needs; or Adafactor's */
    size_t state_size;
    float *m, *v; /* each as long as the parameters; NULL: not needed */
};

const char *nn_optimizer_name(nn_optimizer_kind kind)
{
    static const char *const names[NN_OPTIMIZERS] = {[NN_SGD] = "sgd",
                                                     [NN_RMSPROP] = "rmsprop",
                                                     [NN_ADAM] = "adam",
                                                     [NN_ADAMW] = "adamw",
                                                     [NN_ADAFACTOR] = "adafactor"};
    return names[kind];
}

nn_optimizer_config nn_optimizer_default(nn_optimizer_kind kind)
{
    nn_optimizer_config config = {.kind = kind, .rate = 1e-3, .eps = 1e-8};
    switch (kind) {
    case NN_RMSPROP:
        config.rate = 1e-2;
        config.beta2 = 0.99;
        break;
    case NN_ADAMW:
        config.weight_decay = 1e-2;
        /* fall through */
    case NN_ADAM:
        config.beta1 = 0.9;
        config.beta2 = 0.999;
        break;
    case NN_ADAFACTOR:
        config.relative_step = config.scale_parameter = true;
        config.clip_threshold = 1;
        config.decay_rate = -0.8;
        config.eps1 = 1e-30;
        config.eps2 = 1e-3;
        break;
    default:
        break;
    }
    return config;
}

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
    const char *name = nn_optimizer_name(c->kind);
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

/* What each kind keeps of the past. false: no memory. */
static bool make_state(nn_optimizer *o)
{
    nn_optimizer_kind kind = o->config.kind;
    size_t size = nn_params_size(o->params);
    bool adam = kind == NN_ADAM || kind == NN_ADAMW;
    bool m = adam || (kind != NN_ADAFACTOR && o->config.momentum > 0);
    bool v = adam || kind == NN_RMSPROP;
    if (size > SIZE_MAX / sizeof(float) / 2)
        return false;
    o->state_size =
        kind == NN_ADAFACTOR ? nn_adafactor_state_size(o->params) : (m ? size : 0) + (v ? size : 0);
    o->state = calloc(o->state_size ? o->state_size : 1, sizeof *o->state);
    if (!o->state)
        return false;
    o->m = m ? o->state : NULL;
    o->v = v ? o->state + (m ? size : 0) : NULL;
    return true;
}

nn_optimizer *nn_optimizer_new(nn_params *params, const nn_optimizer_config *config,
                               base_error *error)
{
    assert(nn_params_gradients(params));
    if (!check_config(config, error))
        return NULL;
    nn_optimizer *o = calloc(1, sizeof *o);
    if (o) {
        o->params = params;
        o->config = *config;
    }
    if (!o || !make_state(o)) {
        nn_optimizer_free(o);
        base_fail(error, "optimizer %s: no memory for the state of %zu parameters",
                  nn_optimizer_name(config->kind), nn_params_size(params));
        return NULL;
    }
    return o;
}

void nn_optimizer_free(nn_optimizer *o)
{
    if (!o)
        return;
    free(o->state);
    free(o);
}

/* ---- a step ---- */

typedef struct step_task {
    const nn_optimizer *o;
    const tensor_kernels *kernels;
    tensor_update update;
} step_task;

static void step_chunk(void *argument, int i, int worker)
{
    const step_task *task = argument;
    const nn_optimizer *o = task->o;
    const tensor_kernels *kernels = task->kernels;
    const tensor_update *u = &task->update;
    (void)worker;
    size_t start = (size_t)i * CHUNK, n = nn_params_size(o->params) - start;
    if (n > CHUNK)
        n = CHUNK;
    float *p = nn_params_values(o->params) + start;
    const float *g = nn_params_gradients(o->params) + start;
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

/* 1 - beta^t, by which a moving average that began at zero falls short of an average (Kingma & Ba
 * 2015, section 3). */
static double correction(double beta, int64_t t)
{
    return beta > 0 ? 1 - base_pow(beta, (double)t) : 1;
}

static void step_elements(nn_optimizer *o, double rate, float grad_scale)
{
    const nn_optimizer_config *c = &o->config;
    tensor_context *ctx = nn_params_context(o->params);
    step_task task = {
        .o = o,
        .kernels = tensor_context_kernels(ctx),
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
    tensor_parallel(ctx, chunks, step_chunk, &task);
}

void nn_optimizer_step(nn_optimizer *o, double rate_factor, float grad_scale)
{
    o->steps++;
    if (o->config.kind == NN_ADAFACTOR)
        nn_adafactor_step(o->params, &o->config, o->state, o->steps, rate_factor, grad_scale);
    else
        step_elements(o, o->config.rate * rate_factor, grad_scale);
}

/* ---- checkpoints ---- */

int64_t nn_optimizer_steps(const nn_optimizer *o)
{
    return o->steps;
}

void nn_optimizer_set_steps(nn_optimizer *o, int64_t steps)
{
    o->steps = steps;
}

float *nn_optimizer_state(const nn_optimizer *o, size_t *count)
{
    *count = o->state_size;
    return o->state;
}
