/* SPDX-License-Identifier: MIT */
/* digits.c -- the digits that are part of the program, so that it has something to learn from on a
 * machine without any data.
 *
 * The Makefile turns the gzip-compressed IDX files of vision/digits/ into arrays (data.c). From
 * there they take the way of every other set: unpacked by inflate.c, checked and split by
 * images.c. */
#include "vision/images_internal.h"
#include "base/memory.h"

#include "vision/inflate.h"

#include <stdlib.h>

enum { DIGITS = 10 };

/* Unpacks file i. */
static bool unpack(int i, vision_bytes *bytes, base_error *error)
{
    const vision_digits_file *file = &vision_digits_files[i];
    bytes->name = file->name;
    bytes->data =
        vision_inflate(file->bytes, file->size, VISION_MAX_BYTES, file->name, &bytes->size, error);
    return bytes->data != NULL;
}

/* The pair of files `first` (images) and `first` + 1 (labels). */
static bool read_part(vision_images *images, int first, base_error *error)
{
    vision_bytes pixels = {0}, labels = {0};
    if (unpack(first + 1, &labels, error) && unpack(first, &pixels, error))
        return vision_take_idx(images, pixels, labels, DIGITS, error);
    base_free(labels.data);
    return false;
}

bool vision_digits(vision_set *set, base_error *error)
{
    *set = (vision_set){0};
    if (read_part(&set->train, 0, error) && read_part(&set->test, 2, error) &&
        vision_join(set, "digits", error))
        return true;
    vision_set_free(set);
    return false;
}
