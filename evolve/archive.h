/* archive.h -- the sources of a run by their numbers, which are all that a strategy (search.h)
 * knows of them: 0 is the first source, and every proposal gets the next number, whatever became of
 * it. */
#ifndef EVOLVE_ARCHIVE_H
#define EVOLVE_ARCHIVE_H

#include "evolve/evaluate.h"

typedef struct evolve_entry {
    const char *text;   /* the caller's */
    evolve_score score; /* without losses */
} evolve_entry;

typedef struct evolve_archive {
    evolve_entry *entry;
    int64_t count, capacity;
} evolve_archive;

/* The number of the new entry; -1: no memory. */
int64_t evolve_archive_add(evolve_archive *archive, const char *text, const evolve_score *score);
void evolve_archive_free(evolve_archive *archive);

#endif
