/* SPDX-License-Identifier: MIT */
/* declare.c -- what the declarations of a file mean: types, structs, enum constants, functions.
 *
 * A struct has a record, and its type and its handle's type live in it, so that two types are the
 * same if they have the same address; a program uses the records of its interface as they are.
 * Functions keep lists of whom they call and who calls them; two questions are answered by
 * following those: which static functions are used, and which functions may have effects. */
#include "refine/language/ast.h"

#include <stdio.h>
#include <string.h>

enum { MOST_PARAMETERS = 127 }; /* what every C compiler takes (C11 5.2.4.1) */

const language_type language_void = {LANGUAGE_VOID, 0, NULL};
const language_type language_int = {LANGUAGE_INT, 1, NULL};
const language_type language_double = {LANGUAGE_DOUBLE, 1, NULL};

/* ---- types ---- */

/* As a program would write the type: by its typedef if it has one. */
language_type_text language_show(const language_type *type)
{
    language_type_text shown;
    const language_record *record = type->record;
    if (!record)
        snprintf(shown.text, sizeof shown.text, "%s",
                 type->kind == LANGUAGE_VOID  ? "void"
                 : type->kind == LANGUAGE_INT ? "int"
                                              : "double");
    else
        snprintf(shown.text, sizeof shown.text, "%s%s%s", record->alias ? "" : "struct ",
                 record->alias ? record->alias
                 : record->tag ? record->tag
                               : "",
                 type->kind == LANGUAGE_HANDLE ? " *" : "");
    return shown;
}

/* What a TYPE node says, before any '*'. */
static const language_type *base_type(language_unit *unit, const language_node *type)
{
    if (type->left)
        return type->left->type; /* defined on the spot */
    switch (type->op) {
    case TOKEN_VOID:
        return &language_void;
    case TOKEN_INT:
        return &language_int;
    case TOKEN_DOUBLE:
        return &language_double;
    case TOKEN_STRUCT:
        if (!type->name->tag)
            language_reject(unit, type->token, "unknown struct '%s'", type->name->text);
        return &type->name->tag->value;
    default:
        if (!type->name->symbol || type->name->symbol->kind != SYMBOL_TYPE)
            language_reject(unit, type->token, "'%s' is no type", type->name->text);
        return type->name->symbol->type;
    }
}

/* Handles are to opaque structs alone: what a program could look into, it gets by value. */
static const language_type *handle_of(language_unit *unit, const language_node *node,
                                      const language_type *type)
{
    if (type->kind != LANGUAGE_STRUCT)
        language_reject(unit, node->token, "'*' makes a handle of an opaque struct, not of %s",
                        language_show(type).text);
    if (type->record->complete)
        language_reject(unit, node->token, "%s is passed by value: its fields are known",
                        language_show(type).text);
    return &type->record->handle;
}

/* The one place where an opaque struct by value is refused: variables, fields, parameters and results
 * pass here. */
const language_type *language_resolve(language_unit *unit, const language_node *node, bool pointer)
{
    const language_type *type = base_type(unit, node);
    if (pointer)
        return handle_of(unit, node, type);
    if (type->kind == LANGUAGE_STRUCT && !type->record->complete)
        language_reject(unit, node->token, "%s is opaque: it is only used as a handle, %s *",
                        language_show(type).text, language_show(type).text);
    return type;
}

/* ---- names ---- */

/* For messages alone, and therefore counted when one is needed. */
static int line_of(const language_symbol *symbol)
{
    int line = 1;
    for (size_t i = 0; i < symbol->token->offset; i++)
        line += symbol->unit->text[i] == '\n';
    return line;
}

/* The message names both places. */
_Noreturn static void reject_second(language_unit *unit, const language_token *token,
                                    const language_symbol *first)
{
    language_reject(unit, token, "'%s' is already declared in %.60s, line %d", first->name->text,
                    first->unit->file, line_of(first));
}

/* C has one scope for the file and one a block; the same name in an inner one hides the outer, and
 * in the same one is an error (C11 6.7p3). */
language_symbol *language_declare(language_unit *unit, language_symbol_kind kind,
                                  language_name *name, const language_token *token, int level)
{
    const language_symbol *outer = name->symbol;
    if (outer && outer->level == level)
        reject_second(unit, token, outer);
    language_symbol *symbol = language_new(unit, sizeof *symbol);
    symbol->kind = kind;
    symbol->unit = unit;
    symbol->name = name;
    symbol->token = token;
    symbol->hidden = outer;
    symbol->level = level;
    name->symbol = symbol;
    if (level == 0) {
        *unit->symbols_end = symbol;
        unit->symbols_end = &symbol->next;
    }
    return symbol;
}

/* ---- structs, enums, typedefs ---- */

/* Opaque until a definition completes it. Every use of the struct has one of these two types. */
static language_record *new_record(language_unit *unit, const char *tag)
{
    language_record *record = language_new(unit, sizeof *record);
    record->unit = unit;
    record->tag = tag;
    record->depth = 1;
    record->value = (language_type){LANGUAGE_STRUCT, 0, record};
    record->handle = (language_type){LANGUAGE_HANDLE, 1, record};
    return record;
}

/* The first mention of `struct tag` makes it known, as opaque. */
static void declare_tag(language_unit *unit, const language_node *node)
{
    language_name *tag = node->name;
    if (tag->enumeration)
        language_reject(unit, node->token, "'%s' is already the name of an enum", tag->text);
    if (!tag->tag)
        tag->tag = tag->own_tag = new_record(unit, tag->text);
}

/* Structs are laid out flat: a field that is a struct takes as many cells as it has scalars, so
 * that a field of a field is an offset known when the program is checked. */
static void add_member(language_unit *unit, language_record *record, const language_node *node)
{
    const language_type *type = language_resolve(unit, node->right, node->pointer);
    if (type->kind == LANGUAGE_VOID)
        language_reject(unit, node->token, "a field of type void");
    for (int i = 0; i < record->count; i++)
        if (record->members[i].name == node->name)
            language_reject(unit, node->token, "a second field '%s'", node->name->text);
    if (record->value.cells + type->cells > LANGUAGE_MAX_FIELDS)
        language_reject(unit, node->token, "more than %d fields, with those of structs in it",
                        LANGUAGE_MAX_FIELDS);
    if (type->kind == LANGUAGE_STRUCT && type->record->depth >= record->depth)
        record->depth = type->record->depth + 1;
    if (record->depth > LANGUAGE_MAX_NESTING)
        language_reject(unit, node->token, "structs are nested too deeply");
    record->members[record->count].name = node->name;
    record->members[record->count].type = type;
    record->members[record->count].offset = record->value.cells;
    record->names[record->count++] = node->name->text;
    record->value.cells += type->cells;
}

/* struct = "struct" [ tag ] "{" fields "}" | "struct" tag ";"
 * Returns the record; NULL: another unit declares it. */
static language_record *check_struct(language_unit *unit, language_node *node)
{
    language_name *tag = node->name;
    if (tag)
        declare_tag(unit, node);
    language_record *record = tag ? tag->own_tag : new_record(unit, NULL);
    node->type = tag ? &tag->tag->value : &record->value;
    if (!node->is_definition)
        return record;
    if (!record || record->complete)
        language_reject(unit, node->token, "struct '%s' is already declared in %.60s", tag->text,
                        tag->tag->unit->file);
    if (!node->left)
        language_reject(unit, node->token, "a struct without fields");
    for (const language_node *field = node->left; field; field = field->next)
        add_member(unit, record, field);
    record->complete = true;
    return record;
}

/* The first name that a typedef gives a struct is what messages call it. */
static void check_typedef(language_unit *unit, language_node *node)
{
    const language_node *type = node->right;
    language_record *record = NULL; /* made by this unit */
    if (type->left) {
        record = check_struct(unit, type->left);
    } else if (type->op == TOKEN_STRUCT) { /* typedef struct t5 t5; makes t5 known as opaque */
        declare_tag(unit, type);
        record = type->name->own_tag;
    }
    language_symbol *symbol = language_declare(unit, SYMBOL_TYPE, node->name, node->token, 0);
    symbol->type = base_type(unit, type);
    if (node->pointer)
        symbol->type = handle_of(unit, type, symbol->type);
    else if (record && !record->alias)
        record->alias = node->name->text;
}

/* Each constant is one more than the one before it, unless it is given a value (C11 6.7.2.2p3). */
static void check_enum(language_unit *unit, language_node *node)
{
    int64_t value = 0;
    if (node->name) {
        if (node->name->tag || node->name->enumeration)
            language_reject(unit, node->token, "'%s' is already the name of a struct or an enum",
                            node->name->text);
        node->name->enumeration = node;
    }
    for (language_node *n = node->left; n; n = n->next) {
        if (n->left)
            value = language_check_enumerator(unit, n->left);
        if (value > INT32_MAX)
            language_reject(unit, n->token, "the value of '%s' does not fit in int", n->name->text);
        language_symbol *symbol = language_declare(unit, SYMBOL_CONSTANT, n->name, n->token, 0);
        symbol->type = &language_int;
        symbol->value = (int32_t)value++;
        symbol->enumeration = node;
    }
}

/* ---- functions ---- */

/* The symbol is in no scope yet: the caller compares it with an earlier one, or declares it. */
language_symbol *language_check_prototype(language_unit *unit, const language_node *node)
{
    language_symbol *symbol = language_new(unit, sizeof *symbol);
    symbol->kind = SYMBOL_FUNCTION;
    symbol->type = language_resolve(unit, node->right, node->pointer);
    symbol->is_static = node->is_static;
    for (const language_node *n = node->left; n; n = n->next)
        symbol->parameter_count++;
    if (symbol->parameter_count > MOST_PARAMETERS)
        language_reject(unit, node->token, "more than %d parameters", MOST_PARAMETERS);
    const language_type **parameters =
        language_new(unit, ((size_t)symbol->parameter_count + 1) * sizeof *parameters);
    symbol->parameters = parameters;
    int count = 0;
    for (const language_node *n = node->left; n; n = n->next) {
        const language_type *type = language_resolve(unit, n->right, n->pointer);
        if (type->kind == LANGUAGE_VOID)
            language_reject(unit, n->token, "a parameter of type void");
        for (const language_node *m = node->left; m != n; m = m->next)
            if (n->name && m->name == n->name)
                language_reject(unit, n->token, "a second parameter '%s'", n->name->text);
        parameters[count++] = type;
        symbol->parameter_cells += type->cells;
    }
    return symbol;
}

/* Types are the same if their addresses are. */
bool language_same_function(const language_symbol *a, const language_symbol *b)
{
    if (a->type != b->type || a->parameter_count != b->parameter_count)
        return false;
    for (int i = 0; i < a->parameter_count; i++)
        if (a->parameters[i] != b->parameters[i])
            return false;
    return true;
}

/* A function that was declared before: int f(int); may be declared and then defined, with the same type
 * and both static or neither. */
static void check_again(language_unit *unit, const language_node *node,
                        const language_symbol *first, const language_symbol *prototype)
{
    if (first->unit != unit || first->kind != SYMBOL_FUNCTION)
        reject_second(unit, node->token, first);
    if (!language_same_function(first, prototype))
        language_reject(unit, node->token, "another type for '%s' than in line %d",
                        node->name->text, line_of(first));
    if (first->is_static != prototype->is_static)
        language_reject(unit, node->token, "'%s' is static here or in line %d, but not in both",
                        node->name->text, line_of(first));
    if (node->body && first->function->definition)
        language_reject(unit, node->token, "a second definition of '%s'", node->name->text);
}

/* What is found out about a function is kept beside its symbol, which does not change. The index is its
 * place in the compiled program. */
static language_function *new_function(language_unit *unit, const language_symbol *symbol)
{
    language_function *function = language_new(unit, sizeof *function);
    function->symbol = symbol;
    function->index = unit->function_count++;
    *unit->functions_end = function;
    unit->functions_end = &function->next;
    return function;
}

/* Takes its type over from a prototype that has been checked. In an interface it is the host's. */
static const language_symbol *declare_function(language_unit *unit, const language_node *node,
                                               const language_symbol *prototype)
{
    if (language_in_c_library(node->name))
        language_reject(unit, node->token, "'%s' is the name of a function of the C library",
                        node->name->text);
    language_symbol *symbol = language_declare(unit, SYMBOL_FUNCTION, node->name, node->token, 0);
    symbol->type = prototype->type;
    symbol->parameters = prototype->parameters;
    symbol->parameter_count = prototype->parameter_count;
    symbol->parameter_cells = prototype->parameter_cells;
    symbol->is_static = prototype->is_static;
    if (unit->interface)
        symbol->function = new_function(unit, symbol);
    return symbol;
}

/* A function may call itself, so it is declared before its body is checked. */
static void check_function(language_unit *unit, language_node *node)
{
    const language_symbol *symbol = node->name->symbol;
    const language_symbol *prototype = language_check_prototype(unit, node);
    if (symbol)
        check_again(unit, node, symbol, prototype);
    else
        symbol = declare_function(unit, node, prototype);
    node->symbol = symbol;
    if (node->body) {
        symbol->function->definition = node;
        language_check_body(unit, node);
    }
}

/* A declaration of the file's scope, by its kind. */
static void check_external(language_unit *unit, language_node *node)
{
    switch (node->kind) {
    case NODE_STRUCT:
        check_struct(unit, node);
        break;
    case NODE_TYPEDEF:
        check_typedef(unit, node);
        break;
    case NODE_ENUM:
        check_enum(unit, node);
        break;
    default:
        check_function(unit, node);
    }
}

/* ---- the program as a whole ---- */

/* Each function is on at most one list at a time, so one link in it is enough. */
static void push_work(language_function **work, language_function *function)
{
    function->work = *work;
    *work = function;
}

/* The list of work is a stack, linked through the functions: no memory is taken for it. */
static language_function *pop_work(language_function **work)
{
    language_function *function = *work;
    *work = function->work;
    return function;
}

/* A function that calls one with effects has effects: along the edges to the callers, each function
 * entering the list of work at most once. */
static void spread_effects(language_unit *unit)
{
    language_function *work = NULL;
    for (language_function *function = unit->functions; function; function = function->next)
        if (function->has_effects)
            push_work(&work, function);
    while (work)
        for (language_edge *edge = pop_work(&work)->callers; edge; edge = edge->next)
            if (!edge->to->has_effects) {
                edge->to->has_effects = true;
                push_work(&work, edge->to);
            }
}

/* A function that is not static is used, by whoever runs the program; so is one that a used
 * function calls. Static functions that only call one another are not, and compilers warn about
 * them. */
static void spread_use(language_unit *unit)
{
    language_function *work = NULL;
    for (language_function *function = unit->functions; function; function = function->next)
        if (!function->symbol->is_static) {
            function->is_used = true;
            push_work(&work, function);
        }
    while (work)
        for (language_edge *edge = pop_work(&work)->callees; edge; edge = edge->next)
            if (!edge->to->is_used) {
                edge->to->is_used = true;
                push_work(&work, edge->to);
            }
}

/* What can be said only when all functions are known: a call may come before the definition, and
 * whether a call has effects decides whether its order matters. */
static void check_functions_together(language_unit *unit)
{
    const language_function *function;
    for (function = unit->functions; function; function = function->next)
        if (!function->definition)
            language_reject(unit, function->symbol->token, "'%s' is declared and never defined",
                            function->symbol->name->text);
    spread_effects(unit);
    for (const language_node *node = unit->declarations; node; node = node->next)
        if (node->kind == NODE_FUNCTION && node->body) {
            language_warn(unit, node);
            language_check_order(unit, node);
            language_check_flow(unit, node);
        }
    spread_use(unit);
    for (function = unit->functions; function; function = function->next)
        if (!function->is_used)
            language_reject(unit, function->symbol->token, "the static function '%s' is never used",
                            function->symbol->name->text);
}

/* An interface only declares: what holds of functions together is asked of programs alone. */
void language_check_unit(language_unit *unit)
{
    for (language_node *node = unit->declarations; node; node = node->next)
        check_external(unit, node);
    if (unit->interface)
        check_functions_together(unit);
}
