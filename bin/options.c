/* SPDX-License-Identifier: MIT */
/* options.c -- the command line, and what else every subcommand needs.
 *
 * A name after "--" is looked up in three tables of one kind (evolve/field.h): the command's own
 * options, the run options that it takes, and the settings. So all commands parse, refuse and
 * explain options in the same words. One reader goes from argument to argument for all who look at
 * a command line, so that none of them takes a value for an option. */
#include "bin/command.h"
#include "base/file.h"
#include "base/guess.h"
#include "base/kind.h"
#include "base/memory.h"
#include "base/number.h"
#include "bin/progress.h"
#include "bin/terminal.h"
#include "evolve/source/host.h"
#include "evolve/task.h"
#include "evolve/uses.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *reading; /* the command whose command line is, or was, read */

static bool complained;

bool has_complained(void) { return complained; }

void command_hint(base_text *to, const char *before, const char *path, const char *behind)
{
    base_text_add_path(to, command_called);
    base_text_print(to, " %s ", before);
    base_text_add_path(to, path);
    base_text_print(to, "%s", behind);
}

int complain(int code, const char *format, ...)
{
    va_list arguments;
    base_text line = {0}, folded = {0};
    char text[2048];
    va_start(arguments, format);
    base_print_list(text, sizeof text, format, arguments);
    va_end(arguments);
    progress_end();
    fflush(stdout);
    base_text_print(&line, "phoenix: ");
    base_text_add_visible(&line, text, strlen(text)); /* it may repeat what was typed */
    if (code == EXIT_USAGE && reading)
        base_text_print(&line, " (phoenix %s --help says more)", reading);
    base_text_print(&line, "\n");
    if (!line.failed && isatty(STDERR_FILENO) == 1)
        terminal_fold(&folded, line.data, terminal_columns(STDERR_FILENO));
    fputs(folded.data && !folded.failed ? folded.data : line.failed ? text : line.data, stderr);
    base_text_free(&line);
    base_text_free(&folded);
    complained = complained || code != EXIT_DONE;
    return code;
}

void tell(const char *format, ...)
{
    va_list arguments;
    base_text line = {0};
    char text[8192];
    va_start(arguments, format);
    base_print_list(text, sizeof text, format, arguments);
    va_end(arguments);
    base_text_add_visible(&line, text, strlen(text));
    fputs(line.failed ? "no memory for a line\n" : line.data ? line.data : "", stdout);
    base_text_free(&line);
}

int complain_go_on(int code, const char *what, const char *before, const char *path,
                   const char *behind)
{
    base_text command = {0};
    command_hint(&command, before, path, behind);
    complain(code, "%s; go on with: %s", what, command.failed ? "" : command.data);
    base_text_free(&command);
    return code;
}

/* ---- one argument after the other ---- */

typedef struct argument {
    const char *text; /* as it was typed */
    enum { OPERAND, OPTION, SETTING, PRESET, HELP, NOTHING } kind;
    const evolve_field *field; /* of OPTION and SETTING */
    void *of;                  /* the struct that it is in */
    const char *value;         /* NULL: it takes none */
} argument;

typedef struct reader {
    const command_line *line;
    const command_values *values; /* NULL: nobody's */
    int argc, at;                 /* at: of the next argument */
    char **argv;
    bool only_operands; /* "--" was there */
} reader;

enum { LONGEST_NAME = 40 };

/* Looks an option up in the command's own table, the run options that it takes and the settings. */
static bool find(const reader *r, const char *name, argument *a)
{
    const command_line *line = r->line;
    const command_values none = {0}, *values = r->values ? r->values : &none;
    const evolve_field *run = evolve_field_find(evolve_option_fields, name);
    *a = (argument){.text = a->text, .kind = OPTION};
    if ((a->field = evolve_field_find(line->own, name))) {
        a->of = values->own;
    } else if (run && run->marks & line->run) {
        a->field = run;
        a->of = values->run;
    } else if (strcmp(name, "help") == 0) {
        a->kind = HELP;
    } else if (line->preset && strcmp(name, "preset") == 0) {
        a->kind = PRESET;
    } else if (line->preset && (a->field = evolve_field_find(evolve_setting_fields, name))) {
        a->kind = SETTING;
        a->of = values->settings;
    } else {
        return false;
    }
    return true;
}

static bool no_such(const command_line *line, const char *text, const char *name, base_error *error)
{
    base_guess guess = {.word = name};
    for (const evolve_field *f = line->own; f && f->name; f++)
        base_guess_offer(&guess, f->name);
    for (const evolve_field *f = evolve_option_fields; f->name; f++)
        if (f->marks & line->run)
            base_guess_offer(&guess, f->name);
    for (const evolve_field *f = evolve_setting_fields; line->preset && f->name; f++)
        if (f->marks & line->uses)
            base_guess_offer(&guess, f->name);
    if (line->preset)
        base_guess_offer(&guess, "preset");
    return base_fail(error, "%s: there is no such option%s%s%s", text,
                     guess.name ? "; did you mean --" : "", guess.name ? guess.name : "",
                     guess.name ? "?" : "");
}

/* Takes the next argument and, where it has one, its value. False: it is wrong; the one behind it can
 * be read all the same. There has to be one. */
static bool next(reader *r, argument *a, base_error *error)
{
    char name[LONGEST_NAME];
    const char *text = r->argv[r->at++];
    *a = (argument){.text = text, .kind = OPERAND};
    if (r->only_operands || *text != '-' || text[1] == '\0')
        return true;
    if (strcmp(text, "--") == 0) {
        r->only_operands = true;
        a->kind = NOTHING;
        return true;
    }
    size_t length = strcspn(text, "=");
    const char *attached = text[length] ? text + length + 1 : NULL;
    bool is_h = strcmp(text, "-h") == 0;
    if (length > 2 && length - 2 < sizeof name) {
        memcpy(name, text + 2, length - 2);
        name[length - 2] = '\0';
    } else {
        strcpy(name, is_h ? "help" : "");
    }
    if (!is_h && strncmp(text, "--", 2) != 0)
        name[0] = '\0';
    if (!*name || !find(r, name, a))
        return no_such(r->line, text, name, error);
    bool more = r->at < r->argc, is_flag = a->kind == OPTION && a->field->kind == EVOLVE_FLAG;
    if (a->kind == HELP && !attached && !(more && strcmp(r->argv[r->at], "all") == 0))
        return true;
    if (is_flag && attached)
        return base_fail(error, "%s: --%s takes no value", text, name);
    if (is_flag)
        return true;
    if (!attached && !more)
        return base_fail(error, "%s: a value was expected after it", text);
    a->value = attached ? attached : r->argv[r->at++];
    return true;
}

/* ---- a whole command line ---- */

/* Whoever names a column for the label, or a CSV file, has a table. */
static bool is_of_table(const argument *a)
{
    size_t length = a->value ? strlen(a->value) : 0;
    return a->kind == OPTION && (strcmp(a->field->name, "label") == 0 ||
                                 (strcmp(a->field->name, "data") == 0 && length > 4 &&
                                  strcmp(a->value + length - 4, ".csv") == 0));
}

/* --preset, --task and --scope come before the settings they are the starting point of, wherever
 * they stand. help: --help is there, and whether for all. */
static bool begin(reader r, evolve_settings *settings, bool *help, bool *all, base_error *error)
{
    const char *preset = r.line->preset, *task = NULL, *scope = NULL;
    bool pairs = false, table = false;
    argument a;
    *help = *all = false;
    while (r.at < r.argc) {
        base_error later; /* what is wrong is said by whoever reads in earnest */
        if (!next(&r, &a, &later))
            continue;
        if (a.kind == HELP) {
            *help = true;
            *all = *all || (a.value && strcmp(a.value, "all") == 0);
        } else if (a.kind == PRESET) {
            preset = a.value;
        } else if (a.kind == SETTING && strcmp(a.field->name, "task") == 0) {
            task = a.value;
        } else if (a.kind == SETTING && strcmp(a.field->name, "scope") == 0) {
            scope = a.value;
        } else if (a.kind == OPTION && strcmp(a.field->name, "pairs") == 0) {
            pairs = true;
        } else {
            table = table || is_of_table(&a);
        }
    }
    if (pairs && !task)
        task = "pairs";
    if (table && !task && preset) {
        task = "table";
        r.values->run->guessed = true;
    }
    return !preset || (evolve_settings_preset(settings, preset, error) &&
                       (!task || evolve_settings_task(settings, task, error)) &&
                       (!scope || evolve_settings_scope(settings, scope, error)));
}

/* An empty one is what a shell makes of a variable that is not set, and in front of /manifest.json a folder that
 * nobody meant. */
static bool may_be_empty(const evolve_field *field)
{
    return strcmp(field->name, "launcher") == 0 || strcmp(field->name, "without") == 0;
}

static bool read_all(reader r, base_error *error)
{
    argument a;
    int operands = 0;
    while (r.at < r.argc) {
        if (!next(&r, &a, error))
            return false;
        if (a.kind == OPERAND && operands == r.line->most_operands)
            return base_fail(error, "%s: nothing more was expected here", a.text);
        if (a.kind == OPERAND && !*a.text)
            return base_fail(error, "a name was expected, and not an empty one: %s", r.line->usage);
        if (a.kind == OPERAND)
            r.values->operands[operands++] = a.text;
        else if (a.field && a.field->kind == EVOLVE_TEXT && !*a.value && !may_be_empty(a.field))
            return base_fail(error, "--%s: a text was expected, and not an empty one",
                             a.field->name);
        else if (a.field && !evolve_field_set(a.field, a.of, a.value, error))
            return false;
    }
    return operands >= r.line->least_operands ||
           base_fail(error, "more arguments were expected: %s", r.line->usage);
}

/* Settings and options that would change nothing: whoever gives them means something else, or, of
 * some, the same for all. */
static bool check_uses(reader r, base_error *error)
{
    const evolve_settings *settings = r.values->settings;
    const evolve_options *run = r.values->run;
    argument a;
    while (r.at < r.argc && next(&r, &a, error)) {
        if (a.kind == SETTING &&
            !evolve_use_check(a.field, a.value, settings, r.line->uses, error)) {
            if (!(r.line->uses & EVOLVE_USE_SEARCH && a.field->marks & EVOLVE_USE_SPARE))
                return false;
            if (!run->quiet)
                complain(EXIT_DONE, "%s", error->text);
        }
        if (a.kind != OPTION || a.of != (const void *)run)
            continue;
        if (strcmp(a.field->name, "cc") == 0 && run->executor != EVOLVE_NATIVE)
            return base_fail(
                error, "--cc %s: would change nothing: only --executor native compiles", a.value);
        if (a.field->marks & EVOLVE_OF_IMAGES && !evolve_task_has_folder(settings))
            return base_fail(error, "--%s %s: would change nothing: --task %s reads no folder",
                             a.field->name, a.value, evolve_task_names[settings->task]);
        bool rows = evolve_task_is_table(settings), of_rows = a.field->marks & EVOLVE_OF_TABLES;
        if (a.field->marks & EVOLVE_OF_IMAGES && of_rows != rows &&
            strcmp(a.field->name, "data") != 0)
            return base_fail(error, "--%s %s: would change nothing: --task %s reads %s",
                             a.field->name, a.value, evolve_task_names[settings->task],
                             rows ? "a table" : "pictures");
        if (a.field->marks & EVOLVE_OF_CORPUS &&
            !(evolve_uses(settings, r.line->uses) & EVOLVE_USE_STAGE))
            return base_fail(error, "--%s %s: would change nothing: no T5 is trained to refine",
                             a.field->name, a.value);
        if (a.field->marks & EVOLVE_OF_PAIRS && !evolve_task_has_pairs(settings))
            return base_fail(error, "--%s %s: would change nothing: only --task pairs reads them",
                             a.field->name, a.value);
    }
    return true;
}

/* Of those that are folders of this program's. */
static bool operands_suit(const command_line *line, const char *const *operands, base_error *error)
{
    const int count = line->takes_more ? line->most_operands : line->takes ? 1 : 0;
    for (int i = 0; i < count && operands[i]; i++)
        if (!folder_suits(operands[i], line->takes, error))
            return false;
    return true;
}

/* What a command writes. */
static bool outputs_suit(const command_line *line, const command_values *values, base_error *error)
{
    static const char *const outputs[] = {"out", "csv", "onnx", "weights"};
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        const evolve_field *field = evolve_field_find(line->own, outputs[i]);
        const char *path =
            field ? *(const char *const *)((const char *)values->own + field->offset) : NULL;
        if (path && !output_suits(path, error))
            return false;
    }
    return true;
}

int command_read(const command_line *line, const command_values *values, int argc, char **argv)
{
    base_error error;
    bool help, all;
    const reader r = {.line = line, .values = values, .argc = argc, .argv = argv, .at = 1};
    reading = argv[0];
    bool ok = begin(r, values->settings, &help, &all, &error);
    if (ok && help) {
        command_help(line, values, all);
        return EXIT_DONE;
    }
    ok = ok && read_all(r, &error);
    if (ok && line->uses && !(values->unchecked && *values->unchecked))
        ok = check_uses(r, &error);
    if (!ok)
        return complain(EXIT_USAGE, "%s", error.text);
    ok = operands_suit(line, values->operands, &error) && outputs_suit(line, values, &error);
    return ok ? -1 : complain(EXIT_FAILED, "%s", error.text);
}

int command_values_of(const command_line *line, int argc, char **argv, const char *name,
                      const char **values)
{
    reader r = {.line = line, .argc = argc, .argv = argv, .at = 1};
    argument a;
    base_error error;
    int count = 0;
    while (r.at < r.argc)
        if (next(&r, &a, &error) && a.field && strcmp(a.field->name, name) == 0) {
            if (values)
                values[count] = a.value;
            count++;
        }
    return count;
}

bool command_has(const command_line *line, int argc, char **argv, const char *name)
{
    return command_values_of(line, argc, argv, name, NULL) > 0;
}

/* Whether a setting given as text is what the settings have. */
static bool same_setting(const evolve_settings *settings, const evolve_field *field,
                         const char *text)
{
    evolve_settings given = *settings;
    return evolve_field_set(field, &given, text, NULL) &&
           memcmp((char *)&given + field->offset, (const char *)settings + field->offset,
                  sizeof(int64_t)) == 0; /* a double is as large */
}

/* Of an option that is given several times the last one counts, on a run's first start and on later ones. */
static bool comes_again(reader rest, const argument *a)
{
    argument later;
    base_error ignored;
    while (rest.at < rest.argc && next(&rest, &later, &ignored))
        if (later.kind == a->kind && later.field == a->field)
            return true;
    return false;
}

bool command_agrees(const command_line *line, int argc, char **argv,
                    const evolve_settings *settings, base_error *error)
{
    reader r = {.line = line, .argc = argc, .argv = argv, .at = 1};
    argument a;
    while (r.at < r.argc && next(&r, &a, error)) {
        if (comes_again(r, &a))
            continue;
        bool same = a.kind == PRESET    ? strcmp(settings->preset, a.value) == 0
                    : a.kind == SETTING ? same_setting(settings, a.field, a.value)
                                        : true;
        if (!same)
            return base_fail(error,
                             "--%s %s: the run was started with another; leave it out to go on "
                             "with the run, or start another",
                             a.kind == PRESET ? "preset" : a.field->name, a.value);
    }
    return true;
}

static char *read_standard_input(size_t *length, base_error *error)
{
    char *text = base_malloc(SOURCE_MOST + 1);
    if (!text) {
        base_fail(error, "standard input: no memory");
        return NULL;
    }
    *length = fread(text, 1, SOURCE_MOST + 1, stdin);
    if (ferror(stdin) || *length > SOURCE_MOST) {
        base_fail(error, "standard input: %s",
                  ferror(stdin) ? "cannot be read" : "expected at most 1 MiB");
        base_free(text);
        return NULL;
    }
    text[*length] = '\0';
    base_kind_drop_mark(text, length);
    return text;
}

char *read_source(const char *path, size_t *length, base_error *error)
{
    if (strcmp(path, "-") == 0)
        return read_standard_input(length, error);
    char *text = base_file_read_text(path, SOURCE_MOST, length, error);
    const char *kind = text ? base_kind(text, *length) : NULL;
    if (!kind)
        return text;
    base_fail(error, "%s: is %s, expected a source", path, kind);
    base_free(text);
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
