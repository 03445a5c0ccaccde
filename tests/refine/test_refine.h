/* SPDX-License-Identifier: MIT */
/* test_refine.h -- what the tests of the language share: an interface, a host behind it, and ways
 * to say what a source should come to. */
#ifndef TEST_REFINE_H
#define TEST_REFINE_H

#include "refine/language/language.h"
#include "tests/test.h"

/* The interface of all sources here: evolve/source/phoenix.h's types, and functions of every kind. */
static const char language_test_header[] = "#ifndef TEST_INTERFACE_H\n"
                                           "#define TEST_INTERFACE_H\n"
                                           "typedef struct t5 t5; /* opaque */\n"
                                           "enum feed_forward { RELU, GELU, GATED_GELU };\n"
                                           "enum colour { RED = 5, GREEN };\n"
                                           "typedef struct t5_config {\n"
                                           "    int d_model; // width\n"
                                           "    int num_layers;\n"
                                           "    double dropout_rate;\n"
                                           "} t5_config;\n"
                                           "struct both { t5_config config; t5 *model; };\n"
                                           "t5_config t5_small(void);\n"
                                           "t5 *t5_new(t5_config config);\n"
                                           "double t5_loss(t5 *model, int batch);\n"
                                           "struct both t5_both(int layers, t5 *model);\n"
                                           "void t5_log(double value, int count);\n"
                                           "int missing(void);\n"
                                           "#endif\n";

static inline language_interface *language_test_interface(void)
{
    language_diagnostic diagnostic;
    language_interface *interface = language_interface_new(
        "phoenix.h", language_test_header, sizeof language_test_header - 1, &diagnostic);
    if (!interface) {
        printf("%s\n", diagnostic.text);
        exit(1);
    }
    return interface;
}

/* A file that is read whole; exits where it is not there. The caller frees it. */
static inline char *language_test_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(1 << 16);
    if (!file || !text) {
        printf("%s: cannot be read\n", path);
        exit(1);
    }
    *length = fread(text, 1, (1 << 16) - 1, file);
    text[*length] = '\0';
    fclose(file);
    return text;
}

/* Copies a text without its '@', and says on which line and in which column that stood, 0 if there
 * is none: so a row of a table shows where its error is. */
static inline void language_test_unmark(const char *marked, char *text, size_t size, int *line,
                                        int *column)
{
    size_t length = 0;
    int at_line = 1, at_column = 1;
    *line = *column = 0;
    for (; *marked && length + 1 < size; marked++) {
        if (*marked == '@') {
            *line = at_line;
            *column = at_column;
            continue;
        }
        text[length++] = *marked;
        at_column = *marked == '\n' ? 1 : at_column + 1;
        at_line += *marked == '\n';
    }
    text[length] = '\0';
}

/* A diagnostic that is as it should be: its kind, its place, a part of its text, its form. */
static inline void language_test_diagnostic(const char *source,
                                            const language_diagnostic *diagnostic,
                                            language_failure failure, int line, int column,
                                            const char *part)
{
    char place[40];
    snprintf(place, sizeof place, "a.c:%d:%d: ", line, column);
    CHECK(diagnostic->failure == failure, "%s\nfailure %d, want %d: %s", source,
          diagnostic->failure, failure, diagnostic->text);
    CHECK(diagnostic->line == line && diagnostic->column == column, "%s\nat %d:%d, want %d:%d: %s",
          source, diagnostic->line, diagnostic->column, line, column, diagnostic->text);
    CHECK(strstr(diagnostic->text, part) && strncmp(diagnostic->text, place, strlen(place)) == 0,
          "%s\nwant '%s' in: %s", source, part, diagnostic->text);
    CHECK(!strchr(diagnostic->text, '\n'), "two lines: %s", diagnostic->text);
    const char *caret = strchr(diagnostic->snippet, '\n');
    CHECK(caret && caret[strlen(caret) - 1] == '^' && !strchr(caret + 1, '\n'), "%s\nsnippet:\n%s",
          source, diagnostic->snippet);
}

/* A marked source that must be refused. */
static inline void language_test_refused(const language_interface *interface, const char *marked,
                                         language_failure failure, const char *part)
{
    char text[8192];
    int line, column;
    language_diagnostic diagnostic;
    language_test_unmark(marked, text, sizeof text, &line, &column);
    language_program *program = language_parse("a.c", text, strlen(text), interface, &diagnostic);
    CHECK(!program, "%s\naccepted, want '%s'", text, part);
    if (!program)
        language_test_diagnostic(text, &diagnostic, failure, line, column, part);
    language_program_free(program);
}

/* A source that must be accepted; NULL if it is not. */
static inline language_program *language_test_accepted(const language_interface *interface,
                                                       const char *text)
{
    language_diagnostic diagnostic;
    language_program *program = language_parse("a.c", text, strlen(text), interface, &diagnostic);
    CHECK(program, "%s\n%s\n%s", text, diagnostic.text, diagnostic.snippet);
    CHECK(!program || diagnostic.failure == LANGUAGE_OK, "%s\nfailure %d", text,
          diagnostic.failure);
    return program;
}

/* ---- a host for that interface, and for evolve/source/phoenix.h ---- */

typedef struct language_test_host_state {
    int calls, layers; /* of all, and of the last t5_new */
    double logged;
    int models[8]; /* handles point here */
} language_test_host_state;

static inline bool language_test_small(void *user, const language_value *arguments, int count,
                                       language_value *result, language_failure *failure,
                                       char reason[200])
{
    (void)arguments, (void)failure, (void)reason, (void)count;
    ((language_test_host_state *)user)->calls++;
    language_field(result, "d_model")->as.i = 512;
    language_field(result, "num_layers")->as.i = 6;
    language_field(result, "dropout_rate")->as.d = 0.25;
    return true;
}

static inline bool language_test_new(void *user, const language_value *arguments, int count,
                                     language_value *result, language_failure *failure,
                                     char reason[200])
{
    language_test_host_state *state = user;
    int layers = language_field(&arguments[0], "num_layers")->as.i;
    (void)count;
    state->calls++;
    state->layers = layers;
    if (layers < 1 || layers > 7) {
        *failure = layers < 1 ? LANGUAGE_RUN : LANGUAGE_LIMIT;
        snprintf(reason, 200, "num_layers is %d,\nwhich is no model", layers);
        return false;
    }
    result->as.handle = &state->models[layers];
    return true;
}

static inline bool language_test_loss(void *user, const language_value *arguments, int count,
                                      language_value *result, language_failure *failure,
                                      char reason[200])
{
    language_test_host_state *state = user;
    (void)count, (void)failure, (void)reason;
    state->calls++;
    int layers = (int)((int *)arguments[0].as.handle - state->models);
    result->as.d = layers + arguments[1].as.i / 100.0;
    return true;
}

static inline bool language_test_both(void *user, const language_value *arguments, int count,
                                      language_value *result, language_failure *failure,
                                      char reason[200])
{
    (void)user, (void)count, (void)failure, (void)reason;
    language_value *config = language_field(result, "config");
    language_field(config, "num_layers")->as.i = arguments[0].as.i;
    language_field(result, "model")->as.handle = arguments[1].as.handle;
    return true;
}

static inline bool language_test_log(void *user, const language_value *arguments, int count,
                                     language_value *result, language_failure *failure,
                                     char reason[200])
{
    (void)count, (void)failure, (void)reason, (void)result;
    ((language_test_host_state *)user)->logged += arguments[0].as.d * arguments[1].as.i;
    return true;
}

static inline language_host language_test_host(language_test_host_state *state)
{
    static const language_host_function functions[] = {
        {"t5_small", language_test_small}, {"t5_new", language_test_new},
        {"t5_loss", language_test_loss},   {"t5_both", language_test_both},
        {"t5_log", language_test_log},
    };
    memset(state, 0, sizeof *state);
    return (language_host){functions, sizeof functions / sizeof *functions, state};
}

#endif
