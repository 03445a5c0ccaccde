/* SPDX-License-Identifier: MIT */
/* training.c -- a training, from first weights to a score. There is one, and it is a program.
 *
 * data() says which pairs, train() what is done with them. The function that a source leaves out is
 * the default source's, printed from the settings (default.c) and run in the same way; so the
 * papers' training is nothing but the C that everybody can read, and a candidate's own train() is
 * measured, limited and interrupted as that is.
 *
 * Resuming is replaying. A program of the subset is deterministic, and all that train() learns from
 * outside is what learn() and clip() return: a loss and a norm, a number each. A checkpoint has
 * those numbers, call by call, and of the host the weights, gradients, average and optimizer
 * states. Resumed, train() runs from its beginning in a context that plans, which computes nothing,
 * and gets the recorded numbers as results: datasets, optimizers, every variable of the program and
 * its place in it are there again. With the last of the numbers the arrays are read from the file,
 * and the next step is computed. */
#include "base/list.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/number.h"
#include "evolve/source/host_state.h"
#include "nn/safetensors.h"
#include "tensor/context.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- who defines what ---- */

source_presence source_has_train(const source_executor *source)
{
    return source->defines(source->user, "train", "void train(t5 *model, dataset *data)");
}

source_presence source_has_data(const source_executor *source)
{
    return source->defines(source->user, "data", "dataset *data(void)");
}

/* The default source of all functions, to take from it those that a source leaves out. */
static language_program *default_program(const evolve_settings *settings,
                                         language_diagnostic *diagnostic)
{
    base_text text = {0};
    source_default_source(&text);
    source_default_data(settings, &text);
    source_default_training(settings, &text);
    language_program *program = NULL;
    if (text.failed)
        source_fail(diagnostic, LANGUAGE_LIMIT, "default.c", "no memory");
    else
        program = source_parse("default.c", text.data, text.length, diagnostic);
    base_text_free(&text);
    return program;
}

/* ---- from its beginning to its score ---- */

int64_t source_host_budget(const source_host *h) { return h->plan.count * h->plan.epochs; }

/* A score keeps to the run's memory. A training stage has as much beside what its model and the
 * default training take: weights, gradients and two states of an optimizer, and the numbers of the
 * pairs, in a dataset and in batches of one. */
static size_t most_bytes(const source_host *h)
{
    size_t most = evolve_memory_bytes(h->settings);
    if (h->scored || tensor_planning(h->ctx))
        return most;
    double own =
        (h->plan.watched ? 20.0 : 16.0) * (double)nn_params_size(t5_model_params(h->model)) +
        64.0 * (double)source_host_budget(h);
    return own < (double)(SIZE_MAX - most) ? most + (size_t)own : SIZE_MAX;
}

void source_init_model(t5_model *model, const evolve_settings *settings, uint64_t seed)
{
    bool compares = settings->first_weights == EVOLVE_AUTO_WEIGHTS
                        ? settings->form == EVOLVE_BY_NAME
                        : settings->first_weights == EVOLVE_COMPARING;
    (compares ? t5_model_init_comparing : t5_model_init)(model, seed);
}

bool source_host_begin(source_host *h, t5_model *model, source_pairs *pairs,
                       const source_plan *plan, bool scored, base_error *error)
{
    nn_params *params = t5_model_params(model);
    h->model = model;
    h->ctx = nn_params_context(params);
    if (plan->epochs > INT32_MAX / plan->count)
        return base_fail(error, "a training of %g pairs: expected at most %d",
                         (double)plan->count * (double)plan->epochs, INT32_MAX);
    h->pairs = pairs;
    h->plan = *plan;
    h->grad_scale = 1;
    h->scored = scored;
    h->bytes = 2 * nn_params_size(params) * sizeof(float);
    if (!source_stopping_begin(h, error))
        return false;
    h->most_bytes = most_bytes(h);
    h->work = 0;
    if (h->checkpoint)
        tensor_set_planning(h->ctx, true);
    nn_zero_grad(params);
    if (!plan->goes_on)
        source_init_model(model, h->settings, plan->seed);
    source_scored on_the_way = source_scored_of(h->settings, plan->first, plan->count);
    if (!scored || on_the_way.held_out)
        on_the_way.count = 0; /* nothing has to be measured on the way */
    return source_prequential_begin(&h->prequential, &on_the_way, error);
}

typedef struct ending {
    source_host *h;
    bool ok;
    base_error error;
} ending;

static void measure_held_out(void *argument)
{
    ending *e = argument;
    e->ok = source_measure_score(e->h->model, e->h->pairs, e->h->settings, &e->h->plan.goal,
                                 &e->h->prequential.sum, &e->error);
}

static void measure_left(void *argument)
{
    ending *e = argument;
    e->ok = source_measure_left(e->h->model, e->h->pairs, e->h->settings, &e->h->prequential.sum,
                                &e->error);
}

/* The measurements that are left when train() has returned; own: it was the source's. reason: 256
 * bytes. */
static language_failure end(source_host *h, bool own, source_sum *sum, char *reason)
{
    ending e = {.h = h, .ok = true};
    const source_scored *scored = &h->prequential.scored;
    h->peak = tensor_step_peak(h->ctx); /* the training's: what comes now is the host's */
    bool ok = scored->held_out ? tensor_guarded(h->ctx, measure_held_out, &e, reason)
                               : source_goal_lost(&h->plan.goal, &h->prequential.sum) ||
                                     source_measure_due(h, scored->skipped + scored->count, reason);
    if (ok && own && !scored->held_out && isfinite(h->prequential.sum.loss) &&
        !source_goal_lost(&h->plan.goal, &h->prequential.sum))
        ok = tensor_guarded(h->ctx, measure_left, &e, reason);
    if (ok && !e.ok)
        base_print(reason, 256, "%.255s", e.error.text);
    *sum = h->prequential.sum;
    if (!ok || !e.ok)
        return LANGUAGE_LIMIT;
    if (isfinite(sum->loss))
        return LANGUAGE_OK;
    base_print(reason, 256, "the loss is not a number");
    return LANGUAGE_RUN;
}

/* Calls a function of the training. Asking for more than there is ends it, and is no error. */
static language_failure call_of(source_host *h, const source_executor *executor,
                                const char *function, const language_value *arguments, int count,
                                language_value *result, language_diagnostic *diagnostic)
{
    language_host bound = source_host_bound(h);
    language_limits limits = language_default_limits();
    limits.steps += 1000 * source_host_budget(h);
    const language_invocation call = {function, arguments, count, &bound, &limits};
    language_failure failure = executor->call(executor->user, &call, result, diagnostic);
    return h->over ? LANGUAGE_OK : failure;
}

static language_failure call_both(source_host *h, const source_executor *of_data,
                                  const source_executor *of_train, const char *file,
                                  language_diagnostic *diagnostic)
{
    language_value arguments[2] = {
        {.kind = LANGUAGE_HANDLE, .as.handle = (void *)(uintptr_t)h->trained}};
    language_failure failure = call_of(h, of_data, "data", NULL, 0, &arguments[1], diagnostic);
    if (failure != LANGUAGE_OK || h->over)
        return failure;
    source_call call = {.arguments = arguments, .reason = (char[200]){0}};
    if (!source_host_find(h, &call, 1, SOURCE_DATASET))
        return source_fail(diagnostic, LANGUAGE_RUN, file, "data() returned no dataset");
    return call_of(h, of_train, "train", arguments, 2, NULL, diagnostic);
}

language_failure source_host_train(source_host *h, const source_executor *source, const char *file,
                                   t5_model *model, source_pairs *pairs, const source_plan *plan,
                                   source_sum *score, language_diagnostic *diagnostic)
{
    base_error error;
    char reason[256];
    language_program *program = default_program(h->settings, diagnostic);
    if (!program)
        return diagnostic->failure;
    source_executor rest = source_interpreter(program);
    bool own_data = source_has_data(source) == SOURCE_PRESENT;
    bool own_train = source_has_train(source) == SOURCE_PRESENT;
    bool begun = source_host_begin(h, model, pairs, plan, score != NULL, &error);
    if (tensor_planning(h->ctx) && !own_train) /* how much it takes is what is to be found out */
        h->most_bytes = SIZE_MAX;
    language_failure failure = begun ? call_both(h, own_data ? source : &rest,
                                                 own_train ? source : &rest, file, diagnostic)
                                     : source_fail(diagnostic, LANGUAGE_LIMIT, file, error.text);
    language_program_free(program);
    if (h->checkpoint) {
        tensor_set_planning(h->ctx, false);
        if (failure == LANGUAGE_OK)
            failure = source_fail(diagnostic, LANGUAGE_LIMIT, file,
                                  "the checkpoint has more steps than this training");
    }
    if (failure == LANGUAGE_OK && !source_stopping_end(h, reason))
        failure = source_fail(diagnostic, LANGUAGE_LIMIT, file, reason);
    if (failure != LANGUAGE_OK || !score)
        return failure;
    failure = end(h, own_train, score, reason);
    return failure == LANGUAGE_OK ? failure : source_fail(diagnostic, failure, file, reason);
}

void source_host_observe(source_host *h, source_observer observer) { h->observer = observer; }

void source_host_assume(source_host *h, double result) { h->assumed = result; }

const float *source_host_losses(const source_host *h) { return h->losses; }

int64_t source_host_steps(const source_host *h) { return h->steps; }

int64_t source_host_flops(const source_host *h) { return h->flops; }

source_sum source_host_sum(const source_host *h) { return h->prequential.sum; }

size_t source_host_bytes(const source_host *h)
{
    size_t state, floats = 2 * nn_params_size(t5_model_params(h->model));
    if (h->average)
        floats += nn_params_size(t5_model_params(h->model));
    if (h->stopping.best)
        floats += nn_params_size(t5_model_params(h->model));
    for (int i = 0; i < h->count; i++)
        if (h->objects[i].kind == SOURCE_OPTIMIZER) {
            nn_optimizer_state(h->objects[i].own, &state);
            floats += state;
        }
    return floats * sizeof(float) + h->peak;
}

void source_host_free_training(source_host *h)
{
    source_prequential_end(&h->prequential);
    t5_batch_free(&h->data);
    base_free(h->row_loss);
    base_free(h->row_weight);
    base_free(h->lengths);
    base_free(h->wanted);
    base_free(h->average);
    base_free(h->stopping.best);
    base_free(h->stopping.losses);
    base_free(h->losses);
    base_free(h->results);
    if (h->checkpoint)
        nn_safetensors_free(h->checkpoint);
}

/* ---- checkpoints ---- */

bool source_host_result(source_host *h, source_call *call, double *result)
{
    if (h->checkpoint) {
        if (h->replayed == h->result_count)
            return source_refuse_limit(call, "the checkpoint is of another training");
        *result = h->results[h->replayed++];
        return true;
    }
    if (tensor_planning(h->ctx)) {
        *result = h->assumed;
        return true;
    }
    double *grown = base_list_grow(h->results, (size_t)h->result_count, 1, sizeof *grown);
    if (!grown)
        return source_refuse_limit(call, "no memory for a checkpoint");
    h->results = grown;
    h->results[h->result_count++] = *result;
    return true;
}

/* An array of a training beside the parameters, and its name in a checkpoint. */
typedef struct array {
    char name[48];
    float *data;
    size_t count;
} array;

/* Their names begin with this; a parameter's does not. */
static const char prefix[] = "training.";

/* Gradients, average, the best weights, the state of each optimizer. malloc'ed; NULL: no memory. */
static array *arrays_of(const source_host *h, int *count)
{
    nn_params *params = t5_model_params(h->model);
    array *list = base_calloc((size_t)h->count + 3, sizeof *list);
    *count = 0;
    if (!list)
        return NULL;
    list[0] = (array){"training.gradients", nn_params_gradients(params), nn_params_size(params)};
    *count = 1;
    if (h->average)
        list[(*count)++] = (array){"training.average", h->average, nn_params_size(params)};
    if (h->stopping.best)
        list[(*count)++] = (array){"training.best", h->stopping.best, nn_params_size(params)};
    for (int i = 0; i < h->count; i++)
        if (h->objects[i].kind == SOURCE_OPTIMIZER) {
            array *a = &list[(*count)++];
            base_print(a->name, sizeof a->name, "training.optimizer.%d", i);
            a->data = nn_optimizer_state(h->objects[i].own, &a->count);
        }
    return list;
}

/* A double is stored as four floats, 16 of its bits in each. */
enum { PARTS = 4 };

static float *split_results(const source_host *h)
{
    float *parts = base_malloc(((size_t)h->result_count * PARTS + 1) * sizeof *parts);
    for (int64_t i = 0; parts && i < h->result_count * PARTS; i++) {
        uint64_t bits = base_bits_of_double(h->results[i / PARTS]);
        parts[i] = (float)(bits >> 16 * (i % PARTS) & 0xffff);
    }
    return parts;
}

static double join_result(const nn_safetensors_entry *entry, size_t i)
{
    uint64_t bits = 0;
    for (size_t part = 0; part < PARTS; part++)
        bits |= (uint64_t)nn_safetensors_float(entry, i * PARTS + part) << 16 * part;
    return base_double_of_bits(bits);
}

bool source_checkpoint_save(const source_host *h, const char *path, char hash[BASE_HASH_TEXT],
                            base_error *error)
{
    const nn_params *params = t5_model_params(h->model);
    int count = nn_params_count(params), array_count;
    array *arrays = arrays_of(h, &array_count);
    float *results = split_results(h);
    nn_safetensors_item *items = base_calloc((size_t)(count + array_count) + 1, sizeof *items);
    bool ok = (arrays && results && items) || base_fail(error, "%s: no memory", path);
    if (ok)
        nn_params_items(params, items);
    for (int i = 0; ok && i < array_count; i++)
        items[count++] = (nn_safetensors_item){.name = arrays[i].name,
                                               .rank = 1,
                                               .shape = {(int64_t)arrays[i].count},
                                               .data = arrays[i].data};
    if (ok)
        items[count++] = (nn_safetensors_item){.name = "training.results",
                                               .rank = 2,
                                               .shape = {h->result_count, PARTS},
                                               .data = results};
    ok = ok && nn_safetensors_write(path, items, count, NULL, hash, error);
    base_free(arrays);
    base_free(results);
    base_free(items);
    return ok;
}

bool source_checkpoint_resume(source_host *h, const char *path, base_error *error)
{
    nn_safetensors *file = nn_safetensors_read(path, error);
    const nn_safetensors_entry *entry = file ? nn_safetensors_find(file, "training.results") : NULL;
    size_t count = entry ? entry->count / PARTS : 0;
    if (file && count > 0)
        h->results = base_list_grow(NULL, 0, count, sizeof *h->results);
    if (!file || !h->results) {
        if (file)
            base_fail(error, "%s: expected a training's checkpoint", path);
        nn_safetensors_free(file);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        h->results[i] = join_result(entry, i);
    h->result_count = (int64_t)count;
    h->checkpoint = file;
    return true;
}

static bool is_array(const char *name) { return strncmp(name, prefix, sizeof prefix - 1) == 0; }

/* False: the file's arrays are not those that the replayed training has. */
static bool read_arrays(source_host *h, base_error *error)
{
    int count;
    array *arrays = arrays_of(h, &count);
    bool ok = arrays && nn_params_load(t5_model_params(h->model), h->checkpoint, "checkpoint",
                                       is_array, error);
    for (int i = 0; ok && i < count; i++) {
        const nn_safetensors_entry *entry = nn_safetensors_find(h->checkpoint, arrays[i].name);
        ok = (entry && entry->count == arrays[i].count) ||
             base_fail(error, "checkpoint: expected %zu numbers \"%s\"", arrays[i].count,
                       arrays[i].name);
        for (size_t k = 0; ok && k < entry->count; k++)
            arrays[i].data[k] = nn_safetensors_float(entry, k);
    }
    base_free(arrays);
    return ok;
}

bool source_checkpoint_replayed(source_host *h, source_call *call)
{
    base_error error = {"no memory for a checkpoint"};
    if (h->replayed < h->result_count)
        return true;
    bool ok = read_arrays(h, &error);
    nn_safetensors_free(h->checkpoint);
    h->checkpoint = NULL;
    tensor_set_planning(h->ctx, false);
    return ok || source_refuse_limit(call, "%.190s", error.text);
}
