/* SPDX-License-Identifier: MIT */
/* test_constraint.c -- a T5 that has learnt nothing writes programs, and nothing but
 * programs, where a token may only follow if some program goes on so. */
#include "evolve/source/constraint.h"
#include "evolve/score/evaluate.h"
#include "evolve/source/form.h"
#include "evolve/source/host.h"
#include "tests/evolve/test_evolve.h"

/* How many of the samples are programs of the mutator. */
static int programs(const evolve_settings *settings, const char *source,
                    const t5_tokenizer *tokenizer, const t5_sample *samples, int count)
{
    mutation_mutator mutator = evolve_mutator(settings);
    base_text answer = {0}, text = {0};
    int good = 0;
    for (int i = 0; i < count; i++) {
        mutation_form form;
        language_diagnostic diagnostic;
        base_text_clear(&answer);
        base_text_clear(&text);
        t5_detokenize(tokenizer, samples[i].ids, samples[i].count, &answer);
        source_form_answer((evolve_form)settings->form, source, strlen(source), &answer, &text);
        base_text_add(&text, "", 0);
        language_program *program = source_parse("sample.c", text.data, text.length, &diagnostic);
        good += program && samples[i].finished &&
                mutator.kind->read(&mutator, text.data, text.length, &form);
        language_program_free(program);
    }
    base_text_free(&answer);
    base_text_free(&text);
    return good;
}

static void only_programs(evolve_form form, const char *task, const char *scope, int count,
                          int batches, int most)
{
    base_error error = {""};
    evolve_settings settings;
    evolve_settings_preset(&settings, "quick", NULL);
    CHECK(evolve_settings_task(&settings, task, &error) &&
              (!*scope || evolve_settings_scope(&settings, scope, &error)),
          "%s", error.text);
    settings.form = form;
    base_text first = {0};
    source_default_source_of(&settings, &first);
    t5_tokenizer *tokenizer = source_tokenizer(&settings, &error);
    tensor_context *ctx = tensor_context_new();
    /* Of ids that are no tokens, too. */
    t5_model *model = small_t5(ctx, t5_tokenizer_size(tokenizer) + 3);
    source_constraint *constraint =
        source_constraint_new(&settings, first.data, tokenizer, count, &error);
    t5_sample *samples = calloc((size_t)count, sizeof *samples);
    int source[] = {7, 8, 9, T5_EOS}, written[2] = {0};
    t5_request request = {.source = source,
                          .source_count = 4,
                          .count = count,
                          .most = most,
                          .sampling = t5_sampling_default(),
                          .seed = 1};
    for (int free_to_write = 0; free_to_write < 2; free_to_write++) {
        request.sampling.allowed = free_to_write ? NULL : source_constraint_allowed;
        request.sampling.user = constraint;
        for (int batch = 0; batch < batches; batch++) {
            request.stream = (uint64_t)batch;
            CHECK(t5_generate(model, &request, samples, &error), "%s", error.text);
            written[free_to_write] += programs(&settings, first.data, tokenizer, samples, count);
            t5_samples_free(samples, count);
        }
    }
    /* An edit of nothing is the source. */
    CHECK(written[0] == count * batches && written[1] <= (form == EVOLVE_EDIT),
          "%s %s: %d of %d programs, %d unbound", task, scope, written[0], count * batches,
          written[1]);
    base_text_free(&first);
    free(samples);
    source_constraint_free(constraint);
    t5_model_free(model);
    tensor_context_free(ctx);
    t5_tokenizer_free(tokenizer);
}

int main(void)
{
    for (evolve_form form = EVOLVE_PROGRAM; form < EVOLVE_PLAIN; form++) {
        only_programs(form, "self", "", 25, 4, 400);
        only_programs(form, "self", "all", 10, 1, 3000);
        only_programs(form, "digits", "", 10, 1, 3000);
    }
    return test_end();
}
