/* SPDX-License-Identifier: MIT */
/* progress.c -- one line on standard error. The rate is that since the thing began, and the time left
 * is what remains at that rate: a lengthy thing here is many equal parts.
 *
 * The line is no wider than the terminal, which is asked for its width each time, so that it can be
 * resized. Nothing is to be silent for longer than two seconds, and much of the work is in one long
 * call: so an alarm comes every second, and its handler adds to the line how long there was no news.
 * What the handler reads was written before, in full; while that is under way it does nothing. */
#include "bin/progress.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "bin/terminal.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDEST = 240, SUFFIX = 16, MOST_ROWS = 12, MOST_BYTES = 2 * WIDEST + 4 * MOST_ROWS };

static struct {
    bool quiet, terminal, dumb; /* dumb: it takes no control sequences */
    char what[96];
    double started, told; /* seconds: when `what` was first seen, and last shown */
    int64_t first; /* done, when `what` was first seen: a resumed training starts in the middle */
    char line[WIDEST]; /* what stands on the terminal, without line feed; "": nothing */
    int shown;         /* columns of it, with what the handler has added */
    volatile sig_atomic_t busy, ticking;
} bar;

/* ---- the line ----
 *
 * Only write() and what is done by hand here, since the handler comes here too. */

static size_t put(char *bytes, size_t used, const char *text)
{
    size_t length = strlen(text);
    memcpy(bytes + used, text, length);
    return used + length;
}

static void send(const char *bytes, size_t count)
{
    ssize_t ignored = write(STDERR_FILENO, bytes, count);
    (void)ignored;
}

/* To the beginning of the line that is shown. A terminal that was made narrower has moved the rest of
 * it to further rows. */
static size_t go_back(char *bytes, int columns)
{
    size_t used = put(bytes, 0, "\r");
    int rows = bar.dumb || bar.shown == 0 ? 0 : (bar.shown - 1) / columns;
    for (int i = 0; i < rows && i < MOST_ROWS; i++)
        used = put(bytes, used, "\033[A");
    return rows > 0 ? put(bytes, used, "\033[J") : used;
}

static size_t blank(char *bytes, size_t used, int from, int columns)
{
    if (!bar.dumb)
        return put(bytes, used, "\033[K");
    for (; from < bar.shown && from < columns; from++)
        used = put(bytes, used, " ");
    return used;
}

/* Takes the line away, so that something else can be printed. */
static void wipe(void)
{
    char bytes[MOST_BYTES];
    int columns = terminal_columns(STDERR_FILENO);
    bar.busy = 1;
    if (bar.shown > 0) {
        size_t used = blank(bytes, go_back(bytes, columns), 0, columns - 1);
        send(bytes, put(bytes, used, "\r"));
    }
    bar.shown = 0;
    bar.line[0] = '\0';
    bar.busy = 0;
}

/* " ... 12 s" */
static void print_silence(char suffix[SUFFIX], int seconds)
{
    char digits[8];
    int n = 0;
    for (int rest = seconds < 999999 ? seconds : 999999; rest > 0; rest /= 10)
        digits[n++] = (char)('0' + rest % 10);
    size_t used = put(suffix, 0, " ... ");
    while (n > 0)
        suffix[used++] = digits[--n];
    used = put(suffix, used, " s");
    suffix[used] = '\0';
}

/* Shows the line, and for how many seconds there was no news. */
static void show(int seconds)
{
    char bytes[MOST_BYTES], suffix[SUFFIX] = "";
    int columns = terminal_columns(STDERR_FILENO);
    if (seconds > 0)
        print_silence(suffix, seconds);
    int most = (columns < WIDEST ? columns : WIDEST) - 1 - (int)strlen(suffix);
    int length = (int)strlen(bar.line), shown = length < most ? length : most;
    int comma = shown; /* a part of it is whole, or not there */
    while (shown < length && comma > 0 && bar.line[comma] != ',')
        comma--;
    shown = comma > 0 ? comma : shown;
    size_t used = go_back(bytes, columns);
    memcpy(bytes + used, bar.line, (size_t)shown);
    used = put(bytes, used + (size_t)shown, suffix);
    shown += (int)strlen(suffix);
    used = blank(bytes, used, shown, columns - 1);
    send(bytes, used);
    bar.shown = shown;
}

static void on_alarm(int number)
{
    int before = errno;
    (void)number;
    double silence = base_clock() - bar.told;
    if (!bar.busy && bar.line[0] && silence >= 1)
        show((int)silence);
    alarm(1);
    errno = before;
}

static void start_ticking(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (bar.ticking || sigaction(SIGALRM, &action, NULL) != 0)
        return;
    bar.ticking = 1;
    alarm(1);
}

/* ---- what is said ---- */

/* Folded where it goes to a terminal; else whole, for whoever looks for a line in it. */
static void print(const char *text)
{
    base_text folded = {0};
    wipe();
    if (isatty(STDOUT_FILENO) == 1)
        terminal_fold(&folded, text, terminal_columns(STDOUT_FILENO));
    fputs(folded.data && !folded.failed ? folded.data : text, stdout);
    fflush(stdout);
    base_text_free(&folded);
}

static void say(void *user, const char *text)
{
    (void)user;
    print(text);
}

static void explain(void *user, const char *text)
{
    (void)user;
    if (bar.quiet)
        return;
    int columns = terminal_columns(STDOUT_FILENO);
    base_text wrapped = {0};
    base_text_print(&wrapped, "\n");
    base_text_wrap(&wrapped, text, 0, 0, columns < TERMINAL_COLUMNS ? columns : TERMINAL_COLUMNS);
    base_text_print(&wrapped, "\n");
    if (!wrapped.failed)
        print(wrapped.data);
    base_text_free(&wrapped);
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

/* What is most wanted comes first, since a narrow terminal cuts the end off. */
static void describe(char line[WIDEST], const char *what, int64_t done, int64_t total,
                     const char *detail, double now)
{
    double elapsed = now - bar.started;
    double rate = elapsed > 0 ? (double)(done - bar.first) / elapsed : 0;
    bool last = done == total;
    char left[32] = "?", pace[32] = "";
    if (rate >= 1)
        base_print(pace, sizeof pace, ", %.1f/s", rate);
    else if (rate > 0)
        base_print(pace, sizeof pace, ", %.1f s each", 1 / rate);
    duration(last ? elapsed : rate > 0 ? (double)(total - done) / rate : 0, left);
    if (total == 0)
        base_print(line, WIDEST, "%s", what);
    else
        base_print(line, WIDEST, "%s %lld of %lld, %s%s%s%s%s", what, (long long)done,
                   (long long)total, last || rate > 0 ? left : "?", last ? "" : " left",
                   *detail ? ", " : "", detail, pace);
}

static void progress(void *user, const char *what, int64_t done, int64_t total, const char *detail)
{
    (void)user;
    if (bar.quiet || (total == 0 && !bar.terminal))
        return;
    double now = base_clock();
    if (strncmp(bar.what, what, sizeof bar.what - 1) != 0) {
        snprintf(bar.what, sizeof bar.what, "%s", what);
        bar.started = now;
        bar.told = bar.terminal ? 0 : now; /* a line for what takes ten seconds, or ends */
        bar.first = done;
    }
    bool last = done == total && total > 0;
    if (!last && now - bar.told < (bar.terminal ? 0.2 : 10))
        return;
    char line[WIDEST];
    describe(line, what, done, total, detail, now);
    bar.told = now;
    if (bar.terminal) {
        bar.busy = 1;
        memcpy(bar.line, line, sizeof line);
        show(0);
        if (last) {
            send("\n", 1);
            bar.line[0] = '\0';
            bar.shown = 0;
        }
        bar.busy = 0;
        start_ticking();
    } else {
        fprintf(stderr, "%s\n", line);
    }
    if (last)
        bar.what[0] = '\0';
}

loop_watch progress_watch(bool quiet)
{
    const char *terminal = getenv("TERM");
    bar.quiet = quiet;
    bar.terminal = isatty(STDERR_FILENO) == 1;
    bar.dumb = !terminal || strcmp(terminal, "dumb") == 0;
    return (loop_watch){say, progress, explain, NULL};
}

void progress_end(void) { wipe(); }

/* All that a handler may do is set a flag; whoever works looks at it between two parts of the work. Whoever waits for
 * a FIFO's writer or for a terminal does not, and has begun nothing that could be left half done. */
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    stop = number;
    if (base_file_waits())
        raise(number); /* the handler is there once (SA_RESETHAND) */
}

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
