/* SPDX-License-Identifier: MIT */
/* evaluate.h -- one source's score: run it, train what it builds on the few-shot pairs, look at the
 * loss. */
#ifndef SCORE_EVALUATE_H
#define SCORE_EVALUATE_H

#include "evolve/score/result.h"
#include "evolve/settings.h"

/* What is to be scored, and how. */
typedef struct score_request {
    const char *file, *text; /* the source, and its name in diagnostics */
    size_t length;
    const evolve_settings *settings;
    const struct vision_set *images;  /* of the task; NULL where sources define T5s */
    const struct source_texts *texts; /* of the task; NULL: T5s are trained on refinements */
    struct score_native *native; /* the process that runs the source; NULL: it is interpreted */
    double bound;                /* the score that it has to beat; 0: none */
    int threads;                 /* of the training */
    bool keep;                   /* a network, trained, is part of the result */
    const struct vision_model_files *parent; /* a network begins with what this one has for it
                                              * (vision/inherit.h); NULL: as it is drawn */
    /* Of a network's training: called after each step, with the loss before its update; false ends
     * the training, and the result is SCORE_STOPPED. NULL: not called. */
    bool (*step)(void *user, int64_t step, int64_t steps, double loss);
    void *user;
} score_request;

/* Trains in this process; nothing is printed. Every failure of the source is a status, none an
 * error of the caller's. SCORE_LOST: there is no outcome, because this machine refused memory, or the
 * source's own process died, which may be killed or compiled wrongly (the interpreter then knows what
 * the source is worth). Free with score_free. */
void score_of_source(const score_request *request, score_result *score);

#endif
