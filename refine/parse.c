/* parse.c -- from tokens to a tree, by recursive descent: one function a rule of the grammar, which
 * stands above it.
 *
 * C's grammar needs to know which names are types: `a * b;` declares b if a is one. So the parser
 * follows the scopes of names, but of each only whether it means a type (refine_name.is_type); what
 * else a name means is the checker's business, which comes after: a text that is no program of the
 * language fails as such even where it uses unknown names.
 *
 * Every function that can call itself counts its depth, and every expression its height, so that
 * neither this nor any later pass recurses deeper than REFINE_MAX_NESTING allows. */
#include "refine/parse.h"

#include <stdio.h>
#include <string.h>

static refine_node *parse_statement(refine_parser *p);

/* ---- scopes ---- */

/* A name that is about to be declared. */
static refine_name *expect_name(refine_parser *p, const char *what)
{
    if (!refine_next_is(p, TOKEN_NAME))
        refine_fail_expected(p, what);
    refine_name *name = p->at->as.name;
    if (name->is_macro)
        refine_fail_syntax(p, p->at, "this name is a macro of the interface");
    if (strcmp(name->text, "main") == 0)
        refine_fail_syntax(p, p->at, "the name 'main' belongs to the program that runs this one");
    p->at++;
    return name;
}

static void hide_type(refine_parser *p, refine_name *name)
{
    if (!name->is_type)
        return;
    refine_hidden *hidden = refine_new(p->unit, sizeof *hidden);
    hidden->name = name;
    hidden->outer = p->hidden;
    p->hidden = hidden;
    name->is_type = false;
}

static void leave_scope(refine_parser *p, refine_hidden *outer)
{
    for (; p->hidden != outer; p->hidden = p->hidden->outer)
        p->hidden->name->is_type = true;
}

/* ---- declarations of variables ---- */

/* declarator = [ "*" ] name */
static refine_node *parse_declarator(refine_parser *p, refine_node *type, const char *what)
{
    bool pointer = refine_accept(p, TOKEN_STAR);
    if (pointer && refine_next_is(p, TOKEN_STAR))
        refine_fail_expected(p, "a name: a handle has one '*'");
    const refine_token *token = p->at;
    refine_name *name = expect_name(p, what);
    refine_node *node = refine_new_node(p, NODE_VARIABLE, token);
    node->right = type;
    node->pointer = pointer;
    node->name = name;
    return node;
}

/* variables = type variable { "," variable } ";"
 * variable  = declarator [ "=" expression ]
 * Returns where the next node of the list goes. */
static refine_node **parse_variables(refine_parser *p, refine_node **end)
{
    refine_node *type = refine_parse_type(p);
    do {
        refine_node *node = parse_declarator(p, type, "the name of a variable");
        hide_type(p, node->name);
        if (refine_accept(p, TOKEN_ASSIGN))
            node->left = refine_parse_expression(p);
        node->end = p->at;
        *end = node;
        end = &node->next;
    } while (refine_accept(p, TOKEN_COMMA));
    refine_expect(p, TOKEN_SEMICOLON, "after the declaration");
    return end;
}

/* ---- statements ---- */

/* block = "{" { variables | statement } "}" */
static refine_node *parse_block(refine_parser *p)
{
    refine_hidden *outer = p->hidden;
    refine_node *node = refine_new_node(p, NODE_BLOCK, p->at);
    refine_node **end = &node->body;
    refine_expect(p, TOKEN_LEFT_BRACE, "to open a block");
    while (!refine_next_is(p, TOKEN_RIGHT_BRACE)) {
        if (refine_next_is(p, TOKEN_END))
            refine_fail_expected(p, "'}' to close the block");
        if (refine_starts_type(p)) {
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

static refine_node *parse_in_parens(refine_parser *p, const char *before)
{
    refine_expect(p, TOKEN_LEFT_PAREN, before);
    refine_node *node = refine_parse_expression(p);
    refine_expect(p, TOKEN_RIGHT_PAREN, "after the condition");
    return node;
}

/* if = "if" "(" expression ")" statement [ "else" statement ] */
static refine_node *parse_if(refine_parser *p)
{
    refine_node *node = refine_new_node(p, NODE_IF, p->at++);
    node->condition = parse_in_parens(p, "after 'if'");
    node->body = parse_statement(p);
    if (refine_accept(p, TOKEN_ELSE))
        node->right = parse_statement(p);
    return node;
}

/* while = "while" "(" expression ")" statement */
static refine_node *parse_while(refine_parser *p)
{
    refine_node *node = refine_new_node(p, NODE_WHILE, p->at++);
    node->condition = parse_in_parens(p, "after 'while'");
    node->body = parse_statement(p);
    return node;
}

/* do = "do" statement "while" "(" expression ")" ";" */
static refine_node *parse_do(refine_parser *p)
{
    refine_node *node = refine_new_node(p, NODE_DO, p->at++);
    node->body = parse_statement(p);
    refine_expect(p, TOKEN_WHILE, "after the body of 'do'");
    node->condition = parse_in_parens(p, "after 'while'");
    refine_expect(p, TOKEN_SEMICOLON, "after 'do ... while (...)'");
    return node;
}

/* An expression that is evaluated for what it does. */
static refine_node *parse_effect(refine_parser *p)
{
    refine_node *node = refine_new_node(p, NODE_EXPRESSION, p->at);
    node->left = refine_parse_expression(p);
    node->end = p->at;
    return node;
}

/* effects = expression { "," expression } */
static refine_node *parse_effects(refine_parser *p)
{
    refine_node *first = parse_effect(p);
    for (refine_node *last = first; refine_accept(p, TOKEN_COMMA); last = last->next)
        last->next = parse_effect(p);
    return first;
}

/* for = "for" "(" ( variables | [ effects ] ";" ) [ expression ] ";" [ effects ] ")" statement */
static refine_node *parse_for(refine_parser *p)
{
    refine_hidden *outer = p->hidden;
    refine_node *node = refine_new_node(p, NODE_FOR, p->at++);
    refine_expect(p, TOKEN_LEFT_PAREN, "after 'for'");
    if (refine_starts_type(p)) {
        parse_variables(p, &node->left);
    } else {
        if (!refine_next_is(p, TOKEN_SEMICOLON))
            node->left = parse_effects(p);
        refine_expect(p, TOKEN_SEMICOLON, "after expression");
    }
    if (!refine_next_is(p, TOKEN_SEMICOLON))
        node->condition = refine_parse_expression(p);
    refine_expect(p, TOKEN_SEMICOLON, "after the condition of 'for'");
    if (!refine_next_is(p, TOKEN_RIGHT_PAREN))
        node->right = parse_effects(p);
    refine_expect(p, TOKEN_RIGHT_PAREN, "after expression");
    node->body = parse_statement(p);
    leave_scope(p, outer);
    return node;
}

/* return = "return" [ expression ] ";"
 * jump   = return | "break" ";" | "continue" ";" */
static refine_node *parse_jump(refine_parser *p, refine_node_kind kind)
{
    refine_node *node = refine_new_node(p, kind, p->at++);
    if (kind == NODE_RETURN && !refine_next_is(p, TOKEN_SEMICOLON))
        node->left = refine_parse_expression(p);
    refine_expect(p, TOKEN_SEMICOLON,
                  kind == NODE_RETURN  ? "after the value of 'return'"
                  : kind == NODE_BREAK ? "after 'break'"
                                       : "after 'continue'");
    return node;
}

/* statement = block | if | while | do | for | jump | ";" | expression ";" */
static refine_node *parse_statement(refine_parser *p)
{
    refine_node *node;
    if (++p->statements > REFINE_MAX_NESTING)
        refine_fail_syntax(p, p->at, "this statement is nested too deeply");
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
        node = refine_new_node(p, NODE_EMPTY, p->at++);
        break;
    default:
        if (refine_spelling(p->at->kind)[0] >= 'a' || refine_starts_type(p))
            refine_fail_expected(p, "a statement");
        node = parse_effect(p);
        refine_expect(p, TOKEN_SEMICOLON, "after expression");
    }
    node->end = p->at;
    p->statements--;
    return node;
}

/* ---- declarations of the file ---- */

/* fields = "{" { type declarator { "," declarator } ";" } "}" */
static void parse_fields(refine_parser *p, refine_node *record)
{
    refine_node **end = &record->left;
    refine_expect(p, TOKEN_LEFT_BRACE, "before the fields");
    record->is_definition = true;
    while (!refine_accept(p, TOKEN_RIGHT_BRACE)) {
        refine_node *type = refine_parse_type(p);
        do {
            *end = parse_declarator(p, type, "the name of a field");
            end = &(*end)->next;
        } while (refine_accept(p, TOKEN_COMMA));
        refine_expect(p, TOKEN_SEMICOLON, "after the field");
    }
}

/* struct = "struct" [ name ] fields, the name only where a typedef gives it another */
static refine_node *parse_struct(refine_parser *p, bool needs_name)
{
    const refine_token *token = p->at++;
    refine_node *node = refine_new_node(p, NODE_STRUCT, token);
    if (needs_name || refine_next_is(p, TOKEN_NAME)) {
        node->token = p->at;
        node->name = expect_name(p, "the name of a struct");
    }
    parse_fields(p, node);
    return node;
}

/* enum = "enum" [ name ] "{" enumerator { "," enumerator } [ "," ] "}" ";"
 * enumerator = name [ "=" conditional ] */
static refine_node *parse_enum(refine_parser *p)
{
    refine_node *node = refine_new_node(p, NODE_ENUM, p->at++);
    refine_node **end = &node->left;
    if (refine_next_is(p, TOKEN_NAME)) {
        node->token = p->at;
        node->name = expect_name(p, "the name of an enum");
    }
    refine_expect(p, TOKEN_LEFT_BRACE, "before the constants of an enum");
    do {
        const refine_token *token = p->at;
        refine_name *name = expect_name(p, "the name of a constant");
        *end = refine_new_node(p, NODE_ENUMERATOR, token);
        (*end)->name = name;
        if (refine_accept(p, TOKEN_ASSIGN))
            (*end)->left = refine_parse_conditional(p);
        end = &(*end)->next;
    } while (refine_accept(p, TOKEN_COMMA) && !refine_next_is(p, TOKEN_RIGHT_BRACE));
    refine_expect(p, TOKEN_RIGHT_BRACE, "after the constants of an enum");
    refine_expect(p, TOKEN_SEMICOLON, "after the enum");
    return node;
}

/* typedef = "typedef" ( struct | type ) declarator ";" */
static refine_node *parse_typedef(refine_parser *p)
{
    p->at++;
    refine_node *type;
    bool is_definition = refine_next_is(p, TOKEN_STRUCT) &&
                         (p->at[1].kind == TOKEN_LEFT_BRACE ||
                          (p->at[1].kind == TOKEN_NAME && p->at[2].kind == TOKEN_LEFT_BRACE));
    if (is_definition) {
        type = refine_new_node(p, NODE_TYPE, p->at);
        type->left = parse_struct(p, false);
        type->name = type->left->name;
    } else {
        type = refine_parse_type(p);
    }
    refine_node *node = parse_declarator(p, type, "the name of a type");
    node->kind = NODE_TYPEDEF;
    refine_expect(p, TOKEN_SEMICOLON, "after the typedef");
    node->name->is_type = true;
    return node;
}

/* parameters = "(" ( "void" | parameter { "," parameter } ) ")"
 * parameter  = type [ "*" ] [ name ], the name only in a prototype left out */
static void parse_parameters(refine_parser *p, refine_node *function)
{
    refine_node **end = &function->left;
    refine_expect(p, TOKEN_LEFT_PAREN,
                  "after the name of a function (there are no global variables)");
    if (refine_next_is(p, TOKEN_VOID) && p->at[1].kind == TOKEN_RIGHT_PAREN) {
        p->at += 2;
        return;
    }
    do {
        if (!refine_starts_type(p))
            refine_fail_expected(p, "the type of a parameter, or 'void' for none");
        refine_node *node = refine_new_node(p, NODE_VARIABLE, p->at);
        node->right = refine_parse_type(p);
        node->pointer = refine_accept(p, TOKEN_STAR);
        if (refine_next_is(p, TOKEN_NAME)) {
            node->token = p->at;
            node->name = expect_name(p, "the name of a parameter");
            hide_type(p, node->name);
        }
        *end = node;
        end = &node->next;
    } while (refine_accept(p, TOKEN_COMMA));
    refine_expect(p, TOKEN_RIGHT_PAREN, "after the parameters");
}

/* prototype = [ "static" ] type [ "*" ] name parameters */
static refine_node *parse_prototype(refine_parser *p)
{
    bool is_static = refine_accept(p, TOKEN_STATIC);
    refine_node *node = parse_declarator(p, refine_parse_type(p), "the name of a function");
    node->kind = NODE_FUNCTION;
    node->is_static = is_static;
    node->name->is_type = false; /* a conflict, which the checker reports */
    parse_parameters(p, node);
    return node;
}

/* function = prototype ( ";" | block ) */
static refine_node *parse_function(refine_parser *p)
{
    refine_hidden *outer = p->hidden;
    refine_node *node = parse_prototype(p);
    if (!refine_accept(p, TOKEN_SEMICOLON)) {
        if (!p->unit->interface)
            refine_fail_expected(p, "';' after the function (an interface only declares)");
        if (!refine_next_is(p, TOKEN_LEFT_BRACE))
            refine_fail_expected(p, "'{' to open the function, or ';'");
        for (refine_node *n = node->left; n; n = n->next)
            if (!n->name)
                refine_fail_syntax(p, n->token, "expected a name for this parameter");
        node->body = parse_block(p);
        node->end = p->at;
    }
    leave_scope(p, outer);
    return node;
}

/* external = typedef | struct ";" | "struct" name ";" | enum | function */
static refine_node *parse_external(refine_parser *p)
{
    refine_token_kind after = TOKEN_END; /* the token after "struct name", if that is next */
    if (refine_next_is(p, TOKEN_STRUCT) && p->at[1].kind == TOKEN_NAME)
        after = p->at[2].kind;
    if (refine_next_is(p, TOKEN_TYPEDEF))
        return parse_typedef(p);
    if (refine_next_is(p, TOKEN_ENUM))
        return parse_enum(p);
    if (refine_next_is(p, TOKEN_STRUCT) && (after == TOKEN_LEFT_BRACE || after == TOKEN_END)) {
        refine_node *node = parse_struct(p, true);
        refine_expect(p, TOKEN_SEMICOLON, "after the struct");
        return node;
    }
    if (after == TOKEN_SEMICOLON) {
        refine_node *node = refine_new_node(p, NODE_STRUCT, &p->at[1]);
        node->name = p->at[1].as.name;
        p->at += 3;
        return node;
    }
    if (!refine_next_is(p, TOKEN_STATIC) && !refine_starts_type(p))
        refine_fail_expected(p, "a declaration");
    return parse_function(p);
}

static void parse_externals(refine_parser *p, refine_token_kind last)
{
    refine_node **end = &p->unit->declarations;
    while (!refine_next_is(p, last)) {
        *end = parse_external(p);
        end = &(*end)->next;
    }
    p->at++;
}

/* program = include { external } */
static void parse_program(refine_parser *p)
{
    refine_unit *unit = p->unit;
    const refine_unit *interface = &unit->interface->unit;
    char what[100];
    snprintf(what, sizeof what, "#include \"%.60s\" first", interface->file);
    if (!refine_next_is(p, TOKEN_INCLUDE))
        refine_fail_expected(p, what);
    if (p->at->length != strlen(interface->file) ||
        memcmp(unit->text + p->at->offset, interface->file, p->at->length) != 0)
        refine_fail(unit, REFINE_PARSE, p->at->offset, "expected \"%.60s\", got \"%.*s\"",
                    interface->file, p->at->length > 60 ? 60 : (int)p->at->length,
                    unit->text + p->at->offset);
    p->at++;
    refine_import(unit, interface);
    parse_externals(p, TOKEN_END);
}

/* interface = "#ifndef" name "#define" name { external } "#endif" | { external } */
static void parse_interface(refine_parser *p)
{
    bool is_guarded = refine_next_is(p, TOKEN_IFNDEF);
    if (is_guarded) {
        const refine_name *guard = p->at->as.name;
        p->at++;
        if (!refine_next_is(p, TOKEN_DEFINE) || p->at->as.name != guard)
            refine_fail_expected(p, "#define of the same name after #ifndef");
        p->at++;
        p->unit->guard = guard;
        refine_intern(p->unit, guard->text, guard->length)->is_macro = true;
        parse_externals(p, TOKEN_ENDIF);
        if (!refine_next_is(p, TOKEN_END))
            refine_fail_expected(p, "nothing after #endif");
    } else {
        parse_externals(p, TOKEN_END);
    }
}

void refine_parse_unit(refine_unit *unit)
{
    refine_parser p = {.unit = unit, .at = unit->tokens};
    if (unit->interface)
        parse_program(&p);
    else
        parse_interface(&p);
    if (unit->length > 0 && unit->text[unit->length - 1] != '\n')
        refine_fail(unit, REFINE_PARSE, unit->length, "expected a newline at the end of the text");
}

refine_node *refine_parse_prototype(refine_unit *unit)
{
    refine_parser p = {.unit = unit, .at = unit->tokens};
    refine_node *node = parse_prototype(&p);
    if (!refine_next_is(&p, TOKEN_END))
        refine_fail_expected(&p, "nothing after the declaration");
    return node;
}
