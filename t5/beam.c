/* SPDX-License-Identifier: MIT */
/* beam.c -- beam search: the likeliest whole sequence, as far as a few candidates at a time see it.
 *
 * Each round extends every beam by every token, and the best extensions are the next beams; an
 * extension by the end token becomes a hypothesis. Rules, scores and stopping are those of Hugging
 * Face's BeamSearchScorer (transformers 4.33) with early_stopping False:
 *
 *   score     of a beam: the sum of its tokens' log-probabilities; of a hypothesis: that sum over
 *             length^length_penalty, the start token counted and the end token not
 *   kept      as many hypotheses as there are beams, the best
 *   the end   when that many are there and the best extension, if it ended now, could not beat the
 *             worst of them; or when the length is used up: then open beams become hypotheses
 *   start     all beams are alike, so only the first may count: the others start with -1e9
 *
 * Sums are in double here and in float32 there, so the two may part at a near tie. Of equal
 * extensions the lower beam's is first, then the smaller token; of equal hypotheses the later one.
 *
 * The plain form (t5_beam_plain) is that procedure and nothing else: it runs each sequence anew
 * through the model for every token and sorts all extensions. The fast form (t5_beam_search) keeps
 * the keys and values of every beam in a slot of a cache, and only the best 2 * beams extensions.
 * A test holds their results together, bit for bit. */
#include "t5/model.h"

#include "base/math.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A beam and one more token. */
typedef struct extension {
    int beam, token;
    float log_probability; /* of the token */
    double score;
} extension;

/* A sequence and its score. */
typedef struct hypothesis {
    double score;
    t5_sample sample; /* with room for all tokens */
} hypothesis;

/* ---- What both forms share: the best hypotheses so far ---- */

typedef struct results {
    int beams, count; /* as many as beams are kept */
    double length_penalty;
    hypothesis *best; /* best first */
} results;

/* Empty sequences, with the scores that beams start with. */
static hypothesis *new_hypotheses(tensor_context *ctx, int count, int most)
{
    hypothesis *list = tensor_step_memory(ctx, (size_t)count * sizeof *list);
    for (int i = 0; i < count; i++)
        list[i] = (hypothesis){
            .score = i == 0 ? 0 : -1e9,
            .sample = {
                .ids = tensor_step_memory(ctx, (size_t)most * sizeof(int)),
                .token_log_probability = tensor_step_memory(ctx, (size_t)most * sizeof(float)),
            }};
    return list;
}

static results new_results(const t5_model *model, const t5_request *request)
{
    int beams = request->sampling.beams;
    return (results){.beams = beams,
                     .length_penalty = request->sampling.length_penalty,
                     .best = new_hypotheses(model->ctx, beams, request->most)};
}

/* The score of a hypothesis of `length` tokens, the start token counted and the end token not. */
static double penalised(const results *r, double sum, int length)
{
    return sum / base_pow(length, r->length_penalty);
}

/* Adds a beam, with the token of `end` behind it or (NULL) as it is, unless all hypotheses that are
 * kept are as good; the worst makes room. */
static void add_result(results *r, const t5_sample *beam, double sum, const extension *end)
{
    double score = penalised(r, sum, beam->count + 1);
    if (r->count == r->beams && score <= r->best[r->count - 1].score)
        return;
    int place = r->count < r->beams ? r->count++ : r->count - 1;
    hypothesis added = r->best[place];
    for (; place > 0 && score >= r->best[place - 1].score; place--)
        r->best[place] = r->best[place - 1];
    added.score = score;
    t5_sample_copy(&added.sample, beam);
    if (end) {
        t5_sample_add(&added.sample, end->token, end->log_probability);
        added.sample.finished = true;
    }
    r->best[place] = added;
}

/* Whether nothing better can come: best is the best extension's score, length its tokens and the
 * start token. */
static bool is_over(const results *r, double best, int length)
{
    return r->count == r->beams && r->best[r->count - 1].score >= penalised(r, best, length);
}

/* Copies the best `count` to the caller's samples. */
static void hand_over(const results *r, int count, t5_sample *samples)
{
    for (int i = 0; i < count; i++)
        t5_sample_copy(&samples[i], &r->best[i].sample);
}

/* ---- The plain form ---- */

static int by_score(const void *a, const void *b)
{
    const extension *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->beam != y->beam ? x->beam - y->beam : x->token - y->token;
}

/* Logits (V) of the next token of a sequence, by a forward pass over all of it. NULL: no memory. */
static const float *logits_behind(t5_model *model, const t5_request *request, t5_sample *sample)
{
    const float *logits = NULL;
    t5_batch batch = {0};
    sample->ids[sample->count] = T5_PAD; /* the last label, which the decoder does not read */
    if (t5_batch_add(&batch, request->source, request->source_count, sample->ids,
                     sample->count + 1))
        logits = t5_forward(model, &batch, NULL, 0, 0).logits->val +
                 (size_t)sample->count * (size_t)model->config.vocab_size;
    t5_batch_free(&batch);
    return logits;
}

/* Every beam with every token, (beams * V), best first. NULL: error says why. */
static extension *expand(t5_model *model, const t5_request *request, hypothesis *beam, int position,
                         base_error *error)
{
    int V = model->config.vocab_size, beams = request->sampling.beams;
    size_t count = (size_t)beams * (size_t)V;
    extension *all = tensor_step_memory(model->ctx, count * sizeof *all), *next = all;
    t5_chooser chooser = t5_chooser_new(model);
    for (int i = 0; i < beams; i++) {
        t5_scores scores;
        const float *logits = logits_behind(model, request, &beam[i].sample);
        if (!logits)
            base_fail(error, "beam search: no memory");
        if (!logits || !t5_scores_of(&scores, &chooser, logits, V, position, error))
            return NULL;
        for (int token = 0; token < V; token++) {
            float log_probability = t5_log_probability(&scores, token);
            double score = beam[i].score + (double)log_probability;
            *next++ = (extension){i, token, log_probability, score};
        }
    }
    qsort(all, count, sizeof *all, by_score);
    return all;
}

/* The next beams are the best extensions that do not end. Of those that do, the ones among the best
 * `beams` become results. */
static void keep(const extension *all, int end_token, const hypothesis *beam, hypothesis *next,
                 results *r)
{
    for (int rank = 0, open = 0; rank < 2 * r->beams && open < r->beams; rank++) {
        const extension *e = &all[rank];
        const t5_sample *parent = &beam[e->beam].sample;
        if (e->token != end_token) {
            t5_sample_copy(&next[open].sample, parent);
            t5_sample_add(&next[open].sample, e->token, e->log_probability);
            next[open++].score = e->score;
        } else if (rank < r->beams) {
            add_result(r, parent, e->score, e);
        }
    }
}

bool t5_beam_plain(t5_model *model, const t5_request *request, t5_sample *samples,
                   base_error *error)
{
    tensor_context *ctx = model->ctx;
    int beams = request->sampling.beams, most = request->most;
    results r = new_results(model, request);
    hypothesis *beam = new_hypotheses(ctx, beams, most), *next = new_hypotheses(ctx, beams, most);
    bool over = false;
    for (int position = 0; position < most && !over; position++) {
        size_t mark = tensor_mark(ctx);
        const extension *all = expand(model, request, beam, position, error);
        if (!all)
            return false;
        keep(all, model->config.eos_token_id, beam, next, &r);
        over = is_over(&r, all[0].score, position + 2);
        hypothesis *last = beam;
        beam = next;
        next = last;
        tensor_release(ctx, mark);
    }
    for (int i = 0; i < beams && !over; i++)
        add_result(&r, &beam[i].sample, beam[i].score, NULL);
    hand_over(&r, request->count, samples);
    return true;
}

/* ---- The fast form ---- */

typedef struct beam {
    int slot; /* of the cache, and of the histories */
    double score;
} beam;

/* A search by the fast form. Beams and slots are numbered independently: a beam that is the only
 * child of its parent stays in the parent's slot, whatever its rank. */
typedef struct search {
    t5_model *model;
    t5_cache *cache;
    t5_chooser chooser;
    int beams;
    beam *beam;          /* `beams` of them */
    hypothesis *history; /* the tokens of each slot */
    int *slot, *token;   /* of each beam, as t5_cache_step wants them */
    extension *best;     /* the 2 * beams best extensions, best first */
    int found;           /* how many there are */
    results results;
} search;

/* Keeps the list of the best sorted. Called in order of beams and tokens: of equals, the first. */
static void offer(search *s, extension e)
{
    int most = 2 * s->beams, place = s->found;
    if (place == most && !(e.score > s->best[most - 1].score))
        return;
    if (place == most)
        place--;
    else
        s->found++;
    for (; place > 0 && e.score > s->best[place - 1].score; place--)
        s->best[place] = s->best[place - 1];
    s->best[place] = e;
}

/* Fills s->best with the best extensions of all beams. */
static bool find_best(search *s, int position, base_error *error)
{
    int V = s->model->config.vocab_size;
    tensor *logits = t5_cache_step(s->cache, s->slot, s->token, s->beams, position); /* (beams,V) */
    s->found = 0;
    for (int i = 0; i < s->beams; i++) {
        t5_scores scores;
        const float *row = logits->val + (size_t)i * (size_t)V;
        if (!t5_scores_of(&scores, &s->chooser, row, V, position, error))
            return false;
        for (int token = 0; token < V; token++) {
            float log_probability = t5_log_probability(&scores, token);
            double score = s->beam[i].score + (double)log_probability;
            offer(s, (extension){i, token, log_probability, score});
        }
    }
    return true;
}

/* Makes `next` the beams. A beam's first child stays in its slot; each other child gets a copy of
 * it in a slot whose beam has no child. There are as many children as slots, so these suffice. */
static void branch(search *s, const extension *const *next, int position)
{
    tensor_context *ctx = s->model->ctx;
    size_t mark = tensor_mark(ctx), places = (size_t)s->beams;
    beam *child = tensor_step_memory(ctx, places * sizeof *child);
    bool *taken = tensor_step_memory(ctx, places * sizeof *taken);
    memset(taken, 0, places * sizeof *taken);
    for (int i = 0; i < s->beams; i++) {
        int slot = s->beam[next[i]->beam].slot;
        child[i] = (beam){.slot = taken[slot] ? -1 : slot, .score = next[i]->score};
        taken[slot] = true;
    }
    for (int i = 0, free_slot = 0; i < s->beams; i++) {
        if (child[i].slot >= 0)
            continue;
        while (taken[free_slot])
            free_slot++;
        int from = s->beam[next[i]->beam].slot;
        taken[free_slot] = true;
        child[i].slot = free_slot;
        t5_cache_copy(s->cache, free_slot, from, position + 1);
        t5_sample_copy(&s->history[free_slot].sample, &s->history[from].sample);
    }
    for (int i = 0; i < s->beams; i++) {
        s->beam[i] = child[i];
        s->slot[i] = child[i].slot;
        s->token[i] = next[i]->token;
        t5_sample_add(&s->history[child[i].slot].sample, next[i]->token, next[i]->log_probability);
    }
    tensor_release(ctx, mark);
}

/* One round. *over: nothing better can come. */
static bool advance(search *s, int position, bool *over, base_error *error)
{
    tensor_context *ctx = s->model->ctx;
    if (!find_best(s, position, error))
        return false;
    const extension **next = tensor_step_memory(ctx, (size_t)s->beams * sizeof *next);
    int open = 0;
    for (int rank = 0; rank < s->found && open < s->beams; rank++) {
        const extension *e = &s->best[rank];
        if (e->token != s->model->config.eos_token_id)
            next[open++] = e;
        else if (rank < s->beams)
            add_result(&s->results, &s->history[s->beam[e->beam].slot].sample, e->score, e);
    }
    assert(open == s->beams); /* each beam ends at most once, so half of 2 * beams stay open */
    *over = is_over(&s->results, s->best[0].score, position + 2);
    if (!*over)
        branch(s, next, position);
    return true;
}

static search new_search(t5_model *model, const t5_request *request)
{
    tensor_context *ctx = model->ctx;
    size_t places = (size_t)request->sampling.beams;
    search s = {.model = model,
                .chooser = t5_chooser_new(model),
                .beams = request->sampling.beams,
                .beam = tensor_step_memory(ctx, places * sizeof *s.beam),
                .history = new_hypotheses(ctx, request->sampling.beams, request->most),
                .slot = tensor_step_memory(ctx, places * sizeof *s.slot),
                .token = tensor_step_memory(ctx, places * sizeof *s.token),
                .best = tensor_step_memory(ctx, 2 * places * sizeof *s.best),
                .results = new_results(model, request)};
    s.cache = t5_cache_new(model, request, s.beams);
    for (int i = 0; i < s.beams; i++) {
        s.beam[i] = (beam){.slot = i, .score = s.history[i].score};
        s.slot[i] = i;
        s.token[i] = T5_PAD;
    }
    return s;
}

bool t5_beam_search(t5_model *model, const t5_request *request, t5_sample *samples,
                    base_error *error)
{
    search s = new_search(model, request);
    bool over = false;
    for (int position = 0; position < request->most && !over; position++) {
        size_t mark = tensor_mark(model->ctx);
        bool good = advance(&s, position, &over, error);
        tensor_release(model->ctx, mark);
        if (!good)
            return false;
    }
    for (int i = 0; i < s.beams && !over; i++)
        add_result(&s.results, &s.history[s.beam[i].slot].sample, s.beam[i].score, NULL);
    hand_over(&s.results, request->count, samples);
    return true;
}
