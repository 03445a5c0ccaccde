/* images.h -- sets of labelled images: read from files, or the digits that come along.
 *
 * Two families of files, plain or gzip-compressed (inflate.h):
 *
 *   IDX    MNIST, Fashion-MNIST, EMNIST. Big-endian: magic 0x00000803, count, rows, columns,
 *          then the pixels of each image line by line; labels 0x00000801, count, one byte each.
 *          Magic 0x00000804 has a dimension more: count, channels, rows, columns.
 *   CIFAR  records of a label byte and the planes of an image: red, green and blue of 32 x 32 in
 *          CIFAR-10; other shapes have the same form. No header, so the shape must be known, and
 *          the count is the size over that of a record.
 *
 * A file whose name ends with .gz is unpacked, any other is taken as it is.
 *
 * A file is somebody else's: every number in it is held against the file's real size before memory
 * is taken for it. */
#ifndef VISION_IMAGES_H
#define VISION_IMAGES_H

#include "base/error.h"
#include "base/hash.h"
#include <stdbool.h>
#include <stddef.h>

/* Of what is read: more is refused, before it costs memory. */
enum { VISION_MAX_SIDE = 1024, VISION_MAX_CHANNELS = 16, VISION_MAX_CLASSES = 256 };
#define VISION_MAX_BYTES ((size_t)1 << 31)

typedef struct vision_images {
    int count, channels, height, width;
    int classes;           /* as told; or the largest label + 1, of train and test together */
    unsigned char *pixels; /* (count, channels, height, width), row-major; 255 is the most ink */
    unsigned char *labels; /* (count), each below classes */
} vision_images;

typedef struct vision_set {
    vision_images train, test;
} vision_set;

/* Reads one pair of IDX files, or one list of CIFAR files behind each other. classes: each label
 * must be below it; 0 if that is not known. shape: channels, height and width of CIFAR's records,
 * NULL for 3, 32, 32. False: the error names the file, the place and what was expected; nothing is
 * left behind. Free with vision_images_free. */
bool vision_read_idx(vision_images *images, const char *pixels_path, const char *labels_path,
                     int classes, base_error *error);
bool vision_read_cifar(vision_images *images, const char *const *paths, int count,
                       const int shape[3], int classes, base_error *error);

/* Finds a set in a folder by the names that the published files have, each with or without .gz:
 *
 *   *train-images-idx3-ubyte, *train-labels-idx1-ubyte, and the same with t10k- or *test- for the
 *   test set; idx4 where the images have channels
 *
 *   data_batch_1.bin, data_batch_2.bin, ... (those that are there, in order), test_batch.bin; and
 *   shape.txt with channels, height and width ("1 28 28") where they are not 3, 32 and 32
 *
 * Exactly one set must be there. EMNIST's images are published transposed: `transposed` turns those
 * of an IDX set back (rows and columns change places). Both parts must agree in channels, height
 * and width. classes: as above. */
bool vision_read_folder(vision_set *set, const char *folder, int classes, bool transposed,
                        base_error *error);

/* The digits of the tree (vision/digits/README.md): 14 x 14, ten classes. They are part of the
 * program. */
bool vision_digits(vision_set *set, base_error *error);

/* SHA-256 over shapes, pixels and labels: what a run writes down of its data. */
void vision_set_hash(const vision_set *set, char hash[BASE_HASH_TEXT]);

void vision_images_free(vision_images *images); /* leaves an empty set */
void vision_set_free(vision_set *set);

#endif
