/* SPDX-License-Identifier: MIT */
/* fuzz_picture.h -- what has to be true of one picture that was read, whatever the bytes: an image within the
 * limits with every pixel there, or an error that begins with the file's name. */
#ifndef FUZZ_PICTURE_H
#define FUZZ_PICTURE_H

#include "vision/images_internal.h"
#include <stdlib.h>
#include <string.h>

static inline void require(bool condition)
{
    if (!condition)
        abort();
}

/* The file was called "fuzz". Frees the image. */
static inline void look_at_picture(bool taken, vision_images *image, const base_error *error)
{
    if (!taken) {
        require(strncmp(error->text, "fuzz: ", 6) == 0 && !image->pixels);
        return;
    }
    unsigned sum = 0;
    require(image->count == 1 && (image->channels == 1 || image->channels == 3));
    require(image->height >= 1 && image->height <= VISION_MAX_SIDE && image->width >= 1 &&
            image->width <= VISION_MAX_SIDE);
    for (int i = 0; i < image->channels * image->height * image->width; i++)
        sum += image->pixels[i];
    require(sum <= 255U * 3 * VISION_MAX_SIDE * VISION_MAX_SIDE && !image->labels);
    vision_images_free(image);
}

#endif
