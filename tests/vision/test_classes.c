/* SPDX-License-Identifier: MIT */
/* test_classes.c -- vision/classes.c and fit.c: a folder for each class of PNG, PGM and PPM files as a set,
 * what is scaled and made grey, and what is refused by name. */
#include "base/file.h"
#include "base/process.h"
#include "tests/test.h"
#include "tests/vision/test_png.h"
#include "vision/images_internal.h"

static char folder[512];

static const char *at(const char *name) { return test_path(folder, name); }

static void clean(void)
{
    base_error error;
    base_remove_folder(folder);
    CHECK(base_temporary_folder("phoenix-classes", folder, sizeof folder, &error), "%s",
          error.text);
}

/* Writes a file, and the folders above it. */
static void put(const char *name, const void *bytes, size_t size)
{
    char above[600];
    base_error error = {""};
    const base_bytes part = {bytes, size};
    snprintf(above, sizeof above, "%s", at(name));
    *strrchr(above, '/') = '\0';
    CHECK(base_file_make_folder(above, &error) && base_file_write(at(name), &part, 1, NULL, &error),
          "%s", error.text);
}

/* A PNG whose pixels are all of one value; colour: that of red, green 1 and blue 2 more. */
static void put_png(const char *name, int width, int height, int value, bool colour)
{
    static png_file f, stream, rows;
    rows.size = stream.size = 0;
    for (int y = 0; y < height; y++) {
        rows.bytes[rows.size++] = 0;
        for (int i = 0; i < width * (colour ? 3 : 1); i++)
            rows.bytes[rows.size++] = (unsigned char)(value + (colour ? i % 3 : 0));
    }
    png_begin(&f, width, height, 8, colour ? 2 : 0, 0);
    png_pack(&stream, rows.bytes, rows.size);
    png_chunk(&f, "IDAT", stream.bytes, stream.size);
    png_chunk(&f, "IEND", "", 0);
    put(name, f.bytes, f.size);
}

static bool take(vision_set *set, const vision_wanted *wanted, base_error *error)
{
    error->text[0] = '\0';
    return vision_read_folder(set, folder, wanted, error);
}

static void expect(const vision_wanted *wanted, int train, int test, int channels, int height,
                   int width, const char *note, vision_set *set)
{
    base_error error;
    CHECK(take(set, wanted, &error), "%s", error.text);
    const vision_images *a = &set->train, *b = &set->test;
    CHECK(a->count == train && b->count == test && a->channels == channels && a->height == height &&
              a->width == width && b->channels == channels && b->height == height &&
              b->width == width,
          "%d, %d of %dx%dx%d", a->count, b->count, a->channels, a->height, a->width);
    CHECK(set->pictures && strstr(set->note, note), "%s: want %s", set->note, note);
}

static const vision_wanted nothing = {0};

/* All three formats; names in order of their numbers; both parts. */
static void parts_of_one_size(void)
{
    vision_set set;
    clean();
    put("train/10/a.pgm", "P5 2 1 255 ab", 13);
    put_png("train/2/b.png", 2, 1, 7, false);
    put("train/2/a.ppm", "P6 2 1 255 aaabbb", 17); /* grey, in three planes */
    put_png("test/2/z.png", 2, 1, 9, false);
    expect(&nothing, 3, 1, 1, 1, 2, "2 classes, 3 pictures to train with, 1 to test with", &set);
    CHECK(strcmp(set.names[0], "2") == 0 && strcmp(set.names[1], "10") == 0 &&
              memcmp(set.train.labels, "\0\0\1", 3) == 0 &&
              memcmp(set.train.pixels, "ab\7\7ab", 6) == 0 && set.test.labels[0] == 0 &&
              set.test.pixels[1] == 9 && set.train.classes == 2 && set.test.classes == 2,
          "%s %s, labels %d %d %d", set.names[0], set.names[1], set.train.labels[0],
          set.train.labels[1], set.train.labels[2]);
    CHECK(!strstr(set.note, "scaled") && !strstr(set.note, "not read"), "%s", set.note);
    char hash[2][BASE_HASH_TEXT];
    vision_set_hash(&set, hash[0]);
    strcpy(set.names[1], "11");
    vision_set_hash(&set, hash[1]);
    CHECK(strcmp(hash[0], hash[1]) != 0, "a set's names are no part of its hash");
    vision_set_free(&set);

    /* one with colours makes all of them colour, unless grey is asked for */
    put_png("train/10/c.png", 2, 1, 100, true);
    expect(&nothing, 4, 1, 3, 1, 2, "4 pictures to train with", &set);
    CHECK(memcmp(set.test.pixels, "\11\11\11\11\11\11", 6) == 0 &&
              memcmp(set.train.pixels + 18, "ddeeff", 6) == 0,
          "%.6s", (const char *)set.train.pixels + 18);
    vision_set_free(&set);
    const vision_wanted grey = {.channels = 1};
    expect(&grey, 4, 1, 1, 1, 2, "colours are made grey", &set);
    CHECK(set.train.pixels[6] == 101, "%d",
          set.train.pixels[6]); /* .299 100 + .587 101 + .114 102 */
    vision_set_free(&set);

    /* in letters of any size: they are no two classes */
    clean();
    put("Train/a/1.pgm", "P5 1 1 255 a", 12);
    put("Train/b/1.pgm", "P5 1 1 255 b", 12);
    put("TEST/b/1.pgm", "P5 1 1 255 c", 12);
    expect(&nothing, 2, 1, 1, 1, 1, "2 classes, 2 pictures to train with, 1 to test with", &set);
    CHECK(set.test.pixels[0] == 'c' && set.test.labels[0] == 1, "another test set");
    vision_set_free(&set);
}

/* Without a test set one in five of each class is drawn, the same ones every time, and each picture is in
 * one of the two parts. */
static void drawn_test_set(void)
{
    vision_set set, again;
    clean();
    for (int i = 0; i < 11; i++) {
        char name[40];
        snprintf(name, sizeof name, "b/%02d.png", i);
        put_png(name, 1, 1, i, false);
        snprintf(name, sizeof name, "a/%02d.png", i);
        if (i < 2)
            put_png(name, 1, 1, 100 + i, false);
    }
    put("a/.hidden", "", 0);
    put("b/Thumbs.db", "", 0);
    put("readme.txt", "", 0);
    expect(&nothing, 10, 3, 1, 1, 1, "one in five of each class", &set);
    CHECK(strstr(set.note, "not read: 0 other folders, 1 file beside the classes' folders, 2 "
                           "hidden names"),
          "%s", set.note);
    int seen[256] = {0};
    for (int i = 0; i < set.train.count; i++)
        seen[set.train.pixels[i]] += set.train.labels[i] == (set.train.pixels[i] < 100);
    for (int i = 0; i < set.test.count; i++)
        seen[set.test.pixels[i]] += set.test.labels[i] == (set.test.pixels[i] < 100);
    for (int i = 0; i < 11; i++)
        CHECK(seen[i] == 1 && (i > 1 || seen[100 + i] == 1), "picture %d: %d times", i, seen[i]);
    expect(&nothing, 10, 3, 1, 1, 1, "one in five", &again);
    CHECK(memcmp(set.test.pixels, again.test.pixels, 3) == 0, "another draw");
    vision_set_free(&set);
    vision_set_free(&again);
}

static void sizes_that_differ(void)
{
    vision_set set;
    clean();
    put("train/a/1.pgm", "P2 4 2 255 0 4 100 100  2 2 100 101", 35);
    put("train/a/2.pgm", "P2 2 1 255 8 9", 14);
    put("train/b/1.pgm", "P2 2 1 255 1 2", 14);
    put("train/b/2.pgm", "P2 2 1 255 1 2", 14);
    put("test/a/1.pgm", "P2 3 1 255 10 20 40", 19);
    expect(&nothing, 4, 1, 1, 1, 2, "they have 3 sizes, and are scaled to 2x1 (--size", &set);
    /* the means of 0 4 2 2 and 100 100 100 101; 10 and a half of 20, 40 and the other half */
    CHECK(set.train.pixels[0] == 2 && set.train.pixels[1] == 100 && set.test.pixels[0] == 13 &&
              set.test.pixels[1] == 33,
          "%d %d, %d %d", set.train.pixels[0], set.train.pixels[1], set.test.pixels[0],
          set.test.pixels[1]);
    vision_set_free(&set);
    const vision_wanted three = {.height = 3, .width = 3};
    expect(&three, 4, 1, 1, 3, 3, "are scaled to 3x3", &set);
    CHECK(memcmp(set.train.pixels + 9, "\10\11\11\10\11\11\10\11\11", 9) == 0 &&
              memcmp(set.test.pixels, "\n\024(\n\024(\n\024(", 9) == 0,
          "%d %d %d", set.train.pixels[9], set.train.pixels[10], set.train.pixels[11]);
    vision_set_free(&set);
    put("train/b/2.pgm", "P2 1 1 255 1", 12);
    put("train/b/3.pgm", "P2 1 2 255 1 2", 14);
    expect(&nothing, 5, 1, 1, 32, 32, "are scaled to 32x32", &set);
    vision_set_free(&set);
}

static void refuse(const char *want, const char *also)
{
    vision_set set;
    base_error error;
    bool good = take(&set, &nothing, &error);
    CHECK(!good && strstr(error.text, want) && strstr(error.text, also) && !set.train.pixels &&
              !set.names,
          "\"%s\", want \"%s\" and \"%s\"", error.text, want, also);
    if (good)
        vision_set_free(&set);
}

static void refused(void)
{
    base_error error;
    clean();
    put_png("a/1.png", 1, 1, 1, false);
    put_png("a/2.png", 1, 1, 1, false);
    refuse("holds 1 folder, expected one for each of 2 to 256 classes", folder);
    CHECK(base_file_make_folder(at("b"), &error), "%s", error.text);
    refuse("/b: holds no pictures", folder);
    put_png("b/1.png", 1, 1, 1, false);
    refuse("/b: has 1 picture, expected at least 2", "");
    put("b/2.jpg", "\xff\xd8\xff\xe0", 4);
    put("a/notes.txt", "hello", 5);
    put("a/empty.png", "", 0);
    refuse("3 of 6 files cannot be taken: ", "/a/empty.png: is empty");
    refuse("/a/notes.txt: is no picture that is known here", "/b/2.jpg: is a JPEG image");
    for (int i = 0; i < 9; i++) {
        char name[40];
        snprintf(name, sizeof name, "b/x%d.txt", i);
        put(name, "hello", 5);
    }
    refuse("12 of 15 files cannot be taken: ", " more");
    clean();
    put_png("train/a/1.png", 1, 1, 1, false);
    put_png("train/b/1.png", 1, 1, 1, false);
    put_png("test/c/1.png", 1, 1, 1, false);
    refuse("/test/c: there is no such class to train with", "");
    clean();
    put_png("a/1.png", 1, 1, 1, false);
    put_png("a/2.png", 1, 1, 1, false);
    put_png("b/c/1.png", 1, 1, 1, false);
    refuse("/b/c: is a folder, expected pictures alone", "");
    clean();
    put_png("a/1.png", 1, 1, 1, false);
    put_png("1234567890123456789012345678901234567890123456789012345678901234/1.png", 1, 1, 1,
            false);
    refuse("the name of a class has at most 63 bytes", "");
    clean();
    put("cifar-10-batches-py/data_batch_1", "\x80\x02", 2);
    refuse("holds pickles of Python: expected the binary version", "");
    clean();
    refuse("or a folder of PNG, PGM or PPM files for each class", "holds no set of images");
}

int main(void)
{
    strcpy(folder, "/nonexistent");
    parts_of_one_size();
    drawn_test_set();
    sizes_that_differ();
    refused();
    base_remove_folder(folder);
    return test_end();
}
