/* SPDX-License-Identifier: MIT */
/* test_own_data.c -- data as people have them, to a prediction: a folder of PNG files and a CSV table, each
 * through `phoenix evolve`, `phoenix train` and `phoenix predict`, whose accuracy is what the training said. */
#include "base/process.h"
#include "base/random.h"
#include "tests/bin/test_phoenix.h"
#include "tests/vision/test_png.h"
#include "vision/model.h"

static char folder[512];

static char *run(int want, const char *arguments)
{
    return phoenix_says(folder, BOTH, want, arguments);
}

static void expect(int want, const char *arguments, const char *part)
{
    phoenix_expect(folder, BOTH, want, arguments, part);
}

static void put(const char *name, const void *bytes, size_t size)
{
    phoenix_put(folder, name, bytes, size);
}

/* "right: N of M", as the network in a folder says of itself. */
static const char *right_of(const char *model)
{
    static char text[64];
    base_error error = {""};
    vision_model m;
    tensor_context *ctx = tensor_context_open(1, &error);
    bool loaded = vision_model_load(&m, ctx, test_path(folder, model), &error);
    CHECK(loaded, "%s", error.text);
    snprintf(text, sizeof text, "right: %d of %d", loaded ? m.result.right : 0,
             loaded ? m.result.count : 0);
    if (loaded)
        vision_model_free(&m);
    tensor_context_free(ctx);
    return text;
}

/* Digits of the tree as PNG files, a folder for each class, with its name. */
static void write_digits(int count)
{
    static const char *const names[] = {"zero", "one", "two",   "three", "four",
                                        "five", "six", "seven", "eight", "nine"};
    base_error error = {""};
    vision_set set;
    CHECK(vision_digits(&set, &error), "%s", error.text);
    for (int i = 0; i < count; i++) {
        static png_file f, stream;
        char name[64];
        unsigned char rows[14 * 15];
        for (int y = 0; y < 14; y++) {
            rows[15 * y] = 0;
            memcpy(rows + 15 * y + 1, set.train.pixels + 196 * i + 14 * y, 14);
        }
        stream.size = 0;
        png_pack(&stream, rows, sizeof rows);
        png_begin(&f, 14, 14, 8, 0, 0);
        png_chunk(&f, "IDAT", stream.bytes, stream.size);
        png_chunk(&f, "IEND", "", 0);
        snprintf(name, sizeof name, "png/%s", names[set.train.labels[i]]);
        CHECK(base_file_make_folder(test_path(folder, name), &error), "%s", error.text);
        snprintf(name, sizeof name, "png/%s/%d.png", names[set.train.labels[i]], i);
        put(name, f.bytes, f.size);
    }
    vision_set_free(&set);
}

static void pictures(void)
{
    write_digits(1000);
    expect(0, "train --task images --data png --out net --final-epochs 10",
           "10 classes, 800 pictures to train with, 200 to test with (one in five of each class)");
    char *said = run(0, "predict net --task images --data png");
    const char *right = right_of("net");
    int count = 0, of = 0;
    CHECK(said && strstr(said, right), "%s: want %s", said, right);
    CHECK(sscanf(right, "right: %d of %d", &count, &of) == 2 && count > of * 7 / 10, "%s", right);
    free(said);
    /* by name, whatever the size of the picture */
    expect(0, "predict net png/three/*.png --json", "\"name\":\"three\"");
    put("small.pgm", "P2 2 1 255 0 255", 16);
    expect(0, "predict net small.pgm", "small.pgm: ");
    expect(
        0,
        "evolve --task images --data png --proposer rules --episodes 1 --batches 1 --candidates 2 "
        "--final-epochs 1 --fresh-seeds 0 --jobs 1 --run run1 --images 200 --held-images 100",
        "model/: the last source's network");
    said = run(0, "predict run1 --task images --data png");
    CHECK(said && strstr(said, right_of("run1")), "%s", said);
    free(said);
    put("png/nine/notes.txt", "hello", 5);
    expect(1, "train --task images --data png --out net", "png/nine/notes.txt: is no picture");
}

static void tables(void)
{
    base_text text = {0};
    base_text_print(&text, "\xef\xbb\xbfid;colour;weight;kind\r\n");
    for (int i = 0; i < 400; i++) {
        base_random r = {3, base_random_stream("fruit", 0, (uint64_t)i, 0), 0};
        bool red = base_random_below(&r, 2) == 1, heavy = base_random_below(&r, 2) == 1;
        base_text_print(&text, "n%d;%s;%s%d,5;%s\r\n", i, red ? "red" : "green", heavy ? "9" : "",
                        10 + (int)base_random_below(&r, 10),
                        heavy ? "melon"
                        : red ? "cherry"
                              : "grape");
    }
    put("fruit.csv", text.data, text.length);
    base_text_free(&text);
    expect(1, "train --data fruit.csv --label kind --out fruit",
           "column \"id\" has more than 64 different texts");
    expect(0, "train --data fruit.csv --label kind --without id --out fruit",
           "fruit.csv: 320 rows to train with, 80 to test with (one in five); 2 columns make 3 "
           "inputs");
    char *said = run(0, "predict fruit --data fruit.csv --confusion");
    CHECK(said && strstr(said, right_of("fruit")) && strstr(said, "right: 80 of 80"), "%s", said);
    free(said);
    expect(1, "predict fruit --data fruit.csv --label id",
           "--label id: would change nothing: the network answers for kind");
    expect(1, "predict fruit --data fruit.csv --without id,weight",
           "--without id,weight: would change nothing: the network takes the column weight");
    expect(0, "predict fruit --data fruit.csv --label kind --without id --confusion", "right: 80");
    expect(1, "predict net --task images --data png --size 3",
           "--size 3: would change nothing: the network takes pictures of 14x14");
    put("one.csv", "weight,colour\n13,green\n", 23);
    expect(0, "predict fruit one.csv", "one.csv: grape    grape ");
    expect(0, "predict fruit - <one.csv", "-: grape    grape ");
    put("two.csv", "kind,weight,colour\ngrape,13,green\nmelon,11,red\n", 47);
    expect(0, "predict fruit two.csv", "wrong: it is melon\nright: 1 of 2, 50.00 %");
    expect(0, "predict fruit two.csv --data fruit.csv", "\nright: 80 of 80");
    expect(0, "predict fruit two.csv two.csv --confusion",
           "cherry      0      0      0\n grape      0      2      0\n melon      2      0      "
           "0\nright: 2 "
           "of 4");
    expect(0, "predict fruit - --confusion --json <two.csv",
           "{\"images\":2,\"right\":1,\"confusion\":[[0,0,0],[0,1,0],[1,0,0]]}");
    expect(1, "predict fruit one.csv --confusion",
           "--confusion: one.csv has no labels (column \"kind\")");
    expect(2, "predict fruit two.csv --data fruit.csv --confusion", "--confusion: labels have to");
    put("one.csv", "weight\n13\n", 10);
    expect(1, "predict fruit one.csv", "has no column \"colour\", which the network takes");
    expect(1, "predict net fruit.csv", "fruit.csv: ");
    expect(0, "export fruit --out fruit.c --check --data fruit.csv",
           "check: 80 rows, 0 differ; right: 80");
    expect(0, "export fruit --out fruit.c --int8 --check --data fruit.csv",
           "check: 80 rows, 0 differ");
    static const char source[] =
        "#include \"phoenix.h\"\n\nnetwork *model(void)\n{\n"
        "    network *net = network_new();\n"
        "    int n = inputs();\n    linear(net, n, outputs());\n    return net;\n}\n";
    put("line.c", source, sizeof source - 1);
    expect(0, "train line.c --data fruit.csv --label kind --without id --out line",
           "12 parameters");
    expect(0,
           "evolve --data fruit.csv --label kind --without id --proposer rules --episodes 1 "
           "--batches 2 "
           "--candidates 4 --fresh-seeds 2 --jobs 1 --run run2",
           "model/: the last source's network");
    said = run(0, "predict run2 --data fruit.csv");
    CHECK(said && strstr(said, right_of("run2")), "%s", said);
    free(said);
    expect(0, "report run2", "");
    size_t size;
    char *page = base_file_read(test_path(folder, "run2/report.html"), 1 << 24, &size, NULL);
    CHECK(page && strstr(page, "asked about all 80 test rows: ") &&
              strstr(page, "<td class=\"l\">melon</td>") && !strstr(page, "Not shown"),
          "no answers on the page");
    free(page);
    expect(0, "verify run2 --data fruit.csv --label kind --without id", "");
}

int main(void)
{
    base_error error = {""};
    CHECK(base_temporary_folder("phoenix-own-data", folder, sizeof folder, &error), "%s",
          error.text);
    pictures();
    tables();
    base_remove_folder(folder);
    return test_end();
}
