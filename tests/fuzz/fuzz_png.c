/* SPDX-License-Identifier: MIT */
/* fuzz_png.c -- libFuzzer target: any bytes as a PNG, in three ways that the first byte chooses: as they
 * are; with the checksum of each chunk made right; and as the rows of a picture whose header, palette and
 * checksums are right, so that what is behind them is reached as well. What is taken is one image within
 * the limits with every pixel there.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/fuzz_png.c vision/png.c vision/images.c
 *   vision/inflate.c base/[a-z]*.c -lm */
#include "tests/vision/test_png.h"
#include "tests/fuzz/fuzz_picture.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void correct(png_file *f)
{
    for (size_t at = 8; f->size - at >= 12 && f->size >= at;) {
        size_t length = (size_t)f->bytes[at] << 24 | (size_t)f->bytes[at + 1] << 16 |
                        (size_t)f->bytes[at + 2] << 8 | f->bytes[at + 3];
        if (length > f->size - at - 12)
            return;
        uint32_t sum = vision_crc(f->bytes + at + 4, length + 4);
        for (size_t i = 0; i < 4; i++)
            f->bytes[at + 8 + length + i] = (unsigned char)(sum >> (24 - 8 * i));
        at += length + 12;
    }
}

/* kind, width, height, entries of the palette, depth and interlacing, then rows and colours from the same bytes. */
static void make(png_file *f, const uint8_t *bytes, size_t size)
{
    static png_file stream;
    size_t entries = bytes[3] < size / 3 ? bytes[3] : size / 3;
    png_begin(f, bytes[1], bytes[2], 1 << bytes[4] % 5, bytes[0] & 7, bytes[4] >> 7);
    if (entries > 0)
        png_chunk(f, "PLTE", bytes, 3 * entries);
    if (bytes[0] & 8)
        png_chunk(f, "tRNS", bytes, (bytes[0] >> 4) % size);
    stream.size = 0;
    png_pack(&stream, bytes, size);
    png_chunk(f, "IDAT", stream.bytes, stream.size);
    png_chunk(f, "IEND", "", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static png_file f;
    base_error error = {""};
    vision_images image;
    if (size < 6 || size > sizeof f.bytes / 2)
        return 0;
    f.size = 0;
    if (bytes[0] % 3 == 2) {
        make(&f, bytes + 1, size - 1);
    } else {
        png_add(&f, bytes + 1, size - 1);
        if (bytes[0] % 3 == 1)
            correct(&f);
    }
    vision_bytes copy = {malloc(f.size), f.size, "fuzz"};
    require(copy.data != NULL);
    memcpy(copy.data, f.bytes, f.size);
    const bool taken = vision_take_png(&image, copy, &error);
    look_at_picture(taken, &image, &error);
    return 0;
}
