/* SPDX-License-Identifier: MIT */
/* test_linux.c -- the kernel's interface as the sandbox has it written out, against
 * the kernel's headers where they are; and every filter, as a program: short enough, each path ends
 * with a verdict, and the verdicts of calls that no profile may make. */
#include "evolve/sandbox/seccomp.c" /* what is looked at is private */

#include "evolve/sandbox/linux.c"
#include "tests/test.h"

#if defined MACHINE && defined __has_include
#if __has_include(<linux/seccomp.h>) && __has_include(<linux/landlock.h>)
#define HEADERS_ARE_HERE 1
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#endif
#endif

#if defined HEADERS_ARE_HERE

#define SAME(ours, theirs)                                             \
    CHECK((unsigned long long)(ours) == (unsigned long long)(theirs),  \
          #ours " %llx, " #theirs " %llx", (unsigned long long)(ours), \
          (unsigned long long)(theirs))

static void numbers_are_the_kernels(void)
{
#if defined __x86_64__
    SAME(MACHINE, AUDIT_ARCH_X86_64);
#else
    SAME(MACHINE, AUDIT_ARCH_AARCH64);
#endif
    SAME(LOAD, BPF_LD | BPF_W | BPF_ABS);
    SAME(EQUAL, BPF_JMP | BPF_JEQ | BPF_K);
    SAME(AT_LEAST, BPF_JMP | BPF_JGE | BPF_K);
    SAME(ANY_BIT, BPF_JMP | BPF_JSET | BPF_K);
    SAME(RETURN, BPF_RET | BPF_K);
    SAME(ALLOW, SECCOMP_RET_ALLOW);
    SAME(KILL, SECCOMP_RET_KILL_PROCESS);
    SAME(FAIL(ENOSYS), SECCOMP_RET_ERRNO | ENOSYS);
    SAME(SET_MODE_FILTER, SECCOMP_SET_MODE_FILTER);
    SAME(GET_ACTION_AVAIL, SECCOMP_GET_ACTION_AVAIL);
    SAME(ALL_THREADS, SECCOMP_FILTER_FLAG_TSYNC);
    SAME(sizeof(call_data), sizeof(struct seccomp_data));
    SAME(offsetof(call_data, machine), offsetof(struct seccomp_data, arch));
    SAME(offsetof(call_data, argument), offsetof(struct seccomp_data, args));
    SAME(sizeof(instruction), sizeof(struct sock_filter));
    SAME(offsetof(instruction, if_true), offsetof(struct sock_filter, jt));
    SAME(sizeof(bpf_program), sizeof(struct sock_fprog));
    SAME(CLONE_OF_A_THREAD, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                                CLONE_CHILD_CLEARTID | 0x400000 /* CLONE_DETACHED */);
    SAME(CLONE_THREAD_BIT, CLONE_THREAD);
    SAME(CLONE_OF_TROUBLE, 0x80 /* CLONE_NEWTIME */ | CLONE_PTRACE | CLONE_PARENT | CLONE_UNTRACED |
                               CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                               CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET);
    SAME(CALL_RSEQ, SYS_rseq);
    SAME(CALL_STATX, SYS_statx);
    SAME(CALL_RENAMEAT2, SYS_renameat2);
    SAME(CALL_CLONE3, SYS_clone3);
    SAME(CALL_FACCESSAT2, SYS_faccessat2);
    SAME(EMPTY_PATH, AT_EMPTY_PATH);
    SAME(CLOSE_RANGE, SYS_close_range);
    SAME(LANDLOCK_CREATE, SYS_landlock_create_ruleset);
    SAME(LANDLOCK_ADD, SYS_landlock_add_rule);
    SAME(LANDLOCK_ENTER, SYS_landlock_restrict_self);
    SAME(ABI_ONLY, LANDLOCK_CREATE_RULESET_VERSION);
    SAME(RULE_BENEATH, LANDLOCK_RULE_PATH_BENEATH);
    SAME(FS_EXECUTE, LANDLOCK_ACCESS_FS_EXECUTE);
    SAME(FS_WRITE_FILE, LANDLOCK_ACCESS_FS_WRITE_FILE);
    SAME(FS_READ_FILE, LANDLOCK_ACCESS_FS_READ_FILE);
    SAME(FS_READ_DIR, LANDLOCK_ACCESS_FS_READ_DIR);
    SAME(offsetof(beneath_attributes, parent),
         offsetof(struct landlock_path_beneath_attr, parent_fd));
    SAME(rights_of(2), 2 * LANDLOCK_ACCESS_FS_REFER - 1);
}

/* Runs a filter as the kernel would. */
static uint32_t verdict_of(const assembly *a, const call_data *data)
{
    uint32_t accumulator = 0;
    for (unsigned at = 0; at < a->length; at++) {
        const instruction *i = &a->code[at];
        bool is;
        switch (i->code) {
        case LOAD:
            memcpy(&accumulator, (const char *)data + i->k, sizeof accumulator);
            continue;
        case RETURN:
            return i->k;
        case EQUAL:
            is = accumulator == i->k;
            break;
        case AT_LEAST:
            is = accumulator >= i->k;
            break;
        default:
            is = (accumulator & i->k) != 0;
        }
        at += is ? i->if_true : i->if_false;
    }
    return 0xdeadbeef; /* ran off the end */
}

static assembly filter_of(sandbox_profile profile)
{
    assembly a;
    sandbox_policy box = {.profile = profile, .limits = {.threads = 2}};
    assemble(&a, &box, 9);
    return a;
}

static void filters_are_programs(void)
{
    for (int p = SANDBOX_WORKER; p <= SANDBOX_COMPILER; p++) {
        assembly a = filter_of((sandbox_profile)p);
        uint32_t otherwise = p == SANDBOX_COMPILER ? FAIL(ENOSYS) : KILL;
        CHECK(a.length <= BPF_MAXINSNS, "profile %d: %d instructions", p, a.length);
        int allowed = 0;
        for (int number = -1; number < 2000; number++) {
            call_data data = {.number = number, .machine = MACHINE};
            uint32_t verdict = verdict_of(&a, &data);
            bool known = verdict == ALLOW || verdict == KILL || verdict >> 16 == FAIL(0) >> 16;
            CHECK(known, "profile %d, call %d: %x", p, number, verdict);
            allowed += verdict == ALLOW;
            data.machine = MACHINE ^ 0x80000000u;
            CHECK(verdict_of(&a, &data) == KILL, "profile %d, call %d of 32 bits", p, number);
            data.machine = MACHINE;
            data.number = number | X32;
            CHECK(verdict_of(&a, &data) == KILL, "profile %d, x32 call %d", p, number);
        }
        CHECK(allowed < (p == SANDBOX_COMPILER ? 140 : 60), "profile %d: %d calls allowed", p,
              allowed);
        for (int number = 600; number < 2000; number++) {
            call_data data = {.number = number, .machine = MACHINE};
            CHECK(verdict_of(&a, &data) == otherwise, "profile %d, call %d", p, number);
        }
    }
}

static uint32_t ask(sandbox_profile profile, long number, uint64_t a0, uint64_t a2, uint64_t a4)
{
    assembly a = filter_of(profile);
    call_data data = {
        .number = (int32_t)number, .machine = MACHINE, .argument = {a0, 0, a2, 0, a4}};
    return verdict_of(&a, &data);
}

static void arguments_count(void)
{
    const sandbox_profile worker = SANDBOX_WORKER, candidate = SANDBOX_CANDIDATE;
    SAME(ask(worker, SYS_mmap, 0, 3, 0), ALLOW);
    SAME(ask(worker, SYS_mmap, 0, 7, 0), FAIL(EACCES));
    SAME(ask(worker, SYS_mprotect, 0, 4, 0), FAIL(EACCES));
    SAME(ask(worker, SYS_clone, 0x3d0f00, 0, 0), ALLOW); /* glibc's threads */
    SAME(ask(worker, SYS_clone, 0x7d0f00, 0, 0), ALLOW); /* musl's */
    SAME(ask(worker, SYS_clone, 0x3d0f00 & ~0x10000, 0, 0), FAIL(EPERM));
    SAME(ask(worker, SYS_clone, 0x3d0f00 | CLONE_NEWUSER, 0, 0), FAIL(EPERM));
    SAME(ask(worker, SYS_clone, 0x3d0f00 | 17 /* SIGCHLD */, 0, 0), FAIL(EPERM));
    SAME(ask(worker, SYS_prlimit64, 0, 0, 0), ALLOW);
    SAME(ask(worker, SYS_prlimit64, 1, 0, 0), FAIL(EPERM));
    SAME(ask(worker, SYS_prlimit64, 0, 1, 0), FAIL(EPERM));
    SAME(ask(worker, SYS_prlimit64, 0, (uint64_t)1 << 32, 0), FAIL(EPERM)); /* the high word, too */
    SAME(ask(worker, SYS_tgkill, (uint64_t)getpid(), 0, 0), ALLOW);
    SAME(ask(worker, SYS_tgkill, (uint64_t)getpid() + 1, 0, 0), FAIL(EPERM));
    SAME(ask(worker, SYS_execveat, 9, 0, EMPTY_PATH), KILL);
    SAME(ask(candidate, SYS_execveat, 9, 0, EMPTY_PATH), ALLOW);
    SAME(ask(candidate, SYS_execveat, 8, 0, EMPTY_PATH), FAIL(EACCES));
    SAME(ask(candidate, SYS_execveat, 9, 0, 0), FAIL(EACCES));
    SAME(ask(SANDBOX_COMPILER, SYS_clone, CLONE_NEWNET, 0, 0), FAIL(EPERM));
    SAME(ask(SANDBOX_COMPILER, SYS_clone, 17, 0, 0), ALLOW);
    SAME(ask(SANDBOX_COMPILER, SYS_socket, 1, 0, 0), FAIL(EACCES));
    SAME(ask(SANDBOX_COMPILER, SYS_ptrace, 0, 0, 0), FAIL(ENOSYS));
}

int main(void)
{
    numbers_are_the_kernels();
    filters_are_programs();
    arguments_count();
    return test_end();
}

#else

int main(void)
{
    SKIP("the kernel's headers are not here, or the filter is not for this processor");
    return test_end();
}

#endif
