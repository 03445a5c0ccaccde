/* evaluate_network.h -- the score of a network for images. For evaluate.c. */
#ifndef EVOLVE_EVALUATE_NETWORK_H
#define EVOLVE_EVALUATE_NETWORK_H

#include "evolve/evaluate.h"
#include "evolve/figures.h"
#include "vision/network.h"

/* What that will take, found before any of it is done. False: more memory than settings give. */
bool evolve_network_figures(const vision_architecture *net, const evolve_settings *settings,
                            evolve_figures *figures, base_error *error);

/* Trains the network as settings->part says and measures it: score is the share of images it gets
 * wrong, score_pair their mean cross-entropy. Where the result is not EVOLVE_OK, the error says
 * why. */
evolve_status evolve_evaluate_network(const vision_architecture *net,
                                      const evolve_settings *settings, int threads,
                                      evolve_score *score, base_error *error);

#endif
