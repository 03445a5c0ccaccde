/* SPDX-License-Identifier: MIT */
/* how.h -- how a run is executed, and who sees its progress. None of it changes a result: what
 * does is a setting (settings.h). */
#ifndef LOOP_HOW_H
#define LOOP_HOW_H

#include "evolve/options.h"
#include <signal.h>

enum { LOOP_RUN_FORMAT = 2 }; /* of a run's folder */

struct score_request; /* evolve/score/evaluate.h */
struct score_result;

typedef struct loop_watch {
    void (*say)(void *user, const char *text); /* lines worth keeping, each ending in a line feed */
    /* Progress of `what`, a lengthy thing: done of total. The callee computes rate and time left.
     * detail may be "". A new `what` starts a new thing; done == total ends it. total 0: how much
     * there is to do is not known; the next thing, or the next line, ends it. */
    void (*progress)(void *user, const char *what, int64_t done, int64_t total, const char *detail);
    /* A paragraph, without line feeds: what is about to be done, and why (tell.h). */
    void (*explain)(void *user, const char *text);
    void *user;
} loop_watch;

typedef struct loop_options {
    const char *folder; /* all that follows may be left zero, but for `program` or `evaluate` */
    bool fresh;  /* the folder must not be there: it is made in one step, so that of two runs that
                  * choose the same one at once the second gets TAKEN */
    bool resume; /* the folder holds a run: go on with it. False: it must not hold one */
    bool replay; /* go through the folder's journal alone: nothing is done and nothing written;
                  * INTERRUPTED where it ends before the run does */
    /* Of all three a new run's folder keeps a copy, which the run has from then on where they are NULL. */
    const char *experience; /* file of outcomes, "none"; NULL: the program's own */
    const char *source;     /* text of the program to start from; NULL: the default source */
    const char *const
        *more; /* texts of more such programs, NULL-ended: the first candidates; NULL: none */
    evolve_options run;
    const char *program; /* the phoenix command, which is started for each candidate */
    const volatile sig_atomic_t *stop; /* non-zero: end soon, leaving a run that resumes */
    /* Who scores candidates in this process, one after another, in the place of that command; NULL:
     * nobody. It fills in *score, which is all zero: a status, and for SCORE_OK a finite score of 0
     * or more, lower being better; losses are malloc'ed. score_of_source() is what the command does; it
     * is to be given the images (request->images) where the task has some. The same request has to
     * get the same score, for a run that is resumed or verified. False: the run cannot go on; the
     * error says why. */
    bool (*evaluate)(void *user, const struct score_request *request, struct score_result *score,
                     base_error *error);
    void *user;
    loop_watch watch;
} loop_options;

/* The options with all that was left zero filled in: no launcher, one job and thread, nobody who
 * watches. */
loop_options loop_options_whole(const loop_options *options);

#endif
