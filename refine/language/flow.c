/* SPDX-License-Identifier: MIT */
/* flow.c -- the ways that control can take through a function: no variable is read before it is
 * written, no function that returns a value ends without one, none calls itself whatever happens.
 *
 * The first pass walks a function once, in the order in which it runs. The state at a point is the
 * set of cells that have been written on *every* way there: a bit a cell, in the variables'
 * language_variable, and a trail of what was set since when, so that a branch can be undone before
 * the other is walked. Where ways meet, a join keeps what all of them have written. This is Java's
 * definite assignment (JLS 16): no loop is walked twice, since going round it again never takes
 * anything away. Unreachable code, after a return, may read anything: there is no way to it.
 *
 * The second pass asks for the ways through a function that do not call the function itself. */
#include "refine/language/ast.h"

/* A step of the trail: what a variable was before it was set. */
typedef struct change {
    language_variable *variable;
    uint64_t before; /* its cells that were written */
} change;

/* What a join knows of one variable. */
typedef struct entry {
    language_variable *variable;
    uint64_t cells;
} entry;

/* A point where ways meet: the cells that all of them have written since they parted. */
typedef struct meeting {
    bool reached;
    size_t count;
    entry *entries;
} meeting;

/* A loop that is being walked. Both of its joins parted where it began: what was written before the loop
 * is written on every way through it. */
typedef struct loop_scope {
    size_t mark;   /* of the trail, at its beginning */
    meeting after; /* where it ends */
    meeting again; /* where `continue` leads: before the step or the condition */
    struct loop_scope *outer;
} loop_scope;

/* The walk through one function. An unreachable point has written everything, so to speak: its state
 * takes no part in any join (arrive), and nothing there is refused (read_place). */
typedef struct flow {
    language_unit *unit;
    bool reachable;
    change *trail;
    size_t count, capacity;
    loop_scope *loop;
} flow;

static void flow_expression(flow *f, const language_node *node);
static void flow_statement(flow *f, const language_node *node);

/* ---- the state ---- */

static void push_change(flow *f, language_variable *variable)
{
    f->trail = language_grow(f->unit, f->trail, f->count, &f->capacity, sizeof *f->trail);
    f->trail[f->count++] = (change){variable, variable->assigned};
}

/* Notes what the state was before: undo() puts it back. */
static void set_cells(flow *f, language_variable *variable, uint64_t cells)
{
    if (!f->reachable || (variable->assigned & cells) == cells)
        return;
    push_change(f, variable);
    variable->assigned |= cells;
}

/* Takes back what was set since the trail had that length. */
static void undo(flow *f, size_t mark)
{
    while (f->count > mark) {
        f->count--;
        f->trail[f->count].variable->assigned = f->trail[f->count].before;
    }
}

/* One more way leads from here to the join. All of them parted where the trail had that length. The
 * first leaves its own set, each later one an intersection. */
static void arrive(flow *f, meeting *join, size_t mark)
{
    if (!f->reachable)
        return;
    if (join->reached) {
        for (size_t i = 0; i < join->count; i++)
            join->entries[i].cells &= join->entries[i].variable->assigned;
        return;
    }
    join->reached = true;
    join->count = f->count - mark;
    join->entries = language_new(f->unit, join->count * sizeof *join->entries);
    for (size_t i = 0; i < join->count; i++) {
        language_variable *variable = f->trail[mark + i].variable;
        join->entries[i] = (entry){variable, variable->assigned};
    }
}

/* Continues behind the join, with what all ways to it have written. */
static void leave_from(flow *f, const meeting *join, size_t mark)
{
    undo(f, mark);
    f->reachable = join->reached;
    for (size_t i = 0; i < join->count; i++)
        set_cells(f, join->entries[i].variable, join->entries[i].cells);
}

/* ---- expressions ---- */

/* Every cell of the place must have been written on every way here. */
static void read_place(flow *f, const language_node *node)
{
    int offset;
    const language_variable *variable = language_place(node, &offset);
    uint64_t missing = language_mask(offset, node->type->cells) & ~variable->assigned;
    if (!f->reachable || !missing)
        return;
    if (node->type->kind != LANGUAGE_STRUCT)
        language_reject(f->unit, node->token, "'%s' may be read before it is written",
                        node->name->text);
    const language_record *record = node->type->record;
    int field = 0;
    while (!(missing & language_mask(offset + record->members[field].offset,
                                     record->members[field].type->cells)))
        field++;
    language_reject(f->unit, node->token, "the field '%s' of '%s' may be read before it is written",
                    record->names[field], node->name->text);
}

/* Writing one field leaves the others as they are. */
static void write_place(flow *f, const language_node *node)
{
    int offset;
    language_variable *variable = language_place(node, &offset);
    set_cells(f, variable, language_mask(offset, node->type->cells));
}

/* Arguments, in their order: which one is evaluated first does not matter here, since order.c has refused
 * calls in which it would. */
static void flow_list(flow *f, const language_node *node)
{
    for (; node; node = node->next)
        flow_expression(f, node);
}

/* Only one of the two is evaluated, or (right NULL) only perhaps the left. */
static void flow_either(flow *f, const language_node *left, const language_node *right)
{
    size_t mark = f->count;
    meeting after = {0};
    if (!right)
        arrive(f, &after, mark);
    flow_expression(f, left);
    arrive(f, &after, mark);
    if (right) {
        undo(f, mark);
        flow_expression(f, right);
        arrive(f, &after, mark);
    }
    leave_from(f, &after, mark);
}

static void flow_expression(flow *f, const language_node *node)
{
    int offset;
    switch (node->kind) {
    case NODE_NAME:
        if (node->symbol->variable)
            read_place(f, node);
        break;
    case NODE_FIELD:
        if (language_place(node, &offset))
            read_place(f, node);
        else
            flow_expression(f, node->left);
        break;
    case NODE_ASSIGN:
        if (node->op != TOKEN_ASSIGN)
            read_place(f, node->left);
        flow_expression(f, node->right);
        write_place(f, node->left);
        break;
    case NODE_STEP:
        read_place(f, node->left);
        break;
    case NODE_CALL:
        flow_list(f, node->left);
        break;
    case NODE_BINARY:
        flow_expression(f, node->left);
        flow_expression(f, node->right);
        break;
    case NODE_LOGICAL:
        flow_expression(f, node->left);
        flow_either(f, node->right, NULL);
        break;
    case NODE_CONDITIONAL:
        flow_expression(f, node->condition);
        flow_either(f, node->left, node->right);
        break;
    case NODE_UNARY:
    case NODE_CAST:
        flow_expression(f, node->left);
        break;
    default:
        break;
    }
}

/* ---- statements ---- */

/* for (;;) and while (1): only a break leads out. */
static bool is_endless(const language_node *condition)
{
    return !condition || (condition->constant && language_is_true(condition));
}

/* Both arms start from the same state. The missing else is a way, too. */
static void flow_if(flow *f, const language_node *node)
{
    flow_expression(f, node->condition);
    bool reachable = f->reachable;
    size_t mark = f->count;
    meeting after = {0};
    flow_statement(f, node->body);
    arrive(f, &after, mark);
    undo(f, mark);
    f->reachable = reachable;
    if (node->right)
        flow_statement(f, node->right);
    arrive(f, &after, mark);
    leave_from(f, &after, mark);
}

/* The condition of a loop: where it is false the loop ends. */
static void flow_loop_condition(flow *f, const language_node *condition)
{
    if (condition)
        flow_expression(f, condition);
    if (!is_endless(condition))
        arrive(f, &f->loop->after, f->loop->mark);
}

/* One after the other, also behind a jump, where nothing is reached. */
static void flow_statements(flow *f, const language_node *node)
{
    for (; node; node = node->next)
        flow_statement(f, node);
}

/* while and for: condition, body, step. What comes before has been walked. */
static void flow_while(flow *f, const language_node *node)
{
    loop_scope loop = {.mark = f->count, .outer = f->loop};
    f->loop = &loop;
    flow_loop_condition(f, node->condition);
    flow_statement(f, node->body);
    arrive(f, &loop.again, loop.mark);
    leave_from(f, &loop.again, loop.mark);
    flow_statements(f, node->right);
    leave_from(f, &loop.after, loop.mark);
    f->loop = loop.outer;
}

/* body, then condition: `continue` leads to the condition. */
static void flow_do(flow *f, const language_node *node)
{
    loop_scope loop = {.mark = f->count, .outer = f->loop};
    f->loop = &loop;
    flow_statement(f, node->body);
    arrive(f, &loop.again, loop.mark);
    leave_from(f, &loop.again, loop.mark);
    flow_loop_condition(f, node->condition);
    leave_from(f, &loop.after, loop.mark);
    f->loop = loop.outer;
}

/* A jump carries the state to its target; nothing is reached behind it. */
static void flow_jump(flow *f, const language_node *node)
{
    if (node->kind == NODE_RETURN && node->left)
        flow_expression(f, node->left);
    if (node->kind == NODE_BREAK)
        arrive(f, &f->loop->after, f->loop->mark);
    if (node->kind == NODE_CONTINUE)
        arrive(f, &f->loop->again, f->loop->mark);
    f->reachable = false;
}

static void flow_statement(flow *f, const language_node *node)
{
    switch (node->kind) {
    case NODE_EXPRESSION:
        flow_expression(f, node->left);
        break;
    case NODE_VARIABLE:
        if (node->left) {
            flow_expression(f, node->left);
            set_cells(f, node->symbol->variable, language_mask(0, node->symbol->type->cells));
        }
        break;
    case NODE_BLOCK:
        flow_statements(f, node->body);
        break;
    case NODE_IF:
        flow_if(f, node);
        break;
    case NODE_FOR:
        flow_statements(f, node->left);
        flow_while(f, node);
        break;
    case NODE_WHILE:
        flow_while(f, node);
        break;
    case NODE_DO:
        flow_do(f, node);
        break;
    case NODE_BREAK:
    case NODE_CONTINUE:
    case NODE_RETURN:
        flow_jump(f, node);
        break;
    default:
        break;
    }
}

/* ---- ways around a call of itself ---- */

/* How a statement can end without having called the function: any of these. */
enum { WAY_ON = 1, WAY_BREAK = 2, WAY_CONTINUE = 4, WAY_RETURN = 8 };

/* Which outcomes an expression can have without having called it, taken as a condition. */
enum { OUTCOME_TRUE = 1, OUTCOME_FALSE = 2, OUTCOME_ANY = 3 };

static int outcomes(const language_node *node, const language_symbol *function);

/* Whether all of some expressions can be evaluated without the call. */
static bool avoids(const language_node *list, const language_symbol *function)
{
    for (; list; list = list->next)
        if (!outcomes(list, function))
            return false;
    return true;
}

/* `left` decides with one outcome, and leaves it to `right` with the other. */
static int outcomes_of_logical(const language_node *node, const language_symbol *function)
{
    int goes_on = node->op == TOKEN_AND ? OUTCOME_TRUE : OUTCOME_FALSE;
    int left = outcomes(node->left, function), found = left & ~goes_on;
    if (left & goes_on)
        found |= outcomes(node->right, function);
    return found;
}

/* The condition chooses the arms that can be evaluated; either may then have the outcome. */
static int outcomes_of_conditional(const language_node *node, const language_symbol *function)
{
    int condition = outcomes(node->condition, function), found = 0;
    if (condition & OUTCOME_TRUE)
        found |= outcomes(node->left, function);
    if (condition & OUTCOME_FALSE)
        found |= outcomes(node->right, function);
    return found;
}

static int outcomes_of_not(int outcomes)
{
    return (outcomes & OUTCOME_TRUE ? OUTCOME_FALSE : 0) |
           (outcomes & OUTCOME_FALSE ? OUTCOME_TRUE : 0);
}

/* 0: the expression cannot be evaluated without the call. A value that is known has one outcome. */
static int outcomes(const language_node *node, const language_symbol *function)
{
    int found = OUTCOME_ANY;
    if (node->kind == NODE_LOGICAL)
        found = outcomes_of_logical(node, function);
    else if (node->kind == NODE_CONDITIONAL)
        found = outcomes_of_conditional(node, function);
    else if (node->kind == NODE_UNARY && node->op == TOKEN_NOT)
        found = outcomes_of_not(outcomes(node->left, function));
    else if (node->kind == NODE_CALL && node->symbol == function)
        found = 0;
    else if (!avoids(node->left, function) ||
             (node->kind != NODE_CAST && !avoids(node->right, function)))
        found = 0;
    if (node->known)
        found &= language_is_true(node) ? OUTCOME_TRUE : OUTCOME_FALSE;
    return found;
}

static int ways(const language_node *node, const language_symbol *function);

/* One after the other: the next is reached if the one before can end normally. */
static int ways_of_list(const language_node *node, const language_symbol *function)
{
    int found = WAY_ON;
    for (; node && (found & WAY_ON); node = node->next)
        found = (found & ~WAY_ON) | ways(node, function);
    return found;
}

/* Only the arms that the condition can choose. */
static int ways_of_if(const language_node *node, const language_symbol *function)
{
    int condition = outcomes(node->condition, function), found = 0;
    if (condition & OUTCOME_TRUE)
        found |= ways(node->body, function);
    if (condition & OUTCOME_FALSE)
        found |= node->right ? ways(node->right, function) : WAY_ON;
    return found;
}

/* A body that cannot end without the call leaves the ways that never enter it. */
static int ways_of_loop(const language_node *node, const language_symbol *function)
{
    int condition = node->condition ? outcomes(node->condition, function) : OUTCOME_TRUE;
    if (node->kind == NODE_FOR && !(ways_of_list(node->left, function) & WAY_ON))
        return 0;
    int body = 0;
    if (node->kind == NODE_DO || (condition & OUTCOME_TRUE))
        body = ways(node->body, function);
    bool reaches_condition = node->kind != NODE_DO || (body & (WAY_ON | WAY_CONTINUE));
    bool on = (body & WAY_BREAK) || (reaches_condition && (condition & OUTCOME_FALSE));
    return (on ? WAY_ON : 0) | (body & WAY_RETURN);
}

static int ways(const language_node *node, const language_symbol *function)
{
    switch (node->kind) {
    case NODE_EXPRESSION:
    case NODE_VARIABLE:
        return avoids(node->left, function) ? WAY_ON : 0;
    case NODE_RETURN:
        return avoids(node->left, function) ? WAY_RETURN : 0;
    case NODE_BREAK:
        return WAY_BREAK;
    case NODE_CONTINUE:
        return WAY_CONTINUE;
    case NODE_IF:
        return ways_of_if(node, function);
    case NODE_WHILE:
    case NODE_DO:
    case NODE_FOR:
        return ways_of_loop(node, function);
    case NODE_BLOCK:
        return ways_of_list(node->body, function);
    default:
        return WAY_ON;
    }
}

/* ---- a function ---- */

/* What both passes find, as errors. */
void language_check_flow(language_unit *unit, const language_node *function)
{
    const language_symbol *symbol = function->symbol;
    flow f = {.unit = unit, .reachable = true};
    for (const language_node *parameter = function->left; parameter; parameter = parameter->next)
        parameter->symbol->variable->assigned = ~(uint64_t)0;
    flow_statements(&f, function->body->body);
    if (f.reachable && symbol->type != &language_void)
        language_reject(unit, function->end - 1,
                        "'%s' may end without returning a value of type %s", symbol->name->text,
                        language_show(symbol->type).text);
    if (!symbol->function->has_return && symbol->type != &language_void)
        language_reject(unit, function->end - 1, "'%s' has no 'return' with a value of type %s",
                        symbol->name->text, language_show(symbol->type).text);
    if (symbol->function->calls_itself &&
        !(ways_of_list(function->body->body, symbol) & (WAY_ON | WAY_RETURN)))
        language_reject(unit, function->token, "'%s' calls itself whatever happens, without end",
                        symbol->name->text);
}
