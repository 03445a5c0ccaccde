/* SPDX-License-Identifier: MIT */
/* host_train.c -- what train() calls: objective, gradients, clipping, optimizers, averages.
 *
 * A step of training, taken apart into functions of phoenix.h. The default source puts them together
 * as everybody does; any other order is as good, and is counted, limited and scored alike. */
#include "base/math.h"
#include "base/memory.h"
#include "base/number.h"
#include "evolve/source/host_state.h"
#include "tensor/context.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- arguments ---- */

/* Argument i as a number of low .. high; written so that what is no number fails. */
static bool in_range(source_call *call, int i, double low, double high, const char *what)
{
    double value = call->arguments[i].as.d;
    return (value >= low && value <= high) ||
           source_refuse(call, "%s is %g, expected %g .. %g", what, value, low, high);
}

/* One more pass over all weights. Without an end to them, a training that learns nothing would go
 * on until its deadline. */
static bool another_pass(source_host *h, source_call *call)
{
    return h->passes++ < 64 + 8 * h->steps ||
           source_refuse_limit(call, "more than 64 + 8 a batch of clips, updates and averages");
}

/* Whether argument i is the model under training. */
static bool is_trained(source_host *h, source_call *call, int i)
{
    if (!source_host_find(h, call, i, SOURCE_MODEL))
        return false;
    return (h->model && source_handle_number(&call->arguments[i]) == h->trained) ||
           source_refuse(call, "only the model that train() is given can be trained");
}

/* ---- objective ---- */

static const struct {
    const char *name;
    double plain, low, high;
} terms[] = {
    {"label_smoothing", 0, 0, 1}, {"z_loss", 0, 0, 1000},      {"end_weight", 1, 0, 1000},
    {"edit_weight", 1, 0, 1000},  {"scale", 1, 1e-6, 1000000},
};
enum { SMOOTHING, Z_LOSS, END_WEIGHT, EDIT_WEIGHT, SCALE, TERMS };

static bool cross_entropy(source_host *h, source_call *call)
{
    (void)h;
    for (int i = 0; i < TERMS; i++)
        language_field(call->result, terms[i].name)->as.d = terms[i].plain;
    return true;
}

static bool read_terms(source_call *call, const language_value *objective, double value[TERMS])
{
    for (int i = 0; i < TERMS; i++) {
        value[i] = language_field(objective, terms[i].name)->as.d;
        if (!(value[i] >= terms[i].low && value[i] <= terms[i].high))
            return source_refuse(call, "%s is %g, expected %g .. %g", terms[i].name, value[i],
                                 terms[i].low, terms[i].high);
    }
    return true;
}

/* The weights of one pair's labels. What a refinement changes lies between the tokens that it has
 * in common with its program at the front and those at the back. */
static void weigh(const t5_batch *batch, int pair, const double value[TERMS], float *weight)
{
    const tensor_span *source = &batch->source[pair], *target = &batch->target[pair];
    const int *from = batch->source_ids + source->start, *to = batch->target_ids + target->start;
    int shorter = source->rows < target->rows ? source->rows : target->rows, front = 0, back = 0;
    while (front < shorter && from[front] == to[front])
        front++;
    while (back < shorter - front && from[source->rows - 1 - back] == to[target->rows - 1 - back])
        back++;
    for (int i = 0; i < target->rows; i++) {
        bool edit = i >= front && i < target->rows - back;
        double w = (edit ? value[EDIT_WEIGHT] : 1) * (to[i] == T5_EOS ? value[END_WEIGHT] : 1);
        weight[target->start + i] = (float)w;
    }
}

/* The objective of the step under way. Where all weights are 1 it has none: the mean of a batch is
 * then a division by its number of tokens, without a rounded sum of weights. */
static bool make_objective(source_host *h, source_call *call, const double value[TERMS],
                           tensor_objective *objective)
{
    *objective =
        (tensor_objective){.smoothing = (float)value[SMOOTHING], .z_loss = (float)value[Z_LOSS]};
    double total = h->data.target_rows;
    if (value[END_WEIGHT] < 1 || value[END_WEIGHT] > 1 || value[EDIT_WEIGHT] < 1 ||
        value[EDIT_WEIGHT] > 1) {
        total = 0;
        for (int i = 0; i < h->data.count; i++)
            weigh(&h->data, i, value, h->row_weight);
        for (int i = 0; i < h->data.target_rows; i++)
            total += (double)h->row_weight[i];
        objective->weight = h->row_weight;
        if (!(total > 0))
            return source_refuse(call, "the objective gives no token a weight");
    }
    if (value[SCALE] < 1 || value[SCALE] > 1)
        objective->total = total / value[SCALE];
    return true;
}

/* ---- learning ---- */

static bool resize(float **block, int64_t count)
{
    float *more = base_realloc(*block, (size_t)count * sizeof *more);
    if (more)
        *block = more;
    return more != NULL;
}

/* Room for a batch of those rows, and for one more loss. */
static bool make_room(source_host *h, int rows, int pairs)
{
    if (rows > h->row_capacity) {
        if (!resize(&h->row_loss, rows) || !resize(&h->row_weight, rows))
            return false;
        h->row_capacity = rows;
    }
    if (pairs > h->pair_capacity) {
        int *lengths = base_realloc(h->lengths, 2 * (size_t)pairs * sizeof *lengths);
        if (!lengths)
            return false;
        h->lengths = lengths;
        bool *wanted = base_realloc(h->wanted, (size_t)pairs * sizeof *wanted);
        if (!wanted)
            return false;
        h->wanted = wanted;
        h->pair_capacity = pairs;
    }
    if (h->steps == h->step_capacity) {
        int64_t capacity = h->step_capacity ? 2 * h->step_capacity : 256;
        if (!resize(&h->losses, capacity))
            return false;
        h->step_capacity = capacity;
    }
    return true;
}

/* The tokens of a batch, in h->data. */
static bool make_data(source_host *h, source_call *call, const source_dataset *batch)
{
    const size_t token_bytes = 2 * sizeof(int) + 2 * sizeof(float);
    base_error error;
    t5_batch_clear(&h->data);
    for (int64_t i = 0; i < batch->count; i++) {
        if (!source_pairs_add(h->pairs, batch->index[i], &h->data, NULL, &error))
            return source_refuse_limit(call, "%.150s", error.text);
        size_t bytes = token_bytes * (size_t)(h->data.source_rows + h->data.target_rows);
        if (!source_host_take(h, call, bytes))
            return false;
        source_host_give(h, bytes);
    }
    return make_room(h, h->data.target_rows, h->data.count) ||
           source_refuse_limit(call, "no memory for a batch of %d tokens", h->data.target_rows);
}

typedef struct step {
    source_host *h;
    tensor_objective objective;
} step;

static void take_step(void *argument)
{
    step *s = argument;
    source_host *h = s->h;
    uint64_t dropout = base_random_stream("dropout", (uint64_t)h->steps, 0, 0);
    t5_step(h->model, &h->data, &s->objective, h->plan.seed, dropout, h->row_loss);
}

typedef struct measurement {
    source_host *h;
    const uint64_t *index;
    int64_t count;
    bool ok;
    base_error error;
} measurement;

static void take_measurement(void *argument)
{
    measurement *m = argument;
    source_host *h = m->h;
    m->ok = source_measure_pairs(h->model, h->pairs, m->index, 0, m->count, &h->plan.goal,
                                 &h->prequential.sum, &m->error);
}

/* Those pairs, if there are any, as they are predicted now. False: the reason. */
static bool measure(measurement *m, char *reason)
{
    if (m->count == 0)
        return true;
    if (!tensor_guarded(m->h->ctx, take_measurement, m, reason))
        return false;
    if (!m->ok)
        base_print(reason, 256, "%.255s", m->error.text);
    return m->ok;
}

enum { DUE = 64 };

bool source_measure_due(source_host *h, int64_t taken, char *reason)
{
    uint64_t due[DUE];
    measurement m = {.h = h, .index = due};
    do {
        m.count = 0;
        while (m.count < DUE && source_prequential_due(&h->prequential, taken, &due[m.count]))
            m.count++;
        if (!measure(&m, reason))
            return false;
    } while (m.count == DUE && !source_goal_lost(&h->plan.goal, &h->prequential.sum));
    return true;
}

/* Pairs of the score that a batch takes are measured by the step that learns from them, as they are
 * predicted before it. Not where the model has dropout: then the step's losses are of another model
 * than those of pairs whose turn it is, and they are measured like these, without. */
static bool claim_pairs(source_host *h, const source_dataset *batch, char *reason)
{
    bool drops = t5_model_config(h->model)->dropout_rate > 0;
    uint64_t taken[DUE];
    measurement m = {.h = h, .index = taken};
    for (int64_t i = 0; i < batch->count; i++) {
        h->wanted[i] = source_prequential_claim(&h->prequential, batch->index[i]);
        if (!drops)
            continue;
        if (h->wanted[i])
            taken[m.count++] = batch->index[i];
        h->wanted[i] = false;
        if (m.count < DUE && i < batch->count - 1)
            continue;
        if (!measure(&m, reason))
            return false;
        m.count = 0;
    }
    return true;
}

static int64_t flops_of_batch(source_host *h)
{
    int *source = h->lengths, *target = h->lengths + h->data.count;
    for (int i = 0; i < h->data.count; i++) {
        source[i] = h->data.source[i].rows;
        target[i] = h->data.target[i].rows;
    }
    return t5_config_step_flops(t5_model_config(h->model), source, target, h->data.count);
}

/* The sum of a step's losses. The score counts those of pairs that it has first seen here. */
static double count_losses(source_host *h)
{
    source_sum *score = &h->prequential.sum;
    double all = 0, counted = 0;
    for (int b = 0; b < h->data.count; b++) {
        source_add_losses(&h->data, b, h->row_loss, &all);
        if (!h->wanted[b])
            continue;
        source_add_losses(&h->data, b, h->row_loss, &counted);
        score->tokens += h->data.target[b].rows;
        score->pairs++;
    }
    score->loss += counted;
    return all;
}

/* Gradients already clipped are clipped: what is added to them is not. */
static void apply_clip(source_host *h)
{
    nn_params *params = t5_model_params(h->model);
    float *g = nn_params_gradients(params);
    for (size_t i = 0; h->grad_scale < 1 && i < nn_params_size(params); i++)
        g[i] *= h->grad_scale;
    h->grad_scale = 1;
}

/* A score has a budget of operations; a training stage has one of pairs alone. */
static bool within_budget(const source_host *h, source_call *call, int64_t flops)
{
    double most = h->settings->max_flops;
    return !h->scored || (double)(h->flops + flops) <= most ||
           source_refuse_limit(call, "its training takes more than the %.4g operations of this run",
                               most);
}

static bool learn_batch(source_host *h, source_call *call, const source_dataset *batch,
                        const tensor_objective *objective)
{
    char reason[256];
    int64_t flops = flops_of_batch(h);
    if (!within_budget(h, call, flops))
        return false;
    if (!claim_pairs(h, batch, reason) || !source_measure_due(h, h->taken + batch->count, reason))
        return source_refuse_limit(call, "%.190s", reason);
    apply_clip(h);
    step s = {h, *objective};
    if (!tensor_guarded(h->ctx, take_step, &s, reason))
        return source_refuse_limit(call, "%.190s", reason);
    double *loss = &call->result->as.d;
    *loss = tensor_planning(h->ctx) ? 0 : count_losses(h) / h->data.target_rows;
    if (!isfinite(*loss) || !isfinite(h->prequential.sum.loss))
        return source_refuse(call, "the loss is not a number");
    if (!source_host_result(h, call, loss))
        return false;
    h->taken += batch->count;
    h->losses[h->steps++] = (float)*loss;
    h->flops += flops;
    if (h->checkpoint)
        return source_checkpoint_replayed(h, call);
    if (source_goal_lost(&h->plan.goal, &h->prequential.sum))
        return source_end_training(h, call, "the score is lost");
    return !h->observer.on_step ||
           h->observer.on_step(h->observer.user, h->taken, source_host_budget(h)) ||
           source_refuse_limit(call, "stopped");
}

static bool learn(source_host *h, source_call *call)
{
    double value[TERMS];
    tensor_objective objective;
    const source_dataset *batch;
    if (!is_trained(h, call, 0) || !(batch = source_host_find(h, call, 1, SOURCE_BATCH)) ||
        !read_terms(call, &call->arguments[2], value))
        return false;
    if (batch->count > source_host_budget(h) - h->taken)
        return source_end_training(h, call, "the budget has no more pairs");
    if (!source_stopping_watch(h, call))
        return false;
    return make_data(h, call, batch) && make_objective(h, call, value, &objective) &&
           learn_batch(h, call, batch, &objective);
}

static bool clip(source_host *h, source_call *call)
{
    if (!is_trained(h, call, 0) || !in_range(call, 1, 1e-9, 1e9, "the norm") ||
        !another_pass(h, call))
        return false;
    if (tensor_planning(h->ctx))
        return source_host_result(h, call, &call->result->as.d);
    double norm = nn_grad_norm(t5_model_params(h->model)) * (double)h->grad_scale;
    if (!isfinite(norm))
        return source_refuse(call, "the gradients are not numbers");
    h->grad_scale *= nn_clip_scale(norm, call->arguments[1].as.d);
    call->result->as.d = norm;
    return source_host_result(h, call, &norm);
}

/* ---- optimizers ---- */

static bool add_optimizer(source_host *h, source_call *call, const nn_optimizer_config *config)
{
    nn_params *params = t5_model_params(h->model);
    size_t bytes = nn_optimizer_state_size(params, config) * sizeof(float);
    base_error error;
    if (!another_pass(h, call) || !source_host_take(h, call, bytes))
        return false;
    nn_optimizer *o = nn_optimizer_new(params, config, &error);
    if (!o) {
        source_host_give(h, bytes);
        return source_refuse(call, "%.190s", error.text);
    }
    return source_host_add(h, call, SOURCE_OPTIMIZER, o);
}

static bool flag(source_call *call, int i, const char *what, bool *value)
{
    int got = call->arguments[i].as.i;
    *value = got == 1;
    return got == 0 || got == 1 || source_refuse(call, "%s is %d, expected 0 or 1", what, got);
}

/* The rate is 1 here, since update() gives it. */
static bool make_optimizer(source_host *h, source_call *call, nn_optimizer_kind kind)
{
    nn_optimizer_config config = nn_optimizer_default(kind);
    const nn_argument *a = nn_optimizer_arguments(kind);
    config.rate = 1;
    if (!is_trained(h, call, 0))
        return false;
    for (int i = 1; a->name; a++, i++) {
        void *field = (char *)&config + a->offset;
        if (a->is_flag ? !flag(call, i, a->name, field)
                       : !in_range(call, i, a->low, a->high, a->name))
            return false;
        if (!a->is_flag)
            *(double *)field = call->arguments[i].as.d;
    }
    return add_optimizer(h, call, &config);
}

static bool update(source_host *h, source_call *call)
{
    nn_optimizer *o = source_host_find(h, call, 0, SOURCE_OPTIMIZER);
    if (!o || !in_range(call, 1, 0, 1000, "the rate") || !another_pass(h, call))
        return false;
    nn_optimizer_step(o, call->arguments[1].as.d, h->grad_scale);
    nn_zero_grad(t5_model_params(h->model));
    h->grad_scale = 1;
    return true;
}

/* ---- averages: Polyak & Juditsky 1992; exponential, as T5's and diffusion models' are ---- */

static bool average(source_host *h, source_call *call)
{
    if (!is_trained(h, call, 0) || !in_range(call, 1, 0, 1, "decay") || !another_pass(h, call))
        return false;
    nn_params *params = t5_model_params(h->model);
    size_t size = nn_params_size(params);
    const float *w = nn_params_values(params);
    if (!h->average) {
        if (!source_host_take(h, call, size * sizeof *w))
            return false;
        h->average = base_malloc(size * sizeof *w);
        if (!h->average)
            return source_refuse_limit(call, "no memory for an average of the weights");
        if (!tensor_planning(h->ctx))
            memcpy(h->average, w, size * sizeof *w);
    }
    if (tensor_planning(h->ctx))
        return true;
    float keep = (float)call->arguments[1].as.d, fresh = (float)(1 - call->arguments[1].as.d);
    for (size_t i = 0; i < size; i++)
        h->average[i] = keep * h->average[i] + fresh * w[i];
    return true;
}

static bool take_average(source_host *h, source_call *call)
{
    if (!is_trained(h, call, 0) || !another_pass(h, call))
        return false;
    nn_params *params = t5_model_params(h->model);
    if (!h->average)
        return source_refuse(call, "there is no average yet");
    if (!tensor_planning(h->ctx))
        memcpy(nn_params_values(params), h->average, nn_params_size(params) * sizeof *h->average);
    return true;
}

/* ---- numbers ---- */

static bool cosine(source_host *h, source_call *call)
{
    (void)h;
    if (!in_range(call, 0, -1e15, 1e15, "the angle"))
        return false;
    call->result->as.d = base_cos_turns(call->arguments[0].as.d);
    return true;
}

static bool square_root(source_host *h, source_call *call)
{
    (void)h;
    if (!in_range(call, 0, 0, 1e300, "the number"))
        return false;
    call->result->as.d = sqrt(call->arguments[0].as.d);
    return true;
}

static bool power(source_host *h, source_call *call)
{
    (void)h;
    if (!in_range(call, 0, 1e-300, 1e300, "the number") ||
        !in_range(call, 1, -1e300, 1e300, "the exponent"))
        return false;
    call->result->as.d = base_pow(call->arguments[0].as.d, call->arguments[1].as.d);
    return isfinite(call->result->as.d) || source_refuse(call, "the power is too large");
}

SOURCE_HOST_FUNCTION(cross_entropy)
SOURCE_HOST_FUNCTION(learn)
SOURCE_HOST_FUNCTION(clip)
#define OPTIMIZER(KIND, name)                           \
    static bool name(source_host *h, source_call *call) \
    {                                                   \
        return make_optimizer(h, call, NN_##KIND);      \
    }                                                   \
    SOURCE_HOST_FUNCTION(name)
NN_OPTIMIZER_LIST(OPTIMIZER)
SOURCE_HOST_FUNCTION(update)
SOURCE_HOST_FUNCTION(average)
SOURCE_HOST_FUNCTION(take_average)
SOURCE_HOST_FUNCTION(cosine)
SOURCE_HOST_FUNCTION(square_root)
SOURCE_HOST_FUNCTION(power)

const language_host_function source_train_functions[] = {{"cross_entropy", call_cross_entropy},
                                                         {"learn", call_learn},
                                                         {"clip", call_clip},
                                                         {"update", call_update},
                                                         {"average", call_average},
                                                         {"take_average", call_take_average},
                                                         {"cosine", call_cosine},
                                                         {"square_root", call_square_root},
                                                         {"power", call_power},
#define OPTIMIZER_ROW(KIND, name) {#name, call_##name},
                                                         NN_OPTIMIZER_LIST(OPTIMIZER_ROW)};
const int source_train_function_count =
    sizeof source_train_functions / sizeof *source_train_functions;
