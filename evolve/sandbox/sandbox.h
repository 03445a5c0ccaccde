/* SPDX-License-Identifier: MIT */
/* sandbox.h -- what a process may still do once somebody else's program runs in it.
 *
 * Three levels, each holding what the one before it holds:
 *
 *   none     nothing.
 *   limits   anywhere POSIX is: bounds on memory, processor time, file size, descriptors and
 *            processes; no core dumps; descriptors that were not handed over are closed. It stops
 *            what runs away. It does not stop what means harm: such a program reads what the user
 *            can read, writes what the user can write, uses the network, starts processes that
 *            outlive it.
 *   strict   Linux on x86-64 and aarch64. no_new_privs; root becomes a user that nobody else is;
 *            Landlock, where the kernel has it, takes files, TCP, and signals to others away; a
 *            seccomp filter kills the process at any system call that is not on a list. What is
 *            left is to compute, to use threads where they were allowed for, to read and write the
 *            descriptors that were handed over, and to end.
 *
 * Not held by any level: bugs of the kernel, side channels (time, caches), and what is written to a
 * descriptor that was handed over. Under strict, threads are bounded by RLIMIT_NPROC: root's worker
 * has a user, and so a count, of its own; everybody else shares one count among all processes of
 * the user, so its bound is loose (SHARED_PROCESSES in sandbox.c). Time is the caller's to keep: a
 * process that sleeps uses no processor time (pool.h has deadlines, and kills the whole group).
 *
 * A level that was asked for by name is entered whole, or false is returned and nothing may be run.
 * SANDBOX_BEST takes the strongest that can be had, says which, and does not fail; that is
 * "none" where not even limits can be set (under valgrind). Nothing that was entered can be left.
 * An emulator (qemu for one program) has no strict, and takes a bound on memory without keeping it.
 *
 * The kernel's side: seccomp since 4.14, Landlock since 5.13 (files), 6.7 (TCP), 6.12 (signals). */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

/* From weak to strong. */
typedef enum sandbox_level {
    SANDBOX_BEST, /* the strongest of the others that this machine gives */
    SANDBOX_NONE,
    SANDBOX_LIMITS,
    SANDBOX_STRICT
} sandbox_level;

extern const char *const sandbox_names[]; /* "best", "none", "limits", "strict", NULL */

typedef enum sandbox_profile {
    SANDBOX_WORKER,    /* this process goes on: it interprets, trains, prints */
    SANDBOX_CANDIDATE, /* one program, linked statically, held from its first instruction */
    SANDBOX_COMPILER   /* cc and what it starts: reads where it must, writes in one folder */
} sandbox_profile;

/* 0: not limited. */
typedef struct sandbox_limits {
    uint64_t memory;    /* bytes of address space */
    uint64_t stack;     /* bytes, of the first thread */
    uint64_t file;      /* bytes that any one file may grow to, standard output included */
    uint64_t processor; /* seconds, of all threads together */
    uint64_t files;     /* open descriptors */
    uint64_t threads;   /* 1: clone() is refused outright (strict) */
} sandbox_limits;

typedef struct sandbox_policy {
    sandbox_level level;
    sandbox_profile profile;
    sandbox_limits limits;
    int keep; /* descriptors from this one on are closed; 3 keeps the standard three */
    /* Of a compiler: the folder it starts in and may write in, and, NULL-ended, what it may read
     * beside the system's own folders (relative to where the caller is). */
    const char *folder;
    const char *const *readable;
} sandbox_policy;

/* What holds a candidate that gets so many bytes of memory, seconds and threads. */
sandbox_limits sandbox_limits_for(uint64_t memory, int64_t seconds, int64_t threads);

/* Confines this process, for good. To be called when all that the process needs is open and before
 * anything of the candidate is run; threads that are there already are held by the filter, but not
 * by Landlock. level (may be NULL) is what was reached. False: less than the level asked for. */
bool sandbox_enter(const sandbox_policy *box, sandbox_level *level, base_error *error);

/* For the child of a fork, instead of exec: confines it, then runs a program in it. Returns only if
 * that failed, and then the child has to end.
 *
 *   CANDIDATE  program is a descriptor of it, opened for reading and closed on exec, and
 *              argv[0] its path (used where there is no execveat()); linked statically (a loader
 *              could not open libraries); as root, executable by others (its user is one of its
 *              own). Strict needs Landlock: the filter sees the execveat() it has to let through,
 *              but not the path in it. The environment is empty.
 *   COMPILER   program is -1; argv[0] is looked up in PATH; the environment is PATH, TMPDIR, HOME
 *              and LC_ALL=C. Strict needs Landlock: who writes where is all there is to hold. */
bool sandbox_exec(const sandbox_policy *box, int program, char *const argv[], base_error *error);

/* Closes descriptors `from` and above, `but` excepted (-1: none). */
void sandbox_close(int from, int but);

/* What this machine gives. Nothing changes by asking. */
typedef struct sandbox_machine {
    bool no_new_privs, filter;
    int landlock;        /* its ABI; 0: not there */
    sandbox_level level; /* the strongest for a worker */
    const char *missing; /* why that is not strict; NULL where it is */
} sandbox_machine;

sandbox_machine sandbox_look(void);

#endif
