/* SPDX-License-Identifier: MIT */
/* begin.h -- a run under way, and how it begins. Shared by run.c and begin.c alone. */
#ifndef LOOP_BEGIN_H
#define LOOP_BEGIN_H

#include "evolve/loop/candidate.h"
#include "evolve/loop/generator.h"
#include "evolve/loop/journal.h"
#include "evolve/loop/run.h"
#include "evolve/loop/scorer.h"
#include "evolve/loop/sources.h"
#include "evolve/loop/summary.h"
#include "evolve/search/experience.h"
#include "evolve/search/search.h"
#include "evolve/source/corpus.h"
#include "evolve/source/texts.h"
#include "vision/images.h"

typedef struct loop_state {
    const loop_options *options;
    evolve_settings settings;
    vision_set set;                /* the task's images */
    source_texts *texts;           /* the task's pairs of text; NULL: it has none */
    source_corpus *corpus;         /* of the T5's training; NULL: there is none */
    loop_options own;              /* options, with the digest of the pairs */
    search_experience *experience; /* of earlier runs; NULL: none */
    loop_journal *journal;
    loop_scorer *scorer;
    loop_generator *generator; /* NULL: no T5 writes candidates */
    search_state *search;

    loop_sources sources;       /* the first is candidate 0 */
    char *generator_source;     /* of the T5 that writes networks; NULL: a source defines its own */
    loop_candidates candidates; /* by number */
    int source;                 /* the current one's number */
    int trained;                /* the last one that a stage could train; LOOP_NOBODY: none yet */
    bool taken;                 /* the folder was made by somebody else */
    bool made, begun;           /* by this process: the folder; what the run has in it */

    int episode; /* under way */
    int idle;    /* batches since the source became another one */
    loop_episode *episodes;
} loop_state;

/* Reads what the run works with, takes its folder, opens its journal and writes the first event; of a run that is gone on
 * with or verified, all has to be what that event says. Needs r->options and r->settings; what it has made by then is
 * r's, even if it fails. */
bool loop_begin(loop_state *r, base_error *error);

/* Notes what follows from what went before: nothing to redo on resuming, but written down for
 * whoever reads the journal, and compared with its record where there is one. */
bool loop_note(loop_state *r, loop_event *event, const base_text *text, base_error *error);

bool loop_no_memory(const loop_state *r, base_error *error); /* false, with the folder's name */

#endif
