/* SPDX-License-Identifier: MIT */
/* export.c -- phoenix export: a trained network as one C file and its header. */
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "bin/command.h"
#include "bin/export_check.h"
#include "bin/export_request.h"
#include "evolve/task.h"
#include "export/export.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 8, CALIBRATION = 512 };

typedef export_request request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"out", TEXT(out), "the C file that is written; its header beside it (net.c, net.h)"},
    {"prefix", TEXT(prefix), "what its names begin with (default: net, or t5)"},
    {"weights", TEXT(weights), "a T5's weights, as a file of floats beside the C file"},
    {"onnx", TEXT(onnx), "an ONNX file; of a T5 two, -encoder.onnx and -decoder.onnx"},
    {"fold", FLAG(fold), "fold batch norms into the convolutions before them: smaller, other bits"},
    {"int8", FLAG(int8), "in whole numbers: a quarter of the size, and no float at run time"},
    {"check", FLAG(check),
     "compile the file, run it on a set's test images or on TEXTs, compare each number"},
    {"lines", FLAG(lines), "for --check of a T5: each line of a TEXT is a text of its own"},
    {"max-tokens", WHOLE(most, 1, 4096), "for --check of a T5: most tokens of an answer"},
    {"task", EVOLVE_NAMED, AT(task), 0, 0, evolve_task_names, 0,
     "the set of images (default: that which MODEL was trained on)"},
    {0},
};

static const command_line command = {
    .usage = "phoenix export MODEL [TEXT...] --out FILE.c|--onnx FILE.onnx [options]",
    .about = "Writes the network or the T5 in folder MODEL as one C99 file and its header, which "
             "need no "
             "library: weights\nas constants, a buffer that the caller lends, the same bits as "
             "phoenix predict. MODEL is a run's\nfolder, what phoenix train left, or the folder of "
             "network.json itself. --int8 takes ranges from the\nset's training images, and says "
             "how many of its test images are right before and after.",
    .own = own,
    .run = EVOLVE_OF_EXPORT,
    .least_operands = 1,
    .most_operands = EXPORT_OPERANDS,
    .takes = FOLDER_NETWORK | FOLDER_T5,
};

bool export_write_text(const char *path, const base_text *text, base_error *error)
{
    return base_file_write_named(path, text->data, text->length, error);
}

/* ---- images ---- */

static bool read_set(const request *r, const vision_model *model, vision_set *set,
                     base_error *error)
{
    const char *name;
    return evolve_task_read_for(model, r->task, &r->run, &name, set, error) &&
           vision_model_takes(model, &set->train, name, error) &&
           vision_model_takes(model, &set->test, name, error);
}

/* The logits of all images, (count, classes): batches are full, as the choice between two methods of
 * convolution depends on how many images there are. */
static float *classify(const vision_model *model, const vision_images *images, base_error *error)
{
    int rounded = (images->count + BATCH - 1) / BATCH * BATCH;
    int *index = base_malloc((size_t)rounded * sizeof *index);
    float *logits = base_malloc((size_t)rounded * (size_t)model->classes * sizeof *logits);
    const vision_part part = {images, index, rounded};
    bool ok = (index && logits) || base_fail(error, "no memory for %d answers", rounded);
    for (int i = 0; ok && i < rounded; i++)
        index[i] = i < images->count ? i : 0;
    ok = ok && vision_classify(model->network, &part, &model->normal, BATCH, logits, error);
    base_free(index);
    if (ok)
        return logits;
    base_free(logits);
    return NULL;
}

/* rows: of a table; NULL: images. */
static int32_t *classify_int8(export_int8 *int8, int classes, const vision_images *images,
                              const int32_t *rows, size_t columns, base_error *error)
{
    size_t size = (size_t)images->channels * (size_t)images->height * (size_t)images->width;
    int32_t *logits = base_malloc((size_t)images->count * (size_t)classes * sizeof *logits);
    if (!logits)
        base_fail(error, "no memory for %d answers", images->count);
    for (int i = 0; logits && i < images->count; i++)
        export_int8_run(int8,
                        rows ? (const void *)(rows + (size_t)i * columns)
                             : images->pixels + (size_t)i * size,
                        logits + (size_t)i * (size_t)classes);
    return logits;
}

/* Of a table: the rows of a set as the file takes them, one number of 4 bytes a column. */
static void *make_rows(const vision_model *m, const export_int8 *int8, const vision_images *set,
                       base_error *error)
{
    size_t columns = (size_t)m->columns->count;
    float *rows = base_malloc((size_t)set->count * columns * sizeof *rows);
    if (!rows)
        base_fail(error, "no memory for %d rows", set->count);
    for (int i = 0; rows && i < set->count; i++) {
        const float *inputs = set->values + (size_t)i * (size_t)set->channels;
        float *row = rows + (size_t)i * columns;
        if (int8)
            export_int8_row(int8, inputs, (int32_t *)(void *)row);
        else
            vision_columns_cells(m->columns, inputs, row);
    }
    return rows;
}

static float *classify_folded(const vision_model *model, const vision_images *images,
                              base_error *error)
{
    vision_model folded;
    if (!export_fold(model, &folded, error))
        return NULL;
    float *logits = classify(&folded, images, error);
    export_fold_free(&folded);
    return logits;
}

static int count_right(const export_checked *checked, const void *logits, bool integers)
{
    export_checked c = *checked;
    int right = 0;
    c.integers = integers;
    for (int i = 0; c.images->labels && i < c.images->count; i++)
        right += export_check_class(&c, logits, i) == c.images->labels[i];
    return right;
}

/* ---- the file ---- */

/* What a network's file is made from, and held against. */
typedef struct work {
    const request *r;
    const vision_model *model;
    export_options options;
    vision_set set;       /* where it is needed */
    float *logits;        /* of the folder, for the test images */
    void *expected;       /* of the file */
    void *rows;           /* of a table, for the test */
    export_checked check; /* about those */
} work;

/* Training images, evenly spread. */
static bool quantise(work *w, base_error *error)
{
    int index[CALIBRATION], all = w->set.train.count;
    vision_part part = {&w->set.train, index, all < CALIBRATION ? all : CALIBRATION};
    for (int i = 0; i < part.count; i++)
        index[i] = (int)((int64_t)i * all / part.count);
    return (w->options.int8 = export_int8_new(w->model, &part, error)) != NULL;
}

/* Reads the set, and classifies its test images as the folder and as the file will. */
static bool prepare(work *w, base_error *error)
{
    const request *r = w->r;
    if (!r->int8 && !r->check)
        return true;
    if (!read_set(r, w->model, &w->set, error) || (r->int8 && !quantise(w, error)))
        return false;
    const vision_images *test = &w->set.test;
    const vision_columns *columns = w->model->columns;
    if (columns && !(w->rows = make_rows(w->model, w->options.int8, test, error)))
        return false;
    w->logits = classify(w->model, test, error);
    if (r->int8)
        w->expected = classify_int8(w->options.int8, w->model->classes, test, w->rows,
                                    columns ? (size_t)columns->count : 0, error);
    else
        w->expected = (r->fold ? classify_folded : classify)(w->model, test, error);
    w->check = (export_checked){.prefix = r->prefix,
                                .header_name = w->options.header,
                                .images = test,
                                .rows = w->rows,
                                .columns = columns ? columns->count : 0,
                                .classes = w->model->classes,
                                .expected = w->expected,
                                .integers = r->int8};
    if (!w->logits || !w->expected)
        return false;
    if (test->targets) /* of which none is right or wrong */
        return true;
    w->options.measured = (export_measured){test->count, count_right(&w->check, w->logits, false),
                                            count_right(&w->check, w->expected, r->int8)};
    return true;
}

/* R2 of a regression's logits on the test rows. */
static double explained(const work *w, const void *logits, bool integers)
{
    const vision_images *rows = &w->set.test;
    const float *floats = logits;
    const int32_t *whole = logits;
    double mean, away = vision_squares_about_mean(rows->targets, NULL, rows->count, &mean);
    double squares = 0;
    for (int i = 0; i < rows->count; i++) {
        float y = integers ? (float)(whole[i] / 65536.0) : floats[i];
        double error = (double)vision_model_value(w->model, y) - (double)rows->targets[i];
        squares += error * error;
    }
    return vision_explained(squares, away);
}

/* One line of what was found; false, with an error, where a logit differs. */
static bool check(const work *w, base_error *error)
{
    const request *r = w->r;
    export_checks found;
    int count = w->set.test.count, right = w->options.measured.floats;
    if (!export_check(&w->check, &r->run, &found, error))
        return false;
    if (vision_model_is_regression(w->model))
        base_print_to(stdout, "check: %d rows, %d differ; R2 %.4f by %s, %.4f as expected of %s\n",
                      count, found.differ, explained(w, w->logits, false), r->operands[0],
                      explained(w, w->expected, r->int8), r->out);
    else
        base_print_to(
            stdout, "check: %d %s, %d differ; right: %d (%.2f %%) by %s, %d (%.2f %%) by %s\n",
            count, w->rows ? "rows" : "images", found.differ, right, 100.0 * right / count,
            r->operands[0], found.right, 100.0 * found.right / count, r->out);
    return found.differ == 0 ||
           base_fail(error, "%s: the logits of %d of %d %s are not as expected, first of number %d",
                     r->out, found.differ, count, w->rows ? "rows" : "images", found.first);
}

static bool write_files(work *w, base_error *error)
{
    const request *r = w->r;
    base_text source = {0}, header = {0};
    export_cost cost;
    bool ok = prepare(w, error) &&
              export_network(w->model, &w->options, &source, &header, &cost, error) &&
              base_file_write_together((const base_whole[]){{r->header, header.data, header.length},
                                                            {r->out, source.data, source.length}},
                                       2, error);
    if (ok) {
        const export_measured *m = &w->options.measured;
        const bool table = w->model->columns != NULL;
        printf("%s, %s: %zu bytes of weights, a buffer of %zu bytes, %lld multiply-adds %s\n",
               r->out, r->header, cost.flash, cost.ram, (long long)cost.multiply_adds,
               table ? "a row" : "an image");
        if (r->int8 && vision_model_is_regression(w->model))
            base_print_to(stdout, "R2 on %d test rows: %.4f in float, %.4f in int8\n",
                          w->set.test.count, explained(w, w->logits, false),
                          explained(w, w->expected, true));
        else if (r->int8)
            base_print_to(stdout,
                          "of %d test %s right: %d (%.2f %%) in float, %d (%.2f %%) in int8\n",
                          m->count, table ? "rows" : "images", m->floats,
                          100.0 * m->floats / m->count, m->int8, 100.0 * m->int8 / m->count);
    }
    w->check.source = &source;
    w->check.header = &header;
    ok = ok && (!r->check || check(w, error));
    base_text_free(&source);
    base_text_free(&header);
    return ok;
}

static bool write_model(const request *r, const vision_model *model, base_error *error)
{
    const char *slash = strrchr(r->header, '/');
    work w = {.r = r,
              .model = model,
              .options = {.prefix = r->prefix,
                          .header = slash ? slash + 1 : r->header,
                          .command = r->command,
                          .fold = r->fold}};
    bool ok = write_files(&w, error);
    export_int8_free(w.options.int8);
    base_free(w.logits);
    base_free(w.expected);
    base_free(w.rows);
    vision_set_free(&w.set);
    return ok;
}

static bool write_network_onnx(const request *r, const vision_model *model, base_error *error)
{
    base_text file = {0};
    bool ok = export_network_onnx(model, &file, error) && export_write_text(r->onnx, &file, error);
    if (ok)
        tell("%s: %zu bytes\n", r->onnx, file.length);
    base_text_free(&file);
    return ok;
}

static bool export_folder(const request *r, base_error *error)
{
    vision_model model;
    tensor_context *ctx = tensor_context_open(1, error);
    bool ok = ctx && vision_model_load(&model, ctx, r->operands[0], error);
    if (ok) {
        ok = (!r->out || write_model(r, &model, error)) &&
             (!r->onnx || write_network_onnx(r, &model, error));
        vision_model_free(&model);
    }
    tensor_context_free(ctx);
    return ok;
}

/* ---- the command ---- */

static void note_command(request *r, int argc, char **argv)
{
    base_text line = {0};
    base_text_print(&line, "phoenix");
    for (int i = 0; i < argc; i++) {
        base_text_print(&line, " ");
        base_text_add_word(&line, argv[i]);
    }
    snprintf(r->command, sizeof r->command, "%s", line.failed ? "" : line.data);
    base_text_free(&line);
}

/* Or is not given. */
static bool ends_in(const char *path, const char *ending)
{
    size_t length = path ? strlen(path) : 0, end = strlen(ending);
    return !path ||
           (length > end && length < EXPORT_LONGEST && strcmp(path + length - end, ending) == 0);
}

static bool may_be_included(const char *header)
{
    const char *slash = strrchr(header, '/'), *name = slash ? slash + 1 : header;
    for (; *name; name++)
        if (*name == '"' || *name == '\\' || (unsigned char)*name < ' ')
            return false;
    return true;
}

/* t5: the folder of one; NULL: MODEL is a network's. */
static int write_what(request *r, const char *t5)
{
    if (t5 && (r->fold || r->task > 0 || r->run.data))
        return complain(EXIT_USAGE, "%s is a T5: --fold, --task and --data are for networks",
                        r->operands[0]);
    if (t5 && !r->check && !r->int8 && (r->operands[1] || r->lines || r->most))
        return complain(EXIT_USAGE, "a TEXT, --lines and --max-tokens are for --check and --int8");
    if (!t5 && (r->weights || r->operands[1] || r->lines || r->most))
        return complain(EXIT_USAGE, "--weights, --lines, --max-tokens and a TEXT are for a T5");
    if (!r->prefix)
        r->prefix = t5 ? "t5" : "net";
    base_error error;
    if (r->out && !may_be_included(r->header))
        return complain(EXIT_USAGE,
                        "--out %s: the C file includes its header by its name, which may have no "
                        "quote, backslash or control character",
                        r->out);
    bool ok = t5 ? export_t5_folder(r, t5, &error) : export_folder(r, &error);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "%s", error.text);
}

int command_export(int argc, char **argv)
{
    static request r;
    const command_values values = {.own = &r, .run = &r.run, .operands = r.operands};
    int code = command_read(&command, &values, argc, argv);
    if (code >= 0)
        return code;
    if (!r.out && !r.onnx)
        return complain(EXIT_USAGE, "--out FILE.c or --onnx FILE.onnx was expected");
    if (!ends_in(r.out, ".c") || !ends_in(r.onnx, ".onnx"))
        return complain(EXIT_USAGE, "%s: a name that ends in %s was expected",
                        ends_in(r.out, ".c") ? r.onnx : r.out,
                        ends_in(r.out, ".c") ? ".onnx" : ".c");
    if (!r.out && (r.check || r.int8 || r.weights))
        return complain(EXIT_USAGE,
                        "--int8, --check and --weights: are for a C file, --out FILE.c");
    if (r.out) {
        size_t length = strlen(r.out);
        memcpy(r.header, r.out, length + 1);
        r.header[length - 1] = 'h';
    }
    if (r.weights && (strcmp(r.weights, r.out) == 0 || strcmp(r.weights, r.header) == 0))
        return complain(EXIT_USAGE, "--weights %s: is the name of the C file or its header",
                        r.weights);
    note_command(&r, argc, argv);
    const char *model = r.operands[0];
    char *t5 = has_network(model) ? NULL : t5_folder(model);
    code = write_what(&r, t5);
    base_free(t5);
    return code;
}
