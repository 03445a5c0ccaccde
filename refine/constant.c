/* constant.c -- what is known about the values of expressions while a program is checked.
 *
 * A *constant* expression is made of numbers, enum constants and operators. Beyond those a value
 * can be *known*: 0 * x, or x / x where x is an int. Compilers compute both, and warn about what
 * goes wrong there, even in code that never runs; and it would always go wrong: an error. */
#include "refine/ast.h"

#include <assert.h>

static double as_double(const refine_node *node)
{
    assert(node->known);
    return node->type == &refine_double ? node->value.d : node->value.i;
}

bool refine_is_true(const refine_node *known)
{
    return as_double(known) != 0;
}

static void set_int(refine_node *node, int32_t value)
{
    node->known = true;
    node->value.i = value;
}

static void set_double(refine_node *node, double value)
{
    node->known = true;
    node->value.d = value;
}

static void check_result(refine_unit *unit, const refine_node *node, const char *wrong)
{
    if (wrong)
        refine_reject(unit, node->token, "this always fails: %s", wrong);
}

/* op of two known values; the node's type is that of the result. */
static void fold_arithmetic(refine_unit *unit, refine_node *node, refine_token_kind op)
{
    const refine_node *left = node->left, *right = node->right;
    int32_t i = 0;
    double d = 0;
    if (left->type == &refine_int && right->type == &refine_int) {
        check_result(unit, node, refine_compute_int(op, left->value.i, right->value.i, &i));
        set_int(node, i);
    } else if (refine_is_comparison(op)) {
        set_int(node, refine_compare_double(op, as_double(left), as_double(right)));
    } else {
        check_result(unit, node, refine_compute_double(op, as_double(left), as_double(right), &d));
        set_double(node, d);
    }
}

static bool is_int(const refine_node *node, int32_t value)
{
    return node->known && node->type == &refine_int && node->value.i == value;
}

/* Whether a known value is one that no int is equal to. */
static bool is_no_int(const refine_node *node)
{
    int32_t whole;
    return node->known && node->type == &refine_double &&
           (refine_to_int(node->value.d, &whole) || whole != node->value.d);
}

/* Results that do not depend on what is not known. */
static void fold_by_algebra(refine_node *node)
{
    refine_node *left = node->left, *right = node->right;
    bool divides = node->op == TOKEN_SLASH || node->op == TOKEN_PERCENT;
    bool unlike = (is_no_int(left) && right->type == &refine_int) ||
                  (is_no_int(right) && left->type == &refine_int);
    if (node->type != &refine_int)
        return;
    if ((node->op == TOKEN_EQUAL || node->op == TOKEN_NOT_EQUAL) && unlike)
        set_int(node, node->op == TOKEN_NOT_EQUAL);
    else if ((node->op == TOKEN_STAR && (is_int(left, 0) || is_int(right, 0))) ||
             (divides && is_int(left, 0)) ||
             (node->op == TOKEN_PERCENT && (is_int(right, 1) || is_int(right, -1))))
        set_int(node, 0);
    else if ((node->op == TOKEN_MINUS || divides) && refine_same_value(left, right))
        set_int(node, node->op == TOKEN_SLASH);
}

static void fold_binary(refine_unit *unit, refine_node *node)
{
    bool divides = node->op == TOKEN_SLASH || node->op == TOKEN_PERCENT;
    if (divides && node->right->known && !refine_is_true(node->right))
        refine_reject(unit, node->token, "division by zero");
    if (node->left->known && node->right->known)
        fold_arithmetic(unit, node, node->op);
    else
        fold_by_algebra(node);
}

static void fold_unary(refine_unit *unit, refine_node *node)
{
    const refine_node *operand = node->left;
    int32_t i = 0;
    if (!operand->known)
        return;
    if (node->op == TOKEN_NOT) {
        set_int(node, !refine_is_true(operand));
    } else if (operand->type == &refine_double) {
        set_double(node, node->op == TOKEN_MINUS ? -operand->value.d : operand->value.d);
    } else {
        refine_token_kind op = node->op; /* -x is 0 - x */
        check_result(unit, node, refine_compute_int(op, 0, operand->value.i, &i));
        set_int(node, i);
    }
}

/* A known value that becomes the node's own. */
static void fold_conversion(refine_unit *unit, refine_node *node, const refine_node *value)
{
    int32_t i = 0;
    if (node->type == &refine_double) {
        set_double(node, as_double(value));
    } else if (node->type == &refine_int) {
        check_result(unit, node, refine_to_int(as_double(value), &i));
        set_int(node, i);
    }
}

static void fold_conditional(refine_unit *unit, refine_node *node)
{
    if (!node->condition->known)
        return;
    const refine_node *chosen = refine_is_true(node->condition) ? node->left : node->right;
    if (chosen->known)
        fold_conversion(unit, node, chosen);
}

static bool decides(const refine_node *operand, refine_token_kind op)
{
    return operand->known && refine_is_true(operand) == (op == TOKEN_OR);
}

static void fold_logical(refine_node *node)
{
    if (decides(node->left, node->op) || decides(node->right, node->op))
        set_int(node, node->op == TOKEN_OR);
    else if (node->left->known && node->right->known)
        set_int(node, node->op == TOKEN_AND);
}

static void fold_assign(refine_unit *unit, refine_node *node)
{
    refine_token_kind op = refine_operator_of(node->op);
    if (!node->right->known)
        return;
    if (op == TOKEN_ASSIGN)
        fold_conversion(unit, node, node->right);
    else if ((op == TOKEN_SLASH || op == TOKEN_PERCENT) && !refine_is_true(node->right))
        refine_reject(unit, node->token, "division by zero");
}

static bool is_constant(const refine_node *operand)
{
    return !operand || operand->constant;
}

/* Finds out what is known of a node that has its type, and whose operands have been folded. */
void refine_fold(refine_unit *unit, refine_node *node)
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
