/* SPDX-License-Identifier: MIT */
/* lines.h -- two sources line by line: cut at their line feeds, and where they differ. */
#ifndef MUTATION_LINES_H
#define MUTATION_LINES_H

#include "base/error.h"
#include <stddef.h>

/* Sources of up to so many lines, and the byte from which on those lie that call a line: no source has
 * them, and every tokenizer here has a token for each. */
enum { MUTATION_LINES = 127, MUTATION_LINE_BYTE = 0x80 };

typedef struct mutation_lines {
    const char *text;                   /* not copied */
    unsigned start[MUTATION_LINES + 1]; /* of each line, and the end of the last */
    int count;
} mutation_lines;

/* False: too many lines, a byte that is not ASCII, or a last line without a line feed. */
bool mutation_lines_cut(const char *text, size_t length, mutation_lines *lines, base_error *error);

/* A line with its line feed. */
const char *mutation_line(const mutation_lines *lines, int i, size_t *length);

/* Lines first .. end - 1 of the one stand where the other has from .. to - 1; one of the two may be empty. */
typedef struct mutation_hunk {
    int first, end, from, to;
} mutation_hunk;

/* Where the two differ, in order; between hunks are lines that stay. With the most lines in common there can
 * be, and always the same hunks of the same texts. Returns how many. */
int mutation_lines_compare(const mutation_lines *a, const mutation_lines *b,
                           mutation_hunk hunks[MUTATION_LINES + 1]);

#endif
