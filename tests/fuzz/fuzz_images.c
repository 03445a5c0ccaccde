/* SPDX-License-Identifier: MIT */
/* fuzz_images.c -- libFuzzer target: any bytes as a pair of IDX files, or as CIFAR records.
 *
 * The first byte says which, and the next ones how long the file of labels is, or the shape. What
 * is taken must be consistent: a shape within its limits, labels below the classes, and every pixel
 * there.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_images.c vision/images.c
 *   vision/inflate.c base/[a-z]*.c -lm */
#include "vision/images_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static vision_bytes copy(const uint8_t *bytes, size_t size)
{
    vision_bytes result = {malloc(size > 0 ? size : 1), size, "fuzz"};
    require(result.data != NULL);
    if (size > 0)
        memcpy(result.data, bytes, size);
    return result;
}

static void require_consistent(const vision_images *images)
{
    unsigned sum = 0;
    require(images->count > 0 && images->classes > 0 && images->classes <= VISION_MAX_CLASSES);
    require(images->channels > 0 && images->channels <= VISION_MAX_CHANNELS);
    require(images->height > 0 && images->height <= VISION_MAX_SIDE);
    require(images->width > 0 && images->width <= VISION_MAX_SIDE);
    size_t pixels =
        (size_t)images->count * (size_t)(images->channels * images->height * images->width);
    for (size_t i = 0; i < pixels; i++)
        sum += images->pixels[i];
    for (int i = 0; i < images->count; i++)
        require(images->labels[i] < images->classes);
    require(sum <= 255 * pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    base_error error = {""};
    vision_images images = {0};
    if (size < 4)
        return 0;
    const uint8_t *rest = bytes + 4;
    size_t left = size - 4;
    int classes = bytes[0] >> 1;
    bool good;
    if (bytes[0] & 1) {
        size_t labels = (size_t)bytes[1] << 8 | bytes[2];
        labels = labels < left ? labels : left;
        good = vision_take_idx(&images, copy(rest, left - labels),
                               copy(rest + left - labels, labels), classes, &error);
    } else {
        images.channels = 1 + bytes[1] % 3;
        images.height = 1 + bytes[2] % 4;
        images.width = 1 + bytes[3] % 4;
        good = vision_take_cifar(&images, copy(rest, left), classes, &error) &&
               vision_take_cifar(&images, copy(rest, left), classes, &error);
    }
    if (good)
        require_consistent(&images);
    else
        require(strncmp(error.text, "fuzz: ", 6) == 0 && !images.pixels && !images.labels);
    vision_images_free(&images);
    return 0;
}
