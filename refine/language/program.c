/* SPDX-License-Identifier: MIT */
/* program.c -- from a text to a program: the passes in their order, and what can be asked of the
 * result.
 *
 * Each pass assumes that those before it found nothing wrong, and so needs no case for what they
 * refuse. An error leaves by longjmp (language_fail) to a setjmp in this file, and no function on
 * the way holds memory outside of the unit's arena. */
#include "refine/language/ast.h"
#include "base/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

/* Failures that have no place in the text. */
static void explain_without_place(language_diagnostic *diagnostic, language_failure failure,
                                  const char *file, const char *what)
{
    *diagnostic = (language_diagnostic){.failure = failure};
    snprintf(diagnostic->text, sizeof diagnostic->text, "%.80s: %s", file, what);
}

/* From characters to a checked tree. The passes leave by language_fail(), which comes out here. */
static bool read_unit(language_unit *unit)
{
    if (setjmp(unit->way_out))
        return false;
    language_lex(unit);
    language_parse_unit(unit);
    language_check_unit(unit);
    return true;
}

/* Nothing is read yet: only what has to hold of any text. The largest length keeps offsets within 32 bits
 * and all tables, which are linear in it, small. */
static bool open_unit(language_unit *unit, const char *file, const char *text, size_t length,
                      const language_interface *interface, language_diagnostic *diagnostic)
{
    char what[80];
    *diagnostic = (language_diagnostic){.failure = LANGUAGE_OK};
    if (length > LANGUAGE_MAX_SOURCE) {
        snprintf(what, sizeof what, "expected at most %d bytes, got %zu", LANGUAGE_MAX_SOURCE,
                 length);
        explain_without_place(diagnostic, LANGUAGE_PARSE, file, what);
        return false;
    }
    if (!language_unit_open(unit, file, text, length, interface, diagnostic)) {
        explain_without_place(diagnostic, LANGUAGE_LIMIT, file, "no memory");
        return false;
    }
    return true;
}

language_interface *language_interface_new(const char *name, const char *text, size_t length,
                                           language_diagnostic *diagnostic)
{
    language_interface *interface = base_calloc(1, sizeof *interface);
    if (!interface) {
        explain_without_place(diagnostic, LANGUAGE_LIMIT, name, "no memory");
        return NULL;
    }
    if (!open_unit(&interface->unit, name, text, length, NULL, diagnostic) ||
        !read_unit(&interface->unit)) {
        language_interface_free(interface);
        return NULL;
    }
    return interface;
}

void language_interface_free(language_interface *interface)
{
    if (interface)
        language_unit_close(&interface->unit);
    base_free(interface);
}

/* Compiling can fail for want of memory alone. */
static bool compile(language_program *program)
{
    if (setjmp(program->unit.way_out))
        return false;
    language_compile(program);
    return true;
}

language_program *language_parse(const char *file, const char *text, size_t length,
                                 const language_interface *interface,
                                 language_diagnostic *diagnostic)
{
    language_program *program = base_calloc(1, sizeof *program);
    if (!program) {
        explain_without_place(diagnostic, LANGUAGE_LIMIT, file, "no memory");
        return NULL;
    }
    if (!open_unit(&program->unit, file, text, length, interface, diagnostic) ||
        !read_unit(&program->unit) || !compile(program)) {
        language_program_free(program);
        return NULL;
    }
    return program;
}

/* For a program whose interface was made for it alone. */
void language_program_keep(language_program *program, language_interface *interface)
{
    assert(program->unit.interface == interface);
    program->kept = interface;
}

/* The interface goes last, as the program's tree points into it. */
void language_program_free(language_program *program)
{
    if (!program)
        return;
    language_unit_close(&program->unit);
    language_interface_free(program->kept);
    base_free(program);
}

/* ---- questions ---- */

/* Whether a program's function has the type of a declaration, which is a unit of its own that
 * knows the program's types. */
static bool matches(language_unit *declaration, const language_program *program)
{
    if (setjmp(declaration->way_out))
        return false;
    language_import(declaration, &program->unit.interface->unit);
    language_import(declaration, &program->unit);
    language_lex(declaration);
    const language_node *node = language_parse_prototype(declaration);
    const language_symbol *wanted = language_check_prototype(declaration, node);
    for (const language_symbol *symbol = program->unit.symbols; symbol; symbol = symbol->next)
        if (symbol->kind == SYMBOL_FUNCTION && strcmp(symbol->name->text, node->name->text) == 0)
            return language_same_function(symbol, wanted) && symbol->is_static == node->is_static;
    return false;
}

/* Types are compared by address, and so the declaration is read among the program's own names. */
bool language_defines(const language_program *program, const char *declaration)
{
    language_unit unit = {0};
    language_diagnostic diagnostic;
    bool found = open_unit(&unit, "declaration", declaration, strlen(declaration),
                           program->unit.interface, &diagnostic) &&
                 matches(&unit, program);
    assert((diagnostic.failure == LANGUAGE_OK || diagnostic.failure == LANGUAGE_LIMIT) &&
           "the declaration must parse");
    language_unit_close(&unit);
    return found;
}

/* Only a function that is defined: one that is declared and not defined does not pass the checks. */
bool language_has_function(const language_program *program, const char *name)
{
    return language_find(program, name) != NULL;
}

void language_print_token(const language_unit *unit, const language_token *token, base_text *text)
{
    bool is_include = token->kind == TOKEN_INCLUDE;
    base_text_print(text, "%s", is_include ? "#include \"" : "");
    base_text_add(text, unit->text + token->offset, token->length);
    base_text_print(text, "%s", is_include ? "\"" : "");
}

/* A newline after ';' and braces keeps the meaning of bodies without braces plain to compilers,
 * which look at the layout (see warn.c). */
void language_normalise(const language_program *program, base_text *text)
{
    const language_unit *unit = &program->unit;
    for (const language_token *token = unit->tokens; token->kind != TOKEN_END; token++) {
        bool ends_line = token->kind == TOKEN_INCLUDE || token->kind == TOKEN_SEMICOLON ||
                         token->kind == TOKEN_LEFT_BRACE || token->kind == TOKEN_RIGHT_BRACE;
        language_print_token(unit, token, text);
        base_text_print(text, ends_line ? "\n" : " ");
    }
}
