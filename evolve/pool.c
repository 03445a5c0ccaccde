/* pool.c -- fork, exec, poll, kill. */
#include "evolve/pool.h"
#include "evolve/sandbox.h"
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

double evolve_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

enum { IN, OUT, ERR, PIPES };

typedef struct worker {
    evolve_job *job;
    int index;
    pid_t pid;
    int fd[PIPES];                        /* ours; -1: closed */
    size_t moved[PIPES], output_capacity; /* bytes written to it or read from it so far */
    double started;
} worker;

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* In the child. All descriptors that this program opens are closed on exec, the three standard ones
 * excepted. */
static void become_job(const evolve_job *job, int theirs[PIPES])
{
    setsid();
    for (int i = 0; i < PIPES; i++)
        if (dup2(theirs[i], i) < 0)
            _exit(127);
    static const int defaults[] = {SIGINT, SIGTERM, SIGPIPE, SIGHUP};
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        signal(defaults[i], SIG_DFL);
    base_error error;
    if (job->sandbox) {
        evolve_sandbox_exec(job->sandbox, job->program, job->argv, &error);
    } else {
        execvp(job->argv[0], job->argv);
        base_fail(&error, "%s", strerror(errno));
    }
    ssize_t ignored = write(2, error.text, strlen(error.text));
    (void)ignored;
    _exit(127);
}

/* Pipe ends at 3 or above, closed on exec, so that dup2 in the child cannot clash. */
static bool make_pipe(int ends[2])
{
    int raw[2];
    if (pipe(raw) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, 3);
        close(raw[i]);
    }
    if (ends[0] >= 0 && ends[1] >= 0)
        return true;
    close_end(&ends[0]);
    close_end(&ends[1]);
    return false;
}

static bool start(worker *w, evolve_job *job, int index, base_error *error)
{
    int theirs[PIPES] = {-1, -1, -1};
    *w = (worker){.job = job, .index = index, .fd = {-1, -1, -1}};
    bool ok = true;
    for (int i = 0; i < PIPES && ok; i++) {
        int ends[2];
        if ((ok = make_pipe(ends))) {
            theirs[i] = i == IN ? ends[0] : ends[1];
            w->fd[i] = i == IN ? ends[1] : ends[0];
            ok = fcntl(w->fd[i], F_SETFL, O_NONBLOCK) == 0;
        }
    }
    w->pid = ok ? fork() : -1;
    if (w->pid == 0)
        become_job(job, theirs);
    int reason = errno;
    for (int i = 0; i < PIPES; i++)
        close_end(&theirs[i]);
    if (w->pid < 0) {
        for (int i = 0; i < PIPES; i++)
            close_end(&w->fd[i]);
        return base_fail(error, "%s: cannot start: %s", job->argv[0], strerror(reason));
    }
    w->started = evolve_clock();
    return true;
}

static void feed(worker *w)
{
    const evolve_job *job = w->job;
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
static void keep_errors(evolve_job *job, size_t before, const char *bytes, size_t size)
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
    evolve_job *job = w->job;
    size_t need = job->output_size + size + 1;
    if (need > w->output_capacity) {
        char *output = realloc(job->output, 2 * need);
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
        if (w->moved[which] > EVOLVE_POOL_OUTPUT)
            return false;
        if (which == ERR)
            keep_errors(w->job, before, bytes, size);
        else if (!keep_output(w, bytes, size))
            return false;
    }
}

/* Kills the job's whole group, reaps its leader. */
static void finish(worker *w, evolve_end end)
{
    int status = 0;
    kill(-w->pid, SIGKILL); /* before reaping: until then the group's number is its own */
    kill(w->pid, SIGKILL);  /* one that was just born does not lead a group yet */
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    for (int i = 0; i < PIPES; i++)
        close_end(&w->fd[i]);
    w->job->end = end;
    w->job->code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    if (end == EVOLVE_EXITED && WIFSIGNALED(status)) {
        w->job->end = EVOLVE_KILLED;
        w->job->code = WTERMSIG(status);
    }
    w->job->seconds = evolve_clock() - w->started;
}

/* Whether the job's leader has ended; it stays a zombie until finish() reaps it, so that its
 * process group cannot be somebody else's in between. */
static bool has_ended(const worker *w)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)w->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == w->pid;
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
            finish(w, EVOLVE_FLOODED);
            return true;
        }
    }
    if (ended)
        finish(w, EVOLVE_EXITED);
    else if (evolve_clock() - w->started > w->job->deadline)
        finish(w, EVOLVE_DEADLINE);
    else
        return false;
    return true;
}

bool evolve_pool_run(evolve_job *jobs, int count, int at_once, const volatile sig_atomic_t *stop,
                     void (*done)(void *user, int job), void *user, base_error *error)
{
    assert(at_once >= 1);
    if (at_once > count)
        at_once = count;
    worker *workers = calloc((size_t)at_once + 1, sizeof *workers);
    struct pollfd *polls = calloc((size_t)at_once * PIPES + 1, sizeof *polls);
    bool ok = workers && polls;
    if (!ok)
        base_fail(error, "jobs: no memory");
    /* Where the end of children is ignored, as this program may have inherited it, nobody can wait
     * for them. */
    struct sigaction ignore = {.sa_handler = SIG_IGN}, standard = {.sa_handler = SIG_DFL};
    struct sigaction pipe_before, child_before;
    sigaction(SIGPIPE, &ignore, &pipe_before);
    sigaction(SIGCHLD, &standard, &child_before);
    int running = 0, started = 0;
    while (ok && (running > 0 || started < count)) {
        while (ok && running < at_once && started < count) {
            ok = start(&workers[running], &jobs[started], started, error);
            if (ok) {
                running++;
                started++;
            }
        }
        if (!ok || (stop && *stop))
            break;
        wait_a_little(workers, running, polls);
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
    while (running > 0)
        finish(&workers[--running], EVOLVE_DEADLINE);
    sigaction(SIGPIPE, &pipe_before, NULL);
    sigaction(SIGCHLD, &child_before, NULL);
    free(workers);
    free(polls);
    return ok;
}
