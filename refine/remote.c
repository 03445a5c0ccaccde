/* remote.c -- runs a program that is in another process: this end of wire.h.
 *
 * The process has no pointer of this one's and needs none. A handle is a number there; here it is
 * looked up, and its type compared with the one the program says, before the host gets to see it.
 * What a message may contain follows from the program alone, which is known: the size of each is
 * known before it is read, so that nothing from there decides how much memory is taken here. */
#include "refine/ast.h"
#include "refine/native.h"
#include "refine/wire.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct handle {
    void *pointer;
    const refine_record *record;
} handle;

struct refine_process {
    refine_channel channel;
    bool broken;
    handle *handles; /* number n is handles[n - 1] */
    size_t count, capacity;
};

/* One call of a function, from its arguments to its result. */
typedef struct remote {
    refine_process *process;
    refine_program *program;
    const refine_host *host;
    const refine_limits *limits;
    refine_arena scratch; /* of a message and its values */
    refine_diagnostic *diagnostic;
    refine_failure failure;
    int64_t calls; /* of the host; each is a step of the program's */
} remote;

/* ---- failing ---- */

static bool stop(remote *r, refine_failure why, size_t offset, const char *format, ...)
    BASE_PRINTF(4, 5);
static bool stop(remote *r, refine_failure why, size_t offset, const char *format, ...)
{
    char reason[240];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    r->failure = why;
    refine_explain(&r->program->unit, why, offset, r->diagnostic, "%s", reason);
    return false;
}

static bool give_up(remote *r, const char *what)
{
    r->process->broken = true;
    r->failure = REFINE_LIMIT;
    *r->diagnostic = (refine_diagnostic){.failure = REFINE_LIMIT};
    snprintf(r->diagnostic->text, sizeof r->diagnostic->text, "%.80s: the native program %s",
             r->program->unit.file, what);
    return false;
}

static bool send_bytes(remote *r, const void *bytes, size_t size)
{
    const refine_channel *channel = &r->process->channel;
    return channel->send(channel->user, bytes, size) ||
           give_up(r, "has ended, and nobody is there to be told");
}

static bool receive_bytes(remote *r, void *bytes, size_t size)
{
    const refine_channel *channel = &r->process->channel;
    return channel->receive(channel->user, bytes, size) || give_up(r, "has ended without a result");
}

/* ---- handles ---- */

/* The number of a handle; 0 is no handle. False: no memory. */
static bool number_of(refine_process *process, void *pointer, const refine_type *type,
                      uint64_t *number)
{
    *number = 0;
    if (!pointer)
        return true;
    for (size_t i = 0; i < process->count; i++)
        if (process->handles[i].pointer == pointer && process->handles[i].record == type->record) {
            *number = i + 1;
            return true;
        }
    if (process->count == process->capacity) {
        size_t capacity = process->capacity ? 2 * process->capacity : 16;
        handle *larger = realloc(process->handles, capacity * sizeof *larger);
        if (!larger)
            return false;
        process->handles = larger;
        process->capacity = capacity;
    }
    process->handles[process->count++] = (handle){pointer, type->record};
    *number = process->count;
    return true;
}

static bool handle_of(const refine_process *process, uint64_t number, const refine_type *type,
                      void **pointer)
{
    *pointer = NULL;
    if (number == 0)
        return true;
    if (number > process->count || process->handles[number - 1].record != type->record)
        return false;
    *pointer = process->handles[number - 1].pointer;
    return true;
}

/* ---- values ---- */

/* Makes a value of a type out of cells, or of zeros where *cells is NULL, and moves on. */
static bool take_value(remote *r, refine_arena *arena, const refine_type *type,
                       const refine_wire_cell **cells, refine_value *value)
{
    *value = (refine_value){.kind = type->kind};
    if (type->kind == REFINE_STRUCT) {
        const refine_record *record = type->record;
        size_t count = (size_t)record->count;
        value->as.fields.count = record->count;
        value->as.fields.names = record->names;
        value->as.fields.field = refine_arena_new(arena, count * sizeof *value);
        if (!value->as.fields.field)
            return stop(r, REFINE_LIMIT, 0, "no memory for a value");
        for (size_t i = 0; i < count; i++)
            if (!take_value(r, arena, record->members[i].type, cells, &value->as.fields.field[i]))
                return false;
        return true;
    }
    if (!*cells || type->kind == REFINE_VOID)
        return true;
    const refine_wire_cell *cell = (*cells)++;
    if (type->kind == REFINE_INT)
        value->as.i = cell->i;
    else if (type->kind == REFINE_DOUBLE)
        value->as.d = cell->d;
    else if (!handle_of(r->process, cell->bits, type, &value->as.handle))
        return give_up(r, "has made up a handle");
    return true;
}

static bool put_value(remote *r, const refine_value *value, const refine_type *type,
                      refine_wire_cell **cells)
{
    assert(value->kind == type->kind);
    if (type->kind == REFINE_STRUCT) {
        assert(value->as.fields.count == type->record->count);
        for (int i = 0; i < type->record->count; i++)
            if (!put_value(r, &value->as.fields.field[i], type->record->members[i].type, cells))
                return false;
        return true;
    }
    if (type->kind == REFINE_VOID)
        return true;
    refine_wire_cell *cell = (*cells)++;
    cell->bits = 0;
    if (type->kind == REFINE_INT)
        cell->i = value->as.i;
    else if (type->kind == REFINE_DOUBLE)
        cell->d = value->as.d;
    else if (!number_of(r->process, value->as.handle, type, &cell->bits))
        return stop(r, REFINE_LIMIT, 0, "no memory for a handle");
    return true;
}

/* ---- messages ---- */

/* As many cells as the program, not the message, says. */
static refine_wire_cell *new_cells(remote *r, int count)
{
    refine_wire_cell *cells = refine_arena_new(&r->scratch, (size_t)(count + 1) * sizeof *cells);
    if (!cells)
        stop(r, REFINE_LIMIT, 0, "no memory for %d cells", count);
    return cells;
}

static refine_wire_cell *receive_cells(remote *r, const refine_wire_head *head, int count)
{
    if (head->cells != (uint32_t)count) {
        give_up(r, "has sent a message of another size");
        return NULL;
    }
    refine_wire_cell *cells = new_cells(r, count);
    return cells && receive_bytes(r, cells, (size_t)count * sizeof *cells) ? cells : NULL;
}

static const refine_instruction *instruction_at(const remote *r, uint32_t at)
{
    return at < r->program->instruction_count ? &r->program->instructions[at] : NULL;
}

static const refine_host_function *find_host_function(const refine_host *host, const char *name)
{
    for (int i = 0; host && i < host->count; i++)
        if (strcmp(host->functions[i].name, name) == 0)
            return &host->functions[i];
    return NULL;
}

/* Calls the host for the program, and answers. */
static bool serve_call(remote *r, const refine_wire_head *head)
{
    const refine_instruction *n = instruction_at(r, head->at);
    if (!n || n->operation != DO_HOST)
        return give_up(r, "has called what is no function of the host's");
    if (r->calls++ >= r->limits->steps)
        return give_up(r, "has made more calls than it has steps");
    const refine_symbol *symbol = r->program->hosts[n->operand];
    size_t offset = n->offset, count = (size_t)symbol->parameter_count;
    const refine_wire_cell *cells = receive_cells(r, head, symbol->parameter_cells), *none = NULL;
    if (!cells)
        return false;
    const refine_host_function *function = find_host_function(r->host, symbol->name->text);
    if (!function)
        return stop(r, REFINE_RUN, offset, "%s: not offered here", symbol->name->text);
    refine_value result,
        *arguments = refine_arena_new(&r->scratch, (count + 1) * sizeof *arguments);
    if (!arguments)
        return stop(r, REFINE_LIMIT, offset, "no memory for the arguments");
    for (size_t i = 0; i < count; i++)
        if (!take_value(r, &r->scratch, symbol->parameters[i], &cells, &arguments[i]))
            return false;
    if (!take_value(r, &r->scratch, symbol->type, &none, &result))
        return false;
    char reason[200] = "refused";
    refine_failure failure = REFINE_RUN;
    if (!function->call(r->host->user, arguments, symbol->parameter_count, &result, &failure,
                        reason))
        return stop(r, failure == REFINE_LIMIT ? REFINE_LIMIT : REFINE_RUN, offset, "%s: %.199s",
                    symbol->name->text, reason);
    refine_wire_cell *answer = new_cells(r, symbol->type->cells), *at = answer;
    return answer && put_value(r, &result, symbol->type, &at) &&
           send_bytes(r, answer, (size_t)(at - answer) * sizeof *answer);
}

/* What went wrong with an operation; NULL: nothing, and the program lies. */
static const char *what_is_wrong(uint32_t what, const refine_instruction *n,
                                 const refine_wire_cell *operands)
{
    refine_token_kind op = (refine_token_kind)n->op;
    int32_t i;
    double d;
    if (what == REFINE_WIRE_INT && n->operation == DO_INT)
        return refine_compute_int(op, operands[0].i, operands[1].i, &i);
    if (what == REFINE_WIRE_DOUBLE && n->operation == DO_DOUBLE && !refine_is_comparison(op))
        return refine_compute_double(op, operands[0].d, operands[1].d, &d);
    if (what == REFINE_WIRE_TO_INT && n->operation == DO_TO_INT)
        return refine_to_int(operands[0].d, &i);
    return NULL;
}

/* The program has failed. What it says about that is put as interpret.c puts it. */
static bool read_stop(remote *r, const refine_wire_head *head, size_t entry)
{
    const refine_instruction *n = instruction_at(r, head->at);
    const refine_wire_cell *operands = receive_cells(r, head, 2);
    if (!operands)
        return false;
    if (!n && head->at != REFINE_WIRE_ENTRY)
        return give_up(r, "has failed nowhere");
    size_t offset = n ? n->offset : entry;
    if (head->what == REFINE_WIRE_STEPS)
        return stop(r, REFINE_LIMIT, offset, "more than %" PRId64 " steps", r->limits->steps);
    if (head->what == REFINE_WIRE_DEPTH)
        return stop(r, REFINE_LIMIT, offset, "calls nested deeper than %d", r->limits->call_depth);
    if (head->what == REFINE_WIRE_MEMORY)
        return stop(r, REFINE_LIMIT, offset, "more than %zu bytes of variables", r->limits->memory);
    const char *wrong = n ? what_is_wrong(head->what, n, operands) : NULL;
    const char *op = n ? refine_spelling((refine_token_kind)n->op) : "";
    if (!wrong)
        return give_up(r, "has failed for no reason");
    if (head->what == REFINE_WIRE_INT)
        return stop(r, REFINE_RUN, offset, "%d %s %d: %s", (int)operands[0].i, op,
                    (int)operands[1].i, wrong);
    if (head->what == REFINE_WIRE_DOUBLE)
        return stop(r, REFINE_RUN, offset, "%g %s %g: %s", operands[0].d, op, operands[1].d, wrong);
    return stop(r, REFINE_RUN, offset, "(int)%g: %s", operands[0].d, wrong);
}

static bool read_result(remote *r, const refine_wire_head *head, const refine_type *type,
                        refine_value *result)
{
    refine_value value;
    const refine_wire_cell *cells = receive_cells(r, head, type->cells);
    if (!cells || !take_value(r, &r->program->unit.arena, type, &cells, &value))
        return false;
    if (result)
        *result = value;
    return true;
}

/* ---- the way in ---- */

static bool send_start(remote *r, int number, const refine_symbol *symbol,
                       const refine_value *arguments)
{
    refine_wire_start start = {
        .program = (uint32_t)number,
        .function = (uint32_t)symbol->index,
        .steps = r->limits->steps,
        .cells = r->limits->memory / sizeof(refine_cell),
        .depth = (uint32_t)r->limits->call_depth,
        .arguments = (uint32_t)symbol->parameter_cells,
    };
    refine_wire_cell *cells = new_cells(r, symbol->parameter_cells), *at = cells;
    if (!cells)
        return false;
    for (int i = 0; i < symbol->parameter_count; i++)
        if (!put_value(r, &arguments[i], symbol->parameters[i], &at))
            return false;
    return send_bytes(r, &start, sizeof start) &&
           send_bytes(r, cells, (size_t)(at - cells) * sizeof *cells);
}

static void converse(remote *r, int number, const refine_symbol *symbol,
                     const refine_value *arguments, refine_value *result)
{
    bool goes_on = send_start(r, number, symbol, arguments);
    while (goes_on) {
        refine_wire_head head;
        refine_arena_reset(&r->scratch);
        if (!receive_bytes(r, &head, sizeof head))
            return;
        switch (head.kind) {
        case REFINE_WIRE_CALL:
            goes_on = serve_call(r, &head);
            break;
        case REFINE_WIRE_STOP:
            goes_on = read_stop(r, &head, symbol->token->offset);
            break;
        case REFINE_WIRE_RESULT:
            read_result(r, &head, symbol->type, result);
            return;
        default:
            goes_on = give_up(r, "has sent what is no message");
        }
    }
}

static const refine_symbol *find_function(const refine_program *program, const char *name)
{
    for (int i = 0; i < program->unit.function_count; i++)
        if (strcmp(program->functions[i].symbol->name->text, name) == 0)
            return program->functions[i].symbol;
    return NULL;
}

refine_failure refine_call(refine_process *process, int number, refine_program *program,
                           const char *function, const refine_value *arguments, int count,
                           const refine_host *host, const refine_limits *limits,
                           refine_value *result, refine_diagnostic *diagnostic)
{
    const refine_symbol *symbol = find_function(program, function);
    assert(symbol && symbol->parameter_count == count);
    (void)count;
    remote r = {.process = process,
                .program = program,
                .host = host,
                .limits = limits,
                .diagnostic = diagnostic,
                .failure = REFINE_OK};
    *diagnostic = (refine_diagnostic){.failure = REFINE_OK};
    if (process->broken)
        give_up(&r, "has ended before");
    else
        converse(&r, number, symbol, arguments, result);
    refine_arena_free(&r.scratch);
    return r.failure;
}

/* ---- the process ---- */

refine_process *refine_process_new(const refine_channel *channel)
{
    refine_process *process = calloc(1, sizeof *process);
    if (process)
        process->channel = *channel;
    return process;
}

void refine_process_free(refine_process *process)
{
    if (process)
        free(process->handles);
    free(process);
}

bool refine_process_ready(refine_process *process)
{
    refine_wire_head head;
    const refine_channel *channel = &process->channel;
    process->broken = !channel->receive(channel->user, &head, sizeof head) ||
                      head.kind != REFINE_WIRE_READY || head.what != 0 ||
                      head.at != REFINE_WIRE_HELLO || head.cells != 0;
    return !process->broken;
}

bool refine_process_broken(const refine_process *process)
{
    return process->broken;
}
