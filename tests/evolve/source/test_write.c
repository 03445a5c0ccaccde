/* SPDX-License-Identifier: MIT */
/* test_write.c -- what a T5 writes for a source: the samples of its stream, and under a constraint edits of the
 * rules, where it comes upon one. */
#include "evolve/config.h"
#include "evolve/source/constraint.h"
#include "evolve/source/form.h"
#include "evolve/source/host.h"
#include "evolve/source/write.h"
#include "evolve/task.h"
#include "tests/evolve/test_evolve.h"
#include "tests/test_malloc.h"

enum { COUNT = 64 };

/* All of its logits are 0: each token that may follow is as likely as any other. */
static t5_model *without_opinion(tensor_context *ctx, int tokens)
{
    t5_model *model = small_t5(ctx, tokens);
    tensor *norm = nn_params_find(t5_model_params(model), "decoder.final_layer_norm.weight");
    for (size_t i = 0; i < 16; i++)
        norm->val[i] = 0;
    return model;
}

/* The same samples by the library itself, as texts. */
static void sample(const source_writer *w, const char *source, uint64_t stream, base_text *refined)
{
    int ids[T5_MOST_SOURCE];
    t5_sample samples[COUNT];
    base_error error = {""};
    t5_request request = {.source = ids,
                          .count = COUNT,
                          .most = (int)w->settings->max_tokens,
                          .sampling = evolve_sampling(w->settings),
                          .seed = (uint64_t)w->settings->seed,
                          .stream = stream};
    source_constraint *constraint =
        source_constraint_new(w->settings, source, w->tokenizer, COUNT, &error);
    request.sampling.allowed = w->settings->constrained ? source_constraint_allowed : NULL;
    request.sampling.user = constraint;
    CHECK(source_form_tokens((evolve_form)w->settings->form, w->tokenizer, "", source,
                             strlen(source), ids, &request.source_count, &error) &&
              t5_generate(w->model, &request, samples, &error),
          "%s", error.text);
    for (int i = 0; i < COUNT; i++)
        source_form_read((evolve_form)w->settings->form, w->tokenizer, source, strlen(source),
                         &samples[i], &refined[i]);
    t5_samples_free(samples, COUNT);
    source_constraint_free(constraint);
}

static bool is_edit(const evolve_settings *settings, const base_text *source,
                    const base_text *refined)
{
    mutation_mutator m = evolve_mutator(settings);
    mutation_form from, to;
    return m.kind->read(&m, source->data, source->length, &from) &&
           m.kind->read(&m, refined->data, refined->length, &to) &&
           m.kind->probability(&m, &from, &to) > 0;
}

static void what_is_no_edit_is_drawn_anew(bool constrained)
{
    base_error error = {""};
    base_text source = {0}, first[COUNT] = {{0}}, written[COUNT] = {{0}};
    evolve_settings settings;
    evolve_settings_preset(&settings, "quick", NULL);
    settings.constrained = constrained;
    source_default_source_of(&settings, &source);
    t5_tokenizer *tokenizer = source_tokenizer(&settings, &error);
    tensor_context *ctx = tensor_context_new();
    source_writer writer = {&settings, without_opinion(ctx, t5_tokenizer_size(tokenizer)),
                            tokenizer, SOURCE_DRAWS};
    int64_t flops = 0;
    sample(&writer, source.data, 5, first);
    CHECK(source_write(&writer, source.data, 5, COUNT, written, &flops, &error), "%s", error.text);
    int edits[2] = {0};
    for (int i = 0; i < COUNT; i++) {
        bool edit = is_edit(&settings, &source, &first[i]);
        CHECK((constrained && !edit) || strcmp(written[i].data, first[i].data) == 0,
              "sample %d became\n%s", i, written[i].data);
        edits[0] += edit;
        edits[1] += is_edit(&settings, &source, &written[i]);
        base_text_free(&first[i]);
        base_text_free(&written[i]);
    }
    CHECK(constrained ? edits[1] > edits[0] : edits[1] == edits[0], "%d edits, then %d", edits[0],
          edits[1]);
    CHECK(flops > 0, "nothing was charged");
    base_text_free(&source);
    t5_model_free(writer.model);
    tensor_context_free(ctx);
    t5_tokenizer_free(tokenizer);
}

/* A T5 that has no token for a letter gets no further than "#": it proposes, and what it proposes is no program and
 * says why. */
static void a_dead_end_is_no_program(void)
{
    base_error error = {""};
    base_text written[COUNT] = {{0}};
    evolve_settings settings;
    evolve_settings_preset(&settings, "quick", NULL);
    settings.constrained = true;
    settings.form = EVOLVE_PROGRAM;
    t5_tokenizer *tokenizer = source_tokenizer(&settings, &error);
    tensor_context *ctx = tensor_context_new();
    t5_model *model = without_opinion(ctx, 3 + 'A');
    source_writer writer = {&settings, model, tokenizer, SOURCE_DRAWS};
    int64_t flops = 0;
    CHECK(source_write(&writer, "#\n", 5, COUNT, written, &flops, &error), "%s", error.text);
    for (int i = 0; i < COUNT; i++) {
        CHECK(written[i].data &&
                  strcmp(written[i].data, "#error no token may follow the 1 that were written\n") ==
                      0,
              "sample %d is\n%s", i, written[i].data ? written[i].data : "nothing");
        base_text_free(&written[i]);
    }
    int lengths[COUNT]; /* the token, and the one that was looked for */
    for (int i = 0; i < COUNT; i++)
        lengths[i] = 2;
    CHECK(flops == t5_config_generation_flops(t5_model_config(model), 3, lengths, COUNT),
          "%lld operations", (long long)flops);
    t5_model_free(model);
    tensor_context_free(ctx);
    t5_tokenizer_free(tokenizer);
}

/* Each allocation fails once: an error, or the same texts. What is refused for want of memory is no dead end. */
static void without_memory(evolve_form form)
{
    enum { FEW = 2 };
    base_error error = {""};
    base_text source = {0}, first[FEW] = {{0}};
    evolve_settings settings;
    evolve_settings_preset(&settings, "quick", NULL);
    CHECK(evolve_settings_scope(&settings, "all", &error), "%s", error.text);
    settings.constrained = true;
    settings.form = form;
    settings.max_tokens = 40;
    source_default_source_of(&settings, &source);
    t5_tokenizer *tokenizer = source_tokenizer(&settings, &error);
    tensor_context *ctx = tensor_context_new();
    t5_model *model = without_opinion(ctx, t5_tokenizer_size(tokenizer));
    source_writer writer = {&settings, model, tokenizer, 1};
    int64_t flops = 0;
    int errors = 0;
    bool reached = true;
    CHECK(source_write(&writer, source.data, 5, FEW, first, &flops, &error), "%s", error.text);
    for (long n = 0; reached && can_count; n++) {
        base_text written[FEW] = {{0}};
        long before = allocations;
        fail_at = before + n;
        bool ok = source_write(&writer, source.data, 5, FEW, written, &flops, &error);
        reached = allocations > fail_at;
        fail_at = -1;
        errors += !ok;
        CHECK(ok || strstr(error.text, "memory"), "allocation %ld: %s", n, error.text);
        for (int i = 0; i < FEW; i++) {
            CHECK(!ok || strcmp(written[i].data, first[i].data) == 0,
                  "allocation %ld: sample %d became\n%s", n, i, written[i].data);
            base_text_free(&written[i]);
        }
    }
    CHECK(!can_count || errors > 20, "%d allocations failed", errors);
    for (int i = 0; i < FEW; i++)
        base_text_free(&first[i]);
    base_text_free(&source);
    t5_model_free(model);
    tensor_context_free(ctx);
    t5_tokenizer_free(tokenizer);
}

int main(void)
{
    see_whether_malloc_counts();
    what_is_no_edit_is_drawn_anew(true);
    what_is_no_edit_is_drawn_anew(false);
    a_dead_end_is_no_program();
    without_memory(EVOLVE_PROGRAM);
    without_memory(EVOLVE_BY_NAME);
    return test_end();
}
