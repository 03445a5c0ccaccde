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

enum { COUNT = 64 };

/* All of its logits are 0: each token that may follow is as likely as any other. */
static t5_model *without_opinion(tensor_context *ctx, const t5_tokenizer *tokenizer)
{
    t5_model *model = small_t5(ctx, t5_tokenizer_size(tokenizer));
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
    CHECK(source_form_tokens((evolve_form)w->settings->form, w->tokenizer, source, strlen(source),
                             ids, &request.source_count, &error) &&
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
    source_writer writer = {&settings, without_opinion(ctx, tokenizer), tokenizer, SOURCE_DRAWS};
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

int main(void)
{
    what_is_no_edit_is_drawn_anew(true);
    what_is_no_edit_is_drawn_anew(false);
    return test_end();
}
