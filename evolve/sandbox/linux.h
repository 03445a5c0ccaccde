/* SPDX-License-Identifier: MIT */
/* linux.h -- the layers of the strict level, for sandbox.c. Elsewhere than on Linux they
 * are there too, and say no. */
#ifndef SANDBOX_LINUX_H
#define SANDBOX_LINUX_H

#include "evolve/sandbox/sandbox.h"

/* Whether the kernel has the filter, and this build knows its processor's system calls. */
bool sandbox_seccomp_here(void);

/* The filter of a profile, on all threads. program: the one descriptor CANDIDATE may execute. */
bool sandbox_seccomp_enter(const sandbox_policy *box, int program, base_error *error);

bool sandbox_no_new_privs_here(void);
bool sandbox_no_new_privs(base_error *error);

/* Landlock's ABI; 0: not there. */
int sandbox_landlock_abi(void);

/* Takes files, TCP and signals away, as far as the ABI goes; ABI 0 does nothing. */
bool sandbox_landlock_enter(const sandbox_policy *box, int program, base_error *error);

/* Closes descriptors `from` and above, `but` excepted (-1: none). False: not known here how. */
bool sandbox_close_from(int from, int but);

/* Root becomes a user and group that nobody else is (alone), or else "nobody". */
bool sandbox_leave_root(bool *alone, base_error *error);

/* Replaces this process by the program behind a descriptor; where that cannot be, by argv[0].
 * Returns only if it failed. */
void sandbox_exec_descriptor(int program, char *const argv[], char *const environment[]);

#endif
