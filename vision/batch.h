/* SPDX-License-Identifier: MIT */
/* batch.h -- from images in bytes to a batch of floats: between batch.c and train.c. */
#ifndef VISION_BATCH_H
#define VISION_BATCH_H

#include "base/random.h"
#include "vision/train.h"

/* How the pixels or values of a part become floats: (p - mean) * scale, with a mean and a scale per
 * channel. A value that is missing (NAN) becomes 0, as the mean would. */
typedef struct vision_pixels {
    const vision_part *part;
    float target_mean, target_scale;
    float mean[VISION_MAX_INPUTS], scale[VISION_MAX_INPUTS];
    bool flip; /* augmentation, as in vision_plan */
    int shift, cut;
    base_random draws; /* the epoch's stream of numbers for it */
} vision_pixels;

/* Without augmentation, which the caller may switch on. */
void vision_pixels_begin(vision_pixels *pixels, const vision_part *part,
                         const vision_normal *normal);

/* Fills images (B,C,H,W), or rows (B,C), with those at places first .. first + B-1 of an order, which is a
 * permutation of the part's places (NULL: the part's own order). */
void vision_pixels_fill(const vision_pixels *pixels, tensor *images, const int *order, int first);

/* The labels (count) of the same places. */
void vision_pixels_labels(const vision_pixels *pixels, int *labels, int count, const int *order,
                          int first);

/* The numbers to answer with (count) of the same places, normalised. */
void vision_pixels_targets(const vision_pixels *pixels, float *targets, int count, const int *order,
                           int first);

/* Mixup (Zhang et al. 2018, arXiv:1710.09412): a share from Beta(alpha, alpha), 0 < alpha <= 1; and of so many rows
 * of so many floats each, in place, row i = share * row i + (1 - share) * row count-1-i. The order of a batch is
 * random, so its reverse is a partner for each as good as any. */
float vision_mixup_share(double alpha, base_random *random);
void vision_mix(float *rows, size_t size, int count, float share);

/* Writes a random permutation of 0 .. count-1 to order, each as likely (base_random_shuffle). */
void vision_shuffle(int *order, int count, uint64_t seed, uint64_t stream);

#endif
