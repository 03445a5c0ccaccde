/* export.c -- phoenix export: a trained network as one C file and its header. */
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "bin/command.h"
#include "bin/export_check.h"
#include "evolve/task.h"
#include "export/export.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1024, BATCH = 8 };

typedef struct request {
    const char *operands[1]; /* the model's folder */
    const char *out, *prefix;
    bool fold, check;
    int64_t task; /* of --task; 0: not given */
    evolve_options run;
    char header[LONGEST]; /* out, its ending h */
    char command[4 * LONGEST];
} request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"out", TEXT(out), "the C file that is written; its header beside it (net.c, net.h)"},
    {"prefix", TEXT(prefix), "what its names begin with (net)"},
    {"fold", FLAG(fold), "fold batch norms into the convolutions before them: smaller, other bits"},
    {"check", FLAG(check), "compile the file, run it on a set's test images, compare each logit"},
    {"task", EVOLVE_NAMED, AT(task), 0, 0, evolve_task_names, 0,
     "the set of images (default: that which MODEL was trained on)"},
    {0},
};

static const command_line command = {
    .usage = "phoenix export MODEL --out FILE.c [options]",
    .about = "Writes the network in folder MODEL as one C99 file and its header, which need no "
             "library: weights\nas constants, a buffer that the caller lends, the same bits as "
             "phoenix predict. MODEL is a run's\nfolder, what phoenix train left, or the folder of "
             "network.json itself.",
    .own = own,
    .run = EVOLVE_OF_EXPORT,
    .least_operands = 1,
    .most_operands = 1,
};

static bool write_text(const char *path, const base_text *text, base_error *error)
{
    const base_bytes part = {text->data, text->length};
    return base_file_write(path, &part, 1, NULL, error);
}

/* ---- the images of --check ---- */

static bool read_set(const request *r, const vision_model *model, vision_set *set,
                     base_error *error)
{
    const char *name;
    return evolve_task_read_for(model, r->task, &r->run, &name, set, error) &&
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
    free(index);
    if (ok)
        return logits;
    free(logits);
    return NULL;
}

static int count_right(const export_checked *c, const void *logits)
{
    int right = 0;
    for (int i = 0; i < c->images->count; i++)
        right += export_check_class(c, logits, i) == c->images->labels[i];
    return right;
}

/* One line of what was found; false, with an error, where a logit differs. */
static bool check(const request *r, const export_checked *checked, const float *logits,
                  base_error *error)
{
    export_checks found;
    export_checked floats = *checked;
    floats.integers = false;
    if (!export_check(checked, &r->run, &found, error))
        return false;
    int count = checked->images->count, right = count_right(&floats, logits);
    base_print_to(stdout,
                  "check: %d images, %d differ; right: %d (%.2f %%) by %s, %d (%.2f %%) by %s\n",
                  count, found.differ, right, 100.0 * right / count, r->operands[0], found.right,
                  100.0 * found.right / count, r->out);
    return found.differ == 0 ||
           base_fail(error,
                     "%s: the logits of %d of %d images are not those of %s, first of image %d",
                     r->out, found.differ, count, r->operands[0], found.first);
}

/* ---- the file ---- */

/* A network whose batch norms are folded, if they are to be. */
static bool check_network(const request *r, const vision_model *model, export_checked *checked,
                          base_error *error)
{
    vision_set set = {0};
    vision_model folded;
    bool ok = read_set(r, model, &set, error);
    float *logits = ok ? classify(model, &set.test, error) : NULL, *expected = logits;
    if (logits && r->fold) {
        expected = NULL;
        if (export_fold(model, &folded, error)) {
            expected = classify(&folded, &set.test, error);
            export_fold_free(&folded);
        }
    }
    checked->images = &set.test;
    checked->classes = model->classes;
    checked->expected = expected;
    ok = expected && check(r, checked, logits, error);
    if (expected != logits)
        free(expected);
    free(logits);
    vision_set_free(&set);
    return ok;
}

static bool write_model(const request *r, const vision_model *model, base_error *error)
{
    const char *slash = strrchr(r->header, '/');
    const export_options options = {.prefix = r->prefix,
                                    .header = slash ? slash + 1 : r->header,
                                    .command = r->command,
                                    .fold = r->fold};
    base_text source = {0}, header = {0};
    export_cost cost;
    bool ok = export_network(model, &options, &source, &header, &cost, error) &&
              write_text(r->header, &header, error) && write_text(r->out, &source, error);
    if (ok)
        printf("%s, %s: %zu bytes of weights, a buffer of %zu bytes, %lld multiply-adds an image\n",
               r->out, r->header, cost.flash, cost.ram, (long long)cost.multiply_adds);
    if (ok && r->check) {
        export_checked checked = {&source, &header, r->prefix, options.header,
                                  NULL,    0,       NULL,      false};
        ok = check_network(r, model, &checked, error);
    }
    base_text_free(&source);
    base_text_free(&header);
    return ok;
}

static bool export_folder(const request *r, base_error *error)
{
    vision_model model;
    tensor_context *ctx = tensor_context_open(1, error);
    bool ok = ctx && vision_model_load(&model, ctx, r->operands[0], error);
    if (ok) {
        ok = write_model(r, &model, error);
        vision_model_free(&model);
    }
    tensor_context_free(ctx);
    return ok;
}

static void note_command(request *r, int argc, char **argv)
{
    size_t used = (size_t)snprintf(r->command, sizeof r->command, "phoenix");
    for (int i = 0; i < argc && used < sizeof r->command; i++)
        used += (size_t)snprintf(r->command + used, sizeof r->command - used, " %s", argv[i]);
}

int command_export(int argc, char **argv)
{
    static request r = {.prefix = "net"};
    const command_values values = {.own = &r, .run = &r.run, .operands = r.operands};
    int code = command_read(&command, &values, argc, argv);
    if (code >= 0)
        return code;
    size_t length = r.out ? strlen(r.out) : 0;
    if (length < 3 || length >= LONGEST || strcmp(r.out + length - 2, ".c") != 0)
        return complain(EXIT_USAGE, "--out FILE.c was expected (phoenix export --help says more)");
    memcpy(r.header, r.out, length + 1);
    r.header[length - 1] = 'h';
    note_command(&r, argc, argv);
    base_error error;
    return export_folder(&r, &error) ? EXIT_DONE : complain(EXIT_FAILED, "%s", error.text);
}
