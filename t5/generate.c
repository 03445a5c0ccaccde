/* SPDX-License-Identifier: MIT */
/* generate.c -- new sequences from a model: several samples of one source, token by token.
 *
 * All samples advance together, one position in each round, as rows of one matrix; a sample that
 * has ended leaves the matrix, and the others close up:
 *
 *     round 0   the start token of every sample      slots 0 1 2 3     logits (4,V)
 *     round 1   the tokens chosen in round 0         slots 0 1 2 3     logits (4,V)
 *     round 2   sample 1 has ended                   slots 0 2 3       logits (3,V)
 *
 * So the weights are read once for all samples of a round. No row's numbers depend on the other
 * rows, and each sample draws from a stream of its own: sample i is the same however many are made.
 * What a round takes of the step arena is given back at its end. */
#include "t5/model.h"

#include "tensor/context.h"
#include <limits.h>
#include <math.h>

t5_sampling t5_sampling_default(void)
{
    return (t5_sampling){.temperature = 1, .top_p = 1, .beams = 1, .length_penalty = 1};
}

/* ---- Checking a request ---- */

static bool is_beam_search(const t5_sampling *s) { return !s->greedy && s->beams > 1; }

/* Greedy search ignores the other settings. Sums and quotients are in float, so it is the float
 * that has to be positive and finite. */
static bool check_sampling(const t5_sampling *s, int count, base_error *error)
{
    if (s->greedy)
        return true;
    if (s->beams > 1 && s->allowed)
        return base_fail(error, "%d beams, expected 1 where not every token may follow", s->beams);
    if (!((float)s->temperature > 0 && isfinite((float)s->temperature)))
        return base_fail(error, "temperature is %g, expected more than 0", s->temperature);
    if (s->top_k < 0)
        return base_fail(error, "top_k is %d, expected 0 or more", s->top_k);
    if (!(s->top_p > 0 && s->top_p <= 1))
        return base_fail(error, "top_p is %g, expected more than 0 and at most 1", s->top_p);
    if (s->beams > 1 && count > s->beams)
        return base_fail(error, "%d results of %d beams, expected at most as many", count,
                         s->beams);
    if (!isfinite(s->length_penalty))
        return base_fail(error, "length_penalty is not finite");
    return true;
}

/* Everything that a caller may pass wrongly, before memory is taken. */
static bool check_request(const t5_model *model, const t5_request *r, base_error *error)
{
    const t5_sampling *sampling = &r->sampling;
    if (r->source_count < 1 || r->source_count > T5_MOST_SOURCE)
        return base_fail(error, "the source has %d tokens, expected 1 .. %d", r->source_count,
                         T5_MOST_SOURCE);
    if (r->most < 1 || r->count < 1)
        return base_fail(error, "%d samples of at most %d tokens, expected 1 or more of both",
                         r->count, r->most);
    if (!check_sampling(sampling, r->count, error))
        return false;
    int slots = is_beam_search(sampling) ? sampling->beams : r->count;
    if (r->most > INT_MAX / 2 / slots)
        return base_fail(error, "%d sequences of %d tokens are too many", slots, r->most);
    for (int i = 0; i < r->source_count; i++)
        if (r->source[i] < 0 || r->source[i] >= model->config.vocab_size)
            return base_fail(error, "token %d of the source is %d, expected 0 .. %d", i,
                             r->source[i], model->config.vocab_size - 1);
    return true;
}

/* ---- Sampling ---- */

typedef struct sampler {
    t5_model *model;
    const t5_sampling *sampling;
    t5_cache *cache;
    t5_chooser chooser;
    uint64_t seed;
    uint64_t *stream;  /* of each sample */
    int *slot, *token; /* of each active sample: its number, and its last token */
    int active;        /* samples that have not ended */
} sampler;

/* Whether a token may be the next of sample `row`. */
static bool may_follow(const t5_sampling *sampling, int row, const t5_sample *sample, int token)
{
    return sampling->allowed(sampling->user, row, sample->ids, sample->count, token);
}

/* The likeliest of the tokens that may follow; -1: none may. It asks about each, so it comes
 * last. */
static int likeliest_allowed(const t5_sampling *sampling, int row, const t5_sample *sample,
                             const t5_scores *scores)
{
    int best = -1;
    for (int i = 0; i < scores->count; i++)
        if ((best < 0 || scores->logits[i] > scores->logits[best]) &&
            may_follow(sampling, row, sample, i))
            best = i;
    return best;
}

/* The next token of a sample; -1: none may follow. The number of position n is number n of the
 * sample's stream. If the token that it chooses may not follow, others are drawn (choose.c), with
 * numbers of a stream that belongs to the position, so that the sample's own numbers do not shift.
 * A greedy search takes the likeliest that may follow, and so does sampling when it has refused all
 * that have any weight. */
static int choose(sampler *s, int row, const t5_sample *sample, const t5_scores *scores)
{
    const t5_sampling *how = s->sampling;
    uint64_t position = (uint64_t)sample->count;
    double uniform = base_random_word(s->seed, s->stream[row], position) * 0x1p-32;
    int token = t5_choose(scores, how, uniform, &s->chooser);
    if (!how->allowed)
        return token;
    uint64_t again = base_random_stream("again", s->stream[row], position, 0);
    for (uint64_t n = 0; token >= 0 && !may_follow(how, row, sample, token); n++) {
        uniform = base_random_word(s->seed, again, n) * 0x1p-32;
        token = how->greedy ? -1 : t5_choose_another(scores, token, uniform, &s->chooser);
    }
    return token >= 0 ? token : likeliest_allowed(how, row, sample, scores);
}

/* One round: a token for each active sample. Those that it ends, or that none may follow, are active no more. */
static bool advance(sampler *s, int position, t5_sample *samples, base_error *error)
{
    const t5_config *c = &s->model->config;
    tensor *logits = /* (active,V) */
        t5_cache_step(s->cache, s->slot, s->token, s->active, position);
    int left = 0;
    for (int i = 0; i < s->active; i++) {
        t5_scores scores;
        t5_sample *sample = &samples[s->slot[i]];
        const float *row = logits->val + (size_t)i * (size_t)c->vocab_size;
        if (!t5_scores_of(&scores, &s->chooser, row, c->vocab_size, position, error))
            return false;
        int token = choose(s, s->slot[i], sample, &scores);
        sample->stuck = token < 0;
        if (sample->stuck)
            continue;
        t5_sample_add(sample, token, t5_log_probability(&scores, token));
        sample->finished = token == c->eos_token_id;
        if (sample->finished)
            continue;
        s->slot[left] = s->slot[i];
        s->token[left++] = token;
    }
    s->active = left;
    return true;
}

/* t5_generate without beams. */
static bool generate_samples(t5_model *model, const t5_request *request, t5_sample *samples,
                             base_error *error)
{
    tensor_context *ctx = model->ctx;
    size_t places = (size_t)request->count;
    sampler s = {.model = model,
                 .sampling = &request->sampling,
                 .seed = request->seed,
                 .stream = tensor_step_memory(ctx, places * sizeof *s.stream),
                 .slot = tensor_step_memory(ctx, places * sizeof *s.slot),
                 .token = tensor_step_memory(ctx, places * sizeof *s.token),
                 .active = request->count};
    for (int i = 0; i < request->count; i++) {
        s.stream[i] = base_random_stream("sample", request->stream, (uint64_t)i, 0);
        s.slot[i] = i;
        s.token[i] = T5_PAD; /* what every sequence starts with */
    }
    s.chooser = t5_chooser_new(model);
    s.cache = t5_cache_new(model, request, request->count);
    for (int position = 0; position < request->most && s.active > 0; position++) {
        size_t mark = tensor_mark(ctx);
        bool good = advance(&s, position, samples, error);
        tensor_release(ctx, mark);
        if (!good)
            return false;
    }
    return true;
}

typedef struct work {
    t5_model *model;
    const t5_request *request;
    t5_sample *samples;
    base_error *error;
    bool good;
} work;

static void do_work(void *argument)
{
    work *w = argument;
    w->good = is_beam_search(&w->request->sampling)
                  ? t5_beam_search(w->model, w->request, w->samples, w->error)
                  : generate_samples(w->model, w->request, w->samples, w->error);
}

/* An op that finds no memory ends the generation, and not the program. */
bool t5_generate(t5_model *model, const t5_request *request, t5_sample *samples, base_error *error)
{
    if (!check_request(model, request, error) ||
        !t5_samples_new(samples, request->count, request->most, error))
        return false;
    bool grad = tensor_grad_enabled(model->ctx);
    tensor_set_grad(model->ctx, false);
    size_t mark = tensor_mark(model->ctx);
    char reason[256];
    work w = {model, request, samples, error, false};
    if (tensor_guarded(model->ctx, do_work, &w, reason))
        tensor_release(model->ctx, mark);
    else
        w.good = base_fail(error, "%s", reason);
    tensor_set_grad(model->ctx, grad);
    if (!w.good)
        t5_samples_free(samples, request->count);
    return w.good;
}
