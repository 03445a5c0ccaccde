/* SPDX-License-Identifier: MIT */
/* test_t5.h -- small models and random sequences for the tests of t5/. */
#ifndef TEST_T5_H
#define TEST_T5_H

#include "tests/test.h"
#include "tests/test_normal.h"

#include "base/random.h"
#include "t5/model.h"

/* Sizes that are no multiples of anything, and inner width 2 * 5 that is not d_model. */
static inline t5_config test_t5_config(void)
{
    t5_config c = t5_config_small();
    c.vocab_size = 23;
    c.d_model = 14;
    c.d_kv = 5;
    c.num_heads = 2;
    c.d_ff = 19;
    c.num_layers = 2;
    c.num_decoder_layers = 2;
    c.relative_attention_num_buckets = 8;
    c.relative_attention_max_distance = 12;
    return c;
}

/* Random weights, the norms' and biases' as well, so that each parameter matters. */
static inline t5_model *test_t5_model(tensor_context *ctx, const t5_config *config, bool gradients,
                                      uint64_t seed)
{
    base_error error;
    t5_model *model = t5_model_new(ctx, config, gradients, &error);
    if (!model) {
        CHECK(model, "%s", error.text);
        exit(1);
    }
    t5_model_init(model, seed);
    nn_params *params = t5_model_params(model);
    for (int i = 0; i < nn_params_count(params); i++) {
        const char *name = nn_params_name(params, i);
        tensor *t = nn_params_tensor(params, i);
        base_random r = {.seed = seed, .stream = base_random_stream(name, 1, 0, 0)};
        for (size_t j = 0; j < tensor_size(t); j++)
            if (strstr(name, "layer_norm"))
                t->val[j] = (float)(0.5 + base_random_uniform(&r));
            else if (strstr(name, "attention_bias"))
                t->val[j] = (float)test_normal(&r);
    }
    return model;
}

/* count ids from 2 on: neither padding nor the end token. */
static inline void test_t5_ids(int *ids, int count, const t5_config *config, uint64_t stream)
{
    base_random r = {.seed = 7, .stream = stream};
    for (int i = 0; i < count; i++)
        ids[i] = 2 + (int)base_random_below(&r, (uint32_t)config->vocab_size - 2);
}

#endif
