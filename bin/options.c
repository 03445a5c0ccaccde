/* options.c -- the command line, and what else every subcommand needs.
 *
 * A name after "--" is looked up in three tables of one kind (evolve/field.h): the command's own
 * options, the run options that it takes, and the settings. So all commands parse, refuse and
 * explain options in the same words. */
#include "bin/command.h"
#include "base/file.h"
#include "base/kind.h"
#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int complain(int code, const char *format, ...)
{
    va_list arguments;
    fflush(stdout);
    fputs("phoenix: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return code;
}

static void print_help(const command_line *line, const command_values *values)
{
    base_text text = {0};
    base_text_print(&text, "%s\n\n%s\n\noptions:\n", line->usage, line->about);
    evolve_fields_help(line->own, 0, values->own, &text);
    if (line->run)
        evolve_fields_help(evolve_option_fields, line->run, values->run, &text);
    base_text_print(&text, "  --%-15s %s\n", "help", "this text");
    if (line->preset) {
        base_text_print(&text, "  --%-15s starting values of the settings below:", "preset");
        for (const char *const *p = evolve_settings_presets(); *p; p++)
            base_text_print(&text, "%s %s", p == evolve_settings_presets() ? "" : ",", *p);
        base_text_print(&text, " (default %s)\n\nsettings:\n", line->preset);
        evolve_fields_help(evolve_setting_fields, 0, values->settings, &text);
    }
    if (!text.failed)
        fputs(text.data, stdout);
    base_text_free(&text);
}

/* The row of an option and where its value goes; NULL: it is none of the command's, nor a run
 * option that the command takes. */
static const evolve_field *find(const command_line *line, const command_values *values,
                                const char *name, void **of)
{
    const evolve_field *field = evolve_field_find(line->own, name);
    *of = values ? values->own : NULL;
    if (field)
        return field;
    *of = values ? values->run : NULL;
    field = evolve_field_find(evolve_option_fields, name);
    return field && field->marks & line->run ? field : NULL;
}

static const char *argument_of(int argc, char **argv, const char *name, const char *otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            otherwise = argv[i + 1];
    return otherwise;
}

/* --preset, --task and --scope come before the settings they are the starting point of, wherever
 * they stand. */
static bool apply_preset(const command_line *line, evolve_settings *settings, int argc, char **argv,
                         base_error *error)
{
    const char *scope = argument_of(argc, argv, "--scope", NULL);
    const char *pairs = argument_of(argc, argv, "--pairs", NULL);
    const char *task = argument_of(argc, argv, "--task", pairs ? "pairs" : NULL);
    const char *preset = argument_of(argc, argv, "--preset", line->preset);
    return evolve_settings_preset(settings, preset, error) &&
           (!task || evolve_settings_task(settings, task, error)) &&
           (!scope || evolve_settings_scope(settings, scope, error));
}

/* One argument and, where it takes one, its value. Advances *i. */
static bool read_one(const command_line *line, const command_values *values, int argc, char **argv,
                     int *i, int *operands, base_error *error)
{
    const char *argument = argv[*i];
    if (strncmp(argument, "--", 2) != 0) {
        if (*operands == line->most_operands)
            return base_fail(error, "%s: nothing more was expected here", argument);
        values->operands[(*operands)++] = argument;
        return true;
    }
    const char *name = argument + 2;
    void *of;
    const evolve_field *field = find(line, values, name, &of);
    bool is_preset = line->preset && strcmp(name, "preset") == 0;
    bool is_setting = !field && line->preset && evolve_field_find(evolve_setting_fields, name);
    if (!field && !is_preset && !is_setting)
        return base_fail(error, "%s: there is no such option", argument);
    if (field && field->kind == EVOLVE_FLAG)
        return evolve_field_set(field, of, NULL, error);
    if (*i + 1 == argc)
        return base_fail(error, "%s: a value was expected after it", argument);
    const char *value = argv[++*i];
    if (is_preset)
        return true;
    return field ? evolve_field_set(field, of, value, error)
                 : evolve_settings_set(values->settings, name, value, error);
}

int command_read(const command_line *line, const command_values *values, int argc, char **argv)
{
    base_error error;
    int operands = 0;
    bool ok = !line->preset || apply_preset(line, values->settings, argc, argv, &error);
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            print_help(line, values);
            return EXIT_DONE;
        }
    for (int i = 1; ok && i < argc; i++)
        ok = read_one(line, values, argc, argv, &i, &operands, &error);
    if (ok && operands < line->least_operands)
        ok = base_fail(&error, "more arguments were expected: %s", line->usage);
    if (ok)
        return -1;
    return complain(EXIT_USAGE, "%s (phoenix %s --help says more)", error.text, argv[0]);
}

/* Whether a setting given as text is what the settings have. */
static bool same_setting(const evolve_settings *settings, const char *name, const char *text)
{
    const evolve_field *field = evolve_field_find(evolve_setting_fields, name);
    evolve_settings given = *settings;
    return evolve_field_set(field, &given, text, NULL) &&
           memcmp((char *)&given + field->offset, (const char *)settings + field->offset,
                  sizeof(int64_t)) == 0; /* a double is as large */
}

bool command_agrees(const command_line *line, int argc, char **argv,
                    const evolve_settings *settings, base_error *error)
{
    for (int i = 1; i + 1 < argc; i++) {
        const char *name = argv[i] + 2;
        void *of;
        bool is_option = strncmp(argv[i], "--", 2) == 0;
        const evolve_field *field = is_option ? find(line, NULL, name, &of) : NULL;
        if (field || !is_option) {
            i += field && field->kind != EVOLVE_FLAG;
            continue;
        }
        const char *value = argv[++i];
        bool same = strcmp(name, "preset") == 0 ? strcmp(settings->preset, value) == 0
                                                : same_setting(settings, name, value);
        if (!same)
            return base_fail(error,
                             "--%s %s: the run was started with another; leave it out to go on "
                             "with the run, or start another",
                             name, value);
    }
    return true;
}

enum { MOST_SOURCE = 1 << 20 };

static char *read_standard_input(size_t *length, base_error *error)
{
    char *text = base_malloc(MOST_SOURCE + 1);
    if (!text) {
        base_fail(error, "standard input: no memory");
        return NULL;
    }
    *length = fread(text, 1, MOST_SOURCE + 1, stdin);
    if (ferror(stdin) || *length > MOST_SOURCE) {
        base_fail(error, "standard input: %s",
                  ferror(stdin) ? "cannot be read" : "expected at most 1 MiB");
        free(text);
        return NULL;
    }
    text[*length] = '\0';
    return text;
}

char *read_source(const char *path, size_t *length, base_error *error)
{
    if (strcmp(path, "-") == 0)
        return read_standard_input(length, error);
    char *text = base_file_read(path, MOST_SOURCE, length, error);
    const char *kind = text ? base_kind(text, *length) : NULL;
    if (!kind)
        return text;
    base_fail(error, "%s: is %s, expected a source", path, kind);
    free(text);
    return NULL;
}

evolve_options default_options(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t jobs = processors < 1 ? 1 : processors > 64 ? 64 : processors;
#if defined TENSOR_POSIX_THREADS || defined _OPENMP
    return (evolve_options){.jobs = jobs, .threads = jobs, .launcher = ""};
#else
    return (evolve_options){.jobs = jobs, .threads = 1, .launcher = ""};
#endif
}
