/* SPDX-License-Identifier: MIT */
/* process.h -- what it takes to work with another process: pipes to it, a folder for its files, and
 * the first line of what it had to say. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/error.h"
#include <stddef.h>

/* A pipe, read from ends[0] and written to at ends[1]. Both are closed on exec and no lower than
 * `lowest`, so that a child's dup2 to descriptors below cannot hit them. False: ends are -1, and
 * errno says why. */
bool base_pipe(int ends[2], int lowest);

/* Makes a folder of a name that nobody has, PREFIX-XXXXXX under $TMPDIR or /tmp, that only this
 * user may enter. path (size bytes) becomes its path; empty where it fails. */
bool base_temporary_folder(const char *prefix, char *path, size_t size, base_error *error);

/* Removes a folder and all that is in it, as far as the system lets it. */
void base_remove_folder(const char *path);

/* The first line of a text, cut to fit and without its newline; a byte that is no printable ASCII
 * becomes '?'. */
void base_first_line(const char *text, char *line, size_t size);

#endif
