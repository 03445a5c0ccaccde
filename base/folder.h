/* SPDX-License-Identifier: MIT */
/* folder.h -- a folder of several files that is replaced as one.
 *
 * A model is a configuration, weights and a tokenizer, and a mixture of two models is neither. So a new
 * one is written to a folder of its own beside the old, PATH.PROCESS-0.tmp, and the two change names in
 * one step (renameat2 with RENAME_EXCHANGE, Linux 3.15). A crash at any moment leaves the old folder
 * or the new one under the name.
 *
 * Where the names cannot be exchanged (another system, a mount point, the folder that the process
 * stands in), the files change places one after another, each whole: a crash between two of them then
 * leaves a mixture, until the same is done again. */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include "base/error.h"
#include <stdbool.h>

typedef struct base_folder {
    char *path;   /* its name; symbolic links are followed, so that they go on pointing to it */
    char *staged; /* where to write what shall stand there; whoever writes makes it */
    bool made;    /* it was not there before */
} base_folder;

/* Names the folder to write to, and removes what earlier processes that were killed have left under
 * such names. The folder itself need not be there yet; its parent is made. Freed by one of the two
 * below, also after a failure. */
bool base_folder_begin(base_folder *folder, const char *path, base_error *error);

/* Puts what was staged in the folder's place. What stood there is gone afterwards, but for files and
 * folders whose names the staged one does not have: they are the user's, and are moved over. Where
 * that fails, or a crash comes between, they stand in PATH.PROCESS-0.old, which nobody removes. */
bool base_folder_commit(base_folder *folder, base_error *error);

/* Removes what was staged, and the folder itself if _begin() made it and nothing has come into it. */
void base_folder_abandon(base_folder *folder);

#endif
