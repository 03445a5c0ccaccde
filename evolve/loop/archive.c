/* archive.c -- see archive.h. */
#include "evolve/loop/archive.h"
#include "base/list.h"
#include <stdlib.h>

int64_t loop_archive_add(loop_archive *archive, const char *text, const score_result *score)
{
    loop_entry *grown = base_list_grow(archive->entry, (size_t)archive->count, 1, sizeof *grown);
    if (!grown)
        return -1;
    archive->entry = grown;
    loop_entry *entry = &archive->entry[archive->count];
    *entry = (loop_entry){.text = text, .score = *score};
    entry->score.losses = NULL;
    return archive->count++;
}

void loop_archive_free(loop_archive *archive)
{
    free(archive->entry);
}
