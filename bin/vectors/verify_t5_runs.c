/* SPDX-License-Identifier: MIT */
/* verify_t5_runs.c -- a T5 over time against Hugging Face's: training, step by step, and
 * generation.
 *
 * train.json has an object for each optimizer: its settings under torch's names, the loss before
 * each step and after the last, the norm of each step's gradients, and figures of every parameter
 * at the end. generate.json has greedy continuations of the batch's sources. */
#include "bin/vectors/verify_case.h"

#include "base/file.h"
#include "base/memory.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double LOSSES_BOUND = 1e-3, NORMS_RELATIVE_BOUND = 1e-3, L2_RELATIVE_BOUND = 1e-3,
                    SUM_BOUND = 0.01, LOG_PROBABILITY_BOUND = 1e-3;

/* The largest of errors; what is no number counts as infinite. */
static double larger(double a, double b) { return b <= a ? a : isnan(b) ? INFINITY : b; }

static double absolute(double value, double expected) { return fabs(value - expected); }

static double relative(double value, double expected)
{
    double off = fabs(value - expected);
    return off == 0 ? 0 : off / fabs(expected);
}

static bool is_number(const base_json *json) { return json && json->kind == BASE_JSON_NUMBER; }

static bool is_array(const base_json *json) { return json && json->kind == BASE_JSON_ARRAY; }

static const base_json *child_at(const base_json *array, int i)
{
    const base_json *child = array->child;
    while (child && i-- > 0)
        child = child->next;
    return child;
}

/* ---- Training ---- */

typedef struct settings {
    nn_optimizer_config config;
    double clip_norm; /* 0: none */
} settings;

static bool is_result(const char *name)
{
    return strcmp(name, "losses") == 0 || strcmp(name, "grad_norms") == 0 ||
           strcmp(name, "final_param_l2") == 0 || strcmp(name, "final_param_sum") == 0;
}

/* what: of this optimizer's run; "" is all of it. */
static bool train_failure(const verify_case *v, const base_json *run, const char *what,
                          const char *why)
{
    char name[128];
    snprintf(name, sizeof name, "train.%s%s%s", run->name, *what ? "." : "", what);
    return verify_failure(v, name, "%s", why);
}

/* False: a line says what is not understood, and this run of train.json is passed over. */
static bool read_settings(const verify_case *v, const base_json *run, settings *s)
{
    base_error why;
    if (!verify_optimizer_config(run, &s->config, &s->clip_norm, &why))
        return train_failure(v, run, "", why.text);
    for (const base_json *m = run->child; m; m = m->next)
        if (!is_result(m->name) && !verify_is_optimizer_setting(m->name))
            return train_failure(v, run, m->name, "not understood");
    return true;
}

/* Forward, and unless it is the last, backward; the loss and the gradients' norm. */
static double pass(const verify_case *v, bool last, double *norm)
{
    nn_zero_grad(t5_model_params(v->model));
    t5_output out = t5_forward(v->model, &v->batch, NULL, 0, 0);
    double loss = (double)out.loss->val[0];
    if (!last) {
        tensor_backward(out.loss);
        *norm = nn_grad_norm(t5_model_params(v->model));
    }
    tensor_step_end(v->ctx);
    return loss;
}

/* losses: steps + 1 numbers; norms: steps numbers. */
static void follow(const verify_case *v, const char *name, const settings *s,
                   nn_optimizer *optimizer, const base_json *losses, const base_json *norms)
{
    double loss_error = 0, norm_error = 0, norm = 0;
    const base_json *loss = losses->child;
    for (const base_json *n = norms->child; n; n = n->next, loss = loss->next) {
        loss_error = larger(loss_error, fabs(pass(v, false, &norm) - loss->number));
        norm_error = larger(norm_error, relative(norm, n->number));
        float scale = s->clip_norm > 0 ? nn_clip_scale(norm, s->clip_norm) : 1;
        nn_optimizer_step(optimizer, 1, scale);
    }
    loss_error = larger(loss_error, fabs(pass(v, true, NULL) - loss->number));
    verify_report(v, loss_error, LOSSES_BOUND, "train.%s.losses", name);
    verify_report(v, norm_error, NORMS_RELATIVE_BOUND, "train.%s.grad_norms", name);
}

static bool numbers_only(const base_json *list)
{
    if (!list || (list->kind != BASE_JSON_ARRAY && list->kind != BASE_JSON_OBJECT))
        return false;
    for (const base_json *child = list->child; child; child = child->next)
        if (!is_number(child))
            return false;
    return true;
}

static double l2_of(const tensor *t)
{
    double sum = 0;
    for (size_t i = 0; i < tensor_size(t); i++)
        sum += (double)t->val[i] * (double)t->val[i];
    return sqrt(sum);
}

static double sum_of(const tensor *t)
{
    double sum = 0;
    for (size_t i = 0; i < tensor_size(t); i++)
        sum += (double)t->val[i];
    return sum;
}

/* A figure of every parameter, as an object from names to numbers. */
static void compare_figures(const verify_case *v, const base_json *run, const char *name,
                            double (*figure)(const tensor *t),
                            double (*distance)(double value, double expected), double bound)
{
    const base_json *figures = base_json_get(run, name);
    nn_params *params = t5_model_params(v->model);
    if (!numbers_only(figures) || figures->length != (size_t)nn_params_count(params)) {
        train_failure(v, run, name, "expected a number for each parameter");
        return;
    }
    double error = 0;
    for (const base_json *f = figures->child; f; f = f->next) {
        const tensor *t = f->name ? nn_params_find(params, f->name) : NULL;
        error = larger(error, t ? distance(figure(t), f->number) : INFINITY);
    }
    verify_report(v, error, bound, "train.%s.%s", run->name, name);
}

/* The weights are those of the file before and after. */
static bool verify_run(verify_case *v, const base_json *run, const float *weights,
                       base_error *error)
{
    nn_params *params = t5_model_params(v->model);
    const base_json *losses = base_json_get(run, "losses");
    const base_json *norms = base_json_get(run, "grad_norms");
    settings s;
    if (!read_settings(v, run, &s))
        return true;
    if (!numbers_only(losses) || !is_array(losses) || !numbers_only(norms) || !is_array(norms) ||
        losses->length != norms->length + 1) {
        train_failure(v, run, "losses", "expected one more than there are gradient norms");
        return true;
    }
    nn_optimizer *optimizer = nn_optimizer_new(params, &s.config, error);
    if (!optimizer)
        return false;
    follow(v, run->name, &s, optimizer, losses, norms);
    nn_optimizer_free(optimizer);
    compare_figures(v, run, "final_param_l2", l2_of, relative, L2_RELATIVE_BOUND);
    compare_figures(v, run, "final_param_sum", sum_of, absolute, SUM_BOUND);
    memcpy(nn_params_values(params), weights, nn_params_size(params) * sizeof *weights);
    return true;
}

/* Each optimizer begins with the file's weights again; a copy of them is kept for that. */
static bool verify_runs(verify_case *v, const base_json *json, base_error *error)
{
    nn_params *params = t5_model_params(v->model);
    size_t bytes = nn_params_size(params) * sizeof(float);
    if (json->kind != BASE_JSON_OBJECT || json->length == 0)
        return base_fail(error, "%s/train.json: expected an object with optimizers", v->folder);
    float *weights = base_malloc(bytes);
    if (!weights)
        return base_fail(error, "%s: no memory for a copy of the weights", v->folder);
    memcpy(weights, nn_params_values(params), bytes);
    bool good = true;
    for (const base_json *run = json->child; run && good; run = run->next)
        good = verify_run(v, run, weights, error);
    base_free(weights);
    return good;
}

/* A file of the folder, or a line that says it is missing. *missing tells this from an error. */
static base_json *read_file(const verify_case *v, const char *name, bool *missing,
                            base_error *error)
{
    char *path = base_file_path(v->folder, name);
    base_json *json = NULL;
    if (!path)
        base_fail(error, "%s: no memory", v->folder);
    *missing = path && !base_file_exists(path);
    if (*missing)
        verify_failure(v, name, "missing");
    else if (path)
        json = base_json_read(path, VERIFY_MOST_JSON, error);
    base_free(path);
    return json;
}

bool verify_train(verify_case *v, base_error *error)
{
    bool missing;
    base_json *json = read_file(v, "train.json", &missing, error);
    bool good = json ? verify_runs(v, json, error) : missing;
    base_json_free(json);
    return good;
}

/* ---- Generation ---- */

/* What generate.json says, each a list with an element for each source. */
typedef struct expected {
    const base_json *sequences, *tokens, *logprobs, *margins, *finished;
    int most;
} expected;

/* How far each quantity is off, over all rows. */
typedef struct deviation {
    double sequences, tokens, logprobs, margins, finished;
} deviation;

static bool is_list_of_lists(const base_json *list, size_t length)
{
    if (!is_array(list) || list->length != length)
        return false;
    for (const base_json *row = list->child; row; row = row->next)
        if (!is_array(row) || !numbers_only(row))
            return false;
    return true;
}

static bool read_expected(const verify_case *v, const base_json *json, expected *e,
                          base_error *error)
{
    char origin[256];
    snprintf(origin, sizeof origin, "%.200s/generate.json", v->folder);
    size_t B = (size_t)v->batch.count;
    int64_t most, start, eos, pad;
    if (!base_json_get_int(json, "max_new_tokens", 1, 1 << 16, &most, origin, error) ||
        !base_json_get_int(json, "decoder_start_token_id", T5_PAD, T5_PAD, &start, origin, error) ||
        !base_json_get_int(json, "pad_token_id", T5_PAD, T5_PAD, &pad, origin, error) ||
        !base_json_get_int(json, "eos_token_id", 0, INT_MAX, &eos, origin, error))
        return false;
    if (eos != t5_model_config(v->model)->eos_token_id)
        return base_fail(error, "%s: \"eos_token_id\" is not that of config.json", origin);
    *e = (expected){.sequences = base_json_get(json, "sequences"),
                    .tokens = base_json_get(json, "tokens"),
                    .logprobs = base_json_get(json, "logprobs"),
                    .margins = base_json_get(json, "margins"),
                    .finished = base_json_get(json, "finished"),
                    .most = (int)most};
    if (!is_list_of_lists(e->sequences, B) || !is_list_of_lists(e->tokens, B) ||
        !is_list_of_lists(e->logprobs, B) || !is_list_of_lists(e->margins, B) ||
        !is_array(e->finished) || e->finished->length != B)
        return base_fail(error,
                         "%s: expected \"sequences\", \"tokens\", \"logprobs\", \"margins\" and "
                         "\"finished\" with %zu elements each",
                         origin, B);
    return true;
}

/* A member that nobody reads would be a quantity that nobody compares. */
static void report_unknown(const verify_case *v, const base_json *json)
{
    static const char *const known[] = {"max_new_tokens", "decoder_start_token_id",
                                        "eos_token_id",   "pad_token_id",
                                        "sequences",      "tokens",
                                        "logprobs",       "margins",
                                        "finished"};
    for (const base_json *member = json->child; member; member = member->next) {
        bool is_known = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            is_known = is_known || strcmp(member->name, known[i]) == 0;
        if (!is_known) {
            char name[128];
            snprintf(name, sizeof name, "generate.%s", member->name);
            verify_failure(v, name, "not understood");
        }
    }
}

/* How many elements are not those of the list, and how many there are too few or too many. */
static double different(const base_json *list, const int *ids, int count)
{
    int off = 0, i = 0;
    for (const base_json *id = list->child; id; id = id->next, i++)
        off += i >= count || id->number != ids[i];
    return off + (i < count ? count - i : 0);
}

/* A row of "sequences": the start token, the new ones, and padding up to the row's length. */
static double different_sequence(const base_json *list, const t5_sample *sample)
{
    int off = 0, i = 0;
    for (const base_json *id = list->child; id; id = id->next, i++) {
        int ours = i >= 1 && i <= sample->count ? sample->ids[i - 1] : T5_PAD;
        off += id->number != ours;
    }
    return off + (i < sample->count + 1 ? sample->count + 1 - i : 0);
}

/* The largest difference; lists of two lengths are infinitely far apart. */
static double off_by(const base_json *list, const float *values, int count)
{
    double error = list->length == (size_t)count ? 0 : INFINITY;
    int i = 0;
    for (const base_json *n = list->child; n && i < count; n = n->next, i++)
        error = larger(error, fabs((double)values[i] - n->number));
    return error;
}

/* How far the runner-up to each token lies below it, by a forward pass over the finished sequence:
 * the cached and the plain way to the logits are compared on the way. */
static bool margins_of(const verify_case *v, int row, const t5_sample *sample, float *margins)
{
    int V = t5_model_config(v->model)->vocab_size;
    const tensor_span *source = &v->batch.source[row];
    t5_batch batch = {0};
    if (!t5_batch_add(&batch, v->batch.source_ids + source->start, source->valid, sample->ids,
                      sample->count)) {
        t5_batch_free(&batch);
        return false;
    }
    tensor_set_grad(v->ctx, false);
    const float *logits = t5_forward(v->model, &batch, NULL, 0, 0).logits->val;
    for (int i = 0; i < sample->count; i++, logits += V) {
        float second = -INFINITY;
        for (int id = 0; id < V; id++)
            if (id != sample->ids[i] && logits[id] > second)
                second = logits[id];
        margins[i] = logits[sample->ids[i]] - second;
    }
    tensor_set_grad(v->ctx, true);
    tensor_step_end(v->ctx);
    t5_batch_free(&batch);
    return true;
}

static bool compare_row(const verify_case *v, int row, const expected *e, deviation *d,
                        base_error *error)
{
    const tensor_span *source = &v->batch.source[row];
    const t5_request greedy = {.source = v->batch.source_ids + source->start,
                               .source_count = source->valid,
                               .count = 1,
                               .most = e->most,
                               .sampling = {.greedy = true}};
    t5_sample sample;
    if (!t5_generate(v->model, &greedy, &sample, error))
        return false;
    float *margins = base_malloc((size_t)sample.count * sizeof *margins);
    bool good = margins && margins_of(v, row, &sample, margins);
    if (good) {
        bool finished = child_at(e->finished, row)->kind == BASE_JSON_TRUE;
        d->tokens += different(child_at(e->tokens, row), sample.ids, sample.count);
        d->sequences += different_sequence(child_at(e->sequences, row), &sample);
        d->finished += finished != sample.finished;
        d->logprobs = larger(d->logprobs, off_by(child_at(e->logprobs, row),
                                                 sample.token_log_probability, sample.count));
        d->margins = larger(d->margins, off_by(child_at(e->margins, row), margins, sample.count));
    } else {
        base_fail(error, "%s: no memory for margins", v->folder);
    }
    base_free(margins);
    t5_samples_free(&sample, 1);
    return good;
}

bool verify_generate(verify_case *v, base_error *error)
{
    bool missing;
    base_json *json = read_file(v, "generate.json", &missing, error);
    expected e = {0};
    deviation d = {0};
    bool good = json && read_expected(v, json, &e, error);
    for (int row = 0; row < v->batch.count && good; row++)
        good = compare_row(v, row, &e, &d, error);
    if (good) {
        verify_report(v, d.sequences, 0, "generate.sequences");
        verify_report(v, d.tokens, 0, "generate.tokens");
        verify_report(v, d.finished, 0, "generate.finished");
        verify_report(v, d.logprobs, LOG_PROBABILITY_BOUND, "generate.logprobs");
        verify_report(v, d.margins, LOG_PROBABILITY_BOUND, "generate.margins");
        report_unknown(v, json);
    }
    base_json_free(json);
    return good || missing;
}
