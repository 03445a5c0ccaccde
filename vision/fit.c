/* SPDX-License-Identifier: MIT */
/* fit.c -- what is done to images when they are read: turned, scaled, made grey or colour.
 *
 * Scaling lays the new grid over the picture: a pixel of the result is the mean of the area that it
 * covers. With widths W and w, a pixel of the result covers W of the W w parts in which both grids cut a
 * line, and a pixel of the picture has w of them; so all weights are whole numbers, the mean is a division
 * at the end, and every machine gets the same bytes. */
#include "vision/images_internal.h"

#include "base/memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Swaps rows and columns, one channel of an image at a time: row x becomes what was column x. */
bool vision_images_transpose(vision_images *images)
{
    size_t height = (size_t)images->height, width = (size_t)images->width, plane = height * width;
    unsigned char *old = base_malloc(plane);
    if (!old)
        return false;
    size_t planes = (size_t)images->count * (size_t)images->channels;
    for (size_t i = 0; i < planes; i++) {
        unsigned char *pixels = images->pixels + i * plane;
        memcpy(old, pixels, plane);
        for (size_t x = 0; x < width; x++)
            for (size_t y = 0; y < height; y++)
                pixels[x * height + y] = old[y * width + x];
    }
    base_free(old);
    images->height = (int)width;
    images->width = (int)height;
    return true;
}

/* The parts of a line of pixels of the picture (`old` of them) that pixel i of `new` covers: of pixel j
 * it is what [i old, (i + 1) old) and [j new, (j + 1) new) have in common. */
static int64_t common(int i, int j, int old, int new)
{
    int64_t from = (int64_t)i * old, to = from + old;
    int64_t first = (int64_t)j * new, last = first + new;
    return (to < last ? to : last) - (from > first ? from : first);
}

/* One plane. The weights of a pixel sum to the product of the old sides. */
static void scale(const unsigned char *from, int height, int width, unsigned char *to,
                  int new_height, int new_width)
{
    const uint64_t all = (uint64_t)height * (uint64_t)width;
    for (int y = 0; y < new_height; y++)
        for (int x = 0; x < new_width; x++) {
            uint64_t sum = all / 2;
            int top = (int)((int64_t)y * height / new_height);
            int left = (int)((int64_t)x * width / new_width);
            for (int v = top; v < height && common(y, v, height, new_height) > 0; v++)
                for (int u = left; u < width && common(x, u, width, new_width) > 0; u++)
                    sum += (uint64_t)(common(y, v, height, new_height) *
                                      common(x, u, width, new_width)) *
                           from[(size_t)v * (size_t)width + (size_t)u];
            *to++ = (unsigned char)(sum / all);
        }
}

/* ITU-R BT.601's weights of red, green and blue. */
static void make_grey(unsigned char *planes, size_t plane)
{
    for (size_t i = 0; i < plane; i++)
        planes[i] = (unsigned char)((299U * planes[i] + 587U * planes[plane + i] +
                                     114U * planes[2 * plane + i] + 500U) /
                                    1000U);
}

bool vision_is_grey(const vision_images *image)
{
    size_t plane = (size_t)image->height * (size_t)image->width;
    return image->channels == 1 || (memcmp(image->pixels, image->pixels + plane, plane) == 0 &&
                                    memcmp(image->pixels, image->pixels + 2 * plane, plane) == 0);
}

/* First the colours, then the size: grey is one plane to scale instead of three. A grey picture that is to have
 * colours gets its one plane three times. */
void vision_fit(vision_images *image, int channels, int height, int width, unsigned char *to)
{
    size_t plane = (size_t)image->height * (size_t)image->width;
    size_t new_plane = (size_t)height * (size_t)width;
    if (channels == 1 && image->channels == 3)
        make_grey(image->pixels, plane);
    for (int c = 0; c < channels; c++) {
        const unsigned char *from = image->pixels + (c < image->channels ? (size_t)c * plane : 0);
        if (image->height == height && image->width == width)
            memcpy(to + (size_t)c * new_plane, from, plane);
        else
            scale(from, image->height, image->width, to + (size_t)c * new_plane, height, width);
    }
}

/* Replaces the pixels; a picture that fits already is left alone. */
bool vision_picture_fit(vision_images *image, int channels, int height, int width,
                        base_error *error)
{
    if (image->channels == channels && image->height == height && image->width == width)
        return true;
    unsigned char *pixels = base_malloc((size_t)channels * (size_t)height * (size_t)width);
    if (!pixels)
        return base_fail(error, "no memory for a picture of %dx%d", width, height);
    vision_fit(image, channels, height, width, pixels);
    base_free(image->pixels);
    image->pixels = pixels;
    image->channels = channels, image->height = height, image->width = width;
    return true;
}
