/* test_refine_interpret.c -- what programs come to: results, errors of a run, limits, hosts. */
#include "tests/test_refine.h"
#include "tests/test_refine_programs.h"

#include <math.h>

#define HEAD "#include \"phoenix.h\"\n"
#define TEST HEAD "int test(void)\n{\n"

static refine_interface *interface;

static refine_failure run(refine_program *program, const refine_limits *limits, refine_value *value,
                          refine_diagnostic *diagnostic)
{
    refine_test_host_state state;
    refine_host host = refine_test_host(&state);
    return refine_run(program, "test", NULL, 0, &host, limits, value, diagnostic);
}

/* The table, against the interface of the real sources. */
static void programs_have_results(void)
{
    size_t length;
    char *header = refine_test_file("evolve/phoenix.h", &length);
    refine_diagnostic diagnostic;
    refine_interface *phoenix = refine_interface_new("phoenix.h", header, length, &diagnostic);
    CHECK(phoenix, "%s\n%s", diagnostic.text, diagnostic.snippet);
    for (int i = 0; phoenix && i < REFINE_TEST_PROGRAMS; i++) {
        char text[4096];
        refine_value value = {0};
        refine_limits limits = refine_default_limits();
        snprintf(text, sizeof text, HEAD "%s", refine_test_programs[i].text);
        refine_program *program = refine_test_accepted(phoenix, text);
        if (!program)
            continue;
        refine_failure failure = run(program, &limits, &value, &diagnostic);
        CHECK(failure == REFINE_OK && value.kind == REFINE_INT &&
                  value.as.i == refine_test_programs[i].result,
              "%s: %d, want %d. %s", refine_test_programs[i].name, (int)value.as.i,
              refine_test_programs[i].result, diagnostic.text);
        refine_program_free(program);
    }
    refine_interface_free(phoenix);
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
        refine_value value = {0};
        refine_diagnostic diagnostic;
        refine_limits limits = refine_default_limits();
        snprintf(text, sizeof text,
                 HEAD "double test(void)\n{\n"
                      "    int a = 7, b = -3, c = 0, m = -2147483647 - 1;\n"
                      "    double x = 2.5, y = -0.5;\n"
                      "    (void)a; (void)b; (void)c; (void)m; (void)x; (void)y;\n"
                      "    return %s;\n}\n",
                 rows[i].text);
        refine_program *program = refine_test_accepted(interface, text);
        if (!program)
            continue;
        refine_failure failure = run(program, &limits, &value, &diagnostic);
        CHECK(failure == REFINE_OK && memcmp(&value.as.d, &rows[i].value, sizeof(double)) == 0,
              "%s: %.17g, want %.17g. %s", rows[i].text, value.as.d, rows[i].value,
              diagnostic.text);
        refine_program_free(program);
    }
}

/* Errors that only show while a program runs; '@' is where. */
static void errors_have_a_place(void)
{
    static const struct {
        const char *text, *part;
        refine_failure failure;
    } rows[] = {
        {"int a = 2147483647;\nreturn a @+ 1;", "2147483647 + 1: the result does not fit in int",
         REFINE_RUN},
        {"int a = -2147483647;\nreturn a @- 2;", "-2147483647 - 2", REFINE_RUN},
        {"int a = 65536;\nreturn a @* a;", "65536 * 65536", REFINE_RUN},
        {"int a = -2147483647 - 1;\nreturn @-a;", "0 - -2147483648", REFINE_RUN},
        {"int a = -2147483647 - 1, b = -1;\nreturn a @/ b;", "-2147483648 / -1", REFINE_RUN},
        {"int a = -2147483647 - 1, b = -1;\nreturn a @% b;", "-2147483648 % -1", REFINE_RUN},
        {"int a = 0;\nreturn 5 @/ a;", "5 / 0: division by zero", REFINE_RUN},
        {"int a = 0;\nreturn 5 @% a;", "5 % 0: division by zero", REFINE_RUN},
        {"int a = 2147483647;\na@++;\nreturn a;", "2147483647 + 1", REFINE_RUN},
        {"int a = 2147483647;\nreturn @++a;", "2147483647 + 1", REFINE_RUN},
        {"int a = -2147483647 - 1;\n@--a;\nreturn a;", "-2147483648 - 1", REFINE_RUN},
        {"int a = 2147483647;\na @+= a;\nreturn a;", "2147483647 + 2147483647", REFINE_RUN},
        {"int a = 1, b = 0;\na @/= b;\nreturn a;", "1 / 0", REFINE_RUN},
        {"double x = 0;\nreturn (int)(1 @/ x);", "1 / 0: division by zero", REFINE_RUN},
        {"double x = 0;\nreturn (int)(x @/ x);", "0 / 0: division by zero", REFINE_RUN},
        {"double x = 1e308;\nreturn x @* 10 > 1;", "does not fit in double", REFINE_RUN},
        {"double x = -1e308;\nreturn x @- 1e308 > 1;", "does not fit in double", REFINE_RUN},
        {"double x = 1e308;\nreturn x @/ 1e-10 > 1;", "does not fit in double", REFINE_RUN},
        {"double x = 2147483648.0;\nreturn @(int)x;", "does not fit in int", REFINE_RUN},
        {"double x = -2147483649.0;\nreturn @x;", "does not fit in int", REFINE_RUN},
        {"double x = 1e10;\nint a = @x;\nreturn a;", "(int)1e+10", REFINE_RUN},
        {"int a = 2000000000;\na @*= 1.5;\nreturn a;", "(int)3e+09", REFINE_RUN},
        {"t5_config c = t5_small();\nc.num_layers = 0;\nreturn t5_loss(@t5_new(c), 1);",
         "t5_new: num_layers is 0,?which is no model", REFINE_RUN},
        {"t5_config c = t5_small();\nc.num_layers = 8;\nreturn t5_loss(@t5_new(c), 1);",
         "t5_new: num_layers is 8", REFINE_LIMIT},
        {"return @missing();", "missing: not offered here", REFINE_RUN},
        {"int a = 1;\nwhile (@a)\n    a = 3 - a;\nreturn a;", "more than 10000000 steps",
         REFINE_LIMIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char marked[600], text[600];
        int line, column;
        refine_value value;
        refine_diagnostic diagnostic;
        refine_limits limits = refine_default_limits();
        snprintf(marked, sizeof marked, TEST "%s\n}\n", rows[i].text);
        refine_test_unmark(marked, text, sizeof text, &line, &column);
        refine_program *program = refine_test_accepted(interface, text);
        if (!program)
            continue;
        refine_failure failure = run(program, &limits, &value, &diagnostic);
        CHECK(failure == rows[i].failure, "%s\nfailure %d", text, failure);
        if (strstr(rows[i].part, "steps")) /* where exactly depends on the limit */
            CHECK(diagnostic.line >= 5 && strstr(diagnostic.text, rows[i].part), "%s",
                  diagnostic.text);
        else
            refine_test_diagnostic(text, &diagnostic, rows[i].failure, line, column, rows[i].part);
        refine_program_free(program);
    }
}

/* The fewest steps with which a program ends, found by trying all; with fewer it never does. */
static void steps_are_counted(void)
{
    refine_program *program = refine_test_accepted(
        interface, TEST "    int a = 0;\n    for (int i = 0; i < 5; i++)\n        a += i;\n"
                        "    return a;\n}\n");
    refine_value value = {0};
    refine_diagnostic diagnostic;
    refine_limits limits = refine_default_limits();
    int64_t needed = 0;
    for (limits.steps = 0; limits.steps < 1000; limits.steps++) {
        refine_failure failure = run(program, &limits, &value, &diagnostic);
        if (failure == REFINE_OK && !needed)
            needed = limits.steps;
        CHECK(failure == (needed ? REFINE_OK : REFINE_LIMIT), "%d steps: %d", (int)limits.steps,
              failure);
    }
    CHECK(needed > 30 && needed < 120 && value.as.i == 10, "%d steps", (int)needed);
    refine_program_free(program);
}

static void depth_and_memory_are_limited(void)
{
    refine_program *program = refine_test_accepted(
        interface, HEAD "static int down(int n)\n{\n    return n ? 1 + down(n - 1) : 0;\n}\n"
                        "int deep(int n)\n{\n    return down(n);\n}\n");
    refine_value value, n = {.kind = REFINE_INT};
    refine_diagnostic diagnostic;
    refine_limits limits = refine_default_limits();
    for (limits.call_depth = 0; limits.call_depth < 20; limits.call_depth++) {
        n.as.i = 8; /* deep and nine times down */
        refine_failure failure =
            refine_run(program, "deep", &n, 1, NULL, &limits, &value, &diagnostic);
        CHECK(failure == (limits.call_depth < 10 ? REFINE_LIMIT : REFINE_OK), "depth %d: %d %s",
              limits.call_depth, failure, diagnostic.text);
        if (failure == REFINE_LIMIT && limits.call_depth > 1)
            refine_test_diagnostic("down", &diagnostic, REFINE_LIMIT, 4, 20, "nested deeper than");
    }
    limits.call_depth = 2000000;
    n.as.i = 100000;
    refine_failure failure = refine_run(program, "deep", &n, 1, NULL, &limits, &value, &diagnostic);
    CHECK(failure == REFINE_OK && value.as.i == 100000, "%d %s", failure, diagnostic.text);
    n.as.i = 1500000;
    failure = refine_run(program, "deep", &n, 1, NULL, &limits, &value, &diagnostic);
    CHECK(failure == REFINE_LIMIT && strstr(diagnostic.text, "bytes of variables"), "%d %s",
          failure, diagnostic.text);
    bool fits = false;
    n.as.i = 50;
    for (limits.memory = 0; limits.memory < 4096; limits.memory += 8) {
        failure = refine_run(program, "deep", &n, 1, NULL, &limits, &value, &diagnostic);
        CHECK(failure == REFINE_OK || (!fits && failure == REFINE_LIMIT), "%zu bytes: %d",
              limits.memory, failure);
        fits = failure == REFINE_OK;
    }
    CHECK(fits, "50 calls take more than %zu bytes", limits.memory);
    refine_program_free(program);
}

/* Arguments and results of all kinds, to and from the program and its host. */
static void values_pass_both_ways(void)
{
    refine_program *program = refine_test_accepted(
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
    refine_test_host_state state;
    refine_host host = refine_test_host(&state);
    refine_diagnostic diagnostic;
    refine_limits limits = refine_default_limits();
    const char *names[] = {"d_model", "num_layers", "dropout_rate"};
    const char *outer[] = {"config", "model"};
    refine_value config[3] = {{.kind = REFINE_INT, .as.i = 77},
                              {.kind = REFINE_INT, .as.i = 1},
                              {.kind = REFINE_DOUBLE, .as.d = 0.5}};
    refine_value config_value = {.kind = REFINE_STRUCT, .as.fields = {config, names, 3}};
    refine_value both[2] = {config_value, {.kind = REFINE_HANDLE, .as.handle = &state.models[4]}};
    refine_value arguments[4] = {{.kind = REFINE_INT, .as.i = 5},
                                 {.kind = REFINE_DOUBLE, .as.d = -1.5},
                                 config_value,
                                 {.kind = REFINE_STRUCT, .as.fields = {both, outer, 2}}};
    refine_value result = {0}, other = {0};
    CHECK(refine_run(program, "mix", arguments, 4, &host, &limits, &result, &diagnostic) ==
              REFINE_OK,
          "%s", diagnostic.text);
    arguments[0].as.i = 6;
    CHECK(refine_run(program, "mix", arguments, 4, &host, &limits, &other, &diagnostic) ==
              REFINE_OK,
          "%s", diagnostic.text);
    CHECK(refine_field(&result, "count")->as.i == 77, "count");
    CHECK(refine_field(&result, "last")->as.d == -1.5, "last");
    CHECK(!refine_field(&result, "nothing") && !refine_field(&config[0], "x"), "no such field");
    refine_value *inner = refine_field(&result, "both");
    CHECK(inner->kind == REFINE_STRUCT && inner->as.fields.count == 2, "both");
    CHECK(refine_field(inner, "model")->as.handle == &state.models[4], "handle");
    inner = refine_field(inner, "config");
    CHECK(refine_field(inner, "num_layers")->as.i == 5 &&
              refine_field(inner, "dropout_rate")->as.d == 1.0 &&
              refine_field(inner, "d_model")->as.i == 0,
          "config");
    CHECK(state.logged == -9.0, "logged %g", state.logged);
    CHECK(refine_run(program, "log_twice", NULL, 0, &host, &limits, &result, &diagnostic) ==
                  REFINE_OK &&
              result.kind == REFINE_VOID && state.logged == -2.0,
          "logged %g", state.logged);
    CHECK(refine_run(program, "same", &both[1], 1, &host, &limits, &result, &diagnostic) ==
                  REFINE_OK &&
              result.kind == REFINE_HANDLE && result.as.handle == &state.models[4],
          "handle");
    refine_program_free(program);
}

/* What the host computes may be infinite or no number; then IEEE 754 says what comes of it. */
static void infinities_of_the_host_pass(void)
{
    refine_program *program = refine_test_accepted(
        interface,
        HEAD "double twice(double x)\n{\n    return x * 2 + 1;\n}\n"
             "int rank(double x)\n{\n    return (x < 1) + (x > 1) * 2 + (x != x) * 4;\n}\n"
             "int whole(double x)\n{\n    return x;\n}\n");
    const double values[] = {INFINITY, -INFINITY, NAN};
    const int ranks[] = {2, 1, 4};
    for (int i = 0; i < 3; i++) {
        refine_value x = {.kind = REFINE_DOUBLE, .as.d = values[i]}, value;
        refine_diagnostic diagnostic;
        refine_limits limits = refine_default_limits();
        CHECK(refine_run(program, "twice", &x, 1, NULL, &limits, &value, &diagnostic) ==
                      REFINE_OK &&
                  isnan(value.as.d) == isnan(values[i]) && !isfinite(value.as.d),
              "%g: %g", values[i], value.as.d);
        CHECK(refine_run(program, "rank", &x, 1, NULL, &limits, &value, &diagnostic) == REFINE_OK &&
                  value.as.i == ranks[i],
              "%g: %d", values[i], (int)value.as.i);
        CHECK(refine_run(program, "whole", &x, 1, NULL, &limits, &value, &diagnostic) == REFINE_RUN,
              "%g fits in int", values[i]);
    }
    refine_program_free(program);
}

int main(void)
{
    interface = refine_test_interface();
    programs_have_results();
    expressions_are_c();
    errors_have_a_place();
    steps_are_counted();
    depth_and_memory_are_limited();
    values_pass_both_ways();
    infinities_of_the_host_pass();
    refine_interface_free(interface);
    return test_end();
}
