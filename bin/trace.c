/* SPDX-License-Identifier: MIT */
/* trace.c -- phoenix trace: one number on its way through the machine.
 *
 * A pair becomes tokens, these become vectors, one head compares them, the decoder's last vector becomes
 * logits, these a loss, the loss a gradient, and that an update: each stage is printed with its values.
 * The T5 computes as it always does (t5_forward, tensor_backward, nn_optimizer_step); only the head is
 * computed once more, here, in three plain loops, since attention keeps no weights that could be shown. */
#include "base/file.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/number.h"
#include "bin/command.h"
#include "evolve/config.h"
#include "evolve/source/form.h"
#include "refine/mutation/lines.h"
#include "evolve/source/host.h"
#include "evolve/source/pairs.h"
#include "evolve/task.h"
#include "evolve/uses.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct request {
    const char *model; /* the operand; NULL: the default source's, with its first weights */
    const char *weight;
    int64_t pair, row, position, head, element;
} request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"pair", WHOLE(pair, 0, 1e12), "index of the pair, as refine --first has it"},
    {"row", WHOLE(row, -1, 1e6),
     "whose row of attention: a token of the source (-1: where the edit is)"},
    {"head", WHOLE(head, 0, 1e6), "which head of the first encoder block's self-attention"},
    {"position", WHOLE(position, 0, 1e6), "whose logits: a token of the refinement"},
    {"weight", TEXT(weight), "the parameter that is followed"},
    {"element", WHOLE(element, 0, 1e12), "which of its numbers, row by row from 0"},
    {0},
};

static const command_line command = {
    .usage = "phoenix trace [MODEL] [options]",
    .about = "Follows one pair through a T5 and back: its tokens, a token's vector, one head's "
             "attention,\nlogits, loss, the gradient of one weight, and its update by the "
             "optimizer. MODEL is a folder as\nphoenix generate takes it; without one it is the "
             "default source's T5 with its first weights.\nNothing is written. "
             "docs/book/01-one-number.md "
             "goes through the output line by line.",
    .own = own,
    .preset = "quick",
    .uses = EVOLVE_USES_REFINE | EVOLVE_USE_T5,
    .most_operands = 1,
    .takes = FOLDER_T5,
};

/* What all stages look at. */
typedef struct trace {
    request ask;
    evolve_settings settings;
    tensor_context *ctx;
    t5_model *model;
    t5_tokenizer *tokenizer;
    t5_batch batch; /* the pair */
    tensor_objective objective;
    t5_output out;
    tensor **hidden; /* the encoder's states */
    tensor *weight;
    base_text line;
} trace;

enum { SHOWN = 8, TOP = 5 }; /* numbers of a vector; rows of a table */

/* ---- words for what is shown ---- */

/* Appends bytes on one line. */
static void put_bytes(base_text *line, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        base_text_print(line, bytes[i] == '\n' ? "\\n" : "%c", bytes[i]);
}

/* Whether a token calls a line, by its number or its name (evolve/source/form.h): a single byte 0x80 + n. */
static bool is_line(const trace *t, int id, int *n)
{
    base_text token = {0};
    t5_detokenize(t->tokenizer, &id, 1, &token);
    bool line = token.length == 1 && (unsigned char)token.data[0] >= MUTATION_LINE_BYTE &&
                (t->settings.form == EVOLVE_EDIT || t->settings.form == EVOLVE_BY_NAME);
    *n = line ? (unsigned char)token.data[0] - MUTATION_LINE_BYTE : 0;
    base_text_free(&token);
    return line;
}

/* Appends a token in quotes, its middle left out where it is long, and one that calls a line as [n]. */
static void put_token(trace *t, int id, size_t most)
{
    base_text token = {0}, shown = {0};
    t5_detokenize(t->tokenizer, &id, 1, &token);
    int line;
    if (id == T5_EOS || id == T5_PAD)
        base_text_print(&shown, id == T5_EOS ? "</s>" : "<pad>");
    else if (is_line(t, id, &line))
        base_text_print(&shown, "[%d]", line);
    else
        base_text_add_visible(&shown, token.data ? token.data : "", token.length);
    base_text_add(&t->line, "'", 1);
    size_t head = shown.length > most ? most / 2 : shown.length;
    size_t tail = shown.length > most ? shown.length - most / 2 + 2 : shown.length;
    put_bytes(&t->line, shown.data, head);
    base_text_add(&t->line, "..", shown.length > most ? 2 : 0);
    put_bytes(&t->line, shown.data + tail, shown.length - tail);
    base_text_add(&t->line, "'", 1);
    base_text_free(&token);
    base_text_free(&shown);
}

/* Blanks up to the column where a table's numbers begin. */
static void pad(trace *t)
{
    base_text_print(&t->line, "%*s", t->line.length < 31 ? 31 - (int)t->line.length : 0, "");
}

static void end_line(trace *t)
{
    base_text_add(&t->line, "\n", 1);
    if (!t->line.failed)
        fputs(t->line.data, stdout);
    base_text_clear(&t->line);
}

/* "source, 12 tokens: 12 'a' 5 'b' ..." over as many lines as that takes. */
static void show_tokens(trace *t, const char *name, const int *ids, int count)
{
    base_text all = {0};
    base_print_to(stdout, "%s, %d tokens\n", name, count);
    for (int i = 0; i < count; i++) {
        base_text_print(&t->line, "%s%d:", i ? " " : "  ", ids[i]);
        put_token(t, ids[i], 26);
        if (all.length + t->line.length > 78) {
            base_print_to(stdout, "%s\n", all.data);
            base_text_clear(&all);
            base_text_add(&all, " ", 1);
        }
        base_text_add(&all, t->line.data ? t->line.data : "", t->line.length);
        base_text_clear(&t->line);
    }
    base_print_to(stdout, "%s\n", all.data ? all.data : "");
    base_text_free(&all);
}

static void show_vector(const char *name, const float *x, int count)
{
    base_print_to(stdout, "%-9s", name);
    for (int i = 0; i < count && i < SHOWN; i++)
        base_print_to(stdout, " %7.4f", (double)x[i]);
    base_print_to(stdout, count > SHOWN ? " ..\n" : "\n");
}

static tensor *parameter(const trace *t, const char *name)
{
    return nn_params_find(t5_model_params(t->model), name);
}

/* ---- attention ---- */

/* The edit, as far as the source shows it: the line that the refinement numbers first, the first that it
 * does not name and go on, or the first token that is another there. */
static int row_of_edit(const trace *t)
{
    const int *source = t->batch.source_ids, *label = t->batch.target_ids;
    int rows = t->batch.source_rows, shorter = t->batch.target_rows, i = 0;
    shorter = rows < shorter ? rows : shorter;
    if (t->settings.form == EVOLVE_EDIT)
        while (i < rows && source[i] != label[0])
            i++;
    else if (t->settings.form == EVOLVE_BY_NAME)
        for (int next = 0, n; i < rows; i++) {
            if (!is_line(t, source[i], &n))
                continue;
            if (label[next] != source[i] || next + 1 == t->batch.target_rows ||
                !(is_line(t, label[next + 1], &n) || label[next + 1] == T5_EOS))
                break;
            next++;
        }
    else
        while (i < shorter && source[i] == label[i])
            i++;
    return i < rows ? i : 0;
}

/* One row of one head of the first encoder block: score_j = q . k_j + bias(j - i), weight = softmax of the
 * scores, y = sum_j weight_j v_j. The weights go to weight (S), the two parts of a score to dot and bias. */
static void attend(const trace *t, int i, const tensor *q, const tensor *k, const tensor *v,
                   double *dot, double *bias, double *weight, float *y)
{
    const t5_config *c = t5_model_config(t->model);
    const char *name = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
    const tensor *table = parameter(t, name);
    int S = t->batch.source_rows, K = c->d_kv, I = c->num_heads * K, first = (int)t->ask.head * K;
    double most = -INFINITY, sum = 0;
    for (int j = 0; j < S; j++) {
        int bucket = t5_relative_bucket(j - i, true, c->relative_attention_num_buckets,
                                        c->relative_attention_max_distance);
        bias[j] = (double)table->val[bucket * c->num_heads + t->ask.head];
        dot[j] = 0;
        for (int d = first; d < first + K; d++)
            dot[j] += (double)q->val[i * I + d] * (double)k->val[j * I + d];
        most = dot[j] + bias[j] > most ? dot[j] + bias[j] : most;
    }
    for (int j = 0; j < S; j++)
        sum += weight[j] = base_exp(dot[j] + bias[j] - most);
    for (int j = 0; j < S; j++)
        weight[j] /= sum;
    for (int d = 0; d < K; d++) {
        double add = 0;
        for (int j = 0; j < S; j++)
            add += weight[j] * (double)v->val[j * I + first + d];
        y[d] = (float)add;
    }
}

/* Of those not yet shown, the one with the largest value; its value becomes smaller than all others. */
static int take_largest(double *value, int count)
{
    int best = 0;
    for (int j = 1; j < count; j++)
        best = value[j] > value[best] ? j : best;
    value[best] = -INFINITY;
    return best;
}

static void show_attention(trace *t)
{
    const t5_config *c = t5_model_config(t->model);
    const char *part = "encoder.block.0.layer.0.";
    char name[80];
    tensor *projected[3], *norm;
    int S = t->batch.source_rows, K = c->d_kv, I = c->num_heads * K, first = (int)t->ask.head * K;
    int i = t->ask.row < 0 ? row_of_edit(t) : (int)t->ask.row;
    base_print(name, sizeof name, "%slayer_norm.weight", part);
    norm = tensor_rmsnorm(t->hidden[0], parameter(t, name), (float)c->layer_norm_epsilon);
    for (int p = 0; p < 3; p++) {
        base_print(name, sizeof name, "%sSelfAttention.%c.weight", part, "qkv"[p]);
        projected[p] = tensor_linear(norm, parameter(t, name), NULL);
    }
    const tensor *q = projected[0], *k = projected[1], *v = projected[2];
    size_t bytes = (size_t)S * sizeof(double);
    double *dot = tensor_step_memory(t->ctx, bytes), *bias = tensor_step_memory(t->ctx, bytes);
    double *weight = tensor_step_memory(t->ctx, bytes), *left = tensor_step_memory(t->ctx, bytes);
    float *y = tensor_step_memory(t->ctx, (size_t)K * sizeof *y);
    attend(t, i, q, k, v, dot, bias, weight, y);
    memcpy(left, weight, bytes);
    base_text_print(&t->line, "\nattention, encoder block 0, head %d of %d: row %d, ",
                    (int)t->ask.head, c->num_heads, i);
    put_token(t, t->batch.source_ids[i], 26);
    end_line(t);
    show_vector("embedding", t->hidden[0]->val + i * c->d_model, c->d_model);
    show_vector("norm", norm->val + i * c->d_model, c->d_model);
    show_vector("query", q->val + i * I + first, K);
    base_print_to(stdout, "  looks at                         q . k     bias    score   weight\n");
    for (int n = 0; n < TOP && n < S; n++) {
        int j = take_largest(left, S);
        base_text_print(&t->line, "  row %3d ", j);
        put_token(t, t->batch.source_ids[j], 16);
        pad(t);
        base_text_print(&t->line, "%8.4f %8.4f %8.4f %8.4f", dot[j], bias[j], dot[j] + bias[j],
                        weight[j]);
        end_line(t);
    }
    show_vector("output", y, K);
}

/* ---- logits and loss ---- */

/* softmax(logits)[id], of a row of V. */
static double probability(const float *logits, int V, int id)
{
    double most = -INFINITY, sum = 0;
    for (int v = 0; v < V; v++)
        most = (double)logits[v] > most ? (double)logits[v] : most;
    for (int v = 0; v < V; v++)
        sum += base_exp((double)logits[v] - most);
    return base_exp((double)logits[id] - most) / sum;
}

/* One row of a table of tokens: dL/dlogit is (p - 1)/n of the right one and p/n of the others, n labels. */
static void show_logit(trace *t, const float *logits, int V, int id, int right)
{
    double p = probability(logits, V, id), s = (double)t->objective.smoothing;
    double wanted = (id == right ? 1 - s : 0) + s / V;
    base_text_print(&t->line, "  %5d ", id);
    put_token(t, id, 16);
    pad(t);
    base_text_print(&t->line, "%9.4f %11.6f  %+.6f%s", (double)logits[id], p,
                    (p - wanted) / t->batch.target_rows, id == right ? "  right" : "");
    end_line(t);
}

static void show_logits(trace *t)
{
    int V = t->out.logits->dim[1], row = (int)t->ask.position, right = t->batch.target_ids[row];
    const float *logits = t->out.logits->val + (size_t)row * (size_t)V;
    double *left = tensor_step_memory(t->ctx, (size_t)V * sizeof *left);
    bool shown = false;
    for (int v = 0; v < V; v++)
        left[v] = (double)logits[v];
    base_print_to(stdout, "\nlogits of label %d, over %d tokens\n", row, V);
    base_print_to(stdout, "  token                           logit probability   dL/dlogit\n");
    for (int n = 0; n < TOP; n++) {
        int id = take_largest(left, V);
        shown = shown || id == right;
        show_logit(t, logits, V, id, right);
    }
    if (!shown)
        show_logit(t, logits, V, right, right);
}

static void show_loss(trace *t)
{
    int V = t->out.logits->dim[1];
    base_print_to(stdout, "\nloss: -log of each label's probability, in nats\n");
    for (int i = 0; i < t->batch.target_rows; i++) {
        int id = t->batch.target_ids[i];
        base_text_print(&t->line, "  label %-3d", i);
        put_token(t, id, 16);
        pad(t);
        base_text_print(&t->line, "%8.6f %8.4f",
                        probability(t->out.logits->val + (size_t)i * (size_t)V, V, id),
                        (double)t->out.row_loss[i]);
        end_line(t);
    }
    base_print_to(stdout, "  mean%*s%8.4f\n", 34, "", (double)*t->out.loss->val);
}

/* ---- gradient and update ---- */

/* The objective of the pair, as the weights are now. */
static double loss_now(trace *t)
{
    double loss = 0;
    t5_output out = t5_forward(t->model, &t->batch, &t->objective, 0, 0);
    loss = (double)*out.loss->val;
    tensor_step_end(t->ctx);
    return loss;
}

/* The gradient, beside what it says it is: how the loss changes where the weight does. */
static void show_gradient(trace *t)
{
    const float step = 1.0f / 128;
    float *w = t->weight->val + t->ask.element, was = *w;
    *w = was + step;
    double above = loss_now(t);
    *w = was - step;
    double below = loss_now(t);
    *w = was;
    base_print_to(stdout, "\ngradient of %s[%lld]\n", t->ask.weight, (long long)t->ask.element);
    base_print_to(stdout, "  by the chain rule   %+.6f\n", (double)t->weight->grad[t->ask.element]);
    base_print_to(stdout, "  by trying           %+.6f = (%.6f - %.6f) / (2 / 128)\n",
                  (above - below) * 64, above, below);
}

static bool show_update(trace *t, double before, base_error *error)
{
    nn_params *params = t5_model_params(t->model);
    const nn_optimizer_config config = evolve_optimizer(&t->settings);
    const nn_schedule schedule = evolve_schedule(&t->settings, 1);
    nn_optimizer *optimizer = nn_optimizer_new(params, &config, error);
    if (!optimizer)
        return false;
    const float *w = t->weight->val + t->ask.element, was = *w;
    double norm = nn_grad_norm(params), square = 0;
    float scale = t->settings.clip > 0 ? nn_clip_scale(norm, t->settings.clip) : 1;
    for (size_t i = 0; i < tensor_size(t->weight); i++)
        square += (double)t->weight->val[i] * (double)t->weight->val[i];
    nn_optimizer_step(optimizer, nn_schedule_factor(&schedule, 0), scale);
    nn_optimizer_free(optimizer);
    base_print_to(stdout, "\nupdate by %s, rate %g\n", nn_optimizer_names[config.kind],
                  config.rate * nn_schedule_factor(&schedule, 0));
    base_print_to(stdout, "  all gradients       length %.4f, so each is multiplied by %.6f\n",
                  norm, (double)scale);
    base_print_to(stdout, "  the parameter       root mean square %.6f\n",
                  sqrt(square / (double)tensor_size(t->weight)));
    base_print_to(stdout, "  the weight          %.6f -> %.6f, a step of %+.6f\n", (double)was,
                  (double)*w, (double)*w - (double)was);
    base_print_to(stdout, "  the pair's loss     %.4f -> %.4f\n", before, loss_now(t));
    return true;
}

/* ---- the whole way ---- */

/* Whether what was asked for is there. */
static bool check(const trace *t, base_error *error)
{
    const t5_config *c = t5_model_config(t->model);
    const struct {
        const char *option;
        int64_t value, count;
    } ranges[] = {{"row", t->ask.row, t->batch.source_rows},
                  {"head", t->ask.head, c->num_heads},
                  {"position", t->ask.position, t->batch.target_rows},
                  {"element", t->ask.element, t->weight ? (int64_t)tensor_size(t->weight) : 1}};
    if (!t->weight)
        return base_fail(error, "--weight %s: the T5 has no such parameter", t->ask.weight);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].value >= ranges[i].count)
            return base_fail(error, "--%s %lld: there are %lld, counted from 0", ranges[i].option,
                             (long long)ranges[i].value, (long long)ranges[i].count);
    return true;
}

static bool show(trace *t, const char *edit, base_error *error)
{
    t->weight = parameter(t, t->ask.weight);
    t->hidden = base_calloc((size_t)t5_model_config(t->model)->num_layers + 1, sizeof *t->hidden);
    if (!t->hidden)
        return base_fail(error, "no memory");
    if (!check(t, error))
        return false;
    base_print_to(stdout, "pair %lld of seed %lld: %s is edited\n", (long long)t->ask.pair,
                  (long long)t->settings.seed, edit);
    show_tokens(t, "source", t->batch.source_ids, t->batch.source_rows);
    show_tokens(t, "refinement", t->batch.target_ids, t->batch.target_rows);
    t5_keep_hidden(t->model, t->hidden, NULL);
    t5_set_dropout(t->model, 0);
    nn_zero_grad(t5_model_params(t->model));
    t->objective.smoothing = (float)t->settings.smoothing;
    t->out = t5_forward(t->model, &t->batch, &t->objective, 0, 0);
    double loss = (double)*t->out.loss->val;
    tensor_set_grad(t->ctx, false); /* what is computed to be shown has no part in the gradient */
    show_attention(t);
    show_logits(t);
    show_loss(t);
    tensor_backward(t->out.loss);
    t5_keep_hidden(t->model, NULL, NULL);
    tensor_step_end(t->ctx);
    show_gradient(t);
    return show_update(t, loss, error);
}

/* The T5 of a folder, or the one that the default source defines. */
static bool make_model(trace *t, base_error *error)
{
    if (t->ask.model) {
        char *folder = model_folder(t->ask.model);
        evolve_form form = EVOLVE_PROGRAM;
        t->model = folder ? t5_folder_read(t->ctx, folder, true, &t->tokenizer, error) : NULL;
        bool ok = t->model && source_form_load(&form, folder, error);
        base_free(folder);
        t->settings.form = form;
        return ok &&
               (form != EVOLVE_PLAIN ||
                base_fail(error, "%s: is a model of pairs of its own, expected one of refinements",
                          t->ask.model));
    }
    t5_config config;
    language_diagnostic diagnostic;
    base_text source = {0};
    source_generator_source(&t->settings, &source);
    t->tokenizer = source_tokenizer(&t->settings, error);
    bool ok = t->tokenizer != NULL;
    if (ok && source_run_model("default.c", source.data, source.length, &t->settings,
                               t5_tokenizer_size(t->tokenizer), &config, NULL,
                               &diagnostic) != LANGUAGE_OK)
        ok = base_fail(error, "%s", diagnostic.text);
    t->model = ok ? t5_model_new(t->ctx, &config, true, error) : NULL;
    if (t->model)
        source_init_model(t->model, &t->settings, (uint64_t)t->settings.seed);
    base_text_free(&source);
    return t->model != NULL;
}

static bool run(trace *t, base_error *error)
{
    mutation_drawn drawn;
    if (!(t->ctx = tensor_context_open(1, error)) || !make_model(t, error))
        return false;
    mutation_mutator mutator = evolve_mutator(&t->settings);
    source_pairs *pairs = source_pairs_new(&t->settings, t->tokenizer, error);
    bool ok = pairs && source_pairs_add(pairs, (uint64_t)t->ask.pair, &t->batch, &drawn, error);
    source_pairs_free(pairs);
    return ok && show(t, mutator.kind->name(&mutator, drawn.edit), error);
}

int command_trace(int argc, char **argv)
{
    trace t = {.ask = {.row = -1, .weight = "encoder.block.0.layer.0.SelfAttention.q.weight"}};
    const command_values values = {
        .own = &t.ask, .settings = &t.settings, .operands = &t.ask.model};
    int code = command_read(&command, &values, argc, argv);
    if (code >= 0)
        return code;
    static const char *const of_folder[] = {"form", "vocabulary", "d-model"};
    for (size_t i = 0; t.ask.model && i < sizeof of_folder / sizeof *of_folder; i++)
        if (command_has(&command, argc, argv, of_folder[i]))
            return complain(EXIT_USAGE, "--%s: would change nothing: the model's folder says it",
                            of_folder[i]);
    if (evolve_task_has_pairs(&t.settings))
        return complain(EXIT_USAGE,
                        "--task pairs: are in a file; expected a task whose pairs are drawn");
    if (command_has(&command, argc, argv, "batch"))
        return complain(EXIT_USAGE, "--batch: would change nothing: a trace is of one pair");
    base_error error;
    bool ok = run(&t, &error);
    t5_batch_free(&t.batch);
    t5_model_free(t.model);
    t5_tokenizer_free(t.tokenizer);
    tensor_context_free(t.ctx);
    base_text_free(&t.line);
    base_free(t.hidden);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "%s", error.text);
}
