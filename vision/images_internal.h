/* images_internal.h -- between the files that make sets of images out of bytes. */
#ifndef VISION_IMAGES_INTERNAL_H
#define VISION_IMAGES_INTERNAL_H

#include "vision/images.h"

/* A whole file in memory, as it was before it was packed. */
typedef struct vision_bytes {
    unsigned char *data; /* malloc'ed */
    size_t size;
    const char *name; /* for messages */
} vision_bytes;

/* Images out of the bytes of a pair of IDX files, or of CIFAR records added to those that are there
 * already (`images` says the shape). The bytes become the images, without a second copy of them
 * where that is possible; so they are given away, freed on failure too. */
bool vision_take_idx(vision_images *images, vision_bytes pixels, vision_bytes labels, int classes,
                     base_error *error);
bool vision_take_cifar(vision_images *images, vision_bytes records, int classes, base_error *error);

/* What holds for the two parts together: one shape, one number of classes. */
bool vision_join(vision_set *set, const char *name, base_error *error);

/* The files of vision/digits/ (data.c, which the Makefile makes of them), gzip-compressed:
 * images and labels to train with, images and labels to test with. */
enum { VISION_DIGITS_FILES = 4 };
typedef struct vision_digits_file {
    const char *name;
    const unsigned char *bytes;
    size_t size;
} vision_digits_file;
extern const vision_digits_file vision_digits_files[VISION_DIGITS_FILES];

#endif
