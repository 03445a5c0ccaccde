/* SPDX-License-Identifier: MIT */
/* measure.c -- a model that imitates rules has a floor: the rules' own probability of a pair is
 * known, so what the model loses above it is an estimate of how far it is from them, in nats. And
 * how it errs is read off samples, each held against the edits that the rules can make. */
#include "evolve/score/measure.h"
#include "base/math.h"
#include "evolve/config.h"
#include "evolve/source/write.h"
#include "evolve/source/host.h"
#include "evolve/task.h"
#include <math.h>
#include <string.h>

double score_gap_distance(const score_gap *gap)
{
    return gap->pairs ? (gap->loss - gap->floor) / (double)gap->pairs : 0;
}

/* One pair: what the model lost on it, and what the true mutator would have lost. */
static void count(score_gap *gap, double loss, double floor)
{
    gap->pairs++;
    gap->loss += loss;
    gap->floor += floor;
}

/* So few that what a layer writes is still in the cache for the next, and its memory is kept for the next batch. */
enum { MOST_BATCH = 8 };

/* Without gradients, in batches of MOST_BATCH. The sum over pairs is the same for any batch size, as no pair sees
 * another. */
bool score_measure_held_out(t5_model *model, source_pairs *pairs, const mutation_mutator *mutator,
                            uint64_t first, int64_t pair_count, score_held_out *result,
                            base_error *error)
{
    tensor_context *ctx = nn_params_tensor(t5_model_params(model), 0)->ctx;
    t5_batch batch = {0};
    mutation_drawn drawn[MOST_BATCH];
    bool ok = true;
    memset(result, 0, sizeof *result);
    tensor_set_grad(ctx, false);
    for (int64_t done = 0; ok && done < pair_count; done += batch.count) {
        t5_batch_clear(&batch);
        while (ok && batch.count < MOST_BATCH && done + batch.count < pair_count)
            ok = source_pairs_add(pairs, first + (uint64_t)(done + batch.count), &batch,
                                  &drawn[batch.count], error);
        if (!ok)
            break;
        t5_output out = t5_forward(model, &batch, NULL, 0, 0);
        for (int b = 0; b < batch.count; b++) {
            double loss = 0;
            source_add_losses(&batch, b, out.row_loss, &loss);
            double p = mutation_mutator_probability(mutator, &drawn[b].source, &drawn[b].refined);
            count(&result->all, loss, -base_log(p));
            count(&result->by_edit[drawn[b].edit], loss, -base_log(p));
        }
        tensor_step_end(ctx);
    }
    tensor_set_grad(ctx, true);
    t5_batch_free(&batch);
    return ok;
}

/* Of equally likely tokens the one with the smaller id comes first, as in t5_generate. */
static int likeliest(const float *logits, int vocabulary)
{
    int best = 0;
    for (int i = 1; i < vocabulary; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

/* Teacher forcing: each token is asked for behind the right ones before it. A text is exact if all are
 * right, and then greedy generation writes just that text. */
static void count_texts(const t5_batch *batch, const t5_output *out, int vocabulary,
                        score_texts *result)
{
    for (int b = 0; b < batch->count; b++) {
        const tensor_span *target = &batch->target[b];
        int right = 0;
        for (int i = target->start; i < target->start + target->rows; i++)
            right += likeliest(out->logits->val + (size_t)i * (size_t)vocabulary, vocabulary) ==
                     batch->target_ids[i];
        result->pairs++;
        result->tokens += target->rows;
        result->right += right;
        result->exact += right == target->rows;
        source_add_losses(batch, b, out->row_loss, &result->loss);
    }
}

bool score_measure_texts(t5_model *model, source_pairs *pairs, uint64_t first, int64_t count,
                         score_texts *result, base_error *error)
{
    enum { TEXTS = 16 };
    tensor_context *ctx = nn_params_context(t5_model_params(model));
    t5_batch batch = {0};
    bool ok = true;
    memset(result, 0, sizeof *result);
    tensor_set_grad(ctx, false);
    for (int64_t done = 0; ok && done < count; done += batch.count) {
        t5_batch_clear(&batch);
        while (ok && batch.count < TEXTS && done + batch.count < count)
            ok = source_pairs_add(pairs, first + (uint64_t)(done + batch.count), &batch, NULL,
                                  error);
        if (!ok)
            break;
        t5_output out = t5_forward(model, &batch, NULL, 0, 0);
        count_texts(&batch, &out, t5_model_config(model)->vocab_size, result);
        tensor_step_end(ctx);
    }
    tensor_set_grad(ctx, true);
    t5_batch_free(&batch);
    return ok;
}

enum { SAMPLES = 8 };

/* Eight refinements of one held-out source, made as proposals are, as the mutator would judge them. */
static bool sample_one(t5_model *model, const t5_tokenizer *tokenizer,
                       const evolve_settings *settings, const mutation_mutator *mutator,
                       const language_interface *interface, uint64_t index,
                       mutation_fidelity *result, base_error *error)
{
    base_text text = {0}, refined[SAMPLES] = {{0}};
    mutation_form source =
        mutator->kind->pair(mutator, evolve_data_seed(settings), SOURCE_HELD_OUT + index).source;
    source_writer writer = {settings, model, tokenizer, SOURCE_DRAWS};
    int64_t flops = 0; /* of a measure, so nobody is charged for them */
    mutator->kind->print(mutator, &source, &text);
    bool ok = (!text.failed || base_fail(error, "fidelity: no memory")) &&
              source_write(&writer, text.data, base_random_stream("fidelity", index, 0, 0), SAMPLES,
                           refined, &flops, error);
    for (int i = 0; i < SAMPLES; i++) {
        if (ok)
            mutation_fidelity_add(result, mutator, interface, &source, refined[i].data,
                                  refined[i].length);
        base_text_free(&refined[i]);
    }
    base_text_free(&text);
    return ok;
}

bool score_measure_fidelity(t5_model *model, const t5_tokenizer *tokenizer,
                            const evolve_settings *settings, const mutation_mutator *mutator,
                            int64_t sources, mutation_fidelity *result, base_error *error)
{
    language_interface *interface = source_interface_new();
    bool ok = interface || base_fail(error, "fidelity: no memory");
    memset(result, 0, sizeof *result);
    for (int64_t i = 0; ok && i < sources; i++)
        ok = sample_one(model, tokenizer, settings, mutator, interface, (uint64_t)i, result, error);
    if (ok)
        mutation_fidelity_finish(result);
    language_interface_free(interface);
    return ok;
}

/* "name":number, behind a comma where it is not the first. */
static void member(base_text *text, const char *name, double number)
{
    base_text_print(
        text, "%s\"%s\":", text->length && text->data[text->length - 1] != '{' ? "," : "", name);
    base_json_put_number(text, number);
}

static double share(int64_t part, int64_t all) { return all ? (double)part / (double)all : 0; }

void score_texts_print(const score_texts *result, base_text *text)
{
    base_text_print(text, "{");
    member(text, "pairs", (double)result->pairs);
    member(text, "tokens", (double)result->tokens);
    member(text, "loss", result->tokens ? result->loss / (double)result->tokens : 0);
    member(text, "right", (double)result->right);
    member(text, "exact", (double)result->exact);
    base_text_print(text, "}");
}

/* The loss is written as a mean a token and kept as a sum. */
bool score_texts_read(score_texts *result, const base_json *object, base_error *error)
{
    const int64_t most = (int64_t)1 << 50;
    bool ok =
        base_json_get_int(object, "pairs", 0, most, &result->pairs, "texts", error) &&
        base_json_get_int(object, "tokens", 0, most, &result->tokens, "texts", error) &&
        base_json_get_number(object, "loss", &result->loss, "texts", error) &&
        base_json_get_int(object, "right", 0, result->tokens, &result->right, "texts", error) &&
        base_json_get_int(object, "exact", 0, result->pairs, &result->exact, "texts", error);
    if (ok)
        result->loss *= (double)result->tokens;
    return ok;
}

void score_texts_describe(const char *name, const score_texts *result, base_text *text)
{
    base_text_print(
        text,
        "  %-12s %7lld pairs   loss %7.4f nats a token   tokens right %6.2f %%   exact match "
        "%6.2f %%\n",
        name, (long long)result->pairs, result->tokens ? result->loss / (double)result->tokens : 0,
        100 * share(result->right, result->tokens), 100 * share(result->exact, result->pairs));
}

/* Sums become means a pair. */
static void gap_members(const score_gap *gap, base_text *text)
{
    double pairs = gap->pairs ? (double)gap->pairs : 1;
    base_text_print(text, "{");
    member(text, "pairs", (double)gap->pairs);
    member(text, "loss", gap->loss / pairs);
    member(text, "floor", gap->floor / pairs);
    member(text, "distance", score_gap_distance(gap));
    base_text_print(text, "}");
}

void score_held_out_print(const score_held_out *result, const mutation_mutator *mutator,
                          base_text *text)
{
    base_text_print(text, "{\"all\":");
    gap_members(&result->all, text);
    for (int i = 0; i < mutator->edits; i++) {
        if (result->by_edit[i].pairs == 0)
            continue;
        base_text_print(text, ",\"%s\":", mutator->kind->name(mutator, i));
        gap_members(&result->by_edit[i], text);
    }
    base_text_print(text, "}");
}

void score_fidelity_print(const mutation_fidelity *result, base_text *text)
{
    base_text_print(text, "{");
    member(text, "samples", result->samples);
    member(text, "parsed", result->parsed);
    member(text, "valid", result->valid);
    member(text, "designs", result->designs);
    member(text, "one_edit", result->one_edit);
    member(text, "legal", result->legal);
    member(text, "copies", result->copies);
    member(text, "total_variation", result->total_variation);
    base_text_print(text, "}");
}

bool score_held_out_distance(const base_json *held_out, double *distance, base_error *error)
{
    return base_json_get_number(base_json_get(held_out, "all"), "distance", distance, "held_out",
                                error);
}

static bool is_in(const base_json *object, const char *name, double most)
{
    double value;
    return base_json_get_number(object, name, &value, "measured", NULL) && value >= 0 &&
           value <= most;
}

bool score_measures_possible(const base_json *held_out, const base_json *fidelity,
                             const char *origin, base_error *error)
{
    static const char *const counts[] = {"parsed",   "valid", "designs",
                                         "one_edit", "legal", "copies"};
    double samples = 0;
    bool good = base_json_get(held_out, "all") != NULL;
    for (const base_json *gap = good ? held_out->child : NULL; gap; gap = gap->next)
        good = good && is_in(gap, "pairs", INT32_MAX) && is_in(gap, "loss", HUGE_VAL) &&
               is_in(gap, "floor", HUGE_VAL) && base_json_get(gap, "distance");
    if (!good)
        return base_fail(error, "%s: expected pairs, loss and floor from 0 on in \"held_out\"",
                         origin);
    good = is_in(fidelity, "samples", INT32_MAX) && is_in(fidelity, "total_variation", 1) &&
           base_json_get_number(fidelity, "samples", &samples, origin, error);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        good = good && is_in(fidelity, counts[i], samples);
    return good ||
           base_fail(error, "%s: expected samples, and parts of them, in \"fidelity\"", origin);
}

static void describe_gap(const char *name, const score_gap *gap, base_text *text)
{
    double pairs = gap->pairs ? (double)gap->pairs : 1;
    base_text_print(text, "  %-18s %6lld %7.4f %7.4f %9.4f\n", name, (long long)gap->pairs,
                    gap->loss / pairs, gap->floor / pairs, score_gap_distance(gap));
}

void score_held_out_describe(const score_held_out *result, const mutation_mutator *mutator,
                             base_text *text)
{
    base_text_print(text, "held-out, nats a pair  pairs    loss   floor  distance\n");
    describe_gap("all", &result->all, text);
    /* A grammar has too many kinds of edit for people; the journal has them all. */
    for (int i = 0; mutation_mutator_is_of_rules(mutator) && i < mutator->edits; i++)
        if (result->by_edit[i].pairs > 0)
            describe_gap(mutator->kind->name(mutator, i), &result->by_edit[i], text);
}

void score_fidelity_describe(const mutation_fidelity *result, base_text *text)
{
    if (result->samples == 0) /* as --fidelity 0 wants it: nothing is known */
        return;
    double percent = 100.0 / result->samples;
    base_text_print(
        text,
        "of %d samples %.1f %% parse, %.1f %% are valid, %.1f %% make exactly one "
        "edit,\n"
        "  %.1f %% a legal one, %.1f %% copy; total variation from the true edits %.3f\n"
        "  (0: its edits are as frequent as the true ones, 1: none is a true one)\n",
        result->samples, percent * result->parsed, percent * result->valid,
        percent * result->one_edit, percent * result->legal, percent * result->copies,
        result->total_variation);
}
