/* SPDX-License-Identifier: MIT */
/* test_columns.c -- export/columns.c: a network of a table's rows, exported, gives the bits of the library for
 * rows of numbers and codes, missing ones too, with every compiler that is here; and so it does in int8. */
#include "tests/export/test_export.h"
#include "tests/vision/test_vision.h"
#include "vision/train.h"

#include <math.h>
#include <stdint.h>

enum { ROWS = 40, INPUTS = 8, CLASSES = 3 };

static char greens[3][VISION_NAME] = {"light green", "dark \"green\" */", "x"};
static char one[1][VISION_NAME] = {"only"};
static vision_column column[] = {{"weight?", 0, NULL, true},
                                 {"colour", 3, greens, false},
                                 {"size", 0, NULL, false},
                                 {"far", 0, NULL, false},
                                 {"kind", 1, one, false}};
enum { COLUMNS = sizeof column / sizeof *column };
static vision_columns columns = {"label", false, COLUMNS, INPUTS, column};

/* The weight's number and whether it is missing, three greens, size, far, the only kind. */
static const float mean[INPUTS] = {12.5F, 0.1F, 0.3F, 0.5F, 0.2F, -3e-4F, 1.7e6F, 0.75F};
static const float deviation[INPUTS] = {4, 0.3F, 0.45F, 0.5F, 0.4F, 2e-5F, 3e6F, 0.4F};

static const vision_architecture net = {
    7,
    {LINEAR(INPUTS, 9), GELU, RESIDUAL(2), LINEAR(9, 7), RELU, DROPOUT(0.5), LINEAR(7, CLASSES)}};

typedef struct fixture {
    vision_model model;
    float cells[ROWS * COLUMNS], values[ROWS * INPUTS], logits[ROWS * CLASSES];
    vision_images rows;
    vision_part part;
    int index[ROWS];
} fixture;

static void make(fixture *f, tensor_context *ctx)
{
    base_error error = {""};
    base_random random = {.seed = 9};
    *f = (fixture){.rows = {.count = ROWS, .channels = INPUTS, .values = f->values},
                   .part = {&f->rows, f->index, ROWS}};
    f->model = (vision_model){.net = net, .input = {INPUTS, 0, 0}, .classes = CLASSES};
    f->model.columns = &columns;
    memcpy(f->model.normal.mean, mean, sizeof mean);
    memcpy(f->model.normal.deviation, deviation, sizeof deviation);
    f->model.network = vision_network_new(ctx, &net, f->model.input, 4, &error);
    for (int r = 0; r < ROWS; r++) {
        float *cell = f->cells + r * COLUMNS, *value = f->values + r * INPUTS;
        float draw[COLUMNS];
        for (int i = 0; i < COLUMNS; i++)
            draw[i] = (float)base_random_below(&random, 1000) / 250 - 2;
        f->index[r] = r;
        cell[0] = r % 5 == 1 ? NAN : mean[0] + draw[0] * deviation[0];
        cell[1] = (float)((r + 1) % 4 - 1);
        cell[2] = r == 7 ? NAN : mean[5] + draw[2] * deviation[5];
        cell[3] = r == 8 ? 3e11F : mean[6] + draw[3] * deviation[6]; /* more than 32 bits hold */
        cell[4] = r % 3 ? 0 : -1;
        value[0] = cell[0];
        value[1] = isnan(cell[0]) ? 1.0F : 0.0F;
        for (int v = 0; v < 3; v++)
            value[2 + v] = cell[1] == (float)v;
        value[5] = cell[2];
        value[6] = cell[3];
        value[7] = cell[4] == 0;
    }
    CHECK(vision_classify(f->model.network, &f->part, &f->model.normal, 7, f->logits, &error), "%s",
          error.text);
}

static void test_cells(const fixture *f)
{
    for (int r = 0; r < ROWS; r++) {
        float cells[COLUMNS];
        vision_columns_cells(&columns, f->values + r * INPUTS, cells);
        for (int i = 0; i < COLUMNS; i++)
            CHECK(cells[i] == f->cells[r * COLUMNS + i] ||
                      (isnan(cells[i]) && isnan(f->cells[r * COLUMNS + i])),
                  "row %d, column %d: %g", r, i, (double)cells[i]);
    }
}

/* Each compiler's program on all rows; and the self-test. rows: numbers of 4 bytes, one a column. */
static void hold(const base_text *source, const base_text *header, bool int8, const void *rows,
                 const void *expected, const bool *there)
{
    static const char codes[] =
        "#include \"net.h\"\nint main(void)\n{\n"
        "    return net_code(1, \"light green\") != 0 || net_code(1, \"x\") != 2 || "
        "net_code(1, \"xx\") != -1 ||\n"
        "           net_code(4, \"only\") != 0 || net_code(4, \"x\") != -1 || net_code(0, \"x\") "
        "!= -1 ||\n"
        "           net_code(-1, \"only\") != -1 || net_code(NET_COLUMNS, \"only\") != -1 ||\n"
        "           net_columns[0][6] != '?';\n}\n";
    base_text program = {0};
    const base_text text = {.data = (char *)(uintptr_t)codes, .length = sizeof codes - 1};
    char bytes[4 * ROWS * COLUMNS];
    const base_text input = {.data = bytes, .length = sizeof bytes};
    base_error error = {""};
    base_text_add(&program, source->data, source->length);
    export_network_main("net", true, int8, &program);
    store("net.c", source);
    store("net.h", header);
    store("main.c", &program);
    store("codes.c", &text);
    for (int i = 0; i < COMPILERS; i++) {
        const char *command = compilers[i].command, *flags = compilers[i].flags;
        size_t length;
        if (!compiles(there, i, int8))
            continue;
        memcpy(bytes, rows, sizeof bytes);
        swap(bytes, sizeof bytes, i);
        store("rows", &input);
        CHECK(shell("cd '%s' && %s %s -DNET_TEST net.c -o self && %s./self", scratch, command,
                    flags, compilers[i].runner),
              "%s %s: the self-test fails", command, flags);
        CHECK(shell("cd '%s' && %s %s codes.c net.c -o codes && %s./codes", scratch, command, flags,
                    compilers[i].runner),
              "%s %s: other codes", command, flags);
        CHECK(shell("cd '%s' && %s %s main.c -o main && %s./main <rows >logits", scratch, command,
                    flags, compilers[i].runner),
              "%s %s does not take it", command, flags);
        char *got = base_file_read(below("logits"), 1 << 20, &length, &error);
        swap(got, got ? length : 0, i);
        CHECK(got && length == 4 * ROWS * CLASSES && memcmp(got, expected, length) == 0,
              "%s %s: other bits", command, flags);
        free(got);
    }
    base_text_free(&program);
}

static void test_floats(const fixture *f, const bool *there)
{
    base_error error = {""};
    base_text source = {0}, header = {0};
    const export_options options = {.prefix = "net", .header = "net.h"};
    CHECK(export_network(&f->model, &options, &source, &header, NULL, &error), "%s", error.text);
    hold(&source, &header, false, f->cells, f->logits, there);
    base_text_free(&source);
    base_text_free(&header);
}

/* What 8 bits can tell is 8 deviations / 127; of so many inputs and layers a few percent of a logit. */
static void test_int8(const fixture *f, const bool *there)
{
    base_error error = {""};
    base_text source = {0}, header = {0};
    int32_t whole[ROWS * COLUMNS], logits[ROWS * CLASSES];
    double largest = 0, apart = 0;
    export_options options = {.prefix = "net", .header = "net.h"};
    options.int8 = export_int8_new(&f->model, &f->part, &error);
    CHECK(options.int8, "%s", error.text);
    for (int r = 0; options.int8 && r < ROWS; r++) {
        export_int8_row(options.int8, f->values + r * INPUTS, whole + r * COLUMNS);
        export_int8_run(options.int8, whole + r * COLUMNS, logits + r * CLASSES);
        for (int c = 0; c < CLASSES && r != 8; c++) {
            double x = (double)f->logits[r * CLASSES + c];
            largest = fmax(largest, fabs(x));
            apart = fmax(apart, fabs(x - logits[r * CLASSES + c] / 65536.0));
        }
    }
    CHECK(apart < 0.06 * largest && apart > 0, "apart by %g of %g", apart, largest);
    CHECK(whole[8 * COLUMNS + 3] == INT32_MAX && whole[7 * COLUMNS + 2] == INT32_MIN, "%ld %ld",
          (long)whole[8 * COLUMNS + 3], (long)whole[7 * COLUMNS + 2]);
    CHECK(export_network(&f->model, &options, &source, &header, NULL, &error), "%s", error.text);
    CHECK(strstr(header.data, "size: a number, in units of 1e-07"), "%s", header.data);
    hold(&source, &header, true, whole, logits, there);
    export_int8_free(options.int8);
    base_text_free(&source);
    base_text_free(&header);
}

/* Far from 0 and near to each other: 32 bits do not hold them. */
static void test_refused(fixture *f)
{
    base_error error = {""};
    f->model.normal.mean[6] = 1e9F;
    f->model.normal.deviation[6] = 1;
    export_int8 *q = export_int8_new(&f->model, &f->part, &error);
    CHECK(!q && strstr(error.text, "column \"far\": its numbers"), "%s", error.text);
    export_int8_free(q);
}

int main(void)
{
    static fixture f;
    bool there[COMPILERS];
    tensor_context *ctx = begin(there);
    make(&f, ctx);
    test_cells(&f);
    test_floats(&f, there);
    test_int8(&f, there);
    test_refused(&f);
    vision_network_free(f.model.network);
    tensor_context_free(ctx);
    base_remove_folder(scratch);
    return test_end();
}
