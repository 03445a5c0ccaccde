/* SPDX-License-Identifier: MIT */
/* config.h -- what the settings say in the structs of the libraries that take them. */
#ifndef EVOLVE_CONFIG_H
#define EVOLVE_CONFIG_H

#include "evolve/settings.h"
#include "nn/optimizer.h"
#include "t5/t5.h"

nn_optimizer_config evolve_optimizer(const evolve_settings *settings);
nn_schedule evolve_schedule(const evolve_settings *settings, int64_t steps);
t5_sampling evolve_sampling(const evolve_settings *settings);
t5_config evolve_base_config(const evolve_settings *settings, int vocab_size); /* t5_small() */

#endif
