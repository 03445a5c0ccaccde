/* archive.c -- see archive.h. */
#include "evolve/archive.h"
#include <stdlib.h>

int64_t evolve_archive_add(evolve_archive *archive, const char *text, const evolve_score *score)
{
    if (archive->count == archive->capacity) {
        int64_t capacity = archive->capacity ? 2 * archive->capacity : 64;
        evolve_entry *grown = realloc(archive->entry, (size_t)capacity * sizeof *grown);
        if (!grown)
            return -1;
        archive->entry = grown;
        archive->capacity = capacity;
    }
    evolve_entry *entry = &archive->entry[archive->count];
    *entry = (evolve_entry){.text = text, .score = *score};
    entry->score.losses = NULL;
    return archive->count++;
}

void evolve_archive_free(evolve_archive *archive)
{
    free(archive->entry);
}
