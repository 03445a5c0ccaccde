/* SPDX-License-Identifier: MIT */
/* test_sandbox.c -- the levels: what they set, that a level asked for by name is had whole
 * or not at all, and that what a worker and a compiler do for a living goes on under them. What
 * they keep in is tests/suite_escape.sh's. */
#include "evolve/sandbox/sandbox.h"
#include "base/clock.h"
#include "evolve/sandbox/pool.h"
#include "tests/evolve/test_evolve.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#if defined TENSOR_POSIX_THREADS
#include <pthread.h>
#endif
#if defined __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

static sandbox_policy box_of(sandbox_level level)
{
    return (sandbox_policy){
        .level = level,
        .profile = SANDBOX_WORKER,
        .keep = 3,
        .limits = {.memory = (uint64_t)1 << 30,
                   .stack = (uint64_t)4 << 20,
                   .file = 1 << 16,
                   .processor = 20,
                   .files = 32,
                   .threads = 2},
    };
}

/* Runs a function in a child. Its exit status, or 1000 + the signal that ended it. */
static int in_child(int (*body)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(body());
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Step by step: the number of the first that is wrong. */
#define EXPECT(step, condition) \
    if (!(condition))           \
    return step

static void levels_have_names(void)
{
    CHECK(strcmp(sandbox_names[SANDBOX_BEST], "best") == 0, "%s", sandbox_names[SANDBOX_BEST]);
    CHECK(strcmp(sandbox_names[SANDBOX_NONE], "none") == 0, "%s", sandbox_names[SANDBOX_NONE]);
    CHECK(strcmp(sandbox_names[SANDBOX_STRICT], "strict") == 0, "%s",
          sandbox_names[SANDBOX_STRICT]);
    CHECK(!sandbox_names[SANDBOX_STRICT + 1], "a level without an enumerator");
}

static void what_there_is_fits_together(void)
{
    sandbox_machine m = sandbox_look();
    CHECK((m.level == SANDBOX_STRICT) == (m.missing == NULL), "%d, %s", m.level,
          m.missing ? m.missing : "nothing missing");
    CHECK(m.level != SANDBOX_STRICT || (m.filter && m.no_new_privs), "filter %d, nnp %d", m.filter,
          m.no_new_privs);
    CHECK(m.level == SANDBOX_STRICT || m.level == SANDBOX_LIMITS, "%d", m.level);
}

static void limits_follow_the_settings(void)
{
    sandbox_limits l = sandbox_limits_for((uint64_t)100 << 20, 9, 3);
    CHECK(l.memory == (uint64_t)504 << 20, "%llu", (unsigned long long)l.memory);
    CHECK(l.processor == 120 && l.threads == 3, "%llu s, %llu threads",
          (unsigned long long)l.processor, (unsigned long long)l.threads);
    CHECK(l.file == SANDBOX_POOL_OUTPUT, "%llu", (unsigned long long)l.file);
}

/* ---- limits ---- */

static bool is_limited(int which, uint64_t soft, uint64_t hard)
{
    struct rlimit r;
    return getrlimit(which, &r) == 0 && r.rlim_cur == soft && r.rlim_max == hard;
}

#if defined RLIMIT_AS
/* qemu, emulating a processor for one program, says yes to RLIMIT_AS and does nothing. */
static bool address_space_can_be_limited(void)
{
    struct rlimit r = {(rlim_t)1 << 31, (rlim_t)1 << 31};
    return !TEST_SANITIZED && setrlimit(RLIMIT_AS, &r) == 0 &&
           is_limited(RLIMIT_AS, r.rlim_cur, r.rlim_max);
}
#endif

static int limits_are_set(void)
{
#if defined RLIMIT_AS
    bool limits_memory = address_space_can_be_limited();
#endif
    sandbox_policy box = box_of(SANDBOX_LIMITS);
    sandbox_level level = SANDBOX_NONE;
    EXPECT(1, sandbox_enter(&box, &level, NULL) && level == SANDBOX_LIMITS);
    EXPECT(2, is_limited(RLIMIT_CORE, 0, 0));
    EXPECT(3, is_limited(RLIMIT_FSIZE, 1 << 16, 1 << 16));
    EXPECT(4, is_limited(RLIMIT_CPU, 20, 21));
    EXPECT(5, is_limited(RLIMIT_NOFILE, 32, 32));
    EXPECT(7, is_limited(RLIMIT_STACK, 4 << 20, 4 << 20));
#if defined RLIMIT_AS
    EXPECT(6, !limits_memory || is_limited(RLIMIT_AS, 1 << 30, 1 << 30));
#endif
    return 0;
}

static int limits_are_not_raised(void)
{
    struct rlimit lower = {10, 12};
    sandbox_policy box = box_of(SANDBOX_LIMITS);
    EXPECT(1, setrlimit(RLIMIT_CPU, &lower) == 0);
    EXPECT(2, sandbox_enter(&box, NULL, NULL));
    EXPECT(3, is_limited(RLIMIT_CPU, 10, 12));
    return 0;
}

static int none_changes_nothing(void)
{
    struct rlimit before, after;
    sandbox_policy box = box_of(SANDBOX_NONE);
    sandbox_level level = SANDBOX_BEST;
    int d = dup(1);
    EXPECT(1, getrlimit(RLIMIT_CPU, &before) == 0);
    EXPECT(2, sandbox_enter(&box, &level, NULL) && level == SANDBOX_NONE);
    EXPECT(3, getrlimit(RLIMIT_CPU, &after) == 0 && before.rlim_cur == after.rlim_cur);
    EXPECT(4, fcntl(d, F_GETFD) >= 0);
    return 0;
}

static int descriptors_are_closed(void)
{
    int kept = dup2(1, 3), closed = dup2(1, 4), far = dup2(1, 29);
    sandbox_policy box = box_of(SANDBOX_LIMITS);
    box.keep = 4;
    EXPECT(1, kept == 3 && closed == 4 && far == 29);
    EXPECT(2, sandbox_enter(&box, NULL, NULL));
    EXPECT(3, fcntl(kept, F_GETFD) >= 0);
    EXPECT(4, fcntl(closed, F_GETFD) < 0 && fcntl(far, F_GETFD) < 0);
    return 0;
}

static int limits_can_be_set(void)
{
    sandbox_policy box = box_of(SANDBOX_LIMITS);
    return sandbox_enter(&box, NULL, NULL) ? 0 : 1;
}

static void limits_level(void)
{
    if (in_child(limits_can_be_set) != 0) {
        SKIP("limits: they cannot be set here");
        return;
    }
    int code = in_child(limits_are_set);
    CHECK(code == 0, "step %d", code);
    code = in_child(limits_are_not_raised);
    CHECK(code == 0, "step %d", code);
    code = in_child(none_changes_nothing);
    CHECK(code == 0, "step %d", code);
    code = in_child(descriptors_are_closed);
    CHECK(code == 0, "step %d", code);
}

/* ---- strict ---- */

static int compare_ints(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

#if defined TENSOR_POSIX_THREADS
static void *add_one(void *number)
{
    *(int *)number += 1;
    return NULL;
}
#endif

/* Memory of all sizes, sorting, printing, time, threads that come and go. */
static int work_goes_on(void)
{
    sandbox_policy box = box_of(SANDBOX_STRICT);
    sandbox_level level = SANDBOX_NONE;
    bool was_root = geteuid() == 0;
    EXPECT(1, sandbox_enter(&box, &level, NULL) && level == SANDBOX_STRICT);
#if defined RLIMIT_NPROC
    /* Who was root counts threads by itself, unless it may not become another user. */
    EXPECT(11, !was_root || is_limited(RLIMIT_NPROC, 6, 6) || getuid() == 0 || getuid() == 65534);
#else
    (void)was_root;
#endif
    int *numbers = malloc(sizeof *numbers << 22);
    EXPECT(2, numbers);
    for (int i = 0; i < 1 << 16; i++)
        numbers[i] = (int)((unsigned)i * 40503u % 65536u);
    qsort(numbers, 1 << 16, sizeof *numbers, compare_ints);
    EXPECT(3, numbers[1] == 1 && numbers[65535] == 65535);
    char *small = malloc(10);
    numbers = realloc(numbers, sizeof *numbers << 23);
    EXPECT(4, numbers && small);
    free(small);
    free(numbers);
    double before = base_clock();
    struct timespec moment = {0, 1000000};
    nanosleep(&moment, NULL);
    EXPECT(5, base_clock() > before);
#if defined TENSOR_POSIX_THREADS
    int count = 0;
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        EXPECT(6, pthread_create(&thread, NULL, add_one, &count) == 0);
        EXPECT(7, pthread_join(thread, NULL) == 0);
    }
    EXPECT(8, count == 100);
#endif
    EXPECT(9, printf("%s", "") == 0 && fflush(stdout) == 0);
    EXPECT(10, open("/dev/null", O_RDONLY) < 0 && errno == EACCES);
    return 0;
}

static int an_unknown_call_kills(void)
{
    sandbox_policy box = box_of(SANDBOX_STRICT);
    EXPECT(1, sandbox_enter(&box, NULL, NULL));
    kill(getppid(), 0);
    return 2;
}

static int a_failed_assertion_aborts(void)
{
    sandbox_policy box = box_of(SANDBOX_STRICT);
    EXPECT(1, sandbox_enter(&box, NULL, NULL));
    abort();
}

#if defined TENSOR_POSIX_THREADS
static int ready[2], told[2];

static void *open_when_told(void *result)
{
    char byte;
    if (read(told[0], &byte, 1) == 1)
        *(int *)result = open("/dev/null", O_RDONLY) < 0 ? errno : -1;
    return NULL;
}

/* A thread that was there before is held too. */
static int threads_that_are_there_are_held(void)
{
    pthread_t thread;
    int result = 0;
    sandbox_policy box = box_of(SANDBOX_STRICT);
    box.keep = 64;
    box.limits.files = 0;
    EXPECT(1, pipe(ready) == 0 && pipe(told) == 0);
    EXPECT(2, pthread_create(&thread, NULL, open_when_told, &result) == 0);
    EXPECT(3, sandbox_enter(&box, NULL, NULL));
    EXPECT(4, write(told[1], "!", 1) == 1 && pthread_join(thread, NULL) == 0);
    EXPECT(5, result == EACCES);
    return 0;
}
#endif

static void strict_level(void)
{
    sandbox_machine m = sandbox_look();
    if (m.level != SANDBOX_STRICT) {
        SKIP("strict: %s", m.missing);
        return;
    }
    int code = in_child(work_goes_on);
    CHECK(code == 0, "step %d", code);
    code = in_child(an_unknown_call_kills);
    CHECK(code == 1000 + SIGSYS, "%d", code);
    code = in_child(a_failed_assertion_aborts);
    CHECK(code == 1000 + SIGABRT || code == 1000 + SIGSEGV, "%d", code);
#if defined TENSOR_POSIX_THREADS
    code = in_child(threads_that_are_there_are_held);
    CHECK(code == 0, "step %d", code);
#endif
}

/* ---- where a layer is missing ---- */

/* Whatever this machine has: asked for by name, strict is entered or refused; not asked for by
 * name, there is what phoenix sandbox says. */
static int best_is_what_was_said(void)
{
    sandbox_machine m = sandbox_look();
    sandbox_policy box = box_of(SANDBOX_BEST);
    sandbox_level level = SANDBOX_NONE;
    EXPECT(1, sandbox_enter(&box, &level, NULL));
    return level == m.level ? 0 : 2;
}

static int strict_is_entered_or_refused(void)
{
    base_error error = {""};
    bool here = sandbox_look().level == SANDBOX_STRICT;
    sandbox_policy box = box_of(SANDBOX_STRICT);
    sandbox_level level = SANDBOX_NONE;
    bool entered = sandbox_enter(&box, &level, &error);
    EXPECT(1, entered == here);
    EXPECT(2, entered ? level == SANDBOX_STRICT : strstr(error.text, "strict") != NULL);
    return 0;
}

static void best_and_strict(void)
{
    if (in_child(limits_can_be_set) != 0) {
        SKIP("the best level: limits cannot be set here");
        return;
    }
    int code = in_child(best_is_what_was_said);
    CHECK(code == 0, "step %d", code);
    code = in_child(strict_is_entered_or_refused);
    CHECK(code == 0, "step %d", code);
}

#if defined __linux__ && defined SYS_seccomp && defined __has_include
#if __has_include(<linux/seccomp.h>) && __has_include(<linux/filter.h>)
#define FILTERS_ARE_HERE 1
#include <linux/filter.h>
#include <linux/seccomp.h>

/* Makes one system call one that the kernel does not have. */
static bool lose(long call)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == 0 &&
           prctl(PR_SET_SECCOMP, 2L, &filter) == 0;
}

static int without_seccomp(void)
{
    base_error error = {""};
    sandbox_level level = SANDBOX_NONE;
    EXPECT(1, lose(SYS_seccomp));
    EXPECT(2, sandbox_look().level == SANDBOX_LIMITS);
    sandbox_policy box = box_of(SANDBOX_STRICT);
    EXPECT(3, !sandbox_enter(&box, &level, &error) && level == SANDBOX_NONE);
    EXPECT(4, strncmp(error.text, "--sandbox strict: ", 18) == 0);
    box.level = SANDBOX_BEST;
    EXPECT(5, sandbox_enter(&box, &level, NULL) && level == SANDBOX_LIMITS);
    EXPECT(6, is_limited(RLIMIT_CPU, 20, 21));
    return 0;
}

/* A worker's filter holds without Landlock; a candidate's and a compiler's does not. */
static int without_landlock(void)
{
    static char name[] = "true", *argv[] = {name, NULL};
    base_error error = {""};
    sandbox_level level = SANDBOX_NONE;
    EXPECT(1, lose(444 /* landlock_create_ruleset */));
    sandbox_policy box = box_of(SANDBOX_STRICT);
    box.profile = SANDBOX_COMPILER;
    box.folder = ".";
    EXPECT(2, !sandbox_exec(&box, -1, argv, &error));
    EXPECT(3, strstr(error.text, "Landlock"));
    box.profile = SANDBOX_CANDIDATE;
    box.folder = NULL;
    EXPECT(4, !sandbox_exec(&box, 3, argv, &error) && strstr(error.text, "Landlock"));
    if (TEST_SANITIZED)
        return 0;
    box.profile = SANDBOX_WORKER;
    EXPECT(5, sandbox_enter(&box, &level, NULL) && level == SANDBOX_STRICT);
    return 0;
}
#endif
#endif

static void missing_layers(void)
{
#if defined FILTERS_ARE_HERE
    sandbox_machine m = sandbox_look();
    if (m.filter) {
        int code = in_child(without_seccomp);
        CHECK(code == 0, "without seccomp: step %d", code);
        code = in_child(without_landlock);
        CHECK(code == 0, "without Landlock: step %d", code);
        return;
    }
#endif
    SKIP("taking layers away: there is no filter to do it with");
}

/* ---- a compiler at work ---- */

static bool compile(const char *folder, const char *text, sandbox_job *job)
{
    static char cc[] = "cc", o[] = "-o", program[] = "program", source[] = "source.c";
    static char *argv[] = {cc, o, program, source, NULL};
    static sandbox_policy box;
    base_error error = {""};
    char path[600];
    base_bytes bytes = {text, strlen(text)};
    snprintf(path, sizeof path, "%s/source.c", folder);
    CHECK(base_file_write(path, &bytes, 1, NULL, &error), "%s", error.text);
    box = (sandbox_policy){
        .level = SANDBOX_BEST,
        .profile = SANDBOX_COMPILER,
        .keep = 3,
        .folder = folder,
        .limits = {.memory = (uint64_t)1 << 30, .file = 16 << 20, .processor = 20, .files = 64},
    };
    *job = (sandbox_job){.argv = argv, .deadline = 30, .sandbox = &box, .program = -1};
    CHECK(sandbox_pool_run(job, 1, 1, NULL, NULL, NULL, &error), "%s", error.text);
    free(job->output);
    return job->end == SANDBOX_EXITED && job->code == 0;
}

static void compilers_work(void)
{
    sandbox_job job;
    const char *folder = at("compiler");
    char program[600];
    if (system("command -v cc >/dev/null 2>&1") != 0) {
        SKIP("cc is not here");
        return;
    }
    mkdir(folder, 0700);
    snprintf(program, sizeof program, "%s/program", folder);
    bool compiled =
        compile(folder, "#include <stdio.h>\nint main(void){return puts(\"\") < 0;}\n", &job);
    CHECK(compiled, "end %d, code %d: %s", job.end, job.code, job.errors);
    CHECK(access(program, X_OK) == 0, "%s: %s", program, strerror(errno));
    if (sandbox_look().landlock < 1 || !sandbox_look().filter) {
        SKIP("what a compiler must not read: there is no Landlock");
        return;
    }
    compiled = compile(folder, "#include \"/etc/passwd\"\n", &job);
    CHECK(!compiled && strstr(job.errors, "ermission"), "end %d: %s", job.end, job.errors);
}

int main(void)
{
    if (!scratch_make())
        return 1;
    levels_have_names();
    what_there_is_fits_together();
    limits_follow_the_settings();
    limits_level();
    strict_level();
    best_and_strict();
    missing_layers();
    compilers_work();
    remove_all(scratch);
    return test_end();
}
