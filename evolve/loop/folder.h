/* SPDX-License-Identifier: MIT */
/* folder.h -- how a run comes by its folder, and gives it back. */
#ifndef LOOP_FOLDER_H
#define LOOP_FOLDER_H

#include "base/error.h"
#include <stdbool.h>

/* Whether a run writes to a name in its folder. */
bool loop_folder_owns(const char *name);

/* A new run's folder, made where it is not there. fresh: it has to be; *taken says whether somebody else made it
 * first, which is an error. A folder that has a run, or a name that a run writes to, is an error: what stands under
 * such a name is the user's. *made: it was not there before. Two who name the same one may both get here; only one
 * of them then locks the journal. */
bool loop_folder_take(const char *folder, bool fresh, bool *made, bool *taken, base_error *error);

/* Removes what a run writes before its first candidate, and the folder if it was made for it and holds nothing else.
 * Only for whoever holds the journal's lock. */
void loop_folder_give_back(const char *folder, bool made);

#endif
