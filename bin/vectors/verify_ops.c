/* SPDX-License-Identifier: MIT */
/* verify_ops.c -- operators and optimizers against nn_ops.json and nn_ops.safetensors.
 *
 * The JSON lists cases: an op, its attributes, the names of its tensors. For each the op is run on
 * the in.* and param.* tensors, and all that is listed as out.* or grad.* is compared. A case fails
 * if anything about it was not used: an attribute not read, an input not taken, an expected tensor
 * not made. So a file that asks for more than this program knows cannot pass by accident.
 *
 * Whatever goes wrong in a case, the tensor library's failures included, ends that case alone, by a
 * longjmp to its beginning. All it allocated hangs off two contexts: `ctx` for the op, and `data`,
 * whose step memory is never reset, for its inputs and what it gave. */
#include "bin/vectors/verify_trial.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void verify_give_up(verify_trial *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    base_print_list(t->line->note, sizeof t->line->note, format, arguments);
    va_end(arguments);
    longjmp(t->end, 1);
}

/* The tensor library's failure handler: a shape that an op refuses ends the case. */
static void on_failure(void *user, const char *operation, const char *message)
{
    verify_give_up(user, "%s: %s", operation, message);
}

/* ---- attributes ---- */

/* Whatever was looked at is noted, so that compare_all() can name what was not. */
void verify_use(verify_trial *t, const base_json *thing)
{
    for (int i = 0; i < t->used_count; i++)
        if (t->used[i] == thing)
            return;
    if (t->used_count == VERIFY_MOST_USED)
        verify_give_up(t, "has more attributes and tensors than any op");
    t->used[t->used_count++] = thing;
}

static bool is_used(const verify_trial *t, const base_json *thing)
{
    for (int i = 0; i < t->used_count; i++)
        if (t->used[i] == thing)
            return true;
    return false;
}

const base_json *verify_attribute(verify_trial *t, const char *name)
{
    const base_json *member = base_json_get(t->attrs, name);
    if (member)
        verify_use(t, member);
    return member;
}

double verify_number(verify_trial *t, const char *name, double otherwise)
{
    const base_json *member = verify_attribute(t, name);
    if (!member)
        return otherwise;
    if (member->kind != BASE_JSON_NUMBER)
        verify_give_up(t, "attribute %s is no number", name);
    return member->number;
}

int verify_integer(verify_trial *t, const char *name, int otherwise)
{
    double x = verify_number(t, name, otherwise);
    if (!(x >= INT_MIN && x <= INT_MAX && x == floor(x)))
        verify_give_up(t, "attribute %s is %g, expected a whole number", name, x);
    return (int)x;
}

void verify_only_number(verify_trial *t, const char *name, double value)
{
    double x = verify_number(t, name, value);
    if (x != value)
        verify_give_up(t, "attribute %s is %g: not implemented but for %g", name, x, value);
}

void verify_only_word(verify_trial *t, const char *name, const char *word)
{
    const base_json *member = verify_attribute(t, name);
    if (member && (member->kind != BASE_JSON_STRING || strcmp(member->string, word) != 0))
        verify_give_up(t, "attribute %s: not implemented but for \"%s\"", name, word);
}

/* ---- tensors of the file ---- */

/* A tensor counts only if the case lists it: the file may hold those of all cases. */
const nn_safetensors_entry *verify_find(verify_trial *t, const char *name)
{
    char full[256];
    snprintf(full, sizeof full, "%s%s", t->prefix, name);
    for (const base_json *listed = t->tensors->child; listed; listed = listed->next)
        if (listed->kind == BASE_JSON_STRING && strcmp(listed->string, full) == 0) {
            verify_use(t, listed);
            const nn_safetensors_entry *entry = nn_safetensors_find(t->file, full);
            if (!entry)
                verify_give_up(t, "%s is not in the safetensors file", name);
            return entry;
        }
    return NULL;
}

const nn_safetensors_entry *verify_need(verify_trial *t, const char *name)
{
    const nn_safetensors_entry *entry = verify_find(t, name);
    if (!entry)
        verify_give_up(t, "%s is not listed", name);
    return entry;
}

int verify_dimension(verify_trial *t, const nn_safetensors_entry *entry, int axis)
{
    if (entry->shape[axis] < 1 || entry->shape[axis] > INT_MAX)
        verify_give_up(t, "%s: dimension %d is beyond what can be computed with", entry->name,
                       axis);
    return (int)entry->shape[axis];
}

/* The product of dimensions first .. end-1. */
int verify_product(verify_trial *t, const nn_safetensors_entry *entry, int first, int end)
{
    int64_t all = 1;
    for (int i = first; i < end; i++) {
        all *= verify_dimension(t, entry, i);
        if (all > INT_MAX)
            verify_give_up(t, "%s is too large", entry->name);
    }
    return (int)all;
}

float *verify_values(verify_trial *t, const nn_safetensors_entry *entry)
{
    float *values = tensor_step_memory(t->data, (entry->count + 1) * sizeof(float));
    for (size_t i = 0; i < entry->count; i++)
        values[i] = nn_safetensors_float(entry, i);
    return values;
}

int *verify_integers(verify_trial *t, const nn_safetensors_entry *entry)
{
    int *values = tensor_step_memory(t->data, (entry->count + 1) * sizeof(int));
    for (size_t i = 0; i < entry->count; i++) {
        int64_t x = nn_safetensors_int(entry, i);
        if (x < INT_MIN || x > INT_MAX)
            verify_give_up(t, "%s holds a number beyond int", entry->name);
        values[i] = (int)x;
    }
    return values;
}

void verify_make(verify_trial *t, const char *kind, const char *name, const float *values,
                 size_t count, double tolerance)
{
    if (t->made_count == VERIFY_MOST_MADE)
        verify_give_up(t, "makes more tensors than any op");
    verify_made *m = &t->made[t->made_count++];
    snprintf(m->name, sizeof m->name, "%s.%s", kind, name);
    m->values = values;
    m->count = count;
    m->tolerance = tolerance;
}

/* The values of a listed tensor as a leaf of that shape. Its gradient, where one is wanted, will be
 * compared with grad.<name>, name being what stands behind "in." or "param.". */
tensor *verify_leaf(verify_trial *t, const char *name, int rank, const int *dim, bool gradient)
{
    const nn_safetensors_entry *entry = verify_need(t, name);
    tensor *x = tensor_step_memory(t->data, sizeof *x);
    float *grad = NULL;
    if (gradient) {
        grad = tensor_step_memory(t->data, (entry->count + 1) * sizeof *grad);
        memset(grad, 0, entry->count * sizeof *grad);
        verify_make(t, "grad", strchr(name, '.') + 1, grad, entry->count, VERIFY_TOLERANCE);
    }
    tensor_leaf(x, t->ctx, rank, dim, verify_values(t, entry), grad);
    if (tensor_size(x) != entry->count)
        verify_give_up(t, "%s has %zu elements, expected %zu", name, entry->count, tensor_size(x));
    return x;
}

tensor *verify_natural(verify_trial *t, const char *name, bool gradient)
{
    const nn_safetensors_entry *entry = verify_need(t, name);
    int dim[TENSOR_MAX_RANK];
    if (entry->rank > TENSOR_MAX_RANK)
        verify_give_up(t, "%s has rank %d: not implemented beyond %d", name, entry->rank,
                       TENSOR_MAX_RANK);
    for (int i = 0; i < entry->rank; i++)
        dim[i] = verify_dimension(t, entry, i);
    return verify_leaf(t, name, entry->rank, dim, gradient);
}

/* Any shape as (rows, columns): all axes but the last are rows. columns 0: as many as the last axis has. */
tensor *verify_rows(verify_trial *t, const char *name, int columns)
{
    const nn_safetensors_entry *entry = verify_need(t, name);
    if (columns == 0)
        columns = entry->rank ? verify_dimension(t, entry, entry->rank - 1) : 1;
    int count = verify_product(t, entry, 0, entry->rank) / columns;
    return verify_leaf(t, name, 2, (int[]){count, columns}, true);
}

tensor *verify_row(verify_trial *t, const char *name)
{
    const nn_safetensors_entry *entry = verify_need(t, name);
    return verify_leaf(t, name, 1, (int[]){verify_product(t, entry, 0, entry->rank)}, true);
}

/* ---- a case ---- */

/* An infinite error for a NaN that was not expected, or the other way round. */
static double difference(float got, float want)
{
    if (got == want || (got != got && want != want))
        return 0;
    double error = fabs((double)got - (double)want);
    return error == error ? error : INFINITY;
}

/* The largest error of a tensor, relative to its own largest magnitude. The line keeps the tensor that is
 * worst: one that fails before one that passes, then by the share of its tolerance that is used up. */
static void compare(verify_trial *t, const verify_made *m, const nn_safetensors_entry *entry)
{
    if (m->count != entry->count)
        verify_give_up(t, "%s has %zu elements, expected %zu", m->name, m->count, entry->count);
    double error = 0, largest = 0;
    for (size_t i = 0; i < m->count; i++) {
        float want = nn_safetensors_float(entry, i);
        error = fmax(error, difference(m->values[i], want));
        if (isfinite(want))
            largest = fmax(largest, fabs((double)want));
    }
    double tolerance = m->tolerance * largest;
    verify_line *line = t->line;
    bool first = line->note[0] == '\0', ok = error <= tolerance;
    if (first || (line->ok && !ok) ||
        (line->ok == ok && error * line->tolerance > line->error * tolerance)) {
        line->error = error;
        line->tolerance = tolerance;
        line->ok = ok;
        snprintf(line->note, sizeof line->note, "%s", m->name);
    }
}

/* Everything listed as out.* or grad.* is compared; all else must have been used. */
static void compare_all(verify_trial *t)
{
    for (const base_json *listed = t->tensors->child; listed; listed = listed->next) {
        size_t length = strlen(t->prefix);
        if (listed->kind != BASE_JSON_STRING || strncmp(listed->string, t->prefix, length) != 0)
            verify_give_up(t, "lists a tensor that is not called %s...", t->prefix);
        const char *name = listed->string + length;
        if (strncmp(name, "out.", 4) != 0 && strncmp(name, "grad.", 5) != 0) {
            if (!is_used(t, listed))
                verify_give_up(t, "%s: not implemented", name);
            continue;
        }
        const verify_made *found = NULL;
        for (int i = 0; i < t->made_count; i++)
            if (strcmp(t->made[i].name, name) == 0)
                found = &t->made[i];
        if (!found)
            verify_give_up(t, "%s: not implemented", name);
        compare(t, found, verify_need(t, name));
    }
    for (const base_json *member = t->attrs ? t->attrs->child : NULL; member; member = member->next)
        if (!is_used(t, member) && strcmp(member->name, "note") != 0 &&
            strcmp(member->name, "layout") != 0 && strcmp(member->name, "objective") != 0)
            verify_give_up(t, "attribute %s: not implemented", member->name);
    if (t->line->note[0] == '\0')
        verify_give_up(t, "lists nothing to compare");
}

/* The names, the two contexts, and from here on the library's failures come to on_failure(). */
static void start(verify_trial *t)
{
    base_error error;
    t->attrs = base_json_get(t->entry, "attrs");
    t->tensors = base_json_get(t->entry, "tensors");
    if (!base_json_get_string(t->entry, "op", &t->op, "case", &error) ||
        !base_json_get_string(t->entry, "case", &t->case_name, "case", &error))
        verify_give_up(t, "%s", error.text);
    snprintf(t->line->name, sizeof t->line->name, "%s.%s", t->op, t->case_name);
    int length = snprintf(t->prefix, sizeof t->prefix, "%s.%s.", t->op, t->case_name);
    if (length >= (int)sizeof t->prefix)
        verify_give_up(t, "the names of op and case are too long");
    if (!t->attrs || t->attrs->kind != BASE_JSON_OBJECT || !t->tensors ||
        t->tensors->kind != BASE_JSON_ARRAY)
        verify_give_up(t, "expected an object called attrs and an array called tensors");
    t->ctx = tensor_context_open(1, &error);
    t->data = t->ctx ? tensor_context_open(1, &error) : NULL;
    if (!t->data)
        verify_give_up(t, "%s", error.text);
    if (!(t->params = nn_params_new(t->ctx)))
        verify_give_up(t, "no memory");
    tensor_set_failure_handler(t->ctx, on_failure, t);
    tensor_set_failure_handler(t->data, on_failure, t);
}

/* setjmp is called here alone; the trial is its caller's memory, so nothing in it is lost by the longjmp. */
static void run_case(verify_trial *t)
{
    if (setjmp(t->end) == 0) {
        start(t);
        verify_run_op(t);
        compare_all(t);
    } else {
        t->line->ok = false;
        t->line->error = INFINITY;
        t->line->tolerance = 0;
    }
    nn_optimizer_free(t->optimizer);
    nn_params_free(t->params);
    tensor_context_free(t->ctx);
    tensor_context_free(t->data);
}

/* Lines go to the caller's function. */
typedef void line_report(void *user, const verify_line *line);

static bool run_cases(const base_json *cases, const nn_safetensors *file, line_report *report,
                      void *user, base_error *error)
{
    verify_trial *t = base_malloc(sizeof *t);
    if (!t)
        return base_fail(error, "no memory");
    int number = 0;
    for (const base_json *entry = cases->child; entry; entry = entry->next) {
        verify_line line = {.ok = true};
        snprintf(line.name, sizeof line.name, "case %d of nn_ops.json", ++number);
        *t = (verify_trial){.file = file, .entry = entry, .line = &line};
        run_case(t);
        report(user, &line);
    }
    base_free(t);
    return true;
}

bool verify_ops(const char *folder, line_report *report, void *user, base_error *error)
{
    char *json_path = base_file_path(folder, "nn_ops.json");
    char *data_path = base_file_path(folder, "nn_ops.safetensors");
    base_json *json = NULL;
    nn_safetensors *file = NULL;
    bool good = (json_path && data_path) || base_fail(error, "no memory");
    good = good && (json = base_json_read(json_path, VERIFY_MOST_JSON, error)) &&
           (file = nn_safetensors_read(data_path, error));
    if (good) {
        const base_json *cases = base_json_get(json, "ops");
        good = cases && cases->kind == BASE_JSON_ARRAY && cases->length > 0
                   ? run_cases(cases, file, report, user, error)
                   : base_fail(error, "%s: expected an array called ops, not empty", json_path);
    }
    nn_safetensors_free(file);
    base_json_free(json);
    base_free(data_path);
    base_free(json_path);
    return good;
}
