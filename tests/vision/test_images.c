/* SPDX-License-Identifier: MIT */
/* test_images.c -- sets of images: read as they were written; files that lie are refused. */
#include "vision/images.h"

#include "base/file.h"
#include "tests/test_malloc.h"

#include <stdint.h>
#include <unistd.h>

static char folder[] = "/tmp/test_vision_images.XXXXXX";

/* A path inside it; in static memory, eight at a time. */
static const char *at(const char *name) { return test_path(folder, name); }

static void write_file(const char *name, const void *data, size_t size)
{
    base_error error = {""};
    const base_bytes part = {data, size};
    CHECK(base_file_write(at(name), &part, 1, NULL, &error), "%s", error.text);
}

static void clean(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s/*", folder);
    if (system(command) != 0)
        SKIP("%s stays as it is", folder);
}

/* A file of big-endian words, then `size` bytes: first, first + 1, ... */
static void write_idx(const char *name, const uint32_t *words, size_t count, size_t size, int first)
{
    unsigned char bytes[4096];
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < 4; j++)
            bytes[4 * i + j] = (unsigned char)(words[i] >> (24 - 8 * j));
    for (size_t i = 0; i < size; i++)
        bytes[4 * count + i] = (unsigned char)((size_t)first + i);
    write_file(name, bytes, 4 * count + size);
}

static void write_grey(const char *name, uint32_t count, uint32_t height, uint32_t width)
{
    const uint32_t words[] = {0x803, count, height, width};
    write_idx(name, words, 4, (size_t)count * height * width, 100);
}

static void write_labels(const char *name, uint32_t count, int first)
{
    const uint32_t words[] = {0x801, count};
    write_idx(name, words, 2, count, first);
}

/* ---- IDX ---- */

static void a_pair_comes_back(void)
{
    base_error error = {""};
    vision_images images;
    write_grey("pixels", 3, 2, 5);
    write_labels("labels", 3, 4);
    CHECK(vision_read_idx(&images, at("pixels"), at("labels"), 0, &error), "%s", error.text);
    CHECK(images.count == 3 && images.channels == 1 && images.height == 2 && images.width == 5 &&
              images.classes == 7,
          "%d x %d x %d x %d, %d classes", images.count, images.channels, images.height,
          images.width, images.classes);
    for (int i = 0; i < 30; i++)
        CHECK(images.pixels[i] == 100 + i, "pixel %d is %d", i, images.pixels[i]);
    for (int i = 0; i < 3; i++)
        CHECK(images.labels[i] == 4 + i, "label %d is %d", i, images.labels[i]);
    vision_images_free(&images);
    CHECK(!images.pixels && images.count == 0, "not empty after free");

    CHECK(vision_read_idx(&images, at("pixels"), at("labels"), 62, &error), "%s", error.text);
    CHECK(images.classes == 62, "%d classes, want 62", images.classes);
    vision_images_free(&images);

    const uint32_t words[] = {0x804, 3, 2, 4, 5};
    write_idx("pixels", words, 5, 3 * 2 * 4 * 5, 0);
    CHECK(vision_read_idx(&images, at("pixels"), at("labels"), 0, &error), "%s", error.text);
    CHECK(images.channels == 2 && images.height == 4 && images.width == 5 &&
              images.pixels[119] == 119,
          "%d x %d x %d", images.channels, images.height, images.width);
    vision_images_free(&images);
}

static void refuse_idx(int classes, const char *file, const char *want)
{
    base_error error = {""};
    vision_images images;
    bool good = vision_read_idx(&images, at("pixels"), at("labels"), classes, &error);
    CHECK(!good && strstr(error.text, want) && strstr(error.text, at(file)) && !images.pixels &&
              !images.labels,
          "\"%s\", want \"%s\"", error.text, want);
    if (good)
        vision_images_free(&images);
}

static void headers_that_lie(void)
{
    static const struct {
        uint32_t words[5];
        size_t count, size;
        const char *want;
    } rows[] = {
        {{0}, 0, 0, "has 0 bytes, expected a header of 4"},
        {{0}, 0, 3, "has 3 bytes, expected a header of 4"},
        {{0x803}, 1, 11, "has 15 bytes, expected a header of 16"},
        {{0x804}, 1, 15, "has 19 bytes, expected a header of 20"},
        {{0x801, 3, 2, 2}, 4, 12, "begins with 00000801"},
        {{0xd03, 3, 2, 2}, 4, 12, "begins with 00000d03"},
        {{0x03080000, 3, 2, 2}, 4, 12, "begins with 03080000"}, /* the other end first */
        {{0x1f8b0800, 3, 2, 2}, 4, 12, "gzip, byte"},
        {{0x803, 0, 2, 2}, 4, 0, "the count of images is 0"},
        {{0x803, 3, 0, 2}, 4, 0, "the height is 0"},
        {{0x803, 3, 2, 0}, 4, 0, "the width is 0"},
        {{0x804, 3, 0, 2, 2}, 5, 0, "the number of channels is 0"},
        {{0x804, 1, 17, 1, 1}, 5, 17, "the number of channels is 17, expected 1 to 16"},
        {{0x803, 1, 1025, 1}, 4, 1025, "the height is 1025, expected 1 to 1024"},
        {{0x803, 1, 1, 1025}, 4, 1025, "the width is 1025"},
        {{0x803, 3, 2, 2}, 4, 11, "has 27 bytes, expected the 28"},
        {{0x803, 3, 2, 2}, 4, 13, "has 29 bytes, expected the 28"},
        {{0x803, 0xffffffff, 2, 2}, 4, 12, "the count of images is 4294967295"},
        {{0x803, 0x80000000, 2, 2}, 4, 12, "the count of images is 2147483648"},
        /* 2^30 * 4 is 0 in 32 bits; 2^30 * 2^10 * 2^10 * 16 is 2^54 */
        {{0x803, 0x40000000, 2, 2}, 4, 0, "has 16 bytes, expected the 4294967312"},
        {{0x804, 0x40000000, 16, 1024, 1024}, 5, 12, "expected the 18014398509482004"},
        {{0x803, 3, 0xffffffff, 0xffffffff}, 4, 12, "the height is 4294967295"},
    };
    write_labels("labels", 3, 0);
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        write_idx("pixels", rows[r].words, rows[r].count, rows[r].size, 0);
        refuse_idx(0, "pixels", rows[r].want);
    }
}

/* What is beyond, here 60,000 bytes in a block as they are and then no checksum, is never read. */
static void packed_files_are_read_as_far_as_their_header_says(void)
{
    static const struct {
        uint32_t words[4];
        const char *want;
    } rows[] = {
        {{0}, "begins with 00000000, expected 00000803"},
        {{0x803, 3, 2, 2}, "unpacks to more than the 28 bytes"},
        {{0x803, 3, 1025, 2}, "the height is 1025, expected 1 to 1024"},
        {{0x803, 0x80000000, 2, 2}, "the count of images is 2147483648"},
        {{0x803, 0x7fffffff, 1000, 1000}, "its header says 2147483647000016 bytes"},
    };
    enum { INSIDE = 60000 };
    static unsigned char bytes[15 + INSIDE] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 1};
    const unsigned length[2] = {INSIDE, INSIDE ^ 0xffff};
    for (int i = 0; i < 4; i++)
        bytes[11 + i] = (unsigned char)(length[i / 2] >> i % 2 * 8);
    write_labels("labels", 3, 0);
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (size_t i = 0; i < 16; i++)
            bytes[15 + i] = (unsigned char)(rows[r].words[i / 4] >> (24 - 8 * (i % 4)));
        write_file("pixels", bytes, sizeof bytes);
        refuse_idx(0, "pixels", rows[r].want);
    }
}

static void labels_that_lie(void)
{
    static const struct {
        uint32_t words[2];
        size_t count, size;
        const char *want;
    } rows[] = {
        {{0}, 0, 0, "expected a header of 8"},
        {{0x801}, 1, 3, "has 7 bytes, expected a header of 8"},
        {{0x803, 3}, 2, 3, "begins with 00000803, expected 00000801"},
        {{0x801, 4}, 2, 3, "has 11 bytes, expected the 12"},
        {{0x801, 2}, 2, 3, "has 11 bytes, expected the 10"},
        {{0x801, 0xffffffff}, 2, 3, "has 11 bytes, expected the 4294967303"},
        {{0x801, 2}, 2, 2, "has 2 labels, expected 3"},
        {{0x801, 4}, 2, 4, "has 4 labels, expected 3"},
    };
    write_grey("pixels", 3, 2, 2);
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        write_idx("labels", rows[r].words, rows[r].count, rows[r].size, 0);
        refuse_idx(0, "labels", rows[r].want);
    }
    write_labels("labels", 3, 8);
    refuse_idx(10, "labels", "the label of image 2 is 10, expected 0 to 9");
    unlink(at("labels"));
    refuse_idx(10, "labels", "cannot open");
    write_labels("labels", 3, 0);
    unlink(at("pixels"));
    refuse_idx(10, "pixels", "cannot open");
}

/* ---- CIFAR ---- */

/* Records of `image` bytes: label first + i, pixels 10 * i, 10 * i + 1, ... */
static void write_records(const char *name, int count, size_t image, int first)
{
    static unsigned char bytes[20000];
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        bytes[size++] = (unsigned char)(first + i);
        for (size_t j = 0; j < image; j++)
            bytes[size++] = (unsigned char)(10 * (first + i) + (int)j);
    }
    write_file(name, bytes, size);
}

static void records_come_back(void)
{
    base_error error = {""};
    vision_images images;
    static const int shapes[][3] = {{3, 32, 32}, {1, 2, 5}, {2, 1, 1}};
    for (int s = 0; s < 3; s++) {
        const int *shape = shapes[s];
        size_t image = (size_t)(shape[0] * shape[1] * shape[2]);
        write_records("a", 2, image, 0);
        write_records("b", 1, image, 2);
        write_records("c", 3, image, 3);
        const char *paths[] = {at("a"), at("b"), at("c")};
        CHECK(vision_read_cifar(&images, paths, 3, s == 0 ? NULL : shape, 0, &error), "%s",
              error.text);
        CHECK(images.count == 6 && images.channels == shape[0] && images.height == shape[1] &&
                  images.width == shape[2] && images.classes == 6,
              "%d x %d x %d x %d, %d classes", images.count, images.channels, images.height,
              images.width, images.classes);
        int wrong = 0;
        for (int i = 0; i < images.count; i++) {
            wrong += images.labels[i] != i;
            for (size_t j = 0; j < image; j++)
                wrong += images.pixels[(size_t)i * image + j] != (10 * i + (int)j) % 256;
        }
        CHECK(wrong == 0, "%d pixels or labels are wrong", wrong);
        vision_images_free(&images);
    }
}

static void refuse_cifar(const int *shape, const char *want)
{
    base_error error = {""};
    vision_images images;
    const char *paths[] = {at("a"), at("b")};
    bool good = vision_read_cifar(&images, paths, 2, shape, 10, &error);
    CHECK(!good && strstr(error.text, want) && strstr(error.text, at("b")) && !images.pixels &&
              !images.labels,
          "\"%s\", want \"%s\"", error.text, want);
    if (good)
        vision_images_free(&images);
}

static void records_that_lie(void)
{
    static const int small[3] = {1, 2, 5};
    write_records("a", 2, 3072, 0);
    write_records("b", 3, 3071, 0);
    refuse_cifar(NULL, "has 9216 bytes, expected a multiple of 3073");
    write_file("b", "", 0);
    refuse_cifar(NULL, "has 0 bytes, expected a multiple of 3073");
    unlink(at("b"));
    refuse_cifar(NULL, "cannot open");
    write_records("a", 2, 10, 0);
    write_records("b", 2, 10, 9);
    refuse_cifar(small, "the label of image 1 is 10, expected 0 to 9");
}

/* ---- Folders ---- */

/* A folder with nothing but these files; each is recognised by its name. */
static void write_folder(const char *const *names)
{
    clean();
    for (; *names; names++) {
        bool test = strstr(*names, "t10k") || strstr(*names, "test");
        if (strstr(*names, "images"))
            write_grey(*names, test ? 2 : 3, 2, 3);
        else if (strstr(*names, "labels"))
            write_labels(*names, test ? 2 : 3, test ? 5 : 0);
        else if (strstr(*names, ".bin"))
            write_records(*names, 1, 6, test ? 9 : atoi(*names + strlen("data_batch_")));
        else
            write_file(*names, " 1 2\n3 \n", 8);
    }
}

static void folders_are_read(void)
{
    static const struct {
        const char *names[8];
        int train, test, classes;
    } rows[] = {
        {{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
          "t10k-labels-idx1-ubyte", "README"},
         3,
         2,
         7},
        {{"a-b-train-images-idx3-ubyte", "a-b-train-labels-idx1-ubyte",
          "a-b-test-images-idx3-ubyte", "a-b-test-labels-idx1-ubyte"},
         3,
         2,
         7},
        {{"data_batch_2.bin", "data_batch_10.bin", "data_batch_1.bin", "test_batch.bin",
          "shape.txt", "data_batch_.bin", "data_batch_03.bin"},
         3,
         1,
         11},
        {{"train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte",
          "t10k-labels-idx1-ubyte"},
         3,
         2,
         7},
        {{"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", /* not packed, in spite of it */
          "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz",
          "t10k-labels-idx1-ubyte"},
         3,
         2,
         7},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        base_error error = {""};
        vision_set set;
        write_folder(rows[r].names);
        CHECK(vision_read_folder(&set, folder, &(vision_wanted){.classes = 0}, &error), "%s",
              error.text);
        CHECK(set.train.count == rows[r].train && set.test.count == rows[r].test &&
                  set.train.classes == rows[r].classes && set.test.classes == rows[r].classes &&
                  set.train.channels == 1 && set.train.height == 2 && set.test.width == 3,
              "%d and %d images, %d classes", set.train.count, set.test.count, set.test.classes);
        if (r == 2 && set.train.count == 3)
            CHECK(set.train.labels[0] == 1 && set.train.labels[1] == 2 && set.train.labels[2] == 10,
                  "batches %d, %d, %d", set.train.labels[0], set.train.labels[1],
                  set.train.labels[2]);
        vision_set_free(&set);
    }
}

/* Digits that are packed, with names that do not say so, in folders inside of the one that is given;
 * beside a plain file whatever has its name and .gz. Two such folders are no set. */
static void folders_inside(void)
{
    static const char *const places[] = {"raw", "MNIST/raw", "FashionMNIST/raw"};
    for (int i = 0; i < 3; i++) {
        char command[512];
        base_error error = {""};
        vision_set set;
        clean();
        snprintf(command, sizeof command,
                 "mkdir -p %s/%s && for f in train-images-idx3 train-labels-idx1 test-images-idx3 "
                 "test-labels-idx1; do cp vision/digits/$f-ubyte.gz %s/%s/$f-ubyte && "
                 "echo other >%s/%s/$f-ubyte.gz; done",
                 folder, places[i], folder, places[i], folder, places[i]);
        CHECK(system(command) == 0, "%s", command);
        bool good = vision_read_folder(&set, folder, &(vision_wanted){.classes = 10}, &error);
        CHECK(good && set.train.height == 14, "%s: %s", places[i], error.text);
        vision_set_free(&set);
    }
    base_error error = {""};
    vision_set set;
    CHECK(base_file_make_folder(at("cifar-10-batches-bin"), &error), "%s", error.text);
    CHECK(!vision_read_folder(&set, folder, &(vision_wanted){.classes = 10}, &error) &&
              strstr(error.text, "holds several sets") &&
              strstr(error.text, "cifar-10-batches-bin"),
          "%s", error.text);
}

/* Kaggle's archive of MNIST has each file under two names, one of them in a folder of the other. EMNIST's
 * folder has all of its sets, of which --split takes one; --split of a folder with one set is that set. */
static void archives(void)
{
    static const char *const names[] = {"train-images", "train-labels", "t10k-images",
                                        "t10k-labels"};
    static const char *const splits[] = {"emnist-letters-", "emnist-byclass-", "emnist-bymerge-"};
    char command[1024];
    base_error error = {""};
    vision_set set;
    for (int doubled = 0; doubled < 2; doubled++) {
        clean();
        for (int i = 0; i < 4; i++) {
            snprintf(
                command, sizeof command,
                "n=%s-idx%d-ubyte && d=vision/digits/$(echo $n | sed s/t10k/test/).gz && mkdir "
                "-p %s/$n && gzip -dc $d >%s/$n/$n && if [ %d = 1 ]; then cp $d %s/%s.idx%d-ubyte; "
                "fi",
                names[i], i % 2 ? 1 : 3, folder, folder, doubled, folder, names[i], i % 2 ? 1 : 3);
            CHECK(system(command) == 0, "%s", command);
        }
        bool good = vision_read_folder(&set, folder, &(vision_wanted){.classes = 10}, &error);
        CHECK(good && set.train.count == 2400 && set.train.height == 14, "%s", error.text);
        vision_set_free(&set);
    }
    clean();
    for (int s = 0; s < 3; s++) {
        char name[100];
        for (int i = 0; i < 4; i++) {
            snprintf(name, sizeof name, "%s%s-%s", splits[s], i < 2 ? "train" : "test",
                     i % 2 ? "labels-idx1-ubyte" : "images-idx3-ubyte");
            if (i % 2)
                write_labels(name, (uint32_t)(3 + s), i < 2 ? 0 : 1);
            else
                write_grey(name, (uint32_t)(3 + s), 2, 3);
        }
    }
    const vision_wanted letters = {.split = "letters"}, whole = {.split = "emnist-bymerge"},
                        part = {.split = "class"}, none = {.split = "digits"};
    CHECK(vision_read_folder(&set, folder, &letters, &error) && set.train.count == 3, "%s",
          error.text);
    vision_set_free(&set);
    CHECK(vision_read_folder(&set, folder, &whole, &error) && set.train.count == 5, "%s",
          error.text);
    vision_set_free(&set);
    CHECK(!vision_read_folder(&set, folder, &part, &error) &&
              strstr(error.text, "holds no set called class"),
          "%s", error.text);
    CHECK(!vision_read_folder(&set, folder, &none, &error) &&
              strstr(error.text, "holds no set called digits"),
          "%s", error.text);
    CHECK(!vision_read_folder(&set, folder, &(vision_wanted){0}, &error) &&
              strstr(error.text, "emnist-letters: expected those of one (--split NAME"),
          "%s", error.text);
}

static void refuse_folder(const char *want, const char *also)
{
    base_error error = {""};
    vision_set set;
    bool good = vision_read_folder(&set, folder, &(vision_wanted){.classes = 0}, &error);
    CHECK(!good && strstr(error.text, want) && strstr(error.text, also) && !set.train.pixels &&
              !set.test.pixels,
          "\"%s\", want \"%s\" and \"%s\"", error.text, want, also);
    if (good)
        vision_set_free(&set);
}

static void folders_that_are_no_set(void)
{
    static const struct {
        const char *names[6], *want, *also;
    } rows[] = {
        {{"README"}, "holds no set of images", "train-images-idx3-ubyte"},
        {{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"},
         "no t10k-labels-idx1-ubyte",
         "has t10k-images-idx3-ubyte"},
        {{"t10k-labels-idx1-ubyte"}, "has t10k-labels-idx1-ubyte", "no train-images-idx3-ubyte"},
        {{"data_batch_1.bin"}, "has data_batch_1.bin", "no test_batch.bin"},
        {{"test_batch.bin"}, "has test_batch.bin", "no data_batch_1.bin"},
        {{"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"},
         "has train-images-idx3-ubyte",
         "no train-labels-idx1-ubyte"},
        {{"train-images-idx3-ubyte", "train-images-idx4-ubyte"},
         "holds both train-images-idx3-ubyte and",
         "train-images-idx4-ubyte"},
        {{"a-train-images-idx3-ubyte", "b-train-labels-idx1-ubyte"},
         "holds the files of several sets",
         "begin with a, b:"},
        {{"emnist-x-train-images-idx3-ubyte", "emnist-x-train-labels-idx1-ubyte",
          "emnist-y-train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
         "holds the files of several sets",
         "begin with emnist-x, emnist-y, none:"},
        {{"train-images-idx3-ubyte", "train-images.idx3-ubyte"},
         "holds both train-images-idx3-ubyte and",
         "train-images.idx3-ubyte"},
        {{"t10k-images-idx3-ubyte", "test-images-idx3-ubyte"},
         "holds both t10k-images-idx3-ubyte and",
         "test-images-idx3-ubyte"},
        {{"train-images-idx3-ubyte", "data_batch_1.bin"},
         "holds both train-images-idx3-ubyte and",
         "data_batch_1.bin"},
        {{"test_batch.bin", "test_batch.bin.gz"}, "has test_batch.bin", "no data_batch_1.bin"},
        {{"test_batch.bin", "data_batch_1.bin"}, "expected a multiple of 3073", "shape.txt"},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        write_folder(rows[r].names);
        refuse_folder(rows[r].want, rows[r].also);
    }

    static const char *const shapes[] = {
        "", "1 2", "1 2 3 4", "0 2 3", "17 2 3", "1 2 1025", "1 2 x", "1 2 99999999999999999999"};
    static const char *const batches[] = {"test_batch.bin", "data_batch_1.bin", NULL};
    write_folder(batches);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        write_file("shape.txt", shapes[s], strlen(shapes[s]));
        refuse_folder("shape.txt: expected three numbers", "1 to 1024");
    }

    static const char *const four[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                       "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", NULL};
    static const char pointer[] = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
    for (int i = 0; i < 4; i++) {
        write_folder(four);
        write_file(four[i], pointer, sizeof pointer - 1);
        refuse_folder(four[i], "is a Git LFS pointer");
    }
    write_folder(four);
    write_grey("t10k-images-idx3-ubyte", 2, 3, 2);
    refuse_folder("to test are 1 x 3 x 2", "expected 1 x 2 x 3");
    base_error error = {""};
    vision_set set;
    CHECK(!vision_read_folder(&set, at("gone"), &(vision_wanted){.classes = 0}, &error) &&
              strstr(error.text, "cannot read the folder"),
          "%s", error.text);
}

/* EMNIST's form: what is at (x, y) is published at (y, x). */
static void transposed_images_are_turned(void)
{
    static const char *const four[] = {
        "emnist-byclass-train-images-idx3-ubyte", "emnist-byclass-train-labels-idx1-ubyte",
        "emnist-byclass-test-images-idx3-ubyte", "emnist-byclass-test-labels-idx1-ubyte", NULL};
    static const uint32_t sides[][2] = {{4, 4}, {2, 3}};
    for (size_t s = 0; s < 2; s++) {
        uint32_t height = sides[s][0], width = sides[s][1];
        base_error error = {""};
        vision_set set;
        write_folder(four);
        write_grey(four[0], 3, height, width);
        write_grey(four[2], 2, height, width);
        CHECK(vision_read_folder(&set, folder, &(vision_wanted){.classes = 62, .transposed = true},
                                 &error),
              "%s", error.text);
        CHECK(set.test.height == (int)width && set.test.width == (int)height &&
                  set.train.classes == 62,
              "%d x %d, %d classes", set.test.height, set.test.width, set.train.classes);
        int wrong = 0;
        for (uint32_t i = 0; i < 3; i++)
            for (uint32_t y = 0; y < width; y++)
                for (uint32_t x = 0; x < height; x++)
                    wrong += set.train.pixels[(i * width + y) * height + x] !=
                             100 + (i * height + x) * width + y;
        CHECK(wrong == 0, "%d pixels are elsewhere", wrong);
        vision_set_free(&set);
    }
}

/* ---- The digits ---- */

static int count_levels(const vision_images *images)
{
    bool seen[256] = {false};
    int levels = 0;
    for (int i = 0; i < images->count * 196; i++) {
        levels += !seen[images->pixels[i]];
        seen[images->pixels[i]] = true;
    }
    return levels;
}

static void the_digits(void)
{
    base_error error = {""};
    vision_set set, files;
    CHECK(vision_digits(&set, &error), "%s", error.text);
    const vision_images *parts[] = {&set.train, &set.test};
    for (int p = 0; p < 2; p++) {
        const vision_images *images = parts[p];
        CHECK(images->count == (p == 0 ? 2400 : 800) && images->channels == 1 &&
                  images->height == 14 && images->width == 14 && images->classes == 10,
              "%d x %d x %d x %d, %d classes", images->count, images->channels, images->height,
              images->width, images->classes);
        int wrong = 0;
        for (int i = 0; i < images->count; i++)
            wrong += images->labels[i] != i % 10;
        CHECK(wrong == 0, "%d labels are not in order", wrong);
        CHECK(count_levels(images) == 8, "%d levels", count_levels(images));
    }

    char hash[BASE_HASH_TEXT], again[BASE_HASH_TEXT];
    vision_set_hash(&set, hash);
    CHECK(strcmp(hash, "773f820e3e2bbb13a2fa325a98793e7ee86ac6e727a4afb124b51abad7fa703f") == 0,
          "%s", hash);
    CHECK(vision_read_folder(&files, "vision/digits", &(vision_wanted){.classes = 10}, &error),
          "%s", error.text);
    vision_set_hash(&files, again);
    CHECK(strcmp(hash, again) == 0, "the files are others than those in the program");
    vision_set_free(&files);

    unsigned char *bytes[] = {set.train.pixels, set.test.pixels + 196 * 800 - 1, set.train.labels,
                              set.test.labels + 799};
    for (int i = 0; i < 4; i++) {
        (*bytes[i])++;
        vision_set_hash(&set, again);
        CHECK(strcmp(hash, again) != 0, "change %d does not change the hash", i);
        (*bytes[i])--;
    }
    set.train.height = 7, set.train.width = 28;
    vision_set_hash(&set, again);
    CHECK(strcmp(hash, again) != 0, "another shape has the same hash");
    vision_set_free(&set);
}

/* As vision/digits/README.md says: the first 240 of each class of MNIST's training set, and the
 * last 80; the mean of 2 x 2; 8 levels. In floating point here, exact enough for halves to be
 * halves. */
static void digits_are_mnists(const vision_images *mnist)
{
    base_error error = {""};
    vision_set set;
    CHECK(vision_digits(&set, &error), "%s", error.text);
    int wrong = 0, of_class[10] = {0}, seen[10] = {0};
    for (int i = 0; i < mnist->count; i++)
        of_class[mnist->labels[i]]++;
    for (int i = 0; i < mnist->count; i++) {
        int label = mnist->labels[i], n = seen[label]++, last = n - (of_class[label] - 80);
        if (n >= 240 && last < 0)
            continue;
        const unsigned char *big = mnist->pixels + 784 * i;
        const unsigned char *small = last < 0 ? set.train.pixels + 196 * (10 * n + label)
                                              : set.test.pixels + 196 * (10 * last + label);
        for (int y = 0; y < 14; y++)
            for (int x = 0; x < 14; x++) {
                const unsigned char *two = big + 28 * 2 * y + 2 * x;
                double mean = (two[0] + two[1] + two[28] + two[29]) / 4.0;
                int level = (int)(mean * 7 / 255 + 0.5);
                wrong += small[14 * y + x] != (int)(level * 255 / 7.0 + 0.5);
            }
    }
    CHECK(wrong == 0, "%d pixels are not MNIST's", wrong);
    vision_set_free(&set);
}

/* ---- The real sets, as the shared data's README.md describes them ---- */

static void check_counts(const char *name, const vision_images *images, const int counts[10])
{
    int got[256] = {0};
    for (int i = 0; i < images->count; i++)
        got[images->labels[i]]++;
    for (int c = 0; c < 10; c++)
        CHECK(got[c] == counts[c], "%s: class %d: %d, want %d", name, c, got[c], counts[c]);
}

static bool read_shared(const char *name, const char *one, int classes, vision_set *set)
{
    char file[200];
    snprintf(file, sizeof file, "%s/%s", name, one);
    const char *path = test_shared(file);
    if (!path) {
        SKIP("%s is not here", file);
        return false;
    }
    char where[1024];
    snprintf(where, sizeof where, "%.*s", (int)(strlen(path) - strlen(one) - 1), path);
    base_error error = {""};
    bool good = vision_read_folder(set, where, &(vision_wanted){.classes = classes}, &error);
    CHECK(good, "%s", error.text);
    return good;
}

static void the_real_sets(void)
{
    static const int mnist_train[] = {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949};
    static const int mnist_test[] = {880, 1035, 932, 910, 882, 792, 858, 928, 874, 909};
    static const int cifar_train[] = {2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000};
    static const int cifar_test[] = {500, 500, 500, 500, 500, 500, 500, 500, 500, 500};
    vision_set set;
    if (read_shared("data/mnist", "train-images-idx3-ubyte.gz", 10, &set)) {
        check_counts("mnist train", &set.train, mnist_train);
        check_counts("mnist test", &set.test, mnist_test);
        CHECK(set.train.height == 28 && set.train.width == 28, "%d", set.train.height);
        digits_are_mnists(&set.train);
        vision_set_free(&set);
    }
    if (read_shared("data/cifar-10", "test_batch.bin.gz", 10, &set)) {
        check_counts("cifar-10 train", &set.train, cifar_train);
        check_counts("cifar-10 test", &set.test, cifar_test);
        CHECK(set.train.channels == 3 && set.train.width == 32, "%d", set.train.channels);
        vision_set_free(&set);
    }
    if (read_shared("data/emnist", "mapping.txt", 0, &set)) {
        CHECK(set.train.count == 8000 && set.test.count == 1000 && set.test.classes == 57,
              "%d, %d, %d", set.train.count, set.test.count, set.test.classes);
        vision_set_free(&set);
    }
    if (read_shared("data/chars62", "mapping.txt", 0, &set)) {
        CHECK(set.train.count == 4046 && set.test.count == 823 && set.train.classes == 62,
              "%d, %d, %d", set.train.count, set.test.count, set.train.classes);
        vision_set_free(&set);
    }
}

/* ---- No memory ---- */

/* Each allocation of a reading fails in turn: an error, and nothing left behind. */
static void memory_runs_out(void)
{
    static const char *const idx[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                      "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", NULL};
    static const char *const cifar[] = {"test_batch.bin", "data_batch_1.bin", "data_batch_2.bin",
                                        "shape.txt", NULL};
    see_whether_malloc_counts();
    for (int way = 0; way < 3 && can_count; way++) {
        bool good = false;
        int tries = 0;
        write_folder(way == 0 ? idx : cifar);
        while (!good && tries < 200) {
            base_error error = {""};
            vision_set set;
            fail_at = allocations + tries++;
            good = way == 2 ? vision_digits(&set, &error)
                            : vision_read_folder(&set, folder,
                                                 &(vision_wanted){.classes = 0, .transposed = true},
                                                 &error);
            fail_at = -1;
            CHECK(good || (error.text[0] && !set.train.pixels && !set.test.labels),
                  "allocation %d: \"%s\"", tries, error.text);
            vision_set_free(&set);
        }
        CHECK(good && tries > 8, "%d allocations", tries);
    }
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    a_pair_comes_back();
    headers_that_lie();
    packed_files_are_read_as_far_as_their_header_says();
    labels_that_lie();
    records_come_back();
    records_that_lie();
    folders_are_read();
    folders_inside();
    archives();
    folders_that_are_no_set();
    transposed_images_are_turned();
    the_digits();
    the_real_sets();
    memory_runs_out();
    clean();
    rmdir(folder);
    return test_end();
}
