/* SPDX-License-Identifier: MIT */
/* test_parse.c -- which texts are programs of the language, and what is said of others. */
#include "tests/refine/test_refine.h"
#include "tests/refine/test_refine_programs.h"

#define HEAD "#include \"phoenix.h\"\n"
#define BODY HEAD "int f(int a)\n{\n"

static language_interface *interface;

/* In these, '@' is where the error is. */
static void texts_that_are_no_programs(void)
{
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"@", "expected #include \"phoenix.h\" first, got the end of the text"},
        {"@int f(void);\n", "expected #include \"phoenix.h\" first, got 'int'"},
        {HEAD "@3;\n", "expected a declaration, got '3'"},
        {HEAD "@f(void);\n", "expected a declaration, got 'f'"},
        {HEAD "@;\n", "expected a declaration, got ';'"},
        {HEAD "int f(void)@", "expected '{' to open the function, or ';', got the end"},
        {HEAD "int f(void) @return 1;\n", "expected '{' to open the function"},
        {HEAD "int x@;\n", "there are no global variables"},
        {HEAD "int x @= 1;\n", "there are no global variables"},
        {HEAD "int @(void);\n", "expected the name of a function, got '('"},
        {HEAD "int *@*f(void);\n", "a handle has one '*'"},
        {HEAD "int f(@);\n", "or 'void' for none"},
        {HEAD "int f(int a, @);\n", "the type of a parameter"},
        {HEAD "int f(int a @int b);\n", "expected ')' after the parameters, got 'int'"},
        {HEAD "int f(@int, int b)\n{\n    return b;\n}\n", "expected a name for this"},
        {HEAD "@inline int f(void);\n", "'inline' is not part"},
        {HEAD "static @typedef int x;\n", "expected a type"},
        {HEAD "int @static f(void);\n", "expected the name of a function"},
        {HEAD "int @main(void);\n", "'main'"},
        {HEAD "typedef int @3;\n", "expected the name of a type"},
        {HEAD "typedef int a@, b;\n", "expected ';' after the typedef"},
        {HEAD "typedef @enum { A } a;\n", "use int"},
        {HEAD "struct a { int x; }@\n", "expected ';' after the struct"},
        {HEAD "struct a { int x @}\n;\n", "expected ';' after the field, got '}'"},
        {HEAD "struct @{ int x; };\n", "expected the name of a struct"},
        {HEAD "struct a { int x @= 1; };\n", "expected ';' after the field"},
        {HEAD "struct a { struct @{ int x; } y; };\n", "expected the name of a struct"},
        {HEAD "struct a { int x; } @y;\n", "expected ';' after the struct, got 'y'"},
        {HEAD "enum a @x;\n", "expected '{' before the constants"},
        {HEAD "enum { @};\n", "expected the name of a constant"},
        {HEAD "enum { A @B };\n", "expected '}' after the constants"},
        {HEAD "int f(@enum feed_forward a);\n", "use int"},
        {BODY "    return a + @;\n}\n", "expected an expression, got ';'"},
        {BODY "    return (a + 1@;\n}\n", "expected ')' after expression, got ';'"},
        {BODY "    return a + 1@)\n;\n}\n", "expected ';' after the value of 'return', got ')'"},
        {BODY "    a = 1@\n    return a;\n}\n", "expected ';' after expression, got 'return'"},
        {BODY "    return f(a@;\n}\n", "expected ')' after the arguments"},
        {BODY "    return f(a, @);\n}\n", "expected an expression, got ')'"},
        {BODY "    return a@, 1;\n}\n", "expected ';' after the value of 'return', got ','"},
        {BODY "    return a ? 1@;\n}\n", "expected ':' after the second operand"},
        {BODY "    return a@.3;\n}\n", "expected ';'"},
        {BODY "    return a.@;\n}\n", "the name of a field"},
        {BODY "    return @t5_config;\n}\n", "this name is a type"},
        {BODY "    return (int @3;\n}\n", "expected ')' after the type of a cast"},
        {BODY "    return (a)@3;\n}\n", "expected ';'"},
        {BODY "    a + 1 @= 2;\n}\n", "on the left of an assignment"},
        {BODY "    (int)a @= 2;\n}\n", "on the left of an assignment"},
        {BODY "    f(a) @= 2;\n}\n", "on the left of an assignment"},
        {BODY "    a ? a : a @= 2;\n}\n", "on the left of an assignment"},
        {BODY "    if @a\n        return 1;\n}\n", "expected '(' after 'if', got 'a'"},
        {BODY "    if (a @return 1;\n}\n", "expected ')' after the condition"},
        {BODY "    if (@) return 1;\n}\n", "expected an expression"},
        {BODY "    if (a)\n        @int b = 1;\n}\n", "expected a statement, got 'int'"},
        {BODY "    if (a)\n        @t5 *b;\n}\n", "expected a statement, got 't5'"},
        {BODY "    @else\n        return 1;\n}\n", "expected a statement, got 'else'"},
        {BODY "    while (a)\n@}\n", "expected a statement, got '}'"},
        {BODY "    do\n        a--;@\n    return a;\n}\n",
         "expected 'while' after the body of 'do'"},
        {BODY "    do a--; while (a)@\n}\n", "expected ';' after 'do ... while (...)'"},
        {BODY "    for (a = 1@)\n        a--;\n}\n", "expected ';' after expression"},
        {BODY "    for (a = 1; a@)\n        a--;\n}\n",
         "expected ';' after the condition of 'for'"},
        {BODY "    for (a = 1; a; a--@; a)\n        a--;\n}\n", "expected ')' after expression"},
        {BODY "    for (int b = 1@)\n        a--;\n}\n", "expected ';' after the declaration"},
        {BODY "    break @a;\n}\n", "expected ';' after 'break'"},
        {BODY "    continue@\n}\n", "expected ';' after 'continue'"},
        {BODY "    int @;\n}\n", "expected the name of a variable"},
        {BODY "    int a @int b;\n}\n", "expected ';' after the declaration"},
        {BODY "    int b@[3];\n}\n", "[ is not part"},
        {BODY "    int g@(int);\n}\n", "expected ';' after the declaration"},
        {BODY "    @static int b = 1;\n}\n", "expected a statement, got 'static'"},
        {BODY "    @typedef int b;\n}\n", "expected a statement, got 'typedef'"},
        {BODY "    struct b @{ int x; } c;\n}\n", "expected the name of a variable"},
        {BODY "    @case 1:\n    return 1;\n}\n", "'case' is not part"},
        {BODY "b@:\n    return 1;\n}\n", "expected ';' after expression, got ':'"},
        {BODY "    return 1;\n@", "expected '}' to close the block, got the end of the text"},
        {BODY "    return 1;\n}\n@}\n", "expected a declaration, got '}'"},
        {BODY "    return 1;\n}@", "a newline at the end"},
        {HEAD "int f(t5 *m)\n{\n    return @*m;\n}\n", "expected an expression, got '*'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        language_test_refused(interface, rows[i].text, LANGUAGE_PARSE, rows[i].part);
}

/* What is no program is no program, whatever names it uses: syntax comes before meaning. */
static void syntax_comes_first(void)
{
    language_test_refused(interface,
                          HEAD "int f(void)\n{\n    unknown = nothing(1);\n    return 1 @2;\n}\n",
                          LANGUAGE_PARSE, "expected ';'");
    language_test_refused(interface, HEAD "int f(void)\n{\n    @unknown = nothing(1);\n}\n",
                          LANGUAGE_CHECK, "unknown name 'unknown'");
}

/* Whether a name is a type depends on the scope. */
static void types_can_be_hidden(void)
{
    static const char *const accepted[] = {
        HEAD "int f(int t5)\n{\n    return t5 * t5;\n}\n",
        HEAD "t5 *f(t5 *t5)\n{\n    return t5;\n}\n",
        HEAD
        "int f(void)\n{\n    {\n        int t5 = 1;\n        t5++;\n        (void)(t5);\n    }\n"
        "    t5 *m = t5_new(t5_small());\n    (void)m;\n    return 1;\n}\n",
        HEAD "int f(void)\n{\n    for (int t5 = 1; t5 < 2; t5++)\n        (void)t5;\n"
             "    t5_config t5_config = t5_small();\n    return t5_config.d_model;\n}\n",
        HEAD "typedef struct t5_pair { t5 *t5; int t5_config; } t5_pair;\n"
             "int f(t5_pair p)\n{\n    return p.t5 == t5_new(t5_small()) ? p.t5_config : 2;\n}\n",
    };
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
        language_program_free(language_test_accepted(interface, accepted[i]));
    language_test_refused(interface, HEAD "typedef int x;\nx f(x y)\n{\n    x @*= y;\n}\n",
                          LANGUAGE_PARSE, "the name of a variable");
    language_test_refused(interface, HEAD "int f(int t5)\n{\n    t5 *@m;\n    return t5;\n}\n",
                          LANGUAGE_CHECK, "unknown name 'm'");
}

/* Every beginning of a program is refused, with a place that is in it. */
static void beginnings_are_refused(void)
{
    char text[4096];
    language_diagnostic diagnostic;
    int length = snprintf(text, sizeof text, HEAD "/* %s */\n%s", language_test_programs[2].name,
                          language_test_programs[2].text);
    size_t head = strlen(HEAD);
    for (size_t cut = 0; cut <= (size_t)length; cut++) {
        language_program *program = language_parse("a.c", text, cut, interface, &diagnostic);
        const char *rest = text + cut;
        bool whole = cut >= head && (text[cut - 1] == '\n') &&
                     (*rest == '\0' || cut == head || strncmp(rest, "static", 6) == 0);
        CHECK(!program || whole, "accepted: %.*s", (int)cut, text);
        if (!program) {
            int lines = 1;
            for (size_t i = 0; i < cut; i++)
                lines += text[i] == '\n';
            CHECK(diagnostic.failure == LANGUAGE_PARSE ||
                      (diagnostic.failure == LANGUAGE_CHECK && text[cut - 1] == '\n'),
                  "%d: %s", diagnostic.failure, diagnostic.text);
            CHECK(diagnostic.line >= 1 && diagnostic.line <= lines && diagnostic.column >= 1 &&
                      diagnostic.text[0] && diagnostic.snippet[0],
                  "cut at %zu: %s", cut, diagnostic.text);
        }
        language_program_free(program);
    }
}

/* The normal form of a program is a program, with itself for its normal form. */
static void normal_forms_are_programs(void)
{
    size_t length;
    language_diagnostic diagnostic;
    char *header = language_test_file("evolve/source/phoenix.h", &length);
    language_interface *phoenix = language_interface_new("phoenix.h", header, length, &diagnostic);
    for (int i = 0; phoenix && i < LANGUAGE_TEST_PROGRAMS; i++) {
        char text[4096];
        base_text once = {0}, twice = {0};
        snprintf(text, sizeof text, HEAD "%s", language_test_programs[i].text);
        language_program *program = language_test_accepted(phoenix, text);
        if (!program)
            continue;
        language_normalise(program, &once);
        language_program *again = language_test_accepted(phoenix, once.data);
        if (again) {
            language_normalise(again, &twice);
            CHECK(once.length == twice.length && strcmp(once.data, twice.data) == 0,
                  "%s\nis not\n%s", twice.data, once.data);
        }
        CHECK(strncmp(once.data, HEAD, strlen(HEAD)) == 0, "%s", once.data);
        language_program_free(program);
        language_program_free(again);
        base_text_free(&once);
        base_text_free(&twice);
    }
    language_interface_free(phoenix);
    free(header);
}

/* `count` times the opening, then the middle, then as often the closing. */
static bool is_accepted(const char *before, const char *open, int count, const char *middle,
                        const char *close, const char *after, language_diagnostic *diagnostic)
{
    base_text text = {0};
    base_text_print(&text, "%s", before);
    for (int i = 0; i < count; i++)
        base_text_print(&text, "%s", open);
    base_text_print(&text, "%s", middle);
    for (int i = 0; i < count; i++)
        base_text_print(&text, "%s", close);
    base_text_print(&text, "%s", after);
    language_program *program =
        language_parse("a.c", text.data, text.length, interface, diagnostic);
    bool accepted = program != NULL;
    language_program_free(program);
    base_text_free(&text);
    return accepted;
}

/* Each kind of nesting: some of it is fine, and whatever is beyond the limit is refused as such. */
static void nesting_is_limited(void)
{
    static const struct {
        const char *before, *open, *middle, *close, *after;
    } rows[] = {
        {BODY "    return ", "(", "a", ")", ";\n}\n"},
        {BODY "    return ", "- ", "a", "", ";\n}\n"},
        {BODY "    return ", "!", "a", "", ";\n}\n"},
        {BODY "    return ", "(int)", "a", "", ";\n}\n"},
        {BODY "    return a", "", "", " + a", ";\n}\n"},
        {BODY "    return ", "a + (", "a", ")", ";\n}\n"},
        {BODY "    return ", "a ? a : ", "1", "", ";\n}\n"},
        {BODY "    return ", "a ? ", "1", " : a", ";\n}\n"},
        {BODY "    if (a)\n        return 1;\n    return ", "f(", "a", ")", ";\n}\n"},
        {BODY "    return 1", "", "", " && a", ";\n}\n"},
        {BODY "    ", "{\n", "a++;\n", "}\n", "    return a;\n}\n"},
        {BODY "    ", "if (a) {\n", "a++;\n", "}\n", "    return a;\n}\n"},
        {BODY "    ", "if (a)\n", "a++;\n", "", "return a;\n}\n"},
        {BODY "    ", "if (a == 2)\na = 1;\nelse ", "a = 3;\n", "", "return a;\n}\n"},
        {BODY "    ", "while (a)\n", "a--;\n", "", "return a;\n}\n"},
        {BODY "    ", "for (; a;)\n", "a--;\n", "", "return a;\n}\n"},
        {BODY "    ", "do ", "a--;", " while (a);", "\n    return a;\n}\n"},
    };
    language_diagnostic diagnostic;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(is_accepted(rows[i].before, rows[i].open, 30, rows[i].middle, rows[i].close,
                          rows[i].after, &diagnostic),
              "30 times '%s' '%s': %s", rows[i].open, rows[i].close, diagnostic.text);
        for (int count = 101; count < 3000; count *= 5) {
            CHECK(!is_accepted(rows[i].before, rows[i].open, count, rows[i].middle, rows[i].close,
                               rows[i].after, &diagnostic) &&
                      diagnostic.failure == LANGUAGE_PARSE &&
                      strstr(diagnostic.text, "nested too deeply"),
                  "%d times '%s' '%s': %s", count, rows[i].open, rows[i].close, diagnostic.text);
        }
    }
}

/* Interfaces: what may stand in a header, and what may not. */
static void interfaces_declare(void)
{
    static const struct {
        const char *text;
        language_failure failure;
        int line, column;
        const char *part;
    } rows[] = {
        {"int f(void);\n", LANGUAGE_OK, 0, 0, ""},
        {"/* empty */\n", LANGUAGE_OK, 0, 0, ""},
        {"#ifndef A\n#define A\nint f(void);\n#endif // A\n", LANGUAGE_OK, 0, 0, ""},
        {"#ifndef A\n#define B\n#endif\n", LANGUAGE_PARSE, 2, 9, "of the same name"},
        {"#ifndef A\n#define A\nint f(void);\n", LANGUAGE_PARSE, 4, 1, "got the end"},
        {"#ifndef A\n#define A\n#endif\nint f(void);\n", LANGUAGE_PARSE, 4, 1, "nothing after"},
        {"#define A\n", LANGUAGE_PARSE, 1, 9, "a declaration"},
        {"#ifndef A\n#define A 1\n#endif\n", LANGUAGE_PARSE, 2, 11, "the end of the line"},
        {"#ifndef\n", LANGUAGE_PARSE, 1, 8, "expected a name"},
        {"#include \"b.h\"\n", LANGUAGE_PARSE, 1, 1, "those of its guard"},
        {"#if 1\n#endif\n", LANGUAGE_PARSE, 1, 1, "those of its guard"},
        {"int f(void) { return 1; }\n", LANGUAGE_PARSE, 1, 13, "an interface only declares"},
        {"int f(int x;\n", LANGUAGE_PARSE, 1, 12, "expected ')'"},
        {"int f(unknown x);\n", LANGUAGE_PARSE, 1, 7, "the type of a parameter"},
        {"struct a;\nint f(struct a x);\n", LANGUAGE_CHECK, 2, 7, "opaque"},
        {"int f(void);\ndouble f(void);\n", LANGUAGE_CHECK, 2, 8, "another type"},
        {"int f(void);", LANGUAGE_PARSE, 1, 13, "a newline"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        language_diagnostic diagnostic;
        language_interface *made =
            language_interface_new("a.c", rows[i].text, strlen(rows[i].text), &diagnostic);
        CHECK((made != NULL) == (rows[i].failure == LANGUAGE_OK), "%s\n%s", rows[i].text,
              diagnostic.text);
        if (!made)
            language_test_diagnostic(rows[i].text, &diagnostic, rows[i].failure, rows[i].line,
                                     rows[i].column, rows[i].part);
        language_interface_free(made);
    }
}

int main(void)
{
    interface = language_test_interface();
    texts_that_are_no_programs();
    syntax_comes_first();
    types_can_be_hidden();
    beginnings_are_refused();
    normal_forms_are_programs();
    nesting_is_limited();
    interfaces_declare();
    language_interface_free(interface);
    return test_end();
}
