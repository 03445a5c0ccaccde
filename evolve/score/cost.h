/* cost.h -- what a model's training will take, before any of it is done.
 *
 * The training is gone through with a context that plans (tensor_set_planning): every op of every
 * step states its memory and computes nothing. So what is said here is what is then counted, to the
 * byte, and it costs some milliseconds. */
#ifndef SCORE_COST_H
#define SCORE_COST_H

#include "evolve/source/host.h"

typedef struct score_cost {
    int64_t parameters, steps;
    int64_t flops;      /* source_training_flops() at the end */
    int64_t peak_bytes; /* source_training_bytes() at the end */
} score_cost;

/* Of a training of a model of this configuration on settings->few_shot pairs, as score_of_source
 * does it. False: no memory, or a step's results alone take more than settings->memory. */
bool score_cost_of(const t5_config *config, source_pairs *pairs, const evolve_settings *settings,
                   score_cost *figures, base_error *error);

/* The same of a source, which may have a training of its own (trains); as far as that can be known.
 * It is gone through twice: once each loss and each norm is said to be very small, once very
 * large. Where both take the same, the source does not go by them, and that is what it takes (but
 * for the memory of measurements on the way, where it does not learn from all pairs in order).
 * *known is false where it does, and where it fails: that is for the real training to tell. The
 * configuration is that of the source's model(). False: no memory. */
bool score_cost_of_source(const source_executor *source, const t5_config *config, bool trains,
                          source_pairs *pairs, const evolve_settings *settings, score_cost *figures,
                          bool *known, base_error *error);

#endif
