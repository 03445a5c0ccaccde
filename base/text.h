/* SPDX-License-Identifier: MIT */
/* text.h -- a growing string.
 *
 * Running out of memory does not interrupt the writer: the text becomes `failed`, further additions
 * do nothing, and whoever uses the result checks `failed` once, at the end. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/error.h"
#include <stdarg.h>
#include <stddef.h>

typedef struct base_text {
    char *data;      /* always NUL-terminated once something was added; NULL before */
    size_t length;   /* bytes, the NUL not counted; data may hold NULs of its own */
    size_t capacity; /* bytes allocated */
    bool failed;     /* memory ran out: the text is incomplete */
} base_text;         /* all zero is an empty text */

/* Appends; printf's formats, with '.' in every locale (number.h). */
void base_text_add(base_text *text, const char *bytes, size_t count);
void base_text_print(base_text *text, const char *format, ...) BASE_PRINTF(2, 3);
void base_text_clear(base_text *text); /* keeps the memory */
void base_text_free(base_text *text);  /* leaves an empty text */

/* Appends what a terminal can show as it is, and bytes that it would act on, or that are not part of
 * well-formed UTF-8, as \x1b: models write what they like. Newlines and tabs stay. */
void base_text_add_visible(base_text *text, const char *bytes, size_t count);

/* Appends a word that a POSIX shell reads as these bytes, and that can be pasted: bare where it may be, else in single
 * quotes, or as what printf(1) makes of it where a terminal would act on it (of line feeds at its end the shell keeps
 * none). Of a path that begins with '-' it is "./-...", so that it is no option. */
void base_text_add_word(base_text *text, const char *word);
void base_text_add_path(base_text *text, const char *path);

/* The length of the UTF-8 sequence at the start of count > 0 bytes; 0: it is not well formed (RFC
 * 3629: no overlong form, no surrogate, nothing above U+10FFFF). */
size_t base_utf8_length(const char *bytes, size_t count);

/* Whether a character, of that many bytes, is shown as itself: it is no control (of ASCII, or U+0080 to U+009F), and
 * none that turns round the text behind it (U+202A to U+202E, U+2066 to U+2069). */
bool base_utf8_shows(const char *bytes, size_t length);

/* Appends words so that no line is longer than `width` columns, where a word allows it. The first
 * line begins at `column`, the others behind `indent` blanks. One line feed is as good as a blank;
 * two keep an empty line between paragraphs. A character of UTF-8 is taken for one column. */
void base_text_wrap(base_text *text, const char *words, int column, int indent, int width);

/* The next line of a text from *at to end: *length bytes at *line, without the line feed and a carriage return before
 * it; *at goes on behind it. False: there is none left. */
bool base_next_line(const char **at, const char *end, const char **line, size_t *length);

/* A malloc'ed copy of some bytes and a NUL after them. NULL: no memory. */
char *base_copy(const char *bytes, size_t length);

#endif
