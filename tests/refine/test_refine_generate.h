/* SPDX-License-Identifier: MIT */
/* test_refine_generate.h -- random programs, for comparing two ways to run them.
 *
 * Written to be accepted by the checker more often than not, and to go wrong while they run often
 * enough: overflow, division by zero, doubles that are no int, too many steps, too deep calls. A
 * program is a few functions of ints and doubles, a struct, and a model() that calls the host. */
#ifndef TEST_REFINE_GENERATE_H
#define TEST_REFINE_GENERATE_H

#include "base/random.h"
#include "base/text.h"
#include <string.h>

typedef struct generator {
    base_random random;
    base_text *text;
    int functions; /* written so far; those may be called */
    int ints, doubles, loops;
    bool has_item;
} generator;

static inline int draw(generator *g, int count)
{
    return (int)base_random_below(&g->random, (uint32_t)count);
}

static void put_int(generator *g, int height);
static void put_double(generator *g, int height);
static void put_variable(generator *g, bool is_double);
static void put_arithmetic(generator *g, bool is_double, int height);

static inline void put_number(generator *g, bool is_double)
{
    static const char *const ints[] = {"0",  "1",  "2",   "3",     "5",          "7",
                                       "64", "10", "100", "65536", "2147483647", "-1"};
    static const char *const doubles[] = {"0.5", "1.25", "3e9",   "1e-3", "2.0",   "0.1",
                                          "1e8", "7.75", "1e300", "-2.5", "1e-300"};
    bool calm = draw(g, 4) > 0; /* the large ones fail soon */
    base_text_print(g->text, "%s",
                    is_double ? doubles[draw(g, calm ? 2 : 11)] : ints[draw(g, calm ? 6 : 12)]);
}

/* Against a number or with a sum on one side, since a value may not be compared with itself. */
static inline void put_comparison(generator *g, int height)
{
    static const char *const operators[] = {"<", "<=", ">", ">=", "==", "!="};
    bool is_double = draw(g, 3) == 0, is_sum = draw(g, 2);
    if (is_sum)
        put_arithmetic(g, is_double, height > 0 ? height : 1);
    else
        put_variable(g, is_double);
    base_text_print(g->text, " %s ", operators[draw(g, 6)]);
    if (is_sum)
        put_variable(g, is_double);
    else
        put_number(g, is_double);
}

static inline void put_condition(generator *g, int height)
{
    int kind = draw(g, 5);
    base_text_print(g->text, kind == 0 ? "(!(" : kind <= 2 ? "((" : "(");
    put_comparison(g, height - 1);
    if (kind == 1 || kind == 2) {
        base_text_print(g->text, kind == 1 ? ") && (" : ") || (");
        put_comparison(g, height - 1);
    }
    base_text_print(g->text, kind <= 2 ? "))" : ")");
}

static void put_variable(generator *g, bool is_double)
{
    int count = is_double ? g->doubles : g->ints;
    if (g->has_item && draw(g, 4) == 0)
        base_text_print(g->text, is_double ? "item.weight" : "item.count");
    else if (count > 0)
        base_text_print(g->text, "%c%d", is_double ? 'x' : 'n', draw(g, count));
    else
        put_number(g, is_double);
}

static inline void put_divisor(generator *g, bool is_double)
{
    if (draw(g, 2))
        put_variable(g, is_double);
    else if (is_double)
        base_text_print(g->text, "%d.5", draw(g, 3));
    else
        base_text_print(g->text, "%d", 1 + draw(g, 9));
}

static inline void put_call(generator *g, bool is_double, int height)
{
    int which = draw(g, g->functions);
    if (is_double != (which % 2 == 1))
        base_text_print(g->text, is_double ? "(double)" : "(int)");
    base_text_print(g->text, "f%d(", which);
    put_int(g, height - 1);
    base_text_print(g->text, ", ");
    put_double(g, height - 1);
    base_text_print(g->text, ")");
}

static inline void put_choice(generator *g, bool is_double, int height)
{
    base_text_print(g->text, "(");
    put_condition(g, height - 1);
    base_text_print(g->text, " ? ");
    (is_double ? put_double : put_int)(g, height - 1);
    base_text_print(g->text, " : ");
    (is_double ? put_double : put_int)(g, height - 1);
    base_text_print(g->text, ")");
}

/* A divisor that is always 0 would be refused. */
static void put_arithmetic(generator *g, bool is_double, int height)
{
    static const char operators[] = "++--*/%";
    char op = operators[draw(g, is_double ? 6 : 7)];
    base_text_print(g->text, "(");
    (is_double ? put_double : put_int)(g, height - 1);
    base_text_print(g->text, " %c ", op);
    if (op == '/' || op == '%')
        put_divisor(g, is_double);
    else
        (is_double && draw(g, 4) ? put_double : put_int)(g, height - 1);
    base_text_print(g->text, ")");
}

static inline void put_value(generator *g, bool is_double, int height)
{
    switch (height > 0 ? draw(g, 12) : draw(g, 3)) {
    case 0:
        put_number(g, is_double);
        break;
    case 1:
    case 2:
        put_variable(g, is_double);
        break;
    case 3:
        put_choice(g, is_double, height);
        break;
    case 4:
        base_text_print(g->text, "-(");
        (is_double ? put_double : put_int)(g, height - 1);
        base_text_print(g->text, ")");
        break;
    case 5:
        base_text_print(g->text, is_double ? "(double)(" : "(int)(");
        (is_double ? put_int : put_double)(g, height - 1);
        base_text_print(g->text, ")");
        break;
    case 6:
        if (g->functions > 0) {
            put_call(g, is_double, height);
            break;
        }
        /* fall through */
    default:
        put_arithmetic(g, is_double, height);
    }
}

static void put_int(generator *g, int height) { put_value(g, false, height); }

static void put_double(generator *g, int height) { put_value(g, true, height); }

static void put_statements(generator *g, int count, int height);

static inline void put_block(generator *g, int height)
{
    base_text_print(g->text, "{\n");
    put_statements(g, 1 + draw(g, 2), height - 1);
    base_text_print(g->text, "}\n");
}

static inline void put_assignment(generator *g)
{
    static const char *const operators[] = {"=", "=", "+=", "-=", "*=", "/=", "%="};
    bool is_double = draw(g, 3) == 0;
    int op = draw(g, is_double ? 6 : 7);
    put_variable(g, is_double);
    if (draw(g, 6) == 0 && g->ints > 0) {
        base_text_print(g->text, draw(g, 2) ? "++;\n" : "--;\n");
        return;
    }
    base_text_print(g->text, " %s ", operators[op]);
    if (op >= 5)
        put_divisor(g, is_double);
    else
        put_arithmetic(g, draw(g, 8) ? is_double : !is_double, 2);
    base_text_print(g->text, ";\n");
}

static inline void put_loop(generator *g, int height)
{
    int loop = g->loops++, most = draw(g, 10) ? 1 + draw(g, 12) : 30000;
    switch (draw(g, 3)) {
    case 0:
        base_text_print(g->text, "for (int i%d = 0; i%d < %d; i%d++) ", loop, loop, most, loop);
        put_block(g, height);
        break;
    case 1:
        base_text_print(g->text, "int w%d = %d;\nwhile (w%d > 0) {\nw%d--;\n", loop, most, loop,
                        loop);
        put_statements(g, 1, height - 1);
        base_text_print(g->text, "if ");
        put_condition(g, 1);
        base_text_print(g->text, "\n%s;\n}\n", draw(g, 2) ? "break" : "continue");
        break;
    default:
        base_text_print(g->text, "int d%d = 0;\ndo ", loop);
        put_block(g, height);
        base_text_print(g->text, "while (d%d++ < %d);\n", loop, most);
    }
}

static void put_statements(generator *g, int count, int height)
{
    for (int i = 0; i < count; i++) {
        int kind = height > 0 ? draw(g, 8) : 7;
        if (kind == 0) {
            put_loop(g, height);
        } else if (kind <= 2) {
            base_text_print(g->text, "if ");
            put_condition(g, 2);
            base_text_print(g->text, " ");
            put_block(g, height);
            if (draw(g, 2)) {
                base_text_print(g->text, "else ");
                put_block(g, height);
            }
        } else if (kind == 3 && g->has_item) {
            base_text_print(g->text, "item = moved(item, ");
            put_int(g, 1);
            base_text_print(g->text, ");\n");
        } else {
            put_assignment(g);
        }
    }
}

/* Even ones return an int, odd ones a double; some call themselves. */
static inline void put_function(generator *g)
{
    int number = g->functions;
    const char *type = number % 2 ? "double" : "int";
    g->ints = g->doubles = 2;
    g->has_item = false;
    base_text_print(
        g->text,
        "static %s f%d(int n0, double x0)\n{\nint n1 = n0 / 2 + %d;\ndouble x1 = x0 + 0.5;\n", type,
        number, draw(g, 9));
    if (draw(g, 2)) {
        base_text_print(g->text, "if (n0 > %d)\nreturn f%d(n0 - %d, x0);\n", draw(g, 5), number,
                        1 + draw(g, 3));
    }
    put_statements(g, 1 + draw(g, 2), 2);
    base_text_print(g->text, "return n0 + n1 + %s(x0 + x1);\n}\n", number % 2 ? "" : "(int)");
    g->functions++;
}

static inline void put_model(generator *g)
{
    static const char *const fields[] = {"d_ff", "num_layers", "num_heads", "d_kv", "d_model"};
    base_text_print(g->text,
                    "t5 *model(void)\n{\nt5_config config = t5_small();\n"
                    "int n0 = config.num_heads, n1 = %d, n2 = config.d_model / 8;\n"
                    "double x0 = config.dropout_rate, x1 = %d.5;\nstruct item item;\n"
                    "item.count = %d;\nitem.weight = n1 / 4.0;\n",
                    draw(g, 100), draw(g, 9), draw(g, 50));
    g->ints = 3;
    g->doubles = 2;
    g->has_item = true;
    put_statements(g, 2 + draw(g, 4), 2);
    for (int i = 0; i < 5; i++) {
        base_text_print(g->text, "config.%s = ", fields[i]);
        put_int(g, 2);
        base_text_print(g->text, ";\n");
    }
    if (draw(g, 2))
        base_text_print(g->text,
                        "t5 *other = t5_new(config);\nconfig.d_ff += %d;\n"
                        "config.tie_word_embeddings = other == t5_new(config);\n",
                        draw(g, 2));
    base_text_print(g->text, "config.dropout_rate = x0 + x1 + item.weight;\n"
                             "config.vocab_size = n0 + n1 + n2 + moved(item, 1).count;\n"
                             "return t5_new(config);\n}\n");
}

/* The program of that number. */
static inline void generate_program(uint64_t seed, uint64_t number, base_text *text)
{
    generator g = {.random = {seed, number, 0}, .text = text};
    base_text_print(text, "#include \"phoenix.h\"\n"
                          "struct item {\ndouble weight;\nint count;\n};\n"
                          "static struct item moved(struct item item, int by)\n{\n"
                          "item.count += by;\nitem.weight /= 2;\nreturn item;\n}\n");
    for (int i = draw(&g, 3); i > 0; i--)
        put_function(&g);
    for (int i = 0; i < g.functions; i++) /* so that none is unused */
        base_text_print(text, "%s use%d(void)\n{\nreturn f%d(%d, 0.5);\n}\n",
                        i % 2 ? "double" : "int", i, i, draw(&g, 9));
    put_model(&g);
}

/* Changes one to three places of a text; half the time to something of the same kind. */
static inline void mutate_program(uint64_t seed, uint64_t number, base_text *text)
{
    static const char *const kinds[] = {"0123456789", "+-*/%", "<>", "nx", "(){};,.=!&|?: \nif"};
    base_random random = {seed, number, 0};
    for (int i = 1 + (int)base_random_below(&random, 3); i > 0; i--) {
        char *place = text->data + base_random_below(&random, (uint32_t)text->length);
        int kind = 0;
        while (kind < 4 && !strchr(kinds[kind], *place))
            kind++;
        if (base_random_below(&random, 2))
            kind = (int)base_random_below(&random, 5);
        *place = kinds[kind][base_random_below(&random, (uint32_t)strlen(kinds[kind]))];
    }
}

#endif
