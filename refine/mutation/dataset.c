/* dataset.c -- pairs of sources, in memory and as JSONL.
 *
 * A dataset is two blocks of memory: the pointers, and the text they point into. */
#include "refine/mutation/dataset.h"

#include "base/file.h"
#include "base/json.h"
#include "refine/language/language.h"
#include <stdlib.h>
#include <string.h>

/* An empty dataset with room for so many pairs. */
static bool make(mutation_dataset *dataset, size_t pairs, base_error *error)
{
    const size_t pointers = 2 * sizeof(char *);
    char **source = NULL;
    if (pairs < SIZE_MAX / pointers)
        source = malloc(pairs * pointers + 1); /* 1: malloc(0) may be NULL */
    *dataset = (mutation_dataset){.source = source};
    if (source)
        dataset->refined = source + pairs;
    return source || base_fail(error, "no memory for a dataset of %zu pairs", pairs);
}

/* Copies a string with its NUL to *text and moves that past it. Returns the copy. */
static char *put(char **text, const char *string)
{
    char *copy = *text;
    size_t size = strlen(string) + 1;
    memcpy(copy, string, size);
    *text += size;
    return copy;
}

void mutation_dataset_free(mutation_dataset *dataset)
{
    free(dataset->source);
    free(dataset->text);
    *dataset = (mutation_dataset){0};
}

/* ---- sampling ---- */

static void add_source(const mutation_mutator *mutator, const mutation_form *form, base_text *text)
{
    mutation_form_print(mutator, form, text);
    base_text_add(text, "", 1);
}

/* The text is whole and stays where it is: sources and refined ones in turn. */
static void point(mutation_dataset *dataset, size_t count, char *text)
{
    char *at = dataset->text = text;
    for (; dataset->count < count; dataset->count++) {
        dataset->source[dataset->count] = at;
        at += strlen(at) + 1;
        dataset->refined[dataset->count] = at;
        at += strlen(at) + 1;
    }
}

bool mutation_dataset_sample(mutation_dataset *dataset, const mutation_mutator *mutator,
                             uint64_t seed, uint64_t first, size_t count, base_error *error)
{
    if (count > UINT64_MAX - first)
        return base_fail(error, "dataset: %zu pairs from number %llu on, past the last number",
                         count, (unsigned long long)first);
    mutation_dataset made;
    base_text text = {0};
    if (!make(&made, count, error))
        return false;
    for (size_t i = 0; i < count && !text.failed; i++) {
        mutation_drawn pair = mutation_mutator_pair(mutator, seed, first + i);
        add_source(mutator, &pair.source, &text);
        add_source(mutator, &pair.refined, &text);
    }
    if (text.failed) {
        base_text_free(&text);
        mutation_dataset_free(&made);
        return base_fail(error, "no memory for a dataset of %zu pairs", count);
    }
    point(&made, count, text.data);
    *dataset = made;
    return true;
}

/* ---- JSONL ---- */

void mutation_dataset_print(const char *source, const char *refined, base_text *text)
{
    base_text_print(text, "{\"source\": ");
    base_json_put_string(text, source, strlen(source));
    base_text_print(text, ", \"refined\": ");
    base_json_put_string(text, refined, strlen(refined));
    base_text_print(text, "}\n");
}

bool mutation_dataset_write(const mutation_dataset *dataset, const char *path, base_error *error)
{
    base_text text = {0};
    for (size_t i = 0; i < dataset->count && !text.failed; i++)
        mutation_dataset_print(dataset->source[i], dataset->refined[i], &text);
    base_bytes whole = {text.data, text.length};
    bool ok = text.failed
                  ? base_fail(error, "%s: no memory to write %zu pairs", path, dataset->count)
                  : base_file_write(path, &whole, 1, NULL, error);
    base_text_free(&text);
    return ok;
}

/* One string member of a line's object. */
static bool get_source(const base_json *object, const char *name, const char **source,
                       const char *origin, base_error *error)
{
    if (!base_json_get_string(object, name, source, origin, error))
        return false;
    size_t length = strlen(*source); /* a NUL inside was refused as no string */
    if (length > LANGUAGE_MAX_SOURCE)
        return base_fail(error, "%s: \"%s\" has %zu bytes, expected at most %d", origin, name,
                         length, LANGUAGE_MAX_SOURCE);
    return true;
}

static bool read_line(mutation_dataset *dataset, char **text, const char *line, size_t length,
                      const char *origin, base_error *error)
{
    if (length > MUTATION_MAX_DATASET_LINE)
        return base_fail(error, "%s: the line has %zu bytes, expected at most %zu", origin, length,
                         MUTATION_MAX_DATASET_LINE);
    base_json *object = base_json_parse(line, length, origin, error);
    if (!object)
        return false;
    const char *source, *refined;
    bool ok = get_source(object, "source", &source, origin, error) &&
              get_source(object, "refined", &refined, origin, error);
    if (ok) {
        dataset->source[dataset->count] = put(text, source);
        dataset->refined[dataset->count] = put(text, refined);
        dataset->count++;
    }
    base_json_free(object);
    return ok;
}

/* How many pairs `size` bytes can hold at most: one a line, and none in fewer bytes than the pair
 * of two empty strings takes. So a file of newlines does not have memory set aside for each. */
static size_t most_pairs(const char *bytes, size_t size)
{
    static const char shortest[] = "{\"source\":\"\",\"refined\":\"\"}";
    size_t lines = 1, most = size / (sizeof shortest - 1);
    const char *end = bytes + size;
    for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
        lines++;
    return lines < most ? lines : most;
}

/* A string's text is never longer than the JSON it was written in, whose quotes pay for the NUL:
 * `size` bytes are room for the text of all lines. */
static bool read_lines(mutation_dataset *dataset, const char *bytes, size_t size, const char *path,
                       base_error *error)
{
    base_text origin = {0};
    bool ok = make(dataset, most_pairs(bytes, size), error);
    char *text = dataset->text = ok ? malloc(size + 1) : NULL;
    ok = ok && (text || base_fail(error, "%s: no memory to read it", path));
    size_t number = 1;
    for (const char *at = bytes, *end = bytes + size; ok && at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        base_text_clear(&origin);
        base_text_print(&origin, "%s, line %zu", path, number);
        ok = origin.failed ? base_fail(error, "%s: no memory to read it", path)
                           : read_line(dataset, &text, at, (size_t)(stop - at), origin.data, error);
        at = newline ? newline + 1 : end;
    }
    base_text_free(&origin);
    return ok;
}

bool mutation_dataset_read(mutation_dataset *dataset, const char *path, base_error *error)
{
    size_t size;
    char *bytes = base_file_read(path, MUTATION_MAX_DATASET_FILE, &size, error);
    if (!bytes)
        return false;
    mutation_dataset read = {0};
    bool ok = read_lines(&read, bytes, size, path, error);
    free(bytes);
    if (ok)
        *dataset = read;
    else
        mutation_dataset_free(&read);
    return ok;
}
