/* SPDX-License-Identifier: MIT */
/* folder.c -- two folders change names; then the old one goes, but for what only it has. */
#define _GNU_SOURCE /* syscall(), where there is one */
#include "base/folder.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined __linux__
#include <sys/syscall.h>
#endif

static bool exchange(const char *one, const char *other)
{
#if defined SYS_renameat2
    const unsigned both_stay = 2; /* RENAME_EXCHANGE of linux/fs.h */
    return syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, both_stay) == 0;
#else
    (void)one, (void)other;
    errno = ENOSYS;
    return false;
#endif
}

/* The process that has staged something under that name beside `name`; 0: it is no such name. */
static pid_t stager(const char *entry, const char *name)
{
    const size_t length = strlen(name);
    if (strncmp(entry, name, length) != 0 || entry[length] != '.')
        return 0;
    char *end;
    const long process = strtol(entry + length + 1, &end, 10);
    return strcmp(end, "-0.tmp") == 0 && process > 0 && end[-1] != '.' ? (pid_t)process : 0;
}

static void sweep(const char *parent, const char *name)
{
    DIR *entries = opendir(parent);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        const pid_t process = stager(entry->d_name, name);
        char *left = process && kill(process, 0) != 0 && errno == ESRCH
                         ? base_file_path(parent, entry->d_name)
                         : NULL;
        if (left)
            base_remove_folder(left);
        base_free(left);
    }
    if (entries)
        closedir(entries);
}

bool base_folder_begin(base_folder *folder, const char *path, base_error *error)
{
    *folder = (base_folder){.made = !base_file_exists(path)};
    if (!base_file_make_folder(path, error))
        return false;
    folder->path = base_file_real(path);
    base_text staged = {0};
    if (folder->path)
        base_text_print(&staged, "%s.%ld-0.tmp", folder->path, (long)getpid());
    if (!folder->path || staged.failed) {
        base_text_free(&staged);
        return base_fail(error, "%s: cannot follow its name: %s", path, strerror(errno));
    }
    folder->staged = staged.data;
    char *slash = strrchr(folder->path, '/');
    if (slash > folder->path) { /* not "/" itself, and nothing directly in it */
        *slash = '\0';
        sweep(folder->path, slash + 1);
        *slash = '/';
    }
    base_remove_folder(folder->staged); /* of an earlier process of this number */
    return true;
}

/* Whether this process stands in the folder or below: who exchanged it would leave its user in the old
 * one. */
static bool stand_within(const char *path)
{
    const size_t length = strlen(path);
    char *here = base_file_real(".");
    const bool within = !here || (strncmp(here, path, length) == 0 &&
                                  (here[length] == '/' || here[length] == '\0'));
    base_free(here);
    return within;
}

/* Calls back with the paths of each entry of `from` in `from` and in `to`. */
static bool each(const char *from, const char *to,
                 bool (*act)(const char *one, const char *other, base_error *error),
                 base_error *error)
{
    DIR *entries = opendir(from);
    bool ok = entries || base_fail(error, "%s: cannot open the folder: %s", from, strerror(errno));
    for (struct dirent *entry; ok && (entry = readdir(entries));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *one = base_file_path(from, entry->d_name), *other = base_file_path(to, entry->d_name);
        ok = one && other ? act(one, other, error) : base_fail(error, "%s: no memory", from);
        base_free(one);
        base_free(other);
    }
    if (entries)
        closedir(entries);
    return ok;
}

/* An entry of the old folder goes, or is moved over where the new one lacks it. */
static bool settle(const char *old, const char *now, base_error *error)
{
    struct stat status;
    if (lstat(now, &status) != 0)
        return rename(old, now) == 0 ||
               base_fail(error, "%s: cannot move to %s: %s", old, now, strerror(errno));
    if (unlink(old) != 0)
        base_remove_folder(old);
    return true;
}

/* An entry of the staged folder takes the place of the old one's. */
static bool place(const char *staged, const char *now, base_error *error)
{
    struct stat status;
    if (lstat(now, &status) == 0 && S_ISDIR(status.st_mode)) {
        if (exchange(staged, now))
            return true;
        base_text aside = {0};
        base_text_print(&aside, "%s.old", staged);
        const bool ok = !aside.failed && rename(now, aside.data) == 0 &&
                        (rename(staged, now) == 0 || (rename(aside.data, now), false));
        base_text_free(&aside); /* what it names goes with the rest */
        return ok || base_fail(error, "%s: cannot be replaced: %s", now, strerror(errno));
    }
    return rename(staged, now) == 0 ||
           base_fail(error, "%s: cannot rename to this name: %s", now, strerror(errno));
}

/* Makes the name of the folder last, before anything of what stood under it is removed. */
static void sync_name(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == path) {
        base_file_sync_folder("/");
        return;
    }
    *slash = '\0';
    base_file_sync_folder(path);
    *slash = '/';
}

/* From here on the staged folder is called PATH.PROCESS-0.old: what is in it may be the user's, and a
 * sweep leaves it alone. */
static bool take_over(base_folder *folder, base_error *error)
{
    struct stat status;
    if (stat(folder->path, &status) != 0 && errno == ENOENT) { /* removed meanwhile */
        base_file_sync_folder(folder->staged);
        const bool is_back = rename(folder->staged, folder->path) == 0;
        sync_name(folder->path);
        return is_back ||
               base_fail(error, "%s: cannot be made again: %s", folder->path, strerror(errno));
    }
    char *old = base_copy(folder->staged, strlen(folder->staged));
    if (!old)
        return base_fail(error, "%s: no memory", folder->path);
    memcpy(old + strlen(old) - 3, "old", 3);
    base_file_sync_folder(folder->staged);
    bool ok =
        (stat(folder->path, &status) == 0 && chmod(folder->staged, status.st_mode & 07777) == 0 &&
         rename(folder->staged, old) == 0) ||
        base_fail(error, "%s: cannot be replaced: %s", folder->path, strerror(errno));
    if (ok) {
        const bool whole = !stand_within(folder->path) && exchange(old, folder->path);
        sync_name(folder->path);
        ok = each(old, folder->path, whole ? settle : place, error);
        base_file_sync_folder(folder->path);
        if (ok)
            base_remove_folder(old);
    }
    base_free(old);
    return ok;
}

bool base_folder_commit(base_folder *folder, base_error *error)
{
    const bool ok = take_over(folder, error);
    base_folder_abandon(folder);
    return ok;
}

void base_folder_abandon(base_folder *folder)
{
    if (folder->staged)
        base_remove_folder(folder->staged);
    if (folder->path && folder->made)
        rmdir(folder->path);
    base_free(folder->path);
    base_free(folder->staged);
    *folder = (base_folder){0};
}
