/* SPDX-License-Identifier: MIT */
/* folders.c -- what a folder that is named on a command line holds. */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "bin/command.h"
#include "evolve/loop/folder.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    unsigned kind;
    const char *owner, *takers;
} kinds[] = {
    {FOLDER_RUN, "run", "phoenix report, why and verify take it"},
    {FOLDER_NETWORK, "trained network", "phoenix predict and export take it"},
    {FOLDER_T5, "T5", "phoenix generate and export take it"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static unsigned kinds_in(const char *path)
{
    char *t5 = t5_folder(path);
    const unsigned found = (base_file_exists_in(path, "manifest.json") ? FOLDER_RUN : 0) |
                           (has_network(path) ? FOLDER_NETWORK : 0) | (t5 ? FOLDER_T5 : 0);
    base_free(t5);
    return found;
}

bool folder_suits(const char *path, unsigned wanted, base_error *error)
{
    struct stat status;
    const bool is_there = stat(path, &status) == 0, is_folder = is_there && S_ISDIR(status.st_mode);
    const unsigned found = is_folder ? kinds_in(path) : 0;
    if (!is_there || found & wanted || (is_folder && !found))
        return true;
    base_text names = {0};
    int is = 0;
    while (is_folder && !(kinds[is].kind & found))
        is++;
    for (int i = 0; i < KINDS; i++)
        if (kinds[i].kind & wanted)
            base_text_print(&names, "%s%s", names.length ? " or a " : "", kinds[i].owner);
    const char *expected = names.failed ? "model" : names.data;
    if (!is_folder)
        base_fail(error, "%s: is no folder, expected that of a %s", path, expected);
    else if (found & FOLDER_RUN)
        base_fail(error, "%s: is the folder of a run, in which there is no %s so far", path,
                  expected);
    else
        base_fail(error, "%s: is the folder of a %s (%s), expected that of a %s", path,
                  kinds[is].owner, kinds[is].takers, expected);
    base_text_free(&names);
    return false;
}

bool output_suits(const char *path, base_error *error)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *folder = slash ? base_copy(path, (size_t)(slash - path) + 1) : base_copy("./", 2);
    const bool is_run = base_file_exists_in(path, "manifest.json");
    const bool is_of_run = folder && base_file_exists_in(folder, "manifest.json") &&
                           (loop_folder_owns(name) || strcmp(name, "journal.jsonl") == 0);
    base_free(folder);
    return !(is_run || is_of_run) ||
           base_fail(error, "%s: is %s, which nothing else is to be written to", path,
                     is_run ? "the folder of a run" : "what a run has written");
}

bool has_network(const char *path)
{
    return base_file_exists_in(path, "network.json") ||
           base_file_exists_in(path, "model/network.json");
}

char *last_model(const char *run)
{
    char *found = NULL;
    for (int i = 0;; i++) {
        char name[32];
        snprintf(name, sizeof name, "episode-%d/model", i);
        char *path = base_file_path(run, name);
        if (!path || !base_file_exists(path)) {
            base_free(path);
            return found;
        }
        base_free(found);
        found = path;
    }
}

char *t5_folder(const char *path)
{
    if (base_file_exists_in(path, "config.json"))
        return base_copy(path, strlen(path));
    return base_file_exists_in(path, "model/config.json") ? base_file_path(path, "model")
                                                          : last_model(path);
}

char *model_folder(const char *path)
{
    char *folder = t5_folder(path);
    return folder ? folder : base_copy(path, strlen(path));
}
