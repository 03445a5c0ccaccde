/* SPDX-License-Identifier: MIT */
/* optimizer.h -- from gradients to the next weights.
 *
 * Each is what torch.optim (or, for Adafactor, transformers) computes, step for step; the golden
 * trajectories hold them to it. State lives in one block beside the parameters.
 *
 *     nn_optimizer_config config = nn_optimizer_default(NN_ADAMW);
 *     nn_optimizer *o = nn_optimizer_new(params, &config, &error);
 *     for (int64_t step = 0; step < steps; step++) {
 *         nn_zero_grad(params);
 *         ... forward, tensor_backward() ...
 *         nn_optimizer_step(o, nn_schedule_factor(&schedule, step),
 *                           nn_clip_scale(nn_grad_norm(params), 1));
 *     } */
#ifndef NN_OPTIMIZER_H
#define NN_OPTIMIZER_H

#include "nn/params.h"

/* The optimizers, ROW(KIND, name) each: the enumerators, the names in settings and messages, and
 * the functions that a source program calls (evolve/source/phoenix.h) follow from this list.
 *
 *   sgd        momentum, Nesterov (Sutskever et al. 2013), weight decay added to the gradient
 *   rmsprop    Tieleman & Hinton 2012; alpha is beta2; optional momentum
 *   adam       Kingma & Ba 2015, arXiv:1412.6980; weight decay added to the gradient
 *   adamw      Loshchilov & Hutter 2019, arXiv:1711.05101: decoupled weight decay
 *   adafactor  Shazeer & Stern 2018, arXiv:1804.04235
 *   adamw_scaled  adamw whose step, decay included, is multiplied by each tensor's
 *                 max(eps2, RMS(p)), Adafactor's scale_parameter; T5's recipe in nanoT5 (Nawrot 2023,
 *                 arXiv:2309.02373). T5's embeddings begin with deviation 1 and its matrices with
 *                 0.02 to 0.1: an equal step of all is too small for the former */
/* clang-format off */
#define NN_OPTIMIZER_LIST(ROW)                                            \
    ROW(SGD, sgd) ROW(RMSPROP, rmsprop) ROW(ADAM, adam) ROW(ADAMW, adamw) \
    ROW(ADAFACTOR, adafactor) ROW(ADAMW_SCALED, adamw_scaled)
/* clang-format on */

#define NN_OPTIMIZER_KIND(KIND, name) NN_##KIND,
typedef enum nn_optimizer_kind {
    NN_OPTIMIZER_LIST(NN_OPTIMIZER_KIND) NN_OPTIMIZERS
} nn_optimizer_kind;

extern const char *const nn_optimizer_names[NN_OPTIMIZERS + 1]; /* by kind; NULL at the end */

typedef struct nn_optimizer_config {
    nn_optimizer_kind kind;
    double rate; /* base learning rate, multiplied by a schedule; with relative_step not used */
    double weight_decay;
    double momentum; /* SGD, RMSprop */
    bool nesterov;
    double beta1, beta2, eps;
    /* Adafactor */
    bool relative_step;                            /* step size min(1e-2, 1/sqrt(t)) */
    bool scale_parameter;                          /* times the parameter's RMS, at least eps2 */
    double clip_threshold, decay_rate, eps1, eps2; /* eps2: adamw_scaled, too */
} nn_optimizer_config;

/* The library defaults of that optimizer (torch's, transformers'), rate included. */
nn_optimizer_config nn_optimizer_default(nn_optimizer_kind kind);

/* An optimizer's arguments beside the rate: fields of its configuration, in the order in which
 * programs give them. */
typedef struct nn_argument {
    const char *name; /* NULL ends a list */
    size_t offset;    /* of a double in nn_optimizer_config, or of a bool */
    bool is_flag;
    double low, high; /* of a double: what a program may ask for, both ends included */
} nn_argument;

const nn_argument *nn_optimizer_arguments(nn_optimizer_kind kind);

typedef struct nn_optimizer nn_optimizer;

/* NULL: no memory. The parameters must outlive it and be allocated with gradients. */
nn_optimizer *nn_optimizer_new(nn_params *params, const nn_optimizer_config *config,
                               base_error *error);
void nn_optimizer_free(nn_optimizer *optimizer);

/* The floats of its state (nn_optimizer_state), before there is one. */
size_t nn_optimizer_state_size(nn_params *params, const nn_optimizer_config *config);

/* One update. rate_factor: the schedule at this step; grad_scale: nn_clip_scale()'s or 1. */
void nn_optimizer_step(nn_optimizer *optimizer, double rate_factor, float grad_scale);

/* For checkpoints: the steps taken, and the state block (count floats) to be saved and restored. */
void nn_optimizer_set_steps(nn_optimizer *optimizer, int64_t steps);
float *nn_optimizer_state(const nn_optimizer *optimizer, size_t *count);

/* ---- schedules: a factor for the base rate, a pure function of the step ---- */

typedef enum nn_schedule_kind {
    NN_CONSTANT,
    NN_LINEAR,
    NN_COSINE,
    NN_INVERSE_SQRT,
    NN_SCHEDULES
} nn_schedule_kind;

extern const char *const nn_schedule_names[NN_SCHEDULES + 1]; /* by kind; NULL at the end */

typedef struct nn_schedule {
    nn_schedule_kind kind;
    int64_t warmup; /* steps of linear rise from 0 (step 0 has factor 1/warmup) */
    int64_t total;  /* LINEAR, COSINE: factor reaches `floor` at this step */
    double floor;
} nn_schedule;

double nn_schedule_factor(const nn_schedule *schedule, int64_t step); /* step counts from 0 */

#endif
