/* SPDX-License-Identifier: MIT */
/* config.c -- the settings of a training, of sampling and of the base model, handed to nn and t5.
 * What no setting names keeps the library's default. */
#include "evolve/config.h"

nn_optimizer_config evolve_optimizer(const evolve_settings *settings)
{
    nn_optimizer_config config = nn_optimizer_default((nn_optimizer_kind)settings->optimizer);
    config.rate = settings->rate;
    config.weight_decay = settings->weight_decay;
    return config;
}

nn_schedule evolve_schedule(const evolve_settings *settings, int64_t steps)
{
    return (nn_schedule){
        .kind = (nn_schedule_kind)settings->schedule, .warmup = settings->warmup, .total = steps};
}

t5_sampling evolve_sampling(const evolve_settings *settings)
{
    t5_sampling sampling = t5_sampling_default();
    sampling.temperature = settings->temperature;
    sampling.top_k = (int)settings->top_k;
    sampling.top_p = settings->top_p;
    return sampling;
}

t5_config evolve_base_config(const evolve_settings *settings, int vocab_size)
{
    t5_config config = t5_config_small();
    config.vocab_size = vocab_size;
    config.d_model = (int)settings->d_model;
    config.d_kv = config.d_model / config.num_heads;
    return config;
}
