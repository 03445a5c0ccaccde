/* expression.c -- the expressions of the grammar, and what all of the parser needs: looking at
 * tokens, failing, making nodes.
 *
 * Binary operators are parsed by their precedence, in one function; all others have one of their
 * own. See parse.c for the rest of the grammar. */
#include "refine/parse.h"

#include <stdio.h>

/* ---- tokens ---- */

/* "expected WHAT, got TOKEN", at a place of the text. */
_Noreturn static void fail_at(refine_parser *p, size_t offset, const char *what)
{
    const refine_token *token = p->at;
    refine_unit *unit = p->unit;
    if (token->kind == TOKEN_ERROR)
        refine_fail(unit, REFINE_PARSE, token->offset, "%s", unit->lexical_error);
    if (token->kind == TOKEN_END)
        refine_fail(unit, REFINE_PARSE, offset, "expected %s, got the end of the text", what);
    if (token->kind >= TOKEN_INCLUDE && token->kind <= TOKEN_ENDIF)
        refine_fail(unit, REFINE_PARSE, offset, "expected %s, got a directive", what);
    bool is_long = token->length > 40;
    refine_fail(unit, REFINE_PARSE, offset, "expected %s, got '%.*s%s'", what,
                is_long ? 40 : (int)token->length, unit->text + token->offset,
                is_long ? "..." : "");
}

_Noreturn void refine_fail_expected(refine_parser *p, const char *what)
{
    fail_at(p, p->at->offset, what);
}

_Noreturn void refine_fail_syntax(refine_parser *p, const refine_token *token, const char *message)
{
    refine_fail(p->unit, REFINE_PARSE, token->offset, "%s", message);
}

bool refine_next_is(const refine_parser *p, refine_token_kind kind)
{
    return p->at->kind == kind;
}

bool refine_accept(refine_parser *p, refine_token_kind kind)
{
    if (!refine_next_is(p, kind))
        return false;
    p->at++;
    return true;
}

/* What is missing at the end of a line is missing there, and not before the first token of the
 * next. */
void refine_expect(refine_parser *p, refine_token_kind kind, const char *where)
{
    if (!refine_next_is(p, kind)) {
        char what[100];
        const refine_token *token = p->at;
        size_t offset = token->offset;
        if (token->first && token > p->unit->tokens)
            offset = token[-1].offset + token[-1].length;
        snprintf(what, sizeof what, "'%s' %s", refine_spelling(kind), where);
        fail_at(p, offset, what);
    }
    p->at++;
}

bool refine_starts_type(const refine_parser *p)
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

refine_node *refine_new_node(refine_parser *p, refine_node_kind kind, const refine_token *token)
{
    refine_node *node = refine_new(p->unit, sizeof *node);
    node->kind = kind;
    node->op = token->kind;
    node->token = token;
    return node;
}

static void grow_above(refine_parser *p, refine_node *node, const refine_node *operand)
{
    if (operand && operand->height >= node->height)
        node->height = (uint16_t)(operand->height + 1);
    if (node->height > REFINE_MAX_NESTING)
        refine_fail_syntax(p, node->token, "this expression is nested too deeply");
}

static refine_node *new_expression(refine_parser *p, refine_node_kind kind,
                                   const refine_token *token, refine_node *left, refine_node *right)
{
    refine_node *node = refine_new_node(p, kind, token);
    node->height = 1;
    node->left = left;
    node->right = right;
    grow_above(p, node, left);
    grow_above(p, node, right);
    return node;
}

static void enter_expression(refine_parser *p)
{
    if (++p->expressions > REFINE_MAX_NESTING)
        refine_fail_syntax(p, p->at, "this expression is nested too deeply");
}

/* ---- types ---- */

/* type = "void" | "int" | "double" | "struct" name | name-of-a-type */
refine_node *refine_parse_type(refine_parser *p)
{
    const refine_token *token = p->at;
    if (!refine_starts_type(p))
        refine_fail_expected(p, "a type");
    if (token->kind == TOKEN_ENUM)
        refine_fail_syntax(p, token, "a variable is not of an enum's type here: use int");
    p->at++;
    refine_node *node = refine_new_node(p, NODE_TYPE, token);
    if (token->kind == TOKEN_NAME) {
        node->name = token->as.name;
    } else if (token->kind == TOKEN_STRUCT) {
        if (!refine_next_is(p, TOKEN_NAME))
            refine_fail_expected(p, "the name of a struct");
        node->name = p->at->as.name;
        p->at++;
    }
    return node;
}

/* ---- expressions ---- */

/* arguments = "(" [ expression { "," expression } ] ")" */
static void parse_arguments(refine_parser *p, refine_node *call)
{
    refine_node **end = &call->left;
    refine_expect(p, TOKEN_LEFT_PAREN, "before the arguments");
    if (refine_accept(p, TOKEN_RIGHT_PAREN))
        return;
    do {
        *end = refine_parse_expression(p);
        grow_above(p, call, *end);
        end = &(*end)->next;
    } while (refine_accept(p, TOKEN_COMMA));
    refine_expect(p, TOKEN_RIGHT_PAREN, "after the arguments");
}

/* primary = number | name [ arguments ] | "(" expression ")" */
static refine_node *parse_primary(refine_parser *p)
{
    const refine_token *token = p->at;
    refine_node *node;
    switch (token->kind) {
    case TOKEN_NUMBER_INT:
    case TOKEN_NUMBER_DOUBLE:
        p->at++;
        node = new_expression(p, NODE_NUMBER, token, NULL, NULL);
        node->value = token->as.value;
        return node;
    case TOKEN_NAME:
        if (token->as.name->is_type)
            refine_fail_expected(p, "an expression (this name is a type)");
        p->at++;
        node = new_expression(p, NODE_NAME, token, NULL, NULL);
        node->name = token->as.name;
        if (refine_next_is(p, TOKEN_LEFT_PAREN)) {
            node->kind = NODE_CALL;
            parse_arguments(p, node);
        }
        return node;
    case TOKEN_LEFT_PAREN:
        p->at++;
        node = refine_parse_expression(p);
        refine_expect(p, TOKEN_RIGHT_PAREN, "after expression");
        node->parenthesised = true;
        return node;
    default:
        refine_fail_expected(p, "an expression");
    }
}

/* postfix = primary { "." name | "++" | "--" } */
static refine_node *parse_postfix(refine_parser *p)
{
    refine_node *node = parse_primary(p);
    for (;;) {
        const refine_token *token = p->at;
        if (refine_accept(p, TOKEN_DOT)) {
            if (!refine_next_is(p, TOKEN_NAME))
                refine_fail_expected(p, "the name of a field");
            node = new_expression(p, NODE_FIELD, p->at, node, NULL);
            node->name = p->at->as.name;
            p->at++;
        } else if (refine_accept(p, TOKEN_INCREMENT) || refine_accept(p, TOKEN_DECREMENT)) {
            node = new_expression(p, NODE_STEP, token, node, NULL);
        } else {
            return node;
        }
    }
}

/* unary = ( "+" | "-" | "!" | "++" | "--" | "(" type ")" ) unary | postfix */
static refine_node *parse_unary(refine_parser *p)
{
    const refine_token *token = p->at;
    refine_node *node;
    if (token->kind == TOKEN_LEFT_PAREN) {
        p->at++;
        if (!refine_starts_type(p)) {
            p->at = token;
            return parse_postfix(p);
        }
        refine_node *type = refine_parse_type(p);
        type->pointer = refine_accept(p, TOKEN_STAR);
        refine_expect(p, TOKEN_RIGHT_PAREN, "after the type of a cast");
        enter_expression(p);
        node = new_expression(p, NODE_CAST, token, parse_unary(p), NULL);
        node->right = type;
    } else if (refine_accept(p, TOKEN_PLUS) || refine_accept(p, TOKEN_MINUS) ||
               refine_accept(p, TOKEN_NOT)) {
        enter_expression(p);
        node = new_expression(p, NODE_UNARY, token, parse_unary(p), NULL);
    } else if (refine_accept(p, TOKEN_INCREMENT) || refine_accept(p, TOKEN_DECREMENT)) {
        enter_expression(p);
        node = new_expression(p, NODE_STEP, token, parse_unary(p), NULL);
        node->prefix = true;
    } else {
        return parse_postfix(p);
    }
    p->expressions--;
    return node;
}

/* How tightly a binary operator binds; 0: it is none. */
static int precedence(refine_token_kind kind)
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
static refine_node *parse_binary(refine_parser *p, int least)
{
    refine_node *left = parse_unary(p);
    for (;;) {
        const refine_token *token = p->at;
        int binds = precedence(token->kind);
        if (binds == 0 || binds < least)
            return left;
        p->at++;
        refine_node *right = parse_binary(p, binds + 1);
        bool is_logical = token->kind == TOKEN_AND || token->kind == TOKEN_OR;
        left = new_expression(p, is_logical ? NODE_LOGICAL : NODE_BINARY, token, left, right);
    }
}

/* conditional = binary [ "?" expression ":" conditional ] */
refine_node *refine_parse_conditional(refine_parser *p)
{
    refine_node *condition = parse_binary(p, 1);
    const refine_token *token = p->at;
    if (!refine_accept(p, TOKEN_QUESTION))
        return condition;
    refine_node *left = refine_parse_expression(p);
    refine_expect(p, TOKEN_COLON, "after the second operand of '?'");
    enter_expression(p);
    refine_node *right = refine_parse_conditional(p);
    p->expressions--;
    refine_node *node = new_expression(p, NODE_CONDITIONAL, token, left, right);
    node->condition = condition;
    grow_above(p, node, condition);
    return node;
}

/* expression = conditional [ ( "=" | "+=" | "-=" | "*=" | "/=" | "%=" ) expression ] */
refine_node *refine_parse_expression(refine_parser *p)
{
    enter_expression(p);
    refine_node *node = refine_parse_conditional(p);
    const refine_token *token = p->at;
    if (token->kind >= TOKEN_ASSIGN && token->kind <= TOKEN_PERCENT_ASSIGN) {
        if (node->kind != NODE_NAME && node->kind != NODE_FIELD)
            refine_fail_syntax(p, token,
                               "expected a variable or a field on the left of an assignment");
        p->at++;
        node = new_expression(p, NODE_ASSIGN, token, node, refine_parse_expression(p));
    }
    p->expressions--;
    return node;
}
