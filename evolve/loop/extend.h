/* SPDX-License-Identifier: MIT */
/* extend.h -- more episodes for a run that is there.
 *
 * How many episodes a run will have changes nothing in it but the settings that it writes down and its
 * ending. So the settings are changed where they stand, in the journal's first event and in the manifest,
 * the ending is taken off, and whoever goes on with the run gets the bytes of one that was asked for so many
 * episodes at once. */
#ifndef LOOP_EXTEND_H
#define LOOP_EXTEND_H

#include "base/error.h"
#include <stdint.h>

/* The folder's run, ended or not, has so many episodes from now on. False: it has more already, or it cannot be
 * read or written. The journal changes first and the manifest then, each as a whole: after a crash
 * between the two the same call goes on. */
bool loop_extend(const char *folder, int64_t episodes, base_error *error);

#endif
