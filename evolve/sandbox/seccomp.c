/* SPDX-License-Identifier: MIT */
/* seccomp.c -- the filter: which system calls a confined process may make.
 *
 * The kernel runs a small program, in the instructions of the old Berkeley packet filter, before
 * every system call. It sees the call's number and its six arguments, not what pointers point at.
 * The program here is made from one table, a row a call:
 *
 *   - not in the table: the process is killed (SIGSYS), whatever it was after;
 *   - a call that C libraries try, and get along without, is refused with the errno they expect;
 *   - some are allowed for certain arguments only: memory, but not to be executed; a thread, but no
 *     process; a signal, but to oneself.
 *
 * Deny by default means that a call which the kernel learns tomorrow is denied today. The
 * compiler's profile is wide, since cc is many programs and starts more: there, what is unknown is
 * refused (ENOSYS) and not deadly, and Landlock holds the files. It has no network, no tracing, no
 * signals, no namespaces, no new privileges. What it may still do is change the mode of a file that
 * its user owns. (A linker has to.) It is not the candidate: it reads what the checker has
 * accepted.
 *
 * The interface is that of linux/seccomp.h, linux/filter.h and linux/audit.h, written out; see
 * linux.c for why. */
#if defined __linux__
#define _GNU_SOURCE /* syscall() */
#endif
#include "evolve/sandbox/linux.h"

#if defined __x86_64__ && defined __linux__ && !defined __ILP32__
#define MACHINE 0xc000003eu /* AUDIT_ARCH_X86_64 */
enum { CALL_RSEQ = 334, CALL_STATX = 332, CALL_RENAMEAT2 = 316 };
#elif defined __aarch64__ && defined __linux__ && !defined __AARCH64EB__ && !defined __ILP32__
#define MACHINE 0xc00000b7u /* AUDIT_ARCH_AARCH64 */
enum { CALL_RSEQ = 293, CALL_STATX = 291, CALL_RENAMEAT2 = 276 };
#endif

#if defined MACHINE

/* Numbers that a C library's header may be too old to have; the same on all processors. */
enum { CALL_CLONE3 = 435, CALL_FACCESSAT2 = 439 };

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the filter looks at. */
typedef struct call_data {
    int32_t number;
    uint32_t machine;
    uint64_t instruction;
    uint64_t argument[6];
} call_data;

typedef struct instruction {
    uint16_t code;
    uint8_t if_true, if_false; /* instructions to skip */
    uint32_t k;
} instruction;

typedef struct bpf_program {
    unsigned short length;
    const instruction *code;
} bpf_program;

enum {                  /* a: the accumulator */
       LOAD = 0x20,     /* a = the word at k of the call's data */
       EQUAL = 0x15,    /* a == k? */
       AT_LEAST = 0x35, /* a >= k? */
       ANY_BIT = 0x45,  /* a & k? */
       RETURN = 0x06    /* the verdict is k */
};

#define ALLOW   0x7fff0000u
#define KILL    0x80000000u /* the whole process, with SIGSYS */
#define FAIL(e) (0x00050000u | (uint32_t)(e))

enum { SET_MODE_FILTER = 1, GET_ACTION_AVAIL = 2, ALL_THREADS = 1 << 0 };

enum {
    X32 = 0x40000000, /* x86-64: numbers from here on are the x32 calls, another table */
    EXEC = 4,         /* PROT_EXEC */
    /* VM FS FILES SIGHAND THREAD SYSVSEM SETTLS PARENT_SETTID CHILD_CLEARTID, DETACHED (musl) */
    CLONE_OF_A_THREAD = 0x7d0f00,
    CLONE_THREAD_BIT = 0x10000,
    /* NEWTIME PTRACE PARENT UNTRACED and all other namespaces */
    CLONE_OF_TROUBLE = 0x80 | 0x2000 | 0x8000 | 0x800000 | 0x7e020000,
    EMPTY_PATH = 0x1000, /* AT_EMPTY_PATH */
    SET_FS = 0x1002      /* ARCH_SET_FS */
};

/* Who may make the call: bits by sandbox_profile. */
enum { W = 1 << SANDBOX_WORKER, C = 1 << SANDBOX_CANDIDATE, CC = 1 << SANDBOX_COMPILER };

typedef enum condition {
    ALWAYS,
    REFUSED,     /* with the row's errno */
    NOT_EXEC,    /* argument 2 is a protection, without PROT_EXEC */
    THREAD,      /* argument 0 is clone's flags, those of a thread; and more than one may be */
    PROCESS,     /* argument 0 is clone's flags, no namespaces */
    TO_ITSELF,   /* argument 0 is this process */
    READ_LIMITS, /* prlimit64 of this process, nothing new */
    IT,          /* execveat of the program's descriptor */
    SETS_FS      /* arch_prctl, for a thread's own storage */
} condition;

typedef struct row {
    int call, profiles;
    condition condition;
    int reason;
} row;

/* The frequent ones first: the filter goes through the table from the top. */
static const row table[] = {
    {SYS_futex, W | C | CC, ALWAYS, 0},
    {SYS_read, W | C | CC, ALWAYS, 0},
    {SYS_write, W | C | CC, ALWAYS, 0},
    {SYS_sched_yield, W | C | CC, ALWAYS, 0},
    {SYS_munmap, W | C | CC, ALWAYS, 0},
    {SYS_mmap, W | C, NOT_EXEC, EACCES},
    {SYS_mprotect, W | C, NOT_EXEC, EACCES},
    {SYS_mmap, CC, ALWAYS, 0},
    {SYS_mprotect, CC, ALWAYS, 0},
    {SYS_mremap, W | C | CC, ALWAYS, 0},
    {SYS_brk, W | C | CC, ALWAYS, 0},
    {SYS_madvise, W | C | CC, ALWAYS, 0},
    {SYS_clock_gettime, W | C | CC, ALWAYS, 0},
    {SYS_clock_getres, W | C | CC, ALWAYS, 0},
    {SYS_clock_nanosleep, W | C | CC, ALWAYS, 0},
    {SYS_nanosleep, W | C | CC, ALWAYS, 0},
    {SYS_gettimeofday, W | C | CC, ALWAYS, 0},
    {SYS_getrusage, W | C | CC, ALWAYS, 0},
    {SYS_readv, W | C | CC, ALWAYS, 0},
    {SYS_writev, W | C | CC, ALWAYS, 0},
    {SYS_pread64, W | C | CC, ALWAYS, 0},
    {SYS_lseek, W | C | CC, ALWAYS, 0},
    {SYS_fstat, W | C | CC, ALWAYS, 0},
    {SYS_close, W | C | CC, ALWAYS, 0},
    {SYS_rt_sigaction, W | C | CC, ALWAYS, 0},
    {SYS_rt_sigprocmask, W | C | CC, ALWAYS, 0},
    {SYS_rt_sigreturn, W | C | CC, ALWAYS, 0},
    {SYS_sigaltstack, W | C | CC, ALWAYS, 0},
    {SYS_restart_syscall, W | C | CC, ALWAYS, 0},
    {SYS_getpid, W | C | CC, ALWAYS, 0},
    {SYS_gettid, W | C | CC, ALWAYS, 0},
    {SYS_getuid, W | C | CC, ALWAYS, 0},
    {SYS_geteuid, W | C | CC, ALWAYS, 0},
    {SYS_getgid, W | C | CC, ALWAYS, 0},
    {SYS_getegid, W | C | CC, ALWAYS, 0},
    {SYS_getrandom, W | C | CC, ALWAYS, 0},
    {SYS_sched_getaffinity, W | C | CC, ALWAYS, 0},
    {SYS_getcpu, W | C | CC, ALWAYS, 0},
    {SYS_sysinfo, W | C | CC, ALWAYS, 0}, /* glibc's qsort() asks for the memory's size */
    {SYS_set_robust_list, W | C | CC, ALWAYS, 0},
    {SYS_set_tid_address, W | C | CC, ALWAYS, 0},
    {CALL_RSEQ, W | C | CC, ALWAYS, 0},
    {SYS_exit, W | C | CC, ALWAYS, 0},
    {SYS_exit_group, W | C | CC, ALWAYS, 0},
    {SYS_clone, W | C, THREAD, EPERM},
    {SYS_clone, CC, PROCESS, EPERM},
    {CALL_CLONE3, W | C | CC, REFUSED, ENOSYS}, /* its flags are behind a pointer */
    {SYS_prlimit64, W | C | CC, READ_LIMITS, EPERM},
    {SYS_tgkill, W | C, TO_ITSELF, EPERM},
    {SYS_tgkill, CC, REFUSED, EPERM},
    {SYS_tkill, W | C | CC, REFUSED, EPERM},
    {SYS_sched_setaffinity, W | C | CC, REFUSED, EPERM},
    {SYS_prctl, W | C | CC, REFUSED, EPERM},
    {SYS_ioctl, W | C, REFUSED, ENOTTY},
    {SYS_fcntl, W | C, REFUSED, EPERM},
    {SYS_openat, W | C, REFUSED, EACCES},
    {SYS_newfstatat, W | C, REFUSED, EACCES},
    {SYS_readlinkat, W | C, REFUSED, EACCES},
    {SYS_faccessat, W | C, REFUSED, EACCES},
    {CALL_STATX, W | C, REFUSED, ENOSYS},
    {SYS_execveat, C, IT, EACCES},
#if defined SYS_open
    {SYS_open, W | C, REFUSED, EACCES},
    {SYS_stat, W | C, REFUSED, EACCES},
    {SYS_lstat, W | C, REFUSED, EACCES},
    {SYS_access, W | C, REFUSED, EACCES},
    {SYS_readlink, W | C, REFUSED, EACCES},
    {SYS_time, W | C | CC, ALWAYS, 0},
    {SYS_getrlimit, W | C | CC, ALWAYS, 0},
    {SYS_arch_prctl, C, SETS_FS, EINVAL},
    {SYS_arch_prctl, CC, ALWAYS, 0},

    {SYS_open, CC, ALWAYS, 0},
    {SYS_creat, CC, ALWAYS, 0},
    {SYS_stat, CC, ALWAYS, 0},
    {SYS_lstat, CC, ALWAYS, 0},
    {SYS_access, CC, ALWAYS, 0},
    {SYS_readlink, CC, ALWAYS, 0},
    {SYS_mkdir, CC, ALWAYS, 0},
    {SYS_rmdir, CC, ALWAYS, 0},
    {SYS_unlink, CC, ALWAYS, 0},
    {SYS_rename, CC, ALWAYS, 0},
    {SYS_link, CC, ALWAYS, 0},
    {SYS_symlink, CC, ALWAYS, 0},
    {SYS_chmod, CC, ALWAYS, 0},
    {SYS_dup2, CC, ALWAYS, 0},
    {SYS_pipe, CC, ALWAYS, 0},
    {SYS_poll, CC, ALWAYS, 0},
    {SYS_select, CC, ALWAYS, 0},
    {SYS_fork, CC, ALWAYS, 0},
    {SYS_vfork, CC, ALWAYS, 0},
    {SYS_getpgrp, CC, ALWAYS, 0},
    {SYS_getdents, CC, ALWAYS, 0},
    {SYS_alarm, CC, ALWAYS, 0},
#endif
    {SYS_openat, CC, ALWAYS, 0},
    {SYS_newfstatat, CC, ALWAYS, 0},
    {SYS_readlinkat, CC, ALWAYS, 0},
    {SYS_faccessat, CC, ALWAYS, 0},
    {CALL_FACCESSAT2, CC, ALWAYS, 0},
    {CALL_STATX, CC, ALWAYS, 0},
    {SYS_statfs, CC, ALWAYS, 0},
    {SYS_fstatfs, CC, ALWAYS, 0},
    {SYS_mkdirat, CC, ALWAYS, 0},
    {SYS_unlinkat, CC, ALWAYS, 0},
    {SYS_renameat, CC, ALWAYS, 0},
    {CALL_RENAMEAT2, CC, ALWAYS, 0},
    {SYS_linkat, CC, ALWAYS, 0},
    {SYS_symlinkat, CC, ALWAYS, 0},
    {SYS_fchmod, CC, ALWAYS, 0},
    {SYS_fchmodat, CC, ALWAYS, 0},
    {SYS_umask, CC, ALWAYS, 0},
    {SYS_ftruncate, CC, ALWAYS, 0},
    {SYS_fallocate, CC, ALWAYS, 0},
    {SYS_fadvise64, CC, ALWAYS, 0},
    {SYS_pwrite64, CC, ALWAYS, 0},
    {SYS_sendfile, CC, ALWAYS, 0},
    {SYS_getdents64, CC, ALWAYS, 0},
    {SYS_getcwd, CC, ALWAYS, 0},
    {SYS_chdir, CC, ALWAYS, 0},
    {SYS_fchdir, CC, ALWAYS, 0},
    {SYS_dup, CC, ALWAYS, 0},
    {SYS_dup3, CC, ALWAYS, 0},
    {SYS_fcntl, CC, ALWAYS, 0},
    {SYS_flock, CC, ALWAYS, 0},
    {SYS_fsync, CC, ALWAYS, 0},
    {SYS_fdatasync, CC, ALWAYS, 0},
    {SYS_ioctl, CC, REFUSED, ENOTTY}, /* no terminal is a compiler's to push bytes into */
    {SYS_pipe2, CC, ALWAYS, 0},
    {SYS_ppoll, CC, ALWAYS, 0},
    {SYS_pselect6, CC, ALWAYS, 0},
    {SYS_execve, CC, ALWAYS, 0},
    {SYS_wait4, CC, ALWAYS, 0},
    {SYS_waitid, CC, ALWAYS, 0},
    {SYS_getppid, CC, ALWAYS, 0},
    {SYS_getpgid, CC, ALWAYS, 0},
    {SYS_getsid, CC, ALWAYS, 0},
    {SYS_getresuid, CC, ALWAYS, 0},
    {SYS_getresgid, CC, ALWAYS, 0},
    {SYS_getgroups, CC, ALWAYS, 0},
    {SYS_uname, CC, ALWAYS, 0},
    {SYS_times, CC, ALWAYS, 0},
    {SYS_setitimer, CC, ALWAYS, 0},
    {SYS_rt_sigsuspend, CC, ALWAYS, 0},
    {SYS_rt_sigpending, CC, ALWAYS, 0},
    {SYS_msync, CC, ALWAYS, 0},
    {SYS_mincore, CC, ALWAYS, 0},
    {SYS_socket, CC, REFUSED, EACCES},
    {SYS_kill, CC, REFUSED, EPERM},
};
enum { ROWS = sizeof table / sizeof *table, MOST_INSTRUCTIONS = 16 * ROWS + 16 };

typedef struct assembly {
    instruction code[MOST_INSTRUCTIONS];
    unsigned short length;
} assembly;

static void emit(assembly *a, int code, uint32_t k, int if_true, int if_false)
{
    assert(a->length < MOST_INSTRUCTIONS);
    a->code[a->length++] = (instruction){(uint16_t)code, (uint8_t)if_true, (uint8_t)if_false, k};
}

/* The filter's words are 32 bits. Both machines that have a table here are little-endian. */
static void load_low(assembly *a, int argument)
{
    emit(a, LOAD, (uint32_t)(offsetof(call_data, argument) + 8 * (size_t)argument), 0, 0);
}

static void load_high(assembly *a, int argument)
{
    emit(a, LOAD, (uint32_t)(offsetof(call_data, argument) + 8 * (size_t)argument + 4), 0, 0);
}

/* Unless a == k: the verdict. */
static void demand(assembly *a, uint32_t k, uint32_t verdict)
{
    emit(a, EQUAL, k, 1, 0);
    emit(a, RETURN, verdict, 0, 0);
}

/* If a has any of the bits: the verdict. */
static void demand_none(assembly *a, uint32_t bits, uint32_t verdict)
{
    emit(a, ANY_BIT, bits, 0, 1);
    emit(a, RETURN, verdict, 0, 0);
}

/* What becomes of a call whose number has been recognised. It ends with a verdict. */
static void emit_verdict(assembly *a, const row *r, const sandbox_policy *box, int program)
{
    const uint32_t refused = FAIL(r->reason);
    switch (r->condition) {
    case ALWAYS:
        break;
    case REFUSED:
        emit(a, RETURN, refused, 0, 0);
        return;
    case NOT_EXEC:
        load_low(a, 2);
        demand_none(a, EXEC, refused);
        break;
    case THREAD:
        if (box->limits.threads == 1) {
            emit(a, RETURN, refused, 0, 0);
            return;
        }
        load_low(a, 0);
        demand_none(a, ~(uint32_t)CLONE_OF_A_THREAD, refused);
        emit(a, ANY_BIT, CLONE_THREAD_BIT, 1, 0);
        emit(a, RETURN, refused, 0, 0);
        break;
    case PROCESS:
        load_low(a, 0);
        demand_none(a, CLONE_OF_TROUBLE, refused);
        break;
    case TO_ITSELF:
        load_low(a, 0);
        demand(a, (uint32_t)getpid(), refused);
        break;
    case READ_LIMITS:
        load_low(a, 0);
        demand(a, 0, refused);
        load_low(a, 2);
        demand(a, 0, refused);
        load_high(a, 2);
        demand(a, 0, refused);
        break;
    case IT:
        load_low(a, 0);
        demand(a, (uint32_t)program, refused);
        load_low(a, 4);
        demand(a, EMPTY_PATH, refused);
        break;
    case SETS_FS:
        load_low(a, 0);
        demand(a, SET_FS, refused);
        break;
    }
    emit(a, RETURN, ALLOW, 0, 0);
}

static void assemble(assembly *a, const sandbox_policy *box, int program)
{
    a->length = 0;
    emit(a, LOAD, offsetof(call_data, machine), 0, 0);
    demand(a, MACHINE, KILL);
    emit(a, LOAD, offsetof(call_data, number), 0, 0);
    emit(a, AT_LEAST, X32, 0, 1); /* on aarch64 there is no such number anyway */
    emit(a, RETURN, KILL, 0, 0);
    for (const row *r = table; r < table + ROWS; r++) {
        if (!(r->profiles & 1 << box->profile))
            continue;
        unsigned short test = a->length;
        emit(a, EQUAL, (uint32_t)r->call, 0, 0);
        emit_verdict(a, r, box, program);
        a->code[test].if_false = (uint8_t)(a->length - test - 1);
    }
    emit(a, RETURN, box->profile == SANDBOX_COMPILER ? FAIL(ENOSYS) : KILL, 0, 0);
}

bool sandbox_seccomp_here(void)
{
    uint32_t action = KILL;
    return syscall(SYS_seccomp, (long)GET_ACTION_AVAIL, 0L, &action) == 0;
}

bool sandbox_seccomp_enter(const sandbox_policy *box, int program, base_error *error)
{
    assembly a;
    assemble(&a, box, program);
    bpf_program filter = {a.length, a.code};
    long answer = syscall(SYS_seccomp, (long)SET_MODE_FILTER, (long)ALL_THREADS, &filter);
    if (answer > 0) /* a thread's number */
        return base_fail(error, "seccomp: another thread has a filter of its own");
    return answer == 0 || base_fail(error, "seccomp: %s", strerror(errno));
}

#else

bool sandbox_seccomp_here(void) { return false; }

bool sandbox_seccomp_enter(const sandbox_policy *box, int program, base_error *error)
{
    (void)box;
    (void)program;
    return base_fail(error, "seccomp: not built in for this system and processor");
}

#endif
