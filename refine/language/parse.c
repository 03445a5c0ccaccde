/* SPDX-License-Identifier: MIT */
/* parse.c -- from tokens to a tree, by recursive descent: one function a rule of the grammar, which
 * stands above it.
 *
 * C's grammar needs to know which names are types: `a * b;` declares b if a is one. So the parser
 * follows the scopes of names, but of each only whether it means a type (language_name.is_type);
 * what else a name means is the checker's business, which comes after: a text that is no program of
 * the language fails as such even where it uses unknown names.
 *
 * Every function that can call itself counts its depth, and every expression its height, so that
 * neither this nor any later pass recurses deeper than LANGUAGE_MAX_NESTING allows. */
#include "refine/language/parse.h"

#include <stdio.h>
#include <string.h>

static language_node *parse_statement(language_parser *p);

/* ---- scopes ---- */

/* A name that is about to be declared. */
static language_name *expect_name(language_parser *p, const char *what)
{
    if (!language_next_is(p, TOKEN_NAME))
        language_fail_expected(p, what);
    language_name *name = p->at->as.name;
    if (name->is_macro)
        language_fail_syntax(p, p->at, "this name is a macro of the interface");
    if (strcmp(name->text, "main") == 0)
        language_fail_syntax(p, p->at, "the name 'main' belongs to the program that runs this one");
    p->at++;
    return name;
}

/* A variable hides a type of its name until its scope ends; only then the name is a type again. */
static void hide_type(language_parser *p, language_name *name)
{
    if (!name->is_type)
        return;
    language_hidden *hidden = language_new(p->unit, sizeof *hidden);
    hidden->name = name;
    hidden->outer = p->hidden;
    p->hidden = hidden;
    name->is_type = false;
}

/* Ends the scope that began when `outer` was the newest of the hidden types. */
static void leave_scope(language_parser *p, language_hidden *outer)
{
    for (; p->hidden != outer; p->hidden = p->hidden->outer)
        p->hidden->name->is_type = true;
}

/* ---- declarations of variables ---- */

/* declarator = [ "*" ] name */
static language_node *parse_declarator(language_parser *p, language_node *type, const char *what)
{
    bool pointer = language_accept(p, TOKEN_STAR);
    if (pointer && language_next_is(p, TOKEN_STAR))
        language_fail_expected(p, "a name: a handle has one '*'");
    const language_token *token = p->at;
    language_name *name = expect_name(p, what);
    language_node *node = language_new_node(p, NODE_VARIABLE, token);
    node->right = type;
    node->pointer = pointer;
    node->name = name;
    return node;
}

/* variables = type variable { "," variable } ";"
 * variable  = declarator [ "=" expression ]
 * Returns where the next node of the list goes. */
static language_node **parse_variables(language_parser *p, language_node **end)
{
    language_node *type = language_parse_type(p);
    do {
        language_node *node = parse_declarator(p, type, "the name of a variable");
        hide_type(p, node->name);
        if (language_accept(p, TOKEN_ASSIGN))
            node->left = language_parse_expression(p);
        node->end = p->at;
        *end = node;
        end = &node->next;
    } while (language_accept(p, TOKEN_COMMA));
    language_expect(p, TOKEN_SEMICOLON, "after the declaration");
    return end;
}

/* ---- statements ---- */

/* block = "{" { variables | statement } "}" */
static language_node *parse_block(language_parser *p)
{
    language_hidden *outer = p->hidden;
    language_node *node = language_new_node(p, NODE_BLOCK, p->at);
    language_node **end = &node->body;
    language_expect(p, TOKEN_LEFT_BRACE, "to open a block");
    while (!language_next_is(p, TOKEN_RIGHT_BRACE)) {
        if (language_next_is(p, TOKEN_END))
            language_fail_expected(p, "'}' to close the block");
        if (language_starts_type(p)) {
            end = parse_variables(p, end);
        } else {
            *end = parse_statement(p);
            end = &(*end)->next;
        }
    }
    p->at++;
    leave_scope(p, outer);
    return node;
}

/* condition = "(" expression ")" */
static language_node *parse_in_parens(language_parser *p, const char *before)
{
    language_expect(p, TOKEN_LEFT_PAREN, before);
    language_node *node = language_parse_expression(p);
    language_expect(p, TOKEN_RIGHT_PAREN, "after the condition");
    return node;
}

/* if = "if" "(" expression ")" statement [ "else" statement ] */
static language_node *parse_if(language_parser *p)
{
    language_node *node = language_new_node(p, NODE_IF, p->at++);
    node->condition = parse_in_parens(p, "after 'if'");
    node->body = parse_statement(p);
    if (language_accept(p, TOKEN_ELSE))
        node->right = parse_statement(p);
    return node;
}

/* while = "while" "(" expression ")" statement */
static language_node *parse_while(language_parser *p)
{
    language_node *node = language_new_node(p, NODE_WHILE, p->at++);
    node->condition = parse_in_parens(p, "after 'while'");
    node->body = parse_statement(p);
    return node;
}

/* do = "do" statement "while" "(" expression ")" ";" */
static language_node *parse_do(language_parser *p)
{
    language_node *node = language_new_node(p, NODE_DO, p->at++);
    node->body = parse_statement(p);
    language_expect(p, TOKEN_WHILE, "after the body of 'do'");
    node->condition = parse_in_parens(p, "after 'while'");
    language_expect(p, TOKEN_SEMICOLON, "after 'do ... while (...)'");
    return node;
}

/* An expression that is evaluated for what it does. */
static language_node *parse_effect(language_parser *p)
{
    language_node *node = language_new_node(p, NODE_EXPRESSION, p->at);
    node->left = language_parse_expression(p);
    node->end = p->at;
    return node;
}

/* effects = expression { "," expression } */
static language_node *parse_effects(language_parser *p)
{
    language_node *first = parse_effect(p);
    for (language_node *last = first; language_accept(p, TOKEN_COMMA); last = last->next)
        last->next = parse_effect(p);
    return first;
}

/* for = "for" "(" ( variables | [ effects ] ";" ) [ expression ] ";" [ effects ] ")" statement */
static language_node *parse_for(language_parser *p)
{
    language_hidden *outer = p->hidden;
    language_node *node = language_new_node(p, NODE_FOR, p->at++);
    language_expect(p, TOKEN_LEFT_PAREN, "after 'for'");
    if (language_starts_type(p)) {
        parse_variables(p, &node->left);
    } else {
        if (!language_next_is(p, TOKEN_SEMICOLON))
            node->left = parse_effects(p);
        language_expect(p, TOKEN_SEMICOLON, "after expression");
    }
    if (!language_next_is(p, TOKEN_SEMICOLON))
        node->condition = language_parse_expression(p);
    language_expect(p, TOKEN_SEMICOLON, "after the condition of 'for'");
    if (!language_next_is(p, TOKEN_RIGHT_PAREN))
        node->right = parse_effects(p);
    language_expect(p, TOKEN_RIGHT_PAREN, "after expression");
    node->body = parse_statement(p);
    leave_scope(p, outer);
    return node;
}

/* return = "return" [ expression ] ";"
 * jump   = return | "break" ";" | "continue" ";" */
static language_node *parse_jump(language_parser *p, language_node_kind kind)
{
    language_node *node = language_new_node(p, kind, p->at++);
    if (kind == NODE_RETURN && !language_next_is(p, TOKEN_SEMICOLON))
        node->left = language_parse_expression(p);
    language_expect(p, TOKEN_SEMICOLON,
                    kind == NODE_RETURN  ? "after the value of 'return'"
                    : kind == NODE_BREAK ? "after 'break'"
                                         : "after 'continue'");
    return node;
}

/* statement = block | if | while | do | for | jump | ";" | expression ";" */
static language_node *parse_statement(language_parser *p)
{
    language_node *node;
    if (++p->statements > LANGUAGE_MAX_NESTING)
        language_fail_syntax(p, p->at, "this statement is nested too deeply");
    switch (p->at->kind) {
    case TOKEN_LEFT_BRACE:
        node = parse_block(p);
        break;
    case TOKEN_IF:
        node = parse_if(p);
        break;
    case TOKEN_WHILE:
        node = parse_while(p);
        break;
    case TOKEN_DO:
        node = parse_do(p);
        break;
    case TOKEN_FOR:
        node = parse_for(p);
        break;
    case TOKEN_RETURN:
        node = parse_jump(p, NODE_RETURN);
        break;
    case TOKEN_BREAK:
        node = parse_jump(p, NODE_BREAK);
        break;
    case TOKEN_CONTINUE:
        node = parse_jump(p, NODE_CONTINUE);
        break;
    case TOKEN_SEMICOLON:
        node = language_new_node(p, NODE_EMPTY, p->at++);
        break;
    default:
        if (language_spelling(p->at->kind)[0] >= 'a' || language_starts_type(p))
            language_fail_expected(p, "a statement");
        node = parse_effect(p);
        language_expect(p, TOKEN_SEMICOLON, "after expression");
    }
    node->end = p->at;
    p->statements--;
    return node;
}

/* ---- declarations of the file ---- */

/* fields = "{" { type declarator { "," declarator } ";" } "}" */
static void parse_fields(language_parser *p, language_node *record)
{
    language_node **end = &record->left;
    language_expect(p, TOKEN_LEFT_BRACE, "before the fields");
    record->is_definition = true;
    while (!language_accept(p, TOKEN_RIGHT_BRACE)) {
        language_node *type = language_parse_type(p);
        do {
            *end = parse_declarator(p, type, "the name of a field");
            end = &(*end)->next;
        } while (language_accept(p, TOKEN_COMMA));
        language_expect(p, TOKEN_SEMICOLON, "after the field");
    }
}

/* struct = "struct" [ name ] fields, the name only where a typedef gives it another */
static language_node *parse_struct(language_parser *p, bool needs_name)
{
    const language_token *token = p->at++;
    language_node *node = language_new_node(p, NODE_STRUCT, token);
    if (needs_name || language_next_is(p, TOKEN_NAME)) {
        node->token = p->at;
        node->name = expect_name(p, "the name of a struct");
    }
    parse_fields(p, node);
    return node;
}

/* enum = "enum" [ name ] "{" enumerator { "," enumerator } [ "," ] "}" ";"
 * enumerator = name [ "=" conditional ] */
static language_node *parse_enum(language_parser *p)
{
    language_node *node = language_new_node(p, NODE_ENUM, p->at++);
    language_node **end = &node->left;
    if (language_next_is(p, TOKEN_NAME)) {
        node->token = p->at;
        node->name = expect_name(p, "the name of an enum");
    }
    language_expect(p, TOKEN_LEFT_BRACE, "before the constants of an enum");
    do {
        const language_token *token = p->at;
        language_name *name = expect_name(p, "the name of a constant");
        *end = language_new_node(p, NODE_ENUMERATOR, token);
        (*end)->name = name;
        if (language_accept(p, TOKEN_ASSIGN))
            (*end)->left = language_parse_conditional(p);
        end = &(*end)->next;
    } while (language_accept(p, TOKEN_COMMA) && !language_next_is(p, TOKEN_RIGHT_BRACE));
    language_expect(p, TOKEN_RIGHT_BRACE, "after the constants of an enum");
    language_expect(p, TOKEN_SEMICOLON, "after the enum");
    return node;
}

/* typedef = "typedef" ( struct | type ) declarator ";" */
static language_node *parse_typedef(language_parser *p)
{
    p->at++;
    language_node *type;
    bool is_definition = language_next_is(p, TOKEN_STRUCT) &&
                         (p->at[1].kind == TOKEN_LEFT_BRACE ||
                          (p->at[1].kind == TOKEN_NAME && p->at[2].kind == TOKEN_LEFT_BRACE));
    if (is_definition) {
        type = language_new_node(p, NODE_TYPE, p->at);
        type->left = parse_struct(p, false);
        type->name = type->left->name;
    } else {
        type = language_parse_type(p);
    }
    language_node *node = parse_declarator(p, type, "the name of a type");
    node->kind = NODE_TYPEDEF;
    language_expect(p, TOKEN_SEMICOLON, "after the typedef");
    node->name->is_type = true;
    return node;
}

/* parameters = "(" ( "void" | parameter { "," parameter } ) ")"
 * parameter  = type [ "*" ] [ name ], the name only in a prototype left out */
static void parse_parameters(language_parser *p, language_node *function)
{
    language_node **end = &function->left;
    language_expect(p, TOKEN_LEFT_PAREN,
                    "after the name of a function (there are no global variables)");
    if (language_next_is(p, TOKEN_VOID) && p->at[1].kind == TOKEN_RIGHT_PAREN) {
        p->at += 2;
        return;
    }
    do {
        if (!language_starts_type(p))
            language_fail_expected(p, "the type of a parameter, or 'void' for none");
        language_node *node = language_new_node(p, NODE_VARIABLE, p->at);
        node->right = language_parse_type(p);
        node->pointer = language_accept(p, TOKEN_STAR);
        if (language_next_is(p, TOKEN_NAME)) {
            node->token = p->at;
            node->name = expect_name(p, "the name of a parameter");
            hide_type(p, node->name);
        }
        *end = node;
        end = &node->next;
    } while (language_accept(p, TOKEN_COMMA));
    language_expect(p, TOKEN_RIGHT_PAREN, "after the parameters");
}

/* prototype = [ "static" ] type [ "*" ] name parameters */
static language_node *parse_prototype(language_parser *p)
{
    bool is_static = language_accept(p, TOKEN_STATIC);
    language_node *node = parse_declarator(p, language_parse_type(p), "the name of a function");
    node->kind = NODE_FUNCTION;
    node->is_static = is_static;
    node->name->is_type = false; /* a conflict, which the checker reports */
    parse_parameters(p, node);
    return node;
}

/* function = prototype ( ";" | block ) */
static language_node *parse_function(language_parser *p)
{
    language_hidden *outer = p->hidden;
    language_node *node = parse_prototype(p);
    if (!language_accept(p, TOKEN_SEMICOLON)) {
        if (!p->unit->interface)
            language_fail_expected(p, "';' after the function (an interface only declares)");
        if (!language_next_is(p, TOKEN_LEFT_BRACE))
            language_fail_expected(p, "'{' to open the function, or ';'");
        for (language_node *n = node->left; n; n = n->next)
            if (!n->name)
                language_fail_syntax(p, n->token, "expected a name for this parameter");
        node->body = parse_block(p);
        node->end = p->at;
    }
    leave_scope(p, outer);
    return node;
}

/* external = typedef | struct ";" | "struct" name ";" | enum | function */
static language_node *parse_external(language_parser *p)
{
    language_token_kind after = TOKEN_END; /* the token after "struct name", if that is next */
    if (language_next_is(p, TOKEN_STRUCT) && p->at[1].kind == TOKEN_NAME)
        after = p->at[2].kind;
    if (language_next_is(p, TOKEN_TYPEDEF))
        return parse_typedef(p);
    if (language_next_is(p, TOKEN_ENUM))
        return parse_enum(p);
    if (language_next_is(p, TOKEN_STRUCT) && (after == TOKEN_LEFT_BRACE || after == TOKEN_END)) {
        language_node *node = parse_struct(p, true);
        language_expect(p, TOKEN_SEMICOLON, "after the struct");
        return node;
    }
    if (after == TOKEN_SEMICOLON) {
        language_node *node = language_new_node(p, NODE_STRUCT, &p->at[1]);
        node->name = p->at[1].as.name;
        p->at += 3;
        return node;
    }
    if (!language_next_is(p, TOKEN_STATIC) && !language_starts_type(p))
        language_fail_expected(p, "a declaration");
    return parse_function(p);
}

/* { external }, up to the token that ends the text or the guard. */
static void parse_externals(language_parser *p, language_token_kind last)
{
    language_node **end = &p->unit->declarations;
    while (!language_next_is(p, last)) {
        *end = parse_external(p);
        end = &(*end)->next;
    }
    p->at++;
}

/* program = include { external } */
static void parse_program(language_parser *p)
{
    language_unit *unit = p->unit;
    const language_unit *interface = &unit->interface->unit;
    char what[100];
    snprintf(what, sizeof what, "#include \"%.60s\" first", interface->file);
    if (!language_next_is(p, TOKEN_INCLUDE))
        language_fail_expected(p, what);
    if (p->at->length != strlen(interface->file) ||
        memcmp(unit->text + p->at->offset, interface->file, p->at->length) != 0)
        language_fail(unit, LANGUAGE_PARSE, p->at->offset, "expected \"%.60s\", got \"%.*s\"",
                      interface->file, p->at->length > 60 ? 60 : (int)p->at->length,
                      unit->text + p->at->offset);
    p->at++;
    language_import(unit, interface);
    parse_externals(p, TOKEN_END);
}

/* interface = "#ifndef" name "#define" name { external } "#endif" | { external } */
static void parse_interface(language_parser *p)
{
    bool is_guarded = language_next_is(p, TOKEN_IFNDEF);
    if (is_guarded) {
        const language_name *guard = p->at->as.name;
        p->at++;
        if (!language_next_is(p, TOKEN_DEFINE) || p->at->as.name != guard)
            language_fail_expected(p, "#define of the same name after #ifndef");
        p->at++;
        p->unit->guard = guard;
        language_intern(p->unit, guard->text, guard->length)->is_macro = true;
        parse_externals(p, TOKEN_ENDIF);
        if (!language_next_is(p, TOKEN_END))
            language_fail_expected(p, "nothing after #endif");
    } else {
        parse_externals(p, TOKEN_END);
    }
}

/* A text without a newline at its end is undefined in C (C11 5.1.1.2), though nobody minds. */
void language_parse_unit(language_unit *unit)
{
    language_parser p = {.unit = unit, .at = unit->tokens};
    if (unit->interface)
        parse_program(&p);
    else
        parse_interface(&p);
    if (unit->length > 0 && unit->text[unit->length - 1] != '\n')
        language_fail(unit, LANGUAGE_PARSE, unit->length,
                      "expected a newline at the end of the text");
}

/* For questions about a program: "does it define t5 *model(void)?" (program.c). */
language_node *language_parse_prototype(language_unit *unit)
{
    language_parser p = {.unit = unit, .at = unit->tokens};
    language_node *node = parse_prototype(&p);
    if (!language_next_is(&p, TOKEN_END))
        language_fail_expected(&p, "nothing after the declaration");
    return node;
}
