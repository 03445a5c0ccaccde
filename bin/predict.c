/* SPDX-License-Identifier: MIT */
/* predict.c -- phoenix predict: what a trained network says of pictures.
 *
 * Pictures come from files, or with their labels from the test part of a set. They go through the
 * network by the code that measured it when it was trained, so that the accuracy on a set is the one
 * that was reported, image by image. */
#include "base/json.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/number.h"
#include "bin/command.h"
#include "evolve/task.h"
#include "vision/model.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPERANDS = 4096, AT_ONCE = 4096, BATCH = 256, SHOWN = 3 };

typedef struct request {
    const char *operands[MOST_OPERANDS]; /* the model's folder, files */
    int64_t task;                        /* of --task; 0: not given */
    bool json, confusion;
    evolve_options run;
    vision_model model;
    int batch;
    int64_t *matrix; /* [label][answer] */
} request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"task", EVOLVE_NAMED, AT(task), 0, 0, evolve_task_names, 0,
     "classify the test images of this set"},
    {"json", FLAG(json), "one JSON object per picture"},
    {"confusion", FLAG(confusion),
     "of a set, or of rows with their labels: only the confusion matrix, how often one class was "
     "taken for another"},
    {0},
};

static const command_line command = {
    .usage = "phoenix predict MODEL [FILE...] [options]",
    .about =
        "Prints what the network in folder MODEL says of pictures or rows: its class and the "
        "likeliest classes\nwith their probabilities. MODEL is a run's folder, what phoenix "
        "train left, or the folder of\nnetwork.json itself. A FILE is a PNG, PGM or PPM "
        "picture, made to fit\nwhere those of the training were, or an IDX file of images, plain "
        "or gzip-compressed, or a "
        "table's CSV file; - is standard input. --task and --data classify the test images of a "
        "set, whose\nlabels are known.",
    .own = own,
    .run = EVOLVE_OF_THREADS | EVOLVE_OF_IMAGES,
    .least_operands = 1,
    .most_operands = MOST_OPERANDS,
    .takes = FOLDER_NETWORK,
};

/* ---- what is printed ---- */

/* exp(x - largest) / sum, in double. */
static void probabilities(const float *logits, int classes, double *p)
{
    double most = (double)logits[vision_largest(logits, classes)], sum = 0;
    for (int i = 0; i < classes; i++)
        sum += p[i] = base_exp((double)logits[i] - most);
    for (int i = 0; i < classes; i++)
        p[i] /= sum;
}

static const char *name_of(const vision_model *m, int class, char number[16])
{
    if (m->names)
        return m->names[class];
    snprintf(number, 16, "%d", class);
    return number;
}

/* A picture among those of a file. */
typedef struct picture {
    const char *file;
    int index, count, label; /* label -1: not known */
    const float *logits;
    const float *target; /* of a regression: the label, a number; NULL: not known */
} picture;

/* Of a regression: "few.csv[0]: 21.5   off by 0.5: it is 21". */
static void print_number(const request *r, const picture *x, base_text *line)
{
    const double value = (double)vision_model_value(&r->model, x->logits[0]);
    if (r->json) {
        base_text_print(line, "{\"file\":");
        base_json_put_string(line, x->file, strlen(x->file));
        base_text_print(line, ",\"index\":%d,\"value\":", x->index);
        base_json_put_number(line, value);
        if (x->target) {
            base_text_print(line, ",\"label\":");
            base_json_put_number(line, (double)*x->target);
        }
        base_text_print(line, "}\n");
        return;
    }
    base_text_print(line, "%s", x->file);
    if (x->count > 1)
        base_text_print(line, "[%d]", x->index);
    base_text_print(line, ": %.6g", value);
    if (x->target)
        base_text_print(line, "   off by %.4g: it is %.6g", value - (double)*x->target,
                        (double)*x->target);
    base_text_print(line, "\n");
}

static void print_json(const request *r, const picture *x, const double *p, base_text *line)
{
    const vision_model *m = &r->model;
    char number[16];
    int class = vision_largest(x->logits, m->classes);
    const char *name = name_of(m, class, number);
    base_text_print(line, "{\"file\":");
    base_json_put_string(line, x->file, strlen(x->file));
    base_text_print(line, ",\"index\":%d,\"class\":%d,\"name\":", x->index, class);
    base_json_put_string(line, name, strlen(name));
    if (x->label >= 0)
        base_text_print(line, ",\"label\":%d", x->label);
    for (int i = 0; i < m->classes; i++) {
        base_text_print(line, i ? "," : ",\"probabilities\":[");
        base_json_put_number(line, p[i]);
    }
    base_text_print(line, "]}\n");
}

/* "seven.pgm: 7    7 99.1 %, 9 0.5 %, 1 0.2 %"; of a set, "wrong" and what it is. */
static void print_line(const request *r, const picture *x, double *p, base_text *line)
{
    const vision_model *m = &r->model;
    char number[16];
    int class = vision_largest(x->logits, m->classes);
    base_text_print(line, "%s", x->file);
    if (x->count > 1)
        base_text_print(line, "[%d]", x->index);
    base_text_print(line, ": %s   ", name_of(m, class, number));
    for (int shown = 0; shown < SHOWN && shown < m->classes; shown++) {
        int best = shown == 0 ? class : 0;
        for (int i = 0; i < m->classes && shown > 0; i++)
            if (p[i] > p[best])
                best = i;
        base_text_print(line, "%s%s %.2f %%", shown ? ", " : " ", name_of(m, best, number),
                        100 * p[best]);
        p[best] = -1;
    }
    if (x->label >= 0 && x->label != class)
        base_text_print(line, "   wrong: it is %s", name_of(m, x->label, number));
    base_text_print(line, "\n");
}

static bool print_picture(request *r, const picture *x, base_text *line)
{
    double p[VISION_MAX_CLASSES];
    if (x->label >= 0)
        r->matrix[x->label * r->model.classes + vision_largest(x->logits, r->model.classes)]++;
    if (r->confusion)
        return true;
    base_text_clear(line);
    probabilities(x->logits, r->model.classes, p);
    if (vision_model_is_regression(&r->model))
        print_number(r, x, line);
    else if (r->json)
        print_json(r, x, p, line);
    else
        print_line(r, x, p, line);
    base_text shown = {0}; /* the names are of whoever made the files */
    if (!r->json && !line->failed)
        base_text_add_visible(&shown, line->data, line->length);
    const base_text *printed = r->json ? line : &shown;
    const bool ok = !line->failed && !shown.failed &&
                    fwrite(printed->data, 1, printed->length, stdout) == printed->length;
    base_text_free(&shown);
    return ok;
}

/* ---- pictures through the network ---- */

/* Images first .. first + count - 1; index, logits: room for AT_ONCE. */
static bool classify_some(request *r, const char *file, const vision_images *images, int first,
                          int count, int *index, float *logits, base_error *error)
{
    const vision_part part = {images, index, count};
    base_text line = {0};
    base_error why;
    for (int i = 0; i < count; i++)
        index[i] = first + i;
    bool ok = vision_classify(r->model.network, &part, &r->model.normal, r->batch, logits, &why) ||
              base_fail(error, "%s, from %d on: %s", file, first, why.text);
    for (int i = 0; ok && i < count; i++) {
        const picture x = {file,
                           first + i,
                           images->count,
                           images->labels ? images->labels[first + i] : -1,
                           logits + (size_t)i * (size_t)r->model.classes,
                           images->targets ? &images->targets[first + i] : NULL};
        ok = print_picture(r, &x, &line) || base_fail(error, "standard output: cannot be written");
    }
    base_text_free(&line);
    return ok;
}

static bool classify(request *r, const char *file, const vision_images *images, base_error *error)
{
    if (!vision_model_takes(&r->model, images, file, error))
        return false;
    int *index = base_malloc(AT_ONCE * sizeof *index);
    float *logits = base_malloc(AT_ONCE * sizeof *logits * (size_t)r->model.classes);
    bool ok = (index && logits) || base_fail(error, "%s: no memory for its answers", file);
    for (int first = 0; ok && first < images->count; first += AT_ONCE) {
        int left = images->count - first;
        ok = classify_some(r, file, images, first, left < AT_ONCE ? left : AT_ONCE, index, logits,
                           error);
    }
    base_free(index);
    base_free(logits);
    return ok;
}

/* ---- sums over pictures whose labels are known ---- */

static void print_matrix(const request *r, const vision_result *result)
{
    const vision_model *m = &r->model;
    char number[16];
    int width = 5;
    for (int i = 0; i < m->classes; i++)
        if ((int)strlen(name_of(m, i, number)) > width)
            width = (int)strlen(name_of(m, i, number));
    printf("%*s  taken for\n%*s", width, "is", width, "");
    for (int i = 0; i < m->classes; i++)
        printf(" %*s", width, name_of(m, i, number));
    for (int i = 0; i < m->classes; i++) {
        printf("\n%*s", width, name_of(m, i, number));
        for (int j = 0; j < m->classes; j++)
            printf(" %*lld", width, (long long)r->matrix[i * m->classes + j]);
    }
    base_print_to(stdout, "\nright: %d of %d, %.2f %%\n", result->right, result->count,
                  100 * result->accuracy);
}

static void print_matrix_json(const request *r, const vision_result *result)
{
    int classes = r->model.classes;
    printf("{\"images\":%d,\"right\":%d,\"confusion\":[", result->count, result->right);
    for (int i = 0; i < classes; i++)
        for (int j = 0; j < classes; j++)
            printf("%s%lld%s",
                   j   ? ","
                   : i ? ",["
                       : "[",
                   (long long)r->matrix[i * classes + j], j + 1 < classes ? "" : "]");
    printf("]}\n");
}

/* Of images that were all classified. */
static vision_result sum_of(const request *r)
{
    vision_result result = {0};
    for (int i = 0; i < r->model.classes; i++)
        for (int j = 0; j < r->model.classes; j++) {
            int64_t count = r->matrix[i * r->model.classes + j];
            result.count += (int)count;
            result.right += i == j ? (int)count : 0;
        }
    result.accuracy = result.count ? (double)result.right / result.count : 0;
    return result;
}

/* R2 and the root of the mean squared error, as the training measured them. */
static bool print_fit(const request *r, const vision_images *test, base_error *error)
{
    vision_result result;
    int *index = base_malloc((size_t)test->count * sizeof *index);
    const vision_part part = {test, index, test->count};
    for (int i = 0; index && i < test->count; i++)
        index[i] = i;
    bool ok = (index || base_fail(error, "no memory for %d rows", test->count)) &&
              vision_measure(r->model.network, &part, &r->model.normal, r->batch, &result, error);
    if (ok && !r->json)
        base_print_to(stdout, "R2 %.4f, RMSE %.6g, of %d rows\n", result.accuracy,
                      sqrt(result.loss) * (double)r->model.normal.target_deviation, result.count);
    base_free(index);
    return ok;
}

/* What all of it came to, where the labels are known. The matrix begins anew then. */
static void print_sum(request *r)
{
    const vision_result result = sum_of(r);
    const size_t classes = (size_t)r->model.classes;
    if (r->confusion && r->json)
        print_matrix_json(r, &result);
    else if (r->confusion)
        print_matrix(r, &result);
    else if (!r->json)
        base_print_to(stdout, "right: %d of %d, %.2f %%\n", result.right, result.count,
                      100 * result.accuracy);
    memset(r->matrix, 0, classes * classes * sizeof *r->matrix);
}

/* ---- files ---- */

/* Rows of a table; with their labels, where the column is there. */
static bool classify_rows(request *r, const char *path, base_error *error)
{
    vision_images rows;
    char note[VISION_NOTE];
    const vision_model *m = &r->model;
    if (!vision_read_rows(&rows, path, m->columns, m->names, m->classes, note, error))
        return false;
    fputs(note, stderr);
    bool ok =
        !r->confusion || rows.labels ||
        base_fail(error, "--confusion: %s has no labels (column \"%s\")", path, m->columns->label);
    ok = ok && classify(r, path, &rows, error);
    if (ok && rows.targets)
        ok = print_fit(r, &rows, error);
    else if (ok && rows.labels && !r->confusion)
        print_sum(r);
    vision_images_free(&rows);
    return ok;
}

static bool classify_file(request *r, const char *path, base_error *error)
{
    if (r->model.columns)
        return classify_rows(r, path, error);
    vision_images images;
    vision_shape s = r->model.input;
    if (!vision_read_pictures(&images, path,
                              evolve_task_transposed(evolve_task_named(r->model.task)), error))
        return false;
    bool one = images.count == 1 && (images.channels == 1 || images.channels == 3);
    bool ok = !(r->model.pictures && one) ||
              vision_picture_fit(&images, s.channels, s.height, s.width, error);
    ok = ok && classify(r, path, &images, error);
    vision_images_free(&images);
    return ok;
}

/* ---- a set ---- */

static bool classify_set(request *r, base_error *error)
{
    vision_set set = {0};
    const char *name;
    const bool regression = vision_model_is_regression(&r->model);
    bool ok = evolve_task_read_for(&r->model, r->task, &r->run, &name, &set, error) &&
              classify(r, name, &set.test, error);
    if (ok && regression)
        ok = print_fit(r, &set.test, error);
    else if (ok)
        print_sum(r);
    vision_set_free(&set);
    return ok;
}

/* ---- the command ---- */

static const char no_labels[] = "--confusion: labels have to be known: of a set (--task, --data) "
                                "alone, or of the rows of a table";

/* Whether a matrix can be made of what is asked for. */
static bool has_classes(const request *r, base_error *error)
{
    return !vision_model_is_regression(&r->model) ||
           base_fail(error, "--confusion: is of classes, and %s gives numbers", r->operands[0]);
}

static bool predict(request *r, bool of_set, base_error *error)
{
    size_t classes = (size_t)r->model.classes;
    if (!(r->matrix = base_calloc(classes * classes, sizeof *r->matrix)))
        return base_fail(error, "no memory");
    bool ok = !r->confusion || has_classes(r, error);
    for (int i = 1; ok && i < MOST_OPERANDS && r->operands[i]; i++)
        ok = classify_file(r, r->operands[i], error);
    if (ok && of_set)
        ok = classify_set(r, error);
    else if (ok && r->confusion)
        print_sum(r);
    base_free(r->matrix);
    return ok && (fflush(stdout) == 0 || base_fail(error, "standard output: cannot be written"));
}

int command_predict(int argc, char **argv)
{
    static request r;
    r.run = default_options();
    const command_values values = {.own = &r, .run = &r.run, .operands = r.operands};
    int code = command_read(&command, &values, argc, argv);
    if (code >= 0)
        return code;
    const bool of_set = r.task > 0 || r.run.data, of_files = r.operands[1] != NULL;
    if (!of_set && !of_files)
        return complain(EXIT_USAGE, "FILE, --task or --data was expected");
    if (r.confusion && of_set && of_files)
        return complain(EXIT_USAGE, no_labels);
    base_error error;
    tensor_context *ctx = tensor_context_open((int)r.run.threads, &error);
    bool ok = ctx && vision_model_load(&r.model, ctx, r.operands[0], &error) &&
              vision_model_batch(&r.model, BATCH, r.operands[0], &r.batch, &error);
    const bool no_table = ok && r.confusion && of_files && !r.model.columns;
    ok = ok && !no_table && predict(&r, of_set, &error);
    vision_model_free(&r.model);
    tensor_context_free(ctx);
    if (no_table)
        return complain(EXIT_USAGE, no_labels);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "%s", error.text);
}
