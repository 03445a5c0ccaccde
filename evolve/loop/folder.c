/* SPDX-License-Identifier: MIT */
/* folder.c -- a run writes to fixed names, so it takes a folder in which none of them is somebody else's. */
#include "evolve/loop/folder.h"
#include "base/file.h"
#include "base/memory.h"
#include "evolve/loop/manifest.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* first.c, first-2.c, ..., episode-0, ...: with a number behind, or without. */
static const char *const begun[] = {"manifest.json", "experience.csv", "timing.jsonl", "first.c"};
static const char *const later[] = {"source.c", "summary.txt", "model", "networks"};

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool is_of_beginning(const char *name)
{
    return is_one_of(name, begun, sizeof begun / sizeof *begun) || strncmp(name, "first-", 6) == 0;
}

bool loop_folder_owns(const char *name)
{
    return is_of_beginning(name) || is_one_of(name, later, sizeof later / sizeof *later) ||
           strncmp(name, "episode-", 8) == 0;
}

/* What a start that was killed has left is told from a user's files by the journal, which is made first. */
static bool is_free(const char *folder, base_error *error)
{
    if (!loop_manifest_absent(folder, error))
        return false;
    if (base_file_exists_in(folder, "journal.jsonl"))
        return true;
    DIR *entries = opendir(folder);
    bool ok = true;
    for (struct dirent *entry; ok && entries && (entry = readdir(entries));)
        ok = !loop_folder_owns(entry->d_name) ||
             base_fail(error,
                       "%s: has %s, and a run writes to that name: name another folder with --run",
                       folder, entry->d_name);
    if (entries)
        closedir(entries);
    return ok;
}

bool loop_folder_take(const char *folder, bool fresh, bool *made, bool *taken, base_error *error)
{
    bool claimed;
    *made = fresh || !base_file_exists(folder);
    if (!fresh)
        return base_file_make_folder(folder, error) && is_free(folder, error);
    if (!base_file_claim_folder(folder, &claimed, error))
        return false;
    *taken = !claimed;
    return claimed || base_fail(error, "%s: is there already", folder);
}

static void remove_one(const char *folder, const char *name)
{
    char *path = base_file_path(folder, name);
    if (path)
        unlink(path);
    base_free(path);
}

/* The manifest goes first and the journal last: a crash between leaves what another start takes over. */
void loop_folder_give_back(const char *folder, bool made)
{
    remove_one(folder, "manifest.json");
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (is_of_beginning(entry->d_name))
            remove_one(folder, entry->d_name);
    if (entries)
        closedir(entries);
    remove_one(folder, "journal.jsonl");
    if (made)
        rmdir(folder);
}
