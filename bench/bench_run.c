/* SPDX-License-Identifier: MIT */
/* bench_run.c -- one case: its process, its samples, its medians. See bench.h. */
#include "bench/bench_run.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/list.h"
#include "base/process.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

bench_case *bench_add(bench_list *list)
{
    static bench_case nowhere;
    bench_case *cases = base_list_grow(list->cases, (size_t)list->count, 1, sizeof *cases);
    if (!cases) {
        list->failed = true;
        return &nowhere;
    }
    list->cases = cases;
    bench_case *added = &list->cases[list->count++];
    *added = (bench_case){0};
    return added;
}

/* The block begins with where malloc's was; 64 bytes further on, at most, are the floats. */
float *bench_floats(size_t count, base_error *error)
{
    char *raw = count < SIZE_MAX / sizeof(float) / 2 ? malloc(count * sizeof(float) + 128) : NULL;
    if (!raw) {
        base_fail(error, "no memory for %zu floats", count);
        return NULL;
    }
    char *aligned = raw + 128 - (uintptr_t)raw % 64;
    memcpy(aligned - sizeof raw, &raw, sizeof raw);
    float *floats = (float *)(void *)aligned;
    uint32_t state = 12345; /* any numbers will do: a short generator that fills hundreds of MB */
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        floats[i] = (float)(state >> 8) * 0x1p-23f - 1;
    }
    return floats;
}

void bench_free(float *floats)
{
    if (!floats)
        return;
    char *raw;
    memcpy(&raw, (char *)floats - sizeof raw, sizeof raw);
    free(raw);
}

/* ---- samples ---- */

/* Long enough for the clock to settle on what wide multiply-adds cost; short beside a sample. */
static const double BURST = 0.0045;

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value at a share of the way through a sorted list, between two of them where it falls so. */
static double quantile(const double *sorted, int count, double share)
{
    double at = share * (count - 1);
    int below = (int)at;
    double rest = at - below;
    return below + 1 < count ? sorted[below] * (1 - rest) + sorted[below + 1] * rest
                             : sorted[below];
}

static bench_spread spread_of(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_size);
    return (bench_spread){quantile(values, count, 0.25), quantile(values, count, 0.5),
                          quantile(values, count, 0.75)};
}

typedef struct stopwatch {
    bench_run *run;
    void (*before)(void *state), (*once)(void *state);
    void *state;
    int taken;
    double seconds[BENCH_MOST_SAMPLES], rate[BENCH_MOST_SAMPLES], burst[BENCH_MOST_SAMPLES];
} stopwatch;

/* Seconds of one call, of so many. */
static double time_calls(const stopwatch *w, int calls)
{
    double spent = 0, began = base_clock();
    for (int i = 0; i < calls; i++) {
        if (w->before) {
            w->before(w->state);
            began = base_clock();
        }
        w->once(w->state);
        if (w->before)
            spent += base_clock() - began;
    }
    return (w->before ? spent : base_clock() - began) / calls;
}

/* Whether the machine was at rest: the bursts before and after agree. */
static bool take_sample(stopwatch *w, int calls)
{
    tensor_context *ctx = w->run->ctx;
    double before = bench_peak(ctx, BURST);
    double seconds = time_calls(w, calls);
    double after = bench_peak(ctx, BURST), peak = (before + after) / 2;
    w->seconds[w->taken] = seconds;
    w->burst[w->taken] = peak;
    w->rate[w->taken] = 1 / (seconds * peak); /* shares, once a call's operations are known */
    w->taken++;
    return fabs(before - after) < 0.08 * peak;
}

/* How many calls make a sample: found by doubling, which warms up as well. */
static int calls_a_sample(const stopwatch *w, double seconds)
{
    double one = time_calls(w, 1);
    int calls = 1;
    do {
        one = time_calls(w, calls);
        calls *= 2;
    } while (one * calls < seconds / 4 && calls < 1 << 20);
    double needed = seconds / one + 1;
    return needed < 1 << 24 ? (int)needed : 1 << 24;
}

void bench_measure(bench_run *run, void (*before)(void *state), void (*once)(void *state),
                   void *state)
{
    static stopwatch w; /* large; one measurement a process */
    w = (stopwatch){.run = run, .before = before, .once = once, .state = state};
    bench_result *r = run->result;
    r->calls = run->cold ? 1 : calls_a_sample(&w, run->seconds);
    bench_peak(run->ctx, BURST);              /* out of the clock's sleep */
    int again = run->cold ? 0 : run->samples; /* disturbed ones, at most */
    while (w.taken < run->samples)
        if (!take_sample(&w, r->calls) && again-- > 0)
            w.taken--;
    r->samples = w.taken;
    r->seconds = spread_of(w.seconds, w.taken);
    r->share = spread_of(w.rate, w.taken);
    r->peak = spread_of(w.burst, w.taken).median;
}

/* ---- a process for each ---- */

static void run_here(const bench_case *c, const bench_settings *settings, bench_result *result)
{
    base_error error;
    tensor_context *ctx = tensor_context_open(settings->threads, &error);
    if (ctx) {
        bench_run run = {.ctx = ctx,
                         .threads = settings->threads,
                         .samples = settings->samples,
                         .seconds = settings->seconds,
                         .result = result};
        result->ok = c->run(c, &run, &error);
        tensor_context_free(ctx);
    }
    if (!result->ok)
        snprintf(result->message, sizeof result->message, "%.*s", (int)sizeof result->message - 1,
                 error.text);
    result->share.low *= result->flops;
    result->share.median *= result->flops;
    result->share.high *= result->flops;
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        result->rss_bytes = (int64_t)usage.ru_maxrss * 1024; /* Linux and the BSDs count in KiB */
}

bool bench_run_case(const bench_case *c, const bench_settings *settings, bench_result *result,
                    base_error *error)
{
    int ends[2];
    *result = (bench_result){0};
    if (!base_pipe(ends, 3))
        return base_fail(error, "%s: no pipe: %s", c->name, strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        run_here(c, settings, result);
        _exit(base_file_write_all(ends[1], result, sizeof *result, c->name, NULL) ? 0 : 1);
    }
    close(ends[1]);
    bool whole = child > 0 && base_file_read_all(ends[0], result, sizeof *result);
    close(ends[0]);
    if (child < 0)
        return base_fail(error, "%s: no process: %s", c->name, strerror(errno));
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!whole && WIFSIGNALED(status))
        return base_fail(error, "%s: ended by signal %d", c->name, WTERMSIG(status));
    if (!whole)
        return base_fail(error, "%s: ended without a result", c->name);
    return result->ok || base_fail(error, "%s: %s", c->name, result->message);
}
