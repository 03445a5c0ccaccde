/* SPDX-License-Identifier: MIT */
/* test_first_weights.c -- what t5_model_init_comparing sets, and what it is for. */
#include "tests/t5/test_t5.h"

#include "nn/optimizer.h"
#include <math.h>

enum { TOKENS = 12, VOCABULARY = 300, D = 64, H = 8, K = D / H };

static t5_model *model_of(tensor_context *ctx, int layers, int decoder_layers)
{
    base_error error;
    t5_config c = t5_config_small();
    c.vocab_size = VOCABULARY;
    c.d_model = D;
    c.num_heads = H;
    c.d_kv = K;
    c.d_ff = 32;
    c.num_layers = layers;
    c.num_decoder_layers = decoder_layers;
    t5_model *model = t5_model_new(ctx, &c, true, &error);
    CHECK(model, "%s", error.text);
    return model;
}

static const float *weights(t5_model *model, const char *name)
{
    const tensor *t = nn_params_find(t5_model_params(model), name);
    CHECK(t, "no %s", name);
    return t ? t->val : NULL;
}

/* Positions that a head begins by looking at, from what its biases are above independent ones. */
static void heads_look_nearby(t5_model *model, t5_model *before)
{
    static const struct {
        const char *name;
        int bucket[H]; /* -1: none */
    } wanted[] = {
        {"encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
         {1, 1, 2, 2, 17, 18, -1, -1}},
        {"decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
         {1, 1, 2, 2, -1, -1, -1, -1}},
    };
    for (int s = 0; s < 2; s++) {
        const float *bias = weights(model, wanted[s].name), *old = weights(before, wanted[s].name);
        for (int bucket = 0; bucket < 32; bucket++)
            for (int h = 0; h < H; h++) {
                float more = bucket == wanted[s].bucket[h] ? 4 : 0;
                CHECK(bias[bucket * H + h] == old[bucket * H + h] + more, "%s, bucket %d, head %d",
                      wanted[s].name, bucket, h);
            }
    }
}

static void check_taken_away(t5_model *model, const char *sublayer)
{
    char name[128];
    snprintf(name, sizeof name, "%s.v.weight", sublayer);
    const float *v = weights(model, name);
    snprintf(name, sizeof name, "%s.o.weight", sublayer);
    const float *o = weights(model, name);
    int other = 0;
    for (int d = 0; d < D; d++)
        for (int i = 0; i < D; i++)
            other += o[d * D + i] != -v[i * D + d];
    CHECK(other == 0, "%s: %d of o are not -v^T", sublayer, other);
}

static void weights_are_tied(void)
{
    tensor_context *ctx = tensor_context_new();
    t5_model *model = model_of(ctx, 1, 2), *before = model_of(ctx, 1, 2);
    t5_model_init_comparing(model, 5);
    t5_model_init(before, 5);
    heads_look_nearby(model, before);
    check_taken_away(model, "encoder.block.0.layer.0.SelfAttention");
    check_taken_away(model, "decoder.block.0.layer.0.SelfAttention");
    check_taken_away(model, "decoder.block.1.layer.0.SelfAttention");
    check_taken_away(model, "decoder.block.1.layer.1.EncDecAttention");
    CHECK(memcmp(weights(model, "decoder.block.0.layer.0.SelfAttention.v.weight"),
                 weights(model, "encoder.block.0.layer.0.SelfAttention.v.weight"),
                 D * D * sizeof(float)) == 0,
          "the stacks add up what is nearby in two ways");
    const float *q = weights(model, "decoder.block.1.layer.1.EncDecAttention.q.weight");
    const float *k = weights(model, "decoder.block.1.layer.1.EncDecAttention.k.weight");
    for (int i = 0; i < D * D; i++)
        CHECK(q[i] == (float)(1 / sqrt((double)K)) * k[i], "query %d", i);

    /* The rest is as before. */
    static const char *const same[] = {
        "shared.weight",
        "encoder.block.0.layer.0.SelfAttention.q.weight",
        "encoder.block.0.layer.0.SelfAttention.v.weight",
        "decoder.block.1.layer.0.SelfAttention.v.weight", /* of which the encoder has no like */
        "decoder.block.0.layer.1.EncDecAttention.k.weight",
        "decoder.block.0.layer.2.DenseReluDense.wo.weight",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        CHECK(memcmp(weights(model, same[i]), weights(before, same[i]), D * 32 * sizeof(float)) ==
                  0,
              "%s is another", same[i]);
    t5_model_free(model);
    t5_model_free(before);
    tensor_context_free(ctx);
}

/* Adds a source of distinct symbols, and itself with one of them replaced by the next. */
static void add_pair(t5_batch *batch, uint64_t number)
{
    enum { SYMBOLS = VOCABULARY - 2 };
    int source[TOKENS], target[TOKENS + 1];
    base_random random = {.seed = 7, .stream = number};
    for (int i = 0; i < TOKENS; i++)
        source[i] = 2 + i * (SYMBOLS / TOKENS) + (int)base_random_below(&random, SYMBOLS / TOKENS);
    memcpy(target, source, sizeof source);
    target[base_random_below(&random, TOKENS)]++;
    target[TOKENS] = 1;
    CHECK(t5_batch_add(batch, source, TOKENS, target, TOKENS + 1), "no memory");
}

/* The mean loss of the last quarter of a short training on such pairs. */
static double learnt(void (*init)(t5_model *, uint64_t), uint64_t seed)
{
    enum { STEPS = 200, BATCH = 8 };
    tensor_context *ctx = tensor_context_new();
    t5_model *model = model_of(ctx, 2, 2);
    base_error error;
    nn_params *params = t5_model_params(model);
    nn_optimizer_config config = nn_optimizer_default(NN_ADAMW_SCALED);
    config.rate = 0.02;
    nn_optimizer *optimizer = nn_optimizer_new(params, &config, &error);
    double sum = 0;
    init(model, seed);
    for (int step = 0; step < STEPS && optimizer; step++) {
        t5_batch batch = {0};
        float row_loss[BATCH * (TOKENS + 1)];
        for (int b = 0; b < BATCH; b++)
            add_pair(&batch, (uint64_t)(step * BATCH + b));
        nn_zero_grad(params);
        double loss = t5_step(model, &batch, NULL, seed, 0, row_loss);
        nn_optimizer_step(optimizer, 1, nn_clip_scale(nn_grad_norm(params), 1));
        sum += step >= STEPS - STEPS / 4 ? loss / (STEPS / 4) : 0;
        t5_batch_free(&batch);
    }
    nn_optimizer_free(optimizer);
    t5_model_free(model);
    tensor_context_free(ctx);
    return sum;
}

/* Copying with one exception is what they are for. The bits are the same everywhere, so no chance is in it. */
static void an_edit_is_learnt_sooner(void)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        double independent = learnt(t5_model_init, seed);
        double comparing = learnt(t5_model_init_comparing, seed);
        CHECK(comparing < independent, "seed %d: %g nats a token, independent ones %g", (int)seed,
              comparing, independent);
    }
}

int main(void)
{
    weights_are_tied();
    an_edit_is_learnt_sooner();
    return test_end();
}
