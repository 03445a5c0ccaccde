/* SPDX-License-Identifier: MIT */
/* bench_t5.c -- training steps and generation of a T5.
 *
 * The steps are those of evolve/source/pairs.c without its data: forward, backward, AdamW, on sequences of
 * one length, so that PyTorch can be given the same without padding. */
#include "bench/bench.h"
#include "nn/optimizer.h"
#include "t5/t5.h"
#include <stdio.h>
#include <stdlib.h>

enum { MOST_BATCH = 32, MOST_TOKENS = 64 };

/* A size of model and of what it is given. */
typedef struct shape {
    const char *name;
    int d_model, num_heads, vocabulary;
    int tokens, target, batch; /* tokens of a source and of a target; pairs of a training step */
} shape;

/* The last three are the loop's own: the default source's shape, and sources and edits as `quick` trains on them. */
static const shape shapes[] = {
    {"t5-512-v512", 512, 8, 512, 48, 48, 32}, {"t5-512-v32100", 512, 8, 32100, 48, 48, 32},
    {"t5-128", 128, 2, 512, 28, 28, 32},      {"t5-64", 64, 2, 512, 28, 28, 32},
    {"loop-128", 128, 8, 377, 24, 8, 8},      {"loop-64", 64, 8, 377, 24, 8, 8},
    {"loop-32", 32, 8, 377, 24, 8, 8},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static t5_config config_of(const shape *s)
{
    t5_config config = t5_config_small();
    config.vocab_size = s->vocabulary;
    config.d_model = s->d_model;
    config.num_heads = s->num_heads;
    config.d_kv = 64;
    config.d_ff = 1024;
    config.num_layers = config.num_decoder_layers = 2;
    return config;
}

/* Token number i of the stream: 2 and up, so that neither padding nor the end is among them. */
static int token(uint64_t stream, int i, int vocabulary)
{
    base_random r = {1, base_random_stream("bench", stream, 0, 0), 2 * (uint64_t)i};
    return 2 + (int)base_random_below(&r, (uint32_t)vocabulary - 2);
}

/* ---- training ---- */

typedef struct training {
    tensor_context *ctx;
    t5_model *model;
    nn_optimizer *optimizer;
    t5_batch batch;
    float row_loss[MOST_BATCH * MOST_TOKENS];
} training;

static void train_step(void *state)
{
    training *t = state;
    nn_zero_grad(t5_model_params(t->model));
    t5_step(t->model, &t->batch, NULL, 1, 1, t->row_loss);
    nn_optimizer_step(t->optimizer, 1, 1);
}

static bool fill_batch(t5_batch *batch, const shape *s, base_error *error)
{
    int source[MOST_TOKENS], target[MOST_TOKENS];
    for (int b = 0; b < s->batch; b++) {
        for (int i = 0; i < s->tokens; i++)
            source[i] = token(0, b * s->tokens + i, s->vocabulary);
        for (int i = 0; i < s->target; i++)
            target[i] = token(1, b * s->target + i, s->vocabulary);
        if (!t5_batch_add(batch, source, s->tokens, target, s->target))
            return base_fail(error, "no memory for a batch");
    }
    return true;
}

static double flops_of_step(const t5_config *config, const shape *s)
{
    int source[MOST_BATCH], target[MOST_BATCH];
    for (int b = 0; b < s->batch; b++) {
        source[b] = s->tokens;
        target[b] = s->target;
    }
    return (double)t5_config_step_flops(config, source, target, s->batch);
}

static int64_t bytes_of(const training *t)
{
    size_t state;
    nn_optimizer_state(t->optimizer, &state);
    size_t floats = 2 * nn_params_size(t5_model_params(t->model)) + state;
    return (int64_t)(floats * sizeof(float) + tensor_step_peak(t->ctx));
}

/* Parameters: which shape. */
static bool run_training(const bench_case *self, bench_run *run, base_error *error)
{
    const shape *s = &shapes[self->parameter[0]];
    t5_config config = config_of(s);
    nn_optimizer_config adamw = nn_optimizer_default(NN_ADAMW);
    adamw.rate = 1e-4;
    training t = {.ctx = run->ctx, .model = t5_model_new(run->ctx, &config, true, error)};
    bool ok = t.model && fill_batch(&t.batch, s, error) &&
              (t.optimizer = nn_optimizer_new(t5_model_params(t.model), &adamw, error));
    if (ok) {
        t5_model_init(t.model, 1);
        bench_measure(run, NULL, train_step, &t);
        run->result->flops = flops_of_step(&config, s);
        run->result->units = s->batch;
        run->result->memory_bytes = bytes_of(&t);
    }
    if (t.optimizer)
        nn_optimizer_free(t.optimizer);
    t5_batch_free(&t.batch);
    t5_model_free(t.model);
    return ok;
}

/* ---- generation ---- */

enum { MOST_SAMPLES = 8, NEW_TOKENS = 64, MOST_SEEDS = 200 };

typedef struct generation {
    t5_model *model;
    t5_packed *packed;
    int source[MOST_TOKENS], tokens;
    int count; /* samples of the source */
    uint64_t seed;
    int made; /* tokens of the last call */
    bool ok;
    base_error *error;
} generation;

static void generate(void *state)
{
    generation *g = state;
    t5_sample samples[MOST_SAMPLES] = {0};
    const t5_request request = {.source = g->source,
                                .source_count = g->tokens,
                                .count = g->count,
                                .most = NEW_TOKENS,
                                .sampling = t5_sampling_default(),
                                .seed = g->seed,
                                .stream = 1,
                                .packed = g->packed};
    g->ok = t5_generate(g->model, &request, samples, g->error);
    g->made = 0;
    for (int i = 0; g->ok && i < g->count; i++)
        g->made += samples[i].count;
    if (g->ok)
        t5_samples_free(samples, g->count);
}

/* An untrained model ends a sample by chance. A seed with which none ends has all rows at work in
 * every position; about one in three is such. */
static bool find_seed(generation *g)
{
    for (g->seed = 1; g->seed <= MOST_SEEDS; g->seed++) {
        generate(g);
        if (!g->ok)
            return false;
        if (g->made == g->count * NEW_TOKENS)
            return true;
    }
    return base_fail(g->error, "every seed tried ends some sample early");
}

/* Products only: the encoder and the keys and values of its output once, the rest a position. */
static double flops_of_generation(const t5_config *c, int source, int count)
{
    double D = c->d_model, I = c->num_heads * c->d_kv, F = c->d_ff, S = source, T = NEW_TOKENS;
    double encoder = c->num_layers * (2 * S * (4 * D * I + 2 * D * F) + 4 * S * S * I);
    double once = c->num_decoder_layers * 2 * S * 2 * D * I;
    double position = c->num_decoder_layers * 2 * (6 * D * I + 2 * D * F) + 2 * D * c->vocab_size;
    double attention = c->num_decoder_layers * 4 * I * (T * (T + 1) / 2 + T * S);
    return encoder + once + count * (T * position + attention);
}

/* Parameters: which shape, how many samples. */
static bool run_generation(const bench_case *self, bench_run *run, base_error *error)
{
    const shape *s = &shapes[self->parameter[0]];
    t5_config config = config_of(s);
    generation g = {.tokens = s->tokens, .count = self->parameter[1], .error = error, .ok = true};
    for (int i = 0; i < s->tokens; i++)
        g.source[i] = token(0, i, s->vocabulary);
    g.model = t5_model_new(run->ctx, &config, false, error);
    if (!g.model)
        return false;
    t5_model_init(g.model, 1);
    g.packed = t5_packed_new(g.model, error); /* as the peers pack when a session is made */
    bool ok = g.packed && find_seed(&g);
    if (ok) {
        bench_measure(run, NULL, generate, &g);
        run->result->flops = flops_of_generation(&config, s->tokens, g.count);
        run->result->units = g.count * NEW_TOKENS;
        run->result->memory_bytes =
            (int64_t)(nn_params_size(t5_model_params(g.model)) * 4 + t5_packed_bytes(g.packed) +
                      tensor_step_peak(run->ctx));
    }
    t5_packed_free(g.packed);
    t5_model_free(g.model);
    return ok && g.ok;
}

/* ---- the list ---- */

void bench_t5_cases(bench_list *list)
{
    for (int i = 0; i < SHAPES; i++) {
        bench_case *c = bench_add(list);
        c->run = run_training;
        c->parameter[0] = i;
        c->unit = "samples/s";
        snprintf(c->name, sizeof c->name, "train/%s", shapes[i].name);
    }
    static const struct {
        const char *name;
        int shape, samples;
    } generations[] = {
        {"512", 0, 8}, {"512-v32100", 1, 8}, {"128", 2, 8}, {"512-one", 0, 1}, {"128-one", 2, 1}};
    for (int i = 0; i < (int)(sizeof generations / sizeof *generations); i++) {
        bench_case *c = bench_add(list);
        c->run = run_generation;
        c->parameter[0] = generations[i].shape;
        c->parameter[1] = generations[i].samples;
        c->unit = "tokens/s";
        snprintf(c->name, sizeof c->name, "generate/%s", generations[i].name);
    }
}
