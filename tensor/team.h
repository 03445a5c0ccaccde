/* SPDX-License-Identifier: MIT */
/* team.h -- helper threads that share out one loop at a time. For parallel.c.
 *
 * Why not OpenMP: its regions end at a barrier, so when another program takes a processor away,
 * every region waits for a thread that is not running. A training step has some two hundred
 * regions; on a machine with other work to do, two OpenMP threads were measured forty times slower
 * than one (docs/decisions.md). Here the caller hands out the work in pieces that any thread may
 * claim, does whatever nobody else has claimed, and waits only for pieces that somebody has: a
 * helper that is not running costs nothing. OpenMP can still be built in, for systems without POSIX
 * threads. */
#ifndef TENSOR_TEAM_H
#define TENSOR_TEAM_H

typedef struct tensor_team tensor_team;

/* What is done for one piece; worker is 0 for the caller, 1 .. helpers for the others. */
typedef void tensor_team_body(void *argument, int piece, int worker);

/* Starts helper threads; fewer, or none, where the system refuses. NULL: no memory. */
tensor_team *tensor_team_new(int helpers);

/* Calls body for each piece 0 .. pieces-1, once; returns when all are done. pieces at most 65535.
 * One caller at a time. */
void tensor_team_run(tensor_team *team, int pieces, tensor_team_body *body, void *argument);

void tensor_team_free(tensor_team *team);

#endif
