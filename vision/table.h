/* SPDX-License-Identifier: MIT */
/* table.h -- a table as rows of numbers with labels, and back from a model's folder.
 *
 * A column of numbers becomes one input, and a second one, 1 where the number is missing, if any was missing
 * in the rows that were trained on. A column of texts with few different values, which repeat, becomes an
 * input for each of them, 1 where it has that value. What is missing is an empty cell, NA, N/A, n/a, #N/A, <NA>,
 * NaN, null, None or "?". A first column without a name has the rows' own names, and is left out. Which of
 * these a column is, and its values, is learnt from the rows to train with alone, and kept with the network;
 * so is mean and deviation of each input (train.h), where a missing number counts as the mean.
 *
 * A file of its own is divided: one row in five, drawn the same way everywhere, is for the test. A folder has
 * train.csv and test.csv. */
#ifndef VISION_TABLE_H
#define VISION_TABLE_H

#include "base/json.h"
#include "vision/csv.h"
#include "vision/images.h"

enum {
    VISION_MAX_INPUTS = 1024, /* numbers of a row */
    VISION_MAX_VALUES = 64    /* different texts of a column */
};

typedef struct vision_column {
    char name[VISION_NAME];
    int values; /* of texts; 0: it has numbers */
    char (*value)[VISION_NAME];
    bool missing; /* of numbers: a second input says whether it is */
} vision_column;

/* The columns that a network takes, in the order of its inputs. Owned by a set or a model. */
struct vision_columns {
    char label[VISION_NAME]; /* the column that it answers for */
    bool numbers;            /* with a number, and not with a class */
    int count, inputs;
    vision_column *column;
};

/* Reads a CSV file, or a folder with train.csv and test.csv, by wanted's label, without and columns; names
 * are the values of the label's column, sorted as classes.c sorts; none where numbers are wanted. False: the error names the file, the line
 * and the column; there is nothing to free. */
bool vision_read_table(vision_set *set, const char *path, const vision_wanted *wanted,
                       base_error *error);

/* The same of a file's bytes, as vision_csv_take takes them. */
bool vision_take_table(vision_set *set, char *bytes, size_t size, const char *name,
                       const vision_wanted *wanted, base_error *error);

/* Reads all rows of a CSV file for a network of those columns and names. The label's column may be missing,
 * or empty: then there are no labels (NULL). note: a line on what was not used, or "". */
bool vision_read_rows(vision_images *rows, const char *path, const vision_columns *columns,
                      char (*names)[VISION_NAME], int classes, char note[VISION_NOTE],
                      base_error *error);

/* Whether the name is a word of a list "a,b,c", which may be NULL. */
bool vision_is_listed(const char *list, const char *name);

int vision_column_inputs(const vision_column *column);
void vision_columns_free(vision_columns *columns);

/* A row's inputs as its cells again, a number a column: NAN where a number is missing; of texts the place of
 * the text among the column's values, -1 where it is none of them. */
void vision_columns_cells(const vision_columns *columns, const float *inputs, float *cells);

/* The members "label" and "columns" of network.json, written and read. NULL: the error says why. */
void vision_columns_print(const vision_columns *columns, base_text *json);
vision_columns *vision_columns_read(const base_json *object, const char *origin, base_error *error);

#endif
