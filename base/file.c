/* SPDX-License-Identifier: MIT */
/* file.c -- reading and replacing whole files with POSIX calls.
 *
 * What is assumed of the file system: rename is atomic, and fsync of a file and of its folder makes
 * their content and names last (Pillai et al. 2014, "All File Systems Are Not Created Equal",
 * OSDI'14, on what programs assume and do not get). */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "base/file.h"
#include "base/kind.h"
#include "base/memory.h"
#include "base/text.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Some kernels refuse a read or write of 2 GiB or more. */
enum { CHUNK_BYTES = 1 << 30, HASH_BYTES = 1 << 16, FIRST_BYTES = 1 << 12, DEVICE_BYTES = 1 << 20 };

static volatile sig_atomic_t waiting;

bool base_file_waits(void) { return waiting != 0; }

static bool fail(base_error *error, const char *name, const char *what)
{
    return base_fail(error, "%s: cannot %s: %s", name, what, strerror(errno));
}

/* A read that goes on after signals. -1: see errno; 0: the end. */
static ssize_t read_some(int descriptor, void *bytes, size_t count)
{
    ssize_t got;
    do
        got = read(descriptor, bytes, count < CHUNK_BYTES ? count : CHUNK_BYTES);
    while (got < 0 && errno == EINTR);
    return got;
}

/* Opens a file for reading; -1: the error is set. */
static int open_file(const char *path, int how, base_error *error)
{
    int descriptor;
    do
        descriptor = open(path, O_RDONLY | O_CLOEXEC | how);
    while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0)
        fail(error, path, "open");
    return descriptor;
}

static void *fail_size(base_error *error, const char *name, size_t most)
{
    base_fail(error, "%s: is larger than the %zu bytes that were expected at most", name, most);
    return NULL;
}

/* Reads to the end, whatever size was expected: the file may grow, shrink, or have no size. It asks
 * for one byte more than `most`, to see whether the file is larger. */
static char *read_to_end(int descriptor, const char *name, size_t expected, size_t most,
                         size_t *size, base_error *error)
{
    size_t capacity = expected > 0 ? expected + 2 : most < FIRST_BYTES ? most + 2 : FIRST_BYTES;
    size_t length = 0;
    char *data = base_malloc(capacity);
    while (data) {
        ssize_t got = read_some(descriptor, data + length, capacity - 1 - length);
        if (got < 0) {
            fail(error, name, "read");
            break;
        }
        length += (size_t)got;
        if (length > most) {
            fail_size(error, name, most);
            break;
        }
        if (got == 0) {
            data[length] = '\0';
            *size = length;
            return data;
        }
        if (length == capacity - 1) {
            capacity = capacity < most / 2 ? capacity * 2 : most + 2;
            char *larger = base_realloc(data, capacity);
            if (!larger)
                base_free(data);
            data = larger;
        }
    }
    if (!data)
        base_fail(error, "%s: no memory for its %zu bytes", name, capacity);
    base_free(data);
    return NULL;
}

/* The size as the file system gives it is 0 for files without one (pipes, /proc). */
char *base_file_read_open(int descriptor, const char *name, size_t most, size_t *size,
                          base_error *error)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        fail(error, name, "open");
        return NULL;
    }
    if (S_ISDIR(status.st_mode)) {
        base_fail(error, "%s: is a folder, a file was expected", name);
        return NULL;
    }
    if (most > SIZE_MAX - 2)
        most = SIZE_MAX - 2;
    uint64_t expected = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
    if (expected > most)
        return fail_size(error, name, most);
    /* a terminal ends, and so does /dev/null; /dev/zero does not */
    if ((S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) && most > DEVICE_BYTES)
        return read_to_end(descriptor, name, 0, DEVICE_BYTES, size, error);
    return read_to_end(descriptor, name, (size_t)expected, most, size, error);
}

char *base_file_read(const char *path, size_t most, size_t *size, base_error *error)
{
    struct stat status;
    waiting = stat(path, &status) == 0 && !S_ISREG(status.st_mode);
    int descriptor = open_file(path, 0, error);
    char *data = descriptor < 0 ? NULL : base_file_read_open(descriptor, path, most, size, error);
    waiting = false;
    if (descriptor >= 0)
        close(descriptor);
    return data;
}

char *base_file_read_text(const char *path, size_t most, size_t *size, base_error *error)
{
    char *text = base_file_read(path, most, size, error);
    if (text)
        base_kind_drop_mark(text, size);
    return text;
}

/* O_NONBLOCK: a FIFO is told from a file before a writer of it is waited for. */
bool base_file_hash(const char *path, char text[BASE_HASH_TEXT], base_error *error)
{
    int descriptor = open_file(path, O_NONBLOCK, error);
    if (descriptor < 0)
        return false;
    struct stat status;
    const bool is_file = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    char *buffer = is_file ? base_malloc(HASH_BYTES) : NULL;
    if (!buffer) {
        close(descriptor);
        return base_fail(error, is_file ? "%s: no memory to read it" : "%s: is no regular file",
                         path);
    }
    base_hash hash;
    base_hash_start(&hash);
    ssize_t got;
    while ((got = read_some(descriptor, buffer, HASH_BYTES)) > 0)
        base_hash_add(&hash, buffer, (size_t)got);
    if (got < 0)
        fail(error, path, "read");
    close(descriptor);
    base_free(buffer);
    if (got < 0)
        return false;
    base_hash_end_text(&hash, text);
    return true;
}

bool base_file_write_all(int descriptor, const void *bytes, size_t count, const char *name,
                         base_error *error)
{
    const char *next = bytes;
    while (count > 0) {
        ssize_t done = write(descriptor, next, count < CHUNK_BYTES ? count : CHUNK_BYTES);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail(error, name, "write");
        if (done == 0)
            return base_fail(error, "%s: cannot write: the system takes no more bytes", name);
        next += done;
        count -= (size_t)done;
    }
    return true;
}

bool base_file_read_all(int descriptor, void *bytes, size_t count)
{
    char *next = bytes;
    while (count > 0) {
        ssize_t got = read_some(descriptor, next, count);
        if (got <= 0)
            return false;
        next += got;
        count -= (size_t)got;
    }
    return true;
}

/* The folder that holds path, malloc'ed: the part before the last slash. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return base_copy(".", 1);
    return slash == path ? base_copy("/", 1) : base_copy(path, (size_t)(slash - path));
}

/* fsync of a folder makes its names durable. Some file systems have no such operation and answer
 * EINVAL: they have to be trusted. */
static bool sync_folder(int descriptor) { return fsync(descriptor) == 0 || errno == EINVAL; }

/* Creates a file that was not there, under a name that no other process and no earlier crash has
 * used: path, the process's number and a count. Two who replace the same file at once then publish
 * one whole file or the other. beside has room for NAME_ROOM bytes more than path. Of a name that is
 * nearly as long as file systems allow, the end gives way. */
enum { NAME_ROOM = 48, LONGEST_NAME = 200 };
static int create_beside(const char *path, char *beside)
{
    int descriptor;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const size_t whole = strlen(path), most = (size_t)(name - path) + LONGEST_NAME;
    for (int i = 0;; i++) {
        snprintf(beside, whole + NAME_ROOM, "%.*s.%ld-%d.tmp", (int)(whole < most ? whole : most),
                 path, (long)getpid(), i);
        do
            descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        while (descriptor < 0 && errno == EINTR);
        if (descriptor >= 0 || errno != EEXIST || i == 1000)
            return descriptor;
    }
}

/* The process of a name that create_beside() makes, which ends in ".PROCESS-COUNT.tmp"; 0: it is none. */
static pid_t writer(const char *name)
{
    size_t length = strlen(name);
    if (length < 9 || strcmp(name + length - 4, ".tmp") != 0)
        return 0;
    const char *at = name + length - 4, *end = at;
    while (at > name && at[-1] >= '0' && at[-1] <= '9')
        at--;
    if (at == end || at == name || *--at != '-')
        return 0;
    end = at;
    while (at > name && at[-1] >= '0' && at[-1] <= '9')
        at--;
    return at < end && at > name + 1 && at[-1] == '.' ? (pid_t)strtol(at, NULL, 10) : 0;
}

void base_file_sweep(const char *folder)
{
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        const pid_t process = writer(entry->d_name);
        if (process > 0 && (process == getpid() || (kill(process, 0) != 0 && errno == ESRCH)))
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries)
        closedir(entries);
}

/* Fills a new file beside the old one. On failure nothing of it is left, and the message names what was to be written. */
static bool write_beside(const char *path, char *beside, const base_bytes *parts, size_t count,
                         base_error *error)
{
    int descriptor = create_beside(path, beside);
    if (descriptor < 0)
        return fail(error, path, "create");

    struct stat old;
    bool good = stat(path, &old) != 0 || fchmod(descriptor, old.st_mode & 0777) == 0 ||
                fail(error, path, "give the new file its permissions");
    for (size_t i = 0; good && i < count; i++)
        good = base_file_write_all(descriptor, parts[i].data, parts[i].size, path, error);
    if (good && fsync(descriptor) != 0)
        good = fail(error, path, "fsync");
    if (close(descriptor) != 0 && good) /* the last chance of network file systems to say no */
        good = fail(error, path, "close");
    if (!good)
        unlink(beside);
    return good;
}

/* Who may write to a folder could replace what is in it, but whoever made a file read-only wants to keep it. */
static bool may_replace(const char *path, base_error *error)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return true;
    if (!S_ISREG(status.st_mode))
        return base_fail(error, "%s: cannot replace: is no regular file", path);
    return access(path, W_OK) == 0 || fail(error, path, "replace");
}

/* The folder is opened first: one that cannot be opened for fsync is found before the old file is
 * touched. */
static bool replace(const char *path, const char *folder, char *beside, const base_bytes *parts,
                    size_t count, base_error *error)
{
    if (!may_replace(path, error))
        return false;
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return fail(error, folder, "open the folder");

    bool good = write_beside(path, beside, parts, count, error);
    if (good && rename(beside, path) != 0) {
        good = fail(error, path, "rename to this name");
        unlink(beside);
    }
    if (good && !sync_folder(descriptor))
        good = fail(error, folder, "fsync the folder");
    close(descriptor);
    return good;
}

bool base_file_write(const char *path, const base_bytes *parts, size_t count,
                     char hash[BASE_HASH_TEXT], base_error *error)
{
    char *folder = folder_of(path), *beside = base_malloc(strlen(path) + NAME_ROOM);
    bool good = folder && beside ? replace(path, folder, beside, parts, count, error)
                                 : base_fail(error, "%s: no memory for its name", path);
    base_free(folder);
    base_free(beside);
    if (!good || !hash)
        return good;

    base_hash whole;
    base_hash_start(&whole);
    for (size_t i = 0; i < count; i++)
        base_hash_add(&whole, parts[i].data, parts[i].size);
    base_hash_end_text(&whole, hash);
    return true;
}

char *base_file_real(const char *path)
{
    char *real = realpath(path, NULL), *copy = real ? base_copy(real, strlen(real)) : NULL;
    free(real); /* realpath's */
    return copy;
}

/* The path, or where it leads as a symbolic link, in memory of its own. NULL: the error is set. */
static char *follow(const char *path, base_error *error)
{
    struct stat status;
    const bool is_link = lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
    char *real = is_link ? base_file_real(path) : base_copy(path, strlen(path));
    if (!real && is_link)
        fail(error, path, "follow this symbolic link");
    else if (!real)
        base_fail(error, "%s: no memory for its name", path);
    return real;
}

bool base_file_write_named(const char *path, const void *data, size_t size, base_error *error)
{
    const base_bytes part = {data, size};
    char *real = follow(path, error);
    const bool good = real && base_file_write(real, &part, 1, NULL, error);
    base_free(real);
    return good;
}

/* Its new text stands beside the old: it may replace a file, and its folder can be written to. */
static bool stage(const base_whole *file, char **path, char **beside, base_error *error)
{
    const base_bytes part = {file->data, file->size};
    if (!(*path = follow(file->path, error)) || !may_replace(*path, error))
        return false;
    *beside = base_malloc(strlen(*path) + NAME_ROOM);
    if (!*beside)
        return base_fail(error, "%s: no memory for its name", file->path);
    if (write_beside(*path, *beside, &part, 1, error))
        return true;
    base_free(*beside);
    *beside = NULL;
    return false;
}

bool base_file_write_together(const base_whole *files, size_t count, base_error *error)
{
    char *path[BASE_FILES_TOGETHER] = {0}, *beside[BASE_FILES_TOGETHER] = {0};
    bool good = true;
    assert(count <= BASE_FILES_TOGETHER);
    for (size_t i = 0; good && i < count; i++)
        good = stage(&files[i], &path[i], &beside[i], error);
    for (size_t i = 0; i < count; i++) {
        char *folder = good ? folder_of(path[i]) : NULL;
        if (good && rename(beside[i], path[i]) != 0)
            good = fail(error, path[i], "rename to this name");
        if (!good && beside[i])
            unlink(beside[i]);
        if (folder)
            base_file_sync_folder(folder);
        base_free(folder);
        base_free(path[i]);
        base_free(beside[i]);
    }
    return good;
}

bool base_file_write_text(const char *folder, const char *name, const char *text,
                          char hash[BASE_HASH_TEXT], base_error *error)
{
    char *path = base_file_path(folder, name);
    if (!path || !text) {
        base_free(path);
        return base_fail(error, "%s/%s: no memory", folder, name);
    }
    base_bytes part = {text, strlen(text)};
    bool ok = base_file_write(path, &part, 1, hash, error);
    base_free(path);
    return ok;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

void base_file_sync_folder(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    sync_folder(descriptor);
    close(descriptor);
}

/* Makes a folder whose parent exists and that is not there, and its name as durable as the system
 * allows. False: errno says why. */
static bool make_new(const char *path)
{
    if (mkdir(path, 0777) != 0)
        return false;
    char *parent = folder_of(path);
    if (parent)
        base_file_sync_folder(parent);
    base_free(parent);
    return true;
}

static bool make_one(const char *path, base_error *error)
{
    if (make_new(path))
        return true;
    int reason = errno;
    if (is_folder(path)) /* asked last: another process may have just made it */
        return true;
    errno = reason;
    return fail(error, path, "make the folder");
}

bool base_file_make_folder(const char *path, base_error *error)
{
    char *prefix = base_copy(path, strlen(path));
    if (!prefix)
        return base_fail(error, "%s: no memory for its name", path);
    size_t length = strlen(prefix);
    while (length > 1 && prefix[length - 1] == '/')
        prefix[--length] = '\0';

    /* Each prefix that ends before a slash, then the whole. */
    bool good = true;
    for (size_t i = 1; good && i < length; i++)
        if (prefix[i] == '/' && prefix[i - 1] != '/') {
            prefix[i] = '\0';
            good = make_one(prefix, error);
            prefix[i] = '/';
        }
    good = good && make_one(prefix, error);
    base_free(prefix);
    return good;
}

bool base_file_claim_folder(const char *path, bool *claimed, base_error *error)
{
    char *parent = folder_of(path);
    bool good = parent ? base_file_make_folder(parent, error)
                       : base_fail(error, "%s: no memory for its name", path);
    base_free(parent);
    *claimed = good && make_new(path);
    return good && (*claimed || errno == EEXIST || fail(error, path, "make the folder"));
}

int base_file_by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

bool base_file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

char *base_file_path(const char *folder, const char *name)
{
    size_t first = strlen(folder), second = strlen(name);
    char *path = base_malloc(first + 1 + second + 1);
    if (!path)
        return NULL;
    memcpy(path, folder, first);
    path[first] = '/';
    memcpy(path + first + 1, name, second + 1);
    return path;
}

bool base_file_exists_in(const char *folder, const char *name)
{
    char *path = base_file_path(folder, name);
    const bool exists = path && base_file_exists(path);
    base_free(path);
    return exists;
}
