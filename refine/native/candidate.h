/* SPDX-License-Identifier: MIT */
/* candidate.h -- the beginning of a translated program (translate.c).
 *
 * Nothing includes this: the Makefile makes lines of text of it, behind wire.h, and cc compiles it
 * with the functions that follow. Those work on one array of cells, laid out as the interpreter's
 * stack is, and do what the interpreter does, operation by operation: what C leaves undefined is
 * looked for and stops the program, and each operation is a step. So it means the same, whatever
 * the compiler makes of it, and needs no flag of any. Flags that give up IEEE 754's arithmetic are another language.
 *
 * The process has standard input and output, which are the pipes, and nothing else. */
#ifndef NATIVE_CANDIDATE_H
#define NATIVE_CANDIDATE_H

#include "refine/native/wire.h"
#include <unistd.h>

#if defined __FAST_MATH__ || (defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__)
#error "this compiler was told -ffast-math or -ffinite-math-only: other bits than the interpreter's"
#endif

typedef native_wire_cell cell;

enum { CELLS = 2 * 1024 * 1024 }; /* 16 MiB: language_default_limits() */

/* A function of a translated program. */
typedef struct entry {
    void (*code)(cell *frame);
    uint32_t frame, parameters, result; /* cells */
} entry;

static cell stack[CELLS];
static native_wire_start order; /* the call that is being served */
static int64_t steps;
static uint32_t depth;

/* ---- talking ---- */

static void send_bytes(const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t n = write(1, at, size);
        if (n <= 0)
            _exit(2);
        at += n;
        size -= (size_t)n;
    }
}

static void receive_bytes(void *bytes, size_t size)
{
    char *at = bytes;
    while (size > 0) {
        ssize_t n = read(0, at, size);
        if (n <= 0)
            _exit(n < 0 ? 2 : 0); /* the other side has closed the pipe: no more calls */
        at += n;
        size -= (size_t)n;
    }
}

static void send_message(int kind, int what, uint32_t at, const cell *cells, uint32_t count)
{
    native_wire_head head = {(uint32_t)kind, (uint32_t)what, at, count};
    send_bytes(&head, sizeof head);
    if (count)
        send_bytes(cells, count * sizeof *cells);
}

static void stop(int why, uint32_t at, cell a, cell b)
{
    cell operands[2];
    operands[0] = a;
    operands[1] = b;
    send_message(NATIVE_WIRE_STOP, why, at, operands, 2);
    _exit(0);
}

static void stop_at_limit(int why, uint32_t at)
{
    cell zero;
    zero.bits = 0;
    stop(why, at, zero, zero);
}

/* ---- what instructions do ---- */

/* Counts the instructions from `at` on, of which only the last one can end or leave the program. */
static inline void step(uint32_t at, uint32_t count)
{
    int64_t left = order.steps - steps;
    if (left < count)
        stop_at_limit(NATIVE_WIRE_STEPS, at + (uint32_t)left);
    steps += count;
}

static inline void copy(cell *to, const cell *from,
                        uint32_t count) /* downwards, or not overlapping */
{
    for (uint32_t i = 0; i < count; i++)
        to[i] = from[i];
}

static void stop_int(uint32_t at, int32_t a, int32_t b)
{
    cell x, y;
    x.bits = y.bits = 0;
    x.i = a;
    y.i = b;
    stop(NATIVE_WIRE_INT, at, x, y);
}

static inline int32_t narrow(uint32_t at, int64_t wide, int32_t a, int32_t b)
{
    if (wide < INT32_MIN || wide > INT32_MAX)
        stop_int(at, a, b);
    return (int32_t)wide;
}

static inline int32_t add(uint32_t at, int32_t a, int32_t b)
{
    return narrow(at, (int64_t)a + b, a, b);
}

static inline int32_t subtract(uint32_t at, int32_t a, int32_t b)
{
    return narrow(at, (int64_t)a - b, a, b);
}

static inline int32_t multiply(uint32_t at, int32_t a, int32_t b)
{
    return narrow(at, (int64_t)a * b, a, b);
}

static inline int32_t divide(uint32_t at, int32_t a, int32_t b)
{
    if (b == 0)
        stop_int(at, a, b);
    return narrow(at, (int64_t)a / b, a, b);
}

static inline int32_t modulo(uint32_t at, int32_t a, int32_t b)
{
    (void)divide(at, a, b); /* INT_MIN % -1 has no result either */
    return (int32_t)((int64_t)a % b);
}

static void stop_double(int why, uint32_t at, double a, double b)
{
    cell x, y;
    x.d = a;
    y.d = b;
    stop(why, at, x, y);
}

static inline int is_finite(double x) { return x - x == 0; }

/* volatile: rounded to a double, and not contracted with what comes next. */
static inline double in_range(uint32_t at, volatile double result, double a, double b)
{
    if (!is_finite(result) && is_finite(a) && is_finite(b))
        stop_double(NATIVE_WIRE_DOUBLE, at, a, b);
    return result;
}

static inline double add_double(uint32_t at, double a, double b)
{
    return in_range(at, a + b, a, b);
}

static inline double subtract_double(uint32_t at, double a, double b)
{
    return in_range(at, a - b, a, b);
}

static inline double multiply_double(uint32_t at, double a, double b)
{
    return in_range(at, a * b, a, b);
}

static inline double divide_double(uint32_t at, double a, double b)
{
    if (b == 0)
        stop_double(NATIVE_WIRE_DOUBLE, at, a, b);
    return in_range(at, a / b, a, b);
}

static inline int32_t to_int(uint32_t at, double value)
{
    if (!(value > -2147483649.0 && value < 2147483648.0))
        stop_double(NATIVE_WIRE_TO_INT, at, value, 0);
    return (int32_t)value;
}

static inline double to_double(int32_t value) { return value; }

/* ---- calls ---- */

static inline void enter(uint32_t at, const cell *frame, uint32_t cells)
{
    uint64_t base = (uint64_t)(frame - stack);
    if (depth >= order.depth)
        stop_at_limit(NATIVE_WIRE_DEPTH, at);
    if (base > order.cells || cells > order.cells - base)
        stop_at_limit(NATIVE_WIRE_MEMORY, at);
    depth++;
}

static inline void leave(void) { depth--; }

/* The arguments are at `cells`, and so is the result then. */
static void host(uint32_t at, cell *cells, uint32_t arguments, uint32_t result)
{
    send_message(NATIVE_WIRE_CALL, 0, at, cells, arguments);
    receive_bytes(cells, result * sizeof *cells);
}

/* ---- all of it ---- */

/* Runs functions of these programs, one call after the other, until the pipe is closed. */
static void serve(const entry *const *programs)
{
    send_message(NATIVE_WIRE_READY, 0, NATIVE_WIRE_HELLO, NULL, 0);
    for (;;) {
        receive_bytes(&order, sizeof order);
        const entry *e = &programs[order.program][order.function];
        if (order.cells > CELLS)
            order.cells = CELLS;
        steps = 0;
        depth = 0;
        if (e->frame > order.cells)
            stop_at_limit(NATIVE_WIRE_MEMORY, NATIVE_WIRE_ENTRY);
        receive_bytes(stack, order.arguments * sizeof *stack);
        enter(NATIVE_WIRE_ENTRY, stack, e->frame);
        e->code(stack);
        send_message(NATIVE_WIRE_RESULT, 0, 0, stack, e->result);
    }
}

#endif
