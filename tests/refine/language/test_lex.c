/* SPDX-License-Identifier: MIT */
/* test_lex.c -- what the lexer takes for a token, and what it refuses to look at. */
#include "tests/refine/test_refine.h"

#define HEAD "#include \"phoenix.h\"\n"

static language_interface *interface;

/* Numbers that C can write; the compiler of this file says what they are. */
static void numbers_are_c(void)
{
#define NUMBER(n) \
    {             \
#n, n     \
    }
    static const struct {
        const char *text;
        double value;
    } rows[] = {
        NUMBER(0),
        NUMBER(7),
        NUMBER(2147483647),
        NUMBER(0x7fffFFFF),
        NUMBER(0X1f),
        NUMBER(017),
        NUMBER(00),
        NUMBER(1.5),
        NUMBER(1.),
        NUMBER(.5),
        NUMBER(1e3),
        NUMBER(1E+3),
        NUMBER(2.5e-3),
        NUMBER(.5e1),
        NUMBER(1.e2),
        NUMBER(0.0),
        NUMBER(00.5),
        NUMBER(09.5),
        NUMBER(08e1),
        NUMBER(0x1p-3),
        NUMBER(0x.8p0),
        NUMBER(0x1.8P+1),
        NUMBER(0xAp4),
        NUMBER(4.9e-324),
        NUMBER(1e308),
        NUMBER(0e99999),
        NUMBER(0x0p0),
        NUMBER(0.1),
        NUMBER(1e-6),
        NUMBER(123456789.),
        NUMBER(3.14159265358979323846264338327950288),
        NUMBER(1e23),
        NUMBER(5e-324),
        NUMBER(2.2250738585072011e-308),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        language_value value;
        language_diagnostic diagnostic;
        language_limits limits = language_default_limits();
        snprintf(text, sizeof text, HEAD "double test(void)\n{\n    return %s;\n}\n", rows[i].text);
        language_program *program = language_test_accepted(interface, text);
        if (!program)
            continue;
        language_run(program, &(language_invocation){"test", NULL, 0, NULL, &limits}, &value,
                     &diagnostic);
        CHECK(memcmp(&value.as.d, &rows[i].value, sizeof(double)) == 0, "%s: %a, want %a",
              rows[i].text, value.as.d, rows[i].value);
        language_program_free(program);
    }
}

/* In these, '@' is where the error is. */
static void texts_that_are_no_tokens(void)
{
    static const struct {
        const char *text, *part;
    } rows[] = {
        {HEAD "int f(void)\n{\n    return @08;\n}\n", "octal"},
        {HEAD "int f(void)\n{\n    return @2147483648;\n}\n", "does not fit in int"},
        {HEAD "int f(void)\n{\n    return @0x80000000;\n}\n", "does not fit in int"},
        {HEAD "int f(void)\n{\n    return @99999999999999999999999999;\n}\n", "does not fit"},
        {HEAD "int f(void)\n{\n    return @1u;\n}\n", "without a suffix"},
        {HEAD "int f(void)\n{\n    return @1.5f;\n}\n", "without a suffix"},
        {HEAD "int f(void)\n{\n    return @0xe+1;\n}\n", "without a suffix"},
        {HEAD "int f(void)\n{\n    return @1e;\n}\n", "without a suffix"},
        {HEAD "int f(void)\n{\n    return @1.2.3;\n}\n", "without a suffix"},
        {HEAD "int f(void)\n{\n    return @0x;\n}\n", "digits after 0x"},
        {HEAD "int f(void)\n{\n    return @0x1.8;\n}\n", "without a suffix"},
        {HEAD "int f(void)\n{\n    return @0b1;\n}\n", "without a suffix"},
        {HEAD "int f(void)\n{\n    return @1_000;\n}\n", "without a suffix"},
        {HEAD "double f(void)\n{\n    return @1e309;\n}\n", "does not fit in double"},
        {HEAD "double f(void)\n{\n    return @1e-400;\n}\n", "does not fit in double"},
        {HEAD "double f(void)\n{\n    return @0x1p-5000;\n}\n", "does not fit in double"},
        {HEAD "int f(void)\n{\n    return 1 @& 2;\n}\n", "& is not part of the language"},
        {HEAD "int f(void)\n{\n    return 1 @<< 2;\n}\n", "<< is not part"},
        {HEAD "int f(void)\n{\n    return @~1;\n}\n", "~ is not part"},
        {HEAD "int f(int a)\n{\n    a @|= 1;\n}\n", "|= is not part"},
        {HEAD "int f(t5 *m)\n{\n    return m@->x;\n}\n", "-> is not part"},
        {HEAD "int f(int a@[3])\n{\n}\n", "[ is not part"},
        {HEAD "int f(void)\n{\n    g(@\"x\");\n}\n", "is not part"},
        {HEAD "int f(void)\n{\n    g(@'x');\n}\n", "is not part"},
        {HEAD "int f(void)\n{\n    return @$;\n}\n", "is not part"},
        {HEAD "@float f(void);\n", "'float' is not part of the language"},
        {HEAD "@const int f(void);\n", "'const' is not part"},
        {HEAD "@unsigned f(void);\n", "'unsigned' is not part"},
        {HEAD "int @bool(void);\n", "'bool' is not part"},
        {HEAD "int @asm(void);\n", "'asm' is not part"},
        {HEAD "int f(void)\n{\n    @switch (1) { }\n}\n", "'switch' is not part"},
        {HEAD "int f(void)\n{\n    @goto x;\n}\n", "'goto' is not part"},
        {HEAD "int f(void)\n{\n    return @sizeof 1;\n}\n", "'sizeof' is not part"},
        {HEAD "int @_x(void);\n", "belongs to the compiler"},
        {HEAD "int @__builtin_trap(void);\n", "belongs to the compiler"},
        {HEAD "@/* no end\n", "does not end"},
        {HEAD "@/*/\n", "does not end"},
        {HEAD "/* a @/* b */\n", "a comment begins inside"},
        {HEAD "// joined @\\\nint f(void);\n", "join"},
        {HEAD "// joined @\\  \nint f(void);\n", "join"},
        {HEAD "/* joined *@\\\n/\n", "join"},
        {HEAD "// joined @?\?/\nint f(void);\n", "trigraph"},
        {HEAD "int f@\\\n(void);\n", "is not part"},
        {HEAD "int f(void);@\rint g(void);\n", "carriage return"},
        {HEAD "// a@\rint g(void);\n", "carriage return"},
        {HEAD "int f(void); // @\x80\n", "byte 0x80"},
        {HEAD "int @\xc3\xa4(void);\n", "byte 0xc3"},
        {HEAD "int @\x7f(void);\n", "byte 0x7f"},
        {HEAD "int @\v(void);\n", "byte 0x0b"},
        {HEAD "/* @\f */\n", "byte 0x0c"},
        {HEAD "#include \"@phoenix.h\"\n", "expected a declaration, got a directive"},
        {"#include \"phoenix.h\" @x\n", "end of the line"},
        {HEAD "int f(void); @#include \"phoenix.h\"\n", "only for the first thing"},
        {HEAD "@#define X 1\n", "the only directive"},
        {HEAD "@#include <math.h>\n", "expected #include \"phoenix.h\""},
        {HEAD "@#pragma once\n", "the only directive"},
        {"#include \"phoenix.h\" @int f(void);\n", "end of the line"},
        {"#include \"phoenix.h\" @/* two\nlines */ int f(void);\n", "same line"},
        {"#include \"@math.h\"\n", "expected \"phoenix.h\", got \"math.h\""},
        {"@#include \"phoenix.h\n", "expected #include"},
        {"@#include phoenix.h\n", "expected #include"},
        {"@#\n", "the only directive"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        language_test_refused(interface, rows[i].text, LANGUAGE_PARSE, rows[i].part);
}

/* Texts of the same tokens. */
static void layout_does_not_matter(void)
{
    static const char *const rows[] = {
        HEAD "int f(void) {return 1+2;}\n",
        "  #  include   \"phoenix.h\"  \t\nint f ( void )\n{\n\treturn 1 + 2 ;\n}\n",
        "/* first */ #include \"phoenix.h\" // same line\nint f(void)\n{\n    return 1+2;\n}\n",
        "// one\n/*\n two */\n" HEAD "int/**/f/* * / */(void){return 1//\n+2;}\n",
        "#include \"phoenix.h\" /* */ /***/\r\nint f(void)\r\n{\r\n    return 1 + 2;\r\n}\r\n",
        HEAD "int f(void)\n\n\n{ // \\ not at the end\n return 1 + 2; } /* ?? / */\n",
    };
    base_text first = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        base_text normal = {0};
        language_program *program = language_test_accepted(interface, rows[i]);
        if (!program)
            continue;
        language_normalise(program, i ? &normal : &first);
        CHECK(!i || (normal.length == first.length &&
                     memcmp(normal.data, first.data, first.length) == 0),
              "%s\nis %s\nwant %s", rows[i], normal.data, first.data);
        language_program_free(program);
        base_text_free(&normal);
    }
    CHECK(first.data && strcmp(first.data, HEAD "int f ( void ) {\nreturn 1 + 2 ;\n}\n") == 0, "%s",
          first.data);
    base_text_free(&first);
}

static void operators_are_cut_off_as_in_c(void)
{
    static const char sign[] = HEAD "int f(int a, int b)\n{\n    return a---b<=-+-b&&a!=!b;\n}\n";
    language_test_refused(interface, HEAD "int f(int a, int b)\n{\n    a++@+b;\n}\n",
                          LANGUAGE_CHECK, "not used");
    language_test_refused(interface, HEAD "int f(int a, int b)\n{\n    return a++ ++@b;\n}\n",
                          LANGUAGE_PARSE, "expected ';'");
    base_text normal = {0};
    language_program *program = language_test_accepted(interface, sign);
    if (program) {
        language_normalise(program, &normal);
        CHECK(strstr(normal.data, "return a -- - b <= - + - b && a != ! b ;"), "%s", normal.data);
    }
    language_program_free(program);
    base_text_free(&normal);
}

/* 63 characters, which every compiler tells apart. */
static void names_have_a_length(void)
{
    char text[400], name[65];
    memset(name, 'n', 64);
    name[63] = name[64] = '\0';
    snprintf(text, sizeof text, HEAD "int f(int %s)\n{\n    return %s;\n}\n", name, name);
    language_program_free(language_test_accepted(interface, text));
    name[63] = 'n';
    snprintf(text, sizeof text, HEAD "int f(int @%s)\n{\n    return 1;\n}\n", name);
    language_test_refused(interface, text, LANGUAGE_PARSE, "more than 63");
}

/* A NUL is a byte like any other: refused where it stands. */
static void nuls_end_nothing(void)
{
    static const char text[] = HEAD "int f(void);\0int g(void);\n";
    static const char comment[] = HEAD "/* \0 */\n";
    language_diagnostic diagnostic;
    language_program *program =
        language_parse("a.c", text, sizeof text - 1, interface, &diagnostic);
    CHECK(!program, "accepted");
    language_test_diagnostic("NUL", &diagnostic, LANGUAGE_PARSE, 2, 13, "byte 0x00");
    program = language_parse("a.c", comment, sizeof comment - 1, interface, &diagnostic);
    CHECK(!program, "accepted");
    language_test_diagnostic("NUL", &diagnostic, LANGUAGE_PARSE, 2, 4, "byte 0x00");
}

/* The longest source there may be, and one byte more. */
static void sources_have_a_length(void)
{
    char *text = malloc(LANGUAGE_MAX_SOURCE + 2);
    language_diagnostic diagnostic;
    size_t head = strlen(HEAD);
    memset(text, ' ', LANGUAGE_MAX_SOURCE + 2);
    memcpy(text, HEAD, head);
    text[LANGUAGE_MAX_SOURCE - 1] = text[LANGUAGE_MAX_SOURCE] = '\n';
    language_program *program =
        language_parse("a.c", text, LANGUAGE_MAX_SOURCE, interface, &diagnostic);
    CHECK(program, "%s", diagnostic.text);
    language_program_free(program);
    program = language_parse("a.c", text, LANGUAGE_MAX_SOURCE + 1, interface, &diagnostic);
    CHECK(!program && diagnostic.failure == LANGUAGE_PARSE && diagnostic.line == 0 &&
              strstr(diagnostic.text, "a.c: expected at most 65536 bytes, got 65537"),
          "%s", diagnostic.text);
    free(text);
}

/* A snippet of a long line with tabs shows the place. */
static void snippets_are_short(void)
{
    char text[600] = HEAD "int f(void)\n{\n\treturn ";
    for (int i = 0; i < 200; i++)
        strcat(text, "1+");
    strcat(text, "\x01;\n}\n");
    language_diagnostic diagnostic;
    language_program *program = language_parse("a.c", text, strlen(text), interface, &diagnostic);
    CHECK(!program && diagnostic.line == 4, "%s", diagnostic.text);
    char *newline = strchr(diagnostic.snippet, '\n');
    CHECK(newline - diagnostic.snippet <= 100 && newline[51] == '^' && !newline[52], "%s",
          diagnostic.snippet);
    const char *tabs = HEAD "int f(void)\n{\n\treturn\t08;\n}\n";
    program = language_parse("a.c", tabs, strlen(tabs), interface, &diagnostic);
    CHECK(!program && strcmp(diagnostic.snippet, "\treturn\t08;\n\t      \t^") == 0, "%s",
          diagnostic.snippet);
}

static void the_guard_is_a_macro(void)
{
    language_test_refused(interface, HEAD "int @TEST_INTERFACE_H(void);\n", LANGUAGE_PARSE,
                          "a macro");
    language_test_refused(interface, HEAD "int f(int @TEST_INTERFACE_H);\n", LANGUAGE_PARSE,
                          "a macro");
}

int main(void)
{
    interface = language_test_interface();
    numbers_are_c();
    texts_that_are_no_tokens();
    layout_does_not_matter();
    operators_are_cut_off_as_in_c();
    names_have_a_length();
    nuls_end_nothing();
    sources_have_a_length();
    snippets_are_short();
    the_guard_is_a_macro();
    language_interface_free(interface);
    return test_end();
}
