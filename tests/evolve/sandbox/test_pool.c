/* SPDX-License-Identifier: MIT */
/* test_pool.c -- child processes that do what they like: whatever that is, they are over
 * when their job is, and nothing of them is left.
 *
 * Whether the children of a job live is asked of a pipe: whoever is left of the job holds its
 * writing end, which it inherited, and as long as one does, the pipe does not end. */
#include "evolve/sandbox/pool.h"
#include "base/clock.h"
#include "tests/evolve/test_evolve.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int witness[2] = {-1, -1};

static void call_witness(void)
{
    CHECK(pipe(witness) == 0, "%s", strerror(errno));
    fcntl(witness[0], F_SETFD, FD_CLOEXEC);
}

/* Whether all who inherited the pipe end within 5 seconds. */
static bool all_gone(void)
{
    char byte;
    struct pollfd end = {.fd = witness[0], .events = POLLIN};
    close(witness[1]);
    bool gone = poll(&end, 1, 5000) == 1 && read(witness[0], &byte, 1) == 0;
    close(witness[0]);
    return gone;
}

/* A job for the shell. Its command line is kept in static memory, 64 at a time. */
static sandbox_job shell(char *script)
{
    static char name[] = "sh", option[] = "-c", *lines[64][4];
    static int next;
    char **argv = lines[next++ % 64];
    argv[0] = name;
    argv[1] = option;
    argv[2] = script;
    return (sandbox_job){.argv = argv, .deadline = 60};
}

static int open_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 512; i++)
        count += fcntl(i, F_GETFD) != -1;
    return count;
}

static bool no_children(void) { return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD; }

static bool run_one(sandbox_job *job)
{
    base_error error = {""};
    bool ok = sandbox_pool_run(job, 1, 1, NULL, NULL, NULL, &error);
    if (!ok)
        test_note(__FILE__, __LINE__, "run_one", "%s", error.text);
    return ok && no_children();
}

static void megabytes_go_both_ways(void)
{
    static const size_t sizes[] = {0, 1, 65536, 65537, 3000001, SANDBOX_POOL_OUTPUT};
    char *bytes = malloc(SANDBOX_POOL_OUTPUT);
    for (size_t i = 0; i < SANDBOX_POOL_OUTPUT; i++)
        bytes[i] = (char)(i * 2654435761u >> 13);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        sandbox_job job = shell("cat");
        job.input = bytes;
        job.input_size = sizes[s];
        CHECK(run_one(&job) && job.end == SANDBOX_EXITED && job.code == 0, "end %d, code %d",
              (int)job.end, job.code);
        CHECK(job.output_size == sizes[s] &&
                  (sizes[s] == 0 || memcmp(job.output, bytes, sizes[s]) == 0),
              "%zu bytes came back as %zu", sizes[s], job.output_size);
        CHECK(sizes[s] == 0 || job.output[job.output_size] == '\0', "no NUL");
        free(job.output);
    }

    sandbox_job deaf = shell("exec 0<&-; echo done");
    deaf.input = bytes;
    deaf.input_size = 3000000;
    CHECK(run_one(&deaf) && deaf.end == SANDBOX_EXITED && deaf.code == 0 && deaf.output_size == 5,
          "one that does not read: end %d, code %d", (int)deaf.end, deaf.code);
    free(deaf.output);

    sandbox_job both = shell("cat >&2; echo done");
    both.input = bytes;
    both.input_size = 3000000;
    CHECK(run_one(&both) && both.end == SANDBOX_EXITED && both.output_size == 5, "end %d",
          (int)both.end);
    CHECK(strlen(both.errors) <= SANDBOX_POOL_ERRORS - 1, "%zu bytes of standard error",
          strlen(both.errors));
    free(both.output);
    free(bytes);
}

static void exits_and_crashes_are_told_apart(void)
{
    static const struct {
        char *const argv[4];
        sandbox_end end;
        int code;
        const char *errors;
    } cases[] = {
        {{"true", NULL}, SANDBOX_EXITED, 0, ""},
        {{"sh", "-c", "exit 3", NULL}, SANDBOX_EXITED, 3, ""},
        {{"sh", "-c", "echo oops >&2; exit 255", NULL}, SANDBOX_EXITED, 255, "oops\n"},
        {{"sh", "-c", "kill -SEGV $$", NULL}, SANDBOX_KILLED, SIGSEGV, ""},
        {{"sh", "-c", "kill -ABRT $$", NULL}, SANDBOX_KILLED, SIGABRT, ""},
        {{"sh", "-c", "kill -KILL $$", NULL}, SANDBOX_KILLED, SIGKILL, ""},
        {{"sh", "-c", "kill -INT $$; exit 1", NULL}, SANDBOX_KILLED, SIGINT, ""},
        {{"sh", "-c", "kill -TERM $$; exit 1", NULL}, SANDBOX_KILLED, SIGTERM, ""},
        {{"sh", "-c", "kill -PIPE $$; exit 1", NULL}, SANDBOX_KILLED, SIGPIPE, ""},
        {{"/nowhere/phoenix-no-such-program", NULL},
         SANDBOX_EXITED,
         127,
         "/nowhere/phoenix-no-such-program: No such file or directory"},
        {{"/", NULL}, SANDBOX_EXITED, 127, "/: Permission denied"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sandbox_job job = {.argv = cases[i].argv, .deadline = 60};
        CHECK(run_one(&job) && job.end == cases[i].end && job.code == cases[i].code &&
                  strcmp(job.errors, cases[i].errors) == 0,
              "case %zu: end %d, code %d, errors \"%s\"", i, (int)job.end, job.code, job.errors);
        CHECK(job.seconds >= 0 && job.seconds < 30, "%g s", job.seconds);
        free(job.output);
    }
}

/* A process that ignores what can be ignored, with a child that does, and a grandchild. */
static char stubborn[] = "trap '' TERM INT HUP; echo start; "
                         "(trap '' TERM INT HUP; sleep 60 & sleep 60) & "
                         "while :; do sleep 60; done";

static void a_deadline_kills_the_whole_group(void)
{
    call_witness();
    sandbox_job job = shell(stubborn);
    job.deadline = 0.3;
    CHECK(run_one(&job), "run");
    CHECK(job.end == SANDBOX_DEADLINE && job.seconds >= 0.3 && job.seconds < 10, "end %d, %g s",
          (int)job.end, job.seconds);
    CHECK(job.output && strcmp(job.output, "start\n") == 0, "what it wrote before is kept");
    CHECK(all_gone(), "a child outlived the deadline");
    free(job.output);

    sandbox_job spin = shell("while :; do :; done");
    spin.deadline = 0.2;
    CHECK(run_one(&spin) && spin.end == SANDBOX_DEADLINE, "end %d", (int)spin.end);
    free(spin.output);
    sandbox_job none = shell("sleep 60");
    none.deadline = 0;
    CHECK(run_one(&none) && none.end == SANDBOX_DEADLINE && none.seconds < 10, "end %d, %g s",
          (int)none.end, none.seconds);
    free(none.output);
}

static void stop_when_done(void *user, int job)
{
    (void)job;
    *(volatile sig_atomic_t *)user = 1;
}

/* Whether a job that tidies up when it is asked to end has done so: it removes a file. */
static void is_asked_first(bool by_stop)
{
    static volatile sig_atomic_t stop_now;
    char file[] = "/tmp/test_evolve_pool.XXXXXX", command[160];
    base_error error = {""};
    int fd = mkstemp(file);
    CHECK(fd >= 0, "a file in /tmp");
    close(fd);
    snprintf(command, sizeof command, "trap 'rm %s; exit' TERM; while :; do sleep 0.01; done",
             file);
    sandbox_job tidy = shell(command), soon = shell("sleep 0.3");
    sandbox_job jobs[2] = {tidy, soon};
    stop_now = 0;
    if (!by_stop)
        jobs[0].deadline = 0.3;
    call_witness();
    bool all = sandbox_pool_run(jobs, 2, 2, &stop_now, by_stop ? stop_when_done : NULL,
                                (void *)&stop_now, &error);
    CHECK(all == !by_stop, "ended as planned");
    CHECK(jobs[0].end == SANDBOX_DEADLINE && access(file, F_OK) != 0, "it was not asked to end");
    CHECK(all_gone(), "someone is left");
    unlink(file);
    free(jobs[0].output);
    free(jobs[1].output);
}

static void an_end_takes_the_children_along(void)
{
    call_witness();
    sandbox_job job = shell("sleep 60 & sleep 60 & echo done; exit 4");
    CHECK(run_one(&job) && job.end == SANDBOX_EXITED && job.code == 4 && job.seconds < 10,
          "end %d, code %d, %g s", (int)job.end, job.code, job.seconds);
    CHECK(job.output && strcmp(job.output, "done\n") == 0, "%s", job.output ? job.output : "");
    CHECK(all_gone(), "a child outlived its parent");
    free(job.output);
}

/* Killed so that it has no last word, while a job of its runs. */
static void the_end_of_who_runs_it_ends_the_job(void)
{
    int started[2];
    char line[8];
    call_witness();
    CHECK(pipe(started) == 0, "%s", strerror(errno));
    pid_t process = fork();
    if (process == 0) {
        char script[sizeof stubborn + 40];
        snprintf(script, sizeof script, "exec 2>&1 >&%d; %s", started[1], stubborn);
        sandbox_job jobs[2] = {shell("true"), shell(script)};
        sandbox_pool_run(jobs, 2, 2, NULL, NULL, NULL, NULL);
        _exit(1);
    }
    close(started[1]);
    CHECK(read(started[0], line, 6) == 6 && memcmp(line, "start\n", 6) == 0, "not started");
    pause_seconds(0.1);
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
    CHECK(all_gone(), "a job outlived the one who runs it");
    close(started[0]);
}

static void floods_are_cut_off(void)
{
    static char *const floods[] = {"yes", "yes >&2", "yes & yes >&2", "cat /dev/zero"};
    for (size_t i = 0; i < sizeof floods / sizeof *floods; i++) {
        call_witness();
        sandbox_job job = shell(floods[i]);
        CHECK(run_one(&job) && job.end == SANDBOX_FLOODED && job.seconds < 20, "%s: end %d, %g s",
              floods[i], (int)job.end, job.seconds);
        CHECK(job.output_size <= SANDBOX_POOL_OUTPUT, "%zu bytes kept", job.output_size);
        CHECK(all_gone(), "%s goes on", floods[i]);
        free(job.output);
    }
    sandbox_job chatty = shell("i=0; while [ $i -lt 2000 ]; do echo $i >&2; i=$((i+1)); done");
    CHECK(run_one(&chatty) && chatty.end == SANDBOX_EXITED && chatty.code == 0 &&
              strlen(chatty.errors) == SANDBOX_POOL_ERRORS - 1 &&
              strncmp(chatty.errors, "0\n1\n2\n", 6) == 0,
          "%zu bytes of standard error", strlen(chatty.errors));
    free(chatty.output);
}

static volatile sig_atomic_t stop;

static void on_alarm(int number)
{
    (void)number;
    stop = 1;
}

static void count_done(void *user, int job)
{
    (void)job;
    ++*(int *)user;
}

static void the_stop_flag_ends_all(void)
{
    enum { JOBS = 5 };
    base_error error = {""};
    sandbox_job jobs[JOBS];
    for (int i = 0; i < JOBS; i++)
        jobs[i] = shell(stubborn);
    call_witness();
    stop = 0;
    signal(SIGALRM, on_alarm);
    alarm(1);
    int done = 0;
    double started = base_clock();
    CHECK(!sandbox_pool_run(jobs, JOBS, 3, &stop, count_done, &done, &error), "it was stopped");
    CHECK(base_clock() - started < 10, "%g s", base_clock() - started);
    CHECK(done == 0, "%d jobs done", done);
    CHECK(all_gone() && no_children(), "someone is left");
    for (int i = 0; i < JOBS; i++)
        free(jobs[i].output);

    /* Set from the start: the jobs that were just born die as well. */
    for (int round = 0; round < 10; round++) {
        sandbox_job job = shell("sleep 60");
        call_witness();
        started = base_clock();
        CHECK(!sandbox_pool_run(&job, 1, 1, &stop, NULL, NULL, &error), "stopped from the start");
        CHECK(base_clock() - started < 10, "%g s", base_clock() - started);
        CHECK(all_gone() && no_children(), "someone is left");
        free(job.output);
    }
}

typedef struct order {
    int done[32], count;
} order;

static void note_done(void *user, int job)
{
    order *o = user;
    o->done[o->count++] = job;
}

/* 20 jobs, 3 at once. Each says how many it sees at work. */
static void twenty_jobs_three_at_once(void)
{
    enum { JOBS = 20, AT_ONCE = 3 };
    base_error error = {""};
    char script[JOBS][1024], want[32];
    sandbox_job jobs[JOBS];
    order seen = {{0}, 0};
    int most = 0;
    for (int i = 0; i < JOBS; i++) {
        snprintf(script[i], sizeof script[i],
                 "cd '%s' && : >work-%d && sleep 0.%d && ls work-* | wc -l && rm work-%d && "
                 "echo job %d: $(cat)",
                 scratch, i, 1 + i % 3, i, i);
        jobs[i] = shell(script[i]);
        jobs[i].input = script[i];
        jobs[i].input_size = 2;
    }
    CHECK(sandbox_pool_run(jobs, JOBS, AT_ONCE, NULL, note_done, &seen, &error), "%s", error.text);
    CHECK(seen.count == JOBS && no_children(), "%d done", seen.count);
    bool once[JOBS] = {false};
    for (int i = 0; i < seen.count; i++)
        once[seen.done[i]] = true;
    for (int i = 0; i < JOBS; i++) {
        int at_work = jobs[i].output ? atoi(jobs[i].output) : 0;
        most = at_work > most ? at_work : most;
        snprintf(want, sizeof want, "job %d: cd\n", i);
        CHECK(once[i] && jobs[i].end == SANDBOX_EXITED && jobs[i].output &&
                  strstr(jobs[i].output, want),
              "job %d: %s", i, jobs[i].output ? jobs[i].output : "");
        free(jobs[i].output);
    }
    CHECK(most <= AT_ONCE && most >= 2, "%d at once", most);

    /* One at once: the order is that of the jobs. */
    order serial = {{0}, 0};
    for (int i = 0; i < 5; i++)
        jobs[i] = shell("true");
    CHECK(sandbox_pool_run(jobs, 5, 1, NULL, note_done, &serial, &error), "%s", error.text);
    for (int i = 0; i < 5; i++)
        CHECK(serial.done[i] == i, "job %d ended as %dth", serial.done[i], i);
    CHECK(sandbox_pool_run(jobs, 0, 4, NULL, NULL, NULL, &error), "no jobs");
}

/* A job ends at once although 2 others take long: its end is not noticed later than theirs. */
static void a_slow_job_does_not_hold_up_a_fast_one(void)
{
    base_error error = {""};
    order seen = {{0}, 0};
    sandbox_job jobs[3] = {shell("sleep 1"), shell("exit 1"), shell("exit 2")};
    CHECK(sandbox_pool_run(jobs, 3, 2, NULL, note_done, &seen, &error), "%s", error.text);
    CHECK(seen.done[0] == 1 && seen.done[1] == 2 && seen.done[2] == 0, "%d %d %d", seen.done[0],
          seen.done[1], seen.done[2]);
    CHECK(jobs[1].code == 1 && jobs[2].code == 2, "%d %d", jobs[1].code, jobs[2].code);
    for (int i = 0; i < 3; i++)
        free(jobs[i].output);
}

/* nohup and some services hand on SIGCHLD ignored: then the system reaps children itself. */
static void ignored_ends_of_children_are_no_matter(void)
{
    signal(SIGCHLD, SIG_IGN);
    sandbox_job job = shell("exit 5");
    job.deadline = 5;
    CHECK(run_one(&job) && job.end == SANDBOX_EXITED && job.code == 5, "end %d, code %d",
          (int)job.end, job.code);
    free(job.output);
    CHECK(signal(SIGCHLD, SIG_DFL) == SIG_IGN, "the caller's choice is back");
    signal(SIGPIPE, SIG_DFL);
    sandbox_job deaf = shell("exec 0<&-; sleep 0.1");
    char input[100000] = {0};
    deaf.input = input;
    deaf.input_size = sizeof input;
    CHECK(run_one(&deaf) && deaf.code == 0, "code %d", deaf.code);
    CHECK(signal(SIGPIPE, SIG_DFL) == SIG_DFL, "the caller's choice is back");
    free(deaf.output);
}

/* Of a machine with few descriptors, jobs that have them go first; with none, there is an error. */
static void few_descriptors_are_enough(void)
{
    enum { JOBS = 30 };
    static const int spare[2] = {20, 5};
    struct rlimit before, few;
    getrlimit(RLIMIT_NOFILE, &before);
    int open_before = open_descriptors();
    for (int i = 0; i < 2; i++) {
        base_error error = {""};
        sandbox_job jobs[JOBS];
        for (int k = 0; k < JOBS; k++)
            jobs[k] = shell("sleep 0.01; exit 3");
        few = before;
        few.rlim_cur = (rlim_t)(open_before + spare[i]);
        setrlimit(RLIMIT_NOFILE, &few);
        double started = base_clock();
        bool ok = sandbox_pool_run(jobs, JOBS, JOBS, NULL, NULL, NULL, &error);
        setrlimit(RLIMIT_NOFILE, &before);
        CHECK(ok == !*error.text && (ok || strstr(error.text, "cannot start: ")), "%s", error.text);
        CHECK(ok == (i == 0) && base_clock() - started < 60, "%g s", base_clock() - started);
        for (int k = 0; k < JOBS; k++) {
            CHECK(!ok || (jobs[k].end == SANDBOX_EXITED && jobs[k].code == 3), "end %d, code %d",
                  (int)jobs[k].end, jobs[k].code);
            free(jobs[k].output);
        }
        CHECK(no_children() && open_descriptors() == open_before, "%d descriptors, %d before",
              open_descriptors(), open_before);
    }
}

/* Time in which this process stood still is none of its jobs'. */
static void a_stop_brings_no_deadline(void)
{
    sandbox_job job = shell("sleep 4; exit 3");
    base_error error = {""};
    job.deadline = 3;
    const pid_t self = getpid(), waker = fork();
    if (waker == 0) {
        pause_seconds(0.3);
        kill(self, SIGSTOP);
        pause_seconds(3.5);
        kill(self, SIGCONT);
        _exit(0);
    }
    bool ok = sandbox_pool_run(&job, 1, 1, NULL, NULL, NULL, &error);
    CHECK(ok && job.end == SANDBOX_EXITED && job.code == 3, "%s, end %d, code %d", error.text,
          (int)job.end, job.code);
    free(job.output);
    while (waitpid(waker, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* A child gets standard input, output and error, and nothing that this program opened. */
static void descriptors_do_not_leak(void)
{
    base_error error = {""};
    sandbox_job jobs[4];
    for (int i = 0; i < 4; i++)
        jobs[i] = shell("for i in 3 4 5 6 7 8 9; do "
                        "if (: <&$i) 2>/dev/null; then echo $i; fi; done");
    int mine[8], count = 0; /* so that 3 to 9 are closed, or closed on exec, here */
    for (int i = 3; i < 10; i++)
        if (fcntl(i, F_GETFD) != -1 && !(fcntl(i, F_GETFD) & FD_CLOEXEC)) {
            fcntl(i, F_SETFD, FD_CLOEXEC);
            mine[count++] = i;
        }
    CHECK(sandbox_pool_run(jobs, 4, 4, NULL, NULL, NULL, &error), "%s", error.text);
    for (int i = 0; i < count; i++)
        fcntl(mine[i], F_SETFD, 0);
    for (int i = 0; i < 4; i++) {
        CHECK(jobs[i].output_size == 0, "job %d sees descriptors %s", i, jobs[i].output);
        free(jobs[i].output);
    }
}

int main(void)
{
    if (!scratch_make()) {
        SKIP("no folder can be made");
        return test_end();
    }
    int open_before = open_descriptors();
    megabytes_go_both_ways();
    exits_and_crashes_are_told_apart();
    a_deadline_kills_the_whole_group();
    is_asked_first(false);
    is_asked_first(true);
    an_end_takes_the_children_along();
    the_end_of_who_runs_it_ends_the_job();
    floods_are_cut_off();
    the_stop_flag_ends_all();
    twenty_jobs_three_at_once();
    a_slow_job_does_not_hold_up_a_fast_one();
    ignored_ends_of_children_are_no_matter();
    few_descriptors_are_enough();
    a_stop_brings_no_deadline();
    descriptors_do_not_leak();
    CHECK(open_descriptors() == open_before, "%d descriptors, %d before", open_descriptors(),
          open_before);
    remove_all(scratch);
    return test_end();
}
