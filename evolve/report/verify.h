/* SPDX-License-Identifier: MIT */
/* verify.h -- a run folder compared with its own journal.
 *
 * Three things are checked, each on top of the one before:
 *
 *   files       The journal's lines are whole and follow from each other: the run is replayed as a
 *               resumption would (loop_options.replay), so that every selection and the summary are
 *               computed again. Every other file is the one that the journal names by its hash, or
 *               is sealed itself (manifest.json, timing.jsonl, a checkpoint). Files of an episode
 *               under way that no event names yet are not checked: resuming writes them anew.
 *   candidates  Each is scored again, and must give the recorded bytes. (A deadline may be met by
 *               a slow machine and not by a fast one: that is a difference like any other.)
 *   models      Each training stage is done again, elsewhere, and must give the same hashes. */
#ifndef REPORT_VERIFY_H
#define REPORT_VERIFY_H

#include "base/error.h"
#include "evolve/loop/how.h"

typedef struct report_verify {
    const loop_options *how; /* folder; how candidates and models are executed; who sees it */
    bool execute;            /* candidates, and not only files */
    const char *candidates;  /* of them these: "default,1.0.3,compared.2"; NULL: all. 1.0.3 is
                                * episode, batch, candidate */
    bool models;
} report_verify;

/* How many were compared with the journal. */
typedef struct report_verified {
    int files, candidates, models;
    bool finished;  /* the run has come to its end */
    int mismatches; /* each was reported through watch.say, a line each */
} report_verified;

/* Whether there is a run in that folder, whole or not. */
bool report_verify_is_run(const char *folder);

/* False: nothing can be compared with this folder's journal, or the machine is at fault, and error
 * says what; or *stop was set, then its text is empty. */
bool report_verify_run(const report_verify *verify, report_verified *verified, base_error *error);

#endif
