/* fuzz_picture.c -- libFuzzer target: any bytes as a PGM or PPM picture. What is taken is one image within
 * the limits with every pixel there.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_picture.c vision/picture.c vision/png.c vision/fit.c
 *   vision/images.c vision/inflate.c base/[a-z]*.c -lm */
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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    base_error error = {""};
    vision_images image;
    vision_bytes copy = {malloc(size > 0 ? size : 1), size, "fuzz"};
    require(copy.data != NULL);
    if (size > 0)
        memcpy(copy.data, bytes, size);
    if (vision_take_picture(&image, copy, &error)) {
        unsigned sum = 0;
        require(image.count == 1 && (image.channels == 1 || image.channels == 3));
        require(image.height >= 1 && image.height <= VISION_MAX_SIDE && image.width >= 1 &&
                image.width <= VISION_MAX_SIDE);
        for (int i = 0; i < image.channels * image.height * image.width; i++)
            sum += image.pixels[i];
        require(sum <= 255U * 3 * VISION_MAX_SIDE * VISION_MAX_SIDE && !image.labels);
        vision_images_free(&image);
    } else {
        require(strncmp(error.text, "fuzz: ", 6) == 0 && !image.pixels);
    }
    return 0;
}
