/* archive.c -- see archive.h. */
#include "evolve/loop/archive.h"
#include <stdlib.h>

int64_t loop_archive_add(loop_archive *archive, const char *text, const score_result *score)
{
    if (archive->count == archive->capacity) {
        int64_t capacity = archive->capacity ? 2 * archive->capacity : 64;
        loop_entry *grown = realloc(archive->entry, (size_t)capacity * sizeof *grown);
        if (!grown)
            return -1;
        archive->entry = grown;
        archive->capacity = capacity;
    }
    loop_entry *entry = &archive->entry[archive->count];
    *entry = (loop_entry){.text = text, .score = *score};
    entry->score.losses = NULL;
    return archive->count++;
}

void loop_archive_free(loop_archive *archive)
{
    free(archive->entry);
}
