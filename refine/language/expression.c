/* SPDX-License-Identifier: MIT */
/* expression.c -- the expressions of the grammar, and what all of the parser needs: looking at
 * tokens, failing, making nodes.
 *
 * Binary operators are parsed by their precedence, in one function ("precedence climbing"; Richards
 * 1979): a level of the grammar for each of six precedences would say the same six times. All other
 * operators have a function of their own. See parse.c for the rest of the grammar. */
#include "refine/language/parse.h"

#include <stdio.h>

/* ---- tokens ---- */

/* "expected WHAT, got TOKEN", at a place of the text. An error of the lexer's takes precedence, since its
 * token stands where the text stopped being one; a long token is cut. */
_Noreturn static void fail_at(language_parser *p, size_t offset, const char *what)
{
    const language_token *token = p->at;
    language_unit *unit = p->unit;
    if (token->kind == TOKEN_ERROR)
        language_fail(unit, LANGUAGE_PARSE, token->offset, "%s", unit->lexical_error);
    if (token->kind == TOKEN_END)
        language_fail(unit, LANGUAGE_PARSE, offset, "expected %s, got the end of the text", what);
    if (token->kind >= TOKEN_INCLUDE && token->kind <= TOKEN_ENDIF)
        language_fail(unit, LANGUAGE_PARSE, offset, "expected %s, got a directive", what);
    bool is_long = token->length > 40;
    language_fail(unit, LANGUAGE_PARSE, offset, "expected %s, got '%.*s%s'", what,
                  is_long ? 40 : (int)token->length, unit->text + token->offset,
                  is_long ? "..." : "");
}

/* Recursive descent fails at the first token that fits nowhere: every error of the grammar names it. */
_Noreturn void language_fail_expected(language_parser *p, const char *what)
{
    fail_at(p, p->at->offset, what);
}

_Noreturn void language_fail_syntax(language_parser *p, const language_token *token,
                                    const char *message)
{
    language_fail(p->unit, LANGUAGE_PARSE, token->offset, "%s", message);
}

/* The parser looks at most two tokens further, and never past the TOKEN_END or TOKEN_ERROR that ends the
 * array. */
bool language_next_is(const language_parser *p, language_token_kind kind)
{
    return p->at->kind == kind;
}

/* Moves past the next token if it is of that kind. */
bool language_accept(language_parser *p, language_token_kind kind)
{
    if (!language_next_is(p, kind))
        return false;
    p->at++;
    return true;
}

/* What is missing at the end of a line is missing there, and not before the first token of the
 * next. */
void language_expect(language_parser *p, language_token_kind kind, const char *where)
{
    if (!language_next_is(p, kind)) {
        char what[100];
        const language_token *token = p->at;
        size_t offset = token->offset;
        if (token->first && token > p->unit->tokens)
            offset = token[-1].offset + token[-1].length;
        snprintf(what, sizeof what, "'%s' %s", language_spelling(kind), where);
        fail_at(p, offset, what);
    }
    p->at++;
}

/* Where a declaration or a cast may begin. */
bool language_starts_type(const language_parser *p)
{
    switch (p->at->kind) {
    case TOKEN_VOID:
    case TOKEN_INT:
    case TOKEN_DOUBLE:
    case TOKEN_STRUCT:
    case TOKEN_ENUM:
        return true;
    case TOKEN_NAME:
        return p->at->as.name->is_type;
    default:
        return false;
    }
}

/* ---- nodes ---- */

/* `op` is the token's kind: for an operator that is what it does. */
language_node *language_new_node(language_parser *p, language_node_kind kind,
                                 const language_token *token)
{
    language_node *node = language_new(p->unit, sizeof *node);
    node->kind = kind;
    node->op = token->kind;
    node->token = token;
    return node;
}

/* Makes a node higher than its operand. Operators that group to the left make high trees without
 * any recursion of the parser (1 + 1 + 1 + ...), which later passes would have to follow. */
static void grow_above(language_parser *p, language_node *node, const language_node *operand)
{
    if (operand && operand->height >= node->height)
        node->height = (uint16_t)(operand->height + 1);
    if (node->height > LANGUAGE_MAX_NESTING)
        language_fail_syntax(p, node->token, "this expression is nested too deeply");
}

/* An expression is one higher than the highest of its operands. */
static language_node *new_expression(language_parser *p, language_node_kind kind,
                                     const language_token *token, language_node *left,
                                     language_node *right)
{
    language_node *node = language_new_node(p, kind, token);
    node->height = 1;
    node->left = left;
    node->right = right;
    grow_above(p, node, left);
    grow_above(p, node, right);
    return node;
}

/* Counts the parser's own recursion, so that ((((1)))) is bounded like a tree is. */
static void enter_expression(language_parser *p)
{
    if (++p->expressions > LANGUAGE_MAX_NESTING)
        language_fail_syntax(p, p->at, "this expression is nested too deeply");
}

/* ---- types ---- */

/* type = "void" | "int" | "double" | "struct" name | name-of-a-type */
language_node *language_parse_type(language_parser *p)
{
    const language_token *token = p->at;
    if (!language_starts_type(p))
        language_fail_expected(p, "a type");
    if (token->kind == TOKEN_ENUM)
        language_fail_syntax(p, token, "a variable is not of an enum's type here: use int");
    p->at++;
    language_node *node = language_new_node(p, NODE_TYPE, token);
    if (token->kind == TOKEN_NAME) {
        node->name = token->as.name;
    } else if (token->kind == TOKEN_STRUCT) {
        if (!language_next_is(p, TOKEN_NAME))
            language_fail_expected(p, "the name of a struct");
        node->name = p->at->as.name;
        p->at++;
    }
    return node;
}

/* ---- expressions ---- */

/* arguments = "(" [ expression { "," expression } ] ")" */
static void parse_arguments(language_parser *p, language_node *call)
{
    language_node **end = &call->left;
    language_expect(p, TOKEN_LEFT_PAREN, "before the arguments");
    if (language_accept(p, TOKEN_RIGHT_PAREN))
        return;
    do {
        *end = language_parse_expression(p);
        grow_above(p, call, *end);
        end = &(*end)->next;
    } while (language_accept(p, TOKEN_COMMA));
    language_expect(p, TOKEN_RIGHT_PAREN, "after the arguments");
}

/* primary = number | name [ arguments ] | "(" expression ")" */
static language_node *parse_primary(language_parser *p)
{
    const language_token *token = p->at;
    language_node *node;
    switch (token->kind) {
    case TOKEN_NUMBER_INT:
    case TOKEN_NUMBER_DOUBLE:
        p->at++;
        node = new_expression(p, NODE_NUMBER, token, NULL, NULL);
        node->value = token->as.value;
        return node;
    case TOKEN_NAME:
        if (token->as.name->is_type)
            language_fail_expected(p, "an expression (this name is a type)");
        p->at++;
        node = new_expression(p, NODE_NAME, token, NULL, NULL);
        node->name = token->as.name;
        if (language_next_is(p, TOKEN_LEFT_PAREN)) {
            node->kind = NODE_CALL;
            parse_arguments(p, node);
        }
        return node;
    case TOKEN_LEFT_PAREN:
        p->at++;
        node = language_parse_expression(p);
        language_expect(p, TOKEN_RIGHT_PAREN, "after expression");
        node->parenthesised = true;
        return node;
    default:
        language_fail_expected(p, "an expression");
    }
}

/* postfix = primary { "." name | "++" | "--" } */
static language_node *parse_postfix(language_parser *p)
{
    language_node *node = parse_primary(p);
    for (;;) {
        const language_token *token = p->at;
        if (language_accept(p, TOKEN_DOT)) {
            if (!language_next_is(p, TOKEN_NAME))
                language_fail_expected(p, "the name of a field");
            node = new_expression(p, NODE_FIELD, p->at, node, NULL);
            node->name = p->at->as.name;
            p->at++;
        } else if (language_accept(p, TOKEN_INCREMENT) || language_accept(p, TOKEN_DECREMENT)) {
            node = new_expression(p, NODE_STEP, token, node, NULL);
        } else {
            return node;
        }
    }
}

/* unary = ( "+" | "-" | "!" | "++" | "--" | "(" type ")" ) unary | postfix */
static language_node *parse_unary(language_parser *p)
{
    const language_token *token = p->at;
    language_node *node;
    if (token->kind == TOKEN_LEFT_PAREN) {
        p->at++;
        if (!language_starts_type(p)) {
            p->at = token;
            return parse_postfix(p);
        }
        language_node *type = language_parse_type(p);
        type->pointer = language_accept(p, TOKEN_STAR);
        language_expect(p, TOKEN_RIGHT_PAREN, "after the type of a cast");
        enter_expression(p);
        node = new_expression(p, NODE_CAST, token, parse_unary(p), NULL);
        node->right = type;
    } else if (language_accept(p, TOKEN_PLUS) || language_accept(p, TOKEN_MINUS) ||
               language_accept(p, TOKEN_NOT)) {
        enter_expression(p);
        node = new_expression(p, NODE_UNARY, token, parse_unary(p), NULL);
    } else if (language_accept(p, TOKEN_INCREMENT) || language_accept(p, TOKEN_DECREMENT)) {
        enter_expression(p);
        node = new_expression(p, NODE_STEP, token, parse_unary(p), NULL);
        node->prefix = true;
    } else {
        return parse_postfix(p);
    }
    p->expressions--;
    return node;
}

/* How tightly a binary operator binds; 0: it is none.
 *
 *     6  * / %
 *     5  + -
 *     4  < <= > >=
 *     3  == !=
 *     2  &&
 *     1  || */
static int precedence(language_token_kind kind)
{
    switch (kind) {
    case TOKEN_STAR:
    case TOKEN_SLASH:
    case TOKEN_PERCENT:
        return 6;
    case TOKEN_PLUS:
    case TOKEN_MINUS:
        return 5;
    case TOKEN_LESS:
    case TOKEN_LESS_EQUAL:
    case TOKEN_GREATER:
    case TOKEN_GREATER_EQUAL:
        return 4;
    case TOKEN_EQUAL:
    case TOKEN_NOT_EQUAL:
        return 3;
    case TOKEN_AND:
        return 2;
    case TOKEN_OR:
        return 1;
    default:
        return 0;
    }
}

/* binary = unary { operator binary }, where the operator binds at least as tightly as `least`, and
 * what is on its right binds more tightly than it: all of C's binary operators group to the left */
static language_node *parse_binary(language_parser *p, int least)
{
    language_node *left = parse_unary(p);
    for (;;) {
        const language_token *token = p->at;
        int binds = precedence(token->kind);
        if (binds == 0 || binds < least)
            return left;
        p->at++;
        language_node *right = parse_binary(p, binds + 1);
        bool is_logical = token->kind == TOKEN_AND || token->kind == TOKEN_OR;
        left = new_expression(p, is_logical ? NODE_LOGICAL : NODE_BINARY, token, left, right);
    }
}

/* conditional = binary [ "?" expression ":" conditional ] */
language_node *language_parse_conditional(language_parser *p)
{
    language_node *condition = parse_binary(p, 1);
    const language_token *token = p->at;
    if (!language_accept(p, TOKEN_QUESTION))
        return condition;
    language_node *left = language_parse_expression(p);
    language_expect(p, TOKEN_COLON, "after the second operand of '?'");
    enter_expression(p);
    language_node *right = language_parse_conditional(p);
    p->expressions--;
    language_node *node = new_expression(p, NODE_CONDITIONAL, token, left, right);
    node->condition = condition;
    grow_above(p, node, condition);
    return node;
}

/* expression = conditional [ ( "=" | "+=" | "-=" | "*=" | "/=" | "%=" ) expression ] */
language_node *language_parse_expression(language_parser *p)
{
    enter_expression(p);
    language_node *node = language_parse_conditional(p);
    const language_token *token = p->at;
    if (token->kind >= TOKEN_ASSIGN && token->kind <= TOKEN_PERCENT_ASSIGN) {
        if (node->kind != NODE_NAME && node->kind != NODE_FIELD)
            language_fail_syntax(p, token,
                                 "expected a variable or a field on the left of an assignment");
        p->at++;
        node = new_expression(p, NODE_ASSIGN, token, node, language_parse_expression(p));
    }
    p->expressions--;
    return node;
}
