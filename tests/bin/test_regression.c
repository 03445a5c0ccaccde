/* SPDX-License-Identifier: MIT */
/* test_regression.c -- numbers of a table as answers: `phoenix train`, `predict`, `evolve` and `export` with
 * --task regression, on tables made by a law, held against linear regression by the normal equations. */
#include "base/number.h"
#include "base/process.h"
#include "base/random.h"
#include "tests/bin/test_phoenix.h"
#include "vision/model.h"

#include <math.h>

enum { ROWS = 1500, TRAIN = 1100, TEST = ROWS - TRAIN, FEATURES = 4 };

static char folder[512];

static void expect(int want, const char *arguments, const char *part)
{
    phoenix_expect(folder, BOTH, want, arguments, part);
}

/* A law's rows: two numbers, a colour, and what follows from them. */
typedef struct table {
    double x[ROWS][FEATURES]; /* 1, x1, x2, whether it is red */
    double y[ROWS];
} table;

static double uniform(base_random *r) { return 2 * base_random_uniform(r) - 1; }

/* Uniform noise of deviation `noise`. linear: y = 100 + 7 x1 - 0.5 x2 + 12 red; else y = 10 |x1| + x1 x2 / 10. */
static void make(table *t, bool linear, double noise)
{
    base_random r = {.seed = 11, .stream = linear};
    for (int i = 0; i < ROWS; i++) {
        double *x = t->x[i];
        x[0] = 1;
        x[1] = 3 * uniform(&r);
        x[2] = 50 + 30 * uniform(&r);
        x[3] = base_random_below(&r, 2);
        t->y[i] = (linear ? 100 + 7 * x[1] - 0.5 * x[2] + 12 * x[3]
                          : 10 * fabs(x[1]) + x[1] * x[2] / 10) +
                  sqrt(3) * noise * uniform(&r);
    }
}

static void write_rows(const table *t, const char *name, int first, int count)
{
    base_text text = {0};
    base_text_print(&text, "x1,x2,colour,y\n");
    for (int i = first; i < first + count; i++)
        base_text_print(&text, "%.9g,%.9g,%s,%.9g\n", t->x[i][1], t->x[i][2],
                        t->x[i][3] > 0 ? "red" : "green", t->y[i]);
    phoenix_put(folder, name, text.data, text.length);
    base_text_free(&text);
}

/* Root of the mean squared error on the test rows of the best line through those to train with. */
static double linear_error(const table *t)
{
    double a[FEATURES][FEATURES + 1] = {{0}}, w[FEATURES], squares = 0;
    for (int i = 0; i < TRAIN; i++)
        for (int j = 0; j < FEATURES; j++) {
            for (int k = 0; k < FEATURES; k++)
                a[j][k] += t->x[i][j] * t->x[i][k];
            a[j][FEATURES] += t->x[i][j] * t->y[i];
        }
    for (int j = 0; j < FEATURES;
         j++) /* the matrix is positive definite: no row has to be chosen */
        for (int i = j + 1; i < FEATURES; i++)
            for (int k = FEATURES; k >= j; k--)
                a[i][k] -= a[i][j] / a[j][j] * a[j][k];
    for (int j = FEATURES - 1; j >= 0; j--) {
        w[j] = a[j][FEATURES];
        for (int k = j + 1; k < FEATURES; k++)
            w[j] -= a[j][k] * w[k];
        w[j] /= a[j][j];
    }
    for (int i = TRAIN; i < ROWS; i++) {
        double y = 0;
        for (int j = 0; j < FEATURES; j++)
            y += w[j] * t->x[i][j];
        squares += (y - t->y[i]) * (y - t->y[i]);
    }
    return sqrt(squares / TEST);
}

/* The same of a trained network, by the rows that it is asked for; and as it says so itself. */
static double network_error(const table *t, const char *name)
{
    base_error error = {""};
    vision_model m;
    vision_images rows;
    char note[VISION_NOTE], said[64];
    static float y[TEST];
    static int index[TEST];
    double squares = 0;
    tensor_context *ctx = tensor_context_open(1, &error);
    bool ok = vision_model_load(&m, ctx, test_path(folder, name), &error) &&
              vision_read_rows(&rows, test_path(folder, "law/test.csv"), m.columns, NULL, 1, note,
                               &error);
    CHECK(ok, "%s", error.text);
    if (!ok)
        return HUGE_VAL;
    for (int i = 0; i < TEST; i++)
        index[i] = i;
    const vision_part part = {&rows, index, TEST};
    CHECK(rows.count == TEST && rows.targets && vision_model_is_regression(&m), "%d rows",
          rows.count);
    CHECK(vision_classify(m.network, &part, &m.normal, 64, y, &error), "%s", error.text);
    for (int i = 0; i < TEST; i++) {
        double away = (double)vision_model_value(&m, y[i]) - t->y[TRAIN + i];
        squares += away * away;
    }
    double rmse = sqrt(squares / TEST),
           own = sqrt(m.result.loss) * (double)m.normal.target_deviation;
    CHECK(fabs(rmse - own) < 1e-4 * own, "%g, and it says %g", rmse, own);
    base_print(said, sizeof said, "R2 %.4f, RMSE %.6g, of %d rows", m.result.accuracy, own, TEST);
    char arguments[128];
    snprintf(arguments, sizeof arguments, "predict %s --data law", name);
    expect(0, arguments, said);
    vision_images_free(&rows);
    vision_model_free(&m);
    tensor_context_free(ctx);
    return rmse;
}

static void write_table(const table *t)
{
    base_error error = {""};
    CHECK(base_file_make_folder(test_path(folder, "law"), &error), "%s", error.text);
    write_rows(t, "law/train.csv", 0, TRAIN);
    write_rows(t, "law/test.csv", TRAIN, TEST);
}

/* What a line explains a network learns as well, but for a tenth; where no line fits, it is far better. */
static void laws(void)
{
    static table t;
    make(&t, true, 3);
    write_table(&t);
    double line = linear_error(&t);
    CHECK(line > 2.7 && line < 3.3, "linear regression: %g",
          line); /* 10 % of it: 4 of its own deviations */
    expect(0, "train --task regression --data law --label y --out linear",
           "of 400 test rows 9"); /* % of the variance are explained */
    double network = network_error(&t, "linear");
    CHECK(network < 1.1 * line, "a line %g, a network %g", line, network);
    make(&t, false, 1);
    write_table(&t);
    line = linear_error(&t);
    expect(0, "train --task regression --data law --label y --out bent", "are explained (R2 0.9");
    network = network_error(&t, "bent");
    CHECK(network < line / 2, "a line %g, a network %g", line, network);
}

/* 30 different prices, and 3 different sizes, which may well be classes. */
static void put_prices(void)
{
    base_text text = {0};
    base_text_print(&text, "x,price\n");
    for (int i = 0; i < 90; i++)
        base_text_print(&text, "%d,%d\n", i % 3, 100 + i % 30);
    phoenix_put(folder, "prices.csv", text.data, text.length);
    base_text_free(&text);
}

static void command_line(void)
{
    put_prices();
    static const char few[] = "colour,x2,x1\nred,50,1\ngreen,,?\n";
    phoenix_put(folder, "few.csv", few, sizeof few - 1);
    expect(0, "predict bent few.csv", "few.csv[1]: ");
    expect(0, "predict bent few.csv --json", "{\"file\":\"few.csv\",\"index\":0,\"value\":");
    expect(1, "predict bent --data law --confusion", "--confusion: is of classes");
    expect(0, "predict bent law/test.csv", "\nR2 0.9");
    expect(1, "predict bent law/test.csv --confusion", "--confusion: is of classes");
    expect(1, "train --data law --label y --out classes", "--task regression answers with numbers");
    expect(1, "train --data prices.csv --label price --out classes",
           "prices.csv: column \"price\" has 30 different numbers in 90 rows: --task regression "
           "answers "
           "with numbers, --task table takes each for a class");
    expect(0, "train --data prices.csv --label price --task table --final-epochs 1 --out classes",
           "");
    expect(0, "train --data prices.csv --label x --final-epochs 1 --out classes", "");
    expect(1, "train --data law --label colour --task regression --out classes",
           "is no number, as a regression's label is");
    expect(2, "evolve --data law --label y --task regression --scope deploy --run none",
           "--scope deploy: is of networks for images");
    expect(0, "export bent --out bent.c --check --data law", "check: 400 rows, 0 differ; R2 0.9");
    expect(0, "export bent --out bent.c --int8 --check --data law", "400 rows, 0 differ; R2 0.9");
    expect(0, "export bent --onnx bent.onnx", "bent.onnx: ");
}

/* A run that is resumed or verified need not be told again what its table is. */
static void a_run(void)
{
    expect(
        0,
        "evolve --data law --label y --task regression --proposer rules --episodes 1 --batches 1 "
        "--candidates 3 --fresh-seeds 2 --jobs 1 --run run",
        "of the test rows' variance");
    expect(0, "evolve --run run --resume",
           "share of the test rows' variance that is not explained");
    expect(0, "verify run", "");
    expect(0, "why run last", "");
    expect(0, "report run", "");
    base_error error = {""};
    size_t size;
    char *page = base_file_read(test_path(folder, "run/report.html"), 1 << 24, &size, &error);
    CHECK(page && strstr(page, "variance of the test rows explained, %") &&
              !strstr(page, "test images"),
          "the page");
    free(page);
    expect(1, "evolve --run run --resume --label x1",
           "the rows in law are not those that the run began with");
}

int main(void)
{
    base_error error = {""};
    CHECK(base_temporary_folder("phoenix-regression", folder, sizeof folder, &error), "%s",
          error.text);
    laws();
    command_line();
    a_run();
    base_remove_folder(folder);
    return test_end();
}
