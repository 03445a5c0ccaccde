/* SPDX-License-Identifier: MIT */
/* pool.h -- commands run as child processes, several at once, each killed at its deadline.
 *
 * The deadline is by the clock, less the time that this process was itself stopped. A job that cannot
 * be started is tried again when another has ended, or for two seconds.
 *
 * A job is a command, what it reads on standard input, and what it wrote on standard output and
 * (the beginning) on standard error, each up to a limit. Every job leads a session of its own, and
 * when it ends, however it ends, its whole process group is killed. The same happens when the
 * process that runs it ends, even by SIGKILL (pool.c, the guardian). */
#ifndef SANDBOX_POOL_H
#define SANDBOX_POOL_H

#include "base/error.h"
#include <signal.h>
#include <stddef.h>

enum { SANDBOX_POOL_OUTPUT = 4 * 1024 * 1024, SANDBOX_POOL_ERRORS = 4096 };

typedef enum sandbox_end {
    SANDBOX_EXITED,   /* code: its exit status */
    SANDBOX_KILLED,   /* code: the signal that ended it */
    SANDBOX_DEADLINE, /* took too long, and was killed */
    SANDBOX_FLOODED   /* wrote more than it may to one of both, and was killed */
} sandbox_end;

struct sandbox_policy;

typedef struct sandbox_job {
    char *const *argv; /* argv[0] is looked up in PATH */
    const char *input;
    size_t input_size;
    double deadline;                      /* seconds from its start */
    size_t most;                          /* bytes of output beyond SANDBOX_POOL_OUTPUT */
    const struct sandbox_policy *sandbox; /* entered by the child, see sandbox_exec(). NULL: none */
    int program;                          /* of a sandboxed candidate */
    /* filled in */
    sandbox_end end;
    int code;
    char *output; /* malloc'ed, NUL-terminated; the caller frees it. NULL: nothing */
    size_t output_size;
    char errors[SANDBOX_POOL_ERRORS]; /* the first of standard error, NUL-terminated */
    double seconds;
} sandbox_job;

/* Runs all jobs, at most `at_once` at the same time, started in order. done (may be NULL) is called
 * as each ends. When *stop turns non-zero (a signal handler's doing), all are killed and the
 * result is false. Also false, with error set: the machine has no pipes or processes left. */
bool sandbox_pool_run(sandbox_job *jobs, int count, int at_once, const volatile sig_atomic_t *stop,
                      void (*done)(void *user, int job), void *user, base_error *error);

#endif
