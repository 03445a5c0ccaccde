/* SPDX-License-Identifier: MIT */
/* check.c -- the names and types of a function's statements and expressions.
 *
 * Each expression gets its type, bottom up, and its value if it is constant. Conversions are C's:
 * an int becomes a double where it meets one, a double becomes an int where an int is assigned,
 * passed or returned. Scopes nest as C's do, and each variable gets its cells in the function's
 * frame; blocks that follow one another use the same cells. */
#include "refine/language/ast.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* What is checked, and where the walk is in it. */
typedef struct checker {
    language_unit *unit;
    language_function *function; /* whose body this is; NULL: a constant of the file */
    language_variable *locals;   /* in scope, the innermost first */
    int level;                   /* of the scope */
    int cells;                   /* of the frame that are taken */
    int loops;                   /* around this point */
} checker;

static const language_type *check_expression(checker *c, language_node *node);
static void check_statement(checker *c, language_node *node);

/* ---- scopes ---- */

/* Gives a parameter or variable its symbol, and cells behind those of all variables in scope: offsets are
 * fixed now, so that a running program has no names. The frame is as large as its fullest scope. */
static language_variable *declare_variable(checker *c, language_node *node,
                                           const language_type *type)
{
    language_symbol *symbol =
        language_declare(c->unit, SYMBOL_VARIABLE, node->name, node->token, c->level);
    language_variable *variable = language_new(c->unit, sizeof *variable);
    symbol->type = type;
    symbol->variable = variable;
    node->symbol = symbol;
    variable->symbol = symbol;
    variable->name = node->name;
    variable->offset = c->cells;
    variable->outer = c->locals;
    c->locals = variable;
    c->cells += type->cells;
    if (c->cells > c->function->variable_cells)
        c->function->variable_cells = c->cells;
    return variable;
}

/* Ends the innermost scope. Compilers warn about variables that nobody reads. */
static void leave_scope(checker *c)
{
    for (; c->locals && c->locals->symbol->level == c->level; c->locals = c->locals->outer) {
        const language_variable *variable = c->locals;
        variable->name->symbol = variable->symbol->hidden;
        c->cells -= variable->symbol->type->cells;
        if (!variable->is_read)
            language_reject(c->unit, variable->symbol->token, "the %s '%s' is %s",
                            variable->is_parameter ? "parameter" : "variable", variable->name->text,
                            variable->is_set ? "set, but never read" : "never used");
    }
    c->level--;
}

/* ---- places: what can be assigned to ---- */

language_variable *language_place(const language_node *node, int *offset)
{
    *offset = 0;
    for (; node->kind == NODE_FIELD; node = node->left)
        *offset += node->member->offset;
    return node->kind == NODE_NAME ? node->symbol->variable : NULL;
}

/* C11 6.5.1p2: an identifier is an expression if it has been declared as an object or a
 * function. */
static const language_symbol *look_up(checker *c, const language_node *node)
{
    const language_symbol *symbol = node->name->symbol;
    if (!symbol)
        language_reject(c->unit, node->token, "unknown name '%s'", node->name->text);
    if (symbol->kind == SYMBOL_TYPE)
        language_reject(c->unit, node->token, "expected a value, '%s' is a type", node->name->text);
    return symbol;
}

/* The type of a FIELD whose struct's type is known. */
static const language_type *find_member(checker *c, language_node *node)
{
    const language_type *type = node->left->type;
    if (type->kind != LANGUAGE_STRUCT)
        language_reject(c->unit, node->token, "expected a struct before '.', got %s",
                        language_show(type).text);
    for (int i = 0; i < type->record->count; i++)
        if (type->record->members[i].name->length == node->name->length &&
            memcmp(type->record->members[i].name->text, node->name->text, node->name->length) == 0)
            node->member = &type->record->members[i];
    if (!node->member)
        language_reject(c->unit, node->token, "%s has no field '%s'", language_show(type).text,
                        node->name->text);
    return node->type = node->member->type;
}

/* What stands on the left of an assignment: not read, hence not check_expression(). */
static const language_type *check_place(checker *c, language_node *node)
{
    if (node->kind == NODE_FIELD) {
        check_place(c, node->left);
        return find_member(c, node);
    }
    if (node->kind != NODE_NAME)
        language_reject(c->unit, node->token, "expected a variable or a field of one");
    node->symbol = look_up(c, node);
    if (!node->symbol->variable)
        language_reject(c->unit, node->token, "'%s' is no variable", node->name->text);
    node->symbol->variable->is_set = true;
    return node->type = node->symbol->type;
}

/* x += 1 and x++ read x only if somebody uses their value: "set, but never read" looks at that. */
static void mark_read(const language_node *place)
{
    int offset;
    language_place(place, &offset)->is_read = true;
}

/* ---- types that fit ---- */

/* The types that arithmetic is done on. */
static bool is_number(const language_type *type)
{
    return type == &language_int || type == &language_double;
}

/* Refuses an operand that is a struct, a handle or void. op: the operator, where the message points. */
static void expect_number(checker *c, const language_node *operand, const language_token *op)
{
    if (!is_number(operand->type))
        language_reject(c->unit, op, "'%s' wants int or double, got %s",
                        language_spelling(op->kind), language_show(operand->type).text);
}

/* Zero is false, anything else is true, NaN included. */
static void expect_condition(checker *c, language_node *node)
{
    check_expression(c, node);
    if (!is_number(node->type))
        language_reject(c->unit, node->token, "a condition is int or double, got %s",
                        language_show(node->type).text);
}

/* int i = 0.5; is C, means 0, and draws a warning (-Wliteral-conversion, -Woverflow). Compilers
 * look at both arms of ?: too. */
static void reject_changed_constant(checker *c, const language_node *value)
{
    int32_t whole;
    if (value->kind == NODE_CONDITIONAL) {
        reject_changed_constant(c, value->left);
        reject_changed_constant(c, value->right);
    }
    if (!value->known || value->type != &language_double)
        return;
    if (language_to_int(value->value.d, &whole))
        language_reject(c->unit, value->token, "this value does not fit in int");
    if (value->constant && (whole != value->value.d || signbit(value->value.d)))
        language_reject(c->unit, value->token,
                        "this constant changes where it becomes an int: "
                        "write (int), or an int");
}

/* A value that is assigned, passed or returned as one of that type (C11 6.5.16.1). */
static void expect_convertible(checker *c, const language_node *value, const language_type *type)
{
    if (!(value->type == type && type != &language_void) &&
        !(is_number(value->type) && is_number(type)))
        language_reject(c->unit, value->token, "expected a value of type %s, got %s",
                        language_show(type).text, language_show(value->type).text);
    if (value->type == &language_double && type == &language_int)
        reject_changed_constant(c, value);
}

/* The usual arithmetic conversions (C11 6.3.1.8), of which two types leave only this. */
static const language_type *common_type(const language_node *a, const language_node *b)
{
    return a->type == &language_int && b->type == &language_int ? &language_int : &language_double;
}

/* ---- expressions ---- */

/* A name as a value: a function's would be a pointer, which the language does not have. */
static const language_type *check_name(checker *c, language_node *node)
{
    node->symbol = look_up(c, node);
    if (node->symbol->kind == SYMBOL_FUNCTION)
        language_reject(c->unit, node->token, "'%s' is a function: expected '(' after it",
                        node->name->text);
    if (node->symbol->variable)
        node->symbol->variable->is_read = true;
    return node->symbol->type;
}

/* Of a variable's field, or of a struct that a function returns. */
static const language_type *check_field(checker *c, language_node *node)
{
    check_expression(c, node->left);
    return find_member(c, node);
}

/* The graph of calls, which declare.c follows in both directions. */
static void add_edge(checker *c, language_edge **list, language_function *to)
{
    language_edge *edge = language_new(c->unit, sizeof *edge);
    edge->to = to;
    edge->next = *list;
    *list = edge;
}

/* callee: NULL, one of the host's. */
static void note_call(checker *c, language_function *callee)
{
    if (!callee) {
        c->function->has_effects = true;
    } else {
        add_edge(c, &callee->callers, c->function);
        add_edge(c, &c->function->callees, callee);
        c->function->calls_itself |= callee == c->function;
    }
}

/* Each argument is converted to its parameter's type, as by assignment (C11 6.5.2.2p7). A constant
 * expression, outside of any function, has no calls. */
static const language_type *check_call(checker *c, language_node *node)
{
    const language_symbol *symbol = node->name->symbol;
    int count = 0;
    if (!symbol)
        language_reject(c->unit, node->token, "unknown function '%s'", node->name->text);
    if (symbol->kind != SYMBOL_FUNCTION)
        language_reject(c->unit, node->token, "'%s' is no function", node->name->text);
    if (!c->function)
        language_reject(c->unit, node->token, "expected a constant expression, got a call");
    for (language_node *argument = node->left; argument; argument = argument->next) {
        check_expression(c, argument);
        if (count < symbol->parameter_count)
            expect_convertible(c, argument, symbol->parameters[count]);
        count++;
    }
    if (count != symbol->parameter_count)
        language_reject(c->unit, node->token, "'%s' takes %d argument%s, got %d", node->name->text,
                        symbol->parameter_count, symbol->parameter_count == 1 ? "" : "s", count);
    node->symbol = symbol;
    note_call(c, symbol->function);
    return symbol->type;
}

/* ! gives an int, 0 or 1; + and - give their operand's type: there is nothing narrower than int. */
static const language_type *check_unary(checker *c, language_node *node)
{
    check_expression(c, node->left);
    expect_number(c, node->left, node->token);
    return node->op == TOKEN_NOT ? &language_int : node->left->type;
}

/* (void) is for a value that is not wanted: it may only be a statement. */
static const language_type *check_cast(checker *c, language_node *node)
{
    const language_type *type = language_resolve(c->unit, node->right, node->right->pointer);
    check_expression(c, node->left);
    if (type == &language_void ? !node->discarded : !is_number(type))
        language_reject(c->unit, node->token, "a cast to %s", language_show(type).text);
    if (type != &language_void && !is_number(node->left->type))
        language_reject(c->unit, node->token, "a cast of %s", language_show(node->left->type).text);
    return type;
}

/* ++ and --, before and after: a place of a number. */
static const language_type *check_step(checker *c, language_node *node)
{
    check_place(c, node->left);
    expect_number(c, node->left, node->token);
    if (!node->discarded)
        mark_read(node->left);
    return node->left->type;
}

/* Handles may be compared for equality, and are good for nothing else. */
static const language_type *check_binary(checker *c, language_node *node)
{
    const language_type *left = check_expression(c, node->left);
    const language_type *right = check_expression(c, node->right);
    bool equality = node->op == TOKEN_EQUAL || node->op == TOKEN_NOT_EQUAL;
    if (equality && left == right && left->kind == LANGUAGE_HANDLE)
        return &language_int;
    expect_number(c, node->left, node->token);
    expect_number(c, node->right, node->token);
    if (node->op == TOKEN_PERCENT && (left != &language_int || right != &language_int))
        language_reject(c->unit, node->token, "'%%' wants int, got double");
    if (language_is_comparison(node->op))
        return &language_int;
    return common_type(node->left, node->right);
}

/* && and || take numbers of either type, also one of each, and give an int. */
static const language_type *check_logical(checker *c, language_node *node)
{
    check_expression(c, node->left);
    check_expression(c, node->right);
    expect_number(c, node->left, node->token);
    expect_number(c, node->right, node->token);
    return &language_int;
}

/* Two numbers have their common type; anything else has to have one type (C11 6.5.15). */
static const language_type *check_conditional(checker *c, language_node *node)
{
    expect_condition(c, node->condition);
    const language_type *left = check_expression(c, node->left);
    const language_type *right = check_expression(c, node->right);
    if (is_number(left) && is_number(right))
        return common_type(node->left, node->right);
    if (left != right || left == &language_void)
        language_reject(c->unit, node->token, "'?' wants two values of one type, got %s and %s",
                        language_show(left).text, language_show(right).text);
    return left;
}

/* Plain assignment takes structs and handles as well; with an operator, it takes numbers. */
static const language_type *check_assign(checker *c, language_node *node)
{
    const language_type *type = check_place(c, node->left);
    check_expression(c, node->right);
    if (node->op == TOKEN_ASSIGN) {
        expect_convertible(c, node->right, type);
        return type;
    }
    expect_number(c, node->left, node->token);
    expect_number(c, node->right, node->token);
    if (node->op == TOKEN_PERCENT_ASSIGN && common_type(node->left, node->right) != &language_int)
        language_reject(c->unit, node->token, "'%%=' wants int, got double");
    if (!node->discarded)
        mark_read(node->left);
    return type;
}

/* One function for each kind of expression; each checks its operands first. */
static const language_type *type_of(checker *c, language_node *node)
{
    switch (node->kind) {
    case NODE_NUMBER:
        return node->op == TOKEN_NUMBER_INT ? &language_int : &language_double;
    case NODE_NAME:
        return check_name(c, node);
    case NODE_FIELD:
        return check_field(c, node);
    case NODE_CALL:
        return check_call(c, node);
    case NODE_UNARY:
        return check_unary(c, node);
    case NODE_CAST:
        return check_cast(c, node);
    case NODE_STEP:
        return check_step(c, node);
    case NODE_BINARY:
        return check_binary(c, node);
    case NODE_LOGICAL:
        return check_logical(c, node);
    case NODE_CONDITIONAL:
        return check_conditional(c, node);
    default:
        assert(node->kind == NODE_ASSIGN);
        return check_assign(c, node);
    }
}

/* The type, then the value if it is known: both from the operands up. */
static const language_type *check_expression(checker *c, language_node *node)
{
    node->type = type_of(c, node);
    language_fold(c->unit, node);
    return node->type;
}

/* ---- statements ---- */

/* An expression statement, or a part of a `for`: compilers warn where it does nothing. */
static void check_effect(checker *c, language_node *node)
{
    node->discarded = true;
    check_expression(c, node);
    bool has_effect = node->kind == NODE_ASSIGN || node->kind == NODE_STEP ||
                      node->kind == NODE_CALL || node->type == &language_void;
    if (!has_effect)
        language_reject(c->unit, node->token, "the value of this expression is not used");
}

/* A variable is in scope in its own initialiser (C11 6.2.1p7); flow.c refuses to read it there. */
static void check_variable(checker *c, language_node *node)
{
    const language_type *type = language_resolve(c->unit, node->right, node->pointer);
    if (type->kind == LANGUAGE_VOID)
        language_reject(c->unit, node->token, "a variable of type void");
    language_variable *variable = declare_variable(c, node, type);
    if (!node->left)
        return;
    variable->is_set = true;
    check_expression(c, node->left);
    expect_convertible(c, node->left, type);
}

/* Statements in their order: a name is known from its declaration on. */
static void check_list(checker *c, language_node *node)
{
    for (; node; node = node->next)
        check_statement(c, node);
}

/* What a block declares is gone behind it, and its cells are free for the next one. */
static void check_block(checker *c, language_node *node)
{
    c->level++;
    check_list(c, node->body);
    leave_scope(c);
}

/* Where break and continue are allowed. */
static void check_loop_body(checker *c, language_node *node)
{
    c->loops++;
    check_statement(c, node);
    c->loops--;
}

/* The scope of what a for declares is the loop (C11 6.8.5p5). */
static void check_for(checker *c, language_node *node)
{
    c->level++;
    check_list(c, node->left);
    if (node->condition)
        expect_condition(c, node->condition);
    check_list(c, node->right);
    check_loop_body(c, node->body);
    leave_scope(c);
}

/* A value exactly if the function returns one. Whether every way ends in a return is for flow.c. */
static void check_return(checker *c, language_node *node)
{
    const language_symbol *function = c->function->symbol;
    const language_type *type = function->type;
    c->function->has_return = true;
    if (node->left && type == &language_void)
        language_reject(c->unit, node->token, "'%s' returns void: expected ';' after 'return'",
                        function->name->text);
    if (!node->left && type != &language_void)
        language_reject(c->unit, node->token, "'%s' returns %s: expected a value after 'return'",
                        function->name->text, language_show(type).text);
    if (!node->left)
        return;
    check_expression(c, node->left);
    expect_convertible(c, node->left, type);
}

static void check_statement(checker *c, language_node *node)
{
    switch (node->kind) {
    case NODE_EMPTY:
        break;
    case NODE_EXPRESSION:
        check_effect(c, node->left);
        break;
    case NODE_VARIABLE:
        check_variable(c, node);
        break;
    case NODE_BLOCK:
        check_block(c, node);
        break;
    case NODE_IF:
        expect_condition(c, node->condition);
        check_statement(c, node->body);
        if (node->right)
            check_statement(c, node->right);
        break;
    case NODE_WHILE:
        expect_condition(c, node->condition);
        check_loop_body(c, node->body);
        break;
    case NODE_DO:
        check_loop_body(c, node->body);
        expect_condition(c, node->condition);
        break;
    case NODE_FOR:
        check_for(c, node);
        break;
    case NODE_BREAK:
    case NODE_CONTINUE:
        if (c->loops == 0)
            language_reject(c->unit, node->token, "'%s' is not inside of a loop",
                            language_spelling(node->op));
        break;
    default:
        assert(node->kind == NODE_RETURN);
        check_return(c, node);
    }
}

/* ---- what declare.c asks for ---- */

/* Parameters and the body's outermost block are one scope (C11 6.9.1p9). */
void language_check_body(language_unit *unit, language_node *function)
{
    const language_symbol *symbol = function->symbol;
    checker c = {.unit = unit, .function = symbol->function, .level = 1};
    int count = 0;
    for (language_node *n = function->left; n; n = n->next)
        declare_variable(&c, n, symbol->parameters[count++])->is_parameter = true;
    check_list(&c, function->body->body);
    leave_scope(&c);
}

/* An enum constant must be an integer constant expression (C11 6.6), which has no doubles in it. */
static bool has_double(const language_node *node)
{
    return node && (node->type == &language_double || has_double(node->condition) ||
                    has_double(node->left) || (node->kind != NODE_CAST && has_double(node->right)));
}

/* The expression stands outside of any function, so c.function is NULL and check_call() refuses calls. */
int32_t language_check_enumerator(language_unit *unit, language_node *expression)
{
    checker c = {.unit = unit};
    check_expression(&c, expression);
    if (!expression->constant || has_double(expression))
        language_reject(unit, expression->token, "expected a constant of type int");
    return expression->value.i;
}
