/* SPDX-License-Identifier: MIT */
/* fuzz_picture.c -- libFuzzer target: any bytes as a PGM or PPM picture. What is taken is one image within
 * the limits with every pixel there.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_picture.c vision/picture.c vision/png.c vision/fit.c
 *   vision/images.c vision/inflate.c base/[a-z]*.c -lm */
#include "tests/fuzz/fuzz_picture.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    base_error error = {""};
    vision_images image;
    vision_bytes copy = {malloc(size > 0 ? size : 1), size, "fuzz"};
    require(copy.data != NULL);
    if (size > 0)
        memcpy(copy.data, bytes, size);
    const bool taken = vision_take_picture(&image, copy, &error);
    look_at_picture(taken, &image, &error);
    return 0;
}
