/* propose.c -- see propose.h. */
#include "evolve/loop/propose.h"
#include "evolve/loop/constraint.h"
#include "evolve/task.h"
#include "evolve/config.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const requests[] = {
    [SEARCH_REFINE] = "refine",
    [SEARCH_DRAW] = "draw",
    [SEARCH_GROW] = "grow",
    [SEARCH_AGAIN] = "again",
};

void loop_asked_members(const loop_asked *asked, base_text *members)
{
    base_text_print(members, "\"episode\":%d,\"batch\":%d,", asked->episode, asked->batch);
    if (asked->count > 0) {
        base_text_print(members, "\"wish\":\"%s\",\"share\":", requests[asked->trials->request]);
        base_json_put_number(members, asked->trials->share);
        base_text_print(members, ",");
    }
    base_text_print(members, "\"from\":[");
    for (int i = 0; i < asked->count; i++)
        base_text_print(members, "%s%" PRId64, i ? "," : "", asked->trials[i].source);
    base_text_print(members, "]");
}

static const char *source_of(const loop_asked *asked, int trial)
{
    return asked->archive->entry[asked->trials[trial].source].text;
}

/* ---- by a T5 ---- */

/* `count` samples for the source of trial number `first`, and what they took. */
static bool generate(const loop_asked *asked, t5_model *model, int first, int count,
                     t5_sample *samples, int64_t *flops, base_error *error)
{
    const evolve_settings *settings = asked->settings;
    const char *source = source_of(asked, first);
    const t5_tokenizer *tokenizer = loop_generator_tokenizer(asked->generator);
    int *ids = malloc(((size_t)T5_MOST_SOURCE + (size_t)count) * sizeof *ids);
    if (!ids)
        return base_fail(error, "proposals: no memory");
    int *lengths = ids + T5_MOST_SOURCE;
    t5_request request = {.source = ids,
                          .source_count =
                              t5_tokenize(tokenizer, source, strlen(source), ids, T5_MOST_SOURCE),
                          .count = count,
                          .most = (int)settings->max_tokens,
                          .sampling = evolve_sampling(settings),
                          .seed = (uint64_t)settings->seed,
                          .stream = base_random_stream("propose", (uint64_t)asked->episode,
                                                       (uint64_t)asked->batch, (uint64_t)first)};
    loop_constraint *constraint = NULL;
    bool ok = true;
    if (settings->constrained) {
        constraint = loop_constraint_new(settings, tokenizer, count, error);
        ok = constraint != NULL;
        request.sampling.allowed = loop_constraint_allowed;
        request.sampling.user = constraint;
    }
    ok = ok && t5_generate(model, &request, samples, error);
    for (int i = 0; ok && i < count; i++)
        lengths[i] = samples[i].count;
    if (ok)
        *flops += t5_config_generation_flops(t5_model_config(model), request.source_count, lengths,
                                             count);
    loop_constraint_free(constraint);
    free(ids);
    return ok;
}

/* What is no UTF-8 is written as '?', since JSON has no bytes; a source with such bytes is no
 * program in either form. */
static void put_samples(const loop_asked *asked, const t5_sample *samples, int first, int count,
                        base_text *members)
{
    base_text text = {0};
    for (int i = 0; i < count; i++) {
        base_text_clear(&text);
        base_text_add(&text, "", 0);
        t5_detokenize(loop_generator_tokenizer(asked->generator), samples[i].ids, samples[i].count,
                      &text);
        for (size_t k = 0; k < text.length; k++)
            if ((unsigned char)text.data[k] >= 0x80)
                text.data[k] = '?';
        base_text_print(members, "%s", first + i ? "," : "");
        base_json_put_string(members, text.data ? text.data : "", text.length);
    }
    members->failed = members->failed || text.failed;
    base_text_free(&text);
}

/* Neighbours with the same source are written together: its encoder runs once. */
static bool write_refinements(const loop_asked *asked, int64_t *flops, base_text *members,
                              base_error *error)
{
    const search_trial *trials = asked->trials;
    t5_model *model = loop_generator_model(asked->generator, error);
    t5_sample *samples = model ? calloc((size_t)asked->count, sizeof *samples) : NULL;
    if (!samples)
        return model && base_fail(error, "proposals: no memory");
    bool ok = true;
    for (int first = 0, end; ok && first < asked->count; first = end) {
        for (end = first + 1; end < asked->count && trials[end].source == trials[first].source;)
            end++;
        ok = generate(asked, model, first, end - first, samples, flops, error);
        if (ok) {
            put_samples(asked, samples, first, end - first, members);
            t5_samples_free(samples, end - first);
        }
    }
    free(samples);
    return ok;
}

/* ---- by the mutator ---- */

/* A layer or twice the width: what makes a model larger (heads do not). The next step up of a size
 * drawn from those that have one. */
static bool grow(const mutation_rules *rules, const mutation_design *source, base_random *random,
                 mutation_design *larger)
{
    mutation_design next[3];
    int count = 0;
    for (mutation_edit edit = 0; edit < MUTATION_EDITS; edit++) {
        int value = source->value[edit];
        value = edit == MUTATION_EDIT_D_FF ? 2 * value : value + 1;
        if (edit == MUTATION_EDIT_NUM_HEADS || value > rules->high[edit])
            continue;
        next[count] = *source;
        next[count++].value[edit] = value;
    }
    if (count > 0)
        *larger = next[base_random_below(random, (uint32_t)count)];
    return count > 0;
}

/* A source as the mutator sees it. The first source of a scope with a train() has numbers of the
 * settings', which the grammar may not have: then the grammar's own first source stands for it. */
static bool read_source(const mutation_mutator *mutator, const char *text, mutation_form *source,
                        base_error *error)
{
    if (mutation_form_read(mutator, text, strlen(text), source))
        return true;
    if (!mutator->is_grammar)
        return base_fail(error, "the source is none that the edit rules know");
    source->tree = mutation_tree_first(&mutator->grammar);
    return true;
}

/* *found: there is one. */
static bool edit(const loop_asked *asked, const mutation_mutator *mutator, int trial,
                 mutation_form *form, bool *found, base_error *error)
{
    search_request request = asked->trials[trial].request;
    base_random random = {(uint64_t)asked->settings->seed,
                          base_random_stream(requests[request], (uint64_t)asked->episode,
                                             (uint64_t)asked->batch, (uint64_t)trial),
                          0};
    *found = true;
    if (request == SEARCH_DRAW) {
        *form = mutation_mutator_draw(mutator, &random);
        return true;
    }
    mutation_form source;
    if (!read_source(mutator, source_of(asked, trial), &source, error))
        return false;
    if (request == SEARCH_GROW)
        *found = grow(&mutator->rules, &source.design, &random, &form->design);
    else if (!mutation_mutator_refine(mutator, &source, &random, form))
        return base_fail(error, "the edit rules make nothing of the source");
    return true;
}

static bool make_texts(const loop_asked *asked, base_text *members, base_error *error)
{
    mutation_mutator mutator = evolve_mutator(asked->settings);
    base_text text = {0};
    bool ok = true, found = true;
    for (int i = 0; ok && found && i < asked->count; i++) {
        mutation_form form;
        base_text_clear(&text);
        if (asked->trials[i].request == SEARCH_AGAIN) {
            base_text_print(&text, "%s", source_of(asked, i));
        } else {
            ok = edit(asked, &mutator, i, &form, &found, error);
            if (!ok || !found)
                continue;
            mutation_form_print(&mutator, &form, &text);
        }
        base_text_print(members, "%s", i ? "," : "");
        base_json_put_string(members, text.data ? text.data : "", text.length);
    }
    members->failed = members->failed || text.failed;
    base_text_free(&text);
    return ok;
}

/* ---- either ---- */

bool loop_propose(const loop_asked *asked, base_text *members, base_error *error)
{
    int64_t flops = 0;
    bool written = asked->generator && asked->count > 0 && asked->trials->request == SEARCH_REFINE;
    base_text_print(members, "\"episode\":%d,\"batch\":%d,\"texts\":[", asked->episode,
                    asked->batch);
    bool ok = written ? write_refinements(asked, &flops, members, error)
                      : make_texts(asked, members, error);
    base_text_print(members, "],\"flops\":%" PRId64, flops);
    return ok;
}

bool loop_propose_check(const evolve_settings *settings, base_error *error)
{
    mutation_mutator mutator = evolve_mutator(settings);
    return settings->strategy != EVOLVE_LARGER || !mutator.is_grammar ||
           base_fail(error, "--strategy larger: only the designs of --task self, --scope "
                            "architecture have sizes that it can raise");
}
