/* SPDX-License-Identifier: MIT */
/* stopping.c -- early stopping (Prechelt 1998): a training of several epochs ends when the loss of pairs that
 * it does not see has not fallen for half of them, and leaves the weights of the lowest loss. Half: while the
 * rate is high the loss goes up and down, and what a falling rate gains in the end is not to be missed.
 *
 * An epoch is over when its pairs have been learnt and the update is made, so it is measured when the next
 * batch comes, or train() is at its end. The loss goes where the results of learn() go: a training that is
 * resumed hears it from its checkpoint, which has the best weights as well. */
#include "base/list.h"
#include "base/memory.h"
#include "base/number.h"
#include "evolve/source/host_state.h"
#include "tensor/context.h"
#include <math.h>
#include <string.h>

bool source_stopping_begin(source_host *h, base_error *error)
{
    size_t size = nn_params_size(t5_model_params(h->model));
    if (h->plan.watched == 0)
        return true;
    h->stopping.best = base_malloc(size * sizeof *h->stopping.best);
    h->bytes += size * sizeof *h->stopping.best;
    return h->stopping.best || base_fail(error, "no memory for the best weights");
}

typedef struct measurement {
    source_host *h;
    source_sum sum;
    bool ok;
    base_error error;
} measurement;

static void measure(void *argument)
{
    measurement *m = argument;
    source_host *h = m->h;
    const source_goal none = {0};
    m->ok = source_measure_pairs(h->model, h->pairs, NULL, SOURCE_DECIDING, h->plan.watched, &none,
                                 &m->sum, &m->error);
}

/* The loss a token of the watched pairs. False: the reason (256 bytes). */
static bool loss_of(source_host *h, double *loss, char *reason)
{
    measurement m = {.h = h};
    if (!tensor_guarded(h->ctx, measure, &m, reason))
        return false;
    if (!m.ok)
        base_print(reason, 256, "%.255s", m.error.text);
    *loss = m.sum.loss / (double)m.sum.tokens;
    return m.ok;
}

/* Adds the loss of an epoch; where it is the lowest, the weights are kept. False: no memory. */
static bool add(source_host *h, double loss)
{
    source_stopping *s = &h->stopping;
    const nn_params *params = t5_model_params(h->model);
    double *grown = base_list_grow(s->losses, (size_t)s->epochs, 1, sizeof *grown);
    if (!grown)
        return false;
    s->losses = grown;
    s->losses[s->epochs++] = loss;
    if (s->epochs > 1 && !(loss < s->losses[s->lowest]))
        return true;
    s->lowest = s->epochs - 1;
    if (!tensor_planning(h->ctx)) /* else they are in the checkpoint that is replayed */
        memcpy(s->best, nn_params_values(params), nn_params_size(params) * sizeof *s->best);
    return true;
}

static bool in_vain(const source_host *h)
{
    const source_stopping *s = &h->stopping;
    int64_t patience = h->plan.epochs / 2 > 3 ? h->plan.epochs / 2 : 3;
    return s->epochs > 0 && s->epochs - 1 - s->lowest >= patience;
}

bool source_stopping_watch(source_host *h, source_call *call)
{
    source_stopping *s = &h->stopping;
    char reason[256];
    double loss = 0;
    if (h->plan.watched == 0 || h->taken / h->plan.count <= s->seen ||
        (tensor_planning(h->ctx) && !h->checkpoint))
        return true;
    s->seen = h->taken / h->plan.count;
    if (!h->checkpoint && !loss_of(h, &loss, reason))
        return source_refuse_limit(call, "%.190s", reason);
    if (!source_host_result(h, call, &loss))
        return false;
    if (!add(h, loss))
        return source_refuse_limit(call, "no memory for the losses of epochs");
    return !in_vain(h) || source_end_training(h, call, "the held-out loss does not fall any more");
}

bool source_stopping_end(source_host *h, char *reason)
{
    source_stopping *s = &h->stopping;
    nn_params *params = t5_model_params(h->model);
    double loss;
    if (h->plan.watched == 0 || tensor_planning(h->ctx))
        return true;
    if (!in_vain(h) && (!loss_of(h, &loss, reason) || !add(h, loss)))
        return false;
    memcpy(nn_params_values(params), s->best, nn_params_size(params) * sizeof *s->best);
    return true;
}

const double *source_host_epochs(const source_host *h, int64_t *count, int64_t *lowest)
{
    *count = h->stopping.epochs;
    *lowest = h->stopping.lowest;
    return h->stopping.losses;
}
