/* SPDX-License-Identifier: MIT */
/* picture.c -- one picture out of a file that every image program writes: PNG (png.c), or netpbm's PGM and
 * PPM.
 *
 *   picture = ("P2" | "P3" | "P5" | "P6") width height most, separated by white space and comments,
 *             then height lines of width pixels of 1 (grey: P2, P5) or 3 numbers (red, green, blue)
 *
 * P2 and P3 have their numbers as text; P5 and P6 have, behind a single white space, a byte each, or two
 * where most is above 255. A number v of 0 .. most becomes round(255 v / most). Here colours are planes,
 * so the three of a pixel go to three places. */
#include "vision/images_internal.h"

#include "base/kind.h"
#include "base/memory.h"
#include <stdint.h>
#include <stdlib.h>

typedef struct scanner {
    const vision_bytes *file;
    size_t at;
    base_error *error;
} scanner;

static bool is_space(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* White space and comments, which go from '#' to the end of the line. */
static void skip(scanner *s)
{
    const vision_bytes *f = s->file;
    while (s->at < f->size && (is_space(f->data[s->at]) || f->data[s->at] == '#'))
        if (f->data[s->at++] == '#')
            while (s->at < f->size && f->data[s->at] != '\n')
                s->at++;
}

/* A decimal number of low .. high; what: for the message. */
static bool read_number(scanner *s, const char *what, int low, int high, int *value)
{
    const vision_bytes *f = s->file;
    skip(s);
    size_t began = s->at;
    int64_t number = 0;
    for (; s->at < f->size && f->data[s->at] >= '0' && f->data[s->at] <= '9' && number <= high;
         s->at++)
        number = 10 * number + (f->data[s->at] - '0');
    if (s->at == began || number < low || number > high)
        return base_fail(s->error, "%s: byte %zu: expected %s, a number of %d to %d", f->name,
                         began, what, low, high);
    *value = (int)number;
    return true;
}

/* The next of the raster's numbers. */
static bool read_sample(scanner *s, bool text, int most, int *value)
{
    const vision_bytes *f = s->file;
    if (text)
        return read_number(s, "a pixel", 0, most, value);
    *value = f->data[s->at++]; /* there, as the size was compared */
    if (most > 255)
        *value = *value << 8 | f->data[s->at++];
    return *value <= most || base_fail(s->error, "%s: byte %zu: a pixel is %d, expected at most %d",
                                       f->name, s->at - 1, *value, most);
}

/* The product of the sides is at most VISION_MAX_SIDE^2, and is held against the bytes that are left before memory is
 * taken for it. */
static bool read_raster(scanner *s, vision_images *image, bool text, int most)
{
    size_t plane = (size_t)image->height * (size_t)image->width;
    size_t channels = (size_t)image->channels, samples = plane * channels;
    const vision_bytes *f = s->file;
    size_t left = f->size - s->at, wanted = samples * (most > 255 ? 2 : 1);
    if (!text && left != wanted)
        return base_fail(s->error, "%s: has %zu bytes of pixels, expected the %zu of %dx%d",
                         f->name, left, wanted, image->width, image->height);
    /* a number of text takes two bytes: a short file does not make a large picture */
    if (text && left < 2 * samples - 1)
        return base_fail(s->error, "%s: ends before its %zu pixels of %dx%d", f->name, plane,
                         image->width, image->height);
    image->pixels = base_malloc(samples);
    if (!image->pixels)
        return base_fail(s->error, "%s: no memory for its pixels", f->name);
    for (size_t i = 0; i < samples; i++) {
        int value;
        if (!read_sample(s, text, most, &value))
            return false;
        image->pixels[i % channels * plane + i / channels] =
            (unsigned char)((value * 255 + most / 2) / most);
    }
    return true;
}

/* The magic, the three numbers, and the raster. */
static bool read_picture(scanner *s, vision_images *image)
{
    const vision_bytes *f = s->file;
    int most = 0;
    char kind = (char)f->data[1];
    bool text = kind == '2' || kind == '3';
    image->count = 1;
    image->channels = kind == '2' || kind == '5' ? 1 : 3;
    s->at = 2;
    if (!read_number(s, "the width", 1, VISION_MAX_SIDE, &image->width) ||
        !read_number(s, "the height", 1, VISION_MAX_SIDE, &image->height) ||
        !read_number(s, "the largest value", 1, 65535, &most))
        return false;
    if (s->at == f->size || !is_space(f->data[s->at]))
        return base_fail(s->error, "%s: byte %zu: expected white space and pixels", f->name, s->at);
    s->at++;
    return read_raster(s, image, text, most);
}

/* P1 and P4 are bitmaps of one bit a pixel, and P7 is another format: none of them is read. */
static bool is_netpbm(const vision_bytes *file)
{
    return file->size >= 2 && file->data[0] == 'P' &&
           (file->data[1] == '2' || file->data[1] == '3' || file->data[1] == '5' ||
            file->data[1] == '6');
}

/* also: what else would have been taken. */
static bool is_none(const vision_bytes *file, const char *also, base_error *error)
{
    const char *kind = base_kind(file->data, file->size);
    return base_fail(error, "%s: is %s, expected a PNG, PGM or PPM picture%s", file->name,
                     file->size == 0 ? "empty"
                     : kind          ? kind
                                     : "no picture that is known here",
                     also);
}

/* Which of the formats it is, is seen from the first bytes and not from the name of the file. */
bool vision_take_picture(vision_images *images, vision_bytes bytes, base_error *error)
{
    *images = (vision_images){0};
    scanner s = {&bytes, 0, error};
    if (vision_is_png(&bytes))
        return vision_take_png(images, bytes, error);
    bool good = is_netpbm(&bytes) ? read_picture(&s, images) : is_none(&bytes, "", error);
    base_free(bytes.data);
    if (!good)
        vision_images_free(images);
    return good;
}

/* By content: a picture, or an IDX file, which begins with two zeros. */
bool vision_read_pictures(vision_images *images, const char *path, bool transposed,
                          base_error *error)
{
    vision_bytes bytes = {0};
    *images = (vision_images){0};
    if (!vision_read_bytes(path, VISION_OF_PICTURES, &bytes, error))
        return false;
    if (is_netpbm(&bytes) || vision_is_png(&bytes))
        return vision_take_picture(images, bytes, error);
    if (bytes.size < 2 || bytes.data[0] != 0 || bytes.data[1] != 0) {
        is_none(&bytes, ", or an IDX file of images", error);
        base_free(bytes.data);
        return false;
    }
    if (!vision_take_pixels(images, bytes, error))
        return false;
    if (!transposed || vision_images_transpose(images))
        return true;
    vision_images_free(images);
    return base_fail(error, "%s: no memory to turn its images", path);
}
