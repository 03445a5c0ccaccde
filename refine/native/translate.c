/* SPDX-License-Identifier: MIT */
/* translate.c -- from the instructions of the stack machine to C.
 *
 * A function of the program becomes a function of C that gets a pointer to its frame. How high the
 * stack stands at an instruction is known beforehand, as it is for the JVM's code, so that every
 * operand is a cell at a fixed place of the frame, and a jump is a goto:
 *
 *                       step(7, 3);
 *     DO_LOAD 3         f[5] = f[3];
 *     DO_CONSTANT       f[6].bits = UINT64_C(0x2);
 *     DO_INT +          f[5].i = add(9, f[5].i, f[6].i);
 *
 * Steps are counted once for a run of instructions, of which only the last can fail, call or jump.
 * If the limit falls inside such a run, the instructions that were not executed could have had no
 * visible effect. The functions that the C calls are in candidate.h. */
#include "refine/language/ast.h"
#include "base/memory.h"
#include "refine/native/native.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

extern const char *const native_candidate_h[]; /* wire.h, candidate.h; made by the Makefile */

typedef struct translation {
    const language_program *program;
    int number;    /* of the program */
    int32_t *tops; /* how high the stack stands at each target of a jump; -1: none */
    base_text *c;
} translation;

void native_translate_begin(base_text *c)
{
    for (int i = 0; native_candidate_h[i]; i++)
        base_text_add(c, native_candidate_h[i], strlen(native_candidate_h[i]));
}

/* A cell is assigned, more are copied by a loop; nothing is to be done where they stand already. */
static void copy(base_text *c, int32_t to, int32_t from, int32_t cells)
{
    if (cells == 1)
        base_text_print(c, "f[%d] = f[%d];", to, from);
    else if (cells > 1 && to != from)
        base_text_print(c, "copy(f + %d, f + %d, %d);", to, from, cells);
    else
        base_text_print(c, ";");
}

/* op of the cells at a and a + 1, into a. The functions look for what C leaves undefined; comparisons have
 * nothing undefined, and are C's. */
static void put_operation(base_text *c, const language_instruction *n, int32_t at, int32_t a)
{
    static const char *const names[] = {"add", "subtract", "multiply", "divide", "modulo"};
    language_token_kind op = (language_token_kind)n->op;
    bool is_double = n->operation == DO_DOUBLE;
    char type = is_double ? 'd' : 'i';
    if (language_is_comparison(op))
        base_text_print(c, "f[%d].i = f[%d].%c %s f[%d].%c;", a, a, type, language_spelling(op),
                        a + 1, type);
    else
        base_text_print(c, "f[%d].%c = %s%s(%d, f[%d].%c, f[%d].%c);", a, type,
                        names[op - TOKEN_PLUS], is_double ? "_double" : "", at, a, type, a + 1,
                        type);
}

/* As bits: no decimal form of a double has to be read back right by some compiler. */
static void put_constant(base_text *c, const language_cell *constant, int32_t to)
{
    uint64_t bits = 0;
    memcpy(&bits, constant, sizeof bits < sizeof *constant ? sizeof bits : sizeof *constant);
    base_text_print(c, "f[%d].bits = UINT64_C(0x%" PRIx64 ");", to, bits);
}

/* Notes how high the stack stands where a jump leads, and jumps. */
static void put_jump(translation *t, int32_t target, int32_t top)
{
    t->tops[target] = top;
    base_text_print(t->c, "goto L%d;", target);
}

/* The callee's frame begins at its arguments, as it does in the interpreter. */
static void put_call(translation *t, const language_instruction *n, int32_t at, int32_t base)
{
    const language_code *code = &t->program->functions[n->operand];
    base_text_print(t->c, "enter(%d, f + %d, %d); p%d_%d(f + %d); leave();", at, base,
                    code->frame_cells, t->number, n->operand, base);
}

/* One instruction, with that many cells in front of the top of the stack. Returns how many there
 * are then; -1: what follows is not reached from here. */
static int32_t put_instruction(translation *t, int32_t at, int32_t top)
{
    const language_instruction *n = &t->program->instructions[at];
    const language_symbol *symbol;
    base_text *c = t->c;
    int32_t cells = n->cells;
    switch ((language_operation)n->operation) {
    case DO_CONSTANT:
        put_constant(c, &t->program->constants[n->operand], top);
        return top + 1;
    case DO_LOAD:
        copy(c, top, n->operand, cells);
        return top + cells;
    case DO_STORE:
        copy(c, n->operand, top - cells, cells);
        return top;
    case DO_POP:
        return top - cells;
    case DO_COPY:
        copy(c, top, top - 1, 1);
        return top + 1;
    case DO_SELECT:
        top -= n->operand / 256;
        copy(c, top, top + n->operand % 256, cells);
        return top + cells;
    case DO_INT:
    case DO_DOUBLE:
        put_operation(c, n, at, top - 2);
        return top - 1;
    case DO_HANDLE:
        base_text_print(c, "f[%d].i = f[%d].bits %s f[%d].bits;", top - 2, top - 2,
                        language_spelling((language_token_kind)n->op), top - 1);
        return top - 1;
    case DO_NEGATE:
        base_text_print(c, "f[%d].d = -f[%d].d;", top - 1, top - 1);
        return top;
    case DO_TO_INT:
        base_text_print(c, "f[%d].i = to_int(%d, f[%d].d);", top - 1, at, top - 1);
        return top;
    case DO_TO_DOUBLE:
        base_text_print(c, "f[%d].d = to_double(f[%d].i);", top - 1, top - 1);
        return top;
    case DO_JUMP:
        put_jump(t, n->operand, top);
        return -1;
    case DO_JUMP_ZERO:
        base_text_print(c, "if (f[%d].i == 0) ", top - 1);
        put_jump(t, n->operand, top - 1);
        return top - 1;
    case DO_CALL:
        symbol = t->program->functions[n->operand].symbol;
        top -= symbol->parameter_cells;
        put_call(t, n, at, top);
        return top + symbol->type->cells;
    case DO_HOST:
        symbol = t->program->hosts[n->operand];
        top -= symbol->parameter_cells;
        base_text_print(c, "host(%d, f + %d, %d, %d);", at, top, symbol->parameter_cells,
                        symbol->type->cells);
        return top + symbol->type->cells;
    case DO_RETURN:
        copy(c, 0, top - cells, cells);
        base_text_print(c, " return;");
        return -1;
    }
    assert(false);
    return top;
}

/* Marks where jumps lead, for all functions. */
static void find_targets(translation *t)
{
    const language_program *p = t->program;
    for (size_t i = 0; i <= p->instruction_count; i++)
        t->tops[i] = -1;
    for (size_t i = 0; i < p->instruction_count; i++)
        if (p->instructions[i].operation == DO_JUMP || p->instructions[i].operation == DO_JUMP_ZERO)
            t->tops[p->instructions[i].operand] = 0; /* until a jump to there is translated */
}

/* Whether an instruction can fail, or something else than the next can follow it. */
static bool ends_steps(const language_instruction *n)
{
    bool compares = language_is_comparison((language_token_kind)n->op);
    switch ((language_operation)n->operation) {
    case DO_INT:
    case DO_DOUBLE:
        return !compares;
    case DO_TO_INT:
    case DO_JUMP:
    case DO_JUMP_ZERO:
    case DO_CALL:
    case DO_HOST:
    case DO_RETURN:
        return true;
    default:
        return false;
    }
}

/* How many instructions from one on are counted together. */
static int32_t steps_from(const translation *t, int32_t at, int32_t end)
{
    const language_instruction *instructions = t->program->instructions;
    int32_t next = at;
    while (next < end && !ends_steps(&instructions[next++]) && t->tops[next] < 0)
        continue;
    return next - at;
}

/* The instructions from the function's first up to another's. Behind a jump the stack is as high as
 * it was at the jumps that lead here; code that no jump leads to is never reached, and begins with
 * a statement, where only variables are on the stack. */
static void put_function(translation *t, const language_code *code, int32_t end)
{
    int32_t variables = code->variable_cells, top = variables, counted = code->start;
    base_text_print(t->c, "static void p%d_%d(cell *f)\n{\n", t->number,
                    code->symbol->function->index);
    for (int32_t at = code->start; at < end; at++) {
        if (top < 0)
            top = t->tops[at] > variables ? t->tops[at] : variables;
        if (t->tops[at] >= 0)
            base_text_print(t->c, "L%d:\n", at);
        if (at == counted) {
            int32_t count = steps_from(t, at, end);
            base_text_print(t->c, "step(%d, %d);\n", at, count);
            counted += count;
        }
        top = put_instruction(t, at, top);
        base_text_print(t->c, "\n");
    }
    if (t->tops[end] >=
        0) /* for jumps in unreachable code; or the next function begins with a loop */
        base_text_print(t->c, "L%d:;\n", end);
    base_text_print(t->c, "}\n\n");
}

/* Where the code of the function after this one begins. */
static int32_t end_of(const language_program *program, const language_node *node)
{
    for (node = node->next; node; node = node->next)
        if (node->kind == NODE_FUNCTION && node->body)
            return program->functions[node->symbol->function->index].start;
    return (int32_t)program->instruction_count;
}

void native_translate(const language_program *program, int number, base_text *c)
{
    size_t count = program->instruction_count + 1;
    translation t = {program, number, base_malloc(count * sizeof *t.tops), c};
    if (!t.tops) {
        c->failed = true;
        return;
    }
    find_targets(&t);
    int functions = program->unit.function_count;
    for (int i = 0; i < functions; i++)
        base_text_print(c, "static void p%d_%d(cell *f);\n", number, i);
    for (const language_node *node = program->unit.declarations; node; node = node->next)
        if (node->kind == NODE_FUNCTION && node->body)
            put_function(&t, &program->functions[node->symbol->function->index],
                         end_of(program, node));
    base_text_print(c, "static const entry p%d[] = {\n", number);
    for (int i = 0; i < functions; i++) {
        const language_code *code = &program->functions[i];
        base_text_print(c, "{p%d_%d, %d, %d, %d},\n", number, i, code->frame_cells,
                        code->symbol->parameter_cells, code->symbol->type->cells);
    }
    base_text_print(c, "{0, 0, 0, 0}};\n\n");
    base_free(t.tops);
}

/* The programs' tables of functions, and main(). */
void native_translate_end(int count, base_text *c)
{
    base_text_print(c, "int main(void)\n{\nstatic const entry *const programs[] = {");
    for (int i = 0; i < count; i++)
        base_text_print(c, "p%d, ", i);
    base_text_print(c, "0};\nserve(programs);\nreturn 0;\n}\n");
}

size_t native_instructions(const language_program *program) { return program->instruction_count; }
