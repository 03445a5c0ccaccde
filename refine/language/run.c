/* SPDX-License-Identifier: MIT */
/* run.c -- what running a program takes, whoever executes it: interpret.c here, or remote.c where
 * the program is a process of its own.
 *
 * A running program knows cells: a scalar each, structs laid out flat. The host knows values, which
 * say their type and the names of their fields, so that it need not know how a program is laid out.
 * Both executors turn one into the other here, call the host here, and fail here, and therefore
 * give the same results and the same messages. */
#include "refine/language/ast.h"

#include "base/number.h"
#include <assert.h>
#include <stdarg.h>
#include <string.h>

/* ---- values and cells ---- */

/* A value of a type, of zeros. False: no memory. */
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

/* Fills a value that make_value() has made. */
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

/* A value of another kind than the type is a bug of the host or of the caller. */
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

/* NULL: the value is no struct, or has no field of that name. */
language_value *language_field(const language_value *value, const char *name)
{
    for (int i = 0; value->kind == LANGUAGE_STRUCT && i < value->as.fields.count; i++)
        if (strcmp(value->as.fields.names[i], name) == 0)
            return &value->as.fields.field[i];
    return NULL;
}

/* ---- from the start to the end of a run ---- */

/* For callers that name none: far more than building a model takes. */
language_limits language_default_limits(void)
{
    return (language_limits){.steps = 10000000, .memory = 16 * 1024 * 1024, .call_depth = 200};
}

/* Functions are few, and looked up by name only from outside of the program. */
const language_code *language_find(const language_program *program, const char *function)
{
    for (int i = 0; i < program->unit.function_count; i++)
        if (strcmp(program->functions[i].symbol->name->text, function) == 0)
            return &program->functions[i];
    return NULL;
}

/* The name and the arguments are the caller's business; all that follows may be the program's
 * fault. */
language_running language_begin(language_program *program, const language_invocation *call,
                                language_diagnostic *diagnostic)
{
    const language_code *code = language_find(program, call->function);
    assert(code && code->symbol->parameter_count == call->count);
    *diagnostic = (language_diagnostic){.failure = LANGUAGE_OK};
    return (language_running){.program = program,
                              .code = code,
                              .host = call->host,
                              .limits = call->limits ? *call->limits : language_default_limits(),
                              .diagnostic = diagnostic};
}

/* Ends the run with a message that names a place of the source. Returns false, to be handed on up. */
bool language_stop(language_running *r, language_failure why, size_t offset, const char *format,
                   ...)
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

/* The arguments' cells, one after another, as a caller's code would have pushed them. */
void language_put_arguments(const language_running *r, const language_value *arguments,
                            language_cell *cells)
{
    const language_symbol *symbol = r->code->symbol;
    for (int i = 0; i < symbol->parameter_count; i++) {
        value_to_cells(&arguments[i], symbol->parameters[i], cells);
        cells += symbol->parameters[i]->cells;
    }
}

/* The result outlives the run: its fields are in the program's own arena. */
bool language_take_result(language_running *r, const language_cell *cells, language_value *result)
{
    const language_symbol *symbol = r->code->symbol;
    language_value value;
    if (!make_value(&r->program->unit.arena, symbol->type, &value))
        return language_stop(r, LANGUAGE_LIMIT, symbol->token->offset, "no memory for the result");
    cells_to_value(cells, symbol->type, &value);
    if (result)
        *result = value;
    return true;
}

/* ---- the host ---- */

/* By name and in order: a host has some sixty functions, and calling one costs more than finding
 * it. */
static const language_host_function *find_host_function(const language_host *host, const char *name)
{
    for (int i = 0; host && i < host->count; i++)
        if (strcmp(host->functions[i].name, name) == 0)
            return &host->functions[i];
    return NULL;
}

/* Values live in the scratch arena until the next call of the host, so that a call costs no malloc
 * once the arena has its first chunk. */
bool language_call_host(language_running *r, const language_symbol *symbol, language_cell *cells,
                        size_t offset)
{
    const language_host_function *function = find_host_function(r->host, symbol->name->text);
    if (!function)
        return language_stop(r, LANGUAGE_RUN, offset, "%s: not offered here", symbol->name->text);
    language_arena_reset(&r->scratch);
    size_t count = (size_t)symbol->parameter_count;
    language_value result, *arguments = language_arena_new(&r->scratch, count * sizeof *arguments);
    bool fine = arguments && make_value(&r->scratch, symbol->type, &result);
    for (size_t i = 0, at = 0; fine && i < count; i++) {
        fine = make_value(&r->scratch, symbol->parameters[i], &arguments[i]);
        if (fine)
            cells_to_value(cells + at, symbol->parameters[i], &arguments[i]);
        at += (size_t)symbol->parameters[i]->cells;
    }
    if (!fine)
        return language_stop(r, LANGUAGE_LIMIT, offset, "no memory for the arguments");
    char reason[200] = "refused";
    language_failure failure = LANGUAGE_RUN;
    if (!function->call(r->host->user, arguments, symbol->parameter_count, &result, &failure,
                        reason))
        return language_stop(r, failure == LANGUAGE_LIMIT ? LANGUAGE_LIMIT : LANGUAGE_RUN, offset,
                             "%s: %.199s", symbol->name->text, reason);
    value_to_cells(&result, symbol->type, cells);
    return true;
}
