/* SPDX-License-Identifier: MIT */
/* field.h -- the fields of a struct by their names.
 *
 * A row says what a field is called, where it lies, what it may hold, and what it is for. From a
 * table of rows follow the command line, --help, the JSON of a manifest and the arguments of a
 * worker, so that a new field is one row. The settings, the run options (options.h) and the
 * options of each command are such tables. */
#ifndef EVOLVE_FIELD_H
#define EVOLVE_FIELD_H

#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>

typedef enum evolve_kind {
    EVOLVE_FLAG,  /* bool: set where the name is given, takes no value */
    EVOLVE_TEXT,  /* const char *, the caller's; NULL: not given */
    EVOLVE_WHOLE, /* int64_t */
    EVOLVE_REAL,  /* double */
    EVOLVE_NAMED  /* int64_t, an index of names */
} evolve_kind;

typedef struct evolve_field {
    const char *name; /* "jobs": on the command line --jobs N. A name of NULL ends a table */
    evolve_kind kind;
    size_t offset;            /* of the field in its struct */
    double low, high;         /* WHOLE, REAL: the range, both ends in it */
    const char *const *names; /* NAMED: what the values are called, NULL-ended */
    unsigned
        marks; /* a set of bits, which mean what the table's owner says, but for the one below */
    const char *help; /* a line */
} evolve_field;

/* A number that is written down only where it is not 0, so that what was written before there was
 * such a field is what is written now. */
enum { EVOLVE_UNLESS_0 = 1 << 30 };

/* NULL: there is none of that name. */
const evolve_field *evolve_field_find(const evolve_field *fields, const char *name);

/* Sets the field of the struct at `of` from text. False: it is no value of the field; the error
 * names the option and what was expected. */
bool evolve_field_set(const evolve_field *field, void *of, const char *text, base_error *error);

/* Appends the JSON members `"name":value`, with commas between them, of the fields that have one of
 * the marks; marks 0: of all. */
void evolve_fields_print(const evolve_field *fields, unsigned marks, const void *of,
                         base_text *json);

/* Appends "--name", "value" for each field with one of the marks that has a value, each a malloc'ed
 * string, or NULL where memory ran out, to argv[*count ...]; `most` places are there (assert). */
void evolve_fields_arguments(const evolve_field *fields, unsigned marks, const void *of,
                             char **argv, int *count, int most);

/* Appends what --help says of a field: "width of t5_small() (64 .. 8192; default 128)". */
void evolve_field_help(const evolve_field *field, const void *defaults, base_text *text);

#endif
