/* SPDX-License-Identifier: MIT */
/* escape_driver.c -- tries every attempt of escape_attempts.c, each in a process that enters the
 * sandbox as the product does: under sandbox_pool_run(), by sandbox_enter() as a worker, or
 * executed by sandbox_exec() as a candidate or in a compiler's place.
 *
 *   escape FOLDER worker|candidate|launcher|compiler|nothing [nobody] [limits]
 *
 * A launcher starts what then enters as a worker. With "nobody" root becomes user 65534 first; with
 * "limits" that level is entered, which holds what runs away and not what means harm: what is harmless
 * then has to get out, so that nobody is told that it is held. An attempt passes if its outcome is one that it has
 * to have; if its folder is as it was, byte by byte and mode by mode; and, all together, if nothing
 * is left running, the servers have not been reached, and the driver's memory, limits and signals
 * are as they were. "nothing" is the control: no sandbox, and what can get out, does. */
#define _GNU_SOURCE
#include "base/file.h"
#include "base/clock.h"
#include "evolve/sandbox/pool.h"
#include "evolve/sandbox/sandbox.h"
#include "tests/escape/escape.h"
#include "tests/test.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECRET = 4711, DEADLINE = 6, MOST = 256 };

static volatile long secret = SECRET;
static volatile sig_atomic_t signalled;

static void count_signal(int number)
{
    (void)number;
    signalled = signalled + 1;
}

static sandbox_limits limits_of(const escape_attempt *attempt)
{
    return (sandbox_limits){
        .memory = (uint64_t)256 << 20,
        .stack = (uint64_t)8 << 20,
        .file = 1 << 20,
        .processor = 1,
        .files = 64,
        .threads = attempt->flags & THREADS ? 2 : 1,
    };
}

static sandbox_level level = SANDBOX_STRICT;

/* ---- inside: one attempt, in a process of its own ---- */

/* escape NAME MODE LEVEL FOLDER SECRET DRIVER TCP UDP UNIX */
enum { TRY, NAME, MODE, LEVEL, FOLDER, ADDRESS, DRIVER, TCP, UDP, UNIX, ARGUMENTS };

static const escape_attempt *find(const char *name)
{
    for (int i = 0; i < escape_count; i++)
        if (strcmp(escape_attempts[i].name, name) == 0)
            return &escape_attempts[i];
    return NULL;
}

static bool is_worker(const char *mode)
{
    return strcmp(mode, "worker") == 0 || strcmp(mode, "launcher") == 0;
}

/* Ends with 0 where it got out, so that a program that was executed in its place has, too. */
static int try_one(char **argv)
{
    const escape_attempt *attempt = find(argv[NAME]);
    escape_target target = {
        .folder = argv[FOLDER],
        .secret = (uintptr_t)strtoumax(argv[ADDRESS], NULL, 16),
        .driver = atoi(argv[DRIVER]),
        .tcp = atoi(argv[TCP]),
        .udp = atoi(argv[UDP]),
        .unix_path = argv[UNIX],
    };
    base_error error;
    sandbox_policy box = {.level = (sandbox_level)atoi(argv[LEVEL]), .profile = SANDBOX_WORKER};
    box.limits = limits_of(attempt);
    box.keep = attempt->flags & HANDED ? 8 : 3;
    if (is_worker(argv[MODE]) && !sandbox_enter(&box, NULL, &error)) {
        fprintf(stderr, "%s", error.text);
        return 126;
    }
    int outcome = attempt->run(&target);
    if (outcome == ESCAPED)
        return 0;
    char text[32];
    int length = snprintf(text, sizeof text, "%d\n", outcome);
    return write(1, text, (size_t)length) == length ? 1 : 125;
}

/* ---- outside ---- */

typedef struct trial {
    const escape_attempt *attempt;
    char level[8], folder[256], address[32], driver[16], tcp[16], udp[16], unix_path[300];
    char *argv[4 + ARGUMENTS + 1];
    sandbox_policy box;
    char *before;
} trial;

typedef struct servers {
    int tcp, udp, local, tcp_port, udp_port;
} servers;

static int serve(int kind, int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int s = socket(AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0 || bind(s, (struct sockaddr *)&address, size) != 0 ||
        (kind == SOCK_STREAM && listen(s, 64) != 0) ||
        getsockname(s, (struct sockaddr *)&address, &size) != 0)
        return -1;
    *port = ntohs(address.sin_port);
    return s;
}

static int serve_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0 || bind(s, (struct sockaddr *)&address, sizeof address) != 0 || listen(s, 64) != 0 ||
        chmod(path, 0777) != 0)
        return -1;
    return s;
}

/* How often they were reached since last asked. */
static int visitors(const servers *all)
{
    int count = 0, s;
    char byte;
    while ((s = accept(all->tcp, NULL, NULL)) >= 0 || (s = accept(all->local, NULL, NULL)) >= 0) {
        count++;
        close(s);
    }
    while (recv(all->udp, &byte, 1, 0) >= 0)
        count++;
    return count;
}

static void make_folder(const char *folder)
{
    char path[300];
    mkdir(folder, 0777);
    chmod(folder, 0777);
    snprintf(path, sizeof path, "%s/empty", folder);
    mkdir(path, 0777);
    chmod(path, 0777);
    snprintf(path, sizeof path, "%s/journal.jsonl", folder);
    FILE *file = fopen(path, "w");
    if (file) {
        fputs("{\"event\":\"score\",\"score\":1}\n", file);
        fclose(file);
    }
    chmod(path, 0666);
}

/* All there is to say about a folder: names, modes, sizes, times of change, contents. */
static char *describe(const char *folder)
{
    char command[1024];
    static char text[8192];
    snprintf(command, sizeof command,
             "cd '%s' && find . -print | sort | while read -r f; do stat -c '%%n %%a %%u %%h %%s "
             "%%y' \"$f\"; done; cat journal.jsonl",
             folder);
    FILE *pipe = popen(command, "r");
    size_t length = pipe ? fread(text, 1, sizeof text - 1, pipe) : 0;
    text[length] = '\0';
    if (pipe)
        pclose(pipe);
    return strdup(text);
}

static void prepare(trial *t, const char *work, const char *mode, int number, const servers *all)
{
    snprintf(t->folder, sizeof t->folder, "%.200s/%.20s-%d", work, mode, number);
    snprintf(t->level, sizeof t->level, "%d", (int)level);
    make_folder(t->folder);
    t->before = describe(t->folder);
    snprintf(t->address, sizeof t->address, "%" PRIxPTR, (uintptr_t)&secret);
    snprintf(t->driver, sizeof t->driver, "%d", (int)getpid());
    snprintf(t->tcp, sizeof t->tcp, "%d", all->tcp_port);
    snprintf(t->udp, sizeof t->udp, "%d", all->udp_port);
    snprintf(t->unix_path, sizeof t->unix_path, "%.200s/socket", work);
}

static const char *describe_outcome(int outcome)
{
    static char text[2][64];
    static int next;
    char *to = text[next++ % 2];
    if (outcome == ESCAPED)
        snprintf(to, sizeof text[0], "ESCAPED");
    else if (outcome == BY_DEADLINE || outcome == BY_FLOOD)
        snprintf(to, sizeof text[0], "%s", outcome == BY_FLOOD ? "flooded" : "deadline");
    else if (outcome > BY_SIGNAL && outcome < BY_DEADLINE)
        snprintf(to, sizeof text[0], "killed: %s", strsignal(outcome - BY_SIGNAL));
    else
        snprintf(to, sizeof text[0], "refused: %s", strerror(outcome));
    return to;
}

/* -1: the sandbox did not stand. */
static int outcome_of(const sandbox_job *job)
{
    if (job->end == SANDBOX_DEADLINE)
        return BY_DEADLINE;
    if (job->end == SANDBOX_FLOODED)
        return BY_FLOOD;
    if (job->end == SANDBOX_KILLED)
        return BY_SIGNAL + job->code;
    if (job->code == 0)
        return ESCAPED;
    return job->code == 1 && job->output ? atoi(job->output) : -1;
}

static bool can_get_out(const char *mode)
{
    return strcmp(mode, "nothing") == 0 || level == SANDBOX_LIMITS;
}

/* Where nothing holds, one that is at it until its deadline has not been held either: a busy machine takes long
 * over a fork bomb. In cc's place every refusal will do that comes from the sandbox, and not from wrong arguments. */
static bool is_expected(const escape_attempt *attempt, const char *mode, int outcome)
{
    static const int refusals[] = {ENOSYS, EPERM, EACCES, EBADF, ENOTTY};
    if (strcmp(mode, "nothing") == 0 || (level == SANDBOX_LIMITS && !(attempt->flags & LIMITED)))
        return outcome == ESCAPED || outcome == BY_DEADLINE;
    if (strcmp(mode, "compiler") == 0) {
        for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
            if (outcome == refusals[i])
                return true;
        return false;
    }
    for (int i = 0; i < 4; i++)
        if (outcome != 0 && outcome == attempt->expected[i])
            return true;
    return false;
}

static bool is_tried(const escape_attempt *attempt, const char *mode)
{
    if (strcmp(mode, "nothing") == 0)
        return attempt->flags & CONTROL;
    if (level == SANDBOX_LIMITS && !(attempt->flags & (CONTROL | LIMITED)))
        return false;
    if (strcmp(mode, "compiler") == 0)
        return attempt->flags & COMPILER;
    return !(attempt->flags & CANDIDATE) || strcmp(mode, "candidate") == 0;
}

static void judge(const trial *t, const sandbox_job *job, const char *mode)
{
    int outcome = outcome_of(job);
    CHECK(is_expected(t->attempt, mode, outcome), "%s as %s: %s; %s", t->attempt->name, mode,
          outcome < 0 ? "no sandbox" : describe_outcome(outcome), job->errors);
    if (getenv("PHOENIX_VERBOSE"))
        printf("%-10s %-32s %s\n", mode, t->attempt->name, describe_outcome(outcome));
    if (can_get_out(mode) || t->attempt->flags & HANDED)
        return;
    char *after = describe(t->folder);
    if (strcmp(t->before, after) != 0)
        CHECK(false, "%s as %s: changed\n%sto\n%s", t->attempt->name, mode, t->before, after);
    free(after);
}

/* With the driver as the reaper of orphans, whoever is left of a job is now its child. One that was
 * killed with its group may take a moment to be gone. */
static void nothing_is_left(const char *mode)
{
    double until = base_clock() + 1;
    pid_t left;
    while ((left = waitpid(-1, NULL, WNOHANG)) >= 0 && base_clock() < until)
        if (left == 0)
            poll(NULL, 0, 10);
    CHECK(left == -1 && errno == ECHILD, "as %s: a process was left running", mode);
}

static void try_all(const char *self, const char *work, const char *mode, const servers *all)
{
    static trial trials[MOST];
    static sandbox_job jobs[MOST];
    base_error error = {""};
    char cc_folder[300];
    const char *const readable[] = {self, NULL};
    int count = 0, program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    snprintf(cc_folder, sizeof cc_folder, "%.200s/cc", work);
    mkdir(cc_folder, 0777);
    for (int i = 0; i < escape_count && count < MOST; i++) {
        if (!is_tried(&escape_attempts[i], mode))
            continue;
        trial *t = &trials[count];
        *t = (trial){.attempt = &escape_attempts[i]};
        prepare(t, work, mode, i, all);
        char *const argv[] = {"sh",         "-c",         "exec \"$@\"",
                              "sh",         (char *)self, (char *)t->attempt->name,
                              (char *)mode, t->level,     t->folder,
                              t->address,   t->driver,    t->tcp,
                              t->udp,       t->unix_path, NULL};
        bool launcher = strcmp(mode, "launcher") == 0;
        memcpy(t->argv, launcher ? argv : argv + 4,
               sizeof argv - (launcher ? 0 : 4 * sizeof *argv));
        bool cc = strcmp(mode, "compiler") == 0, candidate = strcmp(mode, "candidate") == 0;
        t->box = (sandbox_policy){
            .level = level,
            .profile = cc ? SANDBOX_COMPILER : SANDBOX_CANDIDATE,
            .limits = limits_of(t->attempt),
            .keep = t->attempt->flags & HANDED ? 8 : 3,
            .folder = cc ? cc_folder : NULL,
            .readable = cc ? readable : NULL,
        };
        jobs[count] = (sandbox_job){.argv = t->argv, .deadline = DEADLINE};
        jobs[count].sandbox = cc || candidate ? &t->box : NULL;
        jobs[count].program = cc || launcher ? -1 : program;
        count++;
    }
    CHECK(sandbox_pool_run(jobs, count, 4, NULL, NULL, NULL, &error), "%s", error.text);
    close(program);
    for (int i = 0; i < count; i++) {
        judge(&trials[i], &jobs[i], mode);
        free(jobs[i].output);
        free(trials[i].before);
    }
}

static void everything_is_as_it_was(const char *mode, const servers *all, const char *handed)
{
    struct rlimit core;
    char *text;
    size_t size;
    int came = visitors(all);
    if (can_get_out(mode)) {
        CHECK(came > 0 && signalled > 0 && secret != SECRET, "%d visitors, %d signals, secret %ld",
              came, (int)signalled, secret);
        return;
    }
    getrlimit(RLIMIT_CORE, &core);
    CHECK(came == 0, "as %s: %d visitors", mode, came);
    CHECK(signalled == 0, "as %s: %d signals", mode, (int)signalled);
    CHECK(secret == SECRET, "as %s: the secret is %ld", mode, secret);
    CHECK(core.rlim_cur == 4096, "as %s: the driver's limit is %lu", mode,
          (unsigned long)core.rlim_cur);
    if ((text = base_file_read(handed, 1 << 22, &size, NULL)))
        CHECK(size <= 1 << 20, "as %s: the file bomb wrote %zu bytes", mode, size);
    free(text);
}

/* Descriptor 7 is inherited by every job: a file that all may write. */
static void open_handed(const char *path)
{
    int d = open(path, O_CREAT | O_TRUNC | O_RDWR, 0666);
    dup2(d, 7);
    if (d != 7)
        close(d);
}

/* What entering costs: the time of a child that does nothing else, less that of one that does not
 * enter; the middle one of 51. */
static double middle_time(bool enters)
{
    enum { TIMES = 51 };
    double seconds[TIMES];
    for (int i = 0; i < TIMES; i++) {
        double started = base_clock();
        pid_t child = fork();
        if (child == 0) {
            sandbox_policy box = {
                .level = SANDBOX_STRICT, .keep = 3, .limits = {.threads = 1, .files = 64}};
            _exit(enters && !sandbox_enter(&box, NULL, NULL));
        }
        waitpid(child, NULL, 0);
        double took = base_clock() - started;
        int at = i;
        for (; at > 0 && seconds[at - 1] > took; at--)
            seconds[at] = seconds[at - 1];
        seconds[at] = took;
    }
    return seconds[TIMES / 2];
}

static bool become_nobody(void)
{
    return setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0;
}

int main(int argc, char **argv)
{
    if (argc == ARGUMENTS)
        return try_one(argv);
    sandbox_machine machine = sandbox_look();
    const char *work = argc > 2 ? argv[1] : "", *mode = argc > 2 ? argv[2] : "";
    bool control = strcmp(mode, "nothing") == 0;
    if (argc > 3 && strcmp(argv[argc - 1], "limits") == 0) {
        level = SANDBOX_LIMITS;
        argc--;
    }
    if (argc < 3 || (argc > 3 && !become_nobody())) {
        CHECK(false, "escape FOLDER worker|candidate|launcher|compiler|nothing [nobody] [limits]");
        return test_end();
    }
    /* After a change of user, /proc/self is root's until the process is dumpable again; and a
     * driver that may be traced is what the control needs. */
    prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L);
    if (machine.level < level && !control) {
        SKIP("the strict level is not here: %s", machine.missing);
        return test_end();
    }
    char path[300], handed[300], self[4096], folder[4096];
    servers all;
    if (!realpath(work, folder) || !realpath(argv[0], self)) {
        CHECK(false, "%s, %s: %s", work, argv[0], strerror(errno));
        return test_end();
    }
    work = folder;
    snprintf(path, sizeof path, "%.200s/socket", work);
    snprintf(handed, sizeof handed, "%.200s/handed", work);
    all.tcp = serve(SOCK_STREAM, &all.tcp_port);
    all.udp = serve(SOCK_DGRAM, &all.udp_port);
    all.local = serve_unix(path);
    CHECK(all.tcp >= 0 && all.udp >= 0 && all.local >= 0, "servers: %s", strerror(errno));
    signal(SIGUSR1, count_signal);
    setrlimit(RLIMIT_CORE, &(struct rlimit){4096, RLIM_INFINITY});
    setrlimit(RLIMIT_CORE, &(struct rlimit){4096, 4096});
    /* Should a bomb go off. Where a user has a count of its own, the sandbox's is lower. */
    setrlimit(RLIMIT_NPROC, &(struct rlimit){500, 500});
    prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
    open_handed(handed);
    try_all(self, work, mode, &all);
    everything_is_as_it_was(mode, &all, handed);
    nothing_is_left(mode);
    unlink(path);
    if (strcmp(mode, "worker") == 0) {
        double without = middle_time(false), with = middle_time(true);
        printf("entering the sandbox takes %.0f us (a child without: %.0f us)\n",
               1e6 * (with - without), 1e6 * without);
    }
    return test_end();
}
