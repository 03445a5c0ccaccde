/* options.c -- the command line. */
#include "bin/command.h"
#include "base/file.h"
#include "base/number.h"
#include <errno.h>
#include <inttypes.h>
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

static void print_default(const option *o)
{
    const char *text = o->kind == OPTION_TEXT ? *(const char **)o->value : NULL;
    if (text && *text)
        printf(" (default %s)", text);
    else if (o->kind == OPTION_WHOLE)
        base_print_to(stdout, " (%.15g .. %.15g; default %" PRId64 ")", o->low, o->high,
                      *(int64_t *)o->value);
    else if (o->kind == OPTION_REAL)
        base_print_to(stdout, " (%.15g .. %.15g; default %g)", o->low, o->high,
                      *(double *)o->value);
}

static void print_help(const options *spec)
{
    printf("%s\n\n%s\n\noptions:\n", spec->usage, spec->about);
    for (const option *o = spec->own; o->name; o++) {
        printf("  --%-15s %s", o->name, o->help);
        print_default(o);
        putchar('\n');
    }
    printf("  --%-15s %s\n", "help", "this text");
    if (!spec->settings)
        return;
    printf("  --%-15s starting values of the settings below:", "preset");
    for (const char *const *p = evolve_settings_presets(); *p; p++)
        printf("%s %s", p == evolve_settings_presets() ? "" : ",", *p);
    printf(" (default %s)\n\nsettings:\n", spec->default_preset);
    base_text text = {0};
    evolve_settings_help(spec->settings, &text);
    if (!text.failed)
        fputs(text.data, stdout);
    base_text_free(&text);
}

static const option *find(const options *spec, const char *name)
{
    for (const option *o = spec->own; o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

static bool set(const option *o, const char *text, base_error *error)
{
    char *end;
    errno = 0;
    if (o->kind == OPTION_TEXT) {
        *(const char **)o->value = text;
        return true;
    }
    bool whole = o->kind == OPTION_WHOLE;
    long long integer = whole ? strtoll(text, &end, 10) : 0;
    double real = whole ? (double)integer : base_read_number(text, &end);
    if (end == text || text[strspn(text, "+-.0123456789eE")] || *end || errno ||
        !(real >= o->low && real <= o->high))
        return base_fail(error, "--%s %s: expected %s from %.15g to %.15g", o->name, text,
                         whole ? "a whole number" : "a number", o->low, o->high);
    if (whole)
        *(int64_t *)o->value = integer;
    else
        *(double *)o->value = real;
    return true;
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
static bool apply_preset(const options *spec, int argc, char **argv, base_error *error)
{
    const char *scope = argument_of(argc, argv, "--scope", NULL);
    const char *task = argument_of(argc, argv, "--task", NULL);
    if (!evolve_settings_preset(spec->settings,
                                argument_of(argc, argv, "--preset", spec->default_preset), error))
        return false;
    return (!task || evolve_settings_task(spec->settings, task, error)) &&
           (!scope || evolve_settings_scope(spec->settings, scope, error));
}

/* One argument and, where it takes one, its value. Advances *i. */
static bool read_one(const options *spec, int argc, char **argv, int *i, int *operands,
                     base_error *error)
{
    const char *argument = argv[*i];
    if (strncmp(argument, "--", 2) != 0) {
        if (*operands == spec->most_operands)
            return base_fail(error, "%s: nothing more was expected here", argument);
        spec->operands[(*operands)++] = argument;
        return true;
    }
    const char *name = argument + 2;
    const option *o = find(spec, name);
    bool is_preset = spec->settings && strcmp(name, "preset") == 0;
    bool is_setting = !o && spec->settings && evolve_settings_known(name);
    if (!o && !is_preset && !is_setting)
        return base_fail(error, "%s: there is no such option", argument);
    if (o && o->kind == OPTION_FLAG) {
        *(bool *)o->value = true;
        return true;
    }
    if (*i + 1 == argc)
        return base_fail(error, "%s: a value was expected after it", argument);
    const char *value = argv[++*i];
    if (is_preset)
        return true;
    return o ? set(o, value, error) : evolve_settings_set(spec->settings, name, value, error);
}

int options_read(const options *spec, int argc, char **argv)
{
    base_error error;
    int operands = 0;
    bool ok = !spec->settings || apply_preset(spec, argc, argv, &error);
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            print_help(spec);
            return EXIT_DONE;
        }
    for (int i = 1; ok && i < argc; i++)
        ok = read_one(spec, argc, argv, &i, &operands, &error);
    if (ok && operands < spec->least_operands)
        ok = base_fail(&error, "more arguments were expected: %s", spec->usage);
    if (ok)
        return -1;
    complain(EXIT_USAGE, "%s (phoenix %s --help says more)", error.text, argv[0]);
    return EXIT_USAGE;
}

/* Whether a setting given as text is what the settings have. */
static bool same_setting(const evolve_settings *settings, const char *name, const char *text)
{
    evolve_settings given = *settings;
    base_error error;
    base_text a = {0}, b = {0};
    bool ok = evolve_settings_set(&given, name, text, &error);
    evolve_settings_print(settings, &a);
    evolve_settings_print(&given, &b);
    ok = ok && !a.failed && !b.failed && strcmp(a.data, b.data) == 0;
    base_text_free(&a);
    base_text_free(&b);
    return ok;
}

bool options_agree(const options *spec, int argc, char **argv, const evolve_settings *settings,
                   base_error *error)
{
    for (int i = 1; i + 1 < argc; i++) {
        const char *name = argv[i] + 2;
        const option *o = strncmp(argv[i], "--", 2) == 0 ? find(spec, name) : NULL;
        if (o || strncmp(argv[i], "--", 2) != 0) {
            i += o && o->kind != OPTION_FLAG;
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
    char *text = malloc(MOST_SOURCE + 1);
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
    return base_file_read(path, MOST_SOURCE, length, error);
}

int processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 64 ? 64 : (int)n;
}

int default_threads(void)
{
#if defined TENSOR_POSIX_THREADS || defined _OPENMP
    return processors();
#else
    return 1;
#endif
}
