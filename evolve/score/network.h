/* SPDX-License-Identifier: MIT */
/* network.h -- the score of a network for images. For evaluate.c. */
#ifndef SCORE_NETWORK_H
#define SCORE_NETWORK_H

#include "evolve/score/cost.h"
#include "evolve/score/evaluate.h"
#include "vision/network.h"

/* What that will take, found before any of it is done. False: more memory than settings give. */
bool score_network_cost(const vision_architecture *net, const vision_plan *plan,
                        const evolve_settings *settings, const vision_set *set, score_cost *cost,
                        base_error *error);

/* Trains the network that the request's source builds, as its plan and settings->part say, and
 * measures it: score is the share of images it gets wrong, score_pair their mean cross-entropy. Where
 * the result is not SCORE_OK, the error says why. */
score_status score_of_network(const vision_architecture *net, const vision_plan *by,
                              const score_request *request, score_result *score, base_error *error);

#endif
