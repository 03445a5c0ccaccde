/* SPDX-License-Identifier: MIT */
/* train.h -- training a network for images, and its accuracy.
 *
 * Pixels become floats when a batch is made: (p / 255 - mean) / deviation, with a mean and a
 * deviation per channel over the images that are trained on, and no others. Everything random
 * (order, flips, shifts, dropout) is a function of (seed, epoch, place in the epoch), so that a
 * training is the same for any number of threads.
 *
 *     vision_split_draw(&split, &set.train, 50000, 10000, seed, &error);
 *     vision_normal normal = vision_normal_of(&split.train);
 *     vision_train(network, &split.train, &normal, &plan, NULL, &steps, &error);
 *     vision_measure(network, &split.held_out, &normal, 256, &result, &error);
 *     (result.accuracy; then vision_split_free(&split)) */
#ifndef VISION_TRAIN_H
#define VISION_TRAIN_H

#include "nn/optimizer.h"
#include "vision/images.h"
#include "vision/network.h"
#include "vision/table.h"

/* A part of a set's images: `count` indexes into it. */
typedef struct vision_part {
    const vision_images *images;
    const int *index;
    int count;
} vision_part;

/* Two disjoint parts of `train` and `held_out` images, drawn by a shuffle of that seed. Their
 * indexes are one block, which vision_split_free frees. False: no memory, or the set has fewer
 * images. */
typedef struct vision_split {
    vision_part train, held_out;
    int *block;
} vision_split;

bool vision_split_draw(vision_split *split, const vision_images *images, int train, int held_out,
                       uint64_t seed, base_error *error);
void vision_split_free(vision_split *split);

typedef struct vision_normal {
    float mean[VISION_MAX_INPUTS], deviation[VISION_MAX_INPUTS];
    float target_mean,
        target_deviation; /* of numbers to answer with: a network gives them normalised */
} vision_normal;

/* The mean of so many numbers, and the sum of the squares of what differs from it, in double precision. index: which
 * of them; NULL: the first `count`. */
double vision_squares_about_mean(const float *numbers, const int *index, int count, double *mean);

/* Mean and deviation of each channel, or of each input of rows, over a part of at least one image; values
 * that are missing are left out. A channel that is constant has the deviation 1. */
vision_normal vision_normal_of(const vision_part *part);

typedef struct vision_plan {
    int epochs, batch;
    nn_optimizer_config optimizer;
    nn_schedule schedule; /* its total is not read: it ends with the last step */
    double label_smoothing;
    /* Of the weights and of the running statistics, a = d a + (1 - d) w with d = min(average, (1 + n) /
     * (10 + n)) at step n, which the network has in their place at the end; 0: none. */
    double average;
    bool flip; /* mirror half of the images, left to right */
    int shift; /* move each by -shift .. shift pixels along both axes; 0 fills the gap */
    int cut; /* side of a square that is cut out of each, anywhere (the mean takes its place); 0: none */
    double
        mixup; /* 0 .. 1: of Beta(mixup, mixup), which says how much of each batch's images is others; 0: none */
    uint64_t seed;
    /* Called after each step (the first is 0) with the batch's loss; false ends the training there.
     * It may measure the network. NULL: not called. */
    bool (*step)(void *user, int64_t step, int64_t steps, double loss);
    void *user;
} vision_plan;

int64_t vision_steps(const vision_plan *plan, int images); /* epochs * ceil(images / batch) */

/* Trains. losses (may be NULL) gets vision_steps() numbers, each batch's mean cross-entropy before
 * its update; *steps the steps that were done. False: no memory, a failure of an op, or step()
 * returned false (then the error's text is empty). */
bool vision_train(vision_network *network, const vision_part *part, const vision_normal *normal,
                  const vision_plan *plan, float *losses, int64_t *steps, base_error *error);

/* Of classes: accuracy is right / count, loss the mean cross-entropy. Of numbers (images->targets): loss is the
 * mean squared error in units of the training's variance, variance that of the part's own numbers in the same
 * unit, and accuracy R2 = 1 - loss / variance, the share of it that is explained. */
typedef struct vision_result {
    int count, right;
    double accuracy, loss, variance;
} vision_result;

/* R2, the share of the variance that is explained: 1 for a network that is always right, 0 for one that always
 * answers with the mean, below 0 for worse. Of numbers that are all the same nothing is left to explain. Here,
 * since whoever only predicts does without train.c. */
static inline double vision_explained(double loss, double variance)
{
    return variance > 0 ? 1 - loss / variance : 0;
}

/* Classifies a part, `batch` images at a time. The largest logit is the answer; of equals the
 * first. False: nothing to measure, or a failure of an op. */
bool vision_measure(vision_network *network, const vision_part *part, const vision_normal *normal,
                    int batch, vision_result *result, base_error *error);

/* The logits of a part, (count, classes), `batch` images at a time: those by which vision_measure judges. Of
 * a failure of an op, and where one is not finite, the error says which, and not of what file. */
bool vision_classify(vision_network *network, const vision_part *part, const vision_normal *normal,
                     int batch, float *logits, base_error *error);
/* The first of the largest of so many. */
int vision_largest(const float *logits, int classes);

/* Bytes of weights, gradients, optimizer state and the results of a step, found by planning a step,
 * which takes none of this memory. False: more than `most`, or a failure of an op. */
bool vision_training_bytes(const vision_architecture *net, vision_shape input,
                           const vision_plan *plan, size_t most, size_t *bytes, base_error *error);

#endif
