/* SPDX-License-Identifier: MIT */
/* compile.c -- from a checked tree to the instructions of a stack machine.
 *
 * The interpreter could walk the tree, but then each call of the program would be a recursion of
 * the interpreter, on a C stack whose size nobody knows. With instructions in a row, all that a
 * running program uses lies in one array whose length can be limited.
 *
 * Operands are pushed before their operator: a + b * c becomes load a, load b, load c, *, +. A jump
 * forward is emitted before its target is known, and completed when it is (backpatching; Aho, Sethi
 * and Ullman, 8.6); break and continue, of which there may be any number, are chained through their
 * own operands until then.
 *
 * Each expression leaves its value, type->cells cells, on top of the stack. How deep the stack gets
 * is counted while the code is made, so that the interpreter looks for room once a call. */
#include "refine/language/ast.h"

#include <assert.h>

/* The innermost loop that is being compiled, with the jumps out of it whose target is not known yet. */
typedef struct loop_scope {
    int32_t breaks, continues; /* chains of jumps, linked by their operands; -1 ends */
    struct loop_scope *outer;
} loop_scope;

/* What is made, and for which function. Lists grow in the unit's arena; depth is what the code so far
 * leaves on the stack at run time. */
typedef struct compiler {
    language_program *program;
    size_t capacity; /* of the instructions */
    size_t constants, constant_capacity, hosts, host_capacity;
    const language_symbol *function;
    int depth, deepest; /* cells on the stack, beyond the variables */
    loop_scope *loop;
} compiler;

static void compile_expression(compiler *c, const language_node *node);
static void compile_statement(compiler *c, const language_node *node);

/* ---- emitting ---- */

/* Adds an instruction; `change` is what it does to the height of the stack. Returns its index. */
static int32_t emit(compiler *c, const language_node *node, language_operation operation, int cells,
                    int32_t operand, int change)
{
    language_program *p = c->program;
    p->instructions = language_grow(&c->program->unit, p->instructions, p->instruction_count,
                                    &c->capacity, sizeof *p->instructions);
    language_instruction *instruction = &p->instructions[p->instruction_count];
    instruction->operation = (uint8_t)operation;
    instruction->op = TOKEN_END;
    instruction->cells = (uint16_t)cells;
    instruction->operand = operand;
    instruction->offset = node->token->offset;
    c->depth += change;
    if (c->depth > c->deepest)
        c->deepest = c->depth;
    return (int32_t)p->instruction_count++;
}

/* DO_INT, DO_DOUBLE and DO_HANDLE take two operands and leave one result; which operator it is, is said
 * by `op`. */
static void emit_operator(compiler *c, const language_node *node, language_operation operation,
                          language_token_kind op)
{
    int32_t at = emit(c, node, operation, 1, 0, -1);
    c->program->instructions[at].op = (uint8_t)op;
}

/* Constants are not shared: a program has few, and the table is as long as the code that uses it. */
static void emit_constant(compiler *c, const language_node *node, language_cell value)
{
    language_program *p = c->program;
    p->constants = language_grow(&c->program->unit, p->constants, c->constants,
                                 &c->constant_capacity, sizeof *p->constants);
    p->constants[c->constants] = value;
    emit(c, node, DO_CONSTANT, 1, (int32_t)c->constants++, 1);
}

/* A small whole number of either type, as the rewritten operators below need it: 0 and 1. */
static void emit_number(compiler *c, const language_node *node, const language_type *type,
                        int value)
{
    language_cell cell = {0};
    if (type == &language_double)
        cell.d = value;
    else
        cell.i = value;
    emit_constant(c, node, cell);
}

static int32_t here(const compiler *c) { return (int32_t)c->program->instruction_count; }

/* Completes an earlier jump: it leads here. */
static void land(compiler *c, int32_t jump) { c->program->instructions[jump].operand = here(c); }

/* Adds a jump to a chain of those that will lead to one place. The chain goes through their operands, the
 * newest jump first. */
static void emit_chained(compiler *c, const language_node *node, int32_t *chain)
{
    *chain = emit(c, node, DO_JUMP, 0, *chain, 0);
}

/* Now the place is known: each jump of the chain gets it in the place of the link. */
static void land_chain(compiler *c, int32_t chain)
{
    while (chain >= 0) {
        int32_t next = c->program->instructions[chain].operand;
        land(c, chain);
        chain = next;
    }
}

/* ---- expressions ---- */

/* Between the two arithmetic types; anything else is of the type already. */
static void convert(compiler *c, const language_node *node, const language_type *from,
                    const language_type *to)
{
    if (from == &language_int && to == &language_double)
        emit(c, node, DO_TO_DOUBLE, 1, 0, 0);
    else if (from == &language_double && to == &language_int)
        emit(c, node, DO_TO_INT, 1, 0, 0);
}

static void compile_as(compiler *c, const language_node *node, const language_type *type)
{
    compile_expression(c, node);
    convert(c, node, node->type, type);
}

/* As check.c has it (the usual arithmetic conversions), for types that have been found to fit. */
static const language_type *common_type(const language_type *a, const language_type *b)
{
    return a == &language_int && b == &language_int ? &language_int : &language_double;
}

/* Where a variable, or a field of one, stands in the frame. */
static int32_t place_offset(const language_node *node)
{
    int offset;
    const language_variable *variable = language_place(node, &offset);
    return variable->offset + offset;
}

/* Pushes the cells of a variable or of one of its fields. */
static void load(compiler *c, const language_node *place)
{
    int cells = place->type->cells;
    emit(c, place, DO_LOAD, cells, place_offset(place), cells);
}

/* Copies the top cells into the frame and leaves them on the stack: an assignment has a value. */
static void store(compiler *c, const language_node *node, const language_node *place)
{
    emit(c, node, DO_STORE, place->type->cells, place_offset(place), 0);
}

static void emit_arithmetic(compiler *c, const language_node *node, const language_type *type,
                            language_token_kind op)
{
    emit_operator(c, node, type == &language_double ? DO_DOUBLE : DO_INT, op);
}

/* Drops the value of an expression statement. */
static void pop(compiler *c, const language_node *node, const language_type *type)
{
    if (type->cells)
        emit(c, node, DO_POP, type->cells, 0, -type->cells);
}

/* A condition leaves an int, which is 0 if it is false: a double d is compiled as d != 0, so that
 * DO_JUMP_ZERO only has to know ints. */
static void compile_condition(compiler *c, const language_node *node)
{
    compile_expression(c, node);
    if (node->type == &language_double) {
        emit_number(c, node, &language_double, 0);
        emit_operator(c, node, DO_DOUBLE, TOKEN_NOT_EQUAL);
    }
}

/* -i is 0 - i, which overflows as it should; -d is no subtraction, since 0 - 0 is not -0. */
static void compile_unary(compiler *c, const language_node *node)
{
    const language_type *type = node->left->type;
    if (node->op == TOKEN_MINUS && type == &language_int)
        emit_number(c, node, type, 0);
    compile_expression(c, node->left);
    if (node->op == TOKEN_NOT) {
        emit_number(c, node, type, 0);
        emit_arithmetic(c, node, type, TOKEN_EQUAL);
    } else if (node->op == TOKEN_MINUS && type == &language_int) {
        emit_operator(c, node, DO_INT, TOKEN_MINUS);
    } else if (node->op == TOKEN_MINUS) {
        emit(c, node, DO_NEGATE, 1, 0, 0);
    }
}

/* x++ leaves the old value under the new one, stores the new one, and drops it. */
static void compile_step(compiler *c, const language_node *node)
{
    const language_type *type = node->left->type;
    bool keeps_old = !node->prefix && !node->discarded;
    load(c, node->left);
    if (keeps_old)
        emit(c, node, DO_COPY, 1, 0, 1);
    emit_number(c, node, type, 1);
    emit_arithmetic(c, node, type, language_operator_of(node->op));
    store(c, node, node->left);
    if (keeps_old)
        emit(c, node, DO_POP, 1, 0, -1);
}

/* x op= v computes in the common type: i += 0.5 is i = (int)((double)i + 0.5). */
static void compile_assign(compiler *c, const language_node *node)
{
    const language_type *type = node->left->type;
    if (node->op == TOKEN_ASSIGN) {
        compile_as(c, node->right, type);
    } else {
        const language_type *common = common_type(type, node->right->type);
        load(c, node->left);
        convert(c, node, type, common);
        compile_as(c, node->right, common);
        emit_arithmetic(c, node, common, language_operator_of(node->op));
        convert(c, node, common, type);
    }
    store(c, node, node->left);
}

/* Handles are compared as they are; numbers are converted to their common type first, each right after it
 * is pushed. */
static void compile_binary(compiler *c, const language_node *node)
{
    if (node->left->type->kind == LANGUAGE_HANDLE) {
        compile_expression(c, node->left);
        compile_expression(c, node->right);
        emit_operator(c, node, DO_HANDLE, node->op);
    } else {
        const language_type *common = common_type(node->left->type, node->right->type);
        compile_as(c, node->left, common);
        compile_as(c, node->right, common);
        emit_arithmetic(c, node, common, node->op);
    }
}

/* Leaves 1 or 0, as the condition is true or false. */
static void compile_truth(compiler *c, const language_node *node)
{
    compile_condition(c, node);
    emit_number(c, node, &language_int, 0);
    emit_operator(c, node, DO_INT, TOKEN_NOT_EQUAL);
}

/* a && b is a ? b != 0 : 0, and a || b is a ? 1 : b != 0 */
static void compile_logical(compiler *c, const language_node *node)
{
    compile_condition(c, node->left);
    int32_t zero = emit(c, node, DO_JUMP_ZERO, 0, 0, -1);
    if (node->op == TOKEN_AND)
        compile_truth(c, node->right);
    else
        emit_number(c, node, &language_int, 1);
    int32_t end = emit(c, node, DO_JUMP, 0, 0, -1);
    land(c, zero);
    if (node->op == TOKEN_AND)
        emit_number(c, node, &language_int, 0);
    else
        compile_truth(c, node->right);
    land(c, end);
}

/* c ? a : b, like an if that leaves a value. */
static void compile_conditional(compiler *c, const language_node *node)
{
    compile_condition(c, node->condition);
    int32_t zero = emit(c, node, DO_JUMP_ZERO, 0, 0, -1);
    compile_as(c, node->left, node->type);
    int32_t end = emit(c, node, DO_JUMP, 0, 0, -node->type->cells);
    land(c, zero);
    compile_as(c, node->right, node->type);
    land(c, end);
}

/* The arguments are pushed, and become the first cells of the callee's frame where they lie. */
static void compile_call(compiler *c, const language_node *node)
{
    const language_symbol *symbol = node->symbol;
    language_program *p = c->program;
    int count = 0, change = symbol->type->cells - symbol->parameter_cells;
    for (const language_node *argument = node->left; argument; argument = argument->next)
        compile_as(c, argument, symbol->parameters[count++]);
    if (!symbol->function) {
        p->hosts = language_grow(&c->program->unit, p->hosts, c->hosts, &c->host_capacity,
                                 sizeof *p->hosts);
        p->hosts[c->hosts] = symbol;
        emit(c, node, DO_HOST, 0, (int32_t)c->hosts++, change);
    } else {
        emit(c, node, DO_CALL, 0, symbol->function->index, change);
    }
}

/* A field of a variable is loaded alone; one of a result, f().x, is cut out of the whole. */
static void compile_field(compiler *c, const language_node *node)
{
    int offset, cells = node->type->cells, all = node->left->type->cells;
    if (language_place(node, &offset)) {
        load(c, node);
    } else {
        compile_expression(c, node->left);
        emit(c, node, DO_SELECT, cells, all * 256 + node->member->offset, cells - all);
    }
}

/* Constants have been folded: whatever made them is not emitted. */
static void compile_expression(compiler *c, const language_node *node)
{
    if (node->constant) {
        emit_constant(c, node, node->value);
        return;
    }
    switch (node->kind) {
    case NODE_NAME:
        load(c, node);
        break;
    case NODE_FIELD:
        compile_field(c, node);
        break;
    case NODE_CALL:
        compile_call(c, node);
        break;
    case NODE_UNARY:
        compile_unary(c, node);
        break;
    case NODE_CAST:
        compile_expression(c, node->left);
        convert(c, node, node->left->type, node->type);
        if (node->type == &language_void)
            pop(c, node, node->left->type);
        break;
    case NODE_STEP:
        compile_step(c, node);
        break;
    case NODE_BINARY:
        compile_binary(c, node);
        break;
    case NODE_LOGICAL:
        compile_logical(c, node);
        break;
    case NODE_CONDITIONAL:
        compile_conditional(c, node);
        break;
    default:
        assert(node->kind == NODE_ASSIGN);
        compile_assign(c, node);
    }
}

/* ---- statements ---- */

static void compile_list(compiler *c, const language_node *node)
{
    for (; node; node = node->next)
        compile_statement(c, node);
}

/* A variable without an initialiser costs nothing: its cells are in the frame. */
static void compile_variable(compiler *c, const language_node *node)
{
    const language_type *type = node->symbol->type;
    if (!node->left)
        return;
    compile_as(c, node->left, type);
    emit(c, node, DO_STORE, type->cells, node->symbol->variable->offset, 0);
    pop(c, node, type);
}

/* condition; jump if zero to else; then; jump to end; else */
static void compile_if(compiler *c, const language_node *node)
{
    compile_condition(c, node->condition);
    int32_t zero = emit(c, node, DO_JUMP_ZERO, 0, 0, -1);
    compile_statement(c, node->body);
    if (node->right) {
        int32_t end = emit(c, node, DO_JUMP, 0, 0, 0);
        land(c, zero);
        compile_statement(c, node->right);
        land(c, end);
    } else {
        land(c, zero);
    }
}

/*     start: condition; jump if zero to end
 *            body
 *     again: steps; jump to start                  continue leads to `again`
 *     end:                                         break leads here
 * while and for. The first part of a for has been compiled before. */
static void compile_while(compiler *c, const language_node *node)
{
    loop_scope loop = {-1, -1, c->loop};
    int32_t start = here(c), zero = -1;
    c->loop = &loop;
    if (node->condition) {
        compile_condition(c, node->condition);
        zero = emit(c, node, DO_JUMP_ZERO, 0, 0, -1);
    }
    compile_statement(c, node->body);
    land_chain(c, loop.continues);
    compile_list(c, node->right);
    emit(c, node, DO_JUMP, 0, start, 0);
    if (zero >= 0)
        land(c, zero);
    land_chain(c, loop.breaks);
    c->loop = loop.outer;
}

/*     start: body
 *     again: condition; jump if zero to end; jump to start */
static void compile_do(compiler *c, const language_node *node)
{
    loop_scope loop = {-1, -1, c->loop};
    int32_t start = here(c);
    c->loop = &loop;
    compile_statement(c, node->body);
    land_chain(c, loop.continues);
    compile_condition(c, node->condition);
    int32_t zero = emit(c, node, DO_JUMP_ZERO, 0, 0, -1);
    emit(c, node, DO_JUMP, 0, start, 0);
    land(c, zero);
    land_chain(c, loop.breaks);
    c->loop = loop.outer;
}

/* The result is on top of the stack, and moves to where the frame began. */
static void compile_return(compiler *c, const language_node *node)
{
    const language_type *type = c->function->type;
    if (node->left)
        compile_as(c, node->left, type);
    emit(c, node, DO_RETURN, type->cells, 0, -type->cells);
}

static void compile_statement(compiler *c, const language_node *node)
{
    switch (node->kind) {
    case NODE_EMPTY:
        break;
    case NODE_EXPRESSION:
        compile_expression(c, node->left);
        pop(c, node, node->left->type);
        break;
    case NODE_VARIABLE:
        compile_variable(c, node);
        break;
    case NODE_BLOCK:
        compile_list(c, node->body);
        break;
    case NODE_IF:
        compile_if(c, node);
        break;
    case NODE_FOR:
        compile_list(c, node->left);
        compile_while(c, node);
        break;
    case NODE_WHILE:
        compile_while(c, node);
        break;
    case NODE_DO:
        compile_do(c, node);
        break;
    case NODE_BREAK:
        emit_chained(c, node, &c->loop->breaks);
        break;
    case NODE_CONTINUE:
        emit_chained(c, node, &c->loop->continues);
        break;
    default:
        assert(node->kind == NODE_RETURN);
        compile_return(c, node);
    }
    assert(c->depth == 0);
}

/* ---- functions ---- */

/* Variables come first in the frame and intermediate results behind them: code->frame_cells is the most
 * that both take together, and all that a call has to find room for. */
static void compile_function(compiler *c, const language_node *node)
{
    language_code *code = &c->program->functions[node->symbol->function->index];
    c->function = node->symbol;
    c->deepest = 0;
    code->symbol = node->symbol;
    code->start = here(c);
    compile_list(c, node->body->body);
    if (node->symbol->type == &language_void) /* flow.c: no other comes to its end */
        emit(c, node, DO_RETURN, 0, 0, 0);
    code->variable_cells = node->symbol->function->variable_cells;
    code->frame_cells = code->variable_cells + c->deepest;
}

/* Functions are compiled in the order of the file. A call names its function by index, so one that comes
 * later needs no backpatching. */
void language_compile(language_program *program)
{
    language_unit *unit = &program->unit;
    compiler c = {.program = program};
    program->functions =
        language_new(unit, (size_t)unit->function_count * sizeof *program->functions);
    for (const language_node *node = unit->declarations; node; node = node->next)
        if (node->kind == NODE_FUNCTION && node->body)
            compile_function(&c, node);
}
