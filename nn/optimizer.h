/* optimizer.h -- from gradients to the next weights.
 *
 * Each is what torch.optim (or, for Adafactor, transformers) computes, step for step; the golden
 * trajectories hold them to it. State lives in one block beside the parameters. */
#ifndef NN_OPTIMIZER_H
#define NN_OPTIMIZER_H

#include "nn/params.h"

typedef enum nn_optimizer_kind {
    NN_SGD,     /* momentum, Nesterov (Sutskever et al. 2013), weight decay added to the gradient */
    NN_RMSPROP, /* Tieleman & Hinton 2012; alpha is beta2; optional momentum */
    NN_ADAM,    /* Kingma & Ba 2015, arXiv:1412.6980; weight decay added to the gradient */
    NN_ADAMW,   /* Loshchilov & Hutter 2019, arXiv:1711.05101: decoupled weight decay */
    NN_ADAFACTOR, /* Shazeer & Stern 2018, arXiv:1804.04235 */
    NN_OPTIMIZERS
} nn_optimizer_kind;

typedef struct nn_optimizer_config {
    nn_optimizer_kind kind;
    double rate; /* base learning rate, multiplied by a schedule; with relative_step not used */
    double weight_decay;
    double momentum; /* SGD, RMSprop */
    bool nesterov;
    double beta1, beta2, eps;
    /* Adafactor */
    bool relative_step;   /* step size min(1e-2, 1/sqrt(t)) */
    bool scale_parameter; /* times the parameter's RMS */
    double clip_threshold, decay_rate, eps1, eps2;
} nn_optimizer_config;

/* The library defaults of that optimizer (torch's, transformers'), rate included. */
nn_optimizer_config nn_optimizer_default(nn_optimizer_kind kind);
const char *nn_optimizer_name(nn_optimizer_kind kind); /* "adamw" */

typedef struct nn_optimizer nn_optimizer;

/* NULL: no memory. The parameters must outlive it and be allocated with gradients. */
nn_optimizer *nn_optimizer_new(nn_params *params, const nn_optimizer_config *config,
                               base_error *error);
void nn_optimizer_free(nn_optimizer *optimizer);

/* One update. rate_factor: the schedule at this step; grad_scale: nn_clip_scale()'s or 1. */
void nn_optimizer_step(nn_optimizer *optimizer, double rate_factor, float grad_scale);

/* For checkpoints: the steps taken, and the state block (count floats) to be saved and restored. */
int64_t nn_optimizer_steps(const nn_optimizer *optimizer);
void nn_optimizer_set_steps(nn_optimizer *optimizer, int64_t steps);
float *nn_optimizer_state(const nn_optimizer *optimizer, size_t *count);

/* ---- schedules: a factor for the base rate, a pure function of the step ---- */

typedef enum nn_schedule_kind {
    NN_CONSTANT,
    NN_LINEAR,
    NN_COSINE,
    NN_INVERSE_SQRT
} nn_schedule_kind;

typedef struct nn_schedule {
    nn_schedule_kind kind;
    int64_t warmup; /* steps of linear rise from 0 (step 0 has factor 1/warmup) */
    int64_t total;  /* LINEAR, COSINE: factor reaches `floor` at this step */
    double floor;
} nn_schedule;

double nn_schedule_factor(const nn_schedule *schedule, int64_t step); /* step counts from 0 */
const char *nn_schedule_name(nn_schedule_kind kind);

#endif
