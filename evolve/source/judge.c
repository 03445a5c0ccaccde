/* SPDX-License-Identifier: MIT */
/* judge.c -- a judgement is a forward pass over a text and the word that answers it. */
#include "evolve/source/judge.h"
#include "base/memory.h"
#include "evolve/source/form.h"
#include "evolve/source/pairs.h"
#include <string.h>

const char *const source_words[2] = {"worse\n", "better\n"};

const char *source_word(const evolve_settings *settings)
{
    return settings->proposer == EVOLVE_ACTOR ? source_words[true] : "";
}

bool source_ask_judgement(evolve_form form, const base_text *source, const base_text *refined,
                          base_text *asked, base_error *error)
{
    base_text_print(asked, "judge\n");
    return source_form_ask(form, source->data, source->length, asked, error) &&
           source_form_label(form, source, refined, asked, error);
}

/* Appends a text and the answer "better" to a batch. */
static bool add(const source_writer *w, const base_text *asked, t5_batch *batch, base_error *error)
{
    const char *word = source_words[true];
    int answer[16], *ids = base_malloc(T5_MOST_SOURCE * sizeof *ids);
    const int words = t5_tokenize(w->tokenizer, word, strlen(word), answer, 16);
    const int count =
        ids ? t5_tokenize(w->tokenizer, asked->data, asked->length, ids, T5_MOST_SOURCE) : 0;
    bool ok = ids && !asked->failed && count <= T5_MOST_SOURCE && words <= 16 &&
              t5_batch_add(batch, ids, count, answer, words);
    base_free(ids);
    return ok || base_fail(error, "judgements: no memory for a text and its refinement");
}

typedef struct work {
    t5_model *model;
    const t5_batch *batch;
    double *log_probability;
} work;

static void judge(void *argument)
{
    const work *w = argument;
    tensor_context *ctx = nn_params_context(t5_model_params(w->model));
    tensor_set_grad(ctx, false);
    const t5_output out = t5_forward(w->model, w->batch, NULL, 0, 0);
    for (int i = 0; i < w->batch->count; i++) {
        double loss = 0;
        source_add_losses(w->batch, i, out.row_loss, &loss);
        w->log_probability[i] = -loss;
    }
    tensor_step_end(ctx);
    tensor_set_grad(ctx, true);
}

bool source_judge(const source_writer *w, const base_text *source, const base_text *refined,
                  int count, double *log_probability, int64_t *flops, base_error *error)
{
    base_text asked = {0};
    t5_batch batch = {0};
    char reason[256];
    bool ok = true;
    for (int i = 0; ok && i < count; i++) {
        base_text_clear(&asked);
        ok = source_ask_judgement((evolve_form)w->settings->form, source, &refined[i], &asked,
                                  error) &&
             add(w, &asked, &batch, error);
    }
    work judged = {w->model, &batch, log_probability};
    if (ok && !tensor_guarded(nn_params_context(t5_model_params(w->model)), judge, &judged, reason))
        ok = base_fail(error, "judgements: %s", reason);
    for (int i = 0; ok && i < count; i++)
        *flops += t5_config_generation_flops(t5_model_config(w->model), batch.source[i].rows,
                                             &batch.target[i].rows, 1);
    t5_batch_free(&batch);
    base_text_free(&asked);
    return ok;
}
