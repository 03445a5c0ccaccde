/* train.h -- training a network for images, and its accuracy.
 *
 * Pixels become floats when a batch is made: (p / 255 - mean) / deviation, a channel's mean and
 * deviation taken over the images that are trained on, and no others. Everything random (order,
 * flips, shifts, dropout) is a function of (seed, epoch, place in the epoch), so that a training is
 * the same for any number of threads. */
#ifndef VISION_TRAIN_H
#define VISION_TRAIN_H

#include "nn/optimizer.h"
#include "vision/images.h"
#include "vision/network.h"

/* A part of a set's images: indexes into it. */
typedef struct vision_part {
    const vision_images *images;
    const int *index;
    int count;
} vision_part;

/* Two disjoint parts, drawn by a shuffle of that seed: `train` and `held_out` images of them. Their
 * indexes are one block, to be freed with vision_split_free. False: no memory, or there are not as
 * many. */
typedef struct vision_split {
    vision_part train, held_out;
    int *block;
} vision_split;

bool vision_split_draw(vision_split *split, const vision_images *images, int train, int held_out,
                       uint64_t seed, base_error *error);
void vision_split_free(vision_split *split);

typedef struct vision_normal {
    float mean[VISION_MAX_CHANNELS], deviation[VISION_MAX_CHANNELS];
} vision_normal;

/* Of at least one image. A channel that is the same everywhere has the deviation 1. */
vision_normal vision_normal_of(const vision_part *part);

typedef struct vision_plan {
    int epochs, batch;
    nn_optimizer_config optimizer;
    nn_schedule schedule; /* its total is not read: it ends at epochs * ceil(count / batch) */
    double label_smoothing;
    bool flip; /* mirror half of the images, left to right */
    int shift; /* move each by -shift .. shift pixels both ways, 0 coming in */
    uint64_t seed;
    /* Called after each step, the first being 0; false ends the training there. May be NULL. It may
     * measure the network. */
    bool (*step)(void *user, int64_t step, int64_t steps, double loss);
    void *user;
} vision_plan;

int64_t vision_steps(const vision_plan *plan, int images);

/* Trains. losses (may be NULL): vision_steps() of them, each batch's mean cross-entropy before its
 * update. False: no memory, or step() said so (then the error's text is empty). *steps: done. */
bool vision_train(vision_network *network, const vision_part *part, const vision_normal *normal,
                  const vision_plan *plan, float *losses, int64_t *steps, base_error *error);

typedef struct vision_result {
    int count, right;
    double accuracy, loss; /* right / count; mean cross-entropy */
} vision_result;

/* The largest logit is the answer; of equals the first. */
bool vision_measure(vision_network *network, const vision_part *part, const vision_normal *normal,
                    int batch, vision_result *result, base_error *error);

/* Bytes of weights, gradients, optimizer state and the largest step's results, found by planning
 * and costing no memory; false: beyond `most`. */
bool vision_training_bytes(const vision_architecture *net, vision_shape input,
                           const vision_plan *plan, size_t most, size_t *bytes, base_error *error);

#endif
