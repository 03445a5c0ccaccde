/* SPDX-License-Identifier: MIT */
/* adafactor.h -- what needs a whole tensor to update an element of it. For optimizer.c. */
#ifndef NN_ADAFACTOR_H
#define NN_ADAFACTOR_H

#include "nn/optimizer.h"

/* sqrt(mean x^2) of a tensor: rows of its last axis in float (kernel.h, rule 3), their sum in
 * double. */
double nn_tensor_rms(const tensor *t);

size_t nn_adafactor_state_size(const nn_params *params); /* floats */

/* Step t = 1, 2, ... of all parameters. */
void nn_adafactor_step(nn_params *params, const nn_optimizer_config *config, float *state,
                       int64_t t, double rate_factor, float grad_scale);

#endif
