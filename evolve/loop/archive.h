/* archive.h -- the sources of a run by their numbers, which are all that a strategy (search.h)
 * knows of them: 0 is the first source, and every proposal gets the next number, whatever became of
 * it. */
#ifndef LOOP_ARCHIVE_H
#define LOOP_ARCHIVE_H

#include "evolve/score/evaluate.h"

typedef struct loop_entry {
    const char *text;   /* the caller's */
    score_result score; /* without losses */
} loop_entry;

typedef struct loop_archive {
    loop_entry *entry;
    int64_t count;
} loop_archive;

/* The number of the new entry; -1: no memory. */
int64_t loop_archive_add(loop_archive *archive, const char *text, const score_result *score);
void loop_archive_free(loop_archive *archive);

#endif
