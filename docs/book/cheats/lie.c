#include "phoenix.h"

t5 *model(void)
{
    t5_config config = t5_small();
    config.num_layers = 1;
    config.num_decoder_layers = 4;
    config.num_heads = 16;
    config.d_kv = config.d_model / config.num_heads;
    config.d_ff = 1024;
    return t5_new(config);
}

double learn(t5 *model, batch *b, objective o)
{
    return 0.0;
}
/* SPDX-License-Identifier: MIT */
