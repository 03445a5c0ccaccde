/* compute.h -- the operations that a run took to find what it found, as its journal has them. */
#ifndef LOOP_COMPUTE_H
#define LOOP_COMPUTE_H

#include "base/json.h"
#include <stdbool.h>
#include <stdint.h>

/* What the last comparison takes is not among it: that measures what was found. Nor are
 * the measurements of a trained T5, nor what a training or a candidate took that failed. */
typedef struct loop_compute {
    double training;     /* of the T5s that write candidates */
    double generation;   /* by them */
    double evaluation;   /* of the first source and of candidates that were no repetition */
    int64_t evaluations; /* how many these were */
    bool incomplete;     /* an earlier version wrote the journal, which counted the last two only */
} loop_compute;

/* Adds what a journal's event says was spent. */
void loop_compute_add(loop_compute *spent, const base_json *event);

double loop_compute_all(const loop_compute *spent);

#endif
