/* SPDX-License-Identifier: MIT */
/* cost.h -- what a source's training will take, before any of it is done.
 *
 * The training is gone through with a context that plans (tensor_set_planning): every op of every
 * step states its memory and computes nothing. So what is said here is what is then counted, to the
 * byte, and it costs some milliseconds. */
#ifndef SCORE_COST_H
#define SCORE_COST_H

#include "evolve/source/host.h"

typedef struct score_cost {
    int64_t parameters, steps;
    int64_t flops;      /* source_host_flops() at the end */
    int64_t peak_bytes; /* source_host_bytes() at the end */
} score_cost;

/* Of the training of a source's model on settings->few_shot pairs, as score_of_source does it. A
 * train() of the source's own is gone through twice: with very small losses and norms, and with
 * very large ones. Where both take the same, it does not depend on them, and that is the cost (but
 * for the memory of measurements on the way, where it does not learn from all pairs in order).
 * *known is false where it does depend on them, and where it fails: the real training will tell.
 * False: no memory; model() fails; the default train() fails, as where a step takes more than the
 * run's memory. */
bool score_cost_of_source(const source_executor *source, const t5_tokenizer *tokenizer,
                          source_pairs *pairs, const evolve_settings *settings, score_cost *cost,
                          bool *known, base_error *error);

#endif
