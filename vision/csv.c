/* SPDX-License-Identifier: MIT */
/* csv.c -- the cells of a table, found in place.
 *
 * The bytes of the file become the cells: quotes are taken out by moving what they enclose to the front, and
 * each separator or line end becomes the NUL behind a cell. A cell is never longer than what it is written
 * as, so nothing is copied, and the cells of one row after the other are one array of pointers. It grows by
 * doubling, and its length is bounded by the bytes of the file, as each cell has at least one. */
#include "vision/csv.h"

#include "base/kind.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/text.h"
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Where the text is being read. The NUL at `end` stops every loop that looks one byte ahead. */
typedef struct scanner {
    vision_csv *csv;
    char *at, *end; /* end: the NUL behind the text */
    int line;       /* of `at` */
    size_t cells, room;
    size_t wide; /* cells of the header's line, those without a name at its end as well */
    int lines_room;
    base_error *error;
} scanner;

void vision_csv_free(vision_csv *csv)
{
    base_free(csv->text);
    base_free(csv->cell);
    base_free(csv->line);
    *csv = (vision_csv){.text = NULL};
}

/* Row 0 is the header, so its cells are the first `columns` of the array. "" is no name. */
int vision_csv_find(const vision_csv *csv, const char *name)
{
    for (int i = 0; i < csv->columns; i++)
        if (*name && strcmp(csv->cell[i], name) == 0)
            return i;
    return -1;
}

/* ---- what is in a cell ---- */

const char *vision_csv_cell(const vision_csv *csv, int row, int column)
{
    return csv->cell[((size_t)row + 1) * (size_t)csv->columns + (size_t)column];
}

bool vision_csv_missing(const char *cell)
{
    static const char *const words[] = {"",    "NA",  "N/A",  "n/a",  "#N/A", "<NA>",
                                        "NaN", "nan", "null", "NULL", "None", "?"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(cell, words[i]) == 0)
            return true;
    return false;
}

/* A decimal number, read the same in every locale; with a comma for its point where cells are not
 * divided by it, as spreadsheets write in half of Europe. Hexadecimal, "inf" and blanks inside are no numbers. */
bool vision_csv_number(const vision_csv *csv, const char *cell, double *number)
{
    char text[64], *end;
    size_t length = strlen(cell);
    if (length == 0 || length >= sizeof text)
        return false;
    memcpy(text, cell, length + 1);
    char *comma = csv->separator == ',' || strchr(text, '.') ? NULL : strchr(text, ',');
    if (comma)
        *comma = '.';
    if (strspn(text, "0123456789+-.eE") != length)
        return false;
    double value = base_read_number(text, &end);
    *number = value;
    return end == text + length;
}

/* ---- the text ---- */

static bool no_memory(const scanner *s)
{
    return base_fail(s->error, "%s: no memory for its cells", s->csv->name);
}

/* Before any cell is cut: a compressed file or a spreadsheet's own format is named for what it is, and the text is
 * UTF-8 without a NUL, so that cells can be C strings. */
static bool check_text(const scanner *s)
{
    const char *kind = base_kind(s->at, (size_t)(s->end - s->at));
    if (kind)
        return base_fail(s->error, "%s: is %s, expected a table as text (CSV)", s->csv->name, kind);
    int line = 1;
    for (const char *at = s->at; at < s->end;) {
        const size_t length = *at ? base_utf8_length(at, (size_t)(s->end - at)) : 0;
        if (length == 0)
            return base_fail(s->error,
                             "%s: line %d: byte %02x is no UTF-8: save the table as UTF-8",
                             s->csv->name, line, (unsigned)(unsigned char)*at);
        line += *at == '\n' && line < INT_MAX;
        at += length;
    }
    return true;
}

/* ---- cells ---- */

/* One pointer, behind those of all cells before it. */
static bool add_cell(scanner *s, const char *cell)
{
    if (s->cells == s->room) {
        size_t room = s->room ? 2 * s->room : 64;
        const char **more = base_realloc(s->csv->cell, room * sizeof *more);
        if (!more)
            return no_memory(s);
        s->csv->cell = more;
        s->room = room;
    }
    s->csv->cell[s->cells++] = cell;
    return true;
}

/* Notes the line that the next row begins in, for messages about it: with quoted line ends and empty lines a row's
 * number does not tell. line[0] is the header's. */
static bool add_line(scanner *s)
{
    int row = s->csv->rows + 1; /* the header has come */
    if (row >= s->lines_room) {
        int room = s->lines_room ? 2 * s->lines_room : 64;
        int *more = s->lines_room > INT_MAX / 2
                        ? NULL
                        : base_realloc(s->csv->line, (size_t)room * sizeof *more);
        if (!more)
            return no_memory(s);
        s->csv->line = more;
        s->lines_room = room;
    }
    s->csv->line[row] = s->line;
    return true;
}

static bool ends_line(const scanner *s)
{
    return s->at == s->end || *s->at == '\n' || *s->at == '\r';
}

/* CR LF is one line end, and so is either of them alone. */
static void skip_line_end(scanner *s)
{
    if (s->at == s->end)
        return;
    s->at += *s->at == '\r' && s->at[1] == '\n' ? 2 : 1;
    s->line++;
}

/* The rest of a cell that began with a quote: up to the quote that is not doubled. What it encloses moves to where
 * the opening quote stood; `to` is always behind `at`, so nothing unread is overwritten. */
static bool quoted(scanner *s, char **last)
{
    int opened = s->line;
    char *to = s->at;
    for (s->at++;; s->at++) {
        if (s->at == s->end)
            return base_fail(s->error, "%s: line %d: a quote is opened and not closed",
                             s->csv->name, opened);
        if (*s->at == '"' && s->at[1] != '"')
            break;
        s->at += *s->at == '"';
        s->line += *s->at == '\n';
        *to++ = *s->at;
    }
    s->at++;
    *last = to;
    while (*s->at == ' ')
        s->at++;
    return s->at == s->end || *s->at == s->csv->separator || ends_line(s) ||
           base_fail(s->error, "%s: line %d: expected the end of the cell behind the quote",
                     s->csv->name, s->line);
}

/* One cell, without the blanks around it. *last: where its NUL goes when what stands there has been looked
 * at. */
static bool scan_cell(scanner *s, char **last)
{
    while (*s->at == ' ')
        s->at++;
    const char *cell = s->at;
    if (*s->at == '"')
        return quoted(s, last) && add_cell(s, cell);
    while (!ends_line(s) && *s->at != s->csv->separator)
        s->at++;
    *last = s->at;
    while (*last > cell && (*last)[-1] == ' ')
        (*last)--;
    return add_cell(s, cell);
}

/* A row, or the header. Each cell is ended only when what follows it has been looked at: its NUL takes the place of
 * the separator or of the line end. */
static bool scan_row(scanner *s)
{
    for (;;) {
        char *last = NULL;
        if (!scan_cell(s, &last))
            return false;
        bool more = s->at < s->end && *s->at == s->csv->separator;
        if (!more)
            skip_line_end(s); /* reads what the NUL may overwrite */
        *last = '\0';
        if (!more)
            break;
        s->at++;
    }
    return true;
}

/* Takes away up to `most` of the cells that were read last, as long as they are empty: spreadsheets end each line with
 * separators where something once stood beside the table. */
static void drop_empty(scanner *s, size_t most)
{
    for (; most > 0 && *s->csv->cell[s->cells - 1] == '\0'; most--)
        s->cells--;
}

/* The header's cells up to the last that has a name. */
static bool scan_header(scanner *s)
{
    s->csv->line[0] = s->line;
    if (!scan_row(s))
        return false;
    s->wide = s->cells;
    drop_empty(s, s->cells - 1);
    if (s->cells > VISION_MAX_COLUMNS)
        return base_fail(s->error, "%s: has %zu columns, expected at most %d", s->csv->name,
                         s->cells, (int)VISION_MAX_COLUMNS);
    s->csv->columns = (int)s->cells;
    return true;
}

/* Nothing but spaces up to the end of the line. */
static bool is_blank(const scanner *s)
{
    const char *at = s->at;
    while (*at == ' ')
        at++;
    return at == s->end || *at == '\n' || *at == '\r';
}

/* ---- the whole ---- */

/* "sep=;" in a line of its own, as one spreadsheet has it; or what the first line has most of, outside of quotes.
 * Of equals it is the first, so that a header of one column has a comma. */
static void choose_separator(scanner *s)
{
    static const char separators[] = ",;\t";
    if (strncmp(s->at, "sep=", 4) == 0 && s->at[4] && strchr(separators, s->at[4]) &&
        (s->at[5] == '\n' || s->at[5] == '\r')) {
        s->csv->separator = s->at[4];
        s->at += 5;
        skip_line_end(s);
        return;
    }
    int most = -1;
    for (const char *c = separators; *c; c++) {
        int count = 0;
        bool inside = false;
        for (const char *at = s->at; at < s->end && (inside || (*at != '\n' && *at != '\r'));
             at++) {
            inside ^= *at == '"';
            count += !inside && *at == *c;
        }
        if (count > most)
            most = count, s->csv->separator = *c;
    }
}

/* Names that are there, that differ, and of which one at least is no number: a table without a header would lose its
 * first row to it, and nobody would see that. The first of several columns needs no name: rows have their names or
 * numbers there as R and pandas write them. */
static bool check_header(const scanner *s)
{
    const vision_csv *csv = s->csv;
    int numbers = 0, unnamed = 0;
    for (int i = 0; i < csv->columns; i++) {
        const char *name = csv->cell[i];
        if (!*name && i == 0 && csv->columns > 1) {
            unnamed++;
            continue;
        }
        if (!*name)
            return base_fail(s->error, "%s: line %d: column %d has no name", csv->name,
                             csv->line[0], i + 1);
        if (vision_csv_find(csv, name) != i)
            return base_fail(s->error, "%s: line %d: two columns are called \"%.100s\"", csv->name,
                             csv->line[0], name);
        numbers += strspn(name, "0123456789+-.,eE") == strlen(name) && strpbrk(name, "0123456789");
    }
    return numbers + unnamed < csv->columns ||
           base_fail(s->error, "%s: line %d: is all numbers, expected a header with names",
                     csv->name, csv->line[0]);
}

/* False: no empty line is next. Of one column alone it is a missing cell, which nothing needs. */
static bool skip_blank(scanner *s)
{
    if (s->at == s->end || !is_blank(s))
        return false;
    s->at += strspn(s->at, " ");
    skip_line_end(s);
    return true;
}

/* Header, then rows. csv->blank counts the empty lines in front of the last row; those at the end of a file, which
 * many editors leave, are nothing to speak of. */
static bool scan_all(scanner *s)
{
    vision_csv *csv = s->csv;
    int blank = 0;
    if (!(csv->line = base_malloc(64 * sizeof *csv->line)))
        return no_memory(s);
    s->lines_room = 64;
    for (; skip_blank(s); blank++)
        ;
    choose_separator(s);
    if (s->at == s->end)
        return base_fail(s->error, "%s: is empty, expected a header and rows", csv->name);
    if (!scan_header(s) || !check_header(s))
        return false;
    while (s->at < s->end) {
        if (skip_blank(s)) {
            blank++;
            continue;
        }
        const size_t before = s->cells, columns = (size_t)csv->columns;
        csv->blank = blank;
        if (!add_line(s) || !scan_row(s))
            return false;
        csv->rows++;
        const size_t count = s->cells - before;
        if (count > columns && count <= s->wide)
            drop_empty(s, count - columns);
        if (s->cells - before != columns)
            return base_fail(s->error, "%s: line %d: has %zu cell%s, expected the %d of the header",
                             csv->name, csv->line[csv->rows], count, count == 1 ? "" : "s",
                             csv->columns);
    }
    return csv->rows > 0 || base_fail(s->error, "%s: has a header and no rows", csv->name);
}

/* A byte order mark is no part of the first name. */
bool vision_csv_take(vision_csv *csv, char *bytes, size_t size, const char *name, base_error *error)
{
    *csv = (vision_csv){.name = name, .text = bytes};
    scanner s = {.csv = csv, .at = bytes, .end = bytes + size, .line = 1, .error = error};
    bool ok = check_text(&s);
    if (ok) {
        s.at += base_kind_mark(bytes, size);
        ok = scan_all(&s);
    }
    if (!ok)
        vision_csv_free(csv);
    return ok;
}
