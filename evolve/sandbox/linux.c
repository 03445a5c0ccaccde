/* SPDX-License-Identifier: MIT */
/* linux.c -- no_new_privs, Landlock, another user for root: what Linux has beside the
 * filter.
 *
 * Landlock's part of the kernel's interface is written out here and not taken from its headers, as
 * the filter's is in seccomp.c: with the headers of an older kernel, or with a C library
 * that comes without them, the sandbox would be weaker than the kernel it runs on. The interface is
 * versioned and never changes; a test compares with the headers where they are there. */
#if defined __linux__
#define _GNU_SOURCE /* syscall(), setresuid(), O_PATH */
#endif
#include "evolve/sandbox/linux.h"

#if defined __linux__

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- no_new_privs, descriptors, users, exec ---- */

bool sandbox_no_new_privs_here(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L) >= 0; }

bool sandbox_no_new_privs(base_error *error)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0)
        return base_fail(error, "no_new_privs: %s", strerror(errno));
    return true;
}

/* System calls since 5.1 have the same number on every processor. */
enum { CLOSE_RANGE = 436, LANDLOCK_CREATE = 444, LANDLOCK_ADD = 445, LANDLOCK_ENTER = 446 };

static bool close_range_of(unsigned first, unsigned last)
{
    return first > last || syscall(CLOSE_RANGE, first, last, 0u) == 0;
}

bool sandbox_close_from(int from, int but)
{
    unsigned first = (unsigned)from, kept = (unsigned)but;
    if (but < from)
        return close_range_of(first, ~0u);
    return (kept == first || close_range_of(first, kept - 1)) && close_range_of(kept + 1, ~0u);
}

/* 0x70000000 and above is a range that systems leave unassigned; with the process's own number, no
 * two workers of a machine are the same user, so none can signal, trace or starve another. In a
 * container that has only few users, it is "nobody". */
static bool become(unsigned user)
{
    return setresgid(user, user, user) == 0 && setresuid(user, user, user) == 0;
}

bool sandbox_leave_root(bool *alone, base_error *error)
{
    enum { FIRST_UNASSIGNED = 0x70000000, NOBODY = 65534 };
    if (setgroups(0, NULL) != 0 && errno != EPERM)
        return base_fail(error, "setgroups: %s", strerror(errno));
    *alone = become(FIRST_UNASSIGNED + (unsigned)getpid());
    if (!*alone && !become(NOBODY))
        return base_fail(error, "root cannot become another user: %s", strerror(errno));
    return true;
}

void sandbox_exec_descriptor(int program, char *const argv[], char *const environment[])
{
    syscall(SYS_execveat, (long)program, "", argv, environment, (long)AT_EMPTY_PATH);
}

/* ---- Landlock ---- */

enum {
    ABI_ONLY = 1 << 0, /* flag of LANDLOCK_CREATE: what is the ABI? */
    RULE_BENEATH = 1,
    NET_ALL = 1 << 0 | 1 << 1,   /* bind TCP, connect TCP */
    SCOPE_ALL = 1 << 0 | 1 << 1, /* abstract unix sockets, signals */

    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_TRUNCATE = 1 << 14,
    FS_READ = FS_EXECUTE | FS_READ_FILE | FS_READ_DIR,
    FS_OF_A_FILE = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE,
};

/* Rights over files that an ABI knows: 13 at first, then moving between folders (2), truncating (3)
 * and ioctl of devices (5). */
static uint64_t rights_of(int abi)
{
    int count = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
    return ((uint64_t)1 << count) - 1;
}

typedef struct ruleset_attributes {
    uint64_t files, net, scoped;
} ruleset_attributes;

/* The kernel's is packed, 12 bytes; it reads no further. */
typedef struct beneath_attributes {
    uint64_t allowed;
    int32_t parent;
} beneath_attributes;

int sandbox_landlock_abi(void)
{
    long abi = syscall(LANDLOCK_CREATE, NULL, (size_t)0, (unsigned)ABI_ONLY);
    return abi < 0 ? 0 : (int)abi;
}

static bool allow_open(int ruleset, int parent, uint64_t rights)
{
    struct stat status;
    if (fstat(parent, &status) != 0)
        return false;
    if (!S_ISDIR(status.st_mode))
        rights &= FS_OF_A_FILE;
    beneath_attributes beneath = {.allowed = rights, .parent = parent};
    return syscall(LANDLOCK_ADD, (long)ruleset, (long)RULE_BENEATH, &beneath, 0L) == 0;
}

/* A path that is not there needs no rule. */
static bool allow_path(int ruleset, const char *path, uint64_t rights, base_error *error)
{
    int parent = open(path, O_PATH | O_CLOEXEC);
    if (parent < 0)
        return true;
    bool ok = allow_open(ruleset, parent, rights);
    int reason = errno;
    close(parent);
    return ok || base_fail(error, "Landlock: %s: %s", path, strerror(reason));
}

/* Where compilers, their libraries and headers are on the systems there are. No home folders. */
static const char *const system_folders[] = {"/usr",
                                             "/bin",
                                             "/sbin",
                                             "/lib",
                                             "/lib32",
                                             "/lib64",
                                             "/libx32",
                                             "/opt",
                                             "/nix/store",
                                             "/gnu/store",
                                             "/etc/alternatives",
                                             "/etc/ld.so.cache",
                                             "/etc/ld.so.conf",
                                             "/etc/ld.so.conf.d",
                                             "/etc/ld-musl-x86_64.path",
                                             "/etc/ld-musl-aarch64.path",
                                             "/dev/zero",
                                             "/dev/urandom",
                                             "/proc/cpuinfo",
                                             "/proc/meminfo",
                                             "/sys/devices/system/cpu",
                                             NULL};

static bool allow_compiler(int ruleset, const sandbox_policy *box, uint64_t known,
                           base_error *error)
{
    uint64_t read = FS_READ & known;
    bool ok = allow_path(ruleset, box->folder, known, error) &&
              allow_path(ruleset, "/dev/null", (FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE) & known,
                         error);
    for (const char *const *p = system_folders; ok && *p; p++)
        ok = allow_path(ruleset, *p, read, error);
    for (const char *const *p = box->readable; ok && p && *p; p++)
        ok = allow_path(ruleset, *p, read, error);
    return ok;
}

bool sandbox_landlock_enter(const sandbox_policy *box, int program, base_error *error)
{
    int abi = sandbox_landlock_abi();
    if (abi < 1)
        return true;
    uint64_t known = rights_of(abi);
    ruleset_attributes all = {known, abi >= 4 ? NET_ALL : 0, abi >= 6 ? SCOPE_ALL : 0};
    int ruleset = (int)syscall(LANDLOCK_CREATE, &all, sizeof all, 0u);
    if (ruleset < 0)
        return base_fail(error, "Landlock: %s", strerror(errno));
    fcntl(ruleset, F_SETFD, FD_CLOEXEC);
    bool ok = true;
    if (box->profile == SANDBOX_COMPILER)
        ok = allow_compiler(ruleset, box, known, error);
    else if (program >= 0 && !allow_open(ruleset, program, FS_EXECUTE | FS_READ_FILE))
        ok = base_fail(error, "Landlock: the program: %s", strerror(errno));
    if (ok && syscall(LANDLOCK_ENTER, (long)ruleset, 0L) != 0)
        ok = base_fail(error, "Landlock: %s", strerror(errno));
    close(ruleset);
    return ok;
}

#else

#include <unistd.h>

bool sandbox_no_new_privs_here(void) { return false; }

bool sandbox_no_new_privs(base_error *error)
{
    return base_fail(error, "no_new_privs: only Linux has it");
}

bool sandbox_close_from(int from, int but)
{
    (void)from;
    (void)but;
    return false;
}

bool sandbox_leave_root(bool *alone, base_error *error)
{
    *alone = false;
    return base_fail(error, "root stays root but on Linux");
}

void sandbox_exec_descriptor(int program, char *const argv[], char *const environment[])
{
    (void)program;
    execve(argv[0], argv, environment);
}

int sandbox_landlock_abi(void) { return 0; }

bool sandbox_landlock_enter(const sandbox_policy *box, int program, base_error *error)
{
    (void)box;
    (void)program;
    return base_fail(error, "Landlock: only Linux has it");
}

#endif
