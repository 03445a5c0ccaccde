/* beam.c -- beam search: the likeliest whole sequence, as far as a few candidates at a time see it.
 *
 * Each round extends every beam by every token, and the best extensions are the next beams; one
 * that ends becomes a hypothesis. Rules, scores and stopping are those of Hugging Face's
 * BeamSearchScorer (transformers 4.33) with early_stopping False: hypotheses compete by the sum of
 * their log-probabilities over length^length_penalty, where the length counts the start token but
 * not the end token; the search is over when there are as many hypotheses as beams and the best
 * extension, if it ended now, could not beat the worst of them. Beams that are open when the length
 * is used up become hypotheses as they are.
 *
 * Sums are in double here and in float32 there, so the two may part at a near tie. Of equal scores
 * the lower beam's is first, then the smaller token. */
#include "t5/model.h"

#include "base/math.h"
#include <assert.h>
#include <math.h>
#include <string.h>

typedef struct beam {
    int slot; /* of the cache, and of the search's histories */
    double score;
} beam;

typedef struct candidate {
    int parent, token; /* parent: a beam */
    float log_probability;
    double score;
} candidate;

typedef struct hypothesis {
    double score;     /* divided by its length's penalty */
    t5_sample sample; /* with room for `most` tokens */
} hypothesis;

typedef struct search {
    t5_model *model;
    t5_cache *cache;
    t5_chooser chooser;
    double length_penalty;
    int beams, most;
    beam *beam;           /* `beams` of them */
    t5_sample *history;   /* of each slot: its tokens so far */
    int *slot, *token;    /* of each beam, as t5_cache_step wants them */
    candidate *best;      /* the 2 * beams best extensions, best first */
    int found;            /* how many there are */
    hypothesis *finished; /* beams + 1 places, in the order in which they came */
    int hypotheses;
    double worst; /* score of a hypothesis */
} search;

/* ---- Hypotheses ---- */

static void copy_history(t5_sample *to, const t5_sample *from)
{
    size_t count = (size_t)from->count;
    memcpy(to->ids, from->ids, count * sizeof *to->ids);
    memcpy(to->token_log_probability, from->token_log_probability,
           count * sizeof *to->token_log_probability);
    to->count = from->count;
    to->finished = from->finished;
    to->log_probability = from->log_probability;
}

static int lowest_hypothesis(const search *s)
{
    int lowest = 0;
    for (int i = 1; i < s->hypotheses; i++)
        if (s->finished[i].score < s->finished[lowest].score)
            lowest = i;
    return lowest;
}

/* The others close up; its memory goes to the free place at the end. */
static hypothesis *take_out(search *s, int place)
{
    hypothesis taken = s->finished[place];
    s->hypotheses--;
    memmove(s->finished + place, s->finished + place + 1,
            (size_t)(s->hypotheses - place) * sizeof taken);
    s->finished[s->hypotheses] = taken;
    return &s->finished[s->hypotheses];
}

static double penalised(const search *s, double sum, int length)
{
    return sum / base_pow(length, s->length_penalty);
}

/* A beam's tokens, and behind them, where end is one, an end token. */
static void add_hypothesis(search *s, const beam *b, double sum, const candidate *end)
{
    const t5_sample *history = &s->history[b->slot];
    double score = penalised(s, sum, history->count + 1);
    if (s->hypotheses == s->beams && score <= s->worst)
        return;
    hypothesis *h = &s->finished[s->hypotheses++];
    h->score = score;
    copy_history(&h->sample, history);
    if (end) {
        t5_sample_add(&h->sample, end->token, end->log_probability);
        h->sample.finished = true;
    }
    if (s->hypotheses > s->beams)
        take_out(s, lowest_hypothesis(s));
    s->worst = s->finished[lowest_hypothesis(s)].score;
}

/* ---- Extensions ---- */

/* Keeps the list of the best sorted. Called in order of beams and tokens: of equals, the first. */
static void offer(search *s, candidate c)
{
    int most = 2 * s->beams, place = s->found;
    if (place == most && !(c.score > s->best[most - 1].score))
        return;
    if (place == most)
        place--;
    else
        s->found++;
    for (; place > 0 && c.score > s->best[place - 1].score; place--)
        s->best[place] = s->best[place - 1];
    s->best[place] = c;
}

static bool find_best(search *s, int position, base_error *error)
{
    int V = s->model->config.vocab_size;
    tensor *logits = t5_cache_step(s->cache, s->slot, s->token, s->beams, position);
    s->found = 0;
    for (int i = 0; i < s->beams; i++) {
        t5_scores scores;
        if (!t5_scores_of(&scores, &s->chooser, logits->val + (size_t)i * (size_t)V, V, position,
                          error))
            return false;
        for (int token = 0; token < V; token++) {
            float log_probability = t5_log_probability(&scores, token);
            offer(s, (candidate){i, token, log_probability,
                                 s->beam[i].score + (double)log_probability});
        }
    }
    return true;
}

/* Moves the beams on to `next`. A beam's first child stays in its slot; each other child gets a
 * copy of it in a slot whose beam has no child. As many are free as are needed. */
static void branch(search *s, const candidate *const *next, int position)
{
    tensor_context *ctx = s->model->ctx;
    size_t mark = tensor_mark(ctx), places = (size_t)s->beams;
    beam *child = tensor_step_memory(ctx, places * sizeof *child);
    bool *taken = tensor_step_memory(ctx, places * sizeof *taken);
    memset(taken, 0, places * sizeof *taken);
    for (int i = 0; i < s->beams; i++) {
        int slot = s->beam[next[i]->parent].slot;
        child[i] = (beam){.slot = taken[slot] ? -1 : slot, .score = next[i]->score};
        taken[slot] = true;
    }
    for (int i = 0, free_slot = 0; i < s->beams; i++) {
        if (child[i].slot >= 0)
            continue;
        while (taken[free_slot])
            free_slot++;
        int from = s->beam[next[i]->parent].slot;
        taken[free_slot] = true;
        child[i].slot = free_slot;
        t5_cache_copy(s->cache, free_slot, from, position + 1);
        copy_history(&s->history[free_slot], &s->history[from]);
    }
    for (int i = 0; i < s->beams; i++) {
        s->beam[i] = child[i];
        s->slot[i] = child[i].slot;
        s->token[i] = next[i]->token;
        t5_sample_add(&s->history[child[i].slot], next[i]->token, next[i]->log_probability);
    }
    tensor_release(ctx, mark);
}

/* One round; *done: nothing better can come. */
static bool advance(search *s, int position, bool *done, base_error *error)
{
    tensor_context *ctx = s->model->ctx;
    if (!find_best(s, position, error))
        return false;
    const candidate **next = tensor_step_memory(ctx, (size_t)s->beams * sizeof *next);
    int open = 0;
    for (int rank = 0; rank < s->found && open < s->beams; rank++) {
        const candidate *c = &s->best[rank];
        if (c->token != s->model->config.eos_token_id)
            next[open++] = c;
        else if (rank < s->beams)
            add_hypothesis(s, &s->beam[c->parent], c->score, c);
    }
    assert(open == s->beams); /* each beam ends at most once: half of 2 * beams go on */
    *done = s->hypotheses == s->beams && s->worst >= penalised(s, s->best[0].score, position + 2);
    if (!*done)
        branch(s, next, position);
    return true;
}

/* ---- The search ---- */

static t5_sample empty_sample(tensor_context *ctx, int most)
{
    return (t5_sample){
        .ids = tensor_step_memory(ctx, (size_t)most * sizeof(int)),
        .token_log_probability = tensor_step_memory(ctx, (size_t)most * sizeof(float)),
    };
}

/* All beams start alike, but only the first counts: -1e9 keeps the others behind, as in HF. */
static void start(search *s)
{
    tensor_context *ctx = s->model->ctx;
    size_t places = (size_t)s->beams;
    s->beam = tensor_step_memory(ctx, places * sizeof *s->beam);
    s->history = tensor_step_memory(ctx, places * sizeof *s->history);
    s->slot = tensor_step_memory(ctx, places * sizeof *s->slot);
    s->token = tensor_step_memory(ctx, places * sizeof *s->token);
    s->best = tensor_step_memory(ctx, 2 * places * sizeof *s->best);
    s->finished = tensor_step_memory(ctx, (places + 1) * sizeof *s->finished);
    for (int i = 0; i < s->beams; i++) {
        s->beam[i] = (beam){.slot = i, .score = i == 0 ? 0 : -1e9};
        s->history[i] = empty_sample(ctx, s->most);
        s->slot[i] = i;
        s->token[i] = T5_PAD;
    }
    for (int i = 0; i <= s->beams; i++)
        s->finished[i] = (hypothesis){.sample = empty_sample(ctx, s->most)};
}

/* The best first; of equals, the one that came last, as HF's pop() from a sorted list. */
static void hand_over(search *s, int count, t5_sample *samples)
{
    for (int i = 0; i < count; i++) {
        int best = 0;
        for (int j = 1; j < s->hypotheses; j++)
            if (s->finished[j].score >= s->finished[best].score)
                best = j;
        copy_history(&samples[i], &take_out(s, best)->sample);
    }
}

bool t5_beam_search(t5_model *model, const int *source_ids, int source_count, int most,
                    const t5_sampling *sampling, int count, t5_sample *samples, base_error *error)
{
    search s = {.model = model,
                .length_penalty = sampling->length_penalty,
                .beams = sampling->beams,
                .most = most};
    s.chooser = t5_chooser_new(model);
    s.cache = t5_cache_new(model, source_ids, source_count, s.beams, most);
    start(&s);
    bool done = false;
    for (int position = 0; position < most && !done; position++) {
        size_t mark = tensor_mark(model->ctx);
        bool good = advance(&s, position, &done, error);
        tensor_release(model->ctx, mark);
        if (!good)
            return false;
    }
    for (int i = 0; i < s.beams && !done; i++)
        add_hypothesis(&s, &s.beam[i], s.beam[i].score, NULL);
    hand_over(&s, count, samples);
    return true;
}
