/* SPDX-License-Identifier: MIT */
/* writer.h -- how C is written into a text: prefixes, literals, comments. Between this room's files. */
#ifndef EXPORT_WRITER_H
#define EXPORT_WRITER_H

#include "base/text.h"

typedef struct export_writer {
    base_text *text;
    const char *prefix; /* stands for @ in what is put */
    char upper[32];     /* the prefix in capitals, which stands for ^ */
    const char *number; /* the type of what passes between layers, which stands for ~ */
    const char *logit;  /* and of logits: $ */
} export_writer;

/* The first line of every file that is written: the loops in it are this program's, the weights the user's. */
#define EXPORT_LICENCE "/* SPDX-License-Identifier: MIT */\n"

/* False: the prefix is no C identifier of 1 to 31 bytes. */
bool export_writer_begin(export_writer *w, base_text *text, const char *prefix, base_error *error);

/* Appends a text, or a format of at most 1000 bytes when it is filled in. */
void export_put(export_writer *w, const char *text);
void export_print(export_writer *w, const char *format, ...) BASE_PRINTF(2, 3);

/* A float as a literal of nine digits, which any correct compiler reads as the same bits. */
void export_float(export_writer *w, float value);

/* "static const float name[count] = {...};" */
void export_floats(export_writer *w, const char *name, const float *values, size_t count);

/* Lines of literals, each with a comma. */
void export_float_list(export_writer *w, const float *values, size_t count);

/* As export_floats of integers, whose type is int8_t, uint8_t or int32_t. */
void export_integers(export_writer *w, const char *type, const char *name, const void *values,
                     size_t count);

/* A text from outside: as a string literal, and as part of a comment that it cannot end. */
void export_string(export_writer *w, const char *text);
void export_remark(export_writer *w, const char *text);

#endif
