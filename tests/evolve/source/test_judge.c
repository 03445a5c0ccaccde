/* SPDX-License-Identifier: MIT */
/* test_judge.c -- words that a T5 is asked with: which pairs have which, how often by what is known of their edits, and what a
 * judgement is. */
#include "evolve/config.h"
#include "evolve/source/form.h"
#include "evolve/source/judge.h"
#include "evolve/source/pairs.h"
#include "evolve/task.h"
#include "tests/evolve/test_evolve.h"
#include "tests/test_malloc.h"
#include <math.h>

enum { PAIRS = 8000 };

static void text_of(const t5_tokenizer *tokenizer, const int *ids, const tensor_span *span,
                    base_text *text)
{
    base_text_clear(text);
    t5_detokenize(tokenizer, ids + span->start, span->rows, text);
}

/* What the pair of that index is without a lesson: its texts, and the outcome of its edit. */
static int plain_pair(const evolve_settings *settings, uint64_t index, base_text *source,
                      base_text *refined)
{
    const mutation_mutator m = evolve_mutator(settings);
    const mutation_drawn drawn = m.kind->pair(&m, evolve_data_seed(settings), index);
    int changed;
    base_text_clear(source);
    base_text_clear(refined);
    m.kind->print(&m, &drawn.source, source);
    m.kind->print(&m, &drawn.refined, refined);
    return mutation_mutator_outcome(&m, &drawn.source, &drawn.refined, &changed);
}

static bool is_word(const char *text, bool *is_better)
{
    *is_better = strcmp(text, "better\n") == 0;
    return *is_better || strcmp(text, "worse\n") == 0;
}

/* Within four standard deviations. */
static void is_share(const char *what, int count, int of, double p)
{
    const double deviation = sqrt(p * (1 - p) * of);
    CHECK(fabs(count - p * of) <= 4 * deviation, "%s: %d of %d, expected %.3f", what, count, of, p);
}

/* Three of four pairs are what they were behind a word, the fourth is the same pair to be judged; the word is "better" as
 * often as the lesson says of that edit. */
static void pairs_have_the_words_that_their_edits_draw(evolve_form form)
{
    base_error error = {""};
    evolve_settings settings;
    evolve_settings_preset(&settings, "quick", &error);
    settings.form = form;
    source_lesson lesson = {.is_weighted = true, .has_words = true};
    for (int i = 0; i < 8; i++)
        lesson.weight[i] = 0.1 + 0.1 * i;
    t5_tokenizer *tokenizer = source_tokenizer(&settings, &error);
    source_pairs *pairs = source_pairs_new(&settings, tokenizer, &error);
    CHECK(tokenizer && pairs, "%s", error.text);
    source_pairs_teach(pairs, &lesson);
    base_text source = {0}, refined = {0}, asked = {0}, label = {0}, want = {0}, answer = {0};
    int judged = 0, tried[2][8] = {{0}}, better[2][8] = {{0}};
    for (uint64_t i = 0; i < PAIRS; i++) {
        t5_batch batch = {0};
        const int outcome = plain_pair(&settings, i, &source, &refined);
        CHECK(source_pairs_add(pairs, i, &batch, NULL, &error), "%s", error.text);
        text_of(tokenizer, batch.source_ids, &batch.source[0], &asked);
        text_of(tokenizer, batch.target_ids, &batch.target[0], &label);
        const bool is_judged = strncmp(asked.data, "judge\n", 6) == 0;
        bool is_better = strncmp(asked.data, "better\n", 7) == 0;
        base_text_clear(&want);
        base_text_clear(&answer);
        base_text_print(&want, "%s", is_judged ? "judge\n" : is_better ? "better\n" : "worse\n");
        CHECK(source_form_ask(form, source.data, source.length, &want, &error) &&
                  source_form_label(form, &source, &refined, is_judged ? &want : &answer, &error),
              "%s", error.text);
        CHECK(strcmp(asked.data, want.data) == 0, "pair %d asks\n%s", (int)i, asked.data);
        CHECK(is_judged ? is_word(label.data, &is_better) : strcmp(label.data, answer.data) == 0,
              "pair %d answers\n%s", (int)i, label.data);
        judged += is_judged;
        tried[is_judged][outcome]++;
        better[is_judged][outcome] += is_better;
        t5_batch_free(&batch);
    }
    is_share("judgements", judged, PAIRS, 0.25);
    for (int i = 0; i < 16; i++) {
        CHECK(tried[i / 8][i % 8] > 100, "outcome %d is rare", i % 8);
        is_share(i < 8 ? "asked for better" : "judged better", better[i / 8][i % 8],
                 tried[i / 8][i % 8], lesson.weight[i % 8]);
    }
    base_text *const texts[] = {&source, &refined, &asked, &label, &want, &answer};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        base_text_free(texts[i]);
    source_pairs_free(pairs);
    t5_tokenizer_free(tokenizer);
}

/* Held-out pairs are asked for what is better, and are weighted: P(R | S) P(better | R, S) up to a factor of S. */
static void held_out_pairs_are_those_given_better(void)
{
    base_error error = {""};
    evolve_settings settings;
    evolve_settings_preset(&settings, "quick", &error);
    source_lesson lesson = {.is_weighted = true, .has_words = true};
    for (int i = 0; i < 8; i++)
        lesson.weight[i] = i == 5 ? 0.9 : 0.1;
    t5_tokenizer *tokenizer = source_tokenizer(&settings, &error);
    source_pairs *pairs = source_pairs_new(&settings, tokenizer, &error);
    source_pairs_teach(pairs, &lesson);
    mutation_mutator m = evolve_mutator(&settings);
    m.weight = lesson.weight;
    base_text asked = {0};
    double expected = 0;
    int found = 0, changed;
    for (uint64_t i = 0; i < PAIRS; i++) {
        t5_batch batch = {0};
        mutation_drawn drawn;
        double law[MUTATION_MAX_OUTCOMES] = {0};
        CHECK(source_pairs_add(pairs, SOURCE_HELD_OUT + i, &batch, &drawn, &error), "%s",
              error.text);
        text_of(tokenizer, batch.source_ids, &batch.source[0], &asked);
        CHECK(strncmp(asked.data, "better\n", 7) == 0, "pair %d asks\n%s", (int)i, asked.data);
        mutation_mutator_expect(&m, &drawn.source, law);
        expected += law[5] / PAIRS;
        found += mutation_mutator_outcome(&m, &drawn.source, &drawn.refined, &changed) == 5;
        t5_batch_free(&batch);
    }
    is_share("the likeliest to be better", found, PAIRS, expected);
    CHECK(expected > 0.5, "%g", expected);
    base_text_free(&asked);
    source_pairs_free(pairs);
    t5_tokenizer_free(tokenizer);
}

/* An untrained T5 that is asked for judgements. */
typedef struct judge {
    evolve_settings settings;
    t5_tokenizer *tokenizer;
    tensor_context *ctx;
    t5_model *model;
    source_writer writer;
} judge;

static void begin(judge *j)
{
    base_error error = {""};
    evolve_settings_preset(&j->settings, "quick", &error);
    j->settings.proposer = EVOLVE_ACTOR;
    j->tokenizer = source_tokenizer(&j->settings, &error);
    j->ctx = tensor_context_new();
    j->model = small_t5(j->ctx, t5_tokenizer_size(j->tokenizer));
    j->writer = (source_writer){&j->settings, j->model, j->tokenizer, 1};
}

static void end(judge *j)
{
    t5_model_free(j->model);
    tensor_context_free(j->ctx);
    t5_tokenizer_free(j->tokenizer);
}

/* Judged together or alone, each has the log-probability of the word's tokens, and costs a forward pass. */
static void a_judgement_is_the_probability_of_a_word(void)
{
    enum { COUNT = 5 };
    base_error error = {""};
    judge j;
    begin(&j);
    CHECK(strcmp(source_word(&j.settings), "better\n") == 0, "%s", source_word(&j.settings));
    base_text source = {0}, refined[COUNT] = {{0}};
    double together[COUNT], alone;
    int64_t flops = 0, cost = 0;
    for (int i = 0; i < COUNT; i++)
        plain_pair(&j.settings, (uint64_t)i, &source, &refined[i]); /* of the last one's source */
    CHECK(source_judge(&j.writer, &source, refined, COUNT, together, &flops, &error), "%s",
          error.text);
    for (int i = 0; i < COUNT; i++) {
        base_text asked = {0};
        int ids[512], word[16], count, words;
        CHECK(source_judge(&j.writer, &source, &refined[i], 1, &alone, &cost, &error), "%s",
              error.text);
        CHECK(source_ask_judgement(EVOLVE_EDIT, &source, &refined[i], &asked, &error), "%s",
              error.text);
        count = t5_tokenize(j.tokenizer, asked.data, asked.length, ids, 512);
        words = t5_tokenize(j.tokenizer, "better\n", 7, word, 16);
        t5_batch batch = {0};
        t5_batch_add(&batch, ids, count, word, words);
        const t5_output out = t5_forward(j.model, &batch, NULL, 0, 0);
        double sum = 0;
        for (int k = 0; k < words; k++)
            sum += (double)out.row_loss[k];
        CHECK(fabs(sum + together[i]) < 1e-12 && fabs(alone - together[i]) < 1e-12 && sum > 0,
              "%d: %.17g together, %.17g alone, %.17g", i, together[i], alone, -sum);
        tensor_step_end(j.ctx);
        flops -= t5_config_generation_flops(t5_model_config(j.model), count, &words, 1);
        t5_batch_free(&batch);
        base_text_free(&asked);
        base_text_free(&refined[i]);
    }
    CHECK(flops == 0 && cost > 0, "%lld operations too many", (long long)flops);
    base_text_free(&source);
    end(&j);
}

/* Each allocation fails once: an error that says so, or the same judgement. */
static void without_memory(void)
{
    base_error error = {""};
    judge j;
    begin(&j);
    base_text source = {0}, refined = {0};
    double want, got;
    int64_t flops = 0;
    int errors = 0;
    bool reached = true;
    plain_pair(&j.settings, 0, &source, &refined);
    CHECK(source_judge(&j.writer, &source, &refined, 1, &want, &flops, &error), "%s", error.text);
    for (long n = 0; reached && can_count; n++) {
        fail_at = allocations + n;
        bool ok = source_judge(&j.writer, &source, &refined, 1, &got, &flops, &error);
        reached = allocations > fail_at;
        fail_at = -1;
        errors += !ok;
        CHECK(ok ? !(got < want) && !(got > want) : strstr(error.text, "memory") != NULL,
              "allocation %ld: %s", n, ok ? "another judgement" : error.text);
    }
    CHECK(!can_count || errors > 5, "%d allocations failed", errors);
    base_text_free(&source);
    base_text_free(&refined);
    end(&j);
}

int main(void)
{
    see_whether_malloc_counts();
    pairs_have_the_words_that_their_edits_draw(EVOLVE_EDIT);
    pairs_have_the_words_that_their_edits_draw(EVOLVE_PROGRAM);
    held_out_pairs_are_those_given_better();
    a_judgement_is_the_probability_of_a_word();
    without_memory();
    return test_end();
}
