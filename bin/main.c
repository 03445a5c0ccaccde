/* SPDX-License-Identifier: MIT */
/* main.c -- the phoenix command: a table of subcommands, each in the file of its name. A new one is
 * a row here and that file. */
#define _XOPEN_SOURCE 700 /* sigaltstack() */
#include "bin/command.h"
#include "base/guess.h"
#include "base/memory.h"
#include "bin/progress.h"
#include "evolve/loop/how.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

const char *command_program, *command_called;

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} commands[] = {
    {"evolve", command_evolve, "the loop: a T5 that rewrites the source that defines it"},
    {"refine", command_refine, "sample the refinement dataset; its entropy floor"},
    {"train", command_train, "train the model that a source defines; write a model folder"},
    {"generate", command_generate, "refined versions of a source, from a trained model"},
    {"trace", command_trace, "one number through a T5: attention, loss, gradient, update"},
    {"predict", command_predict, "what a trained network says of pictures or a table's rows"},
    {"export", command_export, "a trained network or T5 as a C file that needs nothing else"},
    {"evaluate", command_evaluate, "score one source; one JSON object on standard output"},
    {"table", command_table, "the benchmark of searches: every design of a grid, trained"},
    {"compare", command_compare, "searches on that table, or runs, held against each other"},
    {"report", command_report, "a page about a run, or several: figures, lineage, diffs"},
    {"why", command_why, "what a candidate was made from, and what became of it"},
    {"diff", command_diff, "what changed between two sources of a run"},
    {"verify", command_verify, "hold a run to its journal, or this build to vectors"},
    {"experience", command_experience, "what the candidates of runs came to, as a table"},
    {"sandbox", command_sandbox, "what holds a candidate on this machine, and what does not"},
    {"bench", command_bench, "how fast this machine does it, and how near its limits"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static int usage(FILE *to)
{
    fputs("phoenix: a self-programming AI in plain C\n\n", to);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(to, "  phoenix %-10s %s\n", commands[i].name, commands[i].about);
    fputs("\nbegin with: phoenix evolve\n"
          "phoenix help COMMAND says more; phoenix --version prints the version\n"
          "exit codes: 0 done, 1 failed, 2 usage, 3 invalid source\n",
          to);
    return to == stdout ? EXIT_DONE : EXIT_USAGE;
}

/* argv[0]: the command's name. */
static int run_command(int argc, char **argv)
{
    base_guess guess = {.word = argv[0]};
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(argc, argv);
        base_guess_offer(&guess, commands[i].name);
    }
    return complain(EXIT_USAGE, "%s: there is no such command%s%s%s (phoenix --help lists them)",
                    argv[0], guess.name ? "; did you mean " : "", guess.name ? guess.name : "",
                    guess.name ? "?" : "");
}

/* phoenix help COMMAND [all] */
static int help(int argc, char **argv)
{
    static char option[] = "--help";
    char *of_command[] = {argv[0], option, argc > 1 ? argv[1] : NULL, NULL};
    return run_command(argc > 1 ? 3 : 2, of_command);
}

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

static int run(int argc, char **argv)
{
    static const char *const helps[] = {"help", "--help", "-h", NULL};
    static const char *const versions[] = {"version", "--version", "-V", NULL};
    if (argc < 2)
        return usage(stderr);
    if (is_one_of(argv[1], helps))
        return argc > 2 ? help(argc - 2, argv + 2) : usage(stdout);
    if (is_one_of(argv[1], versions)) {
        puts("phoenix " EVOLVE_VERSION);
        return EXIT_DONE;
    }
    return run_command(argc - 1, argv + 1);
}

/* Workers may be started from another folder, so a path is made a whole one; a bare name is looked
 * up in their PATH. */
static const char *whole_path(const char *name)
{
    static char path[4096];
    char here[2048];
    int need = sizeof path;
    if (*name != '/' && strchr(name, '/') && getcwd(here, sizeof here))
        need = snprintf(path, sizeof path, "%s/%s", here, name);
    return need < (int)sizeof path ? path : name;
}

/* What whoever started this process may have left in an unusual state.
 *
 * Descriptors 0, 1 and 2 exist before any file is opened: a journal that got the number of a closed
 * standard output would have the printed text in it. A file beyond the limit of its size is an error
 * of write(), with a message, rather than a signal that kills. The signals that end a run cleanly
 * arrive, whoever blocked them. */
static bool sane_start(void)
{
    int descriptor;
    do
        descriptor = open("/dev/null", O_RDWR); /* the lowest number that is free */
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor < 0)
        return false;
    close(descriptor);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGPROF);
    sigaddset(&signals, SIGXCPU);
    return signal(SIGXFSZ, SIG_IGN) != SIG_ERR && sigprocmask(SIG_UNBLOCK, &signals, NULL) == 0;
}

/* A signal's handler may not print: ends the process with a line of its own. */
static void end_with(const char *line)
{
    ssize_t ignored = write(STDERR_FILENO, line, strlen(line));
    (void)ignored;
    _exit(EXIT_FAILED);
}

static void out_of_stack(int number)
{
    (void)number;
    end_with("phoenix: the stack that this machine gives (ulimit -s) is too small\n");
}

static void out_of_time(int number)
{
    (void)number;
    end_with("phoenix: the processor time that this machine gives (ulimit -t) is used up\n");
}

/* Raises the soft limit, or both where that is allowed, to `wanted`. Whether it is that now. */
static bool raise_limit(int which, struct rlimit *limit, rlim_t wanted)
{
    struct rlimit more = {wanted, limit->rlim_max < wanted ? wanted : limit->rlim_max};
    if (limit->rlim_cur >= wanted || setrlimit(which, &more) == 0)
        return true;
    more = (struct rlimit){limit->rlim_max, limit->rlim_max};
    return setrlimit(which, &more) == 0 && limit->rlim_max >= wanted;
}

/* Where a limit ends the process by a signal, there is a line that says so. 64 KiB of stack have been
 * enough for every command so far. A second before the processor time is used up, there is SIGXCPU; of
 * a single second, SIGPROF after most of it. */
static void heed_limits(void)
{
    enum { STACK = 1 << 20 };
    static char other_stack[1 << 14];
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) == 0 && !raise_limit(RLIMIT_STACK, &limit, STACK)) {
        const stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
        const struct sigaction action = {.sa_handler = out_of_stack, .sa_flags = SA_ONSTACK};
        if (sigaltstack(&stack, NULL) == 0)
            sigaction(SIGSEGV, &action, NULL);
    }
    signal(SIGXCPU, out_of_time);
    if (getrlimit(RLIMIT_CPU, &limit) != 0 || limit.rlim_max == RLIM_INFINITY)
        return;
    if (limit.rlim_max > 1) {
        limit.rlim_cur = limit.rlim_cur < limit.rlim_max ? limit.rlim_cur : limit.rlim_max - 1;
        setrlimit(RLIMIT_CPU, &limit);
    } else {
        const struct itimerval timer = {.it_value = {.tv_usec = 800000}};
        signal(SIGPROF, out_of_time);
        setitimer(ITIMER_PROF, &timer, NULL);
    }
}

/* Without memory no command goes on: what it does from there would not be what it was asked for, and a
 * worker's result not its source's. A message of its own, since printing may take memory. */
static void out_of_memory(size_t bytes)
{
    char text[96];
    snprintf(text, sizeof text, "phoenix: no memory: this machine refused %zu bytes\n", bytes);
    end_with(text);
}

/* Ends as the signal would have ended it, now that all is cleaned up: a shell that waits, or a loop
 * around this program, can tell an interrupt from a failure. */
static int end_by_signal(void)
{
    int number = *stop_on_signals();
    if (number != 0 && signal(number, SIG_DFL) != SIG_ERR)
        raise(number);
    return EXIT_FAILED;
}

/* What was not printed was not done: a full disk behind standard output is a failure. */
int main(int argc, char **argv)
{
    if (!sane_start())
        return complain(EXIT_FAILED, "cannot start: /dev/null or the signals: %s", strerror(errno));
    heed_limits();
    base_memory_on_refusal(out_of_memory);
    command_called = argv[0];
    command_program = whole_path(argv[0]);
    int code = run(argc, argv);
    if (code == EXIT_INTERRUPTED)
        return end_by_signal();
    if (!has_complained() && (fflush(stdout) != 0 || ferror(stdout)))
        return complain(EXIT_FAILED, "standard output: cannot be written");
    return code;
}
