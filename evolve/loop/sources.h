/* SPDX-License-Identifier: MIT */
/* sources.h -- what a run starts from: the default source, or programs of the user's own. The first of them is candidate 0,
 * the others are the first candidates. A run keeps copies, first.c, first-2.c, ..., and its first event their digests. */
#ifndef LOOP_SOURCES_H
#define LOOP_SOURCES_H

#include "base/hash.h"
#include "evolve/loop/how.h"
#include "evolve/settings.h"

typedef struct loop_sources {
    char *first;
    bool own;    /* it is the user's */
    char **more; /* NULL-ended; NULL: there are none */
} loop_sources;

/* What the options give, or else, of a run that is there, its copies, or else the default source. Each of the user's has to
 * be a program, such that a T5 can be asked for a refinement of it if one writes; the error names its line. One that the edit
 * rules know but for comments and layout is taken as they write it.
 * loop_sources_free() either way. */
bool loop_sources_read(loop_sources *sources, const loop_options *options,
                       const evolve_settings *settings, bool is_there, base_error *error);
bool loop_sources_keep(const loop_sources *sources, const char *folder, base_error *error);

/* Of the texts of `more`. False: no memory. */
bool loop_sources_hash(const loop_sources *sources, char hash[BASE_HASH_TEXT]);
void loop_sources_free(loop_sources *sources);

#endif
