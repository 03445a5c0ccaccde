/* SPDX-License-Identifier: MIT */
/* test_constrained.c -- tokens that may not follow: what is drawn of the others has their
 * distribution, and nothing is changed where all may. */
#include "tests/t5/test_t5.h"

#include <math.h>

enum { MOST = 12, DRAWS = 4000, MOST_V = 32 };

static const int source[] = {5, 9, 2, 17, T5_EOS};
enum { SOURCE = sizeof source / sizeof *source };

static bool generate(t5_model *model, const t5_sampling *sampling, int most, int count,
                     t5_sample *samples, base_error *error)
{
    error->text[0] = '\0';
    const t5_request request = {.source = source,
                                .source_count = SOURCE,
                                .count = count,
                                .most = most,
                                .sampling = *sampling,
                                .seed = 17,
                                .stream = 4};
    return t5_generate(model, &request, samples, error);
}

/* Only the tokens of a mask may follow. */
typedef struct restriction {
    uint32_t mask;
    int64_t asked, out_of_turn; /* calls, and those with arguments that make no sense */
} restriction;

static bool in_mask(void *user, int row, const int *ids, int count, int token)
{
    restriction *w = user;
    w->asked++;
    w->out_of_turn += row < 0 || count < 0 || count >= MOST || (count > 0 && ids[count - 1] < 0);
    return w->mask >> token & 1;
}

/* The first token's probabilities at a temperature, and its logits. */
static void first_probabilities(t5_model *model, double temperature, double *p)
{
    t5_batch batch = {0};
    const int any = 2;
    int V = model->config.vocab_size;
    double sum = 0;
    t5_batch_add(&batch, source, SOURCE, &any, 1);
    tensor_set_grad(model->ctx, false);
    t5_output out = t5_forward(model, &batch, NULL, 0, 0);
    for (int i = 0; i < V; i++)
        sum += p[i] = exp((double)out.logits->val[i] / temperature);
    for (int i = 0; i < V; i++)
        p[i] /= sum;
    tensor_set_grad(model->ctx, true);
    tensor_step_end(model->ctx);
    t5_batch_free(&batch);
}

/* Pearson's chi-squared against p restricted to a mask: mean n, the cells less one, and deviation
 * sqrt(2n); five are allowed. Cells of fewer than five draws are left out of it. */
static void restricted(t5_model *model, double temperature, uint32_t mask)
{
    static t5_sample samples[DRAWS];
    double p[MOST_V], sum = 0, squares = 0;
    int seen[MOST_V] = {0}, cells = 0, V = model->config.vocab_size;
    restriction w = {.mask = mask};
    base_error error;
    t5_sampling sampling = t5_sampling_default();
    sampling.temperature = temperature;
    sampling.allowed = in_mask;
    sampling.user = &w;
    first_probabilities(model, temperature, p);
    for (int i = 0; i < V; i++)
        sum += mask >> i & 1 ? p[i] : 0;
    CHECK(generate(model, &sampling, 1, DRAWS, samples, &error), "%s", error.text);
    for (int i = 0; i < DRAWS; i++)
        seen[samples[i].ids[0]]++;
    t5_samples_free(samples, DRAWS);
    for (int i = 0; i < V; i++) {
        double expected = mask >> i & 1 ? DRAWS * p[i] / sum : 0;
        CHECK(expected > 0 || seen[i] == 0, "%d was drawn, which may not follow", i);
        if (expected < 5)
            continue;
        squares += (seen[i] - expected) * (seen[i] - expected) / expected;
        cells++;
    }
    int n = cells > 1 ? cells - 1 : 1;
    CHECK(cells >= 2 && squares < n + 5 * sqrt(2 * n), "mask %x: chi squared %g of %d cells", mask,
          squares, cells);
    CHECK(w.asked > DRAWS && w.out_of_turn == 0, "%d asked", (int)w.asked);
}

static bool equal(const t5_sample *a, const t5_sample *b)
{
    size_t count = (size_t)a->count;
    return a->count == b->count && a->finished == b->finished &&
           memcmp(a->ids, b->ids, count * sizeof *a->ids) == 0 &&
           memcmp(a->token_log_probability, b->token_log_probability, count * sizeof(float)) == 0;
}

static void where_all_may_follow_nothing_changes(t5_model *model)
{
    t5_sample plain[8], bound[8];
    restriction w = {.mask = UINT32_MAX};
    base_error error;
    int tokens = 0;
    for (int greedy = 0; greedy < 2; greedy++) {
        t5_sampling sampling = t5_sampling_default();
        sampling.greedy = greedy;
        sampling.top_p = 0.9;
        w.asked = 0;
        CHECK(generate(model, &sampling, MOST, 8, plain, &error), "%s", error.text);
        sampling.allowed = in_mask;
        sampling.user = &w;
        CHECK(generate(model, &sampling, MOST, 8, bound, &error), "%s", error.text);
        tokens = 0;
        for (int i = 0; i < 8; i++) {
            CHECK(equal(&plain[i], &bound[i]), "sample %d", i);
            tokens += plain[i].count;
        }
        CHECK(w.asked == tokens && w.out_of_turn == 0, "%d asked of %d", (int)w.asked, tokens);
        t5_samples_free(plain, 8);
        t5_samples_free(bound, 8);
    }
}

/* Greedy takes the likeliest that may follow; so does a draw where top-k leaves none of them. */
static void the_likeliest_that_may(t5_model *model)
{
    double p[MOST_V];
    int order[MOST_V], V = model->config.vocab_size;
    base_error error;
    first_probabilities(model, 1, p);
    for (int i = 0; i < V; i++) {
        int at = i;
        for (; at > 0 && p[i] > p[order[at - 1]]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    for (int rank = 3; rank < 9; rank += 5)
        for (int greedy = 0; greedy < 2; greedy++) {
            restriction w = {.mask = 1u << order[rank] | 1u << order[rank + 4]};
            t5_sampling sampling = {
                .greedy = greedy, .temperature = 1, .top_k = 3, .top_p = 1, .allowed = in_mask};
            sampling.user = &w;
            t5_sample sample;
            CHECK(generate(model, &sampling, 1, 1, &sample, &error), "%s", error.text);
            CHECK(sample.ids[0] == order[rank], "%d, expected %d", sample.ids[0], order[rank]);
            CHECK(fabs((double)sample.token_log_probability[0] - log(p[order[rank]])) < 1e-4,
                  "its probability is not the model's own");
            t5_samples_free(&sample, 1);
        }
}

/* Every other sample comes to a dead end, at another length each. */
static bool until_dead_end(void *user, int row, const int *ids, int count, int token)
{
    (void)user, (void)ids;
    return token != T5_EOS && (row % 2 == 0 || count < row);
}

static bool never_ends(void *user, int row, const int *ids, int count, int token)
{
    (void)user, (void)row, (void)ids, (void)count;
    return token != T5_EOS;
}

/* A dead end is the end of its sample: what was written before it is what it would have been, and the other samples
 * are what they are without it. */
static void a_dead_end_ends_a_sample(t5_model *model)
{
    t5_sample plain[8], bound[8];
    base_error error;
    for (int greedy = 0; greedy < 2; greedy++) {
        t5_sampling sampling = t5_sampling_default();
        sampling.greedy = greedy;
        sampling.allowed = never_ends;
        CHECK(generate(model, &sampling, MOST, 8, plain, &error), "%s", error.text);
        sampling.allowed = until_dead_end;
        CHECK(generate(model, &sampling, MOST, 8, bound, &error), "%s", error.text);
        for (int i = 0; i < 8; i++) {
            CHECK(bound[i].stuck == (i % 2 == 1) && !plain[i].stuck && !bound[i].finished,
                  "sample %d", i);
            CHECK(bound[i].count == (i % 2 ? i : MOST), "sample %d has %d tokens", i,
                  bound[i].count);
            plain[i].count = bound[i].count;
            CHECK(equal(&plain[i], &bound[i]), "sample %d", i);
        }
        t5_samples_free(plain, 8);
        t5_samples_free(bound, 8);
    }
    restriction none = {.mask = 0};
    t5_sampling sampling = t5_sampling_default();
    sampling.allowed = in_mask;
    sampling.user = &none;
    CHECK(generate(model, &sampling, MOST, 2, plain, &error) && plain[1].stuck &&
              plain[1].count == 0,
          "%s", error.text);
    t5_samples_free(plain, 2);
}

static void refusals(t5_model *model)
{
    restriction w = {.mask = UINT32_MAX};
    t5_sample sample;
    base_error error;
    t5_sampling sampling = t5_sampling_default();
    sampling.allowed = in_mask;
    sampling.user = &w;
    sampling.beams = 3;
    CHECK(!generate(model, &sampling, MOST, 1, &sample, &error) && strstr(error.text, "3 beams"),
          "%s", error.text);
}

int main(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_config config = test_t5_config();
    t5_model *model = test_t5_model(ctx, &config, false, 3);
    restricted(model, 1, 0x5555555);
    restricted(model, 3, 0x249249);
    restricted(model, 3, 0x7ffffe);
    restricted(model, 9, 0x000c06);
    where_all_may_follow_nothing_changes(model);
    the_likeliest_that_may(model);
    a_dead_end_ends_a_sample(model);
    refusals(model);
    t5_model_free(model);
    tensor_context_free(ctx);
    return test_end();
}
