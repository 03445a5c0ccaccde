/* SPDX-License-Identifier: MIT */
/* pool.c -- fork, exec, poll, kill.
 *
 * A job is a process group of its own, so that what it starts can be ended with it. The driver itself
 * may be killed, and then nobody would end the jobs: a guardian process, which does nothing but wait
 * for the driver's end of a pipe to close, kills the groups that are left. Output is read while jobs
 * run, and no job may write more than it was allowed; a deadline is kept by the clock that does not jump. */
#include "evolve/sandbox/pool.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/process.h"
#include "evolve/sandbox/sandbox.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { IN, OUT, ERR, PIPES };

typedef struct worker {
    sandbox_job *job;
    int index, guard;
    pid_t pid;
    int fd[PIPES];                        /* ours; -1: closed */
    size_t moved[PIPES], output_capacity; /* bytes written to it or read from it so far */
    double started, until; /* by base_clock(), which the second is moved along with */
} worker;

/* ---- the guard: a process that lives to see this one die ----
 *
 * Who runs jobs kills them when they take too long; nobody would if it were killed itself, and with
 * SIGKILL there is no last word. So a child watches: it knows the jobs' process groups, and reads
 * from a pipe that only this process writes to. The pipe ends when this process does, however it
 * does, and then the guard kills the groups. (Linux has PR_SET_PDEATHSIG, but it reaches the job
 * alone, and not what a compiler's driver has started.) */

typedef struct guardian {
    pid_t pid;
    int fd; /* the pipe's end to write to */
} guardian;

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void kill_groups(const pid_t *groups, int most, int signal_number)
{
    for (int i = 0; i < most; i++)
        if (groups[i] > 0)
            kill(-groups[i], signal_number);
}

/* A launcher is asked before it is killed, and gets so many seconds to end what it has begun: srun,
 * for one, has an allocation to give back. */
enum { GRACE = 1 };

/* In the child. groups: room for those that run at once, zeros. */
static void keep_guard(int fd, pid_t *groups, int most)
{
    const struct timespec grace = {GRACE, 0};
    pid_t group;
    setsid(); /* what is typed at a terminal is not for it */
    sandbox_close(0, fd);
    while (read(fd, &group, sizeof group) == (ssize_t)sizeof group)
        for (int i = 0; i < most; i++)
            if (groups[i] == (group > 0 ? 0 : -group)) {
                groups[i] = group > 0 ? group : 0;
                break;
            }
    kill_groups(groups, most, SIGTERM);
    nanosleep(&grace, NULL);
    kill_groups(groups, most, SIGKILL);
    _exit(0);
}

static bool guard_start(guardian *g, int at_once, base_error *error)
{
    int ends[2] = {-1, -1};
    pid_t *groups = base_calloc((size_t)at_once, sizeof *groups);
    *g = (guardian){.pid = -1, .fd = -1};
    if (groups && base_pipe(ends, 3) && (g->pid = fork()) == 0) {
        close(ends[1]);
        keep_guard(ends[0], groups, at_once);
    }
    int reason = errno;
    base_free(groups);
    close_end(&ends[0]);
    g->fd = ends[1];
    if (g->pid > 0)
        return true;
    close_end(&g->fd);
    return base_fail(error, "jobs: cannot start: %s", strerror(reason));
}

/* A group begins, or (-group) has ended. A guard that is gone changes nothing. */
static void guard_tell(int fd, pid_t group)
{
    ssize_t ignored = write(fd, &group, sizeof group);
    (void)ignored;
}

static void guard_end(guardian *g)
{
    if (g->pid <= 0)
        return;
    kill(g->pid, SIGKILL);
    while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    close_end(&g->fd);
}

/* ---- jobs ---- */

/* In the child. All descriptors that this program opens are closed on exec, the three standard ones
 * excepted. It says itself that it is there: so the guard, whose pipe it holds until exec, knows it
 * before it can see the pipe's end. */
static void become_job(const sandbox_job *job, int theirs[PIPES], int guard)
{
    setsid();
    guard_tell(guard, getpid());
    for (int i = 0; i < PIPES; i++)
        if (dup2(theirs[i], i) < 0)
            _exit(127);
    static const int defaults[] = {SIGINT, SIGTERM, SIGPIPE, SIGHUP};
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        signal(defaults[i], SIG_DFL);
    base_error error;
    if (job->sandbox) {
        sandbox_exec(job->sandbox, job->program, job->argv, &error);
    } else {
        execvp(job->argv[0], job->argv);
        base_fail(&error, "%s: %s", job->argv[0], strerror(errno));
    }
    ssize_t ignored = write(2, error.text, strlen(error.text));
    (void)ignored;
    _exit(127);
}

static bool start(worker *w, sandbox_job *job, int index, int guard, base_error *error)
{
    int theirs[PIPES] = {-1, -1, -1};
    *w = (worker){.job = job, .index = index, .guard = guard, .fd = {-1, -1, -1}};
    bool ok = true;
    for (int i = 0; i < PIPES && ok; i++) {
        int ends[2];
        if ((ok = base_pipe(ends, 3))) {
            theirs[i] = i == IN ? ends[0] : ends[1];
            w->fd[i] = i == IN ? ends[1] : ends[0];
            ok = fcntl(w->fd[i], F_SETFL, O_NONBLOCK) == 0;
        }
    }
    w->pid = ok ? fork() : -1;
    if (w->pid == 0)
        become_job(job, theirs, guard);
    int reason = errno;
    for (int i = 0; i < PIPES; i++)
        close_end(&theirs[i]);
    if (w->pid < 0) {
        for (int i = 0; i < PIPES; i++)
            close_end(&w->fd[i]);
        return base_fail(error, "%s: cannot start: %s", job->argv[0], strerror(reason));
    }
    w->started = base_clock();
    w->until = w->started + job->deadline;
    return true;
}

static void feed(worker *w)
{
    const sandbox_job *job = w->job;
    size_t *written = &w->moved[IN];
    while (*written < job->input_size) {
        ssize_t n = write(w->fd[IN], job->input + *written, job->input_size - *written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n < 0)
            break; /* it does not want to read more: its own affair */
        *written += (size_t)n;
    }
    close_end(&w->fd[IN]);
}

/* The beginning of standard error; `before` bytes of it came earlier. */
static void keep_errors(sandbox_job *job, size_t before, const char *bytes, size_t size)
{
    size_t room = before < sizeof job->errors - 1 ? sizeof job->errors - 1 - before : 0;
    if (room == 0)
        return;
    size_t taken = size < room ? size : room;
    memcpy(job->errors + before, bytes, taken);
    job->errors[before + taken] = '\0';
}

static bool keep_output(worker *w, const char *bytes, size_t size)
{
    sandbox_job *job = w->job;
    size_t need = job->output_size + size + 1;
    if (need > w->output_capacity) {
        char *output = base_realloc(job->output, 2 * need);
        if (!output)
            return false;
        job->output = output;
        w->output_capacity = 2 * need;
    }
    memcpy(job->output + job->output_size, bytes, size);
    job->output_size += size;
    job->output[job->output_size] = '\0';
    return true;
}

/* Takes what is there to read. False: more than a job may write, or no memory for it. What it may
 * write is also what ends the loop for one that writes as fast as this reads. */
static bool drain(worker *w, int which)
{
    for (;;) {
        char bytes[16384];
        ssize_t n = read(w->fd[which], bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (n <= 0) {
            close_end(&w->fd[which]);
            return true;
        }
        size_t size = (size_t)n, before = w->moved[which];
        w->moved[which] += size;
        if (w->moved[which] > SANDBOX_POOL_OUTPUT + (which == OUT ? w->job->most : 0))
            return false;
        if (which == ERR)
            keep_errors(w->job, before, bytes, size);
        else if (!keep_output(w, bytes, size))
            return false;
    }
}

/* Whether the job's leader has ended; it stays a zombie until finish() reaps it, so that its
 * process group cannot be somebody else's in between. */
static bool has_ended(const worker *w)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)w->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == w->pid;
}

static void signal_job(const worker *w, int signal_number)
{
    kill(-w->pid, signal_number);
    kill(w->pid, signal_number); /* one that was just born does not lead a group yet */
}

/* Asks jobs that are to be killed to end by themselves, and gives them a second for it. */
static void ask_to_end(const worker *workers, int count)
{
    const struct timespec pause = {0, 5000000};
    double asked = base_clock();
    for (int i = 0; i < count; i++)
        signal_job(&workers[i], SIGTERM);
    for (int i = 0; i < count; i++)
        while (!has_ended(&workers[i]) && base_clock() - asked < GRACE)
            nanosleep(&pause, NULL);
}

/* Kills the job's whole group, reaps its leader. */
static void finish(worker *w, sandbox_end end)
{
    int status = 0;
    signal_job(w, SIGKILL); /* before reaping: until then the group's number is its own */
    guard_tell(w->guard, -w->pid);
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    for (int i = 0; i < PIPES; i++)
        close_end(&w->fd[i]);
    w->job->end = end;
    w->job->code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    if (end == SANDBOX_EXITED && WIFSIGNALED(status)) {
        w->job->end = SANDBOX_KILLED;
        w->job->code = WTERMSIG(status);
    }
    w->job->seconds = base_clock() - w->started;
}

/* Waits for something to happen to any worker: at most 20 ms, since the end of a process is no
 * event that poll() knows; 1 ms where one has closed all it writes to, and will end any moment. */
static void wait_a_little(const worker *workers, int count, struct pollfd *polls)
{
    nfds_t n = 0;
    int timeout = 20;
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < PIPES; k++)
            if (workers[i].fd[k] >= 0)
                polls[n++] =
                    (struct pollfd){.fd = workers[i].fd[k], .events = k == IN ? POLLOUT : POLLIN};
        if (workers[i].fd[OUT] < 0 && workers[i].fd[ERR] < 0)
            timeout = 1;
    }
    poll(polls, n, timeout);
}

/* Moves bytes, looks at the clock. True: the job has ended and is reaped. */
static bool attend(worker *w)
{
    if (w->fd[IN] >= 0)
        feed(w);
    bool ended = has_ended(w); /* asked first, so that what it wrote last is read below */
    for (int k = OUT; k <= ERR; k++) {
        if (w->fd[k] >= 0 && !drain(w, k)) {
            ask_to_end(w, 1);
            finish(w, SANDBOX_FLOODED);
            return true;
        }
    }
    bool late = !ended && base_clock() > w->until;
    if (late)
        ask_to_end(w, 1);
    if (ended || late)
        finish(w, ended ? SANDBOX_EXITED : SANDBOX_DEADLINE);
    return ended || late;
}

/* A machine that is short of processes or descriptors may have some again in a moment, and at the
 * latest when a job ends. Whether to try again, after a pause where nothing else is to be waited for. */
static bool may_start_later(int running, int *failures, base_error *error)
{
    enum { MOST_FAILURES = 8 };
    const struct timespec pause = {0, 250000000};
    if (running == 0 && ++*failures == MOST_FAILURES)
        return false;
    if (running == 0)
        nanosleep(&pause, NULL);
    error->text[0] = '\0';
    return true;
}

/* Where this process was stopped, so were its jobs, most likely: the time is no time of theirs. */
static void pass_over(worker *workers, int count, double *before)
{
    const double now = base_clock(), since = now - *before;
    for (int i = 0; since > 2 * GRACE && i < count; i++)
        workers[i].until += since;
    *before = now;
}

bool sandbox_pool_run(sandbox_job *jobs, int count, int at_once, const volatile sig_atomic_t *stop,
                      void (*done)(void *user, int job), void *user, base_error *error)
{
    assert(at_once >= 1);
    if (at_once > count)
        at_once = count;
    worker *workers = base_calloc((size_t)at_once + 1, sizeof *workers);
    struct pollfd *polls = base_calloc((size_t)at_once * PIPES + 1, sizeof *polls);
    guardian guard = {.pid = -1, .fd = -1};
    bool ok = (workers && polls) || base_fail(error, "jobs: no memory");
    /* Where the end of children is ignored, as this program may have inherited it, nobody can wait
     * for them. */
    struct sigaction ignore = {.sa_handler = SIG_IGN}, standard = {.sa_handler = SIG_DFL};
    struct sigaction pipe_before, child_before;
    sigaction(SIGPIPE, &ignore, &pipe_before);
    sigaction(SIGCHLD, &standard, &child_before);
    int running = 0, started = 0, failures = 0;
    while (ok && count > 0 && guard.pid < 0)
        ok = guard_start(&guard, at_once, error) || may_start_later(0, &failures, error);
    double before = base_clock();
    while (ok && (running > 0 || started < count)) {
        while (running < at_once && started < count &&
               (ok = start(&workers[running], &jobs[started], started, guard.fd, error))) {
            running++;
            started++;
            failures = 0;
        }
        ok = ok || may_start_later(running, &failures, error);
        if (!ok || (stop && *stop))
            break;
        wait_a_little(workers, running, polls);
        pass_over(workers, running, &before);
        for (int i = 0; i < running;) {
            if (!attend(&workers[i])) {
                i++;
                continue;
            }
            int index = workers[i].index;
            workers[i] = workers[--running];
            if (done)
                done(user, index);
        }
    }
    if (running > 0)
        ok = false; /* stopped, or the next could not be started */
    ask_to_end(workers, running);
    while (running > 0)
        finish(&workers[--running], SANDBOX_DEADLINE);
    guard_end(&guard);
    sigaction(SIGPIPE, &pipe_before, NULL);
    sigaction(SIGCHLD, &child_before, NULL);
    base_free(workers);
    base_free(polls);
    return ok;
}
