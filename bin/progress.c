/* progress.c -- one line on standard error. The rate is that since the thing began, and the time left
 * is what remains at that rate: a lengthy thing here is many equal parts. */
#include "bin/progress.h"
#include "base/clock.h"
#include "base/number.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    bool quiet, terminal, open; /* open: a line without line feed stands on the terminal */
    char what[96];
    double started, told; /* seconds: when `what` was first seen, and last shown */
    int64_t first; /* done, when `what` was first seen: a resumed training starts in the middle */
} bar;

/* Takes the line away, so that something else can be printed. */
static void wipe(void)
{
    if (bar.open)
        fprintf(stderr, "\r%*s\r", 99, "");
    bar.open = false;
}

static void say(void *user, const char *text)
{
    (void)user;
    wipe();
    fputs(text, stdout);
    fflush(stdout);
}

static void duration(double seconds, char text[32])
{
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(text, 32, "%ld h %02ld min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        snprintf(text, 32, "%ld min %02ld s", s / 60, s % 60);
    else
        snprintf(text, 32, "%ld s", s);
}

static void progress(void *user, const char *what, int64_t done, int64_t total, const char *detail)
{
    (void)user;
    if (bar.quiet || total == 0)
        return;
    double now = base_clock();
    bool fresh = strncmp(bar.what, what, sizeof bar.what - 1) != 0;
    if (fresh) {
        snprintf(bar.what, sizeof bar.what, "%s", what);
        bar.started = now;
        bar.told = 0;
        bar.first = done;
    }
    bool last = done == total;
    if (!last && now - bar.told < (bar.terminal ? 0.2 : 10))
        return;
    bar.told = now;
    double elapsed = now - bar.started;
    double rate = elapsed > 0 ? (double)(done - bar.first) / elapsed : 0;
    char left[32] = "?", line[160];
    duration(last ? elapsed : rate > 0 ? (double)(total - done) / rate : 0, left);
    base_print(line, sizeof line, "%s %lld of %lld, %s%s%.1f/s, %s%s", what, (long long)done,
               (long long)total, detail, *detail ? ", " : "", rate, last || rate > 0 ? left : "?",
               last ? "" : " left");
    if (bar.terminal)
        fprintf(stderr, "\r%-98.98s%s", line, last ? "\n" : "");
    else
        fprintf(stderr, "%s\n", line);
    bar.open = bar.terminal && !last;
    if (last)
        bar.what[0] = '\0';
}

loop_watch progress_watch(bool quiet)
{
    bar.quiet = quiet;
    bar.terminal = isatty(STDERR_FILENO) == 1;
    return (loop_watch){say, progress, NULL};
}

/* All that a handler may do is set a flag; whoever works looks at it between two parts of the work. */
static volatile sig_atomic_t stop;

static void on_signal(int number) { stop = number; }

const volatile sig_atomic_t *stop_on_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal}, before;
    sigemptyset(&action.sa_mask);
    action.sa_flags = (int)SA_RESETHAND; /* the second signal ends the program */
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (signals[i] != SIGHUP ||
            (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN))
            sigaction(signals[i], &action, NULL);
    return &stop;
}
