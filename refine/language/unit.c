/* SPDX-License-Identifier: MIT */
/* unit.c -- what all passes over one text need: memory, names, and a way out on an error.
 *
 * The passes build trees, tables and lists that live exactly as long as the text does. So all of it
 * is in one arena, and nothing is freed piece by piece: an error may be found at any depth of any
 * pass, and one longjmp to program.c ends the reading without a leak.
 *
 * Names are interned: each spelling is one object, which holds what the name means in the innermost
 * scope. Looking a name up is following a pointer; entering a scope sets it, leaving it restores
 * what was hidden. */
#include "refine/language/ast.h"

#include "base/memory.h"
#include "base/number.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the arena: memory that is given back all at once ---- */

/* A block of an arena. Its memory is handed out from the front and never taken back by itself. */
struct language_chunk {
    language_chunk *next;
    size_t used, size;
    max_align_t bytes[]; /* aligned for everything */
};

enum { FIRST_CHUNK = 16 * 1024, LARGEST_CHUNK = 256 * 1024 };

/* Takes the memory from the newest chunk, or from a new one of twice its size: the number of
 * mallocs is logarithmic at first, and at most a chunk's end is wasted each time. */
void *language_arena_new(language_arena *arena, size_t size)
{
    const size_t unit = sizeof(max_align_t);
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + unit - 1) / unit * unit;
    language_chunk *chunk = arena->chunks;
    if (!chunk || size > chunk->size - chunk->used) {
        size_t bytes = !chunk ? FIRST_CHUNK : 2 * chunk->size;
        if (bytes > LARGEST_CHUNK)
            bytes = LARGEST_CHUNK;
        if (bytes < size)
            bytes = size;
        language_chunk *more = base_malloc(sizeof *more + bytes);
        if (!more)
            return NULL;
        more->next = chunk;
        more->used = 0;
        more->size = bytes;
        arena->chunks = chunk = more;
    }
    void *memory = (char *)chunk->bytes + chunk->used;
    chunk->used += size;
    return memset(memory, 0, size);
}

/* Keeps the oldest chunk, the smallest, so that a run that needs little costs no malloc after its first
 * call. */
void language_arena_reset(language_arena *arena)
{
    while (arena->chunks && arena->chunks->next) {
        language_chunk *next = arena->chunks->next;
        base_free(arena->chunks);
        arena->chunks = next;
    }
    if (arena->chunks)
        arena->chunks->used = 0;
}

void language_arena_free(language_arena *arena)
{
    language_arena_reset(arena);
    base_free(arena->chunks);
    arena->chunks = NULL;
}

/* Passes need not look at the result: without memory this does not return. */
void *language_new(language_unit *unit, size_t size)
{
    void *memory = language_arena_new(&unit->arena, size);
    if (!memory)
        language_fail(unit, LANGUAGE_LIMIT, 0, "no memory for reading this source");
    return memory;
}

/* The old array stays in the arena, unused: with doubling, all of them together are no longer than the
 * last. */
void *language_grow(language_unit *unit, void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : 64;
    void *larger = language_new(unit, *capacity * size);
    if (count)
        memcpy(larger, array, count * size);
    return larger;
}

/* ---- diagnostics ---- */

enum { WIDEST_LINE = 100 }; /* of a snippet; a longer line shows what is around the place */

/* A byte of the source as it may be sent to a terminal: control characters do things there. */
static char printable(char c) { return c >= ' ' && c <= '~' ? c : c == '\t' ? '\t' : '?'; }

/* The line that holds the place, and a caret under it. Tabs are kept in both, so they line up. */
static void draw_snippet(const language_unit *unit, size_t offset, char snippet[256])
{
    size_t start = offset, end = offset, length = 0;
    while (start > 0 && unit->text[start - 1] != '\n')
        start--;
    while (end < unit->length && unit->text[end] != '\n' && unit->text[end] != '\r')
        end++;
    if (offset - start > WIDEST_LINE / 2)
        start = offset - WIDEST_LINE / 2;
    if (end - start > WIDEST_LINE)
        end = start + WIDEST_LINE;
    for (size_t i = start; i < end; i++)
        snippet[length++] = printable(unit->text[i]);
    snippet[length++] = '\n';
    for (size_t i = start; i < offset; i++)
        snippet[length++] = unit->text[i] == '\t' ? '\t' : ' ';
    snippet[length++] = '^';
    snippet[length] = '\0';
}

/* Fills a diagnostic. The line and the column are counted only now: a program without errors pays
 * nothing for its messages, and a place is one number everywhere. */
static void explain(const language_unit *unit, language_failure failure, size_t offset,
                    language_diagnostic *diagnostic, const char *format, va_list arguments)
{
    assert(offset <= unit->length);
    diagnostic->failure = failure;
    diagnostic->line = 1;
    diagnostic->column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (unit->text[i] == '\n') {
            diagnostic->line++;
            diagnostic->column = 1;
        } else {
            diagnostic->column++;
        }
    }
    int length = snprintf(diagnostic->text, sizeof diagnostic->text, "%.80s:%d:%d: ", unit->file,
                          diagnostic->line, diagnostic->column);
    base_print_list(diagnostic->text + length, sizeof diagnostic->text - (size_t)length, format,
                    arguments);
    for (char *c = diagnostic->text; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    draw_snippet(unit, offset, diagnostic->snippet);
}

/* For failures of a run, whose diagnostic is its caller's. */
void language_explain(const language_unit *unit, language_failure failure, size_t offset,
                      language_diagnostic *diagnostic, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    explain(unit, failure, offset, diagnostic, format, arguments);
    va_end(arguments);
}

void language_fail(language_unit *unit, language_failure failure, size_t offset, const char *format,
                   ...)
{
    va_list arguments;
    va_start(arguments, format);
    explain(unit, failure, offset, unit->diagnostic, format, arguments);
    va_end(arguments);
    longjmp(unit->way_out, 1);
}

/* What the grammar allows and the checks do not: always LANGUAGE_CHECK, at a token. */
void language_reject(language_unit *unit, const language_token *token, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    explain(unit, LANGUAGE_CHECK, token->offset, unit->diagnostic, format, arguments);
    va_end(arguments);
    longjmp(unit->way_out, 1);
}

/* ---- names ---- */

/* FNV-1a. */
static uint32_t hash_of(const char *text, size_t length)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

/* A hash table with chains. It never grows: it was made for the length of the text. */
language_name *language_intern(language_unit *unit, const char *text, size_t length)
{
    language_name **bucket = &unit->buckets[hash_of(text, length) & (unit->bucket_count - 1)];
    for (language_name *name = *bucket; name; name = name->next)
        if (name->length == length && memcmp(name->text, text, length) == 0)
            return name;
    language_name *name = language_new(unit, sizeof *name);
    char *copy = language_new(unit, length + 1);
    memcpy(copy, text, length);
    name->text = copy;
    name->length = length;
    name->next = *bucket;
    *bucket = name;
    return name;
}

/* Copies references, not symbols: the other unit is only read. Tags are imported separately, since
 * C keeps the names of structs and enums in a name space of their own (C11 6.2.3). */
void language_import(language_unit *unit, const language_unit *from)
{
    for (const language_symbol *symbol = from->symbols; symbol; symbol = symbol->next) {
        language_name *name = language_intern(unit, symbol->name->text, symbol->name->length);
        name->symbol = symbol;
        name->is_type = symbol->kind == SYMBOL_TYPE;
    }
    for (size_t i = 0; i < from->bucket_count; i++)
        for (const language_name *name = from->buckets[i]; name; name = name->next)
            if (name->tag || name->enumeration) {
                language_name *here = language_intern(unit, name->text, name->length);
                here->tag = name->tag;
                here->enumeration = name->enumeration;
            }
    if (from->guard)
        language_intern(unit, from->guard->text, from->guard->length)->is_macro = true;
}

/* ---- opening and closing ---- */

/* A copy that ends with a NUL, so that the lexer may look one character ahead. */
static char *copy_text(language_arena *arena, const char *text, size_t length)
{
    char *copy = language_arena_new(arena, length + 1);
    if (copy && length)
        memcpy(copy, text, length);
    return copy;
}

/* A bucket for every 16 bytes of text keeps the chains short: a name and what stands between it and
 * the next take about that much. */
bool language_unit_open(language_unit *unit, const char *file, const char *text, size_t length,
                        const language_interface *interface, language_diagnostic *diagnostic)
{
    unit->interface = interface;
    unit->diagnostic = diagnostic;
    unit->symbols_end = &unit->symbols;
    unit->functions_end = &unit->functions;
    unit->length = length;
    unit->bucket_count = 64;
    while (unit->bucket_count < length / 16)
        unit->bucket_count *= 2;
    unit->file = copy_text(&unit->arena, file, strlen(file));
    unit->text = copy_text(&unit->arena, text, length);
    unit->buckets = language_arena_new(&unit->arena, unit->bucket_count * sizeof *unit->buckets);
    return unit->file && unit->text && unit->buckets;
}

void language_unit_close(language_unit *unit) { language_arena_free(&unit->arena); }
