/* interpret.c -- runs a program on a stack machine, within limits.
 *
 * Nothing here recurses, and nothing is left to chance: the machine has one growing stack of
 * cells and one of calls, each step is counted, all arithmetic is arithmetic.c's, and flow.c has
 * made sure that no cell is read before it is written. A program can therefore end in four ways:
 * with a result, by an error of its own, by an error of the host's, or at a limit. */
#include "refine/language/ast.h"

#include "base/number.h"
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct call {
    size_t base;      /* of its frame, on the stack */
    size_t return_to; /* the instruction where its caller goes on */
} call;

typedef struct machine {
    language_program *program;
    const language_host *host;
    const language_limits *limits;
    language_cell *stack;
    size_t base, top, capacity; /* of the stack, in cells */
    call *calls;
    int depth, call_capacity;
    size_t next; /* instruction */
    int64_t steps;
    language_arena scratch; /* of a host call */
    language_diagnostic *diagnostic;
    language_failure failure;
} machine;

/* ---- values, as the host sees them ---- */

/* A value of a type, made of zeros. False: no memory. */
static bool make_value(language_arena *arena, const language_type *type, language_value *value)
{
    *value = (language_value){.kind = type->kind};
    if (type->kind != LANGUAGE_STRUCT)
        return true;
    const language_record *record = type->record;
    value->as.fields.count = record->count;
    value->as.fields.names = record->names;
    value->as.fields.field = language_arena_new(arena, (size_t)record->count * sizeof *value);
    if (!value->as.fields.field)
        return false;
    for (int i = 0; i < record->count; i++)
        if (!make_value(arena, record->members[i].type, &value->as.fields.field[i]))
            return false;
    return true;
}

static void cells_to_value(const language_cell *cells, const language_type *type,
                           language_value *value)
{
    switch (type->kind) {
    case LANGUAGE_VOID:
        break;
    case LANGUAGE_INT:
        value->as.i = cells->i;
        break;
    case LANGUAGE_DOUBLE:
        value->as.d = cells->d;
        break;
    case LANGUAGE_HANDLE:
        value->as.handle = cells->handle;
        break;
    case LANGUAGE_STRUCT:
        for (int i = 0; i < type->record->count; i++) {
            const language_member *member = &type->record->members[i];
            cells_to_value(cells + member->offset, member->type, &value->as.fields.field[i]);
        }
    }
}

static void value_to_cells(const language_value *value, const language_type *type,
                           language_cell *cells)
{
    assert(value->kind == type->kind);
    switch (type->kind) {
    case LANGUAGE_VOID:
        break;
    case LANGUAGE_INT:
        cells->i = value->as.i;
        break;
    case LANGUAGE_DOUBLE:
        cells->d = value->as.d;
        break;
    case LANGUAGE_HANDLE:
        cells->handle = value->as.handle;
        break;
    case LANGUAGE_STRUCT:
        assert(value->as.fields.count == type->record->count);
        for (int i = 0; i < type->record->count; i++) {
            const language_member *member = &type->record->members[i];
            value_to_cells(&value->as.fields.field[i], member->type, cells + member->offset);
        }
    }
}

/* ---- failing ---- */

/* Ends the program with that failure at a place of its text. Returns false. */
static bool stop(machine *m, language_failure why, size_t offset, const char *format, ...)
    BASE_PRINTF(4, 5);
static bool stop(machine *m, language_failure why, size_t offset, const char *format, ...)
{
    char reason[240];
    va_list arguments;
    va_start(arguments, format);
    base_print_list(reason, sizeof reason, format, arguments);
    va_end(arguments);
    m->failure = why;
    language_explain(&m->program->unit, why, offset, m->diagnostic, "%s", reason);
    return false;
}

/* ---- calls ---- */

/* Gives a call its frame: `cells` cells from `base` on. */
static bool reserve(machine *m, size_t base, size_t cells, size_t offset)
{
    size_t most = m->limits->memory / sizeof *m->stack;
    if (base > most || cells > most - base)
        return stop(m, LANGUAGE_LIMIT, offset, "more than %zu bytes of variables",
                    m->limits->memory);
    if (base + cells <= m->capacity)
        return true;
    size_t capacity = 2 * (base + cells) < most ? 2 * (base + cells) : most;
    language_cell *stack = realloc(m->stack, capacity * sizeof *stack);
    if (!stack)
        return stop(m, LANGUAGE_LIMIT, offset, "no memory for %zu variables", capacity);
    m->stack = stack;
    m->capacity = capacity;
    return true;
}

/* Begins a call of a function whose arguments are on top of the stack. */
static bool enter(machine *m, const language_code *code, size_t offset)
{
    if (m->depth >= m->limits->call_depth)
        return stop(m, LANGUAGE_LIMIT, offset, "calls nested deeper than %d",
                    m->limits->call_depth);
    if (m->depth == m->call_capacity) {
        int capacity = m->call_capacity ? 2 * m->call_capacity : 16;
        call *calls = realloc(m->calls, (size_t)capacity * sizeof *calls);
        if (!calls)
            return stop(m, LANGUAGE_LIMIT, offset, "no memory for %d calls", capacity);
        m->calls = calls;
        m->call_capacity = capacity;
    }
    size_t base = m->top - (size_t)code->symbol->parameter_cells;
    if (!reserve(m, base, (size_t)code->frame_cells, offset))
        return false;
    m->calls[m->depth++] = (call){base, m->next};
    m->base = base;
    m->top = base + (size_t)code->variable_cells;
    m->next = (size_t)code->start;
    return true;
}

/* Ends the innermost call with the top cells. */
static void leave(machine *m, size_t cells)
{
    const call *ended = &m->calls[--m->depth];
    memmove(m->stack + ended->base, m->stack + m->top - cells, cells * sizeof *m->stack);
    m->top = ended->base + cells;
    m->next = ended->return_to;
    m->base = m->depth ? m->calls[m->depth - 1].base : 0;
}

static const language_host_function *find_host_function(const language_host *host, const char *name)
{
    for (int i = 0; host && i < host->count; i++)
        if (strcmp(host->functions[i].name, name) == 0)
            return &host->functions[i];
    return NULL;
}

/* Calls the host with arguments and a result that live in the scratch arena. */
static bool call_host(machine *m, const language_symbol *symbol, size_t offset)
{
    const language_host_function *function = find_host_function(m->host, symbol->name->text);
    if (!function)
        return stop(m, LANGUAGE_RUN, offset, "%s: not offered here", symbol->name->text);
    size_t count = (size_t)symbol->parameter_count;
    language_value result, *arguments = language_arena_new(&m->scratch, count * sizeof *arguments);
    language_cell *cells = m->stack + m->top - symbol->parameter_cells;
    bool fine = arguments && make_value(&m->scratch, symbol->type, &result);
    for (size_t i = 0, at = 0; fine && i < count; i++) {
        fine = make_value(&m->scratch, symbol->parameters[i], &arguments[i]);
        if (fine)
            cells_to_value(cells + at, symbol->parameters[i], &arguments[i]);
        at += (size_t)symbol->parameters[i]->cells;
    }
    if (!fine)
        return stop(m, LANGUAGE_LIMIT, offset, "no memory for the arguments");
    char reason[200] = "refused";
    language_failure failure = LANGUAGE_RUN;
    if (!function->call(m->host->user, arguments, symbol->parameter_count, &result, &failure,
                        reason))
        return stop(m, failure == LANGUAGE_LIMIT ? LANGUAGE_LIMIT : LANGUAGE_RUN, offset,
                    "%s: %.199s", symbol->name->text, reason);
    value_to_cells(&result, symbol->type, cells);
    m->top += (size_t)symbol->type->cells;
    m->top -= (size_t)symbol->parameter_cells;
    language_arena_reset(&m->scratch);
    return true;
}

/* ---- instructions ---- */

static bool run_int(machine *m, const language_instruction *instruction)
{
    language_cell *b = &m->stack[--m->top], *a = b - 1;
    const char *wrong =
        language_compute_int((language_token_kind)instruction->op, a->i, b->i, &a->i);
    if (wrong)
        return stop(m, LANGUAGE_RUN, instruction->offset, "%d %s %d: %s", (int)a->i,
                    language_spelling((language_token_kind)instruction->op), (int)b->i, wrong);
    return true;
}

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
        return stop(m, LANGUAGE_RUN, instruction->offset, "%g %s %g: %s", a->d,
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
        return stop(m, LANGUAGE_RUN, instruction->offset, "(int)%g: %s", value, wrong);
    return true;
}

static void run_to_double(language_cell *top)
{
    int32_t value = top->i; /* C leaves d = i of one union undefined */
    top->d = value;
}

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
    language_program *program = m->program;
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

static bool run(machine *m)
{
    while (m->depth > 0) {
        const language_instruction *instruction = &m->program->instructions[m->next++];
        if (m->steps++ >= m->limits->steps)
            return stop(m, LANGUAGE_LIMIT, instruction->offset, "more than %" PRId64 " steps",
                        m->limits->steps);
        if (!step(m, instruction))
            return false;
    }
    return true;
}

/* ---- the way in ---- */

static const language_code *find_function(const language_program *program, const char *name)
{
    for (int i = 0; i < program->unit.function_count; i++)
        if (strcmp(program->functions[i].symbol->name->text, name) == 0)
            return &program->functions[i];
    return NULL;
}

/* Calls a function, from its arguments to its result. */
static bool run_function(machine *m, const language_code *code, const language_value *arguments,
                         language_value *result)
{
    const language_symbol *symbol = code->symbol;
    size_t offset = symbol->token->offset;
    if (!reserve(m, 0, (size_t)code->frame_cells, offset))
        return false;
    for (int i = 0; i < symbol->parameter_count; i++) {
        value_to_cells(&arguments[i], symbol->parameters[i], m->stack + m->top);
        m->top += (size_t)symbol->parameters[i]->cells;
    }
    if (!enter(m, code, offset) || !run(m))
        return false;
    language_value value;
    if (!make_value(&m->program->unit.arena, symbol->type, &value))
        return stop(m, LANGUAGE_LIMIT, offset, "no memory for the result");
    cells_to_value(m->stack, symbol->type, &value);
    if (result)
        *result = value;
    return true;
}

language_failure language_run(language_program *program, const char *function,
                              const language_value *arguments, int count, const language_host *host,
                              const language_limits *limits, language_value *result,
                              language_diagnostic *diagnostic)
{
    const language_code *code = find_function(program, function);
    assert(code && code->symbol->parameter_count == count);
    machine m = {.program = program,
                 .host = host,
                 .limits = limits,
                 .diagnostic = diagnostic,
                 .failure = LANGUAGE_OK};
    *diagnostic = (language_diagnostic){.failure = LANGUAGE_OK};
    run_function(&m, code, arguments, result);
    language_arena_free(&m.scratch);
    free(m.calls);
    free(m.stack);
    return m.failure;
}

language_limits language_default_limits(void)
{
    return (language_limits){.steps = 10000000, .memory = 16 * 1024 * 1024, .call_depth = 200};
}

language_value *language_field(const language_value *value, const char *name)
{
    for (int i = 0; value->kind == LANGUAGE_STRUCT && i < value->as.fields.count; i++)
        if (strcmp(value->as.fields.names[i], name) == 0)
            return &value->as.fields.field[i];
    return NULL;
}
