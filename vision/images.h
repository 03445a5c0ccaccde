/* SPDX-License-Identifier: MIT */
/* images.h -- sets of labelled images: read from files, or the digits that come along.
 *
 * Three families of files, plain or gzip-compressed (inflate.h), whatever their names are:
 *
 *   IDX       MNIST, Fashion-MNIST, EMNIST. Big-endian: magic 0x00000803, count, rows, columns,
 *             then the pixels of each image line by line; labels 0x00000801, count, one byte each.
 *             Magic 0x00000804 has a dimension more: count, channels, rows, columns.
 *   CIFAR     records of a label byte and the planes of an image: red, green and blue of 32 x 32 in
 *             CIFAR-10; other shapes have the same form. No header, so the shape must be known, and
 *             the count is the size over that of a record.
 *   pictures  PNG, PGM and PPM, one a file, in a folder for each class.
 *
 * Files come from anywhere: every number in a header is compared with the file's real size before
 * memory is taken for it.
 *
 *     vision_set set;
 *     if (!vision_read_folder(&set, "data/mnist", &(vision_wanted){0}, &error))
 *         return complain(error.text);
 *     (set.train.count images of set.train.height x set.train.width in set.train.pixels)
 *     vision_set_free(&set); */
#ifndef VISION_IMAGES_H
#define VISION_IMAGES_H

#include "base/error.h"
#include "base/hash.h"
#include <stdbool.h>
#include <stddef.h>

/* The most that is read; what is larger is an error before it costs memory. */
enum { VISION_MAX_SIDE = 1024, VISION_MAX_CHANNELS = 16, VISION_MAX_CLASSES = 256 };
#define VISION_MAX_BYTES ((size_t)1 << 31)
enum { VISION_NAME = 64 /* bytes of a class's name, the NUL included */, VISION_NOTE = 512 };

typedef struct vision_columns vision_columns;

typedef struct vision_images {
    int count, channels, height, width;
    int classes;           /* as given; or the largest label + 1, of train and test together */
    unsigned char *pixels; /* (count, channels, height, width), row-major; 255 is full ink */
    unsigned char *labels; /* (count), each below classes */
    float *values;  /* rows of a table instead (table.h): (count, channels), height and width 0 */
    float *targets; /* (count): numbers to answer with in place of labels; classes is 1 then */
} vision_images;

typedef struct vision_set {
    vision_images train, test;
    char (*names)[VISION_NAME]; /* of the classes, malloc'ed; NULL: they are numbers */
    bool pictures;              /* from files of one picture each, which were made to fit */
    vision_columns *columns;    /* of a table (table.h), malloc'ed; NULL: it is none */
    char note[VISION_NOTE]; /* a line for whoever gave the folder, what was done with it; or "" */
} vision_set;

/* What is known beforehand of a set, and what is wanted of it. All zero: nothing. */
typedef struct vision_wanted {
    int classes;       /* each label must be below it; 0: the number is not known */
    bool transposed;   /* IDX files: swap rows and columns, as EMNIST's are published transposed */
    const char *split; /* IDX files: of a folder with several sets, as "letters" of EMNIST's */
    int height, width; /* pictures: of all; 0: those of most of them */
    int channels;      /* pictures: 1 grey, 3 colours; 0: grey where all of them are */
    const char *label, *without;   /* tables: the column to answer for; those to leave out, "a,b" */
    const vision_columns *columns; /* tables: a network's, instead of what would be learnt */
    bool numbers; /* tables: the label's column has numbers to answer with, and no classes */
    bool guessed; /* tables: nobody said that it has classes: many different numbers are refused */
} vision_wanted;

/* Reads one pair of IDX files, or the records of some CIFAR files one after another. classes: each
 * label must be below it; 0: the number is not known. shape: channels, height and width of CIFAR's
 * records, NULL for 3, 32, 32. False: the error names the file, the place and what was expected,
 * and there is nothing to free. Free with vision_images_free. */
bool vision_read_idx(vision_images *images, const char *pixels_path, const char *labels_path,
                     int classes, base_error *error);
bool vision_read_cifar(vision_images *images, const char *const *paths, int count,
                       const int shape[3], int classes, base_error *error);

/* Finds a set in a folder by the names that the published files have, each with or without .gz (of
 * both the plain file is read, which was unpacked from the other), and IDX files also with a dot,
 * as train-images.idx3-ubyte:
 *
 *   *train-images-idx3-ubyte, *train-labels-idx1-ubyte, and the same with t10k- or *test- for the
 *   test set; idx4 where the images have channels
 *
 *   data_batch_1.bin, data_batch_2.bin, ... (those that are there, in order), test_batch.bin; and
 *   shape.txt with channels, height and width ("1 28 28") where they are not 3, 32 and 32
 *
 * In a folder without such files, the folders that torchvision and the published archives make are
 * looked into: MNIST/raw and its like, raw, gzip, cifar-10-batches-bin; and a file in a folder of its own
 * name is taken from there. Where wanted->split says which, EMNIST's folder may hold all of its sets.
 *
 * Any other folder that holds folders is one of pictures, a folder for each class: classes.c. They are made
 * to fit into one size, and the set has their folders' names.
 *
 * A folder of IDX or CIFAR files must hold exactly one set, and its two parts must agree in channels,
 * height and width. */
bool vision_read_folder(vision_set *set, const char *folder, const vision_wanted *wanted,
                        base_error *error);

/* Reads images without labels (labels NULL, classes 0): all of an IDX file, plain or gzip-compressed,
 * or the one of a PNG, PGM or PPM file. transposed: as above, of IDX files. False: as above. */
bool vision_read_pictures(vision_images *images, const char *path, bool transposed,
                          base_error *error);

/* Makes the one image of a picture's file fit: `channels` (1 or 3) planes of that size, scaled where its
 * own is another, without keeping its proportions. False: no memory. */
bool vision_picture_fit(vision_images *image, int channels, int height, int width,
                        base_error *error);

/* The digits that are part of the program (vision/digits/README.md): 14 x 14, ten classes. */
bool vision_digits(vision_set *set, base_error *error);

/* SHA-256 over shapes, pixels and labels, by which a run records its data. */
void vision_set_hash(const vision_set *set, char hash[BASE_HASH_TEXT]);

void vision_images_free(vision_images *images); /* leaves an empty set */
void vision_set_free(vision_set *set);

#endif
