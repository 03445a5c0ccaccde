/* SPDX-License-Identifier: MIT */
/* experience.c -- one table of columns, which the heading, the writer and the reader share. */
#include "evolve/search/experience.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const outcomes[SEARCH_OUTCOMES + 1] = {"fails", "worse", "same", "better", NULL};

typedef enum kind { TEXT, WHOLE, REAL, OUTCOME } kind;

/* A column has the name of its member, so that the two cannot be mixed up. */
#define COLUMN(name, kind)                              \
    {                                                   \
#name, kind, offsetof(search_outcome_row, name) \
    }
static const struct column {
    const char *name;
    kind kind;
    size_t offset;
} columns[] = {
    COLUMN(task, TEXT),       COLUMN(scope, TEXT),     COLUMN(score, TEXT),
    COLUMN(d_model, WHOLE),   COLUMN(examples, WHOLE), COLUMN(channels, WHOLE),
    COLUMN(height, WHOLE),    COLUMN(width, WHOLE),    COLUMN(classes, WHOLE),
    COLUMN(parent, TEXT),     COLUMN(child, TEXT),     COLUMN(edits, TEXT),
    COLUMN(outcome, OUTCOME), COLUMN(before, REAL),    COLUMN(after, REAL),
    COLUMN(noise, REAL),      COLUMN(flops, WHOLE),
};
enum { COLUMNS = sizeof columns / sizeof *columns, MOST_CELL = 400 };

/* A gain within the noise is none, and exactly 0 is none whatever the noise is. A candidate that was
 * stopped is worse: it was stopped because its lower bound had reached the score to beat. */
search_outcome search_outcome_of(double before, double after, double noise, bool stopped)
{
    if (isnan(after))
        return SEARCH_FAILS;
    if (stopped)
        return SEARCH_IS_WORSE;
    double gain = before - after;
    if (gain == 0 || fabs(gain) <= noise)
        return SEARCH_IS_SAME;
    return gain > 0 ? SEARCH_IS_BETTER : SEARCH_IS_WORSE;
}

/* ---- writing ---- */

void search_experience_print(const search_outcome_row *row, base_text *lines)
{
    for (int i = 0; i < COLUMNS; i++) {
        const void *at = (const char *)row + columns[i].offset;
        base_text_print(lines, "%s", i ? "," : "");
        switch (columns[i].kind) {
        case TEXT:
            base_text_print(lines, "%s", *(const char *const *)at);
            break;
        case WHOLE:
            base_text_print(lines, "%" PRId64, *(const int64_t *)at);
            break;
        case REAL:
            if (isfinite(*(const double *)at))
                base_text_print(lines, "%.6g", *(const double *)at);
            break;
        case OUTCOME:
            base_text_print(lines, "%s", outcomes[*(const search_outcome *)at]);
            break;
        }
    }
    base_text_print(lines, "\n");
}

static void print_heading(base_text *text)
{
    for (int i = 0; i < COLUMNS; i++)
        base_text_print(text, "%s%s", i ? "," : "", columns[i].name);
    base_text_print(text, "\n");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Equal lines lie side by side when all are sorted. The line feeds of `lines` become NULs on the way. */
int search_experience_file(base_text *lines, base_text *file)
{
    int count = 0, kept = 0;
    for (size_t i = 0; i < lines->length; i++)
        count += lines->data[i] == '\n';
    const char **line = base_malloc(((size_t)count + 1) * sizeof *line);
    file->failed = file->failed || lines->failed || !line;
    if (file->failed) {
        base_free(line);
        return 0;
    }
    char *at = lines->data;
    for (int i = 0; i < count; i++) {
        line[i] = at;
        at = strchr(at, '\n');
        *at++ = '\0';
    }
    qsort(line, (size_t)count, sizeof *line, by_text);
    print_heading(file);
    for (int i = 0; i < count; i++)
        if (i == 0 || strcmp(line[i - 1], line[i]) != 0) {
            base_text_print(file, "%s\n", line[i]);
            kept++;
        }
    base_free(line);
    return kept;
}

/* ---- reading ---- */

/* No comma, quote or line feed can be in a cell, so none is ever quoted. */
static bool is_text(const char *cell)
{
    return strspn(cell, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 +-_?") ==
           strlen(cell);
}

/* 18 digits fit in 63 bits. */
static bool read_whole(const char *cell, int64_t *value)
{
    const size_t digits = strspn(cell, "0123456789");
    *value = 0;
    if (digits == 0 || digits > 18 || cell[digits])
        return false;
    for (; *cell; cell++)
        *value = *value * 10 + (*cell - '0');
    return true;
}

/* An empty cell is NAN: there is no such number. */
static bool read_real(const char *cell, double *value)
{
    char *end;
    *value = *cell ? base_read_number(cell, &end) : (double)NAN;
    return !*cell || (strspn(cell, "0123456789+-.e") == strlen(cell) && !*end && isfinite(*value));
}

static bool read_cell(const struct column *column, const char *cell, void *at)
{
    search_outcome *outcome = at;
    switch (column->kind) {
    case TEXT:
        *(const char **)at = cell;
        return is_text(cell);
    case WHOLE:
        return read_whole(cell, at);
    case REAL:
        return read_real(cell, at);
    default:
        for (*outcome = 0; *outcome < SEARCH_OUTCOMES; ++*outcome)
            if (strcmp(cell, outcomes[*outcome]) == 0)
                return true;
        return false;
    }
}

/* line: its cells, without the line feed; its commas become NULs. */
static bool read_row(char *line, search_outcome_row *row, const char *origin, int number,
                     base_error *error)
{
    static const char *const expected[] = {[TEXT] = "letters, digits and \" +-_?\"",
                                           [WHOLE] = "a whole number",
                                           [REAL] = "a number, or nothing",
                                           [OUTCOME] = "fails, worse, same or better"};
    for (int i = 0; i < COLUMNS; i++) {
        char *end = strchr(line, ',');
        if ((end != NULL) != (i + 1 < COLUMNS))
            return base_fail(error, "%s:%d: expected %d cells", origin, number, COLUMNS);
        if (end)
            *end = '\0';
        if (strlen(line) > MOST_CELL ||
            !read_cell(&columns[i], line, (char *)row + columns[i].offset))
            return base_fail(error, "%s:%d: \"%s\": expected %s, at most %d characters", origin,
                             number, columns[i].name, expected[columns[i].kind], MOST_CELL);
        line = end ? end + 1 : line;
    }
    return (isfinite(row->before) && (row->outcome == SEARCH_FAILS) == isnan(row->after)) ||
           base_fail(error, "%s:%d: expected scores before and after, as the outcome has them",
                     origin, number);
}

/* Cuts off the next line, with what spreadsheets put at its end. NULL: the text ends in it. */
static char *take_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');
    if (!end)
        return NULL;
    *text = end + 1;
    *end = '\0';
    if (end > line && end[-1] == '\r')
        end[-1] = '\0';
    return line;
}

/* The heading has to be this version's, letter for letter: columns are known by their place. */
static bool read_rows(search_experience *e, const char *origin, base_error *error)
{
    base_text heading = {0};
    char *at = e->text;
    print_heading(&heading);
    char *line = take_line(&at);
    bool ok = line && !heading.failed && strlen(line) + 1 == heading.length &&
              memcmp(line, heading.data, heading.length - 1) == 0;
    base_text_free(&heading);
    if (!ok)
        return base_fail(
            error, "%s:1: expected the heading of a file that phoenix experience wrote", origin);
    for (int number = 2; *at; number++) {
        if (!(line = take_line(&at)))
            return base_fail(error, "%s:%d: ends within a line: it is torn", origin, number);
        if (!read_row(line, &e->row[e->count++], origin, number, error))
            return false;
    }
    return true;
}

/* The bytes are kept as they are, beside the copy that is cut into cells: a run's folder gets a copy of
 * the file. */
search_experience *search_experience_read(const char *bytes, size_t size, const char *origin,
                                          base_error *error)
{
    size_t lines = 0; /* before a NUL, if there is one */
    for (size_t i = 0; i < size && bytes[i]; i++)
        lines += bytes[i] == '\n';
    if (size > SEARCH_MOST_EXPERIENCE || memchr(bytes, 0, size)) {
        base_fail(error, "%s:%zu: expected text of at most %d bytes", origin, lines + 1,
                  SEARCH_MOST_EXPERIENCE);
        return NULL;
    }
    search_experience *e = base_calloc(1, sizeof *e);
    if (!e || !(e->file = base_copy(bytes, size)) || !(e->text = base_copy(bytes, size)) ||
        !(e->row = base_calloc(lines + 1, sizeof *e->row)))
        base_fail(error, "%s: no memory", origin);
    else if (base_hash_text(bytes, size, e->hash), read_rows(e, origin, error))
        return e;
    search_experience_free(e);
    return NULL;
}

search_experience *search_experience_open(const char *path, base_error *error)
{
    size_t size;
    char *bytes = base_file_read_text(path, SEARCH_MOST_EXPERIENCE, &size, error);
    search_experience *e = bytes ? search_experience_read(bytes, size, path, error) : NULL;
    base_free(bytes);
    return e;
}

extern const char *const search_experience_lines[]; /* made from experience.csv */

search_experience *search_experience_own(base_error *error)
{
    base_text text = {0};
    for (const char *const *line = search_experience_lines; *line; line++)
        base_text_print(&text, "%s", *line);
    search_experience *e = NULL;
    if (text.failed)
        base_fail(error, "the program's own experience: no memory");
    else
        e = search_experience_read(text.data, text.length, "the program's own experience", error);
    base_text_free(&text);
    return e;
}

static bool is_of(const search_outcome_row *row, const char *scope)
{
    return strcmp(row->scope, scope) == 0;
}

void search_experience_narrow(search_experience *e, const char *scope, bool of_t5s)
{
    int own = 0, kept = 0;
    for (int i = 0; i < e->count; i++)
        own += is_of(&e->row[i], scope);
    for (int i = 0; i < e->count; i++)
        if (own > 0 ? is_of(&e->row[i], scope) : (e->row[i].d_model > 0) == of_t5s)
            e->row[kept++] = e->row[i];
    e->count = kept;
}

void search_experience_free(search_experience *e)
{
    if (!e)
        return;
    base_free(e->row);
    base_free(e->file);
    base_free(e->text);
    base_free(e);
}

/* "num_layers+ d_ff-": names end in their direction and stand between blanks. */
bool search_next_edit(const char **edits, const char **name, size_t *length, bool *up)
{
    *edits += strspn(*edits, " ");
    const size_t token = strcspn(*edits, " ");
    *name = *edits;
    *edits += token;
    if (token < 2 || ((*name)[token - 1] != '+' && (*name)[token - 1] != '-'))
        return false;
    *length = token - 1;
    *up = (*name)[token - 1] == '+';
    return true;
}
