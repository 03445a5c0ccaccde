/* batch.h -- from images in bytes to a batch of floats. For train.c. */
#ifndef VISION_BATCH_H
#define VISION_BATCH_H

#include "base/random.h"
#include "vision/train.h"

/* What a part's pixels become: (p - mean) * scale, a channel's own. */
typedef struct vision_pixels {
    const vision_part *part;
    float mean[VISION_MAX_CHANNELS], scale[VISION_MAX_CHANNELS];
    bool flip; /* with shift: what may happen to an image, as in vision_plan */
    int shift;
    base_random draws; /* whose numbers decide it: some for each place of an epoch */
} vision_pixels;

/* As they are: no flip, no shift. */
void vision_pixels_begin(vision_pixels *pixels, const vision_part *part,
                         const vision_normal *normal);

/* Images (B,C,H,W): those at place first .. first + B-1 of an order, which holds places in the part
 * (NULL: the part's own order). */
void vision_pixels_fill(const vision_pixels *pixels, tensor *images, const int *order, int first);

/* Their labels. */
void vision_pixels_labels(const vision_pixels *pixels, int *labels, int count, const int *order,
                          int first);

/* Makes order a random one of 0 .. count-1 (Fisher and Yates), all orders as likely. */
void vision_shuffle(int *order, int count, uint64_t seed, uint64_t stream);

#endif
