/* SPDX-License-Identifier: MIT */
/* propose.c -- two kinds of writers behind one call: a T5 that samples refinements, and the
 * mutator, which also draws and enlarges. Either may be weighted by what its edits came to. The random
 * stream of a text is named after what was asked for and numbered by its place, so no text depends on
 * how many were written before it. */
#include "evolve/loop/propose.h"
#include "base/memory.h"
#include "evolve/loop/learnt.h"
#include "evolve/task.h"
#include "evolve/config.h"
#include "evolve/source/host.h"
#include "evolve/source/judge.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

loop_event loop_request_event(const loop_request *r, base_text *from)
{
    base_text_print(from, "[");
    for (int i = 0; i < r->count; i++)
        base_text_print(from, "%s%" PRId64, i ? "," : "", r->trials[i].source);
    base_text_print(from, "]");
    return (loop_event){.kind = LOOP_ASKED,
                        .episode = r->episode,
                        .batch = r->batch,
                        .request = r->count ? search_request_names[r->trials->request] : NULL,
                        .share = r->count ? r->trials->share : 0,
                        .from = {.text = from->data}};
}

static const char *source_of(const loop_request *r, int trial)
{
    return r->candidates[r->trials[trial].source].text;
}

/* ---- by a T5 ---- */

/* `count` refinements of a source by samples of a stream, and what they took. What is no UTF-8 is written as
 * '?', since JSON has no bytes; a source with such bytes is no program in any form. */
static bool generate(const loop_request *r, t5_model *model, const char *source, uint64_t stream,
                     int count, int draws, base_text *refined, int64_t *flops, base_error *error)
{
    source_writer writer = {r->settings, model, loop_generator_tokenizer(r->generator), draws};
    if (!source_write(&writer, source, stream, count, refined, flops, error))
        return false;
    for (int i = 0; i < count; i++)
        for (size_t k = 0; k < refined[i].length; k++)
            if ((unsigned char)refined[i].data[k] >= 0x80)
                refined[i].data[k] = '?';
    return true;
}

static void free_texts(base_text *texts, int count)
{
    for (int i = 0; i < count; i++)
        base_text_free(&texts[i]);
}

static void put_text(const base_text *text, base_text *texts)
{
    base_text_print(texts, "%s", texts->length > 1 ? "," : "");
    base_json_put_string(texts, text->data ? text->data : "", text->length);
    texts->failed = texts->failed || text->failed;
}

/* Neighbours with the same source are written together: its encoder runs once. */
static bool write_refinements(const loop_request *r, int64_t *flops, base_text *texts,
                              base_error *error)
{
    const search_trial *trials = r->trials;
    t5_model *model = loop_generator_model(r->generator, error);
    base_text *refined = model ? base_calloc((size_t)r->count, sizeof *refined) : NULL;
    if (!refined)
        return model && base_fail(error, "proposals: no memory");
    bool ok = true;
    for (int first = 0, end; ok && first < r->count; first = end) {
        for (end = first + 1; end < r->count && trials[end].source == trials[first].source;)
            end++;
        ok = generate(r, model, source_of(r, first),
                      base_random_stream("propose", (uint64_t)r->episode, (uint64_t)r->batch,
                                         (uint64_t)first),
                      end - first, SOURCE_DRAWS, refined + first, flops, error);
        for (int i = first; ok && i < end; i++)
            put_text(&refined[i], texts);
    }
    free_texts(refined, r->count);
    base_free(refined);
    return ok;
}

/* ---- by the mutator ---- */

/* The mutator at work on one batch. */
typedef struct writing {
    const loop_request *request;
    mutation_mutator mutator;
    loop_learnt learnt;
    base_text one, made; /* a text; those of the batch, a NUL after each */
    t5_model *model;     /* of a T5 that writes weighted edits */
    int64_t *flops;      /* its operations are added */
} writing;

static bool was_written(void *user, const mutation_form *child)
{
    writing *w = user;
    base_text_clear(&w->one);
    w->mutator.kind->print(&w->mutator, child, &w->one);
    if (w->one.failed)
        return false;
    for (int i = 0; i < w->request->known; i++)
        if (strcmp(w->request->candidates[i].text, w->one.data) == 0)
            return true;
    for (size_t at = 0; at < w->made.length; at += strlen(w->made.data + at) + 1)
        if (strcmp(w->made.data + at, w->one.data) == 0)
            return true;
    return false;
}

/* number: the candidate's. Every second one is the best of many by a model of the critic, each in its turn. */
static bool refine(writing *w, int number, const mutation_form *source, base_random *random,
                   mutation_form *child)
{
    const int64_t proposer = w->request->settings->proposer;
    if (proposer <= EVOLVE_RULES)
        return w->mutator.kind->refine(&w->mutator, source, random, child);
    if (proposer == EVOLVE_CRITIC && number % 2)
        return search_critic_refine(&w->learnt.critic, number / 2 % SEARCH_CRITICS, &w->mutator,
                                    source, was_written, w, random, child);
    return search_counts_refine(proposer == EVOLVE_COUNTS ? &w->learnt.counts : NULL, &w->mutator,
                                0, source, was_written, w, random, child);
}

/* *found: there is one. */
static bool edit(writing *w, int trial, mutation_form *form, bool *found, base_error *error)
{
    const loop_request *r = w->request;
    const mutation_mutator *mutator = &w->mutator;
    search_request request = r->trials[trial].request;
    base_random random = {(uint64_t)r->settings->seed,
                          base_random_stream(search_request_names[request], (uint64_t)r->episode,
                                             (uint64_t)r->batch, (uint64_t)trial),
                          0};
    *found = true;
    if (request == SEARCH_DRAW) {
        *form = mutator->kind->draw(mutator, &random);
        return true;
    }
    const char *text = source_of(r, trial);
    mutation_form source;
    if (!mutator->kind->read(mutator, text, strlen(text), &source))
        return base_fail(error, "the source is none that the edit rules know");
    if (request == SEARCH_GROW)
        *found = mutator->kind->grow(mutator, &source, &random, form);
    else if (!refine(w, r->known + trial, &source, &random, form))
        return base_fail(error, "the edit rules make nothing of the source");
    return true;
}

/* The first source has the numbers of all that follow. False: no memory. */
static bool begin(writing *w, const loop_request *r, base_error *error)
{
    *w = (writing){.request = r, .mutator = evolve_mutator(r->settings)};
    const char *first = r->candidates[0].text;
    mutation_mutator_admit(&w->mutator, first, strlen(first), NULL);
    return !evolve_learns(r->settings) || loop_learn(r->settings, &w->mutator, r->experience,
                                                     r->candidates, r->known, &w->learnt, error);
}

/* The text of w->one is that of the next trial. */
static void put_made(writing *w, base_text *texts)
{
    put_text(&w->one, texts);
    base_text_add(&w->made, w->one.data, w->one.failed ? 0 : w->one.length + 1);
}

static void end(writing *w, base_text *texts)
{
    texts->failed = texts->failed || w->made.failed;
    search_critic_free(&w->learnt.critic);
    base_text_free(&w->one);
    base_text_free(&w->made);
}

/* One text a trial; where nothing is larger than what is to grow, none. */
static bool make_texts(const loop_request *r, int64_t *flops, base_text *texts, base_error *error)
{
    writing w;
    bool ok = begin(&w, r, error), found = true;
    for (int i = 0; ok && found && i < r->count; i++) {
        mutation_form form;
        if (r->trials[i].request != SEARCH_AGAIN) {
            ok = edit(&w, i, &form, &found, error);
            if (!ok || !found)
                continue;
        }
        base_text_clear(&w.one);
        if (r->trials[i].request == SEARCH_AGAIN)
            base_text_print(&w.one, "%s", source_of(r, i));
        else
            w.mutator.kind->print(&w.mutator, &form, &w.one);
        put_made(&w, texts);
    }
    *flops += w.learnt.critic.flops;
    end(&w, texts);
    return ok;
}

/* ---- by a T5 whose edits are weighted, or were when it learnt them ----
 *
 * Of what the T5 writes, an edit is taken with a chance that grows with how often such edits paid
 * (evolve/search/counts.h): a T5 that imitated the rules perfectly would write what counts do. A
 * sample costs little beside the T5's training. A T5 that was taught pairs of such weights writes that by itself: any edit
 * is taken. So it is of one that was asked for better edits, but of every second child, whose edits are those of the samples
 * that the T5 itself thinks likeliest to be better. */

enum { DRAWS = 16 };

/* Of the samples for a source those that can be taken. */
typedef struct sifted {
    int count;
    mutation_form form[DRAWS];
    base_text text[DRAWS]; /* the samples' own */
} sifted;

/* Sources that the rules know, others than before, and, if it is the last edit, new ones. */
static void sift(writing *w, const mutation_form *source, const base_text samples[DRAWS], bool last,
                 sifted *s)
{
    const mutation_kind *kind = w->mutator.kind;
    s->count = 0;
    for (int i = 0; i < DRAWS; i++) {
        mutation_form *drawn = &s->form[s->count];
        int changed;
        if (!kind->read(&w->mutator, samples[i].data, samples[i].length, drawn))
            continue;
        mutation_mutator_outcome(&w->mutator, source, drawn, &changed);
        if (changed > 0 && !(last && was_written(w, drawn)))
            s->text[s->count++] = samples[i];
    }
}

/* The first that the counts take; where they take none, the first. */
static int first_taken(const writing *w, const mutation_form *source, const sifted *s,
                       base_random *random)
{
    for (int i = 0; i < s->count; i++)
        if (search_counts_take(&w->learnt.counts, &w->mutator, source, &s->form[i], random))
            return i;
    return 0;
}

static bool find_best(const writing *w, const base_text *source, const sifted *s, int *best,
                      base_error *error)
{
    const loop_request *r = w->request;
    const source_writer writer = {r->settings, w->model, loop_generator_tokenizer(r->generator), 1};
    double better[DRAWS];
    if (!source_judge(&writer, source, s->text, s->count, better, w->flops, error))
        return false;
    for (int i = 1; i < s->count; i++)
        *best = better[i] > better[*best] ? i : *best;
    return true;
}

/* *one: which of them, at least one, the edit of a trial is. */
static bool choose(const writing *w, int trial, const base_text *source, const mutation_form *form,
                   const sifted *s, base_random *random, int *one, base_error *error)
{
    const int64_t proposer = w->request->settings->proposer;
    *one = proposer == EVOLVE_TILTED ? first_taken(w, form, s, random) : 0;
    return proposer != EVOLVE_ACTOR || (w->request->known + trial) % 2 == 0 ||
           find_best(w, source, s, one, error);
}

/* A child of one edit, and each further one with chance 1/2, becomes w->one. Where the T5 knows no further one, these
 * are all; where it knows none at all, its first sample is the child, whatever it is. */
static bool write_child(writing *w, int trial, base_error *error)
{
    const loop_request *r = w->request;
    base_text samples[DRAWS] = {{0}};
    base_random random = {
        (uint64_t)r->settings->seed,
        base_random_stream("tilt", (uint64_t)r->episode, (uint64_t)r->batch, (uint64_t)trial), 0};
    const int edits = search_counts_edits(&random);
    base_text *one = &w->one, before = {0};
    base_text_print(&before, "%s", source_of(r, trial));
    bool ok = true, knows = true;
    for (int step = 0; ok && knows && step < edits; step++) {
        uint64_t stream = base_random_stream(
            "tilted", base_random_word(random.seed, random.stream, 0), (uint64_t)step, 0);
        mutation_form source;
        sifted s = {0};
        int chosen = 0;
        ok = !before.failed
                 ? generate(r, w->model, before.data, stream, DRAWS, 1, samples, w->flops, error)
                 : base_fail(error, "proposals: no memory");
        if (!ok)
            break;
        if (w->mutator.kind->read(&w->mutator, before.data, before.length, &source))
            sift(w, &source, samples, step + 1 == edits, &s);
        knows = s.count > 0;
        ok = !knows || choose(w, trial, &before, &source, &s, &random, &chosen, error);
        base_text_clear(one);
        if (knows)
            w->mutator.kind->print(&w->mutator, &s.form[chosen], one);
        else if (step > 0)
            base_text_add(one, before.data, before.length);
        else
            base_text_add(one, samples[0].data, samples[0].length);
        free_texts(samples, DRAWS);
        base_text_clear(&before);
        base_text_add(&before, one->data, one->length);
    }
    free_texts(samples, DRAWS);
    base_text_free(&before);
    return ok;
}

static bool write_weighted(const loop_request *r, int64_t *flops, base_text *texts,
                           base_error *error)
{
    writing w;
    t5_model *model = loop_generator_model(r->generator, error);
    bool ok = begin(&w, r, error) && model;
    w.model = model;
    w.flops = flops;
    for (int i = 0; ok && i < r->count; i++) {
        ok = write_child(&w, i, error);
        put_made(&w, texts);
    }
    end(&w, texts);
    return ok;
}

/* ---- either ---- */

/* A text that is there takes the place of the first trial that is left. */
static void put_given(loop_request *left, const char *given, base_text *texts)
{
    base_text text = {0};
    base_text_print(&text, "%s", given);
    put_text(&text, texts);
    base_text_free(&text);
    left->trials++;
    left->count--;
}

bool loop_propose(const loop_request *all, base_text *texts, int64_t *flops, base_error *error)
{
    loop_request left = *all, *r = &left;
    bool by_model = r->generator && r->count > 0 && r->trials->request == SEARCH_REFINE;
    *flops = 0;
    base_text_print(texts, "[");
    if (evolve_inherits(r->settings)) /* what the others are compared with */
        put_given(&left, source_of(r, 0), texts);
    for (char *const *given = r->more; given && *given && left.count > 0; given++)
        put_given(&left, *given, texts);
    const bool weighted = r->settings->proposer == EVOLVE_TILTED || evolve_weighs(r->settings);
    bool ok = r->count == 0 ? true
              : !by_model   ? make_texts(r, flops, texts, error)
              : weighted    ? write_weighted(r, flops, texts, error)
                            : write_refinements(r, flops, texts, error);
    base_text_print(texts, "]");
    return ok;
}

/* The line of a program, laid out as the rules lay out theirs, from which on it is none of theirs. Appended to `line`. */
static void find_strange_line(const mutation_mutator *rules, const char *source, base_text *line)
{
    mutation_mutator mutator = *rules;
    language_diagnostic diagnostic;
    base_text text = {0};
    language_program *program = source_parse("", source, strlen(source), &diagnostic);
    size_t far = 0;
    if (program)
        language_lay_out(program, &text);
    language_program_free(program);
    if (text.length > 0 && !text.failed &&
        !mutation_mutator_admit(&mutator, text.data, text.length, &far)) {
        size_t begin = far, end = far;
        while (begin > 0 && text.data[begin - 1] != '\n')
            begin--;
        while (text.data[begin] == ' ')
            begin++;
        while (end < text.length && text.data[end] != '\n')
            end++;
        base_text_print(line, ": they know no \"%.*s\" there", (int)(end - begin),
                        text.data + begin);
    }
    base_text_free(&text);
}

/* What a search by the edit rules starts from has to be theirs; of more programs, with the numbers of the first. */
static bool check_sources(const evolve_settings *settings, const char *first, char *const *more,
                          base_error *error)
{
    const mutation_mutator rules = evolve_mutator(settings);
    mutation_mutator mutator = rules;
    mutation_form form;
    char name[32] = "first source";
    const char *strange = first;
    if (mutation_mutator_admit(&mutator, first, strlen(first), NULL)) {
        int number = 2;
        while (more && *more && mutator.kind->read(&mutator, *more, strlen(*more), &form))
            more++, number++;
        if (!more || !*more)
            return true;
        snprintf(name, sizeof name, "source %d", number);
        strange = *more;
    }
    base_text line = {0};
    find_strange_line(&rules, strange, &line);
    base_fail(
        error,
        "--proposer: the edit rules cannot refine the %s%s; --proposer t5 refines any program",
        name, line.length > 0 && !line.failed ? line.data : "");
    base_text_free(&line);
    return false;
}

bool loop_propose_check(const evolve_settings *settings, const char *first, char *const *more,
                        base_error *error)
{
    const evolve_strategy strategy = (evolve_strategy)settings->strategy;
    int given = 0;
    while (more && more[given])
        given++;
    const int64_t most =
        strategy == EVOLVE_CLIMB ? 1 : settings->candidates - evolve_inherits(settings);
    if (strategy == EVOLVE_LARGER && !evolve_mutator(settings).kind->grow)
        return base_fail(error, "--strategy larger: only the designs of --task self, --scope "
                                "architecture have sizes that it can raise");
    if (settings->proposer == EVOLVE_WINNERS && evolve_subject_of(settings) == EVOLVE_NETWORKS)
        return base_fail(error, "--proposer winners: the T5 that writes networks is trained once, "
                                "before any of them has won");
    if (given > 0 && !evolve_strategy_refines(strategy))
        return base_fail(error, "--source: given %d times, but this --strategy refines none",
                         given + 1);
    if (given > most)
        return base_fail(
            error, "--source: given %d times, and the first batch has room for %d more than one",
            given + 1, (int)most);
    return !evolve_strategy_refines(strategy) || evolve_writes(settings) ||
           check_sources(settings, first, more, error);
}
