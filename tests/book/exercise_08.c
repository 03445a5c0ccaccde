/* SPDX-License-Identifier: MIT */
/* exercise_08.c -- chapter 8: a function in the subset. Fails until the program defines reversed(). */
#include "refine/language/language.h"
#include "tests/test.h"

/* int reversed(int n): the decimal digits of n from last to first, for 0 <= n <= 2147447412; 120 gives 21. It must not
 * overflow, nor leave anything unused. */
static const char source[] = "#include \"book.h\"\n"
                             "/* yours */\n";

int main(void)
{
    static const char header[] = "void nothing(void);\n";
    static const int cases[][2] = {
        {0, 0}, {7, 7}, {120, 21}, {2147447412, 2147447412}, {1000000000, 1}, {98765, 56789}};
    language_diagnostic diagnostic;
    language_interface *interface =
        language_interface_new("book.h", header, sizeof header - 1, &diagnostic);
    language_program *program =
        language_parse("exercise.c", source, sizeof source - 1, interface, &diagnostic);
    CHECK(program, "%s\n%s", diagnostic.text, diagnostic.snippet);
    bool defined = program && language_defines(program, "int reversed(int n)");
    CHECK(defined, "the program has no int reversed(int n)");
    for (size_t i = 0; defined && i < sizeof cases / sizeof *cases; i++) {
        language_value argument = {.kind = LANGUAGE_INT, .as.i = cases[i][0]}, result;
        language_limits limits = language_default_limits();
        limits.steps = 500;
        const language_invocation call = {"reversed", &argument, 1, NULL, &limits};
        language_failure failure = language_run(program, &call, &result, &diagnostic);
        CHECK(failure == LANGUAGE_OK && result.as.i == cases[i][1], "reversed(%d): %s", cases[i][0],
              failure == LANGUAGE_OK ? "another number" : diagnostic.text);
    }
    language_program_free(program);
    language_interface_free(interface);
    return test_end();
}
