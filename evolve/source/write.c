/* SPDX-License-Identifier: MIT */
/* write.c -- samples of a T5, read as refinements. */
#include "evolve/source/write.h"
#include "base/memory.h"
#include "evolve/config.h"
#include "evolve/source/constraint.h"
#include "evolve/source/form.h"
#include "evolve/source/judge.h"
#include "evolve/task.h"
#include <string.h>

/* One draw of all samples that are wanted. */
typedef struct draw {
    const source_writer *writer;
    const char *source;
    source_constraint *constraint; /* of all draws: each begins its rows anew; NULL: none */
    mutation_mutator mutator;      /* under a constraint */
    mutation_form form;            /* the source, if the mutator knows it */
    bool known;
    t5_request request;
    t5_sample *samples; /* count of the request */
    int *lengths;       /* of them, in tokens */
} draw;

static bool generate(draw *d, int64_t *flops, base_error *error)
{
    t5_model *model = d->writer->model;
    if (!t5_generate(model, &d->request, d->samples, error))
        return false;
    if (d->constraint && source_constraint_failed(d->constraint)) {
        t5_samples_free(d->samples, d->request.count);
        return base_fail(error, "proposals: no memory");
    }
    for (int i = 0; i < d->request.count; i++)
        d->lengths[i] =
            d->samples[i].count + d->samples[i].stuck; /* computed, and nothing chosen */
    *flops += t5_config_generation_flops(t5_model_config(model), d->request.source_count,
                                         d->lengths, d->request.count);
    return true;
}

/* Whether a text is not to be drawn anew. */
static bool is_good(const draw *d, const base_text *refined)
{
    mutation_form form;
    const mutation_kind *kind = d->mutator.kind;
    if (!d->known)
        return true;
    return kind->read(&d->mutator, refined->data, refined->length, &form) &&
           kind->probability(&d->mutator, &d->form, &form) > 0;
}

/* Draws each text that is still to be drawn, by the request's stream. Returns how many are so afterwards; -1: error. */
static int draw_all(draw *d, int count, base_text *refined, bool *done, int64_t *flops,
                    base_error *error)
{
    const source_writer *w = d->writer;
    size_t length = strlen(d->source);
    int left = 0;
    if (!generate(d, flops, error))
        return -1;
    for (int i = 0, drawn = 0; i < count; i++) {
        if (done[i])
            continue;
        source_form_read((evolve_form)w->settings->form, w->tokenizer, d->source, length,
                         &d->samples[drawn++], &refined[i]);
        if (refined[i].failed)
            left = base_fail(error, "proposals: no memory") - 1;
        else
            done[i] = is_good(d, &refined[i]);
        left += left >= 0 && !done[i];
    }
    t5_samples_free(d->samples, d->request.count);
    return left;
}

/* The rules that a constraint is of, and what they know of the source. False: no memory, or as source_constraint_new(). */
static bool constrain(draw *d, int count, base_error *error)
{
    const source_writer *w = d->writer;
    d->mutator = evolve_mutator(w->settings);
    mutation_mutator_admit(&d->mutator, d->source, strlen(d->source), NULL);
    d->known = d->mutator.kind->read(&d->mutator, d->source, strlen(d->source), &d->form);
    d->constraint = source_constraint_new(w->settings, d->source, w->tokenizer, count, error);
    d->request.sampling.allowed = source_constraint_allowed;
    d->request.sampling.user = d->constraint;
    return d->constraint;
}

bool source_write(const source_writer *w, const char *source, uint64_t stream, int count,
                  base_text *refined, int64_t *flops, base_error *error)
{
    int *ids = base_malloc(T5_MOST_SOURCE * sizeof *ids);
    draw d = {.writer = w,
              .source = source,
              .request = {.source = ids,
                          .most = (int)w->settings->max_tokens,
                          .sampling = evolve_sampling(w->settings),
                          .seed = (uint64_t)w->settings->seed},
              .samples = base_calloc((size_t)count, sizeof *d.samples),
              .lengths = base_calloc((size_t)count, sizeof *d.lengths)};
    bool *done = base_calloc((size_t)count, sizeof *done);
    bool ok = (ids && d.samples && d.lengths && done) || base_fail(error, "proposals: no memory");
    ok = ok &&
         source_form_tokens((evolve_form)w->settings->form, w->tokenizer, source_word(w->settings),
                            source, strlen(source), ids, &d.request.source_count, error);
    ok = ok && (!w->settings->constrained || constrain(&d, count, error));
    int left = count;
    for (int again = 0; ok && left > 0 && again < w->draws; again++) {
        d.request.count = left;
        d.request.stream = again ? base_random_stream("again", stream, (uint64_t)again, 0) : stream;
        left = draw_all(&d, count, refined, done, flops, error);
        ok = left >= 0;
    }
    source_constraint_free(d.constraint);
    base_free(done);
    base_free(d.lengths);
    base_free(d.samples);
    base_free(ids);
    return ok;
}
