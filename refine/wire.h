/* wire.h -- what a program that runs in a process of its own and the process that keeps the score
 * say to each other over two pipes.
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
#ifndef REFINE_WIRE_H
#define REFINE_WIRE_H

#include <stdint.h>

enum { REFINE_WIRE_HELLO = 0x70687831 }; /* "phx1" */

typedef enum refine_wire_kind {
    REFINE_WIRE_READY, /* `at` is REFINE_WIRE_HELLO: sent once, before anything else */
    REFINE_WIRE_CALL,
    REFINE_WIRE_RESULT,
    REFINE_WIRE_STOP
} refine_wire_kind;

typedef enum refine_wire_reason {
    REFINE_WIRE_INT,    /* an operation on two ints has no result */
    REFINE_WIRE_DOUBLE, /* on two doubles */
    REFINE_WIRE_TO_INT, /* a double that is no int; the second operand is 0 */
    REFINE_WIRE_STEPS,  /* too many; these three have operands of 0 */
    REFINE_WIRE_DEPTH,  /* of calls */
    REFINE_WIRE_MEMORY
} refine_wire_reason;

/* A scalar. A handle is a number that the process which keeps the score gave it, 0 for none. */
typedef union refine_wire_cell {
    int32_t i;
    double d;
    uint64_t bits;
} refine_wire_cell;

typedef struct refine_wire_start {
    uint32_t program, function;
    int64_t steps;
    uint64_t cells; /* of variables, at most */
    uint32_t depth, arguments;
} refine_wire_start;

typedef struct refine_wire_head {
    uint32_t kind, what, at, cells;
} refine_wire_head;

/* `at`, where no instruction is to blame but the call of the function itself. */
#define REFINE_WIRE_ENTRY 0xffffffffu

#endif
