/* SPDX-License-Identifier: MIT */
/* sandbox.c -- the levels, the resource limits, and the order in which they are taken on.
 *
 * Everything is irrevocable, so the order matters: limits come first, while the process may still ask
 * for them, then the user and the file system (linux.c), and the filter of system calls last
 * (seccomp.c), since it forbids what the others need. A level that was asked for by name is entered
 * whole or not at all; only "best" takes what can be had, and says what that was. */
#include "evolve/sandbox/sandbox.h"
#include "evolve/sandbox/pool.h"
#include "evolve/sandbox/linux.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A build with a sanitizer maps terabytes of shadow memory, so no RLIMIT_AS; reads /proc and starts
 * a process at its end, so no filter. What it executes is no such build, and is held in full. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SHADOW_MEMORY true
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define SHADOW_MEMORY true
#endif
#endif
#if !defined SHADOW_MEMORY
#define SHADOW_MEMORY false
#endif

/* RLIMIT_NPROC counts every thread of the user, not of the process. An ordinary user's other
 * programs are in that count, so this bound only keeps the machine usable. */
enum { SHARED_PROCESSES = 4096 };

const char *const sandbox_names[] = {"best", "none", "limits", "strict", NULL};

sandbox_limits sandbox_limits_for(uint64_t memory, int64_t seconds, int64_t threads)
{
    return (sandbox_limits){
        .memory = memory * 2 + ((256 + 16 * (uint64_t)threads) << 20), /* with stacks */
        .stack = (uint64_t)8 << 20,
        .file = SANDBOX_POOL_OUTPUT, /* standard output may well be a file */
        .processor = 4 * (uint64_t)(seconds + 1) * (uint64_t)threads, /* the worker stops itself */
        .files = 64,
        .threads = (uint64_t)threads,
    };
}

static const char *missing_for(sandbox_profile profile)
{
    if (SHADOW_MEMORY && profile == SANDBOX_WORKER)
        return "this build has a sanitizer, which cannot live under the filter";
    if (!sandbox_no_new_privs_here())
        return "this system has no no_new_privs";
    if (!sandbox_seccomp_here())
        return "this system has no seccomp filter for this processor";
    if (profile != SANDBOX_WORKER && sandbox_landlock_abi() < 1)
        return "this system has no Landlock";
    return NULL;
}

sandbox_machine sandbox_look(void)
{
    const char *missing = missing_for(SANDBOX_WORKER);
    return (sandbox_machine){
        .no_new_privs = sandbox_no_new_privs_here(),
        .filter = sandbox_seccomp_here(),
        .landlock = sandbox_landlock_abi(),
        .level = missing ? SANDBOX_LIMITS : SANDBOX_STRICT,
        .missing = missing,
    };
}

/* Lowers a limit and never raises one. */
static bool limit(int which, const char *name, uint64_t most, base_error *error)
{
    struct rlimit now;
    rlim_t wanted = (rlim_t)most;
    if (wanted != most) /* more than this machine can say: no limit to it */
        return true;
    if (getrlimit(which, &now) != 0)
        return base_fail(error, "%s: %s", name, strerror(errno));
    rlim_t hard = wanted;
    if (which == RLIMIT_CPU)
        hard++; /* SIGXCPU, which says why, comes before SIGKILL */
    if (now.rlim_max != RLIM_INFINITY && now.rlim_max < hard)
        hard = now.rlim_max;
    struct rlimit lower = {.rlim_cur = wanted < hard ? wanted : hard, .rlim_max = hard};
    if (now.rlim_cur != RLIM_INFINITY && now.rlim_cur < lower.rlim_cur)
        lower.rlim_cur = now.rlim_cur;
    if (setrlimit(which, &lower) != 0)
        return base_fail(error, "%s: %s", name, strerror(errno));
    return true;
}

static bool set_limits(const sandbox_policy *box, base_error *error)
{
    const sandbox_limits *l = &box->limits;
    bool shadow = SHADOW_MEMORY && box->profile == SANDBOX_WORKER;
    bool ok = limit(RLIMIT_CORE, "RLIMIT_CORE", 0, error);
    if (l->file)
        ok = ok && limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", l->file, error);
    if (l->processor)
        ok = ok && limit(RLIMIT_CPU, "RLIMIT_CPU", l->processor, error);
    if (l->stack)
        ok = ok && limit(RLIMIT_STACK, "RLIMIT_STACK", l->stack, error);
    if (l->files)
        ok = ok && limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", l->files, error);
#if defined RLIMIT_AS
    if (l->memory && !shadow)
        ok = ok && limit(RLIMIT_AS, "RLIMIT_AS", l->memory, error);
#else
    (void)shadow;
#endif
#if defined RLIMIT_MEMLOCK
    ok = ok && limit(RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK", 0, error);
#endif
    return ok;
}

/* Under a user of its own (`alone`), a process has the count to itself. Twice the threads: one that
 * was joined stays in the count for a moment. */
static bool limit_processes(const sandbox_policy *box, bool alone, base_error *error)
{
#if defined RLIMIT_NPROC
    uint64_t most = alone ? 2 * box->limits.threads + 2 : SHARED_PROCESSES;
    if (box->limits.threads)
        return limit(RLIMIT_NPROC, "RLIMIT_NPROC", most, error);
#endif
    (void)box;
    (void)alone;
    (void)error;
    return true;
}

void sandbox_close(int from, int but)
{
    if (sandbox_close_from(from, but))
        return;
    long most = sysconf(_SC_OPEN_MAX);
    if (most < 0 || most > 65536)
        most = 65536;
    for (int i = from; i < (int)most; i++)
        if (i != but)
            close(i);
}

/* The order matters: who leaves root needs it until then, and the filter, which forbids all that is
 * done here, comes last. A compiler stays who it is, since it reads and writes its user's files.
 * Root that may not become another user (a container without CAP_SETUID) has no bound on its
 * threads, so it gets none. */
static bool enter_strict(const sandbox_policy *box, int program, base_error *error)
{
    bool alone = false;
    bool leaves = (geteuid() == 0 || getuid() == 0) && box->profile != SANDBOX_COMPILER;
    if (leaves && !sandbox_leave_root(&alone, error) && box->limits.threads != 1)
        return false;
    return limit_processes(box, alone, error) && sandbox_no_new_privs(error) &&
           sandbox_landlock_enter(box, program, error) &&
           sandbox_seccomp_enter(box, program, error);
}

static bool enter_limits(const sandbox_policy *box, int program, base_error *error)
{
    sandbox_close(box->keep, program);
    return set_limits(box, error) && limit_processes(box, false, error);
}

static bool enter(const sandbox_policy *box, int program, sandbox_level *level, base_error *error)
{
    const char *missing = missing_for(box->profile);
    bool best = box->level == SANDBOX_BEST;
    sandbox_level reached = SANDBOX_NONE;
    if (box->level == SANDBOX_STRICT && missing)
        return base_fail(error, "--sandbox strict: %s", missing);
    if (box->level != SANDBOX_NONE) {
        bool limited = enter_limits(box, program, error);
        if (!limited && !best)
            return false;
        if (limited)
            reached = SANDBOX_LIMITS;
    }
    if (reached == SANDBOX_LIMITS && box->level != SANDBOX_LIMITS && !missing) {
        if (enter_strict(box, program, error))
            reached = SANDBOX_STRICT;
        else if (!best)
            return false;
    }
    if (level)
        *level = reached;
    return true;
}

bool sandbox_enter(const sandbox_policy *box, sandbox_level *level, base_error *error)
{
    if (box->profile != SANDBOX_WORKER)
        return base_fail(error, "sandbox: only a worker confines itself");
    return enter(box, -1, level, error);
}

extern char **environ;

/* The environment that a program gets. In static memory: the process becomes that program. */
static bool set_environment(const sandbox_policy *box, base_error *error)
{
    static char path[4096], folder[4096], home[4096], locale[] = "LC_ALL=C";
    static char *nothing[] = {NULL}, *compiler[] = {path, folder, home, locale, NULL};
    if (box->profile != SANDBOX_COMPILER) {
        environ = nothing;
        return true;
    }
    const char *search = getenv("PATH");
    char here[4000];
    if (!getcwd(here, sizeof here))
        return base_fail(error, "%s: %s", box->folder, strerror(errno));
    int length = snprintf(path, sizeof path, "PATH=%s", search ? search : "/usr/bin:/bin");
    if (length < 0 || (size_t)length >= sizeof path)
        return base_fail(error, "PATH: longer than %zu bytes", sizeof path);
    snprintf(folder, sizeof folder, "TMPDIR=%s", here);
    snprintf(home, sizeof home, "HOME=%s", here);
    environ = compiler;
    return true;
}

bool sandbox_exec(const sandbox_policy *box, int program, char *const argv[], base_error *error)
{
    if (box->profile == SANDBOX_WORKER || (program < 0) != !!box->folder)
        return base_fail(error, "sandbox: a candidate has a descriptor, a compiler a folder");
    if (!enter(box, program, NULL, error))
        return false;
    if (box->folder && chdir(box->folder) != 0)
        return base_fail(error, "%s: %s", box->folder, strerror(errno));
    if (!set_environment(box, error))
        return false;
    if (program < 0)
        execvp(argv[0], argv);
    else
        sandbox_exec_descriptor(program, argv, environ);
    return base_fail(error, "%s: cannot be executed: %s", argv[0], strerror(errno));
}
