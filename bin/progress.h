/* SPDX-License-Identifier: MIT */
/* progress.h -- how far it is, how fast, and how long it will still take: one line that is
 * rewritten on a terminal, now and then a plain line elsewhere. Standard error; results go to
 * standard output. */
#ifndef BIN_PROGRESS_H
#define BIN_PROGRESS_H

#include "evolve/loop/how.h"

/* A watch that prints; there is one terminal, so there is one. quiet: only what say() is given. */
loop_watch progress_watch(bool quiet);

/* Takes the line away; before anything else is printed on standard error. */
void progress_end(void);

/* Signals: from this call on, the first SIGINT, SIGTERM or SIGHUP sets the flag to its number, the
 * second ends the program. A SIGHUP that whoever started this ignores (nohup) stays ignored. */
const volatile sig_atomic_t *stop_on_signals(void);

#endif
