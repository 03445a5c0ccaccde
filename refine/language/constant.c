/* SPDX-License-Identifier: MIT */
/* constant.c -- what is known about the values of expressions while a program is checked.
 *
 * A *constant* expression is made of numbers, enum constants and operators. Beyond those a value
 * can be *known*: 0 * x, or x / x where x is an int. Compilers compute both, and warn about what
 * goes wrong there, even in code that never runs; and it would always go wrong: an error. */
#include "refine/language/ast.h"

#include <assert.h>

/* Every int is a double, exactly. */
static double as_double(const language_node *node)
{
    assert(node->known);
    return node->type == &language_double ? node->value.d : node->value.i;
}

bool language_is_true(const language_node *known) { return as_double(known) != 0; }

static void set_int(language_node *node, int32_t value)
{
    node->known = true;
    node->value.i = value;
}

/* A double that is known is exactly what the program would compute. */
static void set_double(language_node *node, double value)
{
    node->known = true;
    node->value.d = value;
}

/* wrong: as arithmetic.c says it; NULL, nothing. */
static void check_result(language_unit *unit, const language_node *node, const char *wrong)
{
    if (wrong)
        language_reject(unit, node->token, "this always fails: %s", wrong);
}

/* op of two known values; the node's type is that of the result. */
static void fold_arithmetic(language_unit *unit, language_node *node, language_token_kind op)
{
    const language_node *left = node->left, *right = node->right;
    int32_t i = 0;
    double d = 0;
    if (left->type == &language_int && right->type == &language_int) {
        check_result(unit, node, language_compute_int(op, left->value.i, right->value.i, &i));
        set_int(node, i);
    } else if (language_is_comparison(op)) {
        set_int(node, language_compare_double(op, as_double(left), as_double(right)));
    } else {
        check_result(unit, node,
                     language_compute_double(op, as_double(left), as_double(right), &d));
        set_double(node, d);
    }
}

/* Whether a value is known to be that int. */
static bool is_int(const language_node *node, int32_t value)
{
    return node->known && node->type == &language_int && node->value.i == value;
}

/* Whether a known value is one that no int is equal to. */
static bool is_no_int(const language_node *node)
{
    int32_t whole;
    return node->known && node->type == &language_double &&
           (language_to_int(node->value.d, &whole) || whole != node->value.d);
}

/* Results of int operators that do not depend on what is not known:
 *
 *     0 * x   0 / x   0 % x   x % 1   x % -1   x - x   x % x     are 0
 *     x / x                                                      is 1
 *     x == 0.5, or another number that no int is equal to        is 0
 *
 * Such a value is known and not constant: the expression is still compiled, since x / x fails where x is 0. */
static void fold_by_algebra(language_node *node)
{
    language_node *left = node->left, *right = node->right;
    bool divides = node->op == TOKEN_SLASH || node->op == TOKEN_PERCENT;
    bool unlike = (is_no_int(left) && right->type == &language_int) ||
                  (is_no_int(right) && left->type == &language_int);
    if (node->type != &language_int)
        return;
    if ((node->op == TOKEN_EQUAL || node->op == TOKEN_NOT_EQUAL) && unlike)
        set_int(node, node->op == TOKEN_NOT_EQUAL);
    else if ((node->op == TOKEN_STAR && (is_int(left, 0) || is_int(right, 0))) ||
             (divides && is_int(left, 0)) ||
             (node->op == TOKEN_PERCENT && (is_int(right, 1) || is_int(right, -1))))
        set_int(node, 0);
    else if ((node->op == TOKEN_MINUS || divides) && language_same_value(left, right))
        set_int(node, node->op == TOKEN_SLASH);
}

/* Division by a zero that is known is refused even where it never runs, as compilers warn of it. */
static void fold_binary(language_unit *unit, language_node *node)
{
    bool divides = node->op == TOKEN_SLASH || node->op == TOKEN_PERCENT;
    if (divides && node->right->known && !language_is_true(node->right))
        language_reject(unit, node->token, "division by zero");
    if (node->left->known && node->right->known)
        fold_arithmetic(unit, node, node->op);
    else
        fold_by_algebra(node);
}

/* -x fails for the least int, as 0 - x does. */
static void fold_unary(language_unit *unit, language_node *node)
{
    const language_node *operand = node->left;
    int32_t i = 0;
    if (!operand->known)
        return;
    if (node->op == TOKEN_NOT) {
        set_int(node, !language_is_true(operand));
    } else if (operand->type == &language_double) {
        set_double(node, node->op == TOKEN_MINUS ? -operand->value.d : operand->value.d);
    } else {
        language_token_kind op = node->op; /* -x is 0 - x */
        check_result(unit, node, language_compute_int(op, 0, operand->value.i, &i));
        set_int(node, i);
    }
}

/* A known value that becomes the node's own. */
static void fold_conversion(language_unit *unit, language_node *node, const language_node *value)
{
    int32_t i = 0;
    if (node->type == &language_double) {
        set_double(node, as_double(value));
    } else if (node->type == &language_int) {
        check_result(unit, node, language_to_int(as_double(value), &i));
        set_int(node, i);
    }
}

/* Only the arm that is chosen has to be known; its value is converted to the type common to
 * both. */
static void fold_conditional(language_unit *unit, language_node *node)
{
    if (!node->condition->known)
        return;
    const language_node *chosen = language_is_true(node->condition) ? node->left : node->right;
    if (chosen->known)
        fold_conversion(unit, node, chosen);
}

/* 0 decides &&, anything else decides ||. */
static bool decides(const language_node *operand, language_token_kind op)
{
    return operand->known && language_is_true(operand) == (op == TOKEN_OR);
}

/* One operand may decide: 0 && x is 0, x || 1 is 1, whatever x is. */
static void fold_logical(language_node *node)
{
    if (decides(node->left, node->op) || decides(node->right, node->op))
        set_int(node, node->op == TOKEN_OR);
    else if (node->left->known && node->right->known)
        set_int(node, node->op == TOKEN_AND);
}

/* The value of an assignment is what was stored; x /= 0 is refused as x / 0 is. */
static void fold_assign(language_unit *unit, language_node *node)
{
    language_token_kind op = language_operator_of(node->op);
    if (!node->right->known)
        return;
    if (op == TOKEN_ASSIGN)
        fold_conversion(unit, node, node->right);
    else if ((op == TOKEN_SLASH || op == TOKEN_PERCENT) && !language_is_true(node->right))
        language_reject(unit, node->token, "division by zero");
}

/* An operand that a node does not have does not keep it from being constant. */
static bool is_constant(const language_node *operand) { return !operand || operand->constant; }

/* Finds out what is known of a node that has its type, and whose operands have been folded. */
void language_fold(language_unit *unit, language_node *node)
{
    bool constant = is_constant(node->left) && is_constant(node->condition);
    switch (node->kind) {
    case NODE_NUMBER:
        node->known = true;
        break;
    case NODE_NAME:
        if (node->symbol->kind == SYMBOL_CONSTANT)
            set_int(node, node->symbol->value);
        break;
    case NODE_UNARY:
        fold_unary(unit, node);
        break;
    case NODE_CAST:
        if (node->left->known)
            fold_conversion(unit, node, node->left);
        break;
    case NODE_BINARY:
        fold_binary(unit, node);
        constant = constant && node->right->constant;
        break;
    case NODE_LOGICAL:
        fold_logical(node);
        constant = constant && node->right->constant;
        break;
    case NODE_CONDITIONAL:
        fold_conditional(unit, node);
        constant = constant && node->right->constant;
        break;
    case NODE_ASSIGN:
        fold_assign(unit, node);
        constant = false;
        break;
    default:
        break;
    }
    node->constant = node->known && constant;
}
