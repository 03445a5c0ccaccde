/* SPDX-License-Identifier: MIT */
/* test_interpret.c -- what programs come to: results, errors of a run, limits, hosts. */
#include "tests/refine/test_refine.h"
#include "tests/refine/test_refine_programs.h"

#include <math.h>

#define HEAD "#include \"phoenix.h\"\n"
#define TEST HEAD "int test(void)\n{\n"

static language_interface *interface;

static language_failure run(language_program *program, const language_limits *limits,
                            language_value *value, language_diagnostic *diagnostic)
{
    language_test_host_state state;
    language_host host = language_test_host(&state);
    return language_run(program, &(language_invocation){"test", NULL, 0, &host, limits}, value,
                        diagnostic);
}

/* The table, against the interface of the real sources. */
static void programs_have_results(void)
{
    size_t length;
    char *header = language_test_file("evolve/source/phoenix.h", &length);
    language_diagnostic diagnostic;
    language_interface *phoenix = language_interface_new("phoenix.h", header, length, &diagnostic);
    CHECK(phoenix, "%s\n%s", diagnostic.text, diagnostic.snippet);
    for (int i = 0; phoenix && i < LANGUAGE_TEST_PROGRAMS; i++) {
        char text[4096];
        language_value value = {0};
        language_limits limits = language_default_limits();
        snprintf(text, sizeof text, HEAD "%s", language_test_programs[i].text);
        language_program *program = language_test_accepted(phoenix, text);
        if (!program)
            continue;
        language_failure failure = run(program, &limits, &value, &diagnostic);
        CHECK(failure == LANGUAGE_OK && value.kind == LANGUAGE_INT &&
                  value.as.i == language_test_programs[i].result,
              "%s: %d, want %d. %s", language_test_programs[i].name, (int)value.as.i,
              language_test_programs[i].result, diagnostic.text);
        language_program_free(program);
    }
    language_interface_free(phoenix);
    free(header);
}

/* Expressions of ints a = 7, b = -3, c = 0, m = INT_MIN and doubles x = 2.5, y = -0.5: the compiler
 * of this file says what they are. */
static void expressions_are_c(void)
{
    int a = 7, b = -3, c = 0, m = -2147483647 - 1;
    double x = 2.5, y = -0.5;
#define VALUE(e) \
    {            \
#e, e    \
    }
    const struct {
        const char *text;
        double value;
    } rows[] = {
        VALUE(a + b * 2),
        VALUE((a + b) * 2),
        VALUE(a - b - 2),
        VALUE(a - (b - 2)),
        VALUE(a / b),
        VALUE(a % b),
        VALUE(b / a),
        VALUE(b % a),
        VALUE(a / b * b + a % b),
        VALUE(a * b % 4),
        VALUE(a / 2 * x),
        VALUE(a * x / 2),
        VALUE(a / 2.0),
        VALUE(x / y),
        VALUE(-x + +y),
        VALUE(-a * -b),
        VALUE(!a + !c),
        {"!x", x == 0},
        VALUE(a < b),
        VALUE(b < a),
        VALUE((a < x) + (x < a)),
        VALUE(b == -3),
        VALUE(b <= -3),
        VALUE(b >= -2),
        VALUE(a != 7),
        VALUE(x == 2.5),
        VALUE(a && b),
        VALUE(a && c),
        {"c || y", c || y != 0},
        VALUE((c || c != 0) + 1),
        VALUE(c && a / c),
        VALUE(a || a / c),
        VALUE(a ? b : c),
        VALUE(c ? b : x),
        VALUE(c   ? 1
              : a ? 2
                  : 3),
        VALUE(c ? x : a),
        VALUE((c ? 1 : 0) + 5),
        VALUE(a == 7 ? b == -3 ? 11 : 12 : 13),
        VALUE((int)x),
        VALUE((int)-x),
        VALUE((int)y),
        VALUE((int)(x * a)),
        VALUE((double)a / 2),
        VALUE((double)(a / 2)),
        VALUE((int)2147483647.9),
        VALUE((int)-2147483648.9),
        VALUE(m + a),
        VALUE(m / 2),
        VALUE(m % 10),
        VALUE(m + 2147483647),
        VALUE(-2147483647 - 1),
        VALUE(2147483646 + 1),
        VALUE(46340 * 46340),
        VALUE(x * 0.1 + y * 0.2),
        VALUE((x + 1e16) - 1e16),
        VALUE(x + (1e16 - 1e16)),
        VALUE(y * 0),
        VALUE(1 / 3.0 * 3 == 1),
        VALUE(a - -b),
        VALUE(a - - -b),
        VALUE(1e300 * 1e-300),
        VALUE(4.9e-324 / 2),
        VALUE((a > 5 && b < 0) || c),
        VALUE(a > 5 && (b > 0 || c == 0)),
        VALUE((b < a) == 1),
        VALUE(a * (b < a)),
        VALUE(0x10 + 010 + 10),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[600];
        language_value value = {0};
        language_diagnostic diagnostic;
        language_limits limits = language_default_limits();
        snprintf(text, sizeof text,
                 HEAD "double test(void)\n{\n"
                      "    int a = 7, b = -3, c = 0, m = -2147483647 - 1;\n"
                      "    double x = 2.5, y = -0.5;\n"
                      "    (void)a; (void)b; (void)c; (void)m; (void)x; (void)y;\n"
                      "    return %s;\n}\n",
                 rows[i].text);
        language_program *program = language_test_accepted(interface, text);
        if (!program)
            continue;
        language_failure failure = run(program, &limits, &value, &diagnostic);
        CHECK(failure == LANGUAGE_OK && memcmp(&value.as.d, &rows[i].value, sizeof(double)) == 0,
              "%s: %.17g, want %.17g. %s", rows[i].text, value.as.d, rows[i].value,
              diagnostic.text);
        language_program_free(program);
    }
}

/* Errors that only show while a program runs; '@' is where. */
static void errors_have_a_place(void)
{
    static const struct {
        const char *text, *part;
        language_failure failure;
    } rows[] = {
        {"int a = 2147483647;\nreturn a @+ 1;", "2147483647 + 1: the result does not fit in int",
         LANGUAGE_RUN},
        {"int a = -2147483647;\nreturn a @- 2;", "-2147483647 - 2", LANGUAGE_RUN},
        {"int a = 65536;\nreturn a @* a;", "65536 * 65536", LANGUAGE_RUN},
        {"int a = -2147483647 - 1;\nreturn @-a;", "0 - -2147483648", LANGUAGE_RUN},
        {"int a = -2147483647 - 1, b = -1;\nreturn a @/ b;", "-2147483648 / -1", LANGUAGE_RUN},
        {"int a = -2147483647 - 1, b = -1;\nreturn a @% b;", "-2147483648 % -1", LANGUAGE_RUN},
        {"int a = 0;\nreturn 5 @/ a;", "5 / 0: division by zero", LANGUAGE_RUN},
        {"int a = 0;\nreturn 5 @% a;", "5 % 0: division by zero", LANGUAGE_RUN},
        {"int a = 2147483647;\na@++;\nreturn a;", "2147483647 + 1", LANGUAGE_RUN},
        {"int a = 2147483647;\nreturn @++a;", "2147483647 + 1", LANGUAGE_RUN},
        {"int a = -2147483647 - 1;\n@--a;\nreturn a;", "-2147483648 - 1", LANGUAGE_RUN},
        {"int a = 2147483647;\na @+= a;\nreturn a;", "2147483647 + 2147483647", LANGUAGE_RUN},
        {"int a = 1, b = 0;\na @/= b;\nreturn a;", "1 / 0", LANGUAGE_RUN},
        {"double x = 0;\nreturn (int)(1 @/ x);", "1 / 0: division by zero", LANGUAGE_RUN},
        {"double x = 0;\nreturn (int)(x @/ x);", "0 / 0: division by zero", LANGUAGE_RUN},
        {"double x = 1e308;\nreturn x @* 10 > 1;", "does not fit in double", LANGUAGE_RUN},
        {"double x = -1e308;\nreturn x @- 1e308 > 1;", "does not fit in double", LANGUAGE_RUN},
        {"double x = 1e308;\nreturn x @/ 1e-10 > 1;", "does not fit in double", LANGUAGE_RUN},
        {"double x = 2147483648.0;\nreturn @(int)x;", "does not fit in int", LANGUAGE_RUN},
        {"double x = -2147483649.0;\nreturn @x;", "does not fit in int", LANGUAGE_RUN},
        {"double x = 1e10;\nint a = @x;\nreturn a;", "(int)1e+10", LANGUAGE_RUN},
        {"int a = 2000000000;\na @*= 1.5;\nreturn a;", "(int)3e+09", LANGUAGE_RUN},
        {"t5_config c = t5_small();\nc.num_layers = 0;\nreturn t5_loss(@t5_new(c), 1);",
         "t5_new: num_layers is 0,?which is no model", LANGUAGE_RUN},
        {"t5_config c = t5_small();\nc.num_layers = 8;\nreturn t5_loss(@t5_new(c), 1);",
         "t5_new: num_layers is 8", LANGUAGE_LIMIT},
        {"return @missing();", "missing: not offered here", LANGUAGE_RUN},
        {"int a = 1;\nwhile (@a)\n    a = 3 - a;\nreturn a;", "more than 10000000 steps",
         LANGUAGE_LIMIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char marked[600], text[600];
        int line, column;
        language_value value;
        language_diagnostic diagnostic;
        language_limits limits = language_default_limits();
        snprintf(marked, sizeof marked, TEST "%s\n}\n", rows[i].text);
        language_test_unmark(marked, text, sizeof text, &line, &column);
        language_program *program = language_test_accepted(interface, text);
        if (!program)
            continue;
        language_failure failure = run(program, &limits, &value, &diagnostic);
        CHECK(failure == rows[i].failure, "%s\nfailure %d", text, failure);
        if (strstr(rows[i].part, "steps")) /* where exactly depends on the limit */
            CHECK(diagnostic.line >= 5 && strstr(diagnostic.text, rows[i].part), "%s",
                  diagnostic.text);
        else
            language_test_diagnostic(text, &diagnostic, rows[i].failure, line, column,
                                     rows[i].part);
        language_program_free(program);
    }
}

/* The fewest steps with which a program ends, found by trying all; with fewer it never does. */
static void steps_are_counted(void)
{
    language_program *program = language_test_accepted(
        interface, TEST "    int a = 0;\n    for (int i = 0; i < 5; i++)\n        a += i;\n"
                        "    return a;\n}\n");
    language_value value = {0};
    language_diagnostic diagnostic;
    language_limits limits = language_default_limits();
    int64_t needed = 0;
    for (limits.steps = 0; limits.steps < 1000; limits.steps++) {
        language_failure failure = run(program, &limits, &value, &diagnostic);
        if (failure == LANGUAGE_OK && !needed)
            needed = limits.steps;
        CHECK(failure == (needed ? LANGUAGE_OK : LANGUAGE_LIMIT), "%d steps: %d", (int)limits.steps,
              failure);
    }
    CHECK(needed > 30 && needed < 120 && value.as.i == 10, "%d steps", (int)needed);
    language_program_free(program);
}

static void depth_and_memory_are_limited(void)
{
    language_program *program = language_test_accepted(
        interface, HEAD "static int down(int n)\n{\n    return n ? 1 + down(n - 1) : 0;\n}\n"
                        "int deep(int n)\n{\n    return down(n);\n}\n");
    language_value value, n = {.kind = LANGUAGE_INT};
    language_diagnostic diagnostic;
    language_limits limits = language_default_limits();
    for (limits.call_depth = 0; limits.call_depth < 20; limits.call_depth++) {
        n.as.i = 8; /* deep and nine times down */
        language_failure failure = language_run(
            program, &(language_invocation){"deep", &n, 1, NULL, &limits}, &value, &diagnostic);
        CHECK(failure == (limits.call_depth < 10 ? LANGUAGE_LIMIT : LANGUAGE_OK), "depth %d: %d %s",
              limits.call_depth, failure, diagnostic.text);
        if (failure == LANGUAGE_LIMIT && limits.call_depth > 1)
            language_test_diagnostic("down", &diagnostic, LANGUAGE_LIMIT, 4, 20,
                                     "nested deeper than");
    }
    limits.call_depth = 2000000;
    n.as.i = 100000;
    language_failure failure = language_run(
        program, &(language_invocation){"deep", &n, 1, NULL, &limits}, &value, &diagnostic);
    CHECK(failure == LANGUAGE_OK && value.as.i == 100000, "%d %s", failure, diagnostic.text);
    n.as.i = 1500000;
    failure = language_run(program, &(language_invocation){"deep", &n, 1, NULL, &limits}, &value,
                           &diagnostic);
    CHECK(failure == LANGUAGE_LIMIT && strstr(diagnostic.text, "bytes of variables"), "%d %s",
          failure, diagnostic.text);
    bool fits = false;
    n.as.i = 50;
    for (limits.memory = 0; limits.memory < 4096; limits.memory += 8) {
        failure = language_run(program, &(language_invocation){"deep", &n, 1, NULL, &limits},
                               &value, &diagnostic);
        CHECK(failure == LANGUAGE_OK || (!fits && failure == LANGUAGE_LIMIT), "%zu bytes: %d",
              limits.memory, failure);
        fits = failure == LANGUAGE_OK;
    }
    CHECK(fits, "50 calls take more than %zu bytes", limits.memory);
    language_program_free(program);
}

/* Arguments and results of all kinds, to and from the program and its host. */
static void values_pass_both_ways(void)
{
    language_program *program = language_test_accepted(
        interface, HEAD
        "typedef struct mixed { int count; struct both both; double last; } mixed;\n"
        "mixed mix(int layers, double last, t5_config config, struct both both)\n{\n"
        "    mixed mixed;\n"
        "    mixed.both = t5_both(layers, both.model);\n"
        "    mixed.both.config.dropout_rate = config.dropout_rate + both.config.dropout_rate;\n"
        "    mixed.count = config.d_model;\n"
        "    mixed.last = last;\n"
        "    t5_log(last, 3);\n"
        "    return mixed;\n}\n"
        "void log_twice(void)\n{\n    t5_log(1, 2);\n    t5_log(0.5, 10);\n}\n"
        "t5 *same(t5 *model)\n{\n    return model;\n}\n");
    language_test_host_state state;
    language_host host = language_test_host(&state);
    language_diagnostic diagnostic;
    language_limits limits = language_default_limits();
    const char *names[] = {"d_model", "num_layers", "dropout_rate"};
    const char *outer[] = {"config", "model"};
    language_value config[3] = {{.kind = LANGUAGE_INT, .as.i = 77},
                                {.kind = LANGUAGE_INT, .as.i = 1},
                                {.kind = LANGUAGE_DOUBLE, .as.d = 0.5}};
    language_value config_value = {.kind = LANGUAGE_STRUCT, .as.fields = {config, names, 3}};
    language_value both[2] = {config_value,
                              {.kind = LANGUAGE_HANDLE, .as.handle = &state.models[4]}};
    language_value arguments[4] = {{.kind = LANGUAGE_INT, .as.i = 5},
                                   {.kind = LANGUAGE_DOUBLE, .as.d = -1.5},
                                   config_value,
                                   {.kind = LANGUAGE_STRUCT, .as.fields = {both, outer, 2}}};
    language_value result = {0}, other = {0};
    CHECK(language_run(program, &(language_invocation){"mix", arguments, 4, &host, &limits},
                       &result, &diagnostic) == LANGUAGE_OK,
          "%s", diagnostic.text);
    arguments[0].as.i = 6;
    CHECK(language_run(program, &(language_invocation){"mix", arguments, 4, &host, &limits}, &other,
                       &diagnostic) == LANGUAGE_OK,
          "%s", diagnostic.text);
    CHECK(language_field(&result, "count")->as.i == 77, "count");
    CHECK(language_field(&result, "last")->as.d == -1.5, "last");
    CHECK(!language_field(&result, "nothing") && !language_field(&config[0], "x"), "no such field");
    language_value *inner = language_field(&result, "both");
    CHECK(inner->kind == LANGUAGE_STRUCT && inner->as.fields.count == 2, "both");
    CHECK(language_field(inner, "model")->as.handle == &state.models[4], "handle");
    inner = language_field(inner, "config");
    CHECK(language_field(inner, "num_layers")->as.i == 5 &&
              language_field(inner, "dropout_rate")->as.d == 1.0 &&
              language_field(inner, "d_model")->as.i == 0,
          "config");
    CHECK(state.logged == -9.0, "logged %g", state.logged);
    CHECK(language_run(program, &(language_invocation){"log_twice", NULL, 0, &host, &limits},
                       &result, &diagnostic) == LANGUAGE_OK &&
              result.kind == LANGUAGE_VOID && state.logged == -2.0,
          "logged %g", state.logged);
    CHECK(language_run(program, &(language_invocation){"same", &both[1], 1, &host, &limits},
                       &result, &diagnostic) == LANGUAGE_OK &&
              result.kind == LANGUAGE_HANDLE && result.as.handle == &state.models[4],
          "handle");
    language_program_free(program);
}

/* What the host computes may be infinite or no number; then IEEE 754 says what comes of it. */
static void infinities_of_the_host_pass(void)
{
    language_program *program = language_test_accepted(
        interface,
        HEAD "double twice(double x)\n{\n    return x * 2 + 1;\n}\n"
             "int rank(double x)\n{\n    return (x < 1) + (x > 1) * 2 + (x != x) * 4;\n}\n"
             "int whole(double x)\n{\n    return x;\n}\n");
    const double values[] = {INFINITY, -INFINITY, NAN};
    const int ranks[] = {2, 1, 4};
    for (int i = 0; i < 3; i++) {
        language_value x = {.kind = LANGUAGE_DOUBLE, .as.d = values[i]}, value;
        language_diagnostic diagnostic;
        language_limits limits = language_default_limits();
        CHECK(language_run(program, &(language_invocation){"twice", &x, 1, NULL, &limits}, &value,
                           &diagnostic) == LANGUAGE_OK &&
                  isnan(value.as.d) == isnan(values[i]) && !isfinite(value.as.d),
              "%g: %g", values[i], value.as.d);
        CHECK(language_run(program, &(language_invocation){"rank", &x, 1, NULL, &limits}, &value,
                           &diagnostic) == LANGUAGE_OK &&
                  value.as.i == ranks[i],
              "%g: %d", values[i], (int)value.as.i);
        CHECK(language_run(program, &(language_invocation){"whole", &x, 1, NULL, &limits}, &value,
                           &diagnostic) == LANGUAGE_RUN,
              "%g fits in int", values[i]);
    }
    language_program_free(program);
}

int main(void)
{
    interface = language_test_interface();
    programs_have_results();
    expressions_are_c();
    errors_have_a_place();
    steps_are_counted();
    depth_and_memory_are_limited();
    values_pass_both_ways();
    infinities_of_the_host_pass();
    language_interface_free(interface);
    return test_end();
}
