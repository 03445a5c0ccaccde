/* SPDX-License-Identifier: MIT */
/* sample.c -- a generated sequence: its tokens and their log-probabilities.
 *
 * A sample gets room for all its tokens before the first is drawn, so that adding one, in the
 * middle of a search, cannot fail. */
#include "t5/model.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

bool t5_samples_new(t5_sample *samples, int count, int most, base_error *error)
{
    bool good = true;
    for (int i = 0; i < count; i++) {
        samples[i] = (t5_sample){
            .ids = base_malloc((size_t)most * sizeof(int)),
            .token_log_probability = base_malloc((size_t)most * sizeof(float)),
        };
        if (!samples[i].ids || !samples[i].token_log_probability)
            good = false;
    }
    if (good)
        return true;
    t5_samples_free(samples, count);
    return base_fail(error, "no memory for %d samples of %d tokens", count, most);
}

void t5_samples_free(t5_sample *samples, int count)
{
    for (int i = 0; i < count; i++) {
        base_free(samples[i].ids);
        base_free(samples[i].token_log_probability);
        samples[i] = (t5_sample){0};
    }
}

/* The sum is kept in double precision: beams are ordered by it. */
void t5_sample_add(t5_sample *sample, int token, float log_probability)
{
    sample->ids[sample->count] = token;
    sample->token_log_probability[sample->count] = log_probability;
    sample->log_probability += (double)log_probability;
    sample->count++;
}

/* `to` keeps its own memory. */
void t5_sample_copy(t5_sample *to, const t5_sample *from)
{
    t5_sample own = *to;
    size_t count = (size_t)from->count;
    *to = *from;
    to->ids = memcpy(own.ids, from->ids, count * sizeof *own.ids);
    to->token_log_probability = memcpy(own.token_log_probability, from->token_log_probability,
                                       count * sizeof *own.token_log_probability);
}
