/* SPDX-License-Identifier: MIT */
/* lines.h -- two sources line by line: cut at their line feeds, and where they differ. */
#ifndef MUTATION_LINES_H
#define MUTATION_LINES_H

#include "base/error.h"
#include "base/text.h"
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

/* ---- edits by lines ----
 *
 * A refinement that is written as an edit of its source is read byte by byte, for whoever wants to know what may
 * follow. There are two such languages, script.h and named.h. */

/* Where in an edit a reader is; it may be copied. */
typedef struct mutation_reader {
    mutation_lines source;
    unsigned char name[MUTATION_LINES]; /* of each line, where lines have names */
    int state;
    int line;    /* of the source: what the edit is about */
    int at;      /* a script has dealt with the source's lines before this one */
    int index;   /* of the number in `line` that becomes another */
    int percent; /* as far as it has been written */
    char last;   /* byte of that number; 0: none yet */
    int made;    /* lines of the refinement so far */
} mutation_reader;

typedef struct mutation_reading {
    /* False: the source has lines that an edit cannot name. */
    bool (*begin)(mutation_reader *reader, const char *source, size_t length, base_error *error);

    /* Takes one more byte, and appends what is thereby known of the refinement. NULL, or why no edit goes
     * on with it. */
    const char *(*next)(mutation_reader *reader, unsigned char byte, base_text *refined);

    /* The edit ends here: appends the rest. NULL, or why it does not. */
    const char *(*end)(mutation_reader *reader, base_text *refined);

    /* Whether only a new line can follow. */
    bool (*needs_line)(const mutation_reader *reader);

    /* Whether the reader holds back what becomes of a line until more of the edit is known. */
    bool (*holds)(const mutation_reader *reader);

    /* What it holds back: appends how that may go on, the way-th of its ways from 0 on. *after NULL: the
     * line is then whole. Else a number comes, of which some may be known, and then what is at *after,
     * *length bytes of the source. False: there are no more ways, or nothing is held back. */
    bool (*open)(const mutation_reader *reader, int way, base_text *before, const char **after,
                 size_t *length);
} mutation_reading;

/* Appends what the edit makes of the source. False: it is no edit of it ("the edit names a line that is not there");
 * nothing is appended then. */
bool mutation_edit_apply(const mutation_reading *reading, const char *source, size_t length,
                         const char *edit, size_t edit_length, base_text *refined,
                         base_error *error);

/* ---- a large number as a percentage ----
 *
 * A line's last number, if it is a whole one of at least `least`, may become so many hundredths of itself, cut
 * towards 0. That leaves the arithmetic to the host: a T5 of some minutes learns how far to go,
 * and not to multiply. */
enum { MUTATION_MOST_PERCENT = 200 };

/* Whether it has such a number. */
bool mutation_line_scales(const char *line, size_t length, int least);

/* Appends the line with so many hundredths of it, whatever it is. False: it has none. */
bool mutation_line_scale(const char *line, size_t length, int percent, base_text *scaled);

/* The percentage that makes `wanted` of the line, of several the one nearest to 100; 0: none does. */
int mutation_line_percentage(const char *line, size_t length, int least, const char *wanted,
                             size_t size);

/* The percentage with one more digit behind it (0: none was there); 0: it is then none of 1 to MUTATION_MOST_PERCENT. */
int mutation_longer_percent(int begun, char digit);

/* The number-th percentage, from 0 on, that begins with the digits of `begun` (0: none is there yet); 0: there are no
 * more. */
int mutation_begun_percent(int begun, int number);

#endif
