/* SPDX-License-Identifier: MIT */
/* test_png.h -- a writer of PNG files for tests: chunks with their checksums, pixels that are not packed. */
#ifndef TEST_PNG_H
#define TEST_PNG_H

#include "vision/inflate.h"
#include <string.h>

typedef struct png_file {
    unsigned char bytes[8192];
    size_t size;
} png_file;

static inline void png_add(png_file *f, const void *bytes, size_t count)
{
    memcpy(f->bytes + f->size, bytes, count);
    f->size += count;
}

static inline void png_four(png_file *f, uint32_t value)
{
    const unsigned char four[] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                  (unsigned char)(value >> 8), (unsigned char)value};
    png_add(f, four, 4);
}

static inline void png_chunk(png_file *f, const char *type, const void *data, size_t count)
{
    size_t from = f->size + 4;
    png_four(f, (uint32_t)count);
    png_add(f, type, 4);
    png_add(f, data, count);
    png_four(f, vision_crc(f->bytes + from, count + 4));
}

static inline void png_begin(png_file *f, int width, int height, int bits, int kind, int interlaced)
{
    const unsigned char rest[] = {(unsigned char)bits, (unsigned char)kind, 0, 0,
                                  (unsigned char)interlaced};
    png_file header = {.size = 0};
    f->size = 0;
    png_add(f, "\x89PNG\r\n\x1a\n", 8);
    png_four(&header, (uint32_t)width);
    png_four(&header, (uint32_t)height);
    png_add(&header, rest, sizeof rest);
    png_chunk(f, "IHDR", header.bytes, header.size);
}

/* A zlib stream of one stored block. */
static inline void png_pack(png_file *out, const unsigned char *bytes, size_t count)
{
    uint32_t sum = 1, sums = 0;
    const unsigned low = (unsigned)count & 255, high = (unsigned)count >> 8 & 255;
    const unsigned char head[] = {0x78,
                                  1,
                                  1,
                                  (unsigned char)low,
                                  (unsigned char)high,
                                  (unsigned char)(255 - low),
                                  (unsigned char)(255 - high)};
    png_add(out, head, sizeof head);
    png_add(out, bytes, count);
    for (size_t i = 0; i < count; i++) {
        sum = (sum + bytes[i]) % 65521;
        sums = (sums + sum) % 65521;
    }
    png_four(out, sums << 16 | sum);
}

#endif
