/* SPDX-License-Identifier: MIT */
/* table.c -- what the columns of a table are, and its rows as numbers.
 *
 * A table can tell more lies than an image: a number with a letter in it, a name where a category was
 * expected, a class that stands in one part alone. A column is one of numbers if all its cells are, of the
 * rows to train with; where most but not all are, that is a mistake in the file and not a category. */
#include "vision/table.h"

#include "base/file.h"
#include "base/guess.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/random.h"
#include "vision/images_internal.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* One row in ONE_IN is to test with; of fewer than LEAST_ROWS rows a test would say nothing. */
enum { ONE_IN = 5, LEAST_ROWS = 10 };

/* ---- cells ---- */

static const double most = 1e30; /* with room for what a network makes of it */

/* Why a number cannot stand as a float; NULL: it can. */
static const char *too_large(double number)
{
    return fabs(number) < most ? NULL : "is too large a number: less than 1e30 was expected";
}

/* An error in a cell. */
static bool wrong(const vision_csv *csv, int row, int column, const char *what, base_error *error)
{
    return base_fail(error, "%s: line %d, column \"%.60s\": \"%.60s\" %s", csv->name,
                     csv->line[row + 1], csv->cell[column], vision_csv_cell(csv, row, column),
                     what);
}

/* A cell's number as a float; what: what is wrong with one that is none. */
static bool take_number(const vision_csv *csv, int row, int column, const char *what, float *to,
                        base_error *error)
{
    double number;
    if (!vision_csv_number(csv, vision_csv_cell(csv, row, column), &number))
        return wrong(csv, row, column, what, error);
    if (too_large(number))
        return wrong(csv, row, column, too_large(number), error);
    *to = (float)number;
    return true;
}

/* A row to train or test with needs an answer: a missing one is an error, and not a class of its own. */
static bool no_label(const vision_csv *csv, int row, int column, base_error *error)
{
    return base_fail(error, "%s: line %d has no label (column \"%s\")", csv->name,
                     csv->line[row + 1], csv->cell[column]);
}

static bool no_memory(const char *name, base_error *error)
{
    return base_fail(error, "%s: no memory for its rows", name);
}

/* ---- the different texts of a column ---- */

/* Texts in order of their bytes, none twice; they are cells of the table and not copies. Room for one more than there
 * may be classes is room for every use. */
typedef struct words {
    const char *word[VISION_MAX_CLASSES + 1];
    int count, most;
} words;

/* The place of a text among sorted ones, or where it would be. */
static int place_of(const words *w, const char *text, bool *found)
{
    int low = 0, high = w->count;
    while (low < high) {
        int middle = (low + high) / 2, order = strcmp(w->word[middle], text);
        if (order == 0) {
            *found = true;
            return middle;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    *found = false;
    return low;
}

/* False: there are more than `most`. */
static bool add_word(words *w, const char *text)
{
    bool found;
    int at = place_of(w, text, &found);
    if (found)
        return true;
    if (w->count == w->most)
        return false;
    memmove(w->word + at + 1, w->word + at, (size_t)(w->count - at) * sizeof *w->word);
    w->word[at] = text;
    w->count++;
    return true;
}

/* Copies them as names, in their order, into an array that the caller has made for w->count of them. False: one is too
 * long, or no text to be shown; *bad is it. */
static bool copy_words(const words *w, char (*to)[VISION_NAME], const char **bad)
{
    for (int i = 0; i < w->count; i++) {
        if (!vision_is_name(w->word[i], strlen(w->word[i]))) {
            *bad = w->word[i];
            return false;
        }
        strcpy(to[i], w->word[i]);
    }
    return true;
}

/* ---- the numbers of a column ---- */

typedef struct span {
    double low, high, lost; /* lost: the most that a number changes when it becomes a float */
} span;

static span no_span(void) { return (span){.low = INFINITY, .high = -INFINITY}; }

static void span_take(span *s, double number)
{
    s->low = fmin(s->low, number);
    s->high = fmax(s->high, number);
    s->lost = fmax(s->lost, fabs(number - (double)(float)number));
}

/* Numbers that differ have to differ as floats, and their deviation to have an inverse. */
static bool check_span(const span *s, const vision_csv *csv, int column, base_error *error)
{
    const double range = s->high - s->low;
    if (!(range > 0) || (1000 * s->lost <= range && range * most >= 1))
        return true;
    return base_fail(error,
                     "%s: column \"%s\": its numbers, %.17g to %.17g, differ by less than a float "
                     "holds of them: %s",
                     csv->name, csv->cell[column], s->low, s->high,
                     range * most < 1 ? "use a smaller unit" : "take the least from each");
}

/* ---- what a column is ---- */

/* Some rows of a table: to train with, or to test with. */
typedef struct part {
    const vision_csv *csv;
    const int *row;
    int count;
} part;

/* Decides between numbers and texts. All cells are looked at before the decision, since a single text in a column of
 * numbers has to be found in whichever row it is; texts are collected as if it were a column of texts. text_row is the
 * first row with a text, for the message. A missing text needs no input of its own: none of its values is 1. */
static bool learn_column(const part *p, int column, vision_column *to, base_error *error)
{
    const vision_csv *csv = p->csv;
    const char *name = csv->cell[column], *bad;
    words w = {.most = VISION_MAX_VALUES};
    int numbers = 0, texts = 0, text_row = 0, large_row = -1;
    double number;
    span all = no_span();
    bool many = false;
    for (int i = 0; i < p->count; i++) {
        const char *cell = vision_csv_cell(csv, p->row[i], column);
        if (vision_csv_missing(cell)) {
            to->missing = true;
            continue;
        }
        bool is_number = vision_csv_number(csv, cell, &number);
        numbers += is_number;
        if (is_number && too_large(number))
            large_row = p->row[i];
        else if (is_number)
            span_take(&all, number);
        text_row = is_number || texts > 0 ? text_row : p->row[i];
        texts += !is_number;
        many = !add_word(&w, cell) || many;
    }
    strcpy(to->name, name);
    if (numbers + texts == 0)
        return base_fail(error, "%s: column \"%s\" is empty (--without \"%s\" leaves it out)",
                         csv->name, name, name);
    if (texts > 0 && numbers > texts)
        return wrong(csv, text_row, column, "is no number, as most of its column are", error);
    if (texts == 0 && large_row >= 0)
        return wrong(csv, large_row, column, too_large(most), error);
    if (texts == 0)
        return check_span(&all, csv, column, error);
    if (many)
        return base_fail(error,
                         "%s: column \"%s\" has more than %d different texts: expected numbers, or "
                         "fewer (--without \"%s\" leaves it out)",
                         csv->name, name, (int)VISION_MAX_VALUES, name);
    if (w.count >= LEAST_ROWS && 2 * w.count > texts + numbers)
        return base_fail(
            error,
            "%s: column \"%s\" has %d different texts in %d rows, as \"%.60s\": expected "
            "numbers, or texts that repeat (--without \"%s\" leaves it out)",
            csv->name, name, w.count, texts + numbers, vision_csv_cell(csv, text_row, column),
            name);
    to->missing = false;
    to->values = w.count;
    to->value = base_calloc((size_t)w.count, sizeof *to->value);
    if (!to->value)
        return no_memory(csv->name, error);
    return copy_words(&w, to->value, &bad) ||
           base_fail(error,
                     "%s: column \"%s\": \"%.60s\" has more than %d bytes or control characters "
                     "(--without \"%s\" leaves it out)",
                     csv->name, name, bad, VISION_NAME - 1, name);
}

/* Whether a name is one of a list between commas. */
bool vision_is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    while (list && *list) {
        size_t word = strcspn(list, ",");
        if (word == length && memcmp(list, name, length) == 0)
            return true;
        list += word + (list[word] == ',');
    }
    return false;
}

/* Each of --without's words has to be a column. */
static bool check_without(const vision_csv *csv, const char *list, base_error *error)
{
    while (list && *list) {
        size_t word = strcspn(list, ",");
        bool found = false;
        for (int i = 0; i < csv->columns; i++)
            found = found || (strlen(csv->cell[i]) == word && !memcmp(csv->cell[i], list, word));
        if (!found)
            return base_fail(error, "%s: --without %s: there is no column called that", csv->name,
                             list);
        list += word + (list[word] == ',');
    }
    return true;
}

/* A column's name goes into network.json and into messages, so it is held to what a class's name may be. */
static bool check_name(const vision_csv *csv, const char *name, base_error *error)
{
    return vision_is_name(name, strlen(name)) ||
           base_fail(error,
                     "%s: line %d: column \"%.60s\" has more than %d bytes in its name, or control "
                     "characters",
                     csv->name, csv->line[0], name, VISION_NAME - 1);
}

/* A regression's numbers of the rows to train with have to differ; those that are none are told of when they are
 * read. */
static bool check_targets(const part *p, int label, base_error *error)
{
    span all = no_span();
    double number;
    for (int i = 0; i < p->count; i++)
        if (vision_csv_number(p->csv, vision_csv_cell(p->csv, p->row[i], label), &number))
            span_take(&all, number);
    if (all.low == all.high)
        return base_fail(error, "%s: column \"%s\" is %.17g in each row: nothing to learn",
                         p->csv->name, p->csv->cell[label], all.low);
    return check_span(&all, p->csv, label, error);
}

/* Only of the rows to train with (p): what a network knows must not come from what it is tested on. */
static bool learn_columns(const part *p, int label, const vision_wanted *wanted, vision_columns *to,
                          base_error *error)
{
    const vision_csv *csv = p->csv;
    strcpy(to->label, csv->cell[label]);
    to->column = base_calloc((size_t)csv->columns, sizeof *to->column);
    if (!to->column)
        return no_memory(csv->name, error);
    if (to->numbers && !check_targets(p, label, error))
        return false;
    for (int i = 0; i < csv->columns; i++) {
        if (i == label || !*csv->cell[i] || vision_is_listed(wanted->without, csv->cell[i]))
            continue;
        vision_column *c = &to->column[to->count++];
        if (!check_name(csv, csv->cell[i], error) || !learn_column(p, i, c, error))
            return false;
        to->inputs += vision_column_inputs(c);
        if (to->inputs > VISION_MAX_INPUTS)
            return base_fail(error, "%s: its columns make more than %d inputs", csv->name,
                             (int)VISION_MAX_INPUTS);
    }
    return to->inputs > 0 || base_fail(error, "%s: has no column beside the label's", csv->name);
}

/* ---- rows ---- */

/* Where a network's columns are in a table. */
typedef struct mapping {
    const vision_columns *columns;
    int *at;
    int unseen; /* cells with a text that the training had not */
    int unseen_row, unseen_column;
} mapping;

/* By name: a table whose columns stand in another order, or that has more of them, is read as well. */
static bool map_columns(mapping *m, const vision_columns *columns, const vision_csv *csv,
                        base_error *error)
{
    *m = (mapping){.columns = columns,
                   .at = base_malloc(((size_t)columns->count + 1) * sizeof *m->at)};
    if (!m->at)
        return no_memory(csv->name, error);
    for (int i = 0; i < columns->count; i++)
        if ((m->at[i] = vision_csv_find(csv, columns->column[i].name)) < 0)
            return base_fail(error, "%s: has no column \"%s\", which the network takes", csv->name,
                             columns->column[i].name);
    return true;
}

/* One cell to the inputs of its column. A missing number is NAN: the mean, when it is normalised. A text
 * that the training has not met counts as missing, and the first such cell is kept for the note. */
static bool encode(mapping *m, const vision_csv *csv, int row, int i, float *to, base_error *error)
{
    const vision_column *c = &m->columns->column[i];
    const char *cell = vision_csv_cell(csv, row, m->at[i]);
    bool missing = vision_csv_missing(cell), found = false;
    if (c->values == 0) {
        to[0] = NAN;
        if (!missing && !take_number(csv, row, m->at[i], "is no number", to, error))
            return false;
        if (c->missing)
            to[1] = missing;
        return true;
    }
    for (int v = 0; v < c->values; v++) {
        bool same = strcmp(c->value[v], cell) == 0;
        to[v] = same;
        found = found || same;
    }
    if (!found && !missing && m->unseen++ == 0)
        m->unseen_row = row, m->unseen_column = m->at[i];
    return true;
}

/* rows->values is (count, inputs): a row's inputs stand in the order of the network's columns, those of a column of
 * texts side by side, one of them 1 (one-hot). */
static bool encode_rows(mapping *m, const part *p, vision_images *rows, base_error *error)
{
    const vision_columns *columns = m->columns;
    size_t inputs = (size_t)columns->inputs;
    if ((size_t)p->count > VISION_MAX_BYTES / sizeof(float) / inputs)
        return base_fail(error,
                         "%s: %d rows of %zu numbers are more than the %zu bytes expected at most",
                         p->csv->name, p->count, inputs, VISION_MAX_BYTES);
    *rows = (vision_images){.count = p->count, .channels = columns->inputs};
    rows->values = base_malloc((size_t)p->count * inputs * sizeof *rows->values);
    if (!rows->values)
        return no_memory(p->csv->name, error);
    float *to = rows->values;
    for (int r = 0; r < p->count; r++)
        for (int i = 0; i < columns->count; i++) {
            if (!encode(m, p->csv, p->row[r], i, to, error))
                return false;
            to += vision_column_inputs(&columns->column[i]);
        }
    return true;
}

/* ---- labels ---- */

/* A label's value as a number, if it is one: 10 stands behind 9 then, and not behind 1. */
static bool number_order(const char *text, double *value)
{
    char *end;
    size_t length = strlen(text);
    *value = base_read_number(text, &end);
    return strspn(text, "0123456789+-.eE") == length && end == text + length && length > 0;
}

static int by_value(const void *a, const void *b)
{
    double x, y;
    number_order(a, &x);
    number_order(b, &y);
    return x != y ? (x > y) - (x < y) : strcmp(a, b);
}

/* Few rows of each of many numbers: prices, or ages, and no classes. */
static bool seem_measured(int different, int rows)
{
    return different > 20 && rows < 10 * different;
}

/* The classes: all values of the label's column, of numbers in their order, else by bytes. */
static bool name_classes(const vision_csv *const *csv, const int *label, int parts, bool guessed,
                         vision_set *set, base_error *error)
{
    words w = {.most = VISION_MAX_CLASSES};
    const char *bad;
    double value;
    bool numbers = true;
    int rows = 0;
    for (int p = 0; p < parts; rows += csv[p++]->rows)
        for (int r = 0; r < csv[p]->rows; r++) {
            const char *cell = vision_csv_cell(csv[p], r, label[p]);
            if (vision_csv_missing(cell))
                return no_label(csv[p], r, label[p], error);
            if (!add_word(&w, cell))
                return base_fail(
                    error,
                    "%s: line %d: label \"%.60s\" is the %dth different one in column "
                    "\"%.60s\": expected at most %d classes (--task regression answers "
                    "with numbers)",
                    csv[p]->name, csv[p]->line[r + 1], cell, VISION_MAX_CLASSES + 1,
                    csv[p]->cell[label[p]], (int)VISION_MAX_CLASSES);
        }
    if (w.count < 2)
        return base_fail(error, "%s: column \"%s\" has 1 value, expected at least 2 classes",
                         csv[0]->name, csv[0]->cell[label[0]]);
    set->names = base_calloc((size_t)w.count, sizeof *set->names);
    if (!set->names)
        return no_memory(csv[0]->name, error);
    if (!copy_words(&w, set->names, &bad))
        return base_fail(error, "%s: label \"%.60s\" has more than %d bytes or control characters",
                         csv[0]->name, bad, VISION_NAME - 1);
    for (int i = 0; i < w.count; i++)
        numbers = numbers && number_order(set->names[i], &value);
    if (numbers && guessed && seem_measured(w.count, rows))
        return base_fail(error,
                         "%s: column \"%s\" has %d different numbers in %d rows: --task regression "
                         "answers with numbers, --task table takes each for a class",
                         csv[0]->name, csv[0]->cell[label[0]], w.count, rows);
    if (numbers)
        qsort(set->names, (size_t)w.count, sizeof *set->names, by_value);
    set->train.classes = w.count;
    return true;
}

/* The number of a label's text among the names; -1: it is none. At most 256 names, so they are tried one by one. */
static int class_of(char (*names)[VISION_NAME], int classes, const char *cell)
{
    for (int i = 0; i < classes; i++)
        if (strcmp(names[i], cell) == 0)
            return i;
    return -1;
}

/* One byte a label: VISION_MAX_CLASSES is at most 256. */
static bool label_rows(const part *p, int label, char (*names)[VISION_NAME], int classes,
                       vision_images *rows, base_error *error)
{
    rows->classes = classes;
    rows->labels = base_malloc((size_t)p->count + 1);
    if (!rows->labels)
        return no_memory(p->csv->name, error);
    for (int i = 0; i < p->count; i++) {
        if (vision_csv_missing(vision_csv_cell(p->csv, p->row[i], label)))
            return no_label(p->csv, p->row[i], label, error);
        int class = class_of(names, classes, vision_csv_cell(p->csv, p->row[i], label));
        if (class < 0)
            return wrong(p->csv, p->row[i], label, "is no class that the network knows", error);
        rows->labels[i] = (unsigned char)class;
    }
    return true;
}

/* The numbers of the label's column as (count) floats, in the table's own units; vision_pixels_targets()
 * normalises them. classes is 1: a network for them ends in one number. */
static bool target_rows(const part *p, int label, vision_images *rows, base_error *error)
{
    rows->classes = 1;
    rows->targets = base_malloc(((size_t)p->count + 1) * sizeof *rows->targets);
    if (!rows->targets)
        return no_memory(p->csv->name, error);
    for (int i = 0; i < p->count; i++) {
        if (vision_csv_missing(vision_csv_cell(p->csv, p->row[i], label)))
            return no_label(p->csv, p->row[i], label, error);
        if (!take_number(p->csv, p->row[i], label, "is no number, as a regression's label is",
                         &rows->targets[i], error))
            return false;
    }
    return true;
}

/* ---- files ---- */

/* The CSV reader wants a NUL behind the text, for which an unpacked file has no room yet. */
static bool read_csv(vision_csv *csv, const char *path, base_error *error)
{
    vision_bytes bytes = {0};
    if (!vision_read_bytes(path, VISION_OF_RECORDS, &bytes, error))
        return false;
    char *text = base_realloc(bytes.data, bytes.size + 1);
    if (!text) {
        base_free(bytes.data);
        return no_memory(path, error);
    }
    text[bytes.size] = '\0';
    return vision_csv_take(csv, text, bytes.size, path, error);
}

/* The column of the label: the network's where there is one, else the one that --label names. The error
 * lists the columns that there are. */
static bool find_label(const vision_csv *csv, const vision_wanted *wanted, int *label,
                       base_error *error)
{
    base_text names = {0};
    const char *name = wanted->columns ? wanted->columns->label : wanted->label;
    if (!name)
        return base_fail(error, "%s: --label COLUMN was expected with a table", csv->name);
    *label = vision_csv_find(csv, name);
    if (*label >= 0)
        return check_name(csv, name, error);
    base_guess guess = {.word = name};
    for (int i = 0; i < csv->columns; i++) {
        base_text_print(&names, "%s%s", i ? ", " : "", csv->cell[i]);
        base_guess_offer(&guess, csv->cell[i]);
    }
    base_fail(error, "%s: has no column \"%.60s\" for the label: it has %.300s%s%s%s", csv->name,
              name, names.failed || !names.data ? "others" : names.data,
              guess.name ? "; did you mean \"" : "", guess.name ? guess.name : "",
              guess.name ? "\"?" : "");
    base_text_free(&names);
    return false;
}

/* A table, or two, on their way to a set. */
typedef struct reading {
    vision_csv csv[2];
    const vision_csv *both[2];
    int files, label[2];
    int *order; /* of the rows: those of the first part, then those of the second */
    part part[2];
    vision_columns *learnt;
} reading;

/* One row in five of a single table is to test with; else each table is a part. The draw depends on nothing but the
 * number of rows: not on the run's seed, so that all runs are measured on the same rows. */
static bool divide(reading *r, base_error *error)
{
    int rows = r->csv[0].rows, all = rows + (r->files == 2 ? r->csv[1].rows : 0);
    r->order = base_malloc((size_t)all * sizeof *r->order);
    if (!r->order)
        return no_memory(r->csv[0].name, error);
    for (int i = 0; i < all; i++)
        r->order[i] = i < rows ? i : i - rows;
    int first = rows;
    if (r->files == 1) {
        if (rows < LEAST_ROWS)
            return base_fail(error, "%s: has %d rows, expected at least %d", r->csv[0].name, rows,
                             (int)LEAST_ROWS);
        base_random random = {0, base_random_stream("table", 0, 0, 0), 0};
        base_random_shuffle(&random, r->order, (size_t)rows, sizeof *r->order);
        first = rows - rows / ONE_IN;
    }
    r->part[0] = (part){&r->csv[0], r->order, first};
    r->part[1] = (part){&r->csv[r->files - 1], r->order + first, all - first};
    return true;
}

/* The note that is printed once when a set is read: what was counted, divided or taken for missing. */
static void describe_parts(const reading *r, const vision_columns *columns, const mapping *m,
                           vision_set *set)
{
    base_text text = {0};
    base_text_print(&text,
                    "%s: %d rows to train with, %d to test with%s; %d columns make %d inputs",
                    r->csv[0].name, set->train.count, set->test.count,
                    r->files == 1 ? " (one in five)" : "", columns->count, columns->inputs);
    if (!*r->csv[0].cell[0])
        base_text_print(&text, "; the first column has no name and is left out");
    if (r->csv[0].blank > 0)
        base_text_print(&text, "; %d empty line%s", r->csv[0].blank,
                        r->csv[0].blank == 1 ? "" : "s");
    if (m->unseen > 0)
        base_text_print(
            &text,
            "; %d texts of the test are none of the training's and count as missing (line "
            "%d, column \"%s\")",
            m->unseen, r->part[1].csv->line[m->unseen_row + 1],
            r->part[1].csv->cell[m->unseen_column]);
    base_text_print(&text, "\n");
    if (!text.failed)
        base_print(set->note, sizeof set->note, "%s", text.data);
    base_text_free(&text);
}

/* Both parts as numbers, by the same columns; each part has a mapping of its own, as the columns of
 * test.csv may stand in another order. */
static bool encode_parts(reading *r, const vision_columns *columns, vision_set *set,
                         base_error *error)
{
    vision_images *rows[] = {&set->train, &set->test};
    int classes = set->train.classes;
    bool ok = true;
    for (int i = 0; ok && i < 2; i++) {
        mapping m;
        int label = r->label[i < r->files ? i : 0];
        ok = map_columns(&m, columns, r->part[i].csv, error) &&
             encode_rows(&m, &r->part[i], rows[i], error) &&
             (columns->numbers
                  ? target_rows(&r->part[i], label, rows[i], error)
                  : label_rows(&r->part[i], label, set->names, classes, rows[i], error));
        if (ok && i == 1)
            describe_parts(r, columns, &m, set);
        base_free(m.at);
    }
    return ok;
}

/* A file is one table; a folder with train.csv is two, and needs test.csv. */
static bool read_files(reading *r, const char *path, base_error *error)
{
    char *inside[2] = {base_file_path(path, "train.csv"), base_file_path(path, "test.csv")};
    bool ok = (inside[0] && inside[1]) || no_memory(path, error);
    bool folder = ok && base_file_exists(inside[0]);
    r->files = folder ? 2 : 1;
    for (int i = 0; ok && i < r->files; i++) {
        ok = read_csv(&r->csv[i], folder ? inside[i] : path, error);
        r->csv[i].name = i ? "test.csv" : folder ? "train.csv" : path; /* inside[] goes away */
        r->both[i] = &r->csv[i];
    }
    base_free(inside[0]);
    base_free(inside[1]);
    return ok;
}

/* A set of the tables that were read, which are freed. In order: the labels and classes of both parts together, so that
 * a class has one number; which rows are which part; what the columns are, unless a network has brought its own; and
 * only then numbers. */
static bool make_set(reading *r, const vision_wanted *wanted, vision_set *set, base_error *error)
{
    bool ok = true, numbers = wanted->columns ? wanted->columns->numbers : wanted->numbers;
    for (int i = 0; ok && i < r->files; i++)
        ok = find_label(&r->csv[i], wanted, &r->label[i], error);
    ok = ok && check_without(&r->csv[0], wanted->without, error) &&
         (numbers || name_classes(r->both, r->label, r->files, wanted->guessed, set, error)) &&
         divide(r, error);
    if (ok && !wanted->columns) {
        set->columns = base_calloc(1, sizeof *set->columns);
        if (set->columns)
            set->columns->numbers = numbers;
        ok = set->columns ? learn_columns(&r->part[0], r->label[0], wanted, set->columns, error)
                          : no_memory(r->csv[0].name, error);
    }
    ok = ok && encode_parts(r, wanted->columns ? wanted->columns : set->columns, set, error);
    vision_csv_free(&r->csv[0]);
    vision_csv_free(&r->csv[1]);
    base_free(r->order);
    if (!ok)
        vision_set_free(set);
    return ok;
}

bool vision_read_table(vision_set *set, const char *path, const vision_wanted *wanted,
                       base_error *error)
{
    reading r = {.files = 0};
    *set = (vision_set){.names = NULL};
    if (read_files(&r, path, error))
        return make_set(&r, wanted, set, error);
    vision_csv_free(&r.csv[0]);
    return false;
}

/* For bytes that are in memory already; everything behind the parser of CSV is the same. */
bool vision_take_table(vision_set *set, char *bytes, size_t size, const char *name,
                       const vision_wanted *wanted, base_error *error)
{
    reading r = {.files = 1};
    *set = (vision_set){.names = NULL};
    r.both[0] = &r.csv[0];
    return vision_csv_take(&r.csv[0], bytes, size, name, error) && make_set(&r, wanted, set, error);
}

/* The note of rows that are predicted: columns of the table that the network does not take, and texts that it has never
 * seen. Neither is an error, and neither goes by in silence. */
static void note_unused(const vision_csv *csv, const mapping *m, char note_to[VISION_NOTE])
{
    base_text text = {0};
    int unused = 0;
    for (int i = 0; i < csv->columns; i++) {
        bool used = strcmp(csv->cell[i], m->columns->label) == 0;
        for (int j = 0; j < m->columns->count; j++)
            used = used || m->at[j] == i;
        if (!used)
            base_text_print(&text, "%s%s", unused++ ? ", " : "",
                            *csv->cell[i] ? csv->cell[i] : "the first, without a name");
    }
    note_to[0] = '\0';
    if (unused > 0 && !text.failed)
        base_print(note_to, VISION_NOTE, "%s: columns that the network does not take: %.300s\n",
                   csv->name, text.data);
    size_t used = strlen(note_to);
    if (m->unseen > 0)
        base_print(note_to + used, VISION_NOTE - used,
                   "%s: %d texts are none of the training's and count as missing (line %d, column "
                   "\"%.60s\")\n",
                   csv->name, m->unseen, csv->line[m->unseen_row + 1], csv->cell[m->unseen_column]);
    base_text_free(&text);
}

/* The label's column; -1: it is not there, or has nothing in it, as where it is asked for. */
static int find_labels(const vision_csv *csv, const vision_columns *columns)
{
    int label = vision_csv_find(csv, columns->label);
    for (int row = 0; label >= 0 && row < csv->rows; row++)
        if (!vision_csv_missing(vision_csv_cell(csv, row, label)))
            return label;
    return -1;
}

/* Rows to predict: all of them in the order of the file, by the columns and classes of a trained network. Labels
 * that are there are read, so that the predictions can be held against them. */
bool vision_read_rows(vision_images *rows, const char *path, const vision_columns *columns,
                      char (*names)[VISION_NAME], int classes, char note_to[VISION_NOTE],
                      base_error *error)
{
    vision_csv csv;
    mapping m = {.at = NULL};
    *rows = (vision_images){0};
    if (!read_csv(&csv, path, error))
        return false;
    int *order = base_malloc((size_t)csv.rows * sizeof *order);
    for (int i = 0; order && i < csv.rows; i++)
        order[i] = i;
    const part all = {&csv, order, csv.rows};
    int label = find_labels(&csv, columns);
    bool ok =
        (order || no_memory(path, error)) && map_columns(&m, columns, &csv, error) &&
        encode_rows(&m, &all, rows, error) &&
        (label < 0 || (columns->numbers ? target_rows(&all, label, rows, error)
                                        : label_rows(&all, label, names, classes, rows, error)));
    rows->classes = classes;
    if (ok)
        note_unused(&csv, &m, note_to);
    else
        vision_images_free(rows);
    base_free(m.at);
    base_free(order);
    vision_csv_free(&csv);
    return ok;
}
