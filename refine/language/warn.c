/* SPDX-License-Identifier: MIT */
/* warn.c -- what gcc and clang would warn about under -Wall -Wextra, as errors.
 *
 * These are programs that C allows and that hardly mean what they say. A source that passes here is
 * taken by both compilers without a word (tests/refine/language/test_check.c holds it to that).
 * Where the two differ the rule is the union, and where a rule of theirs has exceptions that depend
 * on how far the compiler looks, it has none here. Unused names are in check.c, unset ones in
 * flow.c. */
#include "refine/language/ast.h"

#include <assert.h>

/* ---- comparing expressions ---- */

/* Two missing children are the same. */
static bool same_child(language_node *a, language_node *b)
{
    return a == b || (a && b && language_same_value(a, b));
}

/* The comparison that is true when its operands are swapped. */
static language_token_kind mirrored(language_token_kind op)
{
    switch (op) {
    case TOKEN_LESS:
        return TOKEN_GREATER;
    case TOKEN_LESS_EQUAL:
        return TOKEN_GREATER_EQUAL;
    case TOKEN_GREATER:
        return TOKEN_LESS;
    case TOKEN_GREATER_EQUAL:
        return TOKEN_LESS_EQUAL;
    default:
        return op;
    }
}

/* x + 1 and 1 + x are one expression to a compiler that looks for a value compared with itself. */
static bool commutes(const language_node *node)
{
    return node->kind == NODE_BINARY &&
           (node->op == TOKEN_PLUS || node->op == TOKEN_STAR || language_is_comparison(node->op));
}

/* A hash: the same for expressions that are the same, other operand orders included. It tells most
 * others apart, so that language_same_value() seldom descends in vain; else comparing each level
 * of a tree with itself would take quadratic time. */
static uint32_t shape_of(language_node *node)
{
    if (!node)
        return 1;
    if (node->shape)
        return node->shape;
    uint32_t left = shape_of(node->left), right = shape_of(node->right);
    uint32_t shape = (uint32_t)node->kind * 2654435761u;
    if (node->constant)
        shape = 7 + (node->type == &language_int ? (uint32_t)node->value.i : 0);
    else if (commutes(node))
        shape += left * right + left + right;
    else if (node->kind == NODE_NAME)
        shape += node->symbol->token->offset;
    else
        shape += node->op + left * 31 + right * 1009 + shape_of(node->condition) * 65537;
    return node->shape = shape | 1;
}

/* The same operators over the same names and constants. Calls, steps and assignments are never the same:
 * their values may differ from one time to the next. */
bool language_same_value(language_node *a, language_node *b)
{
    if (shape_of(a) != shape_of(b))
        return false;
    if (a->constant && b->constant && a->type == b->type)
        return a->type == &language_int ? a->value.i == b->value.i : a->value.d == b->value.d;
    if (a->kind != b->kind || a->constant != b->constant)
        return false;
    switch (a->kind) {
    case NODE_NAME:
        return a->symbol == b->symbol;
    case NODE_FIELD:
        return a->member == b->member && language_same_value(a->left, b->left);
    case NODE_CAST:
        return a->type == b->type && language_same_value(a->left, b->left);
    case NODE_UNARY:
    case NODE_BINARY:
    case NODE_LOGICAL:
    case NODE_CONDITIONAL:
        if (a->op == b->op && same_child(a->condition, b->condition) &&
            same_child(a->left, b->left) && same_child(a->right, b->right))
            return true;
        return commutes(a) && mirrored(a->op) == b->op && language_same_value(a->left, b->right) &&
               language_same_value(a->right, b->left);
    default:
        return false;
    }
}

/* < <= > >= == != */
static bool is_comparison(const language_node *node)
{
    return node->kind == NODE_BINARY && language_is_comparison(node->op);
}

/* Whether a value is 0 or 1 by the way it is made. */
static bool is_truth(const language_node *node)
{
    while (node->kind == NODE_CAST || (node->kind == NODE_UNARY && node->op == TOKEN_PLUS))
        node = node->left;
    return is_comparison(node) || node->kind == NODE_LOGICAL ||
           (node->kind == NODE_UNARY && node->op == TOKEN_NOT);
}

/* ---- values used as conditions ---- */

/* What stands where only zero or not zero matters. */
static void warn_truth(language_unit *unit, const language_node *node)
{
    switch (node->kind) {
    case NODE_BINARY:
        if (node->op == TOKEN_STAR)
            language_reject(unit, node->token, "a product as a condition: write != 0, or &&");
        break;
    case NODE_CONDITIONAL:
        if (node->left->constant || node->right->constant)
            language_reject(unit, node->token, "a choice between constants as a condition");
        warn_truth(unit, node->left);
        warn_truth(unit, node->right);
        break;
    case NODE_UNARY:
    case NODE_CAST:
        if (node->op != TOKEN_NOT && node->left->kind == NODE_ASSIGN)
            language_reject(unit, node->left->token, "an assignment inside of a condition");
        if (node->op != TOKEN_NOT)
            warn_truth(unit, node->left);
        break;
    default:
        break;
    }
    if (node->constant && node->type == &language_double)
        language_reject(unit, node->token, "a constant of type double as a condition");
}

/* The condition of a statement.
 *     if (x = 1)         an assignment, unless in parentheses of its own
 *     if ((x == 1))      parentheses that are for an assignment */
static void warn_condition(language_unit *unit, const language_node *node)
{
    int offset;
    if (!node)
        return;
    if (node->kind == NODE_ASSIGN && node->op == TOKEN_ASSIGN && !node->parenthesised)
        language_reject(unit, node->token,
                        "an assignment as a condition: write ==, or more parentheses");
    if (node->kind == NODE_BINARY && node->op == TOKEN_EQUAL && node->parenthesised &&
        language_place(node->left, &offset))
        language_reject(unit, node->token,
                        "two pairs of parentheses are for an assignment: write one");
    warn_truth(unit, node);
}

/* ---- comparisons ---- */

/* Constants are of type int in C; which enum they come from matters to compilers alone. */
static const language_node *enumeration_of(const language_node *node)
{
    return node->kind == NODE_NAME ? node->symbol->enumeration : NULL;
}

static bool is_zero_or_one(const language_node *node)
{
    return node->type == &language_int && (node->value.i == 0 || node->value.i == 1);
}

/* (a < b) == 2 is false whatever a and b are, and (a < b) < 1 is another way to write !. */
static void warn_compared_truth(language_unit *unit, const language_node *node,
                                const language_node *truth, const language_node *constant)
{
    bool equality = node->op == TOKEN_EQUAL || node->op == TOKEN_NOT_EQUAL;
    if (is_truth(truth) && constant->constant && !(equality && is_zero_or_one(constant)))
        language_reject(unit, node->token, "a truth value compared with this constant");
}

/*     a < b < c          compares 0 or 1 with c
 *     !a == b            is (!a) == b
 *     RED == APPLE       constants of two enums
 *     x == x             always true */
static void warn_comparison(language_unit *unit, language_node *node)
{
    language_node *left = node->left, *right = node->right;
    const language_node *a = enumeration_of(left), *b = enumeration_of(right);
    if ((is_comparison(left) && !left->parenthesised) ||
        (is_comparison(right) && !right->parenthesised))
        language_reject(unit, node->token, "comparisons in a row: write parentheses, or &&");
    if (left->kind == NODE_UNARY && left->op == TOKEN_NOT && !left->parenthesised)
        language_reject(unit, node->token,
                        "'!' is for the left of this comparison only: write parentheses");
    if (a && b && a != b)
        language_reject(unit, node->token, "constants of different enums are compared");
    bool is_name = left->kind == NODE_NAME && right->kind == NODE_NAME && a;
    bool open = !(left->constant && right->constant) && left->type != &language_double;
    if ((open || is_name) && language_same_value(left, right))
        language_reject(unit, node->token, "a value is compared with itself");
    warn_compared_truth(unit, node, left, right);
    warn_compared_truth(unit, node, right, left);
}

/* ---- && and || ---- */

/* `value op constant`, whichever way round it is written. */
typedef struct bound {
    language_node *value;
    language_token_kind op;
    int32_t constant;
} bound;

/* False: no comparison of an int that is open with a constant. */
static bool as_bound(language_node *node, bound *result)
{
    if (!is_comparison(node) || node->left->constant == node->right->constant ||
        node->left->type != &language_int || node->right->type != &language_int)
        return false;
    bool swap = node->left->constant;
    result->value = swap ? node->right : node->left;
    result->op = swap ? mirrored(node->op) : node->op;
    result->constant = swap ? node->left->value.i : node->right->value.i;
    return true;
}

/* x < 1 && x > 2: two comparisons of one value with constants that are together always true, or
 * always false. Each changes its outcome only next to its constant, so that trying the values there
 * is enough. */
static void warn_overlap(language_unit *unit, language_node *node)
{
    bound a, b;
    int always = 0, never = 0, looked = 0;
    if (!as_bound(node->left, &a) || !as_bound(node->right, &b) ||
        !language_same_value(a.value, b.value))
        return;
    for (int i = 0; i < 6; i++) {
        int64_t wide = (int64_t)(i < 3 ? a.constant : b.constant) + i % 3 - 1;
        int32_t first, second, value = (int32_t)wide;
        if (wide < INT32_MIN || wide > INT32_MAX)
            continue;
        language_compute_int(a.op, value, a.constant, &first);
        language_compute_int(b.op, value, b.constant, &second);
        bool result = node->op == TOKEN_AND ? first && second : first || second;
        always += result;
        never += !result;
        looked++;
    }
    if (always == looked || never == looked)
        language_reject(unit, node->token, "these comparisons together are always %s",
                        always ? "true" : "false");
}

/*     a || b && c        wants parentheses, though && binds more tightly
 *     a && 4             perhaps & was meant; 0 and 1 are accepted */
static void warn_logical_operand(language_unit *unit, const language_node *node,
                                 const language_node *operand)
{
    if (node->op == TOKEN_OR && operand->kind == NODE_LOGICAL && operand->op == TOKEN_AND &&
        !operand->parenthesised)
        language_reject(unit, operand->token, "'&&' inside of '||': write parentheses");
    if (operand->constant && !is_zero_or_one(operand))
        language_reject(unit, node->token, "a constant as an operand of '%s'",
                        language_spelling(node->op));
    warn_truth(unit, operand);
}

/* a && b || c: right by precedence, and so often meant otherwise that compilers ask for
 * parentheses. */
static void warn_logical(language_unit *unit, language_node *node)
{
    warn_logical_operand(unit, node, node->left);
    warn_logical_operand(unit, node, node->right);
    warn_overlap(unit, node);
}

/* ---- other expressions ---- */

/* a + b > 0 ? x : y is fine, a + (b > 0) ? x : y is not: the + belongs to the condition. */
static void warn_conditional(language_unit *unit, const language_node *node)
{
    const language_node *condition = node->condition;
    if (condition->kind == NODE_BINARY && !is_comparison(condition) && !condition->parenthesised &&
        is_truth(condition->right))
        language_reject(unit, node->token, "'?' takes all that is on its left: write parentheses");
    warn_truth(unit, condition);
}

/* a / (b > 0) divides by 1 or fails. */
static void warn_divisor(language_unit *unit, const language_node *node, language_token_kind op)
{
    if ((op == TOKEN_SLASH || op == TOKEN_PERCENT) && is_truth(node->right))
        language_reject(unit, node->token, "division by a truth value, which is 1 at best");
}

/* x =- 1 was C's x -= 1 in 1972, and is x = -1 now. */
static void warn_assign(language_unit *unit, language_node *node)
{
    warn_divisor(unit, node, language_operator_of(node->op));
    const language_token *sign = node->token + 1;
    bool is_sign = sign->kind == TOKEN_MINUS || sign->kind == TOKEN_PLUS;
    if (node->op == TOKEN_ASSIGN && is_sign && sign->offset == node->token->offset + 1 &&
        sign[1].offset > sign->offset + 1)
        language_reject(unit, node->token, "this looks like '%s=': write '= %s'",
                        language_spelling(sign->kind), language_spelling(sign->kind));
    if (node->op == TOKEN_ASSIGN && language_same_value(node->left, node->right))
        language_reject(unit, node->token, "a variable is assigned to itself");
}

/* ---- bodies without braces ---- */

/* if (x); is nearly always one semicolon too many. */
static void warn_empty(language_unit *unit, const language_node *body)
{
    if (body->kind == NODE_EMPTY)
        language_reject(unit, body->token, "an empty body: write { }");
}

/* A body without braces, after which a statement follows that looks as if it belonged to it. */
static void warn_indentation(language_unit *unit, const language_token *guard,
                             const language_node *body)
{
    const language_token *next = body->end;
    if (body->kind == NODE_BLOCK || next->kind == TOKEN_RIGHT_BRACE)
        return;
    if (!next->first || next->column > guard->indent)
        language_reject(unit, next,
                        "this stands as if '%s' before it guarded it: begin a line with it, "
                        "indented like that, or write braces",
                        language_spelling(guard->kind));
}

/* Whether a statement, read on from an `if` without braces, has an `else` that one could take for
 * that if's. */
static bool has_open_else(const language_node *node)
{
    while (node->kind == NODE_WHILE || node->kind == NODE_FOR)
        node = node->body;
    return node->kind == NODE_IF && (node->right || has_open_else(node->body));
}

/* if (a) if (b) x; else y; reads two ways; C gives the else to the inner if (-Wdangling-else). */
static void warn_if(language_unit *unit, const language_node *node)
{
    warn_condition(unit, node->condition);
    warn_empty(unit, node->body);
    if (has_open_else(node->body))
        language_reject(unit, node->token, "to which 'if' does the 'else' belong: write braces");
    if (node->right) {
        warn_empty(unit, node->right);
        warn_indentation(unit, node->body->end, node->right);
    } else {
        warn_indentation(unit, node->token, node->body);
    }
}

/* ---- loops ---- */

/* Marks the variables of a condition. False: it has something else in it that may change. */
static bool mark_variables(const language_node *node, uint64_t stamp, bool *any)
{
    if (!node)
        return true;
    switch (node->kind) {
    case NODE_NUMBER:
        return true;
    case NODE_NAME:
        if (node->symbol->variable) {
            node->symbol->variable->stamp = stamp;
            *any = true;
        }
        return true;
    case NODE_FIELD:
    case NODE_CALL:
    case NODE_ASSIGN:
    case NODE_STEP:
        return false;
    case NODE_CAST:
        return mark_variables(node->left, stamp, any);
    default:
        return mark_variables(node->condition, stamp, any) &&
               mark_variables(node->left, stamp, any) && mark_variables(node->right, stamp, any);
    }
}

/* Whether a tree changes one of the marked variables. */
static bool changes_marked(const language_node *node, uint64_t stamp)
{
    for (; node; node = node->next) {
        int offset;
        if ((node->kind == NODE_ASSIGN || node->kind == NODE_STEP) &&
            language_place(node->left, &offset)->stamp == stamp)
            return true;
        if (changes_marked(node->condition, stamp) || changes_marked(node->left, stamp) ||
            changes_marked(node->right, stamp) || changes_marked(node->body, stamp))
            return true;
    }
    return false;
}

/* NULL: the block is empty. */
static language_node *last_statement(const language_node *body)
{
    language_node *last = body->body;
    while (last && last->next)
        last = last->next;
    return last;
}

/* A loop whose condition cannot change runs never or forever; one that steps twice skips. */
static void warn_for(language_unit *unit, language_node *node)
{
    bool any = false;
    uint64_t stamp = ++unit->stamp;
    if (node->condition && mark_variables(node->condition, stamp, &any) && any &&
        !changes_marked(node->right, stamp) && !changes_marked(node->body, stamp))
        language_reject(unit, node->condition->token, "nothing in this loop changes its condition");
    language_node *step = node->right && !node->right->next ? node->right->left : NULL;
    const language_node *last =
        node->body->kind == NODE_BLOCK ? last_statement(node->body) : node->body;
    if (step && step->kind == NODE_STEP && last && last->kind == NODE_EXPRESSION &&
        last->left->kind == NODE_STEP && last->left->op == step->op &&
        language_same_value(last->left->left, step->left))
        language_reject(unit, last->left->token,
                        "the body ends with the same step as the loop: once is enough");
}

static void warn_loop(language_unit *unit, language_node *node)
{
    warn_condition(unit, node->condition);
    warn_empty(unit, node->body);
    if (node->kind != NODE_DO)
        warn_indentation(unit, node->token, node->body);
    if (node->kind == NODE_FOR)
        warn_for(unit, node);
}

/* ---- the walk ---- */

/* Expressions by their operator, statements by their kind; most nodes have nothing to warn
 * about. */
static void warn_node(language_unit *unit, language_node *node)
{
    switch (node->kind) {
    case NODE_UNARY:
        if (node->op == TOKEN_NOT)
            warn_truth(unit, node->left);
        break;
    case NODE_BINARY:
        warn_divisor(unit, node, node->op);
        if (is_comparison(node))
            warn_comparison(unit, node);
        break;
    case NODE_LOGICAL:
        warn_logical(unit, node);
        break;
    case NODE_CONDITIONAL:
        warn_conditional(unit, node);
        break;
    case NODE_ASSIGN:
        warn_assign(unit, node);
        break;
    case NODE_IF:
        warn_if(unit, node);
        break;
    case NODE_WHILE:
    case NODE_DO:
    case NODE_FOR:
        warn_loop(unit, node);
        break;
    default:
        break;
    }
}

/* Every node of a function is looked at once, each in its place in the tree. */
static void warn_list(language_unit *unit, language_node *node)
{
    for (; node; node = node->next) {
        if (node->kind == NODE_TYPE)
            continue;
        warn_node(unit, node);
        warn_list(unit, node->condition);
        warn_list(unit, node->left);
        warn_list(unit, node->right);
        warn_list(unit, node->body);
    }
}

/* After the types are known and constants folded, and before order.c and flow.c: a mistake is named as
 * the mistake that it is. */
void language_warn(language_unit *unit, const language_node *function)
{
    warn_list(unit, function->body->body);
}
