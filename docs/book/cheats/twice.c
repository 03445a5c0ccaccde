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

void train(t5 *model, dataset *data)
{
    optimizer *o = adamw_scaled(model, 0.9, 0.999, 1e-08, 0.01);
    objective loss = cross_entropy();
    batch *first = next(data, 8);
    for (int step = 0; step < 32; step++) {
        learn(model, first, loss);
        update(o, 0.02);
    }
}
/* SPDX-License-Identifier: MIT */
