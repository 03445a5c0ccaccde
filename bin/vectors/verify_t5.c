/* SPDX-License-Identifier: MIT */
/* verify_t5.c -- a T5 against Hugging Face's: a folder of weights, inputs and what came of them.
 *
 * One forward and one backward pass give every number of io.safetensors. The batch is laid out
 * padded, as it was there, so that the numbers at padded positions are compared as well. The bounds
 * are those that the vectors' description suggests. */
#include "bin/vectors/verify_case.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double STATE_BOUND = 1e-4, LOSS_BOUND = 1e-5, GRADIENT_BOUND = 1e-6,
                    GRADIENT_RELATIVE_BOUND = 1e-3;

/* ---- Lines ---- */

void verify_report(const verify_case *v, double error, double tolerance, const char *format, ...)
{
    verify_line line = {.error = error, .tolerance = tolerance, .ok = error <= tolerance};
    va_list arguments;
    va_start(arguments, format);
    base_print_list(line.name, sizeof line.name, format, arguments);
    va_end(arguments);
    v->report(v->user, &line);
}

bool verify_failure(const verify_case *v, const char *name, const char *format, ...)
{
    verify_line line = {.error = INFINITY};
    va_list arguments;
    va_start(arguments, format);
    base_print_list(line.note, sizeof line.note, format, arguments);
    va_end(arguments);
    snprintf(line.name, sizeof line.name, "%s", name);
    v->report(v->user, &line);
    return false;
}

/* ---- The batch ---- */

/* A tensor of integers (rows, columns), each low .. high or `other`. NULL: error is set. */
static int *read_ids(const verify_case *v, const char *name, int64_t high, int64_t other, int *rows,
                     int *columns, base_error *error)
{
    const nn_safetensors_entry *entry = nn_safetensors_find(v->io, name);
    if (!entry || entry->rank != 2 || entry->dtype < NN_I64 || entry->count < 1 ||
        entry->count > INT_MAX) {
        base_fail(error, "%s/io.safetensors: expected \"%s\", integers of two dimensions",
                  v->folder, name);
        return NULL;
    }
    *rows = (int)entry->shape[0];
    *columns = (int)entry->shape[1];
    int *ids = base_malloc(entry->count * sizeof *ids);
    if (!ids) {
        base_fail(error, "%s: no memory for %zu ids", v->folder, entry->count);
        return NULL;
    }
    for (size_t i = 0; i < entry->count; i++) {
        int64_t id = nn_safetensors_int(entry, i);
        if ((id < 0 || id > high) && id != other) {
            base_fail(error,
                      "%s/io.safetensors: \"%s\" element %zu is %" PRId64
                      ", expected 0 .. %" PRId64,
                      v->folder, name, i, id, high);
            base_free(ids);
            return NULL;
        }
        ids[i] = (int)id;
    }
    return ids;
}

/* How many ones stand at the start of a mask and nowhere else in it; 0 if it is no such mask. */
static int ones(const int *mask, int count)
{
    int valid = 0;
    while (valid < count && mask[valid] == 1)
        valid++;
    for (int i = valid; i < count; i++)
        if (mask[i] != 0)
            return 0;
    return valid;
}

static bool add_rows(verify_case *v, const int *input, const int *mask, const int *labels, int B,
                     int S, int T, base_error *error)
{
    for (int b = 0; b < B; b++) {
        int valid = ones(mask + (size_t)b * (size_t)S, S);
        if (valid == 0)
            return base_fail(error,
                             "%s/io.safetensors: \"attention_mask\" row %d is not ones and then "
                             "zeros",
                             v->folder, b);
        if (!t5_batch_add(&v->batch, input + (size_t)b * (size_t)S, S,
                          labels + (size_t)b * (size_t)T, T))
            return base_fail(error, "%s: no memory for the batch", v->folder);
        v->batch.source[b].valid = valid;
    }
    return true;
}

static bool read_batch(verify_case *v, base_error *error)
{
    int64_t V = t5_model_config(v->model)->vocab_size;
    int B[3], S, mask_S, T;
    int *input = read_ids(v, "input_ids", V - 1, 0, &B[0], &S, error);
    int *mask = input ? read_ids(v, "attention_mask", 1, 0, &B[1], &mask_S, error) : NULL;
    int *labels = mask ? read_ids(v, "labels", V - 1, -100, &B[2], &T, error) : NULL;
    bool good = labels != NULL;
    if (good && (B[0] != B[1] || B[0] != B[2] || S != mask_S))
        good = base_fail(error,
                         "%s/io.safetensors: the shapes of \"input_ids\", \"attention_mask\" and "
                         "\"labels\" do not fit together",
                         v->folder);
    good = good && add_rows(v, input, mask, labels, B[0], S, T, error);
    base_free(input);
    base_free(mask);
    base_free(labels);
    return good;
}

/* ---- One pass ---- */

typedef struct pass {
    t5_output out;
    tensor **hidden[2]; /* the encoder's and the decoder's */
    int count[2];       /* how many of each */
} pass;

static const char *const stacks[2] = {"encoder_hidden_states.", "decoder_hidden_states."};

/* What the entry's name stands for here: values, and how many; the bounds of its error. */
typedef struct quantity {
    const float *values;
    size_t count;
    double absolute, relative;
} quantity;

static quantity of_tensor(const tensor *t, double bound)
{
    return (quantity){t->val, tensor_size(t), bound, 0};
}

static quantity of_name(const verify_case *v, const pass *p, const char *name)
{
    static const char GRADIENT[] = "grad.";
    if (strcmp(name, "encoder_last_hidden_state") == 0)
        return of_tensor(p->out.encoder, STATE_BOUND);
    if (strcmp(name, "logits") == 0)
        return of_tensor(p->out.logits, STATE_BOUND);
    if (strcmp(name, "loss") == 0)
        return of_tensor(p->out.loss, LOSS_BOUND);
    if (strncmp(name, GRADIENT, strlen(GRADIENT)) == 0) {
        const tensor *t = nn_params_find(t5_model_params(v->model), name + strlen(GRADIENT));
        if (t)
            return (quantity){t->grad, tensor_size(t), GRADIENT_BOUND, GRADIENT_RELATIVE_BOUND};
    }
    for (int i = 0; i < 2; i++) {
        char known[64];
        for (int layer = 0; layer < p->count[i]; layer++) {
            snprintf(known, sizeof known, "%s%d", stacks[i], layer);
            if (strcmp(name, known) == 0)
                return of_tensor(p->hidden[i][layer], STATE_BOUND);
        }
    }
    return (quantity){0};
}

static void compare_floats(const verify_case *v, const nn_safetensors_entry *entry, quantity q)
{
    double error = 0, largest = 0;
    if (entry->count != q.count || entry->dtype > NN_F64) {
        verify_failure(v, entry->name, "expected %zu floats", q.count);
        return;
    }
    for (size_t i = 0; i < q.count; i++) {
        double theirs = (double)nn_safetensors_float(entry, i);
        double off = fabs((double)q.values[i] - theirs);
        if (!(off <= error))
            error = isnan(off) ? INFINITY : off;
        if (fabs(theirs) > largest)
            largest = fabs(theirs);
    }
    verify_report(v, error, q.absolute + q.relative * largest, "%s", entry->name);
}

static bool compare_decoder_input(const verify_case *v, base_error *error)
{
    static const char name[] = "decoder_input_ids";
    int64_t V = t5_model_config(v->model)->vocab_size;
    int B, T, different = 0;
    int *theirs = read_ids(v, name, V - 1, 0, &B, &T, error);
    int *ours = base_malloc((size_t)v->batch.target_rows * sizeof *ours);
    bool good = theirs && ours;
    if (theirs && !ours)
        base_fail(error, "%s: no memory for the decoder's input", v->folder);
    if (good && (B != v->batch.count || T != v->batch.target[0].rows)) {
        verify_failure(v, name, "expected the shape of the labels");
    } else if (good) {
        t5_decoder_input(&v->batch, ours);
        for (int i = 0; i < v->batch.target_rows; i++)
            different += ours[i] != theirs[i];
        verify_report(v, different, 0, "%s", name);
    }
    base_free(theirs);
    base_free(ours);
    return good;
}

static bool is_input(const char *name)
{
    return strcmp(name, "input_ids") == 0 || strcmp(name, "attention_mask") == 0 ||
           strcmp(name, "labels") == 0;
}

static bool compare_all(const verify_case *v, const pass *p, base_error *error)
{
    for (int i = 0; i < nn_safetensors_count(v->io); i++) {
        const nn_safetensors_entry *entry = nn_safetensors_at(v->io, i);
        quantity q = of_name(v, p, entry->name);
        if (strcmp(entry->name, "decoder_input_ids") == 0) {
            if (!compare_decoder_input(v, error))
                return false;
        } else if (q.values) {
            compare_floats(v, entry, q);
        } else if (!is_input(entry->name)) {
            verify_failure(v, entry->name, "not understood");
        }
    }
    return true;
}

/* What every case has. */
static void check_complete(const verify_case *v)
{
    static const char *const always[] = {"decoder_input_ids", "encoder_last_hidden_state", "logits",
                                         "loss"};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (!nn_safetensors_find(v->io, always[i]))
            verify_failure(v, always[i], "missing");
    const nn_params *params = t5_model_params(v->model);
    for (int i = 0; i < nn_params_count(params); i++) {
        char name[160];
        snprintf(name, sizeof name, "grad.%s", nn_params_name(params, i));
        if (!nn_safetensors_find(v->io, name))
            verify_failure(v, name, "missing");
    }
}

/* Everything of io.safetensors in one pass: hidden states of all layers are kept for it (the embedding's,
 * then each block's, so one more than there are blocks). */
static bool verify_pass(verify_case *v, base_error *error)
{
    const t5_config *config = t5_model_config(v->model);
    pass p = {.count = {config->num_layers + 1, config->num_decoder_layers + 1}};
    bool good = true;
    for (int i = 0; i < 2; i++)
        if (!(p.hidden[i] = base_calloc((size_t)p.count[i], sizeof *p.hidden[i])))
            good = base_fail(error, "%s: no memory for hidden states", v->folder);
    if (good) {
        t5_keep_hidden(v->model, p.hidden[0], p.hidden[1]);
        nn_zero_grad(t5_model_params(v->model));
        p.out = t5_forward(v->model, &v->batch, NULL, 0, 0);
        tensor_backward(p.out.loss);
        good = compare_all(v, &p, error);
        check_complete(v);
        tensor_step_end(v->ctx);
        t5_keep_hidden(v->model, NULL, NULL);
    }
    base_free(p.hidden[0]);
    base_free(p.hidden[1]);
    return good;
}

/* ---- The folder ---- */

/* A file of the folder that no one looks at may hold anything. */
static bool check_files(const verify_case *v, base_error *error)
{
    static const char *const known[] = {"config.json", "model.safetensors", "io.safetensors",
                                        "train.json",  "generate.json",     "noise.json"};
    DIR *folder = opendir(v->folder);
    if (!folder)
        return base_fail(error, "%s: %s", v->folder, strerror(errno));
    for (const struct dirent *file; (file = readdir(folder)) != NULL;) {
        bool is_known = file->d_name[0] == '.';
        for (size_t i = 0; i < sizeof known / sizeof *known && !is_known; i++)
            is_known = strcmp(file->d_name, known[i]) == 0;
        if (!is_known)
            verify_failure(v, file->d_name, "not understood");
    }
    closedir(folder);
    return true;
}

static bool open_case(verify_case *v, base_error *error)
{
    v->ctx = tensor_context_open(1, error);
    v->model = v->ctx ? t5_folder_read(v->ctx, v->folder, true, NULL, error) : NULL;
    if (!v->model)
        return false;
    t5_set_dropout(v->model, 0); /* nobody else can draw the same random numbers */
    char *path = base_file_path(v->folder, "io.safetensors");
    v->io = path ? nn_safetensors_read(path, error) : NULL;
    if (!path)
        base_fail(error, "%s: no memory", v->folder);
    base_free(path);
    return v->io && read_batch(v, error);
}

bool verify_t5_case(const char *folder, void (*report)(void *user, const verify_line *line),
                    void *user, base_error *error)
{
    verify_case v = {.report = report, .user = user, .folder = folder};
    bool good = open_case(&v, error) && check_files(&v, error) && verify_pass(&v, error) &&
                verify_train(&v, error) && verify_generate(&v, error);
    t5_batch_free(&v.batch);
    nn_safetensors_free(v.io);
    t5_model_free(v.model);
    tensor_context_free(v.ctx);
    return good;
}

/* ---- Buckets ---- */

/* One table: {"num_buckets", "max_distance", "bidirectional", "buckets"}. */
static bool verify_table(const verify_case *v, const base_json *table, const base_json *position,
                         base_error *error)
{
    int64_t buckets, most;
    const base_json *both = base_json_get(table, "bidirectional");
    const base_json *expected = base_json_get(table, "buckets");
    if (!base_json_get_int(table, "num_buckets", 4, 1 << 16, &buckets, v->folder, error) ||
        !base_json_get_int(table, "max_distance", buckets / 2 + 1, INT_MAX, &most, v->folder,
                           error))
        return false;
    bool bidirectional = both && both->kind == BASE_JSON_TRUE;
    if (!both || (!bidirectional && both->kind != BASE_JSON_FALSE) || !expected ||
        expected->kind != BASE_JSON_ARRAY || expected->length != position->length)
        return base_fail(error,
                         "%s: a table needs \"bidirectional\" and as many \"buckets\" as there are "
                         "positions",
                         v->folder);
    int different = 0;
    const base_json *bucket = expected->child;
    for (const base_json *p = position->child; p; p = p->next, bucket = bucket->next) {
        if (p->kind != BASE_JSON_NUMBER || !p->is_integer || p->integer < INT_MIN ||
            p->integer > INT_MAX)
            return base_fail(error, "%s: a \"relative_position\" is no integer", v->folder);
        int ours = t5_relative_bucket((int)p->integer, bidirectional, (int)buckets, (int)most);
        different += bucket->kind != BASE_JSON_NUMBER || bucket->number != ours;
    }
    verify_report(v, different, 0, "buckets %d to distance %d%s", (int)buckets, (int)most,
                  bidirectional ? ", bidirectional" : "");
    for (const base_json *member = table->child; member; member = member->next)
        if (strcmp(member->name, "num_buckets") != 0 && strcmp(member->name, "max_distance") != 0 &&
            member != both && member != expected)
            verify_failure(v, member->name, "not understood");
    return true;
}

static bool verify_tables(const verify_case *v, const base_json *json, base_error *error)
{
    const base_json *position = base_json_get(json, "relative_position");
    const base_json *tables = base_json_get(json, "tables");
    if (!position || position->kind != BASE_JSON_ARRAY || position->length == 0 || !tables ||
        tables->kind != BASE_JSON_ARRAY || tables->length == 0)
        return base_fail(error, "%s: expected lists \"relative_position\" and \"tables\"",
                         v->folder);
    for (const base_json *table = tables->child; table; table = table->next)
        if (!verify_table(v, table, position, error))
            return false;
    for (const base_json *member = json->child; member; member = member->next)
        if (member != position && member != tables && strcmp(member->name, "note") != 0)
            verify_failure(v, member->name, "not understood");
    return true;
}

bool verify_buckets(const char *path, void (*report)(void *user, const verify_line *line),
                    void *user, base_error *error)
{
    verify_case v = {.report = report, .user = user, .folder = path};
    base_json *json = base_json_read(path, VERIFY_MOST_JSON, error);
    bool good = json && verify_tables(&v, json, error);
    base_json_free(json);
    return good;
}
