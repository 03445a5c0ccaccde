/* program.c -- the life of an interface and of a program, and what can be asked of one. */
#include "refine/ast.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

/* Failures that have no place in the text. */
static void explain_without_place(refine_diagnostic *diagnostic, refine_failure failure,
                                  const char *file, const char *what)
{
    *diagnostic = (refine_diagnostic){.failure = failure};
    snprintf(diagnostic->text, sizeof diagnostic->text, "%.80s: %s", file, what);
}

/* From characters to a checked tree. The passes leave by refine_fail(), which comes out here. */
static bool read_unit(refine_unit *unit)
{
    if (setjmp(unit->way_out))
        return false;
    refine_lex(unit);
    refine_parse_unit(unit);
    refine_check_unit(unit);
    return true;
}

static bool open_unit(refine_unit *unit, const char *file, const char *text, size_t length,
                      const refine_interface *interface, refine_diagnostic *diagnostic)
{
    char what[80];
    *diagnostic = (refine_diagnostic){.failure = REFINE_OK};
    if (length > REFINE_MAX_SOURCE) {
        snprintf(what, sizeof what, "expected at most %d bytes, got %zu", REFINE_MAX_SOURCE,
                 length);
        explain_without_place(diagnostic, REFINE_PARSE, file, what);
        return false;
    }
    if (!refine_unit_open(unit, file, text, length, interface, diagnostic)) {
        explain_without_place(diagnostic, REFINE_LIMIT, file, "no memory");
        return false;
    }
    return true;
}

refine_interface *refine_interface_new(const char *name, const char *text, size_t length,
                                       refine_diagnostic *diagnostic)
{
    refine_interface *interface = calloc(1, sizeof *interface);
    if (!interface) {
        explain_without_place(diagnostic, REFINE_LIMIT, name, "no memory");
        return NULL;
    }
    if (!open_unit(&interface->unit, name, text, length, NULL, diagnostic) ||
        !read_unit(&interface->unit)) {
        refine_interface_free(interface);
        return NULL;
    }
    return interface;
}

void refine_interface_free(refine_interface *interface)
{
    if (interface)
        refine_unit_close(&interface->unit);
    free(interface);
}

static bool compile(refine_program *program)
{
    if (setjmp(program->unit.way_out))
        return false;
    refine_compile(program);
    return true;
}

refine_program *refine_parse(const char *file, const char *text, size_t length,
                             const refine_interface *interface, refine_diagnostic *diagnostic)
{
    refine_program *program = calloc(1, sizeof *program);
    if (!program) {
        explain_without_place(diagnostic, REFINE_LIMIT, file, "no memory");
        return NULL;
    }
    if (!open_unit(&program->unit, file, text, length, interface, diagnostic) ||
        !read_unit(&program->unit) || !compile(program)) {
        refine_program_free(program);
        return NULL;
    }
    return program;
}

void refine_program_free(refine_program *program)
{
    if (program)
        refine_unit_close(&program->unit);
    free(program);
}

/* ---- questions ---- */

/* Whether a program's function has the type of a declaration, which is a unit of its own that
 * knows the program's types. */
static bool matches(refine_unit *declaration, const refine_program *program)
{
    if (setjmp(declaration->way_out))
        return false;
    refine_import(declaration, &program->unit.interface->unit);
    refine_import(declaration, &program->unit);
    refine_lex(declaration);
    const refine_node *node = refine_parse_prototype(declaration);
    const refine_symbol *wanted = refine_check_prototype(declaration, node);
    for (const refine_symbol *symbol = program->unit.symbols; symbol; symbol = symbol->next)
        if (symbol->kind == SYMBOL_FUNCTION && strcmp(symbol->name->text, node->name->text) == 0)
            return refine_same_function(symbol, wanted) && symbol->is_static == node->is_static;
    return false;
}

bool refine_defines(const refine_program *program, const char *declaration)
{
    refine_unit unit = {0};
    refine_diagnostic diagnostic;
    bool found = open_unit(&unit, "declaration", declaration, strlen(declaration),
                           program->unit.interface, &diagnostic) &&
                 matches(&unit, program);
    assert(diagnostic.failure == REFINE_OK && "the declaration must parse");
    refine_unit_close(&unit);
    return found;
}

bool refine_has_function(const refine_program *program, const char *name)
{
    for (int i = 0; i < program->unit.function_count; i++)
        if (strcmp(program->functions[i].symbol->name->text, name) == 0)
            return true;
    return false;
}

/* A newline after ';' and braces keeps the meaning of bodies without braces plain to compilers,
 * which look at the layout (see warn.c). */
void refine_normalise(const refine_program *program, base_text *text)
{
    const refine_unit *unit = &program->unit;
    for (const refine_token *token = unit->tokens; token->kind != TOKEN_END; token++) {
        bool is_include = token->kind == TOKEN_INCLUDE;
        bool ends_line = is_include || token->kind == TOKEN_SEMICOLON ||
                         token->kind == TOKEN_LEFT_BRACE || token->kind == TOKEN_RIGHT_BRACE;
        if (is_include)
            base_text_print(text, "#include \"");
        base_text_add(text, unit->text + token->offset, token->length);
        if (is_include)
            base_text_print(text, "\"");
        base_text_print(text, ends_line ? "\n" : " ");
    }
}
