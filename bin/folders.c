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

/* Of a network or a T5: its weights and what stands beside them under a name of its own. */
static bool is_of_model(const char *folder, const char *name)
{
    static const char *const names[] = {
        "model.safetensors",    "network.json",           "source.c",
        "config.json",          "generation_config.json", "tokenizer.json",
        "tokenizer_config.json"};
    bool is_named = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        is_named = is_named || strcmp(name, names[i]) == 0;
    return is_named && base_file_exists_in(folder, name) &&
           base_file_exists_in(folder, "model.safetensors");
}

/* By the path that a symbolic link leads to, since that is what would be written. */
bool output_suits(const char *path, base_error *error)
{
    if (strcmp(path, "-") == 0)
        return base_fail(error, "-: expected the name of a file or folder (./- is one)");
    char *real = base_file_real(path);
    const char *whole = real ? real : path;
    const char *slash = strrchr(whole, '/'), *name = slash ? slash + 1 : whole;
    char *folder = slash ? base_copy(whole, (size_t)(slash - whole) + 1) : base_copy("./", 2);
    const bool is_run = base_file_exists_in(path, "manifest.json");
    const bool is_of_run = folder && base_file_exists_in(folder, "manifest.json") &&
                           (loop_folder_owns(name) || strcmp(name, "journal.jsonl") == 0);
    const bool is_part = folder && is_of_model(folder, name);
    base_free(folder);
    base_free(real);
    return !(is_run || is_of_run || is_part) ||
           base_fail(error, "%s: is %s, which nothing else is to be written to", path,
                     is_run      ? "the folder of a run"
                     : is_of_run ? "what a run has written"
                                 : "part of a trained model");
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
