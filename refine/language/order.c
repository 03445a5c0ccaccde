/* SPDX-License-Identifier: MIT */
/* order.c -- side effects whose order C leaves open.
 *
 * C evaluates the operands of most operators, and the arguments of a call, in any order it likes,
 * even interleaved. So an expression means nothing (C11 6.5p2) if one part of it changes a variable
 * and another, which may be evaluated before or after, changes or reads it too: i = i++ + 1. And
 * its meaning is left open if two such parts call functions with effects: f() - g(), where both
 * print. Both are errors here, so that the interpreter's order, from left to right, is as good as
 * any compiler's.
 *
 * The pass lists the accesses of an expression as it goes: what each part does is then a range of
 * that list, and two unordered parts are compared by marking the variables of one and looking up
 * those of the other. Only && || ?: and the call itself, after its arguments, put things in order.
 * Effects on the host's state are accesses to one variable of their own. */
#include "refine/language/ast.h"

/* A read or a write of some cells; token: where, for the message. */
typedef struct access {
    language_variable *variable;
    uint64_t cells; /* which of the variable's */
    bool write;
    const language_token *token;
} access;

/* The accesses of one full expression at a time: the end of one is before the beginning of the next (C11
 * 6.8p4). */
typedef struct orderer {
    language_unit *unit;
    access *accesses; /* of the expression at hand, so far */
    size_t count;
    language_variable host; /* stands for all that the host's functions may change */
} orderer;

static void order_expression(orderer *o, const language_node *node);

/* A variable has at most 64 cells (LANGUAGE_MAX_FIELDS), so that a set of them is one word. */
uint64_t language_mask(int offset, int cells)
{
    uint64_t ones = cells >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << cells) - 1;
    return ones << offset;
}

/* There is room: no expression has more accesses than tokens. */
static void add_access(orderer *o, language_variable *variable, uint64_t cells, bool write,
                       const language_token *token)
{
    o->accesses[o->count++] = (access){variable, cells, write, token};
}

/* A place by its variable and those of its cells that the field covers: two fields of one struct do not
 * meet. */
static void add_place(orderer *o, const language_node *place, bool write)
{
    int offset;
    language_variable *variable = language_place(place, &offset);
    add_access(o, variable, language_mask(offset, place->type->cells), write, place->token);
}

/* late: the access that the message points at; another one, of the same cells, is not ordered with it. */
_Noreturn static void reject_order(orderer *o, const access *late)
{
    if (late->variable == &o->host)
        language_reject(o->unit, late->token,
                        "C leaves open which of these calls comes first: use a variable");
    language_reject(o->unit, late->token,
                    "'%s' is changed and used in one expression, and C leaves open in which order",
                    late->variable->name->text);
}

/* Compares two parts that C does not order: accesses from `start` on and from `middle` on. */
static void compare_parts(orderer *o, size_t start, size_t middle)
{
    uint64_t stamp = ++o->unit->stamp;
    bool writes = false;
    for (size_t i = start; i < o->count; i++)
        writes |= o->accesses[i].write;
    if (!writes)
        return;
    for (size_t i = start; i < middle; i++) {
        language_variable *variable = o->accesses[i].variable;
        if (variable->stamp != stamp) {
            variable->stamp = stamp;
            variable->reads = variable->writes = 0;
        }
        *(o->accesses[i].write ? &variable->writes : &variable->reads) |= o->accesses[i].cells;
    }
    for (size_t i = middle; i < o->count; i++) {
        const access *late = &o->accesses[i];
        const language_variable *variable = late->variable;
        if (variable->stamp != stamp)
            continue;
        uint64_t other = variable->writes | (late->write ? variable->reads : 0);
        if (other & late->cells)
            reject_order(o, late);
    }
}

/* A write to a place comes after the values of its operands, but not after their effects. */
static void compare_write(orderer *o, size_t start, const language_node *place)
{
    int offset;
    const language_variable *variable = language_place(place, &offset);
    uint64_t cells = language_mask(offset, place->type->cells);
    for (size_t i = start; i < o->count; i++)
        if (o->accesses[i].variable == variable && o->accesses[i].write &&
            (o->accesses[i].cells & cells))
            reject_order(o, &o->accesses[i]);
}

/* place op= value. Reading the place (where there is an operator) and computing the value are
 * unordered; writing the place comes after both (C11 6.5.16p3). */
static void order_assign(orderer *o, const language_node *node)
{
    size_t start = o->count;
    if (node->op != TOKEN_ASSIGN)
        add_place(o, node->left, false);
    size_t middle = o->count;
    order_expression(o, node->right);
    compare_parts(o, start, middle);
    compare_write(o, start, node->left);
    add_place(o, node->left, true);
}

/* Arguments are unordered among each other; the call comes after all of them (C11 6.5.2.2p10). */
static void order_call(orderer *o, const language_node *node)
{
    size_t start = o->count;
    for (const language_node *argument = node->left; argument; argument = argument->next) {
        size_t middle = o->count;
        order_expression(o, argument);
        compare_parts(o, start, middle);
    }
    const language_function *function = node->symbol->function;
    if (!function || function->has_effects)
        add_access(o, &o->host, 1, true, node->token);
}

/* Lists what an expression accesses. && || and ?: evaluate their first operand before the others,
 * so that their parts are listed and not compared. */
static void order_expression(orderer *o, const language_node *node)
{
    int offset;
    size_t start = o->count, middle;
    switch (node->kind) {
    case NODE_NAME:
        if (node->symbol->variable)
            add_place(o, node, false);
        break;
    case NODE_FIELD:
        if (language_place(node, &offset))
            add_place(o, node, false);
        else
            order_expression(o, node->left);
        break;
    case NODE_CALL:
        order_call(o, node);
        break;
    case NODE_STEP:
        add_place(o, node->left, false);
        add_place(o, node->left, true);
        break;
    case NODE_ASSIGN:
        order_assign(o, node);
        break;
    case NODE_BINARY:
        order_expression(o, node->left);
        middle = o->count;
        order_expression(o, node->right);
        compare_parts(o, start, middle);
        break;
    case NODE_LOGICAL:
        order_expression(o, node->left);
        order_expression(o, node->right);
        break;
    case NODE_CONDITIONAL:
        order_expression(o, node->condition);
        order_expression(o, node->left);
        order_expression(o, node->right);
        break;
    case NODE_UNARY:
    case NODE_CAST:
        order_expression(o, node->left);
        break;
    default:
        break;
    }
}

/* Each expression of a statement is ordered before and after all others. */
static void order_full(orderer *o, const language_node *expression)
{
    if (!expression)
        return;
    o->count = 0;
    order_expression(o, expression);
}

/* int x = (x = 1); sets x twice. */
static void order_variable(orderer *o, const language_node *node)
{
    order_full(o, node->left);
    for (size_t i = 0; node->left && i < o->count; i++)
        if (o->accesses[i].variable == node->symbol->variable && o->accesses[i].write)
            reject_order(o, &o->accesses[i]);
}

/* The end of each full expression is a sequence point (C11 6.8p4). */
static void order_statements(orderer *o, const language_node *node)
{
    for (; node; node = node->next) {
        if (node->kind == NODE_EXPRESSION || node->kind == NODE_RETURN)
            order_full(o, node->left);
        else if (node->kind == NODE_VARIABLE)
            order_variable(o, node);
        else {
            order_full(o, node->condition);
            order_statements(o, node->left);
            order_statements(o, node->right);
            order_statements(o, node->body);
        }
    }
}

/* One list serves all expressions: it is emptied before each. */
void language_check_order(language_unit *unit, const language_node *function)
{
    size_t tokens = (size_t)(function->end - function->token);
    orderer o = {.unit = unit};
    o.accesses = language_new(unit, tokens * sizeof *o.accesses);
    order_statements(&o, function->body->body);
}
