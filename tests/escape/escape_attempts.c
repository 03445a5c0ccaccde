/* SPDX-License-Identifier: MIT */
/* escape_attempts.c -- see escape.h. System calls are made directly where a C library would choose
 * another one, or stop to think. The bombs are small enough to hurt nobody if they go off. */
#define _GNU_SOURCE
#include "tests/escape/escape.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int outcome(long result) { return result >= 0 ? ESCAPED : errno ? errno : EIO; }

static const char *in_folder(const escape_target *t, const char *name)
{
    static char paths[2][512];
    static int next;
    char *path = paths[next++ % 2];
    snprintf(path, sizeof paths[0], "%s/%s", t->folder, name);
    return path;
}

/* A row that is one system call with one argument list. */
#define CALL(function, ...)                     \
    static int function(const escape_target *t) \
    {                                           \
        (void)t;                                \
        return outcome(syscall(__VA_ARGS__));   \
    }

/* ---- files ---- */

#define JOURNAL in_folder(t, "journal.jsonl")
CALL(open_passwd, SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY)
CALL(open_journal, SYS_openat, AT_FDCWD, JOURNAL, O_RDONLY)
CALL(open_journal_to_write, SYS_openat, AT_FDCWD, JOURNAL, O_WRONLY | O_APPEND)
CALL(open_and_truncate, SYS_openat, AT_FDCWD, JOURNAL, O_WRONLY | O_TRUNC)
CALL(open_a_new_file, SYS_openat, AT_FDCWD, in_folder(t, "new"), O_CREAT | O_WRONLY, 0666)
CALL(open_a_temporary_file, SYS_openat, AT_FDCWD, t->folder, O_TMPFILE | O_RDWR, 0666)
CALL(open_from_an_open_folder, SYS_openat, 0, "../../../../etc/passwd", O_RDONLY)
CALL(open_null, SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY)
CALL(call_openat2, 437, AT_FDCWD, JOURNAL, (&(uint64_t[3]){O_RDONLY, 0, 0}), 24)
CALL(call_truncate, SYS_truncate, JOURNAL, 0L)
CALL(call_unlinkat, SYS_unlinkat, AT_FDCWD, JOURNAL, 0)
CALL(remove_a_folder, SYS_unlinkat, AT_FDCWD, in_folder(t, "empty"), AT_REMOVEDIR)
CALL(call_renameat, SYS_renameat, AT_FDCWD, JOURNAL, AT_FDCWD, in_folder(t, "gone"))
CALL(call_linkat, SYS_linkat, AT_FDCWD, JOURNAL, AT_FDCWD, in_folder(t, "copy"), 0)
CALL(call_symlinkat, SYS_symlinkat, "/etc/passwd", AT_FDCWD, in_folder(t, "passwd"))
CALL(call_mkdirat, SYS_mkdirat, AT_FDCWD, in_folder(t, "sub"), 0777)
CALL(call_mknodat, SYS_mknodat, AT_FDCWD, in_folder(t, "fifo"), S_IFIFO | 0666, 0)
CALL(call_fchmodat, SYS_fchmodat, AT_FDCWD, JOURNAL, 0)
CALL(call_fchownat, SYS_fchownat, AT_FDCWD, JOURNAL, -1, -1, 0)
CALL(call_utimensat, SYS_utimensat, AT_FDCWD, JOURNAL, NULL, 0)
CALL(call_setxattr, SYS_setxattr, JOURNAL, "user.mine", "1", 1L, 0)
CALL(call_chdir, SYS_chdir, "/")
CALL(call_statfs, SYS_statfs, "/", (char[512]){0})
CALL(call_newfstatat, SYS_newfstatat, AT_FDCWD, JOURNAL, (char[512]){0}, 0)
CALL(call_readlinkat, SYS_readlinkat, AT_FDCWD, "/proc/self/exe", (char[64]){0}, 64L)
CALL(call_getcwd, SYS_getcwd, (char[512]){0}, 512L)
CALL(call_inotify, SYS_inotify_init1, 0)
CALL(call_fanotify, SYS_fanotify_init, 0, 0)
CALL(call_memfd, SYS_memfd_create, "program", 0u)
CALL(call_open_by_handle, SYS_open_by_handle_at, AT_FDCWD, (char[64]){8}, O_RDONLY)
#if defined SYS_open
CALL(call_open, SYS_open, "/etc/passwd", O_RDONLY)
CALL(call_creat, SYS_creat, in_folder(t, "new"), 0666)
CALL(call_unlink, SYS_unlink, JOURNAL)
CALL(call_rename, SYS_rename, JOURNAL, in_folder(t, "gone"))
CALL(call_chmod, SYS_chmod, JOURNAL, 0)
CALL(call_symlink, SYS_symlink, "/etc/passwd", in_folder(t, "passwd"))
CALL(call_mkdir, SYS_mkdir, in_folder(t, "sub"), 0777)
CALL(call_rmdir, SYS_rmdir, in_folder(t, "empty"))
#endif

/* ---- descriptors that nobody handed over, and tricks with those that were ---- */

static int write_to_inherited(const escape_target *t)
{
    (void)t;
    int reached = 0;
    for (int i = 3; i < 64; i++)
        reached += syscall(SYS_write, i, "mine\n", 5L) > 0;
    return reached ? ESCAPED : EBADF;
}

static int call_ioctl(const escape_target *t)
{
    (void)t;
    char byte = '\n';
    return outcome(syscall(SYS_ioctl, 0, 0x5412L /* TIOCSTI */, &byte));
}

static int call_fcntl(const escape_target *t)
{
    (void)t;
    return outcome(syscall(SYS_fcntl, 1, F_DUPFD, 10L));
}

CALL(call_dup, SYS_dup, 1)
CALL(call_pipe2, SYS_pipe2, (int[2]){0}, 0)
CALL(call_eventfd, SYS_eventfd2, 0, 0)
CALL(call_epoll, SYS_epoll_create1, 0)

/* ---- programs and processes ---- */

static char *const true_arguments[] = {"true", NULL};
static char *const no_environment[] = {NULL};

static int call_execve(const escape_target *t)
{
    (void)t;
    return outcome(syscall(SYS_execve, "/bin/true", true_arguments, no_environment));
}

static int call_execveat(const escape_target *t)
{
    (void)t;
    return outcome(syscall(SYS_execveat, AT_FDCWD, "/bin/true", true_arguments, no_environment, 0));
}

/* A candidate's filter lets one execveat() through: by this descriptor, with AT_EMPTY_PATH. It does
 * not see the path, which then need not be empty. */
static int exec_as_the_candidate_was(const escape_target *t)
{
    (void)t;
    for (int i = 3; i < 64; i++)
        syscall(SYS_execveat, i, "/bin/true", true_arguments, no_environment, AT_EMPTY_PATH);
    return errno;
}

static int process_made(long child)
{
    if (child == 0)
        _exit(0);
    if (child > 0)
        waitpid((pid_t)child, NULL, 0);
    return outcome(child);
}

static int call_fork(const escape_target *t)
{
    (void)t;
    return process_made(fork());
}

static int clone_a_process(const escape_target *t)
{
    (void)t;
    return process_made(syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L));
}

/* As a thread's in all but that it is none; its end is announced to nobody. */
static int clone_in_silence(const escape_target *t)
{
    (void)t;
    return process_made(syscall(SYS_clone, CLONE_FS | CLONE_FILES, 0L, 0L, 0L, 0L));
}

static int clone_a_namespace(const escape_target *t)
{
    (void)t;
    return process_made(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0L, 0L, 0L, 0L));
}

static int call_clone3(const escape_target *t)
{
    (void)t;
    uint64_t arguments[8] = {0, 0, 0, 0, SIGCHLD};
    return process_made(syscall(435, arguments, sizeof arguments));
}

#if defined SYS_fork
static int call_fork_directly(const escape_target *t)
{
    (void)t;
    return process_made(syscall(SYS_fork));
}

static int call_vfork(const escape_target *t)
{
    (void)t;
    return process_made(syscall(SYS_vfork));
}
#endif

/* At most 100 of them, gone after 3 seconds. */
static int fork_bomb(const escape_target *t)
{
    (void)t;
    int made = 0;
    for (int i = 0; i < 100; i++) {
        long child = syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L);
        if (child == 0) {
            sleep(3);
            _exit(0);
        }
        made += child > 0;
    }
    return made ? ESCAPED : errno;
}

static int leave_and_linger(const escape_target *t)
{
    (void)t;
    long child = syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L);
    if (child == 0) {
        setsid();
        sleep(3);
        _exit(0);
    }
    return outcome(child);
}

enum {
    THREAD_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM
};

static int thread_body(void *unused)
{
    (void)unused;
    for (;;)
        nanosleep(&(struct timespec){1, 0}, NULL);
    return 0;
}

/* Threads without the C library's stacks, which the memory limit would bound: 600 of them fit. */
static int thread_bomb(const escape_target *t)
{
    (void)t;
    static char stacks[600][4096];
    for (int i = 0; i < 600; i++)
        if (clone(thread_body, stacks[i] + sizeof stacks[i], THREAD_FLAGS, NULL) < 0)
            return errno;
    return ESCAPED;
}

static int thread_in_a_namespace(const escape_target *t)
{
    (void)t;
    static char stack[4096];
    return outcome(clone(thread_body, stack + sizeof stack, THREAD_FLAGS | CLONE_NEWNS, NULL));
}

CALL(call_setsid, SYS_setsid)
CALL(call_setpgid, SYS_setpgid, 0, 0)

/* ---- others: signals, tracing, memory ---- */

CALL(kill_the_driver, SYS_kill, t->driver, SIGUSR1)
CALL(kill_everybody, SYS_kill, -1, 0)
CALL(kill_the_group, SYS_kill, 0, 0)
CALL(tgkill_init, SYS_tgkill, 1, 1, 0)
CALL(tgkill_the_driver, SYS_tgkill, t->driver, t->driver, SIGUSR1)
CALL(tkill_the_driver, SYS_tkill, t->driver, SIGUSR1)
CALL(queue_a_signal, SYS_rt_sigqueueinfo, t->driver, SIGUSR1, (char[128]){0})
CALL(call_pidfd_open, 434, t->driver, 0u)
CALL(call_pidfd_send_signal, 424, 0, SIGUSR1, NULL, 0u)
CALL(trace_the_driver, SYS_ptrace, (long)PTRACE_SEIZE, (long)t->driver, 0L, 0L)
CALL(be_traced, SYS_ptrace, (long)PTRACE_TRACEME, 0L, 0L, 0L)
CALL(call_kcmp, SYS_kcmp, t->driver, t->driver, 0, 0L, 0L)
CALL(call_move_pages, SYS_move_pages, t->driver, 0L, NULL, NULL, NULL, 0)

static int remote(long call, const escape_target *t)
{
    long mine = 666;
    struct iovec here = {&mine, sizeof mine}, there = {(void *)t->secret, sizeof mine};
    return outcome(syscall(call, t->driver, &here, 1L, &there, 1L, 0L));
}

static int read_the_driver(const escape_target *t) { return remote(SYS_process_vm_readv, t); }

static int write_the_driver(const escape_target *t) { return remote(SYS_process_vm_writev, t); }

static int open_memory(int process)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", process);
    return outcome(syscall(SYS_openat, AT_FDCWD, path, O_RDWR));
}

static int open_the_drivers_memory(const escape_target *t) { return open_memory(t->driver); }

static int open_own_memory(const escape_target *t)
{
    (void)t;
    return outcome(syscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR));
}

static int open_the_drivers_environment(const escape_target *t)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", t->driver);
    return outcome(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY));
}

/* ---- the network ---- */

static int reach(const escape_target *t, int kind, int port, bool binds)
{
    (void)t;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int s = socket(AF_INET, kind, 0);
    if (s < 0)
        return errno;
    if (binds)
        return outcome(bind(s, (struct sockaddr *)&address, sizeof address));
    if (kind == SOCK_DGRAM)
        return outcome(sendto(s, "out", 3, 0, (struct sockaddr *)&address, sizeof address));
    return outcome(connect(s, (struct sockaddr *)&address, sizeof address));
}

static int connect_tcp(const escape_target *t) { return reach(t, SOCK_STREAM, t->tcp, false); }

static int bind_tcp(const escape_target *t) { return reach(t, SOCK_STREAM, 0, true); }

static int send_udp(const escape_target *t) { return reach(t, SOCK_DGRAM, t->udp, false); }

static int connect_unix(const escape_target *t)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.107s", t->unix_path);
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    return s < 0 ? errno : outcome(connect(s, (struct sockaddr *)&address, sizeof address));
}

CALL(make_a_socketpair, SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, (int[2]){0})
CALL(make_a_netlink_socket, SYS_socket, AF_NETLINK, SOCK_RAW, 0)
CALL(make_a_raw_socket, SYS_socket, AF_INET, SOCK_RAW, 1)
CALL(make_a_vsock_socket, SYS_socket, 40, SOCK_STREAM, 0)

/* ---- memory ---- */

enum { MUCH = 4096 }; /* MiB; the limit is far below */

static int map_code(const escape_target *t)
{
    (void)t;
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) == MAP_FAILED
               ? errno
               : ESCAPED;
}

static int turn_data_into_code(const escape_target *t)
{
    (void)t;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int mmap_bomb(const escape_target *t)
{
    (void)t;
    for (int i = 0; i < MUCH; i++)
        if (mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
            MAP_FAILED)
            return errno;
    return ESCAPED;
}

static int malloc_bomb(const escape_target *t)
{
    (void)t;
    for (int i = 0; i < MUCH; i++) {
        volatile char *block = malloc(1 << 20);
        if (!block)
            return ENOMEM;
        block[0] = 1;
    }
    return ESCAPED;
}

static int grow_the_heap(const escape_target *t)
{
    (void)t;
    long end = syscall(SYS_brk, 0L), wanted = end + ((long)MUCH << 20);
    return syscall(SYS_brk, wanted) == wanted ? ESCAPED : ENOMEM;
}

static int descend(volatile char *above, int depth)
{
    volatile char frame[4096];
    frame[0] = above[0];
    return depth == 0 ? frame[0] : descend(frame, depth - 1) + frame[0];
}

/* A gigabyte of stack; the limit is 8 MiB. */
static int stack_overflow(const escape_target *t)
{
    (void)t;
    volatile char top = 0;
    descend(&top, 1 << 18);
    return ESCAPED;
}

CALL(call_mlock, SYS_mlockall, MCL_CURRENT)
CALL(call_pkey_mprotect, SYS_pkey_mprotect, NULL, 0L, PROT_EXEC, -1)
CALL(call_userfaultfd, SYS_userfaultfd, 1)
CALL(call_shmget, SYS_shmget, 0L, 4096L, 0600 | 01000)
CALL(call_msgget, SYS_msgget, 0L, 0600 | 01000)
CALL(call_semget, SYS_semget, 0L, 1, 0600 | 01000)
CALL(call_mq_open, SYS_mq_open, "phoenix-escape", O_CREAT | O_RDWR, 0600, NULL)

/* ---- time, output ---- */

static volatile bool forever = true;

static int spin(const escape_target *t)
{
    (void)t;
    volatile unsigned turns = 0;
    while (forever)
        turns = turns + 1;
    return ESCAPED;
}

static void refuse_to_die(int number) { (void)number; }

static int spin_and_handle_signals(const escape_target *t)
{
    for (int i = 1; i < 32; i++)
        signal(i, refuse_to_die);
    return spin(t);
}

static int spin_and_block_signals(const escape_target *t)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    return spin(t);
}

static int sleep_forever(const escape_target *t)
{
    (void)t;
    while (forever)
        nanosleep(&(struct timespec){1000, 0}, NULL);
    return ESCAPED;
}

static int sleep_and_ignore_signals(const escape_target *t)
{
    for (int i = 1; i < 32; i++)
        signal(i, SIG_IGN);
    return sleep_forever(t);
}

static int flood(int descriptor, int times)
{
    static char block[65536];
    for (int i = 0; i < times; i++)
        if (syscall(SYS_write, descriptor, block, sizeof block) < 0)
            return errno;
    return ESCAPED;
}

static int flood_output(const escape_target *t)
{
    (void)t;
    return flood(1, 4096);
}

static int flood_errors(const escape_target *t)
{
    (void)t;
    return flood(2, 4096);
}

static int file_bomb(const escape_target *t)
{
    (void)t;
    return flood(7, 1024);
}

static int file_bomb_that_ignores(const escape_target *t)
{
    signal(SIGXFSZ, SIG_IGN);
    return file_bomb(t);
}

static int fall_over(const escape_target *t)
{
    (void)t;
    abort();
}

/* ---- limits, privileges, the filter itself ---- */

static int raise_limits(const escape_target *t)
{
    (void)t;
    struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};
    return outcome(syscall(SYS_prlimit64, 0, RLIMIT_AS, &r, NULL));
}

static int limit_the_driver(const escape_target *t)
{
    struct rlimit r = {0, 4096};
    return outcome(syscall(SYS_prlimit64, t->driver, RLIMIT_CORE, &r, NULL));
}

static int read_the_drivers_limits(const escape_target *t)
{
    struct rlimit r;
    return outcome(syscall(SYS_prlimit64, t->driver, RLIMIT_CORE, NULL, &r));
}

#if defined SYS_setrlimit
static int call_setrlimit(const escape_target *t)
{
    (void)t;
    struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};
    return outcome(syscall(SYS_setrlimit, RLIMIT_CPU, &r));
}
#endif

CALL(call_setpriority, SYS_setpriority, 0, 0, -20)
CALL(call_sched_setscheduler, SYS_sched_setscheduler, 0, 1, (int[1]){1})
CALL(call_sched_setaffinity, SYS_sched_setaffinity, 0, 8L, (&(unsigned long){1}))
CALL(call_setuid, SYS_setuid, 0)
CALL(call_setresuid, SYS_setresuid, 0, 0, 0)
CALL(call_setgroups, SYS_setgroups, 0, NULL)
CALL(call_capset, SYS_capset, (uint32_t[2]){0x20080522, 0}, (uint32_t[6]){0})
CALL(call_mount, SYS_mount, "none", t->folder, "tmpfs", 0L, NULL)
CALL(call_umount, SYS_umount2, t->folder, 0)
CALL(call_open_tree, 428, AT_FDCWD, "/", 0u)
CALL(call_fsopen, 430, "tmpfs", 0u)
CALL(call_unshare, SYS_unshare, CLONE_NEWUSER | CLONE_NEWNET)
CALL(call_setns, SYS_setns, 0, 0)
CALL(call_chroot, SYS_chroot, t->folder)
CALL(call_pivot_root, SYS_pivot_root, t->folder, t->folder)
CALL(call_personality, SYS_personality, 0x0400000L /* READ_IMPLIES_EXEC */)
CALL(make_it_dumpable, SYS_prctl, 4L /* PR_SET_DUMPABLE */, 1L, 0L, 0L, 0L)
CALL(adopt_orphans, SYS_prctl, 36L /* PR_SET_CHILD_SUBREAPER */, 1L, 0L, 0L, 0L)
CALL(add_a_filter, SYS_seccomp, 1L, 0L, NULL)
CALL(listen_to_a_filter, SYS_seccomp, 1L, 8L, NULL)
CALL(add_a_ruleset, 444, (uint64_t[1]){1}, 8L, 0u)
CALL(call_reboot, SYS_reboot, 0, 0, 0, NULL)
CALL(call_init_module, SYS_init_module, NULL, 0L, "")
CALL(call_kexec_load, SYS_kexec_load, 0L, 0L, NULL, ~0UL)
CALL(call_syslog, SYS_syslog, 10, NULL, 0)
CALL(call_sethostname, SYS_sethostname, NULL, -1L)
CALL(call_settimeofday, SYS_settimeofday, NULL, NULL)
CALL(call_adjtimex, SYS_adjtimex, (char[512]){0})
CALL(call_acct, SYS_acct, in_folder(t, "missing"))
CALL(call_swapoff, SYS_swapoff, in_folder(t, "missing"))
CALL(call_quotactl, SYS_quotactl, 0, NULL, 0, NULL)

/* ---- doors of the kernel ---- */

CALL(call_bpf, SYS_bpf, 0L, (char[128]){1, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 1}, 128L)
CALL(call_io_uring, 425, 4u, (char[256]){0})
CALL(call_perf_event, SYS_perf_event_open, (char[128]){1, 0, 0, 0, 112}, 0, -1, -1, 0L)
CALL(call_keyctl, SYS_keyctl, 0L, -3L, 0L)
CALL(call_add_key, SYS_add_key, "user", "mine", "1", 1L, -3L)
CALL(call_timer_create, SYS_timer_create, 1, NULL, (long[1]){0})
CALL(call_process_madvise, 440, 0, NULL, 0L, 0, 0u)
CALL(call_clone_into_nothing, 9999L)
CALL(call_minus_one, -1L)

#if defined __x86_64__
CALL(call_x32, 0x40000000L + SYS_getpid)
CALL(call_iopl, SYS_iopl, 3)
CALL(call_modify_ldt, SYS_modify_ldt, 0, (char[16]){0}, 16L)
CALL(move_the_thread_area, SYS_arch_prctl, 0x1001L /* ARCH_SET_GS */, 0L)

/* The 32-bit door: there 5 is open(), and 20 getpid(). */
static int call_int_80(const escape_target *t)
{
    (void)t;
    long answer;
    __asm__ volatile("int $0x80" : "=a"(answer) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
    return answer > 0 ? ESCAPED : ENOSYS;
}
#endif

#define FILE_ROW  CONTROL | COMPILER
#define SIGNAL(n) BY_SIGNAL + (n)

const escape_attempt escape_attempts[] = {
    {"openat /etc/passwd", open_passwd, CONTROL, {EACCES}},
    {"openat the journal", open_journal, FILE_ROW, {EACCES}},
    {"openat the journal to write", open_journal_to_write, FILE_ROW, {EACCES}},
    {"openat the journal, truncated", open_and_truncate, FILE_ROW, {EACCES}},
    {"openat a new file", open_a_new_file, FILE_ROW, {EACCES}},
    {"openat a temporary file", open_a_temporary_file, COMPILER, {EACCES}},
    {"openat from descriptor 0", open_from_an_open_folder, 0, {EACCES}},
    {"openat /dev/null", open_null, CONTROL, {EACCES}},
    {"openat2", call_openat2, FILE_ROW, {KILLED}},
    {"truncate", call_truncate, FILE_ROW, {KILLED}},
    {"unlinkat", call_unlinkat, FILE_ROW, {KILLED}},
    {"unlinkat a folder", remove_a_folder, FILE_ROW, {KILLED}},
    {"renameat", call_renameat, FILE_ROW, {KILLED}},
    {"linkat", call_linkat, FILE_ROW, {KILLED}},
    {"symlinkat", call_symlinkat, FILE_ROW, {KILLED}},
    {"mkdirat", call_mkdirat, FILE_ROW, {KILLED}},
    {"mknodat", call_mknodat, FILE_ROW, {KILLED}},
    {"fchmodat", call_fchmodat, CONTROL, {KILLED}},
    {"fchownat", call_fchownat, CONTROL | COMPILER, {KILLED}},
    {"utimensat", call_utimensat, FILE_ROW, {KILLED}},
    {"setxattr", call_setxattr, COMPILER, {KILLED}},
    {"chdir", call_chdir, CONTROL, {KILLED}},
    {"statfs", call_statfs, CONTROL, {KILLED}},
    {"newfstatat", call_newfstatat, CONTROL, {EACCES}},
    {"readlinkat", call_readlinkat, CONTROL, {EACCES}},
    {"getcwd", call_getcwd, CONTROL, {KILLED}},
    {"inotify_init1", call_inotify, FILE_ROW, {KILLED}},
    {"fanotify_init", call_fanotify, COMPILER, {KILLED}},
    {"memfd_create", call_memfd, FILE_ROW, {KILLED}},
    {"open_by_handle_at", call_open_by_handle, COMPILER, {KILLED}},
#if defined SYS_open
    {"open", call_open, CONTROL, {EACCES}},
    {"creat", call_creat, FILE_ROW, {KILLED}},
    {"unlink", call_unlink, FILE_ROW, {KILLED}},
    {"rename", call_rename, FILE_ROW, {KILLED}},
    {"chmod", call_chmod, CONTROL, {KILLED}},
    {"symlink", call_symlink, FILE_ROW, {KILLED}},
    {"mkdir", call_mkdir, FILE_ROW, {KILLED}},
    {"rmdir", call_rmdir, FILE_ROW, {KILLED}},
#endif

    {"write to inherited descriptors", write_to_inherited, FILE_ROW | LIMITED, {EBADF}},
    {"ioctl TIOCSTI", call_ioctl, COMPILER, {ENOTTY}},
    {"fcntl F_DUPFD", call_fcntl, CONTROL, {EPERM}},
    {"dup", call_dup, CONTROL, {KILLED}},
    {"pipe2", call_pipe2, CONTROL, {KILLED}},
    {"eventfd2", call_eventfd, FILE_ROW, {KILLED}},
    {"epoll_create1", call_epoll, FILE_ROW, {KILLED}},

    {"execve /bin/true", call_execve, 0, {KILLED}},
    {"execveat /bin/true", call_execveat, COMPILER, {KILLED, EACCES}},
    {"execveat as the candidate was", exec_as_the_candidate_was, CANDIDATE, {EACCES}},
    {"fork", call_fork, CONTROL, {EPERM, KILLED}},
    {"clone a process", clone_a_process, CONTROL, {EPERM}},
    {"clone a namespace", clone_a_namespace, COMPILER, {EPERM}},
    {"clone3", call_clone3, CONTROL, {ENOSYS}},
#if defined SYS_fork
    {"fork, the system call", call_fork_directly, CONTROL, {KILLED}},
    {"vfork", call_vfork, 0, {KILLED}},
#endif
    {"fork bomb", fork_bomb, CONTROL, {EPERM}},
    {"leave the session and linger", leave_and_linger, 0, {EPERM}},
    {"thread, one allowed", thread_bomb, 0, {EPERM}},
    {"thread bomb, two allowed", thread_bomb, THREADS, {EAGAIN}},
    {"thread in a namespace", thread_in_a_namespace, THREADS, {EPERM}},
    {"process, two threads allowed", clone_a_process, THREADS | CONTROL, {EPERM}},
    {"process, no signal at its end", clone_in_silence, THREADS, {EPERM}},
    {"setsid", call_setsid, COMPILER, {KILLED}},
    {"setpgid", call_setpgid, COMPILER, {KILLED}},

    {"kill the driver", kill_the_driver, FILE_ROW, {KILLED}},
    {"kill everybody", kill_everybody, COMPILER, {KILLED}},
    {"kill the group", kill_the_group, COMPILER, {KILLED}},
    {"tgkill process 1", tgkill_init, COMPILER, {EPERM}},
    {"tgkill the driver", tgkill_the_driver, FILE_ROW, {EPERM}},
    {"tkill the driver", tkill_the_driver, FILE_ROW, {EPERM}},
    {"rt_sigqueueinfo", queue_a_signal, COMPILER, {KILLED}},
    {"pidfd_open", call_pidfd_open, FILE_ROW, {KILLED}},
    {"pidfd_send_signal", call_pidfd_send_signal, COMPILER, {KILLED}},
    {"ptrace the driver", trace_the_driver, FILE_ROW, {KILLED}},
    {"ptrace oneself", be_traced, FILE_ROW, {KILLED}},
    {"kcmp", call_kcmp, COMPILER, {KILLED}},
    {"move_pages", call_move_pages, COMPILER, {KILLED}},
    {"process_vm_readv the driver", read_the_driver, FILE_ROW, {KILLED}},
    {"process_vm_writev the driver", write_the_driver, FILE_ROW, {KILLED}},
    {"/proc/driver/mem", open_the_drivers_memory, FILE_ROW, {EACCES}},
    {"/proc/self/mem", open_own_memory, FILE_ROW, {EACCES}},
    {"/proc/driver/environ", open_the_drivers_environment, FILE_ROW, {EACCES}},

    {"connect TCP", connect_tcp, FILE_ROW, {KILLED}},
    {"bind TCP", bind_tcp, FILE_ROW, {KILLED}},
    {"sendto UDP", send_udp, FILE_ROW, {KILLED}},
    {"connect a unix socket", connect_unix, FILE_ROW, {KILLED}},
    {"socketpair", make_a_socketpair, FILE_ROW, {KILLED}},
    {"netlink socket", make_a_netlink_socket, FILE_ROW, {KILLED}},
    {"raw socket", make_a_raw_socket, COMPILER, {KILLED}},
    {"vsock socket", make_a_vsock_socket, COMPILER, {KILLED}},

    {"mmap code", map_code, CONTROL, {EACCES}},
    {"mprotect data into code", turn_data_into_code, CONTROL, {EACCES}},
    {"mmap bomb", mmap_bomb, LIMITED, {ENOMEM}},
    {"malloc bomb", malloc_bomb, LIMITED, {ENOMEM}},
    {"brk bomb", grow_the_heap, LIMITED, {ENOMEM}},
    {"stack overflow", stack_overflow, LIMITED, {SIGNAL(SIGSEGV)}},
    {"mlockall", call_mlock, COMPILER, {KILLED}},
    {"pkey_mprotect", call_pkey_mprotect, COMPILER, {KILLED}},
    {"userfaultfd", call_userfaultfd, COMPILER, {KILLED}},
    {"shmget", call_shmget, COMPILER, {KILLED}},
    {"msgget", call_msgget, COMPILER, {KILLED}},
    {"semget", call_semget, COMPILER, {KILLED}},
    {"mq_open", call_mq_open, COMPILER, {KILLED}},

    {"infinite loop", spin, LIMITED, {SIGNAL(SIGXCPU), BY_DEADLINE}},
    {"infinite loop, signals handled",
     spin_and_handle_signals,
     LIMITED,
     {SIGNAL(SIGKILL), BY_DEADLINE}},
    {"infinite loop, signals blocked",
     spin_and_block_signals,
     LIMITED,
     {SIGNAL(SIGKILL), BY_DEADLINE}},
    {"sleep forever", sleep_forever, LIMITED, {BY_DEADLINE}},
    {"sleep forever, signals ignored", sleep_and_ignore_signals, LIMITED, {BY_DEADLINE}},
    {"flood standard output", flood_output, LIMITED, {BY_FLOOD}},
    {"flood standard error", flood_errors, LIMITED, {BY_FLOOD}},
    {"file bomb", file_bomb, HANDED | LIMITED, {SIGNAL(SIGXFSZ)}},
    {"file bomb, signal ignored", file_bomb_that_ignores, HANDED | LIMITED, {EFBIG}},
    {"abort", fall_over, LIMITED, {SIGNAL(SIGABRT), SIGNAL(SIGSEGV)}},

    {"raise its limits", raise_limits, COMPILER, {EPERM}},
    {"lower the driver's limits", limit_the_driver, FILE_ROW, {EPERM}},
    {"read the driver's limits", read_the_drivers_limits, FILE_ROW, {EPERM}},
#if defined SYS_setrlimit
    {"setrlimit", call_setrlimit, COMPILER, {KILLED}},
#endif
    {"setpriority", call_setpriority, COMPILER, {KILLED}},
    {"sched_setscheduler", call_sched_setscheduler, COMPILER, {KILLED}},
    {"sched_setaffinity", call_sched_setaffinity, FILE_ROW, {EPERM}},
    {"setuid 0", call_setuid, COMPILER, {KILLED}},
    {"setresuid 0", call_setresuid, COMPILER, {KILLED}},
    {"setgroups", call_setgroups, COMPILER, {KILLED}},
    {"capset", call_capset, COMPILER, {KILLED}},
    {"mount", call_mount, COMPILER, {KILLED}},
    {"umount2", call_umount, COMPILER, {KILLED}},
    {"open_tree", call_open_tree, COMPILER, {KILLED}},
    {"fsopen", call_fsopen, COMPILER, {KILLED}},
    {"unshare", call_unshare, COMPILER, {KILLED}},
    {"setns", call_setns, COMPILER, {KILLED}},
    {"chroot", call_chroot, COMPILER, {KILLED}},
    {"pivot_root", call_pivot_root, COMPILER, {KILLED}},
    {"personality", call_personality, FILE_ROW, {KILLED}},
    {"prctl PR_SET_DUMPABLE", make_it_dumpable, FILE_ROW, {EPERM}},
    {"prctl PR_SET_CHILD_SUBREAPER", adopt_orphans, FILE_ROW, {EPERM}},
    {"seccomp", add_a_filter, COMPILER, {KILLED}},
    {"seccomp, as a listener", listen_to_a_filter, COMPILER, {KILLED}},
    {"landlock_create_ruleset", add_a_ruleset, FILE_ROW, {KILLED}},
    {"reboot", call_reboot, COMPILER, {KILLED}},
    {"init_module", call_init_module, COMPILER, {KILLED}},
    {"kexec_load", call_kexec_load, COMPILER, {KILLED}},
    {"syslog", call_syslog, COMPILER, {KILLED}},
    {"sethostname", call_sethostname, COMPILER, {KILLED}},
    {"settimeofday", call_settimeofday, COMPILER, {KILLED}},
    {"adjtimex", call_adjtimex, FILE_ROW, {KILLED}},
    {"acct", call_acct, COMPILER, {KILLED}},
    {"swapoff", call_swapoff, COMPILER, {KILLED}},
    {"quotactl", call_quotactl, COMPILER, {KILLED}},

    {"bpf", call_bpf, COMPILER, {KILLED}},
    {"io_uring_setup", call_io_uring, COMPILER, {KILLED}},
    {"perf_event_open", call_perf_event, COMPILER, {KILLED}},
    {"keyctl", call_keyctl, COMPILER, {KILLED}},
    {"add_key", call_add_key, COMPILER, {KILLED}},
    {"timer_create", call_timer_create, FILE_ROW, {KILLED}},
    {"process_madvise", call_process_madvise, COMPILER, {KILLED}},
    {"a call that does not exist", call_clone_into_nothing, COMPILER, {KILLED}},
    {"call -1", call_minus_one, 0, {KILLED}},
#if defined __x86_64__
    {"x32 getpid", call_x32, 0, {KILLED}},
    {"iopl", call_iopl, COMPILER, {KILLED}},
    {"modify_ldt", call_modify_ldt, FILE_ROW, {KILLED}},
    {"arch_prctl ARCH_SET_GS", move_the_thread_area, 0, {KILLED, EINVAL}},
    {"int 0x80", call_int_80, 0, {KILLED, SIGNAL(SIGSEGV)}},
#endif
};
const int escape_count = sizeof escape_attempts / sizeof *escape_attempts;
