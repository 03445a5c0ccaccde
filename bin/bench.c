/* SPDX-License-Identifier: MIT */
/* bench.c -- phoenix bench: how fast this machine does what phoenix does, and how near its peak.
 *
 * Here are the command line, the choice of cases and the two ways to print a result; a case is
 * measured in a process of its own (bench/bench_run.c), and what there is to be measured is listed
 * by the files of bench/, group by group. */
#include "bench/bench.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/math.h"
#include "base/number.h"
#include "bench/bench_run.h"
#include "bin/command.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PREFIXES = 64 };

/* ---- which cases ---- */

static void list_cases(bench_list *list)
{
    bench_memory_cases(list);
    bench_gemm_cases(list);
    bench_walk_cases(list);
    bench_op_cases(list);
    bench_t5_cases(list);
    bench_net_cases(list);
    bench_loop_cases(list);
}

/* "gemm/fwd" fits gemm/fwd/256x512x512 but not gemm/fwds, "train/t5-512" train/t5-512-v512: a prefix ends where a
 * part does, or a word of one. */
static bool fits(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(name, prefix, length) == 0 &&
           (strchr("/-", name[length]) || (length && prefix[length - 1] == '/'));
}

static bool wanted(const bench_case *c, const char *const *prefixes)
{
    for (int i = 0; prefixes[i]; i++)
        if (fits(c->name, prefixes[i]))
            return true;
    return !prefixes[0];
}

/* A prefix that fits no case is a misspelling, and is refused before anything is measured. */
static const char *first_unknown(const bench_list *list, const char *const *prefixes)
{
    for (int i = 0; prefixes[i]; i++) {
        int at = 0;
        while (at < list->count && !fits(list->cases[at].name, prefixes[i]))
            at++;
        if (at == list->count)
            return prefixes[i];
    }
    return NULL;
}

/* ---- what is printed ---- */

static double rate_of(const bench_result *r, double amount) { return amount / r->seconds.median; }

/* What is 0 was not measured, and is left out. */
static void put(base_text *line, const char *name, double value)
{
    if (value == 0)
        return;
    base_text_print(line, ",\"%s\":", name);
    base_json_put_number(line, value);
}

/* For programs: base units, every digit. */
static void json_line(const bench_case *c, const bench_settings *settings, const char *kernels,
                      const bench_result *r, base_text *line)
{
    base_text_print(line, "{\"case\":");
    base_json_put_string(line, c->name, strlen(c->name));
    base_text_print(line, ",\"kernels\":\"%s\",\"threads\":%d,\"samples\":%d,\"calls\":%d", kernels,
                    settings->threads, r->samples, r->calls);
    put(line, "seconds", r->seconds.median);
    put(line, "seconds_low", r->seconds.low);
    put(line, "seconds_high", r->seconds.high);
    if (c->unit) {
        put(line, "rate", rate_of(r, r->units));
        base_text_print(line, ",\"unit\":");
        base_json_put_string(line, c->unit, strlen(c->unit));
    }
    put(line, "flops", r->flops);
    put(line, "gflops", rate_of(r, r->flops) * 1e-9);
    put(line, "share", r->share.median);
    put(line, "share_low", r->share.low);
    put(line, "share_high", r->share.high);
    put(line, "peak_gflops", r->peak * 1e-9);
    put(line, "gbytes", rate_of(r, r->bytes) * 1e-9);
    put(line, "memory_bytes", (double)r->memory_bytes);
    put(line, "rss_bytes", (double)r->rss_bytes);
    base_text_print(line, "}\n");
}

static void cell(base_text *line, int width, int digits, double value)
{
    if (value == 0)
        base_text_print(line, " %*s", width, "");
    else
        base_text_print(line, " %*.*f", width, digits, value);
}

/* Four digits and the unit that they need. */
static void time_cell(base_text *line, double seconds)
{
    static const struct {
        double factor;
        const char *unit;
    } units[] = {{1e6, "us"}, {1e3, "ms"}, {1, "s "}};
    int u = 0;
    while (u < 2 && seconds * units[u].factor >= 1000)
        u++;
    double value = seconds * units[u].factor;
    base_text_print(line, "%9.*f %s", value < 10 ? 3 : value < 100 ? 2 : 1, value, units[u].unit);
}

static const double MIB = 1024.0 * 1024.0;

/* For people: units that fit, three or four digits. */
static void table_head(base_text *line)
{
    base_text_print(line, "%-30s %11s %5s %9s %6s %5s %7s %8s %8s\n", "case", "a call", "+-%",
                    "GFLOP/s", "peak %", "+-", "GB/s", "MiB", "RSS MiB");
}

/* +- is half of what lies between the quartiles. */
static void table_line(const bench_case *c, const bench_result *r, base_text *line)
{
    base_text_print(line, "%-30s ", c->name);
    time_cell(line, r->seconds.median);
    cell(line, 5, 1, 50 * (r->seconds.high - r->seconds.low) / r->seconds.median);
    cell(line, 9, 1, rate_of(r, r->flops) * 1e-9);
    cell(line, 6, 1, 100 * r->share.median);
    cell(line, 5, 1, 50 * (r->share.high - r->share.low));
    cell(line, 7, 1, rate_of(r, r->bytes) * 1e-9);
    cell(line, 8, 1, (double)r->memory_bytes / MIB);
    cell(line, 8, 1, (double)r->rss_bytes / MIB);
    if (c->unit)
        base_text_print(line, "  %.*f %s", rate_of(r, r->units) < 100 ? 2 : 0, rate_of(r, r->units),
                        c->unit);
    while (line->length && line->data && line->data[line->length - 1] == ' ')
        line->data[--line->length] = '\0';
    base_text_print(line, "\n");
}

/* The geometric mean of the shares of what may be called one group. */
typedef struct mean {
    double log_sum;
    int count;
} mean;

static void print_mean(const char *group, const mean *m)
{
    if (m->count > 1)
        base_print_to(stdout, "%-30s %37.1f  geometric mean of %d\n", group,
                      100 * base_exp(m->log_sum / m->count), m->count);
}

static bool print(base_text *line)
{
    bool ok = !line->failed && fwrite(line->data, 1, line->length, stdout) == line->length &&
              fflush(stdout) == 0;
    base_text_clear(line);
    return ok;
}

/* Case after case, each printed when it is done: a long measurement can be watched. */
static int run_cases(const bench_list *list, const char *const *prefixes,
                     const bench_settings *settings, bool json)
{
    const tensor_kernels *kernels = tensor_kernels_pick(getenv("PHOENIX_KERNEL"));
    if (!kernels)
        return complain(EXIT_FAILED, "PHOENIX_KERNEL names a set of kernels that is not here");
    base_text line = {0};
    base_error error;
    mean gemm = {0};
    bool ok = true;
    if (!json) {
        base_text_print(&line, "kernels %s, threads %d, samples %d\n", kernels->name,
                        settings->threads, settings->samples);
        table_head(&line);
        ok = print(&line);
    }
    for (int i = 0; ok && i < list->count; i++) {
        const bench_case *c = &list->cases[i];
        bench_result result;
        if (!wanted(c, prefixes))
            continue;
        if (!bench_run_case(c, settings, &result, &error)) {
            base_text_free(&line);
            return complain(EXIT_FAILED, "%s", error.text);
        }
        if (json)
            json_line(c, settings, kernels->name, &result, &line);
        else
            table_line(c, &result, &line);
        ok = print(&line);
        if (fits(c->name, "gemm") && result.share.median > 0) {
            gemm.log_sum += base_log(result.share.median);
            gemm.count++;
        }
    }
    base_text_free(&line);
    if (ok && !json)
        print_mean("gemm", &gemm);
    return ok ? EXIT_DONE : complain(EXIT_FAILED, "standard output: cannot be written");
}

typedef struct request {
    const char *prefixes[MOST_PREFIXES + 1];
    int64_t samples;
    double seconds;
    bool json, names;
} request;

#define AT(field) offsetof(request, field)
static const evolve_field own[] = {
    {"samples", WHOLE(samples, 1, BENCH_MOST_SAMPLES), "samples per case; their median counts"},
    {"seconds", REAL(seconds, 0, 3600), "seconds per sample, at least"},
    {"json", FLAG(json), "one JSON object a line, all figures in base units"},
    {"list", FLAG(names), "the names of the cases, and nothing is run"},
    {0},
};

static const command_line command = {
    .usage = "phoenix bench [CASE...] [options]",
    .about =
        "Measures kernels, layers, training steps, generation and candidate evaluations.\n"
        "CASE is a name, or the first parts of some (gemm, train/t5-512); all cases if there is "
        "none.\nThe share of the peak is against multiply-adds in registers, on as many "
        "threads, measured\nbefore and after each sample; FLOPs that are avoided are not "
        "counted. MiB: weights,\ngradients, optimizer state and results, as the library "
        "counts; RSS: the whole process.",
    .own = own,
    .run = EVOLVE_OF_THREADS,
    .most_operands = MOST_PREFIXES,
};

int command_bench(int argc, char **argv)
{
    request r = {.samples = 9, .seconds = 0.1};
    evolve_options options = {.threads = 1};
    const command_values values = {.own = &r, .run = &options, .operands = r.prefixes};
    int code = command_read(&command, &values, argc, argv);
    if (code >= 0)
        return code;
    bench_list list = {0};
    list_cases(&list);
    const char *unknown = first_unknown(&list, r.prefixes);
    bench_settings settings = {(int)options.threads, (int)r.samples, r.seconds};
    if (list.failed)
        code = complain(EXIT_FAILED, "no memory");
    else if (unknown)
        code = complain(EXIT_USAGE,
                        "%s: there is no such case; phoenix bench --list has their names", unknown);
    else if (!r.names)
        code = run_cases(&list, r.prefixes, &settings, r.json);
    else
        code = EXIT_DONE;
    for (int i = 0; r.names && code == EXIT_DONE && i < list.count; i++)
        if (wanted(&list.cases[i], r.prefixes))
            puts(list.cases[i].name);
    base_free(list.cases);
    return code;
}
