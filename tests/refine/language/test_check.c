/* SPDX-License-Identifier: MIT */
/* test_check.c -- programs that parse and mean nothing, and that the others mean the same to
 * a C compiler, which takes them without a warning. */
#include "tests/refine/test_refine.h"
#include "tests/refine/test_refine_programs.h"

#define HEAD   "#include \"phoenix.h\"\n"
#define BODY   HEAD "int f(int a, int b, double x)\n{\n    (void)a; (void)b; (void)x;\n"
#define END    "    return a;\n}\n"
#define STATIC HEAD "static int g(int n)\n{\n"
#define USED   "}\nint f(void)\n{\n    return g(1);\n}\n"

static language_interface *interface;

typedef struct refused {
    const char *text, *part; /* '@' is where the error is */
} refused;

static void refuse(const refused *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        language_test_refused(interface, rows[i].text, LANGUAGE_CHECK, rows[i].part);
}

#define REFUSE(...)                                  \
    do {                                             \
        static const refused rows[] = {__VA_ARGS__}; \
        refuse(rows, sizeof rows / sizeof *rows);    \
    } while (0)

static void accept(const char *text)
{
    language_program_free(language_test_accepted(interface, text));
}

static void names_must_be_known(void)
{
    REFUSE({BODY "    a = @c;\n" END, "unknown name 'c'"},
           {BODY "    @c = a;\n" END, "unknown name 'c'"},
           {BODY "    a = @g(1);\n" END, "unknown function 'g'"},
           {BODY "    a = @a(1);\n" END, "'a' is no function"},
           {BODY "    a = @f + 1;\n" END, "'f' is a function: expected '('"},
           {BODY "    @f = 1;\n" END, "'f' is no variable"},
           {BODY "    @RELU = 1;\n" END, "'RELU' is no variable"},
           {BODY "    @RELU++;\n" END, "'RELU' is no variable"},
           {BODY "    { int c = 1; a = c; }\n    a = @c;\n" END, "unknown name 'c'"},
           {BODY "    for (int i = 0; i < a; i++) { }\n    a = @i;\n" END, "unknown name 'i'"},
           {BODY "    t5_config c = t5_small();\n    a = c.@nothing;\n" END,
            "t5_config has no field 'nothing'"},
           {BODY "    a = a.@d_model;\n" END, "expected a struct before '.', got int"},
           {BODY "    t5 *m = t5_new(t5_small());\n    a = m.@d_model;\n" END,
            "expected a struct before '.', got t5 *"},
           {BODY "    @struct nothing n;\n" END, "unknown struct 'nothing'"},
           {HEAD "int f(void)\n{\n    return @g();\n}\nstatic int g(void)\n{\n    return 1;\n}\n",
            "unknown function 'g'"},
           {HEAD "struct a { @struct a inner; };\n", "opaque"},
           {HEAD "enum { A = @B, B };\n", "unknown name 'B'"});
}

static void names_are_declared_once(void)
{
    REFUSE({BODY "    int @a = 1;\n" END, "'a' is already declared in a.c, line 2"},
           {BODY "    int c = 1;\n    double @c = 2;\n" END, "already declared in a.c, line 5"},
           {BODY "    for (int i = 0, @i = 1; i < a; i++) { }\n" END, "already declared"},
           {HEAD "int f(int a, int @a);\n", "a second parameter 'a'"},
           {HEAD "int @t5_new(int a)\n{\n    return a;\n}\n", "already declared in phoenix.h"},
           {HEAD "t5 *@t5_new(t5_config config);\n", "already declared in phoenix.h, line 13"},
           {HEAD "int @RELU(void);\n", "already declared in phoenix.h"},
           {HEAD "enum { @RELU };\n", "already declared in phoenix.h"},
           {HEAD "enum { A, B, @A };\n", "already declared in a.c"},
           {HEAD "enum @feed_forward { A };\n", "already the name of"},
           {HEAD "enum @t5 { A };\n", "already the name of"},
           {HEAD "struct @feed_forward { int x; };\n", "already the name of an enum"},
           {HEAD "struct @t5 { int x; };\n", "already declared in phoenix.h"},
           {HEAD "struct @t5_config { int x; };\n", "already declared in phoenix.h"},
           {HEAD "struct a { int x; };\nstruct @a { int x; };\n", "already declared"},
           {HEAD "typedef int @t5;\n", "already declared in phoenix.h"},
           {HEAD "typedef int a;\ntypedef int @a;\n", "already declared"},
           {HEAD "typedef int a;\nint @a(void);\n", "already declared"},
           {HEAD "struct a { int x; double @x; };\n", "a second field 'x'"},
           {HEAD "int f(void)\n{\n    return 1;\n}\nint @f(void)\n{\n    return 1;\n}\n",
            "a second definition of 'f'"},
           {HEAD "int f(void);\ndouble @f(void)\n{\n    return 1;\n}\n",
            "another type for 'f' than in line 2"},
           {HEAD "int f(int a);\nint @f(double a)\n{\n    return a > 1;\n}\n", "another type"},
           {HEAD "int f(int a);\nint @f(void)\n{\n    return 1;\n}\n", "another type"},
           {HEAD "int f(void);\nstatic int @f(void)\n{\n    return 1;\n}\n", "static here or"},
           {HEAD "int @sin(int a);\n", "of the C library"},
           {HEAD "static double @expf(double a);\n", "of the C library"},
           {HEAD "int @printf(int a);\n", "of the C library"});
    accept(BODY "    {\n        int a = 1, t5_new = 2;\n        (void)a;\n        (void)t5_new;\n"
                "    }\n    int sin = 1, printf = sin;\n    (void)printf;\n" END);
    accept(HEAD "int f(int);\nint f(int a);\nint f(int b)\n{\n    return b;\n}\nint f(int c);\n");
}

static void types_must_fit(void)
{
    REFUSE({BODY "    a = @t5_small();\n" END, "expected a value of type int, got t5_config"},
           {BODY "    t5_config c = @a;\n    return c.d_model;\n}\n",
            "expected a value of type t5_config, got int"},
           {BODY "    t5 *m = @0;\n    (void)m;\n" END, "expected a value of type t5 *, got int"},
           {BODY "    t5_config c = t5_small();\n    a = a @+ c;\n" END,
            "'+' wants int or double, got t5_config"},
           {BODY "    t5 *m = t5_new(t5_small());\n    a = m @< m;\n" END, "got t5 *"},
           {BODY "    t5 *m = t5_new(t5_small());\n    a = m @== 0;\n" END, "got t5 *"},
           {BODY "    t5 *m = t5_new(t5_small());\n    if (@m)\n        a = 1;\n" END,
            "a condition is int or double, got t5 *"},
           {BODY "    t5 *m = t5_new(t5_small());\n    a = @!m;\n" END, "'!' wants"},
           {BODY "    t5 *m = t5_new(t5_small());\n    a = a @&& m;\n" END, "'&&' wants"},
           {BODY "    t5 *m = t5_new(t5_small());\n    m@++;\n    (void)m;\n" END, "'++' wants"},
           {BODY "    t5_config c = t5_small();\n    c @+= 1;\n" END, "'+=' wants"},
           {BODY "    a = x @% 2;\n" END, "'%' wants int, got double"},
           {BODY "    x @%= 2;\n" END, "'%=' wants int, got double"},
           {BODY "    a @%= 2.0;\n" END, "'%=' wants int, got double"},
           {BODY "    a = @(int)t5_small();\n" END, "a cast of t5_config"},
           {BODY "    t5_config c = @(t5_config)a;\n    return c.d_model;\n}\n",
            "a cast to t5_config"},
           {BODY "    a = @(void)b;\n" END, "a cast to void"},
           {BODY "    a = b @? t5_small() : 1;\n" END, "two values of one type"},
           {BODY "    a = b ? 1 : @(void)2;\n" END, "a cast to void"},
           {BODY "    @t5_log(1);\n" END, "'t5_log' takes 2 arguments, got 1"},
           {BODY "    @t5_new();\n" END, "'t5_new' takes 1 argument, got 0"},
           {BODY "    t5_new(@1);\n" END, "expected a value of type t5_config, got int"},
           {BODY "    a = @t5_log(1, 2);\n" END, "expected a value of type int, got void"},
           {BODY "    (void)(a @+ t5_log(1, 2));\n" END, "'+' wants int or double, got void"},
           {BODY "    @return;\n}\n", "'f' returns int: expected a value"},
           {BODY "    return @t5_small();\n}\n", "expected a value of type int"},
           {HEAD "void f(void)\n{\n    @return 1;\n}\n", "'f' returns void: expected ';'"},
           {BODY "    void @v;\n" END, "a variable of type void"},
           {HEAD "int f(void @a);\n", "a parameter of type void"},
           {HEAD "int f(@void, int b);\n", "a parameter of type void"},
           {HEAD "struct a { void @x; };\n", "a field of type void"},
           {BODY "    @t5 m;\n" END, "t5 is opaque"},
           {BODY "    @int *p;\n" END, "a handle of an opaque struct, not of int"},
           {BODY "    @t5_config *p;\n" END, "t5_config is passed by value"},
           {HEAD "typedef t5 *handle;\nint f(@handle *h);\n", "a handle of an opaque struct"},
           {HEAD "struct @a { };\n", "without fields"},
           {BODY "    @1++;\n" END, "expected a variable"},
           {BODY "    (a @+ 1)++;\n" END, "expected a variable"},
           {BODY "    a@++ ++;\n" END, "expected a variable"},
           {BODY "    @t5_small().d_model = 1;\n" END, "expected a variable"},
           {BODY "    @break;\n" END, "'break' is not inside of a loop"},
           {BODY "    if (a) {\n        @continue;\n    }\n" END, "'continue' is not inside"});
}

static void constants_must_be_computable(void)
{
    REFUSE({BODY "    a = 2147483647 @+ 1;\n" END, "does not fit in int"},
           {BODY "    a = -2147483647 @- 2;\n" END, "does not fit in int"},
           {BODY "    a = @-(-2147483647 - 1);\n" END, "does not fit in int"},
           {BODY "    a = 1 @/ 0;\n" END, "division by zero"},
           {BODY "    a = a @/ 0;\n" END, "division by zero"},
           {BODY "    a = a @% (3 - 3);\n" END, "division by zero"},
           {BODY "    a @/= RELU;\n" END, "division by zero"},
           {BODY "    x = x @/ 0.0;\n" END, "division by zero"},
           {BODY "    a = 0 ? 1 @/ 0 : 2;\n" END, "division by zero"},
           {BODY "    a = b @/ (a - a);\n" END, "division by zero"},
           {BODY "    a = 2147483647 @+ (b / b);\n" END, "does not fit in int"},
           {BODY "    x = 1e308 @* 10;\n" END, "does not fit in double"},
           {BODY "    a = @1.5;\n" END, "this constant changes"},
           {BODY "    a = @1e10;\n" END, "does not fit in int"},
           {BODY "    a = @-0.0;\n" END, "this constant changes"},
           {BODY "    a = b ? 1 : @0.5;\n" END, "this constant changes"},
           {BODY "    a = @(int)1e10;\n" END, "does not fit in int"},
           {BODY "    t5_log(1, @0.5);\n" END, "this constant changes"},
           {BODY "    return @0.5;\n}\n", "this constant changes"},
           {HEAD "enum { A = @0.5 };\n", "expected a constant of type int"},
           {HEAD "enum { A = @(int)0.5 };\n", "expected a constant of type int"},
           {HEAD "enum { A = 1 @> 0.5 };\n", "expected a constant of type int"},
           {HEAD "enum { A = @missing() };\n", "expected a constant expression, got a call"},
           {HEAD "enum { A = 2147483647, @B };\n", "the value of 'B' does not fit in int"});
    accept(BODY "    a = (int)1.5 + 2147483646;\n    a = 2.0;\n    a += 0.5;\n    x = 1;\n" END);
}

/* What C leaves open: C11 6.5p2 and p3. */
static void order_must_be_given(void)
{
    REFUSE({BODY "    a = @a++ + 1;\n" END, "'a' is changed and used"},
           {BODY "    b = a++ + @a;\n" END, "'a' is changed and used"},
           {BODY "    b = a + @a++;\n" END, "'a' is changed and used"},
           {BODY "    b = a++ * @a++;\n" END, "'a' is changed and used"},
           {BODY "    b = (a = 1) + @a;\n" END, "'a' is changed and used"},
           {BODY "    b = a - (@a = 1);\n" END, "'a' is changed and used"},
           {BODY "    a = (@a = b);\n" END, "'a' is changed and used"},
           {BODY "    a += @a++;\n" END, "'a' is changed and used"},
           {BODY "    t5_log(a++, @a);\n" END, "'a' is changed and used"},
           {BODY "    t5_log(a, (@a = 2));\n" END, "'a' is changed and used"},
           {BODY "    b = (a ? a++ : b) + @a;\n" END, "'a' is changed and used"},
           {BODY "    b = (a && b++) < @b;\n" END, "'b' is changed and used"},
           {BODY "    b = -a++ + @a;\n" END, "'a' is changed and used"},
           {BODY "    int c = (@c = 1);\n    a = c;\n" END, "'c' is changed and used"},
           {BODY "    a = missing() + @missing();\n" END, "which of these calls comes first"},
           {BODY "    t5_log(missing(), @missing());\n" END, "which of these calls comes first"},
           {BODY "    x = t5_small().d_model / @t5_small().dropout_rate;\n" END, "these calls"},
           {STATIC
            "    return n ? missing() : 1;\n}\nint f(void)\n{\n    return g(1) * @g(2);\n}\n",
            "which of these calls comes first"});
    accept(BODY "    b = a++ && a++;\n    b = a ? a++ : a--;\n    b = (a++ ? a : 1) + b;\n"
                "    a = a + b;\n    a = a * a - -a;\n    b += a++;\n    b = (a += 2) - 1;\n"
                "    t5_log(a++, b++);\n    a = b = 3;\n" END);
    accept(BODY "    t5_config c = t5_small();\n    c.d_model = c.num_layers++;\n"
                "    c.num_layers = c.d_model-- + c.num_layers;\n    return c.d_model;\n}\n");
    accept(BODY "    x = t5_loss(t5_new(t5_small()), a++);\n" END);
}

static void variables_must_be_set(void)
{
    REFUSE({BODY "    int c;\n    return @c;\n}\n", "'c' may be read before it is written"},
           {BODY "    int c = @c;\n    return c;\n}\n", "'c' may be read"},
           {BODY "    int c;\n    if (a)\n        c = 1;\n    return @c;\n}\n", "'c' may be read"},
           {BODY "    int c;\n    if (a)\n        c = 1;\n    else\n        b = 1;\n"
                 "    return @c;\n}\n",
            "'c' may be read"},
           {BODY "    int c;\n    while (a--)\n        c = 1;\n    return @c;\n}\n", "'c' may be"},
           {BODY "    int c;\n    for (; a; a--)\n        c = 1;\n    return @c;\n}\n", "'c' may"},
           {BODY "    int c;\n    for (;;) {\n        if (a++)\n            break;\n"
                 "        c = 1;\n        b = c;\n    }\n    return @c;\n}\n",
            "'c' may be read"},
           {BODY "    int c;\n    do {\n        if (a)\n            continue;\n        c = 1;\n"
                 "    } while (@c);\n" END,
            "'c' may be read"},
           {BODY "    int c;\n    (void)(a && (c = 1));\n    return @c;\n}\n", "'c' may be read"},
           {BODY "    int c;\n    a = b ? (c = 1) : 2;\n    return a + @c;\n}\n", "'c' may be"},
           {BODY "    int c;\n    @c++;\n    return c;\n}\n", "'c' may be read"},
           {BODY "    int c;\n    @c += 1;\n    return c;\n}\n", "'c' may be read"},
           {BODY "    t5_config c;\n    return c.@d_model;\n}\n", "'d_model' may be read"},
           {BODY "    t5_config c;\n    c.d_model = 1;\n    c.num_layers = 2;\n"
                 "    t5_new(@c);\n" END,
            "the field 'dropout_rate' of 'c' may be read"},
           {BODY "    struct both c;\n    c.config.d_model = 1;\n    c.model = t5_new(c.@config);\n"
                 "    return c.config.num_layers;\n}\n",
            "the field 'num_layers' of 'config' may be read"},
           {BODY "    for (int i = 0; i < 3; i++) {\n        int c;\n        if (i)\n"
                 "            a = @c;\n        c = i;\n        b = c;\n    }\n" END,
            "'c' may be read"});
    accept(BODY "    int c;\n    if (a)\n        c = 1;\n    else\n        return 2;\n"
                "    return c;\n}\n");
    accept(BODY
           "    int c;\n    if (a)\n        c = 1;\n    else\n        c = 2;\n    return c;\n}\n");
    accept(BODY "    int c, d;\n    for (;;) {\n        c = a++;\n        if (c > 3) {\n"
                "            d = c;\n            break;\n        }\n    }\n    return d;\n}\n");
    accept(BODY "    int c;\n    do {\n        c = a;\n        if (b)\n            continue;\n"
                "        a--;\n    } while (c > 0);\n    return c;\n}\n");
    accept(BODY "    int c, d = (c = 1) && b;\n    return c + d;\n}\n");
    accept(BODY "    t5_config c;\n    c.d_model = 1;\n    c.num_layers = 2;\n"
                "    c.dropout_rate = 0;\n    (void)t5_new(c);\n" END);
    accept(BODY "    int c;\n    while ((c = a--) > 0)\n        b += c;\n    return c;\n}\n");
    accept(BODY "    return 1;\n    int c;\n    a = c;\n}\n");
}

static void functions_must_return(void)
{
    REFUSE({HEAD "int f(void)\n{\n@}\n", "'f' may end without returning a value of type int"},
           {HEAD "int f(int a)\n{\n    if (a)\n        return 1;\n@}\n", "may end without"},
           {HEAD "int f(int a)\n{\n    while (a)\n        return 1;\n@}\n", "may end without"},
           {HEAD "int f(int a)\n{\n    for (;;) {\n        if (a)\n            break;\n    }\n@}\n",
            "may end without"},
           {HEAD "t5 *f(int a)\n{\n    do {\n        if (a)\n            continue;\n"
                 "        return t5_new(t5_small());\n    } while (a);\n@}\n",
            "a value of type t5 *"},
           {HEAD "static int @g(int n)\n{\n    return g(n - 1);\n" USED, "calls itself whatever"},
           {HEAD "static int @g(int n)\n{\n    if (n)\n        return g(n - 1);\n"
                 "    return g(n + 1);\n" USED,
            "calls itself whatever"},
           {HEAD "static int @g(int n)\n{\n    if (n && g(n - 1))\n        return 1;\n"
                 "    return g(n);\n" USED,
            "calls itself whatever"},
           {HEAD "int f(void)\n{\n    for (;;) {\n    }\n@}\n", "'f' has no 'return'"},
           {HEAD "static int @g(int n)\n{\n    for (;;) {\n        n += g(n);\n"
                 "        if (n)\n            return n;\n    }\n" USED,
            "calls itself whatever"});
    accept(HEAD "int f(int a)\n{\n    for (;;)\n        if (a++ > 3)\n            return a;\n}\n");
    accept(HEAD "int f(int a)\n{\n    while (1) {\n        if (a++ > 3)\n            return a;\n"
                "    }\n}\n");
    accept(HEAD "int f(int a)\n{\n    do {\n        return a;\n    } while (a);\n}\n");
    accept(HEAD "int f(int a)\n{\n    if (a)\n        return 1;\n    else {\n        return 2;\n"
                "    }\n}\n");
    accept(STATIC "    while (n) {\n        n = g(n - 1);\n    }\n    return n;\n" USED);
    accept(STATIC "    return n && g(n - 1);\n" USED);
}

static void names_must_be_used(void)
{
    REFUSE({BODY "    int @c;\n" END, "the variable 'c' is never used"},
           {BODY "    int @c = 1;\n" END, "the variable 'c' is set, but never read"},
           {BODY "    int @c = 1;\n    c = 2;\n" END, "the variable 'c' is set, but never read"},
           {BODY "    int @c = 1;\n    c += a;\n    c++;\n" END, "set, but never read"},
           {BODY "    int @c;\n    a = c = b;\n" END, "set, but never read"},
           {BODY "    t5_config @c;\n    c.d_model = 1;\n" END, "set, but never read"},
           {HEAD "int f(int @a)\n{\n    return 1;\n}\n", "the parameter 'a' is never used"},
           {HEAD "int f(int @a)\n{\n    a = 1;\n    return 1;\n}\n", "set, but never read"},
           {HEAD "static int @g(void)\n{\n    return 1;\n}\n", "'g' is never used"},
           {HEAD "static int @g(int n)\n{\n    return n ? g(n - 1) : 1;\n}\n", "'g' is never used"},
           {HEAD "int @g(void);\n", "'g' is declared and never defined"},
           {HEAD "static int @g(void);\nint f(void)\n{\n    return g();\n}\n", "never defined"},
           {BODY "    @a;\n" END, "the value of this expression is not used"},
           {BODY "    a @+ 1;\n" END, "not used"}, {BODY "    a @== 1;\n" END, "not used"},
           {BODY "    a @&& missing();\n" END, "not used"},
           {BODY "    @-missing();\n" END, "not used"},
           {BODY "    @(int)missing();\n" END, "not used"},
           {BODY "    t5_small().@d_model;\n" END, "not used"},
           {BODY "    for (@a; a; a--) { }\n" END, "not used"});
    accept(BODY "    int c = 1;\n    a = c += 2;\n    missing();\n    (void)missing();\n"
                "    int d = a;\n    a = d++;\n    (a = 2);\n" END);
}

/* What gcc or clang would warn about. */
static void programs_must_mean_what_they_say(void)
{
    REFUSE({BODY "    if (a @= b)\n        a = 1;\n" END, "an assignment as a condition"},
           {BODY "    while (a @= b)\n        b--;\n" END, "an assignment as a condition"},
           {BODY "    if ((a @== b))\n        a = 1;\n" END, "two pairs of parentheses"},
           {BODY "    a = a < b @< 3;\n" END, "comparisons in a row"},
           {BODY "    a = a == b @== 1;\n" END, "comparisons in a row"},
           {BODY "    a = b @&& a || b;\n" END, "'&&' inside of '||'"},
           {BODY "    a = !a @== b;\n" END, "'!' is for the left"},
           {BODY "    a = a @== a;\n" END, "compared with itself"},
           {BODY "    a = a * b + 1 @<= 1 + b * a;\n" END, "compared with itself"},
           {BODY "    a = RELU @== RED;\n" END, "different enums"},
           {BODY "    a = RED @== RED;\n" END, "compared with itself"},
           {BODY "    a = (a < b) @== 2;\n" END, "a truth value compared"},
           {BODY "    a = (a < b) @> 0;\n" END, "a truth value compared"},
           {BODY "    a = a < 1 @&& a > 2;\n" END, "always false"},
           {BODY "    a = a != 1 @|| a != 2;\n" END, "always true"},
           {BODY "    a = 1 < a @&& 0 > a;\n" END, "always false"},
           {BODY "    a = a @&& 2;\n" END, "a constant as an operand"},
           {BODY "    if (@0.5)\n        a = 1;\n" END, "a constant of type double"},
           {BODY "    if (a @* b)\n        a = 1;\n" END, "a product as a condition"},
           {BODY "    a = !(a @* b);\n" END, "a product as a condition"},
           {BODY "    if (a @? 1 : 2)\n        a = 1;\n" END, "a choice between constants"},
           {BODY "    a = a + (a < b) @? 1 : 2;\n" END, "takes all that is on its left"},
           {BODY "    a = a @/ !b;\n" END, "division by a truth value"},
           {BODY "    a @= a;\n" END, "assigned to itself"},
           {BODY "    a @=- 1;\n" END, "looks like '-='"},
           {BODY "    if (a)@;\n" END, "an empty body"},
           {BODY "    while (a--)\n        @;\n" END, "an empty body"},
           {BODY "    if (a)\n        b = 1;\n    else @;\n" END, "an empty body"},
           {BODY "    @if (a)\n        if (b)\n            a = 1;\n        else\n"
                 "            a = 2;\n" END,
            "to which 'if'"},
           {BODY "    if (a) b = 1; @a = 2;\n" END, "as if 'if' before it guarded it"},
           {BODY "    if (a)\n        b = 1;\n        @a = 2;\n" END, "as if 'if' before it"},
           {BODY "    if (a)\n        b = 1;\n    else\n        b = 2;\n        @a = 2;\n" END,
            "as if 'else' before it"},
           {BODY "    while (a < 3)\n\ta++;\n\t@b = 2;\n" END, "as if 'while' before it"},
           {BODY "    for (int i = 0; i @< 3;)\n        a++;\n" END, "changes its condition"},
           {BODY "    for (int i = 0; i @< b; a++)\n        a++;\n" END, "changes its condition"},
           {BODY "    for (int i = 0; i < 3; i++) {\n        a++;\n        i@++;\n    }\n" END,
            "the same step"});
    accept(BODY "    if ((a = b))\n        a = 1;\n    if ((a) == b) a = 2;\n"
                "    while (a -= 1)\n        b++;\n    if (a * b != 0)\n        a = 1;\n"
                "    a = (a && b) || b;\n    a = (a < b) == (b < 3);\n    a = (!a) == b;\n"
                "    a =-b;\n    a = - b;\n    x = x == x;\n    a = a < 5 && a > 2;\n"
                "    if (1)\n        a = 1;\n    a = a == 1 || a == 1;\n    a = b + a ? 1 : 2;\n"
                "    for (int i = 0; i < b; a++)\n        i += a;\n" END);
}

/* More than a compiler must take, or more than this one does. */
static void sizes_are_limited(void)
{
    base_text text = {0};
    language_diagnostic diagnostic;
    for (int fields = LANGUAGE_MAX_FIELDS; fields <= LANGUAGE_MAX_FIELDS + 1; fields++) {
        base_text_clear(&text);
        base_text_print(&text, HEAD "struct s {\n");
        for (int i = 0; i < fields - 2; i++)
            base_text_print(&text, "    int f%d;\n", i);
        base_text_print(&text, "};\nstruct t { int a; struct s s; int b; };\n");
        language_program *program =
            language_parse("a.c", text.data, text.length, interface, &diagnostic);
        CHECK((program != NULL) == (fields == LANGUAGE_MAX_FIELDS), "%d fields: %s", fields,
              diagnostic.text);
        language_program_free(program);
    }
    for (int parameters = 127; parameters <= 128; parameters++) {
        base_text_clear(&text);
        base_text_print(&text, HEAD "int f(");
        for (int i = 0; i < parameters; i++)
            base_text_print(&text, "%sint p%d", i ? ", " : "", i);
        base_text_print(&text, ")\n{\n    int sum = 0;\n");
        for (int i = 0; i < parameters; i++)
            base_text_print(&text, "    sum += p%d;\n", i);
        base_text_print(&text, "    return sum;\n}\n");
        language_program *program =
            language_parse("a.c", text.data, text.length, interface, &diagnostic);
        CHECK((program != NULL) == (parameters == 127), "%d parameters: %s", parameters,
              diagnostic.text);
        language_program_free(program);
    }
    base_text_free(&text);
}

static void definitions_are_found(void)
{
    language_program *program = language_test_accepted(
        interface, HEAD "typedef struct pair { int a, b; } pair;\n"
                        "static int helper(int n)\n{\n    return n;\n}\n"
                        "t5 *model(void)\n{\n    return t5_new(t5_small());\n}\n"
                        "double train(t5 *model, pair pair)\n{\n"
                        "    return t5_loss(model, helper(pair.a + pair.b));\n}\n");
    CHECK(language_defines(program, "t5 *model(void)"), "model");
    CHECK(language_defines(program, "struct t5 *model(void)"), "the same type in other words");
    CHECK(language_defines(program, "double train(t5 *model, pair pair)"), "train");
    CHECK(language_defines(program, "double train(t5 *, struct pair)"), "train, without names");
    CHECK(language_defines(program, "static int helper(int)"), "helper");
    CHECK(!language_defines(program, "int helper(int)"), "helper is static");
    CHECK(!language_defines(program, "int model(void)"), "another result");
    CHECK(!language_defines(program, "t5 *model(int n)"), "another parameter");
    CHECK(!language_defines(program, "double train(t5 *model)"), "too few parameters");
    CHECK(!language_defines(program, "double train(t5 *model, t5_config pair)"), "another struct");
    CHECK(!language_defines(program, "t5 *models(void)"), "another name");
    CHECK(!language_defines(program, "t5 *t5_new(t5_config config)"), "the host's");
    language_program_free(program);
}

/* ---- a C compiler's opinion ---- */

/* Writes all programs of the table as files into a folder, and a program that runs them. */
static void write_programs(const char *folder)
{
    char path[300];
    snprintf(path, sizeof path, "%s/main.c", folder);
    FILE *main_file = fopen(path, "w");
    CHECK(main_file, "%s", path);
    if (!main_file)
        return;
    fprintf(main_file, "#include \"phoenix.h\"\n#include <stdio.h>\n"
                       "struct t5 { int layers; };\n"
                       "static t5 models[10];\n"
                       "t5_config t5_small(void)\n{\n    t5_config config = {0};\n"
                       "    config.d_model = 512;\n    config.num_layers = 6;\n"
                       "    config.dropout_rate = 0.25;\n    return config;\n}\n"
                       "t5 *t5_new(t5_config config)\n{\n"
                       "    return &models[config.num_layers];\n}\n");
    for (int i = 0; i < LANGUAGE_TEST_PROGRAMS; i++)
        fprintf(main_file, "int test_%d(void);\n", i);
    fprintf(main_file, "int main(void)\n{\n");
    for (int i = 0; i < LANGUAGE_TEST_PROGRAMS; i++) {
        fprintf(main_file, "    printf(\"%%d\\n\", test_%d());\n", i);
        snprintf(path, sizeof path, "%s/%d.c", folder, i);
        FILE *file = fopen(path, "w");
        CHECK(file, "%s", path);
        if (!file)
            continue;
        fprintf(file, "#include \"phoenix.h\"\n%s", language_test_programs[i].text);
        fclose(file);
    }
    fprintf(main_file, "    return 0;\n}\n");
    fclose(main_file);
}

/* Runs a command of the shell, and prints what it wrote if it fails. */
static bool succeeds(const char *command, const char *log)
{
    char line[400];
    snprintf(line, sizeof line, "(%s) >%s 2>&1", command, log);
    if (system(line) == 0)
        return true;
    FILE *file = fopen(log, "r");
    while (file && fgets(line, sizeof line, file))
        printf("%s", line);
    if (file)
        fclose(file);
    return false;
}

static void check_results(const char *path, const char *compiler)
{
    FILE *file = fopen(path, "r");
    CHECK(file, "%s", path);
    for (int i = 0, result = 0; file && i < LANGUAGE_TEST_PROGRAMS; i++) {
        int got = fscanf(file, "%d", &result);
        CHECK(got == 1 && result == language_test_programs[i].result, "%s: %s gives %d, want %d",
              compiler, language_test_programs[i].name, result, language_test_programs[i].result);
    }
    if (file)
        fclose(file);
}

/* Every program of the table compiles without a warning, and comes to the same. */
static void compilers_agree(void)
{
    static const char *const compilers[] = {"cc", "gcc", "clang"};
    char folder[] = "/tmp/phoenix-check-XXXXXX", log[80], command[1000];
    if (!mkdtemp(folder)) {
        SKIP("no folder for the compiler");
        return;
    }
    write_programs(folder);
    snprintf(log, sizeof log, "%s/log", folder);
    for (size_t i = 0; i < sizeof compilers / sizeof *compilers; i++) {
        const char *cc = compilers[i];
        snprintf(command, sizeof command, "command -v %s", cc);
        if (!succeeds(command, "/dev/null")) {
            SKIP("%s is not here", cc);
            continue;
        }
        snprintf(command, sizeof command,
                 "for p in %s/[0-9]*.c; do n=${p##*/}; %s -std=c11 -O1 -ffp-contract=off -Wall "
                 "-Wextra -Wpedantic -Werror -Ievolve/source -Dtest=test_${n%%.c} "
                 "-Dmodel=model_${n%%.c} "
                 "-c \"$p\" -o \"$p.o\" || exit 1; done",
                 folder, cc);
        CHECK(succeeds(command, log), "%s warns", cc);
        snprintf(command, sizeof command,
                 "%s -std=c11 -Ievolve/source %s/main.c %s/*.o -o %s/run && %s/run >%s/results", cc,
                 folder, folder, folder, folder, folder);
        CHECK(succeeds(command, log), "%s does not link", cc);
        snprintf(command, sizeof command, "%s/results", folder);
        check_results(command, cc);
    }
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(succeeds(command, "/dev/null"), "%s stays", folder);
}

int main(void)
{
    interface = language_test_interface();
    names_must_be_known();
    names_are_declared_once();
    types_must_fit();
    constants_must_be_computable();
    order_must_be_given();
    variables_must_be_set();
    functions_must_return();
    names_must_be_used();
    programs_must_mean_what_they_say();
    sizes_are_limited();
    definitions_are_found();
    compilers_agree();
    language_interface_free(interface);
    return test_end();
}
