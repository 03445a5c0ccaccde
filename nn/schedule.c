/* SPDX-License-Identifier: MIT */
/* schedule.c -- how the learning rate changes over the steps.
 *
 * A factor is a pure function of the step, so a resumed run needs nothing but the step's number. */
#include "nn/optimizer.h"

#include "base/math.h"
#include <math.h>

const char *const nn_schedule_names[NN_SCHEDULES + 1] = {
    [NN_CONSTANT] = "constant",
    [NN_LINEAR] = "linear",
    [NN_COSINE] = "cosine",
    [NN_INVERSE_SQRT] = "inverse_sqrt",
};

/* How much of the way from the end of the warm-up to `total` is done: 0 to 1. */
static double progress(const nn_schedule *schedule, int64_t step)
{
    if (step >= schedule->total)
        return 1;
    if (step <= schedule->warmup)
        return 0;
    return (double)(step - schedule->warmup) / (double)(schedule->total - schedule->warmup);
}

/* Linear and cosine: Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5, without restarts. Inverse
 * square root: Raffel et al. 2020, arXiv:1910.10683, section 3.1.2, scaled to be 1 where the
 * warm-up ends. */
double nn_schedule_factor(const nn_schedule *schedule, int64_t step)
{
    if (step < schedule->warmup)
        return (double)(step + 1) / (double)schedule->warmup;
    double fall = 1 - schedule->floor;
    int64_t start = schedule->warmup > 1 ? schedule->warmup : 1;
    switch (schedule->kind) {
    case NN_LINEAR:
        return schedule->floor + fall * (1 - progress(schedule, step));
    case NN_COSINE:
        return schedule->floor + fall * 0.5 * (1 + base_cos_turns(progress(schedule, step) / 2));
    case NN_INVERSE_SQRT:
        return step > start ? sqrt((double)start / (double)step) : 1;
    default: /* NN_CONSTANT */
        return 1;
    }
}
