/* SPDX-License-Identifier: MIT */
/* inject.c -- a library for LD_PRELOAD in which one call of the C library fails, as on a bad day.
 *
 *   INJECT_CALL=KIND   one of `kinds` below; short-read and short-write move one byte where more were
 *                      asked for
 *   INJECT_AT=N        the N-th call of that kind fails, of each process: a child goes on counting where
 *                      its parent stood. 0: none
 *   INJECT_LOG=FILE    gets "KIND N" where it failed; with INJECT_AT=0 "KIND CALLS" of each kind as a
 *                      process ends
 *
 * Calls that the C library makes within itself are not seen. For glibc, whose malloc has a second name. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KINDS 16
static const char *const kinds[KINDS] = {
    "malloc", "open",  "read",  "write", "short-read", "short-write", "fsync",  "rename",
    "mkdir",  "close", "fcntl", "mmap",  "fork",       "pipe",        "unlink", "ftruncate"};
static long calls[KINDS];
static int wanted = -1;
static long at;
static const char *log_path;

static int kind_of(const char *name)
{
    int k = 0;
    while (k < KINDS && strcmp(kinds[k], name) != 0)
        k++;
    return k;
}

__attribute__((constructor)) static void begin(void)
{
    const char *kind = getenv("INJECT_CALL"), *number = getenv("INJECT_AT");
    log_path = getenv("INJECT_LOG");
    at = number ? strtol(number, NULL, 10) : 0;
    wanted = kind_of(kind ? kind : "");
    memset(calls, 0, sizeof calls);
}

/* Not by stdio, which may be what is under test. */
static void note(int kind, long number)
{
    const int error = errno;
    char line[64];
    const int length = snprintf(line, sizeof line, "%s %ld\n", kinds[kind], number);
    const int file = log_path ? (int)syscall(SYS_openat, AT_FDCWD, log_path,
                                             O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)
                              : -1;
    if (file >= 0) {
        syscall(SYS_write, file, line, (size_t)length);
        syscall(SYS_close, file);
    }
    errno = error;
}

__attribute__((destructor)) static void end(void)
{
    for (int k = 0; at == 0 && k < KINDS; k++)
        note(k, calls[k]);
}

void _exit(int code)
{
    end();
    syscall(SYS_exit_group, code);
    abort();
}

static int fails(const char *kind, int error)
{
    const int k = kind_of(kind);
    if (__atomic_add_fetch(&calls[k], 1, __ATOMIC_RELAXED) != at || k != wanted)
        return 0;
    note(k, at);
    errno = error;
    return 1;
}

/* As the library marks a stream that could not be written. */
static void mark(FILE *file) { file->_flags |= 0x20; }

/* TYPE NAME(PARAMETERS): the library's own, or `bad` and the error where it is its turn to fail. */
#define CALL(kind, error, bad, type, name, parameters, arguments) \
    type name parameters                                          \
    {                                                             \
        static type(*next) parameters;                            \
        if (!next)                                                \
            *(void **)&next = dlsym(RTLD_NEXT, #name);            \
        return fails(kind, error) ? bad : next arguments;         \
    }

/* dlsym asks for memory itself. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void *malloc(size_t size) { return fails("malloc", ENOMEM) ? NULL : __libc_malloc(size); }
void *calloc(size_t n, size_t size)
{
    return fails("malloc", ENOMEM) ? NULL : __libc_calloc(n, size);
}
void *realloc(void *p, size_t size)
{
    return fails("malloc", ENOMEM) ? NULL : __libc_realloc(p, size);
}
void *aligned_alloc(size_t to, size_t size)
{
    return fails("malloc", ENOMEM) ? NULL : __libc_memalign(to, size);
}

/* Whoever opens without O_CREAT gives no mode: what is read then is not used. */
static mode_t mode_of(int flags, va_list arguments)
{
    return flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name)                                                   \
    int name(const char *path, int flags, ...)                       \
    {                                                                \
        static int (*next)(const char *, int, ...);                  \
        if (!next)                                                   \
            *(void **)&next = dlsym(RTLD_NEXT, #name);               \
        va_list arguments;                                           \
        va_start(arguments, flags);                                  \
        const mode_t mode = mode_of(flags, arguments);               \
        va_end(arguments);                                           \
        return fails("open", EMFILE) ? -1 : next(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
CALL("open", EMFILE, NULL, FILE *, fopen, (const char *path, const char *mode), (path, mode))
CALL("open", EMFILE, NULL, DIR *, opendir, (const char *path), (path))

int fcntl(int file, int command, ...)
{
    static int (*next)(int, int, ...);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "fcntl");
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return fails("fcntl", ENOLCK) ? -1 : next(file, command, argument);
}

CALL("fsync", EIO, -1, int, fsync, (int file), (file))
CALL("rename", EIO, -1, int, rename, (const char *from, const char *to), (from, to))
CALL("mkdir", ENOSPC, -1, int, mkdir, (const char *path, mode_t mode), (path, mode))
CALL("mkdir", ENOSPC, NULL, char *, mkdtemp, (char *path), (path))
CALL("close", EIO, (next(file), -1), int, close, (int file), (file))
CALL("fork", EAGAIN, -1, pid_t, fork, (void), ())
CALL("pipe", EMFILE, -1, int, pipe, (int ends[2]), (ends))
CALL("unlink", EIO, -1, int, unlink, (const char *path), (path))
CALL("ftruncate", EIO, -1, int, ftruncate, (int file, off_t size), (file, size))
CALL("mmap", ENOMEM, MAP_FAILED, void *, mmap,
     (void *place, size_t size, int protection, int flags, int file, off_t offset),
     (place, size, protection, flags, file, offset))
CALL("read", EIO, (size_t)0, size_t, fread, (void *bytes, size_t size, size_t count, FILE *file),
     (bytes, size, count, file))
CALL("write", ENOSPC, (mark(file), (size_t)0), size_t, fwrite,
     (const void *bytes, size_t size, size_t count, FILE *file), (bytes, size, count, file))
CALL("write", ENOSPC, (next(file), EOF), int, fclose, (FILE * file), (file))
CALL("write", ENOSPC, (mark(file), EOF), int, fflush, (FILE * file), (file))

/* Of read and write a part is done, too. */
#define MOVE(name, bytes_type, error)                                                \
    ssize_t name(int file, bytes_type bytes, size_t count)                           \
    {                                                                                \
        static ssize_t (*next)(int, bytes_type, size_t);                             \
        if (!next)                                                                   \
            *(void **)&next = dlsym(RTLD_NEXT, #name);                               \
        if (fails(#name, error))                                                     \
            return -1;                                                               \
        return next(file, bytes, count > 1 && fails("short-" #name, 0) ? 1 : count); \
    }
MOVE(read, void *, EIO)
MOVE(write, const void *, ENOSPC)
