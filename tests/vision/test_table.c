/* SPDX-License-Identifier: MIT */
/* test_table.c -- vision/csv.c and table.c: tables as people's programs write them, what a network learns of
 * three of them that follow a stated law, and every lie that a table can tell. */
#include "base/file.h"
#include "base/math.h"
#include "base/process.h"
#include "base/random.h"
#include "tests/test.h"
#include "vision/model.h"

#include <math.h>

static char folder[512];

static const char *at(const char *name) { return test_path(folder, name); }

static void put(const char *name, const char *text, size_t size)
{
    base_error error = {""};
    const base_bytes part = {text, size};
    CHECK(base_file_write(at(name), &part, 1, NULL, &error), "%s", error.text);
}

/* ---- cells ---- */

static bool take(const char *text, size_t size, vision_csv *csv, base_error *error)
{
    char *copy = malloc(size + 1);
    memcpy(copy, text, size);
    copy[size] = '\0';
    error->text[0] = '\0';
    return vision_csv_take(csv, copy, size, "t", error);
}

static void cells(void)
{
    /* each is the table a, b and two rows: x y; "1,5" and an empty cell, or whatever stands in `last` */
    static const struct {
        const char *text, *last;
        int blank;
    } rows[] = {
        {"a,b\nx,y\n\"1,5\",\n", "1,5", 0},
        {"\xef\xbb\xbf"
         "a,b\r\nx,y\r\n\"1,5\",\r\n",
         "1,5", 0},
        {"a;b\rx;y\r1,5;\r", "1,5", 0},
        {"a\tb\nx\ty\n1,5\t", "1,5", 0},
        {"sep=;\r\na;b\r\nx;y\r\n1,5;\r\n", "1,5", 0},
        {"\"a\",\"b\"\n \"x\" , y \n  1 5  ,\"\"\n\n\n", "1 5", 0},
        {"a,b\n\nx,y\n\"say \"\"hi\"\",\nyou\",\n", "say \"hi\",\nyou", 1},
        {"a,b\nx,y\n5\" pipe,\n", "5\" pipe", 0},
        {"a;b;;\nx;y;;\n1,5;;;\n", "1,5",
         0}, /* what a spreadsheet leaves of columns that were there */
        {"\n  \na,b,,\nx,y,\n1 5,\n", "1 5", 2},
        {"a,b\nx,y\n\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82,\n",
         "\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vision_csv csv;
        base_error error;
        bool good = take(rows[i].text, strlen(rows[i].text), &csv, &error);
        CHECK(good, "%zu: %s", i, error.text);
        if (!good)
            continue;
        const char *want[] = {"a", "b", "x", "y", rows[i].last, ""};
        CHECK(csv.rows == 2 && csv.columns == 2 && csv.blank == rows[i].blank, "%zu: %d x %d, %d",
              i, csv.rows, csv.columns, csv.blank);
        for (int j = 0; j < 6 && csv.rows == 2 && csv.columns == 2; j++)
            CHECK(strcmp(csv.cell[j], want[j]) == 0, "%zu: cell %d is \"%s\"", i, j, csv.cell[j]);
        CHECK(vision_csv_find(&csv, "b") == 1 && vision_csv_find(&csv, "x") < 0, "find");
        vision_csv_free(&csv);
    }
}

static void texts_that_are_no_table(void)
{
#define TEXT(text) text, sizeof(text) - 1
    static const struct {
        const char *text;
        size_t size;
        const char *want;
    } rows[] = {
        {TEXT(""), "t: is empty, expected a header and rows"},
        {TEXT("\xef\xbb\xbf"), "t: is empty"},
        {TEXT("a,b\n"), "t: has a header and no rows"},
        {TEXT("a,b\n\n\n"), "t: has a header and no rows"},
        {TEXT("a,,c\n1,2,3\n"), "t: line 1: column 2 has no name"},
        {TEXT(",,\n1,2,3\n"), "t: line 1: column 1 has no name"},
        {TEXT("\"\",1,2\n1,2,3\n"), "t: line 1: is all numbers, expected a header"},
        {TEXT("a,b,,\n1,2,,\n1,2,3,\n"), "t: line 3: has 4 cells, expected the 2 of the header"},
        {TEXT("a,b\n1,2,\n"), "t: line 2: has 3 cells, expected the 2 of the header"},
        {TEXT("a,b,,\n1\n"), "t: line 2: has 1 cell, expected the 2 of the header"},
        {TEXT("\n\n"), "t: is empty, expected a header and rows"},
        {TEXT("sep=;\n"), "t: is empty, expected a header and rows"},
        {TEXT("a,b,a\n1,2,3\n"), "t: line 1: two columns are called \"a\""},
        {TEXT("1,2.5,-3e4\n1,2,3\n"), "t: line 1: is all numbers, expected a header"},
        {TEXT("a,b\n1,2\n1,2,3\n"), "t: line 3: has 3 cells, expected the 2 of the header"},
        {TEXT("a,b\n\n1\n"), "t: line 3: has 1 cell, expected the 2"},
        {TEXT("a,b\n1,\"2\n\n3,4\n"), "t: line 2: a quote is opened and not closed"},
        {TEXT("a,b\n\"x\ny\"z,2\n"), "t: line 3: expected the end of the cell behind the quote"},
        {TEXT("a,b\n1,\xe4\n"), "t: line 2: byte e4 is no UTF-8"},
        {TEXT("a,b\n1,\xc0\x80\n"), "t: line 2: byte c0 is no UTF-8"},
        {TEXT("a,b\n1,\xed\xa0\x80\n"), "t: line 2: byte ed is no UTF-8"},
        {TEXT("a,b\n1,\xe2\x82"), "t: line 2: byte e2 is no UTF-8"},
        {TEXT("a,b\n1,\0\n"), "t: line 2: byte 00 is no UTF-8"},
        {TEXT("PK\x03\x04"
              "rest"),
         "t: is a zip archive"},
        {TEXT("\xff\xfe"
              "a\0"),
         "t: is UTF-16 text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vision_csv csv;
        base_error error;
        bool good = take(rows[i].text, rows[i].size, &csv, &error);
        CHECK(!good && !csv.cell && strncmp(error.text, rows[i].want, strlen(rows[i].want)) == 0,
              "%zu: %s: want %s", i, error.text, rows[i].want);
        if (good)
            vision_csv_free(&csv);
    }
}

/* ---- columns ---- */

static const vision_wanted of_y = {.label = "y"};

/* A folder's train.csv is learnt from and test.csv is not; what each column becomes. */
static void columns_become_inputs(void)
{
    static const char train[] = "id,n,m,c,y\n"
                                "x1,1,2,red,10\nx2,3,NA,blue,9\nx3,5,4,,9\n";
    static const char test[] = "c,n,m,y,id\ngreen,100,?,9,x9\nred,,7,10,x8\n";
    base_error error = {""};
    vision_set set;
    CHECK(base_file_make_folder(at("parts"), &error), "%s", error.text);
    put("parts/train.csv", train, sizeof train - 1);
    put("parts/test.csv", test, sizeof test - 1);
    const vision_wanted wanted = {.label = "y", .without = "id"};
    CHECK(vision_read_table(&set, at("parts"), &wanted, &error), "%s", error.text);
    const vision_columns *c = set.columns;
    CHECK(c && c->count == 3 && c->inputs == 5 && strcmp(c->label, "y") == 0 &&
              c->column[0].values == 0 && !c->column[0].missing && c->column[1].missing &&
              c->column[2].values == 2 && strcmp(c->column[2].value[0], "blue") == 0,
          "%d columns, %d inputs", c ? c->count : 0, c ? c->inputs : 0);
    /* n, m, whether m is missing, blue, red */
    static const float want[] = {1, 2, 0,   0,   1, 3, NAN, 1,   1, 0, 5, 4, 0,
                                 0, 0, 100, NAN, 1, 0, 0,   NAN, 7, 0, 0, 1};
    for (int i = 0; i < 25; i++) {
        float got = i < 15 ? set.train.values[i] : set.test.values[i - 15];
        CHECK(isnan(want[i]) ? isnan(got) : got == want[i], "input %d is %g", i, (double)got);
    }
    /* classes in the order of their numbers */
    CHECK(set.train.classes == 2 && strcmp(set.names[0], "9") == 0 &&
              memcmp(set.train.labels, "\1\0\0", 3) == 0 && memcmp(set.test.labels, "\0\1", 2) == 0,
          "%s, %s", set.names[0], set.names[1]);
    CHECK(strstr(set.note, "1 texts of the test are none of the training's") &&
              strstr(set.note, "line 2, column \"c\""),
          "%s", set.note);

    /* normalised by the training part alone: n has mean 3; what is missing is the mean */
    const int order[] = {0, 1, 2};
    const vision_part part = {&set.train, order, 3};
    vision_normal normal = vision_normal_of(&part);
    CHECK(normal.mean[0] == 3 && fabsf(normal.deviation[0] - sqrtf(8.0F / 3)) < 1e-6F &&
              normal.mean[1] == 3 && normal.deviation[1] == 1,
          "%g %g, %g %g", (double)normal.mean[0], (double)normal.deviation[0],
          (double)normal.mean[1], (double)normal.deviation[1]);

    /* rows for a network, in whatever order its columns are, without labels */
    vision_images rows;
    char note[VISION_NOTE];
    static const char more[] = "extra;m;c;n\n0;1,5;red;2\n";
    put("more.csv", more, sizeof more - 1);
    CHECK(vision_read_rows(&rows, at("more.csv"), c, set.names, 2, note, &error), "%s", error.text);
    CHECK(rows.count == 1 && !rows.labels && rows.values[0] == 2 && rows.values[1] == 1.5F &&
              rows.values[4] == 1 && strstr(note, "does not take: extra"),
          "%s", note);
    vision_images_free(&rows);
    CHECK(!vision_read_rows(&rows, at("parts"), c, set.names, 2, note, &error), "a folder");
    vision_set_free(&set);
}

/* R's write.csv and pandas' to_csv: rows' own names in a first column without one, and what each has for a missing
 * number. Neither a row's name nor what is missing becomes a value. */
static void rows_with_names(void)
{
    static const char table[] =
        "\"\",\"n\",\"c\",\"y\"\n"
        "\"1\",NA,\"red\",1\n\"2\",#N/A,\"NA\",2\n\"3\",n/a,\"<NA>\",1\n"
        "\"4\",<NA>,\"red\",2\n\"5\",2.5,\"blue\",2\n\"6\",1.0e-05,\"red\",1\n";
    base_error error = {""};
    vision_set set;
    vision_images rows;
    char note[VISION_NOTE];
    CHECK(base_file_make_folder(at("named"), &error), "%s", error.text);
    put("named/train.csv", table, sizeof table - 1);
    put("named/test.csv", table, sizeof table - 1);
    CHECK(vision_read_table(&set, at("named"), &of_y, &error), "%s", error.text);
    CHECK(strstr(set.note, "; the first column has no name and is left out\n"), "%s", set.note);
    static const float want[] = {NAN, 1, 0, 1, NAN,  1, 0, 0, NAN,   1, 0, 0,
                                 NAN, 1, 0, 1, 2.5F, 0, 1, 0, 1e-5F, 0, 0, 1};
    CHECK(set.columns->count == 2 && set.columns->inputs == 4, "%d inputs", set.columns->inputs);
    for (int i = 0; i < 24 && set.columns->inputs == 4; i++)
        CHECK(isnan(want[i]) ? isnan(set.train.values[i]) : set.train.values[i] == want[i],
              "input %d is %g", i, (double)set.train.values[i]);
    CHECK(vision_read_rows(&rows, at("named/test.csv"), set.columns, set.names, 2, note, &error),
          "%s", error.text);
    CHECK(rows.count == 6 && strstr(note, "does not take: the first, without a name\n"), "%s",
          note);
    vision_images_free(&rows);
    put("named/some.csv", "n,c,y\n1,red,1\n2,red,\n", 21);
    CHECK(!vision_read_rows(&rows, at("named/some.csv"), set.columns, set.names, 2, note, &error) &&
              strstr(error.text, "line 3 has no label (column \"y\")"),
          "%s", error.text);
    vision_set_free(&set);
}

/* ---- lies ---- */

static void refuse(const char *text, const vision_wanted *wanted, const char *want)
{
    vision_set set;
    base_error error = {""};
    put("lie.csv", text, strlen(text));
    bool good = vision_read_table(&set, at("lie.csv"), wanted, &error);
    CHECK(!good && strstr(error.text, want) && strstr(error.text, "lie.csv: ") && !set.columns,
          "\"%s\", want \"%s\"", error.text, want);
    if (good)
        vision_set_free(&set);
}

/* count rows of "value,y0 or y1"; text takes one number. */
static void fill(base_text *text, const char *header, const char *row, int count)
{
    base_text_clear(text);
    base_text_print(text, "%s\n", header);
    for (int i = 0; i < count; i++) {
        for (const char *c = row; *c; c++)
            if (*c == '#')
                base_text_print(text, "%d", i);
            else if (*c == '%')
                base_text_print(text, "%d", i % 2);
            else
                base_text_add(text, c, 1);
        base_text_print(text, "\n");
    }
}

static void tables_that_lie(void)
{
    base_text text = {0};
    static const vision_wanted nothing = {0}, of_z = {.label = "z"}, of_prise = {.label = "prise"},
                               numbers = {.label = "y", .numbers = true},
                               without = {.label = "y", .without = "a,b"},
                               all = {.label = "y", .without = "a"};
    fill(&text, "a,y", "#,%", 9);
    refuse(text.data, &of_y, "has 9 rows, expected at least 10");
    fill(&text, "a,y", "#,%", 20);
    refuse(text.data, &nothing, "--label COLUMN was expected");
    refuse(text.data, &of_z, "has no column \"z\" for the label: it has a, y");
    refuse(text.data, &(vision_wanted){.label = ""}, "has no column \"\" for the label");
    refuse(text.data, &without, "--without b: there is no column called that");
    refuse(text.data, &all, "has no column beside the label's");
    base_text_print(&text, "5,\n");
    refuse(text.data, &of_y, "line 22 has no label (column \"y\")");
    fill(&text, "a,y", "#,1", 20);
    refuse(text.data, &of_y, "column \"y\" has 1 value, expected at least 2 classes");
    fill(&text, "a,y", "1,#", 300);
    refuse(text.data, &of_y, "is the 257th different one in column \"y\"");
    fill(&text, "a,b,y", "1,,%", 20);
    refuse(text.data, &of_y, "column \"b\" is empty (--without \"b\"");
    fill(&text, "a,y", "name #,%", 100);
    refuse(text.data, &of_y, "column \"a\" has more than 64 different texts");
    fill(&text, "a,y", "2024-01-#,%",
         30); /* each text its own, in the 24 rows that are trained on */
    refuse(text.data, &of_y, "column \"a\" has 24 different texts in 24 rows, as \"2024-01-");
    fill(&text, "a,y", "1.000,#,%", 30);
    refuse(text.data, &of_y, "line 2: has 3 cells");
    fill(&text, "a;y", "1.00#,5;%", 30);
    refuse(text.data, &of_y,
           "expected numbers, or texts that repeat (--without \"a\" leaves it out)");
    fill(&text, "a,price", "#,%", 30);
    refuse(text.data, &of_prise, "for the label: it has a, price; did you mean \"price\"?");
    fill(&text, "a,y", "#,7.5", 20);
    refuse(text.data, &numbers, "column \"y\" is 7.5 in each row: nothing to learn");
    fill(&text, "a,y", "#,%e-42", 20);
    refuse(text.data, &numbers, "differ by less than a float holds of them: use a smaller unit");
    fill(&text, "a,y", "#,170000000000%", 20);
    refuse(text.data, &numbers,
           "column \"y\": its numbers, 1700000000000 to 1700000000001, differ");
    fill(&text, "a,y", "#,%", 40);
    base_text_print(&text, "1o,0\n1o,0\n1o,0\n1o,0\n1o,0\n"); /* one of them is trained on */
    refuse(text.data, &of_y, "column \"a\": \"1o\" is no number, as most of its column are");
    fill(&text, "a,y", "1e39,%", 20);
    base_text_print(&text, "1,0\n");
    refuse(text.data, &of_y, "column \"a\": \"1e39\" is too large a number");
    /* of these a float has one in 131072 */
    fill(&text, "a,y", "170000000000%,%", 20);
    refuse(text.data, &of_y, "column \"a\": its numbers, 1700000000000 to 1700000000001, differ");
    fill(&text, "PAR1,y", "1,%", 20); /* a name, and no Parquet file */
    refuse(text.data, &(vision_wanted){.label = "y", .without = "q"}, "--without q");
    fill(&text, "a,0123456789012345678901234567890123456789012345678901234567890123,y", "1,2,%",
         20);
    refuse(text.data, &of_y, "has more than 63 bytes in its name");
    fill(&text, "a,y", "\"1\n2\",%", 20);
    refuse(text.data, &of_y, "has more than 63 bytes or control characters");
    base_text_free(&text);
}

/* ---- what is learnt ---- */

enum { ROWS = 2000 };

/* Three laws, of a and b that are uniform between -1 and 1. The share that the best possible answer gets right is known of each.
 *
 *   sum    y = 1 where a + 2 b > 0: a line divides the classes, 100 %
 *   xor    y = 1 where the texts p and q differ, and with probability 0.1 the other: 90 %
 *   holes  y = 1 where a > 0; a quarter of the cells is missing, where nothing is known: 87.5 % */
static void write_law(int law, const char *name)
{
    base_text text = {0};
    base_text_print(&text, law == 1 ? "p,q,noise,y\n" : "a,b,y\n");
    for (int i = 0; i < ROWS; i++) {
        base_random r = {7, base_random_stream("law", (uint64_t)law, (uint64_t)i, 0), 0};
        double a = 2 * base_random_uniform(&r) - 1, b = 2 * base_random_uniform(&r) - 1;
        double u = base_random_uniform(&r);
        if (law == 0) {
            base_text_print(&text, "%.6f,%.6f,%s\n", a, 100 + b, a + 2 * b > 0 ? "up" : "down");
        } else if (law == 1) {
            int p = a > 0, q = b > 0;
            base_text_print(&text, "%s,%s,%.3f,%s\n", p ? "left" : "right", q ? "left" : "right", u,
                            (p != q) != (u < 0.1) ? "differ" : "same");
        } else {
            bool hole = base_random_uniform(&r) < 0.25;
            if (!hole)
                base_text_print(&text, "%.6f", a);
            base_text_print(&text, ",%.6f,%d\n", b, a > 0);
        }
    }
    put(name, text.data, text.length);
    base_text_free(&text);
}

/* What a network of one hidden layer of 16 gets right of the test rows. */
static double learn(const char *path, bool hidden)
{
    base_error error = {""};
    vision_set set;
    if (!vision_read_table(&set, path, &of_y, &error)) {
        CHECK(false, "%s", error.text);
        return 0;
    }
    int n = set.train.channels;
    vision_architecture net = {.count = hidden ? 3 : 1};
    net.layer[0] = (vision_layer){VISION_LINEAR, .in = n, .out = hidden ? 16 : 2};
    net.layer[1] = (vision_layer){.kind = VISION_RELU};
    net.layer[2] = (vision_layer){VISION_LINEAR, .in = 16, .out = 2};
    int order[ROWS];
    for (int i = 0; i < ROWS; i++)
        order[i] = i;
    const vision_part train = {&set.train, order, set.train.count},
                      test = {&set.test, order, set.test.count};
    vision_normal normal = vision_normal_of(&train);
    vision_plan plan = {.epochs = 30,
                        .batch = 32,
                        .optimizer = nn_optimizer_default(NN_ADAM),
                        .schedule = {.kind = NN_COSINE},
                        .seed = 1};
    plan.optimizer.rate = 3e-3;
    tensor_context *ctx = tensor_context_open(1, &error);
    vision_network *network = vision_network_new(ctx, &net, (vision_shape){n, 0, 0}, 1, &error);
    int64_t steps;
    vision_result result = {0}, again = {0};
    CHECK(network && vision_train(network, &train, &normal, &plan, NULL, &steps, &error) &&
              vision_measure(network, &test, &normal, 64, &result, &error),
          "%s", error.text);

    /* and from a folder, bit for bit, with its columns and names */
    const vision_model model = {
        .network = network,
        .net = net,
        .input = {n, 0, 0},
        .classes = 2,
        .normal = normal,
        .result = result,
        .names = set.names,
        .columns = set.columns,
        .source = "",
        .data = "0000000000000000000000000000000000000000000000000000000000000000"};
    vision_model loaded;
    vision_set same;
    CHECK(vision_model_save(&model, "x", 1, at("model"), &error) &&
              vision_model_load(&loaded, ctx, at("model"), &error),
          "%s", error.text);
    const vision_wanted wanted = {.columns = loaded.columns};
    CHECK(vision_read_table(&same, path, &wanted, &error), "%s", error.text);
    const vision_part rows = {&same.test, order, same.test.count};
    CHECK(vision_measure(loaded.network, &rows, &loaded.normal, 100, &again, &error) &&
              again.right == result.right && fabs(again.loss - result.loss) < 1e-12,
          "%d, %d", again.right, result.right);
    vision_set_free(&same);
    vision_model_free(&loaded);
    vision_network_free(network);
    tensor_context_free(ctx);
    vision_set_free(&set);
    return result.accuracy;
}

/* Of 400 test rows, so 1 % is 4 of them: within three standard deviations of the best that there is. */
static void laws_are_learnt(void)
{
    write_law(0, "sum.csv");
    write_law(1, "xor.csv");
    write_law(2, "holes.csv");
    double sum = learn(at("sum.csv"), true), xor = learn(at("xor.csv"), true),
           line = learn(at("xor.csv"), false), holes = learn(at("holes.csv"), true);
    CHECK(sum > 0.98, "sum: %g", sum);
    CHECK(xor > 0.9 - 3 * sqrt(0.09 / 400) && xor < 0.9 + 3 * sqrt(0.09 / 400), "xor: %g", xor);
    CHECK(line < 0.7 + 3 * sqrt(0.21 / 400), "xor by a line, which has 3 of 4 corners: %g", line);
    CHECK(holes > 0.875 - 3 * sqrt(0.11 / 400) && holes < 0.875 + 3 * sqrt(0.11 / 400), "holes: %g",
          holes);
}

int main(void)
{
    base_error error = {""};
    CHECK(base_temporary_folder("phoenix-table", folder, sizeof folder, &error), "%s", error.text);
    cells();
    texts_that_are_no_table();
    columns_become_inputs();
    rows_with_names();
    tables_that_lie();
    laws_are_learnt();
    base_remove_folder(folder);
    return test_end();
}
