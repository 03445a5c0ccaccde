/* SPDX-License-Identifier: MIT */
/* interpret.c -- runs a program on a stack machine, within limits.
 *
 * Nothing here recurses: the machine has a stack of cells and a stack of frames, both of which grow
 * up to a limit, and every step is counted. All arithmetic is arithmetic.c's, and flow.c has made
 * sure that no cell is read before it is written. So a program ends in one of four ways: with a
 * result, by an error of its own, by an error of the host's, or at a limit.
 *
 *     the caller's frame:  parameters, variables, intermediate results, x, y
 *     that of f in f(x, y):                                            x, y, variables, ...
 *
 * A frame begins at the arguments that the caller has pushed, and the result takes their place. */
#include "refine/language/ast.h"

#include "base/list.h"
#include "base/memory.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A call that is under way. */
typedef struct frame {
    size_t base;      /* its first cell on the stack */
    size_t return_to; /* the instruction where the caller goes on */
} frame;

/* A program that is running, and how far it is. */
typedef struct machine {
    language_running run;
    language_cell *stack;
    size_t base, top, capacity; /* of the stack, in cells */
    frame *frames;
    size_t depth; /* frames, one a call */
    size_t next;  /* instruction */
    int64_t steps;
} machine;

/* ---- calls ---- */

/* Makes the stack long enough for a frame of that many cells from `base` on. The compiler knows how
 * many a function takes at most, so that no instruction has to look for room. */
static bool reserve(machine *m, size_t base, size_t cells, size_t offset)
{
    size_t most = m->run.limits.memory / sizeof *m->stack;
    if (base > most || cells > most - base)
        return language_stop(&m->run, LANGUAGE_LIMIT, offset, "more than %zu bytes of variables",
                             m->run.limits.memory);
    if (base + cells <= m->capacity)
        return true;
    size_t capacity = 2 * (base + cells) < most ? 2 * (base + cells) : most;
    language_cell *stack = base_realloc(m->stack, capacity * sizeof *stack);
    if (!stack)
        return language_stop(&m->run, LANGUAGE_LIMIT, offset, "no memory for %zu variables",
                             capacity);
    m->stack = stack;
    m->capacity = capacity;
    return true;
}

/* Begins a call of a function whose arguments are on top of the stack. */
static bool enter(machine *m, const language_code *code, size_t offset)
{
    if (m->depth >= (size_t)m->run.limits.call_depth)
        return language_stop(&m->run, LANGUAGE_LIMIT, offset, "calls nested deeper than %d",
                             m->run.limits.call_depth);
    frame *frames = base_list_grow(m->frames, m->depth, 1, sizeof *frames);
    if (!frames)
        return language_stop(&m->run, LANGUAGE_LIMIT, offset, "no memory for %zu calls",
                             m->depth + 1);
    m->frames = frames;
    size_t base = m->top - (size_t)code->symbol->parameter_cells;
    if (!reserve(m, base, (size_t)code->frame_cells, offset))
        return false;
    m->frames[m->depth++] = (frame){base, m->next};
    m->base = base;
    m->top = base + (size_t)code->variable_cells;
    m->next = (size_t)code->start;
    return true;
}

/* Ends the innermost call with the top cells. */
static void leave(machine *m, size_t cells)
{
    const frame *ended = &m->frames[--m->depth];
    memmove(m->stack + ended->base, m->stack + m->top - cells, cells * sizeof *m->stack);
    m->top = ended->base + cells;
    m->next = ended->return_to;
    m->base = m->depth ? m->frames[m->depth - 1].base : 0;
}

/* The arguments are on top of the stack, where the result goes then. */
static bool call_host(machine *m, const language_symbol *symbol, size_t offset)
{
    if (!language_call_host(&m->run, symbol, m->stack + m->top - symbol->parameter_cells, offset))
        return false;
    m->top += (size_t)symbol->type->cells;
    m->top -= (size_t)symbol->parameter_cells;
    return true;
}

/* ---- instructions ---- */

/* a op b, from the top two cells to one. */
static bool run_int(machine *m, const language_instruction *instruction)
{
    language_cell *b = &m->stack[--m->top], *a = b - 1;
    const char *wrong =
        language_compute_int((language_token_kind)instruction->op, a->i, b->i, &a->i);
    if (wrong)
        return language_stop(&m->run, LANGUAGE_RUN, instruction->offset, "%d %s %d: %s", (int)a->i,
                             language_spelling((language_token_kind)instruction->op), (int)b->i,
                             wrong);
    return true;
}

/* A comparison turns two doubles into an int; what else goes wrong is reported with both
 * operands. */
static bool run_double(machine *m, const language_instruction *instruction)
{
    language_token_kind op = (language_token_kind)instruction->op;
    language_cell *b = &m->stack[--m->top], *a = b - 1;
    if (language_is_comparison(op)) {
        bool holds = language_compare_double(op, a->d, b->d);
        a->i = holds;
        return true;
    }
    double result;
    const char *wrong = language_compute_double(op, a->d, b->d, &result);
    if (wrong)
        return language_stop(&m->run, LANGUAGE_RUN, instruction->offset, "%g %s %g: %s", a->d,
                             language_spelling(op), b->d, wrong);
    a->d = result;
    return true;
}

static void run_handle(machine *m, const language_instruction *instruction)
{
    language_cell *b = &m->stack[--m->top], *a = b - 1;
    bool same = a->handle == b->handle;
    a->i = same == (instruction->op == TOKEN_EQUAL);
}

static bool run_to_int(machine *m, const language_instruction *instruction)
{
    language_cell *top = &m->stack[m->top - 1];
    double value = top->d;
    const char *wrong = language_to_int(value, &top->i);
    if (wrong)
        return language_stop(&m->run, LANGUAGE_RUN, instruction->offset, "(int)%g: %s", value,
                             wrong);
    return true;
}

static void run_to_double(language_cell *top)
{
    int32_t value = top->i; /* C leaves d = i of one union undefined */
    top->d = value;
}

/* A field of a struct that is no variable: its cells slide down to where the struct began. */
static void run_select(machine *m, const language_instruction *instruction)
{
    size_t all = (size_t)instruction->operand / 256, from = (size_t)instruction->operand % 256;
    language_cell *start = m->stack + m->top - all;
    memmove(start, start + from, instruction->cells * sizeof *start);
    m->top = m->top - all + instruction->cells;
}

/* One instruction. False: the program has failed. */
static bool step(machine *m, const language_instruction *instruction)
{
    language_program *program = m->run.program;
    language_cell *stack = m->stack, *top = stack + m->top;
    size_t cells = instruction->cells;
    switch ((language_operation)instruction->operation) {
    case DO_CONSTANT:
        stack[m->top++] = program->constants[instruction->operand];
        return true;
    case DO_LOAD:
        memcpy(top, stack + m->base + instruction->operand, cells * sizeof *stack);
        m->top += cells;
        return true;
    case DO_STORE:
        memcpy(stack + m->base + instruction->operand, top - cells, cells * sizeof *stack);
        return true;
    case DO_POP:
        m->top -= cells;
        return true;
    case DO_COPY:
        top[0] = top[-1];
        m->top++;
        return true;
    case DO_SELECT:
        run_select(m, instruction);
        return true;
    case DO_INT:
        return run_int(m, instruction);
    case DO_DOUBLE:
        return run_double(m, instruction);
    case DO_HANDLE:
        run_handle(m, instruction);
        return true;
    case DO_NEGATE:
        top[-1].d = -top[-1].d;
        return true;
    case DO_TO_INT:
        return run_to_int(m, instruction);
    case DO_TO_DOUBLE:
        run_to_double(top - 1);
        return true;
    case DO_JUMP:
        m->next = (size_t)instruction->operand;
        return true;
    case DO_JUMP_ZERO:
        if (stack[--m->top].i == 0)
            m->next = (size_t)instruction->operand;
        return true;
    case DO_CALL:
        return enter(m, &program->functions[instruction->operand], instruction->offset);
    case DO_HOST:
        return call_host(m, program->hosts[instruction->operand], instruction->offset);
    case DO_RETURN:
        leave(m, cells);
        return true;
    }
    return false;
}

/* Every instruction is one step: the limit does not depend on how long the machine takes. */
static bool run(machine *m)
{
    while (m->depth > 0) {
        const language_instruction *instruction = &m->run.program->instructions[m->next++];
        if (m->steps++ >= m->run.limits.steps)
            return language_stop(&m->run, LANGUAGE_LIMIT, instruction->offset,
                                 "more than %" PRId64 " steps", m->run.limits.steps);
        if (!step(m, instruction))
            return false;
    }
    return true;
}

/* ---- the way in ---- */

/* Calls the function, from its arguments to its result. */
static bool run_function(machine *m, const language_value *arguments, language_value *result)
{
    const language_code *code = m->run.code;
    size_t offset = code->symbol->token->offset;
    if (!reserve(m, 0, (size_t)code->frame_cells, offset))
        return false;
    language_put_arguments(&m->run, arguments, m->stack);
    m->top = (size_t)code->symbol->parameter_cells;
    return enter(m, code, offset) && run(m) && language_take_result(&m->run, m->stack, result);
}

language_failure language_run(language_program *program, const language_invocation *call,
                              language_value *result, language_diagnostic *diagnostic)
{
    machine m = {.run = language_begin(program, call, diagnostic)};
    run_function(&m, call->arguments, result);
    language_arena_free(&m.run.scratch);
    base_free(m.frames);
    base_free(m.stack);
    return m.run.failure;
}
