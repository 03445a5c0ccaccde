/* SPDX-License-Identifier: MIT */
/* wire.h -- the protocol, over two pipes, between a program that runs in a process of its own and
 * the process that keeps the score.
 *
 *     start  ->          call this function, with these cells for arguments, within these limits
 *            <-  CALL    the instruction at `at` calls the host; its arguments
 *     cells  ->          the host's result
 *            <-  RESULT  the function's result
 *            <-  STOP    it went wrong: `what`, at that instruction, with these operands
 *
 * Each message is a head and as many cells as it says. A program that failed has ended; one that
 * has a result waits for the next start. Both ends are one machine's, so numbers have its bytes.
 * This file is read by remote.c, and stands in front of candidate.h in each translated program. */
#ifndef NATIVE_WIRE_H
#define NATIVE_WIRE_H

#include <stdint.h>

enum { NATIVE_WIRE_HELLO = 0x70687831 }; /* "phx1" */

typedef enum native_wire_kind {
    NATIVE_WIRE_READY, /* `at` is NATIVE_WIRE_HELLO: sent once, before anything else */
    NATIVE_WIRE_CALL,
    NATIVE_WIRE_RESULT,
    NATIVE_WIRE_STOP
} native_wire_kind;

typedef enum native_wire_reason {
    NATIVE_WIRE_INT,    /* an operation on two ints has no result */
    NATIVE_WIRE_DOUBLE, /* on two doubles */
    NATIVE_WIRE_TO_INT, /* a double that is no int; the second operand is 0 */
    NATIVE_WIRE_STEPS,  /* too many; these three have operands of 0 */
    NATIVE_WIRE_DEPTH,  /* of calls */
    NATIVE_WIRE_MEMORY
} native_wire_reason;

/* A scalar. A handle is a number that the process which keeps the score gave it, 0 for none. */
typedef union native_wire_cell {
    int32_t i;
    double d;
    uint64_t bits;
} native_wire_cell;

typedef struct native_wire_start {
    uint32_t program, function;
    int64_t steps;
    uint64_t cells; /* of variables, at most */
    uint32_t depth, arguments;
} native_wire_start;

typedef struct native_wire_head {
    uint32_t kind, what, at, cells;
} native_wire_head;

/* `at`, where no instruction is to blame but the call of the function itself. */
#define NATIVE_WIRE_ENTRY 0xffffffffu

#endif
