/* verify.h -- a run folder held against its own journal.
 *
 * Three things are checked, each on top of the one before:
 *
 *   files       The journal's lines are whole and follow from each other: the run is gone through
 *               as a resumption goes through it (run.h, replay), so that every selection and the
 *               summary are worked out again. Every other file is the one that the journal names by
 *               its hash, or is sealed itself (manifest.json, timing.jsonl, a checkpoint). What an
 *               episode under way has written and no event names yet is not looked at: resuming
 *               writes it anew.
 *   candidates  Each is scored again, and must bring the recorded bytes. Outcomes that are the
 *               machine's and not the program's (crash, deadline) are not tried again.
 *   models      Each training stage is done again, elsewhere, and must bring the same hashes. */
#ifndef REPORT_VERIFY_H
#define REPORT_VERIFY_H

#include "base/error.h"
#include "evolve/loop/how.h"

typedef struct report_verify {
    const loop_options *how; /* folder; how candidates and models are executed; who is told */
    bool execute;            /* candidates, and not only files */
    const char *candidates;  /* of them these: "default,1.0.3,compared.2"; NULL: all. 1.0.3 is
                                * episode, batch, candidate */
    bool models;
} report_verify;

/* How many were held against the journal. */
typedef struct report_verified {
    int files, candidates, models;
    int of_machine; /* candidates that were not tried again */
    bool finished;  /* the run has come to its end */
    int mismatches; /* each was told through watch.say, a line each */
} report_verified;

/* Whether there is a run in that folder, whole or not. */
bool report_verify_is_run(const char *folder);

/* False: nothing can be held against this folder's journal, or the machine is at fault, and error
 * says what; or *stop was set, then its text is empty. */
bool report_verify_run(const report_verify *verify, report_verified *verified, base_error *error);

#endif
