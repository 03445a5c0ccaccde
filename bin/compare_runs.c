/* SPDX-License-Identifier: MIT */
/* compare_runs.c -- phoenix compare RUN...: what runs gained, and whether one kind gains more.
 *
 * A search that looks at many scores and keeps the best keeps luck as well (the winner's curse), so
 * a run's gain is taken from the comparison at its end, of the first source with the last on pairs
 * and with seeds that the search never saw. Runs of two kinds are paired by their seed. */
#include "bin/command.h"
#include "bin/compare.h"
#include "evolve/report/lineage.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 256 };

typedef struct run {
    const char *folder;
    int64_t seed;
    double seen;  /* score of the default source less that of the last, in the search */
    double fresh; /* the same on fresh pairs, mean over the fresh seeds; 0: it is the same source */
    report_compute compute;
} run;

static bool read_run(const char *folder, run *r, base_error *error)
{
    report_lineage *l = report_lineage_read(folder, error);
    if (!l)
        return false;
    double sums[2] = {0, 0};
    int n = l->fresh[1].count;
    for (int i = 0; i < 2 * n; i++)
        sums[i % 2] += l->fresh[i % 2].value[i / 2];
    *r = (run){.folder = folder,
               .seed = l->settings.seed,
               .seen = report_lineage_score(l, 0)->score - report_lineage_score(l, l->last)->score,
               .fresh = n ? (sums[0] - sums[1]) / n : 0,
               .compute = l->compute};
    bool ok = l->finished || base_fail(error, "%s: the run has not come to its end", folder);
    if (ok && n == 0 && r->seen != 0)
        ok = base_fail(error, "%s: the run had no fresh seeds to compare its sources with", folder);
    report_lineage_free(l);
    return ok;
}

/* ---- groups of runs ---- */

typedef struct group {
    const char *name;
    run run[MOST_RUNS];
    int count;
} group;

static int by_seed(const void *a, const void *b)
{
    const run *x = a, *y = b;
    return (x->seed > y->seed) - (x->seed < y->seed);
}

static bool read_group(group *g, const char *const *folders, int count, base_error *error)
{
    if (count > MOST_RUNS)
        return base_fail(error, "%d runs: expected at most %d", count, MOST_RUNS);
    g->count = count;
    for (int i = 0; i < count; i++)
        if (!read_run(folders[i], &g->run[i], error))
            return false;
    qsort(g->run, (size_t)count, sizeof *g->run, by_seed);
    for (int i = 1; i < count; i++)
        if (g->run[i].seed == g->run[i - 1].seed)
            return base_fail(error, "%s and %s have the same seed", g->run[i - 1].folder,
                             g->run[i].folder);
    return true;
}

/* The cost beside the gain; the means. */
static void describe_compute(const group *g, base_text *text)
{
    report_compute mean = {0};
    for (int i = 0; i < g->count; i++) {
        const report_compute *c = &g->run[i].compute;
        mean.training += c->training / g->count;
        mean.generation += c->generation / g->count;
        mean.evaluation += c->evaluation / g->count;
        mean.evaluations += c->evaluations;
    }
    base_text_print(text,
                    "  spent, GFLOP                    mean %.3f: training %.3f, generation %.3f, "
                    "%.1f evaluations %.3f\n",
                    report_compute_all(&mean) / 1e9, mean.training / 1e9, mean.generation / 1e9,
                    (double)mean.evaluations / g->count, mean.evaluation / 1e9);
}

static void describe(const group *g, base_text *text, base_text *csv)
{
    double seen[MOST_RUNS], fresh[MOST_RUNS], curse[MOST_RUNS];
    for (int i = 0; i < g->count; i++) {
        const run *r = &g->run[i];
        seen[i] = r->seen;
        fresh[i] = r->fresh;
        curse[i] = r->seen - r->fresh;
        const report_compute *c = &r->compute;
        base_text_print(csv, "%s,%s,%" PRId64 ",%.9g,%.9g,%" PRId64 ",%.15g,%.15g,%.15g\n", g->name,
                        r->folder, r->seed, r->seen, r->fresh, c->evaluations, c->evaluation,
                        c->training, c->generation);
    }
    search_interval gain, cursed;
    search_verdict verdict = search_gain(fresh, g->count, &gain);
    search_gain(curse, g->count, &cursed);
    base_text_print(text, "%s: %d\n  gain, as the search saw it      median %.4f, mean %+.4f\n",
                    g->name, g->count, search_median(seen, g->count),
                    search_average(seen, g->count));
    if (g->count == 1)
        base_text_print(text,
                        "  gain, fresh pairs and seeds     %+.4f; one run has no interval, its own "
                        "summary has the verdict\n"
                        "  the first less the second       %+.4f\n",
                        fresh[0], curse[0]);
    else
        base_text_print(text,
                        "  gain, fresh pairs and seeds     median %.4f, mean %+.4f [%+.4f, %+.4f]: "
                        "%s\n"
                        "  the first less the second       mean %+.4f [%+.4f, %+.4f]\n",
                        search_median(fresh, g->count), search_average(fresh, g->count), gain.low,
                        gain.high, search_verdict_text(verdict), search_average(curse, g->count),
                        cursed.low, cursed.high);
    describe_compute(g, text);
}

/* Differences are of losses, so a gain goes in with its sign turned. */
static bool differences(const compare_how *how, const group *a, const group *b, base_text *text,
                        base_error *error)
{
    double left[MOST_RUNS], right[MOST_RUNS];
    bool paired = a->count == b->count;
    for (int i = 0; paired && i < a->count; i++) {
        paired = a->run[i].seed == b->run[i].seed;
        left[i] = -a->run[i].fresh;
        right[i] = -b->run[i].fresh;
    }
    if (!paired)
        return base_fail(error, "both sides must be runs of the same seeds");
    if (a->count < 2) {
        base_text_print(text, "\none pair of runs says nothing of the spread: no comparison\n");
        return true;
    }
    const report_arm arm = {a->name, left}, reference = {"the others", right};
    return compare_arms(how, "runs", "fresh gain, its sign turned", &reference, &arm, 1, a->count,
                        text, error);
}

int compare_runs(const compare_how *how, const char *const *runs, int count,
                 const char *const *against, int against_count)
{
    static group groups[2] = {{.name = "runs"}, {.name = "against"}};
    base_error error;
    base_text text = {0}, csv = {0};
    base_text_print(&csv, "group,run,seed,gain_seen,gain_fresh,evaluations,"
                          "evaluation_flop,training_flop,generation_flop\n");
    bool ok = read_group(&groups[0], runs, count, &error);
    if (ok)
        describe(&groups[0], &text, &csv);
    if (ok && against_count > 0) {
        ok = read_group(&groups[1], against, against_count, &error);
        if (ok)
            describe(&groups[1], &text, &csv);
        ok = ok && differences(how, &groups[0], &groups[1], &text, &error);
    }
    int code = ok ? compare_finish(how, &text, &csv) : complain(EXIT_FAILED, "%s", error.text);
    base_text_free(&text);
    base_text_free(&csv);
    return code;
}
