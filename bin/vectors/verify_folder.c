/* SPDX-License-Identifier: MIT */
/* verify_folder.c -- the reference vectors of a folder, case by case, as phoenix verify prints them.
 *
 * A folder is one T5 case (it holds config.json), or a folder of cases, which may also hold
 * nn_ops.json and relative_buckets.json. Of each case the line shows the quantity that comes
 * nearest to its tolerance. */
#include "base/file.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/text.h"
#include "bin/command.h"
#include "bin/vectors/verify.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The worst of a case, for its one line. */
typedef struct verdict {
    bool every_line;
    int lines, failed;
    verify_line worst; /* of the lines so far, the one with the largest share of its tolerance */
} verdict;

static double share(const verify_line *line)
{
    if (line->tolerance > 0)
        return line->error / line->tolerance;
    return line->ok ? 0 : 1e300;
}

static void print_line(const char *name, const verify_line *line)
{
    tell("  %-4s %-46s error %-10.3g at most %-10.3g%s%s\n", line->ok ? "ok" : "FAIL", name,
         line->error, line->tolerance, *line->note ? "  " : "", line->note);
}

static void take(void *user, const verify_line *line)
{
    verdict *v = user;
    if (v->lines == 0 || (!line->ok && v->worst.ok) ||
        (line->ok == v->worst.ok && share(line) > share(&v->worst)))
        v->worst = *line;
    v->lines++;
    v->failed += !line->ok;
    if (v->every_line || !line->ok)
        print_line(line->name, line);
}

typedef bool verify_function(const char *path, void (*report)(void *user, const verify_line *line),
                             void *user, base_error *error);

/* Runs one case and prints its line; what cannot be read is a failure like any other. */
static bool run_case(const char *name, verify_function *function, const char *path, bool every_line)
{
    verdict v = {.every_line = every_line};
    base_error error;
    bool read = function(path, take, &v, &error);
    bool ok = read && v.failed == 0 && v.lines > 0;
    tell("%-4s %s: ", ok ? "ok" : "FAIL", name);
    if (!read)
        tell("%s\n", error.text);
    else if (v.lines == 0)
        tell("nothing to compare\n");
    else
        tell("%d quantities, largest error %.3g of at most %.3g (%s)\n", v.lines, v.worst.error,
             v.worst.tolerance, v.worst.name);
    return ok;
}

/* Runs the case if folder/file is there: on the file's folder, or on the file itself. */
static void run_if_there(verify_cases *t, const char *name, const char *folder, const char *file,
                         verify_function *function, bool on_file)
{
    char *path = base_file_path(folder, file);
    if (path && base_file_exists(path)) {
        t->cases++;
        t->failed += !run_case(name, function, on_file ? path : folder, t->every_line);
    }
    base_free(path);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, sorted; *count of them, each malloc'ed. */
static char **list(const char *folder, int *count)
{
    DIR *directory = opendir(folder);
    char **names = NULL;
    *count = 0;
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char **grown = entry->d_name[0] == '.'
                           ? NULL
                           : base_list_grow(names, (size_t)*count, 1, sizeof *names);
        if (!grown)
            continue;
        names = grown;
        names[*count] = base_copy(entry->d_name, strlen(entry->d_name));
        *count += names[*count] != NULL;
    }
    if (directory)
        closedir(directory);
    if (names)
        qsort(names, (size_t)*count, sizeof *names, by_name);
    return names;
}

void verify_folder(verify_cases *t, const char *folder)
{
    run_if_there(t, "relative_buckets", folder, "relative_buckets.json", verify_buckets, true);
    run_if_there(t, "nn_ops", folder, "nn_ops.json", verify_ops, false);
    run_if_there(t, folder, folder, "config.json", verify_t5_case, false);
    int count;
    char **names = list(folder, &count);
    for (int i = 0; i < count; i++) {
        char *inside = base_file_path(folder, names[i]);
        if (inside)
            run_if_there(t, names[i], inside, "config.json", verify_t5_case, false);
        base_free(inside);
        base_free(names[i]);
    }
    base_free(names);
}
