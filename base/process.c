/* SPDX-License-Identifier: MIT */
/* process.c -- pipes, temporary folders and first lines, in POSIX calls.
 *
 * Nothing here outlives the work it is for: pipes do not survive an exec by accident, and a folder
 * is removed by whoever made it. */
#include "base/process.h"

#include "base/file.h"
#include "base/memory.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool base_pipe(int ends[2], int lowest)
{
    int raw[2];
    ends[0] = ends[1] = -1;
    if (pipe(raw) != 0)
        return false;
    int reason = 0;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, lowest);
        reason = ends[i] < 0 ? errno : reason;
        close(raw[i]);
    }
    if (reason == 0)
        return true;
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0)
            close(ends[i]);
        ends[i] = -1;
    }
    errno = reason;
    return false;
}

bool base_temporary_folder(const char *prefix, char *path, size_t size, base_error *error)
{
    const char *parent = getenv("TMPDIR");
    int length = snprintf(path, size, "%s/%s-XXXXXX", parent && *parent ? parent : "/tmp", prefix);
    if (length > 0 && (size_t)length < size && mkdtemp(path))
        return true;
    path[0] = '\0';
    return base_fail(error, "TMPDIR: no folder can be made there");
}

/* unlink() takes whatever is no folder, a symbolic link to a folder as well: what it refuses is one
 * of this tree. */
void base_remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *inside = base_file_path(path, entry->d_name);
        if (inside && unlink(inside) != 0)
            base_remove_folder(inside);
        base_free(inside);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

void base_first_line(const char *text, char *line, size_t size)
{
    size_t n = 0;
    for (; text[n] && text[n] != '\n' && n + 1 < size; n++)
        line[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    line[n] = '\0';
}
