/* SPDX-License-Identifier: MIT */
/* pictures.c -- an IDX file's images as people have them, a folder of PNG for each class:
 *
 *     pictures IMAGES LABELS FOLDER */
#include "tests/vision/test_png.h"
#include "vision/images.h"
#include <stdio.h>
#include <sys/stat.h>

/* Lines, each with the filter "none" before it, white where an IDX file has no ink. */
static void draw(png_file *f, const unsigned char *pixels, int width, int height)
{
    png_file lines = {.size = 0}, packed = {.size = 0};
    for (int row = 0; row < height; row++) {
        png_add(&lines, "", 1);
        for (int column = 0; column < width; column++) {
            const unsigned char grey = (unsigned char)(255 - pixels[row * width + column]);
            png_add(&lines, &grey, 1);
        }
    }
    png_begin(f, width, height, 8, 0, 0);
    png_pack(&packed, lines.bytes, lines.size);
    png_chunk(f, "IDAT", packed.bytes, packed.size);
    png_chunk(f, "IEND", NULL, 0);
}

int main(int argc, char **argv)
{
    base_error error = {""};
    vision_images images;
    if (argc != 4 || !vision_read_idx(&images, argv[1], argv[2], 0, &error) ||
        (images.height + 1) * images.width > 4096)
        return fprintf(stderr, "pictures: %s\n", *error.text ? error.text : "IMAGES LABELS FOLDER"),
               1;
    mkdir(argv[3], 0755);
    bool ok = true;
    for (int i = 0; ok && i < images.count; i++) {
        char path[1024];
        png_file f;
        snprintf(path, sizeof path, "%s/%d", argv[3], images.labels[i]);
        mkdir(path, 0755);
        snprintf(path, sizeof path, "%s/%d/%05d.png", argv[3], images.labels[i], i);
        draw(&f, images.pixels + (size_t)i * (size_t)(images.height * images.width), images.width,
             images.height);
        FILE *file = fopen(path, "wb");
        ok = file && fwrite(f.bytes, f.size, 1, file) == 1;
        ok = file && fclose(file) == 0 && ok;
        if (!ok)
            perror(path);
    }
    vision_images_free(&images);
    return !ok;
}
