/* remote.c -- runs a program that is in another process: this end of wire.h.
 *
 * The process has no pointer of this one's and needs none. A handle is a number there; here it is
 * looked up, and its type compared with the one the program says, before the host gets to see it.
 * What a message may contain follows from the program alone, which is known: the size of each is
 * known before it is read, so that nothing from there decides how much memory is taken here. */
#include "refine/language/ast.h"
#include "refine/native/native.h"
#include "refine/native/wire.h"

#include "base/list.h"
#include "base/number.h"
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct handle {
    void *pointer;
    const language_record *record;
} handle;

struct native_process {
    native_channel channel;
    bool broken;
    handle *handles; /* number n is handles[n - 1] */
    size_t count;
};

/* One call of a function, from its arguments to its result. */
typedef struct remote {
    native_process *process;
    language_program *program;
    const language_host *host;
    const language_limits *limits;
    language_arena scratch; /* of a message and its values */
    language_diagnostic *diagnostic;
    language_failure failure;
    int64_t calls; /* of the host; each is a step of the program's */
} remote;

/* ---- failing ---- */

static bool stop(remote *r, language_failure why, size_t offset, const char *format, ...)
    BASE_PRINTF(4, 5);
static bool stop(remote *r, language_failure why, size_t offset, const char *format, ...)
{
    char reason[240];
    va_list arguments;
    va_start(arguments, format);
    base_print_list(reason, sizeof reason, format, arguments);
    va_end(arguments);
    r->failure = why;
    language_explain(&r->program->unit, why, offset, r->diagnostic, "%s", reason);
    return false;
}

static bool give_up(remote *r, const char *what)
{
    r->process->broken = true;
    r->failure = LANGUAGE_LIMIT;
    *r->diagnostic = (language_diagnostic){.failure = LANGUAGE_LIMIT};
    snprintf(r->diagnostic->text, sizeof r->diagnostic->text, "%.80s: the native program %s",
             r->program->unit.file, what);
    return false;
}

static bool send_bytes(remote *r, const void *bytes, size_t size)
{
    const native_channel *channel = &r->process->channel;
    return channel->send(channel->user, bytes, size) ||
           give_up(r, "has ended, and nobody is there to be told");
}

static bool receive_bytes(remote *r, void *bytes, size_t size)
{
    const native_channel *channel = &r->process->channel;
    return channel->receive(channel->user, bytes, size) || give_up(r, "has ended without a result");
}

/* ---- handles ---- */

/* The number of a handle; 0 is no handle. False: no memory. */
static bool number_of(native_process *process, void *pointer, const language_type *type,
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
    handle *larger = base_list_grow(process->handles, process->count, 1, sizeof *larger);
    if (!larger)
        return false;
    process->handles = larger;
    process->handles[process->count++] = (handle){pointer, type->record};
    *number = process->count;
    return true;
}

static bool handle_of(const native_process *process, uint64_t number, const language_type *type,
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
static bool take_value(remote *r, language_arena *arena, const language_type *type,
                       const native_wire_cell **cells, language_value *value)
{
    *value = (language_value){.kind = type->kind};
    if (type->kind == LANGUAGE_STRUCT) {
        const language_record *record = type->record;
        size_t count = (size_t)record->count;
        value->as.fields.count = record->count;
        value->as.fields.names = record->names;
        value->as.fields.field = language_arena_new(arena, count * sizeof *value);
        if (!value->as.fields.field)
            return stop(r, LANGUAGE_LIMIT, 0, "no memory for a value");
        for (size_t i = 0; i < count; i++)
            if (!take_value(r, arena, record->members[i].type, cells, &value->as.fields.field[i]))
                return false;
        return true;
    }
    if (!*cells || type->kind == LANGUAGE_VOID)
        return true;
    const native_wire_cell *cell = (*cells)++;
    if (type->kind == LANGUAGE_INT)
        value->as.i = cell->i;
    else if (type->kind == LANGUAGE_DOUBLE)
        value->as.d = cell->d;
    else if (!handle_of(r->process, cell->bits, type, &value->as.handle))
        return give_up(r, "has made up a handle");
    return true;
}

static bool put_value(remote *r, const language_value *value, const language_type *type,
                      native_wire_cell **cells)
{
    assert(value->kind == type->kind);
    if (type->kind == LANGUAGE_STRUCT) {
        assert(value->as.fields.count == type->record->count);
        for (int i = 0; i < type->record->count; i++)
            if (!put_value(r, &value->as.fields.field[i], type->record->members[i].type, cells))
                return false;
        return true;
    }
    if (type->kind == LANGUAGE_VOID)
        return true;
    native_wire_cell *cell = (*cells)++;
    cell->bits = 0;
    if (type->kind == LANGUAGE_INT)
        cell->i = value->as.i;
    else if (type->kind == LANGUAGE_DOUBLE)
        cell->d = value->as.d;
    else if (!number_of(r->process, value->as.handle, type, &cell->bits))
        return stop(r, LANGUAGE_LIMIT, 0, "no memory for a handle");
    return true;
}

/* ---- messages ---- */

/* As many cells as the program, not the message, says. */
static native_wire_cell *new_cells(remote *r, int count)
{
    native_wire_cell *cells = language_arena_new(&r->scratch, (size_t)(count + 1) * sizeof *cells);
    if (!cells)
        stop(r, LANGUAGE_LIMIT, 0, "no memory for %d cells", count);
    return cells;
}

static native_wire_cell *receive_cells(remote *r, const native_wire_head *head, int count)
{
    if (head->cells != (uint32_t)count) {
        give_up(r, "has sent a message of another size");
        return NULL;
    }
    native_wire_cell *cells = new_cells(r, count);
    return cells && receive_bytes(r, cells, (size_t)count * sizeof *cells) ? cells : NULL;
}

static const language_instruction *instruction_at(const remote *r, uint32_t at)
{
    return at < r->program->instruction_count ? &r->program->instructions[at] : NULL;
}

static const language_host_function *find_host_function(const language_host *host, const char *name)
{
    for (int i = 0; host && i < host->count; i++)
        if (strcmp(host->functions[i].name, name) == 0)
            return &host->functions[i];
    return NULL;
}

/* Calls the host for the program, and answers. */
static bool serve_call(remote *r, const native_wire_head *head)
{
    const language_instruction *n = instruction_at(r, head->at);
    if (!n || n->operation != DO_HOST)
        return give_up(r, "has called what is no function of the host's");
    if (r->calls++ >= r->limits->steps)
        return give_up(r, "has made more calls than it has steps");
    const language_symbol *symbol = r->program->hosts[n->operand];
    size_t offset = n->offset, count = (size_t)symbol->parameter_count;
    const native_wire_cell *cells = receive_cells(r, head, symbol->parameter_cells), *none = NULL;
    if (!cells)
        return false;
    const language_host_function *function = find_host_function(r->host, symbol->name->text);
    if (!function)
        return stop(r, LANGUAGE_RUN, offset, "%s: not offered here", symbol->name->text);
    language_value result,
        *arguments = language_arena_new(&r->scratch, (count + 1) * sizeof *arguments);
    if (!arguments)
        return stop(r, LANGUAGE_LIMIT, offset, "no memory for the arguments");
    for (size_t i = 0; i < count; i++)
        if (!take_value(r, &r->scratch, symbol->parameters[i], &cells, &arguments[i]))
            return false;
    if (!take_value(r, &r->scratch, symbol->type, &none, &result))
        return false;
    char reason[200] = "refused";
    language_failure failure = LANGUAGE_RUN;
    if (!function->call(r->host->user, arguments, symbol->parameter_count, &result, &failure,
                        reason))
        return stop(r, failure == LANGUAGE_LIMIT ? LANGUAGE_LIMIT : LANGUAGE_RUN, offset,
                    "%s: %.199s", symbol->name->text, reason);
    native_wire_cell *answer = new_cells(r, symbol->type->cells), *at = answer;
    return answer && put_value(r, &result, symbol->type, &at) &&
           send_bytes(r, answer, (size_t)(at - answer) * sizeof *answer);
}

/* What went wrong with an operation; NULL: nothing, and the program lies. */
static const char *what_is_wrong(uint32_t what, const language_instruction *n,
                                 const native_wire_cell *operands)
{
    language_token_kind op = (language_token_kind)n->op;
    int32_t i;
    double d;
    if (what == NATIVE_WIRE_INT && n->operation == DO_INT)
        return language_compute_int(op, operands[0].i, operands[1].i, &i);
    if (what == NATIVE_WIRE_DOUBLE && n->operation == DO_DOUBLE && !language_is_comparison(op))
        return language_compute_double(op, operands[0].d, operands[1].d, &d);
    if (what == NATIVE_WIRE_TO_INT && n->operation == DO_TO_INT)
        return language_to_int(operands[0].d, &i);
    return NULL;
}

/* The program has failed. What it says about that is put as interpret.c puts it. */
static bool read_stop(remote *r, const native_wire_head *head, size_t entry)
{
    const language_instruction *n = instruction_at(r, head->at);
    const native_wire_cell *operands = receive_cells(r, head, 2);
    if (!operands)
        return false;
    if (!n && head->at != NATIVE_WIRE_ENTRY)
        return give_up(r, "has failed nowhere");
    size_t offset = n ? n->offset : entry;
    if (head->what == NATIVE_WIRE_STEPS)
        return stop(r, LANGUAGE_LIMIT, offset, "more than %" PRId64 " steps", r->limits->steps);
    if (head->what == NATIVE_WIRE_DEPTH)
        return stop(r, LANGUAGE_LIMIT, offset, "calls nested deeper than %d",
                    r->limits->call_depth);
    if (head->what == NATIVE_WIRE_MEMORY)
        return stop(r, LANGUAGE_LIMIT, offset, "more than %zu bytes of variables",
                    r->limits->memory);
    const char *wrong = n ? what_is_wrong(head->what, n, operands) : NULL;
    const char *op = n ? language_spelling((language_token_kind)n->op) : "";
    if (!wrong)
        return give_up(r, "has failed for no reason");
    if (head->what == NATIVE_WIRE_INT)
        return stop(r, LANGUAGE_RUN, offset, "%d %s %d: %s", (int)operands[0].i, op,
                    (int)operands[1].i, wrong);
    if (head->what == NATIVE_WIRE_DOUBLE)
        return stop(r, LANGUAGE_RUN, offset, "%g %s %g: %s", operands[0].d, op, operands[1].d,
                    wrong);
    return stop(r, LANGUAGE_RUN, offset, "(int)%g: %s", operands[0].d, wrong);
}

static bool read_result(remote *r, const native_wire_head *head, const language_type *type,
                        language_value *result)
{
    language_value value;
    const native_wire_cell *cells = receive_cells(r, head, type->cells);
    if (!cells || !take_value(r, &r->program->unit.arena, type, &cells, &value))
        return false;
    if (result)
        *result = value;
    return true;
}

/* ---- the way in ---- */

static bool send_start(remote *r, int number, const language_symbol *symbol,
                       const language_value *arguments)
{
    native_wire_start start = {
        .program = (uint32_t)number,
        .function = (uint32_t)symbol->function->index,
        .steps = r->limits->steps,
        .cells = r->limits->memory / sizeof(language_cell),
        .depth = (uint32_t)r->limits->call_depth,
        .arguments = (uint32_t)symbol->parameter_cells,
    };
    native_wire_cell *cells = new_cells(r, symbol->parameter_cells), *at = cells;
    if (!cells)
        return false;
    for (int i = 0; i < symbol->parameter_count; i++)
        if (!put_value(r, &arguments[i], symbol->parameters[i], &at))
            return false;
    return send_bytes(r, &start, sizeof start) &&
           send_bytes(r, cells, (size_t)(at - cells) * sizeof *cells);
}

static void converse(remote *r, int number, const language_symbol *symbol,
                     const language_value *arguments, language_value *result)
{
    bool goes_on = send_start(r, number, symbol, arguments);
    while (goes_on) {
        native_wire_head head;
        language_arena_reset(&r->scratch);
        if (!receive_bytes(r, &head, sizeof head))
            return;
        switch (head.kind) {
        case NATIVE_WIRE_CALL:
            goes_on = serve_call(r, &head);
            break;
        case NATIVE_WIRE_STOP:
            goes_on = read_stop(r, &head, symbol->token->offset);
            break;
        case NATIVE_WIRE_RESULT:
            read_result(r, &head, symbol->type, result);
            return;
        default:
            goes_on = give_up(r, "has sent what is no message");
        }
    }
}

static const language_symbol *find_function(const language_program *program, const char *name)
{
    for (int i = 0; i < program->unit.function_count; i++)
        if (strcmp(program->functions[i].symbol->name->text, name) == 0)
            return program->functions[i].symbol;
    return NULL;
}

language_failure native_run(native_process *process, int number, language_program *program,
                            const char *function, const language_value *arguments, int count,
                            const language_host *host, const language_limits *limits,
                            language_value *result, language_diagnostic *diagnostic)
{
    const language_symbol *symbol = find_function(program, function);
    assert(symbol && symbol->parameter_count == count);
    (void)count;
    remote r = {.process = process,
                .program = program,
                .host = host,
                .limits = limits,
                .diagnostic = diagnostic,
                .failure = LANGUAGE_OK};
    *diagnostic = (language_diagnostic){.failure = LANGUAGE_OK};
    if (process->broken)
        give_up(&r, "has ended before");
    else
        converse(&r, number, symbol, arguments, result);
    language_arena_free(&r.scratch);
    return r.failure;
}

/* ---- the process ---- */

native_process *native_process_new(const native_channel *channel)
{
    native_process *process = calloc(1, sizeof *process);
    if (process)
        process->channel = *channel;
    return process;
}

void native_process_free(native_process *process)
{
    if (process)
        free(process->handles);
    free(process);
}

bool native_process_ready(native_process *process)
{
    native_wire_head head;
    const native_channel *channel = &process->channel;
    process->broken = !channel->receive(channel->user, &head, sizeof head) ||
                      head.kind != NATIVE_WIRE_READY || head.what != 0 ||
                      head.at != NATIVE_WIRE_HELLO || head.cells != 0;
    return !process->broken;
}

bool native_process_broken(const native_process *process)
{
    return process->broken;
}
