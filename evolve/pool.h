/* pool.h -- commands run as child processes, several at once, each to a deadline that kills.
 *
 * A job is a command, what it reads on standard input, and what it wrote on standard output and
 * (the beginning) on standard error, each up to a limit. Every job leads a session of its own, and
 * when it ends, however it ends, its whole process group is killed. So it is when the process that
 * runs it ends, be it by SIGKILL. */
#ifndef EVOLVE_POOL_H
#define EVOLVE_POOL_H

#include "base/error.h"
#include <signal.h>
#include <stddef.h>

enum { EVOLVE_POOL_OUTPUT = 4 * 1024 * 1024, EVOLVE_POOL_ERRORS = 4096 };

typedef enum evolve_end {
    EVOLVE_EXITED,   /* code: its exit status */
    EVOLVE_KILLED,   /* code: the signal that ended it */
    EVOLVE_DEADLINE, /* took too long, and was killed */
    EVOLVE_FLOODED   /* wrote more than EVOLVE_POOL_OUTPUT to one of both, and was killed */
} evolve_end;

struct evolve_sandbox;

typedef struct evolve_job {
    char *const *argv; /* argv[0] is looked up in PATH */
    const char *input;
    size_t input_size;
    double deadline; /* seconds from its start */
    const struct evolve_sandbox
        *sandbox; /* entered by the child, see evolve_sandbox_exec(). NULL: none */
    int program;  /* of a sandboxed candidate */
    /* filled in */
    evolve_end end;
    int code;
    char *output; /* malloc'ed, NUL-terminated; the caller frees it. NULL: nothing */
    size_t output_size;
    char errors[EVOLVE_POOL_ERRORS]; /* the first of standard error, NUL-terminated */
    double seconds;
} evolve_job;

/* Runs all jobs, at most `at_once` at the same time, started in order. done (may be NULL) is called
 * as each ends. When *stop turns non-zero (a signal handler's doing), all are killed and the
 * result is false. Also false, with error set: the machine has no pipes or processes left. */
bool evolve_pool_run(evolve_job *jobs, int count, int at_once, const volatile sig_atomic_t *stop,
                     void (*done)(void *user, int job), void *user, base_error *error);

/* A monotonic clock, in seconds. */
double evolve_clock(void);

#endif
