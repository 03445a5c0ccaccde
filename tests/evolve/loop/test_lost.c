/* SPDX-License-Identifier: MIT */
/* test_lost.c -- whole runs whose workers are killed or stopped from outside: the same journal, or an
 * error after which the run goes on to the same journal.
 *
 * A launcher stops itself and becomes the worker when it goes on; it writes down its process number
 * before. So this program has every worker in its hand before it begins. */
#include "tests/evolve/test_evolve_command.h"
#include <signal.h>

static const char launcher_script[] = "#!/bin/sh\n"
                                      "echo $$ >>\"$0.pids\"\n"
                                      "kill -STOP $$\n"
                                      "exec \"$@\"\n";

/* Waits until the driver or worker number `from` is there to be seen. 0: the driver has ended. */
static pid_t next_worker(int from, pid_t driver, int *code)
{
    for (;;) {
        size_t size;
        char *bytes = slurp(at("launch.pids"), &size), *line = bytes;
        for (int i = 0; i < from && line; i++)
            line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
        pid_t worker = line && strchr(line, '\n') ? (pid_t)atol(line) : 0;
        free(bytes);
        int status;
        if (worker || waitpid(driver, &status, WNOHANG) == driver) {
            *code = !worker && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
            return worker;
        }
        pause_seconds(0.01);
    }
}

/* A process that was stopped by itself goes on only when it has stopped. */
static void go_on(pid_t worker)
{
    pause_seconds(0.02);
    for (int i = 0; i < 50 && kill(worker, SIGCONT) == 0; i++)
        pause_seconds(0.01);
}

typedef enum disturbance { LIVES, KILLED_ONCE, KILLED, STOPPED, DRIVER_STOPPED } disturbance;

/* Of a run on a folder; returns its exit code. */
static int run(const char *folder, bool resume, disturbance fate)
{
    static const char *const more[] = {
        "--launcher", NULL, "--proposer",    "rules", "--batches", "1", "--candidates", "3",
        "--deadline", "2",  "--fresh-seeds", "1",     "--seed",    "3", "--reuse",      "no",
        NULL};
    const char *arguments[sizeof more / sizeof *more];
    memcpy(arguments, more, sizeof more);
    arguments[1] = fate == LIVES ? "env" : at("launch");
    unlink(at("launch.pids"));
    pid_t driver = start_evolve(folder, resume, "1", "1", arguments), worker;
    if (fate == LIVES)
        return wait_for(driver);
    int code = -1;
    for (int i = 0; (worker = next_worker(i, driver, &code)); i++) {
        if (fate == KILLED || (fate == KILLED_ONCE && i == 2)) {
            kill(worker, SIGKILL);
            continue;
        }
        if (fate == DRIVER_STOPPED && i == 1)
            kill(driver, SIGSTOP);
        if (fate >= STOPPED && i == 1)
            pause_seconds(3); /* longer than the deadline */
        if (fate == DRIVER_STOPPED && i == 1)
            kill(driver, SIGCONT);
        go_on(worker);
    }
    return code;
}

static void as_undisturbed(const char *name, disturbance fate)
{
    CHECK(run(at(name), false, fate) == 0, "%s", name);
    same_run(at("whole"), at(name), false);
}

static void no_worker_is_no_outcome(void)
{
    size_t size;
    int code = run(at("killed"), false, KILLED);
    char *errors = slurp(at("stderr"), &size);
    CHECK(code == 1 && strstr(errors, "workers are lost: the worker was ended by signal 9") &&
              strchr(errors, '\n') == errors + size - 1,
          "exit code %d: %s", code, errors);
    free(errors);
    code = run(at("killed"), true, LIVES);
    errors = slurp(at("stderr"), &size);
    CHECK(code == 0 && size == 0, "resumed: exit code %d: %s", code, errors);
    free(errors);
    same_run(at("whole"), at("killed"), false);
}

int main(void)
{
    if (!scratch_for_command())
        return test_end();
    spill(at("launch"), launcher_script, sizeof launcher_script - 1);
    chmod(at("launch"), 0755);
    CHECK(run(at("whole"), false, LIVES) == 0, "undisturbed");
    as_undisturbed("once", KILLED_ONCE);
    as_undisturbed("stopped", STOPPED);
    as_undisturbed("waiting", DRIVER_STOPPED);
    no_worker_is_no_outcome();
    remove_all(scratch);
    return test_end();
}
