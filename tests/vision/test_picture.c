/* SPDX-License-Identifier: MIT */
/* test_picture.c -- vision/picture.c: PGM and PPM, as they are written and as they are not. */
#include "base/file.h"
#include "base/process.h"
#include "tests/test.h"
#include "vision/images_internal.h"

static vision_bytes copy(const char *bytes, size_t size)
{
    vision_bytes result = {malloc(size > 0 ? size : 1), size, "p"};
    if (size > 0)
        memcpy(result.data, bytes, size);
    return result;
}

#define TEXT(bytes) bytes, sizeof(bytes) - 1

/* Planes of red, green, blue; 255 v / most, rounded. */
static const struct {
    const char *bytes;
    size_t size;
    int channels, height, width;
    unsigned char pixels[12];
} good[] = {
    {TEXT("P2 3 1 9 0 9 4"), 1, 1, 3, {0, 255, 113}},
    {TEXT("P2\n# grey\n1 #w\n2\n1\n1\n0\n"), 1, 2, 1, {255, 0}},
    {TEXT("P5\t2\r\n2 255\n\0\1\xfe\xff"), 1, 2, 2, {0, 1, 254, 255}},
    {TEXT("P5 2 1 65535 \x80\x00\xff\xff"), 1, 1, 2, {128, 255}},
    {TEXT("P5 1 1 255\n\n"), 1, 1, 1, {10}}, /* the pixel is a line feed */
    {TEXT("P3 2 1 255 1 2 3 4 5 6"), 3, 1, 2, {1, 4, 2, 5, 3, 6}},
    {TEXT("P6 2 1 255 abcdef"), 3, 1, 2, {'a', 'd', 'b', 'e', 'c', 'f'}},
};

static void test_good(void)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        vision_images image;
        base_error error = {""};
        bool taken = vision_take_picture(&image, copy(good[i].bytes, good[i].size), &error);
        CHECK(taken, "%zu: %s", i, error.text);
        if (!taken)
            continue;
        CHECK(image.count == 1 && image.channels == good[i].channels &&
                  image.height == good[i].height && image.width == good[i].width && !image.labels,
              "%zu: %dx%dx%d", i, image.channels, image.height, image.width);
        size_t size = (size_t)(image.channels * image.height * image.width);
        CHECK(memcmp(image.pixels, good[i].pixels, size) == 0, "%zu: %d %d", i, image.pixels[0],
              image.pixels[1]);
        vision_images_free(&image);
    }
}

static const struct {
    const char *bytes;
    size_t size;
    const char *error;
} bad[] = {
    {TEXT(""), "p: is empty, expected a PNG, PGM or PPM picture"},
    {TEXT("P"), "p: is no picture that is known here, expected a PNG, PGM or PPM picture"},
    {TEXT("P4 1 1 1"), "p: is no picture that is known here, expected a PNG, PGM or PPM picture"},
    {TEXT("P5"), "p: byte 2: expected the width, a number of 1 to 1024"},
    {TEXT("P5 0 1 255 a"), "p: byte 3: expected the width, a number of 1 to 1024"},
    {TEXT("P5 1 1025 255 a"), "p: byte 5: expected the height, a number of 1 to 1024"},
    {TEXT("P5 1 99999999999999999999 255 a"), "p: byte 5: expected the height"},
    {TEXT("P5 -1 1 255 a"), "p: byte 3: expected the width"},
    {TEXT("P5 1 1 65536 a"), "p: byte 7: expected the largest value, a number of 1 to 65535"},
    {TEXT("P5 1 1 0 a"), "p: byte 7: expected the largest value"},
    {TEXT("P5 1 1 255"), "p: byte 10: expected white space and pixels"},
    {TEXT("P5 1 1 255a"), "p: byte 10: expected white space and pixels"},
    {TEXT("P5 2 2 255 abc"), "p: has 3 bytes of pixels, expected the 4 of 2x2"},
    {TEXT("P5 2 2 255 abcde"), "p: has 5 bytes of pixels, expected the 4 of 2x2"},
    {TEXT("P5 1 1 9 a"), "p: byte 9: a pixel is 97, expected at most 9"},
    {TEXT("P2 2 2 9 1 2 3"), "p: ends before its 4 pixels of 2x2"},
    {TEXT("P2 1 2 9 10 1"), "p: byte 9: expected a pixel, a number of 0 to 9"},
    {TEXT("P2 1 2 9 1 x"), "p: byte 11: expected a pixel, a number of 0 to 9"},
    {TEXT("P2 1024 1024 9 1"), "p: ends before its 1048576 pixels of 1024x1024"},
    {TEXT("P2 1 1 9 # no end"), "p: byte "},
};

static void test_bad(void)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        vision_images image;
        base_error error = {""};
        bool taken = vision_take_picture(&image, copy(bad[i].bytes, bad[i].size), &error);
        CHECK(!taken && !image.pixels &&
                  strncmp(error.text, bad[i].error, strlen(bad[i].error)) == 0,
              "%zu: %s: want %s", i, error.text, bad[i].error);
    }
    /* cut off at every byte: only whole ones are taken */
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        for (size_t size = 0; size < good[i].size; size++) {
            vision_images image;
            base_error error = {""};
            if (vision_take_picture(&image, copy(good[i].bytes, size), &error))
                vision_images_free(&image);
            else
                CHECK(strncmp(error.text, "p: ", 3) == 0, "%s", error.text);
        }
}

/* By content, whatever the name. */
static void test_files(void)
{
    char folder[512], path[600];
    base_error error = {""};
    vision_images images;
    CHECK(base_temporary_folder("phoenix-picture", folder, sizeof folder, &error), "%s",
          error.text);
    static const struct {
        const char *name;
        const char *bytes;
        size_t size;
        int count;
    } files[] = {
        {"a.txt", TEXT("P2 1 1 1 1"), 1},
        {"idx.pgm", TEXT("\0\0\x08\x03\0\0\0\2\0\0\0\1\0\0\0\1ab"), 2},
        {"short", TEXT("\0\0\x08\x03\0\0\0\2\0\0\0\1\0\0\0\1a"), 0},
        {"x.png", TEXT("\x89PNG\r\n\x1a\n"), 0},
        {"empty", TEXT(""), 0},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        const base_bytes part = {files[i].bytes, files[i].size};
        CHECK(base_file_write(path, &part, 1, NULL, &error), "%s", error.text);
        bool taken = vision_read_pictures(&images, path, false, &error);
        CHECK(taken == (files[i].count > 0) && (!taken || images.count == files[i].count), "%s: %s",
              files[i].name, error.text);
        CHECK(taken || strncmp(error.text, path, strlen(path)) == 0, "%s", error.text);
        if (taken)
            vision_images_free(&images);
    }
    /* two images of one row: of EMNIST's they are columns; a picture stands as it is */
    snprintf(path, sizeof path, "%s/turned", folder);
    const base_bytes turned = {"\0\0\x08\x03\0\0\0\2\0\0\0\1\0\0\0\2abcd", 20};
    CHECK(base_file_write(path, &turned, 1, NULL, &error) &&
              vision_read_pictures(&images, path, true, &error),
          "%s", error.text);
    CHECK(images.height == 2 && images.width == 1 && memcmp(images.pixels, "abcd", 4) == 0, "%dx%d",
          images.width, images.height);
    vision_images_free(&images);
    const base_bytes upright = {"P2 2 1 1 1 0", 12};
    CHECK(base_file_write(path, &upright, 1, NULL, &error) &&
              vision_read_pictures(&images, path, true, &error),
          "%s", error.text);
    CHECK(images.height == 1 && images.width == 2, "%dx%d", images.width, images.height);
    vision_images_free(&images);
    base_remove_folder(folder);
}

int main(void)
{
    test_good();
    test_bad();
    test_files();
    return test_end();
}
