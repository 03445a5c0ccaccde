/* SPDX-License-Identifier: MIT */
/* remote.c -- runs a program that is in another process: this end of wire.h.
 *
 * The process has no pointer of this one's and needs none. A handle is a number there; here it is
 * looked up, and its type compared with the one the program says, before the host gets to see it.
 * What a message may contain follows from the program alone, which is known: the size of each is
 * known before it is read, so that nothing from there decides how much memory is taken here. */
#include "refine/language/ast.h"
#include "base/memory.h"
#include "refine/native/native.h"
#include "refine/native/wire.h"

#include "base/list.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What a number stands for, and the type that the program has to name it with. */
typedef struct handle {
    void *pointer;
    const language_record *record;
} handle;

/* The other end, as far as this one knows it: its channel, and every handle that was ever sent to it. */
struct native_process {
    native_channel channel;
    bool broken;
    handle *handles; /* number n is handles[n - 1] */
    size_t count;
};

/* One call of a function, from its arguments to its result. */
typedef struct remote {
    language_running run;
    native_process *process;
    language_arena message; /* the cells of one message */
    int64_t calls;          /* of the host; each is a step of the program's */
} remote;

/* ---- failing ---- */

/* Ends the conversation for good: the process has died or broken the protocol, and no place in the
 * source is to blame. */
static bool give_up(remote *r, const char *what)
{
    r->process->broken = true;
    r->run.failure = LANGUAGE_LIMIT;
    *r->run.diagnostic = (language_diagnostic){.failure = LANGUAGE_LIMIT};
    snprintf(r->run.diagnostic->text, sizeof r->run.diagnostic->text,
             "%.80s: the native program %s", r->run.program->unit.file, what);
    return false;
}

/* A channel fails for good: whichever way it was, the process is not asked again. */
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
/* The number of a handle; 0 is no handle. False: no memory. A handle has one number as long as the
 * process lives, so that handles that are equal here are equal there. The few that a program has are
 * searched one by one. */
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

/* False: a number that was never given, or the handle of something of another type. */
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

/* ---- cells: the wire's have numbers where ours have handles ---- */

/* Turns the cells of a value into ours, and moves both pointers past them. */
static bool cells_of_wire(remote *r, const language_type *type, const native_wire_cell **wire,
                          language_cell **cells)
{
    if (type->kind == LANGUAGE_STRUCT) {
        for (int i = 0; i < type->record->count; i++)
            if (!cells_of_wire(r, type->record->members[i].type, wire, cells))
                return false;
    } else if (type->kind != LANGUAGE_VOID) {
        const native_wire_cell *from = (*wire)++;
        language_cell *to = (*cells)++;
        if (type->kind == LANGUAGE_INT)
            to->i = from->i;
        else if (type->kind == LANGUAGE_DOUBLE)
            to->d = from->d;
        else if (!handle_of(r->process, from->bits, type, &to->handle))
            return give_up(r, "has made up a handle");
    }
    return true;
}

/* The inverse; handles that the process has not been given before get numbers. */
static bool wire_of_cells(remote *r, const language_type *type, const language_cell **cells,
                          native_wire_cell **wire)
{
    if (type->kind == LANGUAGE_STRUCT) {
        for (int i = 0; i < type->record->count; i++)
            if (!wire_of_cells(r, type->record->members[i].type, cells, wire))
                return false;
    } else if (type->kind != LANGUAGE_VOID) {
        const language_cell *from = (*cells)++;
        native_wire_cell *to = (*wire)++;
        to->bits = 0;
        if (type->kind == LANGUAGE_INT)
            to->i = from->i;
        else if (type->kind == LANGUAGE_DOUBLE)
            to->d = from->d;
        else if (!number_of(r->process, from->handle, type, &to->bits))
            return language_stop(&r->run, LANGUAGE_LIMIT, 0, "no memory for a handle");
    }
    return true;
}

/* ---- messages ---- */

/* Memory for the cells of a message: as many as the program, not the message, says. */
static void *new_cells(remote *r, int count, size_t size)
{
    void *cells = language_arena_new(&r->message, (size_t)(count + 1) * size);
    if (!cells)
        language_stop(&r->run, LANGUAGE_LIMIT, 0, "no memory for %d cells", count);
    return cells;
}

/* NULL: the message has another size than the program says, or did not come whole. */
static native_wire_cell *receive_cells(remote *r, const native_wire_head *head, int count)
{
    if (head->cells != (uint32_t)count) {
        give_up(r, "has sent a message of another size");
        return NULL;
    }
    native_wire_cell *cells = new_cells(r, count, sizeof *cells);
    return cells && receive_bytes(r, cells, (size_t)count * sizeof *cells) ? cells : NULL;
}

/* NULL: no instruction of this program. */
static const language_instruction *instruction_at(const remote *r, uint32_t at)
{
    return at < r->run.program->instruction_count ? &r->run.program->instructions[at] : NULL;
}

/* Calls the host for the program, and answers. */
static bool serve_call(remote *r, const native_wire_head *head)
{
    const language_instruction *n = instruction_at(r, head->at);
    if (!n || n->operation != DO_HOST)
        return give_up(r, "has called what is no function of the host's");
    if (r->calls++ >= r->run.limits.steps)
        return give_up(r, "has made more calls than it has steps");
    const language_symbol *symbol = r->run.program->hosts[n->operand];
    int most = symbol->parameter_cells + symbol->type->cells;
    const native_wire_cell *asked = receive_cells(r, head, symbol->parameter_cells);
    language_cell *cells = asked ? new_cells(r, most, sizeof *cells) : NULL, *to = cells;
    for (int i = 0; cells && i < symbol->parameter_count; i++)
        if (!cells_of_wire(r, symbol->parameters[i], &asked, &to))
            return false;
    if (!cells || !language_call_host(&r->run, symbol, cells, n->offset))
        return false;
    const language_cell *from = cells;
    native_wire_cell *answer = new_cells(r, symbol->type->cells, sizeof *answer), *at = answer;
    return answer && wire_of_cells(r, symbol->type, &from, &at) &&
           send_bytes(r, answer, (size_t)(at - answer) * sizeof *answer);
}

/* What went wrong with an operation, computed again; NULL: nothing, so that the report is false. */
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

/* The program has failed. The message is made here, of the operands, in interpret.c's words. */
static bool read_stop(remote *r, const native_wire_head *head)
{
    const language_instruction *n = instruction_at(r, head->at);
    const native_wire_cell *operands = receive_cells(r, head, 2);
    if (!operands)
        return false;
    if (!n && head->at != NATIVE_WIRE_ENTRY)
        return give_up(r, "has failed nowhere");
    size_t offset = n ? n->offset : r->run.code->symbol->token->offset;
    if (head->what == NATIVE_WIRE_STEPS)
        return language_stop(&r->run, LANGUAGE_LIMIT, offset, "more than %" PRId64 " steps",
                             r->run.limits.steps);
    if (head->what == NATIVE_WIRE_DEPTH)
        return language_stop(&r->run, LANGUAGE_LIMIT, offset, "calls nested deeper than %d",
                             r->run.limits.call_depth);
    if (head->what == NATIVE_WIRE_MEMORY)
        return language_stop(&r->run, LANGUAGE_LIMIT, offset, "more than %zu bytes of variables",
                             r->run.limits.memory);
    const char *wrong = n ? what_is_wrong(head->what, n, operands) : NULL;
    const char *op = n ? language_spelling((language_token_kind)n->op) : "";
    if (!wrong)
        return give_up(r, "has failed for no reason");
    if (head->what == NATIVE_WIRE_INT)
        return language_stop(&r->run, LANGUAGE_RUN, offset, "%d %s %d: %s", (int)operands[0].i, op,
                             (int)operands[1].i, wrong);
    if (head->what == NATIVE_WIRE_DOUBLE)
        return language_stop(&r->run, LANGUAGE_RUN, offset, "%g %s %g: %s", operands[0].d, op,
                             operands[1].d, wrong);
    return language_stop(&r->run, LANGUAGE_RUN, offset, "(int)%g: %s", operands[0].d, wrong);
}

/* The result's size is its type's; a message of another size is no result. */
static bool read_result(remote *r, const native_wire_head *head, language_value *result)
{
    const language_type *type = r->run.code->symbol->type;
    const native_wire_cell *wire = receive_cells(r, head, type->cells);
    language_cell *cells = wire ? new_cells(r, type->cells, sizeof *cells) : NULL, *to = cells;
    return cells && cells_of_wire(r, type, &wire, &to) &&
           language_take_result(&r->run, cells, result);
}

/* ---- the way in ---- */

/* The function, its arguments and the limits. */
static bool send_start(remote *r, int number, const language_value *arguments)
{
    const language_symbol *symbol = r->run.code->symbol;
    int count = symbol->parameter_cells;
    native_wire_start start = {
        .program = (uint32_t)number,
        .function = (uint32_t)symbol->function->index,
        .steps = r->run.limits.steps,
        .cells = r->run.limits.memory / sizeof(language_cell),
        .depth = (uint32_t)r->run.limits.call_depth,
        .arguments = (uint32_t)count,
    };
    language_cell *cells = new_cells(r, count, sizeof *cells);
    native_wire_cell *wire = cells ? new_cells(r, count, sizeof *wire) : NULL, *at = wire;
    if (!wire)
        return false;
    language_put_arguments(&r->run, arguments, cells);
    const language_cell *from = cells;
    for (int i = 0; i < symbol->parameter_count; i++)
        if (!wire_of_cells(r, symbol->parameters[i], &from, &at))
            return false;
    return send_bytes(r, &start, sizeof start) &&
           send_bytes(r, wire, (size_t)(at - wire) * sizeof *wire);
}

/* Serves the program's calls until it has a result or has failed. */
static void converse(remote *r, int number, const language_value *arguments, language_value *result)
{
    bool goes_on = send_start(r, number, arguments);
    while (goes_on) {
        native_wire_head head;
        language_arena_reset(&r->message);
        if (!receive_bytes(r, &head, sizeof head))
            return;
        switch (head.kind) {
        case NATIVE_WIRE_CALL:
            goes_on = serve_call(r, &head);
            break;
        case NATIVE_WIRE_STOP:
            goes_on = read_stop(r, &head);
            break;
        case NATIVE_WIRE_RESULT:
            read_result(r, &head, result);
            return;
        default:
            goes_on = give_up(r, "has sent what is no message");
        }
    }
}

/* The same call as language_run(), with the program elsewhere: the host, the messages and the limits are
 * the same. */
language_failure native_run(native_process *process, int number, language_program *program,
                            const language_invocation *call, language_value *result,
                            language_diagnostic *diagnostic)
{
    remote r = {.run = language_begin(program, call, diagnostic), .process = process};
    if (process->broken)
        give_up(&r, "has ended before");
    else
        converse(&r, number, call->arguments, result);
    language_arena_free(&r.message);
    language_arena_free(&r.run.scratch);
    return r.run.failure;
}

/* ---- the process ---- */

/* Owns the table of handles, and not the channel: whoever started the process ends it. */
native_process *native_process_new(const native_channel *channel)
{
    native_process *process = base_calloc(1, sizeof *process);
    if (process)
        process->channel = *channel;
    return process;
}

void native_process_free(native_process *process)
{
    if (process)
        base_free(process->handles);
    base_free(process);
}

/* The first message names the protocol, so that another program is not taken for a translated
 * one. */
bool native_process_ready(native_process *process)
{
    native_wire_head head;
    const native_channel *channel = &process->channel;
    process->broken = !channel->receive(channel->user, &head, sizeof head) ||
                      head.kind != NATIVE_WIRE_READY || head.what != 0 ||
                      head.at != NATIVE_WIRE_HELLO || head.cells != 0;
    return !process->broken;
}

bool native_process_broken(const native_process *process) { return process->broken; }
