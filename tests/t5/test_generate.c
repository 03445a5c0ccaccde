/* SPDX-License-Identifier: MIT */
/* test_generate.c -- the cache against a forward pass, samples against their distribution, beams
 * against their plain form and against all sequences. */
#include "tests/t5/test_t5.h"

#include "tensor/context.h"
#include <math.h>

enum { MOST = 24, SOURCE = 17 };

static void source_ids(int *ids, const t5_config *c) { test_t5_ids(ids, SOURCE, c, 300); }

/* ---- The cache ---- */

/* Logits of all positions of a target, by one plain forward pass. */
static void plain_logits(t5_model *model, const int *source, const int *target, int count,
                         float *logits)
{
    t5_batch batch = {0};
    CHECK(t5_batch_add(&batch, source, SOURCE, target, count), "no memory");
    tensor_set_grad(model->ctx, false);
    t5_output out = t5_forward(model, &batch, NULL, 0, 0);
    memcpy(logits, out.logits->val, tensor_size(out.logits) * sizeof *logits);
    tensor_set_grad(model->ctx, true);
    tensor_step_end(model->ctx);
    t5_batch_free(&batch);
}

static void cached_logits_have_the_same_bits(void)
{
    enum { SLOTS = 3 };
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    for (int kind = 0; kind < T5_FEED_FORWARDS; kind++) {
        c.feed_forward_proj = (t5_feed_forward)kind;
        c.tie_word_embeddings = kind != T5_GELU;
        t5_model *model = test_t5_model(ctx, &c, false, 20);
        static float plain[SLOTS][MOST * 32];
        int source[SOURCE], target[SLOTS][MOST];
        source_ids(source, &c);
        for (int s = 0; s < SLOTS; s++) {
            test_t5_ids(target[s], MOST, &c, 400 + (uint64_t)s);
            plain_logits(model, source, target[s], MOST, plain[s]);
        }
        tensor_set_grad(ctx, false);
        t5_cache *cache = t5_cache_new(
            model, &(t5_request){.source = source, .source_count = SOURCE, .most = MOST}, SLOTS);
        size_t V = (size_t)c.vocab_size;
        for (int position = 0; position < MOST; position++) {
            /* In another order each time, and slot 1 drops out in the middle. */
            int slot[SLOTS] = {2, 0, 1}, ids[SLOTS], count = position < MOST / 2 ? 3 : 2;
            if (position % 2) {
                slot[0] = 0;
                slot[1] = 2;
            }
            for (int i = 0; i < count; i++)
                ids[i] = position == 0 ? T5_PAD : target[slot[i]][position - 1];
            size_t mark = tensor_mark(ctx);
            tensor *logits = t5_cache_step(cache, slot, ids, count, position);
            for (int i = 0; i < count; i++)
                CHECK(memcmp(logits->val + (size_t)i * V, plain[slot[i]] + (size_t)position * V,
                             V * sizeof(float)) == 0,
                      "kind %d, slot %d, position %d", kind, slot[i], position);
            tensor_release(ctx, mark);
        }
        tensor_set_grad(ctx, true);
        tensor_step_end(ctx);
        t5_model_free(model);
    }
    tensor_context_free(ctx);
}

/* A slot that was copied goes on as the one it was copied from. */
static void a_copied_slot_goes_on(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    t5_model *model = test_t5_model(ctx, &c, false, 20);
    size_t V = (size_t)c.vocab_size;
    static float plain[MOST * 32];
    int source[SOURCE], target[MOST];
    source_ids(source, &c);
    test_t5_ids(target, MOST, &c, 400);
    plain_logits(model, source, target, MOST, plain);
    tensor_set_grad(ctx, false);
    t5_cache *cache = t5_cache_new(
        model, &(t5_request){.source = source, .source_count = SOURCE, .most = MOST}, 2);
    for (int position = 0; position < MOST; position++) {
        int slot = position < 10 ? 0 : 1, id = position == 0 ? T5_PAD : target[position - 1];
        if (position == 10)
            t5_cache_copy(cache, 1, 0, position);
        tensor *logits = t5_cache_step(cache, &slot, &id, 1, position);
        CHECK(memcmp(logits->val, plain + (size_t)position * V, V * sizeof(float)) == 0,
              "position %d", position);
    }
    tensor_set_grad(ctx, true);
    t5_model_free(model);
    tensor_context_free(ctx);
}

/* ---- Sampling ---- */

static bool generate(t5_model *model, const t5_sampling *sampling, int most, int count,
                     uint64_t stream, t5_sample *samples)
{
    int source[SOURCE];
    base_error error;
    source_ids(source, &model->config);
    const t5_request request = {.source = source,
                                .source_count = SOURCE,
                                .count = count,
                                .most = most,
                                .sampling = *sampling,
                                .seed = 1,
                                .stream = stream};
    bool good = t5_generate(model, &request, samples, &error);
    CHECK(good, "%s", error.text);
    return good;
}

static bool equal(const t5_sample *a, const t5_sample *b)
{
    size_t count = (size_t)a->count;
    return a->count == b->count && a->finished == b->finished &&
           a->log_probability == b->log_probability &&
           memcmp(a->ids, b->ids, count * sizeof *a->ids) == 0 &&
           memcmp(a->token_log_probability, b->token_log_probability,
                  count * sizeof *a->token_log_probability) == 0;
}

/* Log-probabilities of a row, in double. */
static void log_softmax(const float *logits, int V, double *out)
{
    double largest = -INFINITY, sum = 0;
    for (int i = 0; i < V; i++)
        largest = fmax(largest, (double)logits[i]);
    for (int i = 0; i < V; i++)
        sum += exp((double)logits[i] - largest);
    for (int i = 0; i < V; i++)
        out[i] = (double)logits[i] - largest - log(sum);
}

/* What a sample says of itself is what the model says of it. */
static void check_sample(t5_model *model, const t5_sample *s, int most)
{
    static float logits[MOST * 32];
    int source[SOURCE], V = model->config.vocab_size;
    double sum = 0;
    source_ids(source, &model->config);
    plain_logits(model, source, s->ids, s->count, logits);
    for (int i = 0; i < s->count; i++) {
        double row[32], off;
        log_softmax(logits + i * V, V, row);
        off = fabs(row[s->ids[i]] - (double)s->token_log_probability[i]);
        CHECK(off < 1e-5, "token %d: log-probability off by %g", i, off);
        CHECK((s->ids[i] == T5_EOS) == (s->finished && i == s->count - 1), "end token at %d", i);
        sum += (double)s->token_log_probability[i];
    }
    CHECK(s->log_probability == sum, "%g, the sum is %g", s->log_probability, sum);
    CHECK(s->finished ? s->count <= most : s->count == most, "%d tokens", s->count);
}

static void greedy_takes_the_likeliest(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    int ended = 0;
    for (uint64_t seed = 36; seed < 48; seed++) {
        t5_model *model = test_t5_model(ctx, &c, false, seed);
        static float logits[MOST * 32];
        t5_sampling greedy = {.greedy = true};
        t5_sample s[2];
        int source[SOURCE];
        if (!generate(model, &greedy, MOST, 2, seed, s))
            return;
        CHECK(equal(&s[0], &s[1]), "two greedy samples differ");
        check_sample(model, &s[0], MOST);
        source_ids(source, &c);
        plain_logits(model, source, s[0].ids, s[0].count, logits);
        for (int i = 0; i < s[0].count; i++)
            for (int id = 0; id < c.vocab_size; id++)
                CHECK(logits[i * c.vocab_size + id] <= logits[i * c.vocab_size + s[0].ids[i]],
                      "token %d: %d is likelier", i, id);
        ended += s[0].finished;
        t5_samples_free(s, 2);
        CHECK(!s[0].ids && s[1].count == 0, "not cleared");
        t5_model_free(model);
    }
    CHECK(ended > 0 && ended < 12, "%d of 12 ended: one way out was not tried", ended);
    tensor_context_free(ctx);
}

static void a_sample_does_not_depend_on_the_others(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    t5_model *model = test_t5_model(ctx, &c, false, 3);
    t5_sampling sampling = t5_sampling_default();
    sampling.top_k = 9;
    sampling.top_p = 0.9;
    sampling.temperature = 1.3;
    t5_sample many[8], few[3], other[3];
    if (!generate(model, &sampling, MOST, 8, 5, many) ||
        !generate(model, &sampling, MOST, 3, 5, few))
        return;
    tensor_set_threads(ctx, 3);
    if (!generate(model, &sampling, MOST, 3, 6, other))
        return;
    int unlike = 0, ended = 0;
    for (int i = 0; i < 8; i++) {
        check_sample(model, &many[i], MOST);
        unlike += i > 0 && !equal(&many[i], &many[0]);
        ended += many[i].finished;
    }
    CHECK(ended > 0 && ended < 8, "%d ended: rows did not close up", ended);
    for (int i = 0; i < 3; i++) {
        CHECK(equal(&many[i], &few[i]), "sample %d is another of 8 than of 3", i);
        unlike += !equal(&many[i], &other[i]);
    }
    CHECK(unlike == 10, "%d of 10 differ", unlike);
    t5_samples_free(few, 3);
    if (generate(model, &sampling, MOST, 3, 5, few)) {
        for (int i = 0; i < 3; i++)
            CHECK(equal(&many[i], &few[i]), "sample %d is another of 3 threads", i);
        t5_samples_free(few, 3);
    }
    t5_samples_free(many, 8);
    t5_samples_free(other, 3);
    t5_model_free(model);
    tensor_context_free(ctx);
}

/* How often each first token is drawn, against its probability: Pearson's chi-squared, whose mean
 * is the number of tokens less one, n, and its deviation sqrt(2n); five of them are allowed. Tokens
 * that are expected fewer than five times count together. */
static void check_distribution(t5_model *model, const t5_sampling *sampling, const double *wanted)
{
    enum { DRAWS = 4000 };
    static t5_sample samples[DRAWS];
    int V = model->config.vocab_size, seen[32] = {0}, cells = 0;
    if (!generate(model, sampling, 1, DRAWS, 17, samples))
        return;
    for (int i = 0; i < DRAWS; i++)
        seen[samples[i].ids[0]]++;
    t5_samples_free(samples, DRAWS);
    double squares = 0, rare = 0;
    int rare_seen = 0;
    for (int id = 0; id < V; id++) {
        double expected = wanted[id] * DRAWS;
        if (wanted[id] == 0)
            CHECK(seen[id] == 0, "%d was drawn, which was cut off", id);
        if (expected < 5) {
            rare += expected;
            rare_seen += seen[id];
            continue;
        }
        squares += (seen[id] - expected) * (seen[id] - expected) / expected;
        cells++;
    }
    if (rare >= 5) {
        squares += (rare_seen - rare) * (rare_seen - rare) / rare;
        cells++;
    }
    int n = cells > 1 ? cells - 1 : 1;
    CHECK(cells >= 2 && squares < n + 5 * sqrt(2 * n), "chi squared %g of %d cells", squares,
          cells);
}

static void first_probabilities(t5_model *model, double temperature, double *p)
{
    float logits[32];
    int source[SOURCE], V = model->config.vocab_size;
    const int any = 2;
    source_ids(source, &model->config);
    plain_logits(model, source, &any, 1, logits);
    for (int i = 0; i < V; i++)
        logits[i] /= (float)temperature;
    log_softmax(logits, V, p);
    for (int i = 0; i < V; i++)
        p[i] = exp(p[i]);
}

/* Keeps the likeliest k, then of these the likeliest until they reach share. The naive way: again
 * and again the largest of what is left. */
static void cut(double *p, int V, int k, double share)
{
    double kept[32] = {0}, left[32], total = 0, sum = 0;
    memcpy(left, p, (size_t)V * sizeof *p);
    for (int pass = 0; pass < 2; pass++) {
        memcpy(left, p, (size_t)V * sizeof *p);
        sum = 0;
        for (int i = 0; i < k && (pass == 0 || i == 0 || sum < share * total); i++) {
            int best = 0;
            for (int id = 1; id < V; id++)
                if (left[id] > left[best])
                    best = id;
            sum += left[best];
            if (pass == 1)
                kept[best] = left[best];
            left[best] = -1;
        }
        total = sum;
    }
    for (int id = 0; id < V; id++)
        p[id] = kept[id] / sum;
}

static void samples_follow_their_distribution(void)
{
    static const struct {
        double temperature;
        int top_k;
        double top_p;
    } ways[] = {{1, 0, 1},   {2, 0, 1},        {3, 4, 1},   {2, 0, 0.6},
                {3, 7, 0.8}, {2.5, 23, 0.999}, {9, 99, 0.3}};
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    t5_model *model = test_t5_model(ctx, &c, false, 3);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        double p[32];
        t5_sampling sampling = t5_sampling_default();
        sampling.temperature = ways[i].temperature;
        sampling.top_k = ways[i].top_k;
        sampling.top_p = ways[i].top_p;
        first_probabilities(model, ways[i].temperature, p);
        int k = ways[i].top_k > 0 && ways[i].top_k < c.vocab_size ? ways[i].top_k : c.vocab_size;
        cut(p, c.vocab_size, k, ways[i].top_p < 1 ? ways[i].top_p : 2);
        check_distribution(model, &sampling, p);
    }
    t5_model_free(model);
    tensor_context_free(ctx);
}

/* Ways to say greedy. */
static void sharp_settings_are_greedy(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    t5_model *model = test_t5_model(ctx, &c, false, 3);
    t5_sampling greedy = {.greedy = true}, one = t5_sampling_default(), tiny = one, cold = one;
    one.top_k = 1;
    tiny.top_p = 1e-9;
    cold.temperature = 1e-30;
    t5_sample want, got;
    if (!generate(model, &greedy, MOST, 1, 5, &want))
        return;
    const t5_sampling *const ways[] = {&one, &tiny, &cold};
    for (int i = 0; i < 3; i++)
        if (generate(model, ways[i], MOST, 1, 5, &got)) {
            CHECK(equal(&want, &got), "way %d", i);
            t5_samples_free(&got, 1);
        }
    t5_samples_free(&want, 1);
    t5_model_free(model);
    tensor_context_free(ctx);
}

/* ---- What it leaves behind ---- */

static void memory_and_gradients_are_as_before(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    t5_model *model = test_t5_model(ctx, &c, true, 3);
    t5_sampling sampling = t5_sampling_default(), beams = sampling;
    beams.beams = 4;
    t5_sample samples[4];
    size_t mark = tensor_mark(ctx), peak = 0;
    for (int round = 0; round < 3; round++) {
        const t5_sampling *way = round < 2 ? &sampling : &beams;
        if (!generate(model, way, MOST, 4, 5, samples))
            return;
        t5_samples_free(samples, 4);
        CHECK(tensor_mark(ctx) == mark, "%zu bytes are left", tensor_mark(ctx) - mark);
        if (round == 1)
            CHECK(tensor_step_peak(ctx) == peak, "the same again takes more");
        peak = tensor_step_peak(ctx);
    }
    /* In the middle of a step: what was there stays, and the step goes on to its gradients. */
    const int target[] = {4, 5, T5_EOS};
    int source[SOURCE];
    source_ids(source, &c);
    t5_batch batch = {0};
    CHECK(t5_batch_add(&batch, source, SOURCE, target, 3), "no memory");
    t5_output out = t5_forward(model, &batch, NULL, 0, 0);
    float loss = out.loss->val[0];
    CHECK(out.loss->wants_grad, "gradients are off");
    if (generate(model, &sampling, MOST, 2, 5, samples))
        t5_samples_free(samples, 2);
    CHECK(out.loss->val[0] == loss, "the step's results changed");
    tensor_backward(out.loss);
    tensor_step_end(ctx);
    double sum = nn_grad_norm(t5_model_params(model));
    CHECK(sum > 0, "no gradients");
    tensor_set_grad(ctx, false);
    if (generate(model, &sampling, MOST, 2, 5, samples))
        t5_samples_free(samples, 2);
    CHECK(!t5_forward(model, &batch, NULL, 0, 0).loss->wants_grad, "gradients were turned on");
    t5_batch_free(&batch);
    t5_model_free(model);
    tensor_context_free(ctx);
}

/* How many rounds there are does not show in the memory that they take. */
static void rounds_take_no_memory(void)
{
    size_t peaks[2];
    for (int i = 0; i < 2; i++) {
        tensor_context *ctx = tensor_context_new();
        t5_config c = test_t5_config();
        t5_model *model = test_t5_model(ctx, &c, false, 1);
        t5_sampling sampling = t5_sampling_default();
        tensor_set_grad(ctx, false);
        int source[SOURCE], slot = 0, id = T5_PAD;
        source_ids(source, &c);
        t5_cache *cache = t5_cache_new(
            model, &(t5_request){.source = source, .source_count = SOURCE, .most = MOST}, 1);
        t5_chooser chooser = t5_chooser_new(model);
        for (int position = 0; position < (i ? MOST : 2); position++) {
            size_t mark = tensor_mark(ctx);
            t5_scores scores;
            const float *logits = t5_cache_step(cache, &slot, &id, 1, position)->val;
            CHECK(t5_scores_of(&scores, &chooser, logits, c.vocab_size, position, NULL), "NaN");
            id = t5_choose(&scores, &sampling, 0.5, &chooser);
            tensor_release(ctx, mark);
        }
        peaks[i] = tensor_step_peak(ctx);
        t5_model_free(model);
        tensor_context_free(ctx);
    }
    CHECK(peaks[0] == peaks[1], "%zu bytes for 2 rounds, %zu for %d", peaks[0], peaks[1], MOST);
}

static void refuse(t5_model *model, const int *ids, int source_count, int most,
                   t5_sampling sampling, int count, const char *expected)
{
    t5_sample samples[4];
    base_error error = {""};
    const t5_request request = {.source = ids,
                                .source_count = source_count,
                                .count = count,
                                .most = most,
                                .sampling = sampling};
    bool good = t5_generate(model, &request, samples, &error);
    CHECK(!good && strstr(error.text, expected), "want \"%s\": %s", expected, error.text);
    CHECK(tensor_mark(model->ctx) == 0, "%s: memory is left", expected);
}

static void requests_that_make_no_sense(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    t5_model *model = test_t5_model(ctx, &c, true, 3);
    t5_sampling good = t5_sampling_default(), bad;
    int ids[] = {5, 6, c.vocab_size}, negative = -1;
    refuse(model, ids, 0, 5, good, 1, "source has 0");
    refuse(model, ids, T5_MOST_SOURCE + 1, 5, good, 1, "source has 8193");
    refuse(model, ids, 2, 0, good, 1, "at most 0");
    refuse(model, ids, 2, 5, good, 0, "0 samples");
    refuse(model, ids, 2, 1 << 30, good, 2, "too many");
    refuse(model, ids, 3, 5, good, 1, "token 2 of the source");
    refuse(model, &negative, 1, 5, good, 1, "token 0 of the source is -1");
    bad = good;
    bad.temperature = 0;
    refuse(model, ids, 2, 5, bad, 1, "temperature");
    bad.temperature = (double)NAN;
    refuse(model, ids, 2, 5, bad, 1, "temperature");
    bad.temperature = 1e300;
    refuse(model, ids, 2, 5, bad, 1, "temperature");
    bad = good;
    bad.top_k = -1;
    refuse(model, ids, 2, 5, bad, 1, "top_k");
    bad = good;
    bad.top_p = 0;
    refuse(model, ids, 2, 5, bad, 1, "top_p");
    bad.top_p = (double)NAN;
    refuse(model, ids, 2, 5, bad, 1, "top_p");
    bad = good;
    bad.beams = 2;
    refuse(model, ids, 2, 5, bad, 3, "3 results of 2 beams");
    bad.length_penalty = (double)INFINITY;
    refuse(model, ids, 2, 5, bad, 1, "length_penalty");

    /* A model that has diverged. */
    nn_params_find(t5_model_params(model), "decoder.final_layer_norm.weight")->val[3] = NAN;
    refuse(model, ids, 2, 5, good, 2, "not finite");
    bad.length_penalty = 1;
    refuse(model, ids, 2, 5, bad, 2, "not finite");
    tensor *x = tensor_linear(tensor_embedding(model->shared, ids, 1), model->head, NULL);
    CHECK(x->wants_grad, "gradients stay off after an error");
    t5_model_free(model);
    tensor_context_free(ctx);
}

/* ---- Beam search ---- */

/* Scores of each next token behind `count` tokens, by a plain pass. */
static void next_scores(t5_model *model, const int *tokens, int count, double *scores)
{
    static float logits[(MOST + 1) * 32];
    int source[SOURCE], target[MOST + 1] = {0}, V = model->config.vocab_size;
    source_ids(source, &model->config);
    memcpy(target, tokens, (size_t)count * sizeof *tokens);
    plain_logits(model, source, target, count + 1, logits);
    log_softmax(logits + count * V, V, scores);
}

typedef struct sequence {
    int ids[MOST + 1], count;
    double sum, score; /* of log-probabilities; over the length's penalty */
} sequence;

/* The end token is not counted, the start token is: so `count` with the one, without the other. */
static double score_of(const sequence *s, double penalty)
{
    bool ended = s->ids[s->count - 1] == T5_EOS;
    return s->sum / pow(s->count + !ended, penalty);
}

/* Every sequence of at most `most` tokens: the best by score. */
static void best_of_all(t5_model *model, sequence s, int most, double penalty, sequence *best)
{
    double scores[32];
    next_scores(model, s.ids, s.count, scores);
    for (int id = 0; id < model->config.vocab_size; id++) {
        sequence longer = s;
        longer.ids[longer.count++] = id;
        longer.sum += scores[id];
        longer.score = score_of(&longer, penalty);
        if (id != T5_EOS && longer.count < most)
            best_of_all(model, longer, most, penalty, best);
        else if (best->count == 0 || longer.score > best->score)
            *best = longer;
    }
}

static void wide_beams_find_the_best(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    c.vocab_size = 5;
    for (uint64_t seed = 36; seed < 48; seed++) {
        t5_model *model = test_t5_model(ctx, &c, false, seed);
        t5_sampling beams = t5_sampling_default();
        beams.beams = 64; /* all 4^3 that have not ended */
        beams.length_penalty = seed % 2 ? 1 : 0.6;
        sequence best = {.count = 0};
        best_of_all(model, (sequence){.count = 0}, 4, beams.length_penalty, &best);
        t5_sample s;
        if (!generate(model, &beams, 4, 1, 0, &s))
            return;
        CHECK(s.count == best.count &&
                  memcmp(s.ids, best.ids, (size_t)s.count * sizeof *s.ids) == 0,
              "seed %d: %d tokens, want %d", (int)seed, s.count, best.count);
        check_sample(model, &s, 4);
        t5_samples_free(&s, 1);
        t5_model_free(model);
    }
    tensor_context_free(ctx);
}

/* The beams of t5_beam_plain, which is transformers' procedure spelt out. */
static bool plain_beams(t5_model *model, const t5_sampling *sampling, int most, t5_sample *samples)
{
    int source[SOURCE];
    base_error error;
    source_ids(source, &model->config);
    const t5_request request = {.source = source,
                                .source_count = SOURCE,
                                .count = sampling->beams,
                                .most = most,
                                .sampling = *sampling};
    tensor_set_grad(model->ctx, false);
    bool good = t5_samples_new(samples, request.count, most, &error) &&
                t5_beam_plain(model, &request, samples, &error);
    CHECK(good, "%s", error.text);
    tensor_set_grad(model->ctx, true);
    tensor_step_end(model->ctx);
    return good;
}

static void both_forms_find_the_same_beams(void)
{
    static const double penalties[] = {1, 0, 2, -0.5};
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    int ended = 0, cut_off = 0;
    c.vocab_size = 6;
    for (uint64_t seed = 36; seed < 84; seed++) {
        int B = 2 + (int)(seed % 5), most = seed % 3 ? 9 : 4;
        t5_model *model = test_t5_model(ctx, &c, false, 50 + seed);
        /* Flatter than the model is by itself, so that beams compete, and ends come. */
        tensor *norm = nn_params_find(t5_model_params(model), "decoder.final_layer_norm.weight");
        for (int i = 0; i < c.d_model; i++)
            norm->val[i] *= 0.3f;
        t5_sampling beams = t5_sampling_default();
        beams.beams = B;
        beams.length_penalty = penalties[seed / 4 % 4];
        t5_sample want[8], got[8];
        if (!plain_beams(model, &beams, most, want) || !generate(model, &beams, most, B, 0, got))
            return;
        for (int i = 0; i < B; i++) {
            CHECK(equal(&want[i], &got[i]), "seed %d, beam %d of %d: %d tokens, want %d", (int)seed,
                  i, B, got[i].count, want[i].count);
            check_sample(model, &got[i], most);
            ended += got[i].finished;
            cut_off += !got[i].finished;
        }
        t5_samples_free(want, B);
        t5_samples_free(got, B);
        t5_model_free(model);
    }
    CHECK(ended > 5 && cut_off > 5, "%d ended, %d were cut off", ended, cut_off);
    tensor_context_free(ctx);
}

/* Whatever the step arena may take, a generation says what is missing or makes the same tokens; and the
 * next one is not disturbed. */
static void any_memory_limit_is_an_error_or_no_matter(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config c = test_t5_config();
    t5_model *model = test_t5_model(ctx, &c, false, 20);
    int source[SOURCE];
    source_ids(source, &c);
    for (int beams = 1; beams <= 2; beams++) {
        t5_request request = {.source = source,
                              .source_count = SOURCE,
                              .count = 2,
                              .most = MOST,
                              .sampling = t5_sampling_default(),
                              .seed = 4};
        t5_sample want[2], got[2];
        base_error error = {""};
        request.sampling.beams = beams;
        CHECK(t5_generate(model, &request, want, &error), "%s", error.text);
        size_t peak = tensor_step_peak(ctx);
        int failed = 0, made = 0;
        for (size_t limit = 1; limit < 2 * peak; limit += peak / 40 + 1) {
            error.text[0] = '\0';
            tensor_set_step_limit(ctx, limit);
            bool good = t5_generate(model, &request, got, &error);
            CHECK(good || strstr(error.text, "memory"), "%s", error.text);
            CHECK(tensor_grad_enabled(ctx), "gradients are off");
            for (int i = 0; good && i < 2; i++)
                CHECK(got[i].count == want[i].count &&
                          memcmp(got[i].ids, want[i].ids, (size_t)got[i].count * sizeof(int)) == 0,
                      "%zu of %zu bytes: other tokens", limit, peak);
            if (good)
                t5_samples_free(got, 2);
            failed += !good;
            made += good;
        }
        tensor_set_step_limit(ctx, 0);
        CHECK(failed > 10 && made > 10, "%d failed, %d made", failed, made);
        t5_samples_free(want, 2);
    }
    t5_model_free(model);
    tensor_context_free(ctx);
}

/* Weights that are read where they are, or in a copy that serves two calls, give the same bits, and the step arena then
 * has no copy. */
static void copies_of_weights_change_nothing(void)
{
    enum { COPIED, FRUGAL, PACKED, WAYS };
    t5_config c = test_t5_config();
    int source[SOURCE];
    source_ids(source, &c);
    for (int gated = 0; gated < 2; gated++)
        for (int beams = 1; beams <= 3; beams += 2) {
            t5_sample samples[WAYS][3];
            size_t peak[WAYS], packed = 0;
            c.feed_forward_proj = gated ? T5_GATED_GELU : T5_RELU;
            t5_request request = {
                .source = source, .source_count = SOURCE, .count = 3, .most = MOST};
            request.sampling = t5_sampling_default();
            request.sampling.beams = beams;
            for (int way = 0; way < WAYS; way++) {
                base_error error = {""};
                tensor_context *ctx = tensor_context_new();
                t5_model *model = test_t5_model(ctx, &c, false, 20);
                t5_packed *copy = way == PACKED ? t5_packed_new(model, &error) : NULL;
                CHECK(copy || way != PACKED, "%s", error.text);
                packed = copy ? t5_packed_bytes(copy) : 0;
                request.frugal = way == FRUGAL;
                request.packed = copy;
                for (int call = 0; call <= (way == PACKED); call++) {
                    if (call)
                        t5_samples_free(samples[way], 3);
                    CHECK(t5_generate(model, &request, samples[way], &error), "%s", error.text);
                }
                peak[way] = tensor_step_peak(ctx);
                t5_packed_free(copy);
                t5_model_free(model);
                tensor_context_free(ctx);
            }
            for (int i = 0; i < 3 * WAYS; i++)
                CHECK(equal(&samples[COPIED][i % 3], &samples[i / 3][i % 3]),
                      "way %d, sample %d of %d beams", i / 3, i % 3, beams);
            /* at least the head, and q, k, v, o twice but two, and two or three matrices of each layer */
            size_t inner = (size_t)(c.num_heads * c.d_kv), matrices = (size_t)(2 + gated);
            size_t row = (size_t)c.d_model * sizeof(float);
            size_t copies =
                row * ((size_t)c.vocab_size + 2 * (6 * inner + matrices * (size_t)c.d_ff));
            CHECK(peak[FRUGAL] + copies <= peak[COPIED] && copies <= packed,
                  "%zu bytes, %zu with copies of %zu, which take %zu", peak[FRUGAL], peak[COPIED],
                  copies, packed);
            CHECK(peak[PACKED] <= peak[FRUGAL], "%zu bytes, and %zu without a copy", peak[PACKED],
                  peak[FRUGAL]);
            for (int way = 0; way < WAYS; way++)
                t5_samples_free(samples[way], 3);
        }
}

int main(void)
{
    copies_of_weights_change_nothing();
    cached_logits_have_the_same_bits();
    a_copied_slot_goes_on();
    greedy_takes_the_likeliest();
    a_sample_does_not_depend_on_the_others();
    samples_follow_their_distribution();
    sharp_settings_are_greedy();
    memory_and_gradients_are_as_before();
    rounds_take_no_memory();
    requests_that_make_no_sense();
    any_memory_limit_is_an_error_or_no_matter();
    wide_beams_find_the_best();
    both_forms_find_the_same_beams();
    return test_end();
}
