/* SPDX-License-Identifier: MIT */
/* test_bench.c -- bench/bench_run.c on cases made up here, and the command itself: that what it
 * prints is well formed. How fast anything is, no test asks. */
#include "bench/bench_run.h"

#include "base/json.h"
#include "evolve/sandbox/pool.h"
#include "tests/test.h"
#include <math.h>
#include <time.h>
#include <unistd.h>

static const bench_settings quick = {.threads = 1, .samples = 3, .seconds = 0};

/* ---- cases made up ---- */

typedef struct counter {
    int before, once;
} counter;

static void count_before(void *state)
{
    counter *c = state;
    c->before++;
}

static void count_once(void *state)
{
    counter *c = state;
    c->once++;
    nanosleep(&(const struct timespec){.tv_nsec = 1000000}, NULL);
}

/* The counts go out as figures: the case runs in another process. */
static bool run_counts(const bench_case *self, bench_run *run, base_error *error)
{
    counter c = {0, 0};
    (void)error;
    run->cold = self->parameter[0] != 0;
    bench_measure(run, count_before, count_once, &c);
    run->result->flops = 1000;
    run->result->bytes = c.before;
    run->result->units = c.once;
    return true;
}

static void test_samples(void)
{
    bench_result r;
    base_error error = {""};
    bench_case c = {.name = "counts", .run = run_counts, .parameter = {1}};
    CHECK(bench_run_case(&c, &quick, &r, &error), "%s", error.text);
    CHECK(r.samples == 3 && r.calls == 1, "%d samples of %d calls", r.samples, r.calls);
    CHECK(r.bytes == 3 && r.units == 3, "%g calls before, %g calls", r.bytes, r.units);
    CHECK(r.seconds.low >= 0.001, "%g s of a call that sleeps for 0.001", r.seconds.low);
    CHECK(r.seconds.low <= r.seconds.median && r.seconds.median <= r.seconds.high, "%g %g %g",
          r.seconds.low, r.seconds.median, r.seconds.high);
    CHECK(r.peak > 0 && isfinite(r.peak), "peak %g", r.peak);
    CHECK(r.share.median > 0 && r.share.median < 1, "a sleeper's share is %g", r.share.median);
    CHECK(r.rss_bytes > 0, "%lld", (long long)r.rss_bytes);

    c.parameter[0] = 0;
    CHECK(bench_run_case(&c, &quick, &r, &error), "%s", error.text);
    /* two warm up; up to three disturbed samples are taken again */
    CHECK(r.units >= 2 + 3 * r.calls && r.units <= 2 + 6 * r.calls, "%g calls", r.units);
    CHECK(r.bytes == r.units, "%g calls before %g", r.bytes, r.units);
}

static bool run_failure(const bench_case *self, bench_run *run, base_error *error)
{
    (void)run;
    return base_fail(error, "%s is not to be had", self->name);
}

static bool run_death(const bench_case *self, bench_run *run, base_error *error)
{
    (void)self;
    (void)run;
    (void)error;
    _exit(3);
}

static void test_failures(void)
{
    bench_result r;
    base_error error = {""};
    const bench_case failure = {.name = "this", .run = run_failure};
    CHECK(!bench_run_case(&failure, &quick, &r, &error), "it is to fail");
    CHECK(strcmp(error.text, "this: this is not to be had") == 0, "%s", error.text);
    const bench_case death = {.name = "that", .run = run_death};
    CHECK(!bench_run_case(&death, &quick, &r, &error), "it is to fail");
    CHECK(strcmp(error.text, "that: ended without a result") == 0, "%s", error.text);
}

/* ---- the yardsticks ---- */

static void test_peak(void)
{
    for (const char *const *name = tensor_kernels_available(); *name; name++) {
        setenv("PHOENIX_KERNEL", *name, 1);
        tensor_context *ctx = tensor_context_new();
        CHECK(ctx != NULL, "no context with kernels %s", *name);
        if (!ctx)
            continue;
        double peak = bench_peak(ctx, 0.0005);
        CHECK(peak > 0 && isfinite(peak), "%s: %g", *name, peak);
        base_error error = {""};
        float *x = bench_floats(1280, &error);
        CHECK(x && (uintptr_t)x % 64 == 0, "%s", error.text);
        float sum = 0;
        for (int i = 0; x && i < 1280; i++) {
            x[i] = (float)(i % 7);
            sum += x[i];
        }
        CHECK(x && bench_read(ctx, x, 1280) <= sum, "%s", *name); /* one lane of what was read */
        bench_free(x);
        tensor_context_free(ctx);
    }
    unsetenv("PHOENIX_KERNEL");
}

/* ---- the command ---- */

enum { MOST_ARGUMENTS = 16 };

/* Runs phoenix bench with arguments that end with NULL; the caller frees job.output. */
static sandbox_job bench(const char *const *arguments)
{
    char *argv[MOST_ARGUMENTS + 3] = {(char *)(uintptr_t)TEST_PHOENIX, (char *)(uintptr_t) "bench"};
    for (int i = 0; arguments[i] && i < MOST_ARGUMENTS; i++)
        argv[2 + i] = (char *)(uintptr_t)arguments[i];
    sandbox_job job = {.argv = argv, .input = "", .deadline = 600};
    base_error error;
    CHECK(sandbox_pool_run(&job, 1, 1, NULL, NULL, NULL, &error), "%s", error.text);
    job.argv = NULL;
    return job;
}

static double number(const base_json *object, const char *name)
{
    const base_json *value = base_json_get(object, name);
    return value && value->kind == BASE_JSON_NUMBER ? value->number : -1;
}

/* Which figures a case has beside those that all have. */
static const struct {
    const char *name, *figures[4];
} expected[] = {
    {"memory/read/16K", {"gbytes"}},
    {"gemm/fwd/256x512x512", {"gflops", "share", "flops"}},
    {"attention/strided/tn", {"gflops", "share"}},
    {"attention/causal/both", {"gflops", "share"}},
    {"op/cross-entropy/512", {"gbytes"}},
    {"conv/64-128/weight", {"gflops", "share", "memory_bytes"}},
    {"train/mlp", {"rate", "gflops", "share", "memory_bytes"}},
    {"start/interpret", {NULL}},
};
enum { EXPECTED = sizeof expected / sizeof *expected };

static void check_line(const char *line, size_t length, int which)
{
    static const char *const always[] = {"threads",     "samples",      "calls",       "seconds",
                                         "seconds_low", "seconds_high", "peak_gflops", "rss_bytes"};
    base_error error = {""};
    base_json *json = base_json_parse(line, length, "bench", &error);
    CHECK(json != NULL, "%s", error.text);
    if (!json)
        return;
    const char *name = "", *wanted = expected[which].name;
    CHECK(base_json_get_string(json, "case", &name, "bench", &error) && strcmp(name, wanted) == 0,
          "\"%s\" instead of %s", name, wanted);
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
        double value = number(json, always[i]);
        CHECK(value > 0 && isfinite(value), "%s: %s is %g", wanted, always[i], value);
    }
    for (int i = 0; i < 4 && expected[which].figures[i]; i++) {
        double value = number(json, expected[which].figures[i]);
        CHECK(value > 0 && isfinite(value), "%s: %s is %g", wanted, expected[which].figures[i],
              value);
    }
    base_json_free(json);
}

static void test_json(void)
{
    const char *arguments[MOST_ARGUMENTS] = {"--samples", "1", "--seconds", "0", "--json"};
    for (int i = 0; i < EXPECTED; i++)
        arguments[5 + i] = expected[i].name;
    sandbox_job job = bench(arguments);
    CHECK(job.end == SANDBOX_EXITED && job.code == 0, "exit %d: %s", job.code, job.errors);
    const char *line = job.output ? job.output : "";
    int lines = 0;
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++)
        if (lines < EXPECTED)
            check_line(line, (size_t)(end - line), lines);
    CHECK(lines == EXPECTED && !*line, "%d lines, and \"%s\"", lines, line);
    free(job.output);
}

static void test_table(void)
{
    sandbox_job job = bench((const char *const[]){"train/mlp", "--samples", "2", "--seconds", "0",
                                                  "--threads", "2", NULL});
    CHECK(job.end == SANDBOX_EXITED && job.code == 0, "exit %d: %s", job.code, job.errors);
    CHECK(job.output && strstr(job.output, "images/s\n"), "%s", job.output);
    free(job.output);
}

static void test_names(void)
{
    sandbox_job job = bench((const char *const[]){"--list", NULL});
    CHECK(job.code == 0, "exit %d: %s", job.code, job.errors);
    CHECK(job.output && strstr(job.output, "train/t5-512-v32100\n"), "%s", job.output);
    free(job.output);
    job = bench((const char *const[]){"--list", "decode/8x512", "generate/128", NULL});
    CHECK(job.output == NULL && job.code == 2, "a prefix ends with a part: %s", job.output);
    free(job.output);
    job = bench((const char *const[]){"--list", "gemm/dw", "generate/128", NULL});
    CHECK(job.output && strstr(job.output, "generate/128\n") && !strstr(job.output, "gemm/dx"),
          "%s", job.output);
    free(job.output);
    job = bench((const char *const[]){"--list", "train/t5-512", NULL});
    CHECK(job.output && strcmp(job.output, "train/t5-512-v512\ntrain/t5-512-v32100\n") == 0, "%s",
          job.output);
    free(job.output);
}

static void test_bad_input(void)
{
    static const char *const bad[][3] = {{"gem"},
                                         {"gemm", "none/such"},
                                         {"--samples", "0"},
                                         {"--seconds", "-1"},
                                         {"--threads", "0"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *arguments[4] = {bad[i][0], bad[i][1], bad[i][2], NULL};
        sandbox_job job = bench(arguments);
        CHECK(job.end == SANDBOX_EXITED && job.code == 2, "%s: exit %d", bad[i][0], job.code);
        CHECK(job.output_size == 0, "%s: %s", bad[i][0], job.output);
        const char *feed = strchr(job.errors, '\n');
        CHECK(strncmp(job.errors, "phoenix: ", 9) == 0 && feed && !feed[1], "%s", job.errors);
        free(job.output);
    }
}

int main(void)
{
    test_samples();
    test_failures();
    test_peak();
    test_json();
    test_table();
    test_names();
    test_bad_input();
    return test_end();
}
