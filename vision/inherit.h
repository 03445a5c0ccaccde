/* SPDX-License-Identifier: MIT */
/* inherit.h -- a network that begins where another one stands: weights of a trained network for one that differs
 * from it by an edit.
 *
 * Layers of the two are paired in order, as many and as equal ones as can be. A pair's weights are taken where its
 * shapes agree, and where they do not:
 *
 *   wider     channel j is channel j mod C of the C that were there, and what reads the copies of a channel gets its
 *             weight divided among them (Net2Net: Chen et al. 2016, arXiv:1511.05641). The parts are drawn and
 *             differ, so that the copies do not stay alike in training
 *   narrower  the first channels
 *   kernel    larger: zeros around it; smaller: its middle
 *   new       a convolution or a linear layer that can be is the identity, and so is a batch norm; a new block with
 *             a sum around it adds zero, by what stands last in it. All else is as it was drawn
 *
 * Where the edit is a wider layer, a larger kernel, a dropout, a new residual block, or new layers that end in a
 * relu or relu6 behind another one, the function is the same but for rounding, as predictions have it: a batch norm
 * in training goes by its batch, and a new one changes what it sees.
 *
 *     network = vision_network_new(ctx, &net, input, seed, &error);
 *     vision_inherit(network, &net, trained.network, &trained.net, seed, &taken, &error); */
#ifndef VISION_INHERIT_H
#define VISION_INHERIT_H

#include "vision/network.h"

/* `network` of the layers `net`, freshly drawn, gets what it can of `from`, of the layers `of`; both take the same
 * images. seed: of the parts. *taken: the weights and running statistics that come from there, in floats. False: no
 * memory, or images of another shape. */
bool vision_inherit(vision_network *network, const vision_architecture *net, vision_network *from,
                    const vision_architecture *of, uint64_t seed, int64_t *taken,
                    base_error *error);

#endif
