/* SPDX-License-Identifier: MIT */
/* images.c -- sets of images out of IDX files and CIFAR records.
 *
 * A large set (EMNIST by class: 0.6 GB) is most of what is in memory, so there is never a second
 * copy of it: the pixels are moved to the front of the block that the file was read or unpacked to,
 * over the header or the labels between them, and the block is the images' from then on.
 *
 * A header may claim anything. Its product (count times channels times height times width) is
 * compared with the size that the file has before any of it is used; so all later loops stay within
 * the block. */
#include "vision/images_internal.h"

#include "base/file.h"
#include "base/kind.h"
#include "base/memory.h"
#include "base/text.h"
#include "vision/inflate.h"
#include "vision/table.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* An IDX file's first four bytes: 0, 0, the type of the elements (8: unsigned bytes), the number of dimensions. */
enum { LABELS_MAGIC = 0x801, GREY_MAGIC = 0x803, CHANNELS_MAGIC = 0x804, LABELS_HEADER = 8 };

void vision_images_free(vision_images *images)
{
    base_free(images->pixels);
    base_free(images->values);
    base_free(images->labels);
    base_free(images->targets);
    *images = (vision_images){0};
}

void vision_set_free(vision_set *set)
{
    vision_images_free(&set->train);
    vision_images_free(&set->test);
    base_free(set->names);
    vision_columns_free(set->columns);
    *set = (vision_set){.names = NULL};
}

bool vision_is_name(const char *text, size_t length)
{
    if (length < 1 || length >= VISION_NAME)
        return false;
    for (size_t i = 0, count; i < length; i += count)
        if ((count = base_utf8_length(text + i, length - i)) == 0 ||
            !base_utf8_shows(text + i, count))
            return false;
    return true;
}

/* Nothing where the block has become the images' (data is NULL then). */
static void free_bytes(vision_bytes *bytes)
{
    base_free(bytes->data);
    bytes->data = NULL;
}

/* ---- Files ---- */

/* A gzip member begins with 1f 8b, the method 8 and flags below 32; an IDX file with a zero, and
 * of CIFAR's records only one of class 31 could look so. */
static bool is_gzip(const vision_bytes *bytes)
{
    const unsigned char *at = bytes->data;
    return bytes->size >= 4 && at[0] == 0x1f && at[1] == 0x8b && at[2] == 8 && at[3] < 32;
}

/* A big-endian number of four bytes. */
static uint32_t read_four(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The size of an IDX file as its first 20 bytes have it; 0: they are none's, or have dimensions that none may have. */
static uint64_t size_of_idx(const unsigned char *at)
{
    const uint32_t magic = read_four(at), count = read_four(at + 4);
    if (magic == LABELS_MAGIC)
        return LABELS_HEADER + (uint64_t)count;
    if (magic != GREY_MAGIC && magic != CHANNELS_MAGIC)
        return 0;
    const bool grey = magic == GREY_MAGIC;
    const uint32_t channels = grey ? 1 : read_four(at + 8);
    const uint32_t height = read_four(at + (grey ? 8 : 12)),
                   width = read_four(at + (grey ? 12 : 16));
    if (count > INT_MAX || channels > VISION_MAX_CHANNELS || height > VISION_MAX_SIDE ||
        width > VISION_MAX_SIDE)
        return 0;
    return (grey ? 16 : 20) + (uint64_t)count * channels * height * width;
}

/* Of the largest picture, as digits, there are 1024 * 1024 * 3 * 6 bytes. Records and tables have no header that says
 * how many bytes are to come: photographs halve, a table of a few words becomes 50 times as small, and what would be
 * 1000 times as large is made to fill a memory. */
enum { START_BYTES = 512, PICTURE_BYTES = 1 << 26, LIKELY_RATIO = 100 };

static size_t most_of_records(size_t packed)
{
    const size_t most =
        packed < VISION_MAX_BYTES / LIKELY_RATIO ? packed * LIKELY_RATIO : VISION_MAX_BYTES;
    return most > PICTURE_BYTES ? most : PICTURE_BYTES;
}

static unsigned char *unpack(const unsigned char *packed, size_t size, vision_content kind,
                             vision_bytes *bytes, base_error *error)
{
    size_t most = kind == VISION_OF_RECORDS ? most_of_records(size) : VISION_MAX_BYTES;
    if (kind != VISION_OF_RECORDS) {
        unsigned char start[START_BYTES] = {0};
        const size_t length = vision_inflate_start(packed, size, start, sizeof start);
        const uint64_t said = size_of_idx(start);
        const bool is_idx =
            kind == VISION_OF_IDX || (length >= 2 && start[0] == 0 && start[1] == 0);
        if (is_idx && said == 0 && length == sizeof start) {
            bytes->size = length;
            unsigned char *copy = (unsigned char *)base_copy((const char *)start, length);
            if (!copy)
                base_fail(error, "%s: no memory to read it", bytes->name);
            return copy;
        }
        if (said > most) {
            base_fail(error, "%s: its header says %llu bytes, expected at most %zu", bytes->name,
                      (unsigned long long)said, most);
            return NULL;
        }
        most = !is_idx ? PICTURE_BYTES : said > 0 ? (size_t)said : most;
    }
    return vision_inflate(packed, size, most, bytes->name, &bytes->size, error);
}

bool vision_read_bytes(const char *path, vision_content kind, vision_bytes *bytes,
                       base_error *error)
{
    const bool piped = strcmp(path, "-") == 0;
    bytes->name = piped ? "standard input" : path;
    bytes->data =
        (unsigned char *)(piped ? base_file_read_open(0, bytes->name, VISION_MAX_BYTES,
                                                      &bytes->size, error)
                                : base_file_read(path, VISION_MAX_BYTES, &bytes->size, error));
    if (bytes->data && is_gzip(bytes)) {
        unsigned char *packed = bytes->data;
        bytes->data = unpack(packed, bytes->size, kind, bytes, error);
        base_free(packed);
    }
    return bytes->data != NULL;
}

/* Sets the error if the file gives itself away as something else: true then. */
static bool is_another(const vision_bytes *file, const char *expected, base_error *error)
{
    const char *kind = base_kind(file->data, file->size);
    if (kind)
        base_fail(error, "%s: is %s, expected %s", file->name, kind, expected);
    return kind != NULL;
}

/* Checks a dimension that a header claims. */
static bool in_range(const char *name, const char *what, uint32_t value, int most,
                     base_error *error)
{
    if (value >= 1 && value <= (uint32_t)most)
        return true;
    return base_fail(error, "%s: %s is %lu, expected 1 to %d", name, what, (unsigned long)value,
                     most);
}

/* Bytes of one image, a byte a pixel: at most MAX_CHANNELS * MAX_SIDE^2 = 2^24. */
static size_t image_bytes(const vision_images *images)
{
    return (size_t)images->channels * (size_t)images->height * (size_t)images->width;
}

/* Checks the labels of images `first` and later: each is below `classes`, which is noted. classes
 * 0: any label is allowed, and images->classes becomes the largest label of all + 1. */
static bool check_labels(vision_images *images, int first, int classes, const char *name,
                         base_error *error)
{
    int largest = 0;
    for (int i = first; i < images->count; i++) {
        int label = images->labels[i];
        if (classes > 0 && label >= classes)
            return base_fail(error, "%s: the label of image %d is %d, expected 0 to %d", name,
                             i - first, label, classes - 1);
        if (label > largest)
            largest = label;
    }
    if (classes > 0)
        images->classes = classes;
    else if (largest >= images->classes)
        images->classes = largest + 1;
    return true;
}

/* ---- IDX ---- */

/* A file shorter than its header is an error. */
static bool has_header(const vision_bytes *file, size_t header, base_error *error)
{
    if (file->size >= header)
        return true;
    return base_fail(error, "%s: has %zu bytes, expected a header of %zu", file->name, file->size,
                     header);
}

/* So is one whose size is not what the header says. */
static bool has_size(const vision_bytes *file, uint64_t expected, base_error *error)
{
    if (file->size == expected)
        return true;
    return base_fail(error, "%s: has %zu bytes, expected the %llu that its header says", file->name,
                     file->size, (unsigned long long)expected);
}

/* header = magic count [channels] height width, of four bytes each; then the pixels, which become
 * the images'. Each number is checked; the count is below 2^31 and the rest together at most 2^24,
 * so that their product fits in 64 bits. */
static bool read_pixels(vision_images *images, vision_bytes *file, base_error *error)
{
    if (!has_header(file, 4, error))
        return false;
    const unsigned char *at = file->data;
    uint32_t magic = read_four(at);
    if (magic != GREY_MAGIC && magic != CHANNELS_MAGIC && is_another(file, "IDX images", error))
        return false;
    if (magic != GREY_MAGIC && magic != CHANNELS_MAGIC)
        return base_fail(error,
                         "%s: begins with %08lx, expected 00000803 or 00000804 (unsigned bytes of "
                         "3 or 4 dimensions)",
                         file->name, (unsigned long)magic);
    bool grey = magic == GREY_MAGIC;
    size_t header = grey ? 16 : 20;
    if (!has_header(file, header, error))
        return false;
    uint32_t count = read_four(at + 4), channels = grey ? 1 : read_four(at + 8);
    uint32_t height = read_four(at + header - 8), width = read_four(at + header - 4);
    if (!in_range(file->name, "the count of images", count, INT_MAX, error) ||
        !in_range(file->name, "the number of channels", channels, VISION_MAX_CHANNELS, error) ||
        !in_range(file->name, "the height", height, VISION_MAX_SIDE, error) ||
        !in_range(file->name, "the width", width, VISION_MAX_SIDE, error) ||
        !has_size(file, header + (uint64_t)count * channels * height * width, error))
        return false;
    memmove(file->data, file->data + header, file->size - header);
    images->count = (int)count;
    images->channels = (int)channels;
    images->height = (int)height;
    images->width = (int)width;
    images->pixels = file->data;
    file->data = NULL;
    return true;
}

/* header = magic count, of four bytes each; then a byte for each label. */
static bool read_labels(vision_images *images, vision_bytes *file, int classes,
                        const char *pixels_name, base_error *error)
{
    if (!has_header(file, LABELS_HEADER, error))
        return false;
    uint32_t magic = read_four(file->data), count = read_four(file->data + 4);
    if (magic != LABELS_MAGIC && is_another(file, "IDX labels", error))
        return false;
    if (magic != LABELS_MAGIC)
        return base_fail(error, "%s: begins with %08lx, expected 00000801 (labels)", file->name,
                         (unsigned long)magic);
    if (!has_size(file, LABELS_HEADER + (uint64_t)count, error))
        return false;
    if (count != (uint32_t)images->count)
        return base_fail(error, "%s: has %lu labels, expected %d as %s has images", file->name,
                         (unsigned long)count, images->count, pixels_name);
    memmove(file->data, file->data + LABELS_HEADER, count);
    images->labels = file->data;
    file->data = NULL;
    return check_labels(images, 0, classes, file->name, error);
}

/* In *images, what has been taken over is no longer in pixels or labels: freeing all three never frees twice. */
bool vision_take_idx(vision_images *images, vision_bytes pixels, vision_bytes labels, int classes,
                     base_error *error)
{
    *images = (vision_images){0};
    bool good = read_pixels(images, &pixels, error) &&
                read_labels(images, &labels, classes, pixels.name, error);
    free_bytes(&pixels);
    free_bytes(&labels);
    if (!good)
        vision_images_free(images);
    return good;
}

bool vision_take_pixels(vision_images *images, vision_bytes bytes, base_error *error)
{
    *images = (vision_images){0};
    bool good = read_pixels(images, &bytes, error);
    free_bytes(&bytes);
    return good;
}

/* The labels first: they are small, and where they cannot be read the large file need not be. */
bool vision_read_idx(vision_images *images, const char *pixels_path, const char *labels_path,
                     int classes, base_error *error)
{
    vision_bytes pixels = {0}, labels = {0};
    *images = (vision_images){0};
    if (vision_read_bytes(labels_path, VISION_OF_IDX, &labels, error) &&
        vision_read_bytes(pixels_path, VISION_OF_IDX, &pixels, error))
        return vision_take_idx(images, pixels, labels, classes, error);
    free_bytes(&labels);
    return false;
}

/* ---- CIFAR ---- */

/* Takes the labels out of the records and closes the gaps:
 *
 *     l0 p0 p0 p0 l1 p1 p1 p1 l2 p2 p2 p2   ->   p0 p0 p0 p1 p1 p1 p2 p2 p2   and   l0 l1 l2
 *
 * From the first record to the last, an image only ever moves towards the front, over bytes that
 * have been read. */
static void split_records(vision_bytes *records, size_t image, unsigned char *labels)
{
    size_t count = records->size / (image + 1);
    for (size_t i = 0; i < count; i++) {
        const unsigned char *record = records->data + i * (image + 1);
        labels[i] = record[0];
        memmove(records->data + i * image, record + 1, image);
    }
    records->size = count * image;
}

/* The block of the first file becomes the pixels; those of later files are copied behind it. */
static bool add_pixels(vision_images *images, vision_bytes *records, size_t image)
{
    if (!images->pixels) {
        images->pixels = records->data;
        records->data = NULL;
        return true;
    }
    size_t before = (size_t)images->count * image;
    unsigned char *larger = base_realloc(images->pixels, before + records->size);
    if (!larger)
        return false;
    memcpy(larger + before, records->data, records->size);
    images->pixels = larger;
    return true;
}

/* A file has no header: its size must be that of whole records of the expected shape. */
static bool add_records(vision_images *images, vision_bytes *records, int classes,
                        base_error *error)
{
    size_t image = image_bytes(images), count = records->size / (image + 1);
    bool whole = records->size > 0 && records->size % (image + 1) == 0;
    if (!whole && is_another(records, "CIFAR's records", error))
        return false;
    if (!whole)
        return base_fail(
            error,
            "%s: has %zu bytes, expected a multiple of %zu (a label and %d x %d x %d); "
            "another shape is said by shape.txt beside it",
            records->name, records->size, image + 1, images->channels, images->height,
            images->width);
    size_t before = (size_t)images->count;
    if ((before + count) > VISION_MAX_BYTES / (image + 1))
        return base_fail(error, "%s: the set has more than the %zu bytes expected at most",
                         records->name, VISION_MAX_BYTES);
    unsigned char *labels = base_realloc(images->labels, before + count);
    if (labels) {
        images->labels = labels;
        split_records(records, image, labels + before);
    }
    if (!labels || !add_pixels(images, records, image))
        return base_fail(error, "%s: no memory for its %zu images", records->name, count);
    images->count += (int)count;
    return check_labels(images, (int)before, classes, records->name, error);
}

/* On failure the images of the files before are freed as well: half of a set is none. */
bool vision_take_cifar(vision_images *images, vision_bytes records, int classes, base_error *error)
{
    bool good = add_records(images, &records, classes, error);
    free_bytes(&records);
    if (!good)
        vision_images_free(images);
    return good;
}

/* A record's planes are red, green and blue: (3, 32, 32) unless `shape` says otherwise. */
bool vision_read_cifar(vision_images *images, const char *const *paths, int count,
                       const int shape[3], int classes, base_error *error)
{
    static const int cifar_10[3] = {3, 32, 32};
    if (!shape)
        shape = cifar_10;
    *images = (vision_images){.channels = shape[0], .height = shape[1], .width = shape[2]};
    for (int i = 0; i < count; i++) {
        vision_bytes records = {0};
        if (!vision_read_bytes(paths[i], VISION_OF_RECORDS, &records, error)) {
            vision_images_free(images);
            return false;
        }
        if (!vision_take_cifar(images, records, classes, error))
            return false;
    }
    return true;
}

/* ---- Sets ---- */

/* The number of classes is the larger one: a test set need not have met every class, nor the other. */
bool vision_join(vision_set *set, const char *name, base_error *error)
{
    vision_images *a = &set->train, *b = &set->test;
    if (a->channels != b->channels || a->height != b->height || a->width != b->width)
        return base_fail(error,
                         "%s: images to test are %d x %d x %d, expected %d x %d x %d as to train",
                         name, b->channels, b->height, b->width, a->channels, a->height, a->width);
    if (a->classes < b->classes)
        a->classes = b->classes;
    b->classes = a->classes;
    return true;
}

/* Four bytes, the lowest first, so that every machine gets the same hash. */
static void hash_number(base_hash *hash, uint32_t n)
{
    const uint8_t bytes[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16),
                              (uint8_t)(n >> 24)};
    base_hash_add(hash, bytes, sizeof bytes);
}

/* Bits, the same on every machine; all kinds of NaN, a missing number, as one. */
static void hash_floats(base_hash *hash, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        hash_number(hash, isnan(values[i]) ? UINT32_MAX : bits);
    }
}

/* Adds the shape, the pixels or values, and the labels or targets. */
static void hash_images(base_hash *hash, const vision_images *images)
{
    const int numbers[] = {images->count, images->channels, images->height, images->width,
                           images->classes};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        hash_number(hash, (uint32_t)numbers[i]);
    size_t values = images->values ? (size_t)images->count * (size_t)images->channels : 0;
    hash_floats(hash, images->values, values);
    if (images->pixels)
        base_hash_add(hash, images->pixels, (size_t)images->count * image_bytes(images));
    if (images->labels)
        base_hash_add(hash, images->labels, (size_t)images->count);
    hash_floats(hash, images->targets, images->targets ? (size_t)images->count : 0);
}

/* SHA-256 over both parts and the names: what a model says it was trained on. Names are told apart by the NUL that
 * ends each. Values of a table go in by their bits, all kinds of NaN (a missing number) as one. */
void vision_set_hash(const vision_set *set, char text[BASE_HASH_TEXT])
{
    base_hash hash;
    base_hash_start(&hash);
    hash_images(&hash, &set->train);
    hash_images(&hash, &set->test);
    for (int i = 0; set->names && i < set->train.classes; i++)
        base_hash_add(&hash, set->names[i], strlen(set->names[i]) + 1);
    base_hash_end_text(&hash, text);
}
