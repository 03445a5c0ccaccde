/* SPDX-License-Identifier: MIT */
/* json.h -- JSON (RFC 8259) read into a tree, and written piece by piece.
 *
 * The reader takes hostile text: depth is bounded, every number is checked, strings are UTF-8
 * checked and unescaped, duplicate names in one object are an error. The tree is one block of
 * memory: one call frees it. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/error.h"
#include "base/text.h"
#include <stddef.h>
#include <stdint.h>

enum { BASE_JSON_MAX_DEPTH = 64 };

typedef enum base_json_kind {
    BASE_JSON_NULL,
    BASE_JSON_FALSE,
    BASE_JSON_TRUE,
    BASE_JSON_NUMBER,
    BASE_JSON_STRING,
    BASE_JSON_ARRAY,
    BASE_JSON_OBJECT
} base_json_kind;

typedef struct base_json base_json;
struct base_json {
    base_json_kind kind;
    const char *name;       /* member name, NUL-terminated; NULL outside an object */
    const char *string;     /* STRING: unescaped, NUL-terminated, may hold NULs */
    size_t length;          /* STRING: bytes; ARRAY, OBJECT: number of children */
    double number;          /* NUMBER */
    int64_t integer;        /* NUMBER, where is_integer: its exact value */
    bool is_integer;        /* written without '.' or exponent and fits in int64 */
    const base_json *child; /* ARRAY, OBJECT: the first */
    const base_json *next;  /* the next child of the same parent */
};

/* Parses exactly one value with nothing but white space around it. `origin` names the text in
 * messages ("model/config.json"). NULL: error says origin:line:column and what was expected. */
base_json *base_json_parse(const char *text, size_t length, const char *origin, base_error *error);
void base_json_free(base_json *root);

/* The member of that name, or NULL (also if `object` is NULL or no object). */
const base_json *base_json_get(const base_json *object, const char *name);

/* A file of at most `most` bytes, parsed; its path names it in messages. */
base_json *base_json_read(const char *path, size_t most, base_error *error);

/* Whether the object has a member of that name that is that string; that is true. */
bool base_json_has(const base_json *object, const char *name, const char *string);
bool base_json_is_true(const base_json *object, const char *name);

/* Typed members of an object. False if the member is missing or of another type; the error then
 * names `origin`, the member and the type that was expected. A string that
 * holds a NUL counts as another type: a caller who wants those uses base_json_get. A whole number is
 * an integer however it is written, 32.0 and 3.2e1 like 32. */
bool base_json_get_int(const base_json *object, const char *name, int64_t low, int64_t high,
                       int64_t *value, const char *origin, base_error *error);
bool base_json_get_number(const base_json *object, const char *name, double *value,
                          const char *origin, base_error *error);
bool base_json_get_string(const base_json *object, const char *name, const char **value,
                          const char *origin, base_error *error);

/* Writing. Numbers are written with as many digits as it takes to read the same double back
 * (at most 17); a number that is not finite is written as null, since JSON has no word for it. Each
 * byte of a string that is not part of well-formed UTF-8 is written as U+FFFD. */
void base_json_put_string(base_text *text, const char *bytes, size_t length);
void base_json_put_number(base_text *text, double number);

#endif
