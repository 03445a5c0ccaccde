/* SPDX-License-Identifier: MIT */
/* csv.h -- a table as text: cells between commas, semicolons or tabs, with a header.
 *
 *   table = [BOM] ["sep=" separator line-end] header line-end {row line-end}
 *   cell  = "text with ""quotes"", separators and line ends" | text without them
 *
 * as RFC 4180 and every spreadsheet write it. The separator is the one of , ; and tab that the header has
 * most of; a line ends with LF, CR or both; the text is UTF-8. Each row has as many cells as the header;
 * empty ones without a name at the ends of lines are passed over, and so are empty lines. The first of
 * several columns may be without a name, which is where R and pandas have the rows' own. What is otherwise
 * is an error that names the line. */
#ifndef VISION_CSV_H
#define VISION_CSV_H

#include "base/error.h"
#include <stddef.h>

typedef struct vision_csv {
    const char *name;  /* of the file, for messages: the caller's */
    char *text;        /* owned: cells point into it */
    const char **cell; /* [row * columns + column], each NUL-terminated; row 0 is the header */
    int *line;         /* where each row begins, from 1 */
    int rows, columns; /* rows: the header not counted */
    int blank;         /* lines that were empty, in front of the last row */
    char separator;
} vision_csv;

enum { VISION_MAX_COLUMNS = 4096 };

/* Takes malloc'ed bytes with a NUL behind them, as base_file_read gives them; they are the callee's, on
 * failure too. False: the error says what is wrong in which line, and there is nothing to free. */
bool vision_csv_take(vision_csv *csv, char *bytes, size_t size, const char *name,
                     base_error *error);
void vision_csv_free(vision_csv *csv);

/* The column of that name, which is not ""; -1: there is none. */
int vision_csv_find(const vision_csv *csv, const char *name);

/* A cell; rows are counted from 0 without the header. */
const char *vision_csv_cell(const vision_csv *csv, int row, int column);

/* Whether a cell says that there is no value, as spreadsheets, R and pandas write that. */
bool vision_csv_missing(const char *cell);

/* A cell as a number. False: it is none. */
bool vision_csv_number(const vision_csv *csv, const char *cell, double *number);

#endif
