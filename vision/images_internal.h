/* SPDX-License-Identifier: MIT */
/* images_internal.h -- shared by the files that make sets of images out of bytes. */
#ifndef VISION_IMAGES_INTERNAL_H
#define VISION_IMAGES_INTERNAL_H

#include "vision/images.h"

/* A whole file in memory, unpacked. */
typedef struct vision_bytes {
    unsigned char *data; /* malloc'ed */
    size_t size;
    const char *name; /* for messages */
} vision_bytes;

/* Reads a whole file ("-": standard input), and unpacks it if it is packed, whatever its name is: no more of it than what
 * is wanted can have, so that a small file which unpacks to gigabytes is refused before. Of what turns out to be no IDX
 * file of images or labels by its header, the beginning alone is unpacked, by which it is refused. */
typedef enum vision_content { VISION_OF_RECORDS, VISION_OF_IDX, VISION_OF_PICTURES } vision_content;
bool vision_read_bytes(const char *path, vision_content kind, vision_bytes *bytes,
                       base_error *error);

/* The pixels alone of an IDX file of images, or of a picture (PGM, PPM: picture.c; PNG: png.c), without
 * labels. The bytes pass to the callee as below. */
bool vision_take_pixels(vision_images *images, vision_bytes bytes, base_error *error);
bool vision_take_picture(vision_images *images, vision_bytes bytes, base_error *error);
bool vision_take_png(vision_images *image, vision_bytes bytes, base_error *error);
bool vision_is_png(const vision_bytes *file);

/* Swaps rows and columns of each image. False: no memory. */
bool vision_images_transpose(vision_images *images);

/* Whether a picture of 1 or 3 channels has no colours. */
bool vision_is_grey(const vision_images *image);

/* Writes a picture of 1 or 3 channels as `channels` (1 or 3) planes of that size, scaled where its own is
 * another, without keeping its proportions. The picture's own pixels are used up. */
void vision_fit(vision_images *image, int channels, int height, int width, unsigned char *to);

/* Images out of the bytes of a pair of IDX files; or CIFAR records, which are added to those that
 * are there already and have their shape. The bytes pass to the callee, which keeps the block as
 * the images' or frees it, on failure too. */
bool vision_take_idx(vision_images *images, vision_bytes pixels, vision_bytes labels, int classes,
                     base_error *error);
bool vision_take_cifar(vision_images *images, vision_bytes records, int classes, base_error *error);

/* Whether a folder holds folders; and all of it as a set of pictures, a folder for each class
 * (classes.c). */
bool vision_holds_classes(const char *folder);
bool vision_read_classes(vision_set *set, const char *folder, const vision_wanted *wanted,
                         base_error *error);

/* Whether a text can be shown as a class's name: short, UTF-8, and without control
 * characters. */
bool vision_is_name(const char *text, size_t length);

/* Checks that both parts have one shape, and gives both the larger number of classes. name: of the
 * set, for messages. */
bool vision_join(vision_set *set, const char *name, base_error *error);

/* The gzip-compressed files of vision/digits/ as arrays (data.c, which the Makefile makes): images
 * and labels to train with, images and labels to test with. */
enum { VISION_DIGITS_FILES = 4 };
typedef struct vision_digits_file {
    const char *name;
    const unsigned char *bytes;
    size_t size;
} vision_digits_file;
extern const vision_digits_file vision_digits_files[VISION_DIGITS_FILES];

#endif
